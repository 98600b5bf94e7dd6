"""A web site on this machine, and fetchers that take it for one of the internet."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from typing import Any

import httpx

from assistant.service.fetching import TIMEOUT, Address, Fetcher, Resolver

PUBLIC = "93.184.215.14"
"""An address of the internet. No test reaches it."""

HTML = "text/html; charset=utf-8"


@dataclass(frozen=True)
class Page:
    """What a site answers: a body, in parts, which may have no end."""

    parts: Iterable[bytes] = ()
    kind: str | None = HTML
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


def moved(where: str, **more: str) -> Page:
    return Page(status=302, headers={"location": where, **more})


@dataclass
class Site:
    """A site that is served.

    Attributes:
        port: on this machine.
        pages: by path; of any host.
        asked: the headers of each request that came, in order.
    """

    port: int
    pages: dict[str, Page]
    asked: list[Mapping[str, str]]

    @property
    def hosts(self) -> list[str]:
        return [headers["host"] for headers in self.asked]


@contextmanager
def served_site(
    pages: Mapping[str, Page] | None = None, tls: ssl.SSLContext | None = None
) -> Iterator[Site]:
    """A site, inside the `with`.

    Args:
        pages: that it has.
        tls: with its certificate, where it is one of https.
    """

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            site.asked.append({name.lower(): value for name, value in self.headers.items()})
            page = site.pages.get(self.path, Page(status=404))
            self.send_response(page.status)
            for name, value in page.headers.items():
                self.send_header(name, value)
            if page.kind is not None:
                self.send_header("content-type", page.kind)
            try:
                self.end_headers()
                for part in page.parts:
                    self.wfile.write(part)
            except OSError:  # whoever asked has gone
                self.close_connection = True

        def log_message(self, *_: Any) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: Any, client_address: Any) -> None:
            """Whoever asked has gone."""

    with Server(("127.0.0.1", 0), Handler) as server:
        site = Site(server.server_port, dict(pages or {}), [])
        if tls:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield site
        finally:
            server.shutdown()
            thread.join()


class Names:
    """Looks hosts up.

    Args:
        known: what each host stands for, one answer after the other, the last one again and again;
            where it is left out, every host is one of the internet.

    Attributes:
        asked: the hosts, in order.
    """

    def __init__(self, known: Mapping[str, Sequence[Sequence[str]]] | None = None) -> None:
        self.asked = list[str]()
        self._known = known

    def __call__(self, host: str) -> list[Address]:
        self.asked.append(host)
        answers = [[PUBLIC]] if self._known is None else self._known.get(host, [[]])
        found = answers[min(self.asked.count(host), len(answers)) - 1]
        if not found:
            raise OSError(f"no address of {host}")
        return [ip_address(address) for address in found]


class Led:
    """Makes what connects, for a `Fetcher`: it leads to a site, wherever it was to lead.

    Args:
        site: where it leads.
        tls: with what is trusted, where the site is one of https; otherwise https is taken for
            http.
        dead: addresses at which nothing answers.

    Attributes:
        to: where it was to lead, in order: scheme and address.
    """

    def __init__(self, site: Site, tls: ssl.SSLContext | None = None, dead: str = "") -> None:
        self.to = list[tuple[str, str]]()
        self._site, self._tls, self._dead = site, tls, dead

    def __call__(self, *, verify: ssl.SSLContext, trust_env: bool) -> httpx.AsyncBaseTransport:
        assert verify.check_hostname and verify.verify_mode is ssl.CERT_REQUIRED
        assert not trust_env
        led = self

        class Transport(httpx.AsyncHTTPTransport):
            async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
                led.to.append((request.url.scheme, request.url.host))
                assert request.url.port is None
                if request.url.host == led._dead:
                    raise httpx.ConnectError("nothing answers")
                scheme = request.url.scheme if led._tls else "http"
                request.url = request.url.copy_with(
                    scheme=scheme, host="127.0.0.1", port=led._site.port
                )
                return await super().handle_async_request(request)

        return Transport(verify=self._tls or verify, trust_env=trust_env)


def fetcher_to(
    site: Site,
    max_bytes: int = 1_000_000,
    timeout: float = TIMEOUT,
    names: Resolver | None = None,
    led: Led | None = None,
) -> Fetcher:
    """A fetcher for which the site is every host of the internet, or every one of these names."""
    return Fetcher(max_bytes, timeout, names or Names(), led or Led(site))

"""Fetches documents by their web addresses, where whoever runs Footnote has switched that on.

A request must not reach anything that only this machine can reach: itself, its neighbours, the
metadata service of a cloud. So the host name is resolved here, every address that it has must be
public, and the connection is made to one of these addresses, whatever the name resolves to by then;
all of this again for each redirect. A request says nothing about who asks: no cookie, no
credentials, no referrer.
"""

from __future__ import annotations

import codecs
import hashlib
import re
import socket
import zlib
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from http import HTTPStatus
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import anyio
import httpx
from anyio import CapacityLimiter, to_thread

from assistant.schemas.questions import MAX_ADDRESS
from index.chunking.decoding import declared
from index.errors import UnreadableError

TIMEOUT = 20.0
"""Seconds for a document, redirects included."""

MAX_REDIRECTS = 5

_CONNECT_TIMEOUT = 5.0
"""Seconds after which the next address of a host is tried."""

_SUFFIXES = {
    "text/html": ".html",
    "application/xhtml+xml": ".html",
    "application/pdf": ".pdf",
    "text/plain": ".txt",
    "text/markdown": ".md",
    "text/x-markdown": ".md",
}
"""The media types that are taken, and the suffixes of their files."""

_MARKDOWN = (".md", ".markdown")

_DEFAULT_PORTS = {"http": 80, "https": 443}

Address = IPv4Address | IPv6Address

Resolver = Callable[[str], Sequence[Address]]
"""Gives all addresses of a host name."""

_NAT64 = ip_network("64:ff9b::/96")
"""Stands for IPv4 addresses, which are the last 32 bits, in a network that has only IPv6."""

_UNICAST = ip_network("2000::/3")
"""All public IPv6 addresses; those that IPv4 is mapped to are outside."""

_NOT_PUBLIC = tuple(
    map(
        ip_network,
        (
            "192.0.0.0/24",  # protocols, and metadata of a cloud
            "192.88.99.0/24",  # leads to 6to4
            "168.63.129.16/32",  # metadata of a cloud
            "2001::/23",  # protocols; Teredo, which leads to IPv4
            "2002::/16",  # 6to4, which does too
            "3fff::/20",  # examples
        ),
    )
)
"""What `ipaddress`, or an older version of it, takes for public."""


def resolve(host: str) -> list[Address]:
    """The addresses of a host as this machine looks them up; see `Resolver`.

    Raises:
        OSError, UnicodeError: it has none, or is not a name.
    """
    found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return [ip_address(sockaddr[0]) for *_, sockaddr in found]


def is_public(address: Address) -> bool:
    """Whether an address is public, and does not stand for another one that is not."""
    if address in _NAT64:
        return is_public(IPv4Address(int(address) & 0xFFFFFFFF))
    if address.version == 6 and address not in _UNICAST:
        return False
    return (
        address.is_global
        and not address.is_multicast
        and not any(address in network for network in _NOT_PUBLIC)
    )


@dataclass(frozen=True, slots=True)
class Fetched:
    """A document that was fetched.

    Attributes:
        address: its address, after redirects.
        name: its file name: the same for every document of the same type that was asked for by the
            same address, and for no other.
        content: its bytes; a text whose encoding the server declared is in UTF-8 with a BOM.
    """

    address: str
    name: str
    content: bytes


class Fetcher:
    """Fetches documents, all in one event loop.

    Args:
        max_bytes: limit for a document.
        timeout: seconds for a document, redirects included.
        resolve: looks host names up.
        transport: makes a transport like `httpx.AsyncHTTPTransport`, which connects to the address
            that stands in the URL in place of the host. Only tests pass their own.
    """

    def __init__(
        self,
        max_bytes: int,
        timeout: float = TIMEOUT,
        resolve: Resolver = resolve,
        transport: Callable[..., httpx.AsyncBaseTransport] = httpx.AsyncHTTPTransport,
    ) -> None:
        self._max_bytes = max_bytes
        self._timeout = timeout
        self._resolve = resolve
        self._transport = transport
        self._trusted = httpx.create_ssl_context(trust_env=False)
        # Threads of its own: a lookup takes long where no name server answers.
        self._threads = CapacityLimiter(8)

    async def fetch(self, address: str) -> Fetched:
        """Fetch the document at an address, as a person gives it.

        Raises:
            UnreadableError: the address is not allowed, or redirects to one that is not; or the
                document does not arrive, is too large, or of a type that is not taken.
        """
        url = asked = _checked(address.strip())
        try:
            with anyio.fail_after(self._timeout):
                for _ in range(1 + MAX_REDIRECTS):
                    async with self._requested(url) as response:
                        if not response.has_redirect_location:
                            return await self._document(asked, url, response)
                        url = _redirected(url, response.headers["location"])
        except TimeoutError:
            raise UnreadableError(
                f"{_text(url)} was not here within {self._timeout:g} seconds. Try again later, or "
                "save it as a file and add that.",
                code="web_late",
            ) from None
        except (httpx.HTTPError, zlib.error) as error:
            raise UnreadableError(
                f"{_text(url)} cannot be fetched ({error or type(error).__name__}). Look whether a "
                "browser shows it; if so, save it as a file and add that.",
                code="web_failed",
            ) from error
        raise UnreadableError(
            f"{_text(asked)} leads from address to address, more than {MAX_REDIRECTS} times. Give "
            "the address where a browser ends up.",
            code="web_circle",
        )

    @asynccontextmanager
    async def _requested(self, url: httpx.URL) -> AsyncIterator[httpx.Response]:
        """The response of one address, its body not yet read."""
        host = url.raw_host.decode("ascii")
        headers = {
            "Host": url.netloc.decode("ascii"),
            "User-Agent": "Footnote",
            "Accept": f"{', '.join(_SUFFIXES)}, */*;q=0.1",
            "Accept-Encoding": "gzip",
        }
        # The certificate has to be the host's, not the address's.
        extensions = {"sni_hostname": host, "timeout": {"connect": _CONNECT_TIMEOUT}}
        addresses = await self._addresses(host)
        for address in addresses:
            request = httpx.Request(
                "GET", url.copy_with(host=str(address)), headers=headers, extensions=extensions
            )
            # One each: it keeps a connection by its address, which the next host may have too.
            async with self._transport(verify=self._trusted, trust_env=False) as transport:
                try:
                    response = await transport.handle_async_request(request)
                except (httpx.ConnectError, httpx.ConnectTimeout):
                    if address is addresses[-1]:
                        raise
                    continue
                async with aclosing(response):
                    yield response
                return

    async def _addresses(self, host: str) -> Sequence[Address]:
        """The addresses of a host, all of which are public.

        Raises:
            UnreadableError: one is not public, or there is none. The message is the same for both:
                else it would show which hosts a private network has.
        """
        try:
            found = await to_thread.run_sync(
                self._resolve, host, abandon_on_cancel=True, limiter=self._threads
            )
        except (OSError, UnicodeError):
            found = ()
        if not found or not all(map(is_public, found)):
            raise UnreadableError(
                f"{host!r} is no host of the public internet, or this machine is not connected to "
                "that. Check the address; save what your own network has as a file, and add that.",
                code="web_host",
            )
        return found

    async def _document(
        self, asked: httpx.URL, url: httpx.URL, response: httpx.Response
    ) -> Fetched:
        if response.status_code != HTTPStatus.OK:
            raise UnreadableError(
                f"{_text(url)} was not given: its server answered by {response.status_code}. Pages "
                "that need a login, or a browser, can be saved as a file and added.",
                code="web_status",
                status=response.status_code,
            )
        kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
        suffix = _SUFFIXES.get(kind)
        if suffix is None:
            told = f"of the type {kind[:80]!r}" if kind else "of a type that is not told"
            raise UnreadableError(
                f"{_text(url)} is {told}. Web pages, PDF, plain text and Markdown are fetched; "
                "save what is another as a file and add that.",
                code="web_kind",
            )
        if suffix == ".txt" and url.path.lower().endswith(_MARKDOWN):
            suffix = ".md"  # which few servers tell
        content = await self._content(url, response)
        charset = response.charset_encoding
        if charset and suffix != ".pdf":
            content = await to_thread.run_sync(_in_utf8, content, charset)
        return Fetched(_text(url), _name(asked, suffix), content)

    async def _content(self, url: httpx.URL, response: httpx.Response) -> bytes:
        """The body, decompressed; never more at once than the limit and one part received."""
        packing = response.headers.get("content-encoding", "identity").strip().lower()
        if packing not in ("identity", "gzip", "x-gzip"):
            raise UnreadableError(
                f"{_text(url)} comes packed as {packing[:80]!r}, which was not asked for. Save it "
                "as a file and add that.",
                code="web_failed",
            )
        unpack = None if packing == "identity" else zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
        content = bytearray()
        async for part in response.aiter_raw():
            room = self._max_bytes + 1 - len(content)
            content += unpack.decompress(part, room) if unpack else part
            if len(content) > self._max_bytes:
                raise UnreadableError(
                    f"{_text(url)} is larger than {self._max_bytes // 1_000_000} MB. Have it added "
                    "by `footnote index add`, as a file.",
                    code="too_large",
                    megabytes=self._max_bytes // 1_000_000,
                )
            if unpack and unpack.eof:
                break
        if unpack and not unpack.eof:
            raise zlib.error("it breaks off")
        return bytes(content)


def _checked(address: str) -> httpx.URL:
    """The URL of an address, whose form is allowed; where it leads is not yet checked.

    Raises:
        UnreadableError: its form is not allowed.
    """
    try:
        url = httpx.URL(address)
    except (httpx.InvalidURL, UnicodeError):
        url = httpx.URL()
    if url.scheme not in _DEFAULT_PORTS or not url.raw_host or len(address) > MAX_ADDRESS:
        raise UnreadableError(
            f"{address[:200]!r} is no address of a page. Give one as https://example.org/page.",
            code="web_address",
        )
    if url.userinfo:
        raise UnreadableError(
            "An address with a name or a password in it is not asked. Give it without them, or "
            "save the page as a file and add that.",
            code="web_login",
        )
    if url.port not in (None, _DEFAULT_PORTS[url.scheme]):  # httpx keeps that of HTTP://…:80
        raise UnreadableError(
            f"{address!r} names a port. Only what is at the usual ones is fetched: 80 of http, "
            "443 of https.",
            code="web_port",
        )
    return url.copy_with(port=None)


def _redirected(url: httpx.URL, location: str) -> httpx.URL:
    try:
        where = _checked(str(url.join(location)))
    except (httpx.InvalidURL, UnicodeError):
        where = _checked(location)  # which says what is wrong with it
    if (url.scheme, where.scheme) == ("https", "http"):
        raise UnreadableError(
            f"{_text(url)} leads on to {_text(where)}, which anybody on the way could alter. If "
            "you want that page, give its address.",
            code="web_unsafe",
        )
    return where


def _text(url: httpx.URL) -> str:
    """A URL in its normal form, without its fragment."""
    return f"{url.scheme}://{(url.netloc + url.raw_path).decode('ascii')}"


def _name(url: httpx.URL, suffix: str) -> str:
    host = url.raw_host.decode("ascii")  # not every such name can be decoded
    readable = re.sub(r"[^\w.]+", "-", f"{host}{url.path}".removesuffix(suffix))[:60].strip("-")
    return f"{readable}-{hashlib.sha256(_text(url).encode()).hexdigest()[:12]}{suffix}"


def _in_utf8(content: bytes, charset: str) -> bytes:
    """A text in UTF-8 with a BOM, so that the encoding that the server declares counts more than
    what the text declares, as in browsers; unchanged where it is not in that encoding."""
    text = declared(content, charset)
    return content if text is None else codecs.BOM_UTF8 + text.encode()

"""Documents at addresses of the web, fetched for whoever names them. Nothing is, unless whoever
runs Footnote has switched it on.

Who names an address makes this machine ask for it, which must lead to nothing that only this
machine reaches: not to itself, not to its neighbours, not to what a cloud tells its machines. So a
name is looked up here, each address that it stands for has to be public, and one of those
addresses is connected to, whatever the name stands for by then; all of it anew for each redirect.
What is sent tells nothing of whoever asks: no cookie, no credentials, no page that led there.
"""

from __future__ import annotations

import codecs
import hashlib
import re
import zlib
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http import HTTPStatus

import anyio
import httpx
from anyio import CapacityLimiter, to_thread

from assistant.schemas.questions import MAX_ADDRESS
from assistant.service.addresses import Address, Resolve, is_public, resolve
from index.errors import UnreadableError

SECONDS = 20.0
"""In which a document has to be here, redirects included."""

REDIRECTS = 5
"""That are followed."""

_CONNECT = 5.0
"""Seconds after which the next address of a host is tried."""

_SUFFIXES = {
    "text/html": ".html",
    "application/xhtml+xml": ".html",
    "application/pdf": ".pdf",
    "text/plain": ".txt",
    "text/markdown": ".md",
    "text/x-markdown": ".md",
}
"""What is taken, and how such files are named."""

_MARKDOWN = (".md", ".markdown")

_DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Fetched:
    """A document that was fetched.

    Attributes:
        address: where it was at last, after redirects.
        name: of its file: the same for what was asked for by the same address, while it is of the
            same kind, and for no other.
        content: its bytes. Texts whose encoding the server told are in UTF-8, with its mark.
    """

    address: str
    name: str
    content: bytes


class Fetcher:
    """Fetches documents, all in one event loop.

    Args:
        max_bytes: of a document.
        seconds: in which it has to be here.
        resolve: looks names up.
        transport: makes what connects, as `httpx.AsyncHTTPTransport` does: to the address that it
            is given in the place of the host. Tests bring their own, to lead to a server of
            theirs; nothing else does.
    """

    def __init__(
        self,
        max_bytes: int,
        seconds: float = SECONDS,
        resolve: Resolve = resolve,
        transport: Callable[..., httpx.AsyncBaseTransport] = httpx.AsyncHTTPTransport,
    ) -> None:
        self._max_bytes = max_bytes
        self._seconds = seconds
        self._resolve = resolve
        self._transport = transport
        self._trusted = httpx.create_ssl_context(trust_env=False)
        # Threads of its own: looking up takes long where a server for names does not answer.
        self._threads = CapacityLimiter(8)

    async def fetch(self, address: str) -> Fetched:
        """What is at an address.

        Args:
            address: as somebody gives it.

        Raises:
            UnreadableError: the address is none that is asked, or leads to none; or what is there
                does not come, is too large, or of a kind that is not taken.
        """
        url = asked = _checked(address.strip())
        try:
            with anyio.fail_after(self._seconds):
                for _ in range(1 + REDIRECTS):
                    async with self._answered(url) as answer:
                        if not answer.has_redirect_location:
                            return await self._taken(asked, url, answer)
                        url = _redirected(url, answer.headers["location"])
        except TimeoutError:
            raise UnreadableError(
                f"{_text(url)} was not here within {self._seconds:g} seconds. Try again later, or "
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
            f"{_text(asked)} leads from address to address, more than {REDIRECTS} times. Give the "
            "address where a browser ends up.",
            code="web_circle",
        )

    @asynccontextmanager
    async def _answered(self, url: httpx.URL) -> AsyncIterator[httpx.Response]:
        """The answer to asking one address, of which only the head is here yet."""
        host = url.raw_host.decode("ascii")
        headers = {
            "Host": url.netloc.decode("ascii"),
            "User-Agent": "Footnote",
            "Accept": f"{', '.join(_SUFFIXES)}, */*;q=0.1",
            "Accept-Encoding": "gzip",
        }
        # The certificate has to be the host's, not the address's.
        more = {"sni_hostname": host, "timeout": {"connect": _CONNECT}}
        addresses = await self._addresses(host, _DEFAULT_PORTS[url.scheme])
        for place in addresses:
            request = httpx.Request(
                "GET", url.copy_with(host=str(place)), headers=headers, extensions=more
            )
            # One each: a connection is kept for an address, and the next host may have the same.
            async with self._transport(verify=self._trusted, trust_env=False) as transport:
                try:
                    answer = await transport.handle_async_request(request)
                except (httpx.ConnectError, httpx.ConnectTimeout):
                    if place is addresses[-1]:
                        raise
                    continue
                try:
                    yield answer
                finally:
                    await answer.aclose()
                return

    async def _addresses(self, host: str, port: int) -> Sequence[Address]:
        """What a host stands for; all of it is public.

        Raises:
            UnreadableError: some of it is not, or there is nothing. Which of the two is not told:
                it would tell what there is in a network that others cannot see.
        """
        try:
            found = await to_thread.run_sync(
                self._resolve, host, port, abandon_on_cancel=True, limiter=self._threads
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

    async def _taken(self, asked: httpx.URL, url: httpx.URL, answer: httpx.Response) -> Fetched:
        if answer.status_code != HTTPStatus.OK:
            raise UnreadableError(
                f"{_text(url)} was not given: its server answered by {answer.status_code}. Pages "
                "that need a login, or a browser, can be saved as a file and added.",
                code="web_status",
                status=answer.status_code,
            )
        kind = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
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
        content = await self._content(url, answer)
        charset = answer.charset_encoding
        if charset and suffix != ".pdf":
            content = await to_thread.run_sync(_in_utf8, content, charset)
        return Fetched(_text(url), _name(asked, suffix), content)

    async def _content(self, url: httpx.URL, answer: httpx.Response) -> bytes:
        """The bytes, unpacked; never more at once than are taken and come over the line."""
        packing = answer.headers.get("content-encoding", "identity").strip().lower()
        if packing not in ("identity", "gzip", "x-gzip"):
            raise UnreadableError(
                f"{_text(url)} comes packed as {packing[:80]!r}, which was not asked for. Save it "
                "as a file and add that.",
                code="web_failed",
            )
        unpack = None if packing == "identity" else zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
        content = bytearray()
        async for part in answer.aiter_raw():
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
    """An address that may be asked, as far as it tells itself.

    Raises:
        UnreadableError: it may not.
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
    if url.port not in (None, _DEFAULT_PORTS[url.scheme]):
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
    """An address as it is asked for: always the same of the same, without what is after a `#`."""
    return f"{url.scheme}://{(url.netloc + url.raw_path).decode('ascii')}"


def _name(url: httpx.URL, suffix: str) -> str:
    host = url.raw_host.decode("ascii")  # as it is: not all that is written so can be decoded
    readable = re.sub(r"[^\w.]+", "-", f"{host}{url.path}".removesuffix(suffix))[:60].strip("-")
    return f"{readable}-{hashlib.sha256(_text(url).encode()).hexdigest()[:12]}{suffix}"


def _in_utf8(content: bytes, charset: str) -> bytes:
    """A text of which the server tells the encoding, so that it counts before what the text says,
    as in browsers; as it is where it is in another."""
    try:
        encoding = codecs.lookup(charset).name
        if encoding in ("idna", "punycode") or content.startswith(
            (codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
        ):
            return content  # the first are of host names, and take very long for a text
        # As browsers take it: Western pages say ISO 8859-1 and mean Windows'.
        text = content.decode("cp1252" if encoding == "iso8859-1" else encoding)
        return codecs.BOM_UTF8 + text.encode()
    except (LookupError, UnicodeError):
        return content

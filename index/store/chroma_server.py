"""The Chroma database on a server: its address, its connections, and what its errors mean."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from index.errors import (
    FootnoteError,
    IndexChangedError,
    IndexCorruptedError,
    IndexFullError,
    IndexUnavailableError,
    IndexUnusableError,
    SettingsError,
)
from index.store.chroma import Collections

if TYPE_CHECKING:
    from chromadb.api import ClientAPI
    from chromadb.api.models.Collection import Collection

_Result = TypeVar("_Result")

DATABASE = "footnote"  # of the server, where the address names no other
#: Seconds for a connection, and for an answer: the longest is Chroma's rewriting of its graph.
CONNECT_TIMEOUT, READ_TIMEOUT = 3.0, 30.0
#: Seconds for which a reader tries again where the connection broke: an idle one was closed, say.
RECONNECT_TIMEOUT = 1.0


@dataclass(frozen=True, slots=True)
class ServerAddress:
    """Where a Chroma server is.

    Attributes:
        url: `http://host:port` or https; a path names a database of it other than `footnote`.
        headers: sent with every request; secret, and never shown.
    """

    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        """Refuse what is no address.

        Raises:
            SettingsError: it is none.
        """
        try:
            parts = urlsplit(self.url)
            is_address = parts.scheme in ("http", "https") and self.host and self.port
        except ValueError:
            is_address = False
        if not is_address or parts.username is not None or parts.query or parts.fragment:
            raise SettingsError(
                f"{self.shown!r} is not the address of a Chroma server. Give it as "
                "http://host:8000, or https://host with SSL_CERT_FILE where its certificate is "
                "your own."
            )
        if not re.fullmatch("[A-Za-z0-9_-]{3,128}", self.database):
            raise SettingsError(
                f"{self.database!r} in {self.shown} is no name of a database: it has 3 to 128 "
                "letters, digits, `_` and `-`."
            )
        if any(
            not re.fullmatch("[ -~]+", text) for text in (*self.headers, *self.headers.values())
        ):
            raise SettingsError(
                "FOOTNOTE_CHROMA_HEADERS has a name or a value that cannot stand in a header: only "
                "letters, digits and signs of ASCII can."
            )

    @property
    def host(self) -> str:
        """Its host."""
        return urlsplit(self.url).hostname or ""

    @property
    def port(self) -> int:
        """Its port."""
        parts = urlsplit(self.url)
        return parts.port or (443 if parts.scheme == "https" else 8000)

    @property
    def database(self) -> str:
        """The database on it."""
        return urlsplit(self.url).path.strip("/") or DATABASE

    @property
    def shown(self) -> str:
        """The address without a name and a password, for people."""
        head, at, tail = self.url.rpartition("@")
        return f"{head.partition('//')[0]}//{tail}" if at else self.url


class Server(Collections):
    """A database on a Chroma server, made when it is not there. May be used from many threads.

    All that is asked of it may be asked twice: where a connection breaks, it is asked again for a
    while.

    Args:
        address: where it is.
        wait: seconds to go on trying where the connection breaks while something is `urgent`.

    Raises:
        IndexUnavailableError: it does not answer, or not as a Chroma server. See `translated` for
            what any method raises, and those of its collections.
    """

    def __init__(self, address: ServerAddress, wait: float) -> None:
        """Connect."""
        self.address = address
        self._wait = wait
        self._urgent = 0
        self._closed = threading.Event()
        self._kept: dict[str, Collection] = {}
        with self.translated():
            self._client, self.close_client = _connect(address)

    def close(self) -> None:
        """Let go of the connections; what is being tried again is given up."""
        self._closed.set()
        self.close_client()

    @contextmanager
    def urgent(self) -> Iterator[None]:
        """Meanwhile a server that is started anew is waited for: what is lost else took long."""
        self._urgent += 1
        try:
            yield
        finally:
            self._urgent -= 1

    def collection(self, name: str) -> Collection:
        """See `Collections`; it is remembered until it is dropped."""
        if name not in self._kept:
            try:
                self._kept[name] = super().collection(name)
            except IndexUnusableError as error:
                import chromadb.errors

                failures = (chromadb.errors.UniqueConstraintError, chromadb.errors.InternalError)
                if not isinstance(error.__cause__, failures):
                    raise
                self._kept[name] = super().collection(name)  # another made it at the same moment
        return self._kept[name]

    def drop(self, name: str) -> None:
        """Delete a collection, if it is there."""
        self._kept.pop(name, None)
        with suppress(IndexChangedError):
            self.run(partial(self._client.delete_collection, name))

    def run(self, call: Callable[[], _Result]) -> _Result:
        """See `Collections`; tries again for a while where the connection breaks."""
        import httpx

        began = time.monotonic()
        with self.translated():
            while True:
                try:
                    return call()
                except httpx.TransportError as error:
                    patience = self._wait if self._urgent else RECONNECT_TIMEOUT
                    hangs = isinstance(error, httpx.TimeoutException)
                    if hangs or time.monotonic() - began > patience or self._closed.wait(0.2):
                        raise

    @contextmanager
    def translated(self) -> Iterator[None]:
        """Turn what Chroma and the connection raise into errors that say what to do.

        Raises:
            IndexUnavailableError: it cannot be reached, does not let us in, or is no Chroma.
            IndexChangedError: a collection is gone.
            IndexFullError: its disk is full.
            IndexCorruptedError: what it holds is not what was stored.
        """
        try:
            yield
        except FootnoteError:
            raise
        except Exception as error:  # Chroma raises bare exceptions
            raise _server_translation(self.address, error) from error


def _connect(address: ServerAddress) -> tuple[ClientAPI, Callable[[], None]]:
    """A client of the database at that address, and how to close it."""
    import chromadb
    import chromadb.errors
    import httpx
    from chromadb.api.client import AdminClient, Client
    from chromadb.config import Settings

    settings = Settings(
        anonymized_telemetry=False,
        chroma_api_impl="chromadb.api.fastapi.FastAPI",
        chroma_server_host=address.host,
        chroma_server_http_port=address.port,
        chroma_server_ssl_enabled=address.url.startswith("https"),
        chroma_server_headers=dict(address.headers),
    )
    # Chroma's clients wait for ever, have no setting for it, and leave connections open. The first
    # to ask is one that does not before it is told how long to wait.
    opened: list[Any] = []
    timeout = httpx.Timeout(READ_TIMEOUT, connect=CONNECT_TIMEOUT)

    def release() -> None:
        for opened_client in opened:
            opened_client._server._session.close()  # noqa: SLF001

    try:
        admin: Any = AdminClient(settings)
        opened.append(admin)
        admin._server._session.timeout = timeout  # noqa: SLF001
        try:
            admin.get_database(address.database)
        except chromadb.errors.NotFoundError:
            with suppress(chromadb.errors.ChromaError):  # made by another; or told next
                admin.create_database(address.database)
        client: Any = Client(database=address.database, settings=settings)
        opened += [client, client._admin_client]  # noqa: SLF001
        client._server._session.timeout = timeout  # noqa: SLF001
    except BaseException:
        release()
        raise
    return client, release


def _server_translation(address: ServerAddress, error: Exception) -> IndexUnusableError:
    import json
    import ssl

    import chromadb.errors
    import httpx

    where = f"The Chroma server at {address.shown}"
    text = " ".join((str(error) or type(error).__name__).split())[:300]
    for secret in address.headers.values():
        text = text.replace(secret, "…")
    refused = (chromadb.errors.AuthorizationError, chromadb.errors.ChromaAuthError)
    # The first that holds counts.
    meanings: list[tuple[bool, type[IndexUnusableError], str]] = [
        (
            any(words in text for words in ("disk is full", "No space left", "quota exceeded")),
            IndexFullError,
            f"{where} has no room left ({text}). Nothing that was indexed before is lost. Free "
            "some room there, and run the same command again; it goes on from here.",
        ),
        (
            isinstance(error, chromadb.errors.NotFoundError),
            IndexChangedError,
            f"{where} no longer has the vectors of the index ({text}). Ask again; if it stays so, "
            "run: footnote index rebuild",
        ),
        (
            isinstance(error, refused) or "401 " in text or "403 " in text,
            IndexUnavailableError,
            f"{where} does not let Footnote in ({text}). Set FOOTNOTE_CHROMA_HEADERS to what it, "
            "or the proxy before it, wants.",
        ),
        (
            isinstance(error, httpx.TimeoutException),
            IndexUnavailableError,
            f"{where} has not answered in time. It is too busy or hangs; try again, and look at "
            "it if that does not help.",
        ),
        (
            isinstance(error, ssl.SSLError) or "CERTIFICATE_VERIFY_FAILED" in text,
            IndexUnavailableError,
            f"{where} has no certificate that is trusted here ({text}). Set SSL_CERT_FILE to a "
            "file with the certificate that it was signed with.",
        ),
        (
            isinstance(error, httpx.TransportError) or "Could not connect" in text,
            IndexUnavailableError,
            f"{where} cannot be reached ({text}). Start it, or set FOOTNOTE_CHROMA to where it is.",
        ),
        (
            isinstance(error, json.JSONDecodeError),
            IndexUnavailableError,
            f"What is at {address.shown} does not answer as a Chroma server does. Set "
            "FOOTNOTE_CHROMA to where one is.",
        ),
        (
            isinstance(error, ValueError | LookupError | TypeError),
            IndexCorruptedError,
            f"The index on {address.shown} cannot be read ({text}). Add the documents again, or "
            "name another database in FOOTNOTE_CHROMA (http://host:port/NAME).",
        ),
        (
            True,
            IndexUnavailableError,
            f"{where} failed ({text}). Footnote is tested with the servers of the chromadb package "
            "from 1.5.9 on; look at the server's log, and try again.",
        ),
    ]
    return next(kind(message) for holds, kind, message in meanings if holds)

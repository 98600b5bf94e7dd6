"""The documents that a browser may ask: those that are everyone's, and those that it added.

A document that a browser added has the source `upload:OWNER/NAME`. OWNER is the hash of a secret
that only that browser has, so nobody else can name the document; two browsers that add the same
file have two documents, which share their vectors in the index and are removed apart. An added
document is removed when its browser has been away for a while, unless it is kept.
"""

from __future__ import annotations

import hashlib
import logging
import re
import secrets
import shutil
import tempfile
import threading
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path, PureWindowsPath
from typing import TYPE_CHECKING

from assistant.documents import UPLOADED
from index import Document, DocumentInfo, Index, Paragraph
from index.chunking.loader import RawDocument, read_raw
from index.errors import DocumentError, FootnoteError, MissingPathError, UnreadableError
from index.models import Boxes

if TYPE_CHECKING:
    from assistant.answering.generative import Writer
    from assistant.assistant import Assistant
    from index.store.writer import Progress

MAX_BYTES = 25_000_000
MAX_DOCUMENTS = 50
"""What one browser may add."""

AWAY = 30 * 60.0
"""Seconds without a sign of life after which a browser's documents are removed."""

_logger = logging.getLogger(__name__)

_KEY = re.compile(r"[A-Za-z0-9-]{20,80}")
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f/\\:]")


@dataclass(frozen=True, slots=True)
class SessionDocument:
    """A document as one browser sees it; `own`: it added the document."""

    info: DocumentInfo
    own: bool


class SessionDocuments:
    """All documents of an assistant, and what browsers add to them. May be used from many threads.

    Args:
        assistant: its documents are everyone's.
        max_bytes: of a file that is added.
        max_documents: what one browser, or one key, may add.
    """

    def __init__(
        self,
        assistant: Assistant,
        max_bytes: int = MAX_BYTES,
        max_documents: int = MAX_DOCUMENTS,
    ) -> None:
        self._assistant = assistant
        #: Of a file that is added.
        self.max_bytes = max_bytes
        self._max_documents = max_documents
        self._leases = assistant.index.records("sessions")
        self._inbox = Path(tempfile.mkdtemp(prefix="footnote-"))
        self._seen: set[str] = set()
        self._closed = threading.Event()

    @property
    def index(self) -> Index:
        """The index, and what else is kept with it."""
        return self._assistant.index

    # --- who ---------------------------------------------------------------------------------

    @staticmethod
    def owner(user: str | None, key: str | None) -> str | None:
        """Who a browser with this key, logged in under this name, is; None without a good key."""
        if key is None or not _KEY.fullmatch(key):
            return None
        return hashlib.sha256(f"{user or ''}\0{key}".encode()).hexdigest()[:24]

    def touch(self, owner: str | None) -> None:
        """Take note that this browser is still there."""
        if owner is not None:
            self._seen.add(owner)
            self._leases.put(owner, str(time.time()))

    # --- what --------------------------------------------------------------------------------

    def documents(self, owner: str | None) -> list[SessionDocument]:
        """What this browser may ask: everyone's documents first."""
        infos = {info.id: info for info in self._assistant.index.documents()}
        shared = [infos[i] for i in self._assistant.document_ids if i in infos]
        return [
            *(SessionDocument(info, own=False) for info in shared),
            *(SessionDocument(info, own=True) for info in infos.values() if _is_of(info, owner)),
        ]

    def asking(
        self,
        owner: str | None,
        chosen: Sequence[str] | None = None,
        write: bool | Writer = True,
    ) -> Assistant:
        """The assistant over these documents, or over all that this browser may ask.

        Args:
            owner: who asks.
            chosen: ids of the documents.
            write: what writes; see `Assistant.over`.

        Raises:
            MissingPathError: a document is not there, or not for this browser.
        """
        allowed = self._allowed(owner)
        if chosen is None:
            return self._assistant.over(allowed, write=write)
        if not chosen:
            raise MissingPathError(
                "No document is chosen. Choose one of those that are listed, or leave the choice "
                "out to ask all."
            )
        if not set(chosen) <= set(allowed):
            self._assistant.index.look()  # another replica may have added it just now
            allowed = self._allowed(owner)
        if not set(chosen) <= set(allowed):
            raise MissingPathError(
                "A document that was chosen is no longer here. List the documents again, and add "
                "it again if it is missing."
            )
        return self._assistant.over([i for i in allowed if i in set(chosen)], write=write)

    def document(self, owner: str | None, identity: str) -> Document:
        """A document with its whole text.

        Raises:
            MissingPathError: it is not there, or not for this browser.
        """
        self.find(owner, identity)
        return self._assistant.index.document(identity)

    def find(self, owner: str | None, identity: str, own: bool = False) -> SessionDocument:
        """A document without its text.

        Args:
            owner: who asks.
            identity: the document's id.
            own: only if this owner added it.

        Raises:
            MissingPathError: it is not there, or not for this owner.
        """
        for tries in range(2):
            if tries:
                self._assistant.index.look()  # another replica may have added it just now
            for found in self.documents(owner):
                if found.info.id == identity and (found.own or not own):
                    return found
        raise MissingPathError("That document is not here. It may have been removed.")

    def named(self, owner: str, name: str) -> SessionDocument | None:
        """The document of this owner that a file of that name would take the place of."""
        source = f"{UPLOADED}{owner}/{_safe(name)}"
        return next((d for d in self.documents(owner) if d.own and d.info.source == source), None)

    def boxes(self, owner: str | None, identity: str) -> Boxes | None:
        """Where the words of a document are printed; None of one that has no pages.

        Raises:
            MissingPathError: it is not there, or not for this browser.
        """
        self.find(owner, identity)
        return self._assistant.index.boxes(identity)

    def original(self, owner: str | None, identity: str) -> Path:
        """The file of a document that has pages.

        Raises:
            MissingPathError: it is not there, not for this browser, or has none.
        """
        self.find(owner, identity)
        file = self._assistant.index.original(identity)
        if file is None:
            raise MissingPathError("That document has no pages to show.")
        return file

    # --- adding ------------------------------------------------------------------------------

    async def receive(self, owner: str, name: str, parts: AsyncIterator[bytes]) -> str:
        """Take in a file; gives the ticket to `add` it with.

        Raises:
            UnreadableError: it is too large.
        """
        ticket = secrets.token_urlsafe(12)
        folder = self._inbox / owner / ticket
        folder.mkdir(parents=True)
        size = 0
        with (folder / _safe(name)).open("wb") as file:
            async for part in parts:
                size += len(part)
                if size > self.max_bytes:
                    shutil.rmtree(folder)
                    raise UnreadableError(
                        f"It is larger than {self.max_bytes // 1_000_000} MB. Split it, or "
                        "add it with `footnote index add`."
                    )
                file.write(part)
        return ticket

    def add(
        self,
        owner: str,
        ticket: str,
        progress: Progress,
        *,
        keep: bool = False,
        instead: str | None = None,
    ) -> DocumentInfo:
        """Index a file that was received.

        Args:
            owner: whose it is.
            ticket: from `receive`.
            progress: called as paragraphs are done.
            keep: let it stay when its owner goes away.
            instead: the id of a document of this owner, whose place it takes.

        Raises:
            DocumentError: there is no such file, it cannot be read, or there are too many.
        """
        self.touch(owner)
        folder = self._inbox / owner / Path(ticket).name
        files = list(folder.iterdir()) if folder.is_dir() else []
        if not files:
            raise MissingPathError("The file did not arrive. Add it again.")
        try:
            source = f"{UPLOADED}{owner}/{files[0].name}"
            if instead is not None:
                source = self.find(owner, instead, own=True).info.source
            own = [s.info.source for s in self.documents(owner) if s.own]
            if source not in own and len(own) >= self._max_documents:
                raise DocumentError(
                    f"There are {len(own)} documents of yours already. Remove one first."
                )
            raw = replace(_read(files[0]), source=source)
            try:
                self._assistant.index.sync([raw], progress, keep=keep)
            except DocumentError as error:
                raise _named(error, files[0]) from error
        finally:
            shutil.rmtree(folder)
        self.touch(owner)
        return self.find(owner, raw.id).info

    def keep(self, owner: str | None, identity: str) -> None:
        """Let one of this browser's documents stay when it goes away.

        Raises:
            MissingPathError: it is not there, or not of this browser.
        """
        self.find(owner, identity, own=True)
        self._assistant.index.sync([self._assistant.index.document(identity)], keep=True)

    def remove(self, owner: str | None, identity: str) -> None:
        """Take one of this browser's documents out of the index.

        Raises:
            MissingPathError: it is not there, or not of this browser.
        """
        self.find(owner, identity, own=True)
        self._assistant.index.remove(identity)

    # --- clearing away -----------------------------------------------------------------------

    def sweep(self) -> None:
        """Remove the documents of browsers that have been away for long."""
        now = time.time()
        # Before the leases: whoever comes in between is here.
        infos = self._assistant.index.documents()
        here = set()
        for owner, seen in self._leases.all().items():
            if now - float(seen) < AWAY:
                here.add(owner)
            else:
                self._leases.delete(owner)
        self._clear(infos, lambda owner: owner not in here)
        for folder in self._inbox.glob("*/*"):  # received, and never added
            if now - folder.stat().st_mtime > AWAY:
                shutil.rmtree(folder, ignore_errors=True)

    def keep_clear(self, every: float = 60.0) -> None:
        """Sweep now and from time to time until closed; to be run in a thread of its own."""
        while True:
            try:
                self.sweep()
            except FootnoteError as error:  # the index is busy, say: the next time will do
                _logger.warning("documents that were added were not cleared away: %s", error)
            if self._closed.wait(every):
                return

    def close(self) -> None:
        """Remove what the browsers that were here added and did not keep. Of an index on a server
        it stays for AWAY: they may be at another replica by now."""
        self._closed.set()
        if self._assistant.index.chroma is None:
            self._clear(self._assistant.index.documents(), self._seen.__contains__)
            for owner in self._seen:
                self._leases.delete(owner)
        shutil.rmtree(self._inbox, ignore_errors=True)

    def _clear(self, infos: Sequence[DocumentInfo], gone: Callable[[str], bool]) -> None:
        for info in infos:
            owner = info.source.removeprefix(UPLOADED).partition("/")[0]
            if info.source.startswith(UPLOADED) and not info.kept and gone(owner):
                with suppress(MissingPathError):  # another replica has removed it
                    self._assistant.index.remove(info.id)

    def _allowed(self, owner: str | None) -> list[str]:
        return [found.info.id for found in self.documents(owner)]


def paragraph_of(document: Document, number: int) -> Paragraph:
    """The paragraph of a document that has this number, from 1.

    Raises:
        MissingPathError: it has none.
    """
    if not 1 <= number <= len(document.paragraphs):
        raise MissingPathError(
            f"There is no paragraph {number}; {document.title} has {len(document.paragraphs)}, "
            "from 1."
        )
    return document.paragraphs[number - 1]


def _is_of(info: DocumentInfo, owner: str | None) -> bool:
    return owner is not None and info.source.startswith(f"{UPLOADED}{owner}/")


def _read(file: Path) -> RawDocument:
    """Read a file that was received; an error names it as the browser did."""
    try:
        return read_raw(file)
    except DocumentError as error:
        raise _named(error, file) from error


def _named(error: DocumentError, file: Path) -> DocumentError:
    """The error with the file's name in place of where it was received."""
    return type(error)(str(error).replace(str(file), file.name))


def _safe(name: str) -> str:
    """A file name that stays in its folder and can be shown."""
    last = PureWindowsPath(name.encode("utf-8", "replace").decode()).name
    # File systems take at most 255 bytes; the end tells the kind of file.
    return _UNPRINTABLE.sub("", last).lstrip(".").encode()[-200:].decode(errors="ignore") or "text"

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
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from assistant.documents import UPLOADED
from assistant.service.uploads import Inbox, Upload, safe_name
from index import Document, DocumentInfo, Index
from index.chunking.loader import read_raw
from index.errors import DocumentError, MissingPathError, RefusedError
from index.models import Boxes

if TYPE_CHECKING:
    from assistant.answering.generative import Writer
    from assistant.assistant import Assistant
    from index.store.writer import Progress

AWAY = 30 * 60.0
"""Seconds without a sign of life after which a browser's documents are removed."""

_logger = logging.getLogger(__name__)

_KEY = re.compile(r"[A-Za-z0-9-]{20,80}")


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

    def __init__(self, assistant: Assistant, max_bytes: int, max_documents: int) -> None:
        self._assistant = assistant
        #: Where the files are received that are added.
        self.inbox = Inbox(max_bytes, max_documents)
        self._max_documents = max_documents
        self._leases = assistant.index.records("sessions")
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
        said = f"{user or ''}\0{key}".encode("utf-8", "surrogatepass")
        return hashlib.sha256(said).hexdigest()[:24]

    def touch(self, owner: str | None) -> None:
        """Take note that this browser is still there, if anything here is its own: whoever makes up
        browsers leaves nothing behind."""
        if owner and any(_is_of(info, owner) for info in self._assistant.index.documents()):
            self._note(owner)

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
        allowed = self._allowed(owner, chosen or ())
        if chosen is None:
            return self._assistant.over([*allowed], write=write)
        if not chosen:
            raise MissingPathError(
                "No document is chosen. Choose one of those that are listed, or leave the choice "
                "out to ask all."
            )
        if not allowed.keys() >= set(chosen):
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
            RefusedError: it is everyone's, and is to be this owner's.
        """
        found = self._allowed(owner, [identity]).get(identity)
        if found is None:
            raise MissingPathError("That document is not here. It may have been removed.")
        if own and not found.own:
            raise RefusedError(
                "That document is everyone's. Only whoever runs Footnote changes it, with "
                "`footnote index`.",
                403,
            )
        return found

    def named(self, owner: str, name: str) -> SessionDocument | None:
        """The document of this owner that a file of that name would take the place of."""
        source = f"{UPLOADED}{owner}/{safe_name(name)}"
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

    def add(
        self,
        owner: str,
        upload: Upload,
        progress: Progress,
        *,
        keep: bool = False,
        replacing: str | None = None,
    ) -> DocumentInfo:
        """Index a file that was received.

        Args:
            owner: whose it is.
            upload: from `Inbox.receive`; closed at the end.
            progress: called as paragraphs are done.
            keep: let it stay when its owner goes away.
            replacing: the id of a document of this owner, whose place it takes.

        Raises:
            DocumentError: it cannot be read, or there are too many.
        """
        file = upload.file
        with closing(upload):
            source = f"{UPLOADED}{owner}/{file.name}"
            if replacing is not None:
                source = self.find(owner, replacing, own=True).info.source
            self._note(owner)
            own = [s.info.source for s in self.documents(owner) if s.own]
            if source not in own and len(own) >= self._max_documents:
                raise DocumentError(
                    f"There are {len(own)} documents of yours already. Remove one first."
                )
            try:
                raw = replace(read_raw(file), source=source)
                self._assistant.index.sync([raw], progress, keep=keep)
            except DocumentError as error:  # named as its owner does
                raise type(error)(str(error).replace(str(file), file.name)) from error
        self.touch(owner)
        return self.find(owner, raw.id).info

    def keep(self, owner: str | None, identity: str) -> None:
        """Let one of this browser's documents stay when it goes away.

        Raises:
            MissingPathError, RefusedError: it is not there, or not of this browser.
        """
        self.find(owner, identity, own=True)
        self._assistant.index.sync([self._assistant.index.document(identity)], keep=True)

    def remove(self, owner: str | None, identity: str) -> None:
        """Take one of this browser's documents out of the index.

        Raises:
            MissingPathError, RefusedError: it is not there, or not of this browser.
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

    def keep_clear(self, every: float = 60.0) -> None:
        """Sweep now and from time to time until closed; to be run in a thread of its own."""
        while True:
            try:
                self.sweep()
            except Exception:  # the index is busy, say: no fault may keep everything for ever
                _logger.exception("documents that were added were not cleared away")
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

    def _clear(self, infos: Sequence[DocumentInfo], gone: Callable[[str], bool]) -> None:
        for info in infos:
            owner = info.source.removeprefix(UPLOADED).partition("/")[0]
            if info.source.startswith(UPLOADED) and not info.kept and gone(owner):
                with suppress(MissingPathError):  # another replica has removed it
                    self._assistant.index.remove(info.id)

    def _note(self, owner: str) -> None:
        self._seen.add(owner)
        self._leases.put(owner, str(time.time()))

    def _allowed(self, owner: str | None, wanted: Sequence[str]) -> dict[str, SessionDocument]:
        """What this browser may ask, by id; looked at anew where something wanted is not there,
        which another replica may have added just now."""
        found = {own.info.id: own for own in self.documents(owner)}
        if found.keys() >= set(wanted):
            return found
        self._assistant.index.refresh()
        return {own.info.id: own for own in self.documents(owner)}


def _is_of(info: DocumentInfo, owner: str | None) -> bool:
    return owner is not None and info.source.startswith(f"{UPLOADED}{owner}/")

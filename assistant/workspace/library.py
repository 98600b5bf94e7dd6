"""The documents that somebody may ask: those that are everyone's, those that they added, and those
of notebooks that are shared with them.

Two who add the same file have two documents (see `owners`), which share their vectors in the index
and are removed apart. What is added stays until somebody removes it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from assistant.access.callers import MACHINE
from assistant.documents import AskedDocument, shipped_raw_documents
from assistant.places import name_of
from assistant.workspace.conversations import Conversations
from assistant.workspace.notebooks import Notebooks, NotebooksValue, NotebookValue
from assistant.workspace.notes import Notes
from assistant.workspace.owners import Owners, order_added, source_of
from assistant.workspace.trash import DeletedDocuments, DeletedValue, TrashValue
from assistant.workspace.uploads import Inbox, Upload, safe_folder, safe_name
from index import Document, DocumentInfo, Index
from index.chunking.metadata import metadata_of
from index.errors import (
    DocumentError,
    DocumentExistsError,
    MissingPathError,
    RefusedError,
    UnreadableError,
)
from index.models import Boxes
from index.readers.loader import read_raw

if TYPE_CHECKING:
    from assistant.assistant import Assistant
    from assistant.llm.writer import Writer
    from index.store.writer import Progress


#: Pages and pictures of a file that are read on a server, where that is asked for.
MAX_PICTURES = 500


class Library:
    """All documents of an assistant, and what people add to them; with the notebooks that these are
    in, and the conversations about them. May be used from many threads.

    Args:
        assistant: its documents are everyone's.
        max_bytes: of a file that is added.
        logins: the names that people log in by.
        max_stored: bytes of what one login, or one key, may add.
    """

    def __init__(
        self,
        assistant: Assistant,
        max_bytes: int,
        logins: Collection[str] = (),
        max_stored: int = 2_000_000_000,
    ) -> None:
        self._assistant = assistant
        index = assistant.index
        #: Where the files are received that are added.
        self.inbox = Inbox(max_bytes)
        self.trash = DeletedDocuments(index.database)
        self.notebooks = Notebooks(index.database, logins)
        self.conversations = Conversations(index.database)
        self.notes = Notes(index)
        self._max_stored = max_stored
        self._samples = {raw.id for raw in shipped_raw_documents()}
        self.owners = Owners(index)

    @property
    def index(self) -> Index:
        """The index, and what else is kept with it."""
        return self._assistant.index

    # --- what --------------------------------------------------------------------------------

    def documents(self, owner: str) -> list[AskedDocument]:
        """What somebody may ask: everyone's documents first; the sample only where it is all."""
        found = self._all(owner)
        added = [one for one in found.values() if one.own]
        shared = [found[i] for i in self._assistant.document_ids if i in found]
        return [*(one for one in shared if not (added and one.sample)), *added]

    def documents_in(self, owner: str, notebook: str | None) -> list[AskedDocument]:
        """What somebody may ask of a notebook, named by its id or name, in the order in which it
        came into that; or of all.

        Raises:
            MissingPathError: the notebook is not there, or not for them.
        """
        if notebook is None:
            return self.documents(owner)
        inside = self.notebooks.named(owner, notebook).documents
        found = self._all(owner)
        return [found[i] for i in inside if i in found]

    def shown(self, notebook: NotebookValue, there: Collection[str] | None = None) -> NotebookValue:
        """A notebook with only those of its documents that are there.

        Args:
            notebook: as it is kept.
            there: ids of all documents that are, where they are at hand.
        """
        there = self._all("") if there is None else there
        documents = [identity for identity in notebook.documents if identity in there]
        return notebook.model_copy(update={"documents": documents})

    def notebooks_of(self, owner: str) -> NotebooksValue:
        """The notebooks that somebody may read, as they are shown."""
        there = self._all("")
        found = [self.shown(one, there) for one in self.notebooks.all(owner)]
        return NotebooksValue(notebooks=found)

    def asking(
        self,
        owner: str,
        chosen: Sequence[str] | None = None,
        write: bool | Writer = True,
        notebook: str | None = None,
    ) -> Assistant:
        """The assistant over these documents, or over all that somebody may ask.

        Args:
            owner: who asks.
            chosen: ids of the documents.
            write: what writes; see `Assistant.for_documents`.
            notebook: the id or the name of a notebook: only its documents are asked.

        Raises:
            MissingPathError: a document or the notebook is not there, or not for them.
        """
        allowed = {one.info.id: one for one in self.documents_in(owner, notebook)}
        wanted = allowed.keys() if chosen is None else set(chosen)
        if notebook is None:
            allowed |= self.readable(owner, wanted - allowed.keys())
        if not wanted and notebook is not None and chosen is None:
            raise MissingPathError(
                "There is no document in this notebook yet. Add one, then ask again.",
                code="notebook_empty",
            )
        if not wanted:
            raise MissingPathError(
                "No document is chosen. Choose at least one, then ask again.", code="none_chosen"
            )
        if not allowed.keys() >= wanted:
            raise MissingPathError(
                "A document that was chosen is no longer here. Look at the list of documents, and "
                "add it again if it is missing.",
                code="chosen_gone",
            )
        return self._assistant.for_documents([i for i in allowed if i in wanted], write=write)

    def document(self, owner: str, identity: str) -> Document:
        """A document with its whole text.

        Raises:
            MissingPathError: it is not there, or not for them.
        """
        self.find(owner, identity)
        return self.index.document(identity)

    def find(self, owner: str, identity: str, own: bool = False) -> AskedDocument:
        """A document without its text.

        Args:
            owner: who asks.
            identity: the document's id.
            own: only if this owner added it.

        Raises:
            MissingPathError: it is not there, or not for this owner.
            RefusedError: it is everyone's, and is to be this owner's.
        """
        [found] = self.find_all(owner, [identity], own)
        return found

    def find_all(
        self, owner: str, identities: Collection[str], own: bool = False
    ) -> list[AskedDocument]:
        """Several documents, each as `find` gives it."""
        found = self.readable(owner, identities)
        for identity in identities:
            if identity not in found:
                raise MissingPathError(
                    f"The document {identity} is not here. It may have been removed.",
                    code="document_gone",
                )
            if own and not found[identity].own:
                raise RefusedError(
                    f"The document {identity} is not yours. Whoever added it, or whoever runs "
                    "Footnote (with `footnote index`), changes it.",
                    403,
                    code="not_yours",
                )
        return [found[identity] for identity in identities]

    def readable(self, owner: str, identities: Iterable[str]) -> dict[str, AskedDocument]:
        """Those of some documents that somebody may read, by id."""
        there = self._there(owner, self.owners.find(identities))
        shared = self.notebooks.readable(owner, [i for i, one in there.items() if not one.own])
        shared.update(self._assistant.document_ids)
        return {i: one for i, one in there.items() if one.own or i in shared}

    def named(self, owner: str, name: str, folder: str = "") -> AskedDocument | None:
        """The document of this owner that a file of that name, in that folder, would take the place
        of: of several the one that was added last."""
        wanted = (safe_folder(folder), safe_name(name))
        added = (one for one in self._all(owner).values() if one.own)
        alike = (d for d in added if (d.folder, name_of(d.info.source)) == wanted)
        return max(alike, key=lambda one: order_added(one.info), default=None)

    def check_new(self, owner: str, name: str, folder: str = "") -> None:
        """Check that a file of that name would replace no document of this owner.

        Raises:
            RefusedError: it would; the message names the document.
        """
        if there := self.named(owner, name, folder):
            raise _exists(there.info.id)

    def boxes(self, owner: str, identity: str) -> Boxes | None:
        """Where the words of a document are printed; None of one that has no pages.

        Raises:
            MissingPathError: it is not there, or not for them.
        """
        self.find(owner, identity)
        return self.index.boxes(identity)

    def original(self, owner: str, identity: str) -> Path:
        """The file of a document.

        Raises:
            MissingPathError: it is not there, not for this browser, or is nowhere.
        """
        self.find(owner, identity)
        file = self.index.original(identity)
        if file is None:
            raise MissingPathError(
                "The original of that document is not here, only its text.", code="original_gone"
            )
        return file

    # --- adding ------------------------------------------------------------------------------

    def add(
        self,
        owner: str,
        upload: Upload,
        progress: Progress,
        *,
        replacing: str | None = None,
        new: bool = False,
        folder: str = "",
        notebook: str | None = None,
        ocr: bool = False,
        on_page: Progress | None = None,
    ) -> DocumentInfo:
        """Index a file that was received.

        Args:
            owner: whose it is.
            upload: from `Inbox.receive`; closed at the end.
            progress: called as paragraphs are done.
            replacing: the id of a document of this owner, whose place it takes; by default one of
                the same name in the same folder.
            new: refuse to replace a document, even one that is added while this file is read.
            folder: where it lies in a folder that is added.
            notebook: the id of the notebook that it is put into.
            ocr: read what stands in its pictures, too, as is done anyway where it is set.
            on_page: called as pages are read: those that are pictures, or those of a long PDF.

        Raises:
            DocumentError: it cannot be read, or there is no room for it.
            RefusedError: `new` is set and a document of this name exists.
        """
        file = upload.file
        with closing(upload):
            if notebook is not None:
                self.notebooks.find(owner, notebook, "write")
            there = self.find(owner, replacing, own=True) if replacing else None
            there = there or self.named(owner, file.name, folder)
            if new and there:
                raise _exists(there.info.id)
            if there:
                source = there.info.source
            else:  # that of a deleted one stays as it is, to be restored
                path = "/".join(filter(None, [safe_folder(folder), file.name]))
                source = source_of(owner, path, self.owners.documents(owner))
            if owner != MACHINE:
                self._make_room(owner, there, file.stat().st_size)
            try:
                read = read_raw(file, ocr=ocr or self._assistant.settings.ocr)
                address = metadata_of([], addresses=[upload.address]).address
                raw = replace(read, source=source, original=file, address=address)
                # Unless another process has added it since: its notebooks stay.
                if there is None and not [*self.owners.find([raw.id])]:
                    self._forget(raw.id)
                if raw.ocr:
                    on_page = self._bounded(file.name, on_page)
                self.index.sync([raw], progress, keep=True, on_page=on_page, new=new)
            except DocumentExistsError as error:
                raise _exists(raw.id) from error
            except DocumentError as error:  # named as its owner does
                said = str(error).replace(str(file), file.name).replace(source, file.name)
                raise type(error)(said, code=error.code, **error.values) from error
        if notebook is not None:
            self.notebooks.put(owner, notebook, raw.id)
        return self.find(owner, raw.id).info

    def read_pictures(
        self, owner: str, identity: str, progress: Progress, on_page: Progress | None = None
    ) -> DocumentInfo:
        """Read what stands in the pictures of one of somebody's documents, too.

        Args:
            owner: whose it is.
            identity: its id.
            progress: called as paragraphs are done.
            on_page: called as pages that are pictures are read.

        Raises:
            MissingPathError, RefusedError: it is not there, or not theirs.
            DocumentError: its file cannot be read, or what reads pictures is not installed.
        """
        there = self.find(owner, identity, own=True)
        self.original(owner, identity)  # it says so where there is none
        bounded = self._bounded(Path(there.info.source).name, on_page)
        self.index.read_pictures(identity, progress, bounded)
        return self.find(owner, identity).info

    def _bounded(self, name: str, on_page: Progress | None) -> Progress:
        """`on_page` for a file, which refuses one with more pages and pictures than are read."""

        def step(done: int, count: int) -> None:
            if count > MAX_PICTURES:
                raise UnreadableError(
                    f"{name!r} has {count:,} pages or pictures with text in them; at most "
                    f"{MAX_PICTURES:,} are read. Split it, or add it without having them read.",
                    code="too_long",
                )
            if on_page:
                on_page(done, count)

        return step

    def _make_room(self, owner: str, there: AskedDocument | None, size: int) -> None:
        """Remove what somebody deleted where that leaves too little room for a file.

        Args:
            owner: who adds it.
            there: the document whose place it takes, if it does.
            size: its bytes.

        Raises:
            DocumentError: they have all that they may.
        """
        gone = self.trash.all()
        documents = self.owners.documents(owner)
        left = [info for info in documents if info.id not in gone]
        deleted = sorted((i for i in documents if i.id in gone), key=lambda info: gone[info.id])
        stored = sum(info.bytes for info in left) + size - (there.info.bytes if there else 0)
        if stored > self._max_stored:
            count = self._max_stored // 1_000_000
            raise DocumentError(
                f"With this file your documents would take more than {count} megabytes, which is "
                "the most. Remove some first.",
                code="documents_full",
                megabytes=count,
            )
        while deleted and stored + sum(info.bytes for info in deleted) > self._max_stored:
            self.purge(deleted.pop(0).id)

    def put_in(self, owner: str, notebook: str, *identities: str) -> None:
        """Put documents into a notebook, where all of its readers see them; or back, if they were
        taken out. All of them, or none.

        Raises:
            MissingPathError, RefusedError: one of them is not there, or not theirs to share.
            QuestionError: there is no room for all of them.
        """
        taken = self.notebooks.taken(notebook).keys() & {*identities}
        back = self._there(owner, self.owners.find(taken))
        self.check_shareable(owner, *(one for one in identities if one not in back))
        self.notebooks.put(owner, notebook, *identities)

    def take_out(self, owner: str, notebook: str, identity: str) -> None:
        """Take a document out of a notebook. Whoever may write there can put it back for a while;
        what its own owner took out is theirs alone to share.

        Raises:
            MissingPathError, RefusedError: the notebook is not there, or not theirs to write in.
        """
        is_own = any(info.id == identity for info in self.owners.documents(owner))
        self.notebooks.take_out(owner, notebook, identity, is_own)

    def check_shareable(self, owner: str, *identities: str) -> None:
        """Check that somebody may put documents into a notebook.

        Raises:
            MissingPathError, RefusedError: one is not there, or not theirs to share.
        """
        everyones = {*self._assistant.document_ids}
        self.find_all(owner, [one for one in identities if one in everyones])
        self.find_all(owner, [one for one in identities if one not in everyones], own=True)

    def rename(self, owner: str, identity: str, title: str) -> AskedDocument:
        """Give one of somebody's documents another title, or "" for its own; see `Index.rename`.

        Raises:
            MissingPathError, RefusedError: it is not there, or not theirs.
        """
        self.find(owner, identity, own=True)
        self.index.rename(identity, title)
        return self.find(owner, identity)

    def discard(self, owner: str, identity: str) -> None:
        """Delete one of somebody's documents; for a while it can be restored.

        Raises:
            MissingPathError, RefusedError: it is not there, or not theirs.
        """
        self.find(owner, identity, own=True)
        self.trash.put(identity)

    def restore(self, owner: str, identity: str) -> None:
        """Restore one of somebody's documents that was deleted.

        Raises:
            MissingPathError: it is gone for good, or not theirs.
        """
        if identity not in {info.id for info in self.owners.documents(owner)}:
            raise MissingPathError(
                "That document is gone for good. Add it again.", code="document_gone"
            )
        self.trash.remove(identity)

    def deleted(self, owner: str, notebook: str | None, everywhere: bool = False) -> TrashValue:
        """What somebody may have back: documents and notebooks of theirs; and what was deleted in a
        notebook that they may write in, or among what is in none; conversations also `everywhere`.

        Raises:
            MissingPathError: the notebook is not there, or not for them.
        """
        space = self.notebooks.space(owner, notebook)
        found = [
            *self.notebooks.deleted(owner),
            *self.conversations.deleted(*self.notebooks.spaces(owner, notebook, everywhere)),
            *self.notes.deleted(space),
        ]
        gone = self.trash.all()
        taken = self.notebooks.taken(notebook) if notebook and space.is_writable else {}
        for info, of in self.owners.all():
            within = None if info.id in gone else notebook
            at = taken.get(info.id) if info.id not in gone else gone[info.id]
            if at is not None and (within or of == owner):
                found.append(
                    DeletedValue(
                        kind="document",
                        id=info.id,
                        title=info.title,
                        notebook=within,
                        deleted=at * 1000,
                    )
                )
        return TrashValue(deleted=sorted(found, key=lambda one: -one.deleted))

    def remove(self, owner: str, identity: str) -> None:
        """Take one of somebody's documents out of the index, for good.

        Raises:
            MissingPathError, RefusedError: it is not there, or not theirs.
        """
        self.find(owner, identity, own=True)
        self.purge(identity)

    def purge(self, identity: str) -> None:
        """Take a document out of the index and of all notebooks, for good, whosever it is, if it is
        still there."""
        with suppress(MissingPathError):
            self.index.remove(identity)
        self._forget(identity)

    def _forget(self, identity: str) -> None:
        """Forget a document that is not there any more: another may get its id."""
        self.notebooks.forget(identity)
        self.trash.remove(identity)

    # --- whose they are ----------------------------------------------------------------------

    def _all(self, owner: str) -> dict[str, AskedDocument]:
        """All documents that are there, by id, whoever may see them."""
        return self._there(owner, self.owners.all())

    def _there(
        self, owner: str, documents: Iterable[tuple[DocumentInfo, str | None]]
    ) -> dict[str, AskedDocument]:
        """Those of some documents that were not deleted, by id."""
        gone = self.trash.all()
        return {
            info.id: AskedDocument(info, of == owner, info.id in self._samples)
            for info, of in documents
            if info.id not in gone
        }


def _exists(identity: str) -> RefusedError:
    return RefusedError(
        f"There is a document of that name already. To replace it: PUT /api/documents/{identity}",
        409,
    )

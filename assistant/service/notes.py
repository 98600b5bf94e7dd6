"""What somebody keeps of what they have read: answers, with a note of theirs, and places that they
highlighted.

Each keeps what it quotes. When it is looked at, that is held against the document as it is now (see
`standing`).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BaseModel, Field, StringConstraints

from assistant.service.keeping import read_kept, text_of
from assistant.service.notebooks import NotebookValue
from assistant.service.standing import PlaceNow, Standings
from assistant.service.trash import Deleted, DeletedValue, Trash, shortened
from assistant.service.turns import Id, KeptAnswer, KeptCitation, Loose
from assistant.service.values import Value
from index.errors import MissingPathError, RefusedError

if TYPE_CHECKING:
    from index import Index
    from index.store.records import Records

MOST = 2000
"""Notes that a space may hold."""

LARGEST = 700_000
"""Bytes of a note."""


class KeptNote(Loose):
    """A note, as it is kept."""

    id: Id
    kind: Literal["answer", "highlight"]
    text: Annotated[str, StringConstraints(max_length=20_000)] = Field(
        default="", description="What its reader notes."
    )
    created: float = Field(description="Milliseconds since 1970.")
    conversation: Id | None = Field(default=None, description="Where the answer was given.")
    turn: Id | None = Field(default=None, description="As which of its questions.")
    answer: KeptAnswer | None = Field(default=None, description="The answer that is kept.")
    citation: KeptCitation | None = Field(default=None, description="The place highlighted.")

    @property
    def citations(self) -> list[KeptCitation]:
        """What it quotes."""
        return self.answer.citations if self.answer else [self.citation] if self.citation else []

    @property
    def about(self) -> str:
        """The question that it answers, or what it quotes, or else what is noted."""
        if self.answer:
            return self.answer.question
        return self.citation.quote if self.citation else self.text


class NoteValue(Value):
    """A note, and what became of what it quotes."""

    note: KeptNote
    by: str = Field(description="The login of who keeps it; nothing where nobody logs in.")
    mine: bool = Field(description="Whether you may change it.")
    now: list[PlaceNow] = Field(description="Of each citation, in order.")


class NotesValue(Value):
    """Notes."""

    notes: list[NoteValue] = Field(description="The newest first.")


class _Kept(BaseModel):
    note: KeptNote
    by: str = ""


class Notes:
    """The notes that are kept beside an index. May be used from many threads and processes.

    Args:
        index: beside which they are kept.
        trash: where deleted ones are.

    Raises (any method):
        RefusedError: the notebook is not theirs to write in.
    """

    def __init__(self, index: Index, trash: Trash) -> None:
        self._index = index
        self._trash = trash
        self._guard = threading.Lock()

    def kept(self, owner: str, notebook: NotebookValue | None) -> list[KeptNote]:
        """Those of a notebook, or those that are in none, the newest first."""
        return [kept.note for kept in self._group(_space(owner, notebook))]

    def all(
        self,
        owner: str,
        notebook: NotebookValue | None,
        readable: Callable[[Iterable[str]], Iterable[str]],
    ) -> list[NoteValue]:
        """The same, with what became of what each quotes.

        Args:
            owner, notebook: whose; see `Conversations`.
            readable: gives those of some ids of documents that they may read.
        """
        notes = self._group(_space(owner, notebook))
        cited = {c.document_id for kept in notes for c in kept.note.citations}
        standings = Standings(self._index, readable(cited))
        found = []
        for kept in notes:
            now = [standings.now(citation) for citation in kept.note.citations]
            mine = notebook is None or notebook.role != "read"
            found.append(NoteValue(note=kept.note, by=kept.by, mine=mine, now=now))
        return found

    def put(
        self,
        owner: str,
        notebook: NotebookValue | None,
        note: KeptNote,
        by: str,
        over: str | None = None,
    ) -> None:
        """Keep a note in place of the one of its id, even if that was deleted. It stays that of
        who made it.

        Args:
            owner, notebook: whose.
            note: as it is to be.
            by: the login of who keeps it.
            over: the text of it that they saw, which alone this takes the place of; None: of any.

        Raises:
            RefusedError: it is too large, or there are too many; or somebody has changed its text
                meanwhile, as far as this process knows of others that write at the same moment.
            QuestionError: it cannot be kept; see `text_of`.
        """
        group = _writable(owner, notebook)
        records = self._records(group)
        with self._guard:
            text = records.get(note.id)
            there = None if text is None else read_kept(_Kept, text)
            # The same text again is no change: its sender may not have heard that it was kept.
            if there and over is not None and there.note.text not in (over, note.text):
                raise RefusedError(
                    "This note was changed elsewhere while you wrote, so yours was not saved. Look "
                    "at it as it is now, and save yours again if it should take its place.",
                    409,
                )
            kept = text_of(_Kept(note=note, by=there.by if there else by))
            if len(kept.encode()) > LARGEST:
                raise RefusedError("That is more than is kept as one note.", 413, code="note_large")
            if there is None and len(records.names()) >= MOST:
                raise RefusedError(
                    f"There are {MOST} notes already. Delete one first.",
                    413,
                    code="notes_full",
                    count=MOST,
                )
            records.put(note.id, kept)
        self._trash.restore(Deleted(kind="note", name=note.id, group=group))

    def delete(self, owner: str, notebook: NotebookValue | None, identity: str) -> None:
        """Delete one; for a while it can be had back."""
        self._trash.put(self._there(owner, notebook, identity))

    def deleted(self, owner: str, notebook: NotebookValue | None) -> list[DeletedValue]:
        """Those that they may have back, whoever deleted them."""
        if notebook and notebook.role == "read":
            return []
        group = _space(owner, notebook)
        found = [
            (at, read_kept(_Kept, text).note)
            for identity, at in self._trash.of("note", group).items()
            if (text := self._records(group).get(identity))
        ]
        return [
            DeletedValue(
                kind="note",
                id=note.id,
                title=shortened(note.about),
                uncertain=note.answer is None and any(own.uncertain for own in note.citations),
                notebook=notebook.id if notebook else None,
                deleted=at,
            )
            for at, note in found
        ]

    def restore(self, owner: str, notebook: NotebookValue | None, identity: str) -> None:
        """Have one back that was deleted."""
        self._trash.restore(self._there(owner, notebook, identity))

    def let_go(self, group: str, identity: str | None = None) -> None:
        """Let go for good of one of a space, or of all that are in it."""
        if identity is None:
            self._records(group).clear()
        else:
            self._records(group).delete(identity)

    def _there(self, owner: str, notebook: NotebookValue | None, identity: str) -> Deleted:
        group = _writable(owner, notebook)
        if self._records(group).get(identity) is None:
            raise MissingPathError(
                "That note is not here. It may have been deleted.", code="note_gone"
            )
        return Deleted(kind="note", name=identity, group=group)

    def _group(self, group: str) -> list[_Kept]:
        found = [
            read_kept(_Kept, text)
            for identity, text in self._records(group).all().items()
            if Deleted(kind="note", name=identity, group=group) not in self._trash
        ]
        return sorted(found, key=lambda kept: -kept.note.created)

    def _records(self, group: str) -> Records:
        return self._index.records("notes", group)


def _space(owner: str, notebook: NotebookValue | None) -> str:
    return notebook.id if notebook else owner


def _writable(owner: str, notebook: NotebookValue | None) -> str:
    if notebook and notebook.role == "read":
        raise RefusedError(
            f"The notebook {notebook.name} is shared with you to read. Keep it among your own.",
            403,
            code="read_only",
            name=notebook.name,
        )
    return _space(owner, notebook)

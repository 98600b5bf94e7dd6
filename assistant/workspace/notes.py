"""What somebody keeps of what they have read: answers, with a note of theirs, and places that they
highlighted.

Each keeps what it quotes. When it is looked at, that is held against the document as it is now (see
`quotes`).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Annotated, Any, Literal

import sqlalchemy as sa
from pydantic import Field, StringConstraints

from assistant.schemas.base import Value
from assistant.workspace.notebooks import Space
from assistant.workspace.quotes import PlaceNow, QuoteChecker
from assistant.workspace.trash import DeletedValue, shortened
from assistant.workspace.turns import (
    ForwardCompatible,
    Id,
    KeptAnswer,
    KeptCitation,
    body_of,
    check_count,
    check_room,
    json_of,
    kept_in,
    read_row,
    size_of,
    with_answers,
)
from index.database.columns import put_row
from index.database.kept_tables import notes
from index.errors import MissingPathError, RefusedError

if TYPE_CHECKING:
    from index import Index


class KeptNote(ForwardCompatible):
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


class Notes:
    """The notes that are kept. May be used from many threads and processes.

    Args:
        index: that they quote from, with whose database they are kept.

    Raises (any method):
        RefusedError: the notebook is not theirs to write in.
    """

    def __init__(self, index: Index) -> None:
        self._index = index
        self._database = index.database

    def kept(self, space: Space) -> list[KeptNote]:
        """Those of a space, the newest first."""
        return [note for note, _ in self._all(space, notes.c.deleted.is_(None))]

    def find(self, space: Space, identity: str) -> KeptNote | None:
        """The note of that id, even if it was deleted, for who may change it."""
        _check_writable(space)
        found = self._all(space, notes.c.id == identity)
        return found[0][0] if found else None

    def all(
        self, space: Space, readable: Callable[[Iterable[str]], Iterable[str]]
    ) -> list[NoteValue]:
        """The same as `kept`, with what became of what each quotes.

        Args:
            space: where they are.
            readable: gives those of some ids of documents that they may read.
        """
        found = self._all(space, notes.c.deleted.is_(None))
        cited = {c.document_id for note, _ in found for c in note.citations}
        checker = QuoteChecker(self._index, readable(cited))
        return [
            NoteValue(
                note=note,
                by=row.by,
                mine=space.is_writable,
                now=[checker.now(citation) for citation in note.citations],
            )
            for note, row in found
        ]

    def put(self, space: Space, note: KeptNote, by: str, over: str | None = None) -> None:
        """Store a note, which replaces the one of its id, even a deleted one; its author stays.

        Args:
            space: where it is.
            note: as it is to be; of its answer only the id counts.
            by: the login of who keeps it.
            over: the text that they saw, the only one that may be replaced; None: any.

        Raises:
            RefusedError: it is too large, or there are too many; or somebody has changed its text
                meanwhile.
            MissingPathError: its answer was not given here, or is no longer kept.
            QuestionError: it cannot be kept; see `json_of`.
        """
        _check_writable(space)
        body, within = json_of(note), _within(space)
        with self._database.write() as connection:
            answer = body_of(connection, note.answer)
            same = sa.select(notes).where(within, notes.c.id == note.id)
            row = connection.execute(same).first()
            before = kept_in(KeptNote, row.body) if row else None
            # The same text again is no change: its sender may not have heard that it was kept.
            if before and over is not None and before.text not in (over, note.text):
                raise RefusedError(
                    "This note was changed elsewhere while you wrote, so yours was not saved. Look "
                    "at it as it is now, and save yours again if it should take its place.",
                    409,
                )
            size = size_of(body, answer, "as one note", "note_large")
            if row is None:
                there = "notes already. Delete one first."
                check_count(connection, notes, within, there, "notes_full")
            check_room(connection, _id_of(space), size - (row.size if row else 0))
            put_row(
                connection,
                notes,
                {"space": _id_of(space), "id": note.id},
                {
                    "created": note.created,
                    "size": size,
                    "body": body,
                    "deleted": None,
                    "answer": note.answer and note.answer.id,
                    "by": row.by if row else by,
                    "notebook": space.notebook_id,
                },
            )

    def delete(self, space: Space, identity: str) -> None:
        """Delete one; for a while it can be restored."""
        self._mark(space, identity, time.time())

    def deleted(self, space: Space) -> list[DeletedValue]:
        """Those that they may restore, whoever deleted them."""
        if not space.is_writable:
            return []
        return [
            DeletedValue(
                kind="note",
                id=note.id,
                title=shortened(note.about),
                uncertain=note.answer is None and any(cited.uncertain for cited in note.citations),
                notebook=row.notebook,
                deleted=row.deleted * 1000,
            )
            for note, row in self._all(space, notes.c.deleted.isnot(None))
        ]

    def restore(self, space: Space, identity: str) -> None:
        """Restore one that was deleted."""
        self._mark(space, identity, None)

    def _mark(self, space: Space, identity: str, deleted: float | None) -> None:
        _check_writable(space)
        with self._database.write() as connection:
            same = _within(space), notes.c.id == identity
            if not connection.execute(
                sa.update(notes).where(*same).values(deleted=deleted)
            ).rowcount:
                raise MissingPathError(
                    "That note is not here. It may have been deleted.", code="note_gone"
                )

    def _all(self, space: Space, which: sa.ColumnElement[bool]) -> list[tuple[KeptNote, Any]]:
        """Some of those of a space, each with its row, the newest first."""
        with self._database.read() as connection:
            rows = connection.execute(
                with_answers(notes)
                .where(_within(space), which)
                .order_by(notes.c.created.desc(), notes.c.id)
            ).all()
        return [(note, row) for row in rows if (note := read_row(KeptNote, row))]


def _check_writable(space: Space) -> None:
    space.check_writable("Keep it among your own.")


def _id_of(space: Space) -> str:
    """Where notes are; in a notebook all of them are shared."""
    return space.notebook_id or space.owner


def _within(space: Space) -> sa.ColumnElement[bool]:
    return notes.c.space == _id_of(space)

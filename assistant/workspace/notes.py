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
from assistant.tables import answers, notes
from assistant.workspace.conversations import check_room
from assistant.workspace.notebooks import NotebookValue
from assistant.workspace.quotes import PlaceNow, QuoteChecker
from assistant.workspace.trash import DeletedValue, shortened
from assistant.workspace.turns import (
    MAX_BYTES,
    ForwardCompatible,
    Id,
    KeptAnswer,
    KeptCitation,
    answer_in,
    body_of,
    json_of,
    kept_in,
)
from index.database.tables import put_row
from index.errors import MissingPathError, RefusedError

if TYPE_CHECKING:
    from index import Index

MOST = 2000
"""Notes that a space may hold."""


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

    def kept(self, owner: str, notebook: NotebookValue | None) -> list[KeptNote]:
        """Those of a notebook, or those that are in none, the newest first."""
        return [note for note, _ in self._all(owner, notebook, notes.c.deleted.is_(None))]

    def find(self, owner: str, notebook: NotebookValue | None, identity: str) -> KeptNote | None:
        """The note of that id, even if it was deleted, for who may change it."""
        _writable(owner, notebook)
        found = self._all(owner, notebook, notes.c.id == identity)
        return found[0][0] if found else None

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
        found = self._all(owner, notebook, notes.c.deleted.is_(None))
        cited = {c.document_id for note, _ in found for c in note.citations}
        checker = QuoteChecker(self._index, readable(cited))
        mine = notebook is None or notebook.role != "read"
        return [
            NoteValue(
                note=note,
                by=row.by,
                mine=mine,
                now=[checker.now(citation) for citation in note.citations],
            )
            for note, row in found
        ]

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
            note: as it is to be; of its answer only the id counts.
            by: the login of who keeps it.
            over: the text of it that they saw, which alone this takes the place of; None: of any.

        Raises:
            RefusedError: it is too large, or there are too many; or somebody has changed its text
                meanwhile.
            MissingPathError: its answer was not given here, or is no longer kept.
            QuestionError: it cannot be kept; see `json_of`.
        """
        space, body = _writable(owner, notebook), json_of(note)
        key = {"space": space, "id": note.id}
        with self._database.write() as connection:
            answer = body_of(connection, note.answer)
            same = sa.select(notes).where(notes.c.space == space, notes.c.id == note.id)
            row = connection.execute(same).first()
            before = kept_in(KeptNote, row.body) if row else None
            # The same text again is no change: its sender may not have heard that it was kept.
            if before and over is not None and before.text not in (over, note.text):
                raise RefusedError(
                    "This note was changed elsewhere while you wrote, so yours was not saved. Look "
                    "at it as it is now, and save yours again if it should take its place.",
                    409,
                )
            size = len(body.encode()) + len((answer or "").encode())
            if size > MAX_BYTES:
                raise RefusedError("That is more than is kept as one note.", 413, code="note_large")
            of = sa.select(sa.func.count()).select_from(notes).where(notes.c.space == space)
            if row is None and connection.scalars(of).one() >= MOST:
                raise RefusedError(
                    f"There are {MOST} notes already. Delete one first.",
                    413,
                    code="notes_full",
                    count=MOST,
                )
            check_room(connection, space, size - (row.size if row else 0))
            values = {"created": note.created, "size": size, "body": body, "deleted": None}
            values |= {"answer": note.answer and note.answer.id, "by": row.by if row else by}
            values |= {"notebook": notebook.id if notebook else None}
            put_row(connection, notes, key, values)

    def delete(self, owner: str, notebook: NotebookValue | None, identity: str) -> None:
        """Delete one; for a while it can be had back."""
        self._mark(owner, notebook, identity, time.time())

    def deleted(self, owner: str, notebook: NotebookValue | None) -> list[DeletedValue]:
        """Those that they may have back, whoever deleted them."""
        if notebook and notebook.role == "read":
            return []
        return [
            DeletedValue(
                kind="note",
                id=note.id,
                title=shortened(note.about),
                uncertain=note.answer is None and any(own.uncertain for own in note.citations),
                notebook=row.notebook,
                deleted=row.deleted * 1000,
            )
            for note, row in self._all(owner, notebook, notes.c.deleted.isnot(None))
        ]

    def restore(self, owner: str, notebook: NotebookValue | None, identity: str) -> None:
        """Have one back that was deleted."""
        self._mark(owner, notebook, identity, None)

    def _mark(
        self, owner: str, notebook: NotebookValue | None, identity: str, deleted: float | None
    ) -> None:
        same = notes.c.space == _writable(owner, notebook), notes.c.id == identity
        with self._database.write() as connection:
            change = sa.update(notes).where(*same).values(deleted=deleted)
            if not connection.execute(change).rowcount:
                raise MissingPathError(
                    "That note is not here. It may have been deleted.", code="note_gone"
                )

    def _all(
        self, owner: str, notebook: NotebookValue | None, which: sa.ColumnElement[bool]
    ) -> list[tuple[KeptNote, Any]]:
        """Some of those of a space, each with its row, the newest first."""
        with self._database.read() as connection:
            rows = connection.execute(
                sa.select(notes, answers.c.body.label("answer_body"))
                .outerjoin(answers, notes.c.answer == answers.c.id)
                .where(notes.c.space == _space(owner, notebook), which)
                .order_by(notes.c.created.desc(), notes.c.id)
            ).all()
        found = []
        for row in rows:
            if note := kept_in(KeptNote, row.body):
                answer = answer_in(row.answer, row.answer_body)
                found.append((note.model_copy(update={"answer": answer}), row))
        return found


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

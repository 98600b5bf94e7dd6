"""Conversations: questions and what became of each.

Each turn is a row, so that two tabs, or two people, who ask in the same conversation at the same
time overwrite nothing of each other. A conversation is in a space: that of its owner alone, or of a
notebook, all of whose readers see it. Those who may only read a notebook ask in conversations of
their own. A turn belongs to who asked: nobody else may replace it.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import sqlalchemy as sa
from pydantic import StringConstraints

from assistant.workspace.notebooks import Space
from assistant.workspace.trash import DeletedValue
from assistant.workspace.turns import (
    ConversationValue,
    FoundValue,
    KeptTurn,
    WholeConversation,
    answer_in,
    body_of,
    check_count,
    check_room,
    json_of,
    read_row,
    size_of,
    with_answers,
)
from index.database.columns import put_row
from index.database.kept_tables import answers, conversations, turns
from index.errors import MissingPathError, RefusedError

if TYPE_CHECKING:
    from index.database.database import Database

MAX_FOUND = 100
"""Questions that a search finds."""

_BATCH = 50
"""Conversations that are searched at once."""

_UNFINISHED = ("pending", "failed", "stopped")
"""States of a turn that has no answer."""

Title = Annotated[str, StringConstraints(strip_whitespace=True, max_length=200)]


_TURNS = with_answers(turns).order_by(turns.c.asked, turns.c.id)


class Conversations:
    """The conversations that are kept. May be used from many threads and processes.

    Raises (any method that names one):
        MissingPathError: there is none of that id in this space.
        RefusedError: it is not theirs to change.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self, *spaces: Space) -> list[ConversationValue]:
        """Those of some spaces that somebody may use, the newest first."""
        return [*self._newest(spaces).values()]

    def find(self, space: Space, identity: str) -> WholeConversation:
        """One with its turns."""
        with self._database.read() as connection:
            row = _row(connection, space, identity)
            of = turns.c.space == row.space, turns.c.conversation == row.id
            rows = connection.execute(_TURNS.where(*of)).all()
        found = [turn for row in rows if (turn := read_row(KeptTurn, row))]
        return WholeConversation(**_value(row, space).model_dump(), turns=found)

    def search(self, words: str, *spaces: Space) -> list[FoundValue]:
        """Questions of some spaces that have these words, whatever their case, or whose answers
        do."""
        wanted, found = words.casefold(), list[FoundValue]()
        for one, turn in self._turns_with(words, spaces):
            texts = _texts(turn)
            text = next((text for text in texts if wanted in text.casefold()), None)
            if text is not None:
                found.append(
                    FoundValue(
                        conversation=one,
                        turn=turn.id,
                        question=turn.question,
                        text=text,
                        uncertain=texts[text],
                    )
                )
                if len(found) == MAX_FOUND:
                    break
        return found

    def _turns_with(
        self, words: str, spaces: Sequence[Space]
    ) -> Iterator[tuple[ConversationValue, KeptTurn]]:
        """The turns that may have these words, each with its conversation, the newest of these
        first. Told by what is kept, before that is read: most of it has none of them."""
        kept_as = json.dumps(words, ensure_ascii=False)[1:-1].casefold()
        listed = [*self._newest(spaces).items()]
        for first in range(0, len(listed), _BATCH):
            some = dict(listed[first : first + _BATCH])
            having: dict[tuple[str, str], list[Any]] = {key: [] for key in some}
            # Within its space: whoever begins a conversation chooses its id.
            of = (
                turns.c.space.in_({space for space, _ in some}),
                turns.c.conversation.in_({identity for _, identity in some}),
            )
            with self._database.read() as connection:
                for row in connection.execute(_TURNS.where(*of)):
                    is_of = having.get((row.space, row.conversation))
                    if is_of is not None and kept_as in f"{row.body}{row.answer_body}".casefold():
                        is_of.append(row)
            for key, rows in having.items():
                for turn in filter(None, (read_row(KeptTurn, row) for row in rows)):
                    yield some[key], turn

    def put_turn(self, space: Space, identity: str, turn: KeptTurn, *, title: str, by: str) -> None:
        """Keep a turn as it is now, in a conversation that is begun with it if there is none.

        Args:
            space: where the conversation is, or is begun.
            identity: of the conversation.
            turn: replaces the one of its id; of its answer only the id counts.
            title: of the conversation, unless a person has named it.
            by: the login of who asks.

        Raises:
            RefusedError: it is too large, there are too many, or it is another's.
            MissingPathError: its answer was not given here, or is no longer kept.
            QuestionError: it cannot be kept; see `json_of`.
        """
        with self._database.write() as connection:
            answer = body_of(connection, turn.answer)
            turn = _as_answered(turn, answer)
            body = json_of(turn)
            size = size_of(body, answer, "of one answer", "answer_large")
            row = _row_or_new(connection, space, identity)
            within = row.space if row else _new_in(space)
            of = sa.and_(turns.c.space == within, turns.c.conversation == identity)
            same = sa.select(turns.c.owner, turns.c.size).where(of, turns.c.id == turn.id)
            before = connection.execute(same).first()
            if before is None:
                there = "questions in this conversation. Begin another one."
                check_count(connection, turns, of, there, "conversation_full")
            elif before.owner not in ("", space.owner):
                raise RefusedError(
                    "That question is another's: only who asked it keeps something else of it.",
                    403,
                    code="not_your_question",
                )
            check_room(connection, within, size - (before.size if before else 0))
            values: dict[str, Any] = {"updated": time.time() * 1000}
            if row is None:
                values |= {"notebook": space.notebook_id, "named": False, "by": by}
            if row is None or not row.named:
                values["title"] = title
            put_row(connection, conversations, {"space": within, "id": identity}, values)
            put_row(
                connection,
                turns,
                {"space": within, "conversation": identity, "id": turn.id},
                {
                    "asked": turn.asked,
                    "size": size,
                    "body": body,
                    "owner": before.owner if before else space.owner,
                    "answer": turn.answer and turn.answer.id,
                },
            )

    def remove_turns(self, space: Space, identity: str, gone: Sequence[str]) -> None:
        """Remove turns, which another question replaces; for a day their answers can be kept
        again."""
        with self._database.write() as connection:
            row = _row(connection, space, identity, writable=True)
            of = turns.c.space == row.space, turns.c.conversation == identity, turns.c.id.in_(gone)
            named = sa.select(turns.c.answer).where(*of)
            connection.execute(
                sa.update(answers).where(answers.c.id.in_(named)).values(created=time.time())
            )
            connection.execute(sa.delete(turns).where(*of))

    def rename(self, space: Space, identity: str, title: str) -> None:
        """Give one a name, which stays."""
        self._update(space, identity, title=title, named=True)

    def pin(self, space: Space, identity: str, pinned: bool) -> None:
        """Have one come first in lists that people are shown, or no longer."""
        self._update(space, identity, pinned=pinned)

    def delete(self, space: Space, identity: str) -> None:
        """Delete one; for a while it can be restored."""
        self._update(space, identity, deleted=time.time())

    def deleted(self, *spaces: Space) -> list[DeletedValue]:
        """Those of some spaces that they may restore, whoever deleted them."""
        by_notebook = {space.notebook_id: space for space in spaces}
        return [
            DeletedValue(
                kind="conversation",
                id=row.id,
                title=row.title,
                notebook=row.notebook,
                deleted=row.deleted * 1000,
            )
            for row in self._rows(conversations.c.deleted.isnot(None), *spaces)
            if _value(row, by_notebook[row.notebook]).mine
        ]

    def restore(self, space: Space, identity: str) -> None:
        """Restore one that was deleted."""
        self._update(space, identity, deleted=None)

    def _newest(self, spaces: Sequence[Space]) -> dict[tuple[str, str], ConversationValue]:
        """Those that are there, by where they are and their ids."""
        by_notebook = {space.notebook_id: space for space in spaces}
        rows = self._rows(conversations.c.deleted.is_(None), *spaces)
        return {
            (row.space, row.id): _value(row, by_notebook[row.notebook])
            for row in sorted(rows, key=lambda row: -row.updated)
        }

    def _rows(self, which: sa.ColumnElement[bool], *spaces: Space) -> Sequence[Any]:
        with self._database.read() as connection:
            return connection.execute(sa.select(conversations).where(_within(*spaces), which)).all()

    def _update(self, space: Space, identity: str, **values: Any) -> None:
        """Change one; where `deleted` becomes None also one that was deleted."""
        deleted = values.get("deleted", 0) is None
        with self._database.write() as connection:
            row = _row(connection, space, identity, writable=True, deleted=deleted)
            same = conversations.c.space == row.space, conversations.c.id == row.id
            connection.execute(sa.update(conversations).where(*same).values(**values))


def _texts(turn: KeptTurn) -> dict[str, bool]:
    """A question and the sentences of its answer, and of each whether it cites what was read from a
    picture, and not surely."""
    if turn.answer is None:
        return {turn.question: False}
    unsure = {citation.marker for citation in turn.answer.citations if citation.uncertain}
    sentences = {s.text: not unsure.isdisjoint(s.markers) for s in turn.answer.sentences}
    return {turn.question: False, **sentences}


def _as_answered(turn: KeptTurn, answer: str | None) -> KeptTurn:
    """A turn whose question and state are those of the answer that was given."""
    if turn.answer is None:
        if turn.state in _UNFINISHED:
            return turn
        raise MissingPathError("There is no answer with that question.", code="answer_gone")
    given = answer_in(turn.answer.id, answer)
    if given is None:
        return turn
    said = {"question": given.question, "state": given.outcome, "sentences": [], "citations": []}
    return turn.model_copy(update=said)


def _row(
    connection: sa.Connection,
    space: Space,
    identity: str,
    *,
    writable: bool = False,
    deleted: bool = False,
) -> Any:
    """The row of one; `writable`: that they may change; `deleted`: also one that was."""
    found = connection.execute(
        sa.select(conversations)
        .where(conversations.c.id == identity, _within(space))
        .where(sa.true() if deleted else conversations.c.deleted.is_(None))
    ).all()
    if not found:
        raise MissingPathError(
            "That conversation is not here. It may have been deleted.", code="conversation_gone"
        )
    row = min(found, key=lambda row: _spaces(space).index(row.space))
    if writable and row.space != space.owner:
        space.check_writable("Ask in a conversation of your own.")
    return row


def _row_or_new(connection: sa.Connection, space: Space, identity: str) -> Any:
    """The row of one that they may change; None where it may be begun."""
    within = conversations.c.space == _new_in(space)
    try:
        return _row(connection, space, identity, writable=True)
    except MissingPathError:
        # One that is deleted, or in another notebook, is not begun anew.
        same = sa.select(conversations.c.id).where(within, conversations.c.id == identity)
        if connection.execute(same).first():
            raise
    there = "conversations. Delete one first."
    check_count(connection, conversations, within, there, "conversations_full")
    return None


def _value(row: Any, space: Space) -> ConversationValue:
    return ConversationValue(
        id=row.id,
        title=row.title,
        named=row.named,
        notebook=row.notebook,
        mine=row.space == space.owner or space.is_writable,
        by=row.by,
        updated=row.updated,
        pinned=row.pinned,
    )


def _new_in(space: Space) -> str:
    """Where somebody begins a conversation."""
    return space.notebook.id if space.notebook and space.is_writable else space.owner


def _spaces(space: Space) -> list[str]:
    """Where somebody's conversations may be; in a notebook that is only theirs to read, those of
    their own are in their own space."""
    return [*filter(None, [space.notebook_id]), space.owner]


def _within(*spaces: Space) -> sa.ColumnElement[bool]:
    is_there = conversations.c.space.in_({one for space in spaces for one in _spaces(space)})
    notebook = sa.func.coalesce(conversations.c.notebook, "")
    return sa.and_(is_there, notebook.in_([space.notebook_id or "" for space in spaces]))

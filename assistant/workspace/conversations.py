"""Conversations, as the page has them: their questions, and what became of each.

Each turn is kept by itself, so that two tabs, or two people, who ask in the same one at the same
time lose nothing of each other. A conversation is in a space: that of its owner alone, or of a
notebook, whose every reader sees it. Who may only read a notebook asks in conversations of their
own. A turn belongs to who asked: nobody else puts another in its place.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import sqlalchemy as sa
from pydantic import StringConstraints

from assistant.tables import answers, conversations, notes, turns
from assistant.workspace.notebooks import NotebookValue
from assistant.workspace.trash import DeletedValue
from assistant.workspace.turns import (
    MAX_BYTES,
    SPACE_BYTES,
    ConversationValue,
    FoundValue,
    KeptTurn,
    WholeConversation,
    answer_in,
    body_of,
    json_of,
    kept_in,
)
from index.database.tables import put_row
from index.errors import MissingPathError, RefusedError

if TYPE_CHECKING:
    from index.database.database import Database

MOST = 2000
"""Conversations that a space may hold, and turns that one of them may have."""

SHOWN = 100
"""Questions that are found at most."""

_UNFINISHED = ("pending", "failed", "stopped")
"""States of a turn that has no answer."""

Title = Annotated[str, StringConstraints(strip_whitespace=True, max_length=200)]


class Conversations:
    """The conversations that are kept. May be used from many threads and processes.

    Every method takes who asks (`owner`), and the notebook as they may use it, or None for what is
    in none.

    Raises (any method that names one):
        MissingPathError: there is none of that id here.
        RefusedError: it is not theirs to change.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self, owner: str, notebook: NotebookValue | None) -> list[ConversationValue]:
        """Those of a notebook, or those that are in none, the newest first."""
        there = conversations.c.deleted.is_(None)
        newest = sa.select(conversations).where(_within(owner, notebook), there)
        with self._database.read() as connection:
            rows = connection.execute(newest.order_by(conversations.c.updated.desc())).all()
        return [_value(row, owner, notebook) for row in rows]

    def find(self, owner: str, notebook: NotebookValue | None, identity: str) -> WholeConversation:
        """One with its turns."""
        with self._database.read() as connection:
            row = _there(connection, owner, notebook, identity)
            rows = connection.execute(
                _TURNS.where(turns.c.space == row.space, turns.c.conversation == row.id)
            ).all()
        found = [turn for own in rows if (turn := _turn(own))]
        return WholeConversation(**_value(row, owner, notebook).model_dump(), turns=found)

    def search(self, owner: str, notebook: NotebookValue | None, words: str) -> list[FoundValue]:
        """Questions that have these words, whatever their case, or whose answers do."""
        wanted, found = words.casefold(), list[FoundValue]()
        kept_as = json.dumps(words, ensure_ascii=False)[1:-1].casefold()
        for one in self.all(owner, notebook):
            with self._database.read() as connection:
                # Within the space: whoever begins a conversation chooses its id.
                spaces = turns.c.space.in_(_spaces(owner, notebook))
                rows = connection.execute(_TURNS.where(spaces, turns.c.conversation == one.id))
                # Told by what is kept, before that is read: most of it has none of them.
                having = [
                    row for row in rows if kept_as in f"{row.body}{row.answer_body}".casefold()
                ]
            for turn in filter(None, map(_turn, having)):
                told = _told(turn)
                text = next((text for text in told if wanted in text.casefold()), None)
                if text is not None:
                    found.append(
                        FoundValue(
                            conversation=one,
                            turn=turn.id,
                            question=turn.question,
                            text=text,
                            uncertain=told[text],
                        )
                    )
            if len(found) >= SHOWN:
                break
        return found[:SHOWN]

    def put_turn(
        self,
        owner: str,
        notebook: NotebookValue | None,
        identity: str,
        turn: KeptTurn,
        *,
        title: str,
        by: str,
    ) -> None:
        """Keep a turn as it is now, in a conversation that is begun with it if there is none.

        Args:
            owner, notebook: whose.
            identity: of the conversation.
            turn: to keep in place of the one of its id; of its answer only the id counts.
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
            size = len(body.encode()) + len((answer or "").encode())
            if size > MAX_BYTES:
                raise RefusedError(
                    "That is more than is kept of one answer.", 413, code="answer_large"
                )
            row = _mine(connection, owner, notebook, identity)
            space = row.space if row else _space(owner, notebook)
            of = turns.c.space == space, turns.c.conversation == identity
            same = sa.select(turns.c.owner, turns.c.size).where(*of, turns.c.id == turn.id)
            before = connection.execute(same).first()
            if before is None and _count(connection, turns, *of) >= MOST:
                raise RefusedError(
                    f"There are {MOST} questions in this conversation. Begin another one.",
                    413,
                    code="conversation_full",
                    count=MOST,
                )
            if before and before.owner not in ("", owner):
                raise RefusedError(
                    "That question is another's: only who asked it keeps something else of it.",
                    403,
                    code="not_your_question",
                )
            check_room(connection, space, size - (before.size if before else 0))
            key = {"space": space, "id": identity}
            if row is None:
                begun = {"notebook": _id_of(notebook), "title": title, "named": False, "by": by}
                put_row(connection, conversations, key, {**begun, "updated": time.time() * 1000})
            else:
                new = {} if row.named else {"title": title}
                _update(connection, row, updated=time.time() * 1000, **new)
            values = {"asked": turn.asked, "size": size, "body": body}
            values |= {"owner": before.owner if before else owner}
            values |= {"answer": turn.answer and turn.answer.id}
            key = {"space": space, "conversation": identity, "id": turn.id}
            put_row(connection, turns, key, values)

    def remove_turns(
        self, owner: str, notebook: NotebookValue | None, identity: str, gone: Sequence[str]
    ) -> None:
        """Remove turns, which another question takes the place of; for a day their answers can be
        kept again."""
        with self._database.write() as connection:
            row = _there(connection, owner, notebook, identity, mine=True)
            of = turns.c.space == row.space, turns.c.conversation == identity, turns.c.id.in_(gone)
            named = sa.select(turns.c.answer).where(*of)
            connection.execute(
                sa.update(answers).where(answers.c.id.in_(named)).values(created=time.time())
            )
            connection.execute(sa.delete(turns).where(*of))

    def rename(self, owner: str, notebook: NotebookValue | None, identity: str, title: str) -> None:
        """Give one a name, which stays."""
        with self._database.write() as connection:
            row = _there(connection, owner, notebook, identity, mine=True)
            _update(connection, row, title=title, named=True)

    def delete(self, owner: str, notebook: NotebookValue | None, identity: str) -> None:
        """Delete one; for a while it can be had back."""
        with self._database.write() as connection:
            row = _there(connection, owner, notebook, identity, mine=True)
            _update(connection, row, deleted=time.time())

    def deleted(self, owner: str, notebook: NotebookValue | None) -> list[DeletedValue]:
        """Those that they may have back, whoever deleted them."""
        gone = conversations.c.deleted.isnot(None)
        with self._database.read() as connection:
            rows = connection.execute(
                sa.select(conversations).where(_within(owner, notebook), gone)
            ).all()
        return [
            DeletedValue(
                kind="conversation",
                id=row.id,
                title=row.title,
                notebook=row.notebook,
                deleted=row.deleted * 1000,
            )
            for row in rows
            if _value(row, owner, notebook).mine
        ]

    def restore(self, owner: str, notebook: NotebookValue | None, identity: str) -> None:
        """Have one back that was deleted."""
        with self._database.write() as connection:
            row = _there(connection, owner, notebook, identity, mine=True, deleted=True)
            _update(connection, row, deleted=None)


def check_room(connection: sa.Connection, space: str, more: int) -> None:
    """Go on only where so many bytes more may be kept in a space.

    Raises:
        RefusedError: they may not.
    """
    kept = sum(
        connection.scalar(sa.select(sa.func.sum(own.c.size)).where(own.c.space == space)) or 0
        for own in (turns, notes)
    )
    if more > 0 and kept + more > SPACE_BYTES:
        count = SPACE_BYTES // 1_000_000
        raise RefusedError(
            f"Conversations and notes are full: {count} megabytes are kept here. Delete some that "
            "you need no more; after a day there is room again.",
            413,
            code="kept_full",
            count=count,
        )


_TURNS = (
    sa.select(turns, answers.c.body.label("answer_body"))
    .outerjoin(answers, turns.c.answer == answers.c.id)
    .order_by(turns.c.asked, turns.c.id)
)


def _turn(row: Any) -> KeptTurn | None:
    turn = kept_in(KeptTurn, row.body)
    answer = answer_in(row.answer, row.answer_body)
    return turn.model_copy(update={"answer": answer}) if turn and answer else turn


def _as_answered(turn: KeptTurn, answer: str | None) -> KeptTurn:
    """A turn whose question and state are those of the answer that was given."""
    if turn.answer is None:
        if turn.state in _UNFINISHED:
            return turn
        raise MissingPathError("There is no answer with that question.", code="answer_gone")
    given = answer_in(turn.answer.id, answer)
    if given is None:
        return turn
    state = given.status or ("refused" if given.refused else "answered")
    return turn.model_copy(
        update={"question": given.question, "state": state, "sentences": [], "citations": []}
    )


def _there(
    connection: sa.Connection,
    owner: str,
    notebook: NotebookValue | None,
    identity: str,
    *,
    mine: bool = False,
    deleted: bool = False,
) -> Any:
    """The row of one; `mine`: that they may change; `deleted`: also one that was."""
    found = connection.execute(
        sa.select(conversations)
        .where(conversations.c.id == identity, _within(owner, notebook))
        .where(sa.true() if deleted else conversations.c.deleted.is_(None))
    ).all()
    if not found:
        raise MissingPathError(
            "That conversation is not here. It may have been deleted.", code="conversation_gone"
        )
    spaces = _spaces(owner, notebook)
    row = min(found, key=lambda own: spaces.index(own.space))
    if mine and row.space != owner and notebook and notebook.role == "read":
        raise RefusedError(
            f"The notebook {notebook.name} is shared with you to read. Ask in a "
            "conversation of your own.",
            403,
            code="read_only",
            name=notebook.name,
        )
    return row


def _mine(
    connection: sa.Connection, owner: str, notebook: NotebookValue | None, identity: str
) -> Any:
    """The same for who writes in it; None where one may be begun."""
    try:
        return _there(connection, owner, notebook, identity, mine=True)
    except MissingPathError:
        space = conversations.c.space == _space(owner, notebook)
        # One that is deleted, or in another notebook, is not begun anew.
        if _count(connection, conversations, space, conversations.c.id == identity):
            raise
    if _count(connection, conversations, space) >= MOST:
        raise RefusedError(
            f"There are {MOST} conversations. Delete one first.",
            413,
            code="conversations_full",
            count=MOST,
        )
    return None


def _count(connection: sa.Connection, table: sa.Table, *which: sa.ColumnElement[bool]) -> int:
    return connection.scalars(sa.select(sa.func.count()).select_from(table).where(*which)).one()


def _update(connection: sa.Connection, row: Any, **values: Any) -> None:
    same = conversations.c.space == row.space, conversations.c.id == row.id
    connection.execute(sa.update(conversations).where(*same).values(**values))


def _value(row: Any, owner: str, notebook: NotebookValue | None) -> ConversationValue:
    return ConversationValue(
        id=row.id,
        title=row.title,
        named=row.named,
        notebook=row.notebook,
        mine=row.space == owner or bool(notebook and notebook.role != "read"),
        by=row.by,
        updated=row.updated,
    )


def _id_of(notebook: NotebookValue | None) -> str | None:
    return notebook.id if notebook else None


def _space(owner: str, notebook: NotebookValue | None) -> str:
    """Where somebody begins a conversation."""
    return notebook.id if notebook and notebook.role != "read" else owner


def _spaces(owner: str, notebook: NotebookValue | None) -> list[str]:
    """Where somebody's conversations may be; in a notebook that is only theirs to read, those of
    their own are in their own space."""
    return [notebook.id, owner] if notebook else [owner]


def _within(owner: str, notebook: NotebookValue | None) -> sa.ColumnElement[bool]:
    spaces = conversations.c.space.in_(_spaces(owner, notebook))
    return sa.and_(spaces, conversations.c.notebook == _id_of(notebook))


def _told(turn: KeptTurn) -> dict[str, bool]:
    """A question and the sentences of its answer, and of each whether it cites what was read from a
    picture, and not surely."""
    if turn.answer is None:
        return {turn.question: False}
    unsure = {own.marker for own in turn.answer.citations if own.uncertain}
    sentences = {own.text: not unsure.isdisjoint(own.markers) for own in turn.answer.sentences}
    return {turn.question: False, **sentences}

"""The models of stored questions and answers, and how their rows are written and read.

These models are tolerant, unlike those that the API answers with: what an earlier version stored
has fewer fields, what a later one stores may have more, which stay.

A question or a note refers to its answer by id alone, which only those know who were given it: what
a browser says that an answer was is never stored as one. An answer that nothing refers to is
removed after a day, or sooner where there are too many (see `retention`).
"""

from __future__ import annotations

import logging
import secrets
import time
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar

import sqlalchemy as sa
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from assistant.answer import AnswerKind, Verdict
from assistant.calibration import Status
from assistant.schemas.base import Value
from index.database.kept_tables import answers, notebooks, notes, turns
from index.errors import Code, FootnoteError, MissingPathError, QuestionError, RefusedError

if TYPE_CHECKING:
    from assistant.schemas.answers import AnswerValue
    from index.database.database import Database

_logger = logging.getLogger(__name__)

MAX_BYTES = 700_000
"""Of a question with its answer, or of a note: what cites much has a tenth of it."""

MAX_OWNER_BYTES = 200_000_000
"""Of all conversations and notes of one owner, with those in their notebooks."""

MAX_ROWS = 2000
"""Conversations, and notes, that a space may hold, and turns of one conversation."""

#: A time that a browser tells, up to the year 9999.
Milliseconds = Annotated[float, Field(ge=0, le=253_402_300_799_000)]

Id = Annotated[str, Field(pattern=r"^[A-Za-z0-9-]{8,40}$", description="Chosen by who begins it.")]


class ForwardCompatible(BaseModel):
    """What an earlier page may have kept with less, and a later one with more."""

    model_config = ConfigDict(extra="allow")


class KeptRectangle(ForwardCompatible):
    """Where a line of a quote is printed; see `Rectangle`, which takes nothing else."""

    page: int
    left: float
    top: float
    right: float
    bottom: float


class KeptCitation(ForwardCompatible):
    """A citation of an answer that was given."""

    marker: int
    document: str
    document_id: str
    source: str = ""
    heading: list[str]
    paragraph: Annotated[int, Field(ge=1)]
    page: int | None = None
    locator: str = ""
    start: int
    end: int
    quote: str
    paragraph_start: int
    paragraph_end: int
    paragraph_text: str
    paragraph_kind: str = "prose"
    rectangles: list[KeptRectangle] = []
    uncertain: bool = False


class KeptSentence(ForwardCompatible):
    """A sentence of it."""

    text: str
    verdict: Verdict
    markers: list[int]
    conflicts: list[str] = []
    item: bool = False
    about: str = ""


class KeptAnswer(ForwardCompatible):
    """An answer that was given."""

    id: str = Field(default="", description="By which it is kept with a question or a note.")
    question: str
    standalone_question: str
    confidence: float | None = None
    kind: AnswerKind = "fact"
    status: Status | None = None
    refused: bool
    sentences: list[KeptSentence]
    citations: list[KeptCitation]
    closest: list[KeptCitation] = []
    unanswered: list[str] = []
    undecided: list[str] = []
    dropped: int = 0
    context: str = ""
    note: str | None = None

    @property
    def outcome(self) -> Status:
        """Its status, which the first versions did not keep."""
        return self.status or ("refused" if self.refused else "answered")


class KeptPassages(ForwardCompatible):
    """Passages that were found besides those of an answer."""

    searches: list[str] = []
    passages: list[KeptCitation]


class KeptTurn(ForwardCompatible):
    """A question, and what became of it."""

    id: Id
    question: Annotated[str, Field(min_length=1, max_length=20_000)]
    asked: float = Field(default=0, description="Milliseconds since 1970; turns are in this order.")
    state: Literal["answered", "unsure", "refused", "pending", "failed", "stopped"]
    answer: KeptAnswer | None = None
    sentences: list[KeptSentence] = []
    citations: list[KeptCitation] = []
    documents: list[str] = []
    further: list[KeptPassages] = []

    @property
    def shown(self) -> KeptAnswer:
        """Its answer, or what was shown of that before it was stopped."""
        return self.answer or KeptAnswer(
            question=self.question,
            standalone_question=self.question,
            refused=False,
            sentences=self.sentences,
            citations=self.citations,
        )


_Kept = TypeVar("_Kept", bound=ForwardCompatible)


def kept_in(kind: type[_Kept], body: str) -> _Kept | None:
    """The value of stored JSON; None where it cannot be read, which is logged."""
    try:
        return kind.model_validate_json(body)
    except ValidationError as error:
        _logger.warning("a %s cannot be read: %s", kind.__name__, error)
        return None


def json_of(value: ForwardCompatible) -> str:
    """The JSON that a question or a note is stored as, without its answer and unset fields.

    Raises:
        QuestionError: no JSON is this value, as of numbers without end, of halves of characters, or
            where it is nested too deep.
    """
    try:
        text = value.model_dump_json(exclude_unset=True, exclude={"answer"})
        type(value).model_validate_json(text)
    except ValueError as error:  # of which those of pydantic are
        raise QuestionError(
            "That cannot be kept: it is nested too deep, or holds half a character, or a number "
            "without end."
        ) from error
    return text


def size_of(body: str, answer: str | None, kept: str, code: Code) -> int:
    """Bytes of a question, or a note, with its answer.

    Raises:
        RefusedError: they are more than is kept; `kept` says as what.
    """
    size = len(body.encode()) + len((answer or "").encode())
    if size > MAX_BYTES:
        raise RefusedError(f"That is more than is kept {kept}.", 413, code=code)
    return size


def check_room(connection: sa.Connection, space: str, more: int) -> None:
    """Check that the owner of a space has room for so many bytes more.

    Raises:
        RefusedError: they have not.
    """
    of = sa.select(notebooks.c.owner).where(notebooks.c.id == space)
    owner = connection.scalar(of) or space
    theirs = sa.select(notebooks.c.id).where(notebooks.c.owner == owner)
    spaces = [owner, *connection.scalars(theirs)]
    kept = sum(
        connection.scalar(sa.select(sa.func.sum(table.c.size)).where(table.c.space.in_(spaces)))
        or 0
        for table in (turns, notes)
    )
    if more > 0 and kept + more > MAX_OWNER_BYTES:
        count = MAX_OWNER_BYTES // 1_000_000
        raise RefusedError(
            f"Conversations and notes are full: {count} megabytes are kept here and in all other "
            "notebooks of the same owner. Delete some that you need no more; after a day there is "
            "room again.",
            413,
            code="kept_full",
            count=count,
        )


def check_count(
    connection: sa.Connection,
    table: sa.Table,
    which: sa.ColumnElement[bool],
    there: str,
    code: Code,
) -> None:
    """Check that there are fewer than `MAX_ROWS` such rows.

    Raises:
        RefusedError: there are not; `there` says of what, and what to do.
    """
    count = sa.select(sa.func.count()).select_from(table).where(which)
    if connection.scalars(count).one() >= MAX_ROWS:
        message = f"There are {MAX_ROWS} {there}"
        raise RefusedError(message, 413, code=code, count=MAX_ROWS)


def keep_answer(database: Database, owner: str, answer: AnswerValue) -> str:
    """Store an answer that is given to somebody; its id, or "" where it could not be stored, which
    is logged: it is given all the same."""
    identity, body = secrets.token_hex(16), answer.model_dump_json(by_alias=True)
    row = {"id": identity, "created": time.time(), "body": body}
    row |= {"owner": owner, "size": len(body.encode())}
    try:
        with database.write() as connection:
            connection.execute(sa.insert(answers).values(**row))
    except FootnoteError as error:
        _logger.warning("an answer was given and not kept: %s", error)
        return ""
    return identity


def body_of(connection: sa.Connection, answer: KeptAnswer | None) -> str | None:
    """The JSON of the answer that has this one's id, whatever else it says; None of none.

    Raises:
        MissingPathError: there is no such answer.
    """
    if answer is None:
        return None
    found = connection.scalar(sa.select(answers.c.body).where(answers.c.id == answer.id))
    if found is None:
        raise MissingPathError(
            "The answer that was sent is not one that was given here, or was given more than a day "
            "ago and not kept. Ask again.",
            code="answer_gone",
        )
    body: str = found
    return body


def with_answers(table: sa.Table) -> sa.Select[Any]:
    """The rows of a table, each with the JSON of its answer; see `read_row`."""
    body = answers.c.body.label("answer_body")
    return sa.select(table, body).outerjoin(answers, table.c.answer == answers.c.id)


def read_row(kind: type[_Kept], row: sa.Row[Any]) -> _Kept | None:
    """A question or a note with its answer, of a row of `with_answers`; None where it cannot be
    read, which is logged."""
    answer = answer_in(row.answer, row.answer_body)
    value = kept_in(kind, row.body)
    return value.model_copy(update={"answer": answer}) if value else None


def answer_in(identity: str | None, body: str | None) -> KeptAnswer | None:
    """A kept answer; None where there is none, or it cannot be read, which is logged."""
    if identity is None or body is None:
        return None
    try:
        return KeptAnswer.model_validate_json(body).model_copy(update={"id": identity})
    except ValidationError as error:
        _logger.warning("the answer %s cannot be read: %s", identity, error)
        return None


class ConversationValue(Value):
    """A conversation, without its turns."""

    id: Id
    title: str
    named: bool = Field(description="Whether a person has named it.")
    notebook: str | None = Field(description="The notebook that it is in.")
    mine: bool = Field(
        description="Whether you may change it; in a notebook that is yours to read only those "
        "that you began."
    )
    by: str = Field(description="The login of who began it; nothing where nobody logs in.")
    updated: float = Field(description="Milliseconds since 1970.")
    pinned: bool = Field(description="Whether it comes first in lists that people are shown.")


class ConversationsValue(Value):
    """Conversations, without their turns."""

    conversations: list[ConversationValue] = Field(description="The newest first.")


class FoundValue(Value):
    """A question of a conversation in which words were found, or in its answer."""

    conversation: ConversationValue
    turn: Id
    question: str
    text: str = Field(description="The sentence that has them, or the question.")
    uncertain: bool = Field(
        default=False,
        description="Whether that sentence cites what was read from a picture, and not surely.",
    )


class FoundsValue(Value):
    """All of them."""

    found: list[FoundValue] = Field(description="Of the newest conversation first.")


class LapsedValue(Value):
    """What of a conversation's answers does not stand in the documents any more."""

    lapsed: dict[str, list[int]] = Field(
        description="By the turn's id, markers of the quotes that do not; of others nothing."
    )


class WholeConversation(ConversationValue):
    """A conversation with its turns."""

    turns: list[KeptTurn] = Field(description="In the order in which they were asked.")

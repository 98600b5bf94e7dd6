"""The answers that this server gave, by ids that only those know who were given them.

With a question or a note an answer is kept by its id alone: what a browser says that an answer was
is never kept as one. An answer that is kept with nothing is removed after a day (see `clearing`).
"""

from __future__ import annotations

import logging
import secrets
import time
from typing import TYPE_CHECKING

import sqlalchemy as sa
from pydantic import ValidationError

from assistant.service.tables import answers
from assistant.service.turns import KeptAnswer
from index.errors import FootnoteError, MissingPathError

if TYPE_CHECKING:
    from assistant.service.values import AnswerValue
    from index.database.database import Database

_logger = logging.getLogger(__name__)


def keep_answer(database: Database, answer: AnswerValue) -> str:
    """Keep an answer that is given; its id, or "" where it could not be kept, which is logged:
    whoever asked gets it all the same."""
    identity = secrets.token_hex(16)
    row = {"id": identity, "created": time.time(), "body": answer.model_dump_json(by_alias=True)}
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


def answer_in(identity: str | None, body: str | None) -> KeptAnswer | None:
    """A kept answer; None where there is none, or it cannot be read, which is logged."""
    if identity is None or body is None:
        return None
    try:
        return KeptAnswer.model_validate_json(body).model_copy(update={"id": identity})
    except ValidationError as error:
        _logger.warning("the answer %s cannot be read: %s", identity, error)
        return None

"""Readers' votes on answers, kept in the database as one JSON object each."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from index.database.columns import put_row
from index.database.database import Database
from index.database.kept_tables import feedback


def votes_in(database: Database) -> str:
    """Return all votes, the oldest first, one JSON line each.

    Raises:
        IndexUnusableError: the database cannot be read.
    """
    with database.read() as connection:
        rows = connection.execute(sa.select(feedback).order_by(feedback.c.added, feedback.c.id))
        return "".join(f"{row.vote}\n" for row in rows)


def put_vote(database: Database, owner: str, vote: dict[str, Any]) -> None:
    """Keep a vote in place of the reader's former one on the same question after the same
    conversation; a vote whose verdict is None only removes that one.

    Args:
        database: the database of an index.
        owner: the reader.
        vote: the fields of the line, among them `question`, `history` and `verdict`.

    Raises:
        IndexUnusableError: the database cannot be written.
    """
    asked = json.dumps([owner, vote["history"], vote["question"]])
    key = hashlib.sha256(asked.encode()).hexdigest()
    now = datetime.now(UTC)
    line = json.dumps({"time": now.isoformat(timespec="seconds")} | vote, ensure_ascii=False)
    with database.write() as connection:
        if vote["verdict"] is None:
            connection.execute(sa.delete(feedback).where(feedback.c.id == key))
        else:
            put_row(connection, feedback, {"id": key}, {"added": now.timestamp(), "vote": line})

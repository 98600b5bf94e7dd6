"""What was deleted and can still be restored: documents, conversations, notebooks, notes.

Each table keeps when its rows were deleted, and whoever lists things leaves those out. A document
is named in a table of its own. All of it is removed some time later, and so are answers that nobody
kept.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Literal

import sqlalchemy as sa
from pydantic import ConfigDict, Field

from assistant.schemas.base import Text, Value
from index.database.columns import put_row
from index.database.kept_tables import deleted_documents

if TYPE_CHECKING:
    from index.database.database import Database

RETENTION_SECONDS = 24 * 3600.0
"""For which what was deleted can be restored."""

MAX_TITLE = 120
"""Characters of a title."""


class DeletedValue(Value):
    """Something that you may have back."""

    model_config = ConfigDict(frozen=True)

    kind: Literal["document", "conversation", "notebook", "note"]
    id: str
    title: Text = Field(description="Its title; of a note the question, or what it quotes.")
    uncertain: bool = Field(
        default=False,
        description="Whether that is a quote that was read from a picture, and not surely.",
    )
    notebook: str | None = Field(
        default=None, description="The notebook that it is in, or that a document was taken out of."
    )
    deleted: float = Field(description="Milliseconds since 1970.")


class TrashValue(Value):
    """What you may have back."""

    model_config = ConfigDict(frozen=True)

    deleted: list[DeletedValue] = Field(description="What was deleted last first.")


class DeletedDocuments:
    """The documents that were deleted. May be used from many threads and processes."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self) -> dict[str, float]:
        """By id when each was deleted, in seconds since 1970."""
        with self._database.read() as connection:
            rows = connection.execute(sa.select(deleted_documents))
            return {row.id: row.deleted for row in rows}

    def put(self, identity: str) -> None:
        """Delete one."""
        with self._database.write() as connection:
            put_row(connection, deleted_documents, {"id": identity}, {"deleted": time.time()})

    def remove(self, identity: str) -> None:
        """One is not deleted, or gone for good."""
        same = deleted_documents.c.id == identity
        with self._database.write() as connection:
            connection.execute(sa.delete(deleted_documents).where(same))


def shortened(text: str) -> str:
    """A text in one line, as a title."""
    line = " ".join(text.split())
    return line if len(line) <= MAX_TITLE else f"{line[: MAX_TITLE - 1]}…"

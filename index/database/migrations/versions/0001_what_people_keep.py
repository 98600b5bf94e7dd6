"""What people keep: notebooks, conversations, notes, answers, keys and logins.

Revision ID: 0001
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

from index.database.tables import NAMING, ExactText, deleted, text, time

revision, down_revision = "0001", None

_tables = sa.MetaData(naming_convention=NAMING)


def upgrade() -> None:
    """Make the tables."""
    _tables.create_all(op.get_bind(), checkfirst=False)


def _table(name: str, *columns: sa.schema.SchemaItem) -> None:
    sa.Table(name, _tables, *columns)


def _of_notebook(**options: Any) -> sa.Column[str]:
    key = sa.ForeignKey("notebooks.id", ondelete="CASCADE")
    return sa.Column("notebook", ExactText, key, **options)


def _of_answer() -> sa.Column[str]:
    return sa.Column("answer", ExactText, sa.ForeignKey("answers.id"), index=True)


def _size() -> sa.Column[int]:
    return sa.Column("size", sa.Integer, nullable=False)


_table(
    "answers",
    text("id", primary_key=True),
    sa.Column("created", sa.Double, nullable=False, index=True),
    text("body"),
)
_table(
    "api_keys",
    text("digest", primary_key=True),
    text("name", unique=True),
    sa.Column("scopes", sa.JSON, nullable=False),
    text("created"),
    sa.Column("expires", ExactText),
)
_table("deleted_documents", text("id", primary_key=True), time("deleted"))
_table("feedback", text("id", primary_key=True), time("added"), text("vote"))
_table("login_secrets", text("name", primary_key=True), text("secret"))
_table(
    "notebooks",
    text("id", primary_key=True),
    text("name"),
    text("owner", index=True),
    text("login"),
    time("created"),
    deleted(),
)
_table("successors", text("former", primary_key=True), text("owner", index=True))
_table("taken_over", text("place", primary_key=True), time("at"))
_table(
    "conversations",
    text("space", primary_key=True),
    text("id", primary_key=True),
    _of_notebook(index=True),
    text("title"),
    sa.Column("named", sa.Boolean, nullable=False),
    text("by"),
    time("updated"),
    deleted(),
)
_table(
    "notebook_documents",
    _of_notebook(primary_key=True),
    text("document", primary_key=True, index=True),
    time("added"),
    sa.Column("taken", sa.Double),
)
_table(
    "notebook_shares",
    _of_notebook(primary_key=True),
    text("login", primary_key=True),
    text("owner", index=True),
    text("may"),
)
_table(
    "notes",
    text("space", primary_key=True),
    text("id", primary_key=True),
    _of_notebook(index=True),
    text("by"),
    time("created"),
    _size(),
    text("body"),
    _of_answer(),
    deleted(),
)
_table(
    "turns",
    text("space", primary_key=True),
    text("conversation", primary_key=True),
    text("id", primary_key=True),
    text("owner"),
    time("asked"),
    _size(),
    text("body"),
    _of_answer(),
    sa.ForeignKeyConstraint(
        ["space", "conversation"], ["conversations.space", "conversations.id"], ondelete="CASCADE"
    ),
)

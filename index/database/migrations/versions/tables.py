"""All tables: documents, their versions and paragraphs, and what people keep.

Revision ID: tables
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

from index.database.tables import NAMING, ExactText, deleted, text, time

revision, down_revision = "tables", None

_ROW = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

_tables = sa.MetaData(naming_convention=NAMING)


def upgrade() -> None:
    """Make the tables."""
    _tables.create_all(op.get_bind(), checkfirst=False)


def _table(name: str, *columns: sa.schema.SchemaItem, **options: Any) -> None:
    sa.Table(name, _tables, *columns, **options)


def _of_notebook(**options: Any) -> sa.Column[str]:
    key = sa.ForeignKey("notebooks.id", ondelete="CASCADE")
    return sa.Column("notebook", ExactText, key, **options)


def _of_answer() -> sa.Column[str]:
    return sa.Column("answer", ExactText, sa.ForeignKey("answers.id"), index=True)


def _number(name: str, kind: type[sa.types.TypeEngine[int]] = sa.Integer) -> sa.Column[int]:
    return sa.Column(name, kind, nullable=False)


_table(
    "answers",
    text("id", primary_key=True),
    sa.Column("created", sa.Double, nullable=False, index=True),
    text("body"),
    text("owner", server_default=""),
    sa.Column("size", sa.Integer, nullable=False, server_default="0"),
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
_table(
    "conversations",
    text("space", primary_key=True),
    text("id", primary_key=True),
    _of_notebook(index=True),
    text("title"),
    sa.Column("named", sa.Boolean, nullable=False),
    text("by"),
    time("updated"),
    sa.Column("pinned", sa.Boolean, nullable=False, server_default=sa.false()),
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
    _number("size"),
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
    _number("size"),
    text("body"),
    _of_answer(),
    sa.ForeignKeyConstraint(
        ["space", "conversation"], ["conversations.space", "conversations.id"], ondelete="CASCADE"
    ),
)
_table("counters", text("name", primary_key=True), _number("value", sa.BigInteger))
_table(
    "files",
    text("content", primary_key=True),
    text("part", primary_key=True),
    sa.Column("piece", sa.Integer, primary_key=True),
    text("hash"),
    time("since"),
    sa.Column("data", sa.LargeBinary, nullable=False),
)
_table(
    "generations",
    sa.Column("number", sa.Integer, primary_key=True),
    text("fingerprint"),
    sa.Column("whole", sa.Boolean, nullable=False),
)
_table(
    "paragraphs",
    sa.Column("row", _ROW, primary_key=True),
    text("id", index=True),
    text("text"),
    text("spans"),
    text("context", server_default=""),
    _number("sentences"),
    _number("position", sa.BigInteger),
    _number("state", sa.SmallInteger),
    sa.Column("unused", sa.Double),
    sa.Column("graph", sa.Integer),
    sa.Index(
        "ix_paragraphs_state",
        "state",
        sqlite_where=sa.text("state <> 1"),
        postgresql_where=sa.text("state <> 1"),
    ),
    sqlite_autoincrement=True,
)
_table(
    "versions",
    sa.Column("row", _ROW, primary_key=True),
    text("document", index=True),
    *map(text, ("hash", "title", "text_hash", "reading")),
    sa.Column("kept", sa.Boolean, nullable=False),
    *map(text, ("content", "language", "metadata")),
    _number("bytes", sa.BigInteger),
    _number("pages"),
    _number("unread"),
    text("added"),
    text("gaps"),
    sa.Column("pending", sa.Double, index=True),
    sqlite_autoincrement=True,
)
_table(
    "documents",
    text("id", primary_key=True),
    text("source"),
    text("custom_title", server_default=""),
    sa.Column("version", _ROW, sa.ForeignKey("versions.row"), nullable=False, unique=True),
)
_table(
    "places",
    sa.Column("version", _ROW, sa.ForeignKey("versions.row", ondelete="CASCADE"), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("paragraph", _ROW, sa.ForeignKey("paragraphs.row"), nullable=False, index=True),
    text("heading"),
    sa.Column("page", sa.Integer),
    _number("start", sa.BigInteger),
    _number("end", sa.BigInteger),
    text("locator"),
    text("kind"),
    sa.Column("ocr_confidence", sa.Double),
    sa.Column("lead", ExactText),
)

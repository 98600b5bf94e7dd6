"""Documents, their versions and paragraphs.

Revision ID: 0002
"""

import sqlalchemy as sa
from alembic import op

from index.database.tables import NAMING, ExactText, text, time

revision, down_revision = "0002", "0001"

_ROW = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

_tables = sa.MetaData(naming_convention=NAMING)


def upgrade() -> None:
    """Make the tables."""
    _tables.create_all(op.get_bind(), checkfirst=False)


def _number(name: str, kind: type[sa.types.TypeEngine[int]] = sa.Integer) -> sa.Column[int]:
    return sa.Column(name, kind, nullable=False)


sa.Table("counters", _tables, text("name", primary_key=True), _number("value", sa.BigInteger))
sa.Table(
    "files",
    _tables,
    text("content", primary_key=True),
    text("part", primary_key=True),
    sa.Column("piece", sa.Integer, primary_key=True),
    text("hash"),
    time("since"),
    sa.Column("data", sa.LargeBinary, nullable=False),
)
sa.Table(
    "generations",
    _tables,
    sa.Column("number", sa.Integer, primary_key=True),
    text("fingerprint"),
    sa.Column("whole", sa.Boolean, nullable=False),
)
sa.Table(
    "paragraphs",
    _tables,
    sa.Column("row", _ROW, primary_key=True),
    text("id", index=True),
    text("text"),
    text("spans"),
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
sa.Table(
    "versions",
    _tables,
    sa.Column("row", _ROW, primary_key=True),
    text("document", index=True),
    *map(text, ("hash", "title", "text_hash", "reading")),
    sa.Column("kept", sa.Boolean, nullable=False),
    *map(text, ("content", "language", "imprint")),
    _number("bytes", sa.BigInteger),
    _number("pages"),
    _number("unread"),
    text("added"),
    sa.Column("own", ExactText),
    text("gaps"),
    sa.Column("pending", sa.Double, index=True),
    sqlite_autoincrement=True,
)
sa.Table(
    "documents",
    _tables,
    text("id", primary_key=True),
    text("source"),
    sa.Column("version", _ROW, sa.ForeignKey("versions.row"), nullable=False, unique=True),
)
sa.Table(
    "places",
    _tables,
    sa.Column("version", _ROW, sa.ForeignKey("versions.row", ondelete="CASCADE"), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("paragraph", _ROW, sa.ForeignKey("paragraphs.row"), nullable=False, index=True),
    text("heading"),
    sa.Column("page", sa.Integer),
    _number("start", sa.BigInteger),
    _number("end", sa.BigInteger),
    text("locator"),
    text("kind"),
    sa.Column("certainty", sa.Double),
)

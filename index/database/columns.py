"""What all tables of the database are made of, and the one that names their revision."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine.interfaces import Dialect

#: What PostgreSQL cannot hold in a text (U+0000), what UTF-8 cannot (half a surrogate pair), and
#: the sign by which this type tells that it has written a text otherwise.
_SPECIAL = re.compile("\x00|[\ud800-\udfff]|^\x01")


class ExactText(sa.types.TypeDecorator[str]):
    """Any text of Python, to the character, ordered by code point in every database.

    A text that a database could not hold is kept as U+0001 and its JSON in ASCII.
    """

    impl = sa.Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> sa.types.TypeEngine[Any]:
        """By code point: PostgreSQL would order by the language of the server."""
        collation = "C" if dialect.name == "postgresql" else None
        return dialect.type_descriptor(sa.Text(collation=collation))

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        """What is written."""
        if value is None or not _SPECIAL.search(value):
            return value
        return "\x01" + json.dumps(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> str | None:  # noqa: ARG002
        """What was written."""
        text: str | None = value
        if text is not None and text.startswith("\x01"):
            text = json.loads(text[1:])
        return text


#: How indexes and constraints are named.
NAMING = {
    "ix": "ix_%(column_0_label)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
    "uq": "uq_%(table_name)s_%(column_0_name)s",
}

#: All tables: see `document_tables` and `kept_tables`.
metadata = sa.MetaData(naming_convention=NAMING)

#: Names the revision of the tables, in one row. It has the name that it had when Alembic made it.
revisions = sa.Table(
    "alembic_version", metadata, sa.Column("version_num", sa.String(32), primary_key=True)
)


def reflected(connection: sa.Connection) -> list[sa.Table]:
    """All tables of a database but that of the revision, those first that others name."""
    found = sa.MetaData()
    found.reflect(connection)
    tables = [table for table in found.sorted_tables if table.name != revisions.name]
    for column in (column for table in tables for column in table.columns):
        if isinstance(column.type, sa.Text):
            column.type = ExactText()
    return tables


def put_row(
    connection: sa.Connection, table: sa.Table, key: Mapping[str, Any], values: Mapping[str, Any]
) -> None:
    """Put a row in place of the one of this key, in a transaction that writes."""
    same = [table.c[name] == value for name, value in key.items()]
    if not connection.execute(sa.update(table).where(*same).values(**values)).rowcount:
        connection.execute(sa.insert(table).values(**key, **values))


def text(name: str, *rest: sa.schema.SchemaItem, **options: object) -> sa.Column[str]:
    """A column of text that is always there."""
    return sa.Column(name, ExactText, *rest, nullable=False, **options)  # type: ignore[arg-type]


def time(name: str) -> sa.Column[float]:
    """A column of seconds since 1970, always there."""
    return sa.Column(name, sa.Double, nullable=False)


def deleted() -> sa.Column[float | None]:
    """When a row was deleted, in seconds since 1970; NULL while it is there. It can be restored for
    a day."""
    return sa.Column("deleted", sa.Double)

"""What all tables of the database are made of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from index.database.types import ExactText

#: The tables of `index`, and those of `assistant` (see `assistant.service.tables`), which may name
#: rows of these.
metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(column_0_label)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
    }
)


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


#: From where what a former version kept has been taken over: "folder" or "server"; see `former`.
taken_over = sa.Table("taken_over", metadata, text("place", primary_key=True), time("at"))

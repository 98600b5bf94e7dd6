"""Column types that both databases hold alike."""

from __future__ import annotations

import json
import re
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

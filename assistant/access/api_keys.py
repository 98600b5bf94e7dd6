"""API keys for programs, stored with the index as hashes only: whoever reads the index cannot use
them.

A key is 256 random bits. Nobody can try so many, so a plain sha256 of it will do; salt and a slow
hash are for passwords, which people choose.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, get_args

import sqlalchemy as sa

from index.database.columns import put_row
from index.database.database import Database
from index.database.document_tables import counters
from index.database.kept_tables import api_keys
from index.errors import SettingsError

#: `ask`: ask, search and read. `write`: change what is its own: documents, notebooks,
#: conversations, notes. `metrics`: read `/metrics`.
Scope = Literal["ask", "write", "metrics"]
SCOPES: tuple[Scope, ...] = get_args(Scope)

REVOKED = "keys_revoked"
"""The counter that says that there was a key, once it was revoked."""

_NAME = re.compile(r"[A-Za-z0-9._-]{1,64}")


@dataclass(frozen=True, slots=True)
class ApiKey:
    """An API key, without its secret.

    Attributes:
        name: whose it is; what it adds belongs to this name.
        scopes: what it may.
        created: when it was made.
        expires: from when on it lets nobody in; None if it always does.
    """

    name: str
    scopes: tuple[Scope, ...]
    created: datetime
    expires: datetime | None

    @property
    def is_over(self) -> bool:
        """Whether it has expired."""
        return self.expires is not None and datetime.now(UTC) >= self.expires

    def to_dict(self) -> dict[str, Any]:
        """As plain values, ready for JSON."""
        return {
            "name": self.name,
            "scopes": list(self.scopes),
            "created": self.created.isoformat(timespec="seconds"),
            "expires": None if self.expires is None else self.expires.isoformat(timespec="seconds"),
        }

    @classmethod
    def of(cls, row: Any) -> ApiKey:
        """The one that a row keeps."""
        return cls(
            row.name,
            tuple(scope for scope in SCOPES if scope in row.scopes),
            datetime.fromisoformat(row.created),
            None if row.expires is None else datetime.fromisoformat(row.expires),
        )


class Keys:
    """The keys of an index. What one process makes or revokes, all others know at once.

    Args:
        database: where they are kept, each by the sha256 of its characters.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def create(self, name: str, scopes: Sequence[str], expires: datetime | None = None) -> str:
        """Make a key, which is known to nobody but who gets it from here.

        Args:
            name: whose it is: letters, digits, `.`, `_` and `-`.
            scopes: what it may.
            expires: from when on it lets nobody in.

        Raises:
            SettingsError: there is one of that name, or the name or the scopes are none.
        """
        if not _NAME.fullmatch(name):
            raise SettingsError(
                f"{name!r} cannot name a key. Take up to 64 letters, digits, dots, _ and -."
            )
        if not scopes:
            raise SettingsError(f"A key needs a scope. Give one: --scope {SCOPES[0]}")
        for scope in set(scopes).difference(SCOPES):
            raise SettingsError(f"There is no scope {scope!r}. There are: {', '.join(SCOPES)}.")
        key = f"fn_{secrets.token_urlsafe(32)}"
        made = ApiKey(name, tuple(s for s in SCOPES if s in scopes), datetime.now(UTC), expires)
        same = sa.select(api_keys.c.name).where(api_keys.c.name == name)
        with self._database.write() as connection:
            if connection.execute(same).first():
                raise SettingsError(
                    f"There is a key named {name} already. Choose another name, or run first: "
                    f"footnote keys revoke {name}"
                )
            row = {**made.to_dict(), "digest": digest(key)}
            connection.execute(sa.insert(api_keys).values(**row))
        return key

    def find(self, key: str) -> ApiKey | None:
        """What is known of a key; None of one that is not known, or was revoked."""
        same = sa.select(api_keys).where(api_keys.c.digest == digest(key))
        with self._database.read() as connection:
            row = connection.execute(same).first()
        return ApiKey.of(row) if row else None

    def all(self) -> list[ApiKey]:
        """All of them, by name."""
        with self._database.read() as connection:
            rows = connection.execute(sa.select(api_keys).order_by(api_keys.c.name))
            return [ApiKey.of(row) for row in rows]

    def exist(self) -> bool:
        """Whether there is any, or was: that the last one was revoked lets nobody in without."""
        there = sa.select(api_keys.c.name)
        was = sa.select(counters.c.name).where(counters.c.name == REVOKED)
        with self._database.read() as connection:
            return connection.execute(there.union_all(was).limit(1)).first() is not None

    def revoke(self, name: str) -> None:
        """Let nobody in by the key of that name any more.

        Raises:
            SettingsError: there is none.
        """
        with self._database.write() as connection:
            gone = sa.delete(api_keys).where(api_keys.c.name == name)
            if connection.execute(gone).rowcount:
                put_row(connection, counters, {"name": REVOKED}, {"value": 1})
                return
        known = ", ".join(key.name for key in self.all()) or "none"
        raise SettingsError(f"There is no key named {name}. There are: {known}.")


def digest(secret: str) -> str:
    """sha256 of what a key or an owner is told by, hexadecimal: as `index.models.text_hash`, which
    takes numpy to load, and each command would."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()

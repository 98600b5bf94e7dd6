"""Keys that let programs in, kept beside the index and only as what is made of them: whoever reads
the index cannot use them.

A key is 256 bits from the system's source of chance. Nobody can go through so many, so a plain
sha256 of it is as good as kept secret; salt and a slow hash are for passwords, which people choose.
"""

from __future__ import annotations

import hashlib
import json
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal, get_args

from index.errors import IndexCorruptedError, SettingsError

if TYPE_CHECKING:
    from index.store.records import Records

#: `ask`: ask, search and read. `write`: add, replace and remove documents of its own. `metrics`:
#: read `/metrics`.
Scope = Literal["ask", "write", "metrics"]
SCOPES: tuple[Scope, ...] = get_args(Scope)

KIND = "keys"
"""The records that keys are."""

_NAME = re.compile(r"[A-Za-z0-9._-]{1,64}")


@dataclass(frozen=True, slots=True)
class ApiKey:
    """What is known of a key.

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
    def of(cls, text: str) -> ApiKey:
        """The one that is kept as this text.

        Raises:
            IndexCorruptedError: it is none.
        """
        try:
            found = json.loads(text)
            expires = found["expires"]
            return cls(
                str(found["name"]),
                tuple(scope for scope in SCOPES if scope in found["scopes"]),
                datetime.fromisoformat(found["created"]),
                None if expires is None else datetime.fromisoformat(expires),
            )
        except (ValueError, KeyError, TypeError) as error:
            raise IndexCorruptedError(
                "A key that is kept beside the index cannot be read. Make the keys anew: `footnote "
                "keys revoke`, then `footnote keys create`."
            ) from error


class Keys:
    """The keys of an index. What one process makes or revokes, all others know at once.

    Args:
        records: where they are kept, each under the sha256 of its characters.
    """

    def __init__(self, records: Records) -> None:
        self._records = records

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
        if any(key.name == name for key in self.all()):
            raise SettingsError(
                f"There is a key named {name} already. Choose another name, or run first: footnote "
                f"keys revoke {name}"
            )
        key = f"fn_{secrets.token_urlsafe(32)}"
        made = ApiKey(name, tuple(s for s in SCOPES if s in scopes), datetime.now(UTC), expires)
        self._records.put(digest(key), json.dumps(made.to_dict()))
        return key

    def find(self, key: str) -> ApiKey | None:
        """What is known of a key; None of one that is not known, or was revoked."""
        text = self._records.get(digest(key))
        return None if text is None else ApiKey.of(text)

    def all(self) -> list[ApiKey]:
        """All of them, by name."""
        return sorted(map(ApiKey.of, self._records.all().values()), key=lambda key: key.name)

    def exist(self) -> bool:
        """Whether there is any."""
        return bool(self._records.all())

    def revoke(self, name: str) -> None:
        """Let nobody in by the key of that name any more.

        Raises:
            SettingsError: there is none.
        """
        named = [n for n, text in self._records.all().items() if ApiKey.of(text).name == name]
        if not named:
            known = ", ".join(key.name for key in self.all()) or "none"
            raise SettingsError(f"There is no key named {name}. There are: {known}.")
        for record in named:
            self._records.delete(record)


def digest(secret: str) -> str:
    """sha256 of what a key or an owner is told by, hexadecimal: as `index.models.text_hash`, which
    takes numpy to load, and each command would."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()

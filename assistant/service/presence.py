"""Who is there, whichever process they came to."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from index.store.records import Records

AWAY = 30 * 60.0
"""Seconds without a sign of life after which somebody's documents are removed."""


class Presence:
    """Those who are there. May be used from many threads.

    Args:
        leases: when each gave a sign of life, in seconds since 1970.
    """

    def __init__(self, leases: Records) -> None:
        self._leases = leases

    def note(self, owner: str) -> None:
        """Somebody gives a sign of life."""
        self._leases.put(owner, str(time.time()))

    def here(self) -> set[str]:
        """Who has not been away; who has is forgotten."""
        now, here = time.time(), set()
        for owner, seen in self._leases.all().items():
            if now - float(seen) < AWAY:
                here.add(owner)
            else:
                self._leases.delete(owner)
        return here

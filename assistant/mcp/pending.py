"""A service that is there, or whose assistant is still being opened while clients are answered."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from typing import TYPE_CHECKING

import anyio

if TYPE_CHECKING:
    from assistant.service.service import Service

POLL = 0.1
"""Seconds between looks at whether the documents are there."""


class PendingService(Future["Service"]):
    """A service that is there, or whose assistant is still being opened, from any thread.

    Attributes:
        progress: how many paragraphs were indexed so far, and of how many.
    """

    progress = 0, 0

    def step(self, done: int, total: int) -> None:
        """Take note of how many paragraphs are indexed, and of how many in all."""
        self.progress = done, total

    async def service(
        self, report: Callable[[float, float | None, str], Awaitable[None]] | None = None
    ) -> Service:
        """The service, once it is there.

        Args:
            report: called with (paragraphs done, paragraphs in all, a word about it) as it goes on.

        Raises:
            FootnoteError: it cannot be opened.
        """
        reported = -1
        while not self.done():
            done, total = self.progress
            if report and done > reported:
                reported = done
                await report(done, total or None, "The documents are being indexed")
            await anyio.sleep(POLL)
        return self.result()

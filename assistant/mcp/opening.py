"""A service that is there, or whose assistant is still being opened while clients are answered."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from typing import TYPE_CHECKING, Self

import anyio

from index.errors import FootnoteError

if TYPE_CHECKING:
    from assistant.service.service import Service

LOOK = 0.1
"""Seconds between looks at whether the documents are there."""


class Opening:
    """A service that is there, or whose assistant is still being opened, from any thread."""

    def __init__(self) -> None:
        self._opened: Future[Service] = Future()
        self._done = self._total = 0

    @classmethod
    def of(cls, service: Service) -> Self:
        """One that is there."""
        opening = cls()
        opening.end(service)
        return opening

    def step(self, done: int, total: int) -> None:
        """Take note of how many paragraphs are indexed, and of how many in all."""
        self._done, self._total = done, total

    def end(self, service: Service) -> None:
        """It is there."""
        self._opened.set_result(service)

    def fail(self, error: FootnoteError) -> None:
        """It cannot be opened: who waits for it is told."""
        self._opened.set_exception(error)

    @property
    def is_over(self) -> bool:
        """Whether it is there, or cannot be opened."""
        return self._opened.done()

    async def service(
        self, tell: Callable[[float, float | None, str], Awaitable[None]] | None = None
    ) -> Service:
        """The service, once it is there.

        Args:
            tell: called with (paragraphs done, paragraphs in all, a word about it) as it goes on.

        Raises:
            FootnoteError: it cannot be opened.
        """
        told = -1
        while not self._opened.done():
            if tell and self._done > told:
                told = self._done
                await tell(told, self._total or None, "The documents are being indexed")
            await anyio.sleep(LOOK)
        return self._opened.result()

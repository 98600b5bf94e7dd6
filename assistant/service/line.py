"""The line that questions stand in, through whichever door they come: some are answered at once,
the others wait, and more than that are sent away.

Who has the fewest questions being answered comes first, so that one program with a hundred of them
holds up nobody else.
"""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import Future
from contextlib import asynccontextmanager, contextmanager

from index.errors import RefusedError

RETRY = 5
"""Seconds after which there may be room again."""


class Line:
    """May be used from threads and from coroutines, of any event loop.

    Args:
        at_once: questions that are answered at the same time.
        most: questions that wait at most.
    """

    def __init__(self, at_once: int, most: int) -> None:
        self._at_once = at_once
        self._most = most
        self._waiting: list[tuple[str, Future[None]]] = []  # first come, first
        self._running: Counter[str] = Counter()
        self._guard = threading.Lock()

    @property
    def waiting(self) -> int:
        """Questions that wait."""
        return len(self._waiting)

    @property
    def running(self) -> int:
        """Questions that are being answered."""
        return self._running.total()

    @contextmanager
    def place(self, owner: str) -> Iterator[None]:
        """Answer a question inside a `with`, when its turn has come.

        Args:
            owner: whose it is.

        Raises:
            RefusedError: too many wait already.
        """
        turn = self._join(owner)
        try:
            turn.result()
            yield
        finally:
            self._leave(owner, turn)

    @asynccontextmanager
    async def place_async(self, owner: str) -> AsyncIterator[None]:
        """The same in a coroutine."""
        turn = self._join(owner)
        try:
            await asyncio.wrap_future(turn)
            yield
        finally:
            self._leave(owner, turn)

    def _join(self, owner: str) -> Future[None]:
        turn: Future[None] = Future()
        with self._guard:
            if len(self._waiting) >= self._most and self.running >= self._at_once:
                raise RefusedError(
                    f"{len(self._waiting)} questions are waiting already. Ask this one again in "
                    f"{RETRY} seconds.",
                    503,
                    RETRY,
                )
            self._waiting.append((owner, turn))
            self._let_in()
        return turn

    def _leave(self, owner: str, turn: Future[None]) -> None:
        with self._guard:
            if (owner, turn) in self._waiting:  # given up before its turn
                self._waiting.remove((owner, turn))
            else:
                self._running[owner] -= 1
                if not self._running[owner]:
                    del self._running[owner]
            self._let_in()

    def _let_in(self) -> None:
        while self._waiting and self.running < self._at_once:
            entry = min(self._waiting, key=lambda waiting: self._running[waiting[0]])
            self._waiting.remove(entry)
            owner, turn = entry
            self._running[owner] += 1
            if turn.set_running_or_notify_cancel():  # one that was given up leaves by itself
                turn.set_result(None)

"""The queue of questions from all interfaces: some are answered at once, others wait, and the rest
are turned away.

A client is somebody who cannot pose as several: a login, a key, or else an address. Whoever has the
fewest questions being answered comes first, and of these whoever has waited longest since one of
theirs was, so that one client with a hundred of them holds up nobody else. Where too many wait, the
client with the most waiting loses its last one: nobody is turned away while another has more.
Within a client the same holds between the owners that it names, such as browsers behind one
address.
"""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field

from index.errors import RefusedError

RETRY = 5
"""Seconds after which there may be room again."""


@dataclass(frozen=True, slots=True, eq=False)
class Waiter:
    """A question in the queue; `come` is done when it may be answered."""

    client: str
    owner: str
    idle: bool
    share: int | None
    come: Future[None] = field(default_factory=Future)


class FairQueue:
    """May be used from threads and from coroutines, of any event loop.

    Args:
        at_once: questions that are answered at the same time.
        max_waiting: questions that wait at most.
    """

    def __init__(self, at_once: int, max_waiting: int) -> None:
        self._at_once = at_once
        self._max_waiting = max_waiting
        self._waiting: list[Waiter] = []  # first come, first
        self._running: list[Waiter] = []
        self._admitted = 0
        #: Of clients and owners that are here: when one of theirs was let in last.
        self._last: dict[str | tuple[str, str], int] = {}
        self._guard = threading.Lock()

    @property
    def waiting(self) -> int:
        """Questions that wait."""
        return len(self._waiting)

    @property
    def running(self) -> int:
        """Questions that are being answered."""
        return len(self._running)

    @contextmanager
    def place(self, client: str, owner: str = "", *, idle: bool = False) -> Iterator[None]:
        """Answer a question inside a `with`, when its turn has come.

        Args:
            client: whose it is.
            owner: who of this client's, as it says itself.
            idle: nobody waits for it: its turn comes when no other question waits.

        Raises:
            RefusedError: too many wait already, and none has more of them than this client.
        """
        with self.joined(client, owner, idle=idle) as turn:
            turn.come.result()
            yield

    @asynccontextmanager
    async def place_async(self, client: str, owner: str = "") -> AsyncIterator[None]:
        """The same in a coroutine."""
        with self.joined(client, owner) as turn:
            await asyncio.wrap_future(turn.come)
            yield

    @contextmanager
    def joined(
        self, client: str, owner: str = "", *, idle: bool = False, share: int | None = None
    ) -> Iterator[Waiter]:
        """Stand in the queue inside a `with`, for whoever wants to see how it moves; see `place`.

        Args:
            client, owner, idle: see `place`.
            share: with so many of this owner's being answered it goes on waiting.
        """
        turn = Waiter(client, owner, idle, share)
        try:
            self._join(turn)
            yield turn
        finally:
            self._leave(turn)

    def before(self, turn: Waiter) -> int:
        """How many questions have to be answered before this one's turn comes, as things stand:
        where it waits at least one, which is being answered."""
        with self._guard:
            order = sorted(self._waiting, key=_rank(self._running, self._last))
            return order.index(turn) + 1 if turn in order else 0

    def _join(self, turn: Waiter) -> None:
        with self._guard:
            self._waiting.append(turn)
            self._let_in()
            if len(self._waiting) > self._max_waiting:
                last = max(reversed(self._waiting), key=_rank(self._waiting))
                self._waiting.remove(last)
                if last.come.set_running_or_notify_cancel():
                    waiting = f"{len(self._waiting)} questions are waiting already."
                    told = f"{waiting} Ask this one again in {RETRY} seconds."
                    error = RefusedError(told, 503, RETRY, code="busy", count=RETRY)
                    last.come.set_exception(error)

    def _leave(self, turn: Waiter) -> None:
        with self._guard:
            for turns in (self._waiting, self._running):
                if turn in turns:
                    turns.remove(turn)
            here = [*self._waiting, *self._running]
            if not any(other.client == turn.client for other in here):
                self._last.pop(turn.client, None)
            if not any(_owner_of(other) == _owner_of(turn) for other in here):
                self._last.pop(_owner_of(turn), None)
            self._let_in()

    def _let_in(self) -> None:
        while self.running < self._at_once:
            owners = Counter(map(_owner_of, self._running))
            may = [t for t in self._waiting if t.share is None or owners[_owner_of(t)] < t.share]
            if not may:
                return
            turn = min(may, key=_rank(self._running, self._last))
            self._waiting.remove(turn)
            self._running.append(turn)
            self._admitted += 1
            self._last[turn.client] = self._last[_owner_of(turn)] = self._admitted
            if turn.come.set_running_or_notify_cancel():  # one that was given up leaves by itself
                turn.come.set_result(None)


def _owner_of(turn: Waiter) -> tuple[str, str]:
    return turn.client, turn.owner


def _rank(
    turns: Sequence[Waiter], last: Mapping[str | tuple[str, str], int] | None = None
) -> Callable[[Waiter], tuple[bool, int, int, int, int]]:
    """Ranks questions by how many of these their client has, and when one of its was let in last;
    then by the same of their owner; idle ones last."""
    clients = Counter(turn.client for turn in turns)
    owners = Counter(map(_owner_of, turns))
    last = last or {}
    return lambda turn: (
        turn.idle,
        clients[turn.client],
        last.get(turn.client, 0),
        owners[_owner_of(turn)],
        last.get(_owner_of(turn), 0),
    )

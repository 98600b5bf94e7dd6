"""The line that questions stand in."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from helpers import PATIENCE

from assistant.service.line import Line
from index.errors import RefusedError


def test_no_more_are_answered_at_once_than_may_be_and_all_are() -> None:
    line, guard = Line(3, 100), threading.Lock()
    now, most = 0, 0

    def answer(number: int) -> None:
        nonlocal now, most
        with line.place(f"owner {number % 5}"):
            with guard:
                now += 1
                most = max(most, now)
            threading.Event().wait(0.002)
            with guard:
                now -= 1

    with ThreadPoolExecutor(20) as pool:
        list(pool.map(answer, range(80), timeout=PATIENCE))
    assert most == 3
    assert (line.running, line.waiting) == (0, 0)


def test_who_has_fewest_comes_first_and_of_these_who_came_first() -> None:
    line, order = Line(2, 100), list[str]()

    async def ask(owner: str, done: asyncio.Event) -> None:
        async with line.place_async(owner):
            order.append(owner)
            await done.wait()

    async def all_of_them() -> None:
        first, second, rest = asyncio.Event(), asyncio.Event(), asyncio.Event()
        rest.set()
        held = [asyncio.create_task(ask("greedy", done)) for done in (first, second)]
        await asyncio.sleep(0)
        others = []
        for owner in ("greedy", "greedy", "ann", "ben"):
            others.append(asyncio.create_task(ask(owner, rest)))
            await asyncio.sleep(0)
        assert (line.running, line.waiting) == (2, 4)
        first.set()
        await asyncio.gather(*others)
        second.set()
        await asyncio.gather(*held)

    asyncio.run(asyncio.wait_for(all_of_them(), PATIENCE))
    assert order == ["greedy", "greedy", "ann", "ben", "greedy", "greedy"]


def test_more_than_may_wait_are_sent_away_and_told_when_to_come_again() -> None:
    line, answered = Line(1, 1), threading.Event()

    def wait() -> None:
        with line.place("ben"):
            answered.set()

    waiting = threading.Thread(target=wait)
    with line.place("ann"):
        waiting.start()
        while not line.waiting:
            threading.Event().wait(0.01)
        with pytest.raises(RefusedError, match="Ask this one again") as refused, line.place("eve"):
            pass
        assert (refused.value.status, refused.value.retry_after) == (503, 5)
        assert not answered.is_set()
    assert answered.wait(PATIENCE), "whoever waited is let in"
    waiting.join(PATIENCE)


def test_who_gives_up_waiting_leaves_no_gap() -> None:
    line = Line(1, 10)

    async def give_up() -> None:
        async def wait() -> None:
            async with line.place_async("ben"):
                raise AssertionError("it was given up")

        async with line.place_async("ann"):
            waiting = asyncio.create_task(wait())
            while not line.waiting:
                await asyncio.sleep(0)
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
            assert (line.running, line.waiting) == (1, 0)
        async with line.place_async("eve"):
            assert line.running == 1

    asyncio.run(asyncio.wait_for(give_up(), PATIENCE))
    assert (line.running, line.waiting) == (0, 0)

"""The line that questions stand in."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from helpers import PATIENCE
from hypothesis import example, given
from hypothesis import strategies as st

from assistant.access.fair_queue import FairQueue
from index.errors import RefusedError


def test_who_has_fewest_comes_first_and_of_these_who_came_first() -> None:
    line, order = FairQueue(2, 100), list[str]()

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


def test_where_one_is_answered_at_a_time_clients_take_turns_and_so_do_their_owners() -> None:
    line, order = FairQueue(1, 100), list[str]()
    came = ["eve 1", "eve 1", "eve 1", "eve 2", "ann", "ann", "ben"]

    async def ask(name: str, here: asyncio.Event) -> None:
        client, _, owner = name.partition(" ")
        async with line.place_async(client, owner):
            order.append(name)
            await here.wait()

    async def all_of_them() -> None:
        here, asked = asyncio.Event(), list[asyncio.Task[None]]()
        for name in came:
            asked.append(asyncio.create_task(ask(name, here)))
            await asyncio.sleep(0)
        here.set()
        await asyncio.gather(*asked)

    asyncio.run(asyncio.wait_for(all_of_them(), PATIENCE))
    assert order == ["eve 1", "ann", "ben", "eve 2", "ann", "eve 1", "eve 1"]


@given(
    st.lists(
        st.tuples(st.sampled_from(["greedy"] * 8 + ["ann", "ben", "eve"]), st.integers(0, 3)),
        max_size=60,
    ),
    st.integers(1, 3),
    st.integers(0, 12),
)
@example([("greedy", n) for n in range(208)] + [("ann", 0)], 8, 200)
def test_nobody_is_sent_away_while_another_has_more_waiting(
    asked: list[tuple[str, int]], at_once: int, most: int
) -> None:
    """Whoever comes, in whatever order and under however many names of their own."""
    line = FairQueue(at_once, most)

    async def come() -> None:
        gate, waiting = asyncio.Event(), dict[asyncio.Task[None], str]()

        async def ask(client: str, owner: int) -> None:
            async with line.place_async(client, f"browser {owner}"):
                await gate.wait()

        for client, owner in asked:
            task = asyncio.create_task(ask(client, owner))
            waiting[task] = client
            for _ in range(4):  # what is sent away hears of it
                await asyncio.sleep(0)
            gone = [own for own in waiting if own.done()]
            for own in gone:
                lost = waiting.pop(own)
                with pytest.raises(RefusedError, match="Ask this one again"):
                    own.result()
                left = Counter(waiting.values())
                assert left[lost] + 1 >= max(left.values(), default=0) - at_once
            assert len(gone) <= 1
            assert line.running <= at_once
            assert line.waiting <= most
        if most >= 4 and asked:
            # One of each has a place, as there are four clients.
            assert set(waiting.values()) == {client for client, _ in asked}
        gate.set()
        await asyncio.gather(*waiting)

    asyncio.run(asyncio.wait_for(come(), PATIENCE))
    assert (line.running, line.waiting) == (0, 0)


def test_what_nobody_waits_for_comes_last() -> None:
    line, order = FairQueue(1, 2), list[str]()

    def work(name: str, idle: bool) -> None:
        with line.place(name, idle=idle):
            order.append(name)

    with ThreadPoolExecutor(3) as pool, line.place("first"):
        tasks = []
        for name in ("nobody", "ann"):
            tasks.append(pool.submit(work, name, name == "nobody"))
            while line.waiting < len(tasks):
                threading.Event().wait(0.01)
        tasks.append(pool.submit(work, "ben", False))
        with pytest.raises(RefusedError):  # it gives way
            tasks[0].result(PATIENCE)
        tasks.append(pool.submit(work, "eve", True))
        with pytest.raises(RefusedError):
            tasks[3].result(PATIENCE)
    assert order == ["ann", "ben"]


def test_who_gives_up_waiting_leaves_no_gap() -> None:
    line = FairQueue(1, 10)

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


def test_who_waits_is_told_of_the_one_that_is_being_answered_too() -> None:
    line = FairQueue(1, 10)
    with line.joined("ann") as first, line.joined("ben") as second, line.joined("eve") as third:
        assert [line.before(turn) for turn in (first, second, third)] == [0, 1, 2]

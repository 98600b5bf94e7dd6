"""How the time that something takes grows with what it is given."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

_Given = TypeVar("_Given")

FLOOR = 0.002
"""Seconds of the processor below which nothing is told apart."""


def grows_linearly(
    work: Callable[[_Given], object], make: Callable[[int], _Given], count: int
) -> bool:
    """Whether four times as much takes less than nine times the processor's time: what grows with
    the square takes sixteen times as much. The best of several, for the machine may be busy."""

    def seconds(given: _Given) -> float:
        begun = time.thread_time()
        work(given)
        return time.thread_time() - begun

    for _ in range(5):
        little, much = (min(seconds(make(n)) for _ in range(2)) for n in (count, 4 * count))
        if much < 9 * max(little, FLOOR):
            return True
    return False

"""Several things done at the same time, in threads; nothing that was begun is lost."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from queue import SimpleQueue
from typing import TypeVar

Item = TypeVar("Item")
Made = TypeVar("Made")

#: Called with how many are on their way, before they are waited for.
OnWait = Callable[[int], None]


def do_at_once(
    items: Sequence[Item],
    make: Callable[[Item], Made],
    keep: Callable[[Made], None],
    at_once: int,
    on_wait: OnWait,
) -> None:
    """Make something of each, so many at the same time.

    Where this is ended early, by an interrupt or an error, no other is begun; those that are on
    their way are waited for and kept, for they may have cost much. A second interrupt ends that
    too.

    Args:
        items: begun in this order.
        make: called in other threads; in this one where they are made one at a time, so that an
            interrupt ends it.
        keep: called in this thread with what was made, as it comes.
        at_once: how many.
        on_wait: see `OnWait`.
    """
    if at_once == 1:
        for item in items:
            keep(make(item))
        return
    done: SimpleQueue[Future[Made]] = SimpleQueue()

    def run(item: Item) -> None:
        future: Future[Made] = Future()
        try:
            future.set_result(make(item))
        except BaseException as error:  # noqa: BLE001 (raised where it is waited for)
            future.set_exception(error)
        done.put(future)

    left, begun = deque(items), 0
    try:
        while left or begun:
            while left and begun < at_once:
                # A daemon: it does not keep a process alive that was told twice to end.
                threading.Thread(target=run, args=(left.popleft(),), daemon=True).start()
                begun += 1
            made = done.get()
            begun -= 1
            keep(made.result())
    except BaseException:
        if begun:
            on_wait(begun)
        for _ in range(begun):
            made = done.get()
            if made.exception() is None:
                keep(made.result())
        raise

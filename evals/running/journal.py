"""What a run keeps while it goes on, so that one that is interrupted goes on where it was, and how
it asks several questions at the same time."""

from __future__ import annotations

import hashlib
import json
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path
from queue import SimpleQueue
from typing import Any, Self, TypeVar

from evals.running.records import Record
from index.errors import UnreadableError

Item = TypeVar("Item")
Made = TypeVar("Made")

#: Called with how many are on their way, before they are waited for.
OnWait = Callable[[int], None]


class Journal:
    """The journal of one run, as a context; `records` are those of an earlier, interrupted one.

    One JSON line a question, appended as soon as it is answered, in a file named by all that the
    answers depend on. A run that comes to its end takes its journal away: the next one measures
    anew. Where several runs make a whole, each leaves its own until all are done.

    Args:
        folder: where journals lie; made when it is not there.
        depends: all that the answers depend on, as plain values; names the file by its hash.
        leave: whether it stays where the run comes to its end.

    Attributes:
        file: what it is kept in.
        records: so far, by the question's id.

    Raises:
        UnreadableError: the folder cannot be written.
    """

    def __init__(self, folder: Path, depends: Mapping[str, Any], leave: bool = False) -> None:
        key = hashlib.sha256(json.dumps(depends, sort_keys=True).encode()).hexdigest()[:20]
        self.file = folder / f"{key}.jsonl"
        self._leave = leave
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._stream = self.file.open("a+", encoding="utf-8")
        except OSError as error:
            raise UnreadableError(
                f"The run cannot be kept in {folder} ({error.strerror}). Choose another "
                "--index-dir."
            ) from error
        self.records: dict[str, Record] = {}
        self._stream.seek(0)
        for line in self._stream:
            try:
                record = Record.from_dict(json.loads(line))
            except ValueError:
                continue  # the last line of a killed run may be torn: that question is asked anew
            self.records[record.id] = record

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._stream.close()
        if kind is None and not self._leave:
            self.file.unlink(missing_ok=True)

    def add(self, record: Record) -> None:
        """Keep a record."""
        self.records[record.id] = record
        # A line break first: it ends the torn line that a killed run may have left.
        self._stream.write("\n" + json.dumps(record.to_dict()) + "\n")
        self._stream.flush()


def do_at_once(
    items: Sequence[Item],
    make: Callable[[Item], Made],
    keep: Callable[[Made], None],
    at_once: int,
    on_wait: OnWait,
) -> None:
    """Call `make` for each item, `at_once` of them at the same time.

    Where this is ended early, by an interrupt or an error, no other is begun; those that are on
    their way are waited for and kept, for they may have cost much. A second interrupt ends that
    too.

    Args:
        items: begun in this order.
        make: called in other threads; in this one where they are made one at a time, so that an
            interrupt ends it.
        keep: called in this thread with each result as it arrives.
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

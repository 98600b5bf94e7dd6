"""Tells a person how indexing gets on: a bar on a terminal, a line now and then in a log."""

from __future__ import annotations

import time
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

WARM_UP = 2.0
"""Seconds after which the rate is believed: the first batch pays for warming up."""

MIN_ESTIMATE = 20.0
"""Seconds of work that are worth an estimate in words."""

LOG_INTERVAL = 30.0
"""Seconds between lines where there is no terminal."""


class IndexingProgress:
    """To be called with (paragraphs done, paragraphs in all), inside a `with`.

    Says at once how much there is to do and, from the rate of the first seconds, how long it will
    take. An interrupt is told what it leaves behind, and goes on.

    Args:
        notes: where to.
    """

    def __init__(self, notes: Console) -> None:
        """Show nothing yet."""
        self._notes = notes
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[unit]}, left"),
            TimeRemainingColumn(),
            console=notes,
            transient=True,
            disable=not notes.is_terminal,
        )
        self._task = self._bar.add_task("Indexing", total=None, unit="paragraphs")
        self._started = self._told = 0.0
        self._before = self._done = self._total = 0
        self._estimated = False

    def __enter__(self) -> Self:
        return self

    def __call__(self, done: int, total: int) -> None:
        """Take note of where indexing is, and show it."""
        now = time.monotonic()
        if not self._total:
            self._started = self._told = now
            self._before, self._total = done, total
            if done < total:
                there = f" ({done:,} of {total:,} are there already)" if done else ""
                self._notes.print(f"Indexing {total - done:,} paragraphs{there} …")
                self._bar.start()
        self._done = done
        self._bar.update(self._task, completed=done, total=total)
        if done > self._before and now - self._started >= WARM_UP:
            self._estimate(now)

    def pages(self, done: int, total: int) -> None:
        """Take note of how many pages of a document are read, and show it."""
        now = time.monotonic()
        if done == 0:
            self._notes.print(f"Reading {total:,} page{'' if total == 1 else 's'} …")
            self._told = now
            self._bar.start()
        self._bar.update(
            self._task, description="Reading", completed=done, total=total, unit="pages"
        )
        if done < total:
            self._log(now, f"{done:,} of {total:,} pages")
        else:
            self._bar.reset(
                self._task, description="Indexing", total=None, unit="paragraphs", start=False
            )

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._bar.stop()
        if self._done < self._total and kind is KeyboardInterrupt:
            self._notes.print(
                f"{self._done:,} of {self._total:,} paragraphs are indexed and kept; the same "
                "command goes on from there."
            )

    def _estimate(self, now: float) -> None:
        left = self._total - self._done
        seconds = left * (now - self._started) / (self._done - self._before)
        if not self._estimated:
            self._estimated, self._told = True, now
            if seconds > MIN_ESTIMATE:
                self._notes.print(
                    f"{left:,} paragraphs to index, about {duration(seconds)}. Ctrl-C stops; the "
                    "same command goes on from there."
                )
        elif left:
            self._log(
                now, f"{self._done:,} of {self._total:,} paragraphs, about {duration(seconds)} left"
            )

    def _log(self, now: float, line: str) -> None:
        """A line now and then, where there is no terminal."""
        if not self._notes.is_terminal and now - self._told > LOG_INTERVAL:
            self._notes.print(line)
            self._told = now


def duration(seconds: float) -> str:
    """So many seconds, for people."""
    if seconds < 90:
        return f"{max(1, round(seconds))} seconds"
    if seconds < 90 * 60:
        return f"{round(seconds / 60)} minutes"
    return f"{seconds / 3600:.1f} hours"

"""Shows a person how far indexing is: a bar on a terminal, a line a step elsewhere."""

from __future__ import annotations

from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn


class IndexingProgress:
    """Progress of indexing, to be called with (paragraphs done, paragraphs in all) inside a `with`.

    Args:
        notes: the console to write to.
    """

    def __init__(self, notes: Console) -> None:
        self._notes = notes
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=notes,
            transient=True,
            disable=not notes.is_terminal,
        )
        self._task = self._bar.add_task("", total=None)
        self._indexing = False

    def __enter__(self) -> Self:
        return self

    def __call__(self, done: int, total: int) -> None:
        """Show how many paragraphs are indexed."""
        if not self._indexing and done < total:
            self._indexing = True
            there = f" ({done:,} of {total:,} are there already)" if done else ""
            self._begin("Indexing", f"{total - done:,} paragraphs{there}")
        self._bar.update(self._task, completed=done, total=total)

    def pages(self, done: int, total: int) -> None:
        """Show how many pages of a document are read."""
        if done == 0:
            self._begin("Reading", f"{total:,} page{'' if total == 1 else 's'}")
        self._bar.update(self._task, completed=done, total=total)

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._bar.stop()
        if self._indexing and kind is KeyboardInterrupt:
            self._notes.print("What is indexed is kept; the same command goes on from there.")

    def _begin(self, what: str, of: str) -> None:
        self._notes.print(f"{what} {of} …")
        self._bar.reset(self._task, description=what)
        self._bar.start()

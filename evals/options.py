"""What the commands of the evaluation share: options, where they print, bars of progress."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from index.errors import QuestionSetError

if TYPE_CHECKING:
    from collections.abc import Callable

    from assistant import Settings
    from evals.datasets.models import QuestionSet

notes = Console(stderr=True, highlight=False, markup=False, emoji=False, soft_wrap=True)
#: What is piped has room for the widest table.
WIDE = 120
out = Console(
    highlight=False,
    markup=False,
    emoji=False,
    width=None if sys.stdout.isatty() or "COLUMNS" in os.environ else WIDE,
)

Sets = Annotated[
    list[Path],
    typer.Argument(
        help="Question sets: JSON Lines, SQuAD files, BEIR folders.",
        metavar="SET...",
        readable=False,
    ),
]
Source = Annotated[
    list[Path] | None,
    typer.Option("--source", "-s", help="The documents; the shipped one by default."),
]
IndexDir = Annotated[
    Path | None, typer.Option(help="Where the index is kept; the user's data folder by default.")
]
EncoderName = Annotated[str | None, typer.Option("--encoder", help="As for `footnote ask`.")]
ReaderName = Annotated[str | None, typer.Option("--reader", help="As for `footnote ask`.")]
JsonOut = Annotated[
    Path | None, typer.Option("--json", help="Write the figures and all records; - prints them.")
]
Seed = Annotated[int, typer.Option(help="Of the intervals.")]


def settings(index_dir: Path | None, encoder: str | None, reader: str | None) -> Settings:
    """The settings in force with what was given.

    Raises:
        SettingsError: as `assistant.settings.load`.
    """
    from assistant.settings import load_settings

    return load_settings(index_dir=index_dir, encoder=encoder, reader=reader)


def check_names(sets: list[QuestionSet]) -> None:
    """Raise QuestionSetError where two sets have one name."""
    names = [questions.name for questions in sets]
    for name in names:
        if names.count(name) > 1:
            raise QuestionSetError(f"Two sets have the name {name}. Rename one of them.")


@contextmanager
def progress(name: str) -> Iterator[tuple[Callable[[int, int], None], Callable[[int, int], None]]]:
    """Bars for indexing and for asking, where there is a terminal."""
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=notes,
        transient=True,
        disable=not notes.is_terminal,
    ) as bars:
        tasks: dict[str, Any] = {}

        def show(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = bars.add_task(f"{name}: {what}", total=total)
            bars.update(tasks[what], completed=done, total=total)

        yield lambda d, t: show("indexing", d, t), lambda d, t: show("asking", d, t)

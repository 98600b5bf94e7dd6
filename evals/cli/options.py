"""What the commands of the evaluation share: options, where they print, bars of progress."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from assistant.cli.options import notes
from index.errors import QuestionSetError

if TYPE_CHECKING:
    from evals.datasets.models import QuestionSet
    from evals.running.runner import SetRun, Step

#: Exit code where a `--min` is missed, or a `--risk` cannot be promised.
MISSED = 1
#: Questions without a reply that are named; the JSON and the page have all. Not tuned.
MAX_NAMED = 20
#: Columns where output is piped: room for the widest table.
WIDE = 160
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
JsonOut = Annotated[
    Path | None, typer.Option("--json", help="Write all that was found as JSON; - prints it.")
]
Seed = Annotated[int, typer.Option(help="Of the intervals.")]
Html = Annotated[Path | None, typer.Option(help="Write it as one HTML page.")]
Minimum = Annotated[
    list[str] | None,
    typer.Option("--min", help="metric=value that must be reached; exit code 1 otherwise."),
]
Limit = Annotated[int | None, typer.Option(min=1, help="Only the first questions.")]
AtOnce = Annotated[
    int, typer.Option(min=1, help="Questions that are asked at the same time; times are longer.")
]


@contextmanager
def progress(name: str) -> Iterator[tuple[Step, Step]]:
    """Bars for indexing and for asking, where there is a terminal; see `evals.running.runner`."""
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=notes,
        transient=True,
        disable=not notes.is_terminal,
    ) as bars:

        def bar(what: str) -> Step:
            task = bars.add_task(f"{name}: {what}", total=None, visible=False)
            return lambda done, total: bars.update(task, completed=done, total=total, visible=True)

        yield bar("indexing"), bar("asking")


def report(data: Mapping[str, Any], json_out: Path | None, show: Callable[[], None]) -> None:
    """Print the data as JSON where `--json -` asks for it; otherwise show it, and write it where a
    file is given."""
    from evals.reporting.results import write_json

    if str(json_out) == "-":
        typer.echo(json.dumps(data, indent=1))
        return
    if json_out is not None:
        write_json(json_out, data)
    show()


def floors_of(given: Sequence[str] | None) -> dict[str, float]:
    """The least that figures must be, by name, as `--min` tells them.

    Raises:
        QuestionSetError: one is not `metric=value`.
    """
    floors = {}
    for floor in given or ():
        name, _, value = floor.partition("=")
        try:
            floors[name.strip()] = float(value)
        except ValueError as error:
            raise QuestionSetError(
                f"--min is {floor!r}; it must be metric=value: hit@1=0.9."
            ) from error
    return floors


def report_run(run: SetRun, name: str | None = None) -> None:
    """Say how a run went, by the name of what it is of: what had been asked before, why a language
    model did not answer, and which questions got no reply."""
    from evals.metrics.metrics import failures_of
    from evals.running.records import FAILED

    name = name or run.questions.name
    if run.resumed:
        notes.print(f"{name}: went on after {run.resumed} questions.")
    for sentence in failures_of(run.records):
        notes.print(f"{name}: {sentence}")
    failed = [record for record in run.records if record.status == FAILED]
    if failed:
        notes.print(f"{name}: no reply came to {len(failed)} of {len(run.records)} questions.")
    for record in failed[:MAX_NAMED]:
        notes.print(f"  {record.id}: {record.note}")
    if len(failed) > MAX_NAMED:
        notes.print(f"  and {len(failed) - MAX_NAMED} more, which the JSON and the page have.")


def report_result(
    runs: Sequence[SetRun],
    k: int,
    seed: int,
    floors: Mapping[str, float],
    html: Path | None,
    json_out: Path | None,
) -> None:
    """Tell the figures of runs that were made with the same settings, and write them where a file
    is given.

    Raises:
        typer.Exit: a floor is missed.
    """
    from evals.reporting.results import result_of, write_text
    from evals.reporting.tables import result_tables

    result = result_of(runs, k, seed)
    missed = result.misses(floors)
    if html is not None:
        from evals.reporting.report import report_page

        documents = {i: document for run in runs for i, document in run.documents.items()}
        write_text(html, report_page(result, documents))
    report(result.to_dict(), json_out, lambda: out.print(*result_tables(result), sep=""))
    for sentence in missed:
        notes.print(f"footnote: {sentence}")
    if missed:
        raise typer.Exit(MISSED)


def tell_wait(begun: int) -> None:
    """Say that answers are waited for; see `evals.running.journal`."""
    notes.print(
        f"Answers that are on their way are waited for and kept: {begun}. Interrupt again to leave "
        "them."
    )


def report_left_out(questions: QuestionSet) -> None:
    """Say what of a set is not asked."""
    for note in questions.notes:
        notes.print(f"{questions.name}: {note}")
    if questions.drafts:
        notes.print(f"{questions.name}: {questions.drafts} drafts are not counted.")

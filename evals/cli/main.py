"""The command `footnote eval`. Exit codes: 0 done, 1 a `--min` is missed, 2 the user's mistake.

What takes long to import is imported where it is first needed.
"""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import Progress

from assistant.cli.options import (
    EncoderName,
    IndexDir,
    LanguageModel,
    ReaderName,
    Source,
    notes,
    tell_check,
)
from assistant.settings import load_settings
from index.errors import QuestionSetError

if TYPE_CHECKING:
    from assistant.settings import Settings
    from evals.datasets.models import QuestionSet
    from evals.running.runner import SetRun, Step, System

#: Environment variable that holds the key of an endpoint, if the endpoint needs one.
KEY = "ENDPOINT_API_KEY"
#: Exit code if a `--min` is missed.
MISSED = 1
#: Columns if output is piped: room for the widest table.
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
    Path | None, typer.Option("--json", help="Write figures and records as JSON; - prints it.")
]
Html = Annotated[Path | None, typer.Option(help="Write it as one HTML page.")]
Minimum = Annotated[
    list[str] | None,
    typer.Option("--min", help="metric=value that must be reached; exit code 1 otherwise."),
]
Limit = Annotated[int | None, typer.Option(min=1, help="Only the first questions.")]
AtOnce = Annotated[
    int, typer.Option(min=1, help="Questions that are asked at the same time; times are longer.")
]


app = typer.Typer(help="Measures answers on question sets.", no_args_is_help=True)


@app.command()
def run(
    sets: Sets,
    source: Source = None,
    json_out: JsonOut = None,
    html: Html = None,
    minimum: Minimum = None,
    limit: Limit = None,
    llm: LanguageModel = None,
    at_once: AtOnce = 1,
    index_dir: IndexDir = None,
    encoder: EncoderName = None,
    reader: ReaderName = None,
) -> None:
    """Ask every question of the sets and tell how the answers did.

    Each figure has the number of cases that it is over and a 95 % bootstrap interval. A run that is
    interrupted goes on where it was when the same command is given again.
    """
    from evals.running.runner import AssistantSystem, open_set

    floors = floors_of(minimum or [])
    settings = load_settings(index_dir=index_dir, encoder=encoder, reader=reader, llm=llm)

    @contextmanager
    def opened(questions: QuestionSet, indexing: Step) -> Iterator[System]:
        with open_set(questions, source or [], settings, indexing) as assistant:
            yield AssistantSystem(assistant, questions)

    runs = run_sets(sets, settings, opened, limit, at_once)
    tell_check(settings)
    report_result(runs, floors, html, json_out)


@app.command()
def endpoint(
    address: Annotated[
        str, typer.Argument(help="Of an OpenAI-compatible endpoint: http://host:port/v1.")
    ],
    sets: Sets,
    model: Annotated[str, typer.Option(help="The model, as it is named there.")],
    source: Source = None,
    system: Annotated[
        str, typer.Option(help="What is said to it first: how to quote its sources, say.")
    ] = "",
    at_once: AtOnce = 1,
    limit: Limit = None,
    json_out: JsonOut = None,
    html: Html = None,
    index_dir: IndexDir = None,
) -> None:
    """Ask every question of the sets of another system, and tell how its answers did.

    It has to have the documents of the sets: give it them first. The same documents are needed here
    to find what it quotes (--source, where a set does not bring them). It cites by `annotations`
    with a `quote`, or by quotes in its text; a reply that quotes nothing of the documents is a
    refusal. What fails is told and counts as neither. Its key is read from ENDPOINT_API_KEY.
    `footnote eval compare` holds the result against Footnote's own.
    """
    from evals.running.endpoint import EndpointSystem

    def opened(questions: QuestionSet, _: Step) -> AbstractContextManager[System]:
        key = os.environ.get(KEY, "")
        return closing(EndpointSystem(address, model, key, system, questions, source or []))

    settings = load_settings(index_dir=index_dir)
    report_result(run_sets(sets, settings, opened, limit, at_once), {}, html, json_out)


@app.command()
def compare(
    a: Annotated[Path, typer.Argument(help="A result that `--json` wrote.", readable=False)],
    b: Annotated[Path, typer.Argument(help="Another, on the same set.", readable=False)],
) -> None:
    """Compare two results question by question: differences with intervals, what flipped."""
    from evals.reporting.compare import print_comparison

    print_comparison(a, b, out)


@app.command()
def grade(
    results: Annotated[
        list[Path],
        typer.Argument(help="Results that `--json` wrote.", metavar="RESULT...", readable=False),
    ],
    sheet: Annotated[
        Path, typer.Option(help="The sheet, Markdown; written where there is none.", readable=False)
    ],
) -> None:
    """Write answers on a sheet for a person to read, blind, and count what that person found.

    On it stand the answers that are neither right by what they cite nor withheld, beside their
    quotes and the reference answer, in mixed order and without a word of the system that gave them.
    Give the same command again when the grades are filled in.
    """
    from evals.reporting.results import read_result, write_text
    from evals.reporting.sheet import grades_of, grades_table, sheet_of
    from evals.running.records import judged_alike

    read = judged_alike(*(read_result(file).records for file in results))
    if not sheet.exists():
        write_text(sheet, sheet_of([record for of_file in read for record in of_file]))
        out.print(f"Grade the answers in {sheet}, then give the same command again.")
        return
    grades = [grades_of(sheet, of_file) for of_file in read]
    out.print(grades_table(dict(zip(map(str, results), grades, strict=True))))


# --- what the commands share --------------------------------------------------------------------


def floors_of(given: Sequence[str]) -> dict[str, float]:
    """Return the least that figures must be, by name, as `--min` gives them.

    Raises:
        QuestionSetError: one is not `metric=value`, or there is no such figure.
    """
    from evals.metrics.metrics import GROUPS

    names = [name for group in GROUPS.values() for name in group]
    floors = {}
    for floor in given:
        name, _, value = floor.partition("=")
        if name not in names:
            raise QuestionSetError(f"There is no figure {name!r}. There are: {', '.join(names)}.")
        try:
            floors[name] = float(value)
        except ValueError as error:
            raise QuestionSetError(
                f"--min is {floor!r}; it must be metric=value: hit@1=0.9."
            ) from error
    return floors


def run_sets(
    sets: Sequence[Path],
    settings: Settings,
    opened: Callable[[QuestionSet, Step], AbstractContextManager[System]],
    limit: int | None,
    at_once: int,
) -> list[SetRun]:
    """Ask the questions of sets, with bars on a terminal, and tell of what was not answered.

    Args:
        sets: files and folders of sets.
        settings: the place of the journals, and whether pictures are read.
        opened: opens what is asked the questions of a set; told of its indexing.
        limit: the number of questions of each set; all by default.
        at_once: the number of questions that are asked at the same time.
    """
    from evals.datasets.loader import read_sets
    from evals.running.runner import run_set

    runs = []
    for questions in read_sets(sets, settings.ocr):
        with Progress(console=notes, transient=True, disable=not notes.is_terminal) as bars:
            indexing, asking = (
                _bar(bars, f"{questions.name}: {what}") for what in ("indexing", "asking")
            )
            with opened(questions, indexing) as system:
                of_set = run_set(
                    system,
                    settings.index_dir,
                    limit=limit,
                    at_once=at_once,
                    asking=asking,
                    on_wait=lambda begun: notes.print(
                        f"Answers that are on their way are waited for and kept: {begun}."
                    ),
                )
        runs.append(of_set)
        report_run(of_set)
    return runs


def _bar(bars: Progress, title: str) -> Step:
    task = bars.add_task(title, total=None, visible=False)
    return lambda done, total: bars.update(task, completed=done, total=total, visible=True)


def report_run(run: SetRun) -> None:
    """Say what of a set was not asked, or had been asked before, and why questions got no reply or
    a language model did not answer them."""
    from evals.running.records import FAILED

    name = run.questions.name
    for note in run.questions.notes:
        notes.print(f"{name}: {note}")
    if run.resumed:
        notes.print(f"{name}: went on after {run.resumed} questions.")
    reasons = Counter(
        record.note
        for record in run.records
        if record.status == FAILED
        or (record.writing and record.writing.outcome in ("failed", "untrusted"))
    )
    for reason, count in reasons.items():
        notes.print(f"{name}: {count} of {len(run.records)} questions: {reason}")


def report_result(
    runs: Sequence[SetRun], floors: Mapping[str, float], html: Path | None, json_out: Path | None
) -> None:
    """Print the figures of runs that were made with the same settings, and write them if a file is
    given.

    Raises:
        typer.Exit: a floor is missed.
    """
    from evals.reporting.results import RESULT, result_of, result_tables, write_text

    result = result_of(runs)
    if html is not None:
        from evals.reporting.report import report_page

        documents = {i: document for run in runs for i, document in run.documents.items()}
        write_text(html, report_page(result, documents))
    written = RESULT.dump_json(result, indent=1).decode()
    if str(json_out) == "-":
        typer.echo(written)
    else:
        if json_out is not None:
            write_text(json_out, f"{written}\n")
        out.print(*result_tables(result), sep="")
        out.print(*result.outcome_lines, sep="\n")
    missed = result.misses(floors)
    for sentence in missed:
        notes.print(f"footnote: {sentence}")
    if missed:
        raise typer.Exit(MISSED)

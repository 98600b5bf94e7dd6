"""The command `footnote eval`. Exit codes: 0 done, 1 a `--min` is missed, 2 the user's mistake.

What takes long to import is imported where it is first needed.
"""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

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
    from evals.running.runner import SetRun, Step

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
    Path | None, typer.Option("--json", help="Write all that was found as JSON; - prints it.")
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
    from evals.datasets.loader import read_sets
    from evals.running.runner import AssistantSystem, open_set, run_set

    floors = floors_of(minimum)
    settings = load_settings(index_dir=index_dir, encoder=encoder, reader=reader, llm=llm)
    runs = []
    for questions in read_sets(sets, settings.ocr):
        with (
            progress(questions.name) as (indexing, asking),
            open_set(questions, source or [], settings, indexing) as assistant,
        ):
            done = run_set(
                AssistantSystem(assistant, questions),
                settings.index_dir,
                limit=limit,
                at_once=at_once,
                asking=asking,
                on_wait=report_wait,
            )
        runs.append(done)
        report_run(done)
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
    from evals.datasets.loader import read_sets
    from evals.running.endpoint import EndpointSystem
    from evals.running.runner import run_set

    settings = load_settings(index_dir=index_dir)
    runs = []
    for questions in read_sets(sets, settings.ocr):
        asked = EndpointSystem(
            address, model, os.environ.get(KEY, ""), system, questions, source or []
        )
        with progress(questions.name) as (_, asking), closing(asked):
            done = run_set(
                asked,
                settings.index_dir,
                limit=limit,
                at_once=at_once,
                asking=asking,
                on_wait=report_wait,
            )
        runs.append(done)
        report_run(done)
    report_result(runs, {}, html, json_out)


@app.command()
def compare(
    a: Annotated[Path, typer.Argument(help="A result that `--json` wrote.", readable=False)],
    b: Annotated[Path, typer.Argument(help="Another, on the same set.", readable=False)],
    json_out: JsonOut = None,
) -> None:
    """Compare two results question by question: differences, p-values, what flipped."""
    from evals.reporting.compare import compare_results, print_comparison

    found = compare_results(a, b)
    report(found.to_dict(), json_out, partial(print_comparison, found, out))


@app.command()
def grade(
    results: Annotated[
        list[Path],
        typer.Argument(help="Results that `--json` wrote.", metavar="RESULT...", readable=False),
    ],
    sheet: Annotated[
        Path, typer.Option(help="The sheet, Markdown; written where there is none.", readable=False)
    ],
    json_out: JsonOut = None,
) -> None:
    """Write answers on a sheet for a person to read, blind, and count what that person found.

    On it stand the answers that are neither right by what they cite nor withheld, beside their
    quotes and the reference answer, in mixed order and without a word of the system that gave them.
    Give the same command again when the grades are filled in.
    """
    from evals.datasets.json_lines import read_text
    from evals.reporting.results import read_result, write_text
    from evals.reporting.sheet import grades_in, grades_of, grades_table, sheet_of
    from evals.running.records import judged_alike

    read = judged_alike(*(read_result(file)["records"] for file in results))
    records = dict(zip(map(str, results), read, strict=True))
    if not sheet.exists():
        write_text(sheet, sheet_of([record for of_file in read for record in of_file]))
        out.print(f"Grade the answers in {sheet}, then give the same command again.")
        return
    grades = grades_in(sheet, read_text(sheet))
    counts = {file: grades_of(of_file, grades) for file, of_file in records.items()}
    report(
        {"footnote_grades": 1, "results": counts},
        json_out,
        lambda: out.print(grades_table(counts)),
    )


# --- what the commands share --------------------------------------------------------------------


@contextmanager
def progress(name: str) -> Iterator[tuple[Step, Step]]:
    """Show bars for indexing and for asking on a terminal; see `evals.running.runner`."""
    with Progress(console=notes, transient=True, disable=not notes.is_terminal) as bars:

        def bar(what: str) -> Step:
            task = bars.add_task(f"{name}: {what}", total=None, visible=False)
            return lambda done, total: bars.update(task, completed=done, total=total, visible=True)

        yield bar("indexing"), bar("asking")


def report(data: Mapping[str, Any], json_out: Path | None, show: Callable[[], None]) -> None:
    """Print the data as JSON if `--json -` asks for it; otherwise show it, and write it if a file
    is given."""
    from evals.reporting.results import write_text

    if str(json_out) == "-":
        typer.echo(json.dumps(data, indent=1))
        return
    if json_out is not None:
        write_text(json_out, json.dumps(data, ensure_ascii=False, indent=1) + "\n")
    show()


def floors_of(given: Sequence[str] | None) -> dict[str, float]:
    """Return the least that figures must be, by name, as `--min` gives them.

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


def report_run(run: SetRun) -> None:
    """Say what of a set was not asked, or had been asked before, and why questions got no reply or
    a language model did not answer them."""
    from evals.running.records import FAILED

    name, drafts = run.questions.name, run.questions.drafts
    for note in run.questions.notes:
        notes.print(f"{name}: {note}")
    if drafts:
        notes.print(f"{name}: {drafts} drafts are not counted.")
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
    from evals.reporting.results import result_of, write_text
    from evals.reporting.tables import outcome_lines, result_tables

    result = result_of(runs)
    missed = result.misses(floors)
    if html is not None:
        from evals.reporting.report import report_page

        documents = {i: document for run in runs for i, document in run.documents.items()}
        write_text(html, report_page(result, documents))

    def show() -> None:
        out.print(*result_tables(result), sep="")
        out.print(*outcome_lines(result), sep="\n")

    report(result.to_dict(), json_out, show)
    for sentence in missed:
        notes.print(f"footnote: {sentence}")
    if missed:
        raise typer.Exit(MISSED)


def report_wait(begun: int) -> None:
    """Say that an interrupted run waits for answers."""
    notes.print(f"Answers that are on their way are waited for and kept: {begun}.")

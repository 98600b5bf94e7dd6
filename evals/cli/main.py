"""The command `footnote eval`. Exit codes: 0 done, 1 a `--min` is missed or a `--risk` cannot
be promised, 2 the user's mistake.

What takes long to import is imported where it is first needed.
"""

from __future__ import annotations

from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from assistant.cli.options import notes
from assistant.settings import not_installed
from evals.cli import asking, fitting
from evals.cli.options import Html, JsonOut, Seed, out, report
from index.errors import QuestionSetError

#: What the extra `evals` installs, by what it is imported as.
EXTRA = ("ir_measures", "matplotlib", "sklearn")


class RunByDefault(TyperGroup):
    """`footnote eval SET` is `footnote eval run SET`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put the default command's name before arguments that begin with no command's."""
        if args and args[0] not in self.commands and args[0] != "--help":
            args = ["run", *args]
        return super().parse_args(ctx, args)


app = typer.Typer(
    cls=RunByDefault,
    help="Measures answers on question sets, and fits the numbers that decide them.",
    no_args_is_help=True,
)


@app.callback()
def check_installed() -> None:
    """Refuse where what only measuring and fitting need is lacking.

    Raises:
        SettingsError: the extra `evals` is not installed.
    """
    if not all(map(find_spec, EXTRA)):
        raise not_installed("`footnote eval`", "evals")


def compare(
    a: Annotated[Path, typer.Argument(help="A result that `--json` wrote.", readable=False)],
    b: Annotated[Path, typer.Argument(help="Another, on the same set.", readable=False)],
    json_out: JsonOut = None,
    seed: Seed = 0,
) -> None:
    """Compare two results question by question: differences, p-values, what flipped."""
    from evals.reporting.compare import compare_results, print_comparison

    found = compare_results(a, b, seed)
    report(found.to_dict(), json_out, partial(print_comparison, found, out))


def grade(
    results: Annotated[
        list[Path],
        typer.Argument(help="Results that `--json` wrote.", metavar="RESULT...", readable=False),
    ],
    sheet: Annotated[
        Path, typer.Option(help="The sheet, Markdown; written where there is none.", readable=False)
    ],
    every: Annotated[
        bool, typer.Option("--all", help="Also answers that cite all of the evidence.")
    ] = False,
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
        text = sheet_of([record for of_file in records.values() for record in of_file], every)
        write_text(sheet, text)
        out.print(f"Grade the answers in {sheet}, then give the same command again.")
        return
    grades = grades_in(sheet, read_text(sheet))
    counts = {file: grades_of(of_file, grades) for file, of_file in records.items()}
    report(
        {"footnote_grades": 1, "results": counts},
        json_out,
        lambda: out.print(grades_table(counts)),
    )


def benchmark(
    paragraphs: Annotated[
        str, typer.Option(help="Sizes to measure, with commas.")
    ] = "1000,10000,100000",
    corpus: Annotated[
        list[Path] | None,
        typer.Option(help="Documents or sets whose sentences are used; the shipped document."),
    ] = None,
    rounds: Annotated[int, typer.Option(min=1, help="How often each start is timed.")] = 3,
    served: Annotated[
        str | None,
        typer.Option(
            help="Each size on a Chroma server too, started for it, and the PostgreSQL database at "
            "this address, which is emptied.",
            metavar="ADDRESS",
        ),
    ] = None,
    encode_most: Annotated[
        int, typer.Option(help="Of more paragraphs the vectors are recombined, too.")
    ] = 100_000,
    json_out: JsonOut = None,
    html: Html = None,
) -> None:
    """Time indexing, asking and starting as the index grows, beside the bare model."""
    from evals.benchmark import report as shown
    from evals.benchmark.corpus import corpus_of
    from evals.benchmark.sizes import measure_sizes
    from evals.reporting.results import write_json, write_text
    from evals.reporting.tables import rows_table

    try:
        sizes = [int(size) for size in paragraphs.split(",")]
    except ValueError as error:
        raise QuestionSetError(
            f"--paragraphs is {paragraphs!r}; it must be numbers: 1000,10000."
        ) from error
    documents, asked = corpus_of(corpus or ())
    measured = []
    with notes.status("") as status:
        for size in measure_sizes(
            documents, asked, sizes, rounds, status.update, served, encode_most
        ):
            measured.append(size)
            if json_out is not None and str(json_out) != "-":  # each is kept as soon as it is there
                write_json(json_out, shown.to_dict(measured))
    if html is not None:
        write_text(html, shown.benchmark_page(measured))
    columns, *rows = shown.sizes_rows(measured)
    table = rows_table("By paragraphs", columns, rows)
    report(shown.to_dict(measured), json_out, lambda: out.print(table))


for command in (
    asking.run,
    compare,
    grade,
    benchmark,
    asking.figures,
    asking.endpoint,
    fitting.calibrate,
    fitting.verifier,
    fitting.kinds,
):
    app.command()(command)

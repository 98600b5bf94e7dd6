"""The command `footnote eval`. Exit codes: 0 done, 1 a `--min` is missed, 2 the user's mistake."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from evals import options, tuning_command
from evals.options import (
    EncoderName,
    IndexDir,
    JsonOut,
    ReaderName,
    Seed,
    Sets,
    Source,
    notes,
    out,
)
from evals.verifier_command import verifier
from index.errors import QuestionSetError

if TYPE_CHECKING:
    from evals.datasets.models import QuestionSet

MISSED = 1


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


@app.command()
def run(
    sets: Sets,
    source: Source = None,
    k: Annotated[
        int, typer.Option("--k", "-k", min=1, help="Paragraphs that count as found.")
    ] = 10,
    json_out: JsonOut = None,
    html: Annotated[Path | None, typer.Option(help="Write a report as one HTML page.")] = None,
    minimum: Annotated[
        list[str] | None,
        typer.Option("--min", help="metric=value that must be reached; exit code 1 otherwise."),
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first questions.")] = None,
    seed: Seed = 0,
    legs: Annotated[
        str, typer.Option(help="Legs of retrieval, with commas: sentence, terms.")
    ] = "sentence,terms",
    index_dir: IndexDir = None,
    encoder: EncoderName = None,
    reader: ReaderName = None,
) -> None:
    """Ask every question of the sets and tell how the answers did.

    Each figure has the number of cases that it is over and a 95 % bootstrap interval. A run that is
    interrupted goes on where it was when the same command is given again.
    """
    from evals.datasets.loader import read_set
    from evals.reporting import results, tables
    from evals.running import runner

    floors = dict(_floor(given) for given in minimum or ())
    chosen = _legs(legs)
    settings = options.settings(index_dir, encoder, reader)
    read = [read_set(path) for path in sets]
    options.check_names(read)
    runs = []
    for questions in read:
        _tell_left_out(questions)
        with options.progress(questions.name) as (indexing, asking):
            runs.append(
                runner.run(
                    questions,
                    source or [],
                    settings,
                    k=k,
                    limit=limit,
                    legs=chosen,
                    indexing=indexing,
                    asking=asking,
                )
            )
        if runs[-1].resumed:
            notes.print(f"{questions.name}: went on after {runs[-1].resumed} questions.")
    result = results.result_of(runs, k, seed)
    missed = result.misses(floors)
    if html is not None:
        from evals.reporting import report

        documents = {i: document for own in runs for i, document in own.documents.items()}
        results.write_text(html, report.page(result, documents))
    if json_out is not None and str(json_out) != "-":
        results.write(json_out, result.to_dict())
    if str(json_out) == "-":
        typer.echo(json.dumps(result.to_dict(), indent=1))
    else:
        for own in result.sets:
            out.print(tables.set_table(own))
        if result.turns:
            out.print(tables.turns_table(result))
        out.print(tables.speed_table(result))
    for sentence in missed:
        notes.print(f"footnote: {sentence}")
    if missed:
        raise typer.Exit(MISSED)


@app.command()
def compare(
    a: Annotated[Path, typer.Argument(help="A result that `--json` wrote.", readable=False)],
    b: Annotated[Path, typer.Argument(help="Another, on the same set.", readable=False)],
    json_out: JsonOut = None,
    seed: Seed = 0,
) -> None:
    """Compare two results question by question: differences, p-values, what flipped."""
    from evals.reporting import compare as comparing
    from evals.reporting import results, tables

    found = comparing.compare(a, b, seed)
    if str(json_out) == "-":
        typer.echo(json.dumps(found.to_dict(), indent=1))
        return
    if json_out is not None:
        results.write(json_out, found.to_dict())
    for name, (ours, theirs) in found.settings.items():
        out.print(f"{name}: {ours} in A, {theirs} in B")
    if found.alone:
        out.print(f"{found.alone} questions are in one of them alone and do not count.")
    out.print(tables.comparison_table(found.differences, "A", "B"))
    for title, flips in (("Right in B alone", found.gained), ("Right in A alone", found.lost)):
        out.print(f"{title}: {len(flips)}")
        for flip in flips:
            out.print(f"  {flip.id}  {flip.a} → {flip.b}  {flip.question}", soft_wrap=True)


@app.command()
def add(
    question: Annotated[str, typer.Argument(help="What a person asks.")],
    to: Annotated[Path, typer.Option(help="The question set.", readable=False)],
    answerable: Annotated[
        bool | None, typer.Option("--answerable/--unanswerable", help="Whether they answer it.")
    ] = None,
    evidence: Annotated[
        list[str] | None, typer.Option(help="An exact quote that the answer needs.")
    ] = None,
    source: Source = None,
) -> None:
    """Add a question to a set: whole with its evidence, otherwise as a draft."""
    from evals.datasets import drafts

    whole = drafts.add(to, question, answerable, evidence or (), source or ())
    out.print(
        f"Added to {to}." if whole else f"Added to {to} as a draft. To complete it, {drafts.HOW}."
    )


for command in (
    tuning_command.calibrate,
    tuning_command.retrieval,
    tuning_command.benchmark,
    verifier,
):
    app.command()(command)


def _floor(given: str) -> tuple[str, float]:
    name, _, value = given.partition("=")
    try:
        return name.strip(), float(value)
    except ValueError as error:
        raise QuestionSetError(
            f"--min is {given!r}; it must be metric=value: hit@1=0.9."
        ) from error


def _legs(given: str) -> list[str]:
    from index.retriever import LEGS

    chosen = [leg.strip() for leg in given.split(",") if leg.strip()]
    if not chosen or set(chosen) - set(LEGS):
        raise QuestionSetError(f"--legs is {given!r}; there are {', '.join(LEGS)}.")
    return chosen


def _tell_left_out(questions: QuestionSet) -> None:
    from evals.datasets import drafts

    for note in questions.notes:
        notes.print(f"{questions.name}: {note}")
    if questions.drafts:
        notes.print(
            f"{questions.name}: {questions.drafts} drafts are not counted. To complete one, "
            f"{drafts.HOW}."
        )

"""The commands of `footnote eval` that fit and time: calibrate, retrieval, benchmark."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from evals import options
from evals.options import EncoderName, IndexDir, JsonOut, ReaderName, Seed, Sets, Source, notes, out
from index.errors import QuestionSetError


def calibrate(
    sets: Sets,
    output: Annotated[Path, typer.Option(help="The calibration to write; FOOTNOTE_CALIBRATION.")],
    sentences_on: Annotated[
        list[str] | None,
        typer.Option(help="Names of the sets that sentences are fitted on; all by default."),
    ] = None,
    threshold_on: Annotated[
        list[str] | None,
        typer.Option(help="Names of the sets that the threshold is chosen on; all by default."),
    ] = None,
    source: Source = None,
    index_dir: IndexDir = None,
    encoder: EncoderName = None,
    reader: ReaderName = None,
    limit: Annotated[
        int | None, typer.Option(min=1, help="At most this many questions a set, spread over it.")
    ] = None,
) -> None:
    """Fit the probabilities of the reader in use, with cross-validation, and write them."""
    from evals.datasets.gold import GoldFinder
    from evals.datasets.loader import read_set
    from evals.fitting.calibration import Case, check_sets, fit, write
    from evals.running import runner

    read = [read_set(path) for path in sets]
    options.check_names(read)
    names = {questions.name for questions in read}
    unknown = {*(threshold_on or ()), *(sentences_on or ())} - names
    if unknown:
        raise QuestionSetError(
            f"There is no set {', '.join(sorted(unknown))}; there are {', '.join(sorted(names))}."
        )
    read = [runner.limited(own, limit) for own in read]
    sentence_sets, threshold_sets = sentences_on or sorted(names), threshold_on or sorted(names)
    check_sets(read, sentence_sets, threshold_sets)
    settings = options.settings(index_dir, encoder, reader)
    cases: list[Case] = []
    fingerprint = "none"
    for questions in read:
        with (
            options.progress(questions.name) as (indexing, asking),
            runner.opened(questions, source or [], settings, indexing) as assistant,
        ):
            fingerprint = assistant.reader_fingerprint
            finder = GoldFinder(questions, assistant.documents)
            for done, question in enumerate(questions.questions):
                asking(done, len(questions.questions))
                gold = finder.find(question)
                found = assistant.evidence(question.question, question.history)
                cases.append(Case(questions.name, question, gold, found))
    fitted = fit(cases, settings.reader != "none", sentence_sets, threshold_sets)
    write(output, {fingerprint: fitted})
    out.print_json(data=fitted.entry())


def retrieval(
    sets: Sets,
    source: Source = None,
    index_dir: IndexDir = None,
    encoder: EncoderName = None,
    reader: ReaderName = None,
    seed: Seed = 0,
) -> None:
    """Compare ways of ranking paragraphs on question sets; p is of hit@1 against the last."""
    from evals.datasets.loader import read_set
    from evals.metrics.ablation import SHIPPED, compare
    from evals.metrics.statistics import difference, figure
    from evals.reporting import tables
    from evals.running import runner

    settings = options.settings(index_dir, encoder, reader)
    interval = "95 % interval"
    columns = ("way", "hit@1", interval, "hit@3", interval, "mrr", interval, "p", "n")
    for questions in [read_set(path) for path in sets]:
        with (
            options.progress(questions.name) as (indexing, _),
            runner.opened(questions, source or [], settings, indexing) as assistant,
        ):
            ways = compare(assistant, questions)
        rows = []
        for way, found in ways.items():
            row = [way]
            for measure in found.values():
                row += tables.cells(figure(measure, seed), "")[:2]
            p = difference(found["hit@1"], ways[SHIPPED]["hit@1"], seed).p
            rows.append([*row, "" if way == SHIPPED else tables.p_value(p), found["hit@1"].n])
        out.print(tables.rows_table(questions.name, columns, rows))


def benchmark(
    paragraphs: Annotated[
        str, typer.Option(help="Sizes to measure, with commas.")
    ] = "1000,10000,100000",
    corpus: Annotated[
        list[Path] | None,
        typer.Option(help="Documents or sets whose sentences are used; the shipped document."),
    ] = None,
    rounds: Annotated[int, typer.Option(min=1, help="How often each start is timed.")] = 3,
    json_out: JsonOut = None,
    html: Annotated[Path | None, typer.Option(help="Write table and plot as one page.")] = None,
) -> None:
    """Time indexing, asking and starting as the index grows, beside the bare model."""
    from evals import benchmark as timed
    from evals import benchmark_report
    from evals.reporting import results

    try:
        sizes = [int(size) for size in paragraphs.split(",")]
    except ValueError as error:
        raise QuestionSetError(
            f"--paragraphs is {paragraphs!r}; it must be numbers: 1000,10000."
        ) from error
    documents, asked = timed.corpus_of(corpus or ())
    measured = []
    with notes.status("") as status:
        for size in timed.run(documents, asked, sizes, rounds, lambda what: status.update(what)):
            measured.append(size)
            if json_out is not None and str(json_out) != "-":  # each is kept as soon as it is there
                results.write(json_out, benchmark_report.to_dict(measured))
    if html is not None:
        results.write_text(html, benchmark_report.page(measured))
    if str(json_out) == "-":
        typer.echo(json.dumps(benchmark_report.to_dict(measured), indent=1))
    else:
        out.print(benchmark_report.table(measured))

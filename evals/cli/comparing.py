"""The commands of `footnote eval` that compare ways of doing the same: retrieval, overviews,
conversations.

What takes long to import is imported where it is first needed.
"""

from __future__ import annotations

from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from assistant.cli.options import EncoderName, IndexDir, ReaderName, Source
from assistant.settings import load_settings
from evals.cli.options import (
    JsonOut,
    Seed,
    Sets,
    opened_sets,
    out,
    progress,
    report,
    report_left_out,
)

#: What is told of follow-ups, and by turn.
FOLLOW_UPS = (
    "hit@1 recall@5 right evidence_cited citation_precision refused_answerable withheld"
).split()
BY_TURN = "recall@5 right refused_answerable".split()


def retrieval(
    sets: Sets,
    source: Source = None,
    index_dir: IndexDir = None,
    encoder: EncoderName = None,
    reader: ReaderName = None,
    seed: Seed = 0,
) -> None:
    """Compare ways of ranking paragraphs on question sets with the one that is used."""
    from evals.fitting.ablation import ranking_ways
    from evals.reporting.compare import compared, compared_table

    settings = load_settings(index_dir=index_dir, encoder=encoder, reader=reader)
    for questions, assistant, _ in opened_sets(sets, source, settings):
        ways = ranking_ways(assistant, questions)
        found = list(compared(ways, ("hit@1", "hit@3", "mrr"), seed))
        out.print(compared_table(questions.name, found))


def overviews(
    sets: Annotated[
        list[Path] | None,
        typer.Argument(help="Sets that ask for overviews.", metavar="[SET...]", readable=False),
    ] = None,
    source: Source = None,
    json_out: JsonOut = None,
    index_dir: IndexDir = None,
    encoder: EncoderName = None,
    seed: Seed = 0,
) -> None:
    """Compare overviews with LexRank and with the first sentences of the sections, and time them.

    The plain ways choose as many sentences, and are told which part is asked for. Told is of all
    overviews that are wanted, and of those that are given. Without a set each document is asked
    for an overview, and the time alone is told.
    """
    from assistant import Assistant
    from evals.fitting import overviews as plain
    from evals.reporting.compare import compared, compared_table, measured
    from evals.running.runner import ask_set

    settings = load_settings(index_dir=index_dir, encoder=encoder)
    data: dict[str, Any] = {"footnote_overviews": 1, "wanted": {}, "given": {}, "times": {}}
    tables = []
    wanted = opened_sets(sets or [], source, settings, plain.only_overviews)
    for questions, assistant, asking in wanted:
        run = ask_set(assistant, questions, settings.index_dir, asking=asking)
        ways = plain.overview_ways(assistant, run)
        times = plain.times_of(assistant, run)
        report_left_out(run.questions)
        for what, own in (("wanted", ways), ("given", plain.only_given(ways))):
            found = list(compared(measured(own), plain.SHOWN, seed))
            title = f"{questions.name}: {len(own[plain.OURS])} overviews {what}"
            tables.append(compared_table(title, found))
            data[what][questions.name] = [asdict(figure) for figure in found]
        tables.append(plain.times_table("Speed", times))
        data["times"][questions.name] = [asdict(own) for own in times]
    if not sets:
        with (
            progress("overviews") as (indexing, asking),
            Assistant.open(*source or [], settings=settings, progress=indexing) as assistant,
        ):
            times = plain.each_document(assistant, asking)
        tables.append(plain.times_table("An overview of each document", times))
        data["times"]["documents"] = [asdict(own) for own in times]
    report(data, json_out, lambda: out.print(*tables, sep=""))


def conversations(
    sets: Sets,
    source: Source = None,
    json_out: JsonOut = None,
    index_dir: IndexDir = None,
    encoder: EncoderName = None,
    reader: ReaderName = None,
    seed: Seed = 0,
) -> None:
    """Compare follow-ups asked with their conversation, put after the question before, and alone.

    The first questions of conversations are left out: they are asked alike.
    """
    from evals.datasets.models import HISTORIES
    from evals.reporting.compare import compared, compared_table, measured
    from evals.running.runner import ask_set, only

    settings = load_settings(index_dir=index_dir, encoder=encoder, reader=reader)
    data: dict[str, Any] = {"footnote_conversations": 2, "sets": {}, "turns": {}}
    tables = []
    # The ways are the same for the others.
    follow_ups = partial(
        only,
        asked=lambda question: question.history,
        lacking="has no conversation: no question has a history.",
    )
    for questions, assistant, asking in opened_sets(sets, source, settings, follow_ups):
        runs = {
            history: ask_set(
                assistant, questions, settings.index_dir, history=history, asking=asking
            )
            for history in HISTORIES
        }
        asked = runs["kept"].questions
        report_left_out(asked)
        ways = {str(history): run.records for history, run in runs.items()}
        found = list(compared(measured(ways), FOLLOW_UPS, seed))
        tables.append(compared_table(f"{asked.name}: {len(asked.questions)} follow-ups", found))
        data["sets"][asked.name] = [asdict(own) for own in found]
        data["turns"][asked.name] = {}
        for turn in sorted({question.turn for question in asked.questions}):
            found = list(compared(measured(ways, turn), BY_TURN, seed))
            tables.append(compared_table(f"Turn {turn}", found))
            data["turns"][asked.name][turn] = [asdict(own) for own in found]
    report(data, json_out, lambda: out.print(*tables, sep=""))

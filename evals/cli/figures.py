"""The command of `footnote eval` that makes the figures to publish.

What takes long to import is imported where it is first needed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

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
from evals.cli.options import (
    AtOnce,
    Seed,
    out,
    progress,
    report,
    report_course,
    report_left_out,
    tell_wait,
)
from index.errors import DocumentError, QuestionSetError

if TYPE_CHECKING:
    from assistant.settings import Settings
    from evals.datasets.folder import FolderSet
    from evals.datasets.models import QuestionSet
    from evals.running.runner import SetRun

#: Settings that are not published: they may hold a secret, or say where things lie here.
PRIVATE = ("llm", "llm_api_key", "calibration", "shared_terms")


def figures(
    folder: Annotated[
        Path, typer.Argument(help="Holds question sets, in any of their forms.", readable=False)
    ],
    limit: Annotated[
        int | None,
        typer.Option(min=1, help="At most this many questions of a set, always the same ones."),
    ] = None,
    html: Annotated[Path | None, typer.Option(help="Write them as one HTML page.")] = None,
    markdown: Annotated[Path | None, typer.Option(help="Write them as Markdown.")] = None,
    json_out: Annotated[
        Path | None, typer.Option("--json", help="Write them as JSON; - prints it.")
    ] = None,
    source: Source = None,
    llm: LanguageModel = None,
    at_once: AtOnce = 1,
    index_dir: IndexDir = None,
    encoder: EncoderName = None,
    reader: ReaderName = None,
    seed: Seed = 0,
) -> None:
    """Make the figures of all question sets in a folder: a page, a table and JSON to publish.

    What is no set is named with the reason. With a language model set, both ways of answering are
    told beside each other. A run that is interrupted goes on where it was when the same command is
    given again.
    """
    from assistant.llm.client import is_set, name_of
    from evals.datasets.folder import LeftOut, find_sets
    from evals.reporting.figures import (
        QUOTING,
        Figures,
        figures_markdown,
        figures_page,
        figures_table,
        made_now,
        row_of,
    )
    from evals.reporting.results import write_text

    made = made_now()
    settings = load_settings(index_dir=index_dir, encoder=encoder, reader=reader, llm=llm)
    ways = {QUOTING: settings.model_copy(update={"llm": "none"})}
    if is_set(settings):
        ways[name_of(settings)] = settings
    sets, left_out = find_sets(folder)
    for own in left_out:
        notes.print(f"Not measured: {own.name}: {own.reason}")
    rows, journals, made_with = [], [], {}
    for number, whole in enumerate(sets, start=1):
        runs: dict[str, list[SetRun]] = {way: [] for way in ways}
        for questions in whole.limited(limit).files:
            place = whole.place_of(questions)
            try:
                done = {
                    way: _ask(place, questions, source or [], _with_index(whole, own), at_once)
                    for way, own in ways.items()
                }
            except (QuestionSetError, DocumentError) as error:
                left_out.append(LeftOut(place, str(error).replace(f"{folder}/", "")))
                notes.print(f"Not measured: {place}: {error}")
                continue
            report_left_out(done[QUOTING].questions)
            for way, run in done.items():
                runs[way].append(run)
                journals.append(run.journal)
                made_with[way] = _published(run.provenance)
        if runs[QUOTING]:
            rows.append(row_of(whole, runs, seed))
            notes.print(f"{number} of {len(sets)}: {whole.name}, {rows[-1].asked} questions.")
    if not rows:
        raise QuestionSetError(f"No set of {folder} could be measured; the reasons stand above.")
    tell_check(settings)
    found = Figures(made, made_with, rows, left_out, limit, seed)
    if html is not None:
        write_text(html, figures_page(found))
    if markdown is not None:
        write_text(markdown, figures_markdown(found))
    report(found.to_dict(), json_out, lambda: out.print(figures_table(found)))
    for journal in journals:  # all is written: the next run measures anew
        journal.unlink(missing_ok=True)


def _ask(
    place: str, questions: QuestionSet, sources: Sequence[Path], settings: Settings, at_once: int
) -> SetRun:
    """Ask a file of a set in one way; what is asked so far is kept until all sets are done."""
    from evals.running.runner import ask_set, open_set

    with (
        progress(place) as (indexing, asking),
        open_set(questions, sources, settings, indexing) as assistant,
    ):
        run = ask_set(
            assistant,
            questions,
            settings.index_dir,
            at_once=at_once,
            asking=asking,
            on_wait=tell_wait,
            leave_journal=True,
        )
    report_course(place, run)
    return run


def _with_index(whole: FolderSet, settings: Settings) -> Settings:
    """Files of several sets may have the same name: each set of several has a place of its own."""
    if len(whole.files) == 1:
        return settings
    return settings.model_copy(update={"index_dir": settings.index_dir / "sets" / whole.name})


def _published(provenance: Mapping[str, Any]) -> dict[str, Any]:
    settings = provenance["settings"]
    told = {name: value for name, value in settings.items() if name not in PRIVATE}
    return {**provenance, "settings": told}

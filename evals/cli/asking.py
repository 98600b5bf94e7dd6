"""The commands of `footnote eval` that ask questions and tell how the answers did: of the assistant
(run), of another system over the network (endpoint), and figures to publish (figures).

What takes long to import is imported where it is first needed.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from contextlib import closing
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
from evals.cli import options
from evals.cli.options import AtOnce, Html, JsonOut, Limit, Minimum, Seed, Sets
from evals.datasets.models import History
from index.errors import DocumentError, QuestionSetError

if TYPE_CHECKING:
    from assistant.settings import Settings
    from evals.datasets.models import QuestionSet
    from evals.running.runner import SetRun

#: Settings that are not published: they may hold a secret, or say where things lie here.
PRIVATE = ("llm", "llm_api_key", "calibration")


def run(
    sets: Sets,
    source: Source = None,
    k: Annotated[
        int, typer.Option("--k", "-k", min=1, help="Paragraphs that count as found.")
    ] = 10,
    json_out: JsonOut = None,
    html: Html = None,
    minimum: Minimum = None,
    limit: Limit = None,
    seed: Seed = 0,
    history: Annotated[
        History,
        typer.Option(
            help="Follow-ups with the conversation, put after the question before, or alone."
        ),
    ] = "kept",
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

    floors = options.floors_of(minimum)
    settings = load_settings(index_dir=index_dir, encoder=encoder, reader=reader, llm=llm)
    runs = []
    for questions in read_sets(sets, settings.ocr):
        system = {"k": k, "history": history}
        run_options: dict[str, Any] = {"limit": limit, "at_once": at_once}
        runs.append(_ask(questions.name, questions, source, settings, system, **run_options))
        options.report_left_out(runs[-1].questions)
    tell_check(settings)
    options.report_result(runs, k, seed, floors, html, json_out)


def endpoint(
    address: Annotated[
        str, typer.Argument(help="Of an OpenAI-compatible endpoint: http://host:port/v1.")
    ],
    sets: Sets,
    model: Annotated[str, typer.Option(help="The model, as it is named there.")],
    source: Source = None,
    key_env: Annotated[
        str, typer.Option(help="Environment variable that holds its key, if it needs one.")
    ] = "ENDPOINT_API_KEY",
    system: Annotated[
        str, typer.Option(help="What is said to it first: how to quote its sources, say.")
    ] = "",
    body: Annotated[
        str | None, typer.Option(help='Fields of each request besides, as JSON: {"temperature": 0}')
    ] = None,
    refusal: Annotated[
        list[str] | None,
        typer.Option(
            help="Words in the first sentence of a reply that make it a refusal, besides those "
            "that are known; may be given again."
        ),
    ] = None,
    timeout: Annotated[float, typer.Option(min=0.1, help="Seconds for a reply.")] = 120.0,
    at_once: AtOnce = 1,
    limit: Limit = None,
    json_out: JsonOut = None,
    html: Html = None,
    minimum: Minimum = None,
    index_dir: IndexDir = None,
    seed: Seed = 0,
) -> None:
    """Ask every question of the sets of another system, and tell how its answers did.

    It has to have the documents of the sets: give it them first. The same documents are needed here
    to find what it quotes (--source, where a set does not bring them). It cites by `annotations`
    with a `quote`, by quotes in its text, or by sentences that stand in the documents; a reply
    without any that does, or whose first sentence says that the documents do not answer, is a
    refusal. What fails is told and counts as neither. `footnote eval compare` holds the result
    against Footnote's own.
    """
    from evals.datasets.loader import read_sets
    from evals.running.endpoint import Endpoint
    from evals.running.records import DEPTH
    from evals.running.replies import EndpointSystem
    from evals.running.runner import run_set

    floors = options.floors_of(minimum)
    key = os.environ.get(key_env) or None
    asked = Endpoint(address, model, key, timeout, system, _object_in(body))
    folder = load_settings(index_dir=index_dir).index_dir
    runs = []
    with closing(asked):
        for questions in read_sets(sets):
            with options.progress(questions.name) as (_, asking):
                done = run_set(
                    EndpointSystem(asked, questions, source or [], refusal or ()),
                    folder,
                    limit=limit,
                    at_once=at_once,
                    asking=asking,
                    on_wait=options.tell_wait,
                )
            runs.append(done)
            options.report_left_out(done.questions)
            options.report_run(done)
    options.report_result(runs, DEPTH, seed, floors, html, json_out)


def _object_in(body: str | None) -> Mapping[str, Any]:
    try:
        data = json.loads("{}" if body is None else body)
    except ValueError as error:
        raise QuestionSetError(f"--body is {body!r}, which is not JSON: {error}.") from error
    if not isinstance(data, dict):
        raise QuestionSetError(f'--body is {body!r}; it must be like {{"temperature": 0}}.')
    return data


def figures(
    folder: Annotated[
        Path, typer.Argument(help="Holds question sets, in any of their forms.", readable=False)
    ],
    limit: Annotated[
        int | None,
        typer.Option(min=1, help="At most this many questions of a set, always the same ones."),
    ] = None,
    html: Html = None,
    markdown: Annotated[Path | None, typer.Option(help="Write them as Markdown.")] = None,
    json_out: JsonOut = None,
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
    from evals.reporting import figures as publishing
    from evals.reporting.results import write_text

    made = publishing.made_now()
    settings = load_settings(index_dir=index_dir, encoder=encoder, reader=reader, llm=llm)
    ways: dict[str, dict[str, Any]] = {publishing.QUOTING: {"llm": "none"}}
    if is_set(settings):
        ways[name_of(settings)] = {}
    sets, left_out = find_sets(folder)
    for what in left_out:
        notes.print(f"Not measured: {what.name}: {what.reason}")
    rows, journals, made_with = [], [], {}
    for number, whole in enumerate(sets, start=1):
        runs: dict[str, list[SetRun]] = {way: [] for way in ways}
        # Files of several sets may have the same name: each set of several has a place of its own.
        place = settings.index_dir / "sets" / whole.name
        kept = {"index_dir": place} if len(whole.files) > 1 else {}
        for questions in whole.limited(limit).files:
            name = whole.place_of(questions)
            try:
                done = {
                    way: _ask(
                        name,
                        questions,
                        source,
                        settings.model_copy(update=kept | changed),
                        at_once=at_once,
                        leave_journal=True,
                    )
                    for way, changed in ways.items()
                }
            except (QuestionSetError, DocumentError) as error:
                left_out.append(LeftOut(name, str(error).replace(f"{folder}/", "")))
                notes.print(f"Not measured: {name}: {error}")
                continue
            options.report_left_out(done[publishing.QUOTING].questions)
            for way, run in done.items():
                runs[way].append(run)
                journals.append(run.journal)
                told = {n: v for n, v in run.provenance["settings"].items() if n not in PRIVATE}
                made_with[way] = {**run.provenance, "settings": told}
        if runs[publishing.QUOTING]:
            rows.append(publishing.row_of(whole, runs, seed))
            notes.print(f"{number} of {len(sets)}: {whole.name}, {rows[-1].asked} questions.")
    if not rows:
        raise QuestionSetError(f"No set of {folder} could be measured; the reasons stand above.")
    tell_check(settings)
    found = publishing.Figures(made, made_with, rows, left_out, limit, seed)
    if html is not None:
        write_text(html, publishing.figures_text(found, "figures.html"))
    if markdown is not None:
        write_text(markdown, publishing.figures_text(found, "figures.md"))
    table = publishing.figures_table(found)
    options.report(found.to_dict(), json_out, lambda: options.out.print(table))
    for journal in journals:  # all is written: the next run measures anew
        journal.unlink(missing_ok=True)


def _ask(
    name: str,
    questions: QuestionSet,
    sources: Sequence[Path] | None,
    settings: Settings,
    system: Mapping[str, Any] | None = None,
    **run_options: Any,
) -> SetRun:
    """Ask the assistant the questions of a set and report the run under a name.

    Args:
        name: shown with the progress and the report.
        questions: the set.
        sources: documents, for a set without any.
        settings: of the assistant.
        system: options of `AssistantSystem`.
        run_options: options of `run_set`.
    """
    from evals.running.runner import AssistantSystem, open_set, run_set

    with (
        options.progress(name) as (indexing, asking),
        open_set(questions, sources or [], settings, indexing) as assistant,
    ):
        run = run_set(
            AssistantSystem(assistant, questions, **system or {}),
            settings.index_dir,
            asking=asking,
            on_wait=options.tell_wait,
            **run_options,
        )
    options.report_run(run, name)
    return run

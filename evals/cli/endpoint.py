"""The command of `footnote eval` that measures another system, asked over the network.

What takes long to import is imported where it is first needed.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import closing
from typing import TYPE_CHECKING, Annotated, Any

import typer

from assistant.cli.options import IndexDir, Source, notes
from assistant.settings import load_settings
from evals.cli.options import (
    AtOnce,
    Html,
    JsonOut,
    Limit,
    Minimum,
    Seed,
    Sets,
    floors_of,
    progress,
    report_result,
    report_run,
    tell_wait,
)
from index.errors import QuestionSetError

if TYPE_CHECKING:
    from evals.running.runner import SetRun

#: Questions without a reply that are named; the JSON and the page have all. Not tuned.
NAMED = 20


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

    floors = floors_of(minimum)
    key = os.environ.get(key_env) or None
    folder = load_settings(index_dir=index_dir).index_dir
    runs = []
    with closing(Endpoint(address, model, key, timeout, system, _object_in(body))) as asked:
        for questions in read_sets(sets):
            with progress(questions.name) as (_, asking):
                other = EndpointSystem(asked, questions, source or [], refusal or ())
                run = run_set(
                    other, folder, limit=limit, at_once=at_once, asking=asking, on_wait=tell_wait
                )
            runs.append(run)
            report_run(run)
            _tell_failed(run)
    report_result(runs, DEPTH, seed, floors, html, json_out)


def _object_in(body: str | None) -> Mapping[str, Any]:
    if body is None:
        return {}
    try:
        data = json.loads(body)
    except ValueError as error:
        raise QuestionSetError(f"--body is {body!r}, which is not JSON: {error}.") from error
    if not isinstance(data, dict):
        raise QuestionSetError(f'--body is {body!r}; it must be like {{"temperature": 0}}.')
    return data


def _tell_failed(run: SetRun) -> None:
    from evals.running.records import FAILED

    failed = [record for record in run.records if record.status == FAILED]
    name = run.questions.name
    if failed:
        notes.print(f"{name}: no reply came to {len(failed)} of {len(run.records)} questions.")
    for record in failed[:NAMED]:
        notes.print(f"  {record.id}: {record.note}")
    if len(failed) > NAMED:
        notes.print(f"  and {len(failed) - NAMED} more, which the JSON and the page have.")

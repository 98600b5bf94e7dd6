"""Running sets where a language model is set: what it is asked, and how many at a time."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from model_servers import Handler, knows, serving
from question_sets import TOWN, Eval

from assistant import Settings
from assistant.settings import load_settings
from evals.datasets.loader import read_set
from evals.running import runner


@pytest.fixture
def model() -> Iterator[tuple[str, type[Handler]]]:
    """A model that quotes what answers a question: its address, and what it was asked."""
    quotes = {question: f"{quote} [1][2][3]" for question, quote in TOWN.items() if quote}
    with serving(knows(quotes)) as (address, handler):
        yield address, handler


def asked(
    file: Path,
    settings: Settings,
    at_once: int,
    step: runner.Step = lambda _done, _total: None,
    waited: list[int] | None = None,
) -> runner.SetRun:
    questions = read_set(file)
    with runner.open_set(questions, [], settings) as assistant:
        return runner.run_set(
            runner.AssistantSystem(assistant, questions),
            settings.index_dir,
            at_once=at_once,
            asking=step,
            on_wait=([] if waited is None else waited).append,
        )


def told(handler: type[Handler]) -> list[str]:
    """What the model was told, request by request, whichever came first; what it had been told
    before is forgotten."""
    messages = sorted(json.dumps(body["messages"]) for body in handler.asked)
    handler.asked.clear()
    return messages


def test_the_model_is_asked_nothing_but_the_questions_and_each_once(
    town: Path, model: tuple[str, type[Handler]], tmp_path: Path
) -> None:
    """What is on its way when a run is interrupted is not asked again."""
    address, handler = model
    settings = load_settings(index_dir=tmp_path, llm=address)
    questions = read_set(town)
    with runner.open_set(questions, [], settings) as assistant:
        answers = [assistant.ask(question) for question in TOWN]
    alone = told(handler)
    assert alone
    whole = asked(town, settings, 1).records
    assert told(handler) == alone
    assert [record.status for record in whole] == [answer.status for answer in answers]
    assert {record.status for record in whole} > {"answered"}
    assert [record.forced for record in whole] == [None] * len(TOWN)
    waited: list[int] = []

    def stop(done: int, _: int) -> None:
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        asked(town, settings, 3, stop, waited)
    # What was begun then is kept, too.
    assert waited and waited[0] <= 3
    resumed = asked(town, settings, 3)
    assert resumed.resumed >= 3
    assert told(handler) == alone
    without_times = ([replace(r, timings_ms={}) for r in of] for of in (resumed.records, whole))
    assert next(without_times) == next(without_times)


def test_the_command_asks_several_at_once(
    footnote_eval: Eval, town: Path, model: tuple[str, type[Handler]]
) -> None:
    address, _ = model
    given: list[Any] = ["run", town, "--llm", address, "--at-once", "3", "--json", "-"]
    said = footnote_eval(*given)
    told, _, result = said.partition("{")
    assert "has not been checked" in " ".join(told.split())
    data = json.loads("{" + result)
    assert [record["question"] for record in data["records"]] == list(TOWN)
    assert data["provenance"]["settings"]["llm"] == address

"""Running sets: the same figures each time, going on after an interrupt, floors."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from question_sets import CHOSEN, SEED, Eval

from assistant import Settings
from assistant.settings import load_settings
from evals.datasets.loader import read_set
from evals.datasets.models import QuestionSet
from evals.running import runner
from evals.running.records import Record
from index.errors import FootnoteError
from index.retriever import LEGS


def test_what_the_json_holds(result: Path) -> None:
    data = json.loads(result.read_text())
    assert data["figures"]["hit@1"].keys() == {"value", "n", "low", "high"}
    assert data["figures"]["citation_validity"]["value"] == 1.0
    assert len(data["records"]) == data["sets"][0]["asked"] == len(CHOSEN)
    assert set(data["turns"]) > {"1", "2"}
    assert sum(own["hit@1"]["n"] for own in data["turns"].values()) == data["figures"]["hit@1"]["n"]
    assert data["speed"]["total"]["p95"]["value"] > data["speed"]["total"]["p50"]["value"] > 0
    made = data["provenance"]
    assert made["fingerprints"].keys() == {"encoder", "reader", "calibration", "code"}
    assert made["settings"]["legs"] == ["sentence", "terms"]
    for record in data["records"]:
        assert Record.from_dict(record).to_dict() == record


def test_sets_are_pooled_and_told_apart(footnote_eval: Eval, passages: Path, town: Path) -> None:
    told = footnote_eval(passages, town)
    assert "All sets: 9 questions" in told
    assert "By document" in told
    data = json.loads(footnote_eval(passages, town, "--json", "-"))
    assert list(data["parts"]) == ["mills", "town"]
    for name in ("answered_right", "answered_unanswerable", "right_if_answered"):
        whole, parts = data["figures"][name], [own[name] for own in data["parts"].values()]
        assert whole["n"] == sum(own["n"] for own in parts)
        assert whole["value"] * whole["n"] == pytest.approx(
            sum(own["value"] * own["n"] for own in parts), abs=1e-4
        )
    assert {own["mean_confidence"]["n"] for own in data["parts"].values()} == {3, 6}
    alone = json.loads(footnote_eval(town, "--json", "-"))
    assert alone["parts"] == {}


def test_what_is_shown_as_passages_is_recorded(
    footnote_eval: Eval, town: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FOOTNOTE_REFUSE_BELOW", "0")
    monkeypatch.setenv("FOOTNOTE_ANSWER_FROM", "1")
    data = json.loads(footnote_eval(town, "--json", "-"))
    # The document has three paragraphs: each question is shown all of them.
    assert [len(own["passages"]) for own in data["records"]] == [3] * 6
    figures = {name: own["value"] for name, own in data["figures"].items()}
    assert (figures["passages_right"], figures["passages_wrong"]) == (1, 0)
    assert figures["unsure_unanswerable"] == 1
    assert figures["passages_precision"] == pytest.approx(4 / 6, abs=1e-6)
    assert figures["answer_precision"] is None


def test_a_missed_floor_is_exit_code_1(footnote_eval: Eval, passages: Path) -> None:
    reached = footnote_eval(passages, "--min", "hit@1=0.9", "--min", "mrr=1")
    assert "refusal_auroc" in reached
    output = footnote_eval(passages, "--min", "right=1.01", "--limit", "1", code=1)
    assert "right of mills is" in output
    # With one question there is none to refuse: n/a reaches no floor.
    output = footnote_eval(passages, "--min", "refusal_recall=0", "--limit", "1", code=1)
    assert "refusal_recall is n/a" in output


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--min", "hit@1"], "metric=value"),
        (["--min", "hits=1"], "There is no figure 'hits'"),
        (["--legs", "all"], "there are sentence, terms"),
    ],
)
def test_mistakes_are_told(
    footnote_eval: Eval, passages: Path, arguments: list[str], reason: str
) -> None:
    with pytest.raises(FootnoteError, match=reason):
        footnote_eval(passages, "--limit", "1", *arguments)


def test_passages_are_found_as_wholes(footnote_eval: Eval, passages: Path) -> None:
    data = json.loads(footnote_eval(passages, "--json", "-", "-k", "3"))
    assert data["figures"]["recall@3"]["value"] == 1.0
    for record in data["records"]:
        units = [found["unit"] for found in record["retrieved"]]
        assert len(units) == len(set(units))
    # The evidence of a passage without a short answer is not told to the sentence.
    assert data["figures"]["evidence_in_answer"]["n"] == 1


def asked(
    questions: QuestionSet, settings: Settings, step: runner.Step, legs: Collection[str] = LEGS
) -> runner.SetRun:
    with runner.open_set(questions, [], settings) as assistant:
        return runner.ask_set(assistant, questions, settings.index_dir, legs=legs, asking=step)


def go_on(done: int, total: int) -> None:
    assert done <= total


def test_an_interrupted_run_goes_on_to_the_same(passages: Path, tmp_path: Path) -> None:
    questions, settings = read_set(passages), load_settings(index_dir=tmp_path, reader="none")

    def stop(done: int, _: int) -> None:
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        asked(questions, settings, stop)
    (journal,) = (tmp_path / "runs").iterdir()
    journal.write_text(journal.read_text() + '{"set": "mills", "id": "q2", "que')  # torn by a kill
    resumed = asked(questions, settings, go_on)
    whole = asked(questions, settings, go_on)
    assert (resumed.resumed, whole.resumed) == (2, 0)
    # Asked again it is the same, but for the times.
    assert [replace(own, timings_ms={}) for own in resumed.records] == [
        replace(own, timings_ms={}) for own in whole.records
    ]
    assert not list((tmp_path / "runs").iterdir())
    # Other settings are another run.
    with pytest.raises(KeyboardInterrupt):
        asked(questions, settings, stop)
    assert asked(questions, settings, go_on, ["terms"]).resumed == 0


@pytest.mark.parametrize("limit", [1, 40, 100, 141, 500])
def test_a_limit_is_never_passed(limit: int) -> None:
    """They are spread over the set, and no more than were asked for."""
    whole = read_set(SEED)
    some = runner.limited(whole, limit).questions
    assert min(limit, len(whole.questions)) / 2 <= len(some) <= limit
    places = [whole.questions.index(question) for question in some]
    assert places[0] == 0
    assert len({after - before for before, after in pairwise(places)}) <= 1

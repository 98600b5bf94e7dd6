"""Running sets: the same figures each time, going on after an interrupt, floors."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from question_sets import CHOSEN, Eval, write

from assistant import Settings
from assistant.settings import load_settings
from evals.datasets.loader import read_set
from evals.datasets.models import QuestionSet
from evals.running import runner
from evals.running.records import RECORD
from index.errors import FootnoteError


def test_what_the_json_holds(result: Path) -> None:
    data = json.loads(result.read_text())
    assert data["figures"]["hit@1"].keys() == {"value", "n", "low", "high"}
    assert data["figures"]["citation_validity"]["value"] == 1.0
    assert len(data["records"]) == data["sets"][0]["asked"] == len(CHOSEN)
    assert sum(count for own in data["outcomes"].values() for count in own.values()) == len(CHOSEN)
    made = data["provenance"]
    assert made["fingerprints"].keys() == {"encoder", "reader", "calibration", "code"}
    for record in data["records"]:
        assert RECORD.dump_python(RECORD.validate_python(record), mode="json") == record


def test_a_follow_up_is_asked_with_its_conversation(
    footnote_eval: Eval, town: Path, tmp_path: Path
) -> None:
    history = [{"role": "user", "content": "How long is the bridge?"}]
    follow_up = {"id": "f", "question": "And the school?", "answerable": False, "history": history}
    file = write(tmp_path / "f.jsonl", {"documents": [str(town.with_suffix(".md"))]}, follow_up)
    [own] = json.loads(footnote_eval("run", file, "--json", "-"))["records"]
    assert own["understood"] != own["question"]


def test_sets_are_pooled_and_told_apart(
    footnote_eval: Eval, passages: Path, town: Path, tmp_path: Path
) -> None:
    told = footnote_eval("run", passages, town, "--json", tmp_path / "out.json")
    assert "mills: 3 questions" in told
    assert "All sets: 9 questions" in told
    assert "answerable: " in told and "unanswerable: " in told
    data = json.loads((tmp_path / "out.json").read_text())
    for name in ("answered_right", "withheld"):
        whole, parts = data["figures"][name], [own["figures"][name] for own in data["sets"]]
        assert whole["n"] == sum(own["n"] for own in parts)
        assert whole["value"] * whole["n"] == pytest.approx(
            sum(own["value"] * own["n"] for own in parts), abs=1e-4
        )
    # Passages are found as wholes.
    for record in data["records"][:3]:
        units = [found["unit"] for found in record["retrieved"]]
        assert len(units) == len(set(units)) == 3


def test_passages_that_are_shown_count_as_shown(
    footnote_eval: Eval, town: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FOOTNOTE_REFUSE_BELOW", "0")
    monkeypatch.setenv("FOOTNOTE_ANSWER_FROM", "1")
    data = json.loads(footnote_eval("run", town, "--json", "-"))
    assert data["outcomes"] == {"answerable": {"unsure": 4}, "unanswerable": {"unsure": 2}}
    figures = {name: own["value"] for name, own in data["figures"].items()}
    assert figures["evidence_shown"] > 0
    assert (figures["answered_right"], figures["answer_precision"]) == (0, None)
    assert figures["withheld"] == 1
    # What would have been cited is known all the same.
    assert all(own["forced"] for own in data["records"])


def test_a_missed_floor_is_exit_code_1(footnote_eval: Eval, passages: Path) -> None:
    told = footnote_eval("run", passages, "--min", "hit@1=0.9", "--min", "mrr=1")
    assert "refusal_auroc" in told
    output = footnote_eval("run", passages, "--min", "hit@3=1.01", "--limit", "1", code=1)
    assert "hit@3 of mills is" in output
    # With one question there is none to refuse: n/a reaches no floor.
    output = footnote_eval("run", passages, "--min", "withheld=0", "--limit", "1", code=1)
    assert "withheld is n/a" in output
    for floor, reason in (("hit@1", "metric=value"), ("hits=1", "There is no figure 'hits'")):
        with pytest.raises(FootnoteError, match=reason):
            footnote_eval("run", "nowhere.jsonl", "--min", floor)


def asked(questions: QuestionSet, settings: Settings, step: runner.Step) -> runner.SetRun:
    with runner.open_set(questions, [], settings) as assistant:
        system = runner.AssistantSystem(assistant, questions)
        return runner.run_set(system, settings.index_dir, asking=step)


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
    other = settings.model_copy(update={"max_sentences": 2})
    assert asked(questions, other, go_on).resumed == 0

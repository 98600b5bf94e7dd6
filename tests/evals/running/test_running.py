"""Running sets: the same figures each time, going on after an interrupt, floors."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from helpers import ROOT
from question_sets import CHOSEN, SEED, Eval, write

from assistant import Settings
from assistant.query.cleaning import MAX_QUESTION
from assistant.settings import load_settings
from evals.datasets.loader import read_set
from evals.datasets.models import History, Question, QuestionSet, asked_with
from evals.running import runner
from evals.running.records import Record
from index.errors import FootnoteError


def test_what_the_json_holds(result: Path) -> None:
    data = json.loads(result.read_text())
    assert data["figures"]["hit@1"].keys() == {"value", "n", "low", "high"}
    assert data["figures"]["citation_validity"]["value"] == 1.0
    assert len(data["records"]) == data["sets"][0]["asked"] == len(CHOSEN)
    assert set(data["turns"]) > {"1", "2"}
    assert data["parts"] == {}  # of one document
    assert sum(own["hit@1"]["n"] for own in data["turns"].values()) == data["figures"]["hit@1"]["n"]
    assert data["speed"]["total"]["p95"]["value"] > data["speed"]["total"]["p50"]["value"] > 0
    made = data["provenance"]
    assert made["fingerprints"].keys() == {"encoder", "reader", "calibration", "code"}
    for record in data["records"]:
        assert Record.from_dict(record).to_dict() == record


def test_sets_are_pooled_and_told_apart(
    footnote_eval: Eval, passages: Path, town: Path, tmp_path: Path
) -> None:
    told = footnote_eval(passages, town, "--json", tmp_path / "out.json")
    assert "All sets: 9 questions" in told
    assert "By document" in told
    data = json.loads((tmp_path / "out.json").read_text())
    assert list(data["parts"]) == ["mills", "town"]
    for name in ("answered_right", "answered_unanswerable", "right_if_answered"):
        whole, parts = data["figures"][name], [own[name] for own in data["parts"].values()]
        assert whole["n"] == sum(own["n"] for own in parts)
        assert whole["value"] * whole["n"] == pytest.approx(
            sum(own["value"] * own["n"] for own in parts), abs=1e-4
        )
    assert {own["mean_confidence"]["n"] for own in data["parts"].values()} == {3, 6}


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
    assert "refusal_auroc" in footnote_eval(passages, "--min", "hit@1=0.9", "--min", "mrr=1")
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
    questions: QuestionSet, settings: Settings, step: runner.Step, history: History = "kept"
) -> runner.SetRun:
    with runner.open_set(questions, [], settings) as assistant:
        system = runner.AssistantSystem(assistant, questions, history=history)
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
    assert asked(questions, settings, go_on, "none").resumed == 0


@pytest.mark.parametrize("limit", [1, 40, 100, 141, 500])
def test_a_limit_is_never_passed(limit: int) -> None:
    """They are spread over the set, and no more than were asked for."""
    whole = read_set(SEED)
    some = runner.limited(whole, limit).questions
    assert min(limit, len(whole.questions)) / 2 <= len(some) <= limit
    places = [whole.questions.index(question) for question in some]
    assert places[0] == 0
    assert len({after - before for before, after in pairwise(places)}) <= 1


@pytest.fixture(scope="module")
def mills(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A set that asks for overviews and goes on asking."""
    folder = tmp_path_factory.mktemp("overviews")
    text = (ROOT / "tests/evals/data/mills.md").read_text(encoding="utf-8")
    (folder / "mills.md").write_text(text, encoding="utf-8")
    evidence = ["Mills have ground grain in this valley", "granted by the abbey"]
    asked = {"id": "o1", "kind": "document", "answerable": True, "evidence": evidence}
    abstract = "Mills have ground grain here for 900 years, by wind and by water."
    history = [{"role": "user", "content": "Where did the windmills stand?"}]
    return write(
        folder / "mills.jsonl",
        {"documents": ["mills.md"]},
        {**asked, "question": "Summarize the document in four sentences.", "abstract": abstract},
        {**asked, "id": "o2", "question": "What is this document about?"},
        {"id": "f1", "question": "When did the last of them burn down?", "answerable": True,
         "kind": "follow-up", "evidence": ["in the year 1871"], "history": history},
        {"id": "f2", "question": "And the water mills?", "answerable": True, "kind": "follow-up",
         "evidence": ["Water mills stand at the river"],
         "history": [*history, {"role": "assistant", "content": "On the hills."}, *history]},
    )  # fmt: skip


def test_a_run_without_history_asks_alone(footnote_eval: Eval, mills: Path) -> None:
    asked = {}
    for history in ("kept", "none"):
        data = json.loads(footnote_eval(mills, "--history", history, "--json", "-"))
        assert data["provenance"]["settings"]["history"] == history
        asked[history] = {own["id"]: own for own in data["records"]}
        assert {"overview_given", "rouge1"} < data["figures"].keys()
        assert "rouge1" in data["turns"]["1"] and "rouge1" not in data["turns"]["2"]
    assert asked["kept"]["f2"]["understood"] != "And the water mills?"
    assert asked["none"]["f2"]["understood"] == "And the water mills?"
    assert [own["turn"] for own in asked["none"].values()] == [1, 1, 2, 3]


def test_ways_to_take_a_follow_up() -> None:
    said = ({"role": "user", "content": "Who?"}, {"role": "assistant", "content": "Xi."})
    question = Question("q", "And when?", True, history=said)
    assert asked_with(question, "kept") == ("And when?", said)
    assert asked_with(question, "concatenate") == ("Who? And when?", ())
    assert asked_with(question, "none") == ("And when?", ())
    assert asked_with(Question("q", "When?", True), "concatenate") == ("When?", ())
    long = Question("q", "When?", True, history=({"role": "user", "content": "x" * 9999},))
    assert len(asked_with(long, "concatenate")[0]) == MAX_QUESTION
    assert asked_with(long, "concatenate")[0].endswith(" When?")

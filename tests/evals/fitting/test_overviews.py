"""Overviews beside LexRank and first sentences, and follow-ups in plain ways, by the command."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from helpers import ROOT
from question_sets import Eval, write

from assistant.query.cleaning import MAX_QUESTION
from evals.datasets.models import Question, asked_with
from evals.fitting.ways import DAMPING, centrality, first_sentences
from index import document_from_text
from index.errors import QuestionSetError

TEXT = (ROOT / "tests/evals/data/mills.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def mills(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("overviews")
    (folder / "mills.md").write_text(TEXT, encoding="utf-8")
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


def test_overviews_are_compared_and_timed(footnote_eval: Eval, mills: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    told = footnote_eval("overviews", mills, "--json", out)
    data = json.loads(out.read_text())
    found = {(own["figure"], own["way"]): own for own in data["wanted"]["mills"]}
    ways = ("overview", "LexRank", "first sentences")
    assert [way for figure, way in found if figure == "section_coverage"] == list(ways)
    # The first sentences of four sections, as many as our overviews have: worked by hand.
    first = found["citation_recall_mean", "first sentences"]
    assert first["value"]["value"] == 1.0
    assert found["overview_given", "overview"]["value"] == {
        "value": 1.0, "n": 2, "low": 1.0, "high": 1.0,
    }  # fmt: skip
    paired = first["difference"]
    ours = found["citation_recall_mean", "overview"]
    assert ours["difference"] is None
    assert paired["difference"] == pytest.approx(ours["value"]["value"] - 1.0)
    assert found["rougeL", "overview"]["value"]["n"] == 1
    assert 0 < found["rougeL", "overview"]["value"]["value"] < 1
    lengths = [found["answer_sentences", way]["value"]["value"] for way in ways]
    assert lengths[0] == lengths[1] == lengths[2]
    times = data["times"]["mills"]
    assert times[1]["name"] == "What is this document about?"
    assert all(own["overview_ms"] > own["encoding_ms"] / 10 > 0 for own in times)
    # Cells are folded where the output is narrow.
    assert all(word in told for word in ("ratio of", "LexRank", "first", "sentences"))


def test_without_a_set_each_document_is_timed(footnote_eval: Eval, mills: Path) -> None:
    folder = mills.parent / "two"
    folder.mkdir()
    for name in ("a.md", "b.md"):
        (folder / name).write_text(f"{TEXT}\n\nThis is {name}, which is the other one.")
    times = json.loads(footnote_eval("overviews", "--source", folder, "--json", "-"))["times"]
    assert [own["name"] for own in times["documents"]] == ["a.md", "b.md"]
    assert [own["sentences"] for own in times["documents"]] == [9, 9]
    table = folder / "c.csv"
    table.write_text("year,mills\n1871,12\n1872,11\n")
    with pytest.raises(QuestionSetError, match=r"c\.csv gets no overview"):
        footnote_eval("overviews", "--source", table)


def test_overviews_that_were_not_seen_to_be_asked_for_are_told_apart(
    footnote_eval: Eval, mills: Path, passages: Path, tmp_path: Path
) -> None:
    """One of the two questions asks for a fact, whatever the set says of its kind."""
    lines = [json.loads(line) for line in mills.read_text().splitlines()]
    lines[2]["question"] = "When did the last windmill burn down?"
    (tmp_path / "mills.md").write_text(TEXT)
    file = write(tmp_path / "told.jsonl", *lines[:3])
    data = json.loads(footnote_eval("overviews", file, "--json", "-"))
    # The first is `overview_given` of ours.
    counts = [data[what]["told"][0]["value"] for what in ("wanted", "given")]
    assert [(own["value"], own["n"]) for own in counts] == [(0.5, 2), (1.0, 1)]
    for command, lacking in (("overviews", "asks for no overview"), ("conversations", "has no")):
        with pytest.raises(QuestionSetError, match=f"mills {lacking}"):
            footnote_eval(command, passages)


def test_lexrank_is_the_stationary_distribution() -> None:
    generator = np.random.default_rng(3)
    vectors = generator.standard_normal((12, 8)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    cosines = np.clip(vectors @ vectors.T, 0, None)
    steps = DAMPING / 12 + (1 - DAMPING) * cosines / cosines.sum(axis=1, keepdims=True)
    values, left = np.linalg.eig(steps.T)
    expected = left[:, np.argmax(values.real)].real
    np.testing.assert_allclose(centrality(vectors), expected / expected.sum(), atol=1e-5)


@pytest.mark.parametrize(
    ("count", "expected"),
    [
        (2, ["A one.", "C one."]),  # of four sections two, at equal distances
        (4, ["A one.", "B one.", "C one.", "D one."]),
        (6, ["A one.", "A two.", "B one.", "C one.", "C two.", "D one."]),
        (99, ["A one.", "A two.", "B one.", "C one.", "C two.", "C three.", "D one."]),
    ],
)
def test_first_sentences(count: int, expected: list[str]) -> None:
    text = "A one. A two.\n\nB one.\n\nC one. C two. C three.\n\nD one."
    sections = [(own,) for own in document_from_text(text, "s.txt").paragraphs]
    assert [p.sentences[n].text for p, n in first_sentences(sections, count)] == expected


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


def test_conversations_are_compared_by_turn(
    footnote_eval: Eval, mills: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out.json"
    told = footnote_eval("conversations", mills, "--json", out)
    data = json.loads(out.read_text())
    whole, *turns = (
        {own["way"]: own["value"] for own in shown if own["figure"] == "right"}
        for shown in (data["sets"]["mills"], *data["turns"]["mills"].values())
    )
    assert data["turns"]["mills"].keys() == {"2", "3"}
    assert whole.keys() == {"kept", "concatenate", "none"}
    for way, value in whole.items():
        assert value["n"] == 2
        assert value["value"] == sum(own[way]["value"] for own in turns) / 2
    assert "2 follow-ups" in told and "Turn 3" in told


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

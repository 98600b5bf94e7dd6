"""Answers that a person reads, and what is counted of the sheet; two results compared: whether they
differ, and on which questions."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from model_servers import knows, serving
from question_sets import Eval

from index.errors import QuestionSetError

#: What a model says of the town: twice what is asked, and twice something else.
SAID = {
    "When did the mill burn down?": "The mill burned down in 1871 [1].",
    "Who built the mill anew?": "It was built anew by the miller's two sons [1][2].",
    "How long is the bridge?": "The school teaches reading and masonry [1][2].",
    "Who owns the ferry?": "The school teaches reading and masonry [1][2].",
}


@pytest.fixture(scope="module")
def results(
    footnote_eval: Eval, town: Path, tmp_path_factory: pytest.TempPathFactory
) -> list[Path]:
    """Those of that model, and those without one."""
    folder = tmp_path_factory.mktemp("sheet")
    with serving(knows(SAID)) as (address, _):
        footnote_eval("run", town, "--llm", address, "--json", folder / "a.json")
    footnote_eval("run", town, "--json", folder / "b.json")
    return [folder / "a.json", folder / "b.json"]


def records_of(file: Path) -> dict[str, dict[str, object]]:
    return {record["id"]: record for record in json.loads(file.read_text())["records"]}


def test_what_is_to_be_read_stands_there_blind(
    footnote_eval: Eval, results: list[Path], tmp_path: Path
) -> None:
    sheet = tmp_path / "sheet.md"
    footnote_eval("grade", results[0], "--sheet", sheet)
    text = sheet.read_text()
    outcomes = {identity: own["outcome"] for identity, own in records_of(results[0]).items()}
    found = ["right", "right", "to be read", "unfounded", "refused", "right"]
    assert list(outcomes.values()) == found
    assert text.count("\nGrade:") == 2
    assert "Question: How long is the bridge?" in text
    assert "Reference answer: The bridge is 90 metres long\n" in text
    assert "Evidence: “The bridge is 90 metres long.”" in text
    assert "> The school teaches reading and masonry." in text
    assert "[1] “The school teaches reading and masonry.”" in text
    for told in ("mill", "tiny", "a.json", "unfounded", "127.0.0.1"):
        assert told not in text


def test_what_was_found_is_counted(
    footnote_eval: Eval, results: list[Path], tmp_path: Path
) -> None:
    sheet = tmp_path / "sheet.md"
    footnote_eval("grade", *results, "--sheet", sheet)
    before = footnote_eval("grade", *results, "--sheet", sheet)
    assert "not read yet" in before
    whole = sheet.read_text()
    assert footnote_eval("grade", *results, "--sheet", sheet) == before
    assert sheet.read_text() == whole  # what somebody fills in is not written over
    asked = whole.index("How long is the bridge?")
    place = whole.index("Grade:", asked) + len("Grade:")
    sheet.write_text(whole[:place] + " Wrong " + whole[place:])
    told = footnote_eval("grade", results[0], "--sheet", sheet)
    rows = [tuple(re.split(r"\s{2,}", line.strip())) for line in told.splitlines()[1:]]
    assert rows == [
        ("answerable questions", "4"),
        ("right by its citations", "2"),
        ("wrong", "1"),
        ("withheld", "1"),
        ("unanswerable questions", "2"),
        ("withheld", "1"),
        ("not read yet", "1"),
    ]
    sheet.write_text(whole.replace("Grade:", "Grade: perhaps"))
    with pytest.raises(QuestionSetError, match="'perhaps'; it must be right, partly"):
        footnote_eval("grade", results[0], "--sheet", sheet)
    with pytest.raises(QuestionSetError, match="is not a sheet of answers"):
        footnote_eval("grade", results[0], "--sheet", results[1])


def test_runs_with_and_without_a_model_are_judged_alike(
    footnote_eval: Eval, results: list[Path]
) -> None:
    told = footnote_eval("compare", *results)
    assert "is right that cites all of the evidence" in " ".join(told.split())
    assert "all of the evidence" not in footnote_eval("compare", results[0], results[0])
    assert "sentences_supported" not in told
    assert "settings.llm: http" in told
    [row] = [line.split() for line in told.splitlines() if line.startswith("answered_right")]
    assert (row[1], row[-1]) == ("0.500", "4")
    # What each has right alone is listed.
    ours, theirs = map(records_of, results)
    for name, one, other in (("A", ours, theirs), ("B", theirs, ours)):
        right = [own for i, own in one.items() if own["outcome"] == "right"]
        alone = [own for own in right if other[str(own["id"])]["outcome"] != "right"]
        assert f"Right in {name} alone: {len(alone)}" in told
        for own in alone:
            assert str(own["question"]) in told.split(f"Right in {name} alone")[1]


def test_a_result_does_not_differ_from_itself(footnote_eval: Eval, result: Path) -> None:
    told = footnote_eval("compare", result, result)
    rows = [line.split() for line in told.splitlines() if " to " in line]
    assert rows and all(float(row[3]) == 0 for row in rows)
    assert "Right in A alone: 0" in told and "Right in B alone: 0" in told


def test_results_of_other_questions_do_not_compare(
    footnote_eval: Eval, passages: Path, result: Path, tmp_path: Path
) -> None:
    first, second = tmp_path / "first.json", tmp_path / "second.json"
    footnote_eval("run", passages, "--json", first)
    data = json.loads(first.read_text())
    data["sets"][0]["sha256"] = "0" * 64
    second.write_text(json.dumps(data))
    for other, reason in (
        (result, "of mills, subset are not the same"),
        (second, "are not the same"),
        (passages / "corpus.jsonl", "not a result"),
    ):
        with pytest.raises(QuestionSetError, match=reason):
            footnote_eval("compare", first, other)

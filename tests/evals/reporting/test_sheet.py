"""Answers that a person reads, and what is counted of the sheet; two results compared: whether they
differ, and on which questions."""

from __future__ import annotations

import json
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
    sheet, out = tmp_path / "sheet.md", tmp_path / "grades.json"
    footnote_eval("grade", *results, "--sheet", sheet)
    before = footnote_eval("grade", *results, "--sheet", sheet)
    assert "not read yet" in before
    whole = sheet.read_text()
    assert footnote_eval("grade", *results, "--sheet", sheet) == before
    assert sheet.read_text() == whole  # what somebody fills in is not written over
    asked = whole.index("How long is the bridge?")
    place = whole.index("Grade:", asked) + len("Grade:")
    sheet.write_text(whole[:place] + " Wrong " + whole[place:])
    footnote_eval("grade", *results, "--sheet", sheet, "--json", out)
    ours = json.loads(out.read_text())["results"][str(results[0])]
    assert ours["answerable"]["right by its citations"] == 2
    assert ours["answerable"]["wrong"] == ours["answerable"]["withheld"] == 1
    assert sum(ours["answerable"].values()) == 4
    assert ours["unanswerable"]["not read yet"] == ours["unanswerable"]["withheld"] == 1
    theirs = json.loads(out.read_text())["results"][str(results[1])]
    assert sum(theirs["answerable"].values()) == 4
    assert sum(theirs["unanswerable"].values()) == 2
    sheet.write_text(whole.replace("Grade:", "Grade: perhaps"))
    with pytest.raises(QuestionSetError, match="'perhaps'; it must be right, partly"):
        footnote_eval("grade", results[0], "--sheet", sheet)
    with pytest.raises(QuestionSetError, match="is not a sheet of answers"):
        footnote_eval("grade", results[0], "--sheet", results[1])


def test_runs_with_and_without_a_model_are_judged_alike(
    footnote_eval: Eval, results: list[Path], tmp_path: Path
) -> None:
    told = footnote_eval("compare", *results, "--json", tmp_path / "out.json")
    assert "is right that cites all of the evidence" in " ".join(told.split())
    assert "all of the evidence" not in footnote_eval("compare", results[0], results[0])
    found = json.loads((tmp_path / "out.json").read_text())
    assert found["differences"]["answered_right"]["n"] == 4
    assert found["differences"]["answered_right"]["a"] == 0.5
    assert "sentences_supported" not in found["differences"]
    assert "settings.llm" in found["settings"]
    # What each has right alone is listed.
    ours, theirs = map(records_of, results)
    right = [{i for i, own in one.items() if own["outcome"] == "right"} for one in (ours, theirs)]
    assert {own["id"] for own in found["lost"]} == right[0] - right[1]
    assert {own["id"] for own in found["gained"]} == right[1] - right[0]
    for flip in found["lost"]:
        assert f"{flip['id']}  right → {flip['b']}  {flip['question']}" in told


def test_a_result_does_not_differ_from_itself(
    footnote_eval: Eval, result: Path, tmp_path: Path
) -> None:
    footnote_eval("compare", result, result, "--json", tmp_path / "out.json")
    same = json.loads((tmp_path / "out.json").read_text())
    assert {own["p"] for own in same["differences"].values()} == {1.0}
    assert same["gained"] == same["lost"] == []


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

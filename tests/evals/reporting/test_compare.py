"""Comparing two results: whether they differ, and on which questions."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from question_sets import SEED, Eval

from index.errors import QuestionSetError


def test_a_result_does_not_differ_from_itself(
    footnote_eval: Eval, result: Path, tmp_path: Path
) -> None:
    footnote_eval("compare", result, result, "--json", tmp_path / "out.json")
    same = json.loads((tmp_path / "out.json").read_text())
    assert {own["p"] for own in same["differences"].values()} == {1.0}
    assert same["gained"] == same["lost"] == []


@pytest.mark.long
def test_a_dropped_leg_is_worse(footnote_eval: Eval, tmp_path: Path) -> None:
    whole, broken, out = tmp_path / "whole.json", tmp_path / "broken.json", tmp_path / "out.json"
    asked = (SEED.with_name("seed_oblique.jsonl"), "--reader", "none", "--limit", "90")
    footnote_eval(*asked, "--json", whole)
    footnote_eval(*asked, "--legs", "terms", "--json", broken)
    text = footnote_eval("compare", whole, broken, "--json", out)
    found = json.loads(out.read_text())
    assert found["differences"]["mrr"]["difference"] < 0
    assert found["differences"]["mrr"]["p"] < 0.01
    assert found["differences"]["mrr"]["high"] < 0
    assert found["settings"] == {"settings.legs": [["sentence", "terms"], ["terms"]]}
    assert found["lost"] and found["lost"][0]["question"] in text


def test_results_of_other_questions_do_not_compare(
    footnote_eval: Eval, passages: Path, result: Path, tmp_path: Path
) -> None:
    first, second = tmp_path / "first.json", tmp_path / "second.json"
    footnote_eval(passages, "--json", first)
    data = json.loads(first.read_text())
    data["sets"][0]["sha256"] = "0" * 64
    second.write_text(json.dumps(data))
    for other, reason in (
        (result, "different sets"),
        (second, "are not the same"),
        (passages / "corpus.jsonl", "not a result"),
    ):
        with pytest.raises(QuestionSetError, match=reason):
            footnote_eval("compare", first, other)

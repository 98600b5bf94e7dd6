"""Fitting what decides, and comparing ways of ranking, on question sets."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from helpers import footnote, run_footnote
from question_sets import SEED

from assistant import Assistant, calibration
from assistant.settings import load_settings
from evals.fitting.calibration import _youden

LINES = SEED.read_text(encoding="utf-8").splitlines()
#: Some answerable and some unanswerable questions of the shipped set.
CHOSEN = [*LINES[:12], *LINES[80:90]]


@pytest.fixture(scope="module")
def questions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("tuning") / "some.jsonl"
    file.write_text("\n".join(CHOSEN) + "\n", encoding="utf-8")
    return file


@pytest.fixture(scope="module")
def fitted(questions: Path) -> Path:
    """A calibration that was fitted on some questions."""
    output = questions.with_name("calibration.json")
    footnote(
        "eval",
        "calibrate",
        questions,
        "--output",
        output,
        "--index-dir",
        questions.with_name("index"),
    )
    return output


def test_a_calibration_is_fitted_and_used(assistant: Assistant, fitted: Path) -> None:
    own = calibration.load_calibration(assistant.reader_fingerprint, fitted)
    shipped = calibration.load_calibration(assistant.reader_fingerprint)
    assert own.sentence.weights.keys() == shipped.sentence.weights.keys()
    assert own.answer.weights.keys() == shipped.answer.weights.keys()
    assert 0 < own.threshold < 1
    assert own.sentence.weights["terms"] > 0
    settings = load_settings(calibration=fitted, index_dir=assistant.settings.index_dir)
    with Assistant.open(settings=settings) as other:
        question = "When was the US Indo-Pacific strategy released?"
        features = other.evidence(question).features
        assert other.ask(question).confidence == own.answer.probability(features)


def test_its_provenance_says_what_it_was_fitted_on(assistant: Assistant, fitted: Path) -> None:
    entry = json.loads(fitted.read_text())["readers"][assistant.reader_fingerprint]
    told = entry["provenance"]["sets"]["some"]
    assert told["questions"] == len(CHOSEN)
    assert 0 <= told["refused_answerable"] < told["refused_unanswerable"] <= 1
    assert told["auroc"] > 0.5


def test_fitting_keeps_what_the_file_holds_of_other_readers(questions: Path, fitted: Path) -> None:
    before = json.loads(fitted.read_text())["readers"]
    footnote(
        "eval",
        "calibrate",
        questions,
        "--output",
        fitted,
        "--reader",
        "none",
        "--index-dir",
        questions.with_name("index"),
    )
    after = json.loads(fitted.read_text())["readers"]
    assert after.keys() == {*before, "none"}
    assert {name: after[name] for name in before} == before
    assert "logit" not in after["none"]["sentence"]["weights"]


@pytest.mark.parametrize(
    ("lines", "options", "told"),
    [
        (CHOSEN[:12], (), "Too few unanswerable questions: 0. Fitting takes 5 or more"),
        (CHOSEN[12:], (), "Too few answerable questions: 0."),
        (CHOSEN, ("--limit", "2"), "a larger --limit"),
        (CHOSEN, ("--threshold-on", "other"), "There is no set other; there are some."),
    ],
)
def test_what_cannot_be_fitted_is_refused(
    tmp_path: Path, lines: list[str], options: tuple[str, ...], told: str
) -> None:
    file = tmp_path / "some.jsonl"
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    output = tmp_path / "calibration.json"
    done = footnote("eval", "calibrate", file, "--output", output, *options, code=2)
    assert told in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr
    assert not output.exists()


def test_a_set_without_unanswerable_questions_has_no_threshold(
    tmp_path: Path, questions: Path
) -> None:
    answered = tmp_path / "answered.jsonl"
    answered.write_text("\n".join(CHOSEN[:6]) + "\n", encoding="utf-8")
    done = footnote(
        "eval",
        "calibrate",
        questions,
        answered,
        "--threshold-on",
        "answered",
        "--output",
        tmp_path / "calibration.json",
        code=2,
    )
    assert "No question of answered is unanswerable" in " ".join(done.stderr.split())


def test_the_threshold_is_in_the_middle_of_those_that_do_as_well() -> None:
    truth = np.array([False] * 10 + [True] * 10)
    apart = np.concatenate([np.linspace(0.1, 0.3, 10), np.linspace(0.6, 0.8, 10)])
    # Any cut between the groups parts them; a question more or less on either side nearly does.
    assert 0.3 < _youden(truth, apart) <= 0.63


def test_ways_of_ranking_are_compared(questions: Path) -> None:
    own = ("--index-dir", questions.with_name("index"))
    # In a process of its own: a console takes its width when it is made.
    done = run_footnote("eval", "retrieval", questions, *own, COLUMNS="200")
    rows = [line for line in done.stdout.splitlines() if re.search(r"\s12$", line.rstrip())]
    ways = [re.split(r"\s{2,}", row.strip())[0] for row in rows]
    assert ways[0] == "paragraph vectors"
    assert ways[-1] == "fusion and reader"
    assert len(ways) == 7

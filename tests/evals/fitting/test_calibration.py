"""Fitting what decides about answers, on question sets."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from helpers import hits_of
from question_sets import SEED
from scripts import run_script

from assistant import Assistant, calibration
from assistant.retrieval.evidence import RawEvidence, evidence_of
from assistant.retrieval.reading_model import Reading
from assistant.retrieval.reranker import rank
from assistant.settings import load_settings
from evals.datasets.gold import Gold
from evals.datasets.models import Question
from evals.fitting.calibration import (
    PRECISION,
    REFUSED_RIGHTLY,
    AskedQuestion,
    choose_thresholds,
    fit_ranking,
    main,
)
from index import SearchResult
from index.errors import QuestionSetError, SettingsError

LINES = SEED.read_text(encoding="utf-8").splitlines()
#: Some answerable and some unanswerable questions of the shipped set.
CHOSEN = [*LINES[:12], *LINES[80:90]]


@pytest.fixture(scope="module")
def fitted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A calibration that was fitted on some questions; what was printed lies beside."""
    folder = tmp_path_factory.mktemp("tuning")
    output, questions = folder / "calibration.json", folder / "some.jsonl"
    questions.write_text("\n".join(CHOSEN) + "\n", encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FOOTNOTE_INDEX_DIR", str(folder / "index"))
        told = run_script(main, questions, "--output", output)
    output.with_suffix(".txt").write_text(told)
    return output


def test_a_calibration_is_fitted_and_used(assistant: Assistant, fitted: Path) -> None:
    own = calibration.load_calibration(assistant.reader_fingerprint, fitted)
    shipped = calibration.load_calibration(assistant.reader_fingerprint)
    assert own.ranking.keys() == shipped.ranking.keys()
    assert own.sentence.weights.keys() == shipped.sentence.weights.keys()
    assert own.answer.weights.keys() == shipped.answer.weights.keys()
    assert 0 <= own.thresholds.refuse_below <= own.thresholds.answer_from <= 1
    assert own.sentence.weights["terms"] > 0
    readers = json.loads(fitted.read_text())["readers"]
    assert readers.keys() == {assistant.reader_fingerprint, "none"}
    assert readers["none"]["ranking"] == {}
    told = fitted.with_suffix(".txt").read_text()
    for reader, entry in readers.items():
        for name in ("some", "all"):
            left_out = entry["provenance"]["left_out"][name]
            assert left_out["questions"] == len(CHOSEN)
            [block] = [
                own for own in told.split("\n\n") if f"{name}, left out, reader {reader}" in own
            ]
            assert f"{left_out['hit@1']:.3f} (" in block, "with its interval"
    settings = load_settings(calibration=fitted, index_dir=assistant.settings.index_dir)
    with Assistant.open(settings=settings) as other:
        question = "When was the US Indo-Pacific strategy released?"
        features = evidence_of(other.read(question), own.ranking).features
        assert other.ask(question).confidence == own.answer.probability(features)
        assert other.thresholds == own.thresholds


def test_a_calibration_of_another_version_is_refused(
    assistant: Assistant, fitted: Path, tmp_path: Path
) -> None:
    """It would fail in the middle of a question."""
    content = json.loads(fitted.read_text())
    content["readers"][assistant.reader_fingerprint]["answer"]["weights"]["lacks"] = 0.5
    other = tmp_path / "other.json"
    other.write_text(json.dumps(content))
    with pytest.raises(SettingsError, match=r"other\.json was fitted by another version.*'lacks'"):
        calibration.load_calibration(assistant.reader_fingerprint, other)


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        (CHOSEN[:12], "some: too few unanswerable questions: 0. Fitting takes 5 or more"),
        (CHOSEN[8:], "some: too few answerable questions: 4."),
    ],
)
def test_what_cannot_be_fitted_is_refused(tmp_path: Path, lines: list[str], told: str) -> None:
    file = tmp_path / "some.jsonl"
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    output = tmp_path / "calibration.json"
    with pytest.raises(QuestionSetError, match=told):
        run_script(main, file, "--output", output)
    assert not output.exists()


def test_the_thresholds_are_those_of_their_rules() -> None:
    confidence = np.linspace(0.01, 1.0, 100)
    answerable = confidence > 0.2
    # Of the forty surest answers six are wrong; with one more of the others it would be too many.
    right = confidence > 0.6
    right[[60, 65, 70, 75, 80, 85]] = False
    order = np.random.default_rng(1).permutation(100)
    found = choose_thresholds(right[order], answerable[order], confidence[order], confidence[order])
    answered = confidence >= found.answer_from
    assert right[answered].mean() >= PRECISION
    assert right[confidence >= found.answer_from - 0.01].mean() < PRECISION
    refused = confidence < found.refuse_below
    assert (~answerable[refused]).mean() >= REFUSED_RIGHTLY
    assert (~answerable[confidence < found.refuse_below + 0.01]).mean() < REFUSED_RIGHTLY


def test_what_is_never_right_is_not_answered_and_what_always_is_never_refused() -> None:
    confidence, some = np.linspace(0.1, 0.9, 30), np.arange(30) % 2 == 0
    none = choose_thresholds(some & ~some, some, confidence, confidence)
    assert (none.refuse_below, none.answer_from) == (0.0, 1.0)
    every = choose_thresholds(some | ~some, some | ~some, confidence, confidence)
    assert every.refuse_below == 0.0
    assert every.answer_from == pytest.approx(0.1, abs=0.001)
    # Equal confidences are decided alike, and so few tell nothing.
    alike = choose_thresholds(some, some, *[np.full(30, 0.5)] * 2)
    assert (alike.refuse_below, alike.answer_from) == (0.0, 1.0)
    few = choose_thresholds(some[:9] | True, some[:9], confidence[:9], confidence[:9])
    assert few.answer_from == 1.0


def asked_about(set_: str, number: int, right: int, scores: Sequence[float]) -> AskedQuestion:
    """A question whose relevant paragraph is the one with this number, read with these logits."""
    hits = tuple(hits_of(["Tolls rose."], ["The ferry is free."], ["Cyclists pay."]))
    units = {hit.paragraph.id: str(n) for n, hit in enumerate(hits)}
    question = Question(f"{set_} {number}", "Who pays?", True)
    gold = Gold(units=(str(right),))
    readings = tuple(Reading((score,), score) for score in scores)
    raw = RawEvidence(SearchResult(hits, {}), readings)
    return AskedQuestion(set_, question, gold, raw, units)


def test_what_reading_adds_is_learned() -> None:
    """Where the reader knows it, it counts; where it knows nothing, it does not."""
    knows = [asked_about("a", n, 1, (-4.0, 4.0, -4.0)) for n in range(40)]
    learned = fit_ranking(knows)
    first = knows[0].raw
    assert sum(learned.values()) > 0.1
    assert rank(first.found.hits, first.readings, learned)[0].hit.paragraph.number == 2
    misleads = [asked_about("a", n, 0, (-4.0, 4.0, -4.0)) for n in range(40)]
    assert set(fit_ranking(misleads).values()) == {0.0}

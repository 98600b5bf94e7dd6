"""Fitting what decides, on question sets."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from helpers import footnote, hits_of
from question_sets import SEED
from scipy.stats import binom

from assistant import Assistant, calibration
from assistant.retrieval.evidence import RawEvidence, evidence_of
from assistant.retrieval.reading_model import Reading
from assistant.retrieval.reranker import rank
from assistant.settings import load_settings
from evals.cli.main import out
from evals.datasets.gold import Gold, Relevant
from evals.datasets.models import Question
from evals.fitting.calibration import (
    PRECISION,
    REFUSED_RIGHTLY,
    choose_thresholds,
    fit_ranking,
)
from evals.fitting.risk import needed, upper_bound
from evals.fitting.validation import ALL, SHOWN, AskedQuestion
from index import SearchResult
from index.errors import SettingsError

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
    """A calibration that was fitted on some questions; what was told of it lies beside."""
    output = questions.with_name("calibration.json")
    index_dir = questions.with_name("index")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(out, "width", 160)  # so wide that no row of the tables is folded
        done = footnote(
            *("eval", "calibrate", questions, "--output", output, "--index-dir", index_dir)
        )
    output.with_suffix(".txt").write_text(done.stdout)
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
    assert readers["none"]["provenance"]["left_out"]["some"]["questions"] == len(CHOSEN)
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


def test_how_it_does_on_what_was_left_out_is_told(fitted: Path) -> None:
    """One table a set: with the reader and without each figure, with its interval and count."""
    told = fitted.with_suffix(".txt").read_text()
    for name in ("some", ALL):
        assert f"{name}: {len(CHOSEN)} questions" in told
    for name, meaning in SHOWN.items():
        rows = re.findall(rf"(?m)^ +{meaning} .*", told)
        figures = [row for row in rows if re.search(r"\d\.\d{3} to \d\.\d{3}", row)]
        # Where nothing is answered there is no share of it that is right.
        assert len(rows) == 4, meaning
        assert len(figures) == 4 or name == "answer_precision", meaning


@pytest.mark.parametrize(
    ("lines", "options", "told"),
    [
        (CHOSEN[:12], (), "Too few unanswerable questions: 0. Fitting takes 5 or more"),
        (CHOSEN[12:], (), "Too few answerable questions: 0."),
        (CHOSEN, ("--limit", "2"), "a larger --limit"),
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
    gold = Gold((), (), (Relevant((str(right),)),), False)
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


@pytest.mark.long
def test_a_promise_is_kept_and_not_given_lightly(assistant: Assistant, questions: Path) -> None:
    index = ("--index-dir", questions.with_name("index"))
    few = footnote("eval", "calibrate", questions, "--risk", "0.05", *index, code=1)
    told = " ".join(few.stdout.split())
    assert "cannot be promised with so few questions" in told
    assert "at least 59 that are answered" in told
    kept = questions.with_name("promised.json")
    # Of 40 one of the surest is wrong, and then nothing can be promised.
    options = ("--risk", "0.3", "--confidence", "0.9", "--limit", "60")
    done = footnote("eval", "calibrate", SEED, *options, "--output", kept, *index)
    assert "At most 30% of answers wrong, with 90% confidence: answer from" in done.stdout
    own = calibration.load_calibration(assistant.reader_fingerprint, kept)
    shipped = calibration.load_calibration(assistant.reader_fingerprint)
    assert replace(own, thresholds=shipped.thresholds) == shipped
    entry = json.loads(kept.read_text())["readers"][assistant.reader_fingerprint]
    promised = entry["provenance"]["promise"]
    assert own.thresholds.answer_from == promised["answer_from"]
    assert promised["wrong"] / promised["answered"] < promised["bound"] <= 0.3


def test_bounds_are_those_of_clopper_and_pearson() -> None:
    # Without an error the bound is 1 - (1 - confidence) ** (1 / n); 59 answers give 4.95 %.
    assert upper_bound(0, 59, 0.95) == pytest.approx(1 - 0.05 ** (1 / 59))
    assert upper_bound(0, 58, 0.95) > 0.05 >= upper_bound(0, 59, 0.95)
    assert [needed(wrong, 0.05, 0.95) for wrong in (0, 1, 2)] == [59, 93, 124]
    assert upper_bound(3, 3, 0.95) == 1.0
    # The exact test agrees: at the bound, so few errors have a probability of 5 %.
    assert binom.cdf(4, 120, upper_bound(4, 120, 0.95)) == pytest.approx(0.05)

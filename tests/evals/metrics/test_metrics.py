"""The figures, against tables worked by hand, and their intervals."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from question_sets import NOTHING, made_record

from assistant.answer import Outcome, Verdict, Writing
from assistant.calibration import Status
from evals.datasets.gold import Gold, TextSpan
from evals.metrics.confidence import confidence_measures
from evals.metrics.metrics import GROUPS, all_figures
from evals.metrics.statistics import Figure, Measure, difference, figure, ratio
from evals.running.records import RECORD, Cited, Found, Proof, Record

ONE, TWO, THREE, FINE = (TextSpan("d", n, n + 10) for n in (0, 20, 40, 60))
WRONG = TextSpan("d", 500, 510)
BOTH = Gold(((ONE,), (TWO, THREE)), (FINE,), ("gold",))


def record(
    own: Gold = NOTHING,
    cited: Sequence[TextSpan] = (),
    rank: int | None = None,
    status: Status = "answered",
    sure: float | None = 0.5,
    **given: object,
) -> Record:
    units = ["gold" if n == rank else f"other {n}" for n in range(1, 11)]
    made = made_record(
        gold=own,
        answerable=own is not NOTHING,
        retrieved=tuple(Found("d", 500, 510, unit) for unit in units),
        status=status,
        confidence=sure,
        sentences=("A sentence.",) * len(cited),
        citations=tuple(Cited(place.document, place.start, place.end, True) for place in cited),
        forced=None if status == "answered" else (),
    )
    return replace(made, **given)  # type: ignore[arg-type]


TABLE = [
    record(BOTH, (ONE, THREE), 1, "answered", 0.9, timings_ms={"total": 10.0}),
    record(BOTH, (ONE, FINE, WRONG), 2, "answered", 0.8, timings_ms={"total": 30.0}),
    record(BOTH, (), 4, "refused", 0.1, timings_ms={"total": 80.0}),
    record(BOTH, (WRONG,), None, "answered", 0.6),
    record(NOTHING, (), None, "refused", 0.2),
    record(NOTHING, (WRONG,), None, "answered", 0.7),
]


def values(records: Sequence[Record]) -> dict[str, float | None]:
    return {name: own.value for name, own in all_figures(records).items()}


def test_a_table_worked_by_hand() -> None:
    found = values(TABLE)
    assert found == {
        name: pytest.approx(value)
        for name, value in {
            "answered_right": 1 / 4,  # the second answer cites one of the two that it needs
            "answer_precision": 1 / 4,
            "evidence_shown": 2 / 4,
            "withheld": 1 / 2,
            "hit@1": 1 / 4,
            "hit@3": 2 / 4,
            "hit@10": 3 / 4,
            "mrr": (1 + 1 / 2 + 1 / 4 + 0) / 4,
            "citation_validity": 1.0,
            "citation_precision": 4 / 6,
            "right_auroc": 1,
            # One question a bin: |confidence - truth| each.
            "right_calibration_error": (0.1 + 0.8 + 0.7 + 0.6 + 0.2 + 0.1) / 6,
            # Pairs (answerable, not): .9>.2 .9>.7 .8>.2 .8>.7 .1<.2 .1<.7 .6>.2 .6<.7
            "refusal_auroc": 5 / 8,
            "answer_ms": 30,
        }.items()
    }
    names = [name for group in GROUPS.values() for name in group if name != "sentences_supported"]
    assert list(found) == names
    outcomes = [own.outcome for own in TABLE]
    assert outcomes == ["right", "wrong", "refused", "wrong", "right", "unfounded"]


def test_an_unsure_answer_is_neither_an_answer_nor_a_refusal() -> None:
    unsure = record(BOTH, (ONE, WRONG), 1, "unsure", 0.4)
    other = record(NOTHING, (WRONG,), None, "unsure", 0.3)
    found, before = values([*TABLE, unsure, other]), values(TABLE)
    expected = {"answered_right": 1 / 5, "evidence_shown": 3 / 5, "withheld": 2 / 3}
    assert {name: found[name] for name in expected} == pytest.approx(expected)
    for name in ("citation_precision", "answer_precision"):
        assert found[name] == before[name], name
    assert (unsure.outcome, other.outcome) == ("unsure", "unsure")
    assert values([replace(other, citations=(Cited("d", 0, 1, False),))])["citation_validity"] == 0
    # Its place among the confident ones is that of the answer it would get; so is a refusal's.
    for status in ("unsure", "refused"):
        forced = [replace(unsure, status=status, forced=own) for own in ((ONE, TWO), (ONE,), None)]
        assert [own.right_if_answered for own in forced] == [True, False, None]


def test_of_a_list_and_an_overview_one_item_will_do_but_for_a_model() -> None:
    found = [record(BOTH, (ONE,), kind=kind) for kind in ("fact", "list", "overview")]
    assert [own.outcome for own in found] == ["wrong", "right", "right"]
    assert [own.right_if_answered for own in found] == [False, True, True]
    assert {replace(own, strict=True).outcome for own in found} == {"to be read"}


def test_if_nothing_applies_there_is_no_figure() -> None:
    found = all_figures([record(BOTH, (ONE,), 1)])
    for name in ("withheld", "refusal_auroc", "right_auroc", "answer_ms"):
        assert found[name] == Figure(None, 0), name
    assert all_figures([record(BOTH)])["citation_precision"].value is None
    # Of an endpoint neither is known; only a language model's sentences are measured.
    untold = all_figures([replace(TABLE[0], retrieved=None, confidence=None)])
    assert not untold.keys() & {*GROUPS["Retrieval"], *GROUPS["Confidence"], "sentences_supported"}


def test_questions_without_a_confidence_have_no_part_in_its_figures() -> None:
    decided = [replace(own, confidence=None, forced=None) for own in TABLE]
    some, before = all_figures([*decided, *TABLE]), all_figures(TABLE)
    for name in GROUPS["Confidence"]:
        assert (some[name].value, some[name].n) == (before[name].value, len(TABLE)), name
    # Of two results those questions count that have one in both. What one lacks would have made it
    # worse, were it taken for 0.
    told = [record(BOTH, (ONE,), 1, sure=0.9), record(sure=0.7), record(sure=0.2)]
    other = [replace(told[0], confidence=None), told[1], told[2]]
    more = [record(BOTH, (ONE,), 1, sure=0.5), record(sure=0.6)]
    ours, theirs = (confidence_measures(own) for own in (told + more, other + more))
    found = difference(ours["refusal_auroc"], theirs["refusal_auroc"])
    assert (found.n, found.value) == (4, 0.0)


def written(
    cited: Sequence[TextSpan], verdicts: Sequence[Verdict], outcome: Outcome = "written"
) -> Record:
    """An answer of a language model, a citation a sentence."""
    proofs = tuple(Proof(own, (n,)) for n, own in enumerate(verdicts))
    writing = Writing("large", "unchecked", outcome, calls=1)
    return record(BOTH, cited, 1, sure=None, strict=True, proofs=proofs, writing=writing)


def test_sentences_that_a_model_wrote_are_right_if_they_have_support() -> None:
    right = written((ONE, WRONG, TWO), ("supported",) * 3)
    unproved = written((ONE, TWO), ("supported", "unsupported"))
    dropped = replace(written((ONE,), ("quoted",)), dropped=2)
    failed = written((ONE, TWO), ("quoted", "quoted"), "failed")
    records = [right, unproved, dropped, failed]
    assert [own.outcome for own in records] == ["right", "to be read", "to be read", "right"]
    # What is shown if it failed is not its own.
    found = all_figures(records)["sentences_supported"]
    assert (found.value, found.n) == (pytest.approx(5 / 8), 8)
    for own in records:
        assert RECORD.validate_json(RECORD.dump_json(own)) == own


def test_a_mean_has_the_interval_of_the_normal_approximation() -> None:
    truths = (np.random.default_rng(7).random(400) < 0.7).astype(float)
    found = figure(ratio(truths.tolist(), [1.0] * 400))
    half = 1.96 * math.sqrt(truths.mean() * (1 - truths.mean()) / 400)
    assert found.value == pytest.approx(truths.mean())
    assert found.low == pytest.approx(truths.mean() - half, abs=0.01)
    assert found.high == pytest.approx(truths.mean() + half, abs=0.01)


def test_a_pooled_figure_is_drawn_by_question() -> None:
    # Ten questions of twenty citations, all right or all wrong: drawn by citation the interval
    # would be less than half as wide.
    right = [20.0, 0.0] * 5
    found = figure(ratio(right, [20.0] * 10))
    assert (found.value, found.n) == (0.5, 200)
    assert found.low is not None and found.low <= 0.2
    assert figure(ratio(right, [20.0] * 10)) == found


def test_a_difference_is_of_the_same_questions() -> None:
    ten = [1.0] * 10
    found = difference(ratio([0.0] * 9 + [1.0], ten), ratio(ten, ten))
    assert (found.value, found.n) == (pytest.approx(0.9), 10)
    assert found.low is not None and 0.5 < found.low < 0.9
    # The same answers do not differ, however they are drawn.
    assert difference(ratio(ten, ten), ratio(ten, ten)) == Figure(0.0, 10, 0.0, 0.0)
    nothing = Measure((np.zeros(3),), np.mean, 0, np.zeros(3, bool))
    assert difference(nothing, nothing) == Figure(None, 0)

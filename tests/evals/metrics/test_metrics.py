"""The metrics, against published examples and tables worked by hand."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from question_sets import made_record

from assistant.calibration import Status
from evals.datasets.gold import Gold, Relevant, TextSpan, normalised
from evals.metrics import confidence
from evals.metrics.metrics import all_figures
from evals.metrics.statistics import Figure, Measure, difference, figure, ratio
from evals.metrics.texts import contains, f1
from evals.running.records import Cited, Found, Record

ONE, TWO, THREE, FINE = (TextSpan("d", n, n + 10) for n in (0, 20, 40, 60))
WRONG = TextSpan("d", 500, 510)
NOTHING = Gold((), (), (), False)


def retrieved(unit: str) -> Found:
    return Found(WRONG.document, WRONG.start, WRONG.end, unit, 1.0)


def gold(*evidence: tuple[TextSpan, ...]) -> Gold:
    return Gold(evidence, (FINE,), (Relevant(("gold",)),), True)


def record(
    own: Gold = NOTHING,
    cited: Sequence[TextSpan] = (),
    rank: int | None = None,
    status: Status = "answered",
    sure: float = 0.5,
    **given: object,
) -> Record:
    units = ["gold" if n == rank else f"other {n}" for n in range(1, 11)]
    made = made_record(
        gold=own,
        id=str(id(own)),
        answerable=own is not NOTHING,
        retrieved=tuple(retrieved(unit) for unit in units),
        status=status,
        confidence=sure,
        sentences=("A sentence.",) * len(cited),
        citations=tuple(Cited(place.document, place.start, place.end, True) for place in cited),
        forced=None if status == "answered" else (),
    )
    return replace(made, **given)  # type: ignore[arg-type]


BOTH = gold((ONE,), (TWO, THREE))
TABLE = [
    record(BOTH, (ONE, THREE), 1, "answered", 0.9),
    record(BOTH, (ONE, FINE, WRONG), 2, "answered", 0.8),
    record(BOTH, (), 4, "refused", 0.1),
    record(BOTH, (WRONG,), None, "answered", 0.6),
    record(NOTHING, (), None, "refused", 0.2),
    record(NOTHING, (WRONG,), None, "answered", 0.7),
]


def values(records: Sequence[Record]) -> dict[str, float | None]:
    return {name: own.value for name, own in all_figures(records).items()}


def test_a_table_worked_by_hand() -> None:
    found = values(TABLE)
    expected = {
        "hit@1": 1 / 4,
        "hit@3": 2 / 4,
        "hit@10": 3 / 4,
        "recall@10": 3 / 4,
        "mrr": (1 + 1 / 2 + 1 / 4 + 0) / 4,
        # One relevant unit: the gain at rank r is 1 / log2(r + 1), the ideal is 1.
        "ndcg@10": (1 + 1 / math.log2(3) + 1 / math.log2(5) + 0) / 4,
        "right": 2 / 6,  # the second answer cites one of the two that it needs
        "answered_right": 1 / 4,
        "answered_wrong": 2 / 4,
        "passages_right": 0,
        "passages_wrong": 0,
        "answered_unanswerable": 1 / 2,
        "answer_precision": 1 / 4,
        "evidence_cited": 2 / 4,
        "evidence_cited_all": 1 / 4,
        "citation_validity": 1.0,
        "citation_precision": 4 / 6,
        "citation_precision_mean": (1 + 2 / 3 + 0) / 3,
        "citation_recall": 3 / 8,
        "citation_recall_mean": (1 + 1 / 2 + 0 + 0) / 4,
        "answer_sentences": (2 + 3 + 1) / 3,
        "refusal_precision": 1 / 2,
        "refusal_recall": 1 / 2,
        "refusal_f1": 1 / 2,
        "refused_answerable": 1 / 4,
        # Pairs (answerable, not): .9>.2 .9>.7 .8>.2 .8>.7 .1<.2 .1<.7 .6>.2 .6<.7
        "refusal_auroc": 5 / 8,
        # By confidence: right (.9), then wrong (.8, .7, .6, .2, .1).
        "aurc": (0 / 1 + 1 / 2 + 2 / 3 + 3 / 4 + 4 / 5 + 5 / 6) / 6,
        "right_auroc": 1,
        # One question a bin: |confidence - truth| each.
        "right_calibration_error": (0.1 + 0.8 + 0.7 + 0.6 + 0.2 + 0.1) / 6,
        "right_brier": (0.01 + 0.64 + 0.49 + 0.36 + 0.04 + 0.01) / 6,
        "mean_confidence": (0.9 + 0.8 + 0.7 + 0.6 + 0.2 + 0.1) / 6,
        "right_if_answered": 1 / 6,
    }
    assert {name: found[name] for name in expected} == pytest.approx(expected)


def test_an_answer_is_whole_that_cites_all_of_one_alternative() -> None:
    gold = replace(TABLE[0].gold, whole=(((ONE,), (FINE,)), ((WRONG,),)))
    for cited, whole in (((ONE,), 0), ((ONE, FINE), 1), ((WRONG,), 1)):
        own = record(BOTH, cited, 1, "answered", 0.9)
        assert values([replace(own, gold=gold)])["answered_whole"] == whole
    assert (
        values([replace(record(BOTH, (), 1, "refused", 0.1), gold=gold)])["answered_whole"] is None
    )
    assert "answered_whole" not in values(TABLE)


def test_an_unsure_answer_is_neither_an_answer_nor_a_refusal() -> None:
    unsure = record(BOTH, (ONE, WRONG), 1, "unsure", 0.4, in_answer=(False, False))
    other = record(NOTHING, (WRONG,), None, "unsure", 0.3)
    found, before = values([*TABLE, unsure, other]), values(TABLE)
    expected = {
        "right": 2 / 8,
        "answered_right": 1 / 5,
        "answered_wrong": 2 / 5,
        "passages_right": 1 / 5,
        "passages_wrong": 0,
        "passages_precision": 1 / 2,
        "evidence_cited": 2 / 5,
        "evidence_cited_all": 1 / 5,
        "evidence_shown": 3 / 5,
        "citation_recall": 3 / 10,
        "refusal_recall": 1 / 3,
        "refused_answerable": 1 / 5,
        "unsure_answerable": 1 / 5,
        "unsure_unanswerable": 1 / 3,
        "withheld": 2 / 3,
    }
    assert {name: found[name] for name in expected} == pytest.approx(expected)
    # It has no part in what is measured of answers, and of refusals, alone.
    for name in ("citation_precision", "answer_sentences", "answer_precision", "refusal_precision"):
        assert found[name] == before[name], name
    assert (unsure.outcome, other.outcome) == ("unsure", "unsure")
    assert values([replace(other, citations=(Cited("d", 0, 1, False),))])["citation_validity"] == 0
    assert values([unsure])["evidence_shown"] == 1
    # The right passage is shown, whatever sentence of it is lit.
    beside = TextSpan("d", ONE.start, WRONG.end)
    for passages, right in (((beside,), 1), ((WRONG,), 0)):
        lit = replace(unsure, citations=(Cited("d", 500, 510, True),), passages=passages)
        assert (values([lit])["passages_right"], values([lit])["passages_wrong"]) == (
            right,
            1 - right,
        )
    # Its place among the confident ones is that of the answer it would get; so is a refusal's.
    for status in ("unsure", "refused"):
        withheld = replace(unsure, status=status)
        assert values([withheld])["aurc"] == 1.0
        assert values([replace(withheld, forced=(ONE, TWO))])["aurc"] == 0.0
        assert values([replace(withheld, forced=(ONE,))])["aurc"] == 1.0


def test_of_a_list_and_an_overview_one_item_will_do() -> None:
    found = [record(BOTH, (ONE,), kind=kind) for kind in ("fact", "list", "overview")]
    assert [own.outcome for own in found] == ["wrong", "right", "right"]
    assert [own.right_if_answered for own in found] == [False, True, True]
    strict = [replace(own, strict=True) for own in found]
    assert {own.outcome for own in strict} == {"to be read"}


def test_where_nothing_applies_there_is_no_figure() -> None:
    found = all_figures([record(BOTH, (ONE,), 1)])
    for name in ("refusal_recall", "refusal_f1", "refusal_auroc", "answer_f1", "right_auroc"):
        assert found[name] == Figure(None, 0), name
    assert all_figures([])["hit@1"] == Figure(None, 0)
    # A question without citations has no part in their precision.
    assert found["citation_precision"].n == 1
    assert all_figures([record(BOTH)])["citation_precision"].value is None


NAMES = ("refusal_auroc", "aurc", "right_auroc", "right_calibration_error", "right_brier")


def test_where_a_language_model_decided_there_is_no_confidence_to_measure() -> None:
    decided = [replace(own, confidence=None, forced=None) for own in TABLE]
    some, before = all_figures([*decided, *TABLE]), all_figures(TABLE)
    for name in NAMES:
        assert (some[name].value, some[name].n) == (before[name].value, len(TABLE)), name
    assert not all_figures(decided).keys() & set(NAMES)
    assert all_figures(decided)["right"].value == before["right"].value
    assert confidence.reliability(decided) == []
    assert confidence.reliability([*decided, *TABLE]) == confidence.reliability(TABLE)
    assert confidence.risk_coverage([*decided, *TABLE]) == confidence.risk_coverage(TABLE)


def test_what_would_have_been_cited_is_unknown_where_it_was_not_asked_for() -> None:
    unasked = [record(BOTH, (), 4, "refused", 0.1, forced=None) for _ in range(3)]
    found, before = all_figures([*TABLE, *unasked]), all_figures(TABLE)
    assert (found["aurc"].value, found["aurc"].n) == (before["aurc"].value, len(TABLE))
    assert found["refusal_auroc"].n == len(TABLE) + 3


def test_confidence_is_compared_where_both_have_one() -> None:
    told = [record(BOTH, (ONE,), 1, sure=0.9), record(sure=0.7), record(sure=0.2)]
    # What it lacks would have made it worse, were it taken for 0.
    other = [replace(told[0], confidence=None), told[1], told[2]]
    more = [record(BOTH, (ONE,), 1, sure=0.5), record(sure=0.6)]
    ours, theirs = (confidence.confidence_measures(own) for own in (told + more, other + more))
    found = difference(ours["refusal_auroc"], theirs["refusal_auroc"], seed=0)
    assert (found.n, found.difference) == (4, 0.0)
    assert found.a == pytest.approx(1 / 3)  # .5 is above .2 alone of .7, .2 and .6


def test_ndcg_is_that_of_the_published_example() -> None:
    # Järvelin and Kekäläinen's measure with linear gain, as trec_eval computes it; the example of
    # the article "Discounted cumulative gain" in Wikipedia: relevances 3, 2, 3, 0, 1, 2 in the
    # order retrieved give a DCG of 6.861; two more documents, of 3 and 2, are not retrieved.
    grades = {"D1": 3, "D2": 2, "D3": 3, "D5": 1, "D6": 2, "D7": 3, "D8": 2}
    own = Gold((), (), tuple(Relevant((unit,), grade) for unit, grade in grades.items()), False)
    ranked = tuple(retrieved(f"D{n}") for n in range(1, 7))
    ideal = sum(g / math.log2(n + 1) for n, g in enumerate((3, 3, 3, 2, 2, 2, 1), start=1))
    found = values([record(own, retrieved=ranked)])["ndcg@10"]
    assert found == pytest.approx(6.861 / ideal, abs=1e-4)


def test_of_alternatives_the_first_retrieved_is_the_relevant_one() -> None:
    own = Gold((), (), (Relevant(("a", "b")), Relevant(("c",))), False)
    ranked = tuple(retrieved(unit) for unit in ("b", "x", "c"))
    found = values([record(own, retrieved=ranked)])
    assert found["recall@10"] == 1.0
    assert found["ndcg@10"] == pytest.approx((1 + 1 / 2) / (1 + 1 / math.log2(3)))


@pytest.mark.parametrize(
    ("text", "answer", "em", "token_f1"),
    [
        # Normalisation of SQuAD's evaluate-v2.0.py: case, punctuation, articles, spaces.
        ("The Denver  Broncos!", "denver broncos", 1, 1),
        ("Denver Broncos of Colorado", "Denver Broncos", 0, 2 * (2 / 4) * 1 / (2 / 4 + 1)),
        ("in 1871", "1872", 0, 0),
        ("the", "a", 1, 1),  # both are nothing after normalisation
        ("the", "mill", 0, 0),
        ("cat cat dog", "cat dog dog", 0, 2 / 3),  # tokens are counted, not only told apart
    ],
)
def test_squad_scores(text: str, answer: str, em: float, token_f1: float) -> None:
    assert (normalised(text) == normalised(answer)) == em
    assert f1(text, [answer]) == pytest.approx(token_f1)


def test_the_nearest_answer_counts_and_whole_tokens_are_contained() -> None:
    assert f1("about 40 people", ["none", "40 people"]) == pytest.approx(0.8)
    assert contains("It burned in 1871.", ["1871"]) == 1
    assert contains("It burned in 18711.", ["1871"]) == 0


def test_the_curves_are_those_of_the_table() -> None:
    coverage, risk = confidence.risk_coverage(TABLE)
    assert coverage == pytest.approx([1 / 6, 2 / 6, 3 / 6, 4 / 6, 5 / 6, 1])
    assert risk == pytest.approx([0, 1 / 2, 2 / 3, 3 / 4, 4 / 5, 5 / 6])
    bins = confidence.reliability([*TABLE, record(NOTHING, sure=0.85)])
    # Edges belong to the bin below: 0.85 shares one with 0.9.
    assert [(own.number, own.n) for own in bins] == [(0, 1), (1, 1), (5, 1), (6, 1), (7, 1), (8, 2)]
    assert bins[-1].right == 0.5
    assert bins[-1].confidence == pytest.approx(0.875)


def test_a_mean_has_the_interval_of_the_normal_approximation() -> None:
    generator = np.random.default_rng(7)
    truths = (generator.random(400) < 0.7).astype(float)
    found = figure(ratio(truths.tolist(), [1.0] * 400), seed=0)
    half = 1.96 * math.sqrt(truths.mean() * (1 - truths.mean()) / 400)
    assert found.value == pytest.approx(truths.mean())
    assert found.low == pytest.approx(truths.mean() - half, abs=0.01)
    assert found.high == pytest.approx(truths.mean() + half, abs=0.01)


def test_a_pooled_figure_is_drawn_by_question() -> None:
    # Ten questions of twenty citations, all right or all wrong: drawn by citation the interval
    # would be less than half as wide.
    right = [20.0, 0.0] * 5
    found = figure(ratio(right, [20.0] * 10), seed=0)
    assert found.value == 0.5
    assert found.n == 200
    assert found.low is not None and found.low <= 0.2
    assert figure(ratio(right, [20.0] * 10), seed=0) == found


def test_a_permutation_test_worked_by_hand() -> None:
    # Five questions, each better in B: of the 2^5 ways to swap, two are as far from 0 as this.
    five = [1.0] * 5
    found = difference(ratio([0.0] * 5, five), ratio(five, five), seed=0)
    assert found.difference == 1.0
    assert found.p == pytest.approx(2 / 32)


def test_measures_that_apply_to_one_result_alone_do_not_compare() -> None:
    nothing = Measure((np.zeros(3),), lambda a: a.mean(axis=-1), 0, np.zeros(3, bool))
    assert difference(nothing, nothing, seed=0).p is None
    some = ratio([1.0, 1.0], [1.0, 1.0])
    assert difference(some, ratio([0.0, 0.0], [0.0, 0.0]), seed=0).difference is None

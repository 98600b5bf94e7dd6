"""Shared parts of the scripts that fit: the logistic regression, the decisions of a calibration
about questions that were asked once, and their figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from assistant.answering.decision import weigh
from assistant.answering.quoting import PASSAGES, Quotation, quote, top_passages
from assistant.calibration import Calibration, Logistic
from assistant.retrieval.evidence import Candidate, Evidence, RawEvidence
from evals.datasets.gold import Gold, TextSpan
from evals.datasets.models import Question
from evals.metrics import metrics
from evals.metrics.statistics import Figure, figure, ratio
from evals.running.records import DEPTH, Cited, Record, best_of_units, of_question

#: Names of the figures of a set.
SHOWN = (
    "answered_right",
    "answer_precision",
    "evidence_shown",
    "withheld",
    "hit@1",
    "best_sentence",
    "right_auroc",
    "refusal_auroc",
    "right_calibration_error",
)


@dataclass(frozen=True, slots=True)
class AskedQuestion:
    """A question of a set, its gold, and what was found and read for it.

    Attributes:
        set: the set's name.
        units: the unit of each paragraph that was found, by the paragraph's id.
    """

    set: str
    question: Question
    gold: Gold
    raw: RawEvidence
    units: Mapping[str, str]

    def unread(self) -> AskedQuestion:
        """The same without a reader."""

        def without(raw: RawEvidence) -> RawEvidence:
            parts = tuple((part, without(of_part)) for part, of_part in raw.parts)
            carried = raw.carried and without(raw.carried)
            return replace(raw, readings=(), parts=parts, carried=carried)

        return replace(self, raw=without(self.raw))


@dataclass(frozen=True, slots=True)
class Decided:
    """What was decided about a question.

    Attributes:
        record: as `footnote eval` keeps it, without the text of the answer.
        best_right: whether the likeliest sentence is evidence; None where there is no evidence, or
            it is not told to the sentence.
    """

    record: Record
    best_right: bool | None


def decided(case: AskedQuestion, evidence: Evidence, numbers: Calibration, most: int) -> Decided:
    """Decide about a question by a calibration.

    Args:
        case: the question.
        evidence: of it, ranked by the calibration's weights.
        numbers: the calibration, with the thresholds.
        most: sentences of an answer at most.
    """
    question, gold = case.question, case.gold
    evidence = evidence.scored(numbers.sentence)
    decision = weigh(evidence, numbers, numbers.thresholds, most)
    page: Sequence[Quotation] = ()
    if decision.status == "unsure":
        page = top_passages(evidence, PASSAGES)
    forced = None
    if decision.status != "answered":
        every = numbers.thresholds.adjusted(None, 0.0)
        forced = _cited(quote(weigh(evidence, numbers, every, most).chosen))
    record = Record(
        set=case.set,
        **of_question(question),
        gold=gold,
        retrieved=best_of_units(evidence.hits, lambda paragraph: case.units[paragraph.id], DEPTH),
        status=decision.status,
        confidence=decision.confidence,
        sentences=(),
        citations=_cited(page or quote(decision.chosen)),
        forced=forced,
    )
    best = max(evidence.candidates, key=lambda candidate: candidate.probability, default=None)
    told = question.answerable and gold.sentences and bool(gold.evidence)
    return Decided(record, (best is not None and is_evidence(gold, best)) if told else None)


def is_evidence(gold: Gold, candidate: Candidate) -> bool:
    """Whether a sentence is evidence; False where evidence is given by whole passages."""
    sentence = candidate.sentence
    span = TextSpan(candidate.hit.paragraph.document_id, sentence.start, sentence.end)
    return gold.sentences and span.overlaps_any(gold.spans)


def set_figures(decisions: Sequence[Decided]) -> dict[str, Figure]:
    """The figures of SHOWN over some questions, with their intervals."""
    best = ratio(
        [float(bool(one.best_right)) for one in decisions],
        [float(one.best_right is not None) for one in decisions],
    )
    measures = {**metrics.all_measures([one.record for one in decisions]), "best_sentence": best}
    return {name: figure(measures[name], 0) for name in SHOWN}


def show(title: str, figures: Mapping[str, Figure]) -> None:
    """Print figures with their intervals and counts, except those that nothing applies to."""
    print(f"\n{title}")  # noqa: T201
    for name, own in figures.items():
        if own.value is not None:
            interval = "" if own.low is None else f" ({own.low:.3f} to {own.high:.3f})"
            print(f"  {own.value:.3f}{interval} of {own.n:,}: {name}")  # noqa: T201


def _cited(quotations: Sequence[Quotation]) -> tuple[Cited, ...]:
    """Each place that a quotation cites, once."""
    quoted = [(q.paragraph.document_id, q.start, q.end) for q in quotations]
    return tuple(Cited(*place, valid=True) for place in dict.fromkeys(quoted))


def fit_logistic(
    rows: Sequence[Mapping[str, float]],
    labels: Sequence[bool] | NDArray[np.bool_],
    each: Sequence[float] | NDArray[np.float64],
    features: Sequence[str],
    *,
    scaled: bool = False,
) -> Logistic:
    """Fit a logistic regression as they are kept: weights by name, all numbers rounded to four
    digits.

    Args:
        rows: the features of each case, by name.
        labels: whether each case is positive.
        each: how much each case weighs.
        features: those to use.
        scaled: bring them to one scale first. It is then found in a tenth of the steps; left as
            they are, the penalty holds back most the weight of what varies least, the cosine.
    """
    matrix = np.array([[row[name] for name in features] for row in rows], dtype=np.float64)
    mean, spread = np.zeros(len(features)), np.ones(len(features))
    if scaled:
        mean, spread = matrix.mean(axis=0), matrix.std(axis=0)
        spread[spread == 0] = 1.0
    model: Any = LogisticRegression(C=1.0, max_iter=5000)  # scikit-learn's own C; not tuned
    model.fit((matrix - mean) / spread, labels, sample_weight=each)
    weights = model.coef_[0] / spread
    named = {name: round(float(w), 4) for name, w in zip(features, weights, strict=True)}
    return Logistic(named, round(float(model.intercept_[0] - weights @ mean), 4))

"""What is measured of the confidence: ranking, risk by coverage, calibration.

right_auroc              questions have more confidence whose answer is right
right_calibration_error  expected calibration error of the confidence as the probability that the
                         answer is right, in ten bins of equal width; less is better
right_brier              its mean squared error; less is better
mean_confidence          its mean, beside `right_if_answered`, the share that is right
aurc                     area under the risk-coverage curve (Geifman and El-Yaniv, arXiv
                         1705.08500): the mean, over k, of the share of wrong answers among the k
                         questions of most confidence; less is better
refusal_auroc            answerable questions have more confidence than unanswerable ones

An answer is right by `Record.right_if_answered`: a question that was refused, or shown passages,
counts by the answer that it would have got; no answer to an unanswerable question is right. Only
questions count that have a confidence: where a language model decided there is none.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evals.metrics.statistics import Array, Measure
from evals.running.records import Record

#: Bins of equal width in which confidence is compared with truth. Not tuned.
BINS = 10


def confidence_measures(records: Sequence[Record]) -> dict[str, Measure]:
    """The measures of the confidence, by name; those that rank have nothing where there is nothing
    to rank above. None at all where no question has a confidence."""
    if records and not has_confidence(records):
        return {}
    confidence = np.array([r.confidence for r in records], float)
    truth = np.array([r.answerable for r in records], float)
    right = np.array([bool(r.right_if_answered) for r in records], float)
    told = ~np.isnan(confidence)
    both = told & (0 < truth[told].sum() < told.sum())
    known = told & np.array([r.right_if_answered is not None for r in records], bool)

    def measure(of: Array, statistic: Callable[..., Any], counts: NDArray[np.bool_]) -> Measure:
        return Measure((of, confidence), statistic, int(counts.sum()), counts, shared=True)

    return {
        "mean_confidence": measure(right, lambda _, sure: sure.mean(axis=-1), known),
        "right_if_answered": measure(right, lambda own, _: own.mean(axis=-1), known),
        "right_auroc": measure(right, auroc, known),
        "right_calibration_error": measure(right, _calibration_error, known),
        "right_brier": measure(right, lambda own, sure: ((sure - own) ** 2).mean(axis=-1), known),
        "aurc": measure(1 - right, _aurc, known),
        "refusal_auroc": measure(truth, auroc, both),
    }


def has_confidence(records: Sequence[Record]) -> bool:
    """Whether any of them has."""
    return any(record.confidence is not None for record in records)


@dataclass(frozen=True, slots=True)
class Bin:
    """Questions of like confidence: the mean of it, and the share whose answer is right, or would
    be.

    `number` is that of the bin, from 0.
    """

    number: int
    confidence: float
    right: float
    n: int


def reliability(records: Sequence[Record]) -> list[Bin]:
    """The bins that hold any question, in order."""
    from sklearn.calibration import calibration_curve

    known = _known(records)
    if not known:
        return []
    confidence, truth = (np.array(own) for own in zip(*known, strict=True))
    share, mean = calibration_curve(truth, confidence, n_bins=BINS)
    counts = np.bincount(_bin(confidence), minlength=BINS)
    numbers = np.flatnonzero(counts)
    return [
        Bin(int(number), float(m), float(s), int(counts[number]))
        for number, m, s in zip(numbers, mean, share, strict=True)
    ]


def risk_coverage(records: Sequence[Record]) -> tuple[list[float], list[float]]:
    """Coverage and the risk at it, one point a question, from the most confident on."""
    order = sorted(_known(records), key=lambda own: -own[0])
    wrong = np.array([not right for _, right in order], float)
    counts = np.arange(1, len(order) + 1)
    return (counts / len(order)).tolist(), (np.cumsum(wrong) / counts).tolist()


def _known(records: Sequence[Record]) -> list[tuple[float, bool]]:
    """Confidence, and whether the answer is right or would be, where both are known."""
    return [
        (r.confidence, right)
        for r in records
        if r.confidence is not None and (right := r.right_if_answered) is not None
    ]


def auroc(truth: Array, confidence: Array) -> Array:
    """Area under the ROC curve along the last axis (Mann-Whitney, ties count half)."""
    from scipy.stats import rankdata

    ranks = rankdata(confidence, axis=-1)
    positive = truth.sum(axis=-1)
    pairs = positive * (truth.shape[-1] - positive)
    with np.errstate(invalid="ignore", divide="ignore"):
        area = ((ranks * truth).sum(axis=-1) - positive * (positive + 1) / 2) / pairs
    return np.asarray(area)


def _aurc(wrong: Array, confidence: Array) -> Array:
    order = np.argsort(-confidence, axis=-1, kind="stable")
    ordered = np.take_along_axis(wrong, order, axis=-1)
    risk = np.cumsum(ordered, axis=-1) / np.arange(1, wrong.shape[-1] + 1)
    return np.asarray(risk.mean(axis=-1))


def _calibration_error(truth: Array, confidence: Array) -> Array:
    own = _bin(confidence)
    gap = np.zeros(truth.shape[:-1])
    for number in range(BINS):
        gap += np.abs(((confidence - truth) * (own == number)).sum(axis=-1))
    return np.asarray(gap / truth.shape[-1])


def _bin(confidence: Array) -> NDArray[np.intp]:
    """The bin of each, as scikit-learn's calibration_curve counts them."""
    return np.searchsorted(np.linspace(0, 1, BINS + 1)[1:-1], confidence)

"""What is measured of the confidence: ranking, risk by coverage, calibration.

refusal_auroc       answerable questions have more confidence than unanswerable ones
aurc                area under the risk-coverage curve (Geifman and El-Yaniv, arXiv 1705.08500):
                    the mean, over k, of the share of wrong answers among the k questions of
                    most confidence; less is better. An answer is wrong that cites no evidence;
                    so is any to an unanswerable question. One that was refused, or of which
                    it was unsure, counts by the answer that it gets all the same.
calibration_error   expected calibration error of the confidence as the probability that a
                    question is answerable, in ten bins of equal width; less is better
brier               its mean squared error; less is better

Only questions count that have a confidence: where a language model decided there is none.
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
    """The measures of the confidence, by name; they have nothing where all or no questions are
    answerable, but for `aurc`, which answers to answerable questions have too. None at all where no
    question has a confidence."""
    if records and not has_confidence(records):
        return {}
    confidence = np.array([r.confidence for r in records], float)
    truth = np.array([r.answerable for r in records], float)
    wrong = np.array([not r.right_if_answered for r in records], float)
    told = ~np.isnan(confidence)
    both = told & (0 < truth[told].sum() < told.sum())
    known = told & np.array([r.right_if_answered is not None for r in records], bool)
    known &= truth[known].any()

    def measure(of: Array, statistic: Callable[..., Any], counts: NDArray[np.bool_]) -> Measure:
        return Measure((of, confidence), statistic, int(counts.sum()), counts, shared=True)

    return {
        "refusal_auroc": measure(truth, auroc, both),
        "aurc": measure(wrong, _aurc, known),
        "calibration_error": measure(truth, _calibration_error, both),
        "brier": measure(truth, _brier, both),
    }


def has_confidence(records: Sequence[Record]) -> bool:
    """Whether any of them has."""
    return any(record.confidence is not None for record in records)


@dataclass(frozen=True, slots=True)
class Bin:
    """Questions of like confidence: the mean of it, and the share that is answerable.

    `number` is that of the bin, from 0.
    """

    number: int
    confidence: float
    answerable: float
    n: int


def reliability(records: Sequence[Record]) -> list[Bin]:
    """The bins that hold any question, in order."""
    from sklearn.calibration import calibration_curve

    if not has_confidence(records):
        return []
    known = [(r.confidence, r.answerable) for r in records if r.confidence is not None]
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
    known = [
        (r.confidence, not right)
        for r in records
        if r.confidence is not None and (right := r.right_if_answered) is not None
    ]
    order = sorted(known, key=lambda own: -own[0])
    wrong = np.array([wrong for _, wrong in order], float)
    counts = np.arange(1, len(order) + 1)
    return (counts / len(order)).tolist(), (np.cumsum(wrong) / counts).tolist()


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


def _brier(truth: Array, confidence: Array) -> Array:
    return np.asarray(((confidence - truth) ** 2).mean(axis=-1))


def _bin(confidence: Array) -> NDArray[np.intp]:
    """The bin of each, as scikit-learn's calibration_curve counts them."""
    return np.searchsorted(np.linspace(0, 1, BINS + 1)[1:-1], confidence)

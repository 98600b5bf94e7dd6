"""Measures of the confidence.

right_auroc              questions whose answer is right have more confidence
right_calibration_error  expected calibration error of the confidence as the probability that the
                         answer is right, in ten bins of equal width; less is better
refusal_auroc            answerable questions have more confidence than unanswerable ones

An answer is right by `Record.right_if_answered`: a question that was refused, or shown passages,
counts by the answer that it would have got; no answer to an unanswerable question is right. Only
questions with a confidence count: if a language model decided there is none.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evals.metrics.statistics import Array, Measure
from evals.running.records import Record

#: Bins of equal width in which confidence is compared with truth. Not tuned.
BINS = 10


def confidence_measures(records: Sequence[Record]) -> dict[str, Measure]:
    """Return the measures of the confidence by name; none if no question has a confidence."""
    confidence = np.array([r.confidence for r in records], float)
    known = ~np.isnan(confidence)
    if not known.any():
        return {}
    truth = np.array([r.answerable for r in records], float)
    right = np.array([bool(r.right_if_answered) for r in records], float)
    judged = known & np.array([r.right_if_answered is not None for r in records], bool)
    both = known & (0 < truth[known].sum() < known.sum())

    def measure(of: Array, statistic: Callable[..., Any], counts: NDArray[np.bool_]) -> Measure:
        return Measure((of, confidence), statistic, int(counts.sum()), counts, shared=True)

    return {
        "right_auroc": measure(right, auroc, judged),
        "right_calibration_error": measure(right, _calibration_error, judged),
        "refusal_auroc": measure(truth, auroc, both),
    }


def auroc(truth: Array, confidence: Array) -> Any:
    """Return the area under the ROC curve (Mann-Whitney, ties count half)."""
    from scipy.stats import rankdata

    positive = truth.sum()
    pairs = positive * (len(truth) - positive)
    with np.errstate(invalid="ignore", divide="ignore"):
        above = (rankdata(confidence) * truth).sum() - positive * (positive + 1) / 2
        return np.float64(above) / pairs


def _calibration_error(truth: Array, confidence: Array) -> Any:
    own = np.searchsorted(np.linspace(0, 1, BINS + 1)[1:-1], confidence)
    gaps = np.bincount(own, weights=confidence - truth, minlength=BINS)
    return np.abs(gaps).sum() / len(truth)

"""Figures with their intervals, and paired comparisons; scipy does the resampling.

A measure is a statistic of per-question arrays, so that the same one serves the figure, its
bootstrap (questions are drawn, each with all that belongs to it: a cluster bootstrap where a figure
is pooled over sentences) and the permutation test (each question's two results are swapped or not).
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import PlainSerializer
from scipy.stats import DegenerateDataWarning, bootstrap, permutation_test

#: Of the intervals.
CONFIDENCE = 0.95
#: Draws of the bootstrap. Not tuned.
RESAMPLES = 2000
#: Draws of the permutation test: the smallest p is 1 / 10,000. Not tuned.
PERMUTATIONS = 9999
#: Numbers held at once while resampling, 32 MB of them. Not tuned.
BATCH = 4_000_000

Array = NDArray[np.float64]

#: Written as JSON to six digits.
_Rounded = Annotated[
    float | None, PlainSerializer(lambda value: None if value is None else round(value, 6))
]


@dataclass(frozen=True, slots=True)
class Figure:
    """A value over `n` cases with its 95 % interval; None where nothing applies, never 0.

    `low` and `high` are None too where there are too few questions to draw from.
    """

    value: _Rounded
    n: int
    low: _Rounded = None
    high: _Rounded = None


@dataclass(frozen=True, slots=True)
class Measure:
    """A statistic of questions.

    Attributes:
        arrays: each has one number a question.
        statistic: called with arrays of shape (..., questions) in that order, gives shape (...);
            NaN where nothing applies.
        n: how many cases the figure is over.
        counts: which questions have a part in it, one truth a question.
        shared: whether, of two measures that are compared, those questions alone count that have a
            part in both.
    """

    arrays: tuple[Array, ...]
    statistic: Callable[..., Any]
    n: int
    counts: NDArray[np.bool_]
    shared: bool = False

    def of(self, chosen: NDArray[Any]) -> Any:
        """The statistic of the questions at these positions, along the last axis."""
        return self.statistic(*(array[chosen] for array in self.arrays))


def ratio(
    numerators: Sequence[float], denominators: Sequence[float], n: int | None = None
) -> Measure:
    """Sum over sum: a mean where each denominator is 1, and pooled where it is a count.

    A question whose denominator is 0 has no part in it. `n` is by default the denominators' sum.
    """
    above, below = np.array(numerators, float), np.array(denominators, float)

    def statistic(above: Array, below: Array) -> Any:
        with np.errstate(invalid="ignore", divide="ignore"):
            return above.sum(axis=-1) / below.sum(axis=-1)

    return Measure((above, below), statistic, int(below.sum()) if n is None else n, below > 0)


def mean(values: Sequence[float | None]) -> Measure:
    """The mean over questions, without those for which there is no value."""
    return ratio([v or 0.0 for v in values], [v is not None for v in values])


def figure(measure: Measure, seed: int) -> Figure:
    """The value with its percentile bootstrap interval.

    Args:
        measure: of what.
        seed: of the draws; the same seed gives the same interval.
    """
    positions = np.flatnonzero(measure.counts)
    value = float(measure.of(positions)) if len(positions) else np.nan
    if np.isnan(value):
        return Figure(None, 0)
    if len(positions) < 2:
        return Figure(value, measure.n)
    low, high = _interval(measure.of, positions, np.random.default_rng(seed))
    return Figure(value, measure.n, low, high)


@dataclass(frozen=True, slots=True)
class Difference:
    """B less A on the same questions: interval of the difference and two-sided p of no difference.

    Every field but `n` is None where one of them has nothing to measure. `n`: questions.
    """

    a: float | None
    b: float | None
    difference: float | None
    low: float | None
    high: float | None
    p: float | None
    n: int


def difference(a: Measure, b: Measure, seed: int) -> Difference:
    """Compare two measures of the same questions, in the same order."""
    positions = np.flatnonzero(a.counts & b.counts if a.shared else a.counts | b.counts)
    nothing = Difference(None, None, None, None, None, None, len(positions))
    if len(positions) < 2:
        return nothing
    ours, theirs = float(a.of(positions)), float(b.of(positions))
    if np.isnan(ours) or np.isnan(theirs):
        return nothing
    # Positions of A, then of B: one array to index, whichever of the two a question's result is.
    size = len(a.counts)
    both = Measure(
        tuple(np.concatenate(pair) for pair in zip(a.arrays, b.arrays, strict=True)),
        a.statistic,
        0,
        np.concatenate([a.counts, b.counts]),
    )
    rng = np.random.default_rng(seed)
    low, high = _interval(lambda own: both.of(own + size) - both.of(own), positions, rng)
    test = permutation_test(
        (positions + size, positions),
        lambda x, y, axis: both.of(np.moveaxis(x, axis, -1)) - both.of(np.moveaxis(y, axis, -1)),
        permutation_type="samples",
        vectorized=True,
        n_resamples=PERMUTATIONS,
        batch=max(1, BATCH // len(positions)),
        rng=rng,
    )
    return Difference(ours, theirs, theirs - ours, low, high, float(test.pvalue), len(positions))


def _interval(
    statistic: Callable[[NDArray[np.intp]], Any],
    positions: NDArray[np.intp],
    rng: np.random.Generator,
) -> tuple[float | None, float | None]:
    """The percentile interval of a statistic of positions; (None, None) where it has none."""
    with warnings.catch_warnings():
        # A draw may have nothing that the statistic applies to (no unanswerable question, say);
        # such draws are NaN, and are left out below.
        warnings.simplefilter("ignore", DegenerateDataWarning)
        drawn = bootstrap(
            (positions,),
            lambda chosen, axis: statistic(np.moveaxis(chosen, axis, -1)),
            n_resamples=RESAMPLES,
            confidence_level=CONFIDENCE,
            method="percentile",
            vectorized=True,
            batch=max(1, BATCH // len(positions)),
            rng=rng,
        )
    known = drawn.bootstrap_distribution[~np.isnan(drawn.bootstrap_distribution)]
    if not len(known):
        return None, None
    tail = (1 - CONFIDENCE) / 2 * 100
    low, high = np.percentile(known, [tail, 100 - tail])
    return float(low), float(high)

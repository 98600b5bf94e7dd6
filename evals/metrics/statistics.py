"""Figures with their intervals, and paired comparisons.

A measure is a statistic of arrays with one number a question, so that the same measure serves the
figure, its bootstrap (questions are drawn, each with all that belongs to it: a cluster bootstrap if
a figure is pooled over sentences) and the permutation test (each question's two results are swapped
or not).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import PlainSerializer
from scipy.stats import permutation_test

#: Share of the draws inside an interval.
CONFIDENCE = 0.95
#: Draws of the bootstrap. Not tuned.
RESAMPLES = 2000
#: Draws of the permutation test: the smallest p is 1 / 10,000. Not tuned.
PERMUTATIONS = 9999
#: Numbers held at once by the permutation test, 32 MB of them. Not tuned.
BATCH = 4_000_000

Array = NDArray[np.float64]

#: Written as JSON to six digits.
_Rounded = Annotated[
    float | None, PlainSerializer(lambda value: None if value is None else round(value, 6))
]


@dataclass(frozen=True, slots=True)
class Figure:
    """A value over `n` cases with its 95 % interval; None if nothing applies, never 0.

    `low` and `high` are None too if there are too few questions to draw from.
    """

    value: _Rounded
    n: int
    low: _Rounded = None
    high: _Rounded = None


@dataclass(frozen=True, slots=True)
class Measure:
    """A statistic of questions.

    Attributes:
        arrays: one number a question in each array.
        statistic: a function of the arrays in that order; NaN if nothing applies.
        n: the number of cases that the figure is over.
        counts: the questions that have a part in the figure, one truth a question.
        shared: True if a comparison takes only questions that have a part in both measures.
    """

    arrays: tuple[Array, ...]
    statistic: Callable[..., Any]
    n: int
    counts: NDArray[np.bool_]
    shared: bool = False

    def of(self, chosen: NDArray[Any]) -> float:
        """Return the statistic of the questions at these positions."""
        return float(self.statistic(*(array[chosen] for array in self.arrays)))


def ratio(
    numerators: Sequence[float], denominators: Sequence[float], n: int | None = None
) -> Measure:
    """Measure a sum over a sum: a mean if each denominator is 1, pooled if it is a count.

    A question whose denominator is 0 has no part in it. `n` is by default the denominators' sum.
    """
    above, below = np.array(numerators, float), np.array(denominators, float)

    def statistic(above: Array, below: Array) -> Any:
        with np.errstate(invalid="ignore", divide="ignore"):
            return above.sum() / below.sum()

    return Measure((above, below), statistic, int(below.sum()) if n is None else n, below > 0)


def mean(values: Sequence[float | None]) -> Measure:
    """Measure the mean over questions, without those that have no value."""
    return ratio([v or 0.0 for v in values], [v is not None for v in values])


def figure(measure: Measure, seed: int = 0) -> Figure:
    """Return the value of a measure with its percentile bootstrap interval.

    Args:
        measure: the measure.
        seed: the seed of the draws; the same seed gives the same interval.
    """
    positions = np.flatnonzero(measure.counts)
    value = measure.of(positions) if len(positions) else np.nan
    if np.isnan(value):
        return Figure(None, 0)
    if len(positions) < 2:
        return Figure(value, measure.n)
    return Figure(value, measure.n, *_interval(measure.of, positions, np.random.default_rng(seed)))


@dataclass(frozen=True, slots=True)
class Difference:
    """B less A on the same questions: the interval of the difference and two-sided p.

    Every field but `n` is None if one of them has nothing to measure. `n`: questions.
    """

    a: float | None
    b: float | None
    difference: float | None
    low: float | None
    high: float | None
    p: float | None
    n: int


def difference(a: Measure, b: Measure) -> Difference:
    """Compare two measures of the same questions, in the same order."""
    positions = np.flatnonzero(a.counts & b.counts if a.shared else a.counts | b.counts)
    nothing = Difference(None, None, None, None, None, None, len(positions))
    if len(positions) < 2:
        return nothing
    ours, theirs = a.of(positions), b.of(positions)
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
    rng = np.random.default_rng(0)
    low, high = _interval(lambda own: both.of(own + size) - both.of(own), positions, rng)
    test = permutation_test(
        (positions + size, positions),
        lambda x, y: both.of(x) - both.of(y),
        permutation_type="samples",
        n_resamples=PERMUTATIONS,
        batch=max(1, BATCH // len(positions)),
        rng=rng,
    )
    return Difference(ours, theirs, theirs - ours, low, high, float(test.pvalue), len(positions))


def _interval(
    statistic: Callable[[NDArray[np.intp]], float],
    positions: NDArray[np.intp],
    rng: np.random.Generator,
) -> tuple[float | None, float | None]:
    """Return the percentile interval of a statistic of positions; (None, None) if it has none."""
    size = len(positions)
    drawn = np.array([statistic(positions[rng.integers(0, size, size)]) for _ in range(RESAMPLES)])
    # A draw may have nothing that the statistic applies to (no unanswerable question, say).
    known = drawn[~np.isnan(drawn)]
    if not len(known):
        return None, None
    tail = (1 - CONFIDENCE) / 2 * 100
    low, high = np.percentile(known, [tail, 100 - tail])
    return float(low), float(high)

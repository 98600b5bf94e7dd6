"""Figures with their intervals, and differences between two results.

A measure is a statistic of arrays with one number a question, so that the same measure serves the
figure and its bootstrap: questions are drawn, each with all that belongs to it (a cluster bootstrap
if a figure is pooled over sentences).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import PlainSerializer

#: Share of the draws inside an interval.
CONFIDENCE = 0.95
#: Draws of the bootstrap. Not tuned.
RESAMPLES = 2000

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
        shared: True if a difference takes only questions that have a part in both measures.
    """

    arrays: tuple[Array, ...]
    statistic: Callable[..., Any]
    n: int
    counts: NDArray[np.bool_]
    shared: bool = False

    def of(self, chosen: NDArray[Any]) -> float:
        """Return the statistic of the questions at these positions."""
        return float(self.statistic(*(array[chosen] for array in self.arrays)))


def ratio(numerators: Sequence[float], denominators: Sequence[float]) -> Measure:
    """Measure a sum over a sum: a mean if each denominator is 1, pooled if it is a count.

    A question whose denominator is 0 has no part in it.
    """
    above, below = np.array(numerators, float), np.array(denominators, float)

    def statistic(above: Array, below: Array) -> Any:
        with np.errstate(invalid="ignore", divide="ignore"):
            return above.sum() / below.sum()

    return Measure((above, below), statistic, int(below.sum()), below > 0)


def mean(values: Sequence[float | None]) -> Measure:
    """Measure the mean over questions, without those that have no value."""
    return ratio([v or 0.0 for v in values], [v is not None for v in values])


def figure(measure: Measure) -> Figure:
    """Return the value of a measure with its percentile bootstrap interval."""
    positions = np.flatnonzero(measure.counts)
    return _with_interval(measure.of, positions, measure.n)


def difference(a: Measure, b: Measure) -> Figure:
    """Return B less A on the same questions, in the same order; `n` is the number of questions."""
    positions = np.flatnonzero(a.counts & b.counts if a.shared else a.counts | b.counts)
    return _with_interval(lambda chosen: b.of(chosen) - a.of(chosen), positions, len(positions))


def _with_interval(
    statistic: Callable[[NDArray[np.intp]], float], positions: NDArray[np.intp], n: int
) -> Figure:
    """Return a statistic of positions with its interval. The same draws each time: seed 0."""
    size = len(positions)
    value = statistic(positions) if size else np.nan
    if np.isnan(value):
        return Figure(None, 0)
    rng = np.random.default_rng(0)
    drawn = np.array([statistic(positions[rng.integers(0, size, size)]) for _ in range(RESAMPLES)])
    # A draw may have nothing that the statistic applies to (no unanswerable question, say).
    known = drawn[~np.isnan(drawn)]
    if size < 2 or not len(known):
        return Figure(value, n)
    tail = (1 - CONFIDENCE) / 2 * 100
    low, high = np.percentile(known, [tail, 100 - tail])
    return Figure(value, n, float(low), float(high))

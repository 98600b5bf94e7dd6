"""What the scripts that fit share: the logistic regression, and how figures are printed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import typer
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from assistant.calibration import Logistic
from evals.metrics.statistics import Figure


def fit_logistic(
    rows: Sequence[Mapping[str, float]],
    labels: Sequence[bool] | NDArray[np.bool_],
    each: NDArray[np.float64],
    features: Sequence[str],
    *,
    scaled: bool,
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


def show(title: str, figures: Mapping[str, Figure]) -> None:
    """Print figures with their intervals and counts, except those that nothing applies to."""
    typer.echo(f"\n{title}")
    for name, own in figures.items():
        if own.value is not None:
            interval = "" if own.low is None else f" ({own.low:.3f} to {own.high:.3f})"
            typer.echo(f"  {own.value:.3f}{interval} of {own.n:,}: {name}")

"""The few numbers that turn evidence into probabilities, and where they come from.

Two logistic regressions for each way of working (with the shipped reader, without a reader):
whether a sentence belongs to the answer, and whether the documents answer the question at all. They
are fitted by `footnote eval calibrate` and kept in `calibration.json` with their provenance.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from index.errors import SettingsError


@dataclass(frozen=True, slots=True)
class Logistic:
    """A logistic regression over named features: p = sigmoid(intercept + sum w * x)."""

    weights: Mapping[str, float]
    intercept: float

    def probability(self, features: Mapping[str, float]) -> float:
        """The probability for one case; features without a weight do not count."""
        return sigmoid(self.intercept + sum(w * features[n] for n, w in self.weights.items()))


def sigmoid(logit: float) -> float:
    """The probability with this logit; exact to 1e-13 where it does not overflow."""
    return 1.0 / (1.0 + math.exp(-max(-30.0, min(30.0, logit))))


@dataclass(frozen=True, slots=True)
class Calibration:
    """What one way of working needs.

    Attributes:
        sentence: probability that a sentence belongs to the answer.
        answer: probability that the documents answer the question.
        threshold: refuse below this probability.
    """

    sentence: Logistic
    answer: Logistic
    threshold: float


def load_calibration(reader: str, file: Path | None = None) -> Calibration:
    """The calibration for a reader by its fingerprint, or for `none`.

    Args:
        reader: a reader that the file does not know gets the numbers of `none`: it re-ranks, but
            its logits are not trusted as probabilities.
        file: another `calibration.json`, as `footnote eval calibrate` writes it.

    Raises:
        SettingsError: the file is not a calibration.
    """
    source = file or Path(str(files("assistant") / "calibration.json"))
    try:
        entries: dict[str, Any] = json.loads(source.read_text())["readers"]
        entry = entries.get(reader) or entries["none"]
        return Calibration(
            sentence=Logistic(**entry["sentence"]),
            answer=Logistic(**entry["answer"]),
            threshold=float(entry["threshold"]),
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SettingsError(
            f"{source} is not a calibration ({error!r}). Make one with: footnote eval calibrate"
        ) from error

"""Short answers, scored as SQuAD's official scorer does (evaluate-v2.0.py, Rajpurkar et al.)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from evals.datasets.gold import normalised


def f1(text: str, answers: Sequence[str]) -> float:
    """Token F1 with the nearest of the answers, 0..1."""
    return max((_f1(normalised(text).split(), normalised(a).split()) for a in answers), default=0.0)


def contains(text: str, answers: Sequence[str]) -> float:
    """1 where an answer's tokens stand in the text one after another, else 0."""
    inside = f" {normalised(text)} "
    return float(any(own and f" {own} " in inside for own in map(normalised, answers)))


def _f1(ours: list[str], gold: list[str]) -> float:
    if not ours or not gold:
        return float(ours == gold)
    shared = sum((Counter(ours) & Counter(gold)).values())
    if not shared:
        return 0.0
    precision, recall = shared / len(ours), shared / len(gold)
    return 2 * precision * recall / (precision + recall)

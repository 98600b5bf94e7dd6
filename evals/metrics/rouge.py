"""ROUGE (Lin, "ROUGE: A Package for Automatic Evaluation of Summaries", 2004), as F1.

Words are letters and digits in lower case, without stemming, as the package rouge-score has them by
default; it gives the same figures. By definition and not by that package, which was last released
in 2022.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from itertools import combinations
from statistics import fmean

_WORD = re.compile(r"[^\W_]+")


def rouge_n(text: str, reference: str, n: int) -> float:
    """F1 of the runs of n words that two texts share, each as often as both have it, 0..1."""
    ours, theirs = _runs(_words(text), n), _runs(_words(reference), n)
    return _f1((ours & theirs).total(), ours.total(), theirs.total())


def rouge_l(text: str, reference: str) -> float:
    """F1 of the longest common subsequence of words of two texts, each taken whole, 0..1."""
    ours, theirs = _words(text), _words(reference)
    return _f1(_common(ours, theirs), len(ours), len(theirs))


def redundancy(sentences: Sequence[str]) -> float | None:
    """The mean ROUGE-L of every two sentences of a summary, 0..1 (Bommasani and Cardie, "Intrinsic
    Evaluation of Summarization Datasets", EMNLP 2020); None where there are not two."""
    pairs = [rouge_l(one, other) for one, other in combinations(sentences, 2)]
    return fmean(pairs) if pairs else None


def _words(text: str) -> list[str]:
    return _WORD.findall(text.lower())


def _runs(words: Sequence[str], n: int) -> Counter[tuple[str, ...]]:
    return Counter(tuple(words[i : i + n]) for i in range(len(words) - n + 1))


def _common(ours: Sequence[str], theirs: Sequence[str]) -> int:
    """The length of the longest common subsequence, a row of the table at a time."""
    row = [0] * (len(theirs) + 1)
    for own in ours:
        above, row = row, [0]
        for column, other in enumerate(theirs):
            longer = above[column] + 1 if own == other else max(above[column + 1], row[column])
            row.append(longer)
    return row[-1]


def _f1(shared: int, ours: int, theirs: int) -> float:
    return 2 * shared / (ours + theirs) if shared else 0.0

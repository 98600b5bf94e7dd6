"""Texts compared by their words: short answers as SQuAD scores them, and ROUGE.

Short answers are scored as SQuAD's official scorer does (evaluate-v2.0.py, Rajpurkar et al.); ROUGE
(Lin, "ROUGE: A Package for Automatic Evaluation of Summaries", 2004) as F1, by definition and not
by the package rouge-score, which was last released in 2022 and gives the same figures: words are
letters and digits in lower case, without stemming.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from itertools import combinations
from statistics import fmean

from evals.datasets.gold import normalised

_WORD = re.compile(r"[^\W_]+")


def f1(text: str, answers: Sequence[str]) -> float:
    """Token F1 with the nearest of the short answers, 0..1."""
    return max((_token_f1(text, answer) for answer in answers), default=0.0)


def _token_f1(text: str, answer: str) -> float:
    ours, gold = normalised(text).split(), normalised(answer).split()
    if not ours or not gold:
        return float(ours == gold)
    shared = (Counter(ours) & Counter(gold)).total()
    if not shared:
        return 0.0
    precision, recall = shared / len(ours), shared / len(gold)
    return 2 * precision * recall / (precision + recall)


def contains(text: str, answers: Sequence[str]) -> bool:
    """Whether a short answer's tokens stand in the text one after another."""
    inside = f" {normalised(text)} "
    return any(own and f" {own} " in inside for own in map(normalised, answers))


def rouge_n(text: str, reference: str, n: int) -> float:
    """F1 of the runs of n words that two texts share, each as often as both have it, 0..1."""
    ours, theirs = (
        Counter(zip(*(words[start:] for start in range(n)), strict=False))
        for words in map(_words, (text, reference))
    )
    return _rouge((ours & theirs).total(), ours.total(), theirs.total())


def rouge_l(text: str, reference: str) -> float:
    """F1 of the longest common subsequence of words of two texts, each taken whole, 0..1."""
    ours, theirs = _words(text), _words(reference)
    row = [0] * (len(theirs) + 1)  # of the table of lengths, a row at a time
    for our in ours:
        above, row = row, [0]
        for column, other in enumerate(theirs):
            longer = above[column] + 1 if our == other else max(above[column + 1], row[column])
            row.append(longer)
    return _rouge(row[-1], len(ours), len(theirs))


def redundancy(sentences: Sequence[str]) -> float | None:
    """The mean ROUGE-L of every two sentences of a summary, 0..1 (Bommasani and Cardie, "Intrinsic
    Evaluation of Summarization Datasets", EMNLP 2020); None where there are not two."""
    pairs = [rouge_l(one, other) for one, other in combinations(sentences, 2)]
    return fmean(pairs) if pairs else None


def _words(text: str) -> list[str]:
    return _WORD.findall(text.lower())


def _rouge(shared: int, ours: int, theirs: int) -> float:
    return 2 * shared / (ours + theirs) if shared else 0.0

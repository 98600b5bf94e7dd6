"""Ranking: which paragraphs are candidates, and the one formula that scores them.

score = cosine of the best sentence + TERM_WEIGHT * share of the query's term weight
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from index.encoder import Vectors
from index.models import Paragraph
from index.store.scope import Scope

SENTENCE_CANDIDATES = 100
TERM_CANDIDATES = 50
TERM_WEIGHT = 1.25

LEGS = ("sentence", "terms")

#: The `count` sentences nearest to a vector: (paragraph id, sentence, cosine), best first.
Nearest = Callable[[Vectors, int], Sequence[tuple[str, int, float]]]
#: The sentence vectors of paragraphs by id.
VectorsOf = Callable[[Sequence[str]], Mapping[str, Vectors]]


@dataclass(frozen=True, slots=True)
class Hit:
    """A paragraph found for a query.

    Attributes:
        paragraph: the paragraph.
        score: sum of the weighted legs; comparable between queries, -1..2.
        legs: `sentence`, the cosine of its best sentence (-1..1), and `terms`, its share of the
            query's term weight (0..1).
        sentence_scores: the cosine of each of its sentences with the query.
    """

    paragraph: Paragraph
    score: float
    legs: dict[str, float]
    sentence_scores: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Ranked:
    """A passage of a scope by its position, with its legs."""

    position: int
    sentence: float
    terms: float

    def score(self, legs: Collection[str]) -> float:
        """The sum of the weighted legs, of those that count."""
        return fuse(self.sentence, self.terms, legs)


def rank(
    scope: Scope,
    query: str,
    vector: Vectors,
    k: int,
    nearest: Nearest,
    vectors_of: VectorsOf,
    legs: Collection[str] = LEGS,
    exhaustive: bool = False,
) -> list[Ranked]:
    """The best k of the scope, best first. See `Index.search`."""
    shares = scope.terms.shares(query)
    cosines, floor = _nearest(scope, vector, nearest)
    if exhaustive:
        unknown = [p for p in range(len(scope.order)) if p not in cosines]
    else:
        top = _highest(shares, TERM_CANDIDATES)
        by_terms = [p for p in top if shares[p] > 0 and p not in cosines]
        # A paragraph that the nearest sentences do not name has no sentence nearer than the last
        # of them, so `floor` bounds its cosine: most need not be read at all.
        known = sorted((fuse(c, float(shares[p]), legs) for p, c in cosines.items()))
        bar = known[-k] if len(known) >= k else -np.inf
        unknown = [p for p in by_terms if fuse(floor, float(shares[p]), legs) >= bar]
    for identity, vectors in vectors_of([scope.order[position] for position in unknown]).items():
        cosines[scope.positions[identity]] = float((vectors @ vector).max())
    scored = [Ranked(p, cosine, float(shares[p])) for p, cosine in cosines.items()]
    scored.sort(key=lambda item: (-item.score(legs), item.position))
    return scored[:k]


def _highest(shares: Vectors, count: int) -> list[int]:
    """Positions of the highest shares, highest first; of equal ones the first."""
    if len(shares) > count:
        bar = np.partition(shares, -count)[-count]
        among = np.flatnonzero(shares >= max(bar, np.finfo(np.float32).tiny))
    else:
        among = np.arange(len(shares))
    order = np.argsort(-shares[among], kind="stable")[:count]
    positions: list[int] = among[order].tolist()
    return positions


def _nearest(scope: Scope, vector: Vectors, nearest: Nearest) -> tuple[dict[int, float], float]:
    """The paragraphs of the scope's nearest sentences with their cosines, and a bound on the
    cosine of every other paragraph of the scope."""
    count = SENTENCE_CANDIDATES
    while True:
        found = nearest(vector, count)
        cosines: dict[int, float] = {}
        inside = 0
        for identity, _, cosine in found:
            # One outside is of another document, or left over from an interrupted sync.
            position = scope.positions.get(identity)
            if position is not None:
                inside += 1
                cosines.setdefault(position, cosine)
        if len(found) < count:
            return cosines, 1.0  # the approximate search may have missed any
        if inside >= SENTENCE_CANDIDATES // 2:
            return cosines, found[-1][2]
        count *= 4


def fuse(sentence: float, terms: float, legs: Collection[str] = LEGS) -> float:
    """The formula."""
    return (sentence if "sentence" in legs else 0.0) + (
        TERM_WEIGHT * terms if "terms" in legs else 0.0
    )

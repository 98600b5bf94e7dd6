"""Ranking: which paragraphs are candidates, and the one formula that scores them.

score = cosine of the best sentence + TERM_WEIGHT * share of the query's term weight

A convex combination whose parts have fixed bounds, so that scores of different queries compare
(Bruch et al., "An Analysis of Fusion Functions for Hybrid Retrieval", arXiv 2210.11934).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from index.encoder import Vectors
from index.models import Paragraph
from index.store.snapshot import Scope, Snapshot
from index.terms.bm25 import sums

# Chosen on squad2_dev, reddit and amazon_reviews: as good as scoring every paragraph.
SENTENCE_CANDIDATES = 100
TERM_CANDIDATES = 50
#: Of a large index more sentences are asked for: as often as it has so many paragraphs, up to a
#: maximum.
#: Chroma's search is approximate: of two million sentences of which many are much alike it finds
#: .71 of the nearest hundred among as many, .93 among 1,600; of 200,000 it finds .99 and more.
CANDIDATES_STEP, MAX_CANDIDATES = 62_500, 1600
#: Without the reading model the right paragraph of 672 questions in lay words on 28 real documents
#: is first for .574 with 0, .580 with .6 and .549 with 1.25, among five for .869, .875 and .856; of
#: 400 that were put to forums and shops for .32 with 0, .43 with .3 and .48 with 1.25.
TERM_WEIGHT = 0.6
#: Hits of a query in a conversation that are weighed in its context; 20 and 100 change nothing on
#: 254 questions of MT-RAG.
IN_CONTEXT = 50
#: A choice of so few paragraphs is scored whole where the index has at least so many times as many:
#: to ask for the nearest sentences of all until enough are of the choice would take ever longer.
EXHAUSTIVE, SELECTIVITY = 2000, 8


@dataclass(frozen=True, slots=True)
class Hit:
    """A paragraph found for a query.

    Attributes:
        paragraph: the paragraph.
        score: what the formula gives; comparable between queries, -1..2.
        sentence_scores: the cosine of each of its sentences with the query.
        terms: its share of the query's term weight, 0..1.
        lead_score: that of what leads into it, where it was found by that.
    """

    paragraph: Paragraph
    score: float
    sentence_scores: tuple[float, ...]
    terms: float = 0.0
    lead_score: float = -1.0

    @property
    def nearest(self) -> int:
        """The number, from 0, of its sentence that is nearest to the query."""
        return max(range(len(self.sentence_scores)), key=self.sentence_scores.__getitem__)


@dataclass(frozen=True, slots=True)
class SearchResult:
    """What a search found, all of it at one revision of the index.

    Attributes:
        hits: best first.
        term_weights: for each language of the documents that were searched, the stemmed terms that
            were asked about, and how much each weighs (idf) in them.
        revision: names what was in the index (see `Index.revision`).
        context_hits: where the query was searched for in a context, what was found for that alone.
    """

    hits: tuple[Hit, ...]
    term_weights: Mapping[str, Mapping[str, float]]
    revision: str = ""
    context_hits: tuple[Hit, ...] = ()


def search(snapshot: Snapshot, scope: Scope, query: str, vector: Vectors, k: int) -> list[Hit]:
    """The best k paragraphs of the scope, best first. See `View.search`."""
    shares = scope.terms.shares(query)
    if scope.size <= EXHAUSTIVE and SELECTIVITY * scope.size <= snapshot.size:
        cosines, floor = _all(scope, vector, snapshot), -1.0
    else:
        count = min(MAX_CANDIDATES, SENTENCE_CANDIDATES * max(1, snapshot.size // CANDIDATES_STEP))
        cosines, floor = _nearest(scope, vector, count, snapshot)
    by_terms = [p for p in _highest(shares, TERM_CANDIDATES) if p not in cosines]
    # A paragraph that the nearest sentences do not name has no sentence nearer than the last of
    # them, so `floor` bounds its cosine: most need not be read at all.
    known = sorted(score for score, *_ in _scores(scope, cosines, shares).values())
    bar = known[-k] if len(known) >= k else -np.inf
    unknown = [p for p in by_terms if floor + TERM_WEIGHT * float(shares[p]) >= bar]
    ids = scope.ids(unknown)
    vectors = snapshot.vectors(list(ids.values()))
    cosines |= {p: float((vectors[ids[p]] @ vector).max()) for p in unknown}
    scores = _scores(scope, cosines, shares)
    best = sorted(scores, key=lambda p: (-scores[p][0], p))[:k]
    ids = scope.ids(best)
    texts, vectors = snapshot.texts_of(list(ids.values())), snapshot.vectors(list(ids.values()))
    return [
        Hit(
            paragraph=paragraph,
            score=scores[p][0],
            sentence_scores=tuple(float(cosine) for cosine in vectors[identity] @ vector),
            terms=round(scores[p][2], 6),
            lead_score=scores[p][3],
        )
        for (p, identity), paragraph in zip(ids.items(), scope.paragraphs(ids, texts), strict=True)
    ]


def _scores(
    scope: Scope, cosines: Mapping[int, float], shares: Vectors
) -> dict[int, tuple[float, float, float, float]]:
    """For each paragraph its score, cosine and share, and the cosine of what leads into it. One
    that only leads into another is found as a part of that."""
    found: dict[int, tuple[float, float, float, float]] = {}
    for p, cosine in cosines.items():
        unit, share = scope.unit(p), float(shares[p])
        lead = cosine if unit != p else -1.0
        one = cosine + TERM_WEIGHT * share, cosine, share
        other = found.get(unit)
        found[unit] = (*max(one, other[:3]), max(lead, other[3])) if other else (*one, lead)
    return found


def blend(hits: Sequence[Hit], context_hits: Sequence[Hit]) -> list[Hit]:
    """Order what was found for a query in a conversation by the mean of its score and of that in
    the context of the conversation: whether a question stands on its own is a guess.

    The scores stay on the scale of the query's own, for how well it is answered is told from them:
    each falls short of the best by the mean of what it lacks to the best of both.

    Args:
        hits: found for the query, best first.
        context_hits: found for it in its context, best first; what is not there scores as its last.
    """
    if not hits or not context_hits:
        return list(hits)
    in_context = {hit.paragraph.id: hit for hit in context_hits}
    best = (hits[0].score - context_hits[0].score) / 2
    both = []
    for hit in hits:
        other = in_context.get(hit.paragraph.id, context_hits[-1])
        both.append(replace(hit, score=best + (hit.score + other.score) / 2))
    return sorted(both, key=lambda hit: -hit.score)


def _highest(shares: Vectors, count: int) -> list[int]:
    """Positions of the highest shares above zero, highest first; of equal ones the first."""
    among = np.flatnonzero(shares > 0)
    if len(among) > count:
        values = shares[among]
        among = among[values >= np.partition(values, -count)[-count]]
    positions: list[int] = among[np.argsort(-shares[among], kind="stable")][:count].tolist()
    return positions


def _all(scope: Scope, vector: Vectors, snapshot: Snapshot) -> dict[int, float]:
    """All paragraphs of the scope with their cosines."""
    ids = scope.all_ids
    if not ids:
        return {}
    vectors = snapshot.vectors(ids)
    blocks = [vectors[identity] for identity in ids]
    starts = sums([len(block) for block in blocks])[:-1]
    best = np.maximum.reduceat(np.concatenate(blocks) @ vector, starts)
    return dict(enumerate(best.tolist()))


def _nearest(
    scope: Scope, vector: Vectors, count: int, snapshot: Snapshot
) -> tuple[dict[int, float], float]:
    """The paragraphs of the scope's nearest sentences with their cosines, and a bound on the
    cosine of every other paragraph of the scope. So many sentences are asked for at first, and
    more where few of them are of the scope."""
    while True:
        found = snapshot.nearest(vector, count)
        cosines: dict[int, float] = {}
        inside = 0
        positions = scope.positions([row for row, _, _ in found])
        for position, (_, _, cosine) in zip(positions, found, strict=True):
            # One outside is of another document, or of one that is being added or was deleted.
            if position is not None:
                inside += 1
                cosines.setdefault(position, cosine)
        if len(found) < count:
            return cosines, 1.0  # the approximate search may have missed any
        if inside >= SENTENCE_CANDIDATES // 2:
            return cosines, found[-1][2]
        count *= 4

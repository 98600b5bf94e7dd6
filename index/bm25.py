"""The lexical leg: how much of the question's term weight a paragraph holds.

    share(q, p) = BM25(q, p) / sum over the terms t of q of idf(t)

BM25 as in Lucene (k1 = 1.2, b = 0.75, idf = ln(1 + (N - df + 0.5) / (df + 0.5)), no k1 + 1 factor),
so that the divisor is what BM25 approaches at most and the share lies in 0..1 whatever the
collection: a normalisation by the theoretical bound (Bruch et al., "An Analysis of Fusion Functions
for Hybrid Retrieval", arXiv 2210.11934).

N, df and the average length are those of the texts that are asked, as if no others were indexed,
and are counted when they are asked: a choice of documents costs no index of its own. That is why
this is not a library's. bm25s, which has the same formula and which the tests compare with, weighs
when it indexes, and so begins anew with each change and each choice; engines that can be updated
(Lucene, Tantivy) round lengths to a byte and count deleted texts until a merge, so that scores, and
with them what is refused, would differ from one machine to the next.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from index.models import ENGLISH
from index.terms.analysis import terms_of
from index.terms.segment import Segment, build, sums

K1 = 1.2
B = 0.75

#: A choice of fewer than this share of the rows of its segments keeps no list of all of them.
DENSE = 1 / 16
#: Terms whose frequency is kept, for they are asked for again.
CACHED = 10_000

Positions = NDArray[np.int64] | slice


class BM25Index:
    """Texts in a fixed order, answering by position.

    Args:
        segments: the inverted indexes that the texts are in.
        rows: where: of each text its row, counted through all segments, int64 [texts]; no row
            twice.
        languages: the positions of the texts of each language; together all.
    """

    def __init__(
        self,
        segments: Sequence[Segment],
        rows: NDArray[np.int64],
        languages: Mapping[str, Positions],
    ) -> None:
        self.size = len(rows)
        self._segments, self._rows = segments, rows
        self._languages = {language: (at, rows[at]) for language, at in languages.items()}
        #: Where the rows of each segment begin, and the end of the last.
        self._bases = sums([len(segment) for segment in segments]).tolist()
        # Summed as whole numbers, so that it does not matter in what order.
        terms = sum(
            int(segment.lengths[rows[(rows >= base) & (rows < end)] - base].sum())
            for segment, (base, end) in zip(segments, pairwise(self._bases), strict=True)
        )
        average = terms / max(1, self.size)
        #: What the formula adds to a term's frequency for each term of the text.
        self._per_term = np.float32(K1 * B / average if average else 0)
        self._weights: dict[str, float] = {}
        self._kept_mask: NDArray[np.bool_] | None = None

    @classmethod
    def build(cls, texts: Sequence[str], languages: Sequence[str] | None = None) -> BM25Index:
        """Index the texts; their positions are what `shares` answers with.

        Args:
            texts: the texts.
            languages: of each; English when left out.
        """
        of_each = languages or [ENGLISH] * len(texts)
        key, count = np.zeros(1, dtype=np.uint64), np.array([len(texts)], dtype=np.int32)
        segment = build(key, count, texts, of_each)
        positions: dict[str, Positions] = {
            language: np.flatnonzero(np.array(of_each) == language) for language in set(of_each)
        }
        return cls([segment], np.arange(len(texts)), positions)

    def shares(self, query: str) -> NDArray[np.float32]:
        """The share of each text, shape (size,). A query without terms gives zeros."""
        found = np.zeros(self.size, dtype=np.float32)
        asked = self._mask()
        for language, (positions, at_rows) in self._languages.items():
            scores = np.zeros(self._bases[-1], dtype=np.float32)
            total = 0.0
            # Term by term in the order of the query: sums are then the same to the bit however the
            # segments came about.
            for term in dict.fromkeys(terms_of(query, language)):
                rows, frequencies, lengths = self._postings(term, asked)
                weight = self._weight(term, len(rows))
                total += weight
                norms = lengths.astype(np.float32)
                norms *= self._per_term
                norms += np.float32(K1 * (1 - B))
                saturated = frequencies.astype(np.float32)
                saturated /= saturated + norms
                saturated *= np.float32(weight)
                np.add.at(scores, rows, saturated)  # twice as fast as `+=`
            if total:
                scores /= np.float32(total)
                found[positions] = scores[at_rows]
        return found

    def weight(self, term: str) -> float:
        """idf of a term; one that no text holds weighs the most."""
        if term in self._weights:
            return self._weights[term]
        return self._weight(term, len(self._postings(term, self._mask())[0]))

    def _weight(self, term: str, frequency: int) -> float:
        weight = float(np.log(1 + (self.size - frequency + 0.5) / (frequency + 0.5)))
        if len(self._weights) >= CACHED:
            self._weights = {}
        self._weights[term] = weight
        return weight

    def _mask(self) -> NDArray[np.bool_]:
        """Which rows of all segments are those of the texts."""
        if self._kept_mask is not None:
            return self._kept_mask
        # Zeros take no memory until they are written or read.
        asked = np.zeros(self._bases[-1], dtype=bool)
        asked[self._rows] = True
        if self.size >= DENSE * len(asked):
            self._kept_mask = asked
        return asked

    def _postings(
        self, term: str, asked: NDArray[np.bool_]
    ) -> tuple[NDArray[np.int64], NDArray[Any], NDArray[np.int32]]:
        """The rows of the texts that have a term, how often each has it, and how many terms."""
        found = []
        for base, segment in zip(self._bases, self._segments, strict=False):
            having, frequencies = segment.postings(term)
            rows = having.astype(np.int64)  # numpy looks up by these twice as fast
            if self.size < len(asked):
                inside = asked[base:][rows]
                rows, frequencies = rows[inside], frequencies[inside]
            found.append((rows + base, frequencies, segment.lengths[rows]))
        rows, frequencies, lengths = map(np.concatenate, zip(*found, strict=True))
        return rows, frequencies, lengths

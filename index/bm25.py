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
from typing import Any

import numpy as np
from numpy.typing import NDArray

from index.models import ENGLISH
from index.terms.analysis import terms_of, tokens_of
from index.terms.segment import Segment, build

K1 = 1.2
B = 0.75

#: A choice of fewer than this share of the rows of its segments keeps no table of all of them.
DENSE = 1 / 16
#: Terms whose frequency is kept, for they are asked for again.
KEPT = 10_000

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
        self._languages = dict(languages)
        #: How many terms each text has. What has a place for each text has one more before them,
        #: for the rows of the segments that are not asked.
        lengths = np.zeros(self.size + 1, dtype=np.int32)
        self._parts: list[_Part] = []
        base = 0
        for segment in segments:
            at = np.flatnonzero((rows >= base) & (rows < base + len(segment)))
            if len(at):
                own = rows[at] - base
                lengths[at + 1] = segment.lengths[own]
                self._parts.append(_Part(segment, own, at + 1))
            base += len(segment)
        # Summed as whole numbers, so that it does not matter in what order.
        average = int(lengths.sum(dtype=np.int64)) / max(1, self.size)
        #: What the formula adds to a term's frequency.
        self._norms = lengths.astype(np.float32)
        self._norms *= np.float32(K1 * B / average if average else 0)
        self._norms += np.float32(K1 * (1 - B))
        self._weights: dict[str, float] = {}

    @classmethod
    def build(cls, texts: Sequence[str], languages: Sequence[str] | None = None) -> BM25Index:
        """Index the texts; their positions are what `shares` answers with.

        Args:
            texts: the texts.
            languages: of each; English when left out.
        """
        of_each = np.array([ENGLISH] * len(texts) if languages is None else languages)
        rows = np.empty(len(texts), dtype=np.int64)
        segments: list[Segment] = []
        positions: dict[str, Positions] = {}
        base = 0
        for language in dict.fromkeys(of_each.tolist()):
            own = np.flatnonzero(of_each == language)
            tokens = tokens_of([texts[n] for n in own.tolist()], language)
            one_run = np.array([[len(segments), 0]], dtype=np.uint64)
            segments.append(build(one_run, np.array([len(own)], dtype=np.int32), tokens))
            rows[own] = base + np.arange(len(own))
            base += len(own)
            positions[language] = own
        return cls(segments, rows, positions)

    def shares(self, query: str) -> NDArray[np.float32]:
        """The share of each text, shape (size,). A query without terms gives zeros."""
        tables = [part.table() for part in self._parts]
        found = np.zeros(self.size + 1, dtype=np.float32)
        for language, own in self._languages.items():
            scores = found if len(self._languages) == 1 else np.zeros_like(found)
            total = 0.0
            # Term by term in the order of the query: sums are then the same to the bit however the
            # segments came about.
            for term in dict.fromkeys(terms_of(query, language)):
                postings = [p.postings(term, t) for p, t in zip(self._parts, tables, strict=True)]
                weight = self._weight(term, sum(len(places) for places, _ in postings))
                total += weight
                for places, frequencies in postings:
                    saturated = frequencies.astype(np.float32)
                    saturated /= saturated + np.take(self._norms, places)
                    saturated *= np.float32(weight)
                    np.add.at(scores, places, saturated)  # twice as fast as `+=`
            if total:
                scores /= np.float32(total)
            if scores is not found:
                found[1:][own] = scores[1:][own]
        return found[1:]

    def weight(self, term: str) -> float:
        """idf of a term; one that no text holds weighs the most."""
        known = self._weights.get(term)
        return (
            self._weight(term, sum(p.count(term) for p in self._parts)) if known is None else known
        )

    def _weight(self, term: str, frequency: int) -> float:
        weight = float(np.log(1 + (self.size - frequency + 0.5) / (frequency + 0.5)))
        if len(self._weights) >= KEPT:
            self._weights = {}
        self._weights[term] = weight
        return weight


class _Part:
    """The texts that are in one segment.

    Args:
        segment: the segment.
        rows: those of the texts, int64 [texts].
        places: where each is in the order of all texts, from 1, int64 [texts].
    """

    def __init__(
        self, segment: Segment, rows: NDArray[np.int64], places: NDArray[np.int64]
    ) -> None:
        self._segment = segment
        self._is_whole = len(rows) == len(segment)
        self._rows, self._places = rows.astype(np.int32), places.astype(np.int32)
        self._table: NDArray[np.int64] | None = None
        if len(rows) >= DENSE * len(segment):
            self._table = self.table()
            self._rows = self._places = self._rows[:0]

    def table(self) -> NDArray[np.int64]:
        """The place of each row of the segment, 0 of those that are not asked; int64 [rows]."""
        if self._table is not None:
            return self._table
        # Zeros take no memory until they are written or read.
        table = np.zeros(len(self._segment), dtype=np.int64)
        table[self._rows] = self._places
        return table

    def postings(
        self, term: str, table: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[Any]]:
        """The places of the texts that have a term, and how often each has it."""
        rows, frequencies = self._segment.postings(term)
        places = np.take(table, rows)
        if self._is_whole:
            return places, frequencies
        inside = places > 0
        return places[inside], frequencies[inside]

    def count(self, term: str) -> int:
        """How many of the texts have a term."""
        rows, _ = self._segment.postings(term)
        return len(rows) if self._is_whole else int(np.count_nonzero(np.take(self.table(), rows)))

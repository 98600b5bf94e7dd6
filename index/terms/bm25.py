"""The lexical leg: how much of the question's term weight a paragraph holds; and the inverted index
that it is counted in.

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

A *segment* is an inverted index of some documents that never changes. Its *rows* are paragraphs,
those of a document one after the other. A document is known by a key that says what its terms
depend on, and is taken over into another segment or left out as a whole. Nothing in a segment
depends on what else is indexed, so it serves whoever wants some of its rows. Merging gives what
indexing the same documents at once would give, to the bit.

Paragraphs, documents and terms are known by *keys*, hashes of 64 bits: there may be millions, for
which a Python object each would be too much. Of ten million two are the same by chance in one of
370,000 indexes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from index.models import ENGLISH
from index.terms.analysis import KEY_DIGITS, Numbers, key_of, term_keys, terms_of

K1 = 1.2
B = 0.75

#: A choice of fewer than this share of the rows of its segments keeps no list of all of them.
MIN_DENSE_SHARE = 1 / 16
#: Terms whose frequency is kept, for they are asked for again.
MAX_CACHED_WEIGHTS = 10_000

Positions = NDArray[np.int64] | slice

NO_KEYS: Numbers = np.empty(0, dtype=np.uint64)


def keys_of_ids(ids: Iterable[str]) -> Numbers:
    """The keys of what is named by a hash already: its first digits."""
    digits = "".join(identity[:KEY_DIGITS] for identity in ids)
    return np.frombuffer(bytes.fromhex(digits), ">u8").astype(np.uint64)


class Keys:
    """Keys in an order, to be found by what they are.

    Attributes:
        firsts: where each different key stands first, in the order of the keys, int64 [different].
    """

    def __init__(self, keys: Numbers) -> None:
        self._different, self.firsts = np.unique(keys, return_index=True)

    def find(self, wanted: Numbers) -> NDArray[np.int64]:
        """Where each of these keys stands first, -1 where it does not, int64 [wanted]."""
        if not len(self._different):
            return np.full(len(wanted), -1, dtype=np.int64)
        at = np.searchsorted(self._different, wanted).clip(max=len(self._different) - 1)
        return np.where(self._different[at] == wanted, self.firsts[at], -1)


@dataclass(frozen=True, eq=False)
class Segment:
    """The arrays, and where they are kept.

    Attributes:
        documents: their keys, in the order of the rows, uint64 [documents].
        terms: the keys of the terms, ascending, uint64 [terms].
        offsets: where the postings of each term begin, and the end of the last, int64 [terms + 1].
        counts: how many rows each document has, int32 [documents].
        lengths: how many terms each row has, repeats counted, int32 [rows].
        rows: of each posting, the row that has the term, ascending within a term, int32 [postings].
        frequencies: of each posting, how often; of the smallest type that holds all.
        name: of the file that it is kept in; "" where it is not.
    """

    documents: Numbers
    terms: Numbers
    offsets: NDArray[np.int64]
    counts: NDArray[np.int32]
    lengths: NDArray[np.int32]
    rows: NDArray[np.int32]
    frequencies: NDArray[Any]
    name: str = ""

    def __len__(self) -> int:
        """How many rows it has."""
        return len(self.lengths)

    def postings(self, term: str) -> tuple[NDArray[np.int32], NDArray[Any]]:
        """The rows that have a term, ascending, and how often each has it."""
        key = np.uint64(key_of(term))
        at = int(np.searchsorted(self.terms, key))
        postings = slice(0, 0)
        if at < len(self.terms) and self.terms[at] == key:
            postings = slice(*self.offsets[at : at + 2].tolist())
        return self.rows[postings], self.frequencies[postings]


def build(
    documents: Numbers,
    counts: NDArray[np.int32],
    texts: Sequence[str],
    languages: Sequence[str],
) -> Segment:
    """A segment of documents.

    Args:
        documents: their keys.
        counts: how many texts each has.
        texts: all of them, those of a document one after the other.
        languages: of each text.
    """
    from scipy import sparse

    keys = term_keys(texts, languages)
    lengths = np.fromiter(map(len, keys), np.int32, len(keys))
    terms, columns = np.unique(np.concatenate([documents[:0], *keys]), return_inverse=True)
    ones = np.ones(len(columns), dtype=np.int32)
    frequencies = sparse.csr_array((ones, columns, sums(lengths)), (len(texts), len(terms)))
    return _inverted(documents, counts, lengths, terms, frequencies)


def merge(parts: Sequence[tuple[Segment, NDArray[np.bool_]]]) -> Segment:
    """One segment of what is to stay of some.

    Args:
        parts: segments, and which of the documents of each are to stay, bool [documents].
    """
    from scipy import sparse

    terms = np.unique(np.concatenate([segment.terms for segment, _ in parts]))
    lengths, frequencies = [], []
    for segment, stay in parts:
        kept = np.repeat(stay, segment.counts)
        lengths.append(segment.lengths[kept])
        shape = (len(segment), len(segment.terms))
        inverted = (segment.frequencies, segment.rows, segment.offsets)
        matrix = sparse.csc_array(inverted, shape).tocsr()[kept]
        columns = np.searchsorted(terms, segment.terms).astype(np.int32)[matrix.indices]
        shape = (matrix.shape[0], len(terms))
        frequencies.append(sparse.csr_array((matrix.data, columns, matrix.indptr), shape))
    return _inverted(
        np.concatenate([segment.documents[stay] for segment, stay in parts]),
        np.concatenate([segment.counts[stay] for segment, stay in parts]),
        np.concatenate(lengths),
        terms,
        sparse.vstack(frequencies, format="csr"),
    )


def sums(counts: ArrayLike) -> NDArray[np.int64]:
    """The sums of the first 0, 1, 2, … of them, int64 [counts + 1]."""
    return np.append(0, np.cumsum(counts, dtype=np.int64))


def _inverted(
    documents: Numbers,
    counts: NDArray[np.int32],
    lengths: NDArray[np.int32],
    terms: Numbers,
    frequencies: Any,
) -> Segment:
    """The segment of a matrix (csr_array) of rows and terms; terms that no row has are left out."""
    by_term = frequencies.tocsc()
    by_term.sum_duplicates()
    per_term = np.diff(by_term.indptr)
    smallest = np.min_scalar_type(int(by_term.data.max(initial=0)))
    return Segment(
        documents,
        terms[per_term > 0],
        sums(per_term[per_term > 0]),
        counts,
        lengths,
        by_term.indices.astype(np.int32, copy=False),
        by_term.data.astype(smallest, copy=False),
    )


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
        if len(self._weights) >= MAX_CACHED_WEIGHTS:
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
        if self.size >= MIN_DENSE_SHARE * len(asked):
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

"""A segment: an inverted index of some documents that never changes.

Its *rows* are paragraphs, those of a document one after the other. A document is known by a key
that says what its terms depend on, and is taken over into another segment or left out as a whole.
Nothing in a segment depends on what else is indexed, so it serves whoever wants some of its rows;
what BM25 weighs them by is counted when it is asked. Merging gives what indexing the same documents
at once would give, to the bit.

Paragraphs, documents and terms are known by *keys*, hashes of 64 bits: there may be millions, for
which a Python object each would be too much. Of ten million two are the same by chance in one of
370,000 indexes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from index.terms.analysis import KEY_DIGITS, Numbers, key_of, term_keys

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

"""A segment: an inverted index of some texts that never changes.

Its *rows* are texts. They come in *runs*, which are known by a key that says what their terms
depend on, and which are taken over into another segment or left out as a whole. Nothing in it
depends on what else is indexed, so a segment serves whoever wants some of its rows; what BM25
weighs them by is counted when it is asked. Merging gives what indexing the same runs at once would
give, to the bit.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from index.terms.analysis import Tokens
from index.terms.keys import Halves, Keys

#: Of what a segment is made of; another is not read.
FORMAT = "1"

#: Postings that are copied at a time when segments are merged: what bounds its memory.
CHUNK = 1 << 21

#: The arrays that a segment is, and the types that they may have.
ARRAYS = {
    "runs": "u8",
    "counts": "i4",
    "lengths": "i4",
    "spelled": "u1",
    "spellings": "i8",
    "prefixes": "u8",
    "offsets": "i8",
    "rows": "i4",
    "frequencies": "u1 u2 u4",
}


class Segment:
    """The arrays, which may be mapped from files.

    Attributes:
        runs: their keys, in the order of the rows, uint64 [runs, 2].
        counts: how many rows each has, int32 [runs].
        lengths: how many terms each row has, repeats counted, int32 [rows].
        spelled: all terms in UTF-8, in the order of their bytes, one after the other.
        spellings: where each begins, and the end of the last, int64 [terms + 1].
        prefixes: the first eight bytes of each, as a number, uint64 [terms].
        offsets: where the postings of each begin, and the end of the last, int64 [terms + 1].
        rows: of each posting, the row that has the term, ascending within a term, int32 [postings].
        frequencies: of each, how often; of the smallest type that holds all.

    Raises:
        ValueError: the arrays do not belong together.
    """

    def __init__(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        for name, types in ARRAYS.items():
            if arrays[name].dtype.str.lstrip("|<") not in types.split():
                raise ValueError(f"{name} of a segment is of type {arrays[name].dtype}")
        self.arrays = dict(arrays)
        self.runs: Halves = arrays["runs"]
        self.counts: NDArray[np.int32] = arrays["counts"]
        self.lengths: NDArray[np.int32] = arrays["lengths"]
        self._spelled: NDArray[np.uint8] = arrays["spelled"]
        self._spellings: NDArray[np.int64] = arrays["spellings"]
        self._prefixes: NDArray[np.uint64] = arrays["prefixes"]
        self._offsets: NDArray[np.int64] = arrays["offsets"]
        self._rows: NDArray[np.int32] = arrays["rows"]
        self._frequencies: NDArray[Any] = arrays["frequencies"]
        self.starts: NDArray[np.int64] = sums(self.counts)[:-1]
        terms = len(self._prefixes)
        if (
            self.runs.shape != (len(self.counts), 2)
            or int(self.counts.sum()) != len(self.lengths)
            or len(self._spellings) != terms + 1
            or len(self._offsets) != terms + 1
            or self._spellings[-1] != len(self._spelled)
            or not self._offsets[-1] == len(self._rows) == len(self._frequencies)
        ):
            raise ValueError("the arrays of a segment do not belong together")

    def __len__(self) -> int:
        """How many rows it has."""
        return len(self.lengths)

    @cached_property
    def name(self) -> str:
        """Of what it is of: the same runs in the same order have the same."""
        return name_of(self.runs)

    @cached_property
    def keys(self) -> Keys:
        """The runs' keys, to be found."""
        return Keys(self.runs)

    def postings(self, term: str) -> tuple[NDArray[np.int32], NDArray[Any]]:
        """The rows that have a term, ascending, and how often each has it."""
        at = self._find(_spelling(term))
        own = slice(0, 0) if at is None else slice(*self._offsets[at : at + 2].tolist())
        return self._rows[own], self._frequencies[own]

    def vocabulary(self) -> list[bytes]:
        """Its terms in UTF-8, in the order of their bytes."""
        spelled = self._spelled.tobytes()
        return [spelled[a:b] for a, b in pairwise(self._spellings.tolist())]

    def _find(self, term: bytes) -> int | None:
        prefix = np.uint64(_prefix(term))
        first, end = (
            int(np.searchsorted(self._prefixes, prefix, side)) for side in ("left", "right")
        )
        at = bisect_left(range(end), term, lo=first, key=self._spelling)
        return at if at < end and self._spelling(at) == term else None

    def _spelling(self, number: int) -> bytes:
        start, end = self._spellings[number : number + 2].tolist()
        return self._spelled[start:end].tobytes()


def build(runs: Halves, counts: NDArray[np.int32], tokens: Tokens) -> Segment:
    """A segment of texts.

    Args:
        runs: keys of the runs that the texts come in.
        counts: how many texts each has.
        tokens: the terms of the texts.
    """
    from scipy import sparse

    spelled = [_spelling(term) for term in tokens.vocabulary]
    order = sorted(range(len(spelled)), key=spelled.__getitem__)
    rank = np.empty(len(order), dtype=np.int32)
    rank[order] = np.arange(len(order), dtype=np.int32)
    # Counted by turning a matrix of rows and terms into one of terms and rows, which sorts nothing.
    ones = np.ones(len(tokens.terms), dtype=np.int32)
    shape = (len(tokens.lengths), max(1, len(order)))
    counted = sparse.csr_array((ones, rank[tokens.terms], sums(tokens.lengths)), shape).tocsc()
    counted.sum_duplicates()
    used = np.diff(counted.indptr) > 0
    return _segment(
        runs,
        counts,
        tokens.lengths,
        [spelled[n] for n, is_used in zip(order, used.tolist(), strict=False) if is_used],
        np.diff(counted.indptr)[used],
        counted.indices.astype(np.int32, copy=False),
        counted.data,
    )


def merge(parts: Sequence[tuple[Segment, NDArray[np.bool_]]]) -> Segment:
    """One segment of what is to stay of some.

    Args:
        parts: segments, and which of the runs of each are to stay, bool [runs].
    """
    words = [segment.vocabulary() for segment, _ in parts]
    spelled = sorted(set().union(*words))
    number = {word: n for n, word in enumerate(spelled)}
    own_terms = [np.fromiter(map(number.__getitem__, own), np.int64, len(own)) for own in words]
    new_rows, base = [], 0
    for segment, stay in parts:
        kept = np.repeat(stay, segment.counts)
        new = np.where(kept, np.cumsum(kept, dtype=np.int32) + np.int32(base - 1), np.int32(-1))
        new_rows.append(new)
        base += int(np.count_nonzero(kept))

    frequencies = np.zeros(len(spelled), dtype=np.int64)
    for (segment, _), terms, new in zip(parts, own_terms, new_rows, strict=True):
        for first, end, rows, _ in _chunks(segment):
            frequencies[terms[first:end]] += _per_term(segment, first, end, new[rows] >= 0)
    total = int(frequencies.sum())
    rows_out = np.empty(total, dtype=np.int32)
    widest = max((segment.arrays["frequencies"].dtype for segment, _ in parts), key=_size)
    frequencies_out = np.empty(total, dtype=widest)
    free = sums(frequencies)[:-1]  # where the next posting of each term goes
    for (segment, _), terms, new in zip(parts, own_terms, new_rows, strict=True):
        for first, end, rows, often in _chunks(segment):
            moved = new[rows]
            kept = moved >= 0
            per_term = _per_term(segment, first, end, kept)
            moved, often = moved[kept], often[kept]
            to = np.repeat(free[terms[first:end]] - sums(per_term)[:-1], per_term)
            to += np.arange(len(moved))
            rows_out[to], frequencies_out[to] = moved, often
            free[terms[first:end]] += per_term
    used = frequencies > 0
    return _segment(
        np.concatenate([segment.runs[stay] for segment, stay in parts]),
        np.concatenate([segment.counts[stay] for segment, stay in parts]),
        np.concatenate(
            [segment.lengths[new >= 0] for (segment, _), new in zip(parts, new_rows, strict=True)]
        ),
        [word for word, is_used in zip(spelled, used.tolist(), strict=True) if is_used],
        frequencies[used],
        rows_out,
        frequencies_out,
    )


def name_of(runs: Halves) -> str:
    """The name of a segment of these runs."""
    digest = hashlib.sha256(FORMAT.encode())
    digest.update(np.ascontiguousarray(runs).tobytes())
    return digest.hexdigest()[:32]


def sums(counts: NDArray[Any]) -> NDArray[np.int64]:
    """The sums of the first 0, 1, 2, … of them, int64 [counts + 1]."""
    found = np.zeros(len(counts) + 1, dtype=np.int64)
    np.cumsum(counts, out=found[1:])
    return found


def _segment(
    runs: Halves,
    counts: NDArray[np.int32],
    lengths: NDArray[np.int32],
    spelled: Sequence[bytes],
    per_term: NDArray[Any],
    rows: NDArray[np.int32],
    frequencies: NDArray[Any],
) -> Segment:
    smallest = np.min_scalar_type(int(frequencies.max(initial=0)))
    return Segment(
        {
            "runs": runs,
            "counts": counts,
            "lengths": lengths,
            "spelled": np.frombuffer(b"".join(spelled), np.uint8),
            "spellings": sums(np.fromiter(map(len, spelled), np.int64, len(spelled))),
            "prefixes": np.fromiter(map(_prefix, spelled), np.uint64, len(spelled)),
            "offsets": sums(per_term),
            "rows": rows,
            "frequencies": frequencies.astype(smallest, copy=False),
        }
    )


def _chunks(segment: Segment) -> Iterator[tuple[int, int, NDArray[np.int32], NDArray[Any]]]:
    """The postings of some terms at a time: first and end of the terms, rows, frequencies."""
    offsets, terms = segment.arrays["offsets"], len(segment.arrays["prefixes"])
    first = 0
    while first < terms:
        limit = offsets[first] + CHUNK
        end = max(first + 1, int(np.searchsorted(offsets, limit, "right")) - 1)
        own = slice(int(offsets[first]), int(offsets[end]))
        yield first, end, segment.arrays["rows"][own], segment.arrays["frequencies"][own]
        first = end


def _per_term(segment: Segment, first: int, end: int, kept: NDArray[np.bool_]) -> NDArray[np.int64]:
    """How many postings of each term are kept."""
    offsets = segment.arrays["offsets"][first : end + 1]
    found: NDArray[np.int64] = np.diff(sums(kept)[offsets - offsets[0]])
    return found


def _spelling(term: str) -> bytes:
    return term.encode("utf-8", "surrogatepass")


def _prefix(term: bytes) -> int:
    return int.from_bytes(term[:8].ljust(8, b"\0"), "big")


def _size(dtype: np.dtype[Any]) -> int:
    return dtype.itemsize

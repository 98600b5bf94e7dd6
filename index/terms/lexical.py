"""The lexical index: which segments hold the documents that are in use, as these change.

What is new is derived into a segment of its own. Each segment has at least as many rows in use as
all later ones together; where one has not, these are merged with it. So their number is
logarithmic, and a row is copied only into segments that are twice as large as the one that it was
in. Rows that nothing uses any more are left out when their segment is merged, or when they are half
of it.

Segments never change: who has some reads on, whatever is merged meanwhile.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from itertools import chain
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from index.terms.cache import SegmentCache
from index.terms.hashes import Keys, Numbers
from index.terms.segment import Segment, build, merge, sums

#: Rows that are derived at a time: what a killed process can have derived in vain.
BATCH = 1 << 16
#: Rows of the smallest segment that is kept on the disk; fewer are derived faster than read.
MIN_ROWS = 1000
#: Rows of the smallest segment that others may want: some seconds of reading and deriving.
MIN_SHARED_ROWS = 10_000
#: Seconds for which a segment is kept that is of no use: another process may be about to load it,
#: or another machine have a use for it (a week).
KEPT_FOR, SHARED_FOR = 60.0, 7 * 24 * 3600.0

#: The share of the rows of a kept segment that have to be of use for it to be loaded.
OF_USE = 1 / 8

#: Gives the texts of documents, by their numbers, and the language of each text.
Reader = Callable[[Sequence[int]], tuple[Sequence[str], Sequence[str]]]


class LexicalIndex:
    """The terms of an index through all its changes; may be used from many threads.

    Args:
        folder: where large segments are kept for the next process; None to keep none.
        shared: a folder of several machines, in which each finds what another has derived.

    Attributes:
        derived: rows that were derived so far, not loaded or merged.
        segments: those in use.
    """

    def __init__(self, folder: Path | None, shared: Path | None = None) -> None:
        own = [SegmentCache(folder, MIN_ROWS, KEPT_FOR)] if folder else []
        others = [SegmentCache(shared, MIN_SHARED_ROWS, SHARED_FOR)] if shared else []
        self._caches = own + others
        self._lock = threading.RLock()
        self._live: Callable[[], Numbers] = lambda: np.empty(0, dtype=np.uint64)
        self._has_looked = False
        self._is_settled = True
        self.derived = 0
        self.segments: tuple[Segment, ...] = ()
        #: The documents of all segments, one segment after the other.
        self._documents = Keys(np.empty(0, dtype=np.uint64))

    def follow(self, live: Callable[[], Numbers]) -> None:
        """Take note of what is in use from now on, by its keys; told when that is first needed."""
        with self._lock:
            self._live, self._is_settled = live, False

    def cover(
        self, keys: Numbers, counts: NDArray[np.int32], read: Reader
    ) -> tuple[tuple[Segment, ...], NDArray[np.int64]]:
        """Have documents in segments, deriving what no segment has.

        Args:
            keys: of what the terms of each document depend on, uint64 [documents].
            counts: how many texts each has, int32 [documents].
            read: gives the texts of documents, by their numbers in `keys`.

        Returns:
            The segments, and for each of the documents the first of its rows, counted through all
            segments, int64 [documents].
        """
        with self._lock:
            missing = self._missing(keys)
            if len(missing) and not (self._has_looked and counts[missing].sum() < MIN_ROWS):
                self._has_looked = True
                self._load(keys)
                missing = self._missing(keys)
            if len(missing):
                self._derive(missing, keys, counts, read)
            if not self._is_settled:
                self._settle(keys)
            rows = [np.empty(0, np.int32), *(segment.counts for segment in self.segments)]
            firsts = sums(np.concatenate(rows))[self._documents.find(keys)]
            return self.segments, firsts

    def _missing(self, keys: Numbers) -> NDArray[np.int64]:
        """The numbers of the documents that no segment has, of equal ones the first."""
        missing = np.flatnonzero(self._documents.find(keys) < 0)
        return missing[np.sort(Keys(keys[missing]).firsts)]

    def _load(self, wanted: Numbers) -> None:
        """Load what has been derived, by the last process or on another machine: segments of which
        enough is of use."""
        in_use = np.append(self._live(), wanted)
        for segment in chain.from_iterable(cache.segments() for cache in self._caches):
            is_new = np.isin(segment.documents, in_use)
            is_new &= self._documents.find(segment.documents) < 0
            if segment.counts[is_new].sum() > OF_USE * len(segment):
                self._add(segment)

    def _derive(
        self,
        missing: NDArray[np.int64],
        keys: Numbers,
        counts: NDArray[np.int32],
        read: Reader,
    ) -> None:
        """Make segments of documents."""
        batches = np.cumsum(counts[missing]) // BATCH
        for batch in np.unique(batches):
            own = missing[batches == batch]
            texts, languages = read(own.tolist())
            self._add(build(keys[own], counts[own], texts, languages))
            self.derived += len(texts)

    def _settle(self, wanted: Numbers) -> None:
        """Leave out what nothing uses, and merge, so that there are few segments."""
        # Who began before may want what is gone since.
        used = self._documents.find(np.append(self._live(), wanted))
        ends = np.cumsum([len(segment.documents) for segment in self.segments])
        stay = np.zeros(ends[-1] if len(ends) else 0, dtype=bool)
        stay[used[used >= 0]] = True
        parts = list(zip(self.segments, np.split(stay, ends), strict=False))
        first, later = len(parts), 0
        for n, (segment, own) in reversed([*enumerate(parts)]):
            rows = int(segment.counts[own].sum())
            if rows < later or 2 * rows <= len(segment):
                first = n
            later += rows
        self._put(self.segments[:first])
        if any(own.any() for _, own in parts[first:]):
            self._add(merge(parts[first:]))
        self._is_settled = True
        for cache in self._caches:
            cache.sweep({segment.name for segment in self.segments})

    def _add(self, segment: Segment) -> None:
        for cache in self._caches:
            segment = cache.save(segment)
        self._put((*self.segments, segment))

    def _put(self, segments: tuple[Segment, ...]) -> None:
        self.segments, self._is_settled = segments, False
        documents = [np.empty(0, dtype=np.uint64), *(segment.documents for segment in segments)]
        self._documents = Keys(np.concatenate(documents))

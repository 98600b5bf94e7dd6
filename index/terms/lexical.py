"""The lexical index: which segments hold the documents that are in use, as these change.

What is new is derived into a segment of its own. Each segment has at least as many rows in use as
all later ones together; where one has not, these are merged with it. So their number is
logarithmic, and a row is copied only into segments that are twice as large as the one that it was
in. Rows that nothing uses any more are left out when their segment is merged, or when they are half
of it.

Segments never change: who has some reads on, whatever is merged meanwhile.

On the disk each is a file that is named by the hash of its content. It is written beside and
renamed, so that a killed process leaves whole ones or none, and checked by that hash when read, for
a flipped bit would answer wrongly. All of it can be made again from the index.
"""

from __future__ import annotations

import hashlib
import logging
import os
import re
import shutil
import threading
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import fields, replace
from pathlib import Path
from uuid import uuid4

import numpy as np
from numpy.typing import NDArray

from index.terms.analysis import Numbers
from index.terms.bm25 import NO_KEYS, Keys, Segment, build, merge, sums

#: Rows that are derived at a time: what a killed process can have derived in vain.
BATCH = 1 << 16
#: Rows of the smallest segment that is kept on the disk; fewer are derived faster than read.
MIN_ROWS = 1000
#: Seconds for which a segment is kept that is of no use: another process may be about to load it.
KEPT_FOR = 60.0

#: The share of the rows of a kept segment that have to be of use for it to be loaded.
MIN_USED_SHARE = 1 / 8

#: Seconds after which what is half written was left by a process that was killed.
ABANDONED = 3600.0

_SUFFIX, _PART = ".terms", ".part"
#: What is ours in the folder: segments, what is half written, and what earlier versions kept.
_OURS = re.compile(rf"[0-9a-f]{{64}}{_SUFFIX}|[0-9a-f]{{32}}({_PART})?")

_logger = logging.getLogger(__name__)

#: Gives the texts of documents, by their numbers, and the language of each text.
Reader = Callable[[Sequence[int]], tuple[Sequence[str], Sequence[str]]]


class LexicalIndex:
    """The terms of an index through all its changes; may be used from many threads.

    Args:
        folder: where large segments are kept for the next process; None to keep none.

    Attributes:
        derived: rows that were derived so far, not loaded or merged.
        segments: those in use.
    """

    def __init__(self, folder: Path | None) -> None:
        self._cache = SegmentCache(folder) if folder else None
        self._lock = threading.RLock()
        self._live: Callable[[], Numbers] = lambda: NO_KEYS
        self._has_looked = False
        self._is_settled = True
        self.derived = 0
        self.segments: tuple[Segment, ...] = ()
        #: The documents of all segments, one segment after the other.
        self._documents = Keys(NO_KEYS)

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
        """Load what the last process derived: segments of which enough is of use."""
        in_use = np.append(self._live(), wanted)
        for segment in self._cache.segments() if self._cache else ():
            is_new = np.isin(segment.documents, in_use)
            is_new &= self._documents.find(segment.documents) < 0
            if segment.counts[is_new].sum() > MIN_USED_SHARE * len(segment):
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
            some = missing[batches == batch]
            texts, languages = read(some.tolist())
            self._add(build(keys[some], counts[some], texts, languages))
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
        for n, (segment, used_here) in reversed([*enumerate(parts)]):
            rows = int(segment.counts[used_here].sum())
            if rows < later or 2 * rows <= len(segment):
                first = n
            later += rows
        self._put(self.segments[:first])
        if any(used_here.any() for _, used_here in parts[first:]):
            self._add(merge(parts[first:]))
        self._is_settled = True
        if self._cache:
            self._cache.sweep({segment.name for segment in self.segments})

    def _add(self, segment: Segment) -> None:
        if self._cache:
            segment = self._cache.save(segment)
        self._put((*self.segments, segment))

    def _put(self, segments: tuple[Segment, ...]) -> None:
        self.segments, self._is_settled = segments, False
        documents = [NO_KEYS, *(segment.documents for segment in segments)]
        self._documents = Keys(np.concatenate(documents))


class SegmentCache:
    """The segments in a folder, which is made when the first one is put there. Whatever another
    process does in it at the same time, each segment is found whole or not at all.

    A folder that is missing, damaged or forbidden to write is done without; that is logged once.

    Args:
        folder: the folder.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._has_failed = False

    def segments(self) -> Iterator[Segment]:
        """Those that are there, the last used first: a larger one that they replaced may have so
        much of them that what is only in them would be derived again. A damaged one is deleted."""
        files: list[Path] = []
        with self._forgiving():
            files += self._folder.glob(f"*{_SUFFIX}")
            files.sort(key=lambda file: -file.stat().st_mtime_ns)
        for file in files:
            with self._forgiving(), file.open("rb") as stream:
                if hashlib.file_digest(stream, "sha256").hexdigest() == file.stem:
                    stream.seek(0)
                    arrays = {field.name: np.load(stream) for field in fields(Segment)[:-1]}
                    yield Segment(**arrays, name=file.stem)
                else:
                    _logger.warning("The terms in %s are damaged and are derived anew.", file)
                    file.unlink()

    def save(self, segment: Segment) -> Segment:
        """Keep a segment, if it is large enough; gives it with its name."""
        with self._forgiving():
            if len(segment) >= MIN_ROWS and not self._path(segment.name).exists():
                self._folder.mkdir(parents=True, exist_ok=True)
                part = self._folder / f"{uuid4().hex}{_PART}"
                try:
                    with part.open("w+b") as stream:
                        for field in fields(Segment)[:-1]:
                            np.save(stream, getattr(segment, field.name))
                        stream.seek(0)
                        name = hashlib.file_digest(stream, "sha256").hexdigest()
                    segment = replace(segment, name=name)
                    part.replace(self._path(name))
                finally:
                    part.unlink(missing_ok=True)
        return segment

    def sweep(self, used: Collection[str]) -> None:
        """Delete segments that have been of no use to anybody for long, and what killed processes
        left half written. Those that are `used`, by their names, are noted as used now."""
        with self._forgiving():
            for file in self._folder.iterdir() if self._folder.exists() else ():
                kept_for = ABANDONED if file.suffix == _PART else KEPT_FOR
                with self._forgiving():
                    age = time.time() - file.stat().st_mtime
                    if file.stem in used:
                        os.utime(file)
                    elif _OURS.fullmatch(file.name) and age >= kept_for:
                        shutil.rmtree(file) if file.is_dir() else file.unlink()

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}{_SUFFIX}"

    @contextmanager
    def _forgiving(self) -> Iterator[None]:
        """Do without what cannot be read or written, and say so the first time."""
        try:
            yield
        except FileNotFoundError:
            pass  # another process has had no more use for it
        except OSError as error:
            if not self._has_failed:
                self._has_failed = True
                _logger.warning(
                    "The folder of terms %s cannot be used as it is meant to be (%s). What would "
                    "be found there is derived, which takes longer; answers are the same.",
                    self._folder,
                    error,
                )

"""The lexical index: which segments hold the runs that are in use, as these change.

What is new is derived into a segment of its own. Each segment has at least as many rows as all
smaller ones together; where one has not, these are merged with it. So their number is logarithmic,
and a row is copied only into segments that are twice as large as the one that it was in. Rows that
nothing uses any more are left out when their segment is merged, or when they are half of it.

Segments never change: who has some reads on, whatever is merged meanwhile.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from index.terms.analysis import tokens_of
from index.terms.keys import Halves, Keys
from index.terms.runs import Runs
from index.terms.segment import Segment, build, merge, sums
from index.terms.shelf import Shelf

#: Rows that are derived at a time: what a killed process can have derived in vain.
BATCH = 1 << 16
#: Rows of the smallest segment that is kept on the disk; fewer are derived faster than read.
LEAST = 1000
#: Rows of the smallest segment that others may want: some seconds of reading and deriving.
LEAST_SHARED = 10_000
#: Seconds for which a segment is kept that is of no use: another process may be about to load it,
#: or another machine have a use for it (a week).
KEPT_FOR, SHARED_FOR = 60.0, 7 * 24 * 3600.0

#: Gives the language and the texts of runs, by their numbers.
Reader = Callable[[Sequence[int]], Sequence[tuple[str, Sequence[str]]]]

_logger = logging.getLogger(__name__)


class LexicalIndex:
    """The terms of an index through all its changes; may be used from many threads.

    Args:
        folder: where large segments are kept for the next process; None to keep none.
        shared: a folder of several machines, in which each finds what another has derived. It may
            be missing, damaged or forbidden to write: that is logged once, and it is done without.

    Attributes:
        derived: rows that were derived so far, not loaded or merged.
        segments: those in use.
    """

    def __init__(self, folder: Path | None, shared: Path | None = None) -> None:
        self._own = Shelf(folder) if folder else None
        self._shared = Shelf(shared) if shared else None
        self._lock = threading.RLock()
        self._told: set[Path] = set()
        self._live: Callable[[], Runs] = lambda: Runs(b"", b"", b"")
        self._settled = False
        self._looked = False
        self._published: set[str] = set()
        self.segments: tuple[Segment, ...] = ()
        self.derived = 0

    def follow(self, live: Callable[[], Runs]) -> None:
        """Take note of what is in use from now on; told when that is first needed."""
        with self._lock:
            self._live, self._settled = live, False

    def cover(self, wanted: Runs, read: Reader) -> tuple[tuple[Segment, ...], NDArray[np.int64]]:
        """Have these runs in segments, deriving what no segment has.

        Args:
            wanted: the runs.
            read: gives their texts, by their numbers in `wanted`.

        Returns:
            The segments, and for each of the runs the first of its rows, counted through all
            segments, int64 [runs].
        """
        keys, counts = wanted.halves(), wanted.sizes()
        with self._lock:
            found = _locate(self.segments, keys)
            missing = _missing(found, keys)
            if len(missing) and (not self._looked or counts[missing].sum() >= LEAST):
                self._looked = True
                self._take_over(keys, counts)
                found = _locate(self.segments, keys)
                missing = _missing(found, keys)
            if len(missing):
                self._settled = False
                self._derive(missing, keys, counts, read)
            if not self._settled:
                self._settle(wanted)
                found = _locate(self.segments, keys)
            return self.segments, found

    def _derive(
        self, missing: NDArray[np.int64], keys: Halves, counts: NDArray[np.int32], read: Reader
    ) -> None:
        """Make segments of runs, each of one language."""
        batches = np.cumsum(counts[missing]) // BATCH
        for batch in np.unique(batches):
            numbers = missing[batches == batch]
            by_language: dict[str, list[tuple[int, Sequence[str]]]] = {}
            given = read(numbers.tolist())
            for number, (language, texts) in zip(numbers.tolist(), given, strict=True):
                by_language.setdefault(language, []).append((number, texts))
            for language, own in by_language.items():
                runs = [number for number, _ in own]
                tokens = tokens_of([text for _, texts in own for text in texts], language)
                self._add(build(keys[runs], counts[runs], tokens))
                self.derived += len(tokens.lengths)

    def _settle(self, wanted: Runs) -> None:
        """Leave out what nothing uses, and merge, so that there are few segments."""
        live = self._live()
        if live.keys != wanted.keys:
            live = Runs.joined([live, wanted])  # who began before may want what is gone since
        found = _locate(self.segments, live.halves())
        stay = [np.zeros(len(segment.runs), dtype=bool) for segment in self.segments]
        bases = sums(np.array([len(segment) for segment in self.segments], dtype=np.int64))
        found = found[found >= 0]
        holders = np.searchsorted(bases, found, "right") - 1
        for n, segment in enumerate(self.segments):
            rows = found[holders == n] - bases[n]
            stay[n][np.searchsorted(segment.starts, rows, "right") - 1] = True
        parts = [
            (int(segment.counts[own].sum()), n, segment, own)
            for n, (segment, own) in enumerate(zip(self.segments, stay, strict=True))
        ]
        parts = sorted((part for part in parts if part[0]), key=lambda part: (-part[0], part[1]))
        below = sum(rows for rows, *_ in parts)
        self.segments = ()
        while parts:
            rows, _, segment, _ = parts[0]
            below -= rows
            group, parts = (parts, []) if rows < below else (parts[:1], parts[1:])
            if len(group) > 1 or 2 * rows <= len(segment):
                # In the order in which they came: texts that are near are then looked at together.
                self._add(merge([part[2:] for part in sorted(group, key=lambda part: part[1])]))
            else:
                self.segments += (segment,)
        self._settled = True
        self._publish()

    # --- on the disk -------------------------------------------------------------------------

    def _add(self, segment: Segment) -> None:
        """Put a new segment to those in use, and on the shelves."""
        if self._own and len(segment) >= LEAST:
            with self._forgiving(self._own):
                self._own.put(segment)
                segment = self._own.load(segment.name)
        self.segments += (segment,)

    def _take_over(self, keys: Halves, counts: NDArray[np.int32]) -> None:
        """Load what has been derived, by the last process or on another machine."""
        live = self._live()
        wanted, sizes = np.concatenate([live.halves(), keys]), np.append(live.sizes(), counts)
        known = {segment.name for segment in self.segments}
        offers: list[tuple[int, str, Shelf, Halves]] = []
        for shelf in (self._own, self._shared):
            if shelf:
                with self._forgiving(shelf):
                    for name in shelf.names():
                        if name not in known:
                            with self._mending(shelf, name):
                                runs, own = shelf.runs(name)
                                offers.append((-int(own.sum()), name, shelf, runs))
                                known.add(name)
        left = _missing(_locate(self.segments, wanted), wanted)
        for rows, name, shelf, runs in sorted(offers, key=lambda offer: offer[:2]):
            held = Keys(runs).find(wanted[left]) >= 0
            if 2 * int(sizes[left[held]].sum()) > -rows:
                with self._forgiving(shelf), self._mending(shelf, name):
                    self.segments += (self._load(name, shelf),)
                    left = left[~held]

    def _load(self, name: str, shelf: Shelf) -> Segment:
        """A segment, by way of the own shelf if there is one."""
        if shelf is self._shared and self._own:
            # With no room here it is mapped where it is. Damage there is raised.
            with suppress(OSError):
                self._own.fetch(name, shelf)
                return self._own.load(name)
        return shelf.load(name)

    def _publish(self) -> None:
        """Have on the shelves what is in use, and not for ever what is not."""
        names = {segment.name for segment in self.segments}
        if names == self._published:
            return
        self._published = names
        if self._own:
            with self._forgiving(self._own):
                self._own.sweep(names, KEPT_FOR)
        if self._shared:
            with self._forgiving(self._shared):
                for segment in self.segments:
                    if len(segment) >= LEAST_SHARED:
                        self._shared.put(segment)
                self._shared.sweep(names, SHARED_FOR)

    @contextmanager
    def _forgiving(self, shelf: Shelf) -> Iterator[None]:
        """Do without a shelf that cannot be read or written, and say so the first time."""
        try:
            yield
        except (OSError, ValueError) as error:
            if shelf.folder not in self._told:
                self._told.add(shelf.folder)
                _logger.warning(
                    "The folder of terms %s cannot be used as it is meant to be (%s). What would "
                    "be found there is derived, which takes longer; answers are the same.",
                    shelf.folder,
                    error,
                )

    @contextmanager
    def _mending(self, shelf: Shelf, name: str) -> Iterator[None]:
        """Throw a damaged segment away, so that it is written anew."""
        try:
            yield
        except (ValueError, FileNotFoundError, NotADirectoryError, EOFError) as error:
            place = shelf.folder / name
            if not place.exists():
                return  # another process has had no more use for it
            _logger.warning("The terms in %s are damaged and are derived anew (%s).", place, error)
            with self._forgiving(shelf):
                shelf.discard(name)


def _locate(segments: Sequence[Segment], keys: Halves) -> NDArray[np.int64]:
    """The first row of each run, counted through all segments; -1 where none has it."""
    found = np.full(len(keys), -1, dtype=np.int64)
    left = np.arange(len(keys))
    base = 0
    for segment in segments:
        at = segment.keys.find(keys[left])
        held = at >= 0
        found[left[held]] = base + segment.starts[at[held]]
        left = left[~held]
        base += len(segment)
    return found


def _missing(found: NDArray[np.int64], keys: Halves) -> NDArray[np.int64]:
    """The numbers of the runs that no segment has, each run once."""
    missing = np.flatnonzero(found < 0)
    return missing[Keys(keys[missing]).firsts()]

"""Segments on the disk, each in a folder that is named by what it is of.

Written beside and renamed, so that a killed process leaves whole ones or none, and checked by hash
when read, for a flipped bit would answer wrongly. All of it can be made again from the index.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import time
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
from numpy.typing import NDArray

from index.terms.keys import Halves
from index.terms.segment import ARRAYS, Segment, name_of

#: Seconds after which what is half written was left by a process that was killed.
ABANDONED = 3600.0

_NAME = re.compile(r"[0-9a-f]{32}")
_PART = ".part"
_DIGEST = "sha256"


class Shelf:
    """The segments in a folder, which is made when the first one is put there. Whatever another
    process does in it at the same time, each segment is found whole or not at all.

    Raises (any method):
        OSError: the folder cannot be read or written.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def names(self) -> list[str]:
        """Those that are there; whatever else is in the folder is not ours."""
        if not self.folder.exists():
            return []
        return sorted(f.name for f in self.folder.iterdir() if _NAME.fullmatch(f.name))

    def runs(self, name: str) -> tuple[Halves, NDArray[np.int32]]:
        """Of which runs a segment is, and how many rows each has; not checked.

        Raises:
            ValueError: that cannot be read.
        """
        runs, counts = (_array(self.folder / name / f"{own}.npy") for own in ("runs", "counts"))
        if runs.shape != (len(counts), 2) or name_of(runs) != name:
            raise ValueError(f"{self.folder / name} is not of what its name says")
        return runs, counts

    def load(self, name: str) -> Segment:
        """A segment, mapped from its files.

        Raises:
            ValueError: it is not as it was written.
        """
        place = self.folder / name
        if (place / _DIGEST).read_text() != _digest_of(place):
            raise ValueError(f"{place} is not as it was written")
        segment = Segment({own: _array(place / f"{own}.npy") for own in ARRAYS})
        if segment.name != name:
            raise ValueError(f"{place} is not of what its name says")
        return segment

    def put(self, segment: Segment) -> None:
        """Write a segment, unless it is there."""
        if self._touch(segment.name):
            return
        part = self._part()
        try:
            for own, array in segment.arrays.items():
                np.save(part / f"{own}.npy", array, allow_pickle=False)
            self._complete(part, segment.name)
        finally:
            shutil.rmtree(part, ignore_errors=True)

    def fetch(self, name: str, other: Shelf) -> None:
        """Copy a segment from another shelf.

        Raises:
            ValueError: it is not as it was written.
        """
        part = self._part()
        try:
            for file in (*(f"{own}.npy" for own in ARRAYS), _DIGEST):
                shutil.copyfile(other.folder / name / file, part / file)
            if (part / _DIGEST).read_text() != _digest_of(part):
                raise ValueError(f"{other.folder / name} is not as it was written")
            self._complete(part, name)
        finally:
            shutil.rmtree(part, ignore_errors=True)

    def discard(self, name: str) -> None:
        """Delete a segment, at once."""
        part = self.folder / f"{uuid4().hex}{_PART}"
        with suppress(FileNotFoundError):  # another process may do the same
            (self.folder / name).rename(part)
            if part.is_dir():
                shutil.rmtree(part)
            else:
                part.unlink()

    def sweep(self, used: Collection[str], unused_for: float) -> None:
        """Delete segments that are of no use, and what killed processes left half written.

        Args:
            used: names of those that are of use; noted as used now.
            unused_for: seconds that the others have to have been of no use to anybody.
        """
        for name in self.names():
            if name in used:
                self._touch(name)
            elif _age(self.folder / name) >= unused_for:
                self.discard(name)
        for part in self.folder.glob(f"*{_PART}"):
            if _NAME.fullmatch(part.stem) and _age(part) > ABANDONED:
                shutil.rmtree(part, ignore_errors=True)  # another process may be at it too

    def _touch(self, name: str) -> bool:
        """Note that a segment is used now; tells whether it is there."""
        try:
            os.utime(self.folder / name)
        except FileNotFoundError:
            return False
        return True

    def _part(self) -> Path:
        if self.folder.is_file():
            self.folder.unlink()
        part = self.folder / f"{uuid4().hex}{_PART}"
        part.mkdir(parents=True)
        return part

    def _complete(self, part: Path, name: str) -> None:
        if not (part / _DIGEST).exists():
            (part / _DIGEST).write_text(_digest_of(part))
        try:
            part.rename(self.folder / name)
        except OSError:
            # Another process has put it there meanwhile, which is as good.
            if not (self.folder / name).is_dir():
                raise


def _age(place: Path) -> float:
    """Seconds since something was last used or written; none where it is gone."""
    try:
        return time.time() - place.stat().st_mtime
    except FileNotFoundError:
        return 0.0


def _array(file: Path) -> NDArray[Any]:
    # What is small is read: mapping it saves nothing, and an empty array cannot be mapped.
    mapped = file.stat().st_size > 1 << 16
    return np.asarray(np.load(file, mmap_mode="r" if mapped else None, allow_pickle=False))


def _digest_of(folder: Path) -> str:
    """One hash of all files of a segment."""
    digest = hashlib.sha256()
    for own in ARRAYS:
        with (folder / f"{own}.npy").open("rb") as stream:
            digest.update(hashlib.file_digest(stream, "sha256").digest())
    return digest.hexdigest()

"""Segments on the disk, each in a file that is named by the hash of its content.

Written beside and renamed, so that a killed process leaves whole ones or none, and checked by that
hash when read, for a flipped bit would answer wrongly. All of it can be made again from the index.
"""

from __future__ import annotations

import hashlib
import logging
import os
import re
import shutil
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import fields, replace
from pathlib import Path
from uuid import uuid4

import numpy as np

from index.terms.segment import Segment

#: Seconds after which what is half written was left by a process that was killed.
ABANDONED = 3600.0

_SUFFIX, _PART = ".terms", ".part"
#: What is ours in the folder: segments, what is half written, and what earlier versions kept.
_OURS = re.compile(rf"[0-9a-f]{{64}}{_SUFFIX}|[0-9a-f]{{32}}({_PART})?")

_logger = logging.getLogger(__name__)


class SegmentCache:
    """The segments in a folder, which is made when the first one is put there. Whatever another
    process does in it at the same time, each segment is found whole or not at all.

    A folder that is missing, damaged or forbidden to write is done without; that is logged once.

    Args:
        folder: the folder.
        min_rows: rows of the smallest segment that is kept there.
        kept_for: seconds for which a segment stays that is of no use.
    """

    def __init__(self, folder: Path, min_rows: int, kept_for: float) -> None:
        self._folder, self._min_rows, self._kept_for = folder, min_rows, kept_for
        self._has_failed = False

    def segments(self) -> Iterator[Segment]:
        """Those that are there, the largest first. A damaged one is deleted."""
        files: list[Path] = []
        with self._forgiving():
            files += self._folder.glob(f"*{_SUFFIX}")
            files.sort(key=lambda file: -file.stat().st_size)
        for file in files:
            with self._forgiving(), file.open("rb") as stream:
                if hashlib.file_digest(stream, "sha256").hexdigest() == file.stem:
                    stream.seek(0)
                    arrays = {own.name: np.load(stream) for own in fields(Segment)[:-1]}
                    yield Segment(**arrays, name=file.stem)
                else:
                    _logger.warning("The terms in %s are damaged and are derived anew.", file)
                    file.unlink()

    def save(self, segment: Segment) -> Segment:
        """Keep a segment, if it is large enough; gives it with its name."""
        with self._forgiving():
            if len(segment) >= self._min_rows and not self._path(segment.name).exists():
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
                kept_for = ABANDONED if file.suffix == _PART else self._kept_for
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

"""The vectors of sentences in one file, which all processes read and one appends to."""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from index.encoder import Vectors
from index.errors import IndexCorruptedError
from index.store.chroma import Nearest, translated
from index.store.manifest import Rows

if TYPE_CHECKING:
    pass


class VectorFile:
    """Vectors in a file, by their position.

    Args:
        path: of the file, made when the first vector is written.
        dimension: of a vector.
    """

    def __init__(self, path: Path, dimension: int) -> None:
        self.path = path
        self._dimension = dimension
        self._guard = threading.Lock()
        self._mapped: Vectors = np.empty((0, dimension), np.float32)

    def write(self, rows: Rows, vectors: Sequence[Vectors], *, kept: bool = True) -> None:
        """Write the vectors of paragraphs, through to the disk; `kept`: not to erase them."""
        with translated(self.path):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(
                self.path, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o666
            )
            with os.fdopen(descriptor, "r+b") as stream:
                for position, block in zip(rows.positions.tolist(), vectors, strict=True):
                    stream.seek(position * self._dimension * 4)
                    # Of a sentence that the encoder does not see the vector is zero: as -0, it is
                    # told from one that was never written.
                    if kept:
                        block = np.where(block == 0, np.float32(-0.0), block)
                    stream.write(np.ascontiguousarray(block, dtype="<f4").tobytes())
                stream.flush()
                os.fsync(stream.fileno())

    def all(self, end: int) -> Vectors:
        """All vectors, float32 [positions, dimension], at least up to that position where the file
        has so many; mapped, not read."""
        if len(self._mapped) < end:
            with self._guard, translated(self.path), suppress(FileNotFoundError):
                length = self.path.stat().st_size // (self._dimension * 4)
                if length > len(self._mapped):
                    self._mapped = np.memmap(
                        self.path, "<f4", mode="r", shape=(length, self._dimension)
                    )
        return self._mapped

    def missing(self, rows: Rows) -> NDArray[np.bool_]:
        """Of which paragraphs the vectors are not all there: bool [paragraphs]."""
        ends = rows.positions + rows.sentences
        mapped = self.all(int(ends.max(initial=0)))
        lost: NDArray[np.bool_] = ends > len(mapped)
        inside = np.flatnonzero(~lost & (rows.sentences > 0))
        # By their bits, for what was written has none that are all zero: see `write`.
        bits = mapped.view(np.int32)
        last = rows.positions[inside] + rows.sentences[inside] - 1
        lost[inside] = ~(bits[rows.positions[inside]].any(1) & bits[last].any(1))
        return lost

    def read(self, rows: Rows) -> list[Vectors]:
        """The vectors of paragraphs.

        Raises:
            IndexCorruptedError: they are not there.
        """
        if self.missing(rows).any():
            raise IndexCorruptedError(
                f"Vectors are missing in {self.path}: the disk was full, or the file was changed. "
                "Your documents are not touched. Run: footnote index rebuild"
            )
        mapped = self.all(0)
        return [np.array(mapped[at : at + sentences]) for _, at, sentences in rows.tuples()]

    def nearest(self, vector: Vectors, count: int, rows: Rows) -> list[Nearest]:
        """The nearest sentences of these paragraphs, by looking at all of them."""
        if not len(rows):
            return []
        end = int((rows.positions + rows.sentences).max())
        starts = np.repeat(rows.positions, rows.sentences)
        firsts = np.repeat(np.cumsum(rows.sentences) - rows.sentences, rows.sentences)
        sentences = np.arange(len(starts)) - firsts
        at = starts + sentences
        mapped = self.all(end)
        if end > len(mapped):
            self.read(rows)  # it says what is wrong
        # Of nearly all of the file it is faster to look at the whole than to pick them out.
        cosines = (mapped @ vector)[at] if 2 * len(at) > len(mapped) else mapped[at] @ vector
        best = np.arange(len(at))
        if len(at) > count:
            best = np.argpartition(-cosines, count - 1)[:count]
        best = best[np.argsort(-cosines[best], kind="stable")]
        found = np.repeat(rows.rows, rows.sentences)[best], sentences[best], cosines[best]
        return list(zip(*(column.tolist() for column in found), strict=True))

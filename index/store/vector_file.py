"""What keeps the vectors of an index, and the file that does so in a folder, which is read and
searched exactly."""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from index.encoder import Vectors
from index.errors import IndexCorruptedError
from index.store.chroma import Nearest, translated
from index.store.manifest import Rows


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
                for position, own in zip(rows.positions.tolist(), vectors, strict=True):
                    stream.seek(position * self._dimension * 4)
                    # Of a sentence that the encoder does not see the vector is zero: as -0, it is
                    # told from one that was never written.
                    block = np.where(own == 0, np.float32(-0.0), own) if kept else own
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
        lost = ends > len(mapped)
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
        pairs = zip(rows.positions.tolist(), rows.sentences.tolist(), strict=True)
        return [np.array(mapped[at : at + sentences]) for at, sentences in pairs]

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
        own = np.repeat(rows.rows, rows.sentences)[best]
        return list(
            zip(own.tolist(), sentences[best].tolist(), cosines[best].tolist(), strict=True)
        )


class VectorStore(Protocol):
    """The vectors of one generation: of one encoder. May be used from many threads."""

    number: int

    def add(self, rows: Rows, vectors: Sequence[Vectors]) -> None:
        """Store the vectors of paragraphs, of each an array of shape (sentences, dimension). They
        are there, also after a power cut, when this returns."""

    def delete(self, rows: Sequence[tuple[int, int]]) -> None:
        """Delete the vectors of paragraphs: rows, and how many each has."""

    def read(self, rows: Rows) -> list[Vectors]:
        """The vectors of paragraphs.

        Raises:
            IndexCorruptedError: they are not there.
        """

    def missing(self, rows: Rows) -> Rows:
        """Those of the paragraphs whose vectors are not there."""

    def nearest(self, vector: Vectors, count: int, visible: Rows) -> list[Nearest]:
        """The `count` sentences nearest to a unit vector, best first, or all where there are fewer.
        Others than those of the visible paragraphs may be among them."""

    @property
    def may_delete(self) -> bool:
        """Whether this process can delete vectors wherever they are."""

    def fold(self, rows: Rows | None = None) -> None:
        """Make vectors as fast to find as the rest: those of these paragraphs, or of all that
        others have written, which may take long."""

    def drop(self) -> None:
        """Delete all of it, when another generation is in use."""

    def stop(self) -> None:
        """Have a `fold` that takes long end soon, for it is about to be closed."""

    def close(self) -> None:
        """Let go of it."""

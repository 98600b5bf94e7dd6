"""The vectors of paragraphs: added, deleted, read, and searched for the nearest.

They are derived: all of them can be made again from the texts in the database. Of an index on a
server they are in a Chroma collection, one vector a sentence under the id `<row>:<sentence>`.

A folder of Chroma bears one process at a time: while one writes, what another reads there is not to
be found, or worse (measured with 1.5.9). So of an index in a folder they are in two places:

- **a file** of float32, where a paragraph's vectors are at the position that its row in the
  database says (`VectorFile`). No position is used twice and none is written after its paragraph is
  ready, so any number of processes write and read it without asking each other;
- **Chroma**, which one process has open, the *owner*: whoever came first and holds a lock that ends
  with its process. It adds what others have written to the file (`fold`).

Up to MAX_EXACT sentences are searched exactly, in the file: that is as fast as Chroma, takes a
process no second to load it, and misses none, where Chroma has missed the fourth nearest of 2,000.
Of more the owner searches Chroma, and exactly what is not in it yet; who is not the owner goes on
searching in the file: 400,000 sentences in some 60 ms. So does the owner where Chroma fails, which
is then made again, of what is in the file.
"""

from __future__ import annotations

import logging
import shutil
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import filelock
import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from index.database.database import Database
from index.database.document_tables import paragraphs
from index.encoder import Vectors
from index.errors import IndexChangedError, IndexCorruptedError, IndexUnusableError
from index.store.chroma import ChromaFolder, ChromaVectors, Nearest, translated
from index.store.documents import pages_of, ready_rows, rows_where
from index.store.manifest import NO_ROWS, Rows
from index.store.vector_file import VectorFile

if TYPE_CHECKING:
    from index.store.chroma_server import Server
#: Sentences up to which no graph is needed to find the nearest: a few ms. Not tuned.
MAX_EXACT = 20_000
#: Paragraphs that are looked for in Chroma when it is opened.
PROBES = 8
#: Seconds after which it is tried again to become the owner.
RETRY_INTERVAL = 5.0

_logger = logging.getLogger(__name__)


def collection_name(number: int, fingerprint: str) -> str:
    """The Chroma collection of a generation."""
    return f"vectors-{number:04d}-{fingerprint}"


class VectorStore(ABC):
    """The vectors of one generation: of one encoder. May be used from many threads."""

    number: int

    @abstractmethod
    def add(self, rows: Rows, vectors: Sequence[Vectors]) -> None:
        """Store the vectors of paragraphs, of each an array of shape (sentences, dimension). They
        are there, also after a power cut, when this returns."""

    @abstractmethod
    def delete(self, rows: Rows) -> None:
        """Delete the vectors of paragraphs."""

    @abstractmethod
    def read(self, rows: Rows) -> list[Vectors]:
        """The vectors of paragraphs.

        Raises:
            IndexCorruptedError: they are not there.
        """

    @abstractmethod
    def missing(self, rows: Rows) -> Rows:
        """Those of the paragraphs whose vectors are not there."""

    @abstractmethod
    def nearest(self, vector: Vectors, count: int, visible: Rows) -> list[Nearest]:
        """The `count` sentences nearest to a unit vector, best first, or all where there are fewer.
        Others than those of the visible paragraphs may be among them."""

    @abstractmethod
    def drop(self) -> None:
        """Delete all of it, when another generation is in use."""

    @property
    def may_delete(self) -> bool:
        """Whether this process can delete vectors wherever they are."""
        return True

    def fold(self, rows: Rows | None = None) -> None:  # noqa: B027
        """Make vectors as fast to find as the rest: those of these paragraphs, or of all that
        others have written, which may take long."""

    def stop(self) -> None:  # noqa: B027
        """Have a `fold` that takes long end soon, for it is about to be closed."""

    def close(self) -> None:  # noqa: B027
        """Let go of it."""


class FolderVectors(VectorStore):
    """The vectors of an index in a folder; see the head of this module.

    Args:
        folder: where the file and Chroma are.
        number, fingerprint: of the generation.
        dimension: of a vector.
        database: of the index.
    """

    def __init__(
        self, folder: Path, number: int, fingerprint: str, dimension: int, database: Database
    ) -> None:
        self.number = number
        self._folder = folder
        self._name = collection_name(number, fingerprint)
        self._database = database
        self._file = VectorFile(folder / f"{self._name}.f32", dimension)
        self._lock = filelock.FileLock(folder / "owner", thread_local=False)
        self._guard = threading.RLock()  # over what follows, and over writing to Chroma
        self._chroma: tuple[ChromaFolder, ChromaVectors] | None = None
        self._closed = False
        self._next_try = 0.0
        #: The rows that are in Chroma, in order; of who owns it.
        self._folded: NDArray[np.int64] = NO_ROWS.rows
        #: What of the paragraphs that were last asked about is not in Chroma.
        self._tail: tuple[object, object, Rows] = (None, None, NO_ROWS)

    # --- what both places do -------------------------------------------------------------------

    def add(self, rows: Rows, vectors: Sequence[Vectors]) -> None:
        """See `VectorStore`; in Chroma they are once they are folded in."""
        self._file.write(rows, vectors)

    def delete(self, rows: Rows) -> None:
        """See `VectorStore`. In the file they are overwritten with zeros."""
        width = self._file.all(0).shape[1]
        zeros = [np.zeros((count, width), np.float32) for count in rows.sentences.tolist()]
        self._file.write(rows, zeros, kept=False)
        if (chroma := self._owned()) is None:
            return
        with self._guard, self._without_if_it_fails():
            folded = rows[np.isin(rows.rows, self._folded)]
            if len(folded):
                with self._writing():
                    chroma.delete(folded)
                    chroma.touch()
                self._folded = np.setdiff1d(self._folded, folded.rows)

    def read(self, rows: Rows) -> list[Vectors]:
        """See `VectorStore`."""
        return self._file.read(rows)

    def missing(self, rows: Rows) -> Rows:
        """See `VectorStore`."""
        return rows[self._file.missing(rows)]

    def nearest(self, vector: Vectors, count: int, visible: Rows) -> list[Nearest]:
        """See `VectorStore`."""
        few = int(visible.sentences.sum()) <= MAX_EXACT
        if few or (chroma := self._owned()) is None:
            return self._file.nearest(vector, count, visible)
        tail = self._unfolded(visible)
        found: list[Nearest] | None = []
        if len(self._folded):
            found = None
            with self._without_if_it_fails():
                found = chroma.nearest(vector, count)
        if found is None:
            return self._file.nearest(vector, count, visible)
        if len(tail):
            found += self._file.nearest(vector, count, tail)
            found = sorted(found, key=lambda one: -one[2])[:count]
        return found

    def drop(self) -> None:
        """See `VectorStore`."""
        with self._guard:
            if self._chroma:
                folder, _ = self._chroma
                with self._writing():
                    folder.drop(self._name)
            self.close()
            self._file.path.unlink(missing_ok=True)

    def stop(self) -> None:
        """See `VectorStore`."""
        self._closed = True

    def close(self) -> None:
        """Let go of Chroma, for another process to own it."""
        self.stop()
        with self._guard:
            self._leave()

    def _leave(self) -> None:
        if self._chroma:
            folder, _ = self._chroma
            self._chroma = None
            folder.close()
        self._lock.release(force=True)

    # --- Chroma --------------------------------------------------------------------------------

    @property
    def may_delete(self) -> bool:
        """See `VectorStore`."""
        return self._owned() is not None

    def fold(self, rows: Rows | None = None) -> None:
        """See `VectorStore`; does nothing where another process owns Chroma."""
        if (chroma := self._owned()) is None:
            return
        with self._guard, self._without_if_it_fails():
            if rows is None:
                with self._database.read() as connection:
                    rows = ready_rows(connection)
            new = rows[~np.isin(rows.rows, self._folded)]
            if not len(new):
                return
            if not len(self._folded):
                chroma.expect(len(new))
            for page in pages_of(range(len(new))):
                if self._closed:
                    return  # the rest another time
                some = new[page[0] : page[-1] + 1]
                some = some[~self._file.missing(some)]  # of another thread, which has deleted them
                vectors = self._file.read(some)
                with self._writing():
                    chroma.add(some, vectors)
                    chroma.touch()
                with self._database.write() as connection:
                    connection.execute(
                        sa.update(paragraphs)
                        .where(paragraphs.c.row.in_(some.rows.tolist()))
                        .values(graph=self.number)
                    )
                self._folded = np.union1d(self._folded, some.rows)

    def _unfolded(self, visible: Rows) -> Rows:
        """Those of the paragraphs that are not in Chroma."""
        of, folded, tail = self._tail
        if of is not visible or folded is not self._folded:
            folded = self._folded
            tail = visible[~np.isin(visible.rows, self._folded)]
            self._tail = visible, folded, tail
        return tail

    def _owned(self) -> ChromaVectors | None:
        """Chroma, if this process owns it or can."""
        if self._chroma is None and not self._closed and time.monotonic() >= self._next_try:
            with self._guard:
                if self._chroma is None and not self._closed:
                    self._next_try = time.monotonic() + RETRY_INTERVAL
                    with self._without_if_it_fails():
                        self._open()
        return self._chroma[1] if self._chroma else None

    def _open(self) -> None:
        with translated(self._folder):
            self._folder.mkdir(parents=True, exist_ok=True)
            try:
                self._lock.acquire(timeout=0)
            except filelock.Timeout:
                return
            path = self._folder / "chroma"
            if self._marker.exists():
                # A process was killed while Chroma wrote: of its graph there may be parts of two
                # versions, which it does not check. All of it is made again from the file.
                shutil.rmtree(path, ignore_errors=True)
                self._unfold()
                self._marker.unlink()
            is_new = not path.exists()
            folder = ChromaFolder(path)
            try:
                names = folder.names()
                with self._writing():
                    for name in names - {self._name}:
                        folder.drop(name)
                    chroma = ChromaVectors(folder.collection(self._name))
                    chroma.touch()
                if is_new or self._name not in names:
                    self._unfold()
                with self._database.read() as connection:
                    folded = rows_where(connection, paragraphs.c.graph == self.number)
                self._probe(chroma, folded)
            except BaseException:
                folder.close()
                self._lock.release(force=True)
                raise
            self._folded = folded.rows
            self._chroma = folder, chroma

    def _probe(self, chroma: ChromaVectors, folded: Rows) -> None:
        """Look for some of what was added to Chroma: of a graph that is gone it does not tell."""
        some = folded[:: 1 + len(folded) // PROBES]
        some = some[(some.sentences > 0) & ~self._file.missing(some)]
        found = [chroma.nearest(block[0], 1) for block in self._file.read(some)]
        if sum(not best or best[0][2] < 0.99 for best in found) > len(found) / 2:
            raise IndexCorruptedError(f"Chroma in {self._folder} has lost what was added to it.")

    def _unfold(self) -> None:
        with self._database.write() as connection:
            connection.execute(
                sa.update(paragraphs).where(paragraphs.c.graph.is_not(None)).values(graph=None)
            )

    @property
    def _marker(self) -> Path:
        return self._folder / "chroma-is-being-written"

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """While Chroma writes: where the process is killed meanwhile, what is left tells of it."""
        with translated(self._folder):
            self._marker.touch()
        yield
        self._marker.unlink(missing_ok=True)

    @contextmanager
    def _without_if_it_fails(self) -> Iterator[None]:
        """Go on without Chroma where it fails: it is tried again later, and made again where what
        it has cannot be read."""
        try:
            yield
        except IndexUnusableError as error:
            with self._guard:
                if not self._closed:
                    _logger.warning("Sentences are searched for in the file alone: %s", error)
                    if isinstance(error, IndexCorruptedError):
                        with suppress(OSError):
                            self._marker.touch()
                    self._leave()


class ServedVectors(VectorStore):
    """The vectors of an index on a Chroma server.

    Args:
        server: the server.
        number, fingerprint: of the generation.
    """

    def __init__(self, server: Server, number: int, fingerprint: str) -> None:
        self.number = number
        self._server = server
        self._name = collection_name(number, fingerprint)

    @property
    def _vectors(self) -> ChromaVectors:
        return ChromaVectors(self._server.collection(self._name))

    def add(self, rows: Rows, vectors: Sequence[Vectors]) -> None:
        """See `VectorStore`."""
        with self._server.urgent():
            self._vectors.add(rows, vectors)

    def delete(self, rows: Rows) -> None:
        """See `VectorStore`."""
        self._vectors.delete(rows)

    def read(self, rows: Rows) -> list[Vectors]:
        """See `VectorStore`."""
        found = self._vectors.read(rows)
        if lost := sum(len(found[row]) < sentences for row, _, sentences in rows.tuples()):
            raise IndexChangedError(
                f"The index on {self._server.address.shown} no longer has the vectors of {lost} "
                "paragraphs. Ask again; if it stays so, run: footnote index rebuild"
            )
        return [np.array(found[row], dtype=np.float32) for row in rows.rows.tolist()]

    def missing(self, rows: Rows) -> Rows:
        """See `VectorStore`."""
        found = self._vectors.read(rows)
        lost = [len(found[row]) for row in rows.rows.tolist()] < rows.sentences
        return rows[np.asarray(lost)]

    def nearest(self, vector: Vectors, count: int, visible: Rows) -> list[Nearest]:  # noqa: ARG002
        """See `VectorStore`."""
        return self._vectors.nearest(vector, count)

    def drop(self) -> None:
        """See `VectorStore`."""
        self._server.drop(self._name)

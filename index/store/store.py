"""The store: what is in an index now, and how documents are written into it.

Any number of processes and threads use one store at the same time. Readers never wait for a writer:
what they see is one revision, read in one transaction, and what that names stays for a while after
another has replaced it. Writers take turns only for the length of a transaction.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, suppress
from pathlib import Path

import sqlalchemy as sa

from index.database.database import Database
from index.encoder import Encoder
from index.errors import (
    EncoderError,
    IndexChangedError,
    IndexCorruptedError,
    IndexUnusableError,
)
from index.store import documents, staging
from index.store.chroma_server import Server
from index.store.documents import GenerationReplacedError, TextReader, reader_of
from index.store.manifest import Manifest, ParagraphText, Row, Rows
from index.store.snapshot import MAX_CACHED_TEXTS, BoundedCache, Snapshot
from index.store.staging import Staged
from index.store.vectors import FolderVectors, ServedVectors, VectorStore
from index.store.writer import Chunk, Progress, encoded
from index.terms.lexical import LexicalIndex

#: Paragraphs that are staged in one transaction, so that others may write in between.
STAGING_BATCH = 2000
#: Seconds after which those that are being written say so again.
TOUCH_INTERVAL = documents.ABANDONED / 60


class Store:
    """The documents of an index.

    Args:
        folder: where vectors are kept, unless a server keeps them.
        database: everything else.
        encoder: the embedding model.
        terms: those of the index, through all its revisions.
        server: the Chroma server that keeps the vectors, if one does.

    Raises (any method): see `Database` and `Server`.
    """

    def __init__(
        self,
        folder: Path,
        database: Database,
        encoder: Encoder,
        terms: LexicalIndex,
        server: Server | None,
    ) -> None:
        self._folder = folder
        self.database = database
        self._encoder = encoder
        self._terms = terms
        self._server = server
        self._guard = threading.RLock()  # over looking whether there is something new
        self._writing = threading.RLock()  # two threads that write would encode twice as slowly
        self._texts = BoundedCache[ParagraphText](MAX_CACHED_TEXTS)
        self._vectors: VectorStore | None = None
        self._seen = -1
        self._snapshot: Snapshot | None = None

    def stop(self) -> None:
        """Have what takes long beside answering end soon."""
        if self._vectors:
            self._vectors.stop()

    def close(self) -> None:
        """Let go of the vectors."""
        with self._guard:
            if self._vectors:
                self._vectors.close()
            self._vectors = self._snapshot = None
            self._seen = -1

    # --- reading -----------------------------------------------------------------------------

    def current(self) -> Snapshot:
        """What is in the index now.

        Raises:
            EncoderError: its vectors are of another encoder.
            IndexCorruptedError: vectors are missing.
        """
        with self.database.read() as connection:
            revision = documents.count(connection, "revision")
            snapshot = self._snapshot
            if snapshot is not None and revision == self._seen:
                return snapshot
            with self._guard:
                if self._snapshot is not None and self._seen >= revision:
                    return self._snapshot
                vectors = self._current_vectors(connection)
                known = self._snapshot.manifests if self._snapshot else {}
                if vectors is not self._vectors:
                    self._check(vectors, connection)
                manifests = documents.load(connection, known)
                snapshot = Snapshot(self.database, vectors, self._terms, self._texts, manifests)
                former, self._vectors = self._vectors, vectors
                self._snapshot, self._seen = snapshot, revision
                if former and former is not vectors:
                    former.close()
                return snapshot

    @property
    def manifests(self) -> Mapping[str, Manifest]:
        """The documents now; empty where they cannot be told."""
        try:
            return self.current().manifests
        except (IndexUnusableError, EncoderError):
            return {}

    def verify(self) -> None:
        """Check the database and all vectors.

        Raises:
            FootnoteError: something is damaged or missing.
        """
        self.database.check()
        snapshot = self.current()
        lost = self._vectors.missing(snapshot.rows) if self._vectors else ()
        if len(lost):
            raise _missing_vectors(len(lost))

    def _current_vectors(self, connection: sa.Connection) -> VectorStore:
        found = documents.generation_of(connection)
        number, fingerprint = found or (1, self._encoder.fingerprint)
        if fingerprint != self._encoder.fingerprint:
            if self._vectors:
                self._vectors.close()  # for a process of that encoder to own Chroma
            raise EncoderError(
                "The index was made with another encoder (fingerprint "
                f"{fingerprint}, this one has {self._encoder.fingerprint}). Nothing that was "
                "indexed is lost: add documents (or run `footnote index rebuild`) with this "
                "encoder, and the vectors are made again first."
            )
        if self._vectors and self._vectors.number == number:
            return self._vectors
        return self._open_vectors(number)

    def _open_vectors(self, number: int, fingerprint: str = "") -> VectorStore:
        """A generation of vectors; of this encoder, unless it is another's."""
        fingerprint = fingerprint or self._encoder.fingerprint
        if self._server:
            return ServedVectors(self._server, number, fingerprint)
        folder = self._folder / "vectors"
        return FolderVectors(folder, number, fingerprint, self._encoder.dimension, self.database)

    def _check(self, vectors: VectorStore, connection: sa.Connection) -> None:
        """Look for the last vectors that were written: a file that was cut or is gone shows."""
        last = documents.last_ready(connection)
        if len(last) and len(vectors.missing(last)):
            vectors.close()
            raise _missing_vectors(len(last))

    # --- writing -----------------------------------------------------------------------------

    def put(
        self,
        manifests: Sequence[Manifest],
        texts_of: TextReader,
        progress: Progress | None,
        new: bool = False,
    ) -> int:
        """Make these the current versions of their documents, each as soon as it is whole; gives
        how many paragraphs were embedded.

        Args:
            manifests: of the documents.
            texts_of: where the texts of paragraphs are had from that are not stored.
            progress: called as paragraphs are done with (done, in all).
            new: refuse to replace a document, see `staging.publish`.
        """
        with self._writing:
            while True:
                self.current()
                if self._vectors is None:
                    raise RuntimeError("the store was closed")
                with suppress(GenerationReplacedError):
                    return self._put(self._vectors, manifests, texts_of, progress, new)

    def _put(
        self,
        vectors: VectorStore,
        manifests: Sequence[Manifest],
        texts_of: TextReader,
        progress: Progress | None,
        new: bool,
    ) -> int:
        with self.database.write() as connection:
            documents.begin(connection, self._encoder.fingerprint)
        fresh: dict[str, Row] = {}
        staged = list(self._stage(manifests, texts_of, fresh))
        total = sum(len(manifest.places) for manifest in manifests)
        done = total - len(fresh)
        if progress:
            progress(done, total)
        embedded, published, touched = 0, 0, time.monotonic()

        def store(chunk: Chunk) -> None:
            nonlocal published, touched
            rows = Rows.of(fresh[paragraph.id] for paragraph in chunk.paragraphs)
            if len(rows):
                try:
                    vectors.add(rows, chunk.vectors)
                except IndexChangedError:  # it was dropped: see whether another replaced it
                    with self.database.read() as connection:
                        documents.check_generation(connection, vectors.number)
                    raise
            whole = staged[published : published + chunk.whole]
            published += chunk.whole
            with self.database.write() as connection:
                staging.set_ready(connection, rows.rows.tolist(), vectors.number)
                staging.publish(connection, whole, new)
                if time.monotonic() - touched > TOUCH_INTERVAL:
                    staging.touch(connection, staged[published:])
                    touched = time.monotonic()
            vectors.fold(rows)

        given = [[place.id for place in manifest.places] for manifest in manifests]
        for count in encoded(given, fresh, texts_of, self._encoder, store):
            embedded += count
            if progress and count:
                progress(done + embedded, total)
        self.tidy()
        return embedded

    def _stage(
        self, manifests: Sequence[Manifest], texts_of: TextReader, fresh: dict[str, Row]
    ) -> Iterator[Staged]:
        """Stage versions, some in each transaction; adds the paragraphs that are new to `fresh`."""
        first, size = 0, 0
        for end, manifest in enumerate(manifests, start=1):
            size += len(manifest.places)
            if size >= STAGING_BATCH or end == len(manifests):
                with self.database.write() as connection:
                    some = staging.stage(connection, manifests[first:end], texts_of, fresh)
                for one in some:
                    fresh |= one.fresh
                yield from some
                first, size = end, 0

    def tidy(self, grace: float = documents.GRACE_SECONDS) -> int:
        """Delete what dead writers left, and what no document has had for `grace` seconds or was
        replaced by a rebuild; gives how many paragraphs that were."""
        vectors = self._vectors
        if vectors is None or not vectors.may_delete:
            return 0
        with self.database.read() as connection:
            replaced = documents.replaced(connection, grace)
            has_waste = documents.has_waste(connection, grace)
        if replaced:
            for number, fingerprint in replaced:
                self._open_vectors(number, fingerprint).drop()
            with self.database.write() as connection:
                documents.forget(connection, replaced)
        if not has_waste:
            return 0
        with self.database.write() as connection:
            staging.abandoned(connection)
            rows = staging.dying(connection, grace)
        if len(rows):
            vectors.delete(rows)
            with self.database.write() as connection:
                staging.bury(connection, rows.rows.tolist())
        return len(rows)

    def fold(self) -> None:
        """See `VectorStore.fold`."""
        if self._vectors:
            self._vectors.fold()

    # --- vectors made anew -------------------------------------------------------------------

    def rebuild(self, progress: Progress | None, *, always: bool = True) -> int:
        """Make all vectors again from the texts, beside those in use, which they then replace. May
        be killed at any instant and run again; it goes on where it was.

        Args:
            progress: called as paragraphs are done with (done, in all).
            always: also where those in use are whole and of this encoder.

        Returns:
            The number of paragraphs embedded.
        """
        with self._writing:
            if not always:
                try:
                    self.current()
                except (EncoderError, IndexCorruptedError):
                    pass  # which is what this is for
                else:
                    return 0
            with self.database.write() as connection:
                number = documents.begin_generation(connection, self._encoder.fingerprint)
            with closing(self._open_vectors(number)) as vectors:
                try:
                    embedded = self._fill(vectors, progress)
                except IndexChangedError:
                    vectors.drop()  # what was written of it since
                    raise
            self.close()
            self.current()
            self.fold()
            return embedded

    def _fill(self, vectors: VectorStore, progress: Progress | None) -> int:
        embedded = 0
        while True:
            with self.database.read() as connection:
                ready = documents.ready_rows(connection, unused=True)
            missing = vectors.missing(ready)
            before = len(ready) - len(missing) - embedded
            if not len(missing):
                # Others may have added some meanwhile, for the generation before.
                with self.database.write() as connection:
                    now = documents.ready_rows(connection, unused=True)
                    if not len(vectors.missing(now)):
                        documents.take_generation(connection, vectors.number)
                        return embedded
                continue
            if progress:
                progress(before + embedded, len(ready))
            for first in range(0, len(missing), STAGING_BATCH):
                some = missing[first : first + STAGING_BATCH]
                with self.database.read() as connection:
                    found = documents.texts_by_row(connection, some.rows.tolist())
                texts_of = reader_of({text.id: text for text in found.values()})
                rows = {found[row[0]].id: row for row in some.tuples() if row[0] in found}

                def store(chunk: Chunk, rows: Mapping[str, Row] = rows) -> None:
                    if chunk.paragraphs:
                        stored = Rows.of(rows[paragraph.id] for paragraph in chunk.paragraphs)
                        vectors.add(stored, chunk.vectors)

                for count in encoded([list(rows)], rows, texts_of, self._encoder, store):
                    embedded += count
                    if progress and count:
                        progress(before + embedded, len(ready))


def _missing_vectors(count: int) -> IndexCorruptedError:
    return IndexCorruptedError(
        f"The vectors of {count} paragraphs are missing: the disk was full, or files of the index "
        "were changed. Nothing that was indexed is lost. Run: footnote index rebuild"
    )

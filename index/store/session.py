"""A session: how processes and threads share an index, and each stays current with the others.

One process at a time uses the index (`locks`), many threads of it may read while one writes.
A revision, a random number in a file, tells a process that another has changed the index; and
whether whoever did has also deleted what no document names any more.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from index.errors import IndexChangedError
from index.store.chroma import translated
from index.store.integrity import write_whole
from index.store.locks import ProcessLock, make_folder
from index.store.manifest import Manifest, ParagraphText
from index.store.snapshot import CACHED_TEXTS, BoundedCache, Snapshot
from index.store.store import Store
from index.terms.lexical import LexicalIndex

#: How a revision ends when all is deleted that no document names.
SWEPT = " swept"


class Session:
    """The store in `folder` and what is in it now.

    Args:
        folder: where the index is kept; made when it is not there.
        fingerprint: of the encoder.
        wait: seconds to wait for another process that uses the index.
        on_wait: called with a sentence to show while waiting.
        terms: those of the index, through all its revisions.

    Raises:
        IndexBusyError, IndexCorruptedError, IndexFullError, UnreadableError.
    """

    def __init__(
        self,
        folder: Path,
        fingerprint: str,
        wait: float,
        on_wait: Callable[[str], None] | None,
        terms: LexicalIndex,
    ) -> None:
        """Open the store; waits for another process that is using it."""
        self.folder = folder
        self._fingerprint = fingerprint
        make_folder(folder)
        self._lock = ProcessLock(folder, wait, on_wait)
        self._writing = threading.RLock()
        self._reload = threading.RLock()
        self._snapshot: Snapshot | None = None
        self._terms = terms
        self._texts = BoundedCache[ParagraphText](CACHED_TEXTS)
        self._revision = ""
        #: The documents as they were last seen; empty where they never were.
        self.manifests: Mapping[str, Manifest] = {}
        #: The store that is open, if one is.
        self.store: Store | None = None
        with self._lock.hold():
            if not (folder / "chroma").exists():
                self._write_revision(SWEPT)
            self._catch_up()

    def close(self) -> None:
        """Let go of the database. The index may be opened again at once."""
        with self._lock.alone():
            self._forget()

    @contextmanager
    def reading(
        self, pinned: Snapshot | None = None, documents: Collection[str] | None = None
    ) -> Iterator[tuple[Store, Snapshot]]:
        """Keep other processes out to read, and see what they changed since the last look.

        Args:
            pinned: a snapshot that was taken before, to read that one instead. Others may write
                between two readings; then it can still be read if its paragraphs are still there.
            documents: ids of those of it that are read; all of them where it is None.

        Raises:
            EncoderError, IndexCorruptedError: the store is stale.
            IndexChangedError: the pinned snapshot can no longer be read.
        """
        with self._lock.hold():
            store = self._catch_up()
            if store.stale:
                raise store.stale
            if pinned is None or pinned is self.snapshot:
                yield store, self.snapshot
            elif pinned.paragraphs(documents) <= self.snapshot.paragraphs():
                yield store, pinned.on(store.generation)
            else:
                raise IndexChangedError("The documents changed while they were read. Ask again.")

    def ready(self) -> None:
        """Tell whether questions can be answered now.

        Raises:
            FootnoteError: they cannot, and why.
        """
        with self.reading():
            pass

    @contextmanager
    def writing(self) -> Iterator[Store]:
        """Keep other writers out. The store may be stale; change it inside `changing`."""
        with self._writing, self._lock.hold():
            yield self._catch_up()

    @contextmanager
    def changing(self) -> Iterator[None]:
        """Change the store: check it, tell other processes, then show readers the result and sweep.

        Readers see the old snapshot throughout, then the new one. What only the old one names is
        deleted when the last of its readers has left. Where a process was killed before it had
        done so, nobody knows what it left: then all that is stored is looked through.
        """
        store = self._catch_up()
        try:
            store.verify()
            left, before = self.unswept, self.manifests
            self._write_revision()
            yield
            self._refresh(store)
            with self._lock.alone():
                pass
            if left:
                store.generation.sweep(self.snapshot.paragraphs())
            else:
                store.generation.remove(self._dropped(before))
            store.settle()
            self._write_revision(SWEPT)
        except BaseException:
            # What is in memory may not be what is on the disk: read it anew next time.
            with self._lock.alone():
                self._forget()
            raise

    @property
    def unswept(self) -> bool:
        """Whether a process was stopped in the middle of a change, or an older version wrote last:
        so that paragraphs may be stored that no document names."""
        return not self._read_revision().endswith(SWEPT)

    def _dropped(self, before: Mapping[str, Manifest]) -> set[str]:
        """The paragraphs that those documents had and none has now."""
        had = {
            place.id
            for identity, manifest in before.items()
            if self.manifests.get(identity) is not manifest
            for place in manifest.places
        }
        return had - self.snapshot.paragraphs() if had else had

    @property
    def snapshot(self) -> Snapshot:
        """What is in a store that is open and not stale."""
        if self._snapshot is None:
            raise RuntimeError("the index is closed or stale")
        return self._snapshot

    def _catch_up(self) -> Store:
        """Open the store anew where another process has changed it.

        The caller holds the lock, so none changes it now. No thread can be reading from the store
        that is closed: it would hold the lock too, and the revision could not have changed.
        """
        with self._reload:
            revision = self._read_revision()
            if self.store is None or revision != self._revision:
                self._forget()
                store = Store(self.folder / "chroma", self._fingerprint)
                try:
                    if store.stale is None:
                        self._refresh(store)
                except BaseException:
                    store.close()
                    raise
                self.store, self._revision = store, revision
            return self.store

    def _forget(self) -> None:
        if self.store is not None:
            self.store.close()
            # The snapshot goes too: Chroma has its files open while anything of it is referred to.
            self.store = self._snapshot = None

    def _refresh(self, store: Store) -> None:
        manifests = store.generation.manifests(self.manifests)
        self._snapshot = Snapshot(store.generation, self._terms, self._texts, manifests)
        self.manifests = self._snapshot.manifests

    def _read_revision(self) -> str:
        with translated(self.folder / "chroma"):
            try:
                return (self.folder / "revision").read_text(errors="replace")
            except FileNotFoundError:
                return ""

    def _write_revision(self, state: str = "") -> None:
        revision = f"{uuid.uuid4().hex}{state}"
        # A thread that looked in between would open the store anew under the writer.
        with self._reload, translated(self.folder / "chroma"):
            write_whole(self.folder / "revision", revision)
            self._revision = revision

"""A session on a Chroma server: how a process follows what many machines write there.

It holds a snapshot that is known to be the present one, or was a moment ago, and looks for changes
every second, by the revision (`protocol`). What it shows of a document is whole:
a version is taken over once all of its paragraphs are there.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from index.errors import FootnoteError, IndexChangedError, IndexCorruptedError
from index.store.chroma_server import Server, ServerAddress
from index.store.locks import make_folder
from index.store.manifest import Manifest, ParagraphText
from index.store.protocol import Catalogue, Timing
from index.store.served import ServedGeneration, ServedStore
from index.store.snapshot import CACHED_TEXTS, BoundedCache, Snapshot
from index.terms.lexical import LexicalIndex


class ServedSession:
    """The store on a server and what is in it now; as `session.Session` of a folder.

    Args:
        folder: of this machine alone, for what is derived or read from the server.
        fingerprint: of the encoder.
        wait: seconds to wait for a server that is started anew.
        terms: those of the index, through all its revisions.
        address: of the server.
        timing: of the protocol.

    Raises:
        IndexUnavailableError, IndexCorruptedError, IndexFullError, UnreadableError.
    """

    def __init__(
        self,
        folder: Path,
        fingerprint: str,
        wait: float,
        terms: LexicalIndex,
        address: ServerAddress,
        timing: Timing,
    ) -> None:
        """Connect, and read what is there."""
        self.folder = folder
        self.timing = timing
        self._fingerprint = fingerprint
        self._terms = terms
        make_folder(folder)
        self.server = Server(address, wait)
        self._refreshing = threading.RLock()
        self._writing = threading.RLock()
        self._closed = threading.Event()
        #: The one that is written, where one is.
        self._written: ServedStore
        self._texts = BoundedCache[ParagraphText](CACHED_TEXTS)
        #: Of what was seen whole; None to look at everything before anything is read.
        self._revision: str | None = None
        self._complete = float("-inf")
        #: What went wrong at the last look, if anything did.
        self._failure: FootnoteError | None = None
        try:
            self.catalogue = Catalogue(self.server, timing)
            #: The store as it was last seen, and, unless it is stale, what is in it.
            self._current: tuple[ServedStore, Snapshot | None] = (
                ServedStore(self.server, self.catalogue, fingerprint, self.catalogue.read()),
                None,
            )
            self.refresh(writes=True)  # what is damaged can be mended; whoever reads is told
        except BaseException:
            self.server.close()
            raise
        self._follower = threading.Thread(target=self._follow, name="follower", daemon=True)
        self._follower.start()

    def close(self) -> None:
        """Let go of the server."""
        self._closed.set()
        self.server.close()
        self._follower.join()

    # --- reading -----------------------------------------------------------------------------

    @contextmanager
    def reading(
        self,
        pinned: Snapshot | None = None,
        documents: Collection[str] | None = None,  # noqa: ARG002  # what is not read stays too
    ) -> Iterator[tuple[ServedStore, Snapshot]]:
        """Read what is there now, or was when a snapshot was taken.

        Args:
            pinned: the snapshot to read.

        Raises:
            EncoderError: the index is of another encoder.
            IndexChangedError: the snapshot was taken too long ago, or what it names is gone.
            IndexUnavailableError: it is not known what is there now.
        """
        _, current = self._current
        if (
            self._revision is None
            or current is None
            or time.monotonic() - current.confirmed > self.timing.fresh
        ):
            self.refresh()
        store, current = self._current
        if current is None:
            raise store.stale or RuntimeError("a store that is not stale has a snapshot")
        snapshot = pinned or current
        if time.monotonic() - snapshot.confirmed > self.timing.grace / 2:
            raise IndexChangedError(
                "The documents changed while they were read, which took too long. Ask again."
            )
        try:
            yield store, snapshot
        except IndexChangedError:
            self._revision = None  # the next one looks for itself
            raise

    def ready(self) -> None:
        """Tell whether questions can be answered now.

        Raises:
            FootnoteError: they cannot, and why.
        """
        if self._failure:
            raise self._failure
        with self.reading():
            return

    # --- writing -----------------------------------------------------------------------------

    #: Whether something is to be swept: of who writes that is no matter, see `sweeping`.
    unswept = False

    @contextmanager
    def writing(self) -> Iterator[ServedStore]:
        """Write (see `protocol`). The store may be stale; change it inside `changing`."""
        with self._writing, self.server.urgent():
            self.refresh(writes=True)
            self._written, _ = self._current
            yield self._written

    @contextmanager
    def changing(self) -> Iterator[None]:
        """Change the store, tell others, and see the result at the end.

        Raises:
            GenerationReplacedError: another generation has become current.
        """
        try:
            yield
        finally:
            self._revision = None  # of what was changed before an error others know FULL later
        self.catalogue.changed()
        stands = self.catalogue.stands(self._written.name)
        self.refresh(writes=True)
        if not stands:
            raise GenerationReplacedError

    @property
    def snapshot(self) -> Snapshot:
        """What is in a store that is not stale."""
        _, snapshot = self._current
        if snapshot is None:
            raise RuntimeError("the index is stale")
        return snapshot

    @property
    def manifests(self) -> Mapping[str, Manifest]:
        """The documents as they were last seen; empty where the store is stale."""
        _, snapshot = self._current
        return snapshot.manifests if snapshot else {}

    # --- following ---------------------------------------------------------------------------

    def refresh(self, *, writes: bool = False) -> None:
        """See what is there now.

        Args:
            writes: leave out documents that have lost paragraphs: indexing them again mends that.

        Raises:
            IndexUnavailableError: the server does not answer.
            IndexCorruptedError: the index is no longer on the server, or is damaged.
            IndexChangedError: a document has lost paragraphs.
        """
        with self._refreshing:
            try:
                self._refresh(writes)
            except FootnoteError as error:
                self._failure = error
                raise
            self._failure = None

    def _refresh(self, writes: bool) -> None:
        began = time.monotonic()
        try:
            state = self.catalogue.read()
        except IndexChangedError:
            self.server.forget()  # the collection is gone: made anew by somebody?
            state = self.catalogue.read()
        if not state.generations:
            raise IndexCorruptedError(
                f"The index is no longer on {self.server.address.shown}: the server has lost its "
                "data, or another one answers there. Bring the data back; or, to begin anew, stop "
                "Footnote, start it again and add the documents."
            )
        store, snapshot = self._current
        if state.generations[-1] != store.name:
            store = ServedStore(self.server, self.catalogue, self._fingerprint, state)
            snapshot = None
        if store.stale is None:
            old = snapshot is None or began - self._complete > self.timing.full
            if old or state.revision != self._revision:
                snapshot, whole = self._reread(store, snapshot, writes)
                # Not whole: somebody is about to mend it, so look again.
                self._revision = state.revision if whole else None
                self._complete = began
        self._current = store, snapshot
        if snapshot:
            snapshot.confirmed = began

    def _reread(
        self, store: ServedStore, before: Snapshot | None, writes: bool
    ) -> tuple[Snapshot, bool]:
        """Read the manifests that changed; the snapshot, and whether all that they name was
        there."""
        known = before.manifests if before else {}
        current, changed = self._read_manifests(store, known)
        if before and not changed and current.keys() == known.keys():
            return before, True
        # What their versions before named is there; the whole of what is known would take long.
        seen = {place.id for i in changed if i in known for place in known[i].places}
        named = {place.id for i in changed for place in current[i].places} - seen
        lost = named - store.generation.held(named)
        if lost and not writes:
            raise store.generation.lost(lost)
        fine = {
            i: own
            for i, own in current.items()
            if not lost or i not in changed or not any(p.id in lost for p in own.places)
        }
        manifests = sorted(fine.values(), key=lambda own: own.source)
        snapshot = Snapshot(store.generation, self._terms, self._texts, manifests)
        if before:
            snapshot.scope(None)  # or the next question would wait for what changed
        return snapshot, not lost

    @staticmethod
    def _read_manifests(
        store: ServedStore, known: Mapping[str, Manifest]
    ) -> tuple[dict[str, Manifest], set[str]]:
        """All documents that there are now, and which of them are not known in that version."""
        versions = store.generation.versions()
        current = {i: known[i] for i, v in versions.items() if i in known and known[i].version == v}
        read = store.generation.manifests(ids=[i for i in versions if i not in current])
        return current | {manifest.id: manifest for manifest in read}, {own.id for own in read}

    def _follow(self) -> None:
        while not self._closed.wait(self.timing.poll):
            try:
                self.refresh()
            except FootnoteError:
                continue  # kept for `ready`; whoever reads is told when it matters

    # --- tidying -----------------------------------------------------------------------------

    def current(self) -> ServedGeneration:
        """The generation that is current.

        Raises:
            EncoderError: it is of another encoder.
        """
        self.refresh()
        with self.reading() as (store, _):
            return store.generation

    def named(self) -> tuple[set[str], set[str]]:
        """The paragraphs that manifests name now, and the files that documents have, whether they
        are there or not."""
        with self.reading() as (store, snapshot):
            current, _ = self._read_manifests(store, snapshot.manifests)
        return (
            {place.id for manifest in current.values() for place in manifest.places},
            {manifest.content for manifest in current.values()},
        )


class GenerationReplacedError(Exception):
    """Another generation became current while one was written: write again, to that."""

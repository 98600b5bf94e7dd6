"""A session on a Chroma server: how a process follows what many machines write there.

It holds a snapshot that is known to be the present one, or was a moment ago, and looks for changes
every second, by the marks of those who write (`protocol`). What it shows of a document is whole:
a version is taken over once all of its paragraphs are there.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from index.errors import (
    FootnoteError,
    IndexChangedError,
    IndexCorruptedError,
)
from index.store.locks import make_folder
from index.store.manifest import Manifest, ParagraphText
from index.store.protocol import Roster, Timing
from index.store.served import ServedGeneration, ServedStore
from index.store.server import Server, ServerAddress
from index.store.snapshot import Snapshot
from index.terms.lexical import LexicalIndex


class ServedSession:
    """The store on a server and what is in it now; as `session.Session` of a folder.

    Args:
        folder: of this machine alone, for what is derived or read from the server.
        fingerprint: of the encoder.
        wait: seconds to wait for other machines, and for a server that is started anew.
        on_wait: called with a sentence to show while waiting.
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
        on_wait: Callable[[str], None] | None,
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
        self._looking = threading.RLock()
        self._writing = threading.RLock()
        self._closed = threading.Event()
        #: The store as it was last seen, and, unless it is stale, what is in it.
        self._current: tuple[ServedStore, Snapshot | None] | None = None
        self._texts: dict[str, ParagraphText] = {}
        self._token: frozenset[tuple[object, ...]] | None = None
        self._confirmed = self._complete = float("-inf")
        #: Why what is there cannot be read, if it cannot: a document has lost paragraphs.
        self._damage: FootnoteError | None = None
        #: What went wrong at the last look, if anything did.
        self._failure: FootnoteError | None = None
        try:
            self.roster = Roster(self.server, timing, wait, on_wait)
            self.look()
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
        if time.monotonic() - self._confirmed > self.timing.fresh:
            self.look()
        store, current = self._seen()
        if current is None:
            raise store.stale or RuntimeError("a store that is not stale has a snapshot")
        if self._damage:
            raise self._damage
        snapshot = pinned or current
        if time.monotonic() - snapshot.confirmed > self.timing.grace / 2:
            raise IndexChangedError(
                "The documents changed while they were read, which took too long. Ask again."
            )
        try:
            yield store, snapshot
        except IndexChangedError:
            self._confirmed = float("-inf")  # the next one looks for itself
            self._token = None
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
        """Be a writer (see `protocol`). The store may be stale; change it inside `changing`.

        Raises:
            IndexBusyError: another machine tidies the index, and does not come to an end.
        """
        with self._writing, self.server.urgent(), self.roster.writing():
            self.look(writes=True)
            yield self._seen()[0]

    @contextmanager
    def changing(self) -> Iterator[None]:
        """Change the store, and see the result at the end."""
        try:
            yield
        finally:
            self._token = None
        self.look(writes=True)

    @property
    def snapshot(self) -> Snapshot:
        """What is in a store that is not stale."""
        _, snapshot = self._seen()
        if snapshot is None:
            raise RuntimeError("the index is stale")
        return snapshot

    @property
    def manifests(self) -> Mapping[str, Manifest]:
        """The documents as they were last seen; empty where the store is stale."""
        _, snapshot = self._seen()
        return snapshot.manifests if snapshot else {}

    def _seen(self) -> tuple[ServedStore, Snapshot | None]:
        if self._current is None:
            raise RuntimeError("the first look failed, and so did opening")
        return self._current

    # --- following ---------------------------------------------------------------------------

    def look(self, *, writes: bool = False, thoroughly: bool = False) -> None:
        """See what is there now.

        Args:
            writes: leave out documents that have lost paragraphs: indexing them again mends that.
            thoroughly: look at all versions, whatever the marks say.

        Raises:
            IndexUnavailableError: the server does not answer.
            IndexCorruptedError: the index is no longer on the server, or is damaged.
        """
        with self._looking:
            try:
                self._look(writes, thoroughly)
            except FootnoteError as error:
                self._failure = error
                raise
            self._failure = None

    def _look(self, writes: bool, thoroughly: bool) -> None:
        began = time.monotonic()
        try:
            state = self.roster.look()
        except IndexChangedError:
            self.server.forget()  # the collection of the marks is gone: made anew by somebody?
            state = self.roster.look()
        if not state.generations and self._current:
            raise IndexCorruptedError(
                f"The index is no longer on {self.server.address.shown}: the server has lost its "
                "data, or another one answers there. Bring the data back; or, to begin anew, stop "
                "Footnote, start it again and add the documents."
            )
        store, snapshot = self._current or (None, None)
        if store is None or state.generations[-1] != store.name:
            store = ServedStore(self.server, self.roster, self._fingerprint, state)
            snapshot = None
        if store.stale is None:
            active = bool(state.active("writer", "sweep", "swap"))
            old = snapshot is None or began - self._complete > self.timing.full
            if active or old or thoroughly or state.token != self._token:
                snapshot, whole = self._refresh(store, snapshot, writes, active)
                # Not whole: somebody is about to complete or to mend it, so look again.
                self._token = state.token if whole else None
                self._complete = began
        self._current = store, snapshot
        self._confirmed = began
        if snapshot:
            snapshot.confirmed = began

    def _refresh(
        self, store: ServedStore, before: Snapshot | None, writes: bool, active: bool
    ) -> tuple[Snapshot, bool]:
        """Read the manifests that changed; the snapshot, and whether all that they name was
        there."""
        known = before.manifests if before else {}
        versions = store.generation.versions()
        changed = [i for i, own in versions.items() if not _is(known.get(i), own)]
        if before and not changed and versions.keys() == known.keys():
            self._damage = None
            return before, True
        read = store.generation.read(changed)
        # What their versions before named is there; the whole of what is known would take long.
        seen = {place.id for i in changed if i in known for place in known[i].places}
        named = {place.id for manifest in read for place in manifest.places} - seen
        lost = named - store.generation.held(named)
        fine = {m.id: m for m in read if not lost or not any(p.id in lost for p in m.places)}
        # Of what somebody has not completed yet, the version before is shown.
        completing = active and not writes
        self._damage = store.generation.lost(lost) if lost and not (active or writes) else None
        kept = {
            i: own
            for i, own in known.items()
            if i in versions and i not in fine and (completing or i not in changed)
        }
        manifests = sorted([*kept.values(), *fine.values()], key=lambda own: own.source)
        snapshot = Snapshot(store.generation, self._terms, self._texts, manifests)
        if before:
            snapshot.scope(None)  # or the next question would wait for what changed
        self._texts = snapshot.texts
        return snapshot, not lost

    def _follow(self) -> None:
        while not self._closed.wait(self.timing.poll):
            try:
                self.look()
            except FootnoteError:
                continue  # kept for `ready`; whoever reads is told when it matters

    # --- tidying -----------------------------------------------------------------------------

    def current(self) -> ServedGeneration:
        """The generation that is current.

        Raises:
            EncoderError: it is of another encoder.
        """
        self.look()
        with self.reading() as (store, _):
            return store.generation

    def named(self) -> tuple[set[str], set[str]]:
        """The paragraphs that manifests name now, and the files that documents have, whether they
        are there or not."""
        with self.reading() as (store, snapshot):
            versions = store.generation.versions()
            known = snapshot.manifests
            manifests = [known[i] for i, own in versions.items() if _is(known.get(i), own)]
            manifests += store.generation.read(
                [i for i, own in versions.items() if not _is(known.get(i), own)]
            )
        return (
            {place.id for manifest in manifests for place in manifest.places},
            {manifest.content for manifest in manifests},
        )


def _is(manifest: Manifest | None, version: str) -> bool:
    return manifest is not None and manifest.version == version

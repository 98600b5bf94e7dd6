"""How many machines write one index on a Chroma server, and none takes away what another needs.

Chroma has no transactions and no conditional writes. All that is asked of it is this:

- **One call is all or nothing**, and who reads after it was acknowledged sees it.
- Nothing is asked of clocks but that a second is about a second: no time is ever sent anywhere.

## What there is

Of the *generation* that is current (`collections`, `served`): paragraphs, addressed by content, so
that adding one twice is adding it once and it is never changed; and one manifest a document, which
is replaced in one call. A paragraph that no manifest names does not exist for readers. In the
collection `state`:

- `format`: which protocol this is. Who does not know it leaves everything alone.
- `<generation>`: that it is whole. The highest whole one is current.
- `<writer>`, `<flag>`: a *mark* of each process that writes (`writer`), deletes (`sweep`) or puts
  another generation in place (`swap`). Only its owner writes a mark, so no two processes ever write
  one record. It has a phase (`waiting`, `active`, `done`), a beat that is counted up every BEAT
  seconds, and how often its owner has come to an end. An observer takes a mark whose beat has not
  moved for LEASE seconds *of its own monotonic clock* for dead, and deletes it. One that is done is
  deleted after RETIRED seconds, by when every reader has seen it or looks at everything anyway.

## Invariants

1. *Whole*: a reader shows a version of a document only after it has found all of its paragraphs.
2. *Kept*: a paragraph that a manifest names is not deleted; one that a manifest named is there for
   GRACE seconds more. Nobody answers from what was last known to be current over GRACE / 2 ago.
3. *Not blocked*: a process that is killed or hangs holds up others for no longer than LEASE.

## A writer

1. Announce: mark itself active, then look. Where a flag is up: mark itself waiting, wait until it
   is gone, and begin again.
2. Add the paragraphs that are not there.
3. Before manifests are put, find its own mark in place, or else begin again at 1 (`fence`).
4. Put the manifests of which all paragraphs were added.
5. At the end look whether all paragraphs of all these manifests are there; if not, again from 2.
6. Mark itself done.

Killed before 4: unnamed paragraphs stay, which the next run finds in 2, or a sweep takes. Killed
between 4 and 5: as after 5, unless a paragraph went between 2 and 4, for which see below. Killed
before 6: the mark goes LEASE later; readers look at all versions while it is there and when it
goes, so nothing that was put is missed. Two that write the same document: the last one counts;
both added their paragraphs before they named them.

## A sweep

1. Note which paragraphs no manifest names; go on with those that none has named at any look
   throughout GRACE seconds.
2. Raise a flag (mark active), then look. Where a writer is active: lower it, try another time.
3. For a page of them: read the versions of all manifests anew; leave out what one names; read what
   is to be deleted; delete it; read the versions again, and put back what one names now.
4. Where a writer has come meanwhile, or its own mark is not in place, stop; else the next page.

This is Dekker's algorithm: each side writes its own mark, then reads the other's. Of a writer and a
sweep that come at once, at least one sees the other; a sweep that sees a writer withdraws, and a
writer waits for one page of a sweep at most. Killed anywhere: what is deleted was unnamed; the
flag goes LEASE later.

A process that *stalls* past LEASE is taken for dead, and may wake up in the middle of anything. A
writer that does finds out in 3 and 5. A sweep that wakes up between its last look and its delete
may delete a page that a writer has named meanwhile: it puts it back (3), and until then readers
either do not have that version yet (invariant 1), or find the paragraph gone and ask again. What
remains is a sweep that stalls past LEASE in just that call *and* is killed before it can put the
page back, while a writer has named again what no one had named for GRACE. Then that document is
reported as damaged, never answered from, and indexing it again mends it.

## Another encoder

A builder fills a generation beside the current one, as a writer, until the versions in both are the
same. Then it marks itself waiting, raises a `swap` flag and waits until no writer is active: those
that come now wait for it. It copies what changed in the meantime, records the new generation as
whole, and lowers the flag. Where it was taken for dead meanwhile, it raises another one and looks
again at what changed. Two builders for the same encoder fill the same generation, which is as good
as one: the second finds it current and leaves it alone, for others may have written it since. The
generation that was replaced is dropped by a sweep, GRACE later.

## Readers

A reader looks at the marks every POLL seconds. While they are as before and none is active, nothing
has changed. Otherwise, and every FULL seconds, it reads the versions (hashes) of all manifests,
then the manifests that have another, and looks for their paragraphs.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from typing import Any, Literal, cast

from index.errors import FootnoteError, IndexBusyError, IndexUnusableError
from index.store.collections import GenerationName
from index.store.server import Server

FORMAT = "1"

Kind = Literal["writer", "sweep", "swap"]
Phase = Literal["waiting", "active", "done"]


@dataclass(frozen=True, slots=True)
class Timing:
    """The times of the protocol in seconds; the same in all processes.

    Attributes:
        lease: after which a mark that does not move is dead.
        grace: for which a paragraph stays that no manifest names any more.
        poll: between two looks of a reader.
    """

    lease: float = 10.0
    grace: float = 600.0
    poll: float = 1.0

    @property
    def fresh(self) -> float:
        """For which a reader answers from what it last knew to be current without a look."""
        return min(self.lease, self.grace / 4)

    @property
    def beat(self) -> float:
        """Between two beats."""
        return self.lease / 5

    @property
    def retired(self) -> float:
        """After which a mark that is done may go."""
        return 6 * self.lease

    @property
    def full(self) -> float:
        """After which a reader looks at everything, whatever the marks say."""
        return 3 * self.lease


@dataclass(frozen=True, slots=True)
class Mark:
    """What a process says of itself."""

    kind: Kind
    phase: Phase
    beat: int = 0


@dataclass(frozen=True, slots=True)
class State:
    """What a look at the collection found.

    Attributes:
        marks: those that are not known to be dead, by name.
        generations: those that are whole, the current one last.
    """

    marks: Mapping[str, Mark]
    generations: tuple[GenerationName, ...]

    def active(self, *kinds: Kind) -> list[str]:
        """Names of the active marks of these kinds."""
        return [n for n, m in self.marks.items() if m.phase == "active" and m.kind in kinds]

    @property
    def token(self) -> frozenset[tuple[object, ...]]:
        """The same as long as nobody came to an end."""
        marks = {(name, mark.phase) for name, mark in self.marks.items()}
        return frozenset(marks | {(own.number, own.fingerprint) for own in self.generations})


class Roster:
    """The collection `state`: who is at work, and this process among them.

    Args:
        server: where it is.
        timing: of the protocol.
        wait: seconds to wait for others before giving up.
        on_wait: called with a sentence to show when there is a wait.

    Raises (any method):
        IndexUnavailableError, IndexFullError: the server is gone, or full.
    """

    def __init__(
        self,
        server: Server,
        timing: Timing,
        wait: float,
        on_wait: Callable[[str], None] | None = None,
    ) -> None:
        """Look whether it is there and of this format, or make it."""
        self.timing = timing
        self._server = server
        self._wait = wait
        self._on_wait = on_wait
        self._observed: dict[str, tuple[Mark, float]] = {}
        self._guard = threading.Lock()
        #: The mark of this process as a writer, while it is one.
        self._writer: _Own | None = None
        with server.translated():
            found = self._records.get(ids=["format"], include=["metadatas"])
        if not found["ids"]:
            self._put("format", {"kind": "format", "version": FORMAT})
        elif (version := (found["metadatas"] or [{}])[0].get("version")) != FORMAT:
            raise IndexUnusableError(
                f"The index on {server.address.shown} was made by another version of Footnote "
                f"(format {version}; this one reads {FORMAT}). Run that version, or name another "
                "database in FOOTNOTE_CHROMA (http://host:port/NAME) and add the documents there."
            )

    @property
    def _records(self) -> Any:
        return self._server.kept_collection("state")

    # --- looking -----------------------------------------------------------------------------

    def look(self) -> State:
        """Who is at work now. Marks that this process has found dead are deleted."""
        with self._server.translated():
            found = self._records.get(include=["metadatas"])
        now = time.monotonic()
        marks: dict[str, Mark] = {}
        generations = []
        for name, metadata in zip(found["ids"], found["metadatas"] or [], strict=True):
            if metadata["kind"] == "generation":
                generations.append(GenerationName.named(name))
            elif metadata["kind"] != "format":
                marks[name] = Mark(
                    cast(Kind, metadata["kind"]),
                    cast(Phase, metadata["phase"]),
                    int(metadata["beat"]),
                )
        dead = self._observe(marks, now)
        if dead:
            with self._server.translated():
                self._records.delete(ids=dead)
        return State(
            {name: mark for name, mark in marks.items() if name not in dead},
            tuple(sorted(own for own in generations if own)),
        )

    def _observe(self, marks: Mapping[str, Mark], now: float) -> list[str]:
        """Take note of which marks have moved; gives those that are dead or retired."""
        with self._guard:
            before = self._observed
            self._observed = {
                name: before[name] if name in before and before[name][0] == mark else (mark, now)
                for name, mark in marks.items()
            }
            return [
                name
                for name, (mark, since) in self._observed.items()
                if now - since
                > (self.timing.retired if mark.phase == "done" else self.timing.lease)
            ]

    # --- being there -------------------------------------------------------------------------

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Be a writer: no sweep deletes and no swap happens meanwhile.

        Raises:
            IndexBusyError: a flag stayed up for longer than the wait.
        """
        with self._present("writer") as own:
            self._writer = own
            try:
                self._enter(own)
                yield
            finally:
                self._writer = None

    def fence(self) -> None:
        """To be called by a writer before it puts manifests: where it was taken for dead, it comes
        in anew.

        Raises:
            IndexBusyError: a flag stayed up for longer than the wait.
        """
        own = self._writer
        if own is None:
            raise RuntimeError("manifests are put by writers")
        # Who waits is aside, and fills a generation that nobody reads and nobody sweeps.
        if own.phase != "waiting" and not own.is_in_place():
            self._enter(own)

    @contextmanager
    def flagged(self, kind: Literal["sweep", "swap"]) -> Iterator[Callable[[], bool]]:
        """Raise a flag; what is inside runs alone as long as what this gives says so.

        A `sweep` runs only where nobody writes. A `swap` waits until those who write have ended;
        this process must be `aside` meanwhile.

        Yields:
            Tells whether it may go on: nobody has come, and it was not taken for dead.

        Raises:
            IndexBusyError: others wrote for longer than the wait; of a sweep: at all.
        """

        def wait_for_writers() -> None:
            deadline = time.monotonic() + (self._wait if kind == "swap" else 0.0)
            while self.look().active("writer"):
                if time.monotonic() > deadline:
                    raise IndexBusyError(
                        f"Others write the index on {self._server.address.shown}. Try again later."
                    )
                time.sleep(self.timing.poll / 5)

        with self._present(kind) as own:
            own.put("active")
            wait_for_writers()

            def may_go_on() -> bool:
                if kind == "swap":
                    # One that came at the same moment sees the flag and withdraws: a swap is worth
                    # the wait.
                    wait_for_writers()
                    return own.is_in_place()
                # To a sweep who waits comes first.
                marks = self.look().marks.values()
                comes = any(mark.kind == "writer" and mark.phase != "done" for mark in marks)
                return not comes and own.is_in_place()

            yield may_go_on

    @contextmanager
    def aside(self) -> Iterator[None]:
        """A writer that steps aside for its own swap, and comes in again after it."""
        own = self._writer
        if own is None:
            raise RuntimeError("only a writer steps aside")
        own.put("waiting")
        yield
        self._enter(own)

    def finish(self, generation: GenerationName) -> None:
        """Record that a generation is whole."""
        self._put(generation.documents, {"kind": "generation"})

    def forget(self, generation: GenerationName) -> None:
        """Record that a generation is no more."""
        with self._server.translated():
            self._records.delete(ids=[generation.documents])

    def _enter(self, own: _Own) -> None:
        deadline = time.monotonic() + self._wait
        told = False
        while True:
            own.put("active")
            if not self.look().active("sweep", "swap"):
                return
            own.put("waiting")
            while self.look().active("sweep", "swap"):
                if self._on_wait and not told:
                    self._on_wait("Waiting for another machine, which tidies this index …")
                    told = True
                if time.monotonic() > deadline + self.timing.lease:
                    raise IndexBusyError(
                        f"The index on {self._server.address.shown} is being tidied or made anew "
                        f"by another machine; waited {self._wait:.0f} s. Try again later."
                    )
                time.sleep(self.timing.poll / 5)

    @contextmanager
    def _present(self, kind: Kind) -> Iterator[_Own]:
        """A mark of this process that beats; done at the end."""
        name = f"{kind}-{uuid.uuid4().hex}"
        own = _Own(self._put, self._has, name, Mark(kind, "waiting"))
        stop = threading.Event()

        def beat() -> None:
            while not stop.wait(self.timing.beat):
                # Who cannot reach the server is taken for dead, and finds out when it can again.
                with suppress(FootnoteError):
                    own.beat()

        heart = threading.Thread(target=beat, name=f"beat of {name}", daemon=True)
        heart.start()
        try:
            yield own
        finally:
            stop.set()
            heart.join()
            own.leave()

    def _has(self, name: str) -> bool:
        with self._server.translated():
            return bool(self._records.get(ids=[name], include=[])["ids"])

    def _put(self, name: str, metadata: Mapping[str, str | int]) -> None:
        with self._server.translated():
            self._records.upsert(ids=[name], embeddings=[[1.0]], metadatas=[dict(metadata)])


class _Own:
    """A mark of this process."""

    def __init__(
        self,
        put: Callable[[str, Mapping[str, str | int]], None],
        has: Callable[[str], bool],
        name: str,
        mark: Mark,
    ) -> None:
        self._put = put
        self._has = has
        self._name = name
        self._mark = mark
        self._lost = False
        self._guard = threading.Lock()

    @property
    def phase(self) -> Phase:
        """That in which it was last written."""
        return self._mark.phase

    def put(self, phase: Phase) -> None:
        """Write it in this phase; from now on it is in place."""
        with self._guard:
            self._write(phase)
            self._lost = False

    def beat(self) -> None:
        """Count up, unless somebody deleted it."""
        with self._guard:
            self._lost = self._lost or not self._has(self._name)
            if not self._lost:
                self._write(self._mark.phase)

    def is_in_place(self) -> bool:
        """Whether it was there without a break since it was put."""
        self.beat()
        return not self._lost

    def leave(self) -> None:
        """Say that all is done. Where that cannot be said, the mark is dead before long."""
        with suppress(FootnoteError), self._guard:
            self._write("done")

    def _write(self, phase: Phase) -> None:
        self._mark = replace(self._mark, phase=phase, beat=self._mark.beat + 1)
        mark = self._mark
        self._put(self._name, {"kind": mark.kind, "phase": mark.phase, "beat": mark.beat})

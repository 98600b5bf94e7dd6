"""How many machines write one index on a Chroma server, and none takes away what another needs.

Chroma has no transactions. All that is asked of it is this:

- **One call is all or nothing**, calls take effect one after the other, and who reads after one was
  acknowledged sees it. To add what is there, or to update what is not, changes nothing.
- A delete with a condition (`where`) looks and deletes within PAUSE seconds.
- Nothing is asked of clocks but that a second is about a second: no time is ever sent anywhere.

Nobody says that it is at work, and nobody waits for anybody, but a writer for another generation,
for LEASE seconds at most. A process may be killed or stall anywhere, and wake up at any time.

## What there is

Of the *generation* that is current (`collections`, `served`): paragraphs, addressed by content and
never changed; and one manifest a document, replaced in one call. A paragraph that no manifest names
does not exist for readers. In the collection `catalogue`:

- `<generation>`: that it is *whole*. The highest whole one is current.
- `<generation>:<attempt>`: that a builder is about to make it whole (it is *coming*), or has.
- `revision`: a random text, put anew by who has changed documents.

In the collection `state` is the `format`: who does not know it leaves everything alone. The format
before this one kept marks of those at work there, and the generations. Who opens such an index
moves the generations; then a process of that version that still runs finds none, and refuses to go
on.

## Invariants

1. *Whole*: a reader shows a version of a document only after it has found all of its paragraphs.
2. *Kept*: a paragraph that a manifest names is not deleted; one that a manifest named is there for
   GRACE seconds more. Nobody answers from what was last known to be current over GRACE / 2 ago.

## A sweep

A sweeper *condemns* what no manifest names: it gives the records of some paragraphs, in one call, a
random number. At a later look, GRACE after it has seen that number, it reads all manifests again,
*pardons* what one names by now (takes its number off), and deletes whatever has the number still.
Whoever has condemned it, anybody may delete it.

## A writer

1. *Claim* the paragraphs that it is going to name: pardon those that are condemned; where there
   were any, wait for PAUSE seconds and do so again; then look which are there. Add the others.
2. While that takes long, pardon them again every GRACE / 4 seconds.
3. Put the manifests, unless the claim is older than GRACE / 2 by now.
4. Where it is older, or was when the manifests had been put: begin again at 1, to find out whether
   something has gone.
5. Put the revision anew; see that the generation is still the current one (below).

Why nothing that is named is deleted: say that a sweep deletes a paragraph after a manifest that
names it was put. It had seen the number GRACE before it read the manifests. Where it read them
before this one was put, the number was there before the writer's claim, which was GRACE / 2 before
the manifest at most. The claim took it off; a delete that had looked just before is done by the end
of the pause, and the writer finds the paragraph gone and adds it. Where it read them after this one
was put, it has pardoned the paragraph itself.

Killed before 3: unnamed paragraphs stay, which the next run finds in 1, or a sweep takes. Killed
before 5: readers see the change FULL seconds later. Two that write the same document: the last one
counts.

## Another encoder

A builder fills a generation beside the current one until the versions in both are the same. Then it
adds a record of this attempt, as *coming*, copies what has changed since, and updates the record to
*whole*, which does nothing where the record is gone; if so, it begins again with the copying.

A writer looks at these records after it has put manifests. Where none is coming and its generation
is the current one, what it wrote was there before the builder's last copying. Where one is coming,
it waits until that is whole, and after LEASE seconds deletes the record, on the condition that it
is still coming: the builder is dead, or slow. Where another generation has become current, the
writer does its work again in that one.

Two builders for the same encoder fill the same generation, which is as good as one: each looks
before it puts manifests whether it is whole yet, and then leaves it alone, for others may have
written it since. (One that stalls between just that look and the call might put back the version of
a document that another replaced meanwhile; what it puts is whole, too.) The generation that was
replaced is dropped by a sweep, GRACE later.

## Readers

A reader reads the catalogue every POLL seconds. When the revision or the generation is another, and
every FULL seconds, it reads the versions (hashes) of all manifests, then the manifests that have
another, and looks for their paragraphs.
"""

from __future__ import annotations

import secrets
import time
import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from index.errors import IndexUnusableError
from index.store.chroma_server import Server
from index.store.collections import PAGE, GenerationName, batches, pages_of

FORMAT = "2"
MARKED = "1"
"""The format before, in which those at work left marks."""


@dataclass(frozen=True, slots=True)
class Timing:
    """The times of the protocol in seconds; the same in all processes.

    Attributes:
        lease: for which a writer waits for a generation that is coming.
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
    def full(self) -> float:
        """After which a reader looks at everything, whatever the revision says."""
        return 3 * self.lease


@dataclass(frozen=True, slots=True)
class State:
    """What the catalogue says.

    Attributes:
        revision: another one after each change.
        generations: those that are whole, the current one last.
        coming: names of the records of those that are about to be.
    """

    revision: str
    generations: tuple[GenerationName, ...]
    coming: tuple[str, ...]


def condemn(collection: Any, records: Mapping[str, Sequence[str]]) -> dict[str, int]:
    """Condemn what is not condemned yet.

    Args:
        collection: where the records are.
        records: the ids of all records of each thing.

    Returns:
        The number of each thing.
    """
    numbers: dict[str, int] = {}
    for page in pages_of([max(own) for own in records.values()]):
        found = collection.get(ids=page, include=["metadatas"])
        for record, metadata in zip(found["ids"], found["metadatas"], strict=True):
            if number := (metadata or {}).get("condemned"):
                numbers[record.partition(":")[0]] = number
    rest = [own for thing, own in records.items() if thing not in numbers]
    for batch in batches(rest, PAGE):
        number = 1 + secrets.randbelow(2**52)
        collection.update(ids=batch, metadatas=[{"condemned": number}] * len(batch))
        numbers |= dict.fromkeys((record.partition(":")[0] for record in batch), number)
    return numbers


def pardon(collection: Any, things: Collection[str]) -> bool:
    """Pardon those of these things that are condemned; whether any was."""
    condemned: dict[str, list[str]] = {}
    for record in collection.get(where={"condemned": {"$gt": 0}}, include=[])["ids"]:
        if (thing := record.partition(":")[0]) in things:
            condemned.setdefault(thing, []).append(record)
    for batch in batches(condemned.values(), PAGE):
        collection.update(ids=batch, metadatas=[{"condemned": 0}] * len(batch))
    return bool(condemned)


class Catalogue:
    """The collection `catalogue` of a server: which generation is current, and the revision.

    Raises (any method):
        IndexUnavailableError, IndexFullError: the server is gone, or full.
    """

    def __init__(self, server: Server, timing: Timing) -> None:
        """Look whether the index is of this format, or make it.

        Raises:
            IndexUnusableError: it is of another.
        """
        self.timing = timing
        self._server = server
        self._enter()

    def _enter(self) -> None:
        state: Any = self._server.collection("state")
        found = state.get(include=["metadatas"])
        kept: dict[str, Any] = dict(zip(found["ids"], found["metadatas"] or [], strict=True))
        version = kept.pop("format", {}).get("version")
        if version not in (None, MARKED, FORMAT):
            raise IndexUnusableError(
                f"The index on {self._server.address.shown} was made by another version of "
                f"Footnote (format {version}; this one reads {FORMAT}). Run that version, or name "
                "another database in FOOTNOTE_CHROMA (http://host:port/NAME) and add the documents "
                "there."
            )
        if version == MARKED:
            for name in [name for name, own in kept.items() if own["kind"] == "generation"]:
                self.add(name, whole=True)
        if version != FORMAT:
            state.upsert(
                ids=["format"],
                embeddings=[[1.0]],
                metadatas=[{"kind": "format", "version": FORMAT}],
            )
        if kept:
            state.delete(ids=list(kept))

    @property
    def _records(self) -> Any:
        return self._server.collection("catalogue")

    def read(self) -> State:
        """What it says now."""
        found = self._records.get(include=["metadatas"])
        records = dict(zip(found["ids"], found["metadatas"] or [], strict=True))
        revision = str(records.pop("revision", {}).get("revision", ""))
        whole = [GenerationName.named(name) for name, own in records.items() if own["whole"]]
        coming = tuple(name for name, own in records.items() if not own["whole"])
        return State(revision, tuple(sorted({own for own in whole if own})), coming)

    def changed(self) -> None:
        """Say that documents were changed."""
        self._records.upsert(
            ids=["revision"], embeddings=[[1.0]], metadatas=[{"revision": uuid.uuid4().hex}]
        )

    def stands(self, generation: GenerationName) -> bool:
        """Whether what was just written to a generation is in the current one, or will be."""
        deadline = time.monotonic() + self.timing.lease
        while (state := self.read()).coming:
            if time.monotonic() < deadline:
                time.sleep(self.timing.poll / 5)
            else:
                self._records.delete(ids=list(state.coming), where={"whole": False})
        return state.generations[-1:] == (generation,)

    def announce(self, generation: GenerationName) -> str:
        """Say that a generation is coming; gives the name of the record."""
        name = f"{generation.documents}:{uuid.uuid4().hex}"
        self.add(name, whole=False)
        return name

    def conclude(self, name: str) -> None:
        """Say that what that record announced is whole; nothing where somebody deleted it."""
        self._records.update(ids=[name], metadatas=[{"whole": True}])

    def forget(self, generation: GenerationName) -> None:
        """Say that a generation is no more."""
        names = self._records.get(include=[])["ids"]
        self._records.delete(ids=[n for n in names if n.startswith(generation.documents)])

    def add(self, name: str, *, whole: bool) -> None:
        """Say of a generation, or an attempt at one, that it is whole, or is coming."""
        self._records.add(ids=[name], embeddings=[[1.0]], metadatas=[{"whole": whole}])

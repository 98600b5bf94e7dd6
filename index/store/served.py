"""What the index keeps on a Chroma server: the same collections as in a folder, and a version of
each manifest that can be read without it. Who may write what, and when, is told in `protocol`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Generator, Sequence
from typing import Any

from index.errors import EncoderError, IndexUnusableError
from index.store.chroma_server import Server
from index.store.collections import Generation, GenerationName
from index.store.manifest import Manifest, ParagraphText
from index.store.protocol import Catalogue, State, pardon

#: Seconds until a delete is done whose condition held just before a pardon.
PAUSE = 1.0


class ServedGeneration(Generation):
    """A generation on a server.

    Args:
        server: where it is.
        name: which.
        grace: of the protocol.
        may_put: asked before manifests are put or deleted; who builds may not once it is whole.
    """

    def __init__(
        self,
        server: Server,
        name: GenerationName,
        grace: float,
        may_put: Callable[[], bool] = lambda: True,
    ) -> None:
        """Open or make its collections."""
        super().__init__(server, name, lambda: None)
        self._grace = grace
        self._may_put = may_put
        self._claimed: Collection[str] = ()
        self._since = float("-inf")
        self._keeps = True

    # --- documents ---------------------------------------------------------------------------

    def versions(self) -> dict[str, str]:
        """The versions of all manifests, by document."""
        records = self._documents.get(where={"kind": "version"}, include=["metadatas"])
        pairs = zip(records["ids"], records["metadatas"] or [], strict=True)
        return {
            identity.removesuffix(":version"): str(metadata["version"])
            for identity, metadata in pairs
        }

    def put_manifests(self, manifests: Sequence[Manifest]) -> None:
        """See `Generation`; does nothing where the claim on their paragraphs has lapsed."""
        self._renew()
        if self._is_timely and self._may_put():
            super().put_manifests(manifests)
        self._keeps = self._keeps and self._is_timely

    def _records_of(self, manifest: Manifest) -> list[tuple[str, dict[str, str]]]:
        [(identity, own)] = super()._records_of(manifest)
        version = {"kind": "version", "version": own["sha256"]}
        return [(identity, {"kind": "manifest", **own}), (f"{identity}:version", version)]

    def delete_manifest(self, document_id: str) -> None:
        """See `Generation`."""
        if self._may_put():
            super().delete_manifest(document_id)

    # --- paragraphs --------------------------------------------------------------------------

    def claim(self, ids: Collection[str]) -> set[str]:
        """See `Generation`; they stay for GRACE / 2, and longer while others are added."""
        self._claimed, self._keeps = ids, True
        self._since = time.monotonic()
        while self._pardon():
            time.sleep(PAUSE)
            self._since = time.monotonic()
        return self.held(ids)

    @property
    def keeps_claim(self) -> bool:
        """See `Generation`."""
        return self._keeps

    def add(self, paragraphs: Sequence[ParagraphText], vectors: Sequence[Any]) -> None:
        """See `Generation`."""
        self._renew()
        super().add(paragraphs, vectors)

    @property
    def _is_timely(self) -> bool:
        return time.monotonic() - self._since < self._grace / 2

    def _renew(self) -> None:
        now = time.monotonic()
        if self._grace / 4 < now - self._since < self._grace / 2:
            self._pardon()
            self._since = now

    def _pardon(self) -> bool:
        """Pardon the paragraphs that are claimed; whether any was condemned."""
        return pardon(self.sentences, self._claimed)


class ServedStore:
    """The index on a server, for the encoder of that fingerprint; as `store.Store` in a folder.

    Attributes:
        name: of the current generation.
        generation: the current one; while it is rebuilt, the new one.
        stale: why it can only be rebuilt; None where it can be used.
    """

    def __init__(
        self, server: Server, catalogue: Catalogue, fingerprint: str, state: State
    ) -> None:
        """Take the current generation of what the catalogue said; where there is none, make the
        first."""
        self._server = server
        self._catalogue = catalogue
        self._fingerprint = fingerprint
        self._former: ServedGeneration | None = None
        first = GenerationName(1, fingerprint)
        self.name = state.generations[-1] if state.generations else first
        self.generation = self._open(self.name)
        if not state.generations:
            catalogue.add(first.documents, whole=True)
        self.stale: IndexUnusableError | EncoderError | None = None
        if self.name.fingerprint != fingerprint:
            self.stale = EncoderError(
                f"The index on {server.address.shown} was made with another encoder (fingerprint "
                f"{self.name.fingerprint}, this one has {fingerprint}). Nothing that was indexed "
                "is lost: add documents (or call Index.migrate) with this encoder, and the vectors "
                "are made again first; machines with the other one answer until then."
            )

    def rebuilding(self) -> Generator[list[Manifest]]:
        """See `Store.rebuilding`; goes on until the new generation has all that others wrote into
        the old one meanwhile."""
        name, former = self._next_name(), self.generation
        self._former = former
        self.generation = self._open(name, lambda: not self._is_whole(name))
        yield self._missing(former)
        while not self._is_whole(name):
            attempt = self._catalogue.announce(name)
            yield self._missing(former)  # for others may have written since
            for gone in self.generation.versions().keys() - former.versions().keys():
                self.generation.delete_manifest(gone)
            self._catalogue.conclude(attempt)
        self.generation = self._open(name)
        self.name, self.stale, self._former = name, None, None

    def _is_whole(self, name: GenerationName) -> bool:
        return name in self._catalogue.read().generations

    def former(self, ids: Sequence[str]) -> dict[str, ParagraphText]:
        """Read paragraphs by id from the generation that is being replaced."""
        return self._former.texts(ids) if self._former else {}

    def _missing(self, former: ServedGeneration) -> list[Manifest]:
        """What the generation that is being built has not, or in another version."""
        there = self.generation.versions()
        missing = [i for i, own in former.versions().items() if there.get(i) != own]
        return former.manifests(ids=missing)

    def _open(
        self, name: GenerationName, may_put: Callable[[], bool] = lambda: True
    ) -> ServedGeneration:
        return ServedGeneration(self._server, name, self._catalogue.timing.grace, may_put)

    def _next_name(self) -> GenerationName:
        """The generation that is being built for this encoder, or a new one."""
        names = {own for name in self._server.names() if (own := GenerationName.named(name))}
        begun = [n for n in names if n.fingerprint == self._fingerprint and n > self.name]
        highest = max((name.number for name in names), default=0)
        return max(begun) if begun else GenerationName(highest + 1, self._fingerprint)

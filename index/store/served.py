"""What the index keeps on a Chroma server: the same collections as in a folder, and a version of
each manifest that can be read without it. Who may write what, and when, is told in `protocol`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from index.encoder import Vectors
from index.errors import EncoderError, IndexUnusableError
from index.models import text_hash
from index.store.collections import Generation, GenerationName, manifest_of, pages_of
from index.store.manifest import Manifest, ParagraphText
from index.store.protocol import Roster, State
from index.store.server import Server

IDS = 10_000  # ids read a call


@dataclass(frozen=True, slots=True)
class Removed:
    """What was read of paragraphs before they were deleted; they can be put back from it."""

    texts: tuple[ParagraphText, ...]
    vectors: tuple[Vectors, ...]


class ServedGeneration(Generation):
    """A generation on a server.

    Args:
        server: where it is.
        name: which.
        fence: called before anything is named or taken away: see `protocol`.
    """

    shared = True

    def __init__(self, server: Server, name: GenerationName, fence: Callable[[], None]) -> None:
        """Open or make its collections."""
        super().__init__(server, name, lambda: None)
        self._fence = fence

    # --- documents ---------------------------------------------------------------------------

    def versions(self) -> dict[str, str]:
        """The versions of all manifests, by document."""
        with self._translated():
            records = self._documents.get(where={"kind": "version"}, include=["metadatas"])
        pairs = zip(records["ids"], records["metadatas"] or [], strict=True)
        return {
            identity.removesuffix(":version"): str(metadata["version"])
            for identity, metadata in pairs
        }

    def read(self, documents: Sequence[str]) -> list[Manifest]:
        """The manifests of these documents, ordered by source; of those that are still there."""
        found = []
        with self._translated():
            for page in pages_of(documents):
                records = self._documents.get(ids=page, include=["metadatas"])
                pairs = zip(records["ids"], records["metadatas"] or [], strict=True)
                found += [manifest_of(identity, metadata) for identity, metadata in pairs]
        return sorted(found, key=lambda manifest: manifest.source)

    def put_manifests(self, manifests: Sequence[Manifest]) -> None:
        """See `Generation`; a manifest and its version are put in one call."""
        if not manifests:
            return
        self._fence()
        with self._translated():
            for page in pages_of(manifests):
                texts = [manifest.to_json() for manifest in page]
                hashes = [text_hash(text) for text in texts]
                metadatas: list[dict[str, str]] = [
                    {"kind": "manifest", "manifest": text, "sha256": digest}
                    for text, digest in zip(texts, hashes, strict=True)
                ]
                metadatas += [{"kind": "version", "version": digest} for digest in hashes]
                self._documents.upsert(
                    ids=[m.id for m in page] + [f"{m.id}:version" for m in page],
                    embeddings=cast(Any, [[1.0]] * len(metadatas)),
                    metadatas=cast(Any, metadatas),
                )

    def delete_manifest(self, document_id: str) -> None:
        """See `Generation`."""
        self._fence()
        with self._translated():
            self._documents.delete(ids=[document_id, f"{document_id}:version"])

    # --- paragraphs --------------------------------------------------------------------------

    def stored(self) -> dict[str, set[str]]:
        """The ids of the records of all paragraphs, whole or not, named or not. What comes or goes
        meanwhile may be missing."""
        found: dict[str, set[str]] = {}
        offset = 0
        while True:
            with self._translated():
                ids = self._sentences.get(limit=IDS, offset=offset, include=[])["ids"]
            for record in ids:
                found.setdefault(record.partition(":")[0], set()).add(record)
            if len(ids) < IDS:
                return found
            offset += IDS

    def remove_paragraphs(self, records: Mapping[str, Collection[str]]) -> Removed:
        """Delete these records of paragraphs; gives what is needed to put back those that were
        whole."""
        texts = self.texts(list(records))
        vectors = self.vectors(texts.values())
        with self._translated():
            for page in pages_of(sorted(record for own in records.values() for record in own)):
                self._sentences.delete(ids=page)
        return Removed(tuple(texts.values()), tuple(vectors[identity] for identity in texts))

    def put_back(self, removed: Removed, named: Collection[str]) -> None:
        """Store again those of the paragraphs that are named."""
        pairs = zip(removed.texts, removed.vectors, strict=True)
        back = [(text, own) for text, own in pairs if text.id in named]
        if back:
            self.add([text for text, _ in back], [own for _, own in back])

    def _vectors_lost(self, identity: str) -> Exception:
        return self.lost([identity])


class ServedStore:
    """The index on a server, for the encoder of that fingerprint; as `store.Store` in a folder.

    Attributes:
        generation: the current one; while it is rebuilt, the new one.
        stale: why it can only be rebuilt; None where it can be used.
    """

    def __init__(self, server: Server, roster: Roster, fingerprint: str, state: State) -> None:
        """Take the current generation of what a look found; where there is none, make the first."""
        self._server = server
        self._roster = roster
        self._fingerprint = fingerprint
        self._former: ServedGeneration | None = None
        self.name = self._first() if not state.generations else state.generations[-1]
        self.generation = self._open(self.name)
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
        former = self._former = self.generation
        self.generation = self._open(self._next_name())
        while not self._is_current() and (missing := self._missing(former)):
            yield missing
        with self._roster.aside():
            while not (yield from self._swap(former)):
                pass  # taken for dead meanwhile, so others may have written
        self.name, self.stale, self._former = self.generation.name, None, None

    def _swap(self, former: ServedGeneration) -> Generator[list[Manifest], None, bool]:
        """Make the new generation the current one while others wait; tells whether they did."""
        with self._roster.flagged("swap") as may_go_on:
            if self._is_current():
                return True  # another builder was first, and what is there may be newer since
            # One may have written after the last look.
            if missing := self._missing(former):
                yield missing
            for gone in self.generation.versions().keys() - former.versions().keys():
                self.generation.delete_manifest(gone)
            if not may_go_on():
                return False
            self._roster.finish(self.generation.name)
        return True

    def _is_current(self) -> bool:
        return self.generation.name in self._roster.look().generations

    def former(self, ids: Sequence[str]) -> dict[str, ParagraphText]:
        """Read paragraphs by id from the generation that is being replaced."""
        return self._former.texts(ids) if self._former else {}

    def _missing(self, former: ServedGeneration) -> list[Manifest]:
        """What the generation that is being built has not, or in another version."""
        there = self.generation.versions()
        return former.read([i for i, own in former.versions().items() if there.get(i) != own])

    def _open(self, name: GenerationName) -> ServedGeneration:
        return ServedGeneration(self._server, name, self._roster.fence)

    def _first(self) -> GenerationName:
        name = GenerationName(1, self._fingerprint)
        self._open(name)
        self._roster.finish(name)
        return name

    def _next_name(self) -> GenerationName:
        """The generation that is being built for this encoder, or a new one."""
        with self._server.translated():
            names = {own for name in self._server.names() if (own := GenerationName.named(name))}
        begun = [n for n in names if n.fingerprint == self._fingerprint and n > self.name]
        highest = max((name.number for name in names), default=0)
        return max(begun) if begun else GenerationName(highest + 1, self._fingerprint)

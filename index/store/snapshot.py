"""Snapshot: what is in the index at one moment, read once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from copy import copy
from functools import cached_property, partial
from typing import Generic, TypeVar

from index.encoder import Vectors
from index.errors import MissingPathError
from index.models import text_hash
from index.store.collections import Generation
from index.store.manifest import Manifest, ParagraphText
from index.store.scope import Scope, keys_of
from index.terms.lexical import LexicalIndex

CACHED_VECTORS = 20_000  # sentences whose vectors stay in memory: 30 MB at 384 dimensions
CACHED_TEXTS = 20_000  # paragraphs whose texts stay in memory
#: Paragraphs of scopes that stay in memory, but for the last one: 60 MB a million.
CACHED_SCOPES = 2_000_000

_Thing = TypeVar("_Thing")


class BoundedCache(Generic[_Thing]):
    """What was read, by id, as long as it is not too much. May be used from many threads.

    Args:
        limit: of the sizes of all.
        size: of one; 1 when left out.
    """

    def __init__(self, limit: int, size: Callable[[_Thing], int] = lambda _: 1) -> None:
        self._limit = limit
        self._size = size
        self._guard = threading.Lock()
        self._things: dict[str, _Thing] = {}
        self.size = 0

    def get(
        self, identities: Sequence[str], read: Callable[[list[str]], Mapping[str, _Thing]]
    ) -> dict[str, _Thing]:
        """The things of these ids; those that are not there are read."""
        known = self._things  # bound anew by a thread that finds it full
        # A text that stands in several places has one id: it is asked for once.
        missing = [i for i in dict.fromkeys(identities) if i not in known]
        fresh = read(missing) if missing else {}
        size = sum(map(self._size, fresh.values()))
        with self._guard:
            if self.size + size > self._limit:
                self._things, self.size = {}, 0
            if size <= self._limit:
                self._things.update(fresh)
                self.size += size
        return {i: fresh[i] if i in fresh else known[i] for i in identities}


class Snapshot:
    """All documents at one revision, the scopes of them that were asked for, and what was read."""

    def __init__(
        self,
        generation: Generation,
        terms: LexicalIndex,
        texts: BoundedCache[ParagraphText],
        manifests: Sequence[Manifest],
    ) -> None:
        """`terms` and `texts` are those of all revisions; `manifests` are ordered by source."""
        self.manifests = {manifest.id: manifest for manifest in manifests}
        #: When it was last known to be the present one, by this machine's monotonic clock; of use
        #: only where other machines write.
        self.confirmed = 0.0
        self._generation = generation
        self._terms = terms
        # Not by a method of this object: it is to be gone when the session lets go of it.
        terms.follow(partial(keys_of, self.manifests.values()))
        self._guard = threading.RLock()
        self._scopes: dict[frozenset[str], Scope] = {}
        #: Paragraph texts that were read. Their ids are of what they say, so none is out of date.
        self.texts = texts
        self._vectors = BoundedCache[Vectors](CACHED_VECTORS, len)

    def on(self, generation: Generation) -> Snapshot:
        """The same documents, read from a generation that was opened anew."""
        other = copy(self)
        other._generation = generation  # noqa: SLF001
        return other

    @cached_property
    def revision(self) -> str:
        """Names what is in it: the same documents have the same, wherever they are kept."""
        versions = sorted(f"{m.id} {m.version}" for m in self.manifests.values())
        return text_hash("\n".join(versions))[:16]

    @cached_property
    def size(self) -> int:
        """How many paragraphs all documents have, those that stand in several places repeated."""
        return sum(len(manifest.places) for manifest in self.manifests.values())

    def paragraphs(self, documents: Collection[str] | None = None) -> set[str]:
        """The ids of all paragraphs that a document has, or one of these documents."""
        return {
            place.id
            for identity, manifest in self.manifests.items()
            if documents is None or identity in documents
            for place in manifest.places
        }

    def manifest(self, document_id: str) -> Manifest:
        """The manifest of a document.

        Raises:
            MissingPathError: there is none of that id.
        """
        if document_id not in self.manifests:
            raise MissingPathError(
                f"There is no document {document_id!r} in the index. "
                "`footnote index list` shows those that are."
            )
        return self.manifests[document_id]

    def scope(self, documents: Collection[str] | None) -> Scope:
        """The scope of these documents, or of all, made when it is first asked for.

        Raises:
            MissingPathError: a document is not in the index.
        """
        with self._guard:
            chosen = self._all if documents is None else frozenset(documents)
            if chosen in self._scopes:
                self._scopes[chosen] = scope = self._scopes.pop(chosen)  # the last one asked
                return scope
            for identity in chosen:
                self.manifest(identity)
            manifests = [own for identity, own in self.manifests.items() if identity in chosen]
            scope = Scope(manifests, self._terms, self.texts_of)
            self._scopes[chosen] = scope
            while sum(own.size for own in self._scopes.values()) > CACHED_SCOPES:
                oldest = next(iter(self._scopes))
                if oldest == chosen:
                    break
                del self._scopes[oldest]
            return scope

    @cached_property
    def _all(self) -> frozenset[str]:
        return frozenset(self.manifests)

    def texts_of(self, identities: Sequence[str]) -> dict[str, ParagraphText]:
        """Paragraph texts by id, from memory or the store.

        Raises:
            IndexCorruptedError: one is not there.
        """
        return self.texts.get(identities, self._read_texts)

    def _read_texts(self, identities: Sequence[str]) -> dict[str, ParagraphText]:
        read = self._generation.texts(identities)
        if len(read) < len(identities):
            raise self._generation.lost(set(identities) - read.keys())
        return read

    def nearest(self, vector: Vectors, count: int) -> list[tuple[str, int, float]]:
        """See `Generation.nearest`."""
        return self._generation.nearest(vector, count)

    def vectors(self, identities: Sequence[str]) -> dict[str, Vectors]:
        """The vectors of the paragraphs' sentences, by id, from memory or the store.

        Raises:
            IndexCorruptedError: one is not there.
        """
        return self._vectors.get(
            identities, lambda own: self._generation.vectors(self.texts_of(own).values())
        )

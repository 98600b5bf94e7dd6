"""Snapshot: what is in the index at one moment, read once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import cached_property, partial
from typing import Generic, TypeVar

import numpy as np

from index.database.database import Database
from index.encoder import Vectors
from index.errors import IndexChangedError, IndexCorruptedError, MissingPathError
from index.models import text_hash
from index.store import documents
from index.store.chroma import Nearest
from index.store.manifest import Manifest, ParagraphText, Rows
from index.store.scope import Scope, keys_of
from index.store.vector_file import VectorStore
from index.terms.hashes import Keys, keys_of_ids
from index.terms.lexical import LexicalIndex

CACHED_VECTORS = 20_000  # sentences whose vectors stay in memory: 30 MB at 384 dimensions
CACHED_TEXTS = 20_000  # paragraphs whose texts stay in memory
#: Paragraphs of scopes that stay in memory, but for the last one: 60 MB a million.
CACHED_SCOPES = 2_000_000

_CHANGED = "The documents changed while they were read. Ask again."

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
    """All documents at one revision, the scopes of them that were asked for, and what was read.

    Args:
        database: where the texts are.
        vectors: the vectors of the generation in use.
        terms: those of all revisions.
        texts: likewise; ids of paragraphs are of what they say, so none is out of date.
        manifests: the documents, ordered by source.
    """

    def __init__(
        self,
        database: Database,
        vectors: VectorStore,
        terms: LexicalIndex,
        texts: BoundedCache[ParagraphText],
        manifests: Sequence[Manifest],
    ) -> None:
        self.manifests = {manifest.id: manifest for manifest in manifests}
        self._database = database
        self._store = vectors
        self._terms = terms
        # Not by a method of this object: it is to be gone when nobody reads it any more.
        terms.follow(partial(keys_of, self.manifests.values()))
        self._guard = threading.RLock()
        self._scopes: dict[frozenset[str], Scope] = {}
        self.texts = texts
        self._vectors = BoundedCache[Vectors](CACHED_VECTORS, len)

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
        try:
            with self._database.read() as connection:
                read = documents.texts(connection, identities)
        except ValueError as error:
            raise IndexCorruptedError(
                f"The database {self._database.shown} is damaged ({error}). Put it back from a "
                "backup, or add the document again."
            ) from error
        if len(read) < len(identities):
            raise IndexChangedError(_CHANGED)
        return read

    @cached_property
    def _every(self) -> tuple[Keys, Rows]:
        """The paragraphs of all documents, one after the other, by their keys; and their rows."""
        own = [np.empty(0, np.uint64), *(m.keys[0] for m in self.manifests.values())]
        rows = Rows.joined(manifest.rows for manifest in self.manifests.values())
        return Keys(np.concatenate(own)), rows

    @cached_property
    def rows(self) -> Rows:
        """The rows of all paragraphs, each once, in the order of their vectors."""
        _, every = self._every
        _, firsts = np.unique(every.positions, return_index=True)
        return every[firsts]

    def nearest(self, vector: Vectors, count: int) -> list[Nearest]:
        """See `VectorStore.nearest`."""
        return self._store.nearest(vector, count, self.rows)

    def vectors(self, identities: Sequence[str]) -> dict[str, Vectors]:
        """The vectors of the paragraphs' sentences, by id, from memory or the store.

        Raises:
            IndexCorruptedError: they are not there.
        """
        return self._vectors.get(identities, self._read_vectors)

    def _read_vectors(self, identities: Sequence[str]) -> dict[str, Vectors]:
        keys, every = self._every
        found = keys.find(keys_of_ids(identities))
        if (found < 0).any():
            raise IndexCorruptedError("There is no paragraph of one of these ids in the index.")
        rows = every[found]
        try:
            return dict(zip(identities, self._store.read(rows), strict=True))
        except IndexCorruptedError:
            with self._database.read() as connection:
                if documents.are_there(connection, rows.rows.tolist()):
                    raise
            raise IndexChangedError(_CHANGED) from None

"""Snapshot: what is in the index at one moment, read once; and scopes: some documents, as if they
alone were the index."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import cached_property, partial
from typing import Generic, TypeVar

import numpy as np

from index.database.database import Database
from index.encoder import Vectors
from index.errors import IndexChangedError, IndexCorruptedError, MissingPathError
from index.models import Paragraph, text_hash
from index.store import documents
from index.store.chroma import Nearest
from index.store.manifest import NO_ROWS, Manifest, ParagraphText, Rows
from index.store.vectors import VectorStore
from index.terms.analysis import Numbers
from index.terms.bm25 import NO_KEYS, BM25Index, Keys, Positions, keys_of_ids, sums
from index.terms.lexical import LexicalIndex

MAX_CACHED_VECTORS = 20_000  # sentences whose vectors stay in memory: 30 MB at 384 dimensions
MAX_CACHED_TEXTS = 20_000  # paragraphs whose texts stay in memory
#: Paragraphs of scopes that stay in memory, but for the last one: 60 MB a million.
MAX_CACHED_SCOPES = 2_000_000

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


#: Reads paragraphs by id, all of them or raises.
Reader = Callable[[Sequence[str]], Mapping[str, ParagraphText]]


class Scope:
    """What may be found in some documents. A paragraph is known by its position: a text that stands
    in several places is one, where it stands first. Compact, for there may be millions.

    Args:
        manifests: of the documents, in their order.
        index: where the terms are kept.
        read: where the texts are had from.

    Attributes:
        languages: those of the documents.
        terms: the terms of the paragraphs, by position.
    """

    def __init__(self, manifests: Sequence[Manifest], index: LexicalIndex, read: Reader) -> None:
        self._manifests = manifests
        counts = np.array([len(manifest.places) for manifest in manifests], dtype=np.int32)
        #: The places of the documents one after the other: where those of each begin.
        self._starts = sums(counts)
        keys = np.concatenate([NO_KEYS, *(manifest.keys[0] for manifest in manifests)])
        self._keys = Keys(keys)
        #: For each row of a paragraph a place that has it, and the key of that place.
        self._rows = Keys(
            np.concatenate([NO_ROWS.rows, *(m.rows.rows for m in manifests)]).astype(np.uint64)
        )
        self._key_of_place = keys
        #: By position, which of these places it is.
        self._places = np.sort(self._keys.firsts)
        self.size = len(self._places)
        self.languages = tuple(dict.fromkeys(manifest.language for manifest in manifests))
        #: What `unit` gave: the same paragraphs are found again.
        self._units: dict[int, int] = {}

        segments, firsts = index.cover(
            keys_of(manifests), counts, lambda numbers: self._texts(numbers, read)
        )
        rows = np.repeat(firsts - self._starts[:-1], counts)[self._places] + self._places
        self.terms = BM25Index(segments, rows, self._by_language())

    def paragraphs(
        self, ids: Mapping[int, str], texts: Mapping[str, ParagraphText]
    ) -> list[Paragraph]:
        """Paragraphs, each where it stands first.

        Args:
            ids: of them, by position.
            texts: by id.
        """
        found = []
        for position, identity in ids.items():
            manifest, number = self._place(int(self._places[position]))
            found.append(manifest.paragraph(number, texts[identity]))
        return found

    def ids(self, positions: Iterable[int]) -> dict[int, str]:
        """The ids of paragraphs, by position."""
        found = {}
        for position in positions:
            manifest, number = self._place(int(self._places[position]))
            found[position] = manifest.places[number - 1].id
        return found

    @cached_property
    def all_ids(self) -> list[str]:
        """The ids of all paragraphs, by position; of a scope of few."""
        return list(self.ids(range(self.size)).values())

    def positions(self, rows: Sequence[int]) -> list[int | None]:
        """Where paragraphs are, by their rows; None of those that are not in the scope."""
        any_place = self._rows.find(np.array(rows, dtype=np.uint64))
        # The same text may have several rows, of documents that were added at the same time.
        places = np.where(any_place < 0, -1, self._keys.find(self._key_of_place[any_place]))
        positions = np.searchsorted(self._places, places).tolist()
        return [
            None if place < 0 else position
            for place, position in zip(places.tolist(), positions, strict=True)
        ]

    def unit(self, position: int) -> int:
        """The position of the paragraph that one leads into, where that is all it does; or its
        own."""
        known = self._units.get(position)
        if known is None:
            if len(self._units) >= MAX_CACHED_TEXTS:
                self._units = {}
            self._units[position] = known = self._unit(position)
        return known

    def _unit(self, position: int) -> int:
        manifest, number = self._place(place := int(self._places[position]))
        if number == len(manifest.places) or manifest.rows.sentences[number - 1] > 1:
            return position
        here, below = manifest.places[number - 1 : number + 1]
        if below.lead is None or not here.start <= below.lead.start < here.end:
            return position
        first = self._keys.find(self._key_of_place[place + 1 : place + 2])
        return int(np.searchsorted(self._places, first)[0])

    def _place(self, place: int) -> tuple[Manifest, int]:
        """The document of a place, and the paragraph's number in it, from 1."""
        document = int(np.searchsorted(self._starts, place, "right")) - 1
        return self._manifests[document], place - int(self._starts[document]) + 1

    def _texts(self, numbers: Sequence[int], read: Reader) -> tuple[list[str], list[str]]:
        """What each paragraph of documents is found by, the words above it too, and its
        language."""
        manifests = [self._manifests[number] for number in numbers]
        places = [place for manifest in manifests for place in manifest.places]
        texts = read([place.id for place in places])
        return (
            [f"{place.above} {texts[place.id].text}" for place in places],
            [manifest.language for manifest in manifests for _ in manifest.places],
        )

    def _by_language(self) -> dict[str, Positions]:
        if len(self.languages) < 2:
            return dict.fromkeys(self.languages, slice(None))
        code = {language: n for n, language in enumerate(self.languages)}
        of_document = np.array([code[m.language] for m in self._manifests], dtype=np.int32)
        of_place = np.repeat(of_document, np.diff(self._starts))[self._places]
        return {language: np.flatnonzero(of_place == n) for language, n in code.items()}


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
        self._vectors = BoundedCache[Vectors](MAX_CACHED_VECTORS, len)

    @cached_property
    def revision(self) -> str:
        """Names what is in it: the same documents have the same, wherever they are kept."""
        versions = sorted(
            f"{m.id} {m.version} {m.custom_title}".strip() for m in self.manifests.values()
        )
        return text_hash("\n".join(versions))[:16]

    @cached_property
    def size(self) -> int:
        """How many paragraphs all documents have, those that stand in several places repeated."""
        return sum(len(manifest.places) for manifest in self.manifests.values())

    def paragraphs(self) -> set[str]:
        """The ids of all paragraphs that a document has."""
        return {place.id for manifest in self.manifests.values() for place in manifest.places}

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
            manifests = [one for identity, one in self.manifests.items() if identity in chosen]
            scope = Scope(manifests, self._terms, self.texts_of)
            self._scopes[chosen] = scope
            while sum(scope.size for scope in self._scopes.values()) > MAX_CACHED_SCOPES:
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
        keys = np.concatenate([NO_KEYS, *(m.keys[0] for m in self.manifests.values())])
        return Keys(keys), Rows.joined(manifest.rows for manifest in self.manifests.values())

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


def keys_of(manifests: Collection[Manifest]) -> Numbers:
    """The keys of what the terms of documents depend on, uint64 [documents]."""
    return np.fromiter((manifest.keys[1] for manifest in manifests), np.uint64, len(manifests))

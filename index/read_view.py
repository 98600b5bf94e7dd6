"""View: the documents of an index at one moment, searchable.

Whatever is read of one view is of one revision of the index, however long it takes and whoever
changes the index meanwhile.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

from index.encoder import Encoder, Vectors
from index.models import Boxes, Document, DocumentMetadata, Paragraph
from index.readers.loader import file_name
from index.retriever import IN_CONTEXT, Hit, SearchResult, blend, search
from index.store.manifest import Manifest
from index.store.pages import PageFiles, unchanged
from index.store.snapshot import Scope, Snapshot
from index.store.store import Store
from index.terms.analysis import terms_of


@dataclass(frozen=True, slots=True)
class DocumentInfo:
    """A document in the index, without its text; as `Document` and `Manifest` have it."""

    id: str
    source: str
    title: str
    hash: str
    paragraphs: int
    kept: bool
    language: str
    metadata: DocumentMetadata
    added: str
    bytes: int
    pages: int
    unread: int


#: What a manifest has by the same name.
_AS_MANIFEST = {field.name for field in fields(DocumentInfo)} - {"title", "paragraphs"}


def _info(manifest: Manifest) -> DocumentInfo:
    return DocumentInfo(
        **{name: getattr(manifest, name) for name in _AS_MANIFEST},
        title=manifest.shown_title,
        paragraphs=len(manifest.places),
    )


class View:
    """What is in the index at one moment. May be used from many threads.

    Args:
        store: what is read.
        pages: the files of documents.
        encoder: of the index.
        snapshot: that moment; whatever is there at each reading where it is None.

    Raises (any method):
        IndexChangedError: what it holds is gone, since the documents changed long ago: take another
            view and ask the whole question again.
        EncoderError, IndexUnusableError: the index cannot be used.
    """

    def __init__(
        self,
        store: Store,
        pages: PageFiles,
        encoder: Encoder,
        snapshot: Snapshot | None = None,
    ) -> None:
        self.encoder = encoder
        self._store = store
        self._pages = pages
        self._pinned = snapshot

    @property
    def revision(self) -> str:
        """Names what is in the index: the same documents have the same revision, wherever they are
        kept."""
        return self._current().revision

    def _current(self) -> Snapshot:
        return self._pinned or self._store.current()

    def documents(self) -> list[DocumentInfo]:
        """The documents, ordered by source."""
        return [_info(manifest) for manifest in self._current().manifests.values()]

    def info(self, document_id: str) -> DocumentInfo:
        """A document without its text.

        Raises:
            MissingPathError: there is none of that id.
        """
        return _info(self._current().manifest(document_id))

    def document(self, document_id: str) -> Document:
        """A document with its whole text, as it was when it was indexed.

        Raises:
            MissingPathError: there is none of that id.
        """
        snapshot = self._current()
        manifest = snapshot.manifest(document_id)
        texts = snapshot.texts_of([place.id for place in manifest.places])
        return manifest.document(texts)

    def paragraphs(self, document_id: str, first: int, last: int) -> list[Paragraph]:
        """The paragraphs of a document from number `first` to `last`, both included, as far as
        there are such.

        Raises:
            MissingPathError: there is none of that id.
        """
        snapshot = self._current()
        manifest = snapshot.manifest(document_id)
        numbers = range(max(1, first), min(last, len(manifest.places)) + 1)
        ids = {number: manifest.places[number - 1].id for number in numbers}
        texts = snapshot.texts_of(list(ids.values()))
        return [manifest.paragraph(number, texts[identity]) for number, identity in ids.items()]

    def outline(self, document_id: str) -> list[tuple[str, ...]]:
        """The headings above each paragraph of a document that says something itself, outermost
        first; its text is not read.

        Raises:
            MissingPathError: there is none of that id.
        """
        places = self._current().manifest(document_id).places
        return [place.heading for place in places if place.kind != "contents"]

    def original(self, document_id: str) -> Path | None:
        """The file of a document, as it was when it was indexed: the one that is kept with the
        index, or else the one that it was read from, if that has not changed. None where neither
        is there.

        Raises:
            MissingPathError: there is no document of that id.
        """
        manifest = self._current().manifest(document_id)
        kept = self._pages.original(manifest.content)
        return kept or unchanged(manifest.source, manifest.content)

    def file_name(self, document_id: str) -> str:
        """The name of the file of a document, with a suffix of its format.

        Raises:
            MissingPathError: there is no document of that id.
        """
        manifest = self._current().manifest(document_id)
        return file_name(manifest.source, manifest.reading)

    def boxes(self, document_id: str) -> Boxes | None:
        """Where the words of a document that has pages are printed; None of others.

        Raises:
            MissingPathError: there is no document of that id.
        """
        manifest = self._current().manifest(document_id)
        return self._pages.boxes(manifest.content, manifest.hash)

    def search(
        self,
        query: str,
        k: int = 10,
        *,
        documents: Collection[str] | None = None,
        context: str | None = None,
        vector: Vectors | None = None,
        context_vector: Vectors | None = None,
    ) -> SearchResult:
        """The k paragraphs that best match the query, best first.

        score = cosine of the best sentence + TERM_WEIGHT * share of the query's term weight.
        The candidates are the paragraphs of the nearest sentences and those with the highest
        shares; each is scored exactly.

        Args:
            query: what to look for; nothing is found for a blank one.
            k: how many paragraphs at most.
            documents: ids of the documents to search, as if the index held no others; all of
                them when left out.
            context: the query in the conversation that it is part of; then a paragraph's score is
                the mean of what it has for both (see `retriever.blend`), and what the context alone
                finds is told too.
            vector, context_vector: those of the query and of the context, where they are known.

        Raises:
            MissingPathError: a document is not in the index.
        """
        if k < 1 or not query.strip():
            return SearchResult((), {}, self.revision)
        if vector is None:
            vector = self.encoder.encode_query(query)
        if context is not None and context_vector is None:
            context_vector = self.encoder.encode_query(context)
        context_hits: list[Hit] = []
        snapshot = self._current()
        scope = snapshot.scope(documents)
        if context is None or context_vector is None:
            hits = search(snapshot, scope, query, vector, k)
        else:
            depth = max(k, IN_CONTEXT)
            context_hits = search(snapshot, scope, context, context_vector, depth)
            hits = blend(search(snapshot, scope, query, vector, depth), context_hits)[:k]
        weights = _weights(scope, query)
        return SearchResult(tuple(hits), weights, snapshot.revision, tuple(context_hits[:k]))

    def term_weights(
        self, text: str, documents: Collection[str] | None = None
    ) -> dict[str, dict[str, float]]:
        """The terms of a text in each language of the documents, and how much each weighs (idf) in
        them.

        Raises:
            MissingPathError: a document is not in the index.
        """
        return _weights(self._current().scope(documents), text)

    def has_terms_of(self, text: str, documents: Collection[str] | None = None) -> bool:
        """Return True if a paragraph of the documents has a term of the text.

        Raises:
            MissingPathError: a document is not in the index.
        """
        shares = self._current().scope(documents).terms.shares(text)
        return bool(shares.max(initial=0.0) > 0)

    def vectors(self, paragraphs: Sequence[str]) -> dict[str, Vectors]:
        """The sentence vectors of paragraphs by id, each of shape (sentences, dimension).

        Raises:
            IndexCorruptedError: there is no paragraph of one of these ids.
        """
        return self._current().vectors(paragraphs)


def _weights(scope: Scope, text: str) -> dict[str, dict[str, float]]:
    return {
        language: {term: scope.terms.weight(term) for term in terms_of(text, language)}
        for language in scope.languages
    }

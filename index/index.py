"""Index: documents in, ranked evidence out. Ties the store, the encoder and the ranking together.

All that it keeps outside Chroma can be made again from Chroma.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from index.bm25 import terms_of
from index.chunking.loader import RawDocument
from index.encoder import DEFAULT_ENCODER, Encoder, Vectors
from index.errors import DocumentError
from index.models import Boxes, Document
from index.retriever import IN_CONTEXT, LEGS, Hit, SearchResult, blend, search
from index.store.manifest import Manifest, ParagraphText
from index.store.pages import PageFiles
from index.store.records import FileRecords, Records, checked
from index.store.session import Session
from index.store.store import Store
from index.store.writer import Progress, fill


@dataclass(frozen=True, slots=True)
class SyncReport:
    """What a sync did, counted in paragraphs (documents where it says so)."""

    documents: int
    added: int
    removed: int
    unchanged: int
    embedded: int
    ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DocumentInfo:
    """A document in the index, without its text; `language` by its ISO 639-1 code."""

    id: str
    source: str
    title: str
    hash: str
    paragraphs: int
    kept: bool
    language: str


@dataclass(frozen=True, slots=True)
class Status:
    """The index as a whole. `bytes` is its size on disk."""

    folder: str
    encoder: str
    fingerprint: str
    documents: int
    paragraphs: int
    sentences: int
    bytes: int


class Index:
    """The documents in one folder, searchable.

    Args:
        folder: where the index is kept; made when it is not there.
        encoder: the embedding model, or its name (see `index.encoder.Encoder`).
        wait: seconds to wait for another process that uses the index.
        on_wait: called with a sentence to show while waiting.

    Opening changes nothing. Where the index was made with another encoder, or its vectors were
    damaged, reading raises EncoderError or IndexCorruptedError until `sync`, `remove` or `migrate`
    has made the vectors again from the texts that are in the index.

    Many threads may use one object: they read while one of them writes, and see each change when
    it is whole.

    Raises:
        EncoderError, IndexBusyError, IndexCorruptedError, IndexFullError, UnreadableError.
    """

    def __init__(
        self,
        folder: Path,
        *,
        encoder: str | Encoder = DEFAULT_ENCODER,
        wait: float = 30.0,
        on_wait: Callable[[str], None] | None = None,
    ) -> None:
        """Open the index; waits for another process that is using it."""
        self.folder = folder.expanduser().resolve()
        self.encoder = Encoder(encoder) if isinstance(encoder, str) else encoder
        self._session = Session(self.folder, self.encoder.fingerprint, wait, on_wait)
        self._pages = PageFiles(self.folder / "pages")

    def close(self) -> None:
        """Let go of the database. The index may be opened again at once."""
        self._session.close()

    # --- reading -----------------------------------------------------------------------------

    def documents(self) -> list[DocumentInfo]:
        """The documents, ordered by source."""
        with self._session.reading() as (_, snapshot):
            return [
                DocumentInfo(m.id, m.source, m.title, m.hash, len(m.places), m.kept, m.language)
                for m in snapshot.manifests.values()
            ]

    def document(self, document_id: str) -> Document:
        """A document with its whole text, as it was when it was indexed.

        Raises:
            MissingPathError: there is none of that id.
        """
        with self._session.reading() as (_, snapshot):
            manifest = snapshot.manifest(document_id)
            texts = snapshot.texts_of([place.id for place in manifest.places])
        return manifest.document(texts)

    def original(self, document_id: str) -> Path | None:
        """The file of a document that has pages, as it was when it was indexed; None of others.

        Raises:
            MissingPathError: there is no document of that id.
        """
        with self._session.reading() as (_, snapshot):
            return self._pages.original(snapshot.manifest(document_id).content)

    def boxes(self, document_id: str) -> Boxes | None:
        """Where the words of a document that has pages are printed; None of others.

        Raises:
            MissingPathError: there is no document of that id.
        """
        with self._session.reading() as (_, snapshot):
            return self._pages.boxes(snapshot.manifest(document_id).content)

    def search(
        self,
        query: str,
        k: int = 10,
        *,
        documents: Collection[str] | None = None,
        context: str | None = None,
        legs: Collection[str] = LEGS,
        vector: Vectors | None = None,
        around: Vectors | None = None,
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
            legs: which legs count; for ablation.
            vector, around: the vectors of the query and of the context, where they are there
                already.

        Raises:
            MissingPathError: a document is not in the index.
        """
        if k < 1 or not query.strip():
            return SearchResult((), {})
        if vector is None:
            vector = self.encoder.encode_query(query)
        if context is not None and around is None:
            around = self.encoder.encode_query(context)
        beside: list[Hit] = []
        with self._session.reading() as (_, snapshot):
            scope = snapshot.scope(documents)
            if context is None or around is None:
                hits = search(snapshot, scope, query, vector, k, legs)
            else:
                depth = max(k, IN_CONTEXT)
                beside = search(snapshot, scope, context, around, depth, legs)
                hits = blend(search(snapshot, scope, query, vector, depth, legs), beside)[:k]
        weights = {
            language: {t: scope.terms.weight(t) for t in terms_of(query, language)}
            for language in scope.languages
        }
        return SearchResult(tuple(hits), weights, tuple(beside[:k]))

    def vectors(self, paragraphs: Sequence[str]) -> dict[str, Vectors]:
        """The sentence vectors of paragraphs by id, each of shape (sentences, dimension).

        Raises:
            IndexCorruptedError: there is no paragraph of one of these ids.
        """
        with self._session.reading() as (_, snapshot):
            return snapshot.vectors(paragraphs)

    def records(self, kind: str) -> Records:
        """Small texts of a kind that are kept beside the index.

        Args:
            kind: letters, digits, `_` and `-`.
        """
        return FileRecords(self.folder / "records" / checked(kind))

    def status(self) -> Status:
        """Counts and size."""
        with self._session.reading() as (store, snapshot):
            sentences = store.generation.sentence_count()
        return Status(
            folder=str(self.folder),
            encoder=self.encoder.name,
            fingerprint=self.encoder.fingerprint,
            documents=len(snapshot.manifests),
            paragraphs=sum(len(m.places) for m in snapshot.manifests.values()),
            sentences=sentences,
            bytes=sum(f.stat().st_size for f in self.folder.rglob("*") if f.is_file()),
        )

    # --- writing -----------------------------------------------------------------------------

    def sync(
        self,
        documents: Sequence[Document | RawDocument],
        progress: Progress | None = None,
        *,
        keep: bool = False,
        on_skip: Callable[[RawDocument, DocumentError], None] | None = None,
    ) -> SyncReport:
        """Make the index hold these documents as they are now; others in it stay as they are.

        Only paragraphs whose text is new are embedded. Each document changes at once, after all
        of its paragraphs are stored. May be killed at any instant and run again.

        Args:
            documents: as read by `chunking.loader`; a `RawDocument` is cut into paragraphs only
                where the index does not hold it.
            progress: called as paragraphs are done.
            keep: mark the documents as kept in the index (`DocumentInfo.kept`); a document stays
                kept once it is.
            on_skip: called with each document that turns out to hold nothing that can be read, and
                the error; when left out, the error is raised, before anything is changed.

        Returns:
            What was done; `SyncReport.ids` are those of the documents that the index now holds.

        Raises:
            DocumentError: a document cannot be read.
        """
        # Cutting is slow: done before other processes are kept out, if no other comes between.
        given, documents = documents, []
        for document in given:
            try:
                documents.append(self._cut_unless_in(self._session.manifests, document))
            except DocumentError as error:
                if on_skip is None or isinstance(document, Document):
                    raise
                on_skip(document, error)
        with self._session.writing() as store:
            embedded = self._carry_over(store, progress)
            before = self._session.snapshot
            texts: dict[str, ParagraphText] = {}
            wanted, stay = [], {m.id for m in before.manifests.values() if m.kept}
            for document in documents:
                kept = keep or document.id in stay
                current = self._cut_unless_in(before.manifests, document)
                if isinstance(current, Document):
                    wanted.append(Manifest.of(current, kept))
                    texts.update((p.id, ParagraphText.of(p)) for p in current.paragraphs)
                else:
                    wanted.append(replace(before.manifest(document.id), kept=kept))
            stale = [m for m in wanted if m != before.manifests.get(m.id)]
            former = before.paragraphs()
            # Leftovers are from a process that was killed before it had swept.
            if stale or store.generation.has_leftovers(former):
                with self._session.changing(store):
                    embedded += fill(
                        store.generation,
                        stale,
                        lambda ids: {i: texts[i] for i in ids},
                        self.encoder,
                        progress,
                    )
                self._pages.sweep({m.content for m in self._session.snapshot.manifests.values()})
            after = {place.id for manifest in wanted for place in manifest.places}
            return SyncReport(
                documents=len(documents),
                added=len(after - former),
                removed=len(former - self._session.snapshot.paragraphs()),
                unchanged=len(after & former),
                embedded=embedded,
                ids=tuple(document.id for document in documents),
            )

    def migrate(self, progress: Progress | None = None) -> int:
        """Make all vectors again, beside the old, where they are of another encoder or damaged.

        `sync` and `remove` do this first by themselves. May be killed at any instant and run again;
        it then goes on where it was.

        Returns:
            The number of paragraphs embedded; 0 where there was nothing to do.
        """
        with self._session.writing() as store:
            return self._carry_over(store, progress)

    def remove(self, document_id: str) -> None:
        """Take a document out of the index. The file that it was read from is not touched.

        Raises:
            MissingPathError: there is none of that id.
        """
        with self._session.writing() as store:
            self._carry_over(store, None)
            self._session.snapshot.manifest(document_id)
            with self._session.changing(store):
                store.generation.delete_manifest(document_id)

    def _carry_over(self, store: Store, progress: Progress | None) -> int:
        """Make the vectors of a stale store again, from its texts; returns how many."""
        if store.stale is None:
            return 0
        with self._session.changing(store):
            manifests = store.begin_rebuild()
            embedded = fill(store.generation, manifests, store.former, self.encoder, progress)
            store.finish_rebuild()
        return embedded

    def _cut_unless_in(
        self, manifests: Mapping[str, Manifest], document: Document | RawDocument
    ) -> Document | RawDocument:
        """The document, cut into paragraphs unless the index has all that cutting would give."""
        if isinstance(document, Document):
            return document
        manifest = manifests.get(document.id)
        is_known = manifest and (manifest.content, manifest.reading) == (
            document.content,
            document.reading,
        )
        if is_known and (not document.has_pages or self._pages.holds(document.content)):
            return document
        cut = document.document()
        if cut.boxes is None or document.file is None:
            return cut
        self._pages.keep(cut.content, document.file, cut.boxes)
        return replace(cut, boxes=None)  # they are large, and on the disk

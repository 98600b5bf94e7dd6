"""Index: documents in, ranked evidence out. Ties the store, the encoder and the ranking together.

It reads as a `View` does, always of what is there now. All that it keeps outside Chroma can be made
again from Chroma, but for what lies beside it in a folder: the originals of documents that were
uploaded (`pages`), and the relational database with what people keep (`database`).

To back an index up, copy its folder whole while nothing uses it: the documents, the originals and
what people keep are in it, and a copy is opened wherever it lies. Of an index on a Chroma server
that is in the data of the server and in PostgreSQL, which are copied together; nothing of this
machine is needed.
"""

from __future__ import annotations

import shutil
import tempfile
import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from index.chunking.loader import RawDocument, Reading, file_name, is_current, read_raw
from index.database.database import Database
from index.database.former import take_over
from index.encoder import DEFAULT_ENCODER, Encoder
from index.errors import DocumentError
from index.models import NO_ENTRY, Document, Paragraph
from index.store.chroma_server import ServerAddress
from index.store.following import GenerationReplacedError, ServedSession
from index.store.manifest import Manifest, ParagraphText
from index.store.pages import PageFiles, ServedPages
from index.store.protocol import Timing
from index.store.served import ServedStore
from index.store.session import Session
from index.store.store import Store
from index.store.sweeping import Sweeper
from index.store.writer import Progress, fill
from index.terms.lexical import LexicalIndex
from index.view import View

_Result = TypeVar("_Result")


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
class Status:
    """The index as a whole. `folder` is where it is, the address of a server too; `bytes` is its
    size on this disk; `revision` names what is in it."""

    folder: str
    encoder: str
    fingerprint: str
    documents: int
    paragraphs: int
    sentences: int
    bytes: int
    revision: str


def now() -> str:
    """The time by ISO 8601, in UTC."""
    return datetime.now(UTC).isoformat(timespec="seconds")


class Index(View):
    """The documents in one folder or on one Chroma server, searchable.

    Args:
        folder: where the index is kept; made when it is not there. Of one on a server it is a cache
            of this machine alone.
        encoder: the embedding model, or its name (see `index.encoder.Encoder`).
        wait: seconds to wait for another process that uses the index.
        on_wait: called with a sentence to show while waiting.
        shared_terms: a folder of several machines, in which each finds what terms another has
            derived from the same documents; it may be missing or forbidden to write.
        chroma: the server that keeps the index, for any number of machines.
        database: address of the PostgreSQL database that all of them share, with `chroma`.
        timing: of their protocol; for tests.

    Opening changes nothing. Where the index was made with another encoder, or its vectors were
    damaged, reading raises EncoderError or IndexCorruptedError until `sync`, `remove` or `migrate`
    has made the vectors again from the texts that are in the index.

    Many threads may use one object: they read while one of them writes, and see each change when
    it is whole.

    Raises:
        EncoderError, IndexBusyError, IndexCorruptedError, IndexFullError, UnreadableError; of a
        server IndexUnavailableError too, from any method.
    """

    def __init__(
        self,
        folder: Path,
        *,
        encoder: str | Encoder = DEFAULT_ENCODER,
        wait: float = 30.0,
        on_wait: Callable[[str], None] | None = None,
        shared_terms: Path | None = None,
        chroma: ServerAddress | None = None,
        database: str | None = None,
        timing: Timing | None = None,
    ) -> None:
        """Open the index; waits for another process that is using it."""
        self.folder = folder.expanduser().resolve()
        own = Encoder(encoder) if isinstance(encoder, str) else encoder
        self.chroma = chroma
        #: Everything that is kept with the documents and is no vector.
        self.database = Database(self.folder, database, wait)
        terms = LexicalIndex(self.folder / "terms", shared_terms)
        self._sweeper: Sweeper | None = None
        self._sweeping: threading.Thread | None = None
        session: Session | ServedSession
        pages: PageFiles
        try:
            if chroma is None:
                session = Session(self.folder, own.fingerprint, wait, on_wait, terms)
                pages = PageFiles(self.folder / "pages")
            else:
                session = ServedSession(
                    self.folder, own.fingerprint, wait, terms, chroma, timing or Timing()
                )
                pages = ServedPages(session.server, self.folder / "pages")
                self._sweeper = Sweeper(session, pages)
        except BaseException:
            self.database.close()
            raise
        super().__init__(session, pages, own, None)
        #: What was done at this opening that people should know of.
        self.notices: list[str] = []
        try:
            server = session.server if isinstance(session, ServedSession) else None
            self.notices += take_over(self.database, self.folder, server)
        except BaseException:
            self.close()
            raise
        if on_wait:
            for notice in self.notices:
                on_wait(notice)

    def close(self) -> None:
        """Let go of the database. The index may be opened again at once."""
        if self._sweeper:
            self._sweeper.close()
        self._session.close()
        if self._sweeping:
            self._sweeping.join()
        self.database.close()

    def view(self, documents: Collection[str] | None = None) -> View:
        """What is in the index now, to be read as it is now for as long as that takes.

        Args:
            documents: ids of those that will be read; all of them when left out.
        """
        with self._session.reading() as (_, snapshot):
            return View(self._session, self._pages, self.encoder, snapshot, documents)

    def refresh(self) -> None:
        """See what is on the server now, for whom a second is too long to wait; a folder is looked
        at whenever it is read."""
        if isinstance(self._session, ServedSession):
            self._session.refresh()

    def ready(self) -> None:
        """Tell whether questions can be answered now; for health checks.

        Raises:
            FootnoteError: they cannot, and why.
        """
        self._session.ready()

    def check(self) -> None:
        """Check all that is on the disk, which is read for that; of a server, that it answers.

        Raises:
            FootnoteError: it is damaged, or cannot be read.
        """
        if isinstance(self._session, Session):
            with self._session.reading() as (store, _):
                store.verify()
        else:
            self._session.ready()

    def status(self) -> Status:
        """Counts and size."""
        with self._session.reading() as (store, snapshot):
            sentences = store.generation.sentence_count()
        return Status(
            folder=self.chroma.shown if self.chroma else str(self.folder),
            encoder=self.encoder.name,
            fingerprint=self.encoder.fingerprint,
            documents=len(snapshot.manifests),
            paragraphs=sum(len(m.places) for m in snapshot.manifests.values()),
            sentences=sentences,
            bytes=sum(f.stat().st_size for f in self.folder.rglob("*") if f.is_file()),
            revision=snapshot.revision,
        )

    def start_sweeping(self) -> None:
        """From now on delete from a server what no document has had for long; for processes that
        live long, in a thread that ends with `close`. A folder is tidied whenever it is written."""
        if self._sweeper and self._sweeping is None:
            self._sweeping = threading.Thread(target=self._sweeper.run, daemon=True)
            self._sweeping.start()

    #: The former names, for a version.
    look, keep_house = refresh, start_sweeping

    def sweep(self) -> int:
        """Do the same once: look, wait for `Timing.grace` seconds, and delete what neither look
        found in use. Gives how much was deleted: paragraphs, files and replaced generations."""
        return self._sweeper.until_done() if self._sweeper else 0

    # --- writing -----------------------------------------------------------------------------

    def sync(
        self,
        documents: Sequence[Document | RawDocument],
        progress: Progress | None = None,
        *,
        keep: bool = False,
        on_skip: Callable[[RawDocument, DocumentError], None] | None = None,
        on_page: Progress | None = None,
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
            on_page: called as pages that are pictures are read, of one document after the other.

        Returns:
            What was done; `SyncReport.ids` are those of the documents that the index now holds.

        Raises:
            DocumentError: a document cannot be read.
        """
        # Cutting is slow: done before other processes are kept out, if no other comes between.
        given, documents = documents, []
        for document in given:
            try:
                documents.append(self._cut_unless_in(self._session.manifests, document, on_page))
            except DocumentError as error:
                if on_skip is None or isinstance(document, Document):
                    raise
                on_skip(document, error)
        return self._written(lambda store: self._sync(store, documents, progress, keep))

    def _sync(
        self,
        store: Store | ServedStore,
        documents: Sequence[Document | RawDocument],
        progress: Progress | None,
        keep: bool,
    ) -> SyncReport:
        embedded = self._carry_over(store, progress)
        before = self._session.snapshot
        texts: dict[str, Paragraph] = {}
        wanted, stay = [], {m.id for m in before.manifests.values() if m.kept}
        for document in documents:
            kept = keep or document.id in stay
            current = self._cut_unless_in(before.manifests, document)
            known = before.manifests.get(document.id)
            if isinstance(current, Document) and not (known and known.is_of(current)):
                made = Manifest.of(current, kept, known.added if known else now())
                former = known.entry if known else NO_ENTRY  # where no bibliography was looked into
                wanted.append(made.told_by(former if current.entry is None else current.entry))
                texts.update((paragraph.id, paragraph) for paragraph in current.paragraphs)
            else:
                known = before.manifest(document.id)
                if isinstance(current, RawDocument):
                    entry = current.entry(known.said.imprint.doi) if current.entry else None
                else:
                    entry = current.entry
                now_kept = known if known.kept == kept else replace(known, kept=kept)
                wanted.append(now_kept if entry is None else now_kept.told_by(entry))
        after = {place.id for manifest in wanted for place in manifest.places}
        stale = [m for m in wanted if m != before.manifests.get(m.id)]
        paragraphs = before.paragraphs() if stale else after
        if stale or self._session.unswept:
            with self._session.changing():
                embedded += fill(
                    store.generation,
                    stale,
                    lambda ids: {i: ParagraphText.of(texts[i]) for i in ids if i in texts},
                    self.encoder,
                    progress,
                )
            self._settle()
        return SyncReport(
            documents=len(documents),
            added=len(after - paragraphs),
            removed=len(paragraphs - self._session.snapshot.paragraphs()) if stale else 0,
            unchanged=len(after & paragraphs),
            embedded=embedded,
            ids=tuple(document.id for document in documents),
        )

    def outdated(self) -> list[str]:
        """Ids of the documents that another version of the readers has read, and whose originals
        are kept with the index: those that `read_anew` can read."""
        with self._reading() as snapshot:
            return [identity for identity, kept in self._outdated(snapshot).items() if kept]

    def read_anew(
        self,
        document_id: str,
        progress: Progress | None = None,
        *,
        ocr: bool = False,
        on_page: Progress | None = None,
    ) -> bool:
        """Read a document again from the original that is kept with the index, where another
        version of the readers has read it, or without its pictures. Its id stays, and whether it
        is kept; so does all of it where the file can no longer be read, or this is killed.

        Args:
            document_id: its id.
            progress: called as paragraphs are done.
            ocr: read its pictures, too, as is done anyway where they were read before.
            on_page: called as pages that are pictures are read.

        Returns:
            Whether it was read: it is not where it is as it would be, has no original, or was
            replaced meanwhile.

        Raises:
            DocumentError: the file cannot be read.
            MissingPathError: there is no document of that id, or not any more.
        """
        with self._session.reading() as (_, snapshot):
            manifest = snapshot.manifest(document_id)
        reading = Reading.of(manifest.reading)
        if is_current(manifest.reading) and (reading.ocr or not ocr):
            return False  # before it is fetched from a server
        original = self._pages.original(manifest.content)
        if original is None:
            return False
        with tempfile.TemporaryDirectory(prefix="footnote-") as folder:
            file = Path(folder) / file_name(manifest.source, manifest.reading)
            shutil.copyfile(original, file)
            raw = replace(
                read_raw(file, reading.title or None, ocr=ocr or reading.ocr),
                source=manifest.source,
                original=file,
                address=manifest.said.imprint.address,
                link=manifest.said.imprint.link,
            )
            cut = self._cut_unless_in({}, raw, on_page)

        def step(done: int, total: int) -> None:
            self._session.snapshot.manifest(document_id)  # another machine may remove it meanwhile
            if progress:
                progress(done, total)

        def write(store: Store | ServedStore) -> bool:
            self._carry_over(store, None)
            if self._session.snapshot.manifest(document_id).content != manifest.content:
                return False
            self._sync(store, [cut], step, keep=False)
            return True

        return self._written(write)

    def migrate(self, progress: Progress | None = None) -> int:
        """Make all vectors again, beside the old, where they are of another encoder or damaged.

        `sync` and `remove` do this first by themselves. May be killed at any instant and run again;
        it then goes on where it was.

        Returns:
            The number of paragraphs embedded; 0 where there was nothing to do.
        """
        return self._written(lambda store: self._carry_over(store, progress))

    def keep(self, document_id: str) -> None:
        """Mark a document as kept (`DocumentInfo.kept`), as it is by then.

        Raises:
            MissingPathError: there is none of that id.
        """

        def keep(store: Store | ServedStore) -> None:
            self._carry_over(store, None)
            manifest = self._session.snapshot.manifest(document_id)
            if not manifest.kept:
                with self._session.changing():
                    kept = [replace(manifest, kept=True)]
                    fill(store.generation, kept, lambda _: {}, self.encoder, None)

        self._written(keep)

    def remove(self, document_id: str) -> None:
        """Take a document out of the index. The file that it was read from is not touched.

        Raises:
            MissingPathError: there is none of that id.
        """

        def remove(store: Store | ServedStore) -> None:
            self._carry_over(store, None)
            self._session.snapshot.manifest(document_id)
            with self._session.changing():
                store.generation.delete_manifest(document_id)
            self._settle()

        self._written(remove)

    def _settle(self) -> None:
        self._pages.settle({m.content for m in self._session.snapshot.manifests.values()})

    def _written(self, write: Callable[[Store | ServedStore], _Result]) -> _Result:
        """What comes of a write; begun again where what it wrote to was replaced meanwhile."""
        while True:
            with self._session.writing() as store, suppress(GenerationReplacedError):
                return write(store)

    def _carry_over(self, store: Store | ServedStore, progress: Progress | None) -> int:
        """Make the vectors of a stale store again, from its texts; returns how many."""
        if store.stale is None:
            return 0
        embedded = 0
        with self._session.changing(), closing(store.rebuilding()) as rebuilding:
            for manifests in rebuilding:
                embedded += fill(store.generation, manifests, store.former, self.encoder, progress)
        return embedded

    def _cut_unless_in(
        self,
        manifests: Mapping[str, Manifest],
        document: Document | RawDocument,
        on_page: Progress | None = None,
    ) -> Document | RawDocument:
        """The document, cut into paragraphs unless the index has all that cutting would give."""
        if isinstance(document, Document):
            return document
        manifest = manifests.get(document.id)
        is_known = manifest and (manifest.content, manifest.reading) == (
            document.content,
            document.reading,
        )
        pages = document.has_pages
        original = document.original or (document.file if pages else None)
        if is_known and (original is None or self._pages.holds(document.content, boxes=pages)):
            return document
        cut = document.document(on_page or (lambda *_: None))
        if original is None:
            return cut
        self._pages.keep(cut.content, original, cut.boxes)
        return replace(cut, boxes=None)  # they are large, and on the disk

"""Index: documents in, ranked evidence out. Ties the store, the encoder and the ranking together.

It reads as a `View` does, always of what is there now. The relational database has everything that
is not a vector, and in a folder the originals of documents lie beside it (`pages`); vectors and
terms are derived from these and can be made again.
"""

from __future__ import annotations

import logging
import shutil
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from index.database.database import Database
from index.encoder import DEFAULT_ENCODER, Encoder, load_encoder
from index.errors import DocumentError, DocumentExistsError, FootnoteError
from index.models import Document, Paragraph, Status, SyncReport, now
from index.other_versions import check_server
from index.read_view import View
from index.readers.loader import RawDocument, Reading, file_name, read_raw
from index.store import staging
from index.store.chroma_server import Server, ServerAddress
from index.store.manifest import Manifest, ParagraphText
from index.store.pages import PageFiles, SharedPages
from index.store.store import Store
from index.store.writer import Progress
from index.terms.lexical import LexicalIndex

#: Seconds between two looks for what is to be tidied, in a process that lives long.
TIDY_INTERVAL = 2.0

_logger = logging.getLogger(__name__)


def _size(file: Path) -> int:
    """Bytes of a file; 0 of what is none, or not any more."""
    try:
        return file.stat().st_size if file.is_file() else 0
    except OSError:
        return 0


class Index(View):
    """The documents in one folder or on one Chroma server, searchable.

    Args:
        folder: where the index is kept; made when it is not there. Of one on a server it is a cache
            of this machine alone.
        encoder: the embedding model, or its name (see `index.encoder.Encoder`).
        wait: seconds to wait for another process that writes.
        on_wait: called with a sentence to show, of what takes long.
        chroma: the server that keeps the index, for any number of machines.
        database: address of the PostgreSQL database that all of them share, with `chroma`.

    Where the index was made with another encoder, or its vectors are missing, reading raises
    EncoderError or IndexCorruptedError until `sync` or `rebuild` has made the vectors again from
    the texts that are in the index.

    Many processes may have an index open, and many threads use one object: they read while others
    write, and see each change when it is whole.

    Raises:
        EncoderError, IndexBusyError, IndexCorruptedError, IndexFullError, UnreadableError; of a
        server IndexUnavailableError too, from any method.
        IndexUnusableError: another version of Footnote made it.
    """

    def __init__(
        self,
        folder: Path,
        *,
        encoder: str | Encoder = DEFAULT_ENCODER,
        wait: float = 30.0,
        on_wait: Callable[[str], None] | None = None,
        chroma: ServerAddress | None = None,
        database: str | None = None,
    ) -> None:
        """Open the index."""
        self.folder = folder.expanduser().resolve()
        model = load_encoder(encoder) if isinstance(encoder, str) else encoder
        self.chroma = chroma
        self._closed = threading.Event()
        self._tidying: threading.Thread | None = None
        self._server = Server(chroma, wait) if chroma else None
        try:
            if self._server:
                check_server(self._server.names(), self._server.address.shown)
            #: Everything that is kept with the documents and is no vector.
            self.database = Database(self.folder, database, wait, on_wait)
        except BaseException:
            if self._server:
                self._server.close()
            raise
        folder = self.folder / "pages"
        pages = SharedPages(self.database, folder) if chroma else PageFiles(folder)
        terms = LexicalIndex(self.folder / "terms")
        store = Store(self.folder, self.database, model, terms, self._server)
        super().__init__(store, pages, model)

    def close(self) -> None:
        """Let go of the database. The index may be opened again at once."""
        self._closed.set()
        self._store.stop()
        if self._tidying:
            self._tidying.join()
        self._store.close()
        if self._server:
            self._server.close()
        self.database.close()

    def view(self) -> View:
        """What is in the index now, to be read as it is now for as long as that takes."""
        return View(self._store, self._pages, self.encoder, self._store.current())

    def ready(self) -> None:
        """Tell whether questions can be answered now; for health checks.

        Raises:
            FootnoteError: they cannot, and why.
        """
        self._store.current()
        if self._server:
            self._server.names()

    def check(self) -> None:
        """Check the database and that all vectors are there.

        Raises:
            FootnoteError: something is damaged or missing, or does not answer.
        """
        self._store.verify()

    def status(self) -> Status:
        """Counts and size."""
        snapshot = self._store.current()
        return Status(
            folder=self.chroma.shown if self.chroma else str(self.folder),
            encoder=self.encoder.name,
            fingerprint=self.encoder.fingerprint,
            documents=len(snapshot.manifests),
            paragraphs=sum(len(m.places) for m in snapshot.manifests.values()),
            sentences=int(snapshot.rows.sentences.sum()),
            bytes=sum(map(_size, self.folder.rglob("*"))),
            revision=snapshot.revision,
        )

    def start_tidying(self) -> None:
        """From now on delete what no document has any more, and make what other processes added as
        fast to find as the rest; for processes that live long, in a thread that ends with
        `close`."""
        if self._tidying is None:
            self._tidying = threading.Thread(target=self._tidy, name="tidying", daemon=True)
            self._tidying.start()

    def _tidy(self) -> None:
        while not self._closed.wait(TIDY_INTERVAL):
            try:
                self._store.current()
                self._store.fold()
                self._store.tidy()
            except FootnoteError as error:  # the next round tries again; whoever reads is told
                _logger.info("the index could not be tidied: %s", error)

    def tidy(self) -> int:
        """Delete at once what no document has any more, whoever may still be reading it; gives how
        many paragraphs that were."""
        self._store.current()
        return self._store.tidy(grace=0)

    # --- writing -----------------------------------------------------------------------------

    def sync(
        self,
        documents: Sequence[Document | RawDocument],
        progress: Progress | None = None,
        *,
        keep: bool = False,
        on_skip: Callable[[RawDocument, DocumentError], None] | None = None,
        on_page: Progress | None = None,
        new: bool = False,
    ) -> SyncReport:
        """Make the index hold these documents as they are now; others in it stay as they are.

        Only paragraphs whose text is new are embedded. Each document changes at once, after all
        of its paragraphs are stored. May be killed at any instant and run again.

        Args:
            documents: as read by `readers.loader`; a `RawDocument` is cut into paragraphs only
                where the index does not hold it.
            progress: called as paragraphs are done.
            keep: mark the documents as kept in the index (`DocumentInfo.kept`); a document stays
                kept once it is.
            on_skip: called with each document that turns out to hold nothing that can be read, and
                the error; when left out, the error is raised, before anything is changed.
            on_page: called as pages that are pictures are read, of one document after the other.
            new: refuse to replace a document that the index holds.

        Returns:
            What was done; `SyncReport.ids` are those of the documents that the index now holds.

        Raises:
            DocumentError: a document cannot be read.
            DocumentExistsError: `new` is set and a document is in the index already.
        """
        given, documents = documents, []
        for document in given:
            try:
                documents.append(self._cut_unless_in(self._store.manifests, document, on_page))
            except DocumentError as error:
                if on_skip is None or isinstance(document, Document):
                    raise
                on_skip(document, error)
        return self._sync(documents, progress, keep, new)

    def _sync(
        self,
        documents: Sequence[Document | RawDocument],
        progress: Progress | None,
        keep: bool,
        new: bool = False,
    ) -> SyncReport:
        embedded = self.migrate(progress)
        before = self._store.current()
        texts: dict[str, Paragraph] = {}
        wanted = []
        for document in documents:
            current = self._cut_unless_in(before.manifests, document)
            known = before.manifests.get(document.id)
            if new and known:
                raise DocumentExistsError(f"There is a document {document.source!r} already.")
            kept = keep or bool(known and known.kept)
            if isinstance(current, Document) and not (known and known.is_of(current)):
                manifest = Manifest.of(current, kept, known.added if known else now())
                texts.update((paragraph.id, paragraph) for paragraph in current.paragraphs)
            else:
                manifest = before.manifest(document.id)
                if manifest.kept != kept:
                    manifest = replace(manifest, kept=kept)
            wanted.append(manifest)
        after = {place.id for manifest in wanted for place in manifest.places}
        stale = [m for m in wanted if m != before.manifests.get(m.id)]
        paragraphs = before.paragraphs() if stale else after
        if stale:
            embedded += self._store.put(
                stale,
                lambda ids: {i: ParagraphText.of(texts[i]) for i in ids if i in texts},
                progress,
                new,
            )
            self._settle()
        return SyncReport(
            documents=len(documents),
            added=len(after - paragraphs),
            removed=len(paragraphs - self._store.current().paragraphs()) if stale else 0,
            unchanged=len(after & paragraphs),
            embedded=embedded,
            ids=tuple(document.id for document in documents),
        )

    def read_pictures(
        self,
        document_id: str,
        progress: Progress | None = None,
        on_page: Progress | None = None,
    ) -> bool:
        """Read the text in the pictures of a document, from the original that is kept with the
        index. Its id stays, and whether it is kept. If the file cannot be read, or the process is
        killed, the document stays as it is.

        Args:
            document_id: its id.
            progress: called as paragraphs are done.
            on_page: called as pages that are pictures are read.

        Returns:
            Whether it was read. It is not read if its pictures were read before, if it has no
            original, or if it was replaced meanwhile.

        Raises:
            DocumentError: the file cannot be read.
            MissingPathError: there is no document of that id, or not any more.
        """
        manifest = self._store.current().manifest(document_id)
        reading = Reading.of(manifest.reading)
        if reading.ocr:
            return False  # before it is fetched from a server
        original = self._pages.original(manifest.content)
        if original is None:
            return False
        with tempfile.TemporaryDirectory(prefix="footnote-") as folder:
            file = Path(folder) / file_name(manifest.source, manifest.reading)
            shutil.copyfile(original, file)
            raw = replace(
                read_raw(file, reading.title or None, ocr=True),
                source=manifest.source,
                original=file,
                address=manifest.metadata.address,
                link=manifest.metadata.link,
            )
            cut = self._cut_unless_in({}, raw, on_page)

        def step(done: int, total: int) -> None:
            self._store.current().manifest(document_id)  # another may remove it meanwhile
            if progress:
                progress(done, total)

        if self._store.current().manifest(document_id).content != manifest.content:
            return False
        self._sync([cut], step, keep=False)
        return True

    def migrate(self, progress: Progress | None = None) -> int:
        """Make all vectors again where they are of another encoder or missing; see `rebuild`.

        Returns:
            The number of paragraphs embedded; 0 where there was nothing to do.
        """
        return self._store.rebuild(progress, always=False)

    def rebuild(self, progress: Progress | None = None) -> int:
        """Make all vectors again from the texts, beside those in use, which they then replace. May
        be killed at any instant and run again; it then goes on where it was.

        Returns:
            The number of paragraphs embedded.
        """
        return self._store.rebuild(progress)

    def keep(self, document_id: str) -> None:
        """Mark a document as kept (`DocumentInfo.kept`), as it is by then.

        Raises:
            MissingPathError: there is none of that id.
        """
        manifest = self._store.current().manifest(document_id)
        if not manifest.kept:
            with self.database.write() as connection:
                staging.set_kept(connection, replace(manifest, kept=True))

    def rename(self, document_id: str, title: str) -> None:
        """Give a document another title, which stays when it is replaced or read again. Nothing is
        embedded again: titles take no part in retrieval.

        Args:
            document_id: its id.
            title: in one line; "" for the one that it has itself.

        Raises:
            MissingPathError: there is none of that id.
        """
        self._store.current().manifest(document_id)
        with self.database.write() as connection:
            staging.rename(connection, document_id, " ".join(title.split()))

    def remove(self, document_id: str) -> None:
        """Take a document out of the index. The file that it was read from is not touched.

        Raises:
            MissingPathError: there is none of that id.
        """
        self._store.current().manifest(document_id)
        with self.database.write() as connection:
            staging.remove(connection, document_id)
        self._settle()
        self._store.tidy()

    def _settle(self) -> None:
        self._pages.settle({m.content for m in self._store.current().manifests.values()})

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

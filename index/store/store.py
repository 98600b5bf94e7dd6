"""What the index keeps in Chroma, the only store of truth.

Wherever a process is killed, each document is whole in its old or its new version (`collections`).
That holds for what Chroma keeps in SQLite: texts, manifests and a log of new vectors. Every 1,000
vectors it moves the log into the files of an HNSW graph, rewriting them in place, and there a kill
or a full disk may leave parts of two versions. Chroma 1.5.9 does not check them (with the files
gone altogether it answers, without complaint, from what is left in the log).
So the files carry a *seal* (`integrity`), renewed whenever they have changed and Chroma has
returned. Files that do not fit the seal are not loaded. The texts are whole even then, and their
vectors are made again in a new generation beside, the same way as for another encoder
(`rebuilding`).

SQLite has no checksums. A database that somebody else has written, or a killed process, is checked
when it is opened, and any before it is written (`verify`); texts and manifests carry their hashes.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from functools import partial
from pathlib import Path

from index.errors import EncoderError, IndexCorruptedError, IndexUnusableError
from index.store.chroma import Database, translated
from index.store.collections import Generation, GenerationName
from index.store.integrity import Seal
from index.store.manifest import Manifest, ParagraphText


class Store:
    """The Chroma database at `path`, for the encoder of that fingerprint.

    Opening changes nothing that is there.

    Attributes:
        generation: the current one, to read and write. Where `stale` is not None there is none, and
            only `close` and `rebuilding` may be called.
        stale: why there is none before a rebuild.

    Several threads may read while one writes. Two stores may be
    open on one path, also in one process, but only one at a time may be used (see `locks`),
    and after another has written it must be opened anew.

    Raises (any method):
        IndexCorruptedError: the database cannot be read.
        IndexFullError: the disk is full.
    """

    generation: Generation

    def __init__(self, path: Path, fingerprint: str) -> None:
        """Open the database, made when it is not there."""
        self.path = path
        self.fingerprint = fingerprint
        with translated(path):
            self._seal = Seal(path)
            self._damaged = not self._seal.fits()
            suspect = not self._seal.fits_database()
            self._database = Database(path)
            try:
                self._enter(suspect)
            except BaseException:
                self._database.close()
                raise

    def _enter(self, suspect: bool) -> None:
        # After Chroma has opened it: until then a killed process's last change is half undone.
        names = self._database.names()
        if suspect:
            self._database.check()
        if self._seal.space and self._seal.space not in names:
            raise ValueError(f"chroma.sqlite3 has lost {self._seal.space}")
        self._former: list[Generation] = []
        self._names = sorted({own for name in names if (own := GenerationName.named(name))})
        if not self._names and not self._damaged:
            self._names = [self._next_name()]
        self.stale = self._why_stale()
        if self.stale is None:
            self.generation = self._open_generation(self._names[-1])
            self.generation.touch()
            self.settle()

    def close(self) -> None:
        """Let go of the database."""
        self._database.close()

    def verify(self) -> None:
        """Check all that is on the disk; to be called before anything is written.

        Raises:
            IndexCorruptedError: it is damaged. Where only vectors are, the store is `stale` when it
                is next opened.
        """
        with translated(self.path):
            self._database.check()
            # As it lies on the disk: another process that opened the index has sealed it anew.
            if self.stale is None and not Seal(self.path).fits(thoroughly=True):
                self._seal.break_open()
                raise ValueError("the vectors are not as they were written")

    def settle(self) -> None:
        """Take note that all was written and is whole; what is written later is checked when the
        database is next opened, unless this is called again."""
        with translated(self.path):
            self._seal.close(self.generation.name.documents)

    # --- rebuilding --------------------------------------------------------------------------

    def _why_stale(self) -> IndexUnusableError | EncoderError | None:
        cure = (
            "Nothing that was indexed is lost: add documents (or call Index.migrate) with this "
            "encoder, and the vectors are made again first."
        )
        if self._damaged:
            return IndexCorruptedError(
                f"The vectors of the index in {self.path} are not as they were written: a process "
                f"was killed while it wrote them, the disk was full, or the files changed. {cure}"
            )
        if self._names[-1].fingerprint != self.fingerprint:
            return EncoderError(
                f"The index in {self.path} was made with another encoder (fingerprint "
                f"{self._names[-1].fingerprint}, this one has {self.fingerprint}). {cure}"
            )
        if len(self._names) > 1:
            return IndexCorruptedError(
                f"The index in {self.path} was being made anew, and that was interrupted. {cure}"
            )
        return None

    def rebuilding(self) -> Generator[list[Manifest]]:
        """Rebuild: start or go on with a new generation for all documents; gives those that it
        lacks, in the order in which they were listed. When they are in it, it becomes the valid one
        and the others are dropped; may be killed anywhere before."""
        with translated(self.path):
            if self._damaged or self._names[-1].fingerprint != self.fingerprint:
                self._names.append(self._next_name())
            if self._damaged:
                # Not even texts can be read while Chroma would load these files. Without them it
                # answers from SQLite. Killed here, the seal still does not fit: no harm.
                self._seal.discard_files()
                self._damaged = False
            *old, current = self._names
            self.generation = self._open_generation(current)
            self._seal.renew(current.documents)
            self._former = [self._open_generation(name) for name in old]
        former = {m.id: m for generation in self._former for m in generation.manifests()}
        there = {manifest.id for manifest in self.generation.manifests()}
        missing = [manifest for manifest in former.values() if manifest.id not in there]
        yield sorted(missing, key=lambda manifest: manifest.source)
        with translated(self.path):
            for name in old:
                self._database.drop(name.documents)
                self._database.drop(name.sentences)
            self._names = [current]
            self._database.remove_orphans()
            self._seal.renew(current.documents)
        self._former = []
        self.stale = None

    def former(self, ids: Sequence[str]) -> dict[str, ParagraphText]:
        """Read paragraphs by id from the generations that are being replaced."""
        found: dict[str, ParagraphText] = {}
        for generation in self._former:
            found |= generation.texts(ids)
        return found

    def _open_generation(self, name: GenerationName) -> Generation:
        # No reference back to this store: it is to be gone, with its open files, when it is let go.
        return Generation(self._database, name, partial(_renew, self._seal, self.path, name))

    def _next_name(self) -> GenerationName:
        return GenerationName(self._names[-1].number + 1 if self._names else 1, self.fingerprint)


def _renew(seal: Seal, path: Path, name: GenerationName) -> None:
    with translated(path):
        seal.renew(name.documents)

"""The originals of documents, and of those that have pages where their words are printed.

Kept are those of documents that have pages, whose pages are shown; and of others those that are
nowhere else, since somebody uploaded them. Of an index in a folder they lie beside the database,
named by the hash of the file, and each is whole or not there. What is lost of them is made again
when the file is added again; until then the document is its text. Where machines share an index
they are in its database, in pieces, and in the folder is what this machine has read.
"""

from __future__ import annotations

import hashlib
import os
import time
import zipfile
import zlib
from collections.abc import Collection, Mapping
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryFile

import numpy as np
import sqlalchemy as sa

from index.database.database import Database
from index.database.document_tables import files
from index.models import Boxes, bytes_hash, text_hash
from index.store.atomic import write_atomically
from index.store.chroma import translated
from index.store.documents import pages_of

#: Seconds for which a file that belongs to no document is left alone: another process may have kept
#: it, and be about to write the document.
MIN_AGE = 3600.0

_ARRAYS = ("spans", "pages", "rectangles", "sizes")

#: What is kept of a document, and how its file's name ends: that of an original so whatever its
#: format, for those of PDFs were the first.
_PARTS = {"original": "pdf", "boxes": "npz"}

PIECE_BYTES = 4_000_000  # bytes in a row


class PageFiles:
    """The files in a folder, by the hash of the document that they are of."""

    def __init__(self, folder: Path) -> None:
        """The folder is made when the first file is kept."""
        self._folder = folder
        self._last: tuple[tuple[str, str], Boxes] | None = None

    def keep(self, content: str, original: Path, boxes: Boxes | None) -> None:
        """Keep a document's file, and its boxes if it has any. Those that are there are made anew:
        old ones, which no document has yet, might else be taken for left over.

        Raises:
            IndexFullError: the disk is full.
        """
        with translated(self._folder):
            parts = {"original": original.read_bytes()}
        if boxes:
            parts["boxes"] = _packed(boxes)
        self._put(content, parts)

    def holds(self, content: str, *, boxes: bool) -> bool:
        """Whether a document's file is there, and its boxes, if it has to have any."""
        parts = ("original", "boxes") if boxes else ("original",)
        return all(self._file(content, part).exists() for part in parts)

    def original(self, content: str) -> Path | None:
        """The file of a document; None where there is none."""
        return self._file(content, "original") if self._has(content, "original") else None

    def boxes(self, content: str, text: str) -> Boxes | None:
        """Where the words of a document are printed; None where that is not known. The last one
        that was asked for is at hand.

        Args:
            content: the hash of its file.
            text: the hash of its text: another version of the readers may have made another of it.
        """
        if self._last is None or self._last[0] != (content, text):
            boxes = self._unpacked(content) if self._has(content, "boxes") else None
            if boxes is None or text_hash(boxes.text) != text:
                return None
            self._last = (content, text), boxes
        return self._last[1]

    def settle(self, used: Collection[str]) -> None:
        """Delete what belongs to no document any more."""
        unused = [file for file in self._folder.glob("*") if file.stem not in used]
        if not unused:
            return
        try:  # by the clock of the disk, which may be another machine's
            with TemporaryFile(dir=self._folder) as now:
                before = os.fstat(now.fileno()).st_mtime - MIN_AGE
        except OSError:
            return  # another time
        for file in unused:
            # Files are kept by who has not taken the lock yet: one may just have got its name.
            with suppress(FileNotFoundError):
                if file.stat().st_mtime < before:
                    file.unlink()

    def _has(self, content: str, part: str) -> bool:
        """Whether a part of a document is in the folder, or can be had there."""
        return self._file(content, part).exists()

    def _put(self, content: str, parts: Mapping[str, bytes]) -> None:
        with translated(self._folder):
            self._folder.mkdir(parents=True, exist_ok=True)
            for part, data in parts.items():
                write_atomically(self._file(content, part), data)

    def _file(self, content: str, part: str) -> Path:
        return self._folder / f"{content}.{_PARTS[part]}"

    def _unpacked(self, content: str) -> Boxes | None:
        """The boxes of a document; where they are damaged, nothing is left of them."""
        file = self._file(content, "boxes")
        try:
            with file.open("rb") as opened, np.load(opened) as arrays:
                return Boxes(
                    text=arrays["text"].tobytes().decode("utf-8", "surrogatepass"),
                    labels=tuple(arrays["labels"].tolist()),
                    **{name: arrays[name] for name in _ARRAYS},
                )
        except (EOFError, ValueError, KeyError, zipfile.BadZipFile, zlib.error):
            file.unlink(missing_ok=True)
            return None


class SharedPages(PageFiles):
    """The files of documents in the database that several machines share, in pieces, and in a
    folder those of them that this machine has read.

    Args:
        database: that one.
        folder: of this machine.
    """

    def __init__(self, database: Database, folder: Path) -> None:
        super().__init__(folder)
        self._database = database

    def keep(self, content: str, original: Path, boxes: Boxes | None) -> None:
        """See `PageFiles`."""
        super().keep(content, original, boxes)
        self._send(content)

    def upload(self) -> None:
        """Put all files of the folder into the database."""
        for content in sorted({file.stem for file in self._folder.glob("*")}):
            self._send(content)

    def download(self) -> None:
        """Put all files of the database into the folder."""
        with self._database.read() as connection:
            chosen = sa.select(files.c.content, files.c.part).distinct()
            there = connection.execute(chosen).all()
        for content, part in there:
            self._fetch(content, part)

    def _send(self, content: str) -> None:
        for part in _PARTS:
            file = self._file(content, part)
            if not file.exists():
                continue
            with translated(self._folder):
                data = file.read_bytes()
            insert = sa.insert(files).values(content=content, part=part, hash=bytes_hash(data))
            with self._database.write() as connection:
                connection.execute(sa.delete(files).where(*_is_part(content, part)))
                # One after the other: all of a large file in one statement takes much memory.
                for number, at in enumerate(range(0, max(1, len(data)), PIECE_BYTES)):
                    piece = data[at : at + PIECE_BYTES]
                    connection.execute(insert.values(piece=number, data=piece, since=time.time()))

    def holds(self, content: str, *, boxes: bool) -> bool:
        """See `PageFiles`; a file that is there stays until a document has it."""
        with self._database.write() as connection:
            connection.execute(
                sa.update(files).where(files.c.content == content).values(since=time.time())
            )
        there = self._parts(content)
        return "original" in there and (not boxes or "boxes" in there)

    def boxes(self, content: str, text: str) -> Boxes | None:
        """See `PageFiles`."""
        found, file = super().boxes(content, text), self._file(content, "boxes")
        if found is None and file.exists():
            # Another machine may have read the document anew.
            digest = bytes_hash(file.read_bytes())
            if self._parts(content).get("boxes") != digest and self._fetch(content, "boxes"):
                return super().boxes(content, text)
        return found

    def settle(self, used: Collection[str]) -> None:
        """See `PageFiles`."""
        super().settle(used)
        old = files.c.since < time.time() - MIN_AGE
        with self._database.write() as connection:
            there = connection.scalars(sa.select(files.c.content).where(old).distinct()).all()
            for page in pages_of([content for content in there if content not in used]):
                connection.execute(sa.delete(files).where(files.c.content.in_(page), old))

    def _parts(self, content: str) -> dict[str, str]:
        """The parts of a document that are there, each with its hash."""
        with self._database.read() as connection:
            found = connection.execute(
                sa.select(files.c.part, files.c.hash).where(
                    files.c.content == content, files.c.piece == 0
                )
            ).all()
        return {row.part: row.hash for row in found}

    def _has(self, content: str, part: str) -> bool:
        return super()._has(content, part) or self._fetch(content, part)

    def _fetch(self, content: str, part: str) -> bool:
        with self._database.read() as connection:
            chosen = sa.select(files.c.hash, files.c.data).where(*_is_part(content, part))
            found = connection.execute(chosen.order_by(files.c.piece)).all()
        data = b"".join(bytes(piece) for _, piece in found)
        if not found or bytes_hash(data) != found[0][0]:
            return False  # not there, or damaged: adding it again mends that
        self._put(content, {part: data})
        return True


def _is_part(content: str, part: str) -> tuple[sa.ColumnElement[bool], ...]:
    return files.c.content == content, files.c.part == part


def _packed(boxes: Boxes) -> bytes:
    arrays = BytesIO()
    np.savez_compressed(
        arrays,
        text=np.frombuffer(boxes.text.encode("utf-8", "surrogatepass"), np.uint8),
        labels=np.array(boxes.labels),
        **{name: getattr(boxes, name) for name in _ARRAYS},
    )
    return arrays.getvalue()


def unchanged(source: str, content: str) -> Path | None:
    """The file that a document was read from, where that is still there as it was.

    Args:
        source: of the document.
        content: the hash of the file when it was read.
    """
    file = Path(source)
    try:
        if not (file.is_absolute() and file.is_file()):
            return None
        with file.open("rb") as opened:
            digest = hashlib.file_digest(opened, "sha256").hexdigest()
    except OSError:  # it may not be read any more, which is as if it were gone
        return None
    return file if digest == content else None

"""The originals of documents, and of those that have pages where their words are printed.

Kept are those of documents that have pages, whose pages are shown; and of others those that are
nowhere else, since somebody uploaded them. Of an index in a folder they lie beside the database,
named by the hash of the file, and each is whole or not there. What is lost of them is made again
when the file is added again; until then the document is its text. Of an index on a Chroma server
they lie there, in pieces, and in the folder is what this machine has read.
"""

from __future__ import annotations

import base64
import hashlib
import time
from collections.abc import Collection, Mapping
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np

from index.models import Boxes, bytes_hash, text_hash
from index.store.chroma import translated
from index.store.chroma_server import Server
from index.store.collections import owned_records, pages_of
from index.store.integrity import write_whole
from index.store.protocol import pardon

#: Seconds for which a file that belongs to no document is left alone: another process may have kept
#: it, and be about to write the document.
MIN_AGE = 3600.0

_ARRAYS = ("spans", "pages", "rectangles", "sizes")

#: What is kept of a document, and how its file's name ends: that of an original so whatever its
#: format, for those of PDFs were the first.
_PARTS = {"original": "pdf", "boxes": "npz"}

PIECE = 750_000  # bytes in a record of a server
SENT = 8  # pieces sent or read at a time: with what base64 adds, a fifth of what a server takes


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

    def kept(self, contents: Collection[str], revision: str) -> set[str]:
        """The documents among these whose files are there.

        Args:
            contents: the hashes of all that are in question at that revision.
            revision: of the index; a server is asked once for each.
        """
        del revision
        return {content for content in contents if self._file(content, "original").exists()}

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
            if not self._has(content, "boxes"):
                return None
            boxes = self._unpacked(content)
            if text_hash(boxes.text) != text:
                return None
            self._last = (content, text), boxes
        return self._last[1]

    def settle(self, used: Collection[str]) -> None:
        """Delete what belongs to no document any more."""
        for file in self._folder.glob("*"):
            # Files are kept by who has not taken the lock yet: one may just have got its name.
            with suppress(FileNotFoundError):
                if file.stem not in used and time.time() - file.stat().st_mtime > MIN_AGE:
                    file.unlink()

    def _has(self, content: str, part: str) -> bool:
        """Whether a part of a document is in the folder, or can be had there."""
        return self._file(content, part).exists()

    def _put(self, content: str, parts: Mapping[str, bytes]) -> None:
        with translated(self._folder):
            self._folder.mkdir(exist_ok=True)
            for part, data in parts.items():
                write_whole(self._file(content, part), data)

    def _file(self, content: str, part: str) -> Path:
        return self._folder / f"{content}.{_PARTS[part]}"

    def _unpacked(self, content: str) -> Boxes:
        with np.load(self._file(content, "boxes")) as arrays:
            return Boxes(
                text=arrays["text"].tobytes().decode("utf-8", "surrogatepass"),
                labels=tuple(arrays["labels"].tolist()),
                **{name: arrays[name] for name in _ARRAYS},
            )


class ServedPages(PageFiles):
    """The files of documents on a server, in the collection `pages`, and those of them that this
    machine has read, in a folder.

    A file is there when its record `<hash>` is, which is put last and deleted first; it says of how
    many pieces each part is. The pieces are `<hash>:<part>:<number>`. As paragraphs, they are
    deleted when no document has named them for long (see `protocol`).
    """

    def __init__(self, server: Server, folder: Path) -> None:
        super().__init__(folder)
        self._server = server
        #: What was sent and has no document yet.
        self._sent: set[str] = set()
        self._kept: tuple[str, set[str]] | None = None

    @property
    def records(self) -> Any:
        """The collection of the files."""
        return self._server.collection("pages")

    def keep(self, content: str, original: Path, boxes: Boxes | None) -> None:
        """See `PageFiles`."""
        super().keep(content, original, boxes)
        self._sent.add(content)
        self._send(content)

    def holds(self, content: str, *, boxes: bool) -> bool:
        """See `PageFiles`; a file that is on the server stays there until it is named."""
        pardon(self.records, {content})
        head = self._head(content)
        return bool(head.get("original")) and (not boxes or bool(head["boxes"]))

    def kept(self, contents: Collection[str], revision: str) -> set[str]:
        """See `PageFiles`."""
        if self._kept is None or self._kept[0] != revision:
            found: set[str] = set()
            for page in pages_of(sorted(contents)):
                found.update(self.records.get(ids=page, include=[])["ids"])
            self._kept = revision, found
        return self._kept[1]

    def boxes(self, content: str, text: str) -> Boxes | None:
        """See `PageFiles`."""
        found, file = super().boxes(content, text), self._file(content, "boxes")
        if found is None and file.exists():
            # Another machine may have read the document anew.
            own = bytes_hash(file.read_bytes())
            if self._head(content).get("boxes hash") != own and self._fetch(content, "boxes"):
                return super().boxes(content, text)
        return found

    def settle(self, used: Collection[str]) -> None:
        """See `PageFiles`; what was taken away while it was not yet named is sent again."""
        for content in self._sent.intersection(used):
            self._send(content)
            self._sent.discard(content)
        super().settle(used)

    def stored(self) -> dict[str, list[str]]:
        """The ids of the records of all files of which something is on the server."""
        return owned_records(self.records)

    def _send(self, content: str) -> None:
        pardon(self.records, {content})
        there = self._head(content)
        # A former version reads what has no boxes as what is not there.
        head = {"boxes": 0, "boxes hash": "", **there}
        for part in _PARTS:
            file = self._file(content, part)
            if not file.exists():
                continue
            with translated(self._folder):
                data = file.read_bytes()
            digest = bytes_hash(data)
            if there.get(f"{part} hash") == digest:
                continue
            pieces = [data[at : at + PIECE] for at in range(0, len(data), PIECE)]
            head |= {part: len(pieces), f"{part} hash": digest}
            for first in range(0, len(pieces), SENT):
                some = pieces[first : first + SENT]
                self.records.upsert(
                    ids=[_piece(content, part, first + n) for n in range(len(some))],
                    embeddings=[[1.0]] * len(some),
                    metadatas=[
                        {"of": content, "data": base64.b64encode(piece).decode()} for piece in some
                    ],
                )
        if head != there:
            self.records.upsert(ids=[content], embeddings=[[1.0]], metadatas=[head])

    def _has(self, content: str, part: str) -> bool:
        return super()._has(content, part) or self._fetch(content, part)

    def _fetch(self, content: str, part: str) -> bool:
        head = self._head(content)
        if not head.get(part):
            return False
        with self._server.translated():
            data = self._pieces(content, part, int(head[part]))
        if bytes_hash(data) != head[f"{part} hash"]:
            return False  # it was taken away just now, or damaged; adding it again mends that
        self._put(content, {part: data})
        return True

    def _head(self, content: str) -> dict[str, Any]:
        """What the record of a document's file says; nothing where there is none."""
        with self._server.translated():
            found = self.records.get(ids=[content], include=["metadatas"])
            head = dict(found["metadatas"][0]) if found["ids"] else {}
        head.pop("condemned", None)  # which is of the sweeper (see `protocol`)
        return head

    def _pieces(self, content: str, part: str, count: int) -> bytes:
        pieces: dict[str, str] = {}
        order = [_piece(content, part, number) for number in range(count)]
        for first in range(0, count, SENT):
            found = self.records.get(ids=order[first : first + SENT], include=["metadatas"])
            pairs = zip(found["ids"], found["metadatas"], strict=True)
            pieces |= {identity: metadata["data"] for identity, metadata in pairs}
        return b"".join(base64.b64decode(pieces.get(identity, "")) for identity in order)


def _piece(content: str, part: str, number: int) -> str:
    return f"{content}:{part}:{number}"


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

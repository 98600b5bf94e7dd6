"""Documents that have pages, as they are printed: the file itself, and where its words stand.

Of an index in a folder they lie beside the database, named by the hash of the file, and each is
whole or not there. What is lost of them is made again when the file is added again; until then the
document is its text. Of an index on a Chroma server they lie there, in pieces, and in the folder is
what this machine has read.
"""

from __future__ import annotations

import base64
import time
from collections.abc import Collection
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np

from index.models import Boxes, bytes_hash
from index.store.chroma import translated
from index.store.chroma_server import Server
from index.store.collections import owned_records
from index.store.integrity import write_whole
from index.store.protocol import pardon

#: Seconds for which a file that belongs to no document is left alone: another process may have kept
#: it, and be about to write the document.
MIN_AGE = 3600.0

_ARRAYS = ("spans", "pages", "rectangles", "sizes")

PIECE = 750_000  # bytes in a record of a server
SENT = 8  # pieces sent or read at a time: with what base64 adds, a fifth of what a server takes


class PageFiles:
    """The files in a folder, by the hash of the document that they are of."""

    def __init__(self, folder: Path) -> None:
        """The folder is made when the first file is kept."""
        self._folder = folder
        self._last: tuple[str, Boxes] | None = None

    def keep(self, content: str, original: Path, boxes: Boxes) -> None:
        """Keep a document's file and its boxes. Those that are there are made anew: old ones, which
        no document has yet, might else be taken for left over.

        Raises:
            IndexFullError: the disk is full.
        """
        arrays = BytesIO()
        np.savez_compressed(
            arrays,
            text=np.frombuffer(boxes.text.encode("utf-8", "surrogatepass"), np.uint8),
            labels=np.array(boxes.labels),
            **{name: getattr(boxes, name) for name in _ARRAYS},
        )
        with translated(self._folder):
            whole = original.read_bytes()
        self._write(content, whole, arrays.getvalue())

    def holds(self, content: str) -> bool:
        """Whether a document's files are there."""
        return self._has(content)

    def original(self, content: str) -> Path | None:
        """The file of a document; None where there is none."""
        return self._original(content) if self._has(content) else None

    def boxes(self, content: str) -> Boxes | None:
        """Where the words of a document are printed; None where that is not known. The last one
        that was asked for is at hand."""
        if self._last is None or self._last[0] != content:
            if not self._has(content):
                return None
            with np.load(self._boxes(content)) as arrays:
                boxes = Boxes(
                    text=arrays["text"].tobytes().decode("utf-8", "surrogatepass"),
                    labels=tuple(arrays["labels"].tolist()),
                    **{name: arrays[name] for name in _ARRAYS},
                )
            self._last = content, boxes
        return self._last[1]

    def settle(self, used: Collection[str]) -> None:
        """Delete what belongs to no document any more."""
        for file in self._folder.glob("*"):
            # Files are kept by who has not taken the lock yet: one may just have got its name.
            with suppress(FileNotFoundError):
                if file.stem not in used and time.time() - file.stat().st_mtime > MIN_AGE:
                    file.unlink()

    def _has(self, content: str) -> bool:
        """Whether a document's files are in the folder, or can be had there."""
        return self._original(content).exists() and self._boxes(content).exists()

    def _write(self, content: str, original: bytes, boxes: bytes) -> None:
        with translated(self._folder):
            self._folder.mkdir(exist_ok=True)
            write_whole(self._original(content), original)
            write_whole(self._boxes(content), boxes)

    def _read(self, content: str) -> tuple[bytes, bytes]:
        with translated(self._folder):
            return self._original(content).read_bytes(), self._boxes(content).read_bytes()

    def _original(self, content: str) -> Path:
        return self._folder / f"{content}.pdf"

    def _boxes(self, content: str) -> Path:
        return self._folder / f"{content}.npz"


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

    @property
    def records(self) -> Any:
        """The collection of the files."""
        return self._server.collection("pages")

    def keep(self, content: str, original: Path, boxes: Boxes) -> None:
        """See `PageFiles`."""
        super().keep(content, original, boxes)
        self._sent.add(content)
        self._send(content)

    def holds(self, content: str) -> bool:
        """See `PageFiles`; a file that is on the server stays there until it is named."""
        pardon(self.records, {content})
        return bool(self.records.get(ids=[content], include=[])["ids"])

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
        if self.holds(content):
            return
        counts: dict[str, int | str] = {}
        for part, data in zip(_PARTS, self._read(content), strict=True):
            pieces = [data[at : at + PIECE] for at in range(0, len(data), PIECE)]
            counts[part] = len(pieces)
            counts[f"{part} hash"] = bytes_hash(data)
            for first in range(0, len(pieces), SENT):
                some = pieces[first : first + SENT]
                self.records.upsert(
                    ids=[_piece(content, part, first + n) for n in range(len(some))],
                    embeddings=[[1.0]] * len(some),
                    metadatas=[
                        {"of": content, "data": base64.b64encode(piece).decode()} for piece in some
                    ],
                )
        self.records.upsert(ids=[content], embeddings=[[1.0]], metadatas=[counts])

    def _has(self, content: str) -> bool:
        if super()._has(content):
            return True
        with self._server.translated():
            found = self.records.get(ids=[content], include=["metadatas"])
            if not found["ids"]:
                return False
            head = found["metadatas"][0]
            parts = [self._pieces(content, part, int(head[part])) for part in _PARTS]
            if [bytes_hash(data) for data in parts] != [head[f"{part} hash"] for part in _PARTS]:
                return False  # it was taken away just now, or damaged; adding it again mends that
        self._write(content, *parts)
        return True

    def _pieces(self, content: str, part: str, count: int) -> bytes:
        pieces: dict[str, str] = {}
        order = [_piece(content, part, number) for number in range(count)]
        for first in range(0, count, SENT):
            found = self.records.get(ids=order[first : first + SENT], include=["metadatas"])
            pairs = zip(found["ids"], found["metadatas"], strict=True)
            pieces |= {identity: metadata["data"] for identity, metadata in pairs}
        return b"".join(base64.b64decode(pieces.get(identity, "")) for identity in order)


_PARTS = ("original", "boxes")


def _piece(content: str, part: str, number: int) -> str:
    return f"{content}:{part}:{number}"

"""Documents that have pages, as they are printed: the file itself, and where its words stand.

They lie beside the database, named by the hash of the file, and each is whole or not there. What is
lost of them is made again when the file is added again; until then the document is its text.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Collection
from pathlib import Path
from uuid import uuid4

import numpy as np

from index.models import Boxes
from index.store.chroma import translated

#: Seconds for which a file that belongs to no document is left alone: another process may have kept
#: it, and be about to write the document.
YOUNG = 3600.0

_ARRAYS = ("spans", "pages", "rectangles", "sizes")


class PageFiles:
    """The files in a folder, by the hash of the document that they are of."""

    def __init__(self, folder: Path) -> None:
        """The folder is made when the first file is kept."""
        self._folder = folder
        self._last: tuple[str, Boxes] | None = None

    def keep(self, content: str, original: Path, boxes: Boxes) -> None:
        """Keep a document's file and its boxes; the same ones again change nothing.

        Raises:
            IndexFullError: the disk is full.
        """
        if self.holds(content):
            return
        with translated(self._folder):
            self._folder.mkdir(exist_ok=True)
            part = self._folder / f"{uuid4().hex}.part"
            try:
                shutil.copyfile(original, part)
                part.replace(self._original(content))
                with part.open("wb") as file:
                    np.savez_compressed(
                        file,
                        text=np.frombuffer(boxes.text.encode("utf-8", "surrogatepass"), np.uint8),
                        labels=np.array(boxes.labels),
                        **{name: getattr(boxes, name) for name in _ARRAYS},
                    )
                part.replace(self._boxes(content))
            finally:
                part.unlink(missing_ok=True)

    def holds(self, content: str) -> bool:
        """Whether a document's files are there."""
        return self._original(content).exists() and self._boxes(content).exists()

    def original(self, content: str) -> Path | None:
        """The file of a document; None where there is none."""
        path = self._original(content)
        return path if self.holds(content) else None

    def boxes(self, content: str) -> Boxes | None:
        """Where the words of a document are printed; None where that is not known. The last one
        that was asked for is at hand."""
        if self._last is None or self._last[0] != content:
            if not self.holds(content):
                return None
            with np.load(self._boxes(content)) as arrays:
                boxes = Boxes(
                    text=arrays["text"].tobytes().decode("utf-8", "surrogatepass"),
                    labels=tuple(arrays["labels"].tolist()),
                    **{name: arrays[name] for name in _ARRAYS},
                )
            self._last = content, boxes
        return self._last[1]

    def sweep(self, used: Collection[str]) -> None:
        """Delete what belongs to no document any more."""
        if self._folder.is_dir():
            for file in self._folder.iterdir():
                if file.stem not in used and time.time() - file.stat().st_mtime > YOUNG:
                    file.unlink(missing_ok=True)

    def _original(self, content: str) -> Path:
        return self._folder / f"{content}.pdf"

    def _boxes(self, content: str) -> Path:
        return self._folder / f"{content}.npz"

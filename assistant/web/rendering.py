"""Pages as pictures: the one module that draws with PDFium.

A page is drawn in a process of its own, which a hostile file can end and nothing else with it.
"""

from __future__ import annotations

from collections import deque
from functools import lru_cache
from io import BytesIO
from math import sqrt
from pathlib import Path
from typing import Any

from index.chunking.isolation import IsolatedProcess
from index.errors import UnreadableError
from index.readers.pictures import is_picture_file, page_of

WIDTHS = (400, 800, 1200, 1800, 2700)
"""Pixels; others would only fill the browser's memory with more of the same pictures."""
PIXELS, SIDE = 40_000_000, 16_383
"""Of a picture, and of its longer side, which WebP has no more of: a page that is a thousand times
as high as wide is drawn narrower than it was asked for."""
SECONDS = 20.0
"""How long a page may take: most take some hundredths."""
MAX_FAILED = 1_000
"""Pages of which it is remembered that they cannot be drawn."""


class PageRenderer:
    """Draws pages, one at a time. May be used from many threads."""

    def __init__(self) -> None:
        self._process = IsolatedProcess(SECONDS)
        self._failed = deque[str](maxlen=MAX_FAILED)

    def draw(self, file: Path, page: int, width: int) -> bytes:
        """A page, from 1, as a WebP picture at least as wide as asked for, if any is.

        Raises:
            UnreadableError: it cannot be drawn.
        """
        pixels = next((known for known in WIDTHS if known >= width), WIDTHS[-1])
        told = f"Page {page} cannot be drawn. Its text can be read as text."
        try:
            wanted = f"{file} {file.stat().st_mtime_ns} {page} {pixels}"
        except OSError as error:  # it was removed meanwhile
            raise UnreadableError(told) from error
        if wanted in self._failed:
            raise UnreadableError(told)
        try:
            return self._process.run(file.name, _draw, str(file), page, pixels)
        except UnreadableError as error:
            self._failed.append(wanted)
            raise UnreadableError(told) from error

    def close(self) -> None:
        """End the process."""
        self._process.close()


def _draw(file: str, page: int, width: int) -> bytes:
    if page < 1:
        raise IndexError(page)  # it would be counted from the last
    with Path(file).open("rb") as opened:
        is_picture = is_picture_file(opened.read(16))
    picture = _picture(file, page, width) if is_picture else _page(file, page, width)
    out = BytesIO()
    picture.convert("RGB").save(out, "WEBP", quality=85, method=1)
    return out.getvalue()


def _page(file: str, page: int, width: int) -> Any:
    drawn = _opened(file)[page - 1]
    return drawn.render(scale=_scale(drawn.get_size(), width)).to_pil()


def _picture(file: str, page: int, width: int) -> Any:
    picture = page_of(Path(file).read_bytes(), page)
    scale = _scale(picture.size, width)
    return picture.resize([max(1, round(side * scale)) for side in picture.size])


def _scale(size: tuple[float, float], width: int) -> float:
    across, down = size
    return min(width / across, sqrt(PIXELS / (across * down)), SIDE / max(across, down))


@lru_cache(maxsize=2)
def _opened(file: str) -> Any:
    import pypdfium2

    return pypdfium2.PdfDocument(file)

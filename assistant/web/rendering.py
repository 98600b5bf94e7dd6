"""Pages as pictures: the one module that draws with PDFium.

A page is drawn in a process of its own, which a hostile file can end and nothing else with it.
"""

from __future__ import annotations

import threading
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import lru_cache
from io import BytesIO
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from index.errors import UnreadableError

WIDTHS = (400, 800, 1200, 1800, 2700)
"""Pixels; others would only fill the browser's memory with more of the same pictures."""
SECONDS = 20.0
"""How long a page may take: most take some hundredths."""


class PageRenderer:
    """Draws pages, one at a time. May be used from many threads."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._pool: ProcessPoolExecutor | None = None

    def draw(self, file: Path, page: int, width: int) -> bytes:
        """A page, from 1, as a WebP picture at least as wide as asked for, if any is.

        Raises:
            UnreadableError: it cannot be drawn.
        """
        pixels = next((own for own in WIDTHS if own >= width), WIDTHS[-1])
        with self._guard:
            if self._pool is None:
                self._pool = ProcessPoolExecutor(1, mp_context=get_context("spawn"))
            try:
                return self._pool.submit(_draw, str(file), page, pixels).result(SECONDS)
            except (BrokenProcessPool, TimeoutError) as error:
                for process in list(self._pool._processes.values()):  # noqa: SLF001 (no other way)
                    process.kill()
                self._end()
                raise _not_drawn(page) from error
            except ValueError as error:  # PDFium's own errors are of this kind, as `_draw` tells
                raise _not_drawn(page) from error

    def close(self) -> None:
        """End the process."""
        with self._guard:
            self._end()

    def _end(self) -> None:
        if self._pool:
            self._pool.shutdown(cancel_futures=True)
            self._pool = None


def _not_drawn(page: int) -> UnreadableError:
    return UnreadableError(f"Page {page} cannot be drawn. Its text can be read as text.")


def _draw(file: str, page: int, width: int) -> bytes:
    import pypdfium2

    try:
        if page < 1:
            raise IndexError(page)  # it would be counted from the last
        drawn = _opened(file)[page - 1]
        picture = drawn.render(scale=width / drawn.get_width()).to_pil()
    except (pypdfium2.PdfiumError, IndexError, ZeroDivisionError) as error:
        raise ValueError(str(error)) from error
    out = BytesIO()
    picture.convert("RGB").save(out, "WEBP", quality=85, method=1)
    return out.getvalue()


@lru_cache(maxsize=2)
def _opened(file: str) -> Any:
    import pypdfium2

    return pypdfium2.PdfDocument(file)

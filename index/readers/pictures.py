"""Pictures of pages as layouts: PNG, JPEG and TIFF, as scanners and telephones make them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np

from index.chunking.isolation import report_progress
from index.chunking.layout import Layout
from index.readers.pdf.reader import check_page_count, layout_of, parsed_pages, unread_pictures
from index.readers.pdf.scans import Shot, read_shots

if TYPE_CHECKING:
    from PIL.Image import Image

_MAGIC = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"II*\x00", b"MM\x00*")
A4_HEIGHT = 842.0
"""Points of the longer side of a picture that does not say how large it is: those of A4."""
SCREEN_DPI = 96.0
"""Dots an inch of a picture inside a document."""
DENSITIES = range(72, 1201)
"""Dots an inch that a picture is believed."""


def is_picture_file(content: bytes) -> bool:
    """Whether it is a picture of a format that is read."""
    return content.startswith(_MAGIC)


def read_picture(content: bytes, name: str, ocr: bool = False) -> Layout:
    """The layout of what a picture says, page by page where it has several.

    Args:
        content: its bytes.
        name: for messages.
        ocr: read it.

    Raises:
        EmptyDocumentError: nothing is written on it, or it is not to be read.
        UnreadableError: it has too many pages, or what reads pictures is not installed.
    """
    count = page_count(content)
    if not ocr:
        raise unread_pictures(name, count)
    check_page_count(name, count)
    parse = partial(parsed_pages, name=name)
    pages = read_shots(_shots(content, count), parse, lambda done: report_progress(done, count))
    return layout_of(pages, name)


def layout_of_picture(picture: Image, name: str) -> Layout:
    """The layout of what a picture inside a document says.

    Args:
        picture: in whatever colours.
        name: of the document, for messages.

    Raises:
        EmptyDocumentError: nothing is written on it.
        UnreadableError: what reads pictures is not installed.
    """
    shot = _shot(_on_white(picture), 1, SCREEN_DPI)
    return layout_of(read_shots([shot], partial(parsed_pages, name=name)), name)


def page_count(content: bytes) -> int:
    """How many pages a picture has."""
    from PIL import Image

    with Image.open(BytesIO(content)) as picture:
        return int(getattr(picture, "n_frames", 1))


def page_of(content: bytes, number: int) -> Image:
    """A page of a picture, from 1, upright and in colours.

    Raises:
        IndexError: it has no such page.
    """
    from PIL import Image

    with Image.open(BytesIO(content)) as picture:
        if not 1 <= number <= getattr(picture, "n_frames", 1):
            raise IndexError(number)
        return _page(picture, number)


def _page(picture: Image, number: int) -> Image:
    from PIL import ImageOps

    picture.seek(number - 1)
    return _on_white(ImageOps.exif_transpose(picture))


def _on_white(picture: Image) -> Image:
    """In colours, with paper where nothing is."""
    from PIL import Image

    if not picture.has_transparency_data:
        return picture.convert("RGB")
    paper = Image.new("RGBA", picture.size, "white")
    paper.alpha_composite(picture.convert("RGBA"))
    return paper.convert("RGB")


def _shots(content: bytes, count: int) -> Iterator[Shot]:
    from PIL import Image

    with Image.open(BytesIO(content)) as picture:
        told = picture.info.get("dpi", (0, 0))[0]
        density = float(told) if told else 0.0
        is_told = DENSITIES.start <= density < DENSITIES.stop
        # To open it for each page anew takes time that grows with the square of their count.
        for number in range(1, count + 1):
            page = _page(picture, number)
            yield _shot(page, number, density if is_told else 72 * max(page.size) / A4_HEIGHT)


def _shot(page: Image, number: int, density: float) -> Shot:
    points = 72 / density
    colours = np.ascontiguousarray(np.asarray(page)[:, :, ::-1])
    size = (page.width * points, page.height * points)
    return Shot(number, str(number), colours, points, size)

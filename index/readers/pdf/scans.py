"""Pages that are pictures: recognised, laid out as others are, and each word where it is seen."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from index.chunking.language import seems_prose
from index.computing import cores
from index.readers.ocr.recogniser import (
    READING_SIDE,
    Picture,
    Recognition,
    is_installed,
    not_installed,
    recognised,
)
from index.readers.ocr.text_layer import SHORT, text_layer
from index.readers.pdf.pages import PrintedPage, PrintedWord, printed_pages
from index.readers.pdf.pdfium import drawn_pages

DPI = 200
"""Dots an inch at which a page is drawn to be read."""

LOOK_DPI, LOOK_SIDE, CELL, CONTRAST = 36, 1000, 9, 32
"""Dots an inch at which a page is drawn to be looked at, and how many it has at most on a side; of
how many a cell of it is wide and high; and the levels of grey by which one that is drawn on differs
from the paper. Not tuned."""
MAX_STAMP = 100
"""Characters that the text of a page that is a picture has at most, as of a stamp on it."""
MIN_DRAWN, MIN_COVERED = 0.002, 0.1
"""Share of a page's cells that are drawn on where it is not blank: more than a number or a few
specks; and where it is a picture although it has text. Scans of full pages have .3 to .45, pages
with a title between rules .05."""
FILLED = 0.9
"""Share of a cell's dots from which on it is part of an area in one colour, not of letters."""
MAX_LOOK = 60.0
"""Seconds for which pages are looked at."""

_NOTHING: Picture = np.zeros((0, 0, 3), np.uint8)


@dataclass(frozen=True, slots=True)
class Shot:
    """A page as a picture.

    Attributes:
        number: of the page, from 1.
        label: the number printed on it.
        picture: what is seen.
        points: how many a pixel has (1/72 inch).
        size: width and height of the page in points.
    """

    number: int
    label: str
    picture: Picture
    points: float
    size: tuple[float, float]


def is_rubbish(page: PrintedPage) -> bool:
    """Whether the text of a page is in no language, as what a bad reader made of a scan, or a font
    whose codes are not those of its letters."""
    return not seems_prose(" ".join(word.text for word in page.words_and_loose))


def pictures_among(content: bytes, pages: Iterable[PrintedPage]) -> set[int]:
    """The numbers of those pages of a PDF that are pictures: without text, or with no more than a
    stamp's, and not blank; or with text that cannot be told from its codes. So are those
    without text that cannot be drawn, or not in time."""
    found = {page.number for page in pages if page.is_garbled}
    lengths = {p.number: sum(len(word.text) for word in p.words_and_loose) for p in pages}
    waiting = {page.number: page for page in pages if lengths[page.number] < MAX_STAMP}
    deadline = time.monotonic() + MAX_LOOK
    drawn = drawn_pages(content, tuple(waiting), LOOK_DPI, LOOK_SIDE)
    for number, picture, points, _ in drawn:
        share = _covered(picture, waiting.pop(number).words_and_loose, points)
        if share >= (MIN_COVERED if lengths[number] else MIN_DRAWN):
            found.add(number)
        if time.monotonic() > deadline:
            break
    return found | {number for number in waiting if not lengths[number]}


def _covered(picture: Picture, words: Iterable[PrintedWord], points: float) -> float:
    """The share of a page's cells that are drawn on in part, as where letters are, beside words."""
    grey = picture.mean(axis=2)
    paper = np.bincount(grey.astype(np.intp).ravel()).argmax()
    is_drawn = abs(grey - paper) > CONTRAST
    for word in words:
        box = (word.left, word.top, word.right, word.bottom)
        left, top, right, bottom = (max(0, round(edge / points)) for edge in box)
        is_drawn[max(0, top - 1) : bottom + 1, max(0, left - 1) : right + 1] = False
    cells = np.stack([is_drawn, np.ones_like(is_drawn)]).astype(np.intp)
    for axis in (1, 2):
        cells = np.add.reduceat(cells, range(0, cells.shape[axis], CELL), axis=axis)
    drawn, dots = cells
    return float(((drawn > 0) & (drawn < FILLED * dots)).mean())


def shots_of(content: bytes, labels: dict[int, str]) -> Iterator[Shot]:
    """Pages of a PDF as they are seen.

    Args:
        content: the file.
        labels: of the pages that are wanted, by number.
    """
    for number, picture, points, size in drawn_pages(content, labels, DPI, READING_SIDE):
        yield Shot(number, labels[number], picture, points, size)


def read_shots(
    shots: Iterable[Shot],
    parse: Callable[[bytes], Iterable[Any]],
    on_step: Callable[[int], None] = lambda _: None,
) -> list[PrintedPage]:
    """The pages with the words that are seen on them, in the same order; those without a word too.

    Args:
        shots: pages as pictures.
        parse: makes liteparse's pages of a PDF.
        on_step: called with how many are done, at first with none.

    Raises:
        UnreadableError: what reads pictures is not installed.
    """
    if not is_installed():
        raise not_installed()
    on_step(0)
    taken: list[tuple[Shot, Recognition]] = []
    for shot, recognition in _beside(shots):
        taken.append((shot, recognition))
        on_step(len(taken))
    if not taken:
        return []
    layer = text_layer([read for _, read in taken], [shot.points for shot, _ in taken])
    laid = {page.number: page for page in printed_pages(parse(layer))}
    return [
        _put_back(laid[number], shot, recognition)
        for number, (shot, recognition) in enumerate(taken, start=1)
    ]


def _beside(shots: Iterable[Shot]) -> Iterator[tuple[Shot, Recognition]]:
    """Each shot with what it says, as many at once as there are cores. They are drawn by the thread
    that asks: PDFium knows but one."""
    waiting: deque[tuple[Shot, Future[Recognition]]] = deque()
    with ThreadPoolExecutor(cores()) as pool:
        for shot in shots:
            bare = replace(shot, picture=_NOTHING)
            waiting.append((bare, pool.submit(recognised, shot.picture)))
            if len(waiting) > cores():
                first, read = waiting.popleft()
                yield first, read.result()
        for first, read in waiting:
            yield first, read.result()


def _put_back(page: PrintedPage, shot: Shot, recognition: Recognition) -> PrintedPage:
    """A page as it was laid out, straight, with its words as they were read, and where they are
    seen."""
    left, top, right, bottom = (
        np.array([word.box for word in recognition.words]).reshape(-1, 4) * shot.points
    ).T
    x, y = (left + right) / 2, (top + bottom) / 2
    for word in page.words_and_loose:
        # Lines are laid out as high as others are, and words a little shorter.
        beside, reach = SHORT * word.height, word.height / 2
        inside = (word.left - beside <= x) & (x <= word.right + beside)
        inside &= (word.top - reach <= y) & (y <= word.bottom + reach)
        near = [recognition.words[number] for number in np.flatnonzero(inside)]
        # A word whose text is not in the line belongs to another line nearby.
        near = [read for read in near if read.text in word.text] or near
        if len(near) == 1:
            word.text = near[0].text
        word.page = shot.number
        if near:
            boxes = np.array([recognition.seen(read) for read in near]) * shot.points
            left_top, right_bottom = boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)
            word.seen = (*left_top.tolist(), *right_bottom.tolist())
            word.confidence = min(read.confidence for read in near)
    # What was not recognised the library has made of other words.
    for region in page.regions:
        region.words = [word for word in region.words if word.seen]
    page.drop_empty_regions()
    lines = ([word for word in line if word.seen] for line in page.loose)
    loose = [line for line in lines if line]
    return replace(page, number=shot.number, label=shot.label, seen=shot.size, loose=loose)

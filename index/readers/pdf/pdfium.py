"""What PDFium says of a PDF beside its words: its outline, typographic marks, marks of notes,
descriptions of its pictures, who wrote it when.

liteparse writes quotation marks and dashes as a typewriter has them; a quote is to be what is
printed. And it writes the small figure behind a sentence, which leads to a note, as if it were part
of the last word.
"""

from __future__ import annotations

import ctypes
import re
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import takewhile
from typing import Any

import numpy as np
from numpy.typing import NDArray

from index.chunking.layout import describes
from index.chunking.metadata import metadata_of
from index.models import NO_METADATA, DocumentMetadata

MARKS = {"‘": "'", "’": "'", "“": '"', "”": '"', "–": "-", "—": "-"}  # noqa: RUF001
"""Typographic marks, and what liteparse writes for them."""

_CODES = "\x0b\x0c\r\x0e\x0f\x1b\x1c\x1d\x1e\x1f"
_LIGATURES = dict(zip(_CODES, ("ff", "fi", "fl", "ffi", "ffl") * 2, strict=True))
"""Those of TeX (OT1 and T1) by their codes, which are all that files without names of letters tell;
liteparse leaves them out."""

_TOLD = re.compile(
    rf"[{''.join(MARKS)}]|\d|(?:(?<=[a-z])|(?=.[a-z]))(?!\r\n)[{''.join(_LIGATURES)}]",
    re.I | re.S,
)

ENDS = (".", "!", "?", "…")
CLOSERS = "\"'”’)]»"  # noqa: RUF001
"""What a sentence ends with, before the mark of a note, and what may stand between."""

SMALL = 0.85
"""Share of the size of what stands before it that the mark of a note has at most. Not tuned."""

MAX_LINKS = 2_000
"""Links of a page that are looked at. Not tuned."""

Entry = tuple[int, str, int]
"""Of an outline: a page, a title and its level from 1."""

PageMark = tuple[str, float, float]
"""A mark, and in points from the page's top left corner its middle; of a note's its left edge."""

Ligature = tuple[str, float, float, float]
"""Its letters, and in points from the page's top left corner its left, right and middle height."""

Described = tuple[str, tuple[float, float, float, float]]
"""What is told of a picture to those who cannot see it, and the picture's left, top, right and
bottom in points from the page's top left corner."""


Link = tuple[tuple[float, float, float, float], int]
"""What leads to another place of the file: its left, top, right and bottom in points from the
page's top left corner, and the number of the page."""


@dataclass(frozen=True, slots=True)
class Remarks:
    """What PDFium says of a file.

    Attributes:
        outline: the entries of its outline.
        marks: of each page that has some, where typographic marks stand.
        notes: the same of the figures of marks of notes.
        ligatures: of each page that has some that are not among its words.
        pictures: of each page that has some, the descriptions of its pictures.
        links: of each page that has some, those within the file.
        metadata: who wrote it, and when.
        title: what it calls itself; "" where that is nothing.
    """

    outline: Sequence[Entry] = ()
    marks: Mapping[int, Sequence[PageMark]] = field(default_factory=dict)
    notes: Mapping[int, Sequence[PageMark]] = field(default_factory=dict)
    ligatures: Mapping[int, Sequence[Ligature]] = field(default_factory=dict)
    pictures: Mapping[int, Sequence[Described]] = field(default_factory=dict)
    links: Mapping[int, Sequence[Link]] = field(default_factory=dict)
    metadata: DocumentMetadata = NO_METADATA
    title: str = ""


def remarks_on(content: bytes, seconds: float) -> Remarks:
    """Read a file, what of it can be read within so many seconds.

    Nothing is said of a file that PDFium cannot read: its text is then as liteparse has it.
    """
    import pypdfium2

    deadline = time.monotonic() + seconds
    outline: list[Entry] = []
    marks: dict[int, list[PageMark]] = defaultdict(list)
    notes: dict[int, list[PageMark]] = defaultdict(list)
    ligatures: dict[int, list[Ligature]] = defaultdict(list)
    pictures: dict[int, list[Described]] = {}
    links: dict[int, list[Link]] = {}
    try:
        pdf = pypdfium2.PdfDocument(content)
        title, metadata = _metadata(pdf)
        for entry in pdf.get_toc():
            target = entry.get_dest()
            page = target.get_index() if target else None
            if page is not None:
                outline.append((page + 1, entry.get_title(), entry.level + 1))
        for number, page in enumerate(pdf, start=1):
            if page.get_rotation():
                continue
            text = page.get_textpage()
            characters = text.get_text_range()[: text.count_chars()]
            left, _, _, top = page.get_cropbox()
            for found in _TOLD.finditer(characters):
                at, character = found.start(), found[0]
                if character in MARKS:
                    a, b, c, d = text.get_charbox(at)
                    marks[number].append((character, (a + c) / 2 - left, top - (b + d) / 2))
                elif character in _LIGATURES:
                    a, b, c, d = text.get_charbox(at)
                    edges = a - left, c - left, top - (b + d) / 2
                    ligatures[number].append((_LIGATURES[character], *edges))
                elif figures := _note(text, characters, at):
                    a, b, _, d = text.get_charbox(at)
                    notes[number].append((figures, a - left, top - (b + d) / 2))
            text.close()
            if described := list(_described(page)):
                pictures[number] = described
            if leading := list(_links(pdf, page)):
                links[number] = leading
            page.close()
            if time.monotonic() > deadline:
                break
    except pypdfium2.PdfiumError:
        return Remarks()
    return Remarks(outline, marks, notes, ligatures, pictures, links, metadata, title)


def _links(pdf: Any, page: Any) -> Iterator[Link]:
    """What leads from a page to another place of its file."""
    from pypdfium2 import raw

    left, _, _, top = page.get_cropbox()
    place, link, box = ctypes.c_int(0), raw.FPDF_LINK(), raw.FS_RECTF()
    for _ in range(MAX_LINKS):
        if not raw.FPDFLink_Enumerate(page, place, link):
            break
        target = raw.FPDFLink_GetDest(pdf, link)  # also of an action
        number = raw.FPDFDest_GetDestPageIndex(pdf, target) if target else -1
        if number >= 0 and raw.FPDFLink_GetAnnotRect(link, box):
            high, low = sorted((top - box.top, top - box.bottom))
            yield (box.left - left, high, box.right - left, low), number + 1


def drawn_pages(
    content: bytes, numbers: Iterable[int], dpi: float, side: float
) -> Iterator[tuple[int, NDArray[np.uint8], float, tuple[float, float]]]:
    """Pages of a file as they are seen, but for those that cannot be drawn: the page's number;
    uint8 [height, width, 3] of blue, green and red; how many points a pixel has; and the page's
    width and height in points.

    Args:
        content: the file.
        numbers: of the pages, from 1.
        dpi: dots an inch.
        side: pixels of the longer side, at most.
    """
    import pypdfium2

    with suppress(pypdfium2.PdfiumError):
        pdf = pypdfium2.PdfDocument(content)
        for number in numbers:
            with suppress(pypdfium2.PdfiumError):
                page = pdf[number - 1]
                size = page.get_size()
                scale = min(dpi / 72, side / max(size))
                drawn = page.render(scale=scale).to_numpy()
                page.close()
                if drawn.ndim == 2 or drawn.shape[2] == 1:  # of greys alone
                    drawn = np.repeat(drawn.reshape(*drawn.shape[:2], 1), 3, axis=2)
                yield number, np.ascontiguousarray(drawn[:, :, :3]), 1 / scale, size


def _metadata(pdf: Any) -> tuple[str, DocumentMetadata]:
    """What a file calls itself, and what else it says of itself."""
    told: dict[str, str] = defaultdict(str)
    for key in "Title Author Creator Producer CreationDate ModDate doi Subject".split():
        with suppress(UnicodeDecodeError):  # half of a pair: nothing that can be shown
            told[key] = pdf.get_metadata_value(key)
    # Programs that make files may name themselves.
    author = "" if told["Author"] in (told["Creator"], told["Producer"]) else told["Author"]
    dates, dois = (told["CreationDate"], told["ModDate"]), (told["doi"], told["Subject"])
    return " ".join(told["Title"].split()), metadata_of([[author]], dates, dois=dois)


def _note(text: Any, characters: str, at: int) -> str:
    """The figures of the mark of a note that stands at an offset, if there is one."""
    from pypdfium2.raw import FPDFText_GetFontSize

    if not characters[max(0, at - 4) : at].rstrip(CLOSERS).endswith(ENDS):
        return ""
    figures = "".join(takewhile(str.isdecimal, characters[at : at + 4]))
    if not 0 < len(figures) < 4 or characters[at + len(figures) : at + len(figures) + 1].strip():
        return ""
    before, size = (FPDFText_GetFontSize(text, offset) for offset in (at - 1, at))
    return figures if size < SMALL * before else ""


def _described(page: Any) -> Iterator[Described]:
    """What the tags of a page tell of its pictures, in their order; each is where what is drawn of
    it stands, or somewhere on the page (ISO 32000-2, 14.9.3: alternate descriptions)."""
    from pypdfium2 import raw

    told: list[tuple[str, set[int]]] = []
    tree = raw.FPDF_StructTree_GetForPage(page)
    if tree:
        count, child = raw.FPDF_StructTree_CountChildren, raw.FPDF_StructTree_GetChildAtIndex
        waiting = [child(tree, at) for at in reversed(range(count(tree)))]
        count, child = raw.FPDF_StructElement_CountChildren, raw.FPDF_StructElement_GetChildAtIndex
        while waiting:
            element = waiting.pop()
            if not element:  # what is drawn, not another element
                continue
            if _string(raw.FPDF_StructElement_GetType, element) == "Figure":
                text = _string(raw.FPDF_StructElement_GetAltText, element)
                content = raw.FPDF_StructElement_GetMarkedContentIdAtIndex
                parts = raw.FPDF_StructElement_GetMarkedContentIdCount(element)
                told.append((text, {content(element, at) for at in range(parts)} - {-1}))
            waiting.extend(child(element, at) for at in reversed(range(count(element))))
        raw.FPDF_StructTree_Close(tree)
    told = [(text, marked) for text, marked in told if describes(text)]
    if not told:
        return
    left, foot, right, top = whole = page.get_cropbox()
    of_pictures = set[int]().union(*(marked for _, marked in told))
    drawn = [
        (part, drawing.get_bounds())
        for drawing in page.get_objects(max_depth=1)
        if (part := raw.FPDFPageObj_GetMarkedContentID(drawing)) in of_pictures
    ]
    for text, marked in told:
        bounds = [edges for part, edges in drawn if part in marked] or [whole]
        lefts, feet, rights, tops = zip(*bounds, strict=True)
        # Of what reaches over the edges of the page, as much as is seen.
        low, high = max(min(feet), foot), min(max(tops), top)
        yield (
            text,
            (max(min(lefts), left) - left, top - high, min(max(rights), right) - left, top - low),
        )


def _string(ask: Any, element: Any) -> str:
    """What a function of PDFium tells of an element, its white space as of prose."""
    size = ask(element, None, 0)
    buffer = ctypes.create_string_buffer(max(size, 0))
    ask(element, buffer, size)
    text = buffer.raw.decode("utf-16-le", errors="replace").replace("\0", " ")
    return " ".join(text.split())

"""PDF into a layout, through liteparse: blocks in reading order, and a box for every word.

The text is made of the words themselves, never of what the library makes of them, so that each
character is printed in a box that is known. What stands in a page's repeated header or footer is in
no block and left out. A hostile file is parsed in a process of its own, which is ended when it
takes too long.

Known to go wrong: where page after page begins with lines that differ in their numbers alone, the
library takes them for headers, and they are lost.
"""

# Typographic quotes are meant as they stand.
# ruff: noqa: RUF001

from __future__ import annotations

import atexit
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import pairwise
from statistics import median
from typing import Any

import numpy as np

from index.chunking.layout import (
    CELL,
    NAME,
    Block,
    Composer,
    Heading,
    Layout,
    locked,
    names_columns,
)
from index.errors import EmptyDocumentError, UnreadableError
from index.models import Boxes, Kind

MAX_PAGES = 5000
SECONDS = 120.0
"""How long a file may take: 185 pages take one."""

_MAGIC = b"%PDF-"
_HYPHENS = ("-", "\u00ad", "\u2010")
_LIGATURES = str.maketrans(
    {"\ufb00": "ff", "\ufb01": "fi", "\ufb02": "fl", "\ufb03": "ffi", "\ufb04": "ffl"}
)
_ENDS = re.compile(r"[.!?:;…。！？]['\"”’)\]]*$")
#: A line with the page's number is furniture if so many pages have one at its height. Not tuned.
SEEN_ON = 3
#: Characters of a paragraph that a page may break off in a sentence; shorter ones are labels.
FULL = 60
#: Lines further apart than so many times the usual are of two paragraphs; a line whose words are so
#: many times as high as usual is a heading. Not tuned.
APART, LARGE = 1.4, 1.15
#: Words on one line that are nearer than this share of their height are one word. Not tuned.
GLUED = 0.12


def is_pdf(content: bytes) -> bool:
    """Whether it is a PDF: some have a few lines of something else before."""
    return _MAGIC in content[:1024]


@dataclass(slots=True)
class _Word:
    """A word on a page: its box, and whether it goes on the text item of the word before."""

    text: str
    page: int
    left: float
    top: float
    right: float
    bottom: float
    in_item: bool

    def is_inside(self, box: Any) -> bool:
        x, y = (self.left + self.right) / 2, (self.top + self.bottom) / 2
        return bool(
            box.x - 1 <= x <= box.x + box.width + 1 and box.y - 1 <= y <= box.y + box.height + 1
        )

    def shares_line(self, other: _Word) -> bool:
        low = min(self.bottom - self.top, other.bottom - other.top)
        return min(self.bottom, other.bottom) - max(self.top, other.top) > low / 2


@dataclass(slots=True)
class _Printer:
    """Writes words into a layout and takes note of their boxes."""

    vocabulary: frozenset[str]
    out: Composer = field(default_factory=Composer)
    spans: list[tuple[int, int]] = field(default_factory=list)
    pages: list[int] = field(default_factory=list)
    rectangles: list[tuple[float, float, float, float]] = field(default_factory=list)

    def words(self, words: Sequence[_Word]) -> None:
        """Write words, those of one line apart, hyphens at line ends joined."""
        for number, word in enumerate(words):
            before = words[number - 1] if number else None
            if before:
                self.out.write(self._between(before, word))
            after = words[number + 1] if number + 1 < len(words) else None
            text = word.text[:-1] if after and self._is_divided(word, after) else word.text
            if text:
                self.spans.append(self.out.write(text))
                self.pages.append(word.page)
                self.rectangles.append((word.left, word.top, word.right, word.bottom))

    def _between(self, before: _Word, word: _Word) -> str:
        if word.in_item:
            return " "
        if before.page == word.page and before.shares_line(word):
            gap, height = word.left - before.right, word.bottom - word.top
            return "" if abs(gap) < GLUED * height else " "
        ends_in_hyphen = len(before.text) > 1 and before.text.endswith(_HYPHENS)
        return "" if ends_in_hyphen and word.text[0].isalnum() else " "

    def _is_divided(self, word: _Word, after: _Word) -> bool:
        """Whether its hyphen only divides it at the end of a line."""
        if after.in_item or not word.text.endswith(_HYPHENS) or not after.text[0].islower():
            return False
        if word.page == after.page and word.shares_line(after):
            return False
        whole = _bare(word.text + after.text)
        return whole not in self.vocabulary or whole.replace("-", "") in self.vocabulary

    def heading(self, words: Sequence[_Word], level: int) -> None:
        if words:
            self.out.separate()
            start = self.out.length
            self.words(words)
            text = self.out.text(start)
            self.out.parts.append(Heading(level, text, start, self.out.length))

    def lines(self, groups: Sequence[Sequence[_Word]], kind: Kind) -> None:
        """Write groups of words as a block, each on a line."""
        groups = [group for group in groups if group]
        if not groups:
            return
        self.out.separate()
        spans = []
        for number, group in enumerate(groups):
            if number:
                self.out.write("\n")
            start = self.out.length
            self.words(group)
            spans.append((start, self.out.length))
        self.out.parts.append(Block(tuple(spans), kind))

    def goes_on(self) -> bool:
        """Whether a paragraph goes on the last one, which the end of its page broke off."""
        last = self.out.parts[-1] if self.out.parts else None
        return (
            isinstance(last, Block)
            and last.kind == "prose"
            and last.spans[-1][1] - last.spans[0][0] > FULL
            and not _ENDS.search(self.out.text(last.spans[-1][0]))
        )

    def go_on(self, words: Sequence[_Word]) -> None:
        """Write words as the rest of the last block."""
        last = self.out.parts.pop()
        self.out.write(" ")
        self.words(words)
        start = last.spans[0][0] if isinstance(last, Block) else last.start
        self.out.parts.append(Block(((start, self.out.length),), "prose"))

    def row(self, names: Sequence[Sequence[_Word]], cells: Sequence[Sequence[_Word]]) -> None:
        """Write a row of a table, each cell after the name of its column."""
        if not any(cells):
            return
        self.out.separate()
        start, first = self.out.length, True
        for number, cell in enumerate(cells):
            if cell:
                if not first:
                    self.out.write(CELL)
                first = False
                if number < len(names) and names[number]:
                    self.words(names[number])
                    self.out.write(NAME)
                self.words(cell)
        self.out.parts.append(Block(((start, self.out.length),), "row"))


def read_pdf(content: bytes, name: str) -> Layout:
    """The layout of a PDF.

    Raises:
        UnreadableError: it takes a password, is damaged, too long, or cannot be parsed.
        EmptyDocumentError: it holds pictures of text alone.
    """
    result = _parsed(content, name)
    pages = [(page, _words(page)) for page in result.pages]
    known = frozenset(_bare(w.text) for _, words in pages for w in words)
    printer = _Printer(known)
    laid_out = [(page, _assigned(page.blocks or (), words)) for page, words in pages]
    furniture, levels = _furniture(laid_out), _levels(laid_out)
    for page, blocks in laid_out:
        printer.out.place(page.page_num, f"p. {page.page_label or page.page_num}")
        _write_page(printer, [own for own in blocks if id(own[0]) not in furniture], levels)
    if not printer.spans:
        raise EmptyDocumentError(
            f"{name!r} holds no text: its {len(result.pages)} pages are pictures, as a scan's are. "
            "Have the text recognised first, for instance with: ocrmypdf IN.pdf OUT.pdf"
        )
    laid = printer.out.layout()
    boxes = Boxes(
        text=laid.text,
        spans=np.array(printer.spans, dtype=np.int32),
        pages=np.array(printer.pages, dtype=np.int32),
        rectangles=np.array(printer.rectangles, dtype=np.float32),
        sizes=np.array([(page.width, page.height) for page, _ in pages], dtype=np.float32),
        labels=tuple(page.page_label or str(page.page_num) for page, _ in pages),
    )
    return replace(laid, boxes=boxes)


def _write_page(
    printer: _Printer, blocks: Sequence[tuple[Any, list[_Word]]], levels: Mapping[int, int]
) -> None:
    items: list[list[_Word]] = []
    for number, (block, own) in enumerate(blocks):
        if block.kind == "list_item":
            item, rest = _item(own)
            items.append(item)
            if rest:
                printer.lines(items, "list")
                items = []
                printer.lines([rest], "prose")
            continue
        printer.lines(items, "list")
        items = []
        if block.kind == "heading":
            printer.heading(own, block.level or 1)
        elif block.kind == "table":
            header, *rows = _cells(block, own)
            told = [[" ".join(word.text for word in cell) for cell in row] for row in rows]
            if not any(header) and rows and names_columns(told):
                header, *rows = rows
            for row in rows:
                printer.row(header, row)
        elif block.kind in ("code", "grid_fallback"):
            printer.lines(list(_lines(own)), "lines")
        elif id(block) in levels:
            printer.heading(own, levels[id(block)])
        else:
            first, *others = _paragraphs(own)
            if number == 0 and printer.goes_on():
                printer.go_on(first)
            else:
                printer.lines([first], "prose")
            for paragraph in others:
                printer.lines([paragraph], "prose")
    printer.lines(items, "list")


def _paragraphs(words: Sequence[_Word]) -> list[list[_Word]]:
    """The words of a block apart where more than a line is left blank, as the library does it only
    for some files."""
    lines = list(_lines(words))
    steps = [below[0].top - above[0].top for above, below in pairwise(lines)]
    usual = median(steps) if steps else 0.0
    found = [list(lines[0])]
    for step, line in zip(steps, lines[1:], strict=True):
        if len(steps) > 1 and step > APART * usual:
            found.append([])
        found[-1].extend(line)
    return found


def _levels(pages: Sequence[tuple[Any, list[tuple[Any, list[_Word]]]]]) -> dict[int, int]:
    """The levels of headings, by the ids of their blocks, where the library knew of none: lines
    that stand alone and are larger than most, the largest first."""
    blocks = [own for _, page in pages for own in page]
    if not blocks or any(block.kind == "heading" for block, _ in blocks):
        return {}
    usual = median(word.bottom - word.top for _, words in blocks for word in words)
    large = {
        id(block): round(max(word.bottom - word.top for word in words))
        for block, words in blocks
        if block.kind == "paragraph"
        and words[0].shares_line(words[-1])
        and min(word.bottom - word.top for word in words) > LARGE * usual
    }
    sizes = sorted(set(large.values()), reverse=True)
    return {identity: sizes.index(size) + 1 for identity, size in large.items()}


def _item(words: list[_Word]) -> tuple[list[_Word], list[_Word]]:
    """The words of a list's item, and those of a paragraph below that was taken for more of it:
    its lines begin left of the item's marker."""
    at = 0
    for line in _lines(words):
        if at and line[0].left < words[0].left - 2:
            break
        at += len(line)
    return words[:at], words[at:]


def _furniture(pages: Sequence[tuple[Any, list[tuple[Any, list[_Word]]]]]) -> set[int]:
    """Running heads and feet that the library left in, by the ids of their blocks: the first or
    last line of a page, with its number, at a height where other pages have theirs."""
    found = list[tuple[int, int]]()
    for page, blocks in pages:
        label = page.page_label or str(page.page_num)
        ends = sorted(blocks, key=lambda own: own[0].bbox.y)
        for block, words in (ends[:1] + ends[-1:]) if ends else []:
            is_line = words[0].shares_line(words[-1])
            if is_line and label in (words[0].text, words[-1].text):
                found.append((id(block), round(block.bbox.y / 4)))
    heights = Counter(height for _, height in found)
    return {identity for identity, height in found if heights[height] >= SEEN_ON}


def _words(page: Any) -> list[_Word]:
    """The words of a page in the order of its text items."""
    return [
        _Word(
            word.text.translate(_LIGATURES),
            page.page_num,
            word.x,
            word.y,
            word.x + word.width,
            word.y + word.height,
            number > 0,
        )
        for item in page.text_items
        for number, word in enumerate(item.words)
        if word.text.strip()
    ]


def _assigned(blocks: Sequence[Any], words: Sequence[_Word]) -> list[tuple[Any, list[_Word]]]:
    """Each block that holds text with the words that stand in it: of several, in the smallest."""
    found: list[tuple[Any, list[_Word]]] = [(block, []) for block in blocks if block.bbox]
    for word in words:
        around = [own for own in found if word.is_inside(own[0].bbox)]
        if around:
            min(around, key=lambda own: own[0].bbox.width * own[0].bbox.height)[1].append(word)
    return [own for own in found if own[1]]


def _cells(table: Any, words: Sequence[_Word]) -> list[list[list[_Word]]]:
    """The words of each cell, row by row, the header first."""
    rows = [list(row) for row in [table.header or [], *(table.rows or [])]]
    found: list[list[list[_Word]]] = [[[] for _ in row] for row in rows]
    places = [
        (cell.bbox, found[r][c])
        for r, row in enumerate(rows)
        for c, cell in enumerate(row)
        if cell.bbox
    ]
    for word in words:
        around = [own for own in places if word.is_inside(own[0])] or places
        if around:
            min(around, key=lambda own: _distance(word, own[0]))[1].append(word)
    return found


def _distance(word: _Word, box: Any) -> float:
    x, y = (word.left + word.right) / 2, (word.top + word.bottom) / 2
    return float(abs(x - box.x - box.width / 2) + 4 * abs(y - box.y - box.height / 2))


def _lines(words: Sequence[_Word]) -> Iterator[list[_Word]]:
    line: list[_Word] = []
    for word in words:
        if line and not line[-1].shares_line(word):
            yield line
            line = []
        line.append(word)
    if line:
        yield line


def _bare(word: str) -> str:
    """A word as it stands in the vocabulary: without punctuation around it, in lower case."""
    return word.strip(".,;:!?()[]{}\"'“”‘’").replace("\u00ad", "-").replace("\u2010", "-").lower()


def _parsed(content: bytes, name: str) -> Any:
    import liteparse

    try:
        result = _parser().parse(content)
    except liteparse.ParseTimeoutError as error:
        raise UnreadableError(
            f"{name!r} was given up after {SECONDS:.0f} seconds. Split it, or leave it out."
        ) from error
    except liteparse.ParseError as error:
        if "password" in str(error).lower():
            raise locked(name) from error
        raise UnreadableError(
            f"{name!r} cannot be read as a PDF ({error}). Open it in a viewer and save it anew, "
            "or leave it out."
        ) from error
    if result.total_pages > MAX_PAGES:
        raise UnreadableError(
            f"{name!r} has {result.total_pages:,} pages; at most {MAX_PAGES:,} are read. Split it."
        )
    return result


@cache
def _parser() -> Any:
    from liteparse import LiteParse

    parser = LiteParse(
        ocr_enabled=False,
        extract_blocks=True,
        emit_word_boxes=True,
        max_pages=MAX_PAGES + 1,
        quiet=True,
        pool_size=1,
        parse_timeout=SECONDS,
    )
    # Left to the end of the interpreter, its threads would be cut off and abort the process.
    atexit.register(parser.close)
    return parser

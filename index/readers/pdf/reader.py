"""PDF into a layout, through liteparse: blocks in reading order, and a box for every word.

The text is made of the words themselves, never of what the library makes of them, so that each
character is printed in a box that is known.
"""

# Typographic quotes are meant as they stand.
# ruff: noqa: RUF001

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import zip_longest
from typing import Any

import numpy as np

from index.chunking.isolation import report_progress
from index.chunking.layout import (
    CELL,
    NAME,
    Block,
    Composer,
    Heading,
    Layout,
    letters,
    locked,
)
from index.chunking.sentences import Span
from index.errors import EmptyDocumentError, UnreadableError
from index.models import Boxes, Kind
from index.readers.notes import Sentences
from index.readers.pdf.pages import (
    ASIDE,
    PrintedPage,
    PrintedWord,
    Region,
    letters_of,
    lines_of,
    printed_pages,
)
from index.readers.pdf.paragraphs import ends_sentence
from index.readers.pdf.pdfium import Remarks, remarks_on
from index.readers.pdf.regions import correct_regions, set_marks, set_pictures
from index.readers.pdf.rows import Table
from index.readers.pdf.scans import is_rubbish, pictures_among, read_shots, shots_of

MAX_PAGES = 5000
PAGES_AT_ONCE = 50
"""Pages that are parsed at once: of more, it is told how far they are."""
REMARKS_TIMEOUT = 120.0
"""How long is listened to what PDFium says beside: of 185 pages it takes one."""

_MAGIC = b"%PDF-"
#: The number that a note begins with.
_NOTE = re.compile(r"\W?(\d{1,3})(?![\d.,]*\d)")
_HYPHENS = ("-", "\u00ad", "\u2010")
#: Characters of a paragraph that a page may break off in a sentence; shorter ones are labels.
MIN_BROKEN_OFF = 60
#: Characters of what leads into a block and stands elsewhere, at most. Not tuned.
MAX_LEAD = 600
#: Share of a font's height above its letters: with it, a box reaches into the line above.
ASCENT = 0.1


def is_pdf(content: bytes) -> bool:
    """Whether it is a PDF: some have a few lines of something else before."""
    return _MAGIC in content[:1024]


@dataclass(slots=True)
class _Printer:
    """Writes words into a layout and takes note of their boxes."""

    vocabulary: Mapping[str, int]
    out: Composer = field(default_factory=Composer)
    spans: list[Span] = field(default_factory=list)
    pages: list[int] = field(default_factory=list)
    rectangles: list[tuple[float, float, float, float]] = field(default_factory=list)
    leads: dict[int, Sequence[PrintedWord]] = field(default_factory=dict)
    #: The words with marks of notes, by their page and the figures.
    marks: Mapping[tuple[int, str], PrintedWord] = field(default_factory=dict)

    def words(self, words: Sequence[PrintedWord]) -> Span:
        """Write words, hyphens at line ends joined; where they stand."""
        start = self.out.length
        for number, word in enumerate(words):
            if number:
                self.out.write(self._between(words[number - 1], word))
            after = words[number + 1] if number + 1 < len(words) else None
            text = word.text[:-1] if after and self._is_divided(word, after) else word.text
            if text:
                self.spans.append(self.out.write(text))
                if word.start < 0:
                    word.start = self.spans[-1][0]
                self.pages.append(word.page)
                top = word.top + ASCENT * word.height
                self.rectangles.append(word.seen or (word.left, top, word.right, word.bottom))
                if word.confidence is not None:
                    self.out.recognised.append((*self.spans[-1], word.confidence))
        return start, self.out.length

    def _between(self, before: PrintedWord, word: PrintedWord) -> str:
        if before.page == word.page and before.shares_line(word):
            return "" if word.is_glued_to(before) else " "
        # A path or address goes on below without a hyphen.
        ends_in_hyphen = len(before.text) > 1 and before.text.endswith((*_HYPHENS, "/"))
        return "" if ends_in_hyphen and word.text[0].isalnum() else " "

    def _is_divided(self, word: PrintedWord, after: PrintedWord) -> bool:
        """Whether its hyphen only divides it at the end of a line."""
        if not word.text.endswith(_HYPHENS) or not after.text[0].islower():
            return False
        if word.page == after.page and word.shares_line(after):
            return False
        whole, count = _bare(word.text + after.text), self.vocabulary
        joined, parted = count[whole.replace("-", "")], count[whole]
        if joined or parted:
            return joined >= parted
        # Neither stands elsewhere: two words of the document are one with a hyphen.
        return not all(len(part) > 2 and count[part] for part in whole.split("-"))

    def heading(self, words: Sequence[PrintedWord], level: int) -> None:
        self.out.separate()
        start, end = self.words(words)
        self.out.parts.append(Heading(level, self.out.text(start), start, end))

    def block(
        self, groups: Iterable[Sequence[PrintedWord]], kind: Kind, lead: Sequence[PrintedWord] = ()
    ) -> None:
        """Write groups of words as a block, each on a line; `lead` stands elsewhere."""
        spans: list[Span] = []
        for group in filter(None, groups):
            if spans:
                self.out.write("\n")
            else:
                self.out.separate()
            spans.append(self.words(group))
        if spans:
            self._add(Block(tuple(spans), kind), lead)

    def _add(self, block: Block, lead: Sequence[PrintedWord]) -> None:
        if lead:
            self.leads[len(self.out.parts)] = lead
        self.out.parts.append(block)

    def set_leads(self) -> None:
        """Let blocks have what leads into them, now that all is written: notes the sentence with
        their mark."""
        sentences: Sentences | None = None
        for number, lead in self.leads.items():
            block = self.out.parts[number]
            start = end = lead[0].start
            for word in lead:
                if not end - 1 <= word.start < start + MAX_LEAD:
                    break  # it stands elsewhere
                end = word.start + len(word.text)
            if lead[0].note and start >= 0:
                sentences = sentences or Sentences(self.out.text(0))
                start, end = sentences.at(end, self.out.parts) or (-1, -1)
            if isinstance(block, Block) and start >= 0:
                self.out.parts[number] = replace(block, lead=(start, end))

    def goes_on(self, words: Sequence[PrintedWord]) -> bool:
        """Whether these words go on the last paragraph or item, which the end of its page broke
        off."""
        last = self.out.parts[-1] if self.out.parts else None
        if not isinstance(last, Block) or ends_sentence(self.out.text(last.spans[-1][0])):
            return False
        if last.kind == "list":
            return words[0].text[0].islower()
        return last.kind == "prose" and last.spans[-1][1] - last.spans[0][0] > MIN_BROKEN_OFF

    def go_on(self, words: Sequence[PrintedWord]) -> None:
        """Write words as the rest of the last block."""
        last = self.out.parts.pop()
        self.out.write(" ")
        _, end = self.words(words)
        if isinstance(last, Block):
            spans = (*last.spans[:-1], (last.spans[-1][0], end))
            self.out.parts.append(replace(last, spans=spans))

    def table(self, table: Table) -> None:
        """Write the rows of a table, each cell after the name of its column, the label after those
        that it belongs under."""
        lead = [*table.title, *table.unit]
        if table.unit and table.unit[0].start < 0:
            self.block([table.unit], "lines", table.title)
        for names, row in table.rows:
            filled = [
                [*filter(None, (name, *above)), cell]
                for name, cell, above in zip_longest(names, row.cells, [row.groups], fillvalue=())
                if cell
            ]
            if not filled:
                continue
            self.out.separate()
            start = self.out.length
            for number, parts in enumerate(filled):
                self.out.write(CELL if number else "")
                for place, words in enumerate(parts):
                    if place:
                        self.out.write(" " if parts[place - 1][-1].text.endswith(":") else NAME)
                    self.words(words)
            self._add(Block(((start, self.out.length),), "row"), lead)


def read_pdf(content: bytes, name: str, ocr: bool = False) -> Layout:
    """The layout of a PDF.

    Args:
        content: its bytes.
        name: for messages.
        ocr: read the pages that are pictures, too, and those whose text is rubbish.

    Raises:
        UnreadableError: it takes a password, is damaged, too long, or cannot be parsed; or what
            reads pictures is not installed.
        EmptyDocumentError: it holds pictures of text alone, which are not to be read or cannot be.
    """
    # With `ocr`, those that are pictures are told of below.
    parsed = parsed_pages(content, name, None if ocr else report_progress)
    with ThreadPoolExecutor(1) as beside:
        reading = beside.submit(remarks_on, content, REMARKS_TIMEOUT)
        pages = printed_pages(parsed)
        remarks = reading.result()
    set_marks(pages, remarks)
    pictures = pictures_among(content, pages)
    rubbish = {page.number for page in pages if is_rubbish(page)}
    wanted = {page.number: page.label for page in pages if page.number in pictures | rubbish}
    unread = pictures | rubbish if 2 * len(rubbish) > len(pages) else set(pictures)
    if ocr and wanted:
        shots = shots_of(content, wanted)
        parse = partial(parsed_pages, name=name)
        for read in read_shots(shots, parse, lambda done: report_progress(done, len(wanted))):
            before = pages[read.number - 1]
            unread.discard(read.number)
            if before.number in pictures or not is_rubbish(read):
                pages[read.number - 1] = read
    if ocr and unread and not any(page.words_and_loose for page in pages):
        raise EmptyDocumentError(
            f"No page of {name!r} can be drawn. Open it in a viewer and print it anew, as a PDF."
        )
    return layout_of(pages, name, remarks, unread=len(unread))


def layout_of(
    pages: Sequence[PrintedPage], name: str, remarks: Remarks | None = None, unread: int = 0
) -> Layout:
    """The layout of printed pages.

    Args:
        pages: all of a document.
        name: of it, for messages.
        remarks: what else is known of the file.
        unread: how many of the pages are pictures that were not read.

    Raises:
        EmptyDocumentError: there is no word on them.
    """
    remarks = remarks or Remarks()
    correct_regions(pages, remarks)
    printer = _Printer(Counter(_bare(word.text) for page in pages for word in page.words))
    marked = (word for page in reversed(pages) for word in reversed(page.words) if word.note)
    printer.marks = {(word.page, word.note): word for word in marked}
    if not printer.vocabulary and unread:
        raise unread_pictures(name, len(pages))
    if not printer.vocabulary:
        raise EmptyDocumentError(
            f"There is no text on the pages of {name!r}. Check that it is the right file."
        )
    set_pictures(pages, remarks.pictures)
    _write_pages(printer, pages)
    printer.set_leads()
    laid = printer.out.layout(_printed_title(remarks.title, pages))
    boxes = Boxes(
        text=laid.text,
        spans=np.array(printer.spans, dtype=np.int32),
        pages=np.array(printer.pages, dtype=np.int32),
        rectangles=np.array(printer.rectangles, dtype=np.float32),
        sizes=np.array([page.seen or page.size for page in pages], dtype=np.float32),
        labels=tuple(page.label for page in pages),
    )
    return replace(laid, boxes=boxes, pages=len(pages), metadata=remarks.metadata, unread=unread)


def _printed_title(title: str, pages: Sequence[PrintedPage]) -> str | None:
    """What a file calls itself, where that is printed on its first page with words: many a program
    writes the name of a file there, or of the form that was filled in. One word may be any."""
    said = next((letters_of(page.words) for page in pages if page.words), "")
    name = letters(title)
    return title if name and name in said and " " in title and title.isprintable() else None


def unread_pictures(name: str, count: int) -> EmptyDocumentError:
    """What is told of a file whose text is in pictures that are not to be read."""
    return EmptyDocumentError(
        f"{name!r} holds no text, but pictures of it ({count:,}), as a scan does. To have them "
        "read, add it with --ocr, or with “Read the pictures” on the page.",
        code="scan",
        count=count,
    )


def parsed_pages(
    content: bytes, name: str, on_page: Callable[[int, int], None] | None = None
) -> Iterator[Any]:
    """liteparse's pages of a PDF.

    Args:
        content: the file.
        name: for messages.
        on_page: called with how many are parsed, and how many there are, if they are many.

    Raises:
        UnreadableError: it takes a password, is damaged, or too long.
    """
    count: int = _parse(content, name, "1").total_pages
    check_page_count(name, count)

    def parse() -> Iterator[Any]:
        told = on_page if count > PAGES_AT_ONCE else None
        for done in range(0, count, PAGES_AT_ONCE):
            if told:
                told(done, count)
            last = min(done + PAGES_AT_ONCE, count)
            yield from _parse(content, name, f"{done + 1}-{last}").pages
        if told:
            told(count, count)

    return parse()


def check_page_count(name: str, count: int) -> None:
    """Refuse a file of too many pages.

    Raises:
        UnreadableError: it has more than MAX_PAGES.
    """
    if count > MAX_PAGES:
        raise UnreadableError(
            f"{name!r} has {count:,} pages; at most {MAX_PAGES:,} are read. Split it.",
            code="too_long",
        )


def _write_pages(printer: _Printer, pages: Sequence[PrintedPage]) -> None:
    notes: list[Region] = []
    label = ""
    for page in pages:
        body = [region for region in page.regions if region.kind not in ASIDE]
        goes_on = bool(body) and body[0].kind == "paragraph" and printer.goes_on(body[0].words)
        if not goes_on:
            _write_regions(printer, notes)
        label, before = f"p. {page.label}", label
        printer.out.place(page.number, label)
        if goes_on:
            printer.go_on(body[0].words)
            if notes:
                # Those of the page before, held back so that the paragraph stays whole.
                printer.out.place(page.number - 1, before)
                _write_regions(printer, notes)
                printer.out.place(page.number, label)
        _write_regions(printer, body[1:] if goes_on else body)
        notes = [region for region in page.regions if region.kind in ASIDE]
    _write_regions(printer, notes)


def _write_regions(printer: _Printer, regions: Sequence[Region]) -> None:
    items: list[list[PrintedWord]] = []
    before: Region | None = None
    for region in regions:
        above, before = before, region
        if region.kind == "list_item":
            items.append(region.words)
            continue
        printer.block(items, "list")
        items = []
        if region.kind == "heading":
            printer.heading(region.words, region.level)
        elif region.kind == "table":
            printer.table(region.block)
        elif region.kind in ("contents", "furniture"):
            printer.block(list(lines_of(region.words)), "contents")
        elif region.kind in ("code", "grid_fallback"):
            printer.block(list(lines_of(region.words)), "lines", region.lead)
        elif above and _goes_on_in_column(printer, above, region):
            printer.go_on(region.words)
        elif region.kind == "note":
            for words, mark in _notes_in(region, printer.marks):
                printer.block([words], "prose", [mark] if mark else region.lead)
        else:
            printer.block([region.words], "prose", region.lead)
    printer.block(items, "list")


def _notes_in(
    region: Region, marks: Mapping[tuple[int, str], PrintedWord]
) -> Iterator[tuple[list[PrintedWord], PrintedWord | None]]:
    """The notes of a region, each with the word that bears its mark; one begins with its line."""
    note: list[PrintedWord] = []
    mark: PrintedWord | None = None
    for line in lines_of(region.words):
        number = _NOTE.match(line[0].text)
        begins = number and marks.get((line[0].page, number[1]))
        if begins and (mark is None or int(begins.note) > int(mark.note)):
            if note:
                yield note, mark
            note, mark = [], begins
        note.extend(line)
    yield note, mark


def _goes_on_in_column(printer: _Printer, above: Region, region: Region) -> bool:
    """Whether a paragraph goes on the one that the end of its column broke off."""
    return (
        above.kind == region.kind == "paragraph"
        and region.top < above.top
        and not region.words[0].text[0].isupper()
        and printer.goes_on(region.words)
    )


def _bare(word: str) -> str:
    """A word as it stands in the vocabulary: without punctuation around it, in lower case."""
    return word.strip(".,;:!?()[]{}\"'“”‘’").replace("\u00ad", "-").replace("\u2010", "-").lower()


def _parse(content: bytes, name: str, pages: str) -> Any:
    from liteparse import LiteParse, ParseError

    parser = LiteParse(
        ocr_enabled=False,
        extract_blocks=True,
        emit_word_boxes=True,
        extract_vector_graphics=True,
        include_complexity=True,
        max_pages=MAX_PAGES,
        target_pages=pages,
        quiet=True,
    )
    try:
        return parser.parse(content)
    except ParseError as error:
        if "password" in str(error).lower():
            raise locked(name) from error
        raise UnreadableError(
            f"{name!r} cannot be read as a PDF: it is damaged. Open it in a viewer and print it "
            "anew, as a PDF, or leave it out.",
            code="damaged",
        ) from error

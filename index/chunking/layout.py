"""What a reader of a format makes of a file: its text, its headings and blocks, and where they
stand on the pages, slides or sheets that a person sees."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import chain, repeat

from index.chunking.sentences import Span
from index.errors import UnreadableError
from index.models import NO_METADATA, Boxes, DocumentMetadata, Kind


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading over what follows it, up to the next heading of its level or a lower number."""

    level: int
    text: str
    start: int
    end: int


def only_top(headings: Sequence[Heading]) -> Heading | None:
    """Of headings the one that stands above all others by its level, if there is one."""
    top = min((heading.level for heading in headings), default=0)
    found = [heading for heading in headings if heading.level == top]
    return found[0] if len(found) == 1 else None


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph to be: spans in order, each of which begins a sentence.

    Attributes:
        spans: they hold every non-whitespace character from the first start to the last end.
        kind: what it is.
        lead: what leads into it and stands elsewhere, as far as its format tells: the title of a
            table, a term.
    """

    spans: tuple[Span, ...]
    kind: Kind
    lead: Span | None = None


Part = Heading | Block


@dataclass(frozen=True, slots=True)
class Locator:
    """Where a page, a slide, a sheet or one of its rows begins.

    Attributes:
        start: offset of its first character.
        page: the number of the page or slide, from 1; None where there are none.
        label: as it is shown: `p. xii`, `slide 4`, `Sheet1, row 17`.
    """

    start: int
    page: int | None
    label: str


@dataclass(frozen=True, slots=True)
class Layout:
    """A file as text.

    Attributes:
        text: what is shown and searched; all offsets count its characters.
        parts: headings and blocks in reading order.
        title: the one that the file gives itself; None where it has none.
        locators: where a page, slide, sheet or row begins, ordered by offset.
        boxes: of formats with pages, where its words are printed.
        pages: how many pages or slides it has; 0 where it has none.
        metadata: what the file says of who wrote it, when and where.
        recognised: of each word that was read from a picture its start, its end and how surely it
            was read, from 0 to 1, ordered by offset.
        unread: how many of its pages or pictures hold what was not read.
    """

    text: str
    parts: Sequence[Part]
    title: str | None = None
    locators: Sequence[Locator] = ()
    boxes: Boxes | None = None
    pages: int = 0
    metadata: DocumentMetadata = NO_METADATA
    recognised: Sequence[tuple[int, int, float]] = ()
    unread: int = 0


MAX_TEXT = 200_000_000
"""Characters: a table that says long names of columns in each row would fill the memory."""


@dataclass(slots=True)
class Composer:
    """Writes the text of a layout, block after block, and takes note of where each stands."""

    parts: list[Part] = field(default_factory=list)
    locators: list[Locator] = field(default_factory=list)
    _pieces: list[str] = field(default_factory=list)
    length: int = 0
    recognised: list[tuple[int, int, float]] = field(default_factory=list)

    def write(self, text: str) -> Span:
        """Add text as it is; where it stands.

        Raises:
            UnreadableError: it is too much.
        """
        start = self.length
        self._pieces.append(text)
        self.length += len(text)
        if self.length > MAX_TEXT:
            raise UnreadableError(
                f"It holds more than {MAX_TEXT / 1e6:,.0f} million characters. Split it, or leave "
                "it out.",
                code="too_long",
            )
        return start, self.length

    def text(self, start: int) -> str:
        """What was written from an offset on."""
        behind, found = self.length, list[str]()
        for piece in reversed(self._pieces):
            if behind <= start:
                break
            behind -= len(piece)
            found.append(piece)
        return "".join(reversed(found))[max(0, start - behind) :]

    def separate(self) -> None:
        """Set what follows apart by a blank line."""
        if self.length:
            self.write("\n\n")

    def place(self, page: int | None, label: str) -> None:
        """What is written from here on stands on this page, or in what this label names."""
        self.locators.append(Locator(self.length, page, label))

    def separate_place(self, page: int | None, label: str) -> None:
        """The same of the block that follows, after the blank line before it."""
        self.locators.append(Locator(self.length + (2 if self.length else 0), page, label))

    def heading(self, level: int, text: str) -> None:
        """Add a heading; a blank one is left out."""
        text = " ".join(text.split())
        if text:
            self.separate()
            self.parts.append(Heading(level, text, *self.write(text)))

    def block(self, texts: Iterable[str], kind: Kind, lead: Span | None = None) -> None:
        """Add a block of sentences or lines to be, each on a line; blank ones are left out. What
        one is indented by stands before its span. `lead` is what leads into it."""
        texts = [with_bullets(text.rstrip()) for text in texts if text and not text.isspace()]
        if not texts:
            return
        self.separate()
        spans = []
        for number, text in enumerate(texts):
            bare = text.lstrip()
            if number:
                self.write("\n" + text[: len(text) - len(bare)])
            spans.append(self.write(bare))
        self.parts.append(Block(tuple(spans), kind, lead))

    def table(
        self, names: Sequence[str], rows: Iterable[Sequence[str]], lead: Span | None = None
    ) -> None:
        """Add each row as a sentence that says the names of its columns, `Year: 2021 | Revenue:
        5.2`; empty cells are left out. `lead` is the title of the table."""
        names = [" ".join(name.split()) for name in names]
        for row in rows:
            cells = []
            for name, cell in zip(chain(names, repeat("")), row, strict=False):
                if value := " ".join(cell.split()):
                    cells.append(f"{name}{NAME}{value}" if name and name != value else value)
            self.block([CELL.join(cells)], "row", lead)

    def include(self, layout: Layout, depth: int, name: str) -> None:
        """Add the layout of another file: its headings so many levels lower, its places by the name
        of the file."""
        by = self.paste(layout, depth)
        self.locators.append(Locator(by, None, name))
        for inner in layout.locators:
            self.locators.append(Locator(inner.start + by, None, f"{name}, {inner.label}"))
        self.locators.append(Locator(self.length, None, ""))

    def paste(self, layout: Layout, depth: int) -> int:
        """Add what another layout says, its headings so many levels lower; where it begins."""
        self.separate()
        by = self.length
        self.write(layout.text)
        self.recognised += [(a + by, b + by, sure) for a, b, sure in layout.recognised]
        for part in layout.parts:
            if isinstance(part, Heading):
                moved = Heading(part.level + depth, part.text, part.start + by, part.end + by)
                self.parts.append(moved)
            else:
                spans = tuple((start + by, end + by) for start, end in part.spans)
                lead = part.lead and (part.lead[0] + by, part.lead[1] + by)
                self.parts.append(Block(spans, part.kind, lead))
        return by

    def layout(self, title: str | None = None, metadata: DocumentMetadata = NO_METADATA) -> Layout:
        """What was written."""
        text, parts = "".join(self._pieces), tuple(self.parts)
        recognised = tuple(self.recognised)
        return Layout(
            text, parts, title, tuple(self.locators), metadata=metadata, recognised=recognised
        )


#: A character that stands alone and that fonts of signs (Symbol, Wingdings) have to themselves.
_PRIVATE = re.compile(r"(?<!\S)[\ue000-\uf8ff](?!\S)")
#: Those that say something where they stand, by what they are in Wingdings.
BULLET, _SAYING = "\u2022", {"\uf0e0": "\u2192", "\uf0fb": "\u2717"}


def with_bullets(text: str) -> str:
    """A text, as long as before, in which signs that no other font shows are bullets: items of
    lists begin with them in Word files, and in PDFs that were made of those."""
    return _PRIVATE.sub(lambda sign: _SAYING.get(sign[0], BULLET), text)


#: Between the cells of a row, and between a column's name and the cell.
CELL, NAME = " | ", ": "


#: Words of the text in place of a picture that says something of it, and no name of a file.
MIN_DESCRIPTION_WORDS = 4
_FILE = re.compile(r"\.(?:png|jpe?g|gif|svg|webp|bmp|tiff?)\b", re.IGNORECASE)


def describes(text: str) -> bool:
    """Whether a text in place of a picture says what is seen there."""
    words = [word for word in text.split() if any(map(str.isalpha, word))]
    return len(words) >= MIN_DESCRIPTION_WORDS and not _FILE.search(text)


CONTENTS_LINES, CONTENTS_SHARE = 4, 0.6
"""So many lines that stand together, of which this share repeat headings, are a table of contents.
Not tuned."""


def letters(text: str) -> str:
    """What a heading says, without its number, that of its page and how it is set: headings are
    compared by it."""
    return "".join(filter(str.isalpha, text)).casefold()


def locked(name: str) -> UnreadableError:
    """The error for a file that takes a password."""
    return UnreadableError(
        f"{name!r} takes a password. Save a copy without one, and add that.", code="locked"
    )


def names_columns(rows: Sequence[Sequence[str]], custom: bool = False) -> bool:
    """Whether the first row of a table names its columns, where nothing in the file says so.

    It does if its cells are words or years, and every other row has a number in one of the columns;
    a long table of words is taken to have such a row too, a pair of columns to be names and values.

    Args:
        rows: of the table.
        custom: whether tables like it have such a row as a rule. Then words are enough, and names
            may hold a figure ("Q1") above a column of numbers.
    """
    if not rows:
        return False
    first, *others = [[cell.strip() for cell in row] for row in rows]
    filled = [cell for cell in first if cell]
    if not others or len(filled) < 2 or len(set(filled)) < len(filled):
        return False
    years = [cell for cell in filled if cell.isdigit() and len(cell) == 4]
    columns = [[row[n] for row in others if n < len(row) and row[n]] for n in range(1, len(first))]
    has_numbers = any(column and all(map(_has_digit, column)) for column in columns)
    figures = custom and any(
        column and all(map(_is_number, column)) and name[:1].isalpha()
        for name, column in zip(first[1:], columns, strict=True)
    )
    names = [
        cell
        for cell in filled
        if not cell.endswith(":") and (not _has_digit(cell) or (figures and cell[0].isalpha()))
    ]
    # One year alone is a value; several are names.
    if (
        len(names) + len(years) < len(filled)
        or len(years) == 1
        or 2 * len(filled) < max(map(len, others))
    ):
        return False
    return custom or has_numbers or (len(filled) > 2 and len(others) > 2)


def _is_number(cell: str) -> bool:
    return _has_digit(cell) and not any(map(str.isalpha, cell))


def _has_digit(cell: str) -> bool:
    return any(map(str.isdigit, cell))

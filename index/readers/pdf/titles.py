"""Lines of a PDF, how they are set, and what they are numbered with."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import pairwise
from operator import itemgetter
from typing import NamedTuple

from index.chunking.layout import letters
from index.readers.pdf.pages import ASIDE, PrintedPage, PrintedWord, Region, WordGroup, lines_of

#: A size is larger than the text's from so many times on; one is another than the next smaller
#: from so many times on. Headings of a point more than a text of twelve are the smallest seen.
LARGER, STEP = 1.08, 1.05
#: A gap of so many heights parts a line of two columns. Not tuned.
MIN_GAP = 2.5
#: Share of the letters of a line of one font and size: a sign may be of another. Not tuned.
PURE = 0.85

_BOLD = re.compile(r"bold|black|heavy|demi|medi\b|semib|underl|cmbx|sfbx|bx\d|[-,_](?:bd|hv)", re.I)
_DECIMAL = re.compile(r"(\d{1,3}|[A-Z](?=\s?\.\s?\d))((?:\s?[.-]\s?\d{1,3})*)\s?[.:)]?(?=\s+\D|$)")
_LETTER = re.compile(r"([IVXL]{1,5}|[A-Z])\.(?=\s|$)")
_NAMED = re.compile(r"(§|[^\W\d_]{3,}) (\d{1,3}[a-z]?|[ivxlc]{1,6}|[IVXLC]{1,6}|[A-Z])\b[.:]?")
_ROMAN = {"I": 1, "V": 5, "X": 10, "L": 50, "C": 100}


@cache
def is_bold(font: str) -> bool:
    """Whether a font is bold by its name, or underlined."""
    return _BOLD.search(font) is not None


@dataclass(slots=True, eq=False)
class Line(WordGroup):
    """A line of a region, or the part of it that one column has.

    Attributes:
        size: of its letters, in points.
        pure: whether all of it is of one font and size.
        at: its place among the lines of the document.
    """

    page: PrintedPage
    region: Region
    words: list[PrintedWord]
    font: str = ""
    size: float = 0.0
    pure: bool = True
    at: int = 0
    # Asked of each line many times.
    text: str = field(init=False)
    letters: str = field(init=False)
    is_caps: bool = field(init=False)
    left: float = field(init=False)
    top: float = field(init=False)
    right: float = field(init=False)
    bottom: float = field(init=False)

    def __post_init__(self) -> None:
        words = self.words
        self.text = text = " ".join([word.text for word in words])
        self.letters = letters(text)
        # More than an abbreviation.
        self.is_caps = text.isupper() and sum(map(str.isalpha, text)) > 3
        self.left = min([word.left for word in words])
        self.top = min([word.top for word in words])
        self.right = max([word.right for word in words])
        self.bottom = max([word.bottom for word in words])

    def cut(self, at: int) -> None:
        """Leave so many words of it."""
        self.words = self.words[:at]
        self.__post_init__()

    @property
    def height(self) -> float:
        """Of its first word."""
        return self.words[0].height

    def is_above(self, line: Line) -> bool:
        """Whether a line stands right below, and not in another column."""
        return (
            line.page is self.page
            and -0.5 * self.height < line.top - self.bottom < 0.8 * self.height
            and line.left < self.right
            and self.left < line.right
        )

    def is_beside(self, line: Line) -> bool:
        """Whether a line is part of the same row."""
        return line.page is self.page and self.words[-1].shares_line(line.words[0])


Style = tuple[str, float, bool]
"""A font, the size of its letters and whether all are capitals."""


class Number(NamedTuple):
    """What a heading is numbered with: a word, "§", or nothing; numbers; and where they end."""

    kind: str
    values: tuple[int, ...]
    end: int


@dataclass(slots=True, eq=False)
class Title:
    """Lines that may be a heading.

    Attributes:
        number: what it is numbered with.
        level: from 1, the highest; 0 while it is not known.
        is_numbered: whether its number is one of a sequence.
        is_listed: whether the outline or the contents have it.
        indent: how deep it stands in the contents; 0 where they do not tell.
    """

    lines: list[Line]
    level: int = 0
    is_numbered: bool = False
    is_listed: bool = False
    stands_over: bool = False
    is_term: bool = False
    indent: int = 0
    number: Number | None = field(init=False)
    text: str = field(init=False)
    style: Style = field(init=False)

    def __post_init__(self) -> None:
        self.text = " ".join([line.text for line in self.lines])
        self.number = number_of(self.text)
        # A number that stands apart may be set otherwise.
        named = [line for line in self.lines if line.letters] or self.lines
        self.style = named[0].font, named[0].size, all(line.is_caps for line in named)

    @property
    def page(self) -> PrintedPage:
        """Where it stands."""
        return self.lines[0].page

    @property
    def kind(self) -> str:
        """That of its region."""
        return self.lines[0].region.kind

    def is_right_before(self, line: Line) -> bool:
        """Whether a line is the next one of the same page."""
        last = self.lines[-1]
        return line.at == last.at + 1 and line.page is last.page

    @property
    def words(self) -> list[PrintedWord]:
        """Those of its lines."""
        return [word for line in self.lines for word in line.words]

    @property
    def depth(self) -> int:
        """How many numbers it has, as of 1.2.3."""
        return len(self.number.values) if self.number and self.number.kind in ("", "A") else 0

    @property
    def bare(self) -> str:
        """What it says without its number."""
        return self.text[self.number.end :] if self.number else self.text

    @property
    def is_label(self) -> bool:
        """Whether it is a word and a number alone, as over the title of a chapter."""
        return (
            self.number is not None
            and self.number.kind[1:].isalpha()
            and self.bare.strip(" .:-") == ""
        )


def lines_on(page: PrintedPage) -> Iterator[Line]:
    """The lines of the text of a page, in reading order; those of tables, too."""
    for region in page.regions:
        if region.kind in ("picture", "contents", *ASIDE):
            continue
        for words in lines_of(region.words):
            # Words of a title may be set wide apart.
            for part in [words] if region.kind == "heading" else _parted(words):
                yield Line(page, region, part)


def _parted(words: list[PrintedWord]) -> Iterator[list[PrintedWord]]:
    """A line parted where a gap divides columns; not behind a number at its beginning."""
    start = 0
    for at, (word, after) in enumerate(pairwise(words), start=1):
        is_wide = after.left - word.right > MIN_GAP * word.height
        if is_wide and not (
            at - start < 3 and _DECIMAL.fullmatch(" ".join(w.text for w in words[start:at]))
        ):
            yield words[start:at]
            start = at
    yield words[start:]


def set_styles(lines: Sequence[Line]) -> Style:
    """Set font and size of lines; the style of most of the text."""
    counts = Counter[float](word.size for line in lines for word in line.words)
    # What differs by rounding, or hardly more, is one size: that of most of them.
    sizes: dict[float, float] = {}
    group: list[float] = []
    for size in [*sorted(counts), float("inf")]:
        if group and size > STEP * group[0]:
            usual = max(group, key=counts.__getitem__)
            sizes.update(dict.fromkeys(group, round(usual, 1)))
            group = []
        group.append(size)
    used: Counter[tuple[str, float]] = Counter()
    for line in lines:
        styles: dict[tuple[str, float], int] = defaultdict(int)
        for word in line.words:
            styles[word.font, sizes[word.size]] += len(word.text)
        if line.is_caps and len({font for font, _ in styles}) == 1:
            # Small capitals are smaller ones.
            styles = {max(styles, key=itemgetter(1)): 1}
        style = max(styles, key=styles.__getitem__)
        line.font, line.size = style
        # A mark or a sign may be of another font.
        line.pure = styles[style] >= PURE * sum(styles.values())
        if line.region.kind != "table":
            for each, count in styles.items():
                used[each] += count
    font, size = max(used, key=used.__getitem__) if used else (lines[0].font, lines[0].size)
    return font, size, False


def is_prominent(style: Style, body: Style) -> bool:
    """Whether a style is larger than that of the text, or bold or in capitals."""
    font, size, caps = style
    is_bolder = is_bold(font) and not is_bold(body[0])
    return size > LARGER * body[1] or (size > 0.95 * body[1] and (is_bolder or caps))


def number_of(text: str) -> Number | None:
    """The number that a line begins with: after a word, as of chapters, or alone."""
    if found := _DECIMAL.match(text):
        rest = map(int, re.findall(r"\d+", found[2]))
        kind = "" if found[1].isdigit() else "A"
        return Number(kind, (value_of(found[1]), *rest), found.end())
    if found := _LETTER.match(text):
        kind = ".I" if set(found[1]) <= set("IVX") else ".A"
        return Number(kind, (value_of(found[1]),), found.end())
    if found := _NAMED.match(text):
        return Number(found[1].casefold(), (value_of(found[2]),), found.end())
    return None


def value_of(ordinal: str) -> int:
    """The value of figures, of a Roman number or of a letter."""
    if figures := re.match(r"\d+", ordinal):
        return int(figures[0])
    values = [_ROMAN.get(letter, 0) for letter in ordinal.upper()]
    if not all(values):
        return ord(ordinal[0].upper()) - 64
    return sum(-a if a < b else a for a, b in pairwise([*values, 0]))

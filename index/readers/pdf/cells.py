"""What may be a table on a page: its lines in cells, which of them have values
below each other, and the columns in which these stand."""

# Typographic marks are meant as they stand.
# ruff: noqa: RUF001

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from itertools import chain, pairwise
from statistics import median

import numpy as np

from index.readers.pdf.pages import Line, PrintedWord, Region

Edges = tuple[float, float]
"""Left and right of a column, in points."""

#: Cells of a line are so many heights of their words apart, numbers and what follows a number less.
#: Not tuned.
GAP, NUMBER_GAP = 0.9, 0.35
#: Lines of a table leave at most so many heights free between them, and so many lines without a
#: value may stand between two with one. Not tuned.
MAX_FREE, MAX_BETWEEN = 2.5, 6
#: What stands so many heights right of where labels begin is none. Not tuned.
MAX_INDENT = 8
#: How far cells of a table are apart in the middle, in heights of their words. Of some fifty tables
#: the narrowest had .55, and texts that were taken for one up to .40.
MIN_CELL_GAP = 0.47
#: Words of a table that are looked for in its cells at once.
WORDS_AT_ONCE = 500
#: Attempts to part columns that wide values reach over.
MAX_CUTS = 40

_CURRENCY = re.compile(r"(?:US|C|A|HK)?[$€£¥₹]|USD|EUR|GBP|Rs\.?")
_EMPTY_VALUES = frozenset(
    {"-", "–", "—", "―", "--", "N/A", "n/a", "NA", "n.a.", "NM", "N.M.", "nil", "(X)"}
)
_YEAR = re.compile(r"(?:FY|Q[1-4])? ?(?:19|20)\d\d(?:[-–/]\d{2,4})?(?: ?\(?[\w*†]{1,2}\)?)?")
#: In a line that holds values.
_VALUES = re.compile(
    rf"\d|(?:^|\s|{_CURRENCY.pattern})(?:{'|'.join(map(re.escape, sorted(_EMPTY_VALUES)))})(?:\s|$)"
)
_LEADER = re.compile(r"[._·…]+")


class Cell:
    """Words of a line that stand together: a label, a value, a name of a column."""

    def __init__(self, words: Line) -> None:
        self.words = words
        bare = [word for word in words if not _CURRENCY.fullmatch(word.text)] or words
        self.left, self.right = bare[0].left, bare[-1].right

    @cached_property
    def text(self) -> str:
        """What it says."""
        return " ".join(word.text for word in self.words)

    @cached_property
    def is_year(self) -> bool:
        """Whether it is a year, which names a column or a row."""
        return _YEAR.fullmatch(self.text) is not None

    @cached_property
    def is_amount(self) -> bool:
        """Whether it is a value, and no year."""
        return is_value(self.text) and not self.is_year

    @property
    def middle(self) -> float:
        """Across."""
        return (self.left + self.right) / 2

    def overlap(self, edges: Edges) -> float:
        """How far both reach together, in points; below 0 how far they are apart."""
        return min(self.right, edges[1]) - max(self.left, edges[0])


class CellLine:
    """A line of a page in cells, from left to right."""

    def __init__(self, words: Line) -> None:
        self.words = sorted(words, key=lambda word: word.left)
        self.top = min(word.top for word in words)
        self.bottom = max(word.bottom for word in words)

    @cached_property
    def height(self) -> float:
        """Of most of its words, in points."""
        return median(word.height for word in self.words)

    @cached_property
    def cells(self) -> list[Cell]:
        """From left to right."""
        return list(_cells_of(self.words))

    @cached_property
    def amounts(self) -> list[Cell]:
        """Those beside a label, or several without one."""
        # Most lines hold none: these are told without their cells.
        if not _VALUES.search(" ".join(word.text for word in self.words)):
            return []
        found = [cell for cell in self.cells[1:] if cell.is_amount]
        is_all = len(found) + 1 == len(self.cells) and self.cells[0].is_amount
        return self.cells if is_all else found

    @property
    def is_data(self) -> bool:
        """Whether it may be a row with values."""
        return bool(self.amounts) and len(self.cells) > 1


def seen_lines(words: Iterable[PrintedWord]) -> Iterator[Line]:
    """Words by the lines in which they are seen, from top to bottom."""
    line: Line = []
    tallest: PrintedWord | None = None
    for word in sorted(words, key=lambda word: word.top + word.bottom):
        if tallest:
            # Also where lines are so close that their boxes overlap.
            off = abs(tallest.top + tallest.bottom - word.top - word.bottom) / 2
            height, other = tallest.height, word.height
            if off >= 0.4 * max(height, other) or not tallest.shares_line(word):
                yield line
                line, tallest = [], None
        line.append(word)
        if tallest is None or other > height:
            tallest = word
    if line:
        yield line


def runs_of_values(lines: Sequence[CellLine]) -> Iterator[tuple[int, int]]:
    """First and last line of what may be tables: lines with values that stand under each other."""
    first = last = -1
    columns: list[Edges] = []
    count = 0
    for number, line in enumerate(lines):
        if not line.is_data:
            continue
        goes_on = last >= 0 and _goes_on(lines[last : number + 1], columns, count)
        if not goes_on:
            if count >= 2:
                yield first, last
            first, columns, count = number, [], 0
        columns = merged([*columns, *((cell.left, cell.right) for cell in line.amounts)])
        last, count = number, count + 1
    if count >= 2:
        yield first, last


def _goes_on(lines: Sequence[CellLine], columns: Sequence[Edges], count: int) -> bool:
    *between, line = lines[1:]
    if len(between) > MAX_BETWEEN:
        return False
    if any(below.top - above.bottom > MAX_FREE * below.height for above, below in pairwise(lines)):
        return False
    left = min(each.cells[0].left for each in (lines[0], line))
    if any(_crosses(other, columns) or _is_apart(other, left) for other in between):
        return False
    hits = [sum(cell.overlap(edges) > 0 for edges in columns) for cell in line.amounts]
    is_next = not between and line.top - lines[0].bottom < line.height
    return (is_next or 2 * sum(map(bool, hits)) >= len(hits)) and (count < 2 or max(hits) < 2)


def _is_apart(line: CellLine, left: float) -> bool:
    """Whether a line has but one thing on it, far from where labels begin: a title, or a head."""
    return len(line.cells) == 1 and line.cells[0].left > left + MAX_INDENT * line.height


def _crosses(line: CellLine, columns: Sequence[Edges]) -> bool:
    """Whether text goes across columns, as prose does and no label."""
    for cell in line.cells:
        if cell.is_amount or cell.is_year or cell.left >= columns[0][0] - line.height:
            continue
        hit = sum(cell.overlap(edges) > 0 for edges in columns)
        if hit > 1 or (len(columns) == 1 and cell.right > sum(columns[0]) / 2):
            return True
    return False


def merged(intervals: Iterable[Edges]) -> list[Edges]:
    """Intervals from left to right, those that overlap as one."""
    found: list[Edges] = []
    for left, right in sorted(intervals):
        if found and left < found[-1][1]:
            found[-1] = found[-1][0], max(found[-1][1], right)
        else:
            found.append((left, right))
    return found


def columns_of(lines: Sequence[CellLine]) -> list[Edges]:
    """The edges of the columns of values, where lines have several in one also of those that wide
    values reach over."""
    rows = [[(c.left, c.right) for c in line.amounts] for line in lines]
    rows = [
        row[1:] if len(row) == len(line.cells) else row
        for row, line in zip(rows, lines, strict=True)
    ]
    spans = [span for row in rows for span in row]
    if not spans:
        return []
    cuts = set[float]()
    for _ in range(MAX_CUTS):
        columns = merged(piece for span in spans for piece in _cut(span, cuts))
        clash = next(
            (
                (one, two)
                for row in rows
                for one, two in pairwise(row)
                if any(
                    c[0] <= (one[0] + one[1]) / 2 <= c[1] and c[0] <= (two[0] + two[1]) / 2 <= c[1]
                    for c in columns
                )
            ),
            None,
        )
        if clash is None:
            break
        (_, left), (right, _) = clash
        places = [left + (right - left) * n / 8 for n in range(1, 8)]
        cuts.add(min(places, key=lambda x: sum(a < x < b for a, b in spans)))
    return columns


def _cut(span: Edges, cuts: Iterable[float]) -> Iterator[Edges]:
    """The part of a span that its middle is in, between cuts."""
    middle = (span[0] + span[1]) / 2
    left = max([span[0], *(cut for cut in cuts if cut <= middle)])
    right = min([span[1], *(cut for cut in cuts if cut > middle)])
    yield left, right


def column_of(cell: Cell, columns: Sequence[Edges]) -> int:
    """The column that a cell stands in, or else the nearest."""
    return max(range(len(columns)), key=lambda n: cell.overlap(columns[n]))


def is_value(text: str) -> bool:
    """Whether it is an amount, perhaps with a unit, or what stands for none."""
    text = _CURRENCY.sub("", text).strip()
    if text in _EMPTY_VALUES:
        return True
    bare = text.lstrip(" (+-–—−<>~≤≥±")
    letters = sum(map(str.isalpha, text))
    return bare[:1].isdigit() and letters <= 6 and text.count(" ") <= 4


def _cells_of(words: Line) -> Iterator[Cell]:
    words = [word for word in words if not _LEADER.fullmatch(word.text)]
    cell: Line = []
    begins = False
    for number, word in enumerate(words):
        is_sign, begins = begins, _CURRENCY.fullmatch(word.text) is not None
        if cell:
            gap = (word.left - cell[-1].right) / max(word.height, 1.0)
            if (gap > NUMBER_GAP or begins) and word.text not in ("%", ")", ")%"):
                is_last = number + 1 == len(words)
                starts = is_value(word.text)
                is_number = (
                    (starts or (begins and not is_last))
                    and cell[-1].text[-1] != ","
                    and is_value(" ".join(w.text for w in cell))
                )
                is_apart = gap > GAP or (is_number and (gap > NUMBER_GAP or not is_last))
                if is_apart and not (is_sign and starts):
                    yield Cell(cell)
                    cell = []
        cell.append(word)
    if cell:
        yield Cell(cell)


def cells_of(table: Region) -> list[list[Line]]:
    """The words of each cell of a table that the library knows, row by row, the header first."""
    rows = [list(row) for row in [table.block.header or [], *(table.block.rows or [])]]
    found: list[list[Line]] = [[[] for _ in row] for row in rows]
    boxes = [cell.bbox for cell in chain(*rows)]
    cells = [words for box, words in zip(boxes, chain(*found), strict=True) if box]
    if not cells:
        return found
    left, top, width, height = np.array([(b.x, b.y, b.width, b.height) for b in boxes if b]).T
    for start in range(0, len(table.words), WORDS_AT_ONCE):
        words = table.words[start : start + WORDS_AT_ONCE]
        x, y = np.array([word.middle for word in words]).T[:, :, None]
        across, down = abs(x - left - width / 2), abs(y - top - height / 2)
        inside = (across <= width / 2 + 1) & (down <= height / 2 + 1)
        inside |= ~inside.any(axis=1, keepdims=True)
        away = across + 4 * down
        nearest = np.where(inside, away, np.inf).argmin(axis=1)
        for word, number in zip(words, nearest.tolist(), strict=True):
            cells[number].append(word)
    return found


def has_columns(table: Region) -> bool:
    """Whether the cells of one that the library knows stand apart, and not only as words do."""
    cells = [cell for row in cells_of(table) for cell in row if cell]
    number = {id(word): n for n, cell in enumerate(cells) for word in cell}
    gaps = [
        (word.left - before.right) / word.height
        for before, word in pairwise(table.words)
        if word.shares_line(before)
        and before.left < word.left
        and number.get(id(before)) != number.get(id(word))
    ]
    return bool(gaps) and median(gaps) > MIN_CELL_GAP

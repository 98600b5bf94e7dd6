"""Tables whose cells are drawn: a row is what stands between two rules, however many lines it has.

A cell may go over several columns or rows where no line is drawn between them.
"""

from __future__ import annotations

from bisect import bisect
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import compress, groupby, islice, pairwise, product

import numpy as np

from index.readers.pdf.cells import GAP, CellLine, is_value, merged, seen_lines
from index.readers.pdf.pages import MIN_LINES, Line, PrintedPage, PrintedWord, Rule
from index.readers.pdf.rows import Row, Table

#: Points by which lines miss each other that meet, and between which a column may be that says
#: nothing. Not tuned.
NEAR, NARROW = 4.0, 12.0
#: Share of the height of a table that the side of a column is drawn in. Not tuned.
MIN_DRAWN = 0.3
#: Lines below a grid of which one with values shows that the grid is only a head. Not tuned.
LINES_BELOW = 5
#: Lines of a page, more of which are a drawing. Not tuned.
MAX_LINES = 400
#: Words of a row without cells that says what the rows below it are. Not tuned.
MAX_GROUP = 12

Place = tuple[int, int]
"""A row and a column."""


class Grid:
    """Lines drawn across and up and down a page that meet each other.

    Attributes:
        rows: where each begins, and where the last one ends.
        columns: where each begins, and where the last one ends.
    """

    def __init__(self, rules: Iterable[Rule], sides: Iterable[Rule]) -> None:
        self._sides = _by_place(sides)
        low = min(side[0] for lines in self._sides.values() for side in lines)
        high = max(side[1] for lines in self._sides.values() for side in lines)
        self.columns = [
            place
            for place, lines in self._sides.items()
            if sum(line[1] - line[0] for line in lines) > MIN_DRAWN * (high - low)
        ]
        # Others underline what is said, or are drawn around it.
        self._rules = _by_place(rule for rule in rules if all(map(self._is_edge, rule[:2])))
        self.rows = list(self._rules)

    def _is_edge(self, place: float) -> bool:
        return any(abs(place - column) < NEAR for column in self.columns)

    def drop_empty(self, words: Sequence[PrintedWord]) -> None:
        """Drop rows, and narrow columns, that none of the words stands in."""
        filled = {bisect(self.rows, word.middle[1]) for word in words}
        ends = [n for n in range(len(self.rows)) if n in filled or n + 1 in filled]
        self.rows = [self.rows[n] for n in ends]
        filled = {bisect(self.columns, word.middle[0]) for word in words}
        gaps = [NARROW, *(right - left for left, right in pairwise(self.columns))]
        ends = [n for n, gap in enumerate(gaps) if n in filled or gap >= NARROW]
        self.columns = [self.columns[n] for n in ends]

    def cells(self) -> dict[Place, Place]:
        """For each row and column those in which the cell that is drawn there begins."""
        found: dict[Place, Place] = {}
        for row, column in product(range(len(self.rows) - 1), range(len(self.columns) - 1)):
            is_first, is_leftmost = self._parts_rows(row, column), self._parts_columns(row, column)
            found[row, column] = (
                row if is_first else found[row - 1, column][0],
                column if is_leftmost else found[row, column - 1][1],
            )
        return found

    def _parts_columns(self, row: int, column: int) -> bool:
        """Whether a line is drawn left of a column in a row."""
        middle = (self.rows[row] + self.rows[row + 1]) / 2
        return not column or self._is_drawn(column, middle, middle)

    def _parts_rows(self, row: int, column: int) -> bool:
        """Whether a column is parted between a row and the one above: where the lines there do not
        end beside it, or the table is not drawn further than they are."""
        height, (left, right) = self.rows[row], self.columns[column : column + 2]
        lines = self._rules[height]
        is_left = right < min(line[0] for line in lines) + NEAR
        is_right = left > max(line[1] for line in lines) - NEAR
        edge = 0 if is_left else -1
        is_beside = is_left or is_right
        return not (row and is_beside and self._is_drawn(edge, height - NEAR, height + NEAR))

    def _is_drawn(self, column: int, top: float, bottom: float) -> bool:
        lines = self._sides[self.columns[column]]
        return any(line[0] <= top and bottom <= line[1] for line in lines)


def _by_place(lines: Iterable[Rule]) -> dict[float, list[Rule]]:
    """Lines by where they stand, those that are near each other together."""
    found: dict[float, list[Rule]] = {}
    place = float("-inf")
    for line in sorted(lines, key=lambda line: line[2]):
        if line[2] - place > NEAR:
            place = line[2]
        found.setdefault(place, []).append(line)
    return found


def grids_of(page: PrintedPage) -> Iterator[Grid]:
    """What is drawn on a page as the cells of a table are."""
    if not 2 < len(page.rules) < MAX_LINES or not 2 < len(page.sides) < MAX_LINES:
        return
    left, right, height = np.array(page.rules).T[:, :, None]
    top, bottom, across = np.array(page.sides).T
    meets = (left - NEAR <= across) & (across <= right + NEAR)
    meets &= (top - NEAR <= height) & (height <= bottom + NEAR)
    rest = meets.any(axis=1)
    while rest.any():
        rules = np.arange(len(rest)) == rest.argmax()
        count = 0
        while count < rules.sum():
            count = int(rules.sum())
            sides = meets[rules].any(axis=0)
            rules = meets[:, sides].any(axis=1)
        rest &= ~rules
        yield Grid(compress(page.rules, rules), compress(page.sides, sides))


def read_grid(grid: Grid, around: Sequence[PrintedWord]) -> tuple[Table, Line] | None:
    """What stands in the cells of a grid as a table, and its words; None if it is none.

    Args:
        grid: drawn on a page.
        around: the words of the page.
    """
    if min(len(grid.rows), len(grid.columns)) < 3:
        return None
    box = grid.columns[0], grid.rows[0], grid.columns[-1], grid.rows[-1]
    words = [word for word in around if word.is_inside(box)]
    grid.drop_empty(words)
    rows, columns = grid.rows, grid.columns
    if min(len(rows), len(columns)) < 3:
        return None
    cells = grid.cells()
    said: dict[Place, Line] = {place: [] for place in cells.values()}
    for line in seen_lines(words):
        for word in sorted(line, key=lambda word: word.left):
            x, y = word.middle
            row, column = bisect(rows, y, 1, len(rows) - 1), bisect(columns, x, 1, len(columns) - 1)
            said[cells[row - 1, column - 1]].append(word)
    if not _is_table(said):
        return None
    places = [
        [cells[row, column] for column in range(len(columns) - 1)] for row in range(len(rows) - 1)
    ]
    places = [row for n, row in enumerate(places) if any(above == n for above, _ in row)]
    table = Table([], list(pairwise(columns)))
    has_names = _read_rows(table, places, said)
    below = [word for word in around if word.top > box[3] - 1 and box[0] < word.middle[0] < box[2]]
    is_head = not has_names and _begins_with_values(below, box[3])
    return None if is_head or not table.rows else (table, words)


def _begins_with_values(words: Sequence[PrintedWord], top: float) -> bool:
    """Whether values stand in the first lines below a height."""
    lines = map(CellLine, islice(seen_lines(words), LINES_BELOW))
    return any(line.is_data and line.top - top < LINES_BELOW * 2 * line.height for line in lines)


def _is_table(said: Mapping[Place, Line]) -> bool:
    """Whether most rows have several cells, none of which has columns or the values of several
    rows in it."""
    filled = sorted(place for place, words in said.items() if words)
    counts = [len(list(row)) for _, row in groupby(filled, key=lambda place: place[0])]
    stacked = [
        row
        for (row, _), words in said.items()
        if sum(is_value(" ".join(word.text for word in line)) for line in seen_lines(words)) > 1
    ]
    return (
        sum(count > 1 for count in counts) > max(1, len(counts) / 2)
        and len(stacked) == len(set(stacked))
        and not any(map(_has_columns, said.values()))
    )


def _has_columns(words: Line) -> bool:
    """Whether words of several lines stand in columns."""
    if len(list(seen_lines(words))) < MIN_LINES:
        return False
    parts = merged((word.left, word.right) for word in words)
    return any(b[0] - a[1] > GAP * words[0].height for a, b in pairwise(parts))


def _read_rows(table: Table, places: Sequence[list[Place]], said: Mapping[Place, Line]) -> bool:
    """Read the rows of a table, of which the first may say what it is and name its columns; whether
    they do. None are read of a table that has more values than text."""
    first = next((n for n, row in enumerate(places) if len(set(row)) > 1), 0)
    below = first + 1
    if len(set(places[first])) < len(places[first]):
        while below < len(places) and any(
            max(places[first])[0] <= at < max(places[below])[0] for at, _ in places[below]
        ):
            below += 1
    columns = [dict.fromkeys(column) for column in zip(*places[first:below], strict=True)]
    names = [[word for place in column for word in said[place]] for column in columns]
    rows = []
    for row in places:
        at = max(row)[0]
        cells = [said[place] if place == (at, n) else [] for n, place in enumerate(row)]
        if row[0] == (row[0][0], 0) and len(said[row[0]]) <= MAX_GROUP:
            cells[0] = said[row[0]]  # also where it goes over several rows
        rows.append(cells)
    texts = [
        [" ".join(word.text for word in cell) for cell in row] for row in (names, *rows[below:])
    ]
    values = [is_value(text) for row in texts[1:] for text in row[1:] if text]
    if 2 * sum(values) >= len(values):
        return False
    fonts = Counter(word.font for row in rows[below:] for cell in row[1:] for word in cell)
    usual = max(fonts, key=fonts.__getitem__, default="")
    is_set_apart = all(word.font != usual for name in names[1:] for word in name)
    if is_set_apart:
        table.unit = [word for row in rows[:first] for word in row[0]]
        rows, places = rows[below:], places[below:]
    else:
        names = [[] for _ in names]
    group: Line = []
    for row, cells in zip(places, rows, strict=True):
        if len(set(row)) > 1:
            table.rows.append((names, Row([group] if group else [], cells)))
        elif len(cells[0]) <= MAX_GROUP:
            group = cells[0]
        else:
            group = []
            table.rows.append((names, Row([], cells)))
    return is_set_apart

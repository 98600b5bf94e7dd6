"""The rows of a table, each with what it says under the names of columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise, zip_longest
from statistics import median

from index.readers.pdf.cells import CellLine, Edges, column_of, seen_lines
from index.readers.pdf.pages import Line, PrintedWord, Rule
from index.readers.pdf.table_heads import names_in

#: A row that stands so many times as far below the one before as others begins a part; a line that
#: does so few times goes on the label before. Not tuned.
NEXT_PART, TIGHT = 1.6, 0.85


@dataclass(slots=True, eq=False)
class Row:
    """A row: the lines above it that it belongs to, and a cell for each column, the label first."""

    groups: list[Line]
    cells: list[Line]


@dataclass(slots=True, eq=False)
class Table:
    """A table as it is read.

    Attributes:
        rows: each with the names of its columns.
        edges: left and right of each column, in points.
        title: words that say what it is, printed elsewhere.
        unit: words of its head that say in what its values are.
    """

    rows: list[tuple[list[Line], Row]]
    edges: list[Edges] = field(default_factory=list)
    title: Line = field(default_factory=list)
    unit: Line = field(default_factory=list)


@dataclass(slots=True, eq=False)
class _Group:
    """A line that only names the rows below it: indented ones, or those until the next gap."""

    words: Line
    is_by_gap: bool = False

    def holds(self, row: Line) -> bool:
        """Whether a row belongs to it, by where its label begins."""
        indent = row[0].left - self.words[0].left
        return indent > 1 or (self.is_by_gap and indent > -1)


def read_rows(
    table: Table, names: list[Line], lines: Sequence[CellLine], rules: Sequence[Rule]
) -> None:
    """Read the lines of a table below its head, of which some only name those below them, some are
    the rest of a label or cell, and some a head again."""
    columns, rows = table.edges, table.rows
    groups: list[_Group] = []
    waiting: list[Line] = []
    head: list[CellLine] = []
    steps = [below.bottom - above.bottom for above, below in pairwise(lines)]
    usual = median(steps) if steps else 0.0

    for step, line in zip([0.0, *steps], lines, strict=True):
        cells = _cells(line, columns)
        beside = line.cells[bool(cells[0]) :]
        if step > NEXT_PART * usual:
            groups = [group for group in groups if not group.is_by_gap]
        if not beside:
            label = cells[0]
            if not label:
                continue
            before = waiting[-1] if waiting else rows[-1][1].cells[0] if rows else []
            if before and _is_wrapped(before, label, step < TIGHT * usual):
                before.extend(label)
            else:
                waiting.append(label)
            continue
        if not any(cell.is_amount for cell in beside):
            if any(cell.is_year for cell in beside) or (not cells[0] and len(beside) > 1):
                head.append(line)
                continue
            if rows and not cells[0] and not waiting:
                rows[-1][1].cells = [
                    [*a, *b] for a, b in zip(rows[-1][1].cells, cells, strict=True)
                ]
                continue
        if head:
            names, head = names_in(head, columns, rules, table.unit), []
        label = cells[0]
        if waiting and (
            _is_wrapped(waiting[-1], label, step < TIGHT * usual)
            if label
            else line.bottom - waiting[-1][-1].bottom < 0.9 * line.height
        ):
            label = [*waiting.pop(), *label]
        for words in waiting:
            groups = [one for one in groups if one.words[0].left < words[0].left - 1]
            groups.append(_Group(words))
        if waiting and label:
            groups[-1].is_by_gap = label[0].left < groups[-1].words[0].left + 1
        waiting = []
        if label:
            groups = [group for group in groups if group.holds(label)]
        cells[0] = label
        rows.append((names, Row([group.words for group in groups] if label else [], cells)))
        if label and label[0].text.lower() == "total":
            groups = [group for group in groups if not group.is_by_gap]


def keep_all(table: Table, words: Sequence[PrintedWord]) -> None:
    """Let words of a table that none of its rows says be rows where they stand: names of columns
    without a cell, lines above no row. Leaders and numbers alone say nothing."""
    said = set(map(id, table.unit))
    for names, row in table.rows:
        for name, cell in zip_longest(names, row.cells, fillvalue=()):
            if cell:
                said.update(map(id, (*name, *cell)))
        if any(row.cells[:1]):
            said.update(id(word) for group in row.groups for word in group)
    tops = [top_of(row) for _, row in table.rows]
    for line in seen_lines(word for word in words if id(word) not in said):
        if not any(any(map(str.isalpha, word.text)) for word in line):
            continue
        line.sort(key=lambda word: word.left)
        at = next((n for n, top in enumerate(tops) if top > line[0].top), len(tops))
        tops.insert(at, line[0].top)
        table.rows.insert(at, ([], Row([], [line])))


def top_of(row: Row) -> float:
    """How far down a row begins; 0 of an empty one."""
    return min((word.top for cell in row.cells for word in cell), default=0.0)


def _cells(line: CellLine, columns: Sequence[Edges]) -> list[Line]:
    """The words of a line by columns."""
    cells: list[Line] = [[] for _ in columns]
    for number, cell in enumerate(line.cells):
        half = (cell.right - cell.left) / 2
        is_label = not number and cell.left < columns[1][0] and cell.overlap(columns[1]) < half
        cells[0 if is_label else max(1, column_of(cell, columns))].extend(cell.words)
    return cells


def _is_wrapped(label: Line, words: Line, is_tight: bool) -> bool:
    """Whether words are the next line of a label, and not another: they stand closer than rows do,
    begin in lower case, or the label is not at its end."""
    first, end = words[0], label[-1]
    if end.text.endswith(":") or first.left < label[0].left - 1:
        return False
    return is_tight or first.text[0].islower() or first.text[0] == "(" or end.text[-1] in ",-–—/"

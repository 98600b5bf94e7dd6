"""The head of a table: where it begins and ends, and the names that it gives to columns.

A name may stand on several lines, and one may stand over several columns: a rule below it says over
which, or else in whose middle it stands.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from index.readers.captions import is_table_caption
from index.readers.pdf.cells import Cell, CellLine, Edges
from index.readers.pdf.pages import Line, Rule

#: Lines of a head at most, and how many heights they leave free between them. Not tuned.
MAX_HEAD, MAX_HEAD_FREE = 8, 1.3
#: Heights that are free below a name of several columns where the next line does not go on it. Not
#: tuned.
APART = 0.25
#: Lines whose values tell whether those of a line are names.
SAMPLE = 20

_UNIT = re.compile(
    r"[(\[].*[)\]]$|(?:\w+ )?in (?:thousand|million|billion)s|(?:thousand|million)s", re.IGNORECASE
)
_DATED = re.compile(r"\b(?:ended|ending|as of|at|fiscal)\b|,$", re.IGNORECASE)


def first_line_of(
    lines: Sequence[CellLine],
    first: int,
    done: int,
    columns: Sequence[Edges],
    rules: Sequence[Rule],
) -> int:
    """The first line of the head that stands above the first row."""
    top = first
    for number in range(first - 1, max(done, first - MAX_HEAD) - 1, -1):
        line, below = lines[number], lines[number + 1]
        if line.cells and is_table_caption(line.cells[0].text):
            break
        if below.top - line.bottom > MAX_HEAD_FREE * max(line.height, below.height):
            break
        over = over_values(line, columns)
        if over and all(cell.is_amount for cell in over):
            break
        if not over:
            if line.cells and line.cells[0].right <= columns[1][1] and len(line.cells) == 1:
                continue  # a label, of what stands below a head or beside it
            break
        if not all(_names_columns(cell, columns, line, rules) for cell in over):
            break
        beside = [cell for cell in line.cells if cell not in over]
        if any(cell.right > columns[1][0] for cell in beside):
            break
        top = number
    if top == first:
        number = first - 1
        # A line that the first rows stand under.
        while number >= done and _is_group(lines[number], lines[number + 1], columns):
            top, number = number, number - 1
    return top


def _is_group(line: CellLine, below: CellLine, columns: Sequence[Edges]) -> bool:
    return (
        len(line.cells) == 1
        and below.top - line.bottom < MAX_HEAD_FREE * line.height
        and abs(line.cells[0].left - columns[0][0]) < 4 * line.height
        and line.cells[0].right < columns[1][1]
        and (line.cells[0].text.endswith(":") or below.cells[0].left - line.cells[0].left > 2)
    )


def _names_columns(
    cell: Cell, columns: Sequence[Edges], line: CellLine, rules: Sequence[Rule]
) -> bool:
    """Whether it stands over columns of values as the name of some, and not across a page."""
    if _rule_below(cell, line, columns, rules):
        return True
    if cell.right > columns[-1][1] + 6 * line.height:
        return False
    low, high = _covered(cell, columns, 1, len(columns) - 1)
    whole = (columns[0][0] + columns[-1][1]) / 2
    is_middle = abs(cell.middle - whole) < min(3.0, _off(cell, columns, low, high))
    is_wide = cell.right - cell.left > 1.2 * (columns[high][1] - columns[low][0])
    if len(line.cells) == 1 and (is_middle or is_wide):
        return False
    return low == high or cell.left > columns[0][1] - 2 * line.height


def _rule_below(
    cell: Cell, line: CellLine, columns: Sequence[Edges], rules: Sequence[Rule]
) -> Rule | None:
    """The rule that a name is underlined with, under its last line, and that reaches as far as it
    does over columns of values."""
    below = [rule for rule in rules if rule[2] > line.bottom - 0.4 * line.height]
    under = [rule for rule in below if rule[0] <= cell.middle <= rule[1]]
    nearest = min(under, key=lambda rule: rule[2], default=None)
    if not nearest or nearest[2] > line.bottom + 2.5 * line.height:
        return None
    reaches = nearest[0] <= cell.left + 3 and nearest[1] >= cell.right - 3
    return nearest if reaches and nearest[0] > columns[0][0] + line.height else None


def _covered(
    cell: Cell,
    columns: Sequence[Edges],
    low: int,
    high: int,
    is_merged: bool = False,
) -> tuple[int, int]:
    """From which to which column a name reaches, of `low` to `high`: those that it stands over, and
    where it is wider than they are, or known to be over several, also those beside them in whose
    middle it stands."""
    over = [n for n in range(low, high + 1) if cell.overlap(columns[n]) > 0]
    over = over or [min(range(low, high + 1), key=lambda n: _off(cell, columns, n, n))]
    first, last = over[0], over[-1]
    width = cell.right - cell.left
    is_wide = is_merged or width > 1.2 * (columns[last][1] - columns[first][0])
    if not is_wide and first == last and 2 * cell.overlap(columns[first]) > width:
        return first, last
    choices = {
        (a, b): _off(cell, columns, a, b)
        for a in range(low, first + 1)
        for b in range(last, high + 1)
    }
    nearest = min(choices.values()) + 5
    return max((pair for pair in choices if choices[pair] <= nearest), key=lambda p: p[1] - p[0])


def _off(cell: Cell, columns: Sequence[Edges], first: int, last: int) -> float:
    """How far the middle of a name is from that of columns."""
    return abs(cell.middle - (columns[first][0] + columns[last][1]) / 2)


def first_line_below(
    lines: Sequence[CellLine],
    first: int,
    last: int,
    top: int,
    columns: Sequence[Edges],
    rules: Sequence[Rule],
) -> int:
    """The first line below the head: where a rule goes across the table, if one does below names
    that look like values."""
    pure = next((n for n in range(top, last) if _holds_only_amounts(lines[n], columns)), last)
    for number in range(top + 1, min(pure, top + MAX_HEAD) + 1):
        above, line = lines[number - 1], lines[number]
        is_row = line.amounts or (line.cells and line.cells[0] not in over_values(line, columns))
        if is_row and over_values(above, columns) and is_ruled(above, line, columns, rules):
            return number
    while first < last and _names_values(
        lines[first], lines[first + 1 : last + 1][:SAMPLE], columns
    ):
        first += 1
    head = [number for number in range(top, first) if over_values(lines[number], columns)]
    return head[-1] + 1 if head else top


def over_values(line: CellLine, columns: Sequence[Edges]) -> list[Cell]:
    """What stands over the columns of values."""
    return [cell for cell in line.cells if _is_beside_labels(cell, line, columns)]


def _is_beside_labels(cell: Cell, line: CellLine, columns: Sequence[Edges]) -> bool:
    return cell.left >= columns[0][1] or cell.middle > columns[1][0] - line.height


def _holds_only_amounts(line: CellLine, columns: Sequence[Edges]) -> bool:
    """Whether nothing but amounts stands in its columns of values."""
    over = over_values(line, columns)
    return bool(over) and all(cell.is_amount for cell in over)


def _names_values(line: CellLine, below: Sequence[CellLine], columns: Sequence[Edges]) -> bool:
    """Whether it has words over columns of amounts, as the line of a head has."""
    over = over_values(line, columns)
    texts = [cell for cell in over if not cell.is_amount and not cell.is_year]
    for cell in texts:
        found = [
            c for each in below for c in each.cells[1:] if c.overlap((cell.left, cell.right)) > 0
        ]
        if 2 * sum(c.is_amount for c in found) <= len(found):
            return False
    return 3 * len(texts) >= len(over) > 0


def is_ruled(
    above: CellLine, below: CellLine, columns: Sequence[Edges], rules: Sequence[Rule]
) -> bool:
    """Whether a rule goes across the table between two lines, or one across each column."""
    near = [
        r
        for r in rules
        if above.bottom - 0.4 * above.height <= r[2] <= below.top + 0.4 * below.height
    ]
    across = [r for r in near if r[0] < columns[0][0] + 10]
    if not across:
        return False
    covered = sum(
        max((min(b, r[1]) - max(a, r[0]) for r in near), default=0.0) > 0.5 * (b - a)
        for a, b in columns
    )
    return covered > 0.8 * len(columns)


def names_in(
    head: Sequence[CellLine], columns: Sequence[Edges], rules: Sequence[Rule], unit: Line
) -> list[Line]:
    """The names of columns, made of all lines of a head; what says the unit goes to `unit`."""
    names: list[Line] = [[] for _ in columns]
    reach = list(columns)  # with the names below
    is_dated = False
    below: CellLine | None = None
    for line in reversed(head):
        parts = [part for cell in line.cells for part in _split(cell, line, columns, rules)]
        over = [part for part in parts if _is_beside_labels(part, line, columns)]
        beside = [part for part in parts if part not in over]
        if len(over) == 1 < len(columns) - 1 and _UNIT.match(over[0].text):
            unit[:0] = over.pop().words
        bases = [_nearest(cell, columns) for cell in over]
        drawn = [_rule_below(cell, line, columns, rules) for cell in over]
        reached: list[list[Line]] = [[] for _ in columns]
        for number, cell in enumerate(over):
            low = bases[number - 1] + 1 if number else 1
            high = bases[number + 1] - 1 if number + 1 < len(over) else len(columns) - 1
            low, high = min(low, bases[number]), max(high, bases[number])
            is_apart = below and len(over) == 1 and below.top - line.bottom > APART * line.height
            is_shared = drawn.count(drawn[number]) > 1
            rule = None if is_shared else drawn[number]
            under = [n for n in range(1, len(columns)) if rule and _holds(rule, columns[n])]
            if under:
                first, last = under[0], under[-1]
            else:
                first, last = _covered(
                    cell,
                    reach,
                    low,
                    high,
                    is_dated or bool(is_apart or (is_shared and drawn[number])),
                )
            if first == last:
                left, right = reach[first]
                reach[first] = min(left, cell.left), max(right, cell.right)
            for place in range(first, last + 1):
                reached[place].append(cell.words)
        below = line if over else below
        if over:
            is_dated = all(cell.is_year for cell in over)
        for cell in beside:
            # "Years ended December 31," stands before the years as well as above them.
            if over and is_dated and _DATED.search(cell.text):
                for said in reached[1:]:
                    said.insert(0, cell.words)
            elif _UNIT.match(cell.text):
                unit[:0] = cell.words
            else:
                reached[0].append(cell.words)
        for place, said in enumerate(reached):
            names[place][:0] = [word for words in said for word in words]
    return names


def _holds(rule: Rule, edges: Edges) -> bool:
    return rule[0] <= sum(edges) / 2 <= rule[1]


def _split(
    cell: Cell, line: CellLine, columns: Sequence[Edges], rules: Sequence[Rule]
) -> list[Cell]:
    """The names in a cell that stand as close as words do, each over a column of its own."""
    over = [n for n in range(len(columns)) if cell.overlap(columns[n]) > 0]
    if len(over) < 2 or _rule_below(cell, line, columns, rules):
        return [cell]
    if cell.right - cell.left < 0.8 * (columns[over[-1]][1] - columns[over[0]][0]):
        return [cell]
    parts: list[Cell] = []
    for number in range(over[0], over[-1] + 1):
        edges = columns[number]
        left = (columns[number - 1][1] + edges[0]) / 2 if number > over[0] else -1e9
        right = (edges[1] + columns[number + 1][0]) / 2 if number < over[-1] else 1e9
        words = [word for word in cell.words if left <= word.middle[0] < right]
        if not words:
            return [cell]
        part = Cell(words)
        off = min(
            abs(part.middle - sum(edges) / 2), abs(part.right - edges[1]), abs(part.left - edges[0])
        )
        if off > line.height:
            return [cell]
        parts.append(part)
    return parts


def _nearest(cell: Cell, columns: Sequence[Edges]) -> int:
    return min(range(1, len(columns)), key=lambda n: abs(sum(columns[n]) / 2 - cell.middle))

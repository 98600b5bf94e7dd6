"""The tables of a page of HTML: which of them are some, and what stands in their cells."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from index.chunking.layout import names_columns

MAX_SPAN = 100
"""Columns that a cell is believed to span."""


def is_table(table: Any) -> bool:
    """Whether a table is one: others lay out a page."""
    if table.attributes.get("role") in ("presentation", "none") or len(table.css("table")) > 1:
        return False
    return max((len(_cells(row)) for row in table.css("tr")), default=0) > 1


def rows_of(table: Any, inside: Callable[[Any], str]) -> tuple[list[str], list[list[str]]]:
    """The names of a table's columns, as far as it has some, and its rows.

    Args:
        inside: tells what a cell says.
    """
    grid, header = _grid(table, inside)
    rows = grid[header:]
    if header:
        width = max(map(len, grid[:header]))
        columns = [[row[n] for row in grid[:header] if n < len(row)] for n in range(width)]
        return [" ".join(dict.fromkeys(filter(None, texts))) for texts in columns], rows
    if names_columns(rows):
        return rows[0], rows[1:]
    return [], rows


def _grid(table: Any, inside: Callable[[Any], str]) -> tuple[list[list[str]], int]:
    """The texts of a table's cells, and how many of its rows name its columns.

    A cell that spans columns names each of them, or is in the first of them; one that spans rows
    is in each of them.
    """
    header = 0
    rows = [(row, _cells(row)) for row in table.css("tr")]
    grid: list[dict[int, str]] = [{} for _ in rows]
    for number, (row, cells) in enumerate(rows):
        is_head = row.parent.tag == "thead" or all(cell.tag == "th" for cell in cells)
        names = bool(cells) and is_head
        column = 0
        for cell in cells:
            while column in grid[number]:
                column += 1
            text = inside(cell)
            for spanned in range(_span(cell, "colspan")):
                for below in grid[number : number + _span(cell, "rowspan")]:
                    below[column] = text if spanned == 0 or names else ""
                column += 1
        if names and header == number:
            header += 1
    texts = [[row.get(n, "") for n in range(max(row, default=-1) + 1)] for row in grid]
    return texts, header if header < len(grid) else 0


def _cells(row: Any) -> list[Any]:
    return [cell for cell in row.iter() if cell.tag in ("td", "th")]


def _span(cell: Any, name: str) -> int:
    value = cell.attributes.get(name) or "1"
    return min(max(int(value), 1), MAX_SPAN) if value.isdecimal() else 1

"""Spreadsheets and files of separated values into a layout: each row says its columns' names."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime
from io import BytesIO, StringIO
from itertools import groupby

from index.chunking.layout import Composer, Layout, locked, names_columns
from index.chunking.zip_archive import is_packed, refuse_entities
from index.errors import UnreadableError
from index.readers.rich_text import properties_of

MAX_ROWS = 100_000

Row = tuple[int, list[str]]
"""A row's number in its sheet, from 1, and its cells as text."""


def read_workbook(content: bytes, name: str) -> Layout:
    """The layout of a workbook: XLSX, XLSM, XLSB, XLS or ODS.

    Raises:
        UnreadableError: it takes a password, or has too many rows.
    """
    from python_calamine import CalamineWorkbook, PasswordError

    if is_packed(content):  # as all but XLS are
        refuse_entities(content, name)
    out = Composer()
    try:
        book = CalamineWorkbook.from_filelike(BytesIO(content))
        for sheet_name in book.sheet_names:
            sheet = book.get_sheet_by_name(sheet_name)
            height = (sheet.end or (0, 0))[0] + 1
            if height > MAX_ROWS:
                raise _too_long(name, height)
            first = (sheet.start or (0, 0))[0] + 1
            rows = enumerate(sheet.to_python(skip_empty_area=True), start=first)
            shown = [(number, [_shown(value) for value in row]) for number, row in rows]
            if any(any(cells) for _, cells in shown):
                out.heading(1, sheet_name)
                _write(out, shown, sheet_name)
    except PasswordError as error:
        raise locked(name) from error
    return out.layout(metadata=properties_of(content))


def read_separated(text: str, name: str) -> Layout:
    """The layout of a text of values separated by commas, semicolons or tabs.

    Raises:
        UnreadableError: it has too many rows, or a value that never ends.
    """
    out = Composer()
    rows: list[Row] = []
    try:
        for row in _separated(text, _separator(text)):
            rows.append((len(rows) + 1, row))
            if len(rows) > MAX_ROWS:
                raise _too_long(name, len(rows))
    except csv.Error as error:
        raise UnreadableError(
            f"{name!r} cannot be read as separated values: {error}. Check its quotation marks.",
            code="damaged",
        ) from error
    _write(out, rows, "")
    return out.layout()


def _write(out: Composer, rows: Iterable[Row], sheet: str) -> None:
    names: list[str] = []
    for table in _tables(rows):
        width = max(_filled(row) for row in table)
        # A title may stand right above the names.
        title = 1 if len(table) > 2 and _filled(table[0]) == 1 < width else 0
        if names_columns([cells for _, cells in table[title:]], custom=not sheet):
            names = table.pop(title)[1]
        elif sum(map(bool, names)) < width:
            names = []  # others than those of the rows above the blank one
        for place, (number, cells) in enumerate(table):
            out.separate_place(None, f"{sheet}, row {number}" if sheet else f"row {number}")
            out.table(names if place >= title else [], [cells])


def _filled(row: Row) -> int:
    return sum(map(bool, map(str.strip, row[1])))


def _tables(rows: Iterable[Row]) -> Iterator[list[Row]]:
    """Runs of rows with blank ones between."""
    runs = groupby(rows, lambda row: any(map(str.strip, row[1])))
    return (list(run) for has_text, run in runs if has_text)


def _shown(value: object) -> str:
    """A cell as a person reads it."""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float):
        return f"{value:.15g}"
    if isinstance(value, datetime):
        return value.isoformat(" ", "seconds").removesuffix(" 00:00:00")
    return str(value)


def _separated(text: str, separator: str) -> Iterator[list[str]]:
    return csv.reader(StringIO(text, newline=""), delimiter=separator, skipinitialspace=True)


def _separator(text: str) -> str:
    """What divides the values: that by which most of the first rows have as many, more than one.

    `csv.Sniffer` takes time that grows with the fourth power of a run of quotation marks.
    """

    def fits(separator: str) -> tuple[int, int]:
        widths = Counter(map(len, _separated(text[:8192], separator)))
        return max(((count, width) for width, count in widths.items() if width > 1), default=(0, 0))

    return max(",;\t|", key=fits)


def _too_long(name: str, rows: int) -> UnreadableError:
    return UnreadableError(
        f"{name!r} has {rows:,} rows; at most {MAX_ROWS:,} are read. Split it, or leave out what "
        "is not asked about.",
        code="too_long",
    )

"""Tables of pages, found by how words stand: labels on the left and values in columns beside them,
under a head of one line or several.

A table need not have rules. One of text whose cells are drawn is read as it is drawn, another of
text alone as the library has it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import islice, pairwise

from index.chunking.layout import names_columns
from index.readers.captions import is_table_caption
from index.readers.pdf.cells import (
    Cell,
    CellLine,
    Edges,
    cells_of,
    columns_of,
    has_columns,
    is_value,
    merged,
    runs_of_values,
    seen_lines,
)
from index.readers.pdf.grids import grids_of, read_grid
from index.readers.pdf.pages import Line, PrintedPage, PrintedWord, Region, Rule, lines_of
from index.readers.pdf.rows import Row, Table, keep_all, read_rows, top_of
from index.readers.pdf.table_heads import (
    first_line_below,
    first_line_of,
    is_ruled,
    names_in,
    over_values,
)

#: Rows of a table at least, one less with a head of several columns, and columns at most. Not
#: tuned.
MIN_ROWS, MAX_COLUMNS = 3, 60
#: Values of a page, or of a column of its text, below which it has no two rows with one.
MIN_VALUES = 2
#: Characters of what stands above a table and is still its title. Not tuned.
MAX_TITLE = 500
#: Heights of its words that the next line of a caption is below it, at most. Not tuned.
NEXT_LINE = 0.4
#: Regions that stand above a table at the top of a page which goes on: a running head, a title.
MAX_ABOVE = 2
#: The letters of a raised mark are so many times as large as those of its note, at most. Not tuned.
RAISED = 0.85
#: Spaces in a cell that is no prose. Not tuned.
MAX_WORDS = 6
#: Words of a paragraph that shows where the columns of a page are, and how many of those are asked.
MIN_PROSE, MAX_PROSE = 24, 100

#: A full stop, and none behind a number or a letter.
_END = re.compile(r"[^\W\d]{2}[)\]\"'\u201d\u2019]*\.$|\.[)\]\"'\u201d\u2019]+$")
_MARK = re.compile(
    r"\([a-z\d]{1,2}\)|[*\u2020\u2021\u00a7]+|\d{1,2}[/.)]?|[a-z][/.)]|(?:note|source)s?[:.]",
    re.IGNORECASE,
)
#: Of a note, at the end of a word of a table.
_BORNE = re.compile(
    r"((?<=[^\W\d])\d{1,2}|(?<=\()\w{1,2}(?=\))|(?<![*\u2020\u2021\u00a7])[*\u2020\u2021\u00a7]+)"
    r"\)?,?$"
)


def find_tables(pages: Sequence[PrintedPage]) -> None:
    """Make regions of the tables of pages, out of the words of other regions."""
    for page in pages:
        _find_tables(page)
    _continue_tables(pages)


def _find_tables(page: PrintedPage) -> None:
    for grid in grids_of(page):
        if drawn := read_grid(grid, page.words):
            _insert_table(page, *drawn)
    origin = {id(word): region for region in page.regions for word in region.words}
    tables = {id(region): region.kind == "table" for region in page.regions}
    for words_of_column in _page_columns(page, _gutter(page)):
        values = (word for word in words_of_column if is_value(word.text))
        if len(list(islice(values, MIN_VALUES))) < MIN_VALUES:
            continue
        lines = [CellLine(line) for line in seen_lines(words_of_column)]
        found: list[tuple[Table, int, int]] = []
        for first, last in runs_of_values(lines):
            end_of_previous = found[-1][2] if found else 0
            read = _parse_table(
                lines, max(first, end_of_previous), last, end_of_previous, page.rules
            )
            found += [read] if read else []
        covered = {n for _, top, end in found for n in range(top, end)}
        missed = Counter(
            id(origin[id(line.words[0])])
            for number, line in enumerate(lines)
            if line.is_data and number not in covered
        )
        before: Table | None = None
        for table, top, end in found:
            words = [word for line in lines[top:end] for word in line.words]
            data = Counter(id(origin[id(line.words[0])]) for line in lines[top:end] if line.is_data)
            # What is a part of a table that the library knows is left to it.
            is_part = any(tables[key] and 3 * missed[key] > data[key] for key in data)
            if is_part:
                continue
            _insert_table(page, table, words)
            if before:
                _continue_head(table, before)
            before = table
    for region in page.regions:
        if region.kind == "table" and not isinstance(region.block, Table):
            if has_columns(region):
                region.block = _library_table(region)
                keep_all(region.block, region.words)
            else:
                region.kind, region.block = "paragraph", None
    for number, region in enumerate(page.regions):
        if isinstance(region.block, Table):
            region.block.title = _title(page.regions, number) or region.block.title


def _gutter(page: PrintedPage) -> float | None:
    """Where the columns of a page of prose are divided."""
    prose = [
        region
        for region in page.regions
        if region.kind == "paragraph"
        and len(region.words) > MIN_PROSE
        and 2 * sum(word.text.islower() for word in region.words) > len(region.words)
        and region.right - region.left > page.size[0] / 4
    ]
    boxes = [(part.left, part.right, part.top, part.bottom) for part in prose[:MAX_PROSE]]
    for _, right, top, bottom in boxes:
        for left, _, other_top, other_bottom in boxes:
            if right < left and top < other_bottom and other_top < bottom:
                return (right + left) / 2
    return None


def _page_columns(page: PrintedPage, gutter: float | None) -> list[list[PrintedWord]]:
    words = [
        word
        for region in page.regions
        if region.kind not in ("picture", "contents", "furniture")
        and not isinstance(region.block, Table)
        for word in region.words
    ]
    if gutter is None:
        return [words]
    left = [word for word in words if word.right <= gutter + 2]
    right = [word for word in words if word.left >= gutter - 2 and word.right > gutter + 2]
    return [left, right]


def _parse_table(
    lines: Sequence[CellLine], first: int, last: int, end_of_previous: int, rules: Sequence[Rule]
) -> tuple[Table, int, int] | None:
    """What lines say as a table, its first line and the one after its last."""
    if first > last:
        return None
    data = [line for line in lines[first : last + 1] if line.is_data]
    values = columns_of(data)
    if not 0 < len(values) < MAX_COLUMNS:
        return None
    texts = [
        [cell for cell in line.cells if all(cell.overlap(edges) <= 0 for edges in values)]
        for line in data
    ]
    starts = merged(
        (line[0].left, line[0].right) for line in texts if line and line[0].left < values[0][0]
    )
    labels = [line[0] for line in texts if starts and line and line[0].left < starts[0][1]]
    taken = set(map(id, labels))
    others = [(cell.left, cell.right) for line in texts for cell in line if id(cell) not in taken]
    values = sorted(
        [
            *values,
            *(
                edges
                for edges in merged(others)
                if 3 * sum(edges[0] <= left < edges[1] for left, _ in others) > len(data)
            ),
        ]
    )
    if not labels or 2 * len(labels) < len(data):
        return None
    label = (min(c.left for c in labels), min(max(c.right for c in labels), values[0][0]))
    columns = [label, *(_with_signs(edges, data) for edges in values)]
    while (
        len(columns) == 2
        and first > end_of_previous
        and _is_row(lines[first - 1], lines[first], columns)
    ):
        if is_ruled(lines[first - 1], lines[first], columns, rules):
            break
        first -= 1
    top = first_line_of(lines, first, end_of_previous, columns, rules)
    body = first_line_below(lines, first, last, top, columns, rules)
    end = last + 1
    while end < len(lines) and (
        _is_rest(lines[end - 1], lines[end], columns)
        or _is_row(lines[end], lines[end - 1], columns)
    ):
        end += 1
    table = Table([], columns)
    names = names_in(lines[top:body], columns, rules, table.unit)
    if not _is_table(lines[body:end], columns, any(names[1:])):
        return None
    read_rows(table, names, lines[body:end], rules)
    return (table, top, end) if table.rows else None


def _with_signs(edges: Edges, lines: Sequence[CellLine]) -> Edges:
    """The edges of a column with the signs of currencies before its values."""
    lefts = [c.words[0].left for line in lines for c in line.amounts if c.overlap(edges) > 0]
    return min([edges[0], *lefts]), edges[1]


def _is_rest(above: CellLine, line: CellLine, columns: Sequence[Edges]) -> bool:
    """Whether a line is the rest of the last label."""
    return (
        len(line.cells) == 1
        and line.top - above.bottom < 0.5 * line.height
        and line.cells[0].text[0].islower()
        and line.cells[0].right <= columns[1][0]
        and not above.cells[0].is_amount
    )


def _is_row(line: CellLine, other: CellLine, columns: Sequence[Edges]) -> bool:
    """Whether a line without an amount is a row that stands right above or below another."""
    if len(line.cells) < 2:
        return False
    label, *values = line.cells
    return (
        label.overlap(columns[0]) > 0 >= label.overlap(columns[1])
        and all(any(value.overlap(edges) > 0 for edges in columns[1:]) for value in values)
        and not any(value.is_year or value.text.count(" ") > MAX_WORDS for value in values)
        and max(line.top - other.bottom, other.top - line.bottom) < line.height
    )


def _is_table(lines: Sequence[CellLine], columns: Sequence[Edges], has_names: bool) -> bool:
    data = [line for line in lines if line.is_data]
    if len(data) < MIN_ROWS - (has_names and len(columns) > 2):
        return False
    named = sum(any(map(str.isalpha, line.cells[0].text)) for line in data)
    if 2 * named < len(data) and not has_names:
        return False
    if len(columns) == 2 and not has_names:
        numbers = [line.amounts[-1].text for line in data]
        rising = sorted(numbers, key=lambda number: (len(number), number))
        if all(map(str.isdecimal, numbers)) and numbers == rising:
            return False  # contents
    # Cells of text that goes on over lines are told apart by rules alone.
    wrapped = sum(
        not line.is_data and any(map(_is_text, over_values(line, columns))) for line in lines
    )
    prose = sum(
        any(cell.text.count(" ") > MAX_WORDS for cell in over_values(line, columns))
        for line in lines
    )
    return 3 * wrapped <= len(data) and 4 * prose <= len(lines)


def cut_table(region: Region, headings: Sequence[Region]) -> list[Region]:
    """A table cut where headings stand in it: these, and the rows above, between and below them
    without their words."""
    taken = {id(word) for heading in headings for word in heading.words}
    table: Table = region.block
    rows = [
        (names, Row(row.groups, [[w for w in cell if id(w) not in taken] for cell in row.cells]))
        for names, row in table.rows
    ]
    rows = [row for row in rows if any(row[1].cells)]
    found: list[Region] = []
    tops = [*(heading.top for heading in headings), float("inf")]
    for top, heading in zip(tops, [*headings, None], strict=True):
        above = [row for row in rows if top_of(row[1]) < top]
        rows = [row for row in rows if top_of(row[1]) >= top]
        words = [word for _, row in above for cell in row.cells for word in cell]
        if words:
            found.append(Region("table", region.level, words, replace(table, rows=above)))
        found += [heading] if heading else []
    return found


def _is_text(cell: Cell) -> bool:
    return not cell.is_amount and not cell.is_year


def _library_table(region: Region) -> Table:
    """A table as the library has it."""
    names, *rows = cells_of(region)
    texts = [[" ".join(word.text for word in cell) for cell in row] for row in rows]
    if not any(names) and rows and names_columns(texts):
        names, *rows = rows
    return Table([(names, Row([], row)) for row in rows])


def _insert_table(page: PrintedPage, table: Table, words: Sequence[PrintedWord]) -> None:
    """Put a table into a page where its first words were, and what stood behind it in the same
    region after it."""
    keep_all(table, words)
    taken = set(map(id, words))
    bottom = max(word.bottom for word in words)
    found: list[Region] = []
    rest: list[Region] = []
    at: int | None = None
    for region in page.regions:
        left = [word for word in region.words if id(word) not in taken]
        if len(left) == len(region.words):
            found.append(region)
            continue
        before = [word for word in left if word.bottom < bottom]
        after = [word for word in left if word.bottom >= bottom]
        kind = "paragraph" if region.kind == "table" else region.kind
        if before:
            found.append(Region(kind, region.level, before))
        at = len(found) if at is None else at
        if after:
            rest.append(Region(kind, region.level, after))
    place = len(found) if at is None else at
    page.regions[:] = [
        *found[:place],
        Region("table", 1, list(words), table),
        *rest,
        *found[place:],
    ]


def _caption_in(region: Region) -> Line:
    """The words of a region from where a caption begins that its last lines are."""
    lines = list(lines_of(region.words))
    begins = [n for n, line in enumerate(lines) if _is_caption(line)]
    return [word for line in lines[begins[-1] :] for word in line] if begins else []


def _caption_of(region: Region) -> Line:
    """The first lines of a region, up to a gap, if they are a caption."""
    found: Line = []
    for line in lines_of(region.words):
        is_apart = found and line[0].top - found[-1].bottom > NEXT_LINE * line[0].height
        if is_apart or not (found or _is_caption(line)):
            break
        found += line
    return found


def _is_caption(line: Line) -> bool:
    return is_table_caption(" ".join(word.text for word in line[:2]))


def _title(regions: Sequence[Region], number: int) -> Line:
    """The words that say what a table is: those right above it, or a caption below."""
    table = regions[number]
    is_led = number > 0 and bool(_caption_in(regions[number - 1]))
    below = [] if is_led or number + 1 == len(regions) else _caption_of(regions[number + 1])
    if below and below[0].top - table.bottom < 3 * below[0].height:
        return below
    found: Line = []
    top = table.top
    for region in reversed(regions[:number]):
        caption = _caption_in(region)
        is_near = -1 < top - region.bottom < 3 * region.words[0].height
        if region.kind not in ("heading", "paragraph", "list_item", "code") or not (
            is_near or (caption and not found)
        ):
            break
        words = caption or (region.words if region.kind == "heading" else _last_sentence(region))
        said = " ".join(word.text for word in words)
        if not words or len(said) + sum(len(word.text) + 1 for word in found) > MAX_TITLE:
            break
        found = [*words, *found]
        top = region.top
        is_note = said[0] in "([" and said[-1] in ")]"
        if caption or said[-1] == ":" or (region.kind == "heading" and not is_note):
            break
    return found


def _last_sentence(region: Region) -> Line:
    """The words behind the last full stop of a region."""
    ends = [n for n, word in enumerate(region.words, start=1) if _END.search(word.text)]
    return region.words[ends[-1] :] if ends else region.words


def _continue_tables(pages: Sequence[PrintedPage]) -> None:
    """Let tables go on over the next page, where nothing but what stands on each stands between."""
    for before, page in pairwise(pages):
        last = next((r for r in reversed(before.regions) if r.kind != "note"), None)
        number = next((n for n, r in enumerate(page.regions) if r.kind == "table"), MAX_ABOVE + 1)
        if last and isinstance(last.block, Table) and number <= MAX_ABOVE:
            below = page.regions[number].block
            if isinstance(below, Table):
                _continue_head(below, last.block)


def _continue_head(table: Table, before: Table) -> None:
    """Give a table without a head the names and the title of the one before, if it has columns
    where that one has them."""
    own = next((names for names, _ in table.rows if names), [])
    names = next((names for names, _ in reversed(before.rows) if names), [])
    if any(own[1:]):
        return
    columns = list(zip(table.edges, before.edges, strict=False))
    is_same = len(table.edges) == len(before.edges) and 0 < len(own) == len(names)
    if is_same and all(max(a[0], b[0]) < min(a[1], b[1]) for a, b in columns):
        table.rows = [(names if each is own else each, row) for each, row in table.rows]
        table.title = table.title or before.title
        table.unit = table.unit or before.unit


def lead_notes(page: PrintedPage) -> None:
    """Let the row with its mark lead into each note below a table, or else the table's title."""
    table: Table | None = None
    rows: dict[str, Line] | None = None
    found: list[Region] = []
    for region in page.regions:
        if isinstance(region.block, Table):
            table, rows = region.block, None
        elif table and region.kind != "heading" and _mark_of(region.words):
            notes = _notes_of(region)
            rows = _marked_rows(table) if rows is None else rows
            for note in notes:
                note.lead = rows.get(_mark_of(note.words), table.title)
            found += notes
            continue
        else:
            table = None
        found.append(region)
    page.regions[:] = found


def _mark_of(words: Line) -> str:
    """The mark that a note begins with, without brackets; "" of what is none."""
    first, *rest = words
    is_raised = len(first.text) == 1 and rest and first.size < RAISED * rest[0].size
    if rest and (is_raised or _MARK.fullmatch(first.text)):
        return first.text.strip("()/.").lower()
    return ""


def _notes_of(region: Region) -> list[Region]:
    """Notes of which the library makes one region: each begins a line with the next mark."""
    found = [Region(region.kind, region.level, [])]
    for line in lines_of(region.words):
        mark, last = _mark_of(line), _mark_of(found[-1].words) if found[-1].words else ""
        is_next = len(mark) == len(last) == 1 and ord(mark) == ord(last) + 1
        if last and (is_next or (mark and not mark.isalnum())):
            found.append(Region(region.kind, region.level, []))
        found[-1].words.extend(line)
    return found


def _marked_rows(table: Table) -> dict[str, Line]:
    """The first row of a table that bears each mark."""
    found: dict[str, Line] = {}
    for _, row in table.rows:
        for number, cell in enumerate(row.cells):
            for word in cell:
                mark = _BORNE.search(word.text)
                # In brackets, a number beside the label is an amount.
                if mark and (not number or not mark[1].isdigit()):
                    words = [word for each in row.cells for word in each]
                    found.setdefault(mark[1].lower(), words)
    return found

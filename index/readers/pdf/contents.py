"""Printed contents and indexes of a PDF: what they list, which its text is then looked up for."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from index.chunking.layout import CONTENTS_LINES
from index.readers.pdf.pages import PrintedPage, PrintedWord, letters_of, lines_of

#: Heights of a line that are free before the number of a page, where no dots lead to it; points
#: that an entry below another is indented. Not tuned.
MIN_LEADER = 1.5
MIN_INDENT = 3
#: Words of what stands over contents, at most: "Table of contents".
MAX_NAME = 4
#: Share of the entries that stand on the pages which they name, where nothing says that these are
#: contents. Not tuned.
MIN_THERE = 0.4
_CONTENTS = re.compile(
    r"\b(?:contents|inhalt|index|figures|tables|sommaire|indice|\u00edndice)", re.I
)
_DOTS = re.compile(r"^[.\u2026\u00b7_]+$|[.\u2026_]{3,}")
_PAGE = re.compile(r"[.\u2026_]*\s*(\d{1,4}|[ivxl]{1,6})")


@dataclass(frozen=True, slots=True)
class Listed:
    """An entry of printed contents: the letters of a title, the page that has it, and its level
    by its number or by how far it is indented."""

    letters: str
    page: int
    level: int


@dataclass(slots=True, eq=False)
class _Row:
    """A line as it is seen, the number of a page that it ends in, 0 where it ends in none and -1 of
    a Roman one, and whether dots lead to it."""

    words: list[PrintedWord]
    page: int
    has_dots: bool

    @property
    def text(self) -> str:
        """What it says."""
        return " ".join(word.text for word in self.words)


def take_contents(pages: Sequence[PrintedPage]) -> list[Listed]:
    """Take printed contents out of pages.

    Args:
        pages: of a file.

    Returns:
        What they list, where a page of the file has it.
    """
    found: list[tuple[PrintedPage, list[_Row], list[_Row]]] = []
    for page in pages:
        if sum(_PAGE.fullmatch(word.text) is not None for word in page.words) < CONTENTS_LINES:
            continue
        rows = list(_rows(page))
        entries = [row for row in rows if row.page]
        if len(entries) >= CONTENTS_LINES and _are_contents(entries, rows, page.size[0] / 2):
            found.append((page, entries, rows))
    if not found:
        return []
    wanted = defaultdict[str, set[int]](set)
    own = {page.number for page, _, _ in found}
    names = {id(row): name for _, _, rows in found for row, name in _named(rows)}
    for _, entries, _ in found:
        for row in entries:
            for name in names[id(row)]:
                wanted[name].add(row.page)
    places = _places(pages, wanted, own)
    offsets = Counter(
        at - said for name, saids in wanted.items() for said in saids for at in places[name]
    )
    offset = max(offsets, key=offsets.__getitem__) if offsets else 0
    listed: list[Listed] = []
    for page, entries, rows in found:
        numbered = [row for row in entries if row.page > 0]
        there = sum(
            any(row.page + offset in places[name] for name in names[id(row)]) for row in numbered
        )
        above = rows[: rows.index(entries[0])][-1:]
        is_named = any(_CONTENTS.search(row.text) for row in above)
        if not (is_named or there >= MIN_THERE * len(numbered)):
            continue  # a list of other numbers
        levels = _levels(entries)
        for row, level in zip(entries, levels, strict=True):
            listed += [Listed(name, row.page + offset, level) for name in names[id(row)]]
        _drop(page, entries, rows)
    return listed


def _named(rows: Sequence[_Row]) -> Iterator[tuple[_Row, list[str]]]:
    """Each line with its letters, and those with the line above, which it may go on."""
    for above, row in zip([None, *rows], rows, strict=False):
        names = [letters_of(row.words)]
        if above and not above.page:
            names.append(letters_of([*above.words, *row.words]))
        yield row, names


def _rows(page: PrintedPage) -> Iterator[_Row]:
    """The lines of a page as they are seen, each up to the number of a page."""
    words = sorted(page.words, key=lambda word: word.top + word.bottom)
    line: list[PrintedWord] = []
    for word in [*words, None]:
        if word and (not line or line[0].shares_line(word)):
            line.append(word)
            continue
        line.sort(key=lambda each: each.left)
        start, dots = 0, 0
        for at, each in enumerate(line):
            dots += len(each.text) if _DOTS.search(each.text) else 0
            number = _PAGE.fullmatch(each.text)
            if not number or at == start:
                continue
            gap = each.left - line[at - 1].right > MIN_LEADER * each.height
            is_end = at + 1 == len(line) or line[at + 1].left - each.right > each.height
            name = "".join(word.text for word in line[start:at])
            if (gap or dots > 2) and is_end and sum(map(str.isalpha, name)) > 1:
                label = int(number[1]) if number[1].isdigit() else -1
                yield _Row(line[start : at + 1], label, dots > 2)
                start, dots = at + 1, 0
        if line[start:]:
            yield _Row(line[start:], 0, has_dots=False)
        line = [word] if word else []


def _are_contents(entries: Sequence[_Row], rows: Sequence[_Row], middle: float) -> bool:
    """Whether lines are those of contents: the numbers of pages never fall, in each of two columns
    one after the other, and dots lead to them or most lines have one."""
    in_order = sorted(entries, key=lambda row: row.words[0].left > middle)
    numbers = [row.page for row in in_order if row.page > 0]
    rising = sum(a <= b for a, b in pairwise(numbers))
    dots = sum(row.has_dots for row in entries)
    return (
        rising >= 0.9 * (len(numbers) - 1)
        and len(set(numbers)) > 1
        and (2 * dots > len(entries) or 2 * len(entries) > len(rows))
    )


def _places(
    pages: Sequence[PrintedPage], wanted: dict[str, set[int]], own: set[int]
) -> dict[str, set[int]]:
    """The pages, but those of contents, that have lines or regions which say each name."""
    found = defaultdict[str, set[int]](set)
    for page in pages:
        if page.number in own:
            continue
        for region in page.regions:
            for line in lines_of(region.words):
                if (said := letters_of(line)) in wanted:
                    found[said].add(page.number)
    return found


def _levels(entries: Sequence[_Row]) -> list[int]:
    """The rank of each entry by how far it is indented; 0 of all where none is."""
    lefts = sorted({round(row.words[0].left) for row in entries})
    ranks, rank = {}, 0
    for at, left in enumerate(lefts):
        rank += not at or left - lefts[at - 1] > MIN_INDENT
        ranks[left] = rank
    return [ranks[round(row.words[0].left)] if rank > 1 else 0 for row in entries]


def _drop(page: PrintedPage, entries: Sequence[_Row], rows: Sequence[_Row]) -> None:
    """Take entries out of a page, with the lines between them and what stands over them."""
    first, last = rows.index(entries[0]), rows.index(entries[-1])
    inside = rows[first : last + 1]
    dropped = inside if 2 * len(entries) > len(inside) else entries
    if first and len(rows[first - 1].words) <= MAX_NAME:
        dropped = [rows[first - 1], *dropped]
    taken = {id(word) for row in dropped for word in row.words}
    for region in page.regions:
        region.words = [word for word in region.words if id(word) not in taken]
    page.drop_empty_regions()

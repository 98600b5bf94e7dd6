"""Printed contents and indexes of a PDF: what they list, which its text is then looked up for."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from index.chunking.layout import CONTENTS_LINES, CONTENTS_SHARE, letters
from index.readers.pdf.pages import Line, PrintedPage, Region, letters_of, lines_of
from index.readers.pdf.pdfium import Link

#: Heights of a line that are free before the number of a page, where no dots lead to it; points
#: that an entry below another is indented. Not tuned.
MIN_LEADER = 1.5
MIN_INDENT = 3
#: Words of what stands over contents, at most: "Table of contents".
MAX_NAME = 4
#: Share of the entries that stand on the pages which they name, where nothing says that these are
#: contents. Not tuned.
MIN_THERE = 0.4
#: Lines of an index at least, and share of them that follow in the alphabet. Not tuned.
MIN_INDEX, MIN_SORTED = 10, 0.8
_CONTENTS = re.compile(
    r"\b(?:contents|inhalt|index|figures|tables|sommaire|indice|\u00edndice)", re.I
)
_DOTS = re.compile(r"^[.\u2026\u00b7_]+$|[.\u2026_]{3,}")
_PAGE = re.compile(
    r"(?P<lead>.*[.\u2026\u00b7_]{3})?+[.\u2026_]*+(?:(?P<page>\d{1,4})(?:[-\u2013]\d{1,4})?|[ivxl]{1,6})"
)


@dataclass(frozen=True, slots=True)
class Listed:
    """An entry of printed contents: the letters of a title, the page that has it, and its level
    by its number or by how far it is indented."""

    letters: str
    page: int
    level: int


@dataclass(slots=True, eq=False)
class _Row:
    """A line as it is seen, up to the number of a page.

    Attributes:
        number: that it ends in; 0 of one without, -1 of a Roman one.
        lead: what leads to the number: `.` of dots, `,` of a comma.
        target: the page that a link leads to which it is, or which its number is; 0 without.
    """

    words: Line
    number: int
    lead: str
    target: int

    @property
    def name(self) -> Line:
        """What leads to the number, up to the dots: `Dues ..... Page 2`."""
        dots = [at for at, word in enumerate(self.words, 1) if _DOTS.search(word.text)]
        return self.words[: dots[-1]] if self.number and dots else self.words

    @property
    def text(self) -> str:
        """What it says."""
        return " ".join(word.text for word in self.words)


_Contents = tuple[PrintedPage, list[_Row], list[_Row], dict[_Row, list[str]]]
"""A page, what may be entries of contents, all its lines, and the letters of each, and of it with
the line above."""


def take_contents(
    pages: Sequence[PrintedPage], links: Mapping[int, Sequence[Link]]
) -> list[Listed]:
    """Make regions of printed contents and indexes.

    Args:
        pages: of a file.
        links: within it, by page.

    Returns:
        What contents list, where a page of the file has it.
    """
    found: list[_Contents] = []
    listed: list[Listed] = []
    before = 0
    for page in pages:
        # What goes on overleaf may be short.
        least = CONTENTS_LINES if page.number - before > 1 else 1
        on_page = links.get(page.number, ())
        numbers = sum(_PAGE.fullmatch(line[-1].text) is not None for line in lines_of(page.words))
        if max(numbers, len(on_page)) < least:
            continue
        rows = list(_rows(page, on_page))
        entries = [row for row in rows if row.number and row.lead != ","]
        linked = [row for run in _linked(rows) for row in run]
        if _are_index(rows, len(pages)):
            _set_apart(page, [row for row in rows if row.number], rows)
        elif len(entries) >= least and _are_contents(entries, rows, page.size[0] / 2):
            found.append((page, entries, rows, dict(_named(rows))))
            before = page.number
        elif linked:
            listed += _listed(linked, dict(_named(rows)), 0)
            _set_apart(page, linked, linked)
    places, offset = _places(pages, found)
    for page, entries, rows, names in found:
        numbered = [row for row in entries if row.number > 0 or row.target]
        there = sum(
            row.target > 0 or any(row.number + offset in places[name] for name in names[row])
            for row in numbered
        )
        above = rows[: rows.index(entries[0])][-1:]
        is_named = any(_CONTENTS.search(row.text) for row in above)
        if is_named or there >= MIN_THERE * len(numbered):  # and no list of other numbers
            listed += _listed(entries, names, offset)
            _set_apart(page, entries, rows)
    return listed


def _listed(
    entries: Sequence[_Row], names: Mapping[_Row, list[str]], offset: int
) -> Iterator[Listed]:
    """What entries say, and with the line above, by how far they are indented."""
    lefts = sorted({round(row.words[0].left) for row in entries})
    ranks, rank = {}, 0
    for at, left in enumerate(lefts):
        rank += not at or left - lefts[at - 1] > MIN_INDENT
        ranks[left] = rank
    for row in entries:
        level = ranks[round(row.words[0].left)] if rank > 1 else 0
        yield from (Listed(name, row.target or row.number + offset, level) for name in names[row])


def _named(rows: Sequence[_Row]) -> Iterator[tuple[_Row, list[str]]]:
    """Each line with its letters, and those with the line above, which it may go on."""
    for above, row in zip([None, *rows], rows, strict=False):
        names = [letters_of(row.name)]
        if above and not above.number:
            names.append(letters_of([*above.words, *row.name]))
        yield row, names


def _rows(page: PrintedPage, links: Sequence[Link]) -> Iterator[_Row]:
    """The lines of a page as they are seen, each up to the number of a page, or to where it is
    another link."""
    words = sorted(page.words, key=lambda word: word.top + word.bottom)
    link_of = _links_of(words, links)
    line: Line = []
    for word in [*words, None]:
        if word and (not line or line[0].shares_line(word)):
            line.append(word)
            continue
        line.sort(key=lambda each: each.left)
        start, lead = 0, ""
        for at, (each, after) in enumerate(zip(line, [*line[1:], None], strict=True)):
            if not each.text.isalnum() and _DOTS.search(each.text):
                lead = "."
            if after and after.left - each.right <= each.height:
                continue
            before = line[at - 1] if at > start else None
            number = _PAGE.fullmatch(each.text)
            if number:
                if before and before.text.endswith(","):
                    lead = lead or ","
                gap = before and each.left - before.right > MIN_LEADER * each.height
                name = letters_of(line[start:at]) + letters(number["lead"] or "")
                if not (gap or lead) or len(name) < 2:
                    number = None
            is_other = (
                after
                and link_of.get(id(each)) != link_of.get(id(after))
                and not (_PAGE.fullmatch(after.text) or _DOTS.search(after.text))
            )
            if number or is_other or not after:
                label = int(number["page"] or -1) if number else 0
                own = line[start : at + 1]
                yield _Row(own, label, lead if number else "", _target(own, label, link_of, links))
                start, lead = at + 1, ""
        line = [word] if word else []


def _links_of(words: Line, links: Sequence[Link]) -> dict[int, int]:
    """The number of the link that words stand in, by the ids of words."""
    if not words or not links:
        return {}
    middles = np.array([word.middle for word in words])
    left, top, right, bottom = np.array([box for box, _ in links]).T
    x, y = middles[:, :1], middles[:, 1:]
    inside = (left <= x) & (x <= right) & (top <= y) & (y <= bottom)
    number = np.where(inside.any(axis=1), inside.argmax(axis=1), -1).tolist()
    return {id(word): n for word, n in zip(words, number, strict=True) if n >= 0}


def _target(words: Line, number: int, link_of: Mapping[int, int], links: Sequence[Link]) -> int:
    """The page that a line leads to: most of its letters are a link, or the number behind it is."""
    inside = [word for word in words if id(word) in link_of] if link_of else []
    if not inside:
        return 0
    share = len(letters_of(inside)) / max(1, len(letters_of(words)))
    is_link = share >= CONTENTS_SHARE or (number and inside[-1] is words[-1])
    return links[link_of[id(inside[-1])]][1] if is_link else 0


def _linked(rows: Iterable[_Row]) -> Iterator[list[_Row]]:
    """Runs of lines each of which leads somewhere; a letter of an index may stand between."""
    run: list[_Row] = []
    for row in [*rows, None]:
        if row and row.target:
            run.append(row)
        elif not (row and len(letters_of(row.words)) < 2):
            if len(run) >= CONTENTS_LINES:
                yield run
            run = []


def _are_contents(entries: Sequence[_Row], rows: Sequence[_Row], middle: float) -> bool:
    """Whether lines may be those of contents: the numbers of pages never fall, in each of two
    columns one after the other, and dots lead to them or most lines have one."""
    in_order = sorted(entries, key=lambda row: row.words[0].left > middle)
    numbers = [row.number for row in in_order if row.number > 0]
    rising = sum(a <= b for a, b in pairwise(numbers))
    dots = sum(row.lead == "." for row in entries)
    return (
        (rising >= 0.9 * (len(numbers) - 1) or dots == len(entries))
        and len({row.number for row in entries}) > (dots < len(entries))
        and (2 * dots > len(entries) or 2 * len(entries) > len(rows))
    )


def _are_index(rows: Sequence[_Row], last: int) -> bool:
    """Whether lines are those of an index: most end in a comma and the number of a page, and those
    below each other follow in the alphabet."""
    texts = [row for row in rows if len(letters_of(row.words)) > 1]
    entries = sum(row.lead == "," and row.number <= last for row in texts)
    if entries < max(MIN_INDEX, CONTENTS_SHARE * len(texts)):
        return False
    columns = defaultdict[int, list[str]](list)
    for row in texts:
        columns[round(row.words[0].left / MIN_INDENT)].append(letters_of(row.words)[0])
    pairs = [pair for column in columns.values() for pair in pairwise(column)]
    return sum(a <= b for a, b in pairs) >= MIN_SORTED * len(pairs)


def _places(
    pages: Sequence[PrintedPage], found: Iterable[_Contents]
) -> tuple[Mapping[str, set[int]], int]:
    """The pages, but those of contents, that have lines which say what entries without a link do;
    and how far the numbers of pages are from those that are printed."""
    wanted, own = defaultdict[str, set[int]](set), set[int]()
    for page, entries, _, names in found:
        own.add(page.number)
        for row in entries:
            for name in () if row.target else names[row]:
                wanted[name].add(row.number)
    places = defaultdict[str, set[int]](set)
    for page in pages if wanted else ():
        for region in page.regions if page.number not in own else ():
            for line in lines_of(region.words):
                if (said := letters_of(line)) in wanted:
                    places[said].add(page.number)
    offsets = Counter(
        at - said for name, saids in wanted.items() for said in saids for at in places[name]
    )
    return places, max(offsets, key=offsets.__getitem__, default=0)


def _set_apart(page: PrintedPage, entries: Sequence[_Row], rows: Sequence[_Row]) -> None:
    """Make a region of entries, with the lines between them and what stands over them."""
    first, last = rows.index(entries[0]), rows.index(entries[-1])
    inside = rows[first : last + 1]
    own = inside if 2 * len(entries) > len(inside) else entries
    if first and len(rows[first - 1].words) <= MAX_NAME:
        own = [rows[first - 1], *own]
    words = [word for row in own for word in row.words]
    taken = set(map(id, words))
    at = len(page.regions)
    for number, region in reversed(list(enumerate(page.regions))):
        rest = [word for word in region.words if id(word) not in taken]
        if len(rest) < len(region.words):
            at, region.words = number, rest
    page.regions.insert(at, Region("contents", 1, words))
    page.drop_empty_regions()

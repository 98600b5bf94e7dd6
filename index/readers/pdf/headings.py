"""Which lines of a PDF are headings, and of which level: one decision over the whole document.

What a file's outline and its printed contents name are headings, and so are lines whose numbers
form a sequence. They show how headings are set; lines that are set alike, or larger or bolder than
the text, are headings too where they stand alone and are no sentence.
"""

from __future__ import annotations

import re
from bisect import bisect
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from difflib import SequenceMatcher
from itertools import groupby, islice, pairwise, zip_longest
from operator import attrgetter, itemgetter
from statistics import median

from index.chunking.layout import letters
from index.readers.captions import is_caption
from index.readers.pdf.contents import Listed
from index.readers.pdf.pages import PrintedPage, Region
from index.readers.pdf.paragraphs import MARKER
from index.readers.pdf.pdfium import Entry
from index.readers.pdf.rows import Table
from index.readers.pdf.tables import cut_table
from index.readers.pdf.titles import (
    LARGER,
    Line,
    Style,
    Title,
    is_bold,
    is_prominent,
    lines_on,
    number_of,
    set_styles,
)

#: How alike the letters of a line and of a title of the outline are, at least. Not tuned.
ALIKE = 0.85
#: Words of a heading at most, of one with a number, and lines. Not tuned: some forms have
#: questions of five lines for headings.
MAX_WORDS, MAX_NUMBERED, MAX_LINES = 20, 60, 6
#: Entries of an outline that are looked for on a page, so that the time is that of its lines.
MAX_ENTRIES = 200
#: Letters at the beginning or the end that nearly equal titles share, and lines that are compared
#: with one. Not tuned.
KEY, MAX_NEAR = 4, 20
#: Share of the lines of a style that may be headings, at least: of .3 to .7, .5 had most right
#: over 30 files with an outline.
MIN_TITLES = 0.5
#: Share of the letters of a document that a style of headings has at most, and in a short one how
#: many letters. Not tuned.
MAX_SHARE, MAX_LETTERS = 0.15, 300
#: Share of the letters of a document that the titles of its outline have at most. Of 54 files with
#: one the most is .21, of a paragraph's each .93.
MAX_NAMED = 0.3
#: Text stands at most so many heights below its heading (of 2, 3.5 and 6, 2 had most right), in a
#: column of so many at least. Not tuned.
MAX_BELOW, MIN_COLUMN = 2, 5
#: Lines of a column begin at most so many points apart. Not tuned.
COLUMN = 40

_RUN_IN = re.compile(r"\w{3}[.!] +[A-Z]")
_SENTENCE = (".", ";", ",", "\u3002")


def set_headings(
    pages: Sequence[PrintedPage], entries: Iterable[Entry], listed: Sequence[Listed]
) -> None:
    """Decide which lines are headings, and set their levels.

    Args:
        pages: of a file.
        entries: of its outline.
        listed: what its printed contents list.
    """
    lines = [line for page in pages for line in lines_on(page)]
    if not lines:
        return
    for at, line in enumerate(lines):
        line.at = at
    body = set_styles(lines)
    entries = list(entries)
    named = sum(len(letters(title)) for _, title, _ in entries)
    if named > MAX_NAMED * sum(len(line.text) for line in lines):
        entries = []  # one of paragraphs, as some programs make
    known = _of_outline(lines, entries)
    known += _of_contents(_left(lines, known), listed)
    titles, others = _candidates(_left(lines, known), body)
    _mark_sequences([*known, *titles], body)
    found = known + _headings_among(titles, others, lines, body)
    found.sort(key=lambda title: title.lines[0].at)
    found = _with_labels(found)
    _set_levels(found)
    _apply(pages, _without_empty(found))


def _left(lines: Sequence[Line], titles: Iterable[Title]) -> list[Line]:
    taken = {id(line) for title in titles for line in title.lines}
    return [line for line in lines if id(line) not in taken]


# --- what is known -------------------------------------------------------------------------------


def _runs(lines: Sequence[Line], longest: int) -> Iterator[tuple[str, list[Line]]]:
    """Lines that may say a title together, by where they stand: what they say, of so
    many letters at most, and the lines."""
    for start in range(len(lines)):
        said, run = "", list[Line]()
        for line in lines[start : start + MAX_LINES]:
            if run and not (run[-1].is_above(line) or run[-1].is_beside(line)):
                break
            if said and number_of(line.text):
                break
            said += line.letters
            run.append(line)
            if len(said) > longest:
                break
            if said:
                yield said, run.copy()


def _of_outline(lines: Sequence[Line], entries: Sequence[Entry]) -> list[Title]:
    """The lines of pages that say what the outline has there, or nearly."""
    runs = defaultdict[tuple[int, str], list[tuple[str, list[Line]]]](list)
    on_page = defaultdict[int, list[Line]](list)
    if entries:
        for line in lines:
            on_page[line.page.number].append(line)
        for said, run in _runs(lines, 2 * max(len(title) for _, title, _ in entries)):
            for key in {said, said[:KEY] + "...", "..." + said[-KEY:]}:
                runs[run[0].page.number, key].append((said, run))
    found: list[Title] = []
    taken: set[int] = set()
    counts = Counter[int]()
    for number, title, level in entries:
        name = letters(title)
        counts[number] += 1
        if not name or counts[number] > MAX_ENTRIES:
            continue
        is_short = len(name) < 4
        exact = [
            run
            for at in (number, number + 1, number - 1)
            for _, run in runs[at, name]
            if _is_free(run, taken, is_short)
        ]
        near = [*runs[number, name[:KEY] + "..."], *runs[number, "..." + name[-KEY:]]][:MAX_NEAR]
        # A list may name it, too.
        match = max(
            (run for run in exact if run[0].page is exact[0][0].page), key=_rank, default=None
        )
        match = match or _cut_run_in(on_page[number], name, taken)
        if not match:
            near = [(said, run) for said, run in near if _is_free(run, taken, in_text=True)]
            alike = [(_likeness(said, name, ALIKE), run) for said, run in near]
            share, match = max(alike, key=itemgetter(0), default=(0.0, None))
            match = match if share > ALIKE else None
        if match:
            found.append(Title(match, level, is_listed=True))
            taken.update(map(id, match))
    return found


def _is_free(run: Sequence[Line], taken: set[int], in_text: bool) -> bool:
    """Whether lines are of no other title, and stand in the text if they must."""
    return taken.isdisjoint(map(id, run)) and not (in_text and run[0].region.kind == "table")


def _cut_run_in(lines: Sequence[Line], name: str, taken: set[int]) -> list[Line] | None:
    """The line that begins with a name and text behind it, cut to the name."""
    for line in lines:
        said = ""
        if not line.letters.startswith(name) or id(line) in taken:
            continue
        for at, (word, after) in enumerate(pairwise(line.words), start=1):
            said += letters(word.text)
            ends = word.text[-1] in ".:" or after.text[0] in "[(\u2013\u2014"
            if said == name and ends:
                line.cut(at)
                return [line]
    return None


def _likeness(said: str, name: str, least: float) -> float:
    """How alike two strings of letters are, from 0 to 1, if more than at least; one that ends in
    most of the other, as of a title without its number in words, is so, too."""
    short, long = sorted((said, name), key=len)
    if len(short) > 5 and len(short) > 0.6 * len(long) and long.endswith(short):
        return 0.9
    if 2 * len(short) < least * (len(short) + len(long)):
        return 0.0
    matcher = SequenceMatcher(None, said, name, autojunk=False)
    return matcher.ratio() if matcher.quick_ratio() > least else 0.0


def _of_contents(lines: Sequence[Line], listed: Sequence[Listed]) -> list[Title]:
    """The lines that say what the contents list, on the page that they name."""
    levels = {(entry.letters, entry.page): entry.level for entry in listed}
    found: list[Title] = []
    end = -1
    for said, run in _runs(lines, max((len(name) for name, _ in levels), default=0)):
        level = levels.get((said, run[0].page.number))
        if level is not None and run[0].at > end and not run[0].text[0].islower():
            found.append(Title(run, is_listed=True, indent=level))
            end = run[-1].at
    # A running head may say it, too.
    largest: dict[tuple[int, str], tuple[float, bool]] = {}
    for title in found:
        place, rank = (title.page.number, letters(title.text)), _rank(title.lines)
        largest[place] = max(largest.get(place, rank), rank)
    return [
        title
        for title in found
        if _rank(title.lines) == largest[title.page.number, letters(title.text)]
    ]


def _rank(run: Sequence[Line]) -> tuple[float, bool]:
    """How prominent lines are."""
    return run[-1].size, is_bold(run[-1].font)


# --- what may be a heading -----------------------------------------------------------------------


def _candidates(lines: Sequence[Line], body: Style) -> tuple[list[Title], Counter[Style]]:
    """The runs of lines of one style that may be headings by what they say; and how many of each
    style are none."""
    columns: dict[tuple[int, int], float] = defaultdict(float)
    for line in lines:
        at = line.page.number, round(line.left / COLUMN)
        columns[at] = max(columns[at], line.right)
    by_top = defaultdict[int, list[Line]](list)
    for line in sorted(lines, key=attrgetter("top")):
        by_top[line.page.number].append(line)
    titles: list[Title] = []
    others: Counter[Style] = Counter()
    run: list[Line] = []
    for line, after in zip_longest(lines, lines[1:]):
        run.append(line)
        if after and _is_next(run[-1], after):
            continue
        title = Title(run)
        at = line.page.number, round(line.left / COLUMN)
        if _may_be(title, body) and not (after and _goes_on(title, after, columns[at])):
            _set_below(title, by_top[line.page.number])
            titles.append(title)
        elif line.region.kind != "table":
            others[title.style] += 1
        run = []
    return titles, others


def _goes_on(title: Title, line: Line, right: float) -> bool:
    """Whether the line below is the rest of a sentence that only begins in another font."""
    last = title.lines[-1]
    is_as_large = last.size / LARGER < line.size <= LARGER * last.size
    if not is_as_large or not last.is_above(line):
        return False
    if line.text[0].islower() and line.font[:4] == last.font[:4]:
        return True
    first = line.words[0]
    return right - last.right < first.right - first.left


def _set_below(title: Title, lines: Sequence[Line]) -> None:
    """Tell of a title whether text stands right below it, or nothing, at the foot of a column
    that goes on in the next, and whether that is indented, as what explains a term is.

    Args:
        title: that may be a heading.
        lines: of its page, by their tops.
    """
    last = title.lines[-1]
    right = max(last.right, last.left + MIN_COLUMN * last.height)
    start, near = (
        bisect(lines, last.bottom + heights * last.height, key=attrgetter("top"))
        for heights in (-0.5, MAX_BELOW)
    )
    below = (
        line
        for line in islice(lines, start, None)
        if line.left < right and last.left < line.right and line is not last
    )
    text = list(islice(below, 2))
    if text:
        title.stands_over = text[0].top <= lines[near - 1].top
    else:
        title.stands_over = any(line.left > right for line in islice(lines, start))
    title.is_term = all(
        line.left > title.lines[0].left + last.height / 2
        for line in text
        if line.top < last.bottom + 2 * MAX_BELOW * last.height
    )


def _is_next(last: Line, line: Line) -> bool:
    """Whether a line goes on a title."""
    return (
        last.is_above(line)
        and (last.font, last.size) == (line.font, line.size)
        and last.is_caps == line.is_caps
        and not number_of(line.text)
    )


def _may_be(title: Title, body: Style) -> bool:
    """Whether a title may be one by what it says: no caption, item or sentence, and not long."""
    text, words = title.text, title.text.split()
    is_set = is_prominent(title.style, body)
    most, lines = (MAX_NUMBERED, MAX_LINES) if title.number and is_set else (MAX_WORDS, 3)
    if not is_set:
        most, lines = 12, 1
    if (
        len(title.lines) > lines
        or len(words) > most
        or not (title.number or all(line.pure for line in title.lines))
        or sum(map(str.isalpha, text)) < 3
        or is_caption(text)
        or _RUN_IN.search(title.bare)
        or (MARKER.fullmatch(words[0]) and not title.number)
        or not any(map(str.isalnum, words[0]))
        or "..." in text
    ):
        return False
    if is_set:
        may_end = title.depth > 1 or (title.number is not None and len(words) < 9)
        return may_end or not text.endswith(_SENTENCE)
    is_lower = next(filter(str.isalpha, title.bare), "A").islower()
    return not is_lower and not text.endswith((*_SENTENCE, ":", "!"))


def _mark_sequences(titles: Iterable[Title], body: Style) -> None:
    """Mark titles whose numbers form a sequence."""
    chains: dict[tuple[str, int], list[Title]] = defaultdict(list)
    last: dict[tuple[str, tuple[int, ...]], int] = {}
    for title in titles:
        if not title.number:
            continue
        kind, value, _ = title.number
        is_set = is_prominent(title.style, body)
        is_other = title.style[0] != body[0] and kind.startswith(".")
        is_item = len(value) == 1 or title.lines[0].region.kind == "list_item"
        if is_item and not (is_set or is_other):
            continue
        before = last.get((kind, value[:-1]), 0)
        if before < value[-1] <= before + 2 or (value[-1] == 1 and len(value) == 1):
            last[kind, value[:-1]] = value[-1]
            chains[kind, len(value)].append(title)
    for chain in chains.values():
        for title in chain:
            title.is_numbered = len(chain) > 1


def _headings_among(
    titles: Sequence[Title], others: Counter[Style], lines: Sequence[Line], body: Style
) -> list[Title]:
    """Titles that are numbered in a sequence, or set as headings are."""
    counts = Counter(title.style for title in titles if title.kind != "table")
    sizes = Counter[tuple[str, float]]()
    for line in lines:
        sizes[line.font, line.size] += len(line.text)
    terms = Counter(title.style for title in titles if title.is_term)
    most = max(MAX_SHARE * sizes.total(), MAX_LETTERS)
    styles = {
        style
        for style, count in counts.items()
        if is_prominent(style, body)
        and count >= MIN_TITLES * (count + others[style])
        and sizes[style[:2]] < most
        and (2 * terms[style] <= count or style[1] > LARGER * body[1])
    }
    found: list[Title] = []
    group: list[Title] = []
    for title in [*titles, None]:
        if title and (
            not group
            or (group[-1].is_right_before(title.lines[0]) and group[-1].style == title.style)
        ):
            group.append(title)
            continue
        # Lines of one style below each other are a list.
        for each in group:
            is_known = each.is_numbered and (each.depth > 1 or len(group) < 3)
            is_set = each.style in styles and len(group) < 3 and (each.stands_over or not found)
            if is_known + is_set + (each.kind != "table") >= 2:
                found.append(each)
        group = [title] if title else []
    return found


def _with_labels(titles: Sequence[Title]) -> list[Title]:
    """Titles with the label above each, as of a chapter, put in front of it."""
    found: list[Title] = []
    for title in titles:
        above = found[-1] if found else None
        is_free = title.number is None or title.number == (above and above.number)
        if above and above.is_label and is_free and above.is_right_before(title.lines[0]):
            found.pop()
            title = Title(
                above.lines + title.lines,
                title.level or above.level,
                is_numbered=above.is_numbered,
                is_listed=title.is_listed or above.is_listed,
                indent=title.indent or above.indent,
            )
        found.append(title)
    return found


def _without_empty(titles: Sequence[Title]) -> list[Title]:
    """Titles without those that only their setting tells of, and that have no text below them."""
    return [
        title
        for title, after in zip_longest(titles, titles[1:])
        if title.is_listed
        or title.is_numbered
        or not (after and title.is_right_before(after.lines[0]) and after.level <= title.level)
    ]


# --- levels --------------------------------------------------------------------------------------


def _set_levels(titles: Sequence[Title]) -> None:
    """Give titles that have none a level: the next below that of the nearest title above which
    is more prominent, or where others that are set and numbered alike differ, that of most."""
    rank_of_kind: dict[str, int] = {}
    for title in titles:
        if title.is_numbered and title.number:
            rank_of_kind.setdefault(title.number.kind, len(rank_of_kind))
    levels_of_key: dict[object, list[int]] = defaultdict(list)
    open_titles: list[tuple[Title, int]] = []
    for title in titles:
        while open_titles and (
            open_titles[-1][1] >= title.level
            if title.level
            else not _outranks(open_titles[-1][0], title, rank_of_kind)
        ):
            open_titles.pop()
        level = title.level or (open_titles[-1][1] + 1 if open_titles else 1)
        open_titles.append((title, level))
        levels_of_key[_level_key(title)].append(level)
    for title in titles:
        title.level = title.level or round(median(levels_of_key[_level_key(title)]))


def _level_key(title: Title) -> object:
    if title.is_numbered and title.number:
        return title.depth or (title.style, title.number.kind)
    return title.style


def _outranks(above: Title, title: Title, rank_of_kind: dict[str, int]) -> bool:
    """Whether a title is more prominent than one that follows it."""
    if above.indent and title.indent and not title.depth and above.indent != title.indent:
        return above.indent < title.indent
    if above.is_numbered and title.is_numbered and above.number and title.number:
        if above.depth and title.depth:
            return above.depth < title.depth
        if above.style == title.style:
            return rank_of_kind[above.number.kind] < rank_of_kind[title.number.kind]
    (font, size, caps), (other, others, capitals) = above.style, title.style
    return (size, is_bold(font), caps) > (others, is_bold(other), capitals)


# --- the pages -----------------------------------------------------------------------------------


def _apply(pages: Sequence[PrintedPage], titles: Sequence[Title]) -> None:
    """Make titles regions of their own, and what the library takes for headings besides text."""
    of_word = {id(word): title for title in titles for line in title.lines for word in line.words}
    done: set[int] = set()
    for page in pages:
        found: list[Region] = []
        for region in page.regions:
            parts = groupby(region.words, key=lambda word: of_word.get(id(word)))
            if isinstance(region.block, Table):
                inside = dict.fromkeys(title for title, _ in parts if title)
                headings = [Region("heading", title.level, title.words) for title in inside]
                found += cut_table(region, headings)
                continue
            kind = "paragraph" if region.kind == "heading" else region.kind
            for title, words in parts:
                if title is None:
                    found.append(Region(kind, region.level, list(words), region.block))
                    kind = "paragraph" if kind == "list_item" else kind
                elif id(title) not in done:
                    done.add(id(title))
                    found.append(Region("heading", title.level, title.words))
        page.regions[:] = found

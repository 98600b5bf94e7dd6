"""Which lines of a PDF are headings, and of which level: one decision over the whole document.

What a file's outline and its printed contents name are headings, and so are lines whose numbers
form a sequence. They show how headings are set; lines that are set alike, or larger or bolder than
the text, are headings too where they stand alone and are no sentence.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from difflib import SequenceMatcher
from itertools import zip_longest
from statistics import median

from index.chunking.layout import letters
from index.readers.captions import is_caption
from index.readers.pdf.contents import Listed
from index.readers.pdf.pages import PrintedPage, PrintedWord, Region, letters_of
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
#: Share of the lines of a style that may be headings, at least: of .3 to .7, .5 had most right
#: over 30 files with an outline.
MIN_TITLES = 0.5
#: Share of the lines of a style that the library takes for headings, if it is not prominent. Not
#: tuned.
MIN_SEEN = 0.8
#: A line in a table that is so many times as large as the text is a heading. Not tuned.
LARGE = 1.25
#: Share of the letters of a document that a style of headings has at most, and in a short one how
#: many letters. Not tuned.
MAX_SHARE, MAX_LETTERS = 0.15, 300
#: Share of the letters of a document that the titles of its outline have at most. Of 54 files with
#: one the most is .21, of a paragraph's each .93.
MAX_NAMED = 0.3
#: Lines of a column begin at most so many points apart. Not tuned.
COLUMN = 40

_RUN_IN = re.compile(r"\w{3}[.!] +[A-Z]")
_SENTENCE = (".", "!", ";", ",", "\u3002")


def set_headings(
    pages: Sequence[PrintedPage], entries: Iterable[Entry], listed: Sequence[Listed]
) -> int:
    """Make the lines of pages headings that are some, and all others none.

    Args:
        pages: of a file.
        entries: of its outline.
        listed: what its printed contents list.

    Returns:
        The lowest level of the outline; 0 where there is none, or the pages have none of it.
    """
    lines = [line for page in pages for line in lines_on(page)]
    if not lines:
        return 0
    body = set_styles(lines)
    entries = list(entries)
    named = sum(len(letters(title)) for _, title, _ in entries)
    if named > MAX_NAMED * sum(len(line.text) for line in lines):
        entries = []  # one of paragraphs, as some programs make
    known = _of_outline(lines, entries)
    deepest = max((level for _, _, level in entries), default=0) if len(known) > 1 else 0
    known += _of_contents(_left(lines, known), listed)
    titles, others = _titles(_left(lines, known), body)
    _set_numbers([*known, *titles], body)
    place = {id(line): number for number, line in enumerate(lines)}
    found = known + _accepted(titles, others, lines, place, body)
    found.sort(key=lambda title: place[id(title.lines[0])])
    found = _without_lone(_labelled(found, place), place)
    _set_levels(found)
    _apply(pages, _with_text(found, place))
    return deepest


def _left(lines: Sequence[Line], titles: Iterable[Title]) -> list[Line]:
    taken = {id(line) for title in titles for line in title.lines}
    return [line for line in lines if id(line) not in taken]


# --- what is known -------------------------------------------------------------------------------


def _of_outline(lines: Sequence[Line], entries: Sequence[Entry]) -> list[Title]:
    """The lines of pages that say what the outline has there."""
    on_page: dict[int, list[Line]] = defaultdict(list)
    for line in lines:
        on_page[line.page.number].append(line)
    found: list[Title] = []
    taken: set[int] = set()
    counts = Counter[int]()
    for number, title, level in entries:
        name = letters(title)
        counts[number] += 1
        if not name or counts[number] > MAX_ENTRIES:
            continue
        places = [at for at in (number, number + 1, number - 1) if at in on_page]
        for page in places:
            if match := _match(on_page[page], name, taken, page == number):
                found.append(Title(match, number_of(match), level, is_listed=True))
                taken.update(map(id, match))
                break
    return found


def _match(lines: Sequence[Line], name: str, taken: set[int], fuzzy: bool) -> list[Line] | None:
    """The lines that say a name, or nearly."""
    best, nearest = None, ALIKE
    for start, first in enumerate(lines):
        if not letters_of(first.words) and not number_of([first]):
            continue
        said, group = "", list[Line]()
        for line in lines[start : start + MAX_LINES]:
            if id(line) in taken or (group and not group[-1].is_above(line) and len(group) > 1):
                break
            group.append(line)
            said += letters_of(line.words)
            if said == name and (line.region.kind != "table" or len(name) > 3):
                return group
            if group == [line] and (words := _before_bracket(line, name)):
                line.words = words
                return group
            if len(said) > 1.5 * len(name) + 3:
                break
            if fuzzy and said and first.region.kind != "table":
                share = _likeness(said, name, nearest)
                if share > nearest:
                    best, nearest = list(group), share
    return best


def _before_bracket(line: Line, name: str) -> list[PrintedWord]:
    """The words of a line that say a name, if what follows them is in brackets."""
    for at, word in enumerate(line.words):
        if at and word.text[0] in "[(" and letters_of(line.words[:at]) == name:
            return line.words[:at]
    return []


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
    names = {name for name, _ in levels}
    longest = max(map(len, names), default=0)
    found: list[Title] = []
    at = 0
    while at < len(lines):
        said, group = "", list[Line]()
        at += 1
        for line in lines[at - 1 : at + MAX_LINES - 1]:
            if group and (line.page is not group[0].page or not letters_of(group[0].words)):
                break
            said += letters_of(line.words)
            group.append(line)
            if len(said) > longest:
                break
            level = levels.get((said, line.page.number)) if said in names else None
            if level is not None and not _is_inside(group):
                found.append(Title(group, number_of(group), is_listed=True, indent=level))
                at += len(group) - 1
                break
    # A running head may say it, too.
    largest: dict[tuple[int, str], tuple[float, bool]] = {}
    for title in found:
        place, rank = _place(title), _rank(title)
        largest[place] = max(largest.get(place, rank), rank)
    return [title for title in found if _rank(title) == largest[_place(title)]]


def _place(title: Title) -> tuple[int, str]:
    return title.lines[0].page.number, letters(title.text)


def _rank(title: Title) -> tuple[float, bool]:
    font, size, _ = title.style
    return size, is_bold(font)


def _is_inside(group: Sequence[Line]) -> bool:
    """Whether lines are some of a sentence."""
    return group[0].text[0].islower() or group[-1].text.endswith(".")


# --- what may be a heading -----------------------------------------------------------------------


def _titles(lines: Sequence[Line], body: Style) -> tuple[list[Title], Counter[Style]]:
    """The runs of lines of one style that may be headings by what they say; and how many of each
    style are none."""
    columns: dict[tuple[int, int], float] = defaultdict(float)
    for line in lines:
        at = line.page.number, round(line.left / COLUMN)
        columns[at] = max(columns[at], line.right)
    titles: list[Title] = []
    others: Counter[Style] = Counter()
    run: list[Line] = []
    for line, after in zip(lines, [*lines[1:], None], strict=True):
        run.append(line)
        if after and _is_next(run, after, body):
            continue
        title = Title(run, number_of(run))
        at = line.page.number, round(line.left / COLUMN)
        if _may_be(title, body) and not (after and _goes_on(title, after, columns[at], body)):
            titles.append(title)
        elif line.region.kind != "table":
            others[title.style] += 1
        run = []
    return titles, others


def _goes_on(title: Title, line: Line, right: float, body: Style) -> bool:
    """Whether the line below is the rest of a sentence that only begins in another font."""
    last = title.lines[-1]
    is_deep = title.depth > 1 and is_prominent(title.style, body)
    if is_deep or not last.is_above(line) or line.size > LARGER * last.size:
        return False
    if line.words[0].text[:1].islower() and line.font[:4] == last.font[:4]:
        return True
    first = line.words[0]
    return line.size * LARGER > last.size and right - last.right < first.right - first.left


def _is_next(run: Sequence[Line], line: Line, body: Style) -> bool:
    last = run[-1]
    return (
        last.is_above(line)
        and (last.font, last.size) == (line.font, line.size)
        and last.pure
        and line.pure
        and (last.is_caps == line.is_caps)
        and (line.font, line.size) != body[:2]
        and not number_of([line])
    )


def _may_be(title: Title, body: Style) -> bool:
    first, text = title.lines[0], title.text
    words = text.split()
    bare = text[title.number.end :] if title.number else text
    is_set = is_prominent(title.style, body)
    is_deep = title.depth > 1
    most, lines = (MAX_NUMBERED, MAX_LINES) if title.number and is_set else (MAX_WORDS, 3)
    if not is_set:
        most, lines = 12, 1
    if (
        len(title.lines) > lines
        or len(words) > most
        or not (title.number or all(line.pure for line in title.lines))
        or sum(map(str.isalpha, text)) < 3
        or (title.depth and sum(map(str.isalpha, bare)) < 3)
        or is_caption(text)
        or (_RUN_IN.search(bare) and not is_deep)
        or (MARKER.fullmatch(words[0]) and not title.number)
        or not any(map(str.isalnum, words[0]))
        or text[0] == "("
        or "@" in text
        or "..." in text
    ):
        return False
    is_larger = first.size > LARGE * body[1]
    if (
        next(filter(str.isalpha, bare), "A").islower()
        and not is_larger
        and not (title.number and is_set)
    ):
        return False
    ends = text.endswith(_SENTENCE) or (text.endswith(":") and first.size < LARGER * body[1])
    return not ends or (is_set and (is_deep or (title.number is not None and len(words) < 9)))


def _set_numbers(titles: Iterable[Title], body: Style) -> None:
    """Tell of titles whether their numbers form a sequence."""
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


def _accepted(
    titles: Sequence[Title],
    others: Counter[Style],
    lines: Sequence[Line],
    place: dict[int, int],
    body: Style,
) -> list[Title]:
    """Titles that are numbered in a sequence, or set as headings are."""
    in_tables = {id(title) for title in titles if _is_in_table(title, body)}
    counts = Counter(title.style for title in titles if id(title) not in in_tables)
    sizes = Counter[tuple[str, float]]()
    for line in lines:
        sizes[line.font, line.size] += len(line.text)
    seen = Counter(title.style for title in titles if title.lines[0].region.kind == "heading")
    styles = {
        style
        for style, count in counts.items()
        if (is_prominent(style, body) or (seen[style] > MIN_SEEN * count and count > 2))
        and count >= MIN_TITLES * (count + others[style])
        and sizes[style[:2]] < max(MAX_SHARE * sizes.total(), MAX_LETTERS)
    }
    found: list[Title] = []
    group: list[Title] = []
    for title in [*titles, None]:
        if title and (
            not group or (_is_next_line(group[-1], title, place) and group[-1].style == title.style)
        ):
            group.append(title)
            continue
        # Lines of one style below each other are a list.
        for each in group:
            is_known = each.is_numbered and (each.depth > 1 or len(group) < 3)
            is_set = each.style in styles and len(group) < 3
            if is_known + is_set + (id(each) not in in_tables) >= 2:
                found.append(each)
        group = [title] if title else []
    return found


def _is_in_table(title: Title, body: Style) -> bool:
    """Whether a title is a cell: large ones alone in their row are taken for part of a table."""
    region = title.lines[0].region
    if region.kind != "table" or title.style[1] < LARGE * body[1]:
        return region.kind == "table"
    first = title.words[0]
    beside = sum(word.shares_line(first) for word in region.words)
    return beside > sum(word.shares_line(first) for word in title.words)


def _labelled(titles: Sequence[Title], place: dict[int, int]) -> list[Title]:
    """Titles with the label above each, as of a chapter, put in front of it."""
    found: list[Title] = []
    for title in titles:
        above = found[-1] if found else None
        is_free = title.number is None or title.number == (above and above.number)
        if above and above.is_label and is_free and _is_next_line(above, title, place):
            found.pop()
            title.lines = above.lines + title.lines
            title.number, title.is_numbered = above.number, above.is_numbered
            title.level = title.level or above.level
        found.append(title)
    return found


def _without_lone(titles: Sequence[Title], place: dict[int, int]) -> list[Title]:
    """Titles without those of a style of their own with another below each, as on a title page;
    the first of all is the document's."""
    counts = Counter(title.style for title in titles)
    return [
        title
        for title, after in zip_longest(titles, titles[1:])
        if title is titles[0]
        or title.is_listed
        or title.is_numbered
        or counts[title.style] > 1
        or not (after and _is_next_line(title, after, place))
    ]


def _is_next_line(title: Title, after: Title, place: dict[int, int]) -> bool:
    is_next = place[id(after.lines[0])] == place[id(title.lines[-1])] + 1
    return is_next and after.lines[0].page is title.lines[0].page


def _with_text(titles: Sequence[Title], place: dict[int, int]) -> list[Title]:
    """Titles without those that only their setting tells of, and that have no text below them."""
    return [
        title
        for title, after in zip_longest(titles, titles[1:])
        if title.is_listed
        or title.is_numbered
        or not (after and _is_next_line(title, after, place) and after.level <= title.level)
    ]


# --- levels --------------------------------------------------------------------------------------


def _set_levels(titles: Sequence[Title]) -> None:
    """Give titles that have none a level: the next below that of the nearest title above which
    is more prominent, or where others that are set and numbered alike differ, that of most."""
    kinds: dict[str, int] = {}
    for title in titles:
        if title.is_numbered and title.number:
            kinds.setdefault(title.number.kind, len(kinds))
    alike: dict[object, list[int]] = defaultdict(list)
    open_titles: list[tuple[Title, int]] = []
    for title in titles:
        while open_titles and (
            open_titles[-1][1] >= title.level
            if title.level
            else not _is_over(open_titles[-1][0], title, kinds)
        ):
            open_titles.pop()
        level = title.level or (open_titles[-1][1] + 1 if open_titles else 1)
        open_titles.append((title, level))
        alike[_class(title)].append(level)
    for title in titles:
        title.level = title.level or round(median(alike[_class(title)]))


def _class(title: Title) -> object:
    if title.is_numbered and title.number:
        return title.depth or (title.style, title.number.kind)
    return title.style


def _is_over(above: Title, title: Title, kinds: dict[str, int]) -> bool:
    """Whether a title is more prominent than one that follows it."""
    if above.indent and title.indent and not title.depth and above.indent != title.indent:
        return above.indent < title.indent
    if above.is_numbered and title.is_numbered and above.number and title.number:
        if above.depth and title.depth:
            return above.depth < title.depth
        if above.style == title.style:
            return kinds[above.number.kind] < kinds[title.number.kind]
    (font, size, caps), (other, others, capitals) = above.style, title.style
    return (size, is_bold(font), caps) > (others, is_bold(other), capitals)


# --- the pages -----------------------------------------------------------------------------------


def _apply(pages: Sequence[PrintedPage], titles: Sequence[Title]) -> None:
    of_word = {id(word): title for title in titles for line in title.lines for word in line.words}
    done: set[int] = set()
    for page in pages:
        found: list[Region] = []
        for region in page.regions:
            inside = list(dict.fromkeys(filter(None, (of_word.get(id(w)) for w in region.words))))
            if isinstance(region.block, Table):
                headings = [Region("heading", title.level, title.words) for title in inside]
                found += cut_table(region, headings)
                continue
            kind = "paragraph" if region.kind == "heading" else region.kind
            rest: list[PrintedWord] = []
            for word in region.words:
                title = of_word.get(id(word))
                if title is None:
                    rest.append(word)
                    continue
                if rest:
                    found.append(Region(kind, region.level, rest, region.block))
                    rest = []
                    kind = "paragraph" if kind == "list_item" else kind
                if id(title) not in done:
                    done.add(id(title))
                    found.append(Region("heading", title.level, title.words))
            if rest:
                found.append(Region(kind, region.level, rest, region.block))
        page.regions[:] = found

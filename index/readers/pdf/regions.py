"""The pages of a PDF as regions to be read: what liteparse makes of them, put right.

It knows blocks in reading order and boxes of words, but takes a line with a word in a typewriter's
font for code, running heads for nothing, and tables of contents for text. Put right is only what
the page shows: where words stand, how large they are, and what the file's own outline says.
"""

# Typographic quotes are meant as they stand.

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Container, Iterable, Mapping, Sequence
from functools import partial
from itertools import pairwise
from statistics import median

from index.chunking.layout import CONTENTS_LINES, CONTENTS_SHARE, letters
from index.readers.pdf.pages import Line, PrintedPage, Region, lines_of
from index.readers.pdf.paragraphs import (
    LARGE,
    filled,
    has_columns,
    is_right_below,
    is_term,
    joined,
    paragraphs_of,
    reclassified,
    set_notes,
    usual_step,
    whole_regions,
    without_false_code,
)
from index.readers.pdf.pdfium import Entry

Outline = Mapping[int, Mapping[str, int]]
"""For each page that the outline of a file leads to, the letters of titles and their levels."""

#: A line with the page's number is furniture if so many pages have one at its height. Not tuned.
SEEN_ON = 3


def correct_regions(pages: Sequence[PrintedPage], entries: Iterable[Entry]) -> None:
    """Put the regions of pages right.

    What stands in a page's running head or foot is told once, and the number of the page not at
    all; tables of contents are left out.

    Args:
        pages: of a file.
        entries: of its outline.
    """
    outline = _outline(entries)
    _drop_running_heads(pages)
    _place_loose_lines(pages, outline)
    _drop_furniture(pages)
    deepest = _set_headings(pages, outline)
    _drop_contents(pages, outline)
    for page in pages:
        parts = [part for region in page.regions for part in reclassified(region)]
        page.regions[:] = without_false_code(parts)
    step, height = usual_step(pages), _usual_height(pages)
    for page in pages:
        whole = whole_regions(page.regions, step)
        parts = [part for region in whole for part in paragraphs_of(region, step)]
        if deepest:
            _set_lines_that_are_headings(parts, outline.get(page.number, {}))
        page.regions[:] = joined(parts, partial(is_term, deepest=deepest))
        set_notes(page.regions, height)


def _outline(entries: Iterable[Entry]) -> Outline:
    found: dict[int, dict[str, int]] = {}
    for page, title, level in entries:
        if name := letters(title):
            found.setdefault(page, {})[name] = level
    return found


def _place_loose_lines(pages: Sequence[PrintedPage], outline: Outline) -> None:
    """Put the lines that the library took for running heads and feet back.

    They are none where something else stands further out on the page, where the outline has them,
    or where they are as full as lines of text. Those that are say what they say once, and those
    that say but the page's number nothing.
    """
    full = 0.75 * median(
        [
            filled(line)
            for page in pages
            for own in page.regions
            if own.kind == "paragraph"
            for line in lines_of(own.words)
        ]
        or [0.0]
    )
    seen: set[str] = set()
    for page in pages:
        first = min((own.top for own in page.regions), default=0.0)
        last = max((own.bottom for own in page.regions), default=0.0)
        for line in page.loose:
            words, top = [word.text for word in line], line[0].top
            name = letters("".join(words))
            is_inside = first < top < last or name in outline.get(page.number, ())
            is_full = filled(line) >= full
            is_number = sum(any(map(str.isalpha, w)) for w in words) < 3 and page.label in words
            if is_full:
                name = " ".join(words)
            if not is_inside and (not name or name in seen or is_number):
                continue
            seen.add(name)
            if is_inside or (is_full and top < first):
                after = (n for n, own in enumerate(page.regions) if own.top > top)
                at = next(after, len(page.regions))
                above = page.regions[at - 1] if at else None
                if above and above.kind == "heading" and _is_next_line(above, line):
                    above.words.extend(line)
                else:
                    page.regions.insert(at, Region("paragraph", 1, line))
            else:
                # As a note is, so that it stands in no paragraph's way.
                page.regions.append(Region("paragraph" if is_full else "note", 1, line))


def _is_next_line(above: Region, line: Line) -> bool:
    """Whether a line stands right below a region and is as large."""
    height, own = above.words[-1].height, line[0].height
    return is_right_below(line, above) and own / LARGE < height < own * LARGE


def _drop_running_heads(pages: Sequence[PrintedPage]) -> None:
    """Take the first line of pages out of their text on which it says, but for numbers, what it
    says at that height of SEEN_ON others at least: the library takes many such for the beginning of
    what stands below. It is told once, as a note is.

    The first line of a table that has columns without it is left: it names them.
    """
    heads = defaultdict[tuple[str, int], list[tuple[PrintedPage, Line]]](list)
    for page in pages:
        words = [word for own in page.regions for word in own.words]
        if not words:
            continue
        highest = min(words, key=lambda word: word.top)
        line = [word for word in words if word.shares_line(highest)]
        said = letters("".join(word.text for word in line))
        if said:
            heads[said, round(highest.top / 4)].append((page, line))
    for places in heads.values():
        if len(places) <= SEEN_ON:
            continue
        taken = [(page, head) for page, line in places if (head := _taken(page, line))]
        for page, head in taken[:1]:
            page.regions.append(Region("note", 1, head))


def _taken(page: PrintedPage, line: Line) -> Line:
    """The words of a line, taken out of the regions of a page that begin or end with it."""
    taken: Line = []
    for own in page.regions:
        if own.words[0] not in line and own.words[-1] not in line:
            continue
        below = [word for word in own.words if word not in line]
        rest = Region(own.kind, own.level, below, own.block)
        if below and own.kind == "table" and has_columns(rest):
            continue
        taken += [word for word in own.words if word in line]
        own.words = below
    page.regions[:] = [own for own in page.regions if own.words]
    return taken


def _drop_furniture(pages: Sequence[PrintedPage]) -> None:
    """Drop running heads and feet that the library left in: the first or last line of a page, with
    its number, at a height where other pages have theirs."""
    found = list[tuple[PrintedPage, Region, int]]()
    for page in pages:
        ends = sorted(page.regions, key=lambda own: own.top)
        for own in ends[:1] + ends[-1:]:
            is_line = own.words[0].shares_line(own.words[-1])
            if is_line and page.label in (own.words[0].text, own.words[-1].text):
                found.append((page, own, round(own.top / 4)))
    heights = Counter(height for _, _, height in found)
    for page, own, height in found:
        if heights[height] >= SEEN_ON and own in page.regions:
            page.regions.remove(own)


def _set_headings(pages: Sequence[PrintedPage], outline: Outline) -> int:
    """Give headings the levels of the outline where the file has one; where it has none and the
    library knew of no heading, as of most that a browser prints, lines are some that stand alone
    and are larger than most.

    Returns:
        The lowest level of the outline; headings below it are the library's. 0 where there is none.
    """
    for page in pages:
        if page.number in outline:
            page.regions[:] = _as_titled(page.regions, outline[page.number])
    named = [
        (own, outline[page.number][own.letters])
        for page in pages
        if page.number in outline
        for own in page.regions
        if own.kind != "table" and own.letters in outline[page.number]
    ]
    regions = [own for page in pages for own in page.regions]
    if len(named) > 1:
        deepest = max(level for titles in outline.values() for level in titles.values())
        for own in regions:
            own.level += deepest
        for own, level in named:
            own.kind, own.level = "heading", level
        return deepest
    if not any(own.kind == "heading" for own in regions):
        usual = _usual_height(pages)
        large = [
            (own, round(max(word.height for word in own.words)))
            for own in regions
            if own.kind == "paragraph"
            and own.words[0].shares_line(own.words[-1])
            and min(word.height for word in own.words) > LARGE * usual
        ]
        sizes = sorted({size for _, size in large}, reverse=True)
        for own, size in large:
            own.kind, own.level = "heading", sizes.index(size) + 1
    return 0


def _as_titled(regions: Sequence[Region], titles: Mapping[str, int]) -> list[Region]:
    """Regions of a page so divided that the titles which the outline has on it stand alone: a title
    of two lines that the library took for two regions is one, and what stands behind a title, in
    brackets or on the next line, is another."""
    left = set(titles) - {own.letters for own in regions if own.kind != "table"}
    found: list[Region] = []
    for own in regions:
        before = found[-1] if found else None
        if own.kind not in ("paragraph", "heading"):
            found.append(own)
        elif before and before.kind == own.kind and before.letters + own.letters in left:
            before.words.extend(own.words)
        else:
            found += _titled(own, left)
    return found


def _titled(region: Region, titles: Container[str]) -> list[Region]:
    """A region, or the title that it begins with and the rest of it."""
    said = ""
    for number, (word, after) in enumerate(pairwise(region.words), start=1):
        said += letters(word.text)
        divided = not word.shares_line(after) or after.text[0] in "[("
        if divided and said in titles:
            parts = region.words[:number], region.words[number:]
            return [Region("paragraph", region.level, words) for words in parts]
    return [region]


def _set_lines_that_are_headings(regions: Iterable[Region], titles: Mapping[str, int]) -> None:
    """Make lines headings that stand alone now, text being divided into paragraphs, and that the
    outline has on this page."""
    for own in regions:
        is_line = own.kind == "paragraph" and own.words[0].shares_line(own.words[-1])
        if is_line and own.letters in titles:
            own.kind, own.level = "heading", titles[own.letters]


def _usual_height(pages: Iterable[PrintedPage]) -> float:
    heights = [word.height for page in pages for own in page.regions for word in own.words]
    return median(heights) if heights else 0.0


def _drop_contents(pages: Sequence[PrintedPage], outline: Outline) -> None:
    """Drop tables of contents: lines that say what headings of other pages say."""
    named: dict[str, set[int]] = defaultdict(set)
    headings = [(own, page) for page in pages for own in page.regions if own.kind == "heading"]
    titles = [(title, number) for number, own in outline.items() for title in own]
    for title, number in [*titles, *((own.letters, page.number) for own, page in headings)]:
        named[title].add(number)
    for page in pages:
        entries, listed, repeating, count = list[Region](), 0, 0, 0
        for own in page.regions:
            lines = [letters("".join(word.text for word in line)) for line in lines_of(own.words)]
            repeated = sum(bool(named.get(line, set()) - {page.number}) for line in lines if line)
            count += len(lines)
            if own.kind == "heading":
                repeating += repeated
            elif repeated >= CONTENTS_SHARE * len(lines):
                entries.append(own)
                listed += len(lines)
                repeating += repeated
        if repeating >= CONTENTS_LINES and repeating >= CONTENTS_SHARE * count:
            page.regions.clear()
        elif listed >= CONTENTS_LINES:
            page.regions[:] = [own for own in page.regions if own not in entries]

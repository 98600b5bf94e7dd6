"""The pages of a PDF as regions to be read: what liteparse makes of them, put right.

It knows blocks in reading order and boxes of words, but takes a line with a word in a typewriter's
font for code, running heads for nothing, and tables of contents for text. Put right is only what
the page shows: where words stand, how large they are, and what the file's own outline says.
"""

# Typographic quotes are meant as they stand.
# ruff: noqa: RUF001

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import pairwise
from statistics import median

from index.chunking.layout import CONTENTS_LINES, CONTENTS_SHARE, letters
from index.chunking.pdf.pages import Line, PrintedPage, PrintedWord, Region, cells_of, lines_of
from index.chunking.pdf.pdfium import Entry

Outline = Mapping[int, Mapping[str, int]]
"""For each page that the outline of a file leads to, the letters of titles and their levels."""

#: A line with the page's number is furniture if so many pages have one at its height. Not tuned.
SEEN_ON = 3
#: Lines further apart than so many times the usual are of two paragraphs; a line whose words are so
#: many times as high as usual is a heading, and so many times a note. Not tuned.
APART, LARGE, SMALL = 1.3, 1.15, 0.93
#: How far cells of a table are apart in the middle, in heights of their words. Of some fifty tables
#: the narrowest had .55, and texts that were taken for one up to .40.
DIVIDED = 0.47
#: Share of a line that its words fill where prose goes on below it.
FILLED = 0.6
#: Characters of a line that may be the term of the definition below it.
TERM = 60
#: Heights of its words that the further lines of an item are indented below its marker, at most.
#: Not tuned.
INDENTED = 4

_MARKER = re.compile(r"\(?\w{1,4}[.)]|[\u2022\u2013\u25aa\u25e6*-]")
_ENDS = re.compile(r"[.!?:;…。！？]['\"”’)\]]*\d{0,3}$")


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
        reclassified = [part for region in page.regions for part in _reclassified(region)]
        page.regions[:] = _without_false_code(reclassified)
    step, height = _usual_step(pages), _usual_height(pages)
    for page in pages:
        whole = _whole(page.regions, step)
        parts = [part for region in whole for part in _paragraphs(region, step)]
        if deepest:
            _set_lines_that_are_headings(parts, outline.get(page.number, {}))
        page.regions[:] = _joined(parts, partial(_is_term, deepest=deepest))
        _set_notes(page.regions, height)


def _outline(entries: Iterable[Entry]) -> Outline:
    found: dict[int, dict[str, int]] = {}
    for page, title, level in entries:
        if name := letters(title):
            found.setdefault(page, {})[name] = level
    return found


def ends_sentence(text: str) -> bool:
    """Whether a paragraph may end so."""
    return _ENDS.search(text) is not None


def _place_loose_lines(pages: Sequence[PrintedPage], outline: Outline) -> None:
    """Put the lines that the library took for running heads and feet back.

    They are none where something else stands further out on the page, where the outline has them,
    or where they are as full as lines of text. Those that are say what they say once, and those
    that say but the page's number nothing.
    """
    full = 0.75 * median(
        [
            _filled(line)
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
            is_full = _filled(line) >= full
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
    return _is_right_below(line, above) and own / LARGE < height < own * LARGE


def _is_right_below(words: Sequence[PrintedWord], above: Region) -> bool:
    """Whether words begin where the next line of a region would, and not in another column."""
    top = min(word.top for word in words)
    return abs(top - above.bottom) < words[0].height / 2


def _filled(line: Line) -> float:
    return sum(word.right - word.left for word in line)


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
        if below and own.kind == "table" and _has_columns(rest):
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


def _usual_step(pages: Iterable[PrintedPage]) -> float:
    """How far apart lines of a paragraph mostly are, in heights of their words."""
    steps = [
        step / height
        for page in pages
        for own in page.regions
        if own.kind == "paragraph"
        for step, height in zip(*_steps(list(lines_of(own.words))), strict=True)
    ]
    return median(steps) if steps else 0.0


def _steps(lines: Sequence[Line]) -> tuple[list[float], list[float]]:
    """How far each line but the first stands below the one before, and how high its words are.

    Measured at the feet of the words: a mark that stands raised does not move them.
    """
    feet = [median(word.bottom for word in line) for line in lines]
    heights = [median(word.height for word in line) for line in lines[1:]]
    return [below - above for above, below in pairwise(feet)], heights


def _paragraphs(region: Region, usual: float) -> Iterator[Region]:
    """The paragraphs of a region, which the library divides only in some files.

    One ends where the next line stands further below than others of the region do; or than lines of
    the document do, where it also leaves room; or is larger or smaller; or where a sentence ends
    and the next line alone is indented, or alone is not.
    """
    lines = list(lines_of(region.words))
    if region.kind != "paragraph" or len(lines) < 2:
        yield region
        return
    steps, heights = _steps(lines)
    nearest = min(steps) if len(steps) > 1 else float("inf")
    left, right = region.left, max(line[-1].right for line in lines)
    words = list(lines[0])
    for above, line, below, step, height in zip(
        lines, lines[1:], [*lines[2:], None], steps, heights, strict=False
    ):
        has_room = right - above[-1].right > line[0].right - line[0].left + height / 2
        sizes = sorted((median(word.height for word in above), height))
        is_apart = (
            step > APART * nearest
            or (has_room and step > APART * usual * height)
            or sizes[1] > LARGE * sizes[0]
        )
        indented, indented_below = (
            own is not None and own[0].left - left > height / 2 for own in (line, below)
        )
        hangs = below is not None and below[0].left - line[0].left > height / 2
        begins = (indented and not indented_below) or (hangs and above[0].left - left > height / 2)
        if is_apart or (begins and ends_sentence(above[-1].text)):
            yield Region("paragraph", region.level, words)
            words = []
        words.extend(line)
    yield Region("paragraph", region.level, words)


def _reclassified(region: Region) -> Iterator[Region]:
    """A region without what is only taken for more of it: a table of one column, or of columns that
    nothing divides, is text, and so is what stands below an item of a list and left of its
    marker."""
    if region.kind == "table":
        if not _has_columns(region):
            region.kind = "paragraph"
    elif region.kind == "list_item":
        at = 0
        for line in lines_of(region.words):
            if at and line[0].left < region.words[0].left - 2:
                yield Region("list_item", region.level, region.words[:at])
                region = Region("paragraph", region.level, region.words[at:])
                break
            at += len(line)
    yield region


def _has_columns(table: Region) -> bool:
    """Whether its cells stand apart, and not only as words do."""
    cells = [cell for row in cells_of(table) for cell in row if cell]
    number = {id(word): n for n, cell in enumerate(cells) for word in cell}
    gaps = [
        (word.left - before.right) / word.height
        for before, word in pairwise(table.words)
        if word.shares_line(before)
        and before.left < word.left
        and number.get(id(before)) != number.get(id(word))
    ]
    return bool(gaps) and median(gaps) > DIVIDED


def _without_false_code(regions: Sequence[Region]) -> list[Region]:
    """Regions with what is no code made a paragraph: lines that are filled as prose fills them, and
    a line or two right under or above those of a paragraph or item, of which they are then part."""
    found: list[Region] = []
    kind, is_short = "", False
    for own in regions:
        if own.kind == "code" and _is_filled(own):
            own.kind = "paragraph"
        was, kind = kind, own.kind
        if kind == "code":
            is_short = len(list(lines_of(own.words))) < 3
        if is_short and {was, kind} == {"code", "paragraph"} and _goes_on(found[-1], own):
            found[-1].kind = "paragraph"
            found[-1].words.extend(own.words)
        elif found and _goes_on_item(found[-1], own):
            found[-1].words.extend(own.words)
            kind = "list_item"
        else:
            found.append(own)
    return found


def _goes_on_item(item: Region, own: Region) -> bool:
    """Whether lines are the rest of an item above them, which is not at its end."""
    return (
        item.kind == "list_item"
        and own.kind in ("code", "paragraph")
        and not ends_sentence(item.words[-1].text)
        and own.left > item.left
        and _is_right_below(own.words, item)
    )


def _joined(regions: Iterable[Region], joins: Callable[[Region, Region], bool]) -> list[Region]:
    """Regions of which each is joined to the one before where that is so of them."""
    found: list[Region] = []
    for own in regions:
        if found and joins(found[-1], own):
            found[-1].kind = own.kind
            found[-1].words.extend(own.words)
        else:
            found.append(own)
    return found


def _whole(regions: Sequence[Region], usual: float) -> list[Region]:
    """Regions with paragraphs joined that the library took apart: where a line begins in another
    font, behind a first line that is indented, and where a line goes on in lower case."""
    return _joined(
        regions,
        lambda before, own: (
            before.kind == own.kind == "paragraph"
            and (_goes_on_first_line(before, own) or _is_wrapped(before, own, regions, usual))
        ),
    )


def _goes_on_first_line(before: Region, own: Region) -> bool:
    """Whether it goes on a first line that is indented, or that does not end."""
    return (
        before.words[0].shares_line(before.words[-1])
        and not ends_sentence(before.words[-1].text)
        and (own.left < before.left or own.words[0].text[0].islower())
        and _is_right_below(own.words, before)
    )


def _is_wrapped(before: Region, own: Region, regions: Iterable[Region], usual: float) -> bool:
    """Whether its first line is the next of the same paragraph or item: as far below as lines are,
    and with a word first that the line above had no room for."""
    *_, above = lines_of(before.words)
    line = next(lines_of(own.words))
    (step,), (height,) = _steps([above, line])
    column = [
        each
        for each in (*regions, before)
        if each.kind == "paragraph" and abs(each.left - above[0].left) < height / 2
    ]
    right = max((word.right for each in column for word in each.words), default=above[-1].right)
    indented = line[0].left - above[0].left
    hangs = _MARKER.fullmatch(above[0].text) and 0 < indented < INDENTED * height
    return (
        (hangs or abs(indented) < height / 2)
        and 0 < step <= APART * usual * height
        and right - above[-1].right < line[0].right - line[0].left + height / 2
    )


def _goes_on(before: Region, own: Region) -> bool:
    """Whether its first line follows the other's last as the lines of a paragraph do."""
    left = abs(own.left - before.left)
    return left < own.words[0].height / 2 and _is_right_below(own.words, before)


def _is_filled(own: Region) -> bool:
    lines = list(lines_of(own.words))
    width = max(line[-1].right for line in lines) - own.left
    return len(lines) > 2 and all(_filled(line) > FILLED * width for line in lines[:-1])


def _is_term(before: Region, own: Region, deepest: int) -> bool:
    """Whether a line is the term of a definition that is indented below it; it may be a heading
    that the outline does not have, down to its `deepest` level."""
    return (
        own.kind == "paragraph"
        and (
            before.kind in ("paragraph", "code")
            or (before.kind == "heading" and 0 < deepest < before.level)
        )
        and before.words[0].shares_line(before.words[-1])
        and sum(len(word.text) + 1 for word in before.words) < TERM
        and own.left > before.left + own.words[0].height / 2
        and 0 <= own.top - before.bottom + 2 < own.words[0].height
    )


def _set_notes(regions: Sequence[Region], usual: float) -> None:
    """Make the paragraphs at the foot of a page that are printed smaller notes."""
    for own in reversed(regions):
        if own.kind == "note":
            continue
        if own.kind != "paragraph" or median(w.height for w in own.words) > SMALL * usual:
            break
        own.kind = "note"

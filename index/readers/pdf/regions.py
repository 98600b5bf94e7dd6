"""The pages of a PDF as regions to be read: what liteparse makes of them, put right.

It knows blocks in reading order and boxes of words, but takes a line with a word in a typewriter's
font for code, running heads for nothing, and tables of contents for text. Put right is only what
the page shows: where words stand, how large they are, and what the file's own outline says.
"""

# Typographic quotes are meant as they stand.

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from statistics import median

from index.chunking.layout import CONTENTS_LINES, CONTENTS_SHARE, letters
from index.readers.pdf import paragraphs
from index.readers.pdf.cells import has_columns
from index.readers.pdf.contents import take_contents
from index.readers.pdf.headings import set_headings
from index.readers.pdf.heads import CAPTION
from index.readers.pdf.pages import Line, PrintedPage, PrintedWord, Region, letters_of, lines_of
from index.readers.pdf.pdfium import MARKS, Described, Entry, PageMark, Remarks
from index.readers.pdf.tables import find_tables, lead_notes

Outline = Mapping[int, Mapping[str, int]]
"""For each page that the outline of a file leads to, the letters of titles and their levels."""

#: A line with the page's number is furniture if so many pages have one at its height. Not tuned.
MIN_PAGES = 3
#: Words of a page beside whose text something is looked for, at least. Not tuned.
MIN_TEXT = 30
#: A gap of so many heights parts what a running head says on the left and on the right. Not tuned.
MIN_GAP = 2.5
SECTION = re.compile(r"\d+(?:\.\d+)+")
#: What is written for typographic marks.
TYPED = frozenset(MARKS.values())


def correct_regions(pages: Sequence[PrintedPage], entries: Iterable[Entry]) -> None:
    """Put the regions of pages right.

    A running head or foot is kept once; page numbers and tables of contents are left out.

    Args:
        pages: of a file.
        entries: of its outline.
    """
    entries = list(entries)
    outline = _outline(entries)
    listed = take_contents(pages)
    large = paragraphs.LARGE * median([word.size for page in pages for word in page.words] or [0.0])
    _drop_running_heads(pages, large)
    _place_loose_lines(pages, outline, large)
    _drop_furniture(pages, large)
    _take_margins(pages)
    find_tables(pages)
    deepest = set_headings(pages, entries, listed)
    _drop_contents(pages, outline)
    for page in pages:
        parts = [part for region in page.regions for part in paragraphs.reclassified(region)]
        page.regions[:] = paragraphs.without_false_code(parts)
    step, height = paragraphs.usual_step(pages), _usual_height(pages)
    for page in pages:
        whole = paragraphs.whole_regions(page.regions, step)
        parts = [part for region in whole for part in paragraphs.paragraphs_of(region, step)]
        page.regions[:] = paragraphs.joined(parts, partial(paragraphs.is_term, deepest=deepest))
        paragraphs.set_notes(page.regions, height)
        lead_notes(page)


def _outline(entries: Iterable[Entry]) -> Outline:
    found: dict[int, dict[str, int]] = {}
    for page, title, level in entries:
        if name := letters(title):
            found.setdefault(page, {})[name] = level
    return found


def _place_loose_lines(pages: Sequence[PrintedPage], outline: Outline, large: float) -> None:
    """Put the lines that the library took for running heads and feet back.

    They are none where something else stands further out on the page, where the outline has them,
    or where they are as full as lines of text. Those that are say what they say once, and those
    that say but the page's number nothing.
    """
    widths = [
        paragraphs.filled(line)
        for page in pages
        for region in page.regions
        if region.kind == "paragraph"
        for line in lines_of(region.words)
    ]
    full = 0.75 * median(widths or [0.0])
    seen: set[str] = set()
    for page in pages:
        first = min((region.top for region in page.regions), default=0.0)
        last = max((region.bottom for region in page.regions), default=0.0)
        for line in page.loose:
            words, top = [word.text for word in line], line[0].top
            name = letters_of(line)
            is_inside = first < top < last or name in outline.get(page.number, ())
            is_full = paragraphs.filled(line) >= full
            is_number = sum(any(map(str.isalpha, w)) for w in words) < 3 and page.label in words
            # Titles of parts may differ in their numbers alone.
            is_title = line[0].size >= large
            if is_full or is_title:
                name = " ".join(words)
            if not is_inside and (not name or name in seen or (is_number and not is_title)):
                continue
            seen.add(name)
            if is_inside or is_title or (is_full and top < first):
                after = (n for n, region in enumerate(page.regions) if region.top > top)
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
    height, size = above.words[-1].height, line[0].height
    is_as_large = size / paragraphs.LARGE < height < size * paragraphs.LARGE
    return is_as_large and paragraphs.is_right_below(line, above)


def _drop_running_heads(pages: Sequence[PrintedPage], large: float) -> None:
    """Take running heads and feet out of the text of pages: the library takes many for a part of
    what stands beside them. What is said nowhere else is kept once, as a note.

    They are first or last lines that stand at one height of more than MIN_PAGES pages, and are said
    again, but for numbers: there, or as the title of a section. First lines of text, and larger
    ones, as titles of slides are, have to be the same on so many pages. The first line of a table
    that has columns without it is left: it names them.
    """
    ends = defaultdict[tuple[bool, int], list[_End]](list)
    lines = Counter[str]()
    for page in pages:
        lines.update(letters_of(line) for line in lines_of(page.words))
        for is_foot in (False, True) if page.words else ():
            for end in _ends_of(page, is_foot, large):
                ends[is_foot, round(end.words[0].top / 4)].append(end)
    for (is_foot, _), places in ends.items():
        here = Counter(end.said for end in places)
        if len(places) <= MIN_PAGES:
            continue
        ends_here = Counter(end.letters for end in places if end.is_line)
        elsewhere = {end.letters: lines[end.letters] - ends_here[end.letters] for end in places}
        again = [
            end
            for end in places
            if (here[end.said] > MIN_PAGES and not is_foot)
            or (
                end.stands_alone
                and end.words[0].size < large
                and (here[end.said] > 1 or elsewhere[end.letters] > 0)
            )
        ]
        if len({end.page.number for end in again}) <= MIN_PAGES:
            continue
        kept = set[str]()
        for end in again:
            taken = _taken(end.page, end.words)
            if taken and elsewhere[end.letters] <= 0 and end.said not in kept:
                kept.add(end.said)
                end.page.regions.append(Region("note", 1, taken))


@dataclass(frozen=True, slots=True)
class _End:
    """The first or last line of a page, or a part of it; what it says, but for the page's number;
    whether it is a line of a region by itself, and whether it stands apart from text."""

    page: PrintedPage
    words: Line
    said: str
    letters: str
    is_line: bool
    stands_alone: bool


def _ends_of(page: PrintedPage, is_foot: bool, large: float) -> Iterator[_End]:
    words = page.words
    last = max(words, key=lambda word: word.bottom) if is_foot else min(words, key=lambda w: w.top)
    line = sorted((word for word in words if word.shares_line(last)), key=lambda word: word.left)
    gaps = [0.0, *(after.left - word.right for word, after in pairwise(line))]
    cuts = [at for at, gap in enumerate(gaps) if not at or gap > MIN_GAP * last.height]
    parts: list[Line] = []
    for start, end in zip(cuts, [*cuts[1:], len(line)], strict=True):
        # A number alone belongs to what stands beside it.
        if parts and not (letters_of(parts[-1]) and letters_of(line[start:end])):
            parts[-1] = parts[-1] + line[start:end]
        else:
            parts.append(line[start:end])

    def region_of(word: PrintedWord) -> Region:
        return next(region for region in page.regions if word in region.words)

    stands_alone = len(parts) > 1 or region_of(last).is_line
    for part in parts:
        # The number of a section is none of a page, nor is that of a title.
        is_title = part[0].size >= large
        numbers = [w.text for w in part if is_title or SECTION.fullmatch(w.text)]
        if (name := letters_of(part)) and not CAPTION.match(part[0].text):
            whole = next(it for it in lines_of(region_of(part[0]).words) if part[0] in it)
            is_line = len(whole) == len(part)
            yield _End(page, part, name + "".join(numbers), name, is_line, stands_alone)


def _taken(page: PrintedPage, line: Line) -> Line:
    """The words of a line, taken out of the regions of a page that begin or end with it."""
    taken: Line = []
    for region in page.regions:
        if region.words[0] not in line and region.words[-1] not in line:
            continue
        below = [word for word in region.words if word not in line]
        rest = Region(region.kind, region.level, below, region.block)
        if below and region.kind == "table" and has_columns(rest):
            continue
        taken += [word for word in region.words if word in line]
        region.words = below
    page.drop_empty_regions()
    return taken


def _drop_furniture(pages: Sequence[PrintedPage], large: float) -> None:
    """Drop running heads and feet that the library left in: the first or last line of a page, with
    its number, at a height where other pages have theirs."""
    found = list[tuple[PrintedPage, Region, int]]()
    for page in pages:
        ends = sorted(page.regions, key=lambda region: region.top)
        for region in ends[:1] + ends[-1:]:
            is_small = region.words[0].size < large
            is_line = is_small and region.is_line
            if is_line and page.label in (region.words[0].text, region.words[-1].text):
                found.append((page, region, round(region.top / 4)))
    heights = Counter(height for _, _, height in found)
    for page, region, height in found:
        if heights[height] >= MIN_PAGES and region in page.regions:
            page.regions.remove(region)


def _take_margins(pages: Sequence[PrintedPage]) -> None:
    """Take what is printed smaller beside the text of pages out of it, as notes; the numbers of
    lines are left out."""
    letters_of_size = Counter[float]()
    for page in pages:
        for word in page.words:
            letters_of_size[round(word.size, 1)] += len(word.text)
    usual = max(letters_of_size, key=letters_of_size.__getitem__, default=0.0)
    for page in pages:
        texts = [it for it in page.regions if it.kind not in ("table", "heading", "note")]
        words = [word for region in texts for word in region.words]
        text = [word for word in words if word.size > paragraphs.SMALL * usual]
        if len(text) < MIN_TEXT:
            continue
        lefts, rights = sorted(w.left for w in text), sorted(w.right for w in text)
        left, right = lefts[len(lefts) // 50], rights[-1 - len(rights) // 50]
        outside = [
            [word for word in words if word.right < left - word.height],
            [word for word in words if word.left > right + word.height],
        ]
        across = [
            any(word.left < left - word.height <= word.right for word in words),
            any(word.left <= right + word.height < word.right for word in words),
        ]
        beside = {
            id(word): word
            for side, is_across in zip(outside, across, strict=True)
            if not is_across
            for word in side
            if word.size <= paragraphs.SMALL * usual
        }
        for region in texts:
            region.words = [word for word in region.words if id(word) not in beside]
        page.drop_empty_regions()
        notes: list[Line] = []
        for word in sorted(beside.values(), key=lambda word: word.top):
            if not notes or word.top - notes[-1][-1].bottom > word.height / 2:
                notes.append([])
            notes[-1].append(word)
        for note in notes:
            if all(word.text.isdecimal() for word in note):
                continue  # of lines
            lines = (sorted(line, key=lambda word: word.left) for line in lines_of(note))
            page.regions.append(Region("note", 1, [word for line in lines for word in line]))


def _usual_height(pages: Iterable[PrintedPage]) -> float:
    heights = [word.height for page in pages for word in page.words]
    return median(heights) if heights else 0.0


def _drop_contents(pages: Sequence[PrintedPage], outline: Outline) -> None:
    """Drop tables of contents: lines that say what headings of other pages say."""
    named: dict[str, set[int]] = defaultdict(set)
    for number, titles in outline.items():
        for title in titles:
            named[title].add(number)
    for page in pages:
        for region in page.regions:
            if region.kind == "heading":
                named[region.letters].add(page.number)
    for page in pages:
        entries, headings, listed, repeating, count = list[Region](), list[Region](), 0, 0, 0
        for region in page.regions:
            lines = list(lines_of(region.words))
            repeated = sum(bool(_named(line, named) - {page.number}) for line in lines)
            count += len(lines)
            if region.kind == "table" or repeated < CONTENTS_SHARE * len(lines):
                continue
            repeating += repeated
            if region.kind == "heading":
                headings.append(region)
            else:
                entries.append(region)
                listed += len(lines)
        if repeating >= CONTENTS_LINES and repeating >= CONTENTS_SHARE * count:
            entries += headings
        elif listed < CONTENTS_LINES:
            continue
        page.regions[:] = [region for region in page.regions if region not in entries]


def _named(line: Line, named: Mapping[str, set[int]]) -> set[int]:
    """The pages with a heading that says what a line does; none of one with figures in it."""
    has_figures = any(map(str.isdigit, "".join(word.text for word in line[1:-1])))
    return set() if has_figures else named.get(letters_of(line), set())


# --- marks and pictures that are put into pages, marks of notes that are left out -----------------


def set_marks(pages: Iterable[PrintedPage], remarks: Remarks) -> None:
    """Put typographic marks into the words of pages that they stand in, for what is written in
    their place, and drop the figures of marks of notes."""
    for page in pages:
        words = page.words_and_loose
        if marks := remarks.marks.get(page.number):
            for word in words:
                if TYPED.intersection(word.text):
                    _set_marks(word, marks)
        if notes := remarks.notes.get(page.number):
            _drop_notes(words, notes)
            for region in page.regions:
                region.words = [word for word in region.words if word.text]
            page.drop_empty_regions()
            lines = ([word for word in line if word.text] for line in page.loose)
            page.loose[:] = filter(None, lines)


def _set_marks(word: PrintedWord, marks: Iterable[PageMark]) -> None:
    inside = [mark for mark in marks if word.left <= mark[1] <= word.right and word.spans(mark[2])]
    inside.sort(key=lambda mark: mark[1])
    for typed in TYPED:
        printed = [mark[0] for mark in inside if MARKS[mark[0]] == typed]
        # Where there are others, a hyphen beside a dash, it is not known which is which.
        if printed and len(printed) == word.text.count(typed):
            first, *pieces = word.text.split(typed)
            word.text = first + "".join(map(str.__add__, printed, pieces))


def _drop_notes(words: Iterable[PrintedWord], notes: Sequence[PageMark]) -> None:
    """Drop the figures of marks of notes from the ends of words, and from their boxes."""
    for word in words:
        for figures, left, height in notes:
            is_inside = word.left - 1 <= left <= word.right and word.spans(height)
            if is_inside and word.text.endswith(figures):
                word.text, word.right = word.text.removesuffix(figures), left


def set_pictures(pages: Iterable[PrintedPage], pictures: Mapping[int, Sequence[Described]]) -> None:
    """Put what is told of pictures into pages that are laid out, once: at the end of the section
    in which a picture stands, or of its page, where it parts no paragraph."""
    told = set[str]()
    for page in pages:
        for text, box in pictures.get(page.number, ()):
            if text in told:
                continue
            told.add(text)
            words = [PrintedWord(text, page.number, *box, seen=box)]
            at = _next_heading(page.regions, box)
            if at is None:
                page.regions.append(Region("note", 1, words))
            else:
                page.regions.insert(at, Region("picture", 1, words))


def _next_heading(regions: Sequence[Region], box: tuple[float, float, float, float]) -> int | None:
    """Which region is the first heading after what stands on their page, if there is one: after the
    lowest above it in its column, or else beside that, and not above it either."""
    left, top, right, bottom = box
    middle = (top + bottom) / 2
    above = [n for n, it in enumerate(regions) if it.top < middle and it.left < right]
    after = max(above, key=lambda n: (regions[n].right > left, regions[n].top), default=-1) + 1
    headings = (n for n in range(after, len(regions)) if regions[n].kind == "heading")
    return next((n for n in headings if n not in above), None)

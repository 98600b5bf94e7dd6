"""The pages of a PDF as regions to be read: what liteparse makes of them, put right.

It knows blocks in reading order and boxes of words, but takes a line with a word in a typewriter's
font for code, running heads for nothing, and tables of contents for text. Put right is only what
the page shows: where words stand, how large they are, and what the file's own outline says.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise, takewhile
from statistics import median

from index.readers.captions import is_table_caption
from index.readers.pdf import paragraphs
from index.readers.pdf.cells import has_columns, seen_lines
from index.readers.pdf.contents import take_contents
from index.readers.pdf.headings import set_headings
from index.readers.pdf.pages import (
    ASIDE,
    Line,
    PrintedPage,
    PrintedWord,
    Region,
    letters_of,
    lines_of,
)
from index.readers.pdf.pdfium import MARKS, Described, Ligature, PageMark, Remarks
from index.readers.pdf.tables import find_tables, lead_notes
from index.readers.pdf.titles import value_of

#: A line with the page's number is furniture if so many pages have one at its height. Not tuned.
MIN_PAGES = 3
#: The same as a share of all pages. Not tuned.
MIN_SHARE = 0.02
#: Lines of a running head or foot, at most. Not tuned.
MAX_LINES = 3
#: Words of a page beside whose text something is looked for, at least. Not tuned.
MIN_TEXT = 30
#: A gap of so many heights parts what a running head says on the left and on the right. Not tuned.
MIN_GAP = 2.5
#: Words of a title are at most so many heights apart. Not tuned.
MAX_TITLE_GAP = 3
#: A ligature and the rest of its word are less than so many heights apart: in one file .08, where
#: words are .35. Not tuned.
MAX_LIGATURE_GAP = 0.15
_SECTION = re.compile(r"\d+(?:\.\d+)+")
_NUMBER = re.compile(r"\W*(\d{1,4}|[ivxlc]{1,6})\W*")
#: What is written for typographic marks.
_TYPED = frozenset(MARKS.values())


def correct_regions(pages: Sequence[PrintedPage], remarks: Remarks) -> None:
    """Put the regions of pages right.

    Running heads and feet are told once and contents as such; numbers of pages are left out.

    Args:
        pages: of a file.
        remarks: its outline and its links.
    """
    listed = take_contents(pages, remarks.links)
    for page in pages:
        _join_titles(page)
        _insert_loose_lines(page)
    large = paragraphs.LARGE * median([word.size for page in pages for word in page.words] or [0.0])
    _take_running_heads(pages, large)
    _place_loose_lines(pages, large)
    _take_margins(pages)
    find_tables(pages)
    set_headings(pages, remarks.outline, listed)
    for page in pages:
        parts = [part for region in page.regions for part in paragraphs.reclassified(region)]
        page.regions[:] = paragraphs.without_false_code(parts)
    step, height = paragraphs.usual_step(pages), _usual_height(pages)
    for page in pages:
        whole = paragraphs.whole_regions(page.regions, step)
        parts = [part for region in whole for part in paragraphs.paragraphs_of(region, step)]
        page.regions[:] = paragraphs.joined(parts, paragraphs.is_term)
        paragraphs.set_notes(page.regions, height)
        lead_notes(page)


def _join_titles(page: PrintedPage) -> None:
    """Join the parts of titles whose words are set so wide apart that the library took them for
    columns."""
    regions = paragraphs.joined(page.regions, _is_beside)
    if len(regions) < len(page.regions):
        for region in regions:
            if region.kind == "heading":
                lines = seen_lines(region.words)
                region.words = [w for line in lines for w in sorted(line, key=lambda w: w.left)]
        page.regions[:] = regions


def _is_beside(before: Region, region: Region) -> bool:
    """Whether it is a title that goes on the lines of another."""
    first, last = before.words[0], region.words[0]
    return (
        before.kind == region.kind == "heading"
        and (first.font, first.size) == (last.font, last.size)
        and first.shares_line(last)
        and region.left > before.left
        and last.left - max(w.right for w in before.words if w.shares_line(last))
        < MAX_TITLE_GAP * last.height
    )


def _insert_loose_lines(page: PrintedPage) -> None:
    """Put the lines that the library took for running heads and feet back where they stand."""
    for line in page.loose:
        after = (n for n, region in enumerate(page.regions) if region.top > line[0].top)
        page.regions.insert(next(after, len(page.regions)), Region("loose", 1, line))


def _place_loose_lines(pages: Sequence[PrintedPage], large: float) -> None:
    """Make text of those lines that the library took for running heads and that are none: what
    stands within the text, large ones, and full ones above it. Others are notes, but for numbers.
    """
    widths = [
        paragraphs.filled(line)
        for page in pages
        for region in page.regions
        if region.kind == "paragraph"
        for line in lines_of(region.words)
    ]
    full = 0.75 * median(widths or [0.0])
    for page in pages:
        text = [region for region in page.regions if region.kind not in ("loose", *ASIDE)]
        first = min((region.top for region in text), default=0.0)
        last = max((region.bottom for region in text), default=page.size[1])
        loose = [region for region in page.regions if region.kind == "loose"]
        for region in loose:
            is_inside = first < region.top < last
            is_full = paragraphs.filled(region.words) >= full
            if is_inside or is_full or region.words[0].size >= large:
                region.kind = "paragraph"
            else:
                region.kind = "note"
            is_below = is_full and region.top >= last and region.words[0].size < large
            if region.kind == "note" or is_below:
                # Behind the others, so that it stands in no paragraph's way.
                page.regions.remove(region)
                if is_below or region.letters:
                    page.regions.append(region)


# --- running heads and feet ----------------------------------------------------------------------


@dataclass(slots=True)
class _Furniture:
    """What is known of the lines of a document while its running heads are taken out.

    Attributes:
        large: the size of titles, in points.
        said: how often each line is said outside of contents, by its letters.
        region_of: the region of each word, by its id.
        tops, bottoms: the words of each page, from its top on and from its foot.
        offsets: the pages that have a number so far from theirs in their first or last lines.
        least: pages with such a number, at least.
        edges: how far down the page what was taken of its top or foot ends.
        kept: what running heads and feet said first, with its words.
    """

    large: float
    said: Counter[str]
    region_of: Mapping[int, Region]
    tops: dict[int, list[PrintedWord]]
    bottoms: dict[int, list[PrintedWord]]
    least: float
    offsets: dict[int, set[int]] = field(default_factory=lambda: defaultdict(set))
    edges: dict[tuple[int, bool], float] = field(default_factory=dict)
    kept: dict[str, tuple[_End, Line]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _End:
    """The first or last line of a page, or a part of it.

    Attributes:
        said: what it says, but for the page's number.
        letters: of it.
        offsets: how far the numbers that it begins and ends with are from that of its page.
        is_line: whether it is a line of a region by itself.
        stands_alone: whether it stands apart from text.
    """

    page: PrintedPage
    words: Line
    said: str
    letters: str
    offsets: tuple[int, ...]
    is_line: bool
    stands_alone: bool
    is_loose: bool


def _take_running_heads(pages: Sequence[PrintedPage], large: float) -> None:
    """Take running heads and feet out of the text of pages: the library takes many for a part of
    what stands beside them. What is said nowhere else is kept once, as furniture.

    They are first lines in the upper half or last ones in the lower half that stand at one height
    of more than MIN_PAGES pages, and are said again, but for numbers: there, or as the title of a
    section. First lines of text, and larger ones, as titles of slides are, have to be the same on
    so many pages. The first line of a table that has columns without it is left: it names them.
    Lines with the number of their page need not be said again.
    """
    texts = [region for page in pages for region in page.regions if region.kind != "contents"]
    known = _Furniture(
        large,
        Counter(letters_of(line) for region in texts for line in lines_of(region.words)),
        {id(word): region for page in pages for region in page.regions for word in region.words},
        {page.number: sorted(page.words, key=lambda word: word.top) for page in pages},
        {page.number: sorted(page.words, key=lambda word: -word.bottom) for page in pages},
        max(MIN_PAGES, MIN_SHARE * len(pages)),
    )
    for _ in range(MAX_LINES):
        ends = defaultdict[tuple[bool, int], list[_End]](list)
        for page in pages:
            for is_foot in (False, True):
                for end in _ends_of(page, is_foot, known):
                    ends[is_foot, round(end.words[0].top / 4)].append(end)
                    for offset in end.offsets:
                        known.offsets[offset].add(page.number)
        again = [
            (end, is_foot)
            for (is_foot, _), places in ends.items()
            for end in _again(places, is_foot, known)
        ]
        for end, is_foot in again:
            if taken := _taken(end, known):
                edge = min(w.top for w in taken) if is_foot else max(w.bottom for w in taken)
                known.edges[end.page.number, is_foot] = edge
                known.said[end.letters] -= end.is_line
                known.kept.setdefault(end.said, (end, taken))
        if not again:
            break
    for end, words in known.kept.values():
        named = sum(any(map(str.isalpha, word.text)) for word in words)
        # The number of a page says nothing, nor does the word before it.
        if named > bool(end.offsets) and known.said[end.letters] <= 0:
            end.page.regions.append(Region("furniture", 1, words))


def _again(ends: Sequence[_End], is_foot: bool, known: _Furniture) -> list[_End]:
    """Which of the ends of pages at one height are running heads or feet."""
    here = Counter(end.said for end in ends if end.letters)
    ends_here = Counter(end.letters for end in ends if end.is_line)
    again: list[tuple[_End, bool]] = []
    for end in ends:
        is_free = end.stands_alone and end.words[0].size < known.large
        is_sure = is_free and any(
            len(known.offsets[offset]) >= known.least or end.said in known.kept
            for offset in end.offsets
        )
        if is_sure or (
            end.letters
            and (
                (here[end.said] > MIN_PAGES and not is_foot)
                or (
                    is_free
                    and (
                        here[end.said] > 1
                        or (known.said[end.letters] > ends_here[end.letters] and not end.is_loose)
                    )
                )
            )
        ):
            again.append((end, is_sure or end.is_loose))
    are_many = len({end.page.number for end, _ in again}) > MIN_PAGES
    return [end for end, is_sure in again if is_sure or are_many]


def _ends_of(page: PrintedPage, is_foot: bool, known: _Furniture) -> Iterator[_End]:
    words = (known.bottoms if is_foot else known.tops)[page.number]
    if not words or (words[0].top < page.size[1] / 2) is is_foot:
        return
    last = words[0]
    edge = known.edges.get((page.number, is_foot))
    # The lines of a running head are close to each other.
    if edge is not None and abs((last.bottom if is_foot else last.top) - edge) > last.height:
        return
    near = takewhile(lambda w: w.bottom > last.top if is_foot else w.top < last.bottom, words)
    line = sorted((word for word in near if word.shares_line(last)), key=lambda word: word.left)
    gaps = [0.0, *(after.left - word.right for word, after in pairwise(line))]
    cuts = [at for at, gap in enumerate(gaps) if not at or gap > MIN_GAP * last.height]
    parts: list[Line] = []
    for start, end in zip(cuts, [*cuts[1:], len(line)], strict=True):
        # A number alone belongs to what stands beside it.
        if parts and not (letters_of(parts[-1]) and letters_of(line[start:end])):
            parts[-1] = parts[-1] + line[start:end]
        else:
            parts.append(line[start:end])
    stands_alone = len(parts) > 1 or known.region_of[id(last)].is_line
    if edge is not None and not stands_alone:
        return
    for part in parts:
        region = known.region_of[id(part[0])]
        # Of a turned page all lines are loose. The number of a section is none of a page, nor is
        # that of a title.
        is_loose = region.kind == "loose" and not page.seen
        numbers = [
            word.text
            for word in part
            if part[0].size >= known.large
            or (is_loose and word.text != page.label)
            or _SECTION.fullmatch(word.text)
        ]
        name, offsets = letters_of(part), tuple(_offsets(page, part))
        is_title_of_table = is_table_caption(" ".join(word.text for word in part[:2]))
        if (name or offsets) and not is_title_of_table:
            is_line = len(part) == sum(known.region_of[id(word)] is region for word in line)
            said = name + "".join(numbers)
            yield _End(page, part, said, name, offsets, is_line, stands_alone, is_loose)


def _offsets(page: PrintedPage, line: Line) -> Iterator[int]:
    """How far the numbers that a line begins and ends with are from that of its page."""
    words = [word for word in line if any(map(str.isalnum, word.text))]
    for word in words[:1] + words[-1:]:
        if number := _NUMBER.fullmatch(word.text):
            yield value_of(number[1]) - page.number


def _taken(end: _End, known: _Furniture) -> Line:
    """The words of a line, taken out of the regions of its page that begin or end with it."""
    line, taken = set(map(id, end.words)), list[PrintedWord]()
    for region in {id(r): r for r in (known.region_of[id(word)] for word in end.words)}.values():
        if not region.words or not line.intersection((id(region.words[0]), id(region.words[-1]))):
            continue
        below = [word for word in region.words if id(word) not in line]
        rest = Region(region.kind, region.level, below, region.block)
        if below and region.kind == "table" and has_columns(rest):
            continue
        taken += [word for word in region.words if id(word) in line]
        region.words = below
    if taken:
        gone = set(map(id, taken))
        for words in (known.tops[end.page.number], known.bottoms[end.page.number]):
            words[:] = [word for word in words if id(word) not in gone]
        end.page.drop_empty_regions()
    return taken


# --- margins -------------------------------------------------------------------------------------


def _take_margins(pages: Sequence[PrintedPage]) -> None:
    """Take what is printed smaller beside the text of pages out of it, as notes; the numbers of
    lines are left out."""
    letters_of_size = Counter[float]()
    for page in pages:
        for word in page.words:
            letters_of_size[word.size] += len(word.text)
    sizes = Counter[float]()
    for size, count in letters_of_size.items():
        sizes[round(size, 1)] += count
    usual = max(sizes, key=sizes.__getitem__, default=0.0)
    others = ("table", "heading", "contents", *ASIDE)
    for page in pages:
        texts = [region for region in page.regions if region.kind not in others]
        words = [word for region in texts for word in region.words]
        text = [word for word in words if word.size > paragraphs.SMALL * usual]
        small = [word for word in words if word.size <= paragraphs.SMALL * usual]
        if len(text) < MIN_TEXT or not small:
            continue
        lefts, rights = sorted(w.left for w in text), sorted(w.right for w in text)
        left, right = lefts[len(lefts) // 50], rights[-1 - len(rights) // 50]
        outside = [
            [word for word in small if word.right < left - word.height],
            [word for word in small if word.left > right + word.height],
        ]
        if not any(outside):
            continue
        across = [
            any(word.left < left - word.height <= word.right for word in words),
            any(word.left <= right + word.height < word.right for word in words),
        ]
        beside = {
            id(word): word
            for side, is_across in zip(outside, across, strict=True)
            if not is_across
            for word in side
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


# --- marks and pictures that are put into pages, marks of notes that are left out -----------------


def set_marks(pages: Iterable[PrintedPage], remarks: Remarks) -> None:
    """Put typographic marks into the words of pages that they stand in, for what is written in
    their place, and drop the figures of marks of notes."""
    for page in pages:
        words = page.words_and_loose
        if marks := remarks.marks.get(page.number):
            for word in words:
                if _TYPED.intersection(word.text):
                    _set_marks(word, marks)
        notes = remarks.notes.get(page.number, ())
        ligatures = remarks.ligatures.get(page.number, ())
        if notes or ligatures:
            _set_ligatures(words, ligatures)
            _drop_notes(words, notes)
            for region in page.regions:
                region.words = [word for word in region.words if word.text]
            page.drop_empty_regions()
            lines = ([word for word in line if word.text] for line in page.loose)
            page.loose[:] = filter(None, lines)


def _set_marks(word: PrintedWord, marks: Iterable[PageMark]) -> None:
    inside = [mark for mark in marks if word.left <= mark[1] <= word.right and word.spans(mark[2])]
    inside.sort(key=lambda mark: mark[1])
    for typed in _TYPED:
        printed = [mark[0] for mark in inside if MARKS[mark[0]] == typed]
        # Where there are others, a hyphen beside a dash, it is not known which is which.
        if printed and len(printed) == word.text.count(typed):
            first, *pieces = word.text.split(typed)
            word.text = first + "".join(map(str.__add__, printed, pieces))


def _set_ligatures(words: Iterable[PrintedWord], ligatures: Iterable[Ligature]) -> None:
    """Put ligatures that were left out into the words that they begin, end or divide."""
    for letters, left, right, height in ligatures:
        line = [word for word in words if word.text and word.spans(height)]
        before = next((w for w in line if abs(w.right - left) < MAX_LIGATURE_GAP * w.height), None)
        after = next((w for w in line if abs(w.left - right) < MAX_LIGATURE_GAP * w.height), None)
        if before:
            before.text, before.right = before.text + letters, right
        if before and after:
            before.text, before.right, after.text = before.text + after.text, after.right, ""
        elif after:
            after.text, after.left = letters + after.text, left


def _drop_notes(words: Iterable[PrintedWord], notes: Sequence[PageMark]) -> None:
    """Drop the figures of marks of notes from the ends of words, and from their boxes; the word
    before keeps in mind what was dropped."""
    before: PrintedWord | None = None
    for word in words:
        for figures, left, height in notes:
            is_inside = word.left - 1 <= left <= word.right and word.spans(height)
            if is_inside and word.text.endswith(figures):
                word.text, word.right = word.text.removesuffix(figures), left
                marked = word if word.text else before
                if marked:
                    marked.note = figures
        before = word if word.text else before


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

"""Regions of a page become paragraphs: parted, joined over lines and columns, and classified."""
# ruff: noqa: RUF001

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import pairwise
from statistics import median

from index.chunking.layout import BULLET
from index.readers.pdf.pages import (
    ASIDE,
    Line,
    PrintedPage,
    PrintedWord,
    Region,
    lines_of,
)

#: Lines further apart than so many times the usual are of two paragraphs; a line whose words are so
#: many times as high as usual is a heading, and so many times a note. Not tuned.
APART, LARGE, SMALL = 1.3, 1.15, 0.93
#: Share of a line that its words fill where prose goes on below it.
MIN_FILLED = 0.6
#: Characters of a line that may be the term of the definition below it.
MAX_TERM = 60
#: Heights of its words that the further lines of an item are indented below its marker, at most.
#: Not tuned.
MAX_INDENT = 4

MARKER = re.compile(r"\(?\w{1,4}[.)]|[\u2022\u2013\u25aa\u25e6*-]")
ENDS = re.compile(r"[.!?:;…。！？]['\"”’)\]]*\d{0,3}$")


def ends_sentence(text: str) -> bool:
    """Whether a paragraph may end so."""
    return ENDS.search(text) is not None


def is_right_below(words: Sequence[PrintedWord], above: Region) -> bool:
    """Whether words begin where the next line of a region would, and not in another column."""
    top = min(word.top for word in words)
    return abs(top - above.bottom) < words[0].height / 2


def filled(line: Line) -> float:
    """How wide the words of a line are, in points."""
    return sum(word.right - word.left for word in line)


def usual_step(pages: Iterable[PrintedPage]) -> float:
    """How far apart lines of a paragraph mostly are, in heights of their words."""
    steps = [
        step / height
        for page in pages
        for region in page.regions
        if region.kind == "paragraph"
        for step, height in zip(*_steps(list(lines_of(region.words))), strict=True)
    ]
    return median(steps) if steps else 0.0


def _steps(lines: Sequence[Line]) -> tuple[list[float], list[float]]:
    """How far each line but the first stands below the one before, and how high its words are.

    Measured at the feet of the words: a mark that stands raised does not move them.
    """
    feet = [median(word.bottom for word in line) for line in lines]
    heights = [median(word.height for word in line) for line in lines[1:]]
    return [below - above for above, below in pairwise(feet)], heights


def paragraphs_of(region: Region, usual: float) -> Iterator[Region]:
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
            each is not None and each[0].left - left > height / 2 for each in (line, below)
        )
        hangs = below is not None and below[0].left - line[0].left > height / 2
        begins = (indented and not indented_below) or (hangs and above[0].left - left > height / 2)
        if is_apart or (begins and ends_sentence(above[-1].text)):
            yield Region("paragraph", region.level, words)
            words = []
        words.extend(line)
    yield Region("paragraph", region.level, words)


def reclassified(region: Region) -> Iterator[Region]:
    """A region in the parts that are only taken for one: a line that begins with a bullet is an
    item of its own; what stands below an item of a list and left of its marker is text."""
    if region.kind in ("list_item", "paragraph"):
        at = 0
        for line in lines_of(region.words):
            is_item = line[0].text == BULLET
            is_left = region.kind == "list_item" and line[0].left < region.words[0].left - 2
            if at and (is_item or is_left):
                yield Region(region.kind, region.level, region.words[:at])
                region, at = Region("paragraph", region.level, region.words[at:]), 0
            if is_item:
                region.kind = "list_item"
            at += len(line)
    yield region


def without_false_code(regions: Sequence[Region]) -> list[Region]:
    """Regions with what is no code made a paragraph: lines that are filled as prose fills them, and
    a line or two right under or above those of a paragraph or item, of which they are then part."""
    found: list[Region] = []
    kind, is_short = "", False
    for region in regions:
        if region.kind == "code" and _is_filled(region):
            region.kind = "paragraph"
        above, kind = kind, region.kind
        if kind == "code":
            is_short = len(list(lines_of(region.words))) < 3
        if is_short and {above, kind} == {"code", "paragraph"} and _goes_on(found[-1], region):
            found[-1].kind = "paragraph"
            found[-1].words.extend(region.words)
        elif found and goes_on_item(found[-1], region):
            found[-1].words.extend(region.words)
            kind = "list_item"
        else:
            found.append(region)
    return found


def goes_on_item(item: Region, region: Region) -> bool:
    """Whether lines are the rest of an item above them, which is not at its end."""
    return (
        item.kind == "list_item"
        and region.kind in ("code", "paragraph")
        and not ends_sentence(item.words[-1].text)
        and region.left > item.left
        and is_right_below(region.words, item)
    )


def joined(regions: Iterable[Region], joins: Callable[[Region, Region], bool]) -> list[Region]:
    """Regions of which each is joined to the one before where that is so of them."""
    found: list[Region] = []
    for region in regions:
        if found and joins(found[-1], region):
            found[-1].kind = region.kind
            found[-1].words.extend(region.words)
        else:
            found.append(region)
    return found


def whole_regions(regions: Sequence[Region], usual: float) -> list[Region]:
    """Regions with paragraphs joined that the library took apart: where a line begins in another
    font, behind a first line that is indented, and where a line goes on in lower case."""
    edges = sorted((each.left, each.right) for each in regions if each.kind == "paragraph")
    return joined(
        regions,
        lambda before, region: (
            before.kind == region.kind == "paragraph"
            and (_goes_on_line(before, region) or _is_wrapped(before, region, edges, usual))
        ),
    )


def _goes_on_line(before: Region, region: Region) -> bool:
    """Whether it goes on a first line that is indented, or lines that do not end."""
    return (
        not ends_sentence(before.words[-1].text)
        and ((before.is_line and region.left < before.left) or region.words[0].text[0].islower())
        and is_right_below(region.words, before)
    )


def _is_wrapped(
    before: Region, region: Region, edges: Sequence[tuple[float, float]], usual: float
) -> bool:
    """Whether its first line is the next of the same paragraph or item: as far below as lines are,
    and with a word first that the line above had no room for; `edges` are those of paragraphs, from
    left to right."""
    *_, above = lines_of(before.words)
    line = next(lines_of(region.words))
    (step,), (height,) = _steps([above, line])
    left, indented = above[0].left, line[0].left - above[0].left
    hangs = MARKER.fullmatch(above[0].text) and 0 < indented < MAX_INDENT * height
    if not (hangs or abs(indented) < height / 2) or not 0 < step <= APART * usual * height:
        return False
    first, behind = (bisect_left(edges, (at,)) for at in (left - height / 2, left + height / 2))
    right = max((right for _, right in edges[first:behind]), default=above[-1].right)
    return right - above[-1].right < line[0].right - line[0].left + height / 2


def _goes_on(before: Region, region: Region) -> bool:
    """Whether its first line follows the other's last as the lines of a paragraph do."""
    left = abs(region.left - before.left)
    return left < region.words[0].height / 2 and is_right_below(region.words, before)


def _is_filled(region: Region) -> bool:
    lines = list(lines_of(region.words))
    width = max(line[-1].right for line in lines) - region.left
    return len(lines) > 2 and all(filled(line) > MIN_FILLED * width for line in lines[:-1])


def is_term(before: Region, region: Region) -> bool:
    """Whether a line is the term of a definition that is indented below it."""
    return (
        region.kind == "paragraph"
        and before.kind in ("paragraph", "code")
        and before.is_line
        and sum(len(word.text) + 1 for word in before.words) < MAX_TERM
        and region.left > before.left + region.words[0].height / 2
        and 0 <= region.top - before.bottom + 2 < region.words[0].height
    )


def set_notes(regions: Sequence[Region], usual: float) -> None:
    """Make the paragraphs at the foot of a page that are printed smaller notes."""
    for region in reversed(regions):
        if region.kind not in ASIDE:
            height = median(word.height for word in region.words)
            if region.kind != "paragraph" or height > SMALL * usual:
                break
            region.kind = "note"

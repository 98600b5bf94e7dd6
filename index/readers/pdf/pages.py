"""What is printed on the pages of a PDF: liteparse's blocks with the words that stand in them, as
they stand there and in the order in which they are read."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, pairwise
from operator import itemgetter
from statistics import median
from typing import Any
from unicodedata import bidirectional

import numpy as np

from index.chunking.layout import letters, with_bullets

#: Words with no space printed between them that are nearer than this share of their height are one
#: word. Of 36,000 near ones in ten files 19 had no space between them, all nearer than .02.
MAX_GLUED_GAP = 0.05
#: A line of at least so many letters that stand apart, and in which at least this share is single
#: characters, is spaced out; its words are so many times further from each other than the letters
#: in the middle. Not tuned.
MIN_SPACED, MIN_SINGLE, WORD_GAP = 6, 0.8, 1.5
#: Columns are further apart than so many heights of their words, and have at least so many lines
#: and words to a line. Not tuned.
MIN_GUTTER, MIN_LINES, MIN_WORDS = 0.6, 3, 4

#: Degrees by which text is turned that runs down or up; letters of it that are nearer than this
#: share of their height are one word. Not tuned.
TURNS, MAX_TURNED_GAP = (90, 270), 0.15

MAX_DRAWN, MIN_RULE = 5_000, 8.0
"""Lines drawn on a page that are looked at, and points that a rule is long. Not tuned."""
#: How far below the foot of a word the rule that underlines it is, and how far it is longer or
#: shorter, and how far above, in heights: in seven files all were .1 below to .2 above.
UNDERLINE = 0.2, 0.3
MAX_NEAR = 60
"""Rules that may underline a line, at most. Not tuned."""
UNDERLINED = "-Underlined"
"""Ends the name of a font whose letters are underlined here."""
#: Sizes of fonts below this many points are those before the page is scaled; a box is then so many
#: times as high as its letters are large, as of most fonts.
MIN_SIZE, LEADING = 3.0, 1.12


_LIGATURES = str.maketrans(
    {"\ufb00": "ff", "\ufb01": "fi", "\ufb02": "fl", "\ufb03": "ffi", "\ufb04": "ffl"}
)


@dataclass(slots=True, eq=False)
class PrintedWord:
    """A word on a page, and its box in points from the page's top left corner.

    Of one that was read from a picture also how surely it was, from 0 to 1, and the box around it
    there: the picture may lie askew, while the page is laid out straight; so may a page be turned.
    A picture's description is one word, seen where the picture is. `start` is where it was written
    first, -1 before; `note` are the figures of the mark behind it that leads to a note; `is_spaced`
    says that a space is printed before it, which narrow fonts and justified lines make thin.
    """

    text: str
    page: int
    left: float
    top: float
    right: float
    bottom: float
    confidence: float | None = None
    seen: tuple[float, float, float, float] | None = None
    start: int = -1
    size: float = 0.0
    font: str = ""
    note: str = ""
    is_spaced: bool = False

    @property
    def height(self) -> float:
        """Of its box, in points."""
        return self.bottom - self.top

    @property
    def middle(self) -> tuple[float, float]:
        """Of its box: across and down."""
        return (self.left + self.right) / 2, (self.top + self.bottom) / 2

    def is_inside(self, edges: tuple[float, float, float, float]) -> bool:
        """Whether its middle is."""
        (x, y), (left, top, right, bottom) = self.middle, edges
        return left <= x <= right and top <= y <= bottom

    def spans(self, height: float) -> bool:
        """Whether something at a height of the page stands beside it or in it."""
        return self.top - 1 <= height <= self.bottom + 1

    def shares_line(self, other: PrintedWord) -> bool:
        """Whether they stand beside each other."""
        # Asked of each word several times: spelled out, it takes half as long.
        top = self.top if self.top > other.top else other.top
        bottom = self.bottom if self.bottom < other.bottom else other.bottom
        height, others = self.bottom - self.top, other.bottom - other.top
        return bottom - top > (height if height < others else others) / 2

    def is_glued_to(self, before: PrintedWord) -> bool:
        """Whether no space divides it from the word before, on the same line."""
        gap = min(abs(self.left - before.right), abs(before.left - self.right))
        return gap < MAX_GLUED_GAP * self.height and not self.is_spaced


Line = list[PrintedWord]
Box = tuple[float, float, float, float]
"""Left, top, right and bottom, in points from the page's top left corner."""
Rule = tuple[float, float, float]
"""A line that is drawn on a page: from where to where, and how far down, in points; of an upright
one how far right."""


class WordGroup:
    """Words that stand together, and the box around them, in points."""

    __slots__ = ()
    words: list[PrintedWord]

    @property
    def left(self) -> float:
        """Of its leftmost word."""
        return min(word.left for word in self.words)

    @property
    def right(self) -> float:
        """Of the word that reaches furthest right."""
        return max(word.right for word in self.words)

    @property
    def top(self) -> float:
        """Of its highest word."""
        return min(word.top for word in self.words)

    @property
    def bottom(self) -> float:
        """Of its lowest word."""
        return max(word.bottom for word in self.words)


@dataclass(slots=True, eq=False)
class Region(WordGroup):
    """Words that stand together on a page.

    Attributes:
        kind: heading, paragraph, list_item, table, code, or what else liteparse calls it; note;
            contents, which say where something stands; furniture, which is a running head or foot;
            and loose, which liteparse takes for one.
        level: of a heading, 1 the highest.
        words: in reading order.
        block: of a table, what is known of it: by liteparse at first, a `Table` in the end.
        lead: words elsewhere that lead into it, as the title of a table into a note below it.
    """

    kind: str
    level: int
    words: list[PrintedWord]
    block: Any = None
    lead: Sequence[PrintedWord] = ()

    @property
    def letters(self) -> str:
        """What it says, as headings are compared."""
        return letters_of(self.words)

    @property
    def is_line(self) -> bool:
        """Whether its words stand on one line."""
        return self.words[0].shares_line(self.words[-1])


@dataclass(frozen=True, slots=True)
class PrintedPage:
    """A page.

    Attributes:
        number: from 1.
        label: the number printed on it.
        size: width and height in points.
        regions: in reading order.
        loose: lines that liteparse takes for a running head or foot.
        is_garbled: whether its text cannot be told from its codes.
        seen: width and height of the page, or the picture of it, where it is turned or askew.
        rules: drawn across it.
        sides: drawn up and down it.
    """

    number: int
    label: str
    size: tuple[float, float]
    regions: list[Region]
    loose: list[Line]
    is_garbled: bool = False
    seen: tuple[float, float] | None = None
    rules: Sequence[Rule] = ()
    sides: Sequence[Rule] = ()

    @property
    def words(self) -> list[PrintedWord]:
        """Those of its regions."""
        return [word for region in self.regions for word in region.words]

    @property
    def words_and_loose(self) -> list[PrintedWord]:
        """Those of its regions and of its loose lines."""
        return [*self.words, *chain.from_iterable(self.loose)]

    def drop_empty_regions(self) -> None:
        """Drop regions whose words were all taken out."""
        self.regions[:] = [region for region in self.regions if region.words]


def printed_pages(pages: Iterable[Any]) -> list[PrintedPage]:
    """The pages as liteparse has read them, one after the other; those whose text runs up or down
    as if they were turned."""
    found = []
    for page in pages:
        turn, size = _turn_of(page), (page.width, page.height)
        words = _printed_words(page, turn)
        drawn = page.vector_graphics.lines[:MAX_DRAWN] if page.vector_graphics else ()
        ends = [_turned((line.x1, line.y1, line.x2, line.y2), turn, size) for line in drawn]
        rules = _rules(ends)
        sides = _rules((top, left, bottom, right) for left, top, right, bottom in ends)
        if rules:
            _set_underlined(words, rules)
        # Blocks of turned text are none.
        regions, rest = _assigned(() if turn else page.blocks or (), words)
        label = page.page_label or str(page.page_num)
        loose, is_garbled = list(lines_of(rest)), bool(page.complexity.is_garbled)
        printed = PrintedPage(
            page.page_num, label, size, regions, loose, is_garbled, rules=rules, sides=sides
        )
        found.append(replace(printed, size=size[::-1], seen=size) if turn else printed)
    return found


def _turn_of(page: Any) -> int:
    """By how many degrees most of the text of a page is turned: 90, 270 or 0."""
    turns = Counter[int]()
    for item in page.text_items:
        turns[round(item.rotation or 0) % 360] += len(item.text)
    turn = max(turns, key=turns.__getitem__, default=0)
    return turn if turn in TURNS else 0


def _turned(box: Box, turn: int, size: tuple[float, float]) -> Box:
    """Where a box is once its page of this width and height is turned back."""
    left, top, right, bottom = box
    if turn == TURNS[0]:
        return top, size[0] - right, bottom, size[0] - left
    return (size[1] - bottom, left, size[1] - top, right) if turn else box


def _rules(drawn: Iterable[tuple[float, float, float, float]]) -> list[Rule]:
    """The lines among those drawn that run along the first axis, those that go on each other as
    one."""
    flat = {
        (round((y1 + y2) / 2), min(x1, x2), max(x1, x2))
        for x1, y1, x2, y2 in drawn
        if abs(y1 - y2) < 1
    }
    found: list[Rule] = []
    for height, left, right in sorted(flat):
        if found and found[-1][2] == height and left < found[-1][1] + 2:
            found[-1] = found[-1][0], max(found[-1][1], right), height
        else:
            found.append((left, right, height))
    return [rule for rule in found if rule[1] - rule[0] > MIN_RULE]


ASIDE = frozenset({"note", "furniture"})
"""Kinds of regions that are written below the text of their page."""


def _set_underlined(words: Iterable[PrintedWord], rules: Sequence[Rule]) -> None:
    """Give the words of lines that a rule underlines, and that no rules frame, a font that says so:
    it begins and ends as they do, but for gaps around letters that reach below it."""
    for line in lines_of(words):
        height, top, bottom = line[0].height, line[0].top, line[0].bottom
        near = UNDERLINE[0] * height
        edges = top - near, bottom - UNDERLINE[1] * height, bottom + near
        low, middle, high = (bisect_left(rules, y, key=itemgetter(2)) for y in edges)
        if high - middle > MAX_NEAR:
            continue  # a drawing
        found: list[Rule] = []
        for left, right, y in rules[middle:high]:
            if found and y == found[-1][2] and left < found[-1][1] + height:
                found[-1] = found[-1][0], right, y
            else:
                found.append((left, right, y))
        for left, right, _ in found:
            under = [w for w in line if w.left >= left - near and w.right <= right + near]
            is_framed = any(abs(a - left) + abs(b - right) < near for a, b, _ in rules[low:middle])
            if (
                under
                and not is_framed
                and under[0].left - left < near
                and right - under[-1].right < near
            ):
                for word in under:
                    word.font = word.font.removesuffix(UNDERLINED) + UNDERLINED


def letters_of(words: Iterable[PrintedWord]) -> str:
    """What words say, as headings are compared."""
    return letters("".join(word.text for word in words))


def lines_of(words: Iterable[PrintedWord]) -> Iterator[Line]:
    """The words line by line."""
    line: Line = []
    before: PrintedWord | None = None
    for word in words:
        # Most words of a line have one box up and down: these are told without a call.
        if before and not (
            (word.top == before.top and word.bottom == before.bottom) or before.shares_line(word)
        ):
            yield line
            line = []
        line.append(word)
        before = word
    if line:
        yield line


def _printed_words(page: Any, turn: int) -> list[PrintedWord]:
    """The words of a page in the order of its text items; of one that is turned from its top."""
    found, number, whole = list[PrintedWord](), page.page_num, (page.width, page.height)
    for item in page.text_items:
        font, size = (item.font_name or "").rpartition("+")[2], item.font_size or 0.0
        own_turn, behind = round(item.rotation or 0) % 360, 0
        words = [word for word in item.words if word.text.strip()]
        for word in _whole(words, own_turn, whole) if own_turn in TURNS else words:
            text = word.text
            if not text.isascii():
                text = with_bullets(text.translate(_LIGATURES))
            left, top, right, bottom = word.x, word.y, word.x + word.width, word.y + word.height
            own = size if size >= MIN_SIZE else word.height / LEADING
            at = item.text.find(word.text, behind)
            is_spaced = (
                0 < behind < at
                and item.text[behind:at].isspace()
                and not (_is_initial(word.text) or _is_initial(found[-1].text))
            )
            behind = max(behind, at + len(word.text))
            printed = PrintedWord(
                text, number, left, top, right, bottom, size=own, font=font, is_spaced=is_spaced
            )
            if turn:
                printed.seen = seen = left, top, right, bottom
                printed.left, printed.top, printed.right, printed.bottom = _turned(
                    seen, turn, whole
                )
            found.append(printed)
    if turn:
        found.sort(key=lambda word: (round(word.top), word.left))
    return [word for line in lines_of(found) for word in _as_words(line)]


def _is_initial(text: str) -> bool:
    """Whether it is one character that kerning alone may part from its word: the library takes a
    wide gap for a space."""
    return len(text) == 1 and not text.islower()


def _whole(words: Iterable[Any], turn: int, size: tuple[float, float]) -> Iterator[Any]:
    """The words of a line that runs up or down: liteparse has its letters one by one."""
    word: Any = None
    behind = 0.0
    for letter in words:
        box = letter.x, letter.y, letter.x + letter.width, letter.y + letter.height
        left, top, right, bottom = _turned(box, turn, size)
        if word and abs(left - behind) < MAX_TURNED_GAP * (bottom - top):
            x, y = min(word.x, letter.x), min(word.y, letter.y)
            right_edge = max(word.x + word.width, letter.x + letter.width)
            foot = max(word.y + word.height, letter.y + letter.height)
            word = replace(
                word, text=word.text + letter.text, x=x, y=y, width=right_edge - x, height=foot - y
            )
        else:
            if word:
                yield word
            word = letter
        behind = right
    if word:
        yield word


def _as_words(line: Line) -> Line:
    """The words of a line whose letters are spaced out, as those of titles are; others as they
    are."""
    single = [word.text for word in line if len(word.text) == 1]
    if len(single) < max(MIN_SPACED, MIN_SINGLE * len(line)):
        return line
    if sum(map(str.isalpha, single)) < MIN_SPACED:
        return line
    gaps = [after.left - before.right for before, after in pairwise(line)]
    apart = WORD_GAP * median(gaps)
    if not MAX_GLUED_GAP < median(gaps) / median(word.height for word in line) < MIN_GUTTER:
        return line  # one word already, or cells of a table
    found = [line[0]]
    for gap, word in zip(gaps, line[1:], strict=True):
        last = found[-1]
        if 0 <= gap <= apart:
            last.text, last.right = last.text + word.text, word.right
            last.top, last.bottom = min(last.top, word.top), max(last.bottom, word.bottom)
        else:
            found.append(word)
    return found


def _assigned(
    blocks: Iterable[Any], words: Sequence[PrintedWord]
) -> tuple[list[Region], list[PrintedWord]]:
    """Each block that holds text with the words that stand in it, of several blocks in the
    smallest; and the words in none."""
    found = [Region(block.kind, block.level or 1, [], block) for block in blocks if block.bbox]
    if not found or not words:
        return [], list(words)
    boxes = np.array([_edges(region.block.bbox) for region in found])
    edges = np.array([(word.left, word.right, word.top, word.bottom) for word in words])
    x, y = edges[:, :2].mean(axis=1)[:, None], edges[:, 2:].mean(axis=1)[:, None]
    inside = (boxes[:, 0] <= x) & (x <= boxes[:, 2]) & (boxes[:, 1] <= y) & (y <= boxes[:, 3])
    areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    smallest = np.where(inside.any(axis=1), np.where(inside, areas, np.inf).argmin(axis=1), -1)
    rest = list[PrintedWord]()
    for word, number in zip(words, smallest.tolist(), strict=True):
        (rest if number < 0 else found[number].words).append(word)
    is_reversed = any(not w.text.isascii() and _direction(w) == "R" for w in words)
    for region in found:
        if region.kind != "table":
            region.block = None  # it holds the text once more
        if is_reversed:
            region.words = [word for line in lines_of(region.words) for word in _as_read(line)]
    return [part for region in found if region.words for part in _by_column(region)], rest


def _by_column(region: Region) -> list[Region]:
    """A paragraph in its columns, where the library has one of several, its words from top to
    bottom: those of one that goes on in the next column, or of many that stand side by side."""
    if region.kind != "paragraph":
        return [region]
    words = sorted(region.words, key=lambda word: word.left)
    behind = words[0].right
    for number, word in enumerate(words):
        if word.left - behind > MIN_GUTTER * word.height:
            sides = map(set, (words[:number], words[number:]))
            parts = [[word for word in region.words if word in side] for side in sides]
            columns = [Region("paragraph", region.level, part) for part in parts]
            if _are_columns(*columns):
                return [part for column in columns for part in _by_column(column)]
        behind = max(behind, word.right)
    return [region]


def _are_columns(left: Region, right: Region) -> bool:
    """Whether two parts that nothing reaches across are columns of text, and not names with values
    beside them."""
    if right.bottom < left.top:
        return True
    lines = [list(lines_of(column.words)) for column in (left, right)]
    return all(len(side) >= MIN_LINES and median(map(len, side)) >= MIN_WORDS for side in lines)


def _as_read(line: Line) -> Line:
    """The words of a line in the order in which they are read: the library has them from left to
    right in all scripts."""
    directions = [_direction(word) for word in line]
    if directions.count("R") <= directions.count("L"):
        return line
    ordered: Line = []
    from_left: Line = []
    for word in sorted(line, key=lambda word: -word.left):
        if _direction(word) == "L":
            from_left.insert(0, word)
        else:
            ordered += [*from_left, word]
            from_left = []
    return ordered + from_left


def _direction(word: PrintedWord) -> str:
    """R of a word that is read from right to left, L of one from left to right, "" of marks."""
    kinds = set(map(bidirectional, word.text))
    return "R" if kinds & {"R", "AL"} else "L" if kinds & {"L", "EN"} else ""


def _edges(box: Any) -> tuple[float, float, float, float]:
    """Left, top, right and bottom of a box, a point wider."""
    return box.x - 1, box.y - 1, box.x + box.width + 1, box.y + box.height + 1

"""Headings that a file does not mark as such: paragraphs that are set larger or bolder than its
text, underlined or in capitals, and stand alone."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Self, TypeVar

from index.chunking.layout import letters
from index.readers.captions import is_caption

MAX_WORDS, MAX_LETTERS = 15, 120
"""Words and characters of a heading at most. Not tuned."""
LARGER = 1.08
"""Times as large as the text that a heading which is not bold is at least. Not tuned."""
MIN_CAPITALS = 4
"""Letters of a heading that only capitals tell, at least. Not tuned."""
_Element = TypeVar("_Element")
_Rank = tuple[float, int, bool, int]
_ENDS = (".", ";", ",", "!")
_NUMBER = re.compile(r"\d{1,3}(?:\.\d{1,3})*[.):]?(?=\s)")
#: Of a part that is named, after which a full stop ends no sentence: `Article IV. Members.`
_NAMED = re.compile(r"[^\W\d_]+ (?:[IVXLC]+|\d{1,3}(?:\.\d{1,3})*)[.:]\s")
_GAP = re.compile(r"\t|\n.*\n| {3}")
UNDERLINED, BOLD = 1, 2
"""Of a weight, which is the sum of what letters are."""
_PAGE = re.compile(r"\s\d{1,3}$")


@dataclass(frozen=True, slots=True)
class SetParagraph:
    """A paragraph as it is set.

    Attributes:
        text: what it says.
        size: of its letters, in any unit.
        weight: of all of them: UNDERLINED, BOLD, both or 0.
        level: of a heading that is marked as one, 1 the highest; 0 of others.
        may_head: whether it may be one that is not: no item, row, code or caption.
        depth: of its number where that is not part of the text; 0 where it has none.
    """

    text: str
    size: float = 1.0
    weight: int = 0
    level: int = 0
    may_head: bool = True
    depth: int = 0

    @classmethod
    def of(cls, pieces: Iterable[tuple[str, float, int]], usual: float, **more: Any) -> Self:
        """A paragraph in pieces: what each says, its size and its weight.

        Args:
            pieces: of it, in order.
            usual: the size of one without a letter or figure.
            more: its other attributes.
        """
        sizes: Counter[float] = Counter()
        said, weight = "", BOLD | UNDERLINED
        for text, size, own in pieces:
            said += text
            if count := sum(map(str.isalnum, text)):
                sizes[size] += count
                weight &= own
        size = sizes.most_common(1)[0][0] if sizes else usual
        return cls(said.strip(), size, weight if sizes else 0, **more)


def with_levels(
    told: Iterable[tuple[_Element, SetParagraph | None]],
) -> Iterator[tuple[_Element, SetParagraph, int]]:
    """The elements of a text that say something, with how they are set and the level of each as a
    heading, 0 of those that are none."""
    known = [(element, paragraph) for element, paragraph in told if paragraph]
    levels = heading_levels([paragraph for _, paragraph in known])
    for (element, paragraph), level in zip(known, levels, strict=True):
        yield element, paragraph, level


def heading_levels(paragraphs: Sequence[SetParagraph]) -> list[int]:
    """The level of each paragraph as a heading, 0 of those that are none.

    One that is not marked as a heading is one where it is short, no sentence, and larger or heavier
    than most of the text, and where something follows it that is not set so. They rank by
    their size, weight, capitals and number, below the marked heading that they stand under.
    """
    sizes: Counter[tuple[float, int]] = Counter()
    for paragraph in paragraphs:
        if not paragraph.level:
            sizes[paragraph.size, paragraph.weight] += len(paragraph.text)
    if not sizes:
        return [paragraph.level for paragraph in paragraphs]
    usual = sizes.most_common(1)[0][0]
    ranks = [_rank(paragraph, *usual) for paragraph in paragraphs]
    names = [letters(p.text) if p.level or ranks[at] else "" for at, p in enumerate(paragraphs)]
    counts = Counter(names)
    for at, paragraph in enumerate(paragraphs):
        is_entry = _PAGE.search(paragraph.text) and counts[names[at]] > 1  # of contents
        repeats = at > 0 and paragraphs[at - 1].level and names[at - 1] == names[at]
        if ranks[at] and (is_entry or repeats):
            ranks[at] = None
    heads = [
        rank is not None
        and rank != (ranks[at - 1] if at else None)
        and at + 1 < len(paragraphs)
        and not paragraphs[at + 1].level
        and (after is None or after > rank)
        for at, (rank, after) in enumerate(zip(ranks, [*ranks[1:], None], strict=True))
    ]
    found = [rank if is_head else None for rank, is_head in zip(ranks, heads, strict=True)]
    order = {rank: at for at, rank in enumerate(sorted(set(filter(None, found))), start=1)}
    levels, above = [], 0
    for paragraph, rank in zip(paragraphs, found, strict=True):
        above = paragraph.level or above
        levels.append(above + order[rank] if rank else paragraph.level)
    return levels


def _rank(paragraph: SetParagraph, size: float, weight: int) -> _Rank | None:
    """How high a paragraph would rank as a heading, the highest first, in a text of which most is
    so large and heavy; None of one that is set as that is, or too long for one."""
    if paragraph.level or not paragraph.may_head:
        return None
    is_larger = paragraph.size >= LARGER * size
    in_capitals = paragraph.text.isupper() and sum(map(str.isalpha, paragraph.text)) >= MIN_CAPITALS
    is_heavier = (paragraph.weight > weight or in_capitals) and LARGER * paragraph.size >= size
    if not (is_larger or is_heavier) or is_caption(paragraph.text):
        return None
    number = _NUMBER.match(paragraph.text.strip() + " ")
    text = paragraph.text.strip()[number.end() if number else 0 :].strip()
    if len(text) > MAX_LETTERS or len(text.split()) > MAX_WORDS:
        return None
    if text.endswith(_ENDS) and not _NAMED.match(text):
        return None
    # Gaps divide the cells of a row that is no table.
    if _GAP.search(text) or not any(map(str.isalpha, text)):
        return None
    depth = paragraph.depth or (number[0].strip(" .):").count(".") + 1 if number else 1)
    return -paragraph.size, -paragraph.weight, not text.isupper(), depth

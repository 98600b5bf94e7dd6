"""Plain text into headings and blocks.

Nothing marks them but how the lines stand: blank lines, lengths, bullets, underlines and how a line
begins and ends.
"""

# Typographic quotes, dashes and full-width marks are meant as they stand.
# ruff: noqa: RUF001

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from index.chunking.layout import Block, Heading, Layout, Part, with_bullets
from index.chunking.sentences import CLOSERS, ENDERS, OPENERS, Span, has_word, lines, trim

_WRAP = 120
"""Longest line of hard-wrapped prose."""

_ITEM = re.compile(r"(?:[-*+•‣◦–—]|\(?\d{1,3}[.)])\s+(?=\S)")
_UNDERLINE = re.compile(r"([=\-~^*#+`\"'])\1{2,}")


_Candidate = Span
"""A line that is a heading if content follows it."""


def read_plain(text: str) -> Layout:
    """Paragraphs of plain text, which may separate them by blank lines or hold one a line.

    - Lines without a letter or digit separate and are dropped; under a heading-like line they
      underline it.
    - Bullets or numbers make a list, one paragraph with an item a sentence.
    - Several lines together are one hard-wrapped paragraph, or each its own (see `_is_wrapped`).
    - A lone heading-like line (see `_heading_like`) is a heading where content follows
      (see `_resolved`).
    """
    text = with_bullets(text)
    units: list[Part | _Candidate] = []
    levels: dict[str, int] = {}
    group: list[Span] = []
    for start, end in lines(text):
        if has_word(text, start, end):
            group.append((start, end))
            continue
        rule = _UNDERLINE.fullmatch(text, start, end)
        if rule and group and _heading_like(text, group[-1]):
            above = group[-1]
            if 2 * (end - start) >= above[1] - above[0]:
                units.extend(_group_units(text, group[:-1]))
                level = levels.setdefault(rule[1], len(levels) + 1)
                units.append(Heading(level, text[above[0] : above[1]], *above))
                group = []
        units.extend(_group_units(text, group))
        group = []
    units.extend(_group_units(text, group))
    return Layout(text, _resolved(text, units, len(levels)))


def _group_units(text: str, group: Sequence[Span]) -> Iterator[Block | _Candidate]:
    """What lines that stand together make."""
    if not group:
        return
    if len(group) == 1:
        yield _line_unit(text, group[0])
        return
    items = [place for place, span in enumerate(group) if _ITEM.match(text, *span)]
    if len(items) > 1 or items == [0]:
        first = items[0]
        # A line longer than any wrapped one continues no item: those numbers are headings.
        others = set(range(first, len(group))) - set(items)
        if all(group[place][1] - group[place][0] <= _WRAP for place in others):
            yield from _group_units(text, group[:first])
            bounds = zip(items, [*items[1:], len(group)], strict=True)
            yield Block(tuple((group[a][0], group[b - 1][1]) for a, b in bounds), "list")
            return
    ended = _ended(text, group)
    # A line that begins in lower case continues the one above, which was wrapped.
    broken = sum(
        text[start].islower() and not is_end
        for (start, _), is_end in zip(group[1:], ended, strict=True)
    )
    is_wrapped = 2 * (sum(ended) - broken) < len(ended)
    if is_wrapped and all(end - start <= _WRAP for start, end in group[:-1]):
        if ended[0] and _heading_like(text, group[0]):
            yield group[0]
            group = group[1:]
        yield Block(((group[0][0], group[-1][1]),), "prose")
    else:
        yield from (_line_unit(text, span) for span in group)


def _line_unit(text: str, span: Span) -> Block | _Candidate:
    if _heading_like(text, span):
        return span
    return Block((span,), "list" if _ITEM.match(text, *span) else "prose")


def _ended(text: str, group: Sequence[Span]) -> list[bool]:
    """Whether each line but the last ends a paragraph, were the lines one paragraph each.

    It does with the punctuation that ends a sentence; and where it looks like a heading and the
    next line's first word would have had ample room on it, which no wrapping leaves.
    """
    width = max(end - start for start, end in group)
    ended = []
    for (start, end), (below, below_end) in pairwise(group):
        word = text[below:below_end].split(None, 1)[0]
        roomy = end - start + 1 + len(word) <= 0.75 * width
        ended.append(
            text[start:end].rstrip(CLOSERS)[-1:] in tuple(ENDERS)
            or (roomy and _heading_like(text, (start, end)) and not word[0].islower())
        )
    return ended


def _heading_like(text: str, span: Span) -> bool:
    """Whether a line could be a heading: short, beginning as a title does and not ending as
    a sentence does, though it may be a question."""
    line = text[span[0] : span[1]]
    return (
        len(line) <= 100
        and len(line.split()) <= 16
        and any(map(str.isalpha, line))
        and (line[0] in OPENERS or (line[0].isalnum() and not line[0].islower()))
        and not line.rstrip(CLOSERS).endswith(tuple(".!;,:…。！；，：、"))
    )


def _resolved(text: str, units: Sequence[Part | _Candidate], underlined: int) -> list[Part]:
    """Decide of each run of heading-like lines whether it is headings or content.

    Up to three before content are headings, each inside the one before. Content instead are:
    a longer run (verse, a list without bullets), numbered lines, a question with an answer as
    short as a heading below it, and a run with no content after it. There, at the end of the text
    or before an underlined heading, a single word is a stray button or label, and is dropped.
    """
    parts: list[Part] = []
    run: list[_Candidate] = []
    for unit in [*units, None]:
        if isinstance(unit, tuple):
            run.append(unit)
            continue
        numbered = sum(_ITEM.match(text, *span) is not None for span in run) > 1
        asks = any(text[end - 1] == "?" for _, end in run[:-1])
        if len(run) > 3 or numbered or asks:
            parts.append(_line_by_line(text, run))
        elif isinstance(unit, Block):
            for depth, (start, end) in enumerate(run, underlined + 1):
                parts.append(Heading(depth, text[start:end], start, end))
        elif kept := [(start, end) for start, end in run if len(text[start:end].split()) > 1]:
            parts.append(_line_by_line(text, kept))
        run = []
        if unit is not None:
            parts.append(unit)
    return parts


def _line_by_line(text: str, spans: Sequence[Span]) -> Block:
    """Lines as the sentences of one block; dropped lines between two of them go with the first."""
    starts = [start for start, _ in spans]
    bounds = zip(starts, [*starts[1:], spans[-1][1]], strict=True)
    return Block(tuple(trim(text, start, end) for start, end in bounds), "lines")

"""Notes with what they note, in all formats: the sentence that bears a note's mark leads into it.

A reader that knows marks and notes by names writes signs into its text, which no text holds and
nobody sees; once all is written, `with_notes` takes them out.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import replace
from itertools import accumulate
from operator import itemgetter

from index.chunking.language import language_of
from index.chunking.layout import Block, Heading, Layout, Part
from index.chunking.sentences import Span, sentence_spans, trim

MAX_LEAD = 600
"""Characters of what leads into a note, at most. Not tuned."""

# Unicode calls these no characters, for what programs do within.
_MARK, _NOTE, FIGURES = "\ufdd0", "\ufdd1", "".join(map(chr, range(0xFDD2, 0xFDDC)))
WRITTEN = str.maketrans("0123456789", FIGURES)
"""For `str.translate`: a number as it stands in a sign."""
_SIGN = re.compile(f"(?P<kind>[{_MARK}{_NOTE}])(?P<number>[{FIGURES}]+)")
_ANY = re.compile(f"[{_MARK}{_NOTE}{FIGURES}]+")


class Notes:
    """The signs of a document's notes, by whatever names its format has for them."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    @property
    def has_marks(self) -> bool:
        """Whether there was one."""
        return bool(self._numbers)

    def mark(self, name: str) -> str:
        """The sign of a mark that leads to a note."""
        number = self._numbers.setdefault(name, len(self._numbers))
        return _MARK + str(number).translate(WRITTEN)

    def begin(self, name: str) -> str:
        """The sign that a note begins with; "" of what no mark led to."""
        number = self._numbers.get(name)
        return "" if number is None else _NOTE + str(number).translate(WRITTEN)


def without_signs(text: str) -> str:
    """A text without the signs of notes."""
    return _ANY.sub("", text)


def parted(text: str) -> tuple[str, str]:
    """The sign that a text begins with, "" where there is none, and the rest."""
    sign = _SIGN.match(text)
    return (sign[0], text[sign.end() :]) if sign else ("", text)


def signs_of(text: str) -> list[str]:
    """What the notes begin with whose marks a text bears."""
    return [_NOTE + sign["number"] for sign in _SIGN.finditer(text) if sign["kind"] == _MARK]


def with_notes(layout: Layout) -> Layout:
    """A layout without signs, in which the sentence with its mark leads into each note. Notes of a
    list become a list each."""
    signs = list(_ANY.finditer(layout.text))
    if not signs:
        return layout
    starts, ends = ([sign.span()[side] for sign in signs] for side in (0, 1))
    lengths = [0, *accumulate(len(sign[0]) for sign in signs)]

    def moved(offset: int) -> int:
        at = bisect_right(ends, offset)
        inside = max(0, offset - starts[at]) if at < len(starts) else 0
        return offset - lengths[at] - inside

    text = without_signs(layout.text)
    sentences = Sentences(text)
    marks: dict[str, int] = {}
    begins: dict[int, str] = {}
    for sign in _SIGN.finditer(layout.text):
        if sign["kind"] == _MARK:
            marks.setdefault(sign["number"], moved(sign.start()))
        elif sign["number"] in marks:  # and not the way back to a mark
            begins[sign.start()] = sign["number"]
    places = sorted(begins)
    parts: list[Part] = []
    for part in layout.parts:
        if isinstance(part, Heading):
            if said := without_signs(part.text):
                parts.append(Heading(part.level, said, moved(part.start), moved(part.end)))
            continue
        lead = part.lead and (moved(part.lead[0]), moved(part.lead[1]))
        spans: list[Span] = []
        for start, end in part.spans:
            at = bisect_right(places, start - 1)
            if at < len(places) and places[at] < end:
                if spans:
                    parts.append(Block(tuple(spans), part.kind, lead))
                mark = marks[begins[places[at]]]
                spans, lead = [], sentences.at(mark, parts)
            span = trim(text, moved(start), moved(end))
            if span[0] < span[1]:
                spans.append(span)
        if spans:
            parts.append(Block(tuple(spans), part.kind, lead))
    return replace(
        layout,
        text=text,
        parts=tuple(parts),
        title=layout.title and without_signs(layout.title),
        locators=[replace(one, start=moved(one.start)) for one in layout.locators],
        recognised=[(moved(start), moved(end), sure) for start, end, sure in layout.recognised],
    )


class Sentences:
    """Finds sentences of a text that a layout is made of."""

    def __init__(self, text: str) -> None:
        self._text, self._language = text, language_of(text)
        self._known: dict[Span, list[Span]] = {}

    def at(self, offset: int, parts: Sequence[Part]) -> Span | None:
        """The sentence that ends at an offset or goes on there, a row of a table as a whole; None
        where none does, or one that is too long to lead into anything.

        Args:
            offset: in the text.
            parts: of the layout, in order.
        """
        number = bisect_right(parts, offset, key=_start_of) - 1
        if number < 0:
            return None
        part = parts[number]
        spans = ((part.start, part.end),) if isinstance(part, Heading) else part.spans
        at = bisect_left(spans, offset, key=itemgetter(1))
        if at == len(spans):
            return None
        span = spans[at]
        if isinstance(part, Block) and part.kind != "row":
            if span not in self._known:
                self._known[span] = sentence_spans(self._text, *span, self._language)
            found = self._known[span]
            span = found[min(bisect_left(found, offset, key=itemgetter(1)), len(found) - 1)]
        return span if span[1] - span[0] <= MAX_LEAD else None


def _start_of(part: Part) -> int:
    return part.start if isinstance(part, Heading) else part.spans[0][0]

"""Which part of the answer before it a question points at: "the second one", "number 2"."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

from assistant.query.cleaning import with_apostrophes
from assistant.query.english import CARDINALS, ORDINALS, alternatives, content_stems
from assistant.query.enumerations import numbered, series
from index.chunking.sentences import sentence_spans
from index.terms.analysis import QUESTION_WORDS

#: What is said where an answer has no such part.
NO_PART = "What was said last has no such part."

_PLACES = {word: place for place, word in enumerate(ORDINALS[1:])} | {
    "last": -1,
    "latter": -1,
    "former": 0,
}
_PART = "(?:one|item|point|thing|reason|part|bullet|option|step|sentence|passage)s?"
_NTH = rf"(?P<{{}}>{alternatives(tuple(_PLACES))}|\d{{{{1,2}}}}(?:st|nd|rd|th))"
_NUMBER = rf"\d{{1,2}}|{alternatives(tuple(CARDINALS))}"
_POINTED = re.compile(
    rf"\bthe {_NTH.format('the')}(?: {_PART})?\b|\b{_NTH.format('nth')} {_PART}\b|"
    rf"(?:\b(?:the )?(?:number|no\.?|nr\.?|item|point) ?|#)(?P<number>{_NUMBER})\b",
    re.IGNORECASE,
)
_GOES_ON = re.compile(r" \w")
_ABOUT = re.compile(r"\b(?:what|how) about\b", re.IGNORECASE)
_ASKS = re.compile(rf"\b(?!what|which)(?:{alternatives(QUESTION_WORDS)})\b", re.IGNORECASE)
_MARKERS = re.compile(r"(?<!\s)(?:\s*+\[(?:\d+|unsupported|not confirmed by the source)\])+")
_SIGN = re.compile(r"\s*[-*\u2022]\s+(?=\S)")


@dataclass(frozen=True, slots=True)
class Pointed:
    """What a question points at.

    Attributes:
        text: the part, in the place of the words that point at it; the part alone, where there are
            no others; "" where the answer has no such part.
        alone: whether it is the part alone.
    """

    text: str
    alone: bool


def pointed_at(
    question: str, answer: str, before: str = "", request: Collection[str] = ()
) -> Pointed | None:
    """The part of an answer that a question points at; None where it points at none.

    An answer that lists nothing has its sentences for parts, where the question says nothing
    besides, and the one before did not count the documents' own things ("the first world war").

    Args:
        question: as it was asked.
        answer: that stands before it.
        before: the question that this answered.
        request: stems of words by which more is asked for, and not what of.
    """
    found = _POINTED.search(question)
    if found is None:
        return None
    rest = with_apostrophes(f"{question[: found.start()]} {question[found.end() :]}")
    rest = _ABOUT.sub(" ", rest)
    bare = content_stems(rest) <= frozenset(request)
    if not bare and _GOES_ON.match(question, found.end()):
        return None  # "the second world war"
    asks = _ASKS.search(rest) is not None
    place, alone, parts = _place(found), bare and not asks, items_of(answer)
    if not parts and (not alone or _POINTED.search(before)):
        return None
    parts = parts or points_of(answer)
    if not parts or place >= len(parts):
        return Pointed("", alone) if alone else None
    part = parts[place].rstrip(".;, ")
    text = part if alone else question[: found.start()] + part + question[found.end() :]
    return Pointed(text, alone)


def items_of(answer: str) -> list[str]:
    """What an answer lists: its lines, or what its sentences enumerate; none where it lists
    nothing."""
    text = _MARKERS.sub("", answer)
    if len(items := _lines(text)) > 1:
        return items
    ends = [end for _, end in sentence_spans(text, 0, len(text))]
    for found in [*numbered(text, ends), series(text)]:
        if found:
            return [text[start:end] for start, end in found.items]
    return []


def points_of(answer: str) -> list[str]:
    """What an answer says one after the other: its lines where it has such, or its sentences."""
    text = _MARKERS.sub("", answer)
    return _lines(text) or [text[start:end] for start, end in sentence_spans(text, 0, len(text))]


def _lines(text: str) -> list[str]:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    items = [line[sign.end() :] for line in lines if (sign := _SIGN.match(line))]
    return items or (lines[1:] if lines and lines[0].endswith(":") else [])


def _place(found: re.Match[str]) -> int:
    """The place of a part, from 0; -1 for the last."""
    word = (found["the"] or found["nth"] or found["number"]).lower()
    if word in _PLACES:
        return _PLACES[word]
    digits = re.match(r"\d+", word)
    return max(1, int(digits[0]) if digits else CARDINALS[word]) - 1

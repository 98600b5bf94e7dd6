"""What the text of another system's reply says: sentences, what it claims to quote, refusals."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

from assistant.answer import REFUSAL
from evals.running.endpoint import Annotation
from index.chunking.sentences import sentence_spans

#: What a first sentence says that is a refusal, whatever the case.
REFUSALS = (
    REFUSAL.removesuffix("."),
    "the documents don't say",
    "the documents do not",
    "the provided documents do not",
    "the provided context does not",
    "the context does not",
    "i don't know",
    "i do not know",
    "i could not find",
    "i couldn't find",
    "i cannot answer",
    "i can't answer",
    "there is no information",
    "no relevant information",
)
#: Words of a quote or a sentence that is looked for, at least: shorter ones are names, or said in
#: jest, and stand anywhere. Not tuned. What an annotation quotes may be shorter.
FEWEST_WORDS = 3

_QUOTED = re.compile('“([^“”]+)”|„([^„“”]+)[“”]|«([^«»]+)»|"([^"\n]+)"')
_ELLIPSIS = re.compile(r"(?:\[\s?)?(?:…|\.\.\.)(?:\s?\])?")
#: A mark of a citation in a text: [1], 【3†source】, ([title](address)).
_MARK = re.compile(
    r"\[\d{1,3}(?:,\s?\d{1,3})*\]|【[^】]{0,100}】|\(\[[^\]]{0,200}\]\([^)]{0,500}\)\)"
)
_POINT = re.compile(r"^\s*(?:[-*•]|\d{1,3}[.)])\s+")
#: How a line ends that is no heading.
_ENDS = (".", "!", "?", ":", ";", ",", "…", '"', "'", "”", "\u2019", ")")
#: Where a text is parted, whatever its sentences: an empty line, or before a point.
_BREAK = re.compile(r"\n[ \t]*\n|\n(?=[ \t]*(?:[-*•]|\d{1,3}[.)])\s)")


@dataclass(frozen=True, slots=True)
class Claim:
    """Words that are said to stand in a document.

    `sentence`: the position of the sentence that cites them, -1 for the last, where it is not told;
    `names`: see `Annotation`.
    """

    quote: str
    sentence: int
    names: tuple[str, ...] = ()


def parted(
    text: str, annotations: Sequence[Annotation], moved: int
) -> tuple[list[str], list[Claim]]:
    """The sentences of a text without its marks of citations, and what its annotations claim.

    What stands before a mark is one sentence, which is what the mark is of, and may be several to
    a grammarian. A heading is none.

    Args:
        text: of the reply.
        annotations: of it.
        moved: by how many characters their places are further on.
    """
    places = [_marked(text, own, moved) for own in annotations]
    marks = sorted({own for own in places if own}) or [own.span() for own in _MARK.finditer(text)]
    sentences: list[str] = []
    last_before: dict[tuple[int, int], int] = {}
    begin = 0
    for mark in [*marks, (len(text), len(text))]:
        *before, last = _BREAK.split(text[begin : mark[0]])
        for part in before:
            if _POINT.match(part) or part.rstrip().endswith(_ENDS):
                sentences += sentences_of(_POINT.sub("", part))
        # A full stop after the mark before is of the sentence before.
        last = _POINT.sub("", last).strip().lstrip(".,;:) ")
        if re.search(r"\w", last):
            sentences += sentences_of(last) if mark[0] == len(text) else [last]
        last_before[mark] = len(sentences) - 1
        begin = max(begin, mark[1])
    claims = [
        Claim(own.quote, max(last_before[place], 0) if place else -1, own.names)
        for own, place in zip(annotations, places, strict=True)
    ]
    return sentences, claims


def sentences_of(text: str) -> list[str]:
    """The sentences of a text; none where it says nothing."""
    spans = sentence_spans(text, 0, len(text)) if text.strip() else []
    return [text[start:end] for start, end in spans]


def _marked(text: str, own: Annotation, moved: int) -> tuple[int, int] | None:
    """Where the mark of an annotation stands, if that is a mark and not what it is of."""
    if own.start is None or own.end is None:
        return None
    start, end = own.start - moved, own.end - moved
    inside = 0 <= start < end <= len(text)
    return (start, end) if inside and text[start:end].strip()[:1] in "[(【" else None


def parts_of(claim: Claim) -> list[Claim]:
    """A claim for each part of a claim's quote, between ellipses, that has a word."""
    split = map(str.strip, _ELLIPSIS.split(claim.quote))
    parts = (own for own in split if re.search(r"\w", own))
    return [replace(claim, quote=own) for own in parts]


def quotes_in(sentences: Sequence[str]) -> Iterator[Claim]:
    """The quotes in sentences, of FEWEST_WORDS or more."""
    # A quote may go over several sentences; it is of the last.
    ends = list(accumulate(len(own) + 1 for own in sentences))
    for found in _QUOTED.finditer(" ".join(sentences)):
        quote = next(filter(None, found.groups())).strip()
        if is_quote(quote):
            yield Claim(quote, bisect_left(ends, found.end()))


def is_quote(text: str) -> bool:
    """Whether a text has enough words to be known again in a document."""
    return len(re.findall(r"\w+", text)) >= FEWEST_WORDS


def declines(sentences: Sequence[str], refusals: Sequence[str] = ()) -> bool:
    """Whether a first sentence is a refusal, by REFUSALS and those given; no sentence is one."""
    if not sentences:
        return True
    first = _plain(sentences_of(sentences[0])[0])
    return any(_plain(own) in first for own in (*REFUSALS, *refusals))


def _plain(text: str) -> str:
    return " ".join(text.lower().replace("\u2019", "'").split())

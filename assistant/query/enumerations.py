"""What a text enumerates: the items, as spans of it.

Numbered items are told by their numbers, which have to follow each other. Others, between
semicolons or commas, are told only where a word or a colon introduces them and an "and" or "or"
stands before the last.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from assistant.query.english import ORDINALS, PREPOSITIONS, alternatives, stem

_ROMAN = "i ii iii iv v vi vii viii ix x xi xii".split()
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_CLAUSE = re.compile(r"(?:but|which|who|whose|where|while|as well|not)\b", re.IGNORECASE)
_MARKER = re.compile(
    r"(?<![\w(])(?:\((?P<in>\d{1,2}|[a-z]|[ivx]{1,4})\)|(?P<out>\d{1,2}|[a-z])[.)])(?=\s+\S)"
    rf"|(?<![\w-])(?P<word>{'|'.join(ORDINALS)})(?:ly)?(?=,\s)",
    re.IGNORECASE,
)
_TAIL = re.compile(
    r"(?<![\s,;])(?:[\s,;]++(?:and|or)?|\s*+[,;][\s,;]*+as well as)\s*+$", re.IGNORECASE
)
_INTRODUCES = re.compile(
    r":\s+|\b(?:include[sd]?|including(?: but not limited to)?|such as|namely|(?:ranging )?from|"
    r"are|is|were|was)\b\s*,?\s*",
    re.IGNORECASE,
)
_COMMA = re.compile(r",\s+")
_JOINT = re.compile(r"(?:,|(?<!\s))\s++(?:and|or|as well as)\s+|,\s+(?=etc\b)", re.IGNORECASE)
_PARTICLES = alternatives(PREPOSITIONS | {"out", "up", "off", "down"})
_PREPOSITION = re.compile(rf"(?<!\s)\s++(?:{_PARTICLES})\s+", re.IGNORECASE)
_LAST = re.compile(r"^(?:and|or|as well as)\s+", re.IGNORECASE)
_WORD = re.compile(r"\w[\w'\u2019-]*")
#: Characters of an item: between commas that no colon introduces, and of any other. Not tuned.
SHORT, LONG = 60, 300
#: Enumerations inside one another that are looked at: more than these only take time.
OPEN = 20


@dataclass(frozen=True, slots=True)
class Enumeration:
    """Items of a text.

    Attributes:
        lead: the span of what introduces them; empty where nothing does.
        items: their spans, in order; two or more.
    """

    lead: tuple[int, int]
    items: tuple[tuple[int, int], ...]


def numbered(text: str, ends: Sequence[int] = ()) -> list[Enumeration]:
    """The numbered enumerations of a text, each the longest from its first number on.

    Args:
        text: a sentence or several.
        ends: where its sentences end, in order; the last item of an enumeration ends with its
            sentence. The end of the text when left out.
    """
    found: list[Enumeration] = []
    chains: list[list[re.Match[str]]] = []
    for match in _MARKER.finditer(text):
        for chain in reversed(chains[-OPEN:]):
            if _follows(chain[-1], match):
                chain.append(match)
                break
        else:
            if match[match.lastgroup or 0].lower() in ("1", "a", "i", "first"):
                chains.append([match])
    for chain in [several for several in chains if len(several) > 1]:
        starts = [match.end() + (match["word"] is not None) for match in chain]
        last = next((end for end in ends if end > starts[-1]), len(text))
        stops = [*(match.start() for match in chain[1:]), last]
        items = [_trimmed(text, *span) for span in zip(starts, stops, strict=True)]
        if all(end > start for start, end in items):
            begin = max([0, *(end for end in ends if end <= chain[0].start())])
            found.append(Enumeration(_trimmed(text, begin, chain[0].start()), tuple(items)))
    return found


def series(text: str, asked: Collection[str] = ()) -> Enumeration | None:
    """What a sentence lists between semicolons or commas; None where it lists nothing.

    Args:
        text: the sentence.
        asked: stems of what a list was asked of: where nothing else introduces the first item, it
            begins after the last of them and a preposition ("calls for a treaty, a truce, and
            talks").
    """
    end = len(text.rstrip(" .!?\"'\u201d)"))
    clauses = [match.span() for match in re.finditer(r";\s+", text[:end])]
    if len(clauses) > 1:
        starts = sorted(_introduced(text, clauses[0][0], asked))
        tried = [(start, clauses, end) for start in starts[:1]]
    else:
        tried = [
            (start, *found)
            for start in _introduced(text, end, asked)
            if (found := _commas(text, start, end))
        ]
    for start, breaks, stop in tried:
        long = LONG if len(clauses) > 1 or text[:start].rstrip().endswith(":") else SHORT
        items = []
        for (_, begin), (until, _) in pairwise([(start, start), *breaks, (stop, stop)]):
            last = _LAST.match(text[begin:until])
            items.append(_trimmed(text, begin + (len(last[0]) if last else 0), until))
        if all(0 < b - a <= long and not _CLAUSE.match(text[a:b]) for a, b in items):
            return Enumeration(_trimmed(text, 0, start), tuple(items))
    return None


def _commas(text: str, start: int, end: int) -> tuple[list[tuple[int, int]], int] | None:
    """Where the items of the series that begins at `start` are parted, and where the last ends:
    at the first "and" or "or" behind a comma, and at the comma after that."""
    commas = [match.span() for match in _COMMA.finditer(text, start, end)]
    for joint in (match.span() for match in _JOINT.finditer(text, start, end)):
        before = [comma for comma in commas if comma[1] <= joint[0]]
        if not before or joint[0] - before[-1][1] > SHORT:
            continue
        stop = next((comma[0] for comma in commas if comma[0] > joint[1]), end)
        if text[joint[1] : stop].startswith("etc"):
            return (before, joint[0]) if len(before) > 1 else None
        return ([*before, joint], stop) if stop - joint[1] <= SHORT else None
    return None


def _introduced(text: str, end: int, asked: Collection[str]) -> list[int]:
    """Where something that is introduced begins, likeliest first: after a colon, after the last of
    other words that introduce, or else after the last word of what was asked."""
    at = [match.end() for match in _INTRODUCES.finditer(text, 0, end)]
    colons = [place for place in at if text[:place].rstrip().endswith(":")]
    if at:
        return [*colons, *(place for place in reversed(at) if place not in colons)]
    known = [
        after.end()
        for match in _WORD.finditer(text, 0, end)
        if stem(match[0].lower()) in asked and (after := _PREPOSITION.match(text, match.end()))
    ]
    return known[::-1]


def _follows(one: re.Match[str], other: re.Match[str]) -> bool:
    if one.lastgroup != other.lastgroup or one.lastgroup is None:
        return False
    return other[one.lastgroup].lower() in _followers(one[one.lastgroup].lower())


def _followers(value: str) -> Iterator[str]:
    if value.isdigit():
        yield str(int(value) + 1)
    for order in (_ROMAN, list(_LETTERS), ORDINALS):
        if value in order[:-1]:
            yield order[order.index(value) + 1]


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    item = text[start:end]
    start += len(item) - len(item.lstrip())
    return start, start + len(_TAIL.sub("", text[start:end]))

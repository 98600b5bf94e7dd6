"""Sentences made false by script: a name, a number, a date, a negation or a direction is changed.

Deterministic: the same sentences and seed give the same perturbations. The words put in have
nothing to do with those that the verifier knows.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from assistant.verification.words import countries

Kind = Literal["name", "number", "date", "negation", "direction"]
KINDS: tuple[Kind, ...] = ("name", "number", "date", "negation", "direction")

_MONTHS = (
    "January February March April May June July August September October November December".split()
)
_DATE = re.compile(
    rf"\b({'|'.join(_MONTHS)}) (\d{{1,2}})\b|\b(\d{{1,2}}) ({'|'.join(_MONTHS)})\b"
    rf"|(?<=\b[Ii]n )({'|'.join(_MONTHS)})\b|\b((?:19|20)\d\d)s?\b"
)
_NUMBER = re.compile(
    r"(?<![\w.,-])\d+(?![\w-])|\b(two|three|four|five|six|seven|ten|thirty|first|second|third|"
    r"20th|21st|Twentieth|half|dozen|hundred|million)\b(?! time)"
)
_NUMBERS = {
    "two": "four", "three": "five", "four": "nine", "five": "two", "six": "eleven",
    "seven": "nine", "ten": "forty", "thirty": "fifty", "first": "fourth", "second": "fifth",
    "third": "ninth", "20th": "17th", "21st": "19th", "twentieth": "Sixteenth", "half": "a third",
    "dozen": "hundred", "hundred": "thousand", "million": "billion",
}  # fmt: skip
_AUXILIARY = re.compile(
    r"\b(is|are|was|were|will|would|should|could|can|must|may|might|has|have|had|did|does|do)\b"
    r"(?! not|n't| no\b| never| only)(?= [a-z])"
)
_NEGATED = re.compile(r"\b(is|are|was|were|will|would|should|could|can|has|have|had) (not|never) ")
_DID_NOT = re.compile(
    r"\b(does|do|did) not |\bcannot\b|\b(is|are|was|were|can|wo)n't\b|\bno (?=[a-z])"
)
_DIRECTIONS = [
    pair.split("/")
    for pair in (
        "increased/decreased|increase/decrease|increasing/decreasing|risen/fallen|rising/falling|"
        "growing/shrinking|grown/shrunk|growth/contraction|closer/more distant|more/less|"
        "greater/smaller|stronger/weaker|strong/weak|strengthened/weakened|"
        "strengthening/weakening|strengthen/weaken|before/after|early/late|support/oppose|"
        "boost/cut|boosting/cutting|toward/away from|tightening/loosening|tighten/loosen|"
        "advantages/disadvantages|success/failure|successes/failures|easier/harder|easy/difficult|"
        "deeper/shallower|deepening/weakening|accept/reject|positive/negative|above/below|"
        "higher/lower|biggest/smallest|huge/tiny|massive/negligible|abundant/scarce|"
        "joining/leaving|join/leave|help/hinder|reinforce/undermine|optimism/pessimism|"
        "agree/disagree|likely/unlikely|clear/unclear|accelerated/slowed|diminished/grown|"
        "rarely/often|upper/lower|unwelcome/welcome|open/closed|raise/lower|include/exclude|"
        "gain/loss|friendly/hostile|common/rare|reduce/increase|dependent/independent"
    ).split("|")
]
_STRANGERS = (
    "Brazil Norway Canada Egypt Nigeria Mexico Poland Kenya Chile Spain Macron Merkel Trudeau "
    "Peterson Lopez Obama NATO OPEC Madrid Geneva"
).split()
_NAME = re.compile(r"(?<![\w\u2019'-])(?:[A-Z][\w]+)(?:[ -](?:[A-Z][\w]+))*(?![\w-])")


@dataclass(frozen=True, slots=True)
class Perturbed:
    """A sentence made false, what was changed, and the sentence that it was made from."""

    kind: Kind
    text: str
    original: str


def perturb(
    sentences: Sequence[str], names: Sequence[str], seed: int = 0, most: int = 2
) -> Iterator[Perturbed]:
    """Make each sentence false in every way that it allows.

    Args:
        sentences: true ones.
        names: what a name may be replaced by, besides strangers.
        seed: of the choices.
        most: how many of one kind a sentence gives at most.
    """
    for sentence in sentences:
        generator = random.Random(f"{seed} {sentence}")
        for kind in KINDS:
            found = sorted(set(_changed(kind, sentence, names, generator)) - {sentence})
            for text in generator.sample(found, min(most, len(found))):
                yield Perturbed(kind, text, sentence)


def _changed(
    kind: Kind, text: str, names: Sequence[str], generator: random.Random
) -> Iterator[str]:
    if kind == "name":
        for match in _NAME.finditer(text):
            if match.group() in names:
                others = [name for name in names if _foreign(name, match.group())]
                for pool in (others, list(_STRANGERS)):
                    yield _with(text, match, generator.choice(pool))
        yield from _exchanged(text, names)
    elif kind == "number":
        for match in _NUMBER.finditer(text):
            if not any(d.start() <= match.start() < d.end() for d in _DATE.finditer(text)):
                own = match.group()
                new = str(int(own) + generator.choice([1, 2, 5, 10])) if own.isdigit() else ""
                yield _with(text, match, new or _NUMBERS[own.lower()])
    elif kind == "date":
        for match in _DATE.finditer(text):
            yield _with(text, match, _other_date(match.group(), generator))
    elif kind == "negation":
        for match in list(_AUXILIARY.finditer(text))[:2]:
            yield f"{text[: match.end()]} not{text[match.end() :]}"
        for match in _NEGATED.finditer(text):
            yield _with(text, match, f"{match.group(1)} ")
        for match in _DID_NOT.finditer(text):
            own = match.group().lower()
            yield _with(text, match, "can" if own.startswith("can") else "")
    else:
        for pair in _DIRECTIONS:
            for old, new in (pair, pair[::-1]):
                for match in re.finditer(rf"\b{old}\b", text):
                    yield _with(text, match, new)


def _exchanged(text: str, names: Sequence[str]) -> Iterator[str]:
    """Agent and patient change places where they stand on both sides of a verb in a short
    sentence."""
    found = [m for m in _NAME.finditer(text) if m.group() in names]
    if len(found) == 2 and found[0].group() != found[1].group():
        one, other = found
        between = text[one.end() : other.start()]
        if len(between.split()) >= 2 and not re.search(r"\b(and|or|with|between)\b|[,;]", between):
            yield (
                f"{text[: one.start()]}{other.group()}{between}{one.group()}{text[other.end() :]}"
            )


def _other_date(date: str, generator: random.Random) -> str:
    if date[:4].isdigit():
        year = int(date[:4]) + generator.choice([-12, -3, -1, 1, 2, 6])
        return f"{year // 10 * 10 - 20 if date.endswith('s') else year}{date[4:]}"
    if generator.random() < 0.5 and any(c.isdigit() for c in date):
        return re.sub(r"\d+", lambda m: str((int(m.group()) + 8) % 28 + 1), date)
    month = next(month for month in _MONTHS if month in date)
    others = [other for other in _MONTHS if other not in (month, "May")]
    return date.replace(month, generator.choice(others))


def _foreign(name: str, other: str) -> bool:
    """Whether two names are of different things: a country and its capital are one here."""
    names, capitals = countries()
    one, two = (
        names.get(lower, capitals.get(lower, lower[:4])) for lower in (name.lower(), other.lower())
    )
    return one[:4] != two[:4]


def _with(text: str, match: re.Match[str], new: str) -> str:
    return f"{text[: match.start()]}{new}{text[match.end() :]}"

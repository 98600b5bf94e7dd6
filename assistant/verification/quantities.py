"""Numbers and dates in a row of words, normalised: "eleven" is 11, "Feb. 11" is "11 February"."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from assistant.verification import words
from assistant.verification.words import MONTHS


@dataclass(frozen=True, slots=True)
class Number:
    """A number and its unit, if it has one (see `words.UNITS`)."""

    value: float
    unit: str | None = None


@dataclass(frozen=True, slots=True)
class Date:
    """A date, or as much of it as is written. A month at least."""

    month: int
    day: int | None = None
    year: int | None = None


def quantities(
    pieces: Sequence[str],
) -> tuple[tuple[Number, ...], tuple[Date, ...], set[int]]:
    """Numbers and dates in order, and which pieces are a month."""
    numbers: list[Number] = []
    dates: list[Date] = []
    dated: set[int] = set()
    i = 0
    while i < len(pieces):
        lower = pieces[i].lower()
        if _is_month(pieces, i):
            dated.add(i)
            dates.append(_date(pieces, i))
        value, length = _value(pieces, i)
        if value is not None:
            unit = next(
                (
                    t.lower()
                    for t in pieces[i + length : i + length + 2]
                    if t.lower() in words.UNITS
                ),
                pieces[i - 1] if i and pieces[i - 1] in words.UNITS else None,
            )
            numbers.append(Number(value, unit))
            i += length
            continue
        if lower in words.COUNTS:
            numbers.append(Number(words.COUNTS[lower]))
        i += 1
    return tuple(numbers), tuple(dates), dated


def _is_month(pieces: Sequence[str], i: int) -> bool:
    piece = pieces[i]
    if piece.lower() not in MONTHS or not piece[0].isupper():
        return False
    if piece.lower() in ("may", "march") and (i == 0 or pieces[i - 1] in ".!?"):
        return i + 1 < len(pieces) and pieces[i + 1][0].isdigit()
    return True


def _date(pieces: Sequence[str], i: int) -> Date:
    after = [t for t in pieces[i + 1 : i + 5] if t not in ",.th"][:2]
    before = [t for t in pieces[max(0, i - 2) : i] if t.lower() not in ("of", "the")][-1:]
    found = [int(d.group()) for t in before + after if (d := re.match(r"\d+", t))]
    days = [n for n in found if 1 <= n <= 31]
    years = [n for n in found if 1000 <= n <= 2999]
    return Date(MONTHS[pieces[i].lower()], next(iter(days), None), next(iter(years), None))


def _value(pieces: Sequence[str], i: int) -> tuple[float | None, int]:
    """The number that begins here and of how many pieces it is. A bare "one" is a pronoun."""
    piece = pieces[i].lower()
    if piece[0].isdigit():
        digits = re.match(r"\d+(?:\.\d+)?", piece)
        value, length = float(digits.group()) if digits else 0.0, 1
    elif piece in words.ORDINALS:
        return float(words.ORDINALS[piece]), 1
    elif piece in words.CARDINALS:
        value, length = float(words.CARDINALS[piece]), 1
        rest = pieces[i + 1 : i + 3]
        if value >= 20 and value % 10 == 0 and len(rest) == 2 and rest[0] == "-":
            small = rest[1].lower()
            one = words.CARDINALS.get(small, words.ORDINALS.get(small, 10))
            if 0 < one < 10:
                value, length = value + one, 3
    elif piece in words.MAGNITUDES and i and pieces[i - 1].lower() in ("a", "an"):
        return float(words.MAGNITUDES[piece]), 1
    else:
        return None, 0
    while (after := pieces[i + length : i + length + 1]) and after[0].lower() in words.MAGNITUDES:
        value, length = value * words.MAGNITUDES[after[0].lower()], length + 1
    if piece == "one" and length == 1:
        return None, 0
    return value, length

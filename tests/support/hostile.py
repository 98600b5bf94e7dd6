"""Texts that are hard on a regular expression, from its syntax tree."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from re import _constants as ops  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any, NamedTuple

#: Of what classes of characters are drawn, of every kind a few.
_DRAWN = " a1-\n.A\t,()[]{}<>|/\\'\"*_#=+&%$@`~^:;!?\r\xa0\xad\u2022\u2026\u2013\u201d\xe9\u4e2d\0"
#: Repeated wherever a text may begin, whatever the expression.
_COMMON = (
    *' -\na1.,([)]<"*_#|=:\0',
    *(
        "a ",
        "1.",
        "1,",
        "A.",
        "\n ",
        " \n",
        "- ",
        ", ",
        "a-",
        "a,",
        ". ",
        "\n\n",
        "a\n",
        "[a",
        "<a ",
    ),
)
#: What may make it fail at the end.
_TAILS = ("", "\0", "a", "\n\0")
#: The most of a repetition that takes no longer for a longer text.
_FEW = 25

_CATEGORIES = {
    ops.CATEGORY_DIGIT: r"\d", ops.CATEGORY_NOT_DIGIT: r"\D",
    ops.CATEGORY_SPACE: r"\s", ops.CATEGORY_NOT_SPACE: r"\S",
    ops.CATEGORY_WORD: r"\w", ops.CATEGORY_NOT_WORD: r"\W",
}  # fmt: skip
_REPEATS = (ops.MAX_REPEAT, ops.MIN_REPEAT, ops.POSSESSIVE_REPEAT)


class Attack(NamedTuple):
    """A text of any length: what gets into a repetition, what is repeated, and an end."""

    prefix: str
    pump: str
    tail: str

    def text(self, length: int) -> str:
        """It, with as much repeated as makes about this many characters."""
        return self.prefix + self.pump * (length // len(self.pump)) + self.tail


def attacks(pattern: str, flags: int = 0) -> list[Attack]:
    """Those that an expression may take long for."""
    tree = parser.parse(pattern, flags)
    repeats = list(_repeats(tree, [""]))
    if not repeats:
        return []
    drawn = dict.fromkeys(char for _, inner in repeats for char in _firsts(inner)[:6])
    found = {Attack("", pump, tail): None for pump in (*_COMMON, *drawn) for tail in _TAILS}
    for prefixes, inner in repeats:
        bodies = dict.fromkeys(filter(None, (_spell(inner, full) for full in (False, True))))
        for prefix in prefixes:
            own = [*bodies, *_firsts(inner), *drawn]
            own += [prefix, *(prefix + body for body in bodies)] if prefix else []
            found |= {
                Attack(begun, pump, tail): None
                for pump in dict.fromkeys(own)
                for begun in dict.fromkeys(("", prefix))
                for tail in _TAILS
            }
    return list(found)


def _repeats(items: Sequence[Any], before: Sequence[str]) -> Iterator[tuple[list[str], Any]]:
    """What is repeated without an end, each after what gets there, in a few forms."""
    before = list(dict.fromkeys(before))
    for item in items:
        op, value = item
        if op in _REPEATS:
            if value[1] > _FEW:
                yield before, value[2]
            yield from _repeats(value[2], before)
        elif op is ops.BRANCH:
            for branch in value[1]:
                yield from _repeats(branch, before)
        elif op in (ops.SUBPATTERN, ops.ASSERT, ops.ASSERT_NOT):
            yield from _repeats(value[-1], before)
        elif op is ops.ATOMIC_GROUP:
            yield from _repeats(value, before)
        before = list(
            dict.fromkeys(
                one + _spell([item], full)
                for one, full in zip((before[0], before[-1]), (False, True), strict=True)
            )
        )


def _spell(items: Sequence[Any], full: bool) -> str:
    """A text that they match; `full`: with what may be left out."""
    return "".join(_spell_one(op, value, full) for op, value in items)


def _spell_one(op: Any, value: Any, full: bool) -> str:
    if op is ops.LITERAL:
        return chr(value)
    if op in (ops.IN, ops.NOT_LITERAL, ops.ANY):
        return next(iter(_of_class(op, value)), "")
    if op in _REPEATS:
        return _spell(value[2], full) * max(value[0], int(full))
    if op is ops.BRANCH:
        return _spell(value[1][0], full)
    if op is ops.SUBPATTERN or (op is ops.ASSERT and value[0] < 0):
        return _spell(value[-1], full)
    if op is ops.ATOMIC_GROUP:
        return _spell(value, full)
    return ""


def _firsts(items: Sequence[Any]) -> list[str]:
    """Characters that they may begin with, or go on with after an optional one."""
    found: list[str] = []
    for op, value in items:
        if op is ops.LITERAL:
            found.append(chr(value))
        elif op in (ops.IN, ops.NOT_LITERAL, ops.ANY):
            found += _of_class(op, value)
        elif op in _REPEATS:
            found += _firsts(value[2])
        elif op is ops.BRANCH:
            for branch in value[1][:8]:
                found += _firsts(branch)[:2]
        elif op is ops.SUBPATTERN:
            found += _firsts(value[-1])
        elif op is ops.ATOMIC_GROUP:
            found += _firsts(value)
    return list(dict.fromkeys(found))[:12]


def _of_class(op: Any, value: Any) -> list[str]:
    if op is ops.ANY:
        return list(" a-1")
    if op is ops.NOT_LITERAL:
        return [char for char in " a-1\n" if ord(char) != value]
    own = [chr(v if o is ops.LITERAL else v[0]) for o, v in value if o in (ops.LITERAL, ops.RANGE)]
    found = [char for char in dict.fromkeys([*_DRAWN, *own]) if _holds(value, char)]
    return found[:8]


def _holds(value: Sequence[Any], char: str) -> bool:
    negated = value[0][0] is ops.NEGATE
    return negated != any(
        (op is ops.LITERAL and ord(char) == own)
        or (op is ops.RANGE and own[0] <= ord(char) <= own[1])
        or (op is ops.CATEGORY and re.match(_CATEGORIES[own], char) is not None)
        for op, own in value
    )

"""How the text of a page of HTML is set: how large, how heavy, and whether in a link."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import reduce
from operator import and_
from types import MappingProxyType
from typing import Any, NamedTuple

from index.readers.unmarked_headings import BOLD, UNDERLINED

_WEIGHTS = dict.fromkeys(("b", "strong", "th", "summary", "legend"), BOLD) | {"u": UNDERLINED}
#: What stands in them is set apart, and heads nothing.
_APART = frozenset(
    "address aside blockquote caption figcaption figure footer form label option".split()
)
_SETTING = _WEIGHTS.keys() | _APART | {"big", "small"}
MAX_STYLE, MAX_CSS = 1000, 500_000
"""Characters that are read of the style of an element, and of style sheets."""
_CLASS = re.compile(r"[a-zA-Z0-9]{0,20}\.([\w-]{1,80})")
_HEADING_CLASS = re.compile(r"(?<![a-z])(?:sub)?head(?:ing)?(?![a-z])", re.I)
_WEIGHT = re.compile(r"font(?:-weight)?\s{0,9}:[^;:]*?(bold|normal|[1-9]00)", re.I)
_SIZE = re.compile(
    r"font(?:-size)?\s{0,9}:[^;:]*?(?:(?<![\d.])(?P<number>\d{1,6}(?:\.\d{0,6})?)(?P<unit>px|pt|r?em|%)|"
    r"\b(?P<word>(?:xx?-)?(?:small|large)|medium|smaller|larger))",
    re.I,
)
#: Of the usual size (CSS Fonts 4, 2.5), and of 3, that of `font`.
_WORDS = {
    "xx-small": 0.6,
    "x-small": 0.75,
    "small": 0.89,
    "medium": 1.0,
    "large": 1.2,
    "x-large": 1.5,
    "xx-large": 2.0,
}
_FONT_SIZES = (0.6, 0.75, 0.89, 1.0, 1.2, 1.5, 2.0, 3.0)
_UNITS = {"px": 1 / 16, "pt": 1 / 12, "rem": 1.0}


class TextStyle(NamedTuple):
    """How a text is set.

    Attributes:
        size: of its letters, as a share of the usual one.
        weight: of all of them; bold if it is named as a heading.
        is_apart: whether it stands in something that heads nothing: a link, a figure.
    """

    size: float = 1.0
    weight: int = 0
    is_apart: bool = False


_USUAL = TextStyle()


#: Of a page without style sheets.
NO_RULES: Mapping[str, str] = MappingProxyType({})


def class_rules(css: str) -> dict[str, str]:
    """What style sheets say of the letters of elements of a class, by its name: rules of a class
    alone (`.title`) or of a kind of element that has it (`p.title`)."""
    found: dict[str, str] = {}
    for rule in css[:MAX_CSS].split("}"):
        selectors, _, said = rule.rpartition("{")
        if "font" in said:
            for name in selectors.split(","):
                if told := _CLASS.fullmatch(name.strip()):
                    found[told[1]] = f"{found.get(told[1], '')};{said}"[-MAX_STYLE:]
    return found


class StyleTracker:
    """Follows the elements of a page and takes note of how its text is set.

    Args:
        rules: of classes, as of `class_rules`.
    """

    def __init__(self, rules: Mapping[str, str]) -> None:
        self._rules = rules
        self._open = [_USUAL]
        self._letters: dict[TextStyle, int] = {}

    def enter(self, node: Any, tag: str) -> None:
        """Begin an element."""
        attributes = node.attributes
        if not attributes and tag not in _SETTING:
            self._open.append(self._open[-1])
            return
        size, weight, is_apart = self._open[-1]
        style = (attributes.get("style") or "")[:MAX_STYLE]
        classes = attributes.get("class") or ""
        named = f"{classes} {attributes.get('role') or ''}"
        if self._rules and classes:
            told_of = filter(None, map(self._rules.get, classes.split()))
            style = ";".join([*told_of, style])[-MAX_STYLE:]
        weight |= _WEIGHTS.get(tag, 0)
        if _HEADING_CLASS.search(named):
            weight |= BOLD
        if told := _WEIGHT.search(style):
            is_bold = told[1].lower() == "bold" or told[1][0] in "6789"
            weight = weight | BOLD if is_bold else weight & ~BOLD
        if told := _SIZE.search(style):
            size = _size(told, size)
        elif tag in ("big", "small"):
            size *= 1.2 if tag == "big" else 1 / 1.2
        elif tag == "font" and (step := (attributes.get("size") or "").strip()):
            size = _font_size(step, size)
        is_apart = is_apart or tag in _APART or (tag == "a" and "href" in attributes)
        self._open.append(TextStyle(round(size, 2), weight, is_apart))

    def leave(self) -> None:
        """End the element that was begun last."""
        self._open.pop()

    def add(self, letters: int) -> None:
        """Take note of so many letters."""
        if letters:
            setting = self._open[-1]
            self._letters[setting] = self._letters.get(setting, 0) + letters

    def take(self) -> TextStyle:
        """How the text since the last call is set: as large as most of it."""
        if not self._letters:
            return _USUAL
        letters, self._letters = self._letters, {}
        most = max(letters, key=letters.__getitem__)
        if len(letters) == 1:
            return most
        weight = reduce(and_, (one.weight for one in letters))
        return TextStyle(most.size, weight, all(one.is_apart for one in letters))


def _size(told: re.Match[str], around: float) -> float:
    if told["number"]:
        number, unit = float(told["number"]), told["unit"].lower()
        if unit == "%":
            return around * number / 100
        return around * number if unit == "em" else number * _UNITS[unit]
    word = told["word"].lower()
    if word in ("larger", "smaller"):
        return around * (1.2 if word == "larger" else 1 / 1.2)
    return _WORDS[word]


def _font_size(step: str, around: float) -> float:
    digits = step.lstrip("+-")
    if not digits.isascii() or not digits.isdecimal() or len(digits) > 2:
        return around
    number = int(digits)
    at = 3 + number if step[0] == "+" else 3 - number if step[0] == "-" else number
    return _FONT_SIZES[min(max(at, 1), len(_FONT_SIZES) - 1)]

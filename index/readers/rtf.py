"""RTF into a layout, through striprtf, which knows its letters but not how they are set: signs in
the file say that, which no text holds."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from index.chunking.layout import Composer, Layout
from index.chunking.metadata import metadata_of
from index.readers.notes import FIGURES, WRITTEN
from index.readers.unmarked_headings import BOLD, UNDERLINED, SetParagraph, heading_levels

_AUTHOR = re.compile(r"\{\\author\s([^{}]{0,2000})\}")
_CREATED = re.compile(r"\{\\creatim\\yr(\d{4})\\mo(\d\d?)\\dy(\d\d?)\b", re.ASCII)

_SIGN = "\ufddc"
_SIGNED = re.compile(f"{_SIGN}([{FIGURES}]+)")
_READ = str.maketrans(FIGURES, "0123456789")

_TOKEN = re.compile(
    r"\\(?P<word>[a-z]{1,32})(?P<number>-?\d{1,10})?[ ]?|(?P<hex>\\'[0-9a-f]{2})|"
    r"\\(?P<sign>[^a-z])|(?P<brace>[{}])|[\r\n]+|(?P<text>[^\\{}\r\n]+)",
    re.IGNORECASE,
)
_UNDERLINES = frozenset(("ul", "uld", "uldb", "ulth", "ulw", "ulwave", "uldash"))


class _Setting(NamedTuple):
    """How text is set.

    Attributes:
        size: of its letters in half points.
        weight: of its letters.
        level: of a heading that its paragraph is, 1 the highest; 0 of others.
    """

    size: int = 24
    weight: int = 0
    level: int = 0


def read_rtf(content: bytes, _name: str) -> Layout:
    """The layout of an RTF file: a line is a paragraph, cells of a table are divided."""
    from striprtf import striprtf

    rtf = content.decode("latin-1")
    settings: list[_Setting] = []
    signed = "".join(_signed(rtf, settings, striprtf.destinations))
    told = list(_paragraphs(_text(striprtf, signed), settings))
    out = Composer()
    for level, paragraph in zip(heading_levels(told), told, strict=True):
        cells = [cell.strip() for cell in paragraph.text.split("|")]
        if level:
            out.heading(level, paragraph.text)
        elif len(cells) > 2:
            out.table((), [cells])
        else:
            out.block([paragraph.text], "prose")
    # By the library, since letters are written there as in the text.
    author = _AUTHOR.search(rtf)
    named = _text(striprtf, f"{{\\rtf1\\ansi {author[1]}}}") if author else ""
    dates = ["-".join(parts) for parts in _CREATED.findall(rtf)[:1]]
    return out.layout(metadata=metadata_of([[named]], dates))


def _text(striprtf: Any, rtf: str) -> str:
    return str(striprtf.rtf_to_text(rtf, errors="replace"))


def _signed(rtf: str, settings: list[_Setting], beside: frozenset[str]) -> Iterator[str]:
    """A file in pieces, with signs where text is set otherwise than before: numbers of settings,
    which are added to those given. In what is no text, and in links, there are none."""
    numbers: dict[_Setting, int] = {}
    setting, is_beside = _Setting(), False
    last: _Setting | None = None
    outer: list[tuple[_Setting, bool]] = []
    for token in _TOKEN.finditer(rtf):
        word, brace = token["word"], token["brace"]
        if brace == "{":
            outer.append((setting, is_beside))
        elif brace and outer:
            setting, is_beside = outer.pop()
        elif word in beside or word == "field" or token["sign"] == "*":
            is_beside = True
        elif word and word != "u":
            setting = _set(setting, word, token["number"])
        elif (token["text"] or token["hex"] or word) and setting != last and not is_beside:
            last = setting
            number = numbers.setdefault(setting, len(numbers))
            if number == len(settings):
                settings.append(setting)
            sign = _SIGN + str(number).translate(WRITTEN)
            yield "{\\uc0" + "".join(f"\\u{ord(letter)} " for letter in sign) + "}"
        yield token[0]


def _set(setting: _Setting, word: str, number: str | None) -> _Setting:
    """How text is set behind a control word."""
    size, weight, level = setting
    if word == "fs" and number:
        return _Setting(abs(int(number)), weight, level)
    if word == "plain":
        return _Setting(level=level)
    if word == "pard":
        return _Setting(size, weight)
    if word == "outlinelevel" and number:
        return _Setting(size, weight, abs(int(number)) % 10 + 1)
    if word == "b" or word in _UNDERLINES or word == "ulnone":
        mark = BOLD if word == "b" else UNDERLINED
        is_on = number != "0" and word != "ulnone"
        return _Setting(size, weight | mark if is_on else weight & ~mark, level)
    return setting


def _paragraphs(text: str, settings: list[_Setting]) -> Iterator[SetParagraph]:
    """The lines of a text, without signs, and how they are set; blank ones are left out."""
    setting = _Setting()
    for line in text.splitlines():
        level, pieces = 0, list[tuple[str, float, int]]()
        for at, piece in enumerate(_SIGNED.split(line)):
            if at % 2:
                number = int(piece.translate(_READ))
                setting = settings[number] if number < len(settings) else setting
                continue
            pieces.append((piece, setting.size, setting.weight))
            level = setting.level if any(map(str.isalnum, piece)) else level
        told = SetParagraph.of(pieces, _Setting().size, level=level, may_head="|" not in line)
        if told.text:
            yield told

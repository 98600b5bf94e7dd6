"""Word files made ready for docling's reader of them: what is set as a heading is marked as one,
contents are left out, notes are marked, and text is not divided where its format changes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from index.chunking.layout import describes
from index.readers.notes import Notes
from index.readers.unmarked_headings import BOLD, UNDERLINED, SetParagraph, with_levels

NAMESPACES = {
    "w": "http://schemas.openxmlformats.org/wordprocessingml/2006/main",
    "wp": "http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing",
}
_W = f"{{{NAMESPACES['w']}}}"
WORD_PARTS = re.compile(
    r"word/(?:document|styles|numbering|footnotes|endnotes|comments|header\d*|footer\d*)\.xml"
)
"""Parts of a file that are prepared, or say how."""

_CONTENTS = re.compile(
    r"(?:to[ac]|contents|index) (?:\d|heading)|contents|table of (?:figures|authorities)", re.I
)
#: Names of styles that set what is no heading apart.
_APART = re.compile(r"caption|quote|code|footnote|endnote|header|footer|author|date", re.I)
#: Parts of a paragraph with no text of it: what was deleted, and what stands beside it.
_BESIDE = frozenset(
    f"{_W}{name}" for name in ("pPr", "rPr", "del", "moveFrom", "drawing", "pict", "object")
)
#: Elements that say whether letters are bold, or underlined, and what weight they give.
_WEIGHTS = {"b": BOLD, "u": UNDERLINED}
_WHITE = {f"{_W}br": "\n", f"{_W}cr": "\n", f"{_W}tab": "\t"}
_NUMERAL = re.compile(r"\d{1,9}(?:\.\d{1,9})?", re.ASCII)
_SPACE = "{http://www.w3.org/XML/1998/namespace}space"
_DEEPEST = 9
_FORMATS = frozenset(("lowerLetter", "upperLetter", "lowerRoman", "upperRoman"))
_ROMAN = tuple(
    zip(
        (1000, 900, 500, 400, 100, 90, 50, 40, 10, 9, 5, 4, 1),
        "m cm d cd c xc l xl x ix v iv i".split(),
        strict=True,
    )
)
_MAX_MARKER = 40
"""Characters of a number with what stands around it."""
_LARGEST = 1000
"""From which on numbers are shown as figures."""
_DEFAULT_SIZE = 20.0
"""Half points, where a file says nothing else (ISO 29500-1, 17.3.2.38)."""


@dataclass(frozen=True, slots=True)
class _Style:
    """What a style says, with what it is based on.

    Attributes:
        name: as its file has it.
        size: of letters in half points; 0 where it says nothing.
        weight: of letters.
        level: of a heading, 1 the highest; 0 of other styles.
        number: its numbering and the level there.
    """

    name: str = ""
    size: float = 0.0
    weight: int = 0
    level: int = 0
    number: tuple[str, int] | None = None


@dataclass(frozen=True, slots=True)
class _Level:
    """A level of a numbering.

    Attributes:
        sequence: which numbers it goes on.
        format_name: of its numbers.
        text: around them: `%1.%2`.
        start: the first one.
    """

    sequence: str
    format_name: str
    text: str
    start: int

    @property
    def is_counted(self) -> bool:
        """Whether it has figures or letters, and no dots."""
        return self.format_name not in ("bullet", "none", "")


class _Styles:
    """The styles of a Word file, and its numberings.

    Args:
        parts: the root elements of `word/styles.xml` and `word/numbering.xml`, as far as it has
            them.
    """

    def __init__(self, parts: Mapping[str, Any]) -> None:
        self._elements: dict[str, Any] = {}
        self._known: dict[str, _Style] = {}
        self.usual = ""
        self.size = _DEFAULT_SIZE
        #: By the numbering's id and the level there, from 0.
        self.levels: dict[tuple[str, int], _Level] = {}
        #: Of each sequence of numbers the last one at each level.
        self._counts: dict[str, dict[int, int]] = {}
        if (styles := parts.get("word/styles.xml")) is not None:
            self._read_styles(styles)
        if (numbering := parts.get("word/numbering.xml")) is not None:
            self._read_numbering(numbering)

    def _read_styles(self, root: Any) -> None:
        for element in root.iterfind("w:style", NAMESPACES):
            self._elements[element.get(f"{_W}styleId", "")] = element
            if element.get(f"{_W}type") == "paragraph" and element.get(f"{_W}default") == "1":
                self.usual = element.get(f"{_W}styleId", "")
        default = root.find("w:docDefaults/w:rPrDefault/w:rPr", NAMESPACES)
        if default is not None:
            self.size = _number(default.find("w:sz", NAMESPACES)) or self.size

    def _read_numbering(self, root: Any) -> None:
        kinds = {
            element.get(f"{_W}abstractNumId"): element.findall("w:lvl", NAMESPACES)
            for element in root.iterfind("w:abstractNum", NAMESPACES)
        }
        for element in root.iterfind("w:num", NAMESPACES):
            name = element.get(f"{_W}numId", "")
            kind = _value(element.find("w:abstractNumId", NAMESPACES))
            begins_anew = element.find("w:lvlOverride/w:startOverride", NAMESPACES) is not None
            for level in kinds.get(kind, ())[:_DEEPEST]:
                format_name, text, start = (
                    level.find(f"w:{tag}", NAMESPACES) for tag in ("numFmt", "lvlText", "start")
                )
                self.levels[name, int(_number(level, "ilvl"))] = _Level(
                    f"num {name}" if begins_anew else kind,
                    _value(format_name),
                    _value(text)[:_MAX_MARKER],
                    int(_number(start)) if start is not None else 1,
                )

    def marker(self, number: tuple[str, int]) -> str:
        """The number of the next paragraph of a numbering, as it is shown."""
        own = self.levels.get(number)
        if own is None:
            return ""
        name, depth = number
        counts = self._counts.setdefault(own.sequence, {})
        counts[depth] = counts.get(depth, own.start - 1) + 1
        for deeper in [level for level in counts if level > depth]:
            del counts[deeper]

        def shown(told: re.Match[str]) -> str:
            level = int(told[1]) - 1
            of = self.levels.get((name, level), own)
            return _counted(counts.get(level, of.start), of.format_name)

        return re.sub(r"%([1-9])", shown, own.text)

    def of(self, name: str) -> _Style:
        """What a style says, by its id."""
        chain: list[str] = []
        while name in self._elements and name not in self._known and name not in chain:
            chain.append(name)
            name = _value(self._elements[name].find("w:basedOn", NAMESPACES))
        found = self._known.get(name, _Style())
        for name in reversed(chain):
            found = self._known[name] = _based_on(found, self._elements[name])
        return found


def _based_on(base: _Style, element: Any) -> _Style:
    name = _value(element.find("w:name", NAMESPACES))
    paragraph, letters = (element.find(f"w:{tag}", NAMESPACES) for tag in ("pPr", "rPr"))
    outline = None if paragraph is None else paragraph.find("w:outlineLvl", NAMESPACES)
    level = base.level if outline is None else int(_number(outline) or 0) + 1
    told = re.search(r"heading ?(\d)?", f"{name} {element.get(f'{_W}styleId', '')}", re.I)
    if told and outline is None:
        level = int(told[1] or 1)
    elif name.lower() == "title":
        level = 1
    return _Style(
        name,
        (0.0 if letters is None else _number(letters.find("w:sz", NAMESPACES))) or base.size,
        _weight(letters, base.weight),
        level if level <= _DEEPEST else 0,
        (None if paragraph is None else _numbered(paragraph)) or base.number,
    )


def prepare(parts: Mapping[str, Any]) -> None:
    """Make a file ready.

    Args:
        parts: the root elements of its WORD_PARTS, which are changed.
    """
    styles, notes = _Styles(parts), Notes()
    for name, root in parts.items():
        if name == "word/styles.xml":
            _add_heading_styles(root)
        elif name != "word/numbering.xml":
            _drop_contents(root, styles)
            body = root.find("w:body", NAMESPACES)
            if body is not None:
                _mark_headings(body, styles)
            _join_runs(root)
    for name in ("word/document.xml", "word/footnotes.xml", "word/endnotes.xml"):
        if name in parts:
            _sign_notes(parts[name], notes)


def _add_heading_styles(root: Any) -> None:
    from lxml import etree

    for level in range(1, _DEEPEST + 1):
        named = {f"{_W}type": "paragraph", f"{_W}styleId": _heading_style(level)}
        style = etree.SubElement(root, f"{_W}style", named)
        etree.SubElement(style, f"{_W}name", {f"{_W}val": f"Marked heading {level}"})


def _heading_style(level: int) -> str:
    """The id of a style that docling takes for that of headings of a level."""
    return f"Heading:{min(level, _DEEPEST)}"


def _drop_contents(root: Any, styles: _Styles) -> None:
    for paragraph in root.findall(".//w:p", NAMESPACES):
        if _CONTENTS.fullmatch(styles.of(_style_id(paragraph)).name):
            paragraph.getparent().remove(paragraph)


def _mark_headings(body: Any, styles: _Styles) -> None:
    """Give paragraphs that are set as headings the style of one."""
    from lxml import etree

    told = ((element, _set_paragraph(element, styles)) for element in _elements_of(body))
    for element, paragraph, level in with_levels(told):
        number = _number_of(element, styles) if element.tag == f"{_W}p" else None
        marker = styles.marker(number) if number else ""
        if level and not paragraph.level:
            properties = element.find("w:pPr", NAMESPACES)
            if properties is None:
                properties = etree.Element(f"{_W}pPr")
                element.insert(0, properties)
            for tag in ("pStyle", "numPr"):
                for given in properties.findall(f"w:{tag}", NAMESPACES):
                    properties.remove(given)
            style = etree.Element(f"{_W}pStyle", {f"{_W}val": _heading_style(level)})
            properties.insert(0, style)
            if marker:
                run = etree.Element(f"{_W}r")
                etree.SubElement(run, f"{_W}t", {_SPACE: "preserve"}).text = f"{marker} "
                properties.addnext(run)


def _elements_of(body: Any) -> Iterator[Any]:
    """The paragraphs and tables of a text, those in controls too, in their order."""
    waiting = list(reversed(body))
    while waiting:
        element = waiting.pop()
        if element.tag in (f"{_W}p", f"{_W}tbl"):
            yield element
        elif element.tag in (f"{_W}sdt", f"{_W}sdtContent", f"{_W}ins", f"{_W}customXml"):
            waiting.extend(reversed(element))


def _set_paragraph(element: Any, styles: _Styles) -> SetParagraph | None:
    """A paragraph, or a table as something that is none; None of what is empty."""
    if element.tag != f"{_W}p":
        return SetParagraph("", may_head=False)
    style = styles.of(_style_id(element) or styles.usual)
    number = _number_of(element, styles)
    is_item = number is not None and number[0] != "0"
    is_counted = number in styles.levels and styles.levels[number].is_counted
    may_head = not _APART.search(style.name) and (not is_item or is_counted)
    depth = number[1] + 1 if number is not None and is_item else 0
    pieces = ((_text_of(run), *_letters_of(run, style, styles)) for run in _runs(element))
    told = SetParagraph.of(pieces, styles.size, level=style.level, may_head=may_head, depth=depth)
    if told.text:
        return told
    holds_picture = element.find(".//w:drawing", NAMESPACES) is not None
    return SetParagraph("", may_head=False) if holds_picture else None


def _text_of(run: Any) -> str:
    return "".join(
        _WHITE.get(node.tag, node.text or "")
        for node in run
        if node.tag == f"{_W}t" or node.tag in _WHITE
    )


def _runs(paragraph: Any) -> Iterator[Any]:
    waiting = list(reversed(paragraph))
    while waiting:
        element = waiting.pop()
        if element.tag == f"{_W}r":
            yield element
        elif element.tag not in _BESIDE:
            waiting.extend(reversed(element))


def _letters_of(run: Any, style: _Style, styles: _Styles) -> tuple[float, int]:
    """The size of a run's letters in half points, and their weight; links are underlined anyway."""
    size, weight, is_link = style.size, style.weight, run.getparent().tag == f"{_W}hyperlink"
    letters = run.find("w:rPr", NAMESPACES)
    if letters is not None:
        named = letters.find("w:rStyle", NAMESPACES)
        if named is not None:
            own = styles.of(_value(named))
            size, weight = own.size or size, weight | own.weight
            is_link |= "hyperlink" in own.name.lower()
        size = _number(letters.find("w:sz", NAMESPACES)) or size
        weight = _weight(letters, weight)
    return size or styles.size, weight & ~UNDERLINED if is_link else weight


def _style_id(paragraph: Any) -> str:
    return _value(paragraph.find("w:pPr/w:pStyle", NAMESPACES))


def _numbered(properties: Any) -> tuple[str, int] | None:
    number = properties.find("w:numPr/w:numId", NAMESPACES)
    if number is None:
        return None
    return _value(number), int(_number(properties.find("w:numPr/w:ilvl", NAMESPACES)))


def _number_of(element: Any, styles: _Styles) -> tuple[str, int] | None:
    """The numbering of a paragraph, and the level there."""
    properties = element.find("w:pPr", NAMESPACES)
    own = None if properties is None else _numbered(properties)
    return own or styles.of(_style_id(element) or styles.usual).number


def _counted(number: int, format_name: str) -> str:
    """A number as a format of numbers shows it."""
    if not 0 < number < _LARGEST or format_name not in _FORMATS:
        return str(number)
    if format_name.endswith("Letter"):
        shown = chr(ord("a") + (number - 1) % 26) * ((number - 1) // 26 + 1)
    else:
        shown = ""
        for value, letters in _ROMAN:
            shown += letters * (number // value)
            number %= value
    return shown.upper() if format_name.startswith("upper") else shown


def _weight(letters: Any, weight: int) -> int:
    """What the properties of letters say of their weight, which else is as it was."""
    for tag, step in _WEIGHTS.items():
        told = None if letters is None else letters.find(f"w:{tag}", NAMESPACES)
        if told is not None:
            is_on = _value(told) not in ("0", "false", "off", "none")
            weight = weight | step if is_on else weight & ~step
    return weight


def _value(element: Any, name: str = "val") -> str:
    return "" if element is None else str(element.get(f"{_W}{name}", ""))


def _number(element: Any, name: str = "val") -> float:
    """A number that an element says; 0 where it says none."""
    told = _value(element, name)
    return float(told) if _NUMERAL.fullmatch(told) else 0.0


def _join_runs(root: Any) -> None:
    """Take the formats of characters away, make text of links, and say below pictures what is told
    of them.

    The library takes each change of format for the end of a piece and drops the white space there,
    so that a word with a bold letter looked like two words. What stands in place of
    pictures it leaves out.
    """
    from lxml import etree
    from lxml.builder import ElementMaker

    word = ElementMaker(namespace=NAMESPACES["w"])
    for properties in root.findall(".//w:r/w:rPr", NAMESPACES):
        properties.getparent().remove(properties)
    etree.strip_tags(root, f"{_W}hyperlink")
    for paragraph in root.findall(".//w:p", NAMESPACES):
        pictures = paragraph.findall(".//wp:docPr", NAMESPACES)
        for picture in reversed(pictures):
            if describes(told := picture.get("descr", "")):
                paragraph.addnext(word.p(word.r(word.t(" ".join(told.split())))))


def _sign_notes(root: Any, notes: Notes) -> None:
    """Put signs where notes are marked, and where they begin."""
    from lxml import etree

    for kind in ("footnote", "endnote"):
        for mark in root.iterfind(f".//w:{kind}Reference", NAMESPACES):
            shown = etree.Element(f"{_W}t")
            shown.text = notes.mark(f"{kind} {_value(mark, 'id')}")
            mark.addnext(shown)
        for note in root.iterfind(f"w:{kind}", NAMESPACES):
            text = note.find(".//w:t", NAMESPACES)
            if text is not None:
                text.text = notes.begin(f"{kind} {_value(note, 'id')}") + (text.text or "").lstrip()

"""OpenDocument texts made ready for docling's reader of them, as files of Word are: what is set as
a heading is marked as one, contents are left out, notes are marked, and no text is divided."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from index.readers.notes import Notes
from index.readers.unmarked_headings import BOLD, UNDERLINED, SetParagraph, with_levels

TEXT_PARTS = re.compile(r"(?:content|styles)\.xml")
"""Parts of a file that are prepared, or say how."""

_SPACES = {
    name: f"urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"
    for name in ("office", "style", "text", "table", "drawing")
}
_TEXT, _STYLE = (f"{{{_SPACES[name]}}}" for name in ("text", "style"))
_FO = "{urn:oasis:names:tc:opendocument:xmlns:xsl-fo-compatible:1.0}"
_LENGTH = re.compile(r"(\d{1,4}(?:\.\d{1,6})?)(pt|%)", re.ASCII)
_SIZE = 12.0
"""Points, where a file says nothing else. Not tuned."""
_CONTENTS = re.compile(re.escape(_TEXT) + r"(?:table-of-content|[a-z]+-index)")
#: Parts of a paragraph with no text of it.
_BESIDE = frozenset(
    (f"{_TEXT}note", f"{{{_SPACES['office']}}}annotation", f"{{{_SPACES['drawing']}}}frame")
)
_WHITE = {f"{_TEXT}line-break": "\n", f"{_TEXT}tab": "\t", f"{_TEXT}s": " "}

_Letters = tuple[float, int]
"""The size of letters in points, and their weight."""


def prepare_text(parts: Mapping[str, Any]) -> None:
    """Make a file ready.

    Args:
        parts: the root elements of its TEXT_PARTS, which are changed.
    """
    from lxml import etree

    content = parts.get("content.xml")
    body = None if content is None else content.find("office:body/office:text", _SPACES)
    if body is None:
        return
    for element in [node for node in body.iter("{*}*") if _CONTENTS.fullmatch(node.tag)]:
        element.getparent().remove(element)
    styles = {
        (style.get(f"{_STYLE}family"), style.get(f"{_STYLE}name")): style
        for root in (parts.get("styles.xml"), content)
        for style in (() if root is None else root.iter(f"{_STYLE}style"))
    }
    told = ((element, _set_paragraph(element, styles)) for element in _elements_of(body))
    for element, paragraph, level in with_levels(told):
        if level and not paragraph.level:
            element.tag = f"{_TEXT}h"
            element.set(f"{_TEXT}outline-level", str(level))
    etree.strip_tags(body, f"{_TEXT}span", f"{_TEXT}a")
    notes = Notes()
    for number, note in enumerate(body.iter(f"{_TEXT}note")):
        text = note.find("text:note-body//text:p", _SPACES)
        if text is not None:
            note.tail = notes.mark(str(number)) + (note.tail or "")
            text.text = notes.begin(str(number)) + (text.text or "").lstrip()


def _elements_of(body: Any) -> Iterator[Any]:
    """The paragraphs, headings, lists and tables of a text, in their order."""
    waiting = list(reversed(body))
    while waiting:
        element = waiting.pop()
        if element.tag == f"{_TEXT}section":
            waiting.extend(reversed(element))
        else:
            yield element


def _set_paragraph(element: Any, styles: Mapping[Any, Any]) -> SetParagraph | None:
    """A paragraph as it is set, or something as what is none; None of what is empty."""
    if element.tag not in (f"{_TEXT}p", f"{_TEXT}h"):
        return SetParagraph("", may_head=False)
    given = element.get(f"{_TEXT}outline-level") or "1"
    level = (int(given) if given.isdecimal() else 1) if element.tag == f"{_TEXT}h" else 0
    pieces = ((text, *letters) for text, letters in _pieces(element, styles))
    told = SetParagraph.of(pieces, _SIZE, level=level)
    if told.text:
        return told
    return SetParagraph("", may_head=False) if len(element) else None


def _pieces(element: Any, styles: Mapping[Any, Any]) -> Iterator[tuple[str, _Letters]]:
    """What a paragraph says, in pieces that are set alike."""
    waiting: list[tuple[Any, _Letters]] = [(element, (_SIZE, 0))]
    while waiting:
        node, letters = waiting.pop()
        if isinstance(node, str):
            yield node, letters
        elif node.tag in _WHITE:
            yield _WHITE[node.tag], letters
        elif node.tag not in _BESIDE:
            family = "paragraph" if node is element else "text"
            letters = _letters_of(styles, family, node.get(f"{_TEXT}style-name"), letters)
            if node.tag == f"{_TEXT}a":  # underlined, as links are
                letters = letters[0], letters[1] & ~UNDERLINED
            inside = [(node.text, letters)]
            for child in node:
                inside += [(child, letters), (child.tail, letters)]
            waiting.extend(reversed([pair for pair in inside if pair[0] is not None]))


def _letters_of(
    styles: Mapping[Any, Any], family: str, name: str | None, letters: _Letters
) -> _Letters:
    """How letters are set by a style and those that it is based on."""
    chain: list[Any] = []
    while (family, name) in styles and styles[family, name] not in chain:
        chain.append(styles[family, name])
        name = chain[-1].get(f"{_STYLE}parent-style-name")
    size, weight = letters
    for style in reversed(chain):
        properties = style.find("style:text-properties", _SPACES)
        if properties is None:
            continue
        if told := _LENGTH.fullmatch(properties.get(f"{_FO}font-size", "")):
            size = float(told[1]) if told[2] == "pt" else size * float(told[1]) / 100
        for mark, key, plain in (
            (BOLD, f"{_FO}font-weight", "normal"),
            (UNDERLINED, f"{_STYLE}text-underline-style", "none"),
        ):
            if value := properties.get(key):
                weight = weight & ~mark if value == plain else weight | mark
    return size, weight

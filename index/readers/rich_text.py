"""Rich text into a layout: Word, PowerPoint and OpenDocument, through docling's readers that take
no model; RTF; and what packed office files say of who wrote them and when.

Nothing that a file refers to outside of itself is fetched.
"""

# Typographic quotes are meant as they stand.
# ruff: noqa: RUF001

from __future__ import annotations

import logging
import re
import zipfile
from collections import defaultdict
from collections.abc import Mapping
from contextlib import suppress
from copy import deepcopy
from dataclasses import replace
from importlib import import_module
from io import BytesIO
from itertools import groupby
from typing import Any
from unicodedata import category

from index.chunking.isolation import report_progress
from index.chunking.layout import (
    BULLET,
    Block,
    Composer,
    Layout,
    Part,
    describes,
    names_columns,
    with_bullets,
)
from index.chunking.metadata import metadata_of
from index.chunking.zip_archive import DAMAGED, refuse_entities
from index.errors import EmptyDocumentError, NotTextError
from index.models import DocumentMetadata
from index.readers.captions import is_table_caption
from index.readers.html import xml_tree
from index.readers.notes import parted, signs_of, with_notes
from index.readers.open_document import TEXT_PARTS, prepare_text
from index.readers.pictures import layout_of_picture
from index.readers.word import WORD_PARTS, prepare

#: For each format, docling's name of it, and the module and class that read it.
BACKENDS = {
    "docx": ("DOCX", "msword_backend", "MsWordDocumentBackend"),
    "pptx": ("PPTX", "mspowerpoint_backend", "MsPowerpointDocumentBackend"),
    "odt": ("ODT", "opendocument_backend", "OdtDocumentBackend"),
    "odp": ("ODP", "opendocument_backend", "OdpDocumentBackend"),
}
_NAMESPACES = {
    "p": "http://schemas.openxmlformats.org/presentationml/2006/main",
    "a": "http://schemas.openxmlformats.org/drawingml/2006/main",
}
_SLIDES = re.compile(r"ppt/slides/slide\d+\.xml")

#: Pixels across and down of a picture in which text may stand. Not tuned.
MIN_PICTURE = (200, 50)
#: Levels that headings in pictures are below others.
PICTURE_DEPTH = 6

#: What the pages of a format are called.
PAGES = {"pptx": "slide", "odp": "slide"}


def read_rich_text(content: bytes, name: str, format_name: str, ocr: bool = False) -> Layout:
    """The layout of a file.

    Args:
        content: its bytes.
        name: for messages.
        format_name: one of BACKENDS.
        ocr: read what stands in its pictures, too.
    """
    refuse_entities(content, name)
    document = _read(content, format_name)
    writer = _Writer(document, name, PAGES.get(format_name), ocr)
    writer.write()
    layout = with_notes(writer.out.layout(writer.title, properties_of(content)))
    pages = len(document.pages) if format_name in PAGES else 0
    parts = _with_titles_of_tables(layout)
    return replace(layout, parts=parts, pages=pages, unread=writer.unread)


def _parts(content: bytes, names: re.Pattern[str]) -> dict[str, Any]:
    """The root elements of some parts of an Office file, by their names."""
    from lxml import etree

    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=True)
    with zipfile.ZipFile(BytesIO(content)) as given:
        return {
            name: etree.fromstring(given.read(name), parser)
            for name in given.namelist()
            if names.fullmatch(name)
        }


def _with_parts(content: bytes, parts: Mapping[str, Any]) -> bytes:
    """An Office file with these parts in place of its own of their names."""
    from lxml import etree

    out = BytesIO()
    with zipfile.ZipFile(BytesIO(content)) as given, zipfile.ZipFile(out, "w") as made:
        for member in given.infolist():
            root = parts.get(member.filename)
            part = (
                given.read(member)
                if root is None
                else etree.tostring(root, xml_declaration=True, encoding="UTF-8", standalone=True)
            )
            made.writestr(member.filename, part)
    return out.getvalue()


def _tell_pictures(root: Any) -> None:
    """Add what is told of a slide's pictures as texts in their places."""
    from lxml.builder import ElementMaker

    slide, shapes = (ElementMaker(namespace=_NAMESPACES[prefix]) for prefix in ("p", "a"))
    for picture in root.findall(".//p:pic", _NAMESPACES):
        properties = picture.find("p:nvPicPr/p:cNvPr", _NAMESPACES)
        told = _one_line(properties.get("descr", "")) if properties is not None else ""
        if not describes(told):
            continue
        names = slide.nvSpPr(
            slide.cNvPr(id=properties.get("id", "0"), name=""),
            slide.cNvSpPr(txBox="1"),
            slide.nvPr(),
        )
        place = slide.spPr(*deepcopy(picture.findall("p:spPr/a:xfrm", _NAMESPACES)))
        text = slide.txBody(shapes.bodyPr(), shapes.p(shapes.r(shapes.t(told))))
        picture.addnext(slide.sp(names, place, text))


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _read(content: bytes, format_name: str) -> Any:
    """The tree that docling makes of a file."""
    from docling.datamodel.base_models import InputFormat
    from docling.datamodel.document import InputDocument

    # Our own error says what went wrong.
    logging.getLogger("docling").setLevel(logging.CRITICAL)
    kind, module, cls = BACKENDS[format_name]
    if format_name == "docx":
        parts = _parts(content, WORD_PARTS)
        prepare(parts)
        content = _with_parts(content, parts)
    elif format_name == "odt":
        parts = _parts(content, TEXT_PARTS)
        prepare_text(parts)
        content = _with_parts(content, parts)
    elif format_name == "pptx":
        parts = _parts(content, _SLIDES)
        for slide in parts.values():
            _tell_pictures(slide)
        content = _with_parts(content, parts)
    given = InputDocument(
        path_or_stream=BytesIO(content),
        format=InputFormat[kind],
        backend=getattr(import_module(f"docling.backend.{module}"), cls),
        filename=f"document.{format_name}",
    )
    if not given.valid:
        raise ValueError("it is damaged")
    backend: Any = given._backend  # noqa: SLF001 (its converter imports every format and torch)
    return backend.convert()


def _with_titles_of_tables(layout: Layout) -> list[Part]:
    """The parts of a layout, where rows are led into by the title of their table that stands right
    above it, or right below."""
    parts = list(layout.parts)
    at = 0
    for is_table, run in groupby(layout.parts, _is_row):
        start, at = at, at + len(list(run))
        # What stands between two tables is the title of the second.
        below = parts[at : at + 1] if not any(map(_is_row, parts[at + 1 : at + 2])) else []
        for part in [*parts[max(0, start - 1) : start], *below] * is_table:
            if isinstance(part, Block):
                lead = part.spans[0][0], part.spans[-1][1]
                if is_table_caption(layout.text[slice(*lead)]):
                    rows = (part for part in parts[start:at] if isinstance(part, Block))
                    parts[start:at] = [replace(row, lead=lead) for row in rows]
                    break
    return parts


def _is_row(part: Part) -> bool:
    return isinstance(part, Block) and part.kind == "row"


class _Writer:
    """Writes the tree of a docling document, and what stands in its pictures."""

    def __init__(self, document: Any, name: str, page_name: str | None, ocr: bool) -> None:
        self.out = Composer()
        self.title: str | None = None
        #: How many pictures may hold text and were not read.
        self.unread = 0
        self._document, self._name, self._page_name, self._ocr = document, name, page_name, ocr
        self._page: int | None = None
        self._pictures_read = 0
        #: By the signs that they begin with, and up to where marks were looked for.
        self._notes: dict[str, str] = {}
        self._noted = 0

    def write(self) -> None:
        nodes = self._nodes(self._document.body)
        for node in nodes:
            if node.label.value == "footnote":
                sign, text = parted(node.text)
                self._notes[sign or text] = node.text
        for node in nodes:
            self._write(node)
        self._write_notes()
        for text in self._notes.values():
            self.out.block([text], "prose")

    def _write_notes(self) -> None:
        """Write the notes whose marks stand in the section that ends here."""
        for sign in signs_of(self.out.text(self._noted)):
            self.out.block([self._notes.pop(sign, "")], "prose")
        self._noted = self.out.length

    def _nodes(self, item: Any) -> list[Any]:
        return [child.resolve(self._document) for child in item.children]

    def _write(self, item: Any) -> None:
        label = item.label.value
        self._enter_page(item)
        if label in ("list", "ordered_list", "list_item"):  # an item may stand outside of a list
            self._list(item)
        elif label == "inline":
            self.out.block([self._inline(item)], "prose")
        elif label == "table":
            self._table(item)
        elif label == "code":
            self.out.block(item.text.splitlines(), "lines")
        elif label != "footnote":
            if label in ("title", "section_header"):
                self._write_notes()
            if label == "title":
                text = _plain(self._text(item))
                self.title = self.title or _one_line(text) or None
                self.out.heading(1, text)
            elif label == "section_header":
                self.out.heading(item.level + 1, _plain(self._text(item)))
            elif label == "picture":
                self._picture(item)
            elif text := with_bullets(getattr(item, "text", "")):
                self.out.block([text], "list" if text.startswith(BULLET) else "prose")
            for node in self._nodes(item):
                # The pieces of a heading that has no text of its own are its text.
                if node.label.value != "inline" or getattr(item, "text", ""):
                    self._write(node)

    def _picture(self, item: Any) -> None:
        """Write what stands in a picture, if that is to be read, and something does."""
        picture = item.get_image(self._document)
        if picture is None or picture.width < MIN_PICTURE[0] or picture.height < MIN_PICTURE[1]:
            return
        if not self._ocr:
            self.unread += 1
            return
        report_progress(self._pictures_read, len(self._document.pictures))
        self._pictures_read += 1
        with suppress(EmptyDocumentError):  # it is no picture of text
            self.out.paste(layout_of_picture(picture, self._name), PICTURE_DEPTH)

    def _text(self, item: Any) -> str:
        """What an item says, in its own text or in the pieces below it."""
        nodes = self._nodes(item)
        inline = [self._inline(node) for node in nodes if node.label.value == "inline"]
        return str(getattr(item, "text", "") or " ".join(inline))

    def _inline(self, group: Any) -> str:
        """The pieces of a paragraph that are set apart by their format alone."""
        text = ""
        for node in self._nodes(group):
            piece = getattr(node, "text", "") or self._inline(node)
            if text and piece and not text[-1].isspace():
                opens = piece[0] in "([“‘"
                if opens or (piece[0].isalnum() and text[-1] not in "([“‘/"):
                    text += " "
            text += piece
        return text

    def _list(self, group: Any) -> None:
        """A list and those inside it as one block; what is no item, a table say, after it."""
        texts: list[str] = []
        others: list[Any] = []
        self._gather(group, texts, others)
        self.out.block(texts, "list")
        for node in others:
            self._write(node)

    def _gather(self, item: Any, texts: list[str], others: list[Any]) -> None:
        label = item.label.value
        if label == "inline":
            texts.append(self._inline(item))
            return
        if label not in ("list", "ordered_list", "list_item", "text", "paragraph"):
            others.append(item)
            return
        marker = getattr(item, "marker", "") or ""
        if text := self._text(item) if label not in ("list", "ordered_list") else "":
            texts.append(f"{marker} {text}".strip())
        for node in self._nodes(item):
            # The pieces of an item that has no text of its own are its text.
            if node.label.value != "inline" or getattr(item, "text", "") or not text:
                self._gather(node, texts, others)

    def _table(self, table: Any) -> None:
        for caption in table.captions:
            self.out.block([caption.resolve(self._document).text], "prose")
        header: list[list[str]] = []
        rows: list[list[str]] = []
        for row in filter(None, table.data.grid):
            if all(cell.column_header for cell in row):
                header.append([cell.text for cell in row])
            else:
                # Of a cell that spans columns the text stands in the first of them.
                once = {id(cell): n for n, cell in reversed(list(enumerate(row)))}
                rows.append([cell.text * (once[id(cell)] == n) for n, cell in enumerate(row)])
        if not header and names_columns(rows):
            names, *rows = rows
        else:
            columns = zip(*header, strict=True)
            names = [" ".join(dict.fromkeys(column)) for column in columns]
        self.out.table(names, rows)

    def _enter_page(self, item: Any) -> None:
        if self._page_name and getattr(item, "prov", None):
            page = item.prov[0].page_no
            if page != self._page:
                self._page = page
                self.out.place(page, f"{self._page_name} {page}")


def _plain(text: str) -> str:
    """Without the characters of private fonts, which web pages put beside headings as buttons."""
    return "".join(c for c in text if category(c) != "Co").strip()


# --- who wrote a packed file, and when ------------------------------------------------------------

_PROPERTIES = ("docProps/core.xml", "meta.xml")
"""Of Office Open XML and of OpenDocument."""

_AUTHORS = ("initial-creator", "creator")
"""In OpenDocument the other one is who saved it last."""
_DATES = ("created", "creation-date", "modified", "date")
#: When the templates were made that python-docx, python-pptx and Excel begin with.
_TEMPLATES = frozenset(
    (
        "2013-12-23T23:15:00Z 2013-01-27T09:14:16Z 2013-01-27T09:15:58Z "
        "2006-09-16T00:00:00Z 2015-06-05T18:17:20Z 2015-06-05T18:19:34Z"
    ).split()
)

_MAX_PROPERTIES = 1_000_000
"""Bytes that are read of a member."""


def properties_of(content: bytes) -> DocumentMetadata:
    """Who wrote a packed file and when, as far as it says."""
    found: dict[str, list[str]] = defaultdict(list)
    # Its text is of use without them.
    with suppress(*DAMAGED, NotTextError), zipfile.ZipFile(BytesIO(content)) as archive:
        for path in set(_PROPERTIES).intersection(archive.namelist()):
            with archive.open(path) as member:
                tree = xml_tree(member.read(_MAX_PROPERTIES), path)
            for node in tree.root.traverse():
                found[node.tag.rpartition(":")[2]].append(node.text(deep=False))
    dates = [told for name in _DATES for told in found[name] if told not in _TEMPLATES]
    return metadata_of([found[name] for name in _AUTHORS], dates)

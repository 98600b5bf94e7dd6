"""Documents of headings, paragraphs, lists and tables into a layout, through docling's readers that
take no model: Word, PowerPoint, OpenDocument.

Nothing that a file refers to outside of itself is fetched.
"""

# Typographic quotes are meant as they stand.
# ruff: noqa: RUF001

from __future__ import annotations

import logging
import re
import zipfile
from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import replace
from importlib import import_module
from io import BytesIO
from typing import Any
from unicodedata import category

from index.chunking.isolation import tell
from index.chunking.layout import Composer, Layout, describes, names_columns
from index.errors import EmptyDocumentError
from index.readers.pictures import layout_of_picture
from index.readers.properties import properties_of

#: For each format, docling's name of it, and the module and class that read it.
BACKENDS = {
    "docx": ("DOCX", "msword_backend", "MsWordDocumentBackend"),
    "pptx": ("PPTX", "mspowerpoint_backend", "MsPowerpointDocumentBackend"),
    "odt": ("ODT", "opendocument_backend", "OdtDocumentBackend"),
    "odp": ("ODP", "opendocument_backend", "OdpDocumentBackend"),
}
_WORD = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_DRAWING = "{http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing}"
_SLIDE = "{http://schemas.openxmlformats.org/presentationml/2006/main}"
_SHAPES = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
_SLIDES = re.compile(r"ppt/slides/slide\d+\.xml")
_WORD_TEXT = re.compile(r"word/(?:document|footnotes|endnotes|comments|header\d*|footer\d*)\.xml")

#: Pixels across and down of a picture in which text may stand. Not tuned.
TEXT = (200, 50)
#: Levels that headings in pictures are below others.
DEEP = 6

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
    document = _read(content, format_name)
    pictures = _Pictures(document, name, ocr)
    writer = _Writer(document, Composer(), PAGES.get(format_name), pictures)
    writer.write()
    layout = writer.out.layout(writer.title, properties_of(content))
    pages = len(document.pages) if format_name in PAGES else 0
    return replace(layout, pages=pages, unread=pictures.unread)


def _changed(content: bytes, parts: re.Pattern[str], change: Callable[[Any], None]) -> bytes:
    """An Office file with some of its parts changed.

    Args:
        content: its bytes.
        parts: their names.
        change: given the root element of each.
    """
    from lxml import etree

    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=True)
    out = BytesIO()
    with zipfile.ZipFile(BytesIO(content)) as given, zipfile.ZipFile(out, "w") as made:
        for member in given.infolist():
            part = given.read(member)
            if parts.fullmatch(member.filename):
                root = etree.fromstring(part, parser)
                change(root)
                part = etree.tostring(root, xml_declaration=True, encoding="UTF-8", standalone=True)
            made.writestr(member.filename, part)
    return out.getvalue()


def _as_one_run(root: Any) -> None:
    """A part of a Word file without the formats of characters, with links as text, and what is told
    of pictures below them.

    The library takes each change of format for the end of a piece and drops the white space there,
    so that a word with a bold letter could not be told from two words. What stands in place of
    pictures it leaves out.
    """
    from lxml import etree

    for own in root.findall(f".//{_WORD}r/{_WORD}rPr"):
        own.getparent().remove(own)
    etree.strip_tags(root, f"{_WORD}hyperlink")
    for paragraph in root.findall(f".//{_WORD}p"):
        told = [own.get("descr", "") for own in paragraph.findall(f".//{_DRAWING}docPr")]
        for text in reversed([one for one in told if describes(one)]):
            below = etree.Element(f"{_WORD}p")
            etree.SubElement(etree.SubElement(below, f"{_WORD}r"), f"{_WORD}t").text = _one(text)
            paragraph.addnext(below)


def _with_pictures_told(root: Any) -> None:
    """A slide with what is told of its pictures as texts in their places."""
    from lxml import etree

    for picture in root.findall(f".//{_SLIDE}pic"):
        own = picture.find(f"{_SLIDE}nvPicPr/{_SLIDE}cNvPr")
        told = _one(own.get("descr", "")) if own is not None else ""
        if not describes(told):
            continue
        box = etree.Element(f"{_SLIDE}sp")
        names = etree.SubElement(box, f"{_SLIDE}nvSpPr")
        etree.SubElement(names, f"{_SLIDE}cNvPr", id=own.get("id", "0"), name="")
        etree.SubElement(names, f"{_SLIDE}cNvSpPr", txBox="1")
        etree.SubElement(names, f"{_SLIDE}nvPr")
        shape = etree.SubElement(box, f"{_SLIDE}spPr")
        shape.extend(deepcopy(picture.findall(f"{_SLIDE}spPr/{_SHAPES}xfrm")))
        body = etree.SubElement(box, f"{_SLIDE}txBody")
        etree.SubElement(body, f"{_SHAPES}bodyPr")
        run = etree.SubElement(etree.SubElement(body, f"{_SHAPES}p"), f"{_SHAPES}r")
        etree.SubElement(run, f"{_SHAPES}t").text = told
        picture.addnext(box)


def _one(text: str) -> str:
    """A text as one line."""
    return " ".join(text.split())


def _read(content: bytes, format_name: str) -> Any:
    """The tree that docling makes of a file."""
    from docling.datamodel.base_models import InputFormat
    from docling.datamodel.document import InputDocument

    # What goes wrong is told by our own error.
    logging.getLogger("docling").setLevel(logging.CRITICAL)
    kind, module, cls = BACKENDS[format_name]
    if format_name == "docx":
        content = _changed(content, _WORD_TEXT, _as_one_run)
    elif format_name == "pptx":
        content = _changed(content, _SLIDES, _with_pictures_told)
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


class _Pictures:
    """The pictures of a document, and what stands in them."""

    def __init__(self, document: Any, name: str, ocr: bool) -> None:
        self._document, self._name, self._ocr = document, name, ocr
        self._done = self.unread = 0

    def read(self, item: Any) -> Layout | None:
        """What stands in a picture; None where that is nothing, or is not to be read."""
        picture = item.get_image(self._document)
        if picture is None or picture.width < TEXT[0] or picture.height < TEXT[1]:
            return None
        if not self._ocr:
            self.unread += 1
            return None
        tell(self._done, len(self._document.pictures))
        self._done += 1
        try:
            return layout_of_picture(picture, self._name)
        except EmptyDocumentError:  # it is no picture of text
            return None


class _Writer:
    """Writes the tree of a docling document."""

    def __init__(
        self, document: Any, out: Composer, page_name: str | None, pictures: _Pictures
    ) -> None:
        self._document, self.out, self._page_name = document, out, page_name
        self._pictures = pictures
        self._page: int | None = None
        self.title: str | None = None

    def write(self) -> None:
        for child in self._document.body.children:
            self._write(child.resolve(self._document))

    def _write(self, item: Any) -> None:
        label = item.label.value
        self._enter_page(item)
        if label in ("list", "ordered_list", "list_item"):  # an item may stand outside of a list
            self._list(item)
        elif label == "inline":
            self.out.block([self._inline(item)], "prose")
        elif label == "table":
            self._table(item)
        elif label == "title":
            text = _plain(self._text(item))
            self.title = self.title or " ".join(text.split()) or None
            self.out.heading(1, text)
            self._children(item)
        elif label == "section_header":
            self.out.heading(item.level + 1, _plain(self._text(item)))
            self._children(item)
        elif label == "code":
            self.out.block(item.text.splitlines(), "lines")
        elif label == "picture":
            if layout := self._pictures.read(item):
                self.out.paste(layout, DEEP)
            self._children(item)
        else:
            if getattr(item, "text", ""):
                self.out.block([item.text], "prose")
            self._children(item)

    def _children(self, item: Any) -> None:
        for child in item.children:
            node = child.resolve(self._document)
            # The pieces of a heading that has no text of its own are its text.
            if node.label.value != "inline" or getattr(item, "text", ""):
                self._write(node)

    def _text(self, item: Any) -> str:
        """What an item says, in its own text or in the pieces below it."""
        pieces = [child.resolve(self._document) for child in item.children]
        inline = [self._inline(piece) for piece in pieces if piece.label.value == "inline"]
        return str(getattr(item, "text", "") or " ".join(inline))

    def _inline(self, group: Any) -> str:
        """The pieces of a paragraph that are set apart by their format alone."""
        text = ""
        for child in group.children:
            piece = child.resolve(self._document)
            own = getattr(piece, "text", "") or self._inline(piece)
            needs_space = (
                text
                and own
                and not text[-1].isspace()
                and text[-1] not in "([“‘/"
                and own[0].isalnum()
            ) or (text and own and own[0] in "([“‘" and not text[-1].isspace())
            text += f" {own}" if needs_space else own
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
        for child in item.children:
            node = child.resolve(self._document)
            # The pieces of an item that has no text of its own are its text.
            if node.label.value != "inline" or getattr(item, "text", "") or not text:
                self._gather(node, texts, others)

    def _table(self, table: Any) -> None:
        for caption in table.captions:
            self.out.block([caption.resolve(self._document).text], "prose")
        grid = [row for row in table.data.grid if row]
        header = [row for row in grid if all(cell.column_header for cell in row)]
        rows = [_texts(row) for row in grid if not all(cell.column_header for cell in row)]
        if not header and names_columns(rows):
            names, *rows = rows
        else:
            columns = zip(*([cell.text for cell in row] for row in header), strict=True)
            names = [" ".join(dict.fromkeys(column)) for column in columns]
        self.out.table(names, rows)

    def _enter_page(self, item: Any) -> None:
        if self._page_name and getattr(item, "prov", None):
            page = item.prov[0].page_no
            if page != self._page:
                self._page = page
                self.out.place(page, f"{self._page_name} {page}")


def _texts(row: Sequence[Any]) -> list[str]:
    """The texts of a row's cells; that of one that spans columns in the first of them."""
    seen: set[int] = set()
    texts = []
    for cell in row:
        texts.append("" if id(cell) in seen else cell.text)
        seen.add(id(cell))
    return texts


def _plain(text: str) -> str:
    """Without the characters of private fonts, which web pages put beside headings as buttons."""
    return "".join(c for c in text if category(c) != "Co").strip()

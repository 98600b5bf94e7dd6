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
from collections.abc import Sequence
from dataclasses import replace
from importlib import import_module
from io import BytesIO
from typing import Any
from unicodedata import category

from index.chunking.layout import Composer, Layout, names_columns
from index.chunking.properties import properties_of

#: For each format, docling's name of it, and the module and class that read it.
BACKENDS = {
    "docx": ("DOCX", "msword_backend", "MsWordDocumentBackend"),
    "pptx": ("PPTX", "mspowerpoint_backend", "MsPowerpointDocumentBackend"),
    "odt": ("ODT", "opendocument_backend", "OdtDocumentBackend"),
    "odp": ("ODP", "opendocument_backend", "OdpDocumentBackend"),
}
_WORD = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_WORD_TEXT = re.compile(r"word/(?:document|footnotes|endnotes|comments|header\d*|footer\d*)\.xml")

#: What the pages of a format are called.
PAGES = {"pptx": "slide", "odp": "slide"}


def read_rich_text(content: bytes, _name: str, format_name: str) -> Layout:
    """The layout of a file.

    Args:
        content: its bytes.
        format_name: one of BACKENDS.
    """
    document = _read(content, format_name)
    writer = _Writer(document, Composer(), PAGES.get(format_name))
    writer.write()
    layout = writer.out.layout(writer.title, properties_of(content))
    return replace(layout, pages=len(document.pages)) if format_name in PAGES else layout


def _as_one_run(content: bytes) -> bytes:
    """A Word file without the formats of characters, and with links as text.

    The library takes each change of format for the end of a piece and drops the white space there,
    so that a word with a bold letter could not be told from two words.
    """
    out = BytesIO()
    with zipfile.ZipFile(BytesIO(content)) as given, zipfile.ZipFile(out, "w") as made:
        for member in given.infolist():
            part = given.read(member)
            if _WORD_TEXT.fullmatch(member.filename):
                part = _without_formats(part)
            made.writestr(member.filename, part)
    return out.getvalue()


def _without_formats(part: bytes) -> bytes:
    from lxml import etree

    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=True)
    root = etree.fromstring(part, parser)
    for own in root.findall(f".//{_WORD}r/{_WORD}rPr"):
        own.getparent().remove(own)
    etree.strip_tags(root, f"{_WORD}hyperlink")
    return bytes(etree.tostring(root, xml_declaration=True, encoding="UTF-8", standalone=True))


def _read(content: bytes, format_name: str) -> Any:
    """The tree that docling makes of a file."""
    from docling.datamodel.base_models import InputFormat
    from docling.datamodel.document import InputDocument

    # What goes wrong is told by our own error.
    logging.getLogger("docling").setLevel(logging.CRITICAL)
    kind, module, cls = BACKENDS[format_name]
    if format_name == "docx":
        content = _as_one_run(content)
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


class _Writer:
    """Writes the tree of a docling document."""

    def __init__(self, document: Any, out: Composer, page_name: str | None) -> None:
        self._document, self.out, self._page_name = document, out, page_name
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

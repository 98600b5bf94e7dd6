"""EPUB into a layout: its pages of HTML in the order in which they are read."""

from __future__ import annotations

import re
import zipfile
import zlib
from collections import defaultdict
from collections.abc import Iterator
from contextlib import suppress
from io import BytesIO
from itertools import islice
from typing import Any
from urllib.parse import unquote

from index.chunking.layout import Composer, Layout, locked
from index.chunking.metadata import metadata_of
from index.chunking.zip_archive import refuse_entities
from index.models import DocumentMetadata
from index.readers.html import (
    Settings,
    as_html,
    beside,
    find_headings,
    html_text,
    write_html,
    xml_tree,
)
from index.readers.html_setting import MAX_CSS, class_rules
from index.readers.notes import Notes, with_notes

_CONTAINER = "META-INF/container.xml"
_ENCRYPTION = "META-INF/encryption.xml"
_PAGES = ("application/xhtml+xml", "text/html", "text/x-oeb1-document")
_HAS_HEADING = re.compile(r"<h[1-6][\s>]", re.I)


def read_epub(content: bytes, name: str) -> Layout:
    """The layout of a book.

    A page without a heading of its own stands under what the table of contents calls it.

    Raises:
        UnreadableError: it is locked to a reader's account.
    """
    refuse_entities(content, name)
    out = Composer()
    settings: Settings = {}
    notes = Notes()
    with zipfile.ZipFile(BytesIO(content)) as archive:
        title, pages, metadata = _book(archive)
        locks = _locks(archive)
        rules = class_rules("\n".join(_style_sheets(archive)))
        for path, label in pages.items():
            if path in locks:
                raise locked(name)
            html = as_html(html_text(archive.read(path), path))
            if not _HAS_HEADING.search(html):
                out.heading(1, label)
            write_html(out, html, settings, rules, notes, path)
    find_headings(out, settings)
    return with_notes(out.layout(title, metadata))


def _style_sheets(archive: zipfile.ZipFile) -> Iterator[str]:
    """What the first style sheets say; a damaged one says nothing of what is read."""
    sheets = (name for name in archive.namelist() if name.lower().endswith(".css"))
    for sheet in islice(sheets, 20):
        with suppress(zipfile.BadZipFile, zlib.error):
            yield archive.read(sheet)[:MAX_CSS].decode(errors="replace")


def _book(archive: zipfile.ZipFile) -> tuple[str | None, dict[str, str], DocumentMetadata]:
    """What a book says of itself: its title; its pages in order, each with what the table of
    contents calls it; who wrote it, when and where."""
    root = xml_tree(archive.read(_CONTAINER), _CONTAINER).css_first("rootfile[full-path]")
    if root is None:
        raise ValueError("it does not say where it begins")
    package = unquote(root.attributes["full-path"])
    tree = xml_tree(archive.read(package), package)
    items = {item.attributes.get("id"): item.attributes for item in tree.css("item[href]")}
    spine = [items.get(item.attributes.get("idref")) for item in tree.css("spine itemref")]
    present = set(archive.namelist())
    labels: dict[str, str] = {}
    contents = ""
    for item in items.values():
        path = beside(package, item["href"])
        if path in present and "nav" in (item.get("properties") or "").split():
            contents = path
        elif path not in present or item.get("media-type") != "application/x-dtbncx+xml":
            continue
        for target, label in _entries(xml_tree(archive.read(path), path)):
            page = beside(path, target.partition("#")[0])
            labels.setdefault(page, " ".join(label.split()))  # the first counts
    # A page that is named again and again is read once.
    pages: dict[str, str] = {}
    for item in spine:
        if item and (item.get("media-type") or _PAGES[0]) in _PAGES:
            path = beside(package, item["href"])
            if path in present and path != contents:
                pages[path] = labels.get(path, "")
    told: dict[str, list[str]] = defaultdict(list)
    for node in tree.root.traverse():
        if node.tag.startswith("dc:"):
            told[node.tag].append(node.text(deep=False))
    title = " ".join(next(iter(told["dc:title"]), "").split())
    addresses = [*told["dc:source"], *told["dc:identifier"]]
    return title or None, pages, metadata_of([told["dc:creator"]], told["dc:date"], addresses)


def _entries(contents: Any) -> Iterator[tuple[str, str]]:
    """Where each entry of a table of contents leads, and what it says: of EPUB 3 links, of EPUB 2
    points."""
    for link in contents.css("nav a[href]"):
        yield link.attributes["href"], link.text()
    for point in contents.css("navpoint"):
        target, label = point.css_first("content[src]"), point.css_first("text")
        if target is not None and label is not None:
            yield target.attributes["src"], label.text()


def _locks(archive: zipfile.ZipFile) -> frozenset[str]:
    """The members that only a reader's account opens."""
    if _ENCRYPTION not in archive.namelist():
        return frozenset()
    return frozenset(
        unquote(node.attributes.get("uri") or "")
        for node in xml_tree(archive.read(_ENCRYPTION), _ENCRYPTION).root.traverse()
        if node.tag.rpartition(":")[2] == "cipherreference"
    )

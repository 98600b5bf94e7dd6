"""EPUB into a layout: its pages of HTML in the order in which they are read."""

from __future__ import annotations

import posixpath
import re
import zipfile
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import Any
from urllib.parse import unquote

from index.chunking.layout import Composer, Layout, locked
from index.chunking.metadata import metadata_of
from index.models import DocumentMetadata
from index.readers.html import as_html, html_text, html_tree, write_html

_CONTAINER = "META-INF/container.xml"
_ENCRYPTION = "META-INF/encryption.xml"
_PAGES = ("application/xhtml+xml", "text/html", "text/x-oeb1-document")
_HAS_HEADING = re.compile(r"<h[1-6][\s>]", re.I)


@dataclass(frozen=True, slots=True)
class _Book:
    """What a book says of itself: its title, its pages in order, what its contents call them, who
    wrote it, when and where."""

    title: str | None
    pages: list[str]
    labels: dict[str, str]
    metadata: DocumentMetadata


def read_epub(content: bytes, name: str) -> Layout:
    """The layout of a book.

    A page without a heading of its own stands under what the table of contents calls it.

    Raises:
        UnreadableError: it is locked to a reader's account.
    """
    out = Composer()
    with zipfile.ZipFile(BytesIO(content)) as archive:
        book = _book(archive)
        locks = _locks(archive)
        for path in book.pages:
            if path in locks:
                raise locked(name)
            html = as_html(html_text(archive.read(path), path))
            if path in book.labels and not _HAS_HEADING.search(html):
                out.heading(1, book.labels[path])
            write_html(out, html)
    return out.layout(book.title, book.metadata)


def _book(archive: zipfile.ZipFile) -> _Book:
    root = _tree(archive, _CONTAINER).css_first("rootfile[full-path]")
    if root is None:
        raise ValueError("it does not say where it begins")
    package = unquote(root.attributes["full-path"])
    tree = _tree(archive, package)
    items = {own.attributes.get("id"): own.attributes for own in tree.css("item[href]")}
    spine = [items.get(own.attributes.get("idref")) for own in tree.css("spine itemref")]
    present = set(archive.namelist())
    labels: dict[str, str] = {}
    contents = ""
    for item in items.values():
        path = _beside(package, item["href"])
        if path in present and "nav" in (item.get("properties") or "").split():
            contents = path
        elif path not in present or item.get("media-type") != "application/x-dtbncx+xml":
            continue
        for target, label in _entries(_tree(archive, path)):
            page = _beside(path, target.partition("#")[0])
            labels.setdefault(page, " ".join(label.split()))  # the first counts
    pages = [
        path
        for item in spine
        if item and (item.get("media-type") or _PAGES[0]) in _PAGES
        if (path := _beside(package, item["href"])) in present and path != contents
    ]
    told: dict[str, list[str]] = defaultdict(list)
    for own in tree.root.traverse():
        if own.tag.startswith("dc:"):
            told[own.tag].append(own.text(deep=False))
    title = next(iter(told["dc:title"]), "")
    addresses = [*told["dc:source"], *told["dc:identifier"]]
    metadata = metadata_of([told["dc:creator"]], told["dc:date"], addresses)
    # A page that is named again and again would be written as often.
    return _Book(" ".join(title.split()) or None, list(dict.fromkeys(pages)), labels, metadata)


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
    references = _tree(archive, _ENCRYPTION).root.traverse()
    return frozenset(
        unquote(own.attributes.get("uri") or "")
        for own in references
        if own.tag.rpartition(":")[2] == "cipherreference"
    )


def _beside(path: str, href: str) -> str:
    """A member by the reference to it in another one."""
    return posixpath.normpath(posixpath.join(posixpath.dirname(path), unquote(href)))


def _tree(archive: zipfile.ZipFile, path: str) -> Any:
    # By the parser of HTML, which expands and fetches nothing that a file defines.
    return html_tree(as_html(html_text(archive.read(path), path)))

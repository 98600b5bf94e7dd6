"""EPUB into a layout: its pages of HTML in the order in which they are read."""

from __future__ import annotations

import posixpath
import re
import zipfile
from dataclasses import dataclass
from io import BytesIO
from typing import Any
from urllib.parse import unquote

from index.chunking.html import as_html, html_text, html_tree, write_html
from index.chunking.layout import Composer, Layout, locked
from index.chunking.packed import DAMAGED
from index.errors import UnreadableError

_CONTAINER = "META-INF/container.xml"
_ENCRYPTION = "META-INF/encryption.xml"
_PAGES = ("application/xhtml+xml", "text/html", "text/x-oeb1-document")
_HAS_HEADING = re.compile(r"<h[1-6][\s>]", re.I)


@dataclass(frozen=True, slots=True)
class _Book:
    """What a book says of itself: its title, its pages in order, what its contents call them."""

    title: str | None
    pages: list[str]
    labels: dict[str, str]


def read_epub(content: bytes, name: str) -> Layout:
    """The layout of a book.

    A page without a heading of its own stands under what the table of contents calls it.

    Raises:
        UnreadableError: it is damaged, or locked to a reader's account.
    """
    out = Composer()
    try:
        with zipfile.ZipFile(BytesIO(content)) as archive:
            book = _book(archive)
            locks = _locks(archive)
            for path in book.pages:
                if path in locks:
                    raise locked(name)
                html = as_html(html_text(archive.read(path), path))
                if path in book.labels and not _HAS_HEADING.search(html):
                    out.heading(1, book.labels[path])
                write_html(out, html, name)
    except DAMAGED as error:
        raise UnreadableError(
            f"{name!r} cannot be read as EPUB ({error}). Open it in a reader and save it anew, or "
            "leave it out."
        ) from error
    return out.layout(book.title)


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
            _add_labels(labels, path, _tree(archive, path), "nav a[href]", "href")
        elif path in present and item.get("media-type") == "application/x-dtbncx+xml":
            _add_labels(labels, path, _tree(archive, path), "navpoint", "src")
    pages = [
        path
        for item in spine
        if item and (item.get("media-type") or _PAGES[0]) in _PAGES
        if (path := _beside(package, item["href"])) in present and path != contents
    ]
    title = next((own.text() for own in tree.root.traverse() if own.tag == "dc:title"), "")
    return _Book(" ".join(title.split()) or None, pages, labels)


def _add_labels(
    labels: dict[str, str], path: str, tree: Any, selector: str, attribute: str
) -> None:
    """Add what a table of contents calls each page, by what it says first."""
    for entry in tree.css(selector):
        target = entry if attribute == "href" else entry.css_first(f"content[{attribute}]")
        said = entry if attribute == "href" else entry.css_first("text")
        if target is not None and said is not None:
            page = _beside(path, target.attributes[attribute].partition("#")[0])
            labels.setdefault(page, " ".join(said.text().split()))


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

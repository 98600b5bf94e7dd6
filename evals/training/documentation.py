"""Questions with long answers from documentation in HTML: what frequently asked questions,
glossaries and headings ask, and the text below them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path

_HEADINGS = {"h1", "h2", "h3", "h4", "h5", "h6"}
_TEXTS = {"p", "dd", "li"}
_SKIPPED = {"pre", "script", "style", "nav", "table", "head", "footer"}
#: What ends a block without being one.
_BREAKS = {"ul", "ol", "dl", "blockquote"}


@dataclass(frozen=True, slots=True)
class Section:
    """What a heading or a defined term has below it.

    Attributes:
        kind: `faq` where the heading asks, `definition` below a term, `heading` otherwise.
        question: what it asks.
        text: the paragraphs below it, in one.
    """

    kind: str
    question: str
    text: str


def read_sections(folder: Path) -> Iterator[Section]:
    """The sections of all pages of a folder that say something, in order of their names."""
    for path in sorted(path for path in folder.rglob("*.html") if path.is_file()):
        page = _Page()
        page.feed(path.read_text(encoding="utf-8", errors="replace"))
        page.close()
        for number, (tag, title) in enumerate(page.blocks):
            if tag not in _HEADINGS and tag != "dt":
                continue
            below = []
            for tag_below, text in page.blocks[number + 1 :]:
                if tag_below not in _TEXTS:
                    break
                below.append(text)
            question = _question(tag, title)
            text = " ".join(below)
            if question and len(text) >= 80 and not text.endswith(":") and "Contents]" not in text:
                yield Section(*question, text)


def _question(tag: str, title: str) -> tuple[str, str] | None:
    title = re.sub(r"^(?:[A-Z]\.)?[\d.]+\s*|[\u00b6#]+$", "", title).strip()
    words = title.split()
    if title == "Table of Contents":
        return None
    if title.endswith("?") and 3 <= len(words) <= 25:
        return "faq", title
    if tag == "dt":
        plain = re.fullmatch(r"[A-Za-z][A-Za-z' -]+", title)
        return ("definition", f"What is {title}?") if plain and len(words) <= 4 else None
    plain = re.fullmatch(r"[A-Z][\w,' -]+", title)
    return ("heading", title) if plain and 3 <= len(words) <= 12 else None


class _Page(HTMLParser):
    """The blocks of a page: (tag, text)."""

    def __init__(self) -> None:
        super().__init__()
        self.blocks: list[tuple[str, str]] = []
        self._tag, self._text, self._skipped = "", "", 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _SKIPPED:
            self._skipped += 1
        para = tag == "div" and ("class", "para") in attrs
        if tag in _HEADINGS | _TEXTS | _BREAKS or tag == "dt" or para:
            self._end("p" if para else tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in _SKIPPED:
            self._skipped = max(0, self._skipped - 1)
        if tag in _HEADINGS | _TEXTS | _BREAKS or tag in ("dt", "div"):
            self._end("")

    def handle_data(self, data: str) -> None:
        if not self._skipped and self._tag:
            self._text += data

    def close(self) -> None:
        super().close()
        self._end("")

    def _end(self, tag: str) -> None:
        text = " ".join(self._text.split())
        if text:
            self.blocks.append((self._tag, text))
        self._tag, self._text = tag, ""

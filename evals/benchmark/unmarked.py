"""Files without what marks their headings as such: what is printed is still the same."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator
from io import BytesIO
from typing import Any

#: How much larger than text the headings of the first two levels are, as browsers have them.
SIZES = {b"1": b' style="font-size: 2em"', b"2": b' style="font-size: 1.5em"'}
_OPENING, _CLOSING = re.compile(rb"<h([1-6])\b[^<>]*>", re.I), re.compile(rb"</h[1-6]\s*>", re.I)


def unmarked(content: bytes, suffix: str) -> bytes:
    """A file without the outline (`.pdf`), the styles (`.docx`) or the tags (`.html`) of headings.

    Raises:
        KeyError: nothing is known of such files.
    """
    known: dict[str, Callable[[bytes], bytes]] = {
        ".pdf": _without_outline,
        ".docx": _without_styles,
        ".html": _without_tags,
    }
    return known[suffix](content)


def _without_outline(content: bytes) -> bytes:
    from pypdf import PdfWriter

    # What is amiss in a file is no matter here.
    logging.getLogger("pypdf").setLevel(logging.CRITICAL)
    writer = PdfWriter(clone_from=BytesIO(content))
    writer.root_object.pop("/Outlines", None)
    written = BytesIO()
    writer.write(written)
    return written.getvalue()


def _without_tags(content: bytes) -> bytes:
    def opened(tag: re.Match[bytes]) -> bytes:
        return b"<p" + SIZES.get(tag[1], b"") + b"><b>"

    return _CLOSING.sub(b"</b></p>", _OPENING.sub(opened, content))


def _without_styles(content: bytes) -> bytes:
    """What a style makes bold, large or capital is so by itself; a number that it gives is gone."""
    from docx import Document

    document: Any = Document(BytesIO(content))
    for paragraph in document.element.body.iter("{*}p"):
        _take_style(document, paragraph)
    written = BytesIO()
    document.save(written)
    return written.getvalue()


def _take_style(document: Any, element: Any) -> None:
    from docx.text.paragraph import Paragraph

    paragraph = Paragraph(element, document._body)  # noqa: SLF001 (its part, which knows the styles)
    styles = list(_with_bases(paragraph.style))
    levels = [found for one in (*styles, paragraph) for found in one._element.iter("{*}outlineLvl")]  # noqa: SLF001
    names = [(style.name or "").lower() for style in styles]
    if not levels and not any(name.startswith(("heading", "title", "subtitle")) for name in names):
        return
    paragraph.style = None
    for level in paragraph._element.iter("{*}outlineLvl"):  # noqa: SLF001
        level.getparent().remove(level)
    for run in paragraph.runs:
        for name in ("bold", "size", "all_caps"):
            given = (getattr(style.font, name) for style in styles)
            if getattr(run.font, name) is None:
                setattr(run.font, name, next((one for one in given if one is not None), None))


def _with_bases(style: Any) -> Iterator[Any]:
    """A style and those that it is based on, the nearest first."""
    seen = set[str]()
    while style is not None and style.style_id not in seen:
        seen.add(style.style_id)
        yield style
        style = style.base_style

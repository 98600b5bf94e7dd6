"""Captions: lines that name a figure or a table by its number."""

from __future__ import annotations

import re

_TABLE = r"tab(?:le|elle|leau|la|ela|ella)?|cuadro"
_FIGURE = (
    r"fig(?:ure|ura)?|abb(?:ildung)?|chart|graph|listing|image|pic(?:ture)?|diagram|photo|"
    r"ilustraci[oó]n"
)
_NUMBER = r"\b[ \t.:]*(?:\d|[A-Z]{1,2}[-.\d]|(?:[A-Z]|[IVX]+)\b)"
_CAPTION = re.compile(rf"(?i:{_TABLE}|{_FIGURE}){_NUMBER}")
_OF_TABLE = re.compile(rf"(?i:{_TABLE}|exhibit|schedule){_NUMBER}")


def is_caption(text: str) -> bool:
    """Whether a text begins as a caption does."""
    return _CAPTION.match(text) is not None


def is_table_caption(text: str) -> bool:
    """Whether a text begins as the caption of a table, which may be an exhibit or a schedule; a
    title of that name may as well be a heading."""
    return _OF_TABLE.match(text) is not None

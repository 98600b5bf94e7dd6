"""The settings at the top of a text, between `---` lines, of the program that makes a page of it:
YAML, and what is no YAML in many a text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from index.chunking.imprint import imprint_of
from index.models import NO_IMPRINT, Imprint

# Without a name of a setting at once it is two rules with text between them.
_SETTINGS = re.compile(
    r"---[ \t]*(?:\r\n?|\n)(?=[\w-]+[ \t]*:(?:\s|\Z)|#)"
    r"(?:(?!(?:---|\.\.\.)[ \t]*(?:[\r\n]|\Z))[^\r\n]*+(?:\r\n?|\n))*+(?:---|\.\.\.)"
)
_TITLE = re.compile(r"^title[ \t]*:[ \t]*(['\"]?)(.*?)\1\s*$", re.MULTILINE)
#: A name, and its value with the lines below that belong to it: indented, or items of a list.
_SETTING = re.compile(
    r"^([\w-]+)[ \t]*:([^\r\n]*+(?:(?:\r\n?|\n)(?:[ \t]+|-[ \t])[^\r\n]*+)*+)", re.MULTILINE
)
#: An item of a list, or the name of a person of whom more is told.
_ITEM = re.compile(r"[ \t]*+(?:-[ \t]++)?+(?:name[ \t]*:|(?![\w-]+[ \t]*:(?:\s|$)))(.*)")

_AUTHORS = ("author", "authors")
_DATES = ("date", "published", "created")
_ADDRESSES = ("canonical_url", "url", "source")


@dataclass(frozen=True, slots=True)
class FrontMatter:
    """What stands there: where it ends, 0 where there is none; the title and the rest that it tells
    of the text."""

    end: int = 0
    title: str | None = None
    imprint: Imprint = NO_IMPRINT


def front_matter_of(text: str) -> FrontMatter:
    """The settings at the top of a text."""
    found = _SETTINGS.match(text)
    if not found:
        return FrontMatter()
    title = _TITLE.search(found[0])
    told = {name.lower(): list(_values(value)) for name, value in _SETTING.findall(found[0])}
    imprint = imprint_of(
        [told.get(name, ()) for name in _AUTHORS],
        [value for name in _DATES for value in told.get(name, ())],
        [value for name in _ADDRESSES for value in told.get(name, ())],
    )
    return FrontMatter(found.end(), (title[2].strip() if title else "") or None, imprint)


def _values(value: str) -> Iterator[str]:
    """The items of a list, in brackets or on a line each; of anything else itself."""
    first, *below = value.strip().splitlines() or [""]
    items = first.strip("[]").split(",") if first.startswith("[") else [first, *below]
    for item in items:
        if found := _ITEM.match(item):
            yield found[1].strip().strip("'\"").strip("[]")

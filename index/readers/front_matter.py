"""What a text says of itself at its top: who wrote it, when, and at what address it is. Settings
between `---` lines, of the program that makes a page of it: YAML, and what is no YAML in many a
text; the same without those lines; and the head of a web page."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from index.chunking.metadata import metadata_of
from index.models import NO_METADATA, DocumentMetadata, strip_marks

# Without a name of a setting at once it is two rules with text between them.
_SETTINGS = re.compile(
    r"---[ \t]*(?:\r\n?|\n)(?=[\w-]+[ \t]*:(?:\s|\Z)|#)"
    r"(?:(?!(?:---|\.\.\.)[ \t]*(?:[\r\n]|\Z))[^\r\n]*+(?:\r\n?|\n))*+(?:---|\.\.\.)"
)
#: As MultiMarkdown and Pelican have them: the title first, down to a blank line. Such lines may be
#: a text's own, and stay a part of it.
_UNMARKED_SETTINGS = re.compile(
    r"title[ \t]*:[^\r\n]*+(?:(?:\r\n?|\n)(?:[\w-]+[ \t]*:|[ \t]+\S)[^\r\n]*+)*+"
    r"(?=(?:\r\n?+|\n)[ \t]*+[\r\n])",
    re.IGNORECASE,
)
_TITLE = re.compile(r"^title[ \t]*:(.*)", re.MULTILINE | re.IGNORECASE)
#: A name, and its value with the lines below that belong to it: indented, or items of a list.
_SETTING = re.compile(
    r"^([\w-]+)[ \t]*:([^\r\n]*+(?:(?:\r\n?|\n)(?:[ \t]+|-[ \t])[^\r\n]*+)*+)", re.MULTILINE
)
#: An item of a list, or the name in a record of a person.
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
    metadata: DocumentMetadata = NO_METADATA


def front_matter_of(text: str) -> FrontMatter:
    """The settings at the top of a text."""
    marked = _SETTINGS.match(text)
    found = marked or _UNMARKED_SETTINGS.match(text)
    if not found:
        return FrontMatter()
    line = _TITLE.search(found[0])
    title = strip_marks(line[1]).strip() if line else ""
    if len(title) > 1 and title[0] == title[-1] and title[0] in "'\"":
        title = title[1:-1].strip()
    told = {name.lower(): list(_values(value)) for name, value in _SETTING.findall(found[0])}
    metadata = metadata_of(
        [told.get(name, ()) for name in _AUTHORS],
        [value for name in _DATES for value in told.get(name, ())],
        [value for name in _ADDRESSES for value in told.get(name, ())],
    )
    return FrontMatter(marked.end() if marked else 0, title or None, metadata)


def _values(value: str) -> Iterator[str]:
    """The items of a list, in brackets or on a line each; of anything else itself."""
    first, *below = value.strip().splitlines() or [""]
    items = first.strip("[]").split(",") if first.startswith("[") else [first, *below]
    for item in items:
        if found := _ITEM.match(item):
            yield found[1].strip().strip("'\"").strip("[]")


# --- the head of a web page -------------------------------------------------------------------

# Each the most reliable first: those of libraries and journals.
_WEB_AUTHORS = ("citation_author", "author", "dcterms.creator", "dc.creator", "article:author")
_WEB_DATES = (
    "citation_publication_date",
    "citation_date",
    "article:published_time",
    "dcterms.issued",
    "dc.date.issued",
    "dcterms.created",
    "dcterms.date",
    "dc.date",
    "date",
)
_DOIS = ("citation_doi", "dc.identifier", "dc.identifier.doi", "prism.doi")
#: What browsers write into pages that they save.
_SAVED = re.compile(r"<!-- saved from url=\(\d+\)(\S{1,2000}) -->")
_MAX = 1_000_000
"""Characters of a description as linked data that is read."""


def head_metadata(html: str, tree: Any) -> DocumentMetadata:
    """What a page says of its origin.

    Args:
        html: the page.
        tree: what `index.readers.html.html_tree` makes of it.
    """
    told: dict[str, list[str | None]] = defaultdict(list)
    for meta in tree.css("meta[content]"):
        name = meta.attributes.get("name") or meta.attributes.get("property") or ""
        told[name.lower()].append(meta.attributes["content"])
    linked = list(_linked(tree))
    dates = (node.get("datePublished") for node in linked)
    published = [date for date in dates if isinstance(date, str)]
    canonical = [link.attributes["href"] for link in tree.css('link[rel="canonical"][href]')]
    return metadata_of(
        [*(told[name] for name in _WEB_AUTHORS), *(_people(node.get("author")) for node in linked)],
        [*(date for name in _WEB_DATES for date in told[name]), *published],
        [*canonical, *told["og:url"], *_SAVED.findall(html[:4096])],
        [doi for name in _DOIS for doi in told[name]],
    )


def _linked(tree: Any) -> Iterator[dict[str, Any]]:
    """The things that a page describes as linked data (JSON-LD)."""
    for script in tree.css('script[type="application/ld+json"]'):
        text = script.text()
        found: Any = None
        # What is no such description is nothing to read either.
        with suppress(ValueError, RecursionError):
            found = json.loads(text) if len(text) <= _MAX else None
        nodes = found.get("@graph", found) if isinstance(found, dict) else found
        for node in nodes if isinstance(nodes, list) else [nodes]:
            if isinstance(node, dict):
                yield node


def _people(told: Any) -> list[str]:
    """The names of authors: each is a text, or a thing that has a name."""
    people = told if isinstance(told, list) else [told]
    names = [one.get("name") if isinstance(one, dict) else one for one in people]
    return [name for name in names if isinstance(name, str)]

"""What a web page says of itself beside its text: who wrote it, when, and at what address it is."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from index.chunking.imprint import imprint_of
from index.models import Imprint

# Each the best first. Those of libraries and journals are told with more care than others.
_AUTHORS = ("citation_author", "author", "dcterms.creator", "dc.creator", "article:author")
_DATES = (
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


def head_imprint(html: str, tree: Any) -> Imprint:
    """What a page says of its origin.

    Args:
        html: the page.
        tree: what `index.chunking.html.html_tree` makes of it.
    """
    told: dict[str, list[str | None]] = defaultdict(list)
    for meta in tree.css("meta[content]"):
        name = meta.attributes.get("name") or meta.attributes.get("property") or ""
        told[name.lower()].append(meta.attributes["content"])
    linked = list(_linked(tree))
    canonical = [link.attributes["href"] for link in tree.css('link[rel="canonical"][href]')]
    return imprint_of(
        [*(told[name] for name in _AUTHORS), *(_people(node.get("author")) for node in linked)],
        [*(date for name in _DATES for date in told[name]), *map(_published, linked)],
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
    names = [own.get("name") if isinstance(own, dict) else own for own in people]
    return [name for name in names if isinstance(name, str)]


def _published(node: dict[str, Any]) -> str:
    told = node.get("datePublished")
    return told if isinstance(told, str) else ""

"""How often some words stand in each document that somebody may ask, in its headings and in its
paragraphs: letter for letter, whatever the case, and whatever is between the words.

Reading documents takes a hundredth of a second each; what was read is remembered as it is looked
through, so that looking again takes a thousandth for ten megabytes.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING

from pydantic import Field

from assistant.schemas.base import DocumentId, Text, Value
from index.errors import MissingPathError, QuestionError

if TYPE_CHECKING:
    from assistant.workspace.library import Library
    from index import DocumentInfo, Paragraph

MAX_DOCUMENTS = 200
"""Documents in a result."""

MAX_LENGTH = 200
"""Characters of what is looked for."""

CACHE_CHARACTERS = 50_000_000
"""Characters of documents that are remembered."""


class FoundIn(Value):
    """A document that has the words."""

    id: DocumentId
    title: Text
    hits: int = Field(description="How often it has them.")


class EverywhereValue(Value):
    """The documents that have some words."""

    documents: list[FoundIn] = Field(description="Those first that have them most often.")
    more: bool = Field(description="Whether others have them too.")


class Finding:
    """Counts words in documents. May be used from many threads.

    Args:
        library: whose documents they are.
        remembered: characters of documents that stay in memory.
    """

    def __init__(self, library: Library, remembered: int = CACHE_CHARACTERS) -> None:
        self._library = library
        self._limit = remembered
        self._guard = threading.Lock()
        self._texts: OrderedDict[str, str] = OrderedDict()
        self._size = 0

    def count(self, owner: str, text: str, notebook: str | None = None) -> EverywhereValue:
        """How often documents have a text.

        Args:
            owner: who asks.
            text: what is looked for.
            notebook: the id of the notebook whose documents these are; what they may ask otherwise.

        Raises:
            QuestionError: there is nothing to look for, or too much.
            MissingPathError: the notebook is not there, or not for them.
        """
        wanted = _plain(text)
        if not wanted or len(text) > MAX_LENGTH:
            raise QuestionError(f"Look for words of {MAX_LENGTH} characters at most, and for some.")
        found = []
        for one in self._library.documents_in(owner, notebook):
            with suppress(MissingPathError):  # it was removed meanwhile
                hits = self._text(one.info).count(wanted)
                if hits:
                    found.append(FoundIn(id=one.info.id, title=one.info.title, hits=hits))
        found.sort(key=lambda one: -one.hits)
        return EverywhereValue(documents=found[:MAX_DOCUMENTS], more=len(found) > MAX_DOCUMENTS)

    def _text(self, info: DocumentInfo) -> str:
        """A document's headings and paragraphs as they are looked through, a line each."""
        name = f"{info.id} {info.hash}"
        with self._guard:
            if name in self._texts:
                self._texts.move_to_end(name)
                return self._texts[name]
        paragraphs = self._library.index.document(info.id).paragraphs
        text = "\n".join(_plain(line) for line in _lines(paragraphs))
        with self._guard:
            if name not in self._texts:
                self._texts[name] = text
                self._size += len(text)
            while self._size > self._limit:
                self._size -= len(self._texts.popitem(last=False)[1])
        return text


def _lines(paragraphs: Iterable[Paragraph]) -> Iterator[str]:
    """What a document shows: each paragraph, and before it the headings that begin there."""
    above: tuple[str, ...] = ()
    for paragraph in paragraphs:
        heading = paragraph.heading
        same = next(
            (n for n, (one, other) in enumerate(zip(heading, above, strict=False)) if one != other),
            min(len(heading), len(above)),
        )
        yield from heading[same:]
        yield paragraph.text
        above = heading


def _plain(text: str) -> str:
    return " ".join(text.split()).lower()

"""Where some words stand in the documents that somebody may ask, in their headings and paragraphs:
letter for letter, whatever the case, and whatever is between the words.

Reading documents takes a hundredth of a second each; what was read is remembered as it is looked
through, so that looking again takes a thousandth for ten megabytes.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple

from pydantic import Field

from assistant.schemas.base import DocumentId, Text, Value
from index.errors import MissingPathError, QuestionError

if TYPE_CHECKING:
    from assistant.workspace.library import Library
    from index import Document, DocumentInfo

MAX_DOCUMENTS = 200
"""Documents in a result."""

MAX_LENGTH = 200
"""Characters of what is looked for."""

MAX_PLACES = 3
"""Places that are shown of a document."""

SNIPPET = 120
"""Characters that are shown of a place."""

#: Small letters that are another one's: the last sigma of a word, the micro sign, the long s.
_ALIKE = {"\u03c2": "\u03c3", "\u00b5": "\u03bc", "\u017f": "s"}

CACHE_CHARACTERS = 50_000_000
"""Characters that are remembered, two for each of a document."""


class FoundPlace(Value):
    """A paragraph that has the words, or a heading right above it."""

    paragraph: int = Field(description="Its number.")
    locator: Text = Field(description="Its page or the like, if it has one.")
    text: Text = Field(description="What stands around the words, in one line.")
    start: int = Field(description="Of the words, in characters of that text.")
    end: int


class FoundIn(Value):
    """A document that has the words."""

    id: DocumentId
    title: Text
    hits: int = Field(description="How often it has them.")
    places: list[FoundPlace] = Field(description="The first paragraphs that have them.")


class EverywhereValue(Value):
    """The documents that have some words."""

    documents: list[FoundIn] = Field(description="Those first that have them most often.")
    more: bool = Field(description="Whether others have them too.")


class _Searchable(NamedTuple):
    """A document as it is looked through: a line for each heading and paragraph, and an empty one
    after each paragraph.

    Attributes:
        text: what is shown.
        folded: the same, character by character, without what does not count.
        locators: of each paragraph.
    """

    text: str
    folded: str
    locators: tuple[str, ...]


class Finding:
    """Finds words in documents. May be used from many threads.

    Args:
        library: whose documents they are.
        remembered: characters that stay in memory.
    """

    def __init__(self, library: Library, remembered: int = CACHE_CHARACTERS) -> None:
        self._library = library
        self._limit = remembered
        self._guard = threading.Lock()
        self._known: OrderedDict[str, _Searchable] = OrderedDict()
        self._size = 0

    def find(self, owner: str, text: str, notebook: str | None = None) -> EverywhereValue:
        """Where documents have a text.

        Args:
            owner: who asks.
            text: what is looked for.
            notebook: the id of the notebook whose documents these are; what they may ask otherwise.

        Raises:
            QuestionError: there is nothing to look for, or too much.
            MissingPathError: the notebook is not there, or not for them.
        """
        wanted = _folded(_one_line(text))
        if not wanted or len(text) > MAX_LENGTH:
            raise QuestionError(f"Look for words of {MAX_LENGTH} characters at most, and for some.")
        found = []
        for one in self._library.documents_in(owner, notebook):
            with suppress(MissingPathError):  # it was removed meanwhile
                searchable = self._searchable(one.info)
                if hits := searchable.folded.count(wanted):
                    found.append((hits, one.info, [*_places(searchable, wanted)]))
        found.sort(key=lambda one: -one[0])
        return EverywhereValue(
            documents=[
                FoundIn(
                    id=info.id,
                    title=info.title,
                    hits=hits,
                    places=[FoundPlace(**p) for p in places],
                )
                for hits, info, places in found[:MAX_DOCUMENTS]
            ],
            more=len(found) > MAX_DOCUMENTS,
        )

    def _searchable(self, info: DocumentInfo) -> _Searchable:
        name = f"{info.id} {info.hash}"
        with self._guard:
            if name in self._known:
                self._known.move_to_end(name)
                return self._known[name]
        made = _read(self._library.index.document(info.id))
        with self._guard:
            if name not in self._known:
                self._known[name] = made
                self._size += 2 * len(made.text)
            while self._size > self._limit:
                self._size -= 2 * len(self._known.popitem(last=False)[1].text)
        return made


def _read(document: Document) -> _Searchable:
    lines, above = list[str](), tuple[str, ...]()
    for paragraph in document.paragraphs:
        # Before it stand the headings that begin there.
        heading = paragraph.heading
        same = next(
            (n for n, (one, other) in enumerate(zip(heading, above, strict=False)) if one != other),
            min(len(heading), len(above)),
        )
        lines += [*map(_one_line, (*heading[same:], paragraph.text)), ""]
        above = heading
    text = "\n".join([*lines, ""])
    return _Searchable(text, _folded(text), tuple(one.locator for one in document.paragraphs))


def _places(searchable: _Searchable, wanted: str) -> Iterator[dict[str, Any]]:
    """The values of a `FoundPlace` for each of the first paragraphs that have some words."""
    text, folded, locators = searchable
    number, end = 0, 0
    for _ in range(MAX_PLACES):
        start = folded.find(wanted, end)
        if start < 0:
            return
        number += folded.count("\n\n", end, start)
        shown, at = _snippet(text, start, start + len(wanted))
        yield {
            "paragraph": number + 1,
            "locator": locators[number],
            "text": shown,
            "start": at,
            "end": at + len(wanted),
        }
        end = folded.index("\n\n", start)


def _snippet(text: str, start: int, end: int) -> tuple[str, int]:
    """What stands around some characters in their line, and where they begin in it."""
    first, last = text.rfind("\n", 0, start) + 1, text.index("\n", end)
    length = max(SNIPPET, end - start)
    right = min(last, max(first, start - (length - (end - start)) // 2) + length)
    left = max(first, right - length)
    # No word is cut, unless it is longer than that.
    if left > first:
        left = text.find(" ", left - 1, start) + 1 or left
    if right < last:
        right = max(text.rfind(" ", end, right + 1), right * (" " not in text[end : right + 1]))
    before = "… " * (left > first)
    return f"{before}{text[left:right]}{' …' * (right < last)}", len(before) + start - left


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _folded(text: str) -> str:
    """A text whose letters are alike whatever their case, each in its place."""
    lower = text.lower()
    if len(lower) != len(text):  # of "İ" two characters are made
        lower = "".join(one.lower() if len(one.lower()) == 1 else one for one in text)
    for one, other in _ALIKE.items():
        lower = lower.replace(one, other)
    return lower

"""Quotes, held against their documents as these are now.

What became of a quote: it still stands there, maybe elsewhere; or its paragraph reads otherwise; or
both are gone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from contextlib import suppress
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from assistant.schemas.base import Value
from assistant.workspace.turns import KeptCitation
from index.errors import MissingPathError

if TYPE_CHECKING:
    from index import Document, Index, Paragraph

MIN_OVERLAP = 0.5
"""Share of all words of two paragraphs that both have, from which on one is taken for the other as
it reads now."""

#: What became of a quote: its words still stand in the document; its paragraph reads otherwise;
#: there is neither any more, or the document is not there.
Standing = Literal["there", "changed", "gone"]
_WORD = re.compile(r"\w+")
_BULLETED = re.compile(r"\n[^\S\n]*+(?=[•‣▪◦]\s)")


class PlaceNow(Value):
    """Where a quote stands in its document as that is now, or where its paragraph does."""

    standing: Standing
    paragraph: int | None = Field(description="Number of the paragraph, from 1.")
    start: int | None = Field(description="Where the quote begins in the document's text.")
    end: int | None = Field(description="Where it ends.")
    document: str = Field(description="The title of the document now; empty where it is gone.")
    heading: list[str] = Field(description="Above that paragraph, outermost first.")
    locator: str = Field(description="The page or the like that it is on.")
    uncertain: bool = Field(description="Whether it was read from a picture.")


_GONE = PlaceNow(
    standing="gone",
    paragraph=None,
    start=None,
    end=None,
    document="",
    heading=[],
    locator="",
    uncertain=False,
)


class QuoteChecker:
    """Holds quotes against documents, each of which is read once.

    Args:
        index: where the documents are.
        readable: ids of those that whoever asks may read; no other is looked into.
    """

    def __init__(self, index: Index, readable: Iterable[str]) -> None:
        self._index = index
        self._readable = frozenset(readable)
        self._texts: dict[str, _Text | None] = {}

    def now(self, citation: KeptCitation) -> PlaceNow:
        """What became of what a citation quotes."""
        text = self._text(citation.document_id)
        return _place_now(citation, text) if text else _GONE

    def relocate(self, citation: KeptCitation) -> tuple[KeptCitation, Standing]:
        """What became of what a citation quotes; and the citation, placed where that stands now if
        it still does."""
        now = self.now(citation)
        if now.standing != "there":
            return citation, now.standing
        place = now.model_dump(include={"heading", "locator", "paragraph", "uncertain"})
        return citation.model_copy(update=place), now.standing

    def items(self, citation: KeptCitation) -> list[str]:
        """What a citation quotes, item by item where that is of a list: each begins with a sentence
        on a line of its own, or with a bullet; with every line where its document is not there."""
        if citation.paragraph_kind != "list":
            return _BULLETED.split(citation.quote)
        text, now = self._text(citation.document_id), self.now(citation)
        if text is None or now.paragraph is None or now.start is None or now.end is None:
            return citation.quote.splitlines()
        whole, sentences = text.document.text, text.document.paragraphs[now.paragraph - 1].sentences
        begun = [
            sentence.start
            for before, sentence in pairwise(sentences)
            if now.start < sentence.start < now.end and "\n" in whole[before.end : sentence.start]
        ]
        return [whole[a:b] for a, b in pairwise([now.start, *begun, now.end])]

    def _text(self, identity: str) -> _Text | None:
        """A document; None: it is not there, or not for them."""
        if identity not in self._texts:
            self._texts[identity] = None
            if identity in self._readable:
                with suppress(MissingPathError):  # it was removed meanwhile
                    self._texts[identity] = _Text(self._index.document(identity))
        return self._texts[identity]


class _Text:
    """A document as it is now, and the words of its paragraphs as soon as they are asked for."""

    def __init__(self, document: Document) -> None:
        self.document = document

    @cached_property
    def words(self) -> dict[int, frozenset[str]]:
        """By the paragraph's number."""
        return {p.number: _words(p.text) for p in self.document.paragraphs}


def _place_now(citation: KeptCitation, text: _Text) -> PlaceNow:
    quote, at = citation.quote, citation.start - citation.paragraph_start
    places = [
        (paragraph, paragraph.start + _nearest(paragraph.text, quote, at))
        for paragraph in text.document.paragraphs
        if quote in paragraph.text
    ]
    if places:
        paragraph, start = max(places, key=lambda place: _fit(citation, *place))
        end = start + len(quote)
        return _at(text, paragraph, "there", start, end)
    wanted = _words(citation.paragraph_text)
    likeness = {number: _alike(wanted, words) for number, words in text.words.items()}
    best = max(likeness, key=lambda number: likeness[number])
    if likeness[best] < MIN_OVERLAP:
        return _GONE
    return _at(text, text.document.paragraphs[best - 1], "changed")


def _at(
    text: _Text,
    paragraph: Paragraph,
    standing: Standing,
    start: int | None = None,
    end: int | None = None,
) -> PlaceNow:
    return PlaceNow(
        standing=standing,
        paragraph=paragraph.number,
        start=start,
        end=end,
        document=text.document.title,
        heading=[*paragraph.heading],
        locator=paragraph.locator,
        uncertain=paragraph.is_uncertain,
    )


def _nearest(text: str, quote: str, at: int) -> int:
    """Where a quote begins in a text that has it, as near as can be to a place."""
    at = max(0, at)
    found = text.rfind(quote, 0, at + len(quote)), text.find(quote, at)
    return min((start for start in found if start >= 0), key=lambda start: abs(start - at))


def _fit(citation: KeptCitation, paragraph: Paragraph, start: int) -> tuple[bool, bool, int]:
    """How well a place fits what is cited, of several that have the quote: it is under the same
    headings, in a paragraph that still reads so, near to where it was."""
    is_under = [*paragraph.heading] == citation.heading
    return is_under, paragraph.text == citation.paragraph_text, -abs(start - citation.start)


def _words(text: str) -> frozenset[str]:
    return frozenset(_WORD.findall(text.casefold()))


def _alike(one: frozenset[str], other: frozenset[str]) -> float:
    return len(one & other) / (len(one | other) or 1)

"""Quotes, held against their documents as these are now.

What became of a quote: it still stands there, maybe elsewhere; or its paragraph reads otherwise; or
both are gone. And what stands at a place that whoever asks names.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from contextlib import suppress
from functools import cached_property
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, Field

from assistant.answer import Citation
from assistant.help.documents import help_document
from assistant.schemas.base import Value
from assistant.workspace.turns import KeptCitation, KeptTurn
from index.errors import MissingPathError

if TYPE_CHECKING:
    from assistant.workspace.library import Library
    from assistant.workspace.notebooks import Space
    from assistant.workspace.notes import KeptNote
    from index import Document, Index

MIN_OVERLAP = 0.5
"""Share of all words of two paragraphs that both have, from which on one is taken for the other as
it reads now."""

#: What became of a quote: its words still stand in the document; its paragraph reads otherwise;
#: there is neither any more, or the document is not there.
Standing = Literal["there", "changed", "gone"]

#: What is not told of a place by itself.
_NOT_TOLD = ("marker", "rectangles", "link", "introduction")
_WORD = re.compile(r"\w+")


class PlaceNow(Value):
    """Where a quote stands in its document as that is now, or where its paragraph does."""

    standing: Standing
    paragraph: int | None = Field(description="Number of the paragraph, from 1.")
    start: int | None = Field(description="Where the quote begins in the document's text.")
    end: int | None = Field(description="Where it ends.")


_GONE = PlaceNow(standing="gone", paragraph=None, start=None, end=None)


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
        now, text = self.now(citation), self._text(citation.document_id)
        if now.standing != "there" or now.paragraph is None or text is None:
            return citation, now.standing
        there = text.document.paragraphs[now.paragraph - 1]
        place = {
            "heading": list(there.heading),
            "locator": there.locator,
            "paragraph": there.number,
            "uncertain": there.is_uncertain,
        }
        return citation.model_copy(update=place), now.standing

    def _text(self, identity: str) -> _Text | None:
        """A document; None: it is not there, or not for them."""
        if identity not in self._texts:
            self._texts[identity] = None
            if topic := help_document(identity):
                self._texts[identity] = _Text(topic)
            elif identity in self._readable:
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
    whole, start = text.document.text, citation.start
    if whole[start : citation.end] != citation.quote:
        start = whole.find(citation.quote)
    end = start + len(citation.quote)
    for paragraph in text.document.paragraphs:
        if paragraph.start <= start and end <= paragraph.end:
            return PlaceNow(standing="there", paragraph=paragraph.number, start=start, end=end)
    wanted = _words(citation.paragraph_text)
    likeness = {number: _alike(wanted, words) for number, words in text.words.items()}
    best = max(likeness, key=lambda number: likeness[number])
    if likeness[best] < MIN_OVERLAP:
        return _GONE
    return PlaceNow(standing="changed", paragraph=best, start=None, end=None)


def _words(text: str) -> frozenset[str]:
    return frozenset(_WORD.findall(text.casefold()))


def _alike(one: frozenset[str], other: frozenset[str]) -> float:
    return len(one & other) / (len(one | other) or 1)


class Cited(BaseModel):
    """A citation: where its quote stands."""

    model_config = ConfigDict(strict=True)

    marker: int = 0
    document: str = Field(description="The document's id.")
    paragraph: int = Field(ge=1, description="Number of the paragraph, from 1.")
    start: int = Field(description="Where the quote begins in the document's text.")
    end: int = Field(description="Where it ends.")


def citations_of(given: Sequence[Cited], library: Library, owner: str) -> tuple[Citation, ...]:
    """Citations with what stands there now.

    Args:
        given: where.
        library: whose documents they are.
        owner: who asks.

    Raises:
        MissingPathError: a document is gone, or has nothing there any more.
    """
    ids = {cited.document for cited in given}
    documents = {identity: library.document(owner, identity) for identity in ids}
    return tuple(_citation(cited, documents[cited.document]) for cited in given)


def checked_note(note: KeptNote, library: Library, space: Space) -> KeptNote:
    """A note whose highlighted place says what stands there; what is kept already stays, whatever
    became of its document.

    Args:
        note: as a browser sends it.
        library, space: where it is to be kept.

    Raises:
        MissingPathError: the document is gone, or has other words there.
    """
    if note.citation is None:
        return note
    before = library.notes.find(space, note.id)
    kept = before.citation if before else None
    if kept is None or _place_of(kept) != _place_of(note.citation):
        kept = _read_again(note.citation, library, space.owner)
    return note.model_copy(update={"citation": kept})


def checked_turn(turn: KeptTurn, library: Library, owner: str) -> KeptTurn:
    """A question with what stands in the documents of what was shown of its answer, where that was
    stopped before its end: this server keeps no such answer, and nobody else's word for it.

    Args:
        turn: as a browser sends it.
        library, owner: of the documents.
    """
    cited: dict[int, KeptCitation] = {}
    for citation in () if turn.answer else turn.citations:
        with suppress(MissingPathError):
            cited[citation.marker] = _read_again(citation, library, owner)
    said = [
        one.model_copy(update={"verdict": "quoted"})
        for one in turn.sentences
        if any(m in cited and cited[m].quote.split() == one.text.split() for m in one.markers)
    ]
    return turn.model_copy(update={"sentences": said, "citations": [*cited.values()]})


def _read_again(citation: KeptCitation, library: Library, owner: str) -> KeptCitation:
    place = {"paragraph": citation.paragraph, "start": citation.start, "end": citation.end}
    [found] = citations_of([Cited(document=citation.document_id, **place)], library, owner)
    if found.quote != citation.quote:
        raise _changed(found.title)
    told = {name: value for name, value in found.to_dict().items() if name not in _NOT_TOLD}
    return citation.model_validate({**citation.model_dump(exclude_unset=True), **told})


def _place_of(citation: KeptCitation) -> tuple[str, int, int, str]:
    return citation.document_id, citation.start, citation.end, citation.quote


def _changed(title: str) -> MissingPathError:
    return MissingPathError(
        f"{title} has changed since this answer. Ask again, and go by what comes.",
        code="answer_changed",
    )


def _citation(cited: Cited, document: Document) -> Citation:
    inside = [
        paragraph
        for paragraph in document.paragraphs[cited.paragraph - 1 : cited.paragraph]
        if paragraph.start <= cited.start < cited.end <= paragraph.end
    ]
    if not inside:
        raise _changed(document.title)
    return Citation(
        marker=cited.marker,
        paragraph=inside[0],
        source=document.source,
        title=document.title,
        start=cited.start,
        end=cited.end,
        quote=document.text[cited.start : cited.end],
        score=0.0,
    )

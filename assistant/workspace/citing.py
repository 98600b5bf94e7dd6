"""Places in documents, as requests name them, with what stands there now."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field

from assistant.answer import Citation
from assistant.workspace.turns import KeptCitation, KeptTurn
from index.errors import MissingPathError

if TYPE_CHECKING:
    from assistant.workspace.library import Library
    from assistant.workspace.notebooks import Space
    from assistant.workspace.notes import KeptNote
    from index import Document


#: What is not told of a place by itself.
_NOT_TOLD = ("marker", "rectangles", "link", "introduction")


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

"""Places in documents, as whoever asks names them, read there anew."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field

from assistant.answer import Citation
from index.errors import MissingPathError

if TYPE_CHECKING:
    from assistant.workspace.library import Library
    from assistant.workspace.notebooks import NotebookValue
    from assistant.workspace.notes import KeptNote
    from assistant.workspace.turns import KeptCitation, KeptTurn
    from index import Document


class Cited(BaseModel):
    """A citation: where its quote stands."""

    model_config = ConfigDict(strict=True)

    marker: int = 0
    document: str = Field(description="The document's id.")
    paragraph: int = Field(ge=1, description="Number of the paragraph, from 1.")
    start: int = Field(description="Where the quote begins in the document's text.")
    end: int = Field(description="Where it ends.")


def citations_of(given: Iterable[Cited], library: Library, owner: str) -> tuple[Citation, ...]:
    """Citations with what stands there now.

    Args:
        given: where.
        library: whose documents they are.
        owner: who asks.

    Raises:
        MissingPathError: a document is gone, or has nothing there any more.
    """
    given = list(given)
    named = {cited.document for cited in given}
    documents = {identity: library.document(owner, identity) for identity in named}
    return tuple(_citation(cited, documents[cited.document]) for cited in given)


def checked_note(
    note: KeptNote, library: Library, owner: str, notebook: NotebookValue | None
) -> KeptNote:
    """A note whose highlighted place says what stands there; what is kept already stays, whatever
    became of its document.

    Args:
        note: as a browser sends it.
        library, owner, notebook: where it is to be kept.

    Raises:
        MissingPathError: the document is gone, or has other words there.
    """
    if note.citation is None:
        return note
    before = library.notes.find(owner, notebook, note.id)
    kept = before.citation if before else None
    if kept is None or _place_of(kept) != _place_of(note.citation):
        kept = _read_again(note.citation, library, owner)
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
    own = citation
    place = {"paragraph": own.paragraph, "start": own.start, "end": own.end}
    [found] = citations_of([Cited(document=own.document_id, **place)], library, owner)
    if found.quote != own.quote:
        raise _changed(found.title)
    told = found.to_dict()
    for name in ("marker", "rectangles", "link", "introduction"):  # not told of a place by itself
        del told[name]
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

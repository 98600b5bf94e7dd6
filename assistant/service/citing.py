"""Places in documents, as whoever asks names them, read there anew."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field

from assistant.answer import Citation
from index.errors import MissingPathError

if TYPE_CHECKING:
    from assistant.service.library import Library
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


def _citation(cited: Cited, document: Document) -> Citation:
    inside = [
        paragraph
        for paragraph in document.paragraphs[cited.paragraph - 1 : cited.paragraph]
        if paragraph.start <= cited.start < cited.end <= paragraph.end
    ]
    if not inside:
        raise MissingPathError(
            f"{document.title} has changed since this answer. Ask again, and go by what comes.",
            code="answer_changed",
        )
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

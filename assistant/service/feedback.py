"""What a reader said of an answer, and the answer that it was said of, as the browser tells it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from assistant.answer import Answer, AnswerSentence, Citation, Verdict
from assistant.calibration import Status
from assistant.feedback import add_draft, drafts_of
from assistant.service.operations import turns_of
from assistant.service.sessions import SessionDocuments
from index.errors import MissingPathError

if TYPE_CHECKING:
    from assistant.service.service import Service
    from index import Document

MAX_ITEMS = 100
"""Sentences and citations that an answer may have here."""


class Said(BaseModel):
    """A sentence of the answer."""

    model_config = ConfigDict(strict=True)

    text: str = Field(max_length=10_000)
    verdict: Verdict
    markers: list[int] = Field(max_length=MAX_ITEMS, description="Of the citations behind it.")


class Cited(BaseModel):
    """A citation of the answer: where its quote stands."""

    model_config = ConfigDict(strict=True)

    marker: int
    document: str = Field(description="The document's id.")
    paragraph: int = Field(ge=1, description="Number of the paragraph, from 1.")
    start: int = Field(description="Where the quote begins in the document's text.")
    end: int = Field(description="Where it ends.")


class Vote(BaseModel):
    """A thumb up or down."""

    model_config = ConfigDict(strict=True)

    verdict: Literal["up", "down"]
    question: str = Field(max_length=4000)
    history: list[dict[str, Annotated[str, Field(max_length=20_000)]]] = Field(
        max_length=MAX_ITEMS, description="The conversation before it, as `role` and `content`."
    )
    status: Status = Field(description="Of the answer.")
    confidence: Annotated[float, Field(ge=0, le=1)] | None = Field(description="Of the answer.")
    sentences: list[Said] = Field(max_length=MAX_ITEMS)
    citations: list[Cited] = Field(max_length=MAX_ITEMS)


def take(vote: Vote, service: Service, client: str, owner: str | None) -> None:
    """Keep what a reader said as a draft of an evaluation question.

    Args:
        vote: what was said.
        service: of the answer that it was said of.
        client: who says it; see `access.client_of`.
        owner: whose documents were asked.

    Raises:
        MissingPathError: a document is gone, or no longer holds what was quoted.
        RefusedError: so much is not kept of one client.
        IndexUnusableError: it cannot be kept.
    """
    service.access.count_bytes(client, len(vote.model_dump_json()))
    add_draft(
        drafts_of(service.sessions.index),
        vote.question,
        history=turns_of(vote.history),
        answer=answer_of(vote, service.sessions, owner),
        verdict=vote.verdict,
    )


def answer_of(vote: Vote, sessions: SessionDocuments, owner: str | None) -> Answer:
    """The answer that was voted on; its quotes are read from the documents anew.

    Raises:
        MissingPathError: a document is gone, or no longer holds what was quoted.
    """
    named = {cited.document for cited in vote.citations}
    documents = {identity: sessions.document(owner, identity) for identity in named}
    return Answer(
        question=vote.question,
        standalone_question=vote.question,
        sentences=tuple(
            AnswerSentence(said.text, said.verdict, tuple(said.markers)) for said in vote.sentences
        ),
        citations=tuple(_citation(cited, documents[cited.document]) for cited in vote.citations),
        status=vote.status,
        confidence=vote.confidence,
    )


def _citation(cited: Cited, document: Document) -> Citation:
    inside = [
        paragraph
        for paragraph in document.paragraphs[cited.paragraph - 1 : cited.paragraph]
        if paragraph.start <= cited.start < cited.end <= paragraph.end
    ]
    if not inside:
        raise MissingPathError(
            f"{document.title} has changed since this answer. Ask again, and judge what comes."
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

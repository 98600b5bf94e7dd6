"""What a reader said of an answer, and the answer that it was said of, as the browser tells it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

from pydantic import BaseModel, ConfigDict, Field

from assistant.answer import Answer, AnswerSentence, Citation, Verdict
from assistant.calibration import Status
from assistant.feedback import Opinion, add_draft, draft_id, drafts_of
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
    """A citation: where its quote stands."""

    model_config = ConfigDict(strict=True)

    marker: int
    document: str = Field(description="The document's id.")
    paragraph: int = Field(ge=1, description="Number of the paragraph, from 1.")
    start: int = Field(description="Where the quote begins in the document's text.")
    end: int = Field(description="Where it ends.")


class Vote(BaseModel):
    """What is said of an answer, or of the passages that are shown."""

    model_config = ConfigDict(strict=True)

    verdict: Opinion | None = Field(
        description="`up`: it is right, or the chosen passages are. `down`: it is not. `none`: "
        "nothing that is shown answers. null takes back what was said."
    )
    question: str = Field(max_length=4000)
    history: list[dict[str, Annotated[str, Field(max_length=20_000)]]] = Field(
        max_length=MAX_ITEMS, description="The conversation before it, as `role` and `content`."
    )
    status: Status = Field(description="Of the answer.")
    confidence: Annotated[float, Field(ge=0, le=1)] | None = Field(description="Of the answer.")
    sentences: list[Said] = Field(max_length=MAX_ITEMS)
    citations: list[Cited] = Field(max_length=MAX_ITEMS)
    chosen: list[Cited] = Field(
        default=[],
        max_length=MAX_ITEMS,
        description="With `up`, the passages, cited or closest, of which each answers the "
        "question: with them it is a whole question to evaluate by.",
    )


def take(vote: Vote, service: Service, client: str, owner: str | None) -> None:
    """Keep what a reader said as a question to evaluate by, or a draft of one; or take it back.

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
    drafts, history = drafts_of(service.sessions.index), turns_of(vote.history)
    if vote.verdict is None:
        drafts.delete(draft_id(vote.question, history))
        return
    add_draft(
        drafts,
        vote.question,
        history=history,
        answer=answer_of(vote, service.sessions, owner),
        verdict=vote.verdict,
        chosen=_citations(vote.chosen if vote.verdict == "up" else (), service.sessions, owner),
    )


def answer_of(vote: Vote, sessions: SessionDocuments, owner: str | None) -> Answer:
    """The answer that was voted on; its quotes are read from the documents anew.

    Raises:
        MissingPathError: a document is gone, or no longer holds what was quoted.
    """
    return Answer(
        question=vote.question,
        standalone_question=vote.question,
        sentences=tuple(
            AnswerSentence(said.text, said.verdict, tuple(said.markers)) for said in vote.sentences
        ),
        citations=_citations(vote.citations, sessions, owner),
        status=vote.status,
        confidence=vote.confidence,
    )


def _citations(
    given: Sequence[Cited], sessions: SessionDocuments, owner: str | None
) -> tuple[Citation, ...]:
    named = {cited.document for cited in given}
    documents = {identity: sessions.document(owner, identity) for identity in named}
    return tuple(_citation(cited, documents[cited.document]) for cited in given)


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

"""What a reader said of an answer, and the answer that it was said of, as the browser tells it."""

from typing import Literal

from pydantic import BaseModel, Field

from assistant.answer import Answer, AnswerSentence, Citation, Verdict
from assistant.calibration import Status
from assistant.service.sessions import SessionDocuments
from index.errors import MissingPathError

MOST = 100
"""Sentences and citations that an answer may have here."""


class Said(BaseModel):
    """A sentence of the answer."""

    text: str = Field(max_length=10_000)
    verdict: Verdict
    markers: list[int] = Field(max_length=MOST)


class Cited(BaseModel):
    """A citation of the answer: where its quote stands."""

    marker: int
    document: str
    paragraph: int = Field(ge=1)
    start: int
    end: int


class Vote(BaseModel):
    """A thumb up or down."""

    verdict: Literal["up", "down"]
    question: str = Field(max_length=4000)
    history: list[dict[str, str]] = Field(max_length=MOST)
    status: Status
    confidence: float = Field(ge=0, le=1)
    sentences: list[Said] = Field(max_length=MOST)
    citations: list[Cited] = Field(max_length=MOST)


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
        citations=tuple(_citation(cited, sessions, owner) for cited in vote.citations),
        status=vote.status,
        confidence=vote.confidence,
    )


def _citation(cited: Cited, sessions: SessionDocuments, owner: str | None) -> Citation:
    document = sessions.document(owner, cited.document)
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

"""Questions and what became of them, as they are kept: what the page told of each.

What an earlier page kept had less in it, and what a later one keeps may have more: that stays.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from assistant.answer import AnswerKind, Verdict
from assistant.calibration import Status

Id = Annotated[str, Field(pattern=r"^[A-Za-z0-9-]{8,40}$", description="Chosen by who begins it.")]


class Loose(BaseModel):
    """What an earlier page may have kept with less, and a later one with more."""

    model_config = ConfigDict(extra="allow")


class KeptRectangle(Loose):
    """Where a line of a quote is printed; see `Rectangle`, which takes nothing else."""

    page: int
    left: float
    top: float
    right: float
    bottom: float


class KeptCitation(Loose):
    """A citation of an answer that was given."""

    marker: int
    document: str
    document_id: str
    source: str = ""
    heading: list[str]
    paragraph: int
    page: int | None = None
    locator: str = ""
    start: int
    end: int
    quote: str
    paragraph_start: int
    paragraph_end: int
    paragraph_text: str
    rectangles: list[KeptRectangle] = []
    uncertain: bool = False


class KeptSentence(Loose):
    """A sentence of it."""

    text: str
    verdict: Verdict
    markers: list[int]
    conflicts: list[str] = []
    item: bool = False
    about: str = ""


class KeptAnswer(Loose):
    """An answer that was given."""

    question: str
    standalone_question: str
    kind: AnswerKind = "fact"
    status: Status | None = None
    refused: bool
    sentences: list[KeptSentence]
    citations: list[KeptCitation]
    closest: list[KeptCitation] = []
    unanswered: list[str] = []
    undecided: list[str] = []
    dropped: int = 0
    context: str = ""
    note: str | None = None


class KeptTurn(Loose):
    """A question, and what became of it."""

    id: Id
    question: Annotated[str, Field(min_length=1, max_length=20_000)]
    asked: float = Field(default=0, description="Milliseconds since 1970; turns are in this order.")
    state: Literal["answered", "unsure", "refused", "pending", "failed", "stopped"]
    answer: KeptAnswer | None = None
    sentences: list[KeptSentence] = []
    citations: list[KeptCitation] = []
    documents: list[str] = []

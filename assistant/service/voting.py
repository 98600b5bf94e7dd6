"""Readers' feedback on answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import BaseModel, ConfigDict, Field

from assistant.access.callers import MACHINE
from assistant.answer import Answer, AnswerSentence, Verdict
from assistant.calibration import Status
from assistant.service.operations import turns_of
from assistant.workspace.citing import Cited, citations_of
from assistant.workspace.feedback import Opinion, Reason, add_draft, remove_draft

if TYPE_CHECKING:
    from assistant.service.service import Service

MAX_ITEMS = 100
"""Limit for the sentences, and for the citations, of an answer."""


class Said(BaseModel):
    """A sentence of the answer that was voted on."""

    model_config = ConfigDict(strict=True)

    text: str = Field(max_length=10_000)
    verdict: Verdict
    markers: list[int] = Field(max_length=MAX_ITEMS, description="Of the citations behind it.")


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
        description="The passages, cited or closest, of which each answers the question, whatever "
        "is said of the answer: with them it is a whole question to evaluate by.",
    )
    reason: Reason | None = Field(default=None, description="With `down`, what is wrong with it.")
    comment: str = Field(
        default="", max_length=2000, description="With `down`, the same in the reader's words."
    )


def take(vote: Vote, service: Service, client: str, owner: str) -> None:
    """Keep a vote as a question to evaluate by, or a draft of one; or take it back. The quotes of
    the answer are read from the documents again.

    Args:
        vote: what the reader said.
        service: gave the answer.
        client: who it counts for; see `access.callers.client_of`.
        owner: whose documents were asked.

    Raises:
        MissingPathError: a document is gone, or no longer holds what was quoted.
        RefusedError: this client has sent too much.
        IndexUnusableError: the database cannot be written.
    """
    service.access.count_bytes(client, len(vote.model_dump_json()))
    library, history = service.library, turns_of(vote.history)
    database = library.index.database
    by = "" if owner == MACHINE else owner
    if vote.verdict is None:
        remove_draft(database, vote.question, owner=by, history=history)
        return
    add_draft(
        database,
        vote.question,
        owner=by,
        history=history,
        answer=Answer(
            question=vote.question,
            standalone_question=vote.question,
            sentences=tuple(
                AnswerSentence(said.text, said.verdict, tuple(said.markers))
                for said in vote.sentences
            ),
            citations=citations_of(vote.citations, library, owner),
            status=vote.status,
            confidence=vote.confidence,
        ),
        verdict=vote.verdict,
        reason=vote.reason,
        comment=vote.comment,
        chosen=citations_of(() if vote.verdict == "none" else vote.chosen, library, owner),
    )

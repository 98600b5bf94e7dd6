"""Readers' feedback on answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from assistant.answer import Verdict
from assistant.calibration import Status
from assistant.query.rewriting import check_roles
from assistant.workspace.citing import Cited, citations_of
from assistant.workspace.feedback import put_vote

if TYPE_CHECKING:
    from assistant.service.service import Service

MAX_ITEMS = 100
"""Limit for the sentences, and for the citations, of an answer."""

#: The reader's verdict: right, wrong, or that nothing which is shown answers.
Opinion = Literal["up", "down", "none"]

#: The fault of an answer: it is false, it answers another question, it leaves something out, it
#: cites what does not support it.
Reason = Literal["wrong", "other", "incomplete", "source"]


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
        "is said of the answer.",
    )
    reason: Reason | None = Field(default=None, description="With `down`, what is wrong with it.")
    comment: str = Field(
        default="", max_length=2000, description="With `down`, the same in the reader's words."
    )


def take(vote: Vote, service: Service, client: str, owner: str) -> None:
    """Keep a vote with the quotes of its citations, which are read from the documents again; or
    withdraw it.

    Args:
        vote: the vote that was sent.
        service: the service that gave the answer.
        client: who it counts for; see `access.callers.client_of`.
        owner: whose documents were asked.

    Raises:
        MissingPathError: a document is gone, or no longer holds what was quoted.
        RefusedError: this client has sent too much.
        IndexUnusableError: the database cannot be written.
    """
    service.access.count_bytes(client, len(vote.model_dump_json()))
    check_roles(vote.history)

    def quoted(places: list[Cited]) -> list[dict[str, Any]]:
        found = citations_of(places, service.library, owner)
        shown = ("marker", "source", "document", "paragraph", "quote")
        return [{name: one.to_dict()[name] for name in shown} for one in found]

    kept = vote.model_dump(exclude={"citations", "chosen"}, exclude_defaults=True)
    if vote.verdict is not None:
        kept |= {"citations": quoted(vote.citations), "chosen": quoted(vote.chosen)}
    put_vote(service.library.index.database, owner, kept)

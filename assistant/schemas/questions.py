"""What is asked, by programs and by the page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Field

from assistant.query.kinds import MAX_LENGTH
from assistant.schemas.base import Asked

_MAX_ITEMS = 100
"""Turns, or documents, that a question may come with."""


MAX_ADDRESS = 2000
"""Characters of an address that is fetched."""


class TurnValue(Asked):
    """Something that was said in the conversation before."""

    role: Literal["user", "assistant"]
    content: str = Field(max_length=20_000)


QuestionText = Annotated[
    str,
    Field(
        description="As a person asks it.",
        min_length=1,
        max_length=4000,
        examples=["When was the US Indo-Pacific strategy released?"],
    ),
]
History = Annotated[
    Sequence[TurnValue],
    Field(
        max_length=_MAX_ITEMS,
        description="The conversation before it, oldest first; of long ones the end counts.",
    ),
]
Chosen = Annotated[
    list[str] | None,
    Field(
        max_length=_MAX_ITEMS,
        description="Ids of the documents to ask; all that you may ask when left out.",
    ),
]
InNotebook = Annotated[
    str | None,
    Field(
        min_length=1,
        max_length=120,
        description="The id or the name of a notebook: only what is in it is asked.",
    ),
]
About = Annotated[
    str | None,
    Field(
        min_length=1,
        max_length=200,
        description="The heading of the part that it is of, or some of its words; of all when left "
        "out.",
    ),
]
Section = Annotated[
    str | None,
    Field(
        min_length=1,
        max_length=1000,
        description="The heading of the part of a document that the question is about: an overview "
        "that names nothing itself (“Summarize this”) is of that.",
    ),
]
Shown = Annotated[
    list[Annotated[str, Field(pattern=r"^\w{1,40}/\d{1,12}$")]],
    Field(
        max_length=_MAX_ITEMS,
        description="Names of passages: the id of the document, and where the quote begins.",
    ),
]
Length = Annotated[
    int | None,
    Field(ge=1, le=MAX_LENGTH, description="How many it has; chosen by its length if left out."),
]
Query = Annotated[
    str,
    Field(
        description="What to look for, as words or a question.",
        min_length=1,
        max_length=4000,
        examples=["missile defense"],
    ),
]
Count = Annotated[int, Field(ge=1, le=100, description="How many paragraphs at most.")]
ClaimText = Annotated[
    str,
    Field(
        description="Any text, whoever wrote it.",
        min_length=1,
        max_length=20_000,
        examples=["The US Indo-Pacific strategy was released on February 11."],
    ),
]
Answering = Annotated[
    str | None,
    Field(min_length=1, max_length=4000, description="The question that it answers."),
]


class Question(Asked):
    """A question."""

    question: QuestionText
    history: History = ()
    documents: Chosen = None
    notebook: InNotebook = None
    section: Section = None
    llm: Literal["none"] | None = Field(
        default=None,
        description="`none` quotes the documents even where a language model is set.",
    )


class Overview(Asked):
    """An overview that is wanted."""

    documents: Chosen = None
    notebook: InNotebook = None
    about: About = None
    sentences: Length = None
    llm: Literal["none"] | None = Field(default=None, description="As of a question.")


class Search(Asked):
    """A search."""

    query: Query
    count: Count = 10
    documents: Chosen = None
    notebook: InNotebook = None


class Claim(Asked):
    """A text to verify."""

    text: ClaimText
    question: Answering = None
    documents: Chosen = None
    notebook: InNotebook = None


class Place(Asked):
    """An address of the web."""

    address: str = Field(
        description="Of a page, a PDF, a plain text or Markdown, at the usual port.",
        min_length=1,
        max_length=MAX_ADDRESS,
        examples=["https://example.org/page"],
    )

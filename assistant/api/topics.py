"""The help, by topic."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query
from pydantic import Field

from assistant.access.callers import Caller
from assistant.api.openapi import problems
from assistant.help.rendering import Tag, parts_of
from assistant.help.topics import find as search
from assistant.help.topics import hyphenated, topic, topics
from assistant.schemas.base import Value
from index.errors import MissingPathError, QuestionError

Name = Annotated[str, Path(description="What the list calls it.", max_length=200)]
Words = Annotated[
    str | None, Query(description="Words that are looked for in all topics.", max_length=200)
]


class TopicValue(Value):
    """A topic of the help."""

    name: str = Field(description="What it is asked for by.")
    title: str
    summary: str = Field(description="A sentence on what it tells.")


class PlaceValue(Value):
    """A place in the help that has the words that were looked for."""

    topic: str = Field(description="Its name.")
    title: str = Field(description="Of the topic.")
    heading: str = Field(description="The nearest above it.")
    anchor: str = Field(description="Of that heading, what a link names it by.")
    line: str = Field(description="What it says there.")


class HelpValue(Value):
    """The help."""

    topics: list[TopicValue] = Field(description="In the order in which they are best read.")
    found: list[PlaceValue] = Field(description="Where the words stand, if any were given.")


class PartValue(Value):
    """An element of a topic, in place of Markdown or HTML."""

    tag: Tag = Field(description="What it is, as HTML calls it.")
    text: str = Field(description="That it holds, where it holds no parts.")
    parts: list[PartValue]
    anchor: str = Field(description="Of a heading, what a link names it by.")
    topic: str = Field(description="Of a link into the help, the topic.")
    to: str = Field(description="Of a link, the anchor there; or its address on the web.")


class WholeTopicValue(TopicValue):
    """A topic with all that it tells."""

    text: str = Field(description="In Markdown.")
    parts: list[PartValue] = Field(description="The same, taken apart.")


def routes(prefix: str, reader: Callable[..., Caller]) -> APIRouter:
    """The routes of the help.

    Args:
        prefix: of their addresses.
        reader: tells who reads it.
    """
    router = APIRouter(prefix=f"{prefix}/help", dependencies=[Depends(reader)])

    @router.get("", responses=problems())
    def help_(find: Words = None) -> HelpValue:
        """List the topics of the help, and where some words stand in them."""
        places = search(find) if find and any(map(str.isalnum, find)) else ()
        found = [
            PlaceValue(
                topic=place.topic.name,
                title=place.topic.title,
                heading=place.heading,
                anchor=hyphenated(place.heading),
                line=place.line,
            )
            for place in places
        ]
        listed = [TopicValue.model_validate(known) for known in topics()]
        return HelpValue(topics=listed, found=found)

    @router.get("/{name}", responses=problems(404))
    def read(name: Name) -> WholeTopicValue:
        """Read a topic of the help."""
        try:
            found = topic(name)
        except QuestionError as error:
            raise MissingPathError(str(error)) from error
        parts = [PartValue.model_validate(part) for part in parts_of(found)]
        shown = TopicValue.model_validate(found).model_dump()
        return WholeTopicValue(**shown, text=found.text, parts=parts)

    return router

"""What is asked of the documents: a question, an overview, a search, whether they support a text;
and what a reader says of an answer."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from typing import Any

from fastapi import APIRouter, Request, Response

from assistant.access.callers import Caller
from assistant.api.dependencies import Asker
from assistant.api.openapi import also_events
from assistant.events import Decided, Event, LookedAgain, SentenceReady, SourcesFound
from assistant.schemas.answers import (
    AnswerValue,
    DecidedValue,
    LookedAgainValue,
    ReadyValue,
    SourcesValue,
    VerificationValue,
)
from assistant.schemas.base import Value
from assistant.schemas.documents import FoundValue
from assistant.schemas.questions import Claim, Overview, Question, Search
from assistant.service.operations import (
    Sources,
    keep_answers,
    search_documents,
    stream_answer,
    stream_events,
    verify_text,
)
from assistant.service.service import Service
from assistant.service.voting import Vote, take
from assistant.serving.streaming import in_turn, reply, wants_events

_EVENTS = (
    "`sources` (SourcesValue), then `decided` (DecidedValue), a `sentence` (ReadyValue) each, and "
    "at last `done` (AnswerValue); `looked_again` (LookedAgainValue) where a language model has "
    "more looked up; or `failed` (Problem), which says so where what came is to be thrown away."
)
_STEPS: Mapping[type[Event], tuple[str, type[Value]]] = {
    SourcesFound: ("sources", SourcesValue),
    LookedAgain: ("looked_again", LookedAgainValue),
    Decided: ("decided", DecidedValue),
    SentenceReady: ("sentence", ReadyValue),
}


def routes(service: Service) -> APIRouter:
    """The routes of a service."""
    router = APIRouter(prefix="/api")
    answered: dict[int | str, dict[str, Any]] = {200: also_events(_EVENTS)}

    async def answer(
        request: Request, caller: Caller, steps: Generator[Event, None, None]
    ) -> Value | Response:
        place = service.queue.place_async(caller.client, caller.owner)
        return await reply(request, keep_answers(service, caller.owner, steps), place, to_event)

    @router.post("/ask", response_model=AnswerValue, responses=answered)
    async def ask(asked: Question, caller: Asker, request: Request) -> Value | Response:
        """Answer a question from the documents, or refuse."""
        sources, shown = _sources(asked, caller), wants_events(request)
        history = [turn.model_dump() for turn in asked.history]
        steps = stream_answer(
            service, sources, asked.question, history, asked.llm, section=asked.section, shown=shown
        )
        return await answer(request, caller, steps)

    @router.post("/overview", response_model=AnswerValue, responses=answered)
    async def overview(asked: Overview, caller: Asker, request: Request) -> Value | Response:
        """Give the main points of the documents, or of what stands under a heading."""
        sources, shown = _sources(asked, caller), wants_events(request)
        steps = stream_events(
            service,
            sources,
            lambda assistant: assistant.stream_overview(asked.about, asked.sentences),
            asked.llm,
            shown=shown,
        )
        return await answer(request, caller, steps)

    @router.post("/search")
    async def search(asked: Search, caller: Asker, request: Request) -> FoundValue:
        """Find the paragraphs that match best."""
        wanted = service, _sources(asked, caller), asked.query, asked.count
        return await in_turn(request, service.queue, caller, search_documents, *wanted)

    @router.post("/verify")
    async def verify(asked: Claim, caller: Asker, request: Request) -> VerificationValue:
        """Say of each sentence of a text whether the documents support it."""
        wanted = service, _sources(asked, caller), asked.text, asked.question
        return await in_turn(request, service.queue, caller, verify_text, *wanted)

    @router.post("/feedback", status_code=204)
    def feedback(vote: Vote, caller: Asker) -> None:
        """Keep a reader's vote on an answer, which `footnote index votes` prints."""
        take(vote, service, caller.client, caller.owner)

    return router


def _sources(asked: Question | Overview | Search | Claim, caller: Caller) -> Sources:
    return Sources(caller.owner, asked.documents, asked.notebook)


def to_event(step: Event | AnswerValue) -> tuple[str, Value]:
    """A step of an answer as the name and the value of its event."""
    if isinstance(step, AnswerValue):
        return "done", step
    name, value = _STEPS[type(step)]
    return name, value.model_validate(step)

"""What is asked of the documents: a question, an overview, a search, whether they support a text;
and what a reader says of an answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from anyio import to_thread
from fastapi import APIRouter, Request, Response

from assistant.access.callers import Caller
from assistant.api.callers import Asker
from assistant.api.describing import also_events, problems
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
    stream_overview,
    verify_text,
)
from assistant.service.voting import Vote, take
from assistant.serving.events import reply, wants_events

if TYPE_CHECKING:
    from assistant.service.service import Service

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
    answered: dict[int | str, dict[str, Any]] = {**problems(404), 200: also_events(_EVENTS)}

    @router.post("/ask", response_model=AnswerValue, responses=answered)
    async def ask(asked: Question, caller: Asker, request: Request) -> Value | Response:
        """Answer a question from the documents, or refuse."""
        steps = stream_answer(
            service,
            _sources(asked, caller),
            asked.question,
            [turn.model_dump() for turn in asked.history],
            asked.llm,
            section=asked.section,
            shown=wants_events(request),
        )
        place = service.queue.place_async(caller.client, caller.owner)
        return await reply(request, keep_answers(service, steps), place, tell)

    @router.post("/overview", response_model=AnswerValue, responses=answered)
    async def overview(asked: Overview, caller: Asker, request: Request) -> Value | Response:
        """Give the main points of the documents, or of what stands under a heading."""
        steps = stream_overview(
            service,
            _sources(asked, caller),
            asked.about,
            asked.sentences,
            asked.llm,
            shown=wants_events(request),
        )
        place = service.queue.place_async(caller.client, caller.owner)
        return await reply(request, keep_answers(service, steps), place, tell)

    @router.post("/search", responses=problems(404))
    async def search(asked: Search, caller: Asker) -> FoundValue:
        """Find the paragraphs that match best."""
        async with service.queue.place_async(caller.client, caller.owner):
            return await to_thread.run_sync(
                search_documents, service, _sources(asked, caller), asked.query, asked.count
            )

    @router.post("/verify", responses=problems(404))
    async def verify(asked: Claim, caller: Asker) -> VerificationValue:
        """Say of each sentence of a text whether the documents support it."""
        async with service.queue.place_async(caller.client, caller.owner):
            return await to_thread.run_sync(
                verify_text, service, _sources(asked, caller), asked.text, asked.question
            )

    @router.post("/feedback", status_code=204, responses=problems(404))
    def feedback(vote: Vote, caller: Asker) -> None:
        """Keep what a reader says of an answer: as a question to evaluate by, where it says which
        passages answer, or else as a draft of one."""
        take(vote, service, caller.client, caller.owner)

    return router


def _sources(asked: Question | Overview | Search | Claim, caller: Caller) -> Sources:
    return Sources(caller.owner, asked.documents, asked.notebook)


def tell(step: Event | AnswerValue) -> tuple[str, Value]:
    """A step of an answer as the name and the value of the event that tells it."""
    if isinstance(step, AnswerValue):
        return "done", step
    name, value = _STEPS[type(step)]
    return name, value.model_validate(step)

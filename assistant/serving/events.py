"""What takes long, done in threads and sent as server-sent events, until whoever asked has all of
it or is gone."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator
from contextlib import AbstractAsyncContextManager, aclosing, nullcontext
from typing import TYPE_CHECKING, Any, TypeVar

import anyio
from anyio import to_thread
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from assistant.answer import Answer
from assistant.events import Done, Event
from assistant.schemas.base import Value
from assistant.serving.problems import failure_of

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

MEDIA_TYPE = "text/event-stream"

Step = TypeVar("Step")


async def steps_of(
    steps: Generator[Step, None, None],
    place: AbstractAsyncContextManager[None],
    held: AbstractAsyncContextManager[Any] | None = None,
) -> AsyncGenerator[Step, None]:
    """The steps of something that takes long, each made in a thread.

    Args:
        steps: makes them; closed at the end.
        place: a place in a queue, which is waited for first and left at the end.
        held: let go of at the end, also where the place is not waited for.
    """
    async with held or nullcontext(), place:
        try:
            while (step := await to_thread.run_sync(next, steps, None)) is not None:
                yield step
        finally:
            with anyio.CancelScope(shield=True):
                await to_thread.run_sync(steps.close)


async def whole(
    steps: Generator[Event, None, None], place: AbstractAsyncContextManager[None]
) -> Answer:
    """The answer at the end of its events; see `steps_of`."""
    async with aclosing(steps_of(steps, place)) as work:
        [answer] = [step.answer async for step in work if isinstance(step, Done)]
    return answer


class EventResponse(StreamingResponse):
    """Sends events.

    Args:
        events: their text; closed when all is sent, or nobody is there any more.
        first: those that were made already.
        status: of HTTP.
    """

    def __init__(
        self, events: AsyncGenerator[str, None], first: str = "", status: int = 200
    ) -> None:
        # What stands between is told to hold nothing back.
        headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
        super().__init__(_after(first, events), status, headers, MEDIA_TYPE)
        self._events = events

    @classmethod
    async def begin(cls, events: AsyncGenerator[str, None], status: int = 200) -> EventResponse:
        """Make the first event before anything is answered: what is wrong with the request is known
        then.

        Raises:
            FootnoteError: see where the events are made.
        """
        return cls(events, await anext(events), status)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send them."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            with anyio.CancelScope(shield=True):
                await self._events.aclose()


async def event_stream(
    work: AsyncGenerator[Step, None],
    tell: Callable[[Step], str],
    failed: Callable[[Exception], str],
) -> AsyncGenerator[str, None]:
    """The text of the events of some work.

    Args:
        work: closed at the end.
        tell: makes the event of a step.
        failed: makes the last one, where it goes wrong once there are others.

    Raises:
        FootnoteError: it goes wrong before.
    """
    async with aclosing(work):
        yield tell(await anext(work))
        try:
            async for step in work:
                yield tell(step)
        except Exception as error:  # noqa: BLE001 (`failed` tells of it)
            yield failed(error)


async def reply(
    request: Request,
    steps: Generator[Step, None, None],
    place: AbstractAsyncContextManager[None],
    tell: Callable[[Step], tuple[str, Value]],
    status: int = 200,
    held: AbstractAsyncContextManager[Any] | None = None,
) -> Value | Response:
    """What comes of something that takes long: each step as an event where those are asked for, or
    else the value of the last.

    Args:
        request: that is answered.
        steps, place, held: see `steps_of`.
        tell: gives the name and the value of the event of a step.
        status: of HTTP.

    Raises:
        FootnoteError: it goes wrong before there is any step.
    """
    work = steps_of(steps, place, held)
    if wants_events(request):
        events = event_stream(work, lambda step: event(*tell(step)), error_event(request.scope))
        return await EventResponse.begin(events, status)
    async with aclosing(work):
        made = [step async for step in work]
    return tell(made[-1])[1]


def error_event(scope: Scope) -> Callable[[Exception], str]:
    """Makes the last event of a response to this request, where it goes wrong."""
    return lambda error: event("failed", failure_of(scope, error))


def event(name: str, value: BaseModel) -> str:
    """An event of that name."""
    return f"event: {name}\ndata: {value.model_dump_json(by_alias=True)}\n\n"


def data(value: object) -> str:
    """An event without a name, of plain values."""
    return f"data: {json.dumps(value, ensure_ascii=False)}\n\n"


def wants_events(request: Request) -> bool:
    """Whether a request asks for events, by its header `Accept`."""
    return MEDIA_TYPE in request.headers.get("accept", "")


async def _after(first: str, events: AsyncIterator[str]) -> AsyncIterator[str]:
    if first:
        yield first
    async for one in events:
        yield one

"""Long work, done in threads and sent as server-sent events, until the client has all of it or is
gone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator
from contextlib import (
    AbstractAsyncContextManager,
    aclosing,
    asynccontextmanager,
    nullcontext,
    suppress,
)
from functools import partial
from typing import Any, TypeVar

import anyio
from anyio import to_thread
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from assistant.access.callers import Caller
from assistant.access.fair_queue import FairQueue
from assistant.answer import Answer
from assistant.events import Done, Event
from assistant.schemas.base import Value
from assistant.serving.problems import failure_of

MEDIA_TYPE = "text/event-stream"

Step = TypeVar("Step")
_Made = TypeVar("_Made")


@asynccontextmanager
async def while_connected(request: Request) -> AsyncIterator[None]:
    """Cancel what is done inside the `with` as soon as the client has gone.

    Raises:
        ClientDisconnect: it has.
    """

    async def watch() -> None:
        with suppress(HTTPException):  # of a body that nobody reads
            while (await request.receive())["type"] != "http.disconnect":
                pass
            scope.cancel()

    with anyio.CancelScope() as scope:
        watching = asyncio.create_task(watch())
        try:
            yield
        finally:
            watching.cancel()
    if scope.cancelled_caught:
        raise ClientDisconnect


async def in_turn(
    request: Request,
    line: FairQueue,
    caller: Caller,
    function: Callable[..., _Made],
    *arguments: Any,
) -> _Made:
    """What a function returns, which is called in a thread when the caller's turn has come; one
    that has gone by then loses it."""
    owner = caller.browser or caller.owner
    async with while_connected(request), line.place_async(caller.client, owner):
        return await to_thread.run_sync(function, *arguments)


async def steps_of(
    steps: Generator[Step, None, None],
    place: AbstractAsyncContextManager[None],
    held: AbstractAsyncContextManager[Any] | None = None,
) -> AsyncGenerator[Step, None]:
    """The steps of long work, each made in a thread.

    Args:
        steps: makes them; closed at the end.
        place: a place in a queue, which is waited for first and left at the end.
        held: released at the end, even if the place is never reached.
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
        events: their text; closed when all is sent, or the client is gone.
        first: those that were made already.
        status: of HTTP.
    """

    def __init__(
        self, events: AsyncGenerator[str, None], first: str = "", status: int = 200
    ) -> None:
        # Proxies are told to hold nothing back.
        headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
        super().__init__(_after(first, events), status, headers, MEDIA_TYPE)
        self._events = events

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send them."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            with anyio.CancelScope(shield=True):
                await self._events.aclose()


async def event_stream(
    work: AsyncGenerator[Step, None],
    to_event: Callable[[Step], str],
    to_failure: Callable[[Exception], str],
) -> AsyncGenerator[str, None]:
    """The text of the events of some work.

    Args:
        work: closed at the end.
        to_event: makes the event of a step.
        to_failure: makes the last one, where the work fails once there are others.

    Raises:
        FootnoteError: the work fails before.
    """
    async with aclosing(work):
        yield to_event(await anext(work))
        try:
            async for step in work:
                yield to_event(step)
        except Exception as error:  # noqa: BLE001 (`to_failure` tells of it)
            yield to_failure(error)


async def begun(
    request: Request, events: AsyncGenerator[str, None], status: int = 200
) -> EventResponse:
    """Sends events as soon as there is the first: what is wrong with the request is known with it,
    before the response begins.

    Raises:
        FootnoteError: it fails before there is any.
    """
    async with while_connected(request):
        first = await anext(events)
    return EventResponse(events, first, status)


async def reply(
    request: Request,
    steps: Generator[Step, None, None],
    place: AbstractAsyncContextManager[None],
    to_event: Callable[[Step], tuple[str, Value]],
    status: int = 200,
    held: AbstractAsyncContextManager[Any] | None = None,
) -> Value | Response:
    """The response to a request that takes long: each step as an event where the client accepts
    those, or else the value of the last.

    Args:
        request: that is answered.
        steps, place, held: see `steps_of`.
        to_event: gives the name and the value of the event of a step.
        status: of HTTP.

    Raises:
        FootnoteError: it fails before there is any step.
    """
    work = steps_of(steps, place, held)
    if wants_events(request):
        failed = partial(failure_event, request.scope)
        events = event_stream(work, lambda step: event(*to_event(step)), failed)
        return await begun(request, events, status)
    async with while_connected(request), aclosing(work):
        made = [step async for step in work]
    return to_event(made[-1])[1]


def failure_event(scope: Scope, error: Exception) -> str:
    """The last event of the response to a request that fails."""
    return event("failed", failure_of(scope, error))


def event(name: str, value: BaseModel) -> str:
    """An event of that name."""
    return f"event: {name}\ndata: {value.model_dump_json(by_alias=True)}\n\n"


def wants_events(request: Request) -> bool:
    """Whether a request asks for events, by its header `Accept`."""
    return MEDIA_TYPE in request.headers.get("accept", "")


async def _after(first: str, events: AsyncIterator[str]) -> AsyncIterator[str]:
    if first:
        yield first
    async for text in events:
        yield text

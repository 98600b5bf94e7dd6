"""What takes long, done in threads and sent as server-sent events, until whoever asked has all of
it or is gone."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Generator
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from typing import TYPE_CHECKING, Generic, TypeVar

import anyio
from anyio import to_thread
from pydantic import BaseModel
from starlette.responses import StreamingResponse

from assistant.service.problems import failure_of

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

MEDIA_TYPE = "text/event-stream"

Step = TypeVar("Step")


class Work(Generic[Step]):
    """The steps of something that takes long, each made in a thread. `aclose` it.

    Use `Work.begin`.
    """

    def __init__(self, steps: Generator[Step, None, None], place: AsyncExitStack) -> None:
        self._steps = steps
        self._place = place
        self._first: Step | None = None

    @classmethod
    async def begin(
        cls, steps: Generator[Step, None, None], place: AbstractAsyncContextManager[None]
    ) -> Work[Step]:
        """Wait for its place in a line and make the first step: what is wrong with the request is
        known then, before anything is answered.

        Args:
            steps: makes them; closed at the end.
            place: the place in a line, which is left at the end.

        Raises:
            FootnoteError: see where the steps are made, and `Line`.
        """
        work = cls(steps, AsyncExitStack())
        try:
            await work._place.enter_async_context(place)
            work._first = await to_thread.run_sync(next, steps, None)
        except BaseException:
            await work.aclose()
            raise
        return work

    async def __aiter__(self) -> AsyncIterator[Step]:
        """The steps."""
        step, self._first = self._first, None
        while step is not None:
            yield step
            step = await to_thread.run_sync(next, self._steps, None)

    async def aclose(self) -> None:
        """Stop what is not done, and leave the line."""
        with anyio.CancelScope(shield=True):
            try:
                await to_thread.run_sync(self._steps.close)
            finally:
                await self._place.aclose()


class EventResponse(StreamingResponse, Generic[Step]):
    """Sends what comes of some work as events.

    Args:
        work: begun already; closed when all is sent, or nobody is there any more.
        events: their text; see `told`.
        status: of HTTP.
    """

    def __init__(
        self,
        work: Work[Step],
        events: AsyncIterator[str],
        status: int = 200,
    ) -> None:
        # What stands between is told to hold nothing back.
        headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
        super().__init__(events, status, headers, MEDIA_TYPE)
        self._work = work

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send them."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            await self._work.aclose()


async def told(
    work: Work[Step], tell: Callable[[Step], str], failed: Callable[[Exception], str]
) -> AsyncIterator[str]:
    """The text of the events of some work.

    Args:
        work: begun already.
        tell: makes the event of a step.
        failed: makes the last one, where it goes wrong.
    """
    try:
        async for step in work:
            yield tell(step)
    except Exception as error:  # noqa: BLE001 (`failed` tells of it)
        yield failed(error)


def failing(scope: Scope) -> Callable[[Exception], str]:
    """Makes the last event of a response to this request, where it goes wrong."""
    return lambda error: event("failed", failure_of(scope, error))


def event(name: str, value: BaseModel) -> str:
    """An event of that name."""
    return f"event: {name}\ndata: {value.model_dump_json(by_alias=True)}\n\n"


def data(value: object) -> str:
    """An event without a name, of plain values."""
    return f"data: {json.dumps(value, ensure_ascii=False)}\n\n"


def wants_events(accept: str | None) -> bool:
    """Whether a request asks for events, by its header `Accept`."""
    return MEDIA_TYPE in (accept or "")

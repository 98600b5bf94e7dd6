"""Health checks and metrics."""

from __future__ import annotations

from typing import Literal

from anyio import CapacityLimiter, fail_after, to_thread
from fastapi import APIRouter, Response

from assistant.api.dependencies import Observer
from assistant.schemas.base import Value
from assistant.service.service import Service
from assistant.serving.metrics import CONTENT_TYPE
from index.errors import IndexBusyError

WITHIN = 5.0
"""Seconds in which the index has to tell."""


class Live(Value):
    """That it lives."""

    status: Literal["live"] = "live"


class Ready(Value):
    """That it can answer."""

    status: Literal["ready"] = "ready"


def routes(service: Service) -> APIRouter:
    """The routes of a service."""
    router = APIRouter()
    prometheus = {"description": "As Prometheus reads it.", "content": {"text/plain": {}}}

    @router.get("/health/live")
    async def live() -> Live:
        """Tell that the server lives, whatever else."""
        return Live()

    # Its own thread, for all others may be waiting for what is not ready; one at a time asks the
    # index, however many want to know.
    limiter = CapacityLimiter(1)

    @router.get("/health/ready")
    async def ready() -> Ready:
        """Tell whether questions can be answered now; 503 if not, and why."""
        try:
            with fail_after(WITHIN):
                check = service.assistant.index.ready
                await to_thread.run_sync(check, limiter=limiter, abandon_on_cancel=True)
        except TimeoutError:
            raise IndexBusyError(
                f"The index has not answered for {WITHIN:g} seconds. It may be written by another "
                "process; questions are answered again when it is free."
            ) from None
        return Ready()

    @router.get("/metrics", response_class=Response, responses={200: prometheus})
    def metrics(_: Observer) -> Response:
        """What is counted: of what was asked nothing but how often."""
        return Response(service.metrics.text(), headers={"content-type": CONTENT_TYPE})

    return router

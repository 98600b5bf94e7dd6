"""An id for each request, a line in the log, a count; and no error that ends anywhere but here."""

from __future__ import annotations

import logging
import re
import secrets
import time
from typing import TYPE_CHECKING

from starlette.datastructures import Headers, MutableHeaders

from assistant.service.logs import REQUESTS, about
from assistant.service.problems import FAILED, ID, response_of
from assistant.service.security import MCP

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from assistant.service.access import Caller
    from assistant.service.metrics import Metrics

HEADER = "x-request-id"

_WELL_FORMED = re.compile(r"[A-Za-z0-9._-]{8,64}")

_logger = logging.getLogger(__name__)
_requests = logging.getLogger(REQUESTS)


class TracingMiddleware:
    """Gives each request an id: the one that it brings as `X-Request-ID`, if that is one, or a new
    one. The response has it, the log, whatever is told of a failure, and, for what is behind, the
    request's own headers and state.

    Args:
        app: what is behind it.
        metrics: where requests are counted.
    """

    def __init__(self, app: ASGIApp, *, metrics: Metrics) -> None:
        self.app = app
        self.metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began = time.perf_counter()
        given = Headers(scope=scope).get(HEADER, "")
        # It comes to stand in the log.
        identity = given if _WELL_FORMED.fullmatch(given) else secrets.token_hex(8)
        scope.setdefault("state", {})[ID] = identity
        own = [(n, v) for n, v in scope["headers"] if n != HEADER.encode()]
        scope["headers"] = [*own, (HEADER.encode(), identity.encode())]
        status = 0

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)[HEADER] = identity
            await send(message)

        with about(identity):
            try:
                await self.app(scope, receive, send_with_id)
            except Exception:
                _logger.exception("a request could not be answered")
                if not status:
                    await response_of(scope, 500, FAILED)(scope, receive, send_with_id)
            finally:
                self._tell(scope, status, time.perf_counter() - began)

    def _tell(self, scope: Scope, status: int, seconds: float) -> None:
        route, method = _route(scope), scope["method"]
        if method not in ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"):
            method = "other"  # anyone can make up more of them
        self.metrics.request(method, route, status, seconds)
        caller: Caller | None = scope["state"].get("caller")
        _requests.info(
            "request",
            extra={
                "method": method,
                "route": route,
                "status": status,
                "ms": round(seconds * 1000, 1),
                "caller": caller.name if caller else "",
            },
        )


def _route(scope: Scope) -> str:
    """The pattern of a request's address: the address itself may hold anything."""
    if scope["path"] == MCP:
        return MCP
    route = getattr(scope.get("route"), "path", None)
    return str(route) if route else "other"

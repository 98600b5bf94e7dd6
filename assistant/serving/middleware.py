"""ASGI middleware: request ids, the request log and counts; access control and security headers;
limits on the size of requests and the time they take to arrive.
"""

from __future__ import annotations

import asyncio
import logging
import re
import secrets
import time
from urllib.parse import urlsplit

from anyio import CapacityLimiter, to_thread
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from assistant.access.callers import Access, Caller
from assistant.llm.discovery import is_loopback
from assistant.serving.logs import REQUESTS, about
from assistant.serving.metrics import Metrics
from assistant.serving.problems import API, FAILED, ID, OPENAI, error_response, response_of
from index.errors import FootnoteError, RefusedError

HEADER = "x-request-id"

_WELL_FORMED = re.compile(r"[A-Za-z0-9._-]{8,64}")

_logger = logging.getLogger(__name__)
_requests = logging.getLogger(REQUESTS)

#: Everything comes from this server, nothing is inline, nothing is evaluated, and no string can
#: become markup or script (Trusted Types).
POLICY = "; ".join(
    [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' blob:",  # pages, which are asked for with the browser's key
        "font-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    ]
)

_HEADERS = [
    (b"content-security-policy", POLICY.encode()),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
]

MCP = "/mcp"

#: Pages that links on other sites may lead to.
_SHOWN = ("/", "/api/docs")
#: What anyone may read of the API: nothing about the documents.
_OPEN = ("/api/docs", "/api/docs.css", "/api/openapi.json", "/health/live", "/health/ready")

#: The page's own addresses, and those of gradio that it or a gradio client needs. Gradio has many
#: more (files, uploads, proxies, another page), which nobody here needs.
_OWN = (
    *("/", "/login", "/logout", "/session", "/ask", "/folder", "/starters", "/writers"),
    *("/uploads", "/uploads/there", "/addresses", "/feedback", "/find", "/cite", "/passages"),
    *("/notebooks", "/conversations", "/notes", "/trash", MCP),
)
_OWN_BELOW = ("/page/", "/documents/", "/notebooks/", "/conversations/", "/notes/", "/help/")
_STARTUP = "/gradio_api/startup-events"
_GRADIO = ("/config", "/gradio_api/info", "/gradio_api/cancel", _STARTUP)
_GRADIO_BELOW = ("/gradio_api/queue/", "/gradio_api/call/", "/gradio_api/heartbeat/")
_NOTHING = (404, "There is nothing at this address.")

_BELOW = (*_OWN_BELOW, *_GRADIO_BELOW, OPENAI, *API)

MAX_BODY = 2_000_000
"""Bytes of a request that brings no file."""

FORM_OVERHEAD = 65_536
"""Bytes that may come around a file."""


class TracingMiddleware:
    """Gives each request an id: its `X-Request-ID`, if that is well-formed, or a new one. The id is
    in the response, the log, every problem document, and the request's headers and state.

    Args:
        app: the wrapped app.
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
        headers = MutableHeaders(scope=scope)
        identity = headers.get(HEADER, "")
        if not _WELL_FORMED.fullmatch(identity):  # it comes to stand in the log
            identity = secrets.token_hex(8)
        headers[HEADER] = identity
        scope.setdefault("state", {})[ID] = identity
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
                self._record(scope, status, time.perf_counter() - began)

    def _record(self, scope: Scope, status: int, seconds: float) -> None:
        pattern = getattr(scope.get("route"), "path", None)  # the address may hold anything
        route = MCP if scope["path"] == MCP else str(pattern or "other")
        method = scope["method"]
        if method not in ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"):
            method = "other"  # anyone can make up more of them
        self.metrics.request(method, route, status, seconds)
        caller: Caller | None = scope["state"].get("caller")
        name, ms = caller.name if caller else "", round(seconds * 1000, 1)
        fields = {"method": method, "route": route, "status": status, "ms": ms, "caller": name}
        _requests.info("request", extra={"fields": fields})


class SecurityMiddleware:
    """Refuses requests from other sites, for unknown addresses, or without access; adds the
    security headers. The page checks its own login; for all else `access` decides, and the
    request's state has the `caller`.

    Args:
        app: the wrapped app.
        local: served to this machine only: requests for any other host name are refused, so that a
            web site that points its own name at this machine cannot read the documents.
        access: knows who sends a request.
    """

    def __init__(self, app: ASGIApp, *, local: bool, access: Access) -> None:
        self.app = app
        self.local = local
        self.access = access
        # Its own threads: all others may be busy with earlier requests.
        self._threads = CapacityLimiter(8)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or pass it on."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), *_HEADERS]
                if scope["path"].startswith(("/page/", "/help/")) or scope["path"] == "/":
                    # Asked for again each time, by its tag: a new version is seen at once.
                    message["headers"].append((b"cache-control", b"no-cache"))
                elif is_of_api(scope["path"]):
                    message["headers"].append((b"cache-control", b"no-store"))
            await send(message)

        refusal = self._refusal(scope) if scope["type"] == "http" else _NOTHING  # no sockets
        if refusal is not None:
            await response_of(scope, *refusal)(scope, receive, send_with_headers)
            return
        if scope["path"] == MCP or (is_of_api(scope["path"]) and scope["path"] not in _OPEN):
            try:
                await to_thread.run_sync(self._let_in, scope, limiter=self._threads)
            except FootnoteError as error:
                await error_response(scope, error)(scope, receive, send_with_headers)
                return
        await self.app(scope, receive, send_with_headers)

    def _refusal(self, scope: Scope) -> tuple[int, str] | None:
        headers = Headers(scope=scope)
        path: str = scope["path"]
        try:
            host = urlsplit(f"//{headers.get('host', '')}").hostname or ""
        except ValueError:
            host = ""
        if self.local and not is_loopback(host):
            return 400, "This is served to this machine only: ask for it as 127.0.0.1."
        if path not in (*_OWN, *_GRADIO) and not path.startswith(_BELOW):
            return _NOTHING
        if _from_elsewhere(scope["method"], path, headers):
            return 403, "Requests from other sites are not answered."
        return None

    def _let_in(self, scope: Scope) -> None:
        """Note who sends the request, and count it, unless the app does."""
        address = (scope.get("client") or ("", 0))[0]
        caller = self.access.caller(Headers(scope=scope), address)
        scope.setdefault("state", {})["caller"] = caller
        if scope["path"] == MCP:
            caller.need("ask")
        if scope["path"] not in ("/metrics", MCP):  # a tool's client is told by the tool
            self.access.count(caller)


class RequestLimitMiddleware:
    """Refuses a request that is too large, whether or not it says so, or does not arrive in time.

    Args:
        app: the wrapped app.
        max_file: bytes of a file that is added.
        seconds: in which the whole request has to arrive.
    """

    def __init__(self, app: ASGIApp, *, max_file: int, seconds: float) -> None:
        self.app = app
        self.max_file = max_file
        self.seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or pass it on."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        adds = scope["method"] in ("POST", "PUT") and scope["path"].startswith(
            ("/uploads", "/api/documents")
        )
        limit = self.max_file + FORM_OVERHEAD if adds else MAX_BODY
        megabytes = limit // 1_000_000
        too_large = RefusedError(
            f"It is larger than {megabytes} MB, which is the most that is taken here. Send less at "
            "once; whoever runs Footnote adds larger files with `footnote index add`.",
            413,
            code="too_large",
            megabytes=megabytes,
        )
        length = Headers(scope=scope).get("content-length", "")
        if length.isdecimal() and int(length) > limit:
            await error_response(scope, too_large)(scope, receive, send)
            return

        until = asyncio.get_running_loop().time() + self.seconds
        size, whole = 0, False

        async def limited() -> Message:
            nonlocal size, whole
            if whole:  # what comes now is that the client has gone
                return await receive()
            try:
                async with asyncio.timeout_at(until):
                    message = await receive()
            except TimeoutError:
                raise HTTPException(
                    408,
                    f"It did not arrive in {self.seconds:g} seconds. Send it again, over a faster "
                    "connection or in smaller parts.",
                ) from None
            size += len(message.get("body", b""))
            whole = not message.get("more_body", False)
            if size > limit:
                raise HTTPException(too_large.status, str(too_large))
            return message

        await self.app(scope, limited, send)


def is_of_gradio(path: str) -> bool:
    """Whether an address is one of those that gradio adds, but for the one that it calls itself."""
    return path != _STARTUP and path.startswith((*_GRADIO, *_GRADIO_BELOW))


def is_of_api(path: str) -> bool:
    """Whether an address is one of the API, in its own terms or in OpenAI's."""
    return path.startswith((OPENAI, *API))


def _from_elsewhere(method: str, path: str, headers: Headers) -> bool:
    """Whether another site made the browser send this. Following a link to the page is fine."""
    if path in _SHOWN and method in ("GET", "HEAD"):
        return False
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site not in ("same-origin", "none")
    origin = headers.get("origin")  # browsers tell no `sec-fetch-site` to plain http elsewhere
    return origin is not None and origin.partition("://")[2] != headers.get("host")

"""The API as an application: its routes, its problems, its description."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from assistant.api import answers, completions, docs, documents, exports, health, notebooks, topics
from assistant.api.callers import reader, writer
from assistant.api.describing import description
from assistant.serving.guards import is_of_api
from assistant.serving.problems import FAILED, Wrong, error_response, response_of
from index.about import VERSION
from index.errors import FootnoteError

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

    from assistant.service.service import Service

_NOTHING = "There is nothing at this address. /api/docs lists what there is."
_OTHERWISE = "Nothing is done at this address by that method. /api/docs lists what is."


def build(service: Service, *, page: bool) -> FastAPI:
    """The API of a service; what guards it is put around it by whoever serves it.

    Args:
        service: what is asked.
        page: whether the page is served beside it, so that citations can lead there.
    """
    app = FastAPI(
        title="Footnote",
        version=VERSION,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.include_router(answers.routes(service))
    app.include_router(documents.routes(service))
    app.include_router(notebooks.routes(service, "/api", reader, writer))
    app.include_router(exports.routes(service, "/api", reader))
    app.include_router(topics.routes("/api", reader))
    app.include_router(completions.routes(service, page=page))
    app.include_router(health.routes(service))

    def describe() -> dict[str, Any]:
        app.openapi_schema = app.openapi_schema or description(app)
        return app.openapi_schema

    app.openapi = describe  # type: ignore[method-assign]  # FastAPI's own way to have another
    app.include_router(docs.routes(describe))
    add_problems(app)
    _add_addresses(app)
    return app


class ApiDispatcher:
    """Passes requests for the API on to it, and all others to what is behind.

    Args:
        app: what is behind it.
        api: the API.
    """

    def __init__(self, app: ASGIApp, *, api: ASGIApp) -> None:
        self.app = app
        self.api = api

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        ours = scope["type"] == "http" and is_of_api(scope["path"])
        await (self.api if ours else self.app)(scope, receive, send)


def lifespan_of(
    sessions: Any | None,
) -> Callable[[Any], AbstractAsyncContextManager[None]]:
    """What runs as long as the server does.

    Args:
        sessions: the manager of MCP's sessions, where its tools are offered.
    """

    @asynccontextmanager
    async def lifespan(_: Any) -> AsyncIterator[None]:
        async with sessions.run() if sessions else nullcontext():
            yield

    return lifespan


def add_problems(app: FastAPI) -> None:
    """Tell errors, values that are not allowed and requests that are not taken as problems."""

    @app.exception_handler(FootnoteError)
    def mistake(request: Request, error: FootnoteError) -> JSONResponse:
        return error_response(request.scope, error)

    @app.exception_handler(RequestValidationError)
    def not_allowed(request: Request, error: RequestValidationError) -> JSONResponse:
        if any(one["type"] == "json_invalid" for one in error.errors()):
            return response_of(
                request.scope, 400, "The body is no JSON. Send it as JSON, in UTF-8."
            )
        errors = [
            Wrong(where=".".join(map(str, one["loc"])), what=one["msg"]) for one in error.errors()
        ]
        detail = "A value is not one that is taken; /api/docs tells what is."
        return response_of(request.scope, 422, detail, errors=errors)

    @app.exception_handler(HTTPException)
    def refused(request: Request, error: HTTPException) -> JSONResponse:
        headers = error.headers
        return response_of(request.scope, error.status_code, str(error.detail), headers=headers)


def _add_addresses(app: FastAPI) -> None:
    """Tell of addresses, and of methods, at which nothing is done."""

    @app.exception_handler(404)
    def nothing(request: Request, _: Exception) -> JSONResponse:
        return response_of(request.scope, 404, _NOTHING)

    @app.exception_handler(405)
    def otherwise(request: Request, error: HTTPException) -> JSONResponse:
        # A route knows of its own method alone.
        headers = {"Allow": _allowed(app, request.url.path) or (error.headers or {})["Allow"]}
        return response_of(request.scope, 405, _OTHERWISE, headers=headers)

    @app.exception_handler(Exception)
    def failed(request: Request, _: Exception) -> JSONResponse:
        return response_of(request.scope, 500, FAILED)  # it is told by what is around


def _allowed(app: FastAPI, path: str) -> str:
    """The methods by which something is done at an address."""
    methods = {
        method.upper()
        for pattern, own in app.openapi()["paths"].items()
        if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", pattern), path)
        for method in own
    }
    return ", ".join(sorted(methods))

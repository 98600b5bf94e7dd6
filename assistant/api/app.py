"""The API as an application: its routes, its problems, its description."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Receive, Scope, Send

from assistant.api import answers, completions, documents, exports, health, notebooks
from assistant.api.dependencies import reader, writer
from assistant.api.openapi import Api, problems_of
from assistant.service.service import Service
from assistant.serving.middleware import is_of_api
from assistant.serving.problems import FAILED, FieldError, error_response, full_disk, response_of
from index.errors import FootnoteError

if TYPE_CHECKING:
    from assistant.mcp.server import Server as Tools

GONE = 499
"""Status of a request whose client has gone, as nginx has it: only logs and counts tell of it."""


def build(service: Service, *, page: bool) -> FastAPI:
    """The API of a service; what guards it is put around it by whoever serves it.

    Args:
        service: what is asked.
        page: whether the page is served beside it, so that citations can lead there.
    """
    app = Api()
    app.include_router(answers.routes(service), tags=["Questions"])
    app.include_router(documents.routes(service), tags=["Documents"])
    app.include_router(notebooks.routes(service, "/api", reader, writer), tags=["Notebooks"])
    app.include_router(exports.routes(service, "/api", reader), tags=["Notebooks"])
    app.include_router(
        completions.routes(service, page=page),
        tags=["OpenAI's protocol"],
        responses=problems_of("OpenAIError", "application/json"),
    )
    app.include_router(health.routes(service), tags=["Operation"])
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


@asynccontextmanager
async def lifespan(tools: Tools | None, _: Any) -> AsyncIterator[None]:
    """What runs as long as the server does: the sessions of MCP, where its tools are offered."""
    async with tools.session_manager.run() if tools else nullcontext():
        yield


def add_problems(app: FastAPI) -> None:
    """Answer errors, values that are not allowed and refused requests with problems."""
    for kind in (FootnoteError, RequestValidationError, HTTPException, ClientDisconnect, OSError):
        app.add_exception_handler(kind, _problem)


def _problem(request: Request, error: Exception) -> Response:
    if isinstance(error, ClientDisconnect):
        return Response(status_code=GONE)
    error = full_disk(error)
    if isinstance(error, FootnoteError):
        return error_response(request.scope, error)
    if isinstance(error, HTTPException):
        detail = str(error.detail)
        return response_of(request.scope, error.status_code, detail, headers=error.headers)
    if isinstance(error, RequestValidationError):
        if any(found["type"] == "json_invalid" for found in error.errors()):
            detail = "The body is no JSON. Send it as JSON, in UTF-8."
            return response_of(request.scope, 400, detail)
        errors = [
            FieldError(where=".".join(map(str, found["loc"])), what=found["msg"])
            for found in error.errors()
        ]
        detail = "A value is not one that is taken; /api/docs tells what is."
        return response_of(request.scope, 422, detail, errors=errors)
    raise error


def _add_addresses(app: FastAPI) -> None:
    """Tell of addresses, and of methods, at which nothing is done."""

    @app.exception_handler(404)
    def nothing(request: Request, _: Exception) -> JSONResponse:
        detail = "There is nothing at this address. /api/docs lists what there is."
        return response_of(request.scope, 404, detail)

    @app.exception_handler(405)
    def otherwise(request: Request, error: HTTPException) -> JSONResponse:
        # A route knows of its own method alone.
        methods = {
            method.upper()
            for pattern, operations in app.openapi()["paths"].items()
            if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", pattern), request.url.path)
            for method in operations
        }
        headers = {"Allow": ", ".join(sorted(methods)) or (error.headers or {})["Allow"]}
        detail = "Nothing is done at this address by that method. /api/docs lists what is."
        return response_of(request.scope, 405, detail, headers=headers)

    @app.exception_handler(Exception)
    def failed(request: Request, _: Exception) -> JSONResponse:
        return response_of(request.scope, 500, FAILED)  # it is told by what is around

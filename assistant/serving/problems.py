"""Error responses: a problem document (RFC 9457) from the API, OpenAI's form in its protocol, a
sentence for the page.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping, Sequence
from http import HTTPStatus

from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import JSONResponse
from starlette.types import Scope

from index.errors import (
    DISK_FULL,
    Code,
    DocumentError,
    EncoderError,
    FootnoteError,
    IndexChangedError,
    IndexFullError,
    IndexUnusableError,
    MissingPathError,
    ReaderError,
    RefusedError,
)

MEDIA_TYPE = "application/problem+json"

ID = "request_id"
"""Key of the id in a request's state."""

FAILED = (
    "Something went wrong here; the details are in the window that Footnote was started from. It "
    "can be tried again."
)

_UNFIT = (
    "Nothing can be asked or added now: a part that Footnote works with cannot be loaded. Whoever "
    "runs it sees which in the window that it was started from."
)

#: What is told of an index that cannot be used. Why that is may name a folder, a server or a user,
#: and is told in that window alone.
_INDEX: Mapping[Code, str] = {
    "index_busy": "The documents are in use elsewhere just now. Try again in a moment.",
    "index_full": "There is no room left on the machine that Footnote runs on. Whoever runs it has "
    "to free some.",
    "index_unavailable": "The store of the documents cannot be reached. Try again in a moment.",
}
_UNREADABLE = (
    "The index cannot be read. Whoever runs Footnote sees why in the window that it was started "
    "from."
)

#: What speaks OpenAI's protocol, and what else is the API.
OPENAI = "/v1/"
API = ("/api/", "/health/", "/metrics")

#: The code of each status, if the error has none of its own.
_CODES: Mapping[int, Code] = {
    400: "request",
    401: "login",
    403: "forbidden",
    404: "nothing",
    405: "method",
    408: "late",
    409: "failed",
    413: "too_large",
    415: "form",
    422: "value",
    429: "many_requests",
    500: "failed",
    503: "not_now",
}

TITLES: Mapping[int, str] = {status: HTTPStatus(status).phrase for status in _CODES}

#: Type and code in OpenAI's protocol, by status.
_OPENAI_KINDS = {
    401: ("authentication_error", "invalid_api_key"),
    403: ("permission_error", None),
    429: ("rate_limit_error", "rate_limit_exceeded"),
}

_UNLOADED = (EncoderError, ReaderError)

_logger = logging.getLogger(__name__)

_BUSY = 5
"""Seconds after which an index that is busy may be free."""


class FieldError(BaseModel):
    """One value that is not allowed."""

    model_config = ConfigDict(extra="forbid")

    where: str = Field(description="Where it stands in the request: `body.question`.")
    what: str = Field(description="What is wrong with it.")


class Problem(BaseModel):
    """Why something was not done, and what to do about it (RFC 9457)."""

    model_config = ConfigDict(extra="forbid")

    type: str = Field(description="Names the kind of problem; it is described at this address.")
    title: str = Field(description="The kind of problem.")
    status: int = Field(description="The status of HTTP.")
    detail: str = Field(description="What happened this time, and what to do about it.")
    code: Code = Field(
        description="The kind of problem, closer than by its status: for programs that say it in "
        "words, or in a language, of their own."
    )
    values: dict[str, str | int] = Field(
        description="What a sentence of that kind names: `count`, `name`; often nothing."
    )
    request_id: str | None = Field(
        description="Names the request in the log of whoever runs Footnote; also `X-Request-ID`."
    )
    errors: list[FieldError] | None = Field(
        default=None, description="Which values are not allowed, where that is the problem."
    )

    @property
    def sentence(self) -> str:
        """The detail and the errors, for people."""
        errors = "; ".join(f"{error.where}: {error.what}" for error in self.errors or ())
        return f"{self.detail} {errors}".strip()


class OpenAIFault(BaseModel):
    """What was wrong, as OpenAI tells it."""

    model_config = ConfigDict(extra="forbid")

    message: str
    type: str
    param: str | None
    code: str | None
    request_id: str | None


class OpenAIError(BaseModel):
    """Why something was not done, as OpenAI tells it."""

    model_config = ConfigDict(extra="forbid")

    error: OpenAIFault


class ParameterError(RefusedError):
    """A parameter of OpenAI's protocol is not one that is taken.

    Args:
        message: why, and what to do.
        param: its name.
        kind: which of OpenAI's errors it is.
        status: of HTTP.
    """

    def __init__(self, message: str, param: str, kind: str, status: int = 400) -> None:
        super().__init__(message, status)
        self.param = param
        self.kind = kind


def problem_of(
    scope: Scope,
    status: int,
    detail: str,
    errors: Sequence[FieldError] | None = None,
    error: FootnoteError | None = None,
) -> Problem:
    """The problem document for a request; `error`: what it comes from."""
    return Problem(
        type=f"/api/docs#problem-{status}",
        title=HTTPStatus(status).phrase,
        status=status,
        detail=detail,
        code=error.code if error else _CODES.get(status, "failed"),
        values=error.values if error else {},
        request_id=id_of(scope),
        errors=None if errors is None else list(errors),
    )


def response_of(
    scope: Scope,
    status: int,
    detail: str,
    *,
    errors: Sequence[FieldError] | None = None,
    headers: Mapping[str, str] | None = None,
    error: FootnoteError | None = None,
) -> JSONResponse:
    """The response for a problem, in the form that is used at the address of the request.

    Args:
        scope: of the request.
        status: of HTTP.
        detail: what happened, and what to do.
        errors: values that are not allowed.
        headers: more headers of the response.
        error: what it comes from.
    """
    path: str = scope["path"]
    if status == 422 and path.startswith(OPENAI):
        status = 400  # OpenAI's status for values that are not allowed
    problem = problem_of(scope, status, detail, errors, error)
    sent = {**(headers or {})}
    if status == 401:
        # The page asks in its own way: for `Basic` a browser would open a window.
        sent["WWW-Authenticate"] = 'Bearer realm="Footnote"'
    if status in (408, 413):
        sent["Connection"] = "close"  # the rest of the body is not read
    if path.startswith(OPENAI):
        return JSONResponse(openai_error(problem, error).model_dump(), status, sent)
    if path.startswith(API):
        left_out = {"errors"} if errors is None else None
        return JSONResponse(problem.model_dump(exclude=left_out), status, sent, MEDIA_TYPE)
    body = problem.model_dump(include={"code", "values", "request_id"})
    return JSONResponse({"detail": problem.sentence, **body}, status, sent)


def error_response(scope: Scope, error: FootnoteError) -> JSONResponse:
    """The response for an error, in the form that is used at the address of the request."""
    status, retry_after, detail = explain(error)
    headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
    return response_of(scope, status, detail, headers=headers, error=error)


def full_disk(error: Exception) -> Exception:
    """The error that says so where a disk is full, whatever was to be written; any other itself."""
    if not (isinstance(error, OSError) and error.errno in DISK_FULL):
        return error
    return IndexFullError(
        f"The disk is full ({error.strerror}). Nothing that was kept before is lost. Free some "
        "room, and do the same again."
    )


def failure_of(scope: Scope, error: Exception) -> Problem:
    """The problem document for an error that came when part of the response was sent already. An
    unexpected one is logged."""
    error = full_disk(error)
    if not isinstance(error, FootnoteError):
        _logger.error("an answer broke off", exc_info=error)
        return problem_of(scope, 500, FAILED)
    status, _, detail = explain(error)
    if isinstance(error, IndexChangedError):
        detail += " Throw away what has come of this answer."
    return problem_of(scope, status, detail, error=error)


def openai_error(problem: Problem, error: Exception | None = None) -> OpenAIError:
    """A problem in OpenAI's form; `error`: what it comes from."""
    kind, code = _OPENAI_KINDS.get(problem.status) or (
        "server_error" if problem.status >= 500 else "invalid_request_error",
        None,
    )
    param = None
    if isinstance(error, ParameterError):
        param, code = error.param, error.kind
    if problem.errors and (named := re.match(r"body\.(\w+(\.\d+)?)", problem.errors[0].where)):
        param, code = named[1], "invalid_value"
    told = OpenAIFault(
        message=problem.sentence, type=kind, param=param, code=code, request_id=problem.request_id
    )
    return OpenAIError(error=told)


def id_of(scope: Scope) -> str | None:
    """The id of a request; see `TracingMiddleware`."""
    found = scope.get("state", {}).get(ID)
    return None if found is None else str(found)


def explain(error: FootnoteError) -> tuple[int, int | None, str]:
    """The status of HTTP for an error, the seconds after which to try again, if that helps, and
    what the client is told, who may be nobody that could set something right."""
    if isinstance(error, RefusedError):
        return error.status, error.retry_after, str(error)
    if isinstance(error, _UNLOADED):
        _logger.error("a model cannot be loaded", exc_info=error)
        return 503, None, _UNFIT
    if isinstance(error, IndexChangedError):
        return 503, _BUSY, str(error)
    if isinstance(error, IndexUnusableError):
        _logger.error("the index cannot be used: %s", error)
        return 503, _BUSY, _INDEX.get(error.code, _UNREADABLE)
    if isinstance(error, MissingPathError):
        return 404, None, str(error)
    return (409 if type(error) is DocumentError else 422), None, str(error)  # 409: too many

"""What is answered when something cannot be done, in the form that whoever asked expects: a problem
document (RFC 9457) from the API, OpenAI's error in its protocol, a sentence on the page.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import JSONResponse

from index.errors import (
    Code,
    DocumentError,
    EncoderError,
    FootnoteError,
    IndexChangedError,
    IndexUnusableError,
    MissingPathError,
    ReaderError,
    RefusedError,
)

if TYPE_CHECKING:
    from starlette.types import Scope

MEDIA_TYPE = "application/problem+json"

ID = "request_id"
"""Where in a request's state its id is."""

FAILED = (
    "Something went wrong here; the details are in the window that Footnote was started from. It "
    "can be tried again."
)

_UNFIT = (
    "Nothing can be asked or added now: a part that Footnote works with cannot be loaded. Whoever "
    "runs it sees which in the window that it was started from."
)

#: What speaks OpenAI's protocol, and what else is the API.
OPENAI = "/v1/"
API = ("/api/", "/health/", "/metrics")

#: What each kind of problem is called.
TITLES: Mapping[int, str] = {
    400: "The request cannot be understood",
    401: "Nobody who is let in",
    403: "Not allowed",
    404: "Not here",
    405: "Not done at this address",
    408: "Too slow",
    409: "Something is in the way",
    413: "Too large",
    415: "In no form that is taken",
    422: "A value is not allowed",
    429: "Too many requests",
    500: "Something went wrong",
    503: "Not now",
}

#: Which kind of error one is that has no class of its own.
_CODES: Mapping[int, Code] = {
    400: "request",
    401: "login",
    403: "forbidden",
    404: "nothing",
    405: "method",
    408: "late",
    413: "too_large",
    415: "form",
    422: "value",
    429: "many_requests",
    503: "not_now",
}

_UNLOADED = (EncoderError, ReaderError)

_logger = logging.getLogger(__name__)

_BUSY = 5
"""Seconds after which an index that is busy may be free."""


class Wrong(BaseModel):
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
    errors: list[Wrong] | None = Field(
        default=None, description="Which values are not allowed, where that is the problem."
    )

    @property
    def sentence(self) -> str:
        """The detail and the errors, for people."""
        wrong = "; ".join(f"{one.where}: {one.what}" for one in self.errors or ())
        return f"{self.detail} {wrong}".strip()


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
    errors: Sequence[Wrong] | None = None,
    error: FootnoteError | None = None,
) -> Problem:
    """The problem document for a request; `error`: what it comes from."""
    return Problem(
        type=f"/api/docs#problem-{status}",
        title=TITLES.get(status) or HTTPStatus(status).phrase,
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
    errors: Sequence[Wrong] | None = None,
    headers: Mapping[str, str] | None = None,
    error: FootnoteError | None = None,
) -> JSONResponse:
    """The response that tells a problem, in the form for its address.

    Args:
        scope: of the request.
        status: of HTTP.
        detail: what happened, and what to do.
        errors: values that are not allowed.
        headers: that it has besides.
        error: what it comes from.
    """
    path: str = scope["path"]
    if status == 422 and path.startswith(OPENAI):
        status = 400  # by which OpenAI tells of values that are not allowed
    problem = problem_of(scope, status, detail, errors, error)
    sent = {**(headers or {})}
    if status == 401:
        # The page asks in its own way: a browser that is told of `Basic` opens a window.
        sent["WWW-Authenticate"] = 'Bearer realm="Footnote"'
    if status in (408, 413):
        sent["Connection"] = "close"  # the rest of the body is not read
    if path.startswith(OPENAI):
        return JSONResponse(openai_error(problem, error), status, sent)
    if path.startswith(API):
        return JSONResponse(plain(problem), status, sent, MEDIA_TYPE)
    body = problem.model_dump(include={"code", "values", "request_id"})
    return JSONResponse({"detail": problem.sentence, **body}, status, sent)


def error_response(scope: Scope, error: FootnoteError) -> JSONResponse:
    """The same for an error."""
    status, again = status_of(error)
    if isinstance(error, _UNLOADED):
        _logger.error("a model cannot be loaded", exc_info=error)
    headers = {} if again is None else {"Retry-After": str(again)}
    return response_of(scope, status, error_message(error), headers=headers, error=error)


def plain(problem: Problem) -> dict[str, Any]:
    """A problem as plain values, without what it does not have."""
    return problem.model_dump(exclude={"errors"} if problem.errors is None else None)


def openai_error(problem: Problem, error: Exception | None = None) -> dict[str, Any]:
    """A problem in OpenAI's form.

    Args:
        problem: what happened.
        error: what it comes from.
    """
    kinds = {401: "authentication_error", 403: "permission_error", 429: "rate_limit_error"}
    kind = kinds.get(problem.status) or (
        "server_error" if problem.status >= 500 else "invalid_request_error"
    )
    codes = {401: "invalid_api_key", 429: "rate_limit_exceeded"}
    errors = problem.errors or ()
    own = error if isinstance(error, ParameterError) else None
    param, code = (own.param, own.kind) if own else (None, None)
    if errors and (named := re.match(r"body\.(\w+(\.\d+)?)", errors[0].where)):
        param, code = named[1], "invalid_value"
    return {
        "error": {
            "message": problem.sentence,
            "type": kind,
            "param": param,
            "code": code or codes.get(problem.status),
            "request_id": problem.request_id,
        }
    }


def status_of(error: FootnoteError) -> tuple[int, int | None]:
    """The status of HTTP for an error, and after how many seconds it may be tried again."""
    if isinstance(error, RefusedError):
        return error.status, error.retry_after
    if isinstance(error, _UNLOADED):
        return 503, None
    if isinstance(error, IndexUnusableError):
        return 503, _BUSY
    if isinstance(error, MissingPathError):
        return 404, None
    return (409 if type(error) is DocumentError else 422), None  # 409: there are too many


def failure_of(scope: Scope, error: Exception) -> Problem:
    """The problem document for an error that came when an answer was being sent already. One that
    nobody expected is told in the log."""
    if isinstance(error, FootnoteError):
        if isinstance(error, _UNLOADED):
            _logger.error("a model cannot be loaded", exc_info=error)
        return problem_of(scope, status_of(error)[0], broken_off(error), error=error)
    _logger.error("an answer broke off", exc_info=error)
    return problem_of(scope, 500, FAILED)


def broken_off(error: FootnoteError) -> str:
    """What is told of an error that came when some of an answer was there already."""
    if isinstance(error, IndexChangedError):
        return f"{error} Throw away what has come of this answer."
    return error_message(error)


def error_message(error: FootnoteError) -> str:
    """What whoever asks is told of an error, who may be nobody that could set something right."""
    return _UNFIT if isinstance(error, _UNLOADED) else str(error)


def id_of(scope: Scope) -> str | None:
    """The id of a request; see `guards`."""
    found = scope.get("state", {}).get(ID)
    return None if found is None else str(found)

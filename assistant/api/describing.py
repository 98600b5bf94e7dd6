"""How the API is described, in OpenAPI's terms."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from fastapi.openapi.utils import get_openapi

from assistant.serving.events import MEDIA_TYPE as EVENTS
from assistant.serving.problems import MEDIA_TYPE, OPENAI, TITLES, Problem

if TYPE_CHECKING:
    from fastapi import FastAPI

#: Any request may meet these.
ALWAYS = (400, 401, 403, 408, 413, 422, 429, 500, 503)

_ABOUT = """\
Questions about documents, answered in sentences that each cite the paragraph that supports it; what
the documents do not say is refused.

A key is sent as `Authorization: Bearer KEY`; without any key or login, this machine's own programs
need none. What a key adds is seen by that key alone, unless it shares it in a notebook. Of what is
not done, a problem document (RFC 9457) says why and what to do, and every response has an
`X-Request-ID`, which also stands in the log. With `Accept: text/event-stream`, an answer comes
piece by piece."""


def problems(
    *statuses: int, schema: str = "Problem", media: str = MEDIA_TYPE
) -> dict[int | str, dict[str, Any]]:
    """How a route's problems are described: those that any has, and these.

    Args:
        statuses: of HTTP.
        schema, media: the name of the form in which they are told, and its type.
    """
    content = {media: {"schema": {"$ref": f"#/components/schemas/{schema}"}}}
    return {
        status: {"description": TITLES[status], "content": content}
        for status in sorted({*ALWAYS, *statuses})
    }


#: The same of OpenAI's protocol.
openai_problems = partial(problems, schema="OpenAIError", media="application/json")


def also_events(what: str) -> dict[str, Any]:
    """How a response is described that comes as events where those are asked for.

    Args:
        what: which events there are.
    """
    return {"content": {EVENTS: {"schema": {"type": "string", "description": what}}}}


def description(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI description of an application."""
    found = get_openapi(title=app.title, version=app.version, description=_ABOUT, routes=app.routes)
    schemas = found.setdefault("components", {}).setdefault("schemas", {})
    template = "#/components/schemas/{model}"
    problem = Problem.model_json_schema(ref_template=template, mode="serialization")
    schemas.update(problem.pop("$defs", {}))
    schemas["Problem"] = problem
    schemas["OpenAIError"] = _openai_error()
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    found["components"]["securitySchemes"] = {
        "key": {"type": "http", "scheme": "bearer", "description": "A key of `footnote keys`."},
        "login": {"type": "http", "scheme": "basic", "description": "A login of the page."},
    }
    found["security"] = [{"key": []}, {"login": []}, {}]
    for path, methods in found["paths"].items():
        for method in methods.values():
            method["tags"] = [_group(path)]
    return found


def _group(path: str) -> str:
    if path.startswith(OPENAI):
        return "OpenAI's protocol"
    if path.startswith("/api/documents"):
        return "Documents"
    if path.startswith(("/api/notebooks", "/api/conversations", "/api/notes", "/api/trash")):
        return "Notebooks"
    if path.startswith("/api/help"):
        return "Help"
    return "Questions" if path.startswith("/api/") else "Operation"


def _openai_error() -> dict[str, Any]:
    text = {"type": "string"}
    maybe = {"anyOf": [text, {"type": "null"}]}
    names = {"message": text, "type": text, "param": maybe, "code": maybe, "request_id": maybe}
    error = {
        "type": "object",
        "properties": names,
        "required": [*names],
        "additionalProperties": False,
    }
    return {
        "type": "object",
        "title": "OpenAIError",
        "description": "Why something was not done, as OpenAI tells it.",
        "properties": {"error": error},
        "required": ["error"],
        "additionalProperties": False,
    }

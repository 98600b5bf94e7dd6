"""The OpenAPI description of the API, and the page made from it: no script, nothing from
elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from fastapi import APIRouter, FastAPI, Response
from fastapi.openapi.utils import get_openapi
from fastapi.responses import FileResponse, HTMLResponse, JSONResponse
from jinja2 import Environment, FileSystemLoader

from assistant.serving.problems import MEDIA_TYPE, OPENAI, TITLES, Problem
from assistant.serving.streaming import MEDIA_TYPE as EVENTS

_HERE = Path(__file__).parent

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
    schemas.update(problem.pop("$defs", {}), Problem=problem, OpenAIError=_openai_error())
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    found["components"]["securitySchemes"] = {
        "key": {"type": "http", "scheme": "bearer", "description": "A key of `footnote keys`."},
        "login": {"type": "http", "scheme": "basic", "description": "A login of the page."},
    }
    found["security"] = [{"key": []}, {"login": []}, {}]
    for path, methods in found["paths"].items():
        group = next(group for prefix, group in _GROUPS if path.startswith(prefix))
        for method in methods.values():
            method["tags"] = [group]
    return found


_GROUPS = (
    (OPENAI, "OpenAI's protocol"),
    ("/api/documents", "Documents"),
    ("/api/notebooks", "Notebooks"),
    ("/api/conversations", "Notebooks"),
    ("/api/notes", "Notebooks"),
    ("/api/trash", "Notebooks"),
    ("/api/", "Questions"),
    ("/", "Operation"),
)
"""Where addresses begin, and their part of the description; the first one counts."""


def _openai_error() -> dict[str, Any]:
    text = {"type": "string"}
    optional = {"anyOf": [text, {"type": "null"}]}
    error = _object(message=text, type=text, param=optional, code=optional, request_id=optional)
    told = "Why something was not done, as OpenAI tells it."
    return {"title": "OpenAIError", "description": told, **_object(error=error)}


def _object(**properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": [*properties],
        "additionalProperties": False,
    }


def docs_routes(describe: Callable[[], dict[str, Any]]) -> APIRouter:
    """The routes of the description; `describe` gives it."""
    router = APIRouter(include_in_schema=False)

    @router.get("/api/openapi.json")
    def description() -> JSONResponse:
        return JSONResponse(describe())

    @router.get("/api/docs")
    def page() -> HTMLResponse:
        return HTMLResponse(render_page(describe()))

    @router.get("/api/docs.css")
    def style() -> Response:
        return FileResponse(_HERE / "docs.css", media_type="text/css")

    return router


def render_page(schema: Mapping[str, Any]) -> str:
    """The page for an OpenAPI description."""
    environment = Environment(
        loader=FileSystemLoader(_HERE), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    groups: dict[str, list[dict[str, Any]]] = {}
    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            listed = {"path": path, "method": method.upper(), **operation}
            groups.setdefault(operation["tags"][0], []).append(listed)
    return environment.get_template("docs.html").render(
        title=schema["info"]["title"],
        version=schema["info"]["version"],
        about=schema["info"]["description"].split("\n\n"),
        groups=groups,
        schemas=schema["components"]["schemas"],
        problems=TITLES,
    )

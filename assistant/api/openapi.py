"""The OpenAPI description of the API, and the page made from it: no script, nothing from
elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Response
from fastapi.responses import FileResponse, HTMLResponse
from jinja2 import Environment, FileSystemLoader

from assistant.serving.problems import MEDIA_TYPE, TITLES, OpenAIError, Problem
from assistant.serving.streaming import MEDIA_TYPE as EVENTS
from index.about import VERSION

_HERE = Path(__file__).parent

_ABOUT = """\
Questions about documents, answered in sentences that each cite the paragraph that supports it; what
the documents do not say is refused.

A key is sent as `Authorization: Bearer KEY`; without any key or login, this machine's own programs
need none. What a key adds is seen by that key alone, unless it shares it in a notebook. Of what is
not done, a problem document (RFC 9457) says why and what to do, and every response has an
`X-Request-ID`, which also stands in the log. With `Accept: text/event-stream`, an answer comes
piece by piece."""

_SECURITY = {
    "key": {"type": "http", "scheme": "bearer", "description": "A key of `footnote keys`."},
    "login": {"type": "http", "scheme": "basic", "description": "A login of the page."},
}


def problems_of(schema: str, media: str) -> dict[int | str, dict[str, Any]]:
    """How the problems that any request may meet are described.

    Args:
        schema, media: the name of the form in which they are told, and its type.
    """
    content = {media: {"schema": {"$ref": f"#/components/schemas/{schema}"}}}
    return {status: {"description": title, "content": content} for status, title in TITLES.items()}


def also_events(what: str) -> dict[str, Any]:
    """How a response is described that comes as events where those are asked for.

    Args:
        what: which events there are.
    """
    return {"content": {EVENTS: {"schema": {"type": "string", "description": what}}}}


class Api(FastAPI):
    """An application whose description has what FastAPI's own leaves out: problems, and how to log
    in."""

    def __init__(self) -> None:
        super().__init__(
            title="Footnote",
            version=VERSION,
            description=_ABOUT,
            openapi_url="/api/openapi.json",
            docs_url=None,
            redoc_url=None,
            redirect_slashes=False,
            responses=problems_of("Problem", MEDIA_TYPE),
        )
        self.add_api_route("/api/docs", self._page, include_in_schema=False)
        self.add_api_route("/api/docs.css", self._style, include_in_schema=False)

    def openapi(self) -> dict[str, Any]:
        """The description."""
        is_new = self.openapi_schema is None
        described = super().openapi()  # which keeps it
        if is_new:
            described["security"] = [{"key": []}, {"login": []}, {}]
            components = described["components"]
            components["securitySchemes"] = _SECURITY
            for model in (Problem, OpenAIError):
                told = model.model_json_schema(
                    ref_template="#/components/schemas/{model}", mode="serialization"
                )
                components["schemas"].update(told.pop("$defs", {}), **{model.__name__: told})
        return described

    def _page(self) -> HTMLResponse:
        return HTMLResponse(render_page(self.openapi()))

    def _style(self) -> Response:
        return FileResponse(_HERE / "docs.css", media_type="text/css")


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

"""The page that describes the API, made from its description: no script, nothing from elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Response
from fastapi.responses import FileResponse, HTMLResponse, JSONResponse
from jinja2 import Environment, FileSystemLoader

from assistant.serving.problems import TITLES

_HERE = Path(__file__).parent


def routes(describe: Callable[[], dict[str, Any]]) -> APIRouter:
    """The routes that tell what there is.

    Args:
        describe: gives the OpenAPI description.
    """
    router = APIRouter(include_in_schema=False)

    @router.get("/api/openapi.json")
    def description() -> JSONResponse:
        return JSONResponse(describe())

    @router.get("/api/docs")
    def page() -> HTMLResponse:
        return HTMLResponse(page_of(describe()))

    @router.get("/api/docs.css")
    def style() -> Response:
        return FileResponse(_HERE / "docs.css", media_type="text/css")

    return router


def page_of(described: Mapping[str, Any]) -> str:
    """The page for an OpenAPI description."""
    environment = Environment(
        loader=FileSystemLoader(_HERE),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    groups: dict[str, list[dict[str, Any]]] = {}
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            own = {"path": path, "method": method.upper(), **operation}
            groups.setdefault(operation["tags"][0], []).append(own)
    return environment.get_template("docs.html").render(
        title=described["info"]["title"],
        version=described["info"]["version"],
        about=described["info"]["description"].split("\n\n"),
        groups=groups,
        schemas=described["components"]["schemas"],
        problems=TITLES,
    )

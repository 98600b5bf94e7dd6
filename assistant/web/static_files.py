"""The files that make up the page in the browser, read once."""

from __future__ import annotations

import hashlib
from importlib import resources
from typing import TYPE_CHECKING

from starlette.responses import PlainTextResponse, Response

if TYPE_CHECKING:
    from starlette.requests import Request

_TYPES = {
    ".css": "text/css",
    ".html": "text/html",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
}


class Static:
    """The files of the page by name, each with a tag by which a browser knows it has it already."""

    def __init__(self) -> None:
        self._files: dict[str, tuple[bytes, str, str]] = {}
        for file in (resources.files("assistant.web") / "static").iterdir():
            kind = _TYPES.get(f".{file.name.rpartition('.')[2]}")
            if kind:
                content = file.read_bytes()
                tag = f'"{hashlib.sha256(content).hexdigest()[:20]}"'
                self._files[file.name] = content, kind, tag

    def response(self, name: str, request: Request) -> Response:
        """The file; the bare tag where the browser has it; 404 where there is none."""
        if name not in self._files:
            return PlainTextResponse("There is no such file.", 404)
        content, kind, tag = self._files[name]
        headers = {"etag": tag, "cache-control": "no-cache"}
        if request.headers.get("if-none-match") == tag:
            return Response(status_code=304, headers=headers)
        return Response(content, media_type=kind, headers=headers)

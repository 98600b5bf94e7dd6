"""How large a request may be, and how long it may take to arrive."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException

from assistant.service.problems import error_response
from index.errors import RefusedError

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

MAX_BODY = 2_000_000
"""Bytes of a request that brings no file."""

FORM_OVERHEAD = 65_536
"""Bytes that may come around a file."""


class BodyMiddleware:
    """Refuses a request that is too large, whether it says so or not, or that does not arrive.

    Args:
        app: what is behind it.
        max_file: bytes of a file that is added.
        seconds: in which all of a request has to be here.
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
        limit = self._limit(scope)
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
            if whole:  # what comes now is that whoever asked has gone
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

    def _limit(self, scope: Scope) -> int:
        path: str = scope["path"]
        adds = scope["method"] in ("POST", "PUT") and path.startswith(
            ("/uploads", "/api/documents")
        )
        return self.max_file + FORM_OVERHEAD if adds else MAX_BODY

"""What is let in, and what every response says to the browser."""

from __future__ import annotations

import base64
import binascii
import secrets
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse

from assistant.web.logins import is_loopback

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

#: Everything comes from this server, nothing is inline, nothing is evaluated, and no string can
#: become markup or script (Trusted Types).
POLICY = "; ".join(
    [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "font-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    ]
)

_HEADERS = [
    (b"content-security-policy", POLICY.encode()),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
]

MCP = "/mcp"

#: The page's own addresses, and those of gradio that it or a gradio client needs. Gradio has many
#: more (files, uploads, proxies, another page), which nobody here needs.
_OWN = ("/", "/login", "/logout", "/session", "/starters", "/uploads", "/feedback", MCP)
_OWN_BELOW = ("/page/", "/documents/")
_GRADIO = ("/config", "/gradio_api/info", "/gradio_api/cancel", "/gradio_api/startup-events")
_GRADIO_BELOW = ("/gradio_api/queue/", "/gradio_api/call/", "/gradio_api/heartbeat/")

Accounts = Mapping[str, str]


class Gate:
    """Refuses what comes from other sites or asks for other things; adds the security headers.

    Args:
        app: what is behind it.
        local: served to this machine only: then no other host name is answered, so that a web
            site that points its own name at this machine cannot read the documents.
        accounts: names and passwords, for MCP clients, which have no cookie. None where the page
            asks for no login.
    """

    def __init__(self, app: ASGIApp, *, local: bool, accounts: Accounts | None) -> None:
        self.app = app
        self.local = local
        self.accounts = accounts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or pass it on."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), *_HEADERS]
            await send(message)

        refusal = self._refusal(scope) if scope["type"] == "http" else _refused("no", 404)
        await (refusal or self.app)(scope, receive, send_with_headers)

    def _refusal(self, scope: Scope) -> PlainTextResponse | None:
        headers = Headers(scope=scope)
        path: str = scope["path"]
        if self.local and not is_loopback(urlsplit(f"//{headers.get('host', '')}").hostname or ""):
            return _refused("This page is served to this machine only.", 400)
        known = (*_OWN, *_GRADIO)
        if path not in known and not path.startswith((*_OWN_BELOW, *_GRADIO_BELOW)):
            return _refused("There is nothing at this address.", 404)
        if _from_elsewhere(scope["method"], path, headers):
            return _refused("Requests from other sites are not answered.", 403)
        if path == MCP and self.accounts is not None and not self._known(headers):
            response = _refused("MCP clients log in with HTTP Basic authentication.", 401)
            response.headers["WWW-Authenticate"] = 'Basic realm="Footnote"'
            return response
        return None

    def _known(self, headers: Headers) -> bool:
        scheme, _, credentials = headers.get("authorization", "").partition(" ")
        if scheme.lower() != "basic":
            return False
        try:
            name, _, password = base64.b64decode(credentials).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return False
        right = (self.accounts or {}).get(name)
        return right is not None and secrets.compare_digest(right.encode(), password.encode())


def _from_elsewhere(method: str, path: str, headers: Headers) -> bool:
    """Whether another site made the browser send this. Following a link to the page is fine."""
    if path == "/" and method in ("GET", "HEAD"):
        return False
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site not in ("same-origin", "none")
    origin = headers.get("origin")  # browsers tell no `sec-fetch-site` to plain http elsewhere
    return origin is not None and urlsplit(origin).netloc != headers.get("host")


def _refused(text: str, status: int) -> PlainTextResponse:
    return PlainTextResponse(text, status_code=status)


def accounts_of(pairs: Sequence[tuple[str, str]]) -> Accounts | None:
    """Names and their passwords, or None where there are none."""
    return dict(pairs) if pairs else None

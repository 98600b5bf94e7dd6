"""Who and what is let in, and what every response says to the browser.

Passwords come from a file or the environment, never from the command line itself, which every user
of the machine can read.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from anyio import CapacityLimiter, to_thread
from starlette.datastructures import Headers

from assistant.llm.discovery import is_loopback
from assistant.service.problems import API, OPENAI, error_response, response_of
from index.errors import FootnoteError, SettingsError

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from assistant.service.access import Access

#: Everything comes from this server, nothing is inline, nothing is evaluated, and no string can
#: become markup or script (Trusted Types).
POLICY = "; ".join(
    [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' blob:",  # pages, which are asked for with the browser's key
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

VARIABLE = "FOOTNOTE_AUTH"

_FORM = "must be name:password, with neither of them empty"

#: What is shown in a browser, whoever sent it there.
_SHOWN = ("/", "/api/docs")
#: What anyone may read of the API: it tells nothing of the documents.
_OPEN = ("/api/docs", "/api/docs.css", "/api/openapi.json", "/health/live", "/health/ready")

#: The page's own addresses, and those of gradio that it or a gradio client needs. Gradio has many
#: more (files, uploads, proxies, another page), which nobody here needs.
_OWN = (
    *("/", "/login", "/logout", "/session", "/ask", "/folder", "/starters", "/writers"),
    *("/uploads", "/uploads/there", "/addresses", "/feedback", "/find", "/cite", "/rewording"),
    *("/notebooks", "/conversations", "/notes", "/trash", MCP, "/help"),
)
_OWN_BELOW = ("/page/", "/documents/", "/notebooks/", "/conversations/", "/notes/", "/help/")
_GRADIO = ("/config", "/gradio_api/info", "/gradio_api/cancel", "/gradio_api/startup-events")
_GRADIO_BELOW = ("/gradio_api/queue/", "/gradio_api/call/", "/gradio_api/heartbeat/")
_NOTHING = (404, "There is nothing at this address.")

_BELOW = (*_OWN_BELOW, *_GRADIO_BELOW, OPENAI, *API)


def read_logins(file: Path | None) -> list[tuple[str, str]]:
    """Names and passwords, from the file or else from FOOTNOTE_AUTH; none where neither is given.

    Args:
        file: has one `name:password` a line; blank lines and lines that begin with # count for
            nothing.

    Raises:
        SettingsError: the file cannot be read, or a login is not of that form. No password is in
            the message.
    """
    if file is None:
        variable = os.environ.get(VARIABLE)
        return [] if variable is None else [_login(variable, VARIABLE)]
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError) as error:
        hint = (
            f" If that is a login: it is not taken from the command line. Set {VARIABLE} instead."
            if ":" in str(file)
            else ""
        )
        raise SettingsError(
            "--auth names a file of logins, one name:password a line, and the one given cannot be "
            f"read ({type(error).__name__}).{hint}"
        ) from error
    logins = [
        _login(line, f"Line {number} of {file}")
        for number, line in enumerate(lines, start=1)
        if line.strip() and not line.startswith("#")
    ]
    if not logins:
        raise SettingsError(f"{file} holds no login. Write one name:password a line.")
    return logins


def check_host(host: str, logins: Sequence[tuple[str, str]]) -> None:
    """Raise SettingsError where other machines reach the host and nobody has to log in."""
    if not (is_loopback(host) or logins):
        raise SettingsError(
            f"The host {host!r} can be reached from other machines, and anyone there could read "
            f"the documents. Give names and passwords ({VARIABLE}, or --auth FILE), or use the "
            "host 127.0.0.1."
        )


class SecurityMiddleware:
    """Refuses what comes from other sites, asks for other things, or is sent by nobody who is let
    in; adds the security headers. The page sees to its own login; all else is let in by `access`,
    and finds who sent it in the state of the request, as `caller`.

    Args:
        app: what is behind it.
        local: served to this machine only: then no other host name is answered, so that a web
            site that points its own name at this machine cannot read the documents.
        access: tells who sends a request.
    """

    def __init__(self, app: ASGIApp, *, local: bool, access: Access) -> None:
        self.app = app
        self.local = local
        self.access = access
        # Threads of its own: all others may be busy with what was let in before.
        self._threads = CapacityLimiter(8)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or pass it on."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), *_HEADERS]
                if scope["path"].startswith("/page/") or scope["path"] == "/":
                    # Asked for again each time, by its tag: a new version is seen at once.
                    message["headers"].append((b"cache-control", b"no-cache"))
                elif is_of_api(scope["path"]):
                    message["headers"].append((b"cache-control", b"no-store"))
            await send(message)

        refusal = self._refusal(scope) if scope["type"] == "http" else _NOTHING  # no sockets
        if refusal is not None:
            await response_of(scope, *refusal)(scope, receive, send_with_headers)
            return
        if scope["path"] == MCP or (is_of_api(scope["path"]) and scope["path"] not in _OPEN):
            try:
                await to_thread.run_sync(self._let_in, scope, limiter=self._threads)
            except FootnoteError as error:
                await error_response(scope, error)(scope, receive, send_with_headers)
                return
        await self.app(scope, receive, send_with_headers)

    def _refusal(self, scope: Scope) -> tuple[int, str] | None:
        headers = Headers(scope=scope)
        path: str = scope["path"]
        if self.local and not is_loopback(_host_of(headers)):
            return 400, "This is served to this machine only: ask for it as 127.0.0.1."
        if path not in (*_OWN, *_GRADIO) and not path.startswith(_BELOW):
            return _NOTHING
        if _from_elsewhere(scope["method"], path, headers):
            return 403, "Requests from other sites are not answered."
        return None

    def _let_in(self, scope: Scope) -> None:
        """Note who sends the request, and count it, unless that is done behind."""
        address = (scope.get("client") or ("", 0))[0]
        caller = self.access.caller(Headers(scope=scope), address)
        scope.setdefault("state", {})["caller"] = caller
        if scope["path"] == MCP:
            caller.need("ask")
        if scope["path"] not in ("/metrics", MCP):  # a tool's client is told by the tool
            self.access.count(caller)


def is_of_api(path: str) -> bool:
    """Whether an address is one of the API, in its own terms or in OpenAI's."""
    return path.startswith((OPENAI, *API))


def _from_elsewhere(method: str, path: str, headers: Headers) -> bool:
    """Whether another site made the browser send this. Following a link to the page is fine."""
    if path in _SHOWN and method in ("GET", "HEAD"):
        return False
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site not in ("same-origin", "none")
    origin = headers.get("origin")  # browsers tell no `sec-fetch-site` to plain http elsewhere
    return origin is not None and origin.partition("://")[2] != headers.get("host")


def _host_of(headers: Headers) -> str:
    """The name by which a request asks for this server; "" where it is none."""
    try:
        return urlsplit(f"//{headers.get('host', '')}").hostname or ""
    except ValueError:
        return ""


def _login(text: str, where: str) -> tuple[str, str]:
    name, separator, password = text.partition(":")
    if not (name.strip() and separator and password):
        raise SettingsError(f"{where} {_FORM}.")
    return name.strip(), password

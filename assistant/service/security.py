"""Who and what is let in, and what every response says to the browser.

Passwords come from a file or the environment, never from the command line itself, which every user
of the machine can read.
"""

from __future__ import annotations

import base64
import binascii
import os
import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse

from assistant.llm.servers import is_loopback
from index.errors import SettingsError

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

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

#: The page's own addresses, and those of gradio that it or a gradio client needs. Gradio has many
#: more (files, uploads, proxies, another page), which nobody here needs.
_OWN = (
    *("/", "/login", "/logout", "/session", "/folder", "/starters", "/writers", "/uploads"),
    *("/feedback", MCP),
)
_OWN_BELOW = ("/page/", "/documents/")
_GRADIO = ("/config", "/gradio_api/info", "/gradio_api/cancel", "/gradio_api/startup-events")
_GRADIO_BELOW = ("/gradio_api/queue/", "/gradio_api/call/", "/gradio_api/heartbeat/")

Accounts = Mapping[str, str]


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
                if scope["path"].startswith("/page/") or scope["path"] == "/":
                    # Asked for again each time, by its tag: a new version is seen at once.
                    message["headers"].append((b"cache-control", b"no-cache"))
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


def _login(text: str, where: str) -> tuple[str, str]:
    name, separator, password = text.partition(":")
    if not (name.strip() and separator and password):
        raise SettingsError(f"{where} {_FORM}.")
    return name.strip(), password

"""Logging in and out of the page."""

from datetime import timedelta
from typing import Annotated

from anyio import to_thread
from fastapi import APIRouter, Form, HTTPException, Request, Response
from fastapi.responses import JSONResponse, RedirectResponse

from assistant.access.callers import Access
from assistant.access.logins import LASTS, signed_by
from index.errors import RefusedError

_COOKIE = "footnote-login-"
"""How the names of cookies begin. A browser sends a cookie to all ports of a host, where another
Footnote may be: each index has a name of its own, which all replicas on it know."""

LOG_IN = "Log in again: reload the page."


class LoginRoutes:
    """Lets people in to the page who have an account, or everyone where there are none.

    Args:
        access: knows the accounts, and counts wrong passwords.
    """

    def __init__(self, access: Access) -> None:
        self._access = access
        self._logins = access.logins

    @property
    def is_guarded(self) -> bool:
        """Whether anyone has to log in."""
        return self._logins.exist()

    def name(self, request: Request) -> str | None:
        """Who has logged in; None where nobody has."""
        if not self.is_guarded:
            return None
        return next(iter(self._logins.named(list(_sent(request).values())).values()), None)

    async def name_async(self, request: Request) -> str | None:
        """The same, for whoever must not wait for the index."""
        return await to_thread.run_sync(self.name, request)

    def user(self, request: Request) -> str | None:
        """The same, where one has to.

        Raises:
            HTTPException: nobody has, and one has to.
        """
        name = self.name(request)
        if name is None and self.is_guarded:
            raise HTTPException(401, LOG_IN)
        return name

    def routes(self) -> APIRouter:
        """The addresses `/login` and `/logout`. They come before those of gradio, which keeps who
        has logged in to itself."""
        router = APIRouter()

        @router.post("/login")
        def log_in(
            request: Request,
            username: Annotated[str, Form()] = "",
            password: Annotated[str, Form()] = "",
        ) -> Response:
            if not self.is_guarded:
                raise RefusedError("Nobody has to log in here: reload the page.", 404)
            name, address = username.strip(), request.client.host if request.client else ""
            if not self._access.fits(name, password, address):
                raise RefusedError(
                    "This name and password are not known here.", 401, code="wrong_login"
                )
            token = self._logins.make(name)
            response = JSONResponse({"success": True}, headers={"cache-control": "no-store"})
            _set(response, request, f"{_COOKIE}{signed_by(token)}", token, LASTS)
            return response

        @router.get("/logout")
        def log_out(request: Request) -> Response:
            # What is below the page's own address, wherever a proxy has put that.
            response = RedirectResponse("./", 303, headers={"cache-control": "no-store"})
            sent = _sent(request)
            known = self._logins.named(list(sent.values()))  # others may be of another Footnote
            for cookie in (cookie for cookie, token in sent.items() if token in known):
                _set(response, request, cookie, "", timedelta())
            return response

        return router


def _sent(request: Request) -> dict[str, str]:
    return {name: token for name, token in request.cookies.items() if name.startswith(_COOKIE)}


def _set(response: Response, request: Request, name: str, value: str, lasts: timedelta) -> None:
    # Whether a proxy may be believed does not matter here: what it tells is of its own request.
    forwarded = request.headers.get("x-forwarded-proto", "").partition(",")[0].strip()
    response.set_cookie(
        name,
        value,
        max_age=int(lasts.total_seconds()),
        path="/",
        secure="https" in (request.url.scheme, forwarded),
        httponly=True,
        samesite="lax",
    )

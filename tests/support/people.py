"""People who log in to the page and the API of one service, in this process."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Iterator
from contextlib import closing, contextmanager

from fastapi import FastAPI
from starlette.testclient import TestClient

from assistant.service.service import Service
from assistant.web.app import build
from assistant.web.login_routes import LoginRoutes
from assistant.web.rendering import PageRenderer
from assistant.web.routes import Folder


@contextmanager
def page_and_api(service: Service) -> Iterator[FastAPI]:
    """Both of a service as one application, as `footnote serve` has them."""
    with closing(PageRenderer()) as renderer, closing(service.starters):

        async def built() -> FastAPI:  # where no loop runs, gradio makes one and leaves it open
            return build(service, LoginRoutes(service.access), renderer, Folder((), None))

        yield asyncio.run(built())


def api_of(app: FastAPI) -> FastAPI:
    """The API of that application, which has addresses of its own."""
    [api] = [own.kwargs["api"] for own in app.user_middleware if "api" in own.kwargs]
    assert isinstance(api, FastAPI)
    return api


def visitor(app: FastAPI, key: str | None = None) -> TestClient:
    """Somebody who has not logged in, with a key if one is given.

    Args:
        app: from `page_and_api`.
        key: sent with each request.
    """
    client = TestClient(app, base_url="http://127.0.0.1", follow_redirects=False)
    if key is not None:
        client.headers["authorization"] = f"Bearer {key}"
    return client


def logged_in(app: FastAPI, name: str, password: str) -> TestClient:
    """Somebody who has logged in to the page, and sends the same login to the API."""
    client = visitor(app)
    response = client.post("/login", data={"username": name, "password": password})
    assert response.status_code == 200, response.text
    told = base64.b64encode(f"{name}:{password}".encode()).decode()
    client.headers["authorization"] = f"Basic {told}"
    return client

"""A client that does its worst holds up nobody else, and leaves nothing behind."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from helpers import PATIENCE
from people import page_and_api

from assistant import Assistant
from assistant.service.service import Service
from assistant.web.rendering import PageRenderer
from assistant.workspace.finding import Finding
from assistant.workspace.notebooks import Notebooks

#: More than there are threads for requests.
MANY = 41


@pytest.fixture
def service(assistant: Assistant) -> Service:
    return Service(assistant, "127.0.0.1")


@pytest.fixture
def app(service: Service) -> Iterator[FastAPI]:
    with page_and_api(service) as built:
        yield built


def client_of(app: FastAPI) -> httpx.AsyncClient:
    """A client of the page and the API in this event loop."""
    transport = httpx.ASGITransport(app)
    return httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1", timeout=PATIENCE)


@pytest.mark.parametrize(
    ("path", "slow"),
    [
        ("/documents/{}/pages/1?width=400", (PageRenderer, "draw")),
        ("/find?text=Japan", (Finding, "count")),
        ("/notes", (Notebooks, "space")),
        ("/notes/export?format=md", (Notebooks, "space")),
        ("/conversations/talk-000001/lapsed", (Notebooks, "space")),
        ("/conversations/talk-000001/export?format=md", (Notebooks, "space")),
        ("/notebooks/0123456789abcdef/export?format=md", (Notebooks, "space")),
    ],
)
def test_whoever_has_many_documents_looked_through_holds_up_nobody_else(
    path: str,
    slow: tuple[type, str],
    service: Service,
    app: FastAPI,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    begun, gate = threading.Event(), threading.Event()
    function: Callable[..., Any] = getattr(*slow)

    def slowly(*given: Any) -> Any:
        begun.set()
        assert gate.wait(PATIENCE)
        return function(*given)

    monkeypatch.setattr(*slow, slowly)
    monkeypatch.setattr(service.library, "boxes", lambda *_: ())
    asked = path.format(service.assistant.document_ids[0])

    async def ask() -> None:
        async with client_of(app) as client:
            many = [asyncio.create_task(client.get(asked)) for _ in range(MANY)]
            try:
                while not begun.is_set():
                    assert not any(one.done() for one in many)
                    await asyncio.sleep(0.01)
                assert (await client.get("/session")).status_code == 200
            finally:
                gate.set()
                await asyncio.gather(*many)

    asyncio.run(asyncio.wait_for(ask(), PATIENCE))

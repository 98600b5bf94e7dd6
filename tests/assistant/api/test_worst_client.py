"""A client that does its worst holds up nobody else, and leaves nothing behind."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pypdfium2
import pytest
import uvicorn
from browsing import QUESTION
from fastapi import FastAPI
from helpers import PATIENCE
from people import page_and_api

from assistant import Assistant
from assistant.access.callers import client_of as client_named
from assistant.access.fair_queue import FairQueue
from assistant.service.service import Service
from assistant.web.rendering import PageRenderer
from assistant.workspace.finding import Finding
from assistant.workspace.library import Library
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
        ("/find?text=Japan", (Finding, "find")),
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


# --- all queues at once --------------------------------------------------------------------------

PASSWORD = "s3cret!"
#: What eve sends of each kind; questions and searches that are worked on at once.
BACKLOG, AT_ONCE = 6, 2
PLACES = {"queue": AT_ONCE, "reading": AT_ONCE, "adding": 1, "drawing": 1}

Sent = asyncio.Task[httpx.Response]


@dataclass
class Course:
    """A page and an API that three people use: eve, who sends far too much, and two others.

    Attributes:
        service: what is asked.
        url: the address of the page and the API of that.
        gate: as long as it is shut, nothing that was begun ends.
        let_in: by queue, who was let in, in that order.
    """

    service: Service
    url: str
    gate: threading.Event
    let_in: defaultdict[str, list[str]]

    @asynccontextmanager
    async def person(self, name: str) -> AsyncIterator[httpx.AsyncClient]:
        """Somebody who has logged in to the page, and sends the same login to the API."""
        limits = httpx.Limits(max_connections=None)
        async with httpx.AsyncClient(
            base_url=self.url, timeout=PATIENCE, auth=(name, PASSWORD), limits=limits
        ) as client:
            response = await client.post("login", data={"username": name, "password": PASSWORD})
            assert response.status_code == 200
            yield client

    def ask(self, client: httpx.AsyncClient, number: int = 0) -> list[Sent]:
        """One request of a person for each queue."""
        document = self.service.assistant.document_ids[0]
        file = {"file": (f"{number}.txt", b"Plums are blue.")}
        return [
            asyncio.create_task(client.request(method, path, **more))
            for method, path, more in (
                ("POST", "api/ask", {"json": {"question": QUESTION}}),
                ("GET", "find?text=Japan", {}),
                ("POST", "api/documents", {"files": file}),
                ("GET", f"documents/{document}/pages/1?width=400", {}),
            )
        ]

    async def until(self, holds: Callable[[FairQueue], bool]) -> None:
        """Wait until something holds of each queue."""
        while not all(holds(getattr(self.service, name)) for name in PLACES):
            await asyncio.sleep(0.01)

    async def until_waiting(self, name: str) -> None:
        """Wait until a person does so in each queue; what does not wait is answered meanwhile."""
        client = client_named(name, "")
        await self.until(lambda queue: client in {turn.client for turn in queue._waiting})


@contextmanager
def served(app: FastAPI) -> Iterator[str]:
    """The address of an application, which a thread serves."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = uvicorn.Server(uvicorn.Config(app, lifespan="off", log_config=None))
        running = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        running.start()
        try:
            while running.is_alive() and not server.started:
                time.sleep(0.01)
            yield f"http://127.0.0.1:{listening.getsockname()[1]}/"
        finally:
            server.should_exit = True
            running.join()


@pytest.fixture
def course(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Course]:
    gate, let_in = threading.Event(), defaultdict[str, list[str]](list)
    pdf = pypdfium2.PdfDocument.new()
    pdf.new_page(100, 100)
    pdf.save(tmp_path / "page.pdf")

    def gated(kind: type, name: str) -> None:
        function: Callable[..., Any] = getattr(kind, name)

        def slowly(*given: Any, **more: Any) -> Any:
            assert gate.wait(PATIENCE)
            return function(*given, **more)

        monkeypatch.setattr(kind, name, slowly)

    gated(Assistant, "stream")
    gated(Finding, "find")
    gated(Library, "add")
    gated(PageRenderer, "draw")
    with Assistant.open(index_dir=tmp_path / "index") as assistant:
        assistant.settings = assistant.settings.model_copy(update={"at_once": AT_ONCE})
        service = Service(
            assistant, "127.0.0.1", [(name, PASSWORD) for name in ("ann", "ben", "eve")]
        )
        monkeypatch.setattr(service.library, "boxes", lambda *_: ())
        monkeypatch.setattr(service.library, "original", lambda *_: tmp_path / "page.pdf")
        admit = FairQueue._let_in

        def noted(queue: FairQueue) -> None:
            before = queue.running
            admit(queue)
            for name in PLACES:
                if queue is getattr(service, name):
                    clients = [turn.client for turn in queue._running[before:]]
                    let_in[name] += [client.removeprefix("login ") for client in clients]

        monkeypatch.setattr(FairQueue, "_let_in", noted)
        with page_and_api(service) as app, served(app) as url:
            try:
                yield Course(service, url, gate, let_in)
            finally:
                gate.set()


@pytest.mark.parametrize("leaves", [False, True])
def test_who_sends_far_too_much_waits_and_leaves_nothing_behind(
    course: Course, leaves: bool
) -> None:
    """In every queue the others come as soon as there is a place."""

    async def use() -> None:
        async with (
            course.person("eve") as eve,
            course.person("ann") as ann,
            course.person("ben") as ben,
        ):
            hers = [one for number in range(BACKLOG) for one in course.ask(eve, number)]
            await course.until(lambda queue: queue.running + queue.waiting == BACKLOG)
            if leaves:
                for one in hers:
                    one.cancel()
                await asyncio.wait(hers)
                await course.until(lambda queue: queue.waiting == 0)  # though nothing has ended
            others = list[Sent]()
            for name, client in (("ann", ann), ("ben", ben)):
                others += course.ask(client)
                await course.until_waiting(name)
                for path in ("health/live", "health/ready", "session"):
                    assert (await client.get(path)).status_code == 200, path
            course.gate.set()
            told = [response.status_code for response in await asyncio.gather(*others)]
            assert told == [200, 200, 201, 200] * 2
            ended = await asyncio.gather(*hers, return_exceptions=True)
            assert leaves or {one.status_code for one in ended} == {200, 201}
            await course.until(lambda queue: queue.running == queue.waiting == 0)

    asyncio.run(asyncio.wait_for(use(), PATIENCE))
    for name, places in PLACES.items():
        rest = 0 if leaves else BACKLOG - places
        expected = [*["eve"] * places, "ann", "ben", *["eve"] * rest]
        assert course.let_in[name] == expected, name
    uploads = [*course.service.library.inbox._uploads]
    assert not [one for one in uploads if one.close.alive], "what she sent is still on the disk"

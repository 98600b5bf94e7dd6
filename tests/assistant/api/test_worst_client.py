"""A client that does its worst holds up nobody else, and leaves nothing behind."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

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
from assistant.access.callers import owner_of_login
from assistant.access.fair_queue import FairQueue
from assistant.service.service import Service
from assistant.web.rendering import PageRenderer
from assistant.workspace.finding import Finding
from assistant.workspace.library import Library
from assistant.workspace.notebooks import Notebooks
from index.chunking.isolation import READING, IsolatedProcess

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
HOSTILE = {
    "broken.pdf": b"%PDF-1.7\n1 0 obj <</Type /Catalog /Pages 1 0 R>> endobj",
    "deep.html": b"<!doctype html><html><body>" + b"<div>" * 5_000 + b"Plums.",
    "packed.docx": b"PK\x03\x04" + bytes(range(256)) * 200,
    "dashes.txt": b"the " + b"-" * 20_000 + b" Plums.",
    "wide.csv": b"a," * 2_000 + b"\n" + b"1," * 2_000,
    "numbers.xlsx": bytes(range(256)) * 400,
}
QUESTIONS = {
    "eve": {
        "question": f"{QUESTION} {'Why, and how? ' * 100}",
        "history": [{"role": "user", "content": "the " + "- " * 1_000}] * 12,
    },
    "ann": {"question": QUESTION},
    "ben": {"question": QUESTION},
}
EVERYTHING = (
    *("api/documents", "conversations", "conversations/search?text=a", "notebooks", "trash"),
    *("notes", "notes/export?format=docx", "help/questions"),
)

Sent = asyncio.Task[httpx.Response]


@dataclass
class Course:
    """A page and an API that three people use: eve, who does her worst, and two others.

    Attributes:
        service: what is asked.
        url: its address.
        gate: as long as it is shut, nothing that was begun ends.
        let_in: by queue, who was let in, in that order.
        workers: the processes that read and draw files.
    """

    service: Service
    url: str
    gate: threading.Event
    let_in: defaultdict[str, list[str]]
    workers: set[IsolatedProcess] = field(default_factory=lambda: {READING})

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

    def ask(self, client: httpx.AsyncClient, name: str, number: int = 0) -> list[Sent]:
        """One request of a person for each queue."""
        file = sorted(HOSTILE)[number % len(HOSTILE)]
        content = HOSTILE[file] if name == "eve" else b"Plums are blue."
        document = self.service.assistant.document_ids[0]
        return [
            asyncio.create_task(client.request(method, path, **more))
            for method, path, more in (
                ("POST", "api/ask", {"json": QUESTIONS[name]}),
                ("GET", "find?text=Japan", {}),
                ("POST", "api/documents", {"files": {"file": (f"{number} {file}", content)}}),
                ("GET", f"documents/{document}/pages/1?width=400", {}),
            )
        ]

    async def until(self, holds: Callable[[FairQueue], bool]) -> None:
        """Wait until something holds of each queue."""
        while not all(holds(getattr(self.service, name)) for name in PLACES):
            await asyncio.sleep(0.01)

    async def until_waiting(self, name: str) -> None:
        """Wait until a person does so in each queue."""
        client = client_named(name, "")
        await self.until(lambda queue: client in {turn.client for turn in queue._waiting})

    async def check_others(self, client: httpx.AsyncClient) -> None:
        """What does not wait is answered."""
        for path in ("health/live", "health/ready", "session"):
            assert (await client.get(path)).status_code == 200, path


@contextmanager
def slow_bodies(client: httpx.AsyncClient) -> Iterator[None]:
    """Requests of a client whose bodies do not come to their end; in the end it leaves."""
    at = urlsplit(str(client.base_url))
    request = client.build_request("GET", "/", headers={"content-length": "900000"})
    [sent] = [*httpx.BasicAuth("eve", PASSWORD).auth_flow(request)]
    headers = "".join(f"{name}: {value}\r\n" for name, value in sent.headers.items())
    with ExitStack() as stack:
        for path in ("/api/ask", "/uploads?name=a.txt", "/login", "/ask"):
            connection = socket.create_connection((str(at.hostname), at.port or 80), PATIENCE)
            stack.enter_context(connection)
            connection.sendall(f"POST {path} HTTP/1.1\r\n{headers}\r\n{{".encode())
        yield


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
    good, bad = tmp_path / "good.pdf", tmp_path / "bad.pdf"
    bad.write_bytes(HOSTILE["broken.pdf"])
    pdf = pypdfium2.PdfDocument.new()
    pdf.new_page(100, 100)
    pdf.save(good)
    with Assistant.open(index_dir=tmp_path / "index") as assistant:
        assistant.settings = assistant.settings.model_copy(update={"at_once": AT_ONCE})
        accounts = [(name, PASSWORD) for name in QUESTIONS]
        service = Service(assistant, "127.0.0.1", accounts)
        course = Course(service, "", gate, let_in)

        def gated(kind: type, name: str) -> None:
            function: Callable[..., Any] = getattr(kind, name)

            def slowly(self: Any, *given: Any, **more: Any) -> Any:
                assert gate.wait(PATIENCE)
                if isinstance(self, PageRenderer):
                    course.workers.add(self._process)
                return function(self, *given, **more)

            monkeypatch.setattr(kind, name, slowly)

        for kind, name in (
            (Assistant, "stream"),
            (Finding, "find"),
            (Library, "add"),
            (PageRenderer, "draw"),
        ):
            gated(kind, name)
        eve = owner_of_login("eve")
        monkeypatch.setattr(service.library, "boxes", lambda *_: ())
        monkeypatch.setattr(service.library, "original", lambda o, _: bad if o == eve else good)

        admit = FairQueue._let_in

        def noted(queue: FairQueue) -> None:
            before = queue.running
            admit(queue)
            for name in PLACES:
                if queue is getattr(service, name):
                    clients = [turn.client for turn in queue._running[before:]]
                    let_in[name] += [client.removeprefix("login ") for client in clients]

        monkeypatch.setattr(FairQueue, "_let_in", noted)
        with page_and_api(service) as app, served(app) as course.url:
            try:
                yield course
            finally:
                gate.set()


def test_the_worst_client_waits_its_turn_in_every_queue(course: Course) -> None:
    async def use() -> None:
        async with (
            course.person("eve") as eve,
            course.person("ann") as ann,
            course.person("ben") as ben,
        ):
            with slow_bodies(eve):
                hers = [one for n in range(BACKLOG) for one in course.ask(eve, "eve", n)]
                await course.until(lambda queue: queue.running + queue.waiting == BACKLOG)
                everything = [asyncio.create_task(eve.get(path)) for path in EVERYTHING * 5]
                others = list[Sent]()
                for name, client in (("ann", ann), ("ben", ben)):
                    others += course.ask(client, name)
                    await course.until_waiting(name)
                    await course.check_others(client)
                course.gate.set()
                told = [response.status_code for response in await asyncio.gather(*others)]
                assert told == [200, 200, 201, 200] * 2
                worst = {one.status_code for one in await asyncio.gather(*hers, *everything)}
                assert worst <= {200, 201, 422}, worst

    asyncio.run(asyncio.wait_for(use(), PATIENCE))
    for name, places in PLACES.items():
        first, others, last = (
            course.let_in[name][part]
            for part in (slice(places), slice(places, places + 2), slice(places + 2, None))
        )
        assert (first, others) == (["eve"] * places, ["ann", "ben"]), name
        assert set(last) == {"eve"} and len(last) >= BACKLOG - places, name


def test_nothing_is_left_of_a_client_that_has_gone(course: Course) -> None:
    async def read(client: httpx.AsyncClient, path: str) -> None:
        accept = {"accept": "text/event-stream"}
        async with client.stream("POST", path, json=QUESTIONS["eve"], headers=accept) as stream:
            async for _ in stream.aiter_lines():
                pass

    async def use() -> None:
        async with course.person("ann") as ann:
            async with course.person("eve") as eve:
                with slow_bodies(eve):
                    hers: list[asyncio.Task[Any]] = [
                        one for n in range(BACKLOG) for one in course.ask(eve, "eve", n)
                    ]
                    await course.until(lambda queue: queue.running + queue.waiting == BACKLOG)
                    streams = [read(eve, path) for path in ("ask", "api/ask") for _ in range(2)]
                    hers += map(asyncio.create_task, streams)
                    while course.service.queue.waiting < BACKLOG - AT_ONCE + len(streams):
                        await asyncio.sleep(0.01)
                    for one in hers:
                        one.cancel()
                    await asyncio.wait(hers)
            await course.until(lambda queue: queue.waiting == 0)  # though nothing of hers has ended
            others = course.ask(ann, "ann")
            await course.until_waiting("ann")
            course.gate.set()
            told = [response.status_code for response in await asyncio.gather(*others)]
            assert told == [200, 200, 201, 200]
            await course.until(lambda queue: queue.running == queue.waiting == 0)

    asyncio.run(asyncio.wait_for(use(), PATIENCE))
    for name, places in PLACES.items():
        assert course.let_in[name] == [*["eve"] * places, "ann"], name
    assert not any(worker._guard.locked() for worker in course.workers)
    uploads = [*course.service.library.inbox._uploads]
    assert not [one for one in uploads if one.close.alive], "what she sent is still on the disk"

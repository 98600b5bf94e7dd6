"""Nothing that may take long is done where all requests are begun: on the event loop."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from copy import copy
from pathlib import Path
from types import FrameType
from typing import Any

import httpx
import pytest
from browsing import QUESTION
from fastapi.routing import iter_route_contexts
from helpers import PATIENCE, ROOT
from sites import Page, Site, fetcher_to, served_site

from assistant import Assistant
from assistant.access.api_keys import Keys
from assistant.access.callers import person
from assistant.service.service import Service
from assistant.web.app import build
from assistant.web.login_routes import LoginRoutes
from assistant.web.rendering import PageRenderer
from assistant.web.routes import Folder

#: Only values: they read, write and work out nothing.
PLAIN = ("errors.py", "models.py")
ON_DISK = {
    *(("io", "open"), ("_io", "open")),
    *(("posix", n) for n in "open stat lstat mkdir rmdir unlink scandir listdir replace".split()),
}
STANDARD = ("<frozen", f"{Path(os.__file__).parent}/")
PLUMS = b"Plums are blue.\n"


@contextmanager
def watched() -> Iterator[list[str]]:
    """Inside, in this thread: calls of the index, and of what reads or writes the disk."""
    found = list[str]()

    def look(frame: FrameType, event: str, called: Any) -> None:
        name, file = frame.f_code.co_name, Path(frame.f_code.co_filename)
        if event == "call" and file.is_relative_to(ROOT / "index") and file.name not in PLAIN:
            found.append(f"{name} of {file.name}")
        elif event == "c_call" and (called.__module__, called.__name__) in ON_DISK:
            asks: FrameType | None = frame  # past what only passes it on
            while asks and asks.f_code.co_filename.startswith(STANDARD):
                asks = asks.f_back
            if asks and Path(asks.f_code.co_filename).is_relative_to(ROOT / "assistant"):
                found.append(f"{called.__name__} for {asks.f_code.co_name}")

    sys.setprofile(look)
    try:
        yield found
    finally:
        sys.setprofile(None)


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Assistant]:
    (tmp_path / "plums.txt").write_text("Plums are blue.\n")
    with Assistant.open(tmp_path / "plums.txt", index_dir=tmp_path / "index") as assistant:
        yield assistant


@pytest.fixture
def site() -> Iterator[Site]:
    with served_site({"/": Page([PLUMS], "text/plain; charset=utf-8")}) as found:
        yield found


def test_no_route_reads_or_works_on_the_event_loop(opened: Assistant, site: Site) -> None:
    assistant = copy(opened)
    assistant.settings = opened.settings.model_copy(update={"max_upload": 2})
    service = Service(assistant, "127.0.0.1")
    service.fetcher = fetcher_to(site)
    login_routes, renderer = LoginRoutes(service.access), PageRenderer()
    key = Keys(assistant.index.database).create("ann", ["ask", "write", "metrics"])
    own = {"x-footnote-session": "0123456789-abcdef-XYZ", "authorization": f"Bearer {key}"}
    long = [{"role": "user", "content": "Plums [1] are blue. " * 5_000}]
    completion = {"model": "footnote", "messages": [*long, {"role": "user", "content": QUESTION}]}
    vote = {
        "verdict": "up", "question": QUESTION, "history": [], "status": "refused",
        "confidence": 0.5, "sentences": [], "citations": [],
    }  # fmt: skip
    files = {"file": ("a.txt", PLUMS)}
    at = {"address": "http://plums.example/"}
    document = assistant.document_ids[0]
    notebook = service.library.notebooks.create(person(None, "").owner, "", "Trees").id
    of, talk, place = f"?notebook={notebook}", "talk-000001", {"id": "note-000001", "created": 1}
    turn = {"title": "", "turn": {"id": "turn-000001", "question": "What?", "state": "stopped"}}
    cited = {"document": document, "paragraph": 1, "start": 0, "end": 5}
    kept = [
        ("GET", "/help/questions", {}),
        ("GET", "/notebooks", {}),
        ("POST", "/notebooks", {"json": {"name": "Plums", "documents": [document]}}),
        ("GET", f"/notebooks/{notebook}", {}),
        ("PATCH", f"/notebooks/{notebook}", {"json": {"name": "Fruit"}}),
        ("PUT", f"/notebooks/{notebook}/documents/{document}", {}),
        ("PUT", f"/notebooks/{notebook}/documents", {"json": {"documents": [document]}}),
        ("GET", f"/conversations{of}", {}),
        ("PUT", f"/conversations/{talk}/turns{of}", {"json": turn}),
        ("GET", f"/conversations/{talk}{of}", {}),
        ("GET", f"/conversations/search{of}&text=what", {}),
        ("GET", f"/conversations/{talk}/export{of}&format=docx", {}),
        ("GET", f"/conversations/{talk}/lapsed{of}", {}),
        ("PATCH", f"/conversations/{talk}{of}", {"json": {"title": "Blue"}}),
        ("POST", f"/conversations/{talk}/turns/remove{of}", {"json": {"turns": ["turn-000001"]}}),
        ("DELETE", f"/conversations/{talk}{of}", {}),
        ("POST", f"/conversations/{talk}/restore{of}", {}),
        ("PUT", f"/notes{of}", {"json": {**place, "kind": "highlight"}}),
        ("GET", f"/notes{of}", {}),
        ("GET", f"/notes/export{of}&format=md", {}),
        ("DELETE", f"/notes/note-000001{of}", {}),
        ("GET", f"/trash{of}", {}),
        ("POST", f"/notes/note-000001/restore{of}", {}),
        ("GET", f"/notebooks/{notebook}/export?format=bib", {}),
        ("POST", "/cite", {"json": {"format": "bib", "citations": [cited]}}),
        ("DELETE", f"/notebooks/{notebook}/documents/{document}", {}),
        ("DELETE", f"/notebooks/{notebook}", {}),
        ("POST", f"/notebooks/{notebook}/restore", {}),
    ]
    there, events = f"/api/documents/{document}", {"accept": "text/event-stream"}
    requests: list[tuple[str, str, dict[str, Any]]] = [
        ("POST", "/api/ask", {"json": {"question": QUESTION}}),
        ("POST", "/api/ask", {"json": {"question": QUESTION}, "headers": events}),
        ("POST", "/api/ask", {"json": {"question": QUESTION, "documents": ["gone"]}}),
        ("POST", "/api/overview", {"json": {}}),
        ("POST", "/api/search", {"json": {"query": "plums"}}),
        ("POST", "/api/verify", {"json": {"text": "Plums are blue."}}),
        ("POST", "/api/feedback", {"json": vote}),
        ("POST", "/v1/chat/completions", {"json": completion}),
        ("POST", "/v1/chat/completions", {
            "json": completion | {"stream": True, "stream_options": {"include_usage": True}},
        }),
        ("GET", "/v1/models", {}),
        ("GET", "/v1/models/footnote", {}),
        ("GET", "/api/documents", {}),
        ("POST", "/api/documents", {"files": files}),
        ("POST", "/api/documents", {"files": {"file": ("b.txt", b"a")}, "headers": events}),
        ("POST", "/api/documents", {"files": {"file": ("c.txt", b"a" * 2_000_001)}}),
        ("POST", "/api/documents/by-address", {"json": at}),
        ("GET", there, {}),
        ("PUT", there, {"files": files}),
        ("POST", f"{there}/pictures", {}),
        ("PATCH", there, {"json": {"title": "Plums"}}),
        ("GET", f"/api/documents/originals?id={document}", {}),
        ("DELETE", there, {}),
        ("POST", f"{there}/restore", {}),
        ("GET", f"{there}/content", {}),
        ("GET", f"{there}/paragraphs/1", {}),
        ("GET", "/health/live", {}),
        ("GET", "/health/ready", {}),
        ("GET", "/metrics", {}),
        ("GET", "/api/openapi.json", {}),
        ("GET", "/api/docs", {}),
        ("GET", "/api/docs.css", {}),
        ("GET", "/", {}),
        ("POST", "/login", {"data": {"username": "ann", "password": "x"}}),
        ("GET", "/logout", {}),
        ("GET", "/session", {}),
        ("POST", "/ask", {"json": {"question": QUESTION}}),
        ("GET", "/folder?after=0", {}),
        ("GET", "/writers", {}),
        ("POST", "/passages", {"json": {"question": QUESTION, "shown": []}}),
        ("GET", "/find?text=plums", {}),
        ("GET", "/uploads/there?name=a.txt", {}),
        ("POST", "/starters", {"json": {"documents": [document]}}),
        ("GET", f"/documents/{document}", {}),
        ("GET", f"/documents/{document}/pages/1?width=100", {}),
        ("GET", f"/documents/{document}/pages/1/words", {}),
        ("GET", f"/documents/{document}/original", {}),
        ("POST", f"/documents/{document}/pictures", {}),
        ("PATCH", f"/documents/{document}", {"json": {"title": "Plums"}}),
        ("GET", f"/documents/originals?id={document}", {}),
        ("DELETE", f"/documents/{document}", {}),
        ("POST", f"/documents/{document}/restore", {}),
        ("POST", "/uploads?name=a.txt", {"content": PLUMS}),
        ("POST", "/uploads?name=a.txt", {"content": b"a" * 2_000_001}),
        ("POST", "/addresses", {"json": at}),
        ("POST", "/feedback", {"json": vote}),
        *((method, at, dict(how)) for method, at, how in kept),
        *((method, f"/api{at}", dict(how)) for method, at, how in kept),
    ]  # fmt: skip

    async def send() -> None:
        app = build(service, login_routes, renderer, Folder((), None))
        api = next(m.kwargs["api"] for m in app.user_middleware if "api" in m.kwargs)
        wanted = {
            (method, route.path)
            for route in iter_route_contexts([*app.routes, *api.routes])
            if getattr(route.endpoint, "__module__", "").startswith("assistant.")
            for method in set(route.methods or ()) - {"HEAD"}
        }
        asked = {
            next(
                (method, route)
                for method, route in sorted(wanted)
                if method == sent
                and re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", route), path.partition("?")[0])
            )
            for sent, path, _ in requests
        }
        assert asked == wanted, "each route is tried"
        transport = httpx.ASGITransport(app)
        base = "http://127.0.0.1"
        async with httpx.AsyncClient(transport=transport, base_url=base, timeout=PATIENCE) as http:
            on_the_loop = dict[tuple[str, str], list[str]]()
            for method, path, how in requests:
                headers = own | how.pop("headers", {})
                request = http.build_request(method, path, headers=headers, **how)
                with watched() as found:
                    response = await http.send(request)
                assert response.status_code != 500, (path, response.text)
                on_the_loop |= {(method, path): found} if found else {}
            assert on_the_loop == {}

    try:
        asyncio.run(asyncio.wait_for(send(), PATIENCE))
    finally:
        service.starters.close()
        renderer.close()

"""Nothing that may take long is done where all requests are begun: on the event loop."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import httpx
from every_request import World, made
from helpers import PATIENCE, ROOT
from sites import Page, fetcher_to, served_site

#: Only values: they read, write and work out nothing.
PLAIN = ("errors.py", "models.py")
ON_DISK = {
    *(("io", "open"), ("_io", "open")),
    *(("posix", n) for n in "open stat lstat mkdir rmdir unlink scandir listdir replace".split()),
}
STANDARD = ("<frozen", f"{Path(os.__file__).parent}/")


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


#: What else is sent to some addresses: what comes piece by piece, and what is too much.
EVENTS = {"accept": "text/event-stream"}
LONG = [{"role": "user", "content": "Plums [1] are blue. " * 5_000}]
ASKED = {"question": "What is the walnut code?"}
LARGE = b"a" * 2_000_001
MORE: list[tuple[str, str, dict[str, Any]]] = [
    ("POST", "/api/ask", {"json": ASKED, "headers": EVENTS}),
    ("POST", "/api/ask", {"json": {**ASKED, "documents": ["gone"]}}),
    ("POST", "/v1/chat/completions", {"json": {
        "model": "footnote", "messages": [*LONG, {"role": "user", "content": "What are plums?"}],
        "stream": True, "stream_options": {"include_usage": True},
    }}),
    ("POST", "/api/documents", {"files": {"file": ("b.txt", b"a")}, "headers": EVENTS}),
    ("POST", "/api/documents", {"files": {"file": ("c.txt", LARGE)}}),
    ("POST", "/uploads?name=a.txt", {"content": LARGE}),
    ("GET", "/api/openapi.json", {}),
    ("GET", "/api/docs", {}),
    ("GET", "/api/docs.css", {}),
]  # fmt: skip


def test_no_route_reads_or_works_on_the_event_loop(tmp_path: Path) -> None:
    """Those of the page and the API, all of which `test_whose` knows to be tried."""
    order = ("GET", "HEAD", "PUT", "POST", "PATCH", "DELETE")
    on_the_loop = dict[str, list[str]]()

    async def send(world: World) -> None:
        sents = [(one.method, one.at, one.how) for one in world.requests(world.inside)]
        sents.sort(key=lambda one: order.index(one[0]))
        transport = httpx.ASGITransport(world.app)
        async with httpx.AsyncClient(
            transport=transport,
            base_url="http://127.0.0.1",
            timeout=PATIENCE,
            headers={"authorization": world.ann.headers["authorization"]},
            cookies=dict(world.ann.cookies),
        ) as http:
            for method, path, how in [*MORE, *sents]:
                request = http.build_request(method, path, **how)
                with watched() as found:
                    response = await http.send(request)
                assert response.status_code not in (401, 403, 500) or path == "/login", path
                if found:
                    on_the_loop[f"{method} {path}"] = found

    with (
        served_site({"/": Page([b"Plums are blue."], "text/plain; charset=utf-8")}) as site,
        made(tmp_path, max_upload=2, fetch=True) as world,
    ):
        world.service.fetcher = fetcher_to(site)
        asyncio.run(asyncio.wait_for(send(world), PATIENCE))
        assert len(site.asked) == 2
    assert on_the_loop == {}

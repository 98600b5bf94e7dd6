"""What is another's is seen by nobody and changed by nobody, at whatever address of the API or of
the page: each that there is is asked for it, by people, by keys, and by nobody."""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from every_request import ALONE, SHARED, Sent, Things, World, made
from fastapi.routing import iter_route_contexts
from helpers import CheapEncoder
from people import api_of, page_and_api
from services import events_of
from starlette.testclient import TestClient

from assistant import Assistant
from assistant.service.service import Service
from assistant.settings import Settings
from index import Index

#: What a key with the scope `ask` alone may change: it says of an answer what its reader thinks.
MAY_ASK = frozenset({("POST", "/api/feedback")})

READ = "GET"
#: What is asked, and changes nothing that anybody keeps.
ASKING = re.compile(
    r"(/api)?/(ask|overview|search|verify|cite|feedback|starters|passages)|/v1/chat/completions"
)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with made(tmp_path_factory.mktemp("whose")) as found:
        yield found


def answered(world: World, caller: TestClient) -> Iterator[tuple[Things, Sent, Any]]:
    """All that is Ann's, with each request for it and the response that somebody gets; last those
    that may make something of one's own, by an id of Ann's."""
    sents = [(own, sent) for own in world.things for sent in world.requests(own)]
    for own, sent in sorted(sents, key=lambda one: not one[1].names):
        yield own, sent, sent.by(caller)


def status_of(response: Any) -> int:
    """Of what comes piece by piece, how it ended."""
    if response.headers.get("content-type", "").startswith("text/event-stream"):
        *_, (name, value) = events_of(response)
        return int(value["status"]) if name == "failed" else 200
    return int(response.status_code)


def told(response: Any) -> str:
    """All that a response tells: its headers, and what is in its body, or in the files of that."""
    whole = response.content
    if whole.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(whole)) as files:
            whole = b"\n".join(files.read(name) for name in files.namelist())
    return f"{dict(response.headers)} {whole.decode('utf-8', 'replace')}".casefold()


def test_each_address_is_tried(world: World, tmp_path: Path) -> None:
    with closing(Index(tmp_path / "index", encoder=CheapEncoder())) as index:
        assistant = Assistant(index, [], Settings(reader="none"))
        with page_and_api(Service(assistant, "127.0.0.1", [("ann", "secret")])) as app:
            there = {
                (method, route.path)
                for route in iter_route_contexts([*app.routes, *api_of(app).routes])
                if getattr(route.endpoint, "__module__", "").startswith("assistant.")
                for method in route.methods or ()
            }
    described = {"/api/docs", "/api/docs.css", "/api/openapi.json"}  # which tell of no documents
    tried = {(one.method, one.path) for one in world.requests(world.alone)}
    assert {one for one in there if one[1] not in described} <= tried


@pytest.mark.parametrize("name", ["nobody", "cy", "key ask", "key write", "key metrics"])
def test_who_has_no_share_in_it_sees_and_changes_nothing(world: World, name: str) -> None:
    before, wanted = world.seen(), (401,) if name == "nobody" else (401, 403, 404)
    for _, sent, response in answered(world, world.callers[name]):
        assert response.status_code < 500, (sent, response.text)
        assert not sent.names or status_of(response) in wanted, (sent, response.text)
        for word in (ALONE, SHARED):
            assert word not in told(response), (sent, response.text)
    assert world.seen() == before


def test_who_may_read_a_notebook_reads_it_and_nothing_else(world: World) -> None:
    before, read = world.seen(), 0
    for own, sent, response in answered(world, world.callers["bob"]):
        assert response.status_code < 500, (sent, response.text)
        assert ALONE not in told(response), (sent, response.text)
        is_reading = sent.method == READ or ASKING.fullmatch(sent.path)
        if sent.names and own is world.shared and is_reading:
            # Of a text there are no pages to be drawn.
            assert status_of(response) < 400 or "/pages/" in sent.path, (sent, response.text)
            read += SHARED in told(response)
        elif sent.names:
            assert status_of(response) in (403, 404), (sent, response.text)
            assert own is world.shared or SHARED not in told(response), (sent, response.text)
    assert read > 20
    assert world.seen() == before


def test_its_owner_may_do_all_of_it(tmp_path: Path) -> None:
    """So none of the requests above is refused for what it lacks."""
    order = ("GET", "HEAD", "PUT", "POST", "PATCH", "DELETE")
    # Nothing is fetched here, there is nothing to read in pictures or to put into other words, and
    # a file of that name is there.
    otherwise = re.compile(r".*/(pictures|by-address|addresses|login|uploads)|/api/documents")
    with made(tmp_path) as world:
        found = []
        sents = [sent for sent in world.requests(world.inside) if sent.names]
        # What is in no notebook needs no notebook's own address.
        sents += [s for s in world.requests(world.alone) if s.names and "/notebooks" not in s.path]
        for sent in sorted(sents, key=lambda one: order.index(one.method)):
            if not otherwise.fullmatch(sent.path):
                response = sent.by(world.ann)
                found.append((status_of(response), sent.method, sent.path, response.text[:200]))
        wrong = [one for one in found if one[0] in (401, 403, 422) or one[0] >= 500]
        assert not wrong, json.dumps(wrong, indent=1)
        reading = [one for one in found if one[1] == READ]
        assert all(status < 400 for status, *_ in reading), json.dumps(reading, indent=1)


def test_a_key_that_may_only_ask_changes_nothing(world: World) -> None:
    """Not even what would be its own."""
    key = world.callers["key ask"]
    own = Things("0" * 16, "0" * 16, "talk-of-key-1", "turn-of-key-1", "note-of-key-1")
    done = set()
    for sent in world.requests(own):
        is_changing = sent.method != READ and not ASKING.fullmatch(sent.path)
        if sent.path.startswith("/api/") and (is_changing or sent.path == "/api/feedback"):
            response = sent.by(key)
            if response.status_code != 403:
                done.add((sent.method, sent.path))
    assert done <= MAY_ASK, done - MAY_ASK

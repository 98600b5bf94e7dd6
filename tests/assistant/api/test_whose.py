"""What is another's is seen by nobody and changed by nobody, at whatever address of the API or of
the page: each that there is is asked for it, by people, by keys, and by nobody.

An address whose path and query name what others do is tried by itself; another one needs an example
in `VALUES`, `BELOW` or `BODIES`, and a test says so.
"""

from __future__ import annotations

import io
import json
import re
import warnings
import zipfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import iter_route_contexts
from helpers import CheapEncoder
from people import api_of, logged_in, page_and_api, visitor
from services import events_of
from starlette.testclient import TestClient

from assistant import Assistant
from assistant.access.api_keys import Keys
from assistant.service.service import Service
from assistant.settings import Settings
from index import Index
from index.readers.loader import document_from_text

#: What a key with the scope `ask` alone may change: it says of an answer what its reader thinks.
MAY_ASK = frozenset({("POST", "/api/feedback")})

#: Words of what is Ann's alone, and of what she shares. Nobody here sends either, so that whoever
#: is told one was told something of hers.
ALONE, SHARED = "quartz", "opal"

NAMES = ("ann", "bob", "cy")
KEYS = ("ask", "write", "metrics")

READ = "GET"
#: What is asked, and changes nothing that anybody keeps.
ASKING = re.compile(
    r"(/api)?/(ask|overview|search|verify|cite|feedback|starters|passages)|/v1/chat/completions"
)

PDF = """%PDF-1.4
1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj
2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj
3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 300]/Contents 4 0 R
/Resources<</Font<</F1<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>>>>>endobj
4 0 obj<</Length {}>>stream
{}
endstream endobj
trailer<</Root 1 0 R>>
"""


@dataclass(frozen=True)
class Things:
    """What is Ann's, by ids; a document and a notebook, and in that, or in none, the others.

    Attributes:
        of: the notebook that the conversation and the note are in.
    """

    document: str
    notebook: str
    talk: str
    turn: str
    note: str
    of: str | None = None


#: What stands in a path behind these: which of the things, or a name that everybody knows.
BELOW: dict[str, Callable[[Things], str]] = {
    "documents": lambda own: own.document,
    "notebooks": lambda own: own.notebook,
    "conversations": lambda own: own.talk,
    "notes": lambda own: own.note,
    "pages": lambda own: "1",
    "paragraphs": lambda own: "1",
    "help": lambda own: "questions",
    "models": lambda own: "footnote",
}

#: Values of a query that a request has to have.
VALUES = {"format": "md", "text": "walnut", "after": "0", "name": "nuts.txt", "width": "100"}

FILE = {"files": {"file": ("nuts.txt", b"Walnuts float in brine.")}}
ASKED = "What is the walnut code?"


def turn_of(own: Things) -> dict[str, Any]:
    return {"title": "Mine", "turn": {"id": own.turn, "question": "Mine?", "state": "stopped"}}


def vote_of(own: Things) -> dict[str, Any]:
    return {
        "verdict": "up", "question": ASKED, "history": [], "status": "answered",
        "confidence": 0.5, "sentences": [], "citations": [place_of(own)],
    }  # fmt: skip


def place_of(own: Things) -> dict[str, Any]:
    return {"document": own.document, "paragraph": 1, "start": 0, "end": 5}


def asked_of(own: Things, **more: Any) -> dict[str, Any]:
    return {"json": {**more, "documents": [own.document], "notebook": own.of}}


#: What is sent, by method and address without `/api`: as much of what is Ann's as it has room for.
BODIES: dict[tuple[str, str], Callable[[Things], dict[str, Any]]] = {
    ("POST", "/ask"): lambda own: asked_of(own, question=ASKED),
    ("POST", "/overview"): asked_of,
    ("POST", "/search"): lambda own: asked_of(own, query="walnut code"),
    ("POST", "/verify"): lambda own: asked_of(own, text="Walnuts float."),
    ("POST", "/v1/chat/completions"): lambda own: {
        "json": {
            "model": "footnote",
            "messages": [{"role": "user", "content": ASKED}],
            "metadata": {"documents": own.document} | ({"notebook": own.of} if own.of else {}),
        }
    },
    ("POST", "/feedback"): lambda own: {"json": vote_of(own)},
    ("POST", "/cite"): lambda own: {"json": {"format": "bib", "citations": [place_of(own)]}},
    ("POST", "/starters"): lambda own: {
        "json": {"documents": [own.document], "about": own.document}
    },
    ("POST", "/passages"): lambda own: asked_of(own, question=ASKED, shown=[]),
    ("POST", "/login"): lambda own: {"data": {"username": "eve", "password": "wrong"}},
    ("POST", "/documents"): lambda own: FILE,
    ("PUT", "/documents/{identity}"): lambda own: FILE,
    ("PATCH", "/documents/{identity}"): lambda own: {"json": {"title": "Mine"}},
    ("POST", "/documents/by-address"): lambda own: {"json": {"address": "http://a.example/"}},
    ("POST", "/addresses"): lambda own: {"json": {"address": "http://a.example/"}},
    ("POST", "/uploads"): lambda own: {"content": b"Walnuts float in brine."},
    ("POST", "/notebooks"): lambda own: {"json": {"name": "Mine", "documents": [own.document]}},
    ("PATCH", "/notebooks/{identity}"): lambda own: {"json": {"name": "Mine", "shared": {}}},
    ("PUT", "/notebooks/{identity}/documents"): lambda own: {"json": {"documents": [own.document]}},
    ("PATCH", "/conversations/{identity}"): lambda own: {"json": {"title": "Mine"}},
    ("PUT", "/conversations/{identity}/turns"): lambda own: {"json": turn_of(own)},
    ("POST", "/conversations/{identity}/turns/remove"): lambda own: {"json": {"turns": [own.turn]}},
    ("PUT", "/notes"): lambda own: {
        "json": {"id": own.note, "kind": "highlight", "created": 1, "text": "Mine"}
    },
}

#: Whoever begins a conversation or a note chooses its id: one of the same id elsewhere is another.
CHOSEN = {("PUT", "/conversations/{identity}/turns"), ("PUT", "/notes")}


@dataclass(frozen=True)
class Sent:
    """A request.

    Attributes:
        method, path: of the address, as it is described.
        at: the path that is asked for.
        how: what else is in it.
        names: whether it names something of Ann's.
    """

    method: str
    path: str
    at: str
    how: dict[str, Any]
    names: bool

    def by(self, client: TestClient) -> Any:
        """The response to it."""
        return client.request(self.method, self.at, **self.how)


def requests(described: dict[str, Any], own: Things) -> list[Sent]:
    """One at each address that is described, for these things.

    Raises:
        LookupError: there is no example of something that one has to have.
    """
    found = []
    ids = [one for one in asdict(own).values() if one]
    for path, methods in described["paths"].items():
        short = path.removeprefix("/api")
        for method, operation in methods.items():
            at, query = path, {}
            for one in operation.get("parameters", ()):
                where = re.search(rf"/([\w-]+)/{{{one['name']}}}", path)
                if one["in"] == "path" and where:
                    at = at.replace(f"{{{one['name']}}}", BELOW[where[1]](own))
                elif one["name"] == "notebook" and own.of:
                    query["notebook"] = own.of
                elif one["name"] == "id":
                    query["id"] = own.document
                elif one["required"]:
                    query[one["name"]] = VALUES[one["name"]]
            key = (method.upper(), short)
            if key not in BODIES and "requestBody" in operation:
                raise LookupError(f"{method.upper()} {path} has no example in BODIES")
            how = BODIES[key](own) if key in BODIES else {}
            told = f"{at} {query} {how}"
            names = any(one in told for one in ids) and (bool(own.of) or key not in CHOSEN)
            how = {**how, "params": query}
            found.append(Sent(key[0], path, at, how, names))
    # Last of all what makes something of one's own by an id of Ann's.
    return sorted(found, key=lambda one: (one.method, one.path.removeprefix("/api")) in CHOSEN)


@dataclass
class World:
    """A service that Ann keeps something with.

    Attributes:
        callers: who asks it, by name.
        described: the page's addresses and the API's, in OpenAPI's terms.
        alone, inside, shared, deleted: what is Ann's: in no notebook, in one of her own, in one
            that bob may read, or deleted.
    """

    callers: dict[str, TestClient]
    described: list[dict[str, Any]]
    alone: Things
    inside: Things
    shared: Things
    deleted: Things

    @property
    def ann(self) -> TestClient:
        """Whose it is."""
        return self.callers["ann"]

    @property
    def things(self) -> list[Things]:
        """All that is Ann's."""
        return [self.alone, self.inside, self.shared, self.deleted]

    def requests(self, own: Things) -> list[Sent]:
        """At each address one, for these things."""
        return [one for described in self.described for one in requests(described, own)]

    def seen(self) -> list[Any]:
        """All that Ann sees of what is hers."""
        lists = ("/api/documents", "/api/notebooks")
        found: list[Any] = [self.ann.get(path).json() for path in lists]
        for own in self.things[:3]:
            params = {"notebook": own.of} if own.of else {}
            found.append(self.ann.get(f"/api/documents/{own.document}/content").content)
            found += [
                self.ann.get(f"/api/{path}", params=params).json()
                for path in ("conversations", "notes", "trash", f"conversations/{own.talk}")
            ]
        assert ALONE in str(found) and SHARED in str(found)
        return found


@contextmanager
def made(folder: Path) -> Iterator[World]:
    """A service with what Ann keeps."""
    with ExitStack() as stack:
        index = stack.enter_context(closing(Index(folder / "index", encoder=CheapEncoder())))
        ids = index.sync([document_from_text("The house opens.", "house.txt")], keep=True).ids
        assistant = Assistant(index, ids, Settings(reader="none", rate="1000000/second"))
        auth = [(name, "secret") for name in NAMES]
        service = Service(assistant, "127.0.0.1", auth)
        app = stack.enter_context(page_and_api(service))
        callers = {name: logged_in(app, name, "secret") for name in NAMES}
        callers["nobody"] = visitor(app)
        keys = Keys(index.database)
        for scope in KEYS:
            callers[f"key {scope}"] = visitor(app, keys.create(f"{scope}-key", [scope]))
        ann, described = callers["ann"], [description(app), description(api_of(app))]
        pdf = PDF.format(71, f"BT /F1 12 Tf 20 200 Td (The walnut code is {ALONE}-one.) Tj ET")
        document = add(ann, f"{ALONE}-plan.pdf", pdf)
        alone = kept(ann, document, ALONE, None)
        inside = kept(ann, document, ALONE, make(ann, ALONE, document))
        text = f"The walnut code is {SHARED}-two."
        document = add(ann, f"{SHARED}-plan.txt", text)
        shared = kept(ann, document, SHARED, make(ann, SHARED, document))
        ann.patch(f"/api/notebooks/{shared.notebook}", json={"shared": {"bob": "read"}})
        document = add(ann, f"{ALONE}-old.txt", f"The old code was {ALONE}-three.")
        deleted = kept(ann, document, ALONE, None, make(ann, f"{ALONE} old", document), "-deleted")
        for path in (
            f"/documents/{document}",
            f"/notebooks/{deleted.notebook}",
            f"/conversations/{deleted.talk}",
            f"/notes/{deleted.note}",
        ):
            assert ann.delete(path).is_success
        yield World(callers, described, alone, inside, shared, deleted)


def description(app: FastAPI) -> dict[str, Any]:
    """The addresses of an application in OpenAPI's terms."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # an address may have two methods
        return get_openapi(title="Whose", version="1", routes=app.routes)


def add(ann: TestClient, name: str, text: str) -> str:
    response = ann.post("/api/documents", files={"file": (name, text.encode())})
    assert response.status_code == 201, response.text
    return str(response.json()["id"])


def make(ann: TestClient, word: str, document: str) -> str:
    wanted = {"name": f"{word} notebook", "documents": [document]}
    return str(ann.post("/api/notebooks", json=wanted).json()["id"])


def kept(
    ann: TestClient,
    document: str,
    word: str,
    of: str | None,
    notebook: str | None = None,
    more: str = "",
) -> Things:
    """A conversation and a note of Ann's, in a notebook or in none, with a word in all of it."""
    where = of or "none"
    own = Things(
        document,
        notebook or of or "0" * 16,
        f"talk-{where[:8]}{more}",
        f"turn-{where[:8]}{more}",
        f"note-{where[:8]}{more}",
        of,
    )
    params = {"notebook": of} if of else {}
    turn = {"id": own.turn, "question": f"Is it {word}?", "state": "stopped"}
    note = {"id": own.note, "kind": "highlight", "created": 1, "text": f"Mind the {word}"}
    for path, sent in (
        (f"/api/conversations/{own.talk}/turns", {"title": f"On {word}", "turn": turn}),
        ("/api/notes", note),
    ):
        response = ann.put(path, params=params, json=sent)
        assert response.status_code == 204, response.text
    return own


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

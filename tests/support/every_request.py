"""A request at each address of the API and of the page, and a service in which Ann keeps something
that they are about.

An address whose path and query name what others do is tried by itself; another one needs an example
in `VALUES`, `BELOW` or `BODIES`.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from helpers import CheapEncoder
from people import api_of, logged_in, page_and_api, visitor
from starlette.testclient import TestClient

from assistant import Assistant
from assistant.access.api_keys import Keys
from assistant.service.service import Service
from assistant.settings import Settings
from index import Index
from index.readers.loader import document_from_text

#: Words of what is Ann's alone, and of what she shares. Nobody here sends either, so that whoever
#: is told one was told something of hers.
ALONE, SHARED = "quartz", "opal"

NAMES = ("ann", "bob", "cy")
KEYS = ("ask", "write", "metrics")

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
        service, app: what keeps it, and the page and the API of that.
        callers: who asks it, by name.
        described: the page's addresses and the API's, in OpenAPI's terms.
        alone, inside, shared, deleted: what is Ann's: in no notebook, in one of her own, in one
            that bob may read, or deleted.
    """

    service: Service
    app: FastAPI
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
def made(folder: Path, **more: Any) -> Iterator[World]:
    """A service, maybe with other settings, with what Ann keeps."""
    with ExitStack() as stack:
        index = stack.enter_context(closing(Index(folder / "index", encoder=CheapEncoder())))
        ids = index.sync([document_from_text("The house opens.", "house.txt")], keep=True).ids
        assistant = Assistant(index, ids, Settings(reader="none", rate="1000000/second", **more))
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
        yield World(service, app, callers, described, alone, inside, shared, deleted)


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

"""An index that a former version has made, with everything in it that people keep; and what there
is to be told of it, by whichever version opens it.

Version 0.2.0 wrote the index and what it told of it, both in `tests/assistant/data`, at a948550 by
`tests/support/write_former_index.py`, which the history has. Everything is asked by ways that
people and programs have, at the addresses of the API and of the page, by `Index` and by commands,
so that it does not matter how a later version keeps it.
"""

from __future__ import annotations

import json
import platform
import sys
import tarfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from copy import copy
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
import torch
from fastapi import FastAPI
from fastapi.testclient import TestClient
from helpers import footnote

from assistant import Assistant
from assistant.api.app import build
from assistant.service.service import Service
from assistant.web.login_routes import LoginRoutes
from assistant.web.rendering import PageRenderer
from assistant.web.routes import Folder, routes

DATA = Path(__file__).parents[1] / "assistant" / "data"
ARCHIVE = DATA / "former_index.tar.gz"
EXPECTED = DATA / "expected.json"

LOGINS = {"ann": "first secret", "bob": "second secret", "cy": "third secret"}
NOBODY = "nobody"
"""Whoever sits at the machine where nobody logs in."""

BROWSERS = {"ann": "a-browser-of-ann-0001", "bob": "a-browser-of-bob-0001"}
"""Keys of browsers that were owners before people were: ann has come with hers, bob has not yet."""

#: Words that are looked for in conversations.
WORDS = ("ferry", "FÄHRE", "brine", "nul \0 inside", "🥾", "not there at all")

FERRY = "When does the ferry to Brenna leave in winter?"
#: Who asks what. Of the names in `notebook` and `documents` the test knows what they are.
QUESTIONS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("ann", {"question": FERRY}),
    ("ann", {"question": FERRY, "notebook": "Harbour"}),
    ("ann", {"question": "Wann werden die Tomaten gepflanzt?"}),
    ("ann", {"question": "How much is a kilo of plums?"}),
    ("ann", {"question": "Who won the chess tournament of 1987?"}),
    ("bob", {"question": "Who pays for the repair of a broken bicycle?"}),
    ("bob", {"question": "When was the US Indo-Pacific strategy released?"}),
    ("bob", {"question": "What does the harbour master do?", "notebook": "Harbour"}),
    ("cy", {"question": "What floats in brine?", "notebook": "Harbour"}),
    (
        "cy",
        {
            "question": "And how long does it take?",
            "notebook": "Harbour",
            "history": [
                {"role": "user", "content": FERRY},
                {"role": "assistant", "content": "At half past nine."},
            ],
        },
    ),
    ("program", {"question": "What is measured at the lock?"}),
)
SEARCHES: tuple[tuple[str, dict[str, Any]], ...] = (
    ("ann", {"query": "ferry timetable in winter", "count": 5}),
    ("ann", {"query": "Tomaten", "count": 3}),
    ("bob", {"query": "alliance with Japan", "count": 5}),
    ("bob", {"query": "walnuts", "notebook": "Harbour"}),
    ("cy", {"query": "text with a sign that is none", "count": 4}),
)

#: What is asked by a command, of what is kept where nobody logs in.
AT_THE_MACHINE = ("Who oils the machine in the workshop?", "--notebook", "Workshop")

_PASSES = ("timings_ms", "revision", "stale")
"""Names of what is not of the index but of this moment or of the code that reads it: how long
something took; how a version names what is in an index; whether a version would read a document
otherwise."""


@pytest.fixture
def former_index(tmp_path: Path) -> Path:
    """The folder of an index that a former version has made, to be opened and changed."""
    return unpacked(tmp_path)


def unpacked(folder: Path) -> Path:
    """Unpack the index into a folder; gives where it is."""
    with tarfile.open(ARCHIVE) as archive:
        archive.extractall(folder, filter="tar")  # who may read what stays as it was
    return folder / "index"


@contextmanager
def interfaces(assistant: Assistant, keys: Mapping[str, str]) -> Iterator[dict[str, TestClient]]:
    """A client of each who comes: who logs in, at the API by HTTP's authentication and at the page
    by its cookie; a program by its key, of each name; and whoever comes where nobody logs in. Who
    is away long is not cleared away meanwhile."""
    other = copy(assistant)
    # The test asks more than a person does.
    other.settings = assistant.settings.model_copy(update={"rate": "100000/minute"})
    with ExitStack() as stack:
        renderer = PageRenderer()
        stack.callback(renderer.close)

        def served(*auth: tuple[str, str]) -> FastAPI:
            service = Service(other, "127.0.0.1", auth)
            stack.callback(service.starters.close)
            login_routes = LoginRoutes(service.access)
            app = build(service, page=True)
            app.include_router(login_routes.routes())
            app.include_router(routes(service, login_routes, renderer, Folder((), None)))
            app.user_middleware[:] = list(service.guards)
            return app

        def client(app: FastAPI) -> TestClient:
            return stack.enter_context(TestClient(app, base_url="http://127.0.0.1"))

        guarded = served(*LOGINS.items())
        found = {name: client(guarded) for name in (*LOGINS, *keys)}
        for name, password in LOGINS.items():
            found[name].auth = (name, password)
            done = found[name].post("/login", data={"username": name, "password": password})
            assert done.status_code == 200, done.text
        for name, key in keys.items():
            found[name].headers["authorization"] = f"Bearer {key}"
        yield {**found, NOBODY: client(served())}


class Door:
    """What one of them is told.

    Args:
        client: theirs.
        name: of who it is.
    """

    def __init__(self, client: TestClient, name: str) -> None:
        self.client, self.name = client, name
        self.is_page = name == NOBODY  # there are keys: the API lets in nobody without one
        self.prefix = "" if self.is_page else "/api"

    def get(self, path: str, **params: str | None) -> Any:
        """What is told at an address; where it is refused, the status and the code."""
        given = {name: value for name, value in params.items() if value is not None}
        response = self.client.get(f"{self.prefix}/{path}", params=given)
        if not response.is_success:
            return {"refused": response.status_code, "code": response.json().get("code")}
        if response.headers["content-type"] == "application/json":
            return settled(response.json())
        return response.text

    def documents(self) -> list[Any]:
        """The documents that they may ask."""
        found: dict[str, list[Any]] = self.get("session" if self.is_page else "documents")
        return found["documents"]

    def everything(self) -> dict[str, Any]:
        """All that they may read, but for the texts of documents."""
        notebooks = self.get("notebooks")
        if "refused" in notebooks:
            return {"notebooks": notebooks}
        spaces = [None, *(one["id"] for one in notebooks["notebooks"])]
        return {
            "documents": self.documents(),
            "notebooks": notebooks,
            "spaces": {space or "": self.space(space) for space in spaces},
        }

    def space(self, notebook: str | None) -> dict[str, Any]:
        """What is in a notebook, or in none."""
        listed = self.get("conversations", notebook=notebook)
        conversations = {}
        for one in listed["conversations"]:
            at = f"conversations/{one['id']}"
            conversations[one["id"]] = {
                "whole": self.get(at, notebook=notebook),
                "lapsed": self.get(f"{at}/lapsed", notebook=notebook),
                "markdown": self.get(f"{at}/export", format="md", notebook=notebook),
            }
        notebook_as = {}
        if notebook is not None:
            at = f"notebooks/{notebook}"
            notebook_as = {
                "itself": self.get(at),
                "markdown": self.get(f"{at}/export", format="md", lang="de"),
                "bibliography": self.get(f"{at}/export", format="bib"),
            }
        return {
            **notebook_as,
            "conversations": listed,
            "each": conversations,
            "found": {
                words: self.get("conversations/search", text=words, notebook=notebook)
                for words in WORDS
            },
            "notes": self.get("notes", notebook=notebook),
            "notes as markdown": self.get("notes/export", format="md", notebook=notebook),
            "trash": self.get("trash", notebook=notebook),
        }

    def outline(self) -> dict[str, Any]:
        """Ids of all that they may read."""

        def ids(path: str, of: str | None) -> list[str]:
            found = self.get(path, notebook=of)[path]
            return [str(one["note"]["id"] if path == "notes" else one["id"]) for one in found]

        notebooks = self.get("notebooks")
        documents = self.documents()
        return {
            "documents": [one["id"] for one in documents],
            "notebooks": notebooks,
            "spaces": {
                of or "": {
                    "conversations": ids("conversations", of),
                    "notes": ids("notes", of),
                    "trash": self.get("trash", notebook=of),
                }
                for of in (None, *(one["id"] for one in notebooks["notebooks"]))
            },
        }

    def restored(self, deleted: Mapping[str, Any]) -> dict[str, Any]:
        """Something that they have back, and what it is then."""
        kind, identity, notebook = deleted["kind"], deleted["id"], deleted["notebook"]
        params = {"notebook": notebook} if notebook else {}
        at = f"{self.prefix}/{kind}s/{identity}/restore"
        if kind == "document" and notebook:
            done = self.client.put(f"{self.prefix}/notebooks/{notebook}/documents/{identity}")
        else:
            done = self.client.post(at, params=params)
        assert done.is_success, done.text
        if kind == "notebook":
            return {"deleted": deleted, "now": self.space(identity)}
        if kind == "note":
            return {"deleted": deleted, "now": self.get("notes", notebook=notebook)}
        return {"deleted": deleted, "now": self.get(f"{kind}s/{identity}", notebook=notebook)}

    def document(self, identity: str, count: int) -> dict[str, Any]:
        """A document as they may read it: by the API its entry in the list, its paragraphs and its
        file; on the page the whole, and where its words are."""
        at, told = f"documents/{identity}", {}
        if not self.is_page:
            told["itself"] = self.get(at)
            told["paragraphs"] = [self.get(f"{at}/paragraphs/{n}") for n in range(1, count + 1)]
        if self.name in (*LOGINS, NOBODY):
            told["page"] = self.client.get(f"/{at}").json()
            told["words"] = [
                self.client.get(f"/{at}/pages/{number}/words").json()
                for number in range(1, len(told["page"]["pages"]) + 1)
            ]
        file = self.client.get(f"/{at}/original" if self.is_page else f"/api/{at}/content")
        headers = file.headers["content-type"], file.headers["content-disposition"]
        told["file"] = [file.status_code, *headers, sha256(file.content).hexdigest()]
        return told


def told_of_all(folder: Path, keys: Mapping[str, str]) -> dict[str, Any]:
    """What is kept in an index, as everybody is told of it.

    Args:
        folder: where it is; a copy, since who comes leaves a sign of life in it.
        keys: of programs, by name.
    """
    told: dict[str, Any] = {"commands": _commands(folder)}
    with Assistant.open(index_dir=folder) as assistant, interfaces(assistant, keys) as clients:
        told["without a key"] = Door(clients[NOBODY], "").get("documents")
        people = {name: Door(client, name) for name, client in clients.items()}
        told["people"] = {name: door.everything() for name, door in people.items()}
        told["documents"] = {}
        for info in assistant.index.documents():
            may = {
                name: door.client.get(f"{door.prefix}/documents/{info.id}").status_code
                for name, door in people.items()
            }
            reader = next((name for name in people if may[name] == 200), None)
            own = people[reader].document(info.id, info.paragraphs) if reader else {}
            text = assistant.index.document(info.id).text
            told["documents"][info.id] = {"may": may, "reader": reader, "text": text, **own}
    # As JSON has it: a tuple is a list there.
    found: dict[str, Any] = json.loads(json.dumps(told))
    return found


def _commands(folder: Path) -> dict[str, Any]:
    """What commands tell of an index."""

    def printed(*command: str) -> str:
        return footnote(*command, "--index-dir", folder).stdout

    status = json.loads(printed("index", "status", "--json"))
    drafts = printed("index", "votes").splitlines()
    return {
        "index list": json.loads(printed("index", "list", "--json")),
        "index status": {
            name: status[name]
            for name in ("encoder", "fingerprint", "documents", "paragraphs", "sentences")
        },
        "index drafts": [json.loads(line) for line in drafts],
        "keys list": json.loads(printed("keys", "list", "--json")),
        "notebooks": json.loads(printed("notebooks", "--json")),
    }


def answers_of(folder: Path, keys: Mapping[str, str]) -> dict[str, Any]:
    """What is answered from an index, and found in it."""
    with Assistant.open(index_dir=folder) as assistant, interfaces(assistant, keys) as clients:
        told = {
            kind: [
                {"who": who, "asked": asked, "told": settled(clients[who].post(at, json=asked))}
                for who, asked in given
            ]
            for kind, at, given in (
                ("answers", "/api/ask", QUESTIONS),
                ("hits", "/api/search", SEARCHES),
            )
        }
    command = ("ask", *AT_THE_MACHINE, "--json", "--index-dir", folder)
    told["at the machine"] = settled(json.loads(footnote(*command).stdout))
    found: dict[str, Any] = json.loads(json.dumps(told))
    return found


def restored(folder: Path, keys: Mapping[str, str]) -> dict[str, Any]:
    """What there is when everybody has everything back that they may, and bob has come with his
    former browser: what they have back as it is, and of all else which it is."""
    back: dict[str, list[Any]] = {}
    with Assistant.open(index_dir=folder) as assistant, interfaces(assistant, keys) as clients:
        session = clients["bob"].get("/session", headers={"x-footnote-session": BROWSERS["bob"]})
        assert session.status_code == 200, session.text
        people = {name: Door(clients[name], name) for name in (*LOGINS, NOBODY)}
        for name, door in people.items():
            own = [door.restored(one) for one in door.get("trash")["deleted"]]
            for notebook in door.get("notebooks")["notebooks"]:  # those that were deleted, too
                there = door.get("trash", notebook=notebook["id"])["deleted"]
                own += [door.restored(one) for one in there]
            back[name] = own
        told = {"back": back, "all": {name: door.outline() for name, door in people.items()}}
    found: dict[str, Any] = json.loads(json.dumps(told))
    return found


def processor() -> str:
    """Names what computes here: another one computes the same to three digits only."""
    lines = Path("/proc/cpuinfo").read_text().splitlines() if sys.platform == "linux" else []
    model = next((line for line in lines if line.startswith("model name")), platform.processor())
    named = f"{model} {torch.backends.cpu.get_cpu_capability()}"
    return sha256(named.encode()).hexdigest()[:12]


def settled(told: Any) -> Any:
    """The same without what passes; see `_PASSES`. Of a response, what it tells."""
    if hasattr(told, "json"):
        assert told.status_code == 200, told.text
        return settled(told.json())
    if isinstance(told, dict):
        is_answer = "standalone_question" in told  # which has an id now, by which it is kept
        passes = (*_PASSES, "id") if is_answer else _PASSES
        return {name: settled(own) for name, own in told.items() if name not in passes}
    return [settled(own) for own in told] if isinstance(told, list) else told

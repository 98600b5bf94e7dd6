"""How often words stand in all documents: by HTTP, of whose documents that is told."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import httpx
import pytest
from helpers import CheapEncoder
from services import api, client_of, events_of

from assistant.workspace.finding import Finding
from assistant.workspace.library import Library
from index import Index
from index.readers.loader import read_raw

TEXT = "Walnuts  float\nin brine. WALNUTS float. A walnut sinks."


@pytest.fixture
def people(tmp_path: Path) -> Iterator[tuple[httpx.Client, httpx.Client]]:
    """Two who have logged in, on a page without a document of everyone's but the sample."""
    accounts = tmp_path / "accounts.txt"
    accounts.write_text("ann:first secret\nben:second secret\n", encoding="utf-8")
    with api(tmp_path, "--auth", accounts, page=True) as url, ExitStack() as stack:
        clients = []
        for line in accounts.read_text().splitlines():
            name, password = line.split(":")
            client = stack.enter_context(client_of(url))
            client.headers["x-footnote-session"] = secrets.token_hex(16)
            logged_in = client.post("login", data={"username": name, "password": password})
            assert logged_in.status_code == 200
            clients.append(client)
        yield clients[0], clients[1]


def add(client: httpx.Client, name: str, text: str) -> str:
    events = events_of(client.post("uploads", params={"name": name}, content=text.encode()))
    assert events[-1][0] == "done"
    return str(events[-1][1]["id"])


def found(client: httpx.Client, text: str, **of: str) -> dict[str, int]:
    told = client.get("find", params={"text": text, **of})
    assert told.status_code == 200, told.text
    assert told.json()["more"] is False
    return {one["id"]: one["hits"] for one in told.json()["documents"]}


def test_one_is_told_of_what_one_may_ask_and_of_nothing_else(
    people: tuple[httpx.Client, httpx.Client],
) -> None:
    ann, ben = people
    nuts, oak = add(ann, "nuts.txt", TEXT), add(ann, "oak.txt", "Oaks outlive a walnut.")
    # Whatever the case and the space between the words; those first that have them most often.
    assert list(found(ann, "walnut").items()) == [(nuts, 3), (oak, 1)]
    assert found(ann, " walnuts \t float ") == {nuts: 2}
    assert found(ann, "w.lnut") == {}
    # Headings are found as well: each once, however much stands under it.
    trees = add(ann, "trees.md", "# Trees\n\n## Elm\n\nOne.\n\nTwo.\n\n## Ash\n\nAn elm.\n")
    assert (found(ann, "elm"), found(ann, "trees")) == ({trees: 2}, {trees: 1})
    assert found(ben, "walnut") == {}
    notebook = ann.post("notebooks", json={"name": "Oaks", "documents": [oak]}).json()["id"]
    assert found(ann, "walnut", notebook=notebook) == {oak: 1}
    assert ben.get("find", params={"text": "walnut", "notebook": notebook}).status_code == 404
    for nothing in ("", " \n", "x" * 201):
        assert ann.get("find", params={"text": nothing}).status_code == 422
    ann.delete(f"documents/{nuts}")
    assert found(ann, "walnut") == {oak: 1}
    ann.get("logout")
    assert ann.get("find", params={"text": "walnut"}).status_code == 401


def test_what_was_read_is_remembered_as_long_as_it_is_not_too_much(tmp_path: Path) -> None:
    files = [tmp_path / f"{n}.txt" for n in range(2)]
    for n, file in enumerate(files):
        file.write_text(f"Walnut number {n} floats in the brine of the harbour.", encoding="utf-8")
    index = Index(tmp_path / "index", encoder=CheapEncoder())
    index.sync([read_raw(file) for file in files])
    read: list[str] = []

    class Counted:
        def document(self, identity: str) -> Any:
            read.append(identity)
            return index.document(identity)

    infos = index.documents()
    documents = [SimpleNamespace(info=info) for info in infos]
    library = SimpleNamespace(index=Counted(), documents_in=lambda *_: documents)
    for remembered, times in ((1000, 2), (60, 4)):
        read.clear()
        finding = Finding(cast(Library, library), remembered)
        for _ in range(2):
            told = finding.count("ann", "walnut")
            assert [one.hits for one in told.documents] == [1, 1]
        assert len(read) == times
    index.close()

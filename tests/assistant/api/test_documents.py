"""Documents get other titles, and are downloaded together: by whom, at the API and on the page."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import sqlalchemy as sa
from people import logged_in, page_and_api
from services import events_of
from starlette.testclient import TestClient

from assistant import Assistant
from assistant.api import downloads
from assistant.documents import UPLOADED
from assistant.service.service import Service
from assistant.tables import notebooks

TEXT, GIVEN = "Walnuts float in brine.", "Nuts, and what floats"
QUESTION = "What floats in brine?"

People = dict[str, TestClient]


@pytest.fixture
def people(assistant: Assistant) -> Iterator[People]:
    """Clients of the page and the API for each who logs in."""
    with ExitStack() as ends:
        logins = [("ann", "first secret"), ("ben", "second secret")]
        app = ends.enter_context(page_and_api(Service(assistant, "127.0.0.1", logins)))
        yield {name: ends.enter_context(logged_in(app, name, secret)) for name, secret in logins}
    for info in assistant.index.documents():
        if info.source.startswith(UPLOADED):
            assistant.index.remove(info.id)
    with assistant.index.database.write() as connection:
        connection.execute(sa.delete(notebooks))


def add(client: TestClient, name: str, text: str = TEXT, folder: str = "") -> str:
    where = {"name": name, "folder": folder}
    last, added = events_of(client.post("/uploads", params=where, content=text.encode()))[-1]
    assert last == "done", added
    return str(added["id"])


def titles(client: TestClient, identity: str) -> set[str]:
    """What a document is called wherever it is told of."""
    page, program = client.get("/session").json(), client.get("/api/documents").json()
    asked = {"question": QUESTION, "documents": [identity]}
    answer = client.post("/api/ask", json=asked).json()
    wanted = {"query": QUESTION, "documents": [identity]}
    found = client.post("/api/search", json=wanted).json()
    place = {"document": identity, "paragraph": 1, "start": 0, "end": len(TEXT)}
    cited = client.post("/cite", json={"format": "csl", "citations": [place]}).json()
    return {
        *(one["title"] for one in page["documents"] if one["id"] == identity),
        *(one["title"] for one in program["documents"] if one["id"] == identity),
        *(one["document"] for one in answer["citations"]),
        *(one["title"] for one in client.get("/find?text=brine").json()["documents"]),
        client.get(f"/documents/{identity}").json()["title"],
        client.get(f"/api/documents/{identity}/paragraphs/1").json()["document"],
        *(hit["document"] for hit in found["hits"]),
        *(one["title"] for one in cited),
    }


@pytest.mark.parametrize("at", ["", "/api"])
def test_its_owner_renames_a_document(people: People, at: str) -> None:
    ann, identity = people["ann"], add(people["ann"], "nuts.txt")
    assert titles(ann, identity) == {"nuts.txt"}
    path = f"{at}/documents/{identity}"
    renamed = ann.patch(path, json={"title": f" {GIVEN} "}).json()
    assert (renamed["title"], renamed["name"], renamed["own"]) == (GIVEN, "nuts.txt", True)
    assert titles(ann, identity) == {GIVEN}
    add(ann, "nuts.txt", f"{TEXT} Hazelnuts sink.")  # which takes its place
    assert titles(ann, identity) == {GIVEN}
    ann.delete(f"/documents/{identity}")
    [gone] = ann.get("/trash").json()["deleted"]
    assert gone["title"] == GIVEN
    assert ann.patch(path, json={"title": "x"}).status_code == 404
    ann.post(f"/documents/{identity}/restore")
    assert titles(ann, identity) == {GIVEN}
    assert ann.patch(path, json={"title": ""}).json()["title"] == "nuts.txt"
    assert titles(ann, identity) == {"nuts.txt"}


@pytest.mark.parametrize("at", ["", "/api"])
def test_who_may_not_rename_it_is_told_why(people: People, at: str, assistant: Assistant) -> None:
    ann, ben = people.values()
    identity, [shipped] = add(ann, "nuts.txt"), assistant.document_ids

    def refused(client: TestClient, document: str, title: str, status: int) -> dict[str, object]:
        response = client.patch(f"{at}/documents/{document}", json={"title": title})
        assert response.status_code == status, response.text
        return dict(response.json())

    assert refused(ann, shipped, GIVEN, 403)["code"] == "not_yours"
    assert refused(ben, identity, GIVEN, 404)["code"] == "document_gone"
    made = ann.post("/notebooks", json={"name": "Nuts", "documents": [identity]}).json()["id"]
    ann.patch(f"/notebooks/{made}", json={"shared": {"ben": "write"}})
    assert refused(ben, identity, GIVEN, 403)["code"] == "not_yours"
    assert "200 characters" in str(refused(ann, identity, 201 * "x", 422))
    assert ann.get(f"/api/documents/{identity}").json()["title"] == "nuts.txt"
    assert ann.patch(f"{at}/documents/{identity}", json={"title": 200 * "x"}).is_success


@pytest.mark.parametrize("at", ["", "/api"])
def test_several_files_are_downloaded_as_one(people: People, at: str, assistant: Assistant) -> None:
    ann, [shipped] = people["ann"], assistant.document_ids
    many = "Walnuts float. " * 200_000
    added = [
        add(ann, "nuts.txt"),
        add(ann, "Nuts.txt", "Hazelnuts sink."),
        add(ann, "nuts.txt", "Pears sink.", folder="fruit"),
        add(ann, "many.txt", many),
    ]
    text_alone = assistant.index.original(added[1])
    assert text_alone
    text_alone.unlink()

    def downloaded(*ids: str) -> dict[str, str]:
        response = ann.get(f"{at}/documents/originals", params={"id": ids})
        assert response.status_code == 200, response.text
        assert response.headers["content-type"] == "application/zip"
        assert 'filename="documents.zip"' in response.headers["content-disposition"]
        with zipfile.ZipFile(io.BytesIO(response.content)) as archive:
            assert archive.testzip() is None
            return {name: archive.read(name).decode() for name in archive.namelist()}

    assert downloaded(*added, added[0], shipped) == {
        "nuts.txt": TEXT,
        "Nuts (2).txt": "Hazelnuts sink.",
        "fruit/nuts.txt": "Pears sink.",
        "many.txt": many,
        Path(assistant.index.info(shipped).source).name: assistant.index.document(shipped).text,
    }
    assert downloaded(added[2]) == {"fruit/nuts.txt": "Pears sink."}


@pytest.mark.parametrize("at", ["", "/api"])
def test_what_cannot_be_downloaded_is_told(
    people: People, at: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann, ben = people.values()
    mine, his = add(ann, "nuts.txt"), add(ben, "oaks.txt", "Oaks grow slowly.")

    def refused(status: int, *ids: str) -> str:
        response = ann.get(f"{at}/documents/originals", params={"id": ids})
        assert response.status_code == status, response.text
        return response.text

    assert his in refused(404, mine, his)
    assert "200" in refused(422, *(201 * [mine]))
    refused(422)
    monkeypatch.setattr(downloads, "MAX_MEGABYTES", 0)
    assert "originals_large" in refused(413, mine)

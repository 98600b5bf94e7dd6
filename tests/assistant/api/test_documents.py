"""Documents get other titles, and are downloaded together: by whom, at the API and on the page."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
from chroma_servers import until
from people import logged_in, page_and_api
from services import events_of, problem
from starlette.testclient import TestClient

from assistant import Assistant
from assistant.api import downloads
from assistant.documents import UPLOADED
from assistant.service.service import Service
from index import Index, document_from_text
from index.database.kept_tables import notebooks

TEXT, GIVEN = "Walnuts float in brine.", "Nuts, and what floats"
QUESTION = "What floats in brine?"

People = dict[str, TestClient]


@pytest.fixture
def service(assistant: Assistant) -> Service:
    return Service(assistant, "127.0.0.1", [("ann", "first secret"), ("ben", "second secret")])


@pytest.fixture
def people(service: Service, assistant: Assistant) -> Iterator[People]:
    """Clients of the page and the API for each who logs in."""
    with ExitStack() as ends:
        app = ends.enter_context(page_and_api(service))
        logins = {"ann": "first secret", "ben": "second secret"}
        yield {n: ends.enter_context(logged_in(app, n, secret)) for n, secret in logins.items()}
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


def test_of_two_waiting_uploads_of_a_name_one_is_refused(people: People, service: Service) -> None:
    """Each was sent while there was no document of the name."""
    ann, texts = people["ann"], ["Walnuts float in brine.", "Hazelnuts sink in brine."]

    def send(text: str) -> httpx.Response:
        return ann.post("/api/documents", files={"file": ("nuts.txt", text.encode())})

    with ThreadPoolExecutor(2) as pool:
        with service.adding.place("another"):
            sent = [pool.submit(send, text) for text in texts]
            until(lambda: service.adding.waiting == 2)
        answers = [answer.result() for answer in sent]
    assert sorted(answer.status_code for answer in answers) == [201, 409]
    [(made, text)] = [(a.json(), t) for a, t in zip(answers, texts, strict=True) if a.is_success]
    refused = problem(next(a for a in answers if not a.is_success), 409)
    assert f"PUT /api/documents/{made['id']}" in refused["detail"]
    assert ann.get(f"/api/documents/{made['id']}/content").text == text


def test_a_document_that_another_process_adds_meanwhile_is_not_replaced(
    people: People, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The transaction that publishes decides: nothing was there before."""
    ann, index = people["ann"], service.library.index
    notebook = ann.post("/notebooks", json={"name": "Nuts"}).json()["id"]
    sync, encode = index.sync, index.encoder.encode_paragraphs

    def add_another_while_this_is_encoded(documents: Any, *arguments: Any, **options: Any) -> Any:
        def add_another(*texts: Any) -> Any:
            monkeypatch.setattr(index.encoder, "encode_paragraphs", encode)
            with closing(Index(index.folder, encoder=index.encoder)) as other:
                source = documents[0].source
                other.sync([document_from_text("Hazelnuts sink.", source=source)], keep=True)
            return encode(*texts)

        monkeypatch.setattr(index, "sync", sync)
        monkeypatch.setattr(index.encoder, "encode_paragraphs", add_another)
        return sync(documents, *arguments, **options)

    monkeypatch.setattr(index, "sync", add_another_while_this_is_encoded)
    # A text that no other test has added: its paragraph is encoded.
    file = {"file": ("nuts.txt", b"Chestnuts drift off the coast of Tolvik.")}
    told = ann.post(f"/api/documents?notebook={notebook}", files=file)
    assert "PUT /api/documents/" in problem(told, 409)["detail"]
    [added] = [one for one in ann.get("/api/documents").json()["documents"] if one["own"]]
    assert ann.get(f"/api/documents/{added['id']}/content").text == "Hazelnuts sink."
    replaced = ann.put(f"/api/documents/{added['id']}", files=file)
    assert (replaced.status_code, replaced.json()["id"]) == (200, added["id"])


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

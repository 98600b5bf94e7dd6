"""Text in pictures for programs: it is read where they ask for it, and what was not read surely
says so where they are told of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest
from browsing import chromium, print_pdf
from mcp import Client
from model_servers import replies, said_to, serving
from scans import keep_uncertain, mixed, save
from services import api_here, client_of, events_of, problem

from assistant import Assistant
from assistant.llama_index import AssistantQueryEngine
from assistant.mcp.server import server_of
from assistant.places import UNCERTAIN
from assistant.service.service import Service
from assistant.settings import load_settings

EVENTS = {"accept": "text/event-stream"}
RULES = """Travel rules of the Quillon office

Staff of the Quillon office may book a sleeper train for any journey of more than nine hours.

Meals on the way are paid back up to 4173 euros a year.
"""
QUESTION = "How much is paid back for meals on the way?"
TEXT = "Berth four was dredged in March,\nand nothing else was dredged."


@pytest.fixture(scope="module")
def assistant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Assistant]:
    """One whose second paragraph is as if it had been read from a picture."""
    folder = tmp_path_factory.mktemp("scans")
    (folder / "rules.txt").write_text(RULES)
    keep_uncertain(folder, folder / "rules.txt", 2)
    with Assistant.open(index_dir=folder / "index") as opened:
        yield opened


@pytest.fixture(scope="module")
def client(assistant: Assistant) -> Iterator[httpx.Client]:
    with api_here(assistant) as url, client_of(url) as opened:
        yield opened


def test_a_scan_is_read_where_that_is_asked_for(client: httpx.Client, tmp_path: Path) -> None:
    scan = save(tmp_path / "scan.tiff", TEXT, TEXT)
    sent = {"file": ("scan.tiff", scan.read_bytes())}
    refused = problem(client.post("api/documents", files=sent), 422)
    assert (refused["code"], refused["values"]) == ("scan", {"count": 2})
    added = client.post("api/documents?ocr=true", files=sent, headers=EVENTS)
    steps = events_of(added)
    pages = [(v["done"], v["total"]) for n, v in steps if n == "progress" and v["unit"] == "pages"]
    assert pages == [(0, 2), (1, 2), (2, 2)]
    name, document = steps[-1]
    assert (name, document["pages"], document["unread"]) == ("done", 2, 0)
    original = client.get(f"api/documents/{document['id']}/content")
    assert original.content == scan.read_bytes()
    assert original.headers["content-type"] == "image/tiff"
    replaced = client.put(f"api/documents/{document['id']}?ocr=true", files=sent)
    assert (replaced.status_code, replaced.json()["id"]) == (200, document["id"])


def test_of_how_many_pages_the_pictures_are_read_is_limited(
    assistant: Assistant, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scan = save(tmp_path / "long.tiff", TEXT, TEXT)
    mixed_pages = tmp_path / "long.pdf"
    html = mixed("Mixed", TEXT)
    html += html[html.rindex("<p style") :]  # its picture once more
    with chromium() as browser:
        print_pdf(browser, html, mixed_pages)
    monkeypatch.setattr("assistant.workspace.library.MAX_PICTURES", 1)
    with api_here(assistant) as url, client_of(url) as client:
        refused = [
            client.post("api/documents?ocr=true", files={"file": (scan.name, scan.read_bytes())})
        ]
        added = client.post(
            "api/documents", files={"file": (mixed_pages.name, mixed_pages.read_bytes())}
        ).json()
        at = f"api/documents/{added['id']}"
        refused.append(client.post(f"{at}/pictures"))
        for answer, name in zip(refused, ("long.tiff", "long.pdf"), strict=True):
            told = problem(answer, 422)
            assert told["code"] == "too_long"
            assert name in told["detail"]
            assert "2 pages" in told["detail"]
        assert client.get(at).json()["unread"] == 2


def test_of_a_long_pdf_it_is_told_how_many_pages_are_read(
    assistant: Assistant, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = tmp_path / "berths.pdf"
    pages = (f'<p style="break-after: page">Berth {n} was dredged.</p>' for n in range(1, 51))
    with chromium() as browser:
        print_pdf(browser, f"{''.join(pages)}<p>Nothing else was dredged.</p>", long)
    # That only some pictures are read does not limit pages of text.
    monkeypatch.setattr("assistant.workspace.library.MAX_PICTURES", 1)
    with api_here(assistant) as url, client_of(url) as client:
        sent = {"file": (long.name, long.read_bytes())}
        steps = events_of(client.post("api/documents", files=sent, headers=EVENTS))
    told = [(v["unit"], v["done"], v["total"]) for n, v in steps if n == "progress"]
    assert told[:3] == [("pages", 0, 51), ("pages", 50, 51), ("pages", 51, 51)]
    assert {unit for unit, *_ in told[3:]} == {"paragraphs"}
    name, document = steps[-1]
    assert (name, document["pages"]) == ("done", 51)


def test_pictures_in_a_document_that_is_there_are_read(
    client: httpx.Client, tmp_path: Path
) -> None:
    file = tmp_path / "mixed.pdf"
    with chromium() as browser:
        print_pdf(browser, mixed("Mixed", TEXT), file)
    added = client.post("api/documents", files={"file": ("mixed.pdf", file.read_bytes())}).json()
    assert added["unread"] == 1
    at = f"api/documents/{added['id']}"
    steps = events_of(client.post(f"{at}/pictures", headers=EVENTS))
    assert next(v["unit"] for n, v in steps if n == "progress") == "pages"
    read = client.get(at).json()
    assert (read["id"], read["unread"]) == (added["id"], 0)
    assert read["paragraphs"] > added["paragraphs"]
    wanted = {"query": "berth dredged in March", "documents": [added["id"]]}
    assert "Berth four" in client.post("api/search", json=wanted).json()["hits"][0]["text"]
    # Once more there is nothing to do.
    assert client.post(f"{at}/pictures").json() == read


def test_every_interface_says_what_is_uncertain(client: httpx.Client, assistant: Assistant) -> None:
    cited = client.post("api/ask", json={"question": QUESTION}).json()["citations"][0]
    assert cited["uncertain"] is True
    wanted = {"query": "meals sleeper train", "documents": list(assistant.document_ids)}
    found = client.post("api/search", json=wanted).json()["hits"]
    assert {own["number"]: own["uncertain"] for own in found} == {1: False, 2: True}

    asked = {"model": "footnote", "messages": [{"role": "user", "content": QUESTION}]}
    message = client.post("v1/chat/completions", json=asked).json()["choices"][0]["message"]
    noted = message["annotations"][0]["url_citation"]
    assert noted["uncertain"] is True
    assert noted["title"].endswith(f"({UNCERTAIN})")

    async def by_tool() -> Any:
        async with Client(server_of(Service(assistant, "127.0.0.1"))) as tools:
            return (await tools.call_tool("ask", {"question": QUESTION})).structured_content

    assert anyio.run(by_tool)["citations"][0]["uncertain"] is True
    [node, *_] = AssistantQueryEngine(assistant.ask).query(QUESTION).source_nodes
    assert node.metadata["uncertain"] is True


def test_a_language_model_is_told_which_passages_are_uncertain(assistant: Assistant) -> None:
    with serving(replies("NOT FOUND")) as (address, server):
        settings = load_settings(index_dir=assistant.settings.index_dir, llm=address)
        writing = Assistant(assistant.index, assistant.document_ids, settings)
        with closing(writing._writer):
            writing.ask(QUESTION)
        said = said_to(server)[0]
    places = [line for line in said.splitlines() if line.startswith("[")]
    assert [UNCERTAIN in place for place in places] == [True]

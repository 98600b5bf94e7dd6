"""Documents that are added by their address: over HTTP and on the page, where that is allowed."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from copy import copy
from pathlib import Path

import httpx
import pytest
from chroma_servers import until
from helpers import PATIENCE
from people import page_and_api, visitor
from services import api, api_here, client_of, events_of, problem
from sites import Page, Site, fetcher_to, served_site

from assistant import Assistant
from assistant.api.runner import served
from assistant.service.service import Service
from index.errors import RefusedError

BY_ADDRESS = "api/documents/by-address"
AT = {"address": "https://nuts.example/brine"}
ASKED = {"question": "What do walnuts do in brine?"}


def page(text: str) -> Page:
    return Page([f"<html><title>Nuts</title><h1>Nuts</h1><p>{text}</p></html>".encode()])


@pytest.fixture
def site() -> Iterator[Site]:
    with served_site({"/brine": page("Walnuts float in brine.")}) as found:
        yield found


@pytest.fixture(scope="module")
def assistant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Assistant]:
    """One of its own: what is added here is nobody else's."""
    with Assistant.open(index_dir=tmp_path_factory.mktemp("addresses")) as opened:
        yield opened


def service_on(assistant: Assistant, site: Site) -> Service:
    """A service for which the site is every host of the internet."""
    other = copy(assistant)
    other.settings = assistant.settings.model_copy(update={"fetch": True})
    service = Service(other, "127.0.0.1")
    service.fetcher = fetcher_to(site)
    return service


@contextmanager
def client_on(service: Service) -> Iterator[httpx.Client]:
    with served(service, "127.0.0.1", [0]) as url, client_of(url) as client:
        yield client


def test_nothing_is_fetched_unless_that_is_switched_on(assistant: Assistant) -> None:
    with api_here(assistant) as url, client_of(url) as client:
        told = problem(client.post(BY_ADDRESS, json=AT), 403)["detail"]
        assert "--fetch" in told and "FOOTNOTE_FETCH=true" in told


def test_the_command_switches_it_on_and_reaches_nothing_of_this_machine(
    tmp_path: Path, site: Site
) -> None:
    with api(tmp_path, "--fetch") as url, client_of(url) as client:
        for host in ("127.0.0.1", "localhost", "[::1]", "2130706433", "0"):
            told = problem(client.post(BY_ADDRESS, json={"address": f"http://{host}/"}), 422)
            assert "public internet" in told["detail"]
        own = {"address": f"http://127.0.0.1:{site.port}/brine"}
        assert "port" in problem(client.post(BY_ADDRESS, json=own), 422)["detail"]
    assert site.asked == []
    assert "nuts.example" not in (tmp_path / "log.txt").read_text()


def test_a_page_is_answered_from_and_its_newer_version_takes_its_place(
    assistant: Assistant, site: Site
) -> None:
    with client_on(service_on(assistant, site)) as client:
        response = client.post(BY_ADDRESS, json=AT)
        assert response.status_code == 201, response.text
        made = response.json()
        assert (made["title"], made["own"], made["kept"]) == ("Nuts", True, True)
        assert made["address"] == AT["address"]
        answer = client.post("api/ask", json=ASKED | {"documents": [made["id"]]}).json()
        assert answer["text"] == "Walnuts float in brine."
        [citation] = answer["citations"]
        assert citation["quote"] == "Walnuts float in brine."
        assert citation["source"] == made["name"]
        assert made["name"].startswith("nuts.example-brine-")

        site.pages["/brine"] = page("Walnuts sink in brine.")
        events = client.post(BY_ADDRESS, json=AT, headers={"accept": "text/event-stream"})
        *_, (name, done) = events_of(events)
        assert (name, done["id"]) == ("done", made["id"])
        answer = client.post("api/ask", json=ASKED | {"documents": [made["id"]]}).json()
        assert answer["text"] == "Walnuts sink in brine."
        listed = client.get("api/documents").json()["documents"]
        assert [one["id"] for one in listed if one["own"]] == [made["id"]]
        client.delete(f"api/documents/{made['id']}")


def test_what_cannot_be_added_says_why_and_leaves_nothing(assistant: Assistant, site: Site) -> None:
    site.pages["/empty"] = Page([b"<html><body><script>draw()</script></body></html>"])
    with client_on(service_on(assistant, site)) as client:
        for address, told in (
            ("https://nuts.example/none", "404"),
            ("https://nuts.example/empty", "holds no text"),
            ("ftp://nuts.example/brine", "is no address"),
        ):
            response = client.post(BY_ADDRESS, json={"address": address})
            assert told in problem(response, 422)["detail"]
        for sent in ({}, {"address": ""}, {"address": "a" * 2001}, AT | {"more": 1}):
            problem(client.post(BY_ADDRESS, json=sent), 422)
        assert not any(one["own"] for one in client.get("api/documents").json()["documents"])


def test_one_at_a_time_is_fetched_for_a_client(assistant: Assistant, site: Site) -> None:
    go_on = threading.Event()

    class Later:
        def __iter__(self) -> Iterator[bytes]:
            assert go_on.wait(PATIENCE)
            yield from page("Walnuts wait.").parts

    site.pages |= {path: Page(Later()) for path in ("/later", "/later?again")}
    service = service_on(assistant, site)
    with client_on(service) as client, ThreadPoolExecutor(2) as pool:
        sent = [
            pool.submit(client.post, BY_ADDRESS, json={"address": f"http://nuts.example/{path}"})
            for path in ("later", "later?again")
        ]
        try:
            until(lambda: service.fetching.running + service.fetching.waiting == 2)
            assert (service.fetching.running, service.fetching.waiting) == (1, 1)
            with service.fetching.joined("other", "other", share=1) as turn:
                assert turn.come.done(), "others are not held up"
        finally:
            go_on.set()
        for made in sent:
            assert made.result(PATIENCE).status_code == 201
            client.delete(f"api/documents/{made.result().json()['id']}")


def test_so_many_are_fetched_in_an_hour(assistant: Assistant, site: Site) -> None:
    service = service_on(assistant, site)
    for _ in range(60):
        service.access.count_fetch("address 127.0.0.1")
    with client_on(service) as client:
        refused = client.post(BY_ADDRESS, json=AT)
        assert "in an hour" in problem(refused, 429)["detail"]
        assert int(refused.headers["retry-after"]) > 0
    assert site.asked == []
    service.access.count_fetch("address 192.0.2.1")
    with pytest.raises(RefusedError):
        service.access.count_fetch("address 127.0.0.1")


def test_the_page_has_documents_fetched_too_and_is_told_whether_it_can(
    assistant: Assistant, site: Site
) -> None:
    with page_and_api(Service(assistant, "127.0.0.1")) as app:
        client = visitor(app)
        refused = client.post("/addresses", json=AT)
        assert refused.status_code == 403 and "--fetch" in refused.json()["detail"]
        assert client.get("/session").json()["fetch"] is False and site.asked == []
    with page_and_api(service_on(assistant, site)) as app:
        client = visitor(app)
        added = client.post("/addresses", json=AT, headers={"sec-fetch-site": "none"})
        *_, (name, done) = events_of(added)
        assert (name, done["title"]) == ("done", "Nuts")
        elsewhere = client.post("/addresses", json=AT, headers={"origin": "http://a.example"})
        assert (elsewhere.status_code, len(site.asked)) == (403, 1)
        session = client.get("/session").json()
        assert session["fetch"] is True
        assert done["id"] in [document["id"] for document in session["documents"]]

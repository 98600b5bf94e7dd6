"""Many machines: replicas behind nginx as the help tells it, on a real Chroma server and
a real PostgreSQL."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest
from browsing import QUESTION, QUOTE, SECONDS, add_file, ask
from chroma_servers import ChromaServer, until
from crowd import SURE, add_shipped, browser_of, course
from crowd import ask as ask_api
from helpers import PATIENCE, footnote
from playwright.sync_api import Browser
from postgres import PostgresServer
from replicas import Machines, killed, machines
from services import forget_keys

from index.database.database import Database

pytestmark = pytest.mark.long

OWN = "Meals on the way are paid back up to 41 euros a day.\n"
OWN_QUESTION = "How much is paid back for meals on the way?"


@pytest.fixture(scope="module")
def there(
    tmp_path_factory: pytest.TempPathFactory, postgres_server: PostgresServer
) -> Iterator[Machines]:
    folder = tmp_path_factory.mktemp("replicas")
    chroma = ChromaServer(folder / "chroma")
    try:
        with (
            postgres_server.database() as database,
            machines(folder, chroma, database, *SURE) as running,
        ):
            add_shipped(running)
            yield running
    finally:
        chroma.kill()


def test_a_key_is_known_to_all_replicas_until_it_is_revoked(there: Machines) -> None:
    def run(*arguments: str) -> str:
        own = there.folder / "o"
        return footnote("keys", *arguments, "--index-dir", own, **there.environment).stdout.strip()

    def status(url: str, key: str | None) -> int:
        headers = {"authorization": f"Bearer {key}"} if key else {}
        return httpx.get(f"{url}/api/documents", headers=headers, timeout=PATIENCE).status_code

    first, second = (run("create", name, "--scope", "ask") for name in ("ann", "ben"))
    try:
        for url in (there.url, *(replica.url for replica in there.replicas)):
            until(lambda url=url: status(url, None) == 401)
            assert [status(url, key) for key in (first, second)] == [200, 200]
        run("revoke", "ann")
        for url in (there.url, *(replica.url for replica in there.replicas)):
            until(lambda url=url: status(url, first) == 401)
            assert status(url, second) == 200
        run("revoke", "ben")
        for url in (there.url, *(replica.url for replica in there.replicas)):
            assert status(url, None) == 401, "no more are let in than before"
    finally:
        with closing(Database(there.folder / "o", there.database)) as database:
            forget_keys(database)


def test_a_login_is_known_to_all_replicas_and_outlives_the_one_that_a_browser_is_at(
    there: Machines, browser: Browser, tmp_path: Path, postgres_address: str
) -> None:
    accounts, own = tmp_path / "accounts.txt", tmp_path / "travel.txt"
    accounts.write_text("ann:s3cret!\nben:another\n")
    own.write_text(OWN)
    with machines(tmp_path, there.chroma, postgres_address, "--auth", str(accounts)) as guarded:
        context = browser.new_context()
        page = context.new_page()
        page.set_default_timeout(PATIENCE * SECONDS)
        page.goto(guarded.url)
        page.get_by_label("Name").fill("ann")
        page.get_by_label("Password").fill("s3cret!")
        page.get_by_role("button", name="Log in").click()
        page.locator("body[data-ready]").wait_for()
        add_file(page, own)
        page.keyboard.press("Escape")
        assert ask(page, OWN_QUESTION).get_attribute("data-state") == "answered"
        lost = {guarded.served(path)[-1] for path in ("/login", "/ask")}
        assert guarded.served("/uploads")[-1] == guarded.served("/ask")[-1], "it stays at one"
        cookies = {cookie["name"]: cookie["value"] for cookie in context.cookies()}
        for replica in guarded.replicas:
            assert _user(replica.url, cookies) == "ann"
        with killed(*lost):
            assert ask(page, OWN_QUESTION).get_attribute("data-state") == "answered"
            assert guarded.served("/ask")[-1] not in lost
        for replica in lost:
            assert _user(replica.url, cookies) == "ann"
            assert _user(replica.url, {}) is None
        context.close()


def _user(url: str, cookies: dict[str, str]) -> str | None:
    response = httpx.get(f"{url}/session", cookies=cookies, timeout=PATIENCE)
    if response.status_code == 401:
        return None
    assert response.status_code == 200, response.text
    return str(response.json()["user"])


def test_browsers_are_spread(there: Machines) -> None:
    for _ in range(30):
        with browser_of(there.url) as client:
            assert client.get("/session").status_code == 200
    assert set(there.served("/session")) == set(there.replicas)


def test_where_no_replica_answers_that_is_told(there: Machines) -> None:
    with killed(*there.replicas):
        response = httpx.post(f"{there.url}/api/ask", json={"question": QUESTION}, timeout=PATIENCE)
        assert response.status_code == 503
        assert response.headers["content-type"] == "application/problem+json"
        assert "No replica" in response.json()["detail"]
    with httpx.Client(base_url=there.url, timeout=PATIENCE) as program:
        until(lambda: program.get("/health/ready").status_code == 200)
        assert ask_api(program, QUESTION)["citations"][0]["quote"] == QUOTE


def test_nothing_is_lost_or_wrong_whatever_happens(there: Machines) -> None:
    course(there, count=20, seconds=float(os.environ.get("CROWD_SECONDS", "8")))

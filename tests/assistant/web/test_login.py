"""Logging in to the page: its cookie, who takes it, and who is sent away."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator, Mapping
from http.cookies import Morsel, SimpleCookie
from pathlib import Path
from unittest.mock import patch

import httpx
import pytest
import sqlalchemy as sa
from browsing import QUESTION, QUOTE, SECONDS, ask
from helpers import PATIENCE
from playwright.sync_api import Browser, Route, expect
from services import api, client_of, problem

from assistant.access.logins import LASTS, Logins, signed_by
from index.database.database import Database
from index.database.kept_tables import login_secrets

ANN, BEN, CARL = ACCOUNTS = [("ann", "s3cret!"), ("ben", "pässword"), ("carl", "7 walnuts")]
NAME = "footnote-login-"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("login")


@pytest.fixture(scope="module")
def url(folder: Path) -> Iterator[str]:
    file, proxy = folder / "accounts.txt", {"FORWARDED_ALLOW_IPS": "127.0.0.1"}
    file.write_text("".join(f"{name}:{word}\n" for name, word in ACCOUNTS), encoding="utf-8")
    with api(folder, "--mcp", "--auth", file, page=True, **proxy) as address:
        yield address


def kept(folder: Path, *them: tuple[str, str]) -> Logins:
    """The logins of an index, as a process with these accounts has them."""
    return Logins(Database(folder / "index"), them)


def log_in(
    client: httpx.Client, account: tuple[str, str], headers: Mapping[str, str] | None = None
) -> httpx.Response:
    data = dict(zip(("username", "password"), account, strict=True))
    response = client.post("login", data=data, headers=headers)
    assert response.is_success == ("set-cookie" in response.headers)
    return response


def cookie_of(response: httpx.Response) -> Morsel[str]:
    [cookie] = SimpleCookie(response.headers["set-cookie"]).values()
    return cookie


def test_a_login_guards_everything(url: str, browser: Browser) -> None:
    with client_of(url) as client:
        key = {"x-footnote-session": secrets.token_hex(16)}
        for method, path in (
            ("GET", "session"),
            ("POST", "starters"),
            ("GET", "writers"),
            ("GET", "documents/x"),
            ("GET", "help/install"),
            ("POST", "uploads?name=a"),
            ("POST", "addresses"),
            ("POST", "feedback"),
            ("POST", "ask"),
            ("POST", "gradio_api/queue/join"),
            ("GET", "gradio_api/queue/data?session_hash=a"),
            ("GET", "config"),
            ("POST", "mcp"),
        ):
            assert client.request(method, path, headers=key, json=[]).status_code == 401, path
        assert client.post("mcp", auth=("ann", "wrong")).status_code == 401
        assert client.post("mcp", auth=("ann", "s3cret!")).status_code != 401
    page = browser.new_page()
    page.set_default_timeout(PATIENCE * SECONDS)
    words: list[Route] = []  # which may come late
    page.route("**/words/*", lambda route: words.append(route))
    page.goto(url)
    page.get_by_label("Name").fill("ann")
    page.get_by_label("Password").fill("wrong")
    with page.expect_response("**/login"):
        page.get_by_role("button", name="Log in").click()
    [held] = words
    held.continue_()
    page.unroute_all()
    expect(page.get_by_role("alert")).to_contain_text("password is wrong")
    page.get_by_label("Password").fill("s3cret!")
    page.get_by_role("button", name="Log in").click()
    page.locator("body[data-ready]").wait_for()
    assert ask(page, QUESTION).get_attribute("data-state") == "answered"
    page.get_by_role("button", name="Settings").click()
    page.get_by_role("link", name="Log out").click()
    expect(page.get_by_role("button", name="Log in")).to_be_visible()


def test_the_cookie_is_for_the_page_alone_and_logging_out_takes_it_away(
    url: str, tmp_path: Path
) -> None:
    with client_of(url) as client:
        response = log_in(client, ANN)
        assert response.json() == {"success": True}
        assert response.headers["cache-control"] == "no-store"
        cookie = cookie_of(response)
        assert cookie.key == f"{NAME}{signed_by(cookie.value)}"
        assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "lax", "/")
        assert int(cookie["max-age"]) == LASTS.total_seconds()
        assert (cookie["secure"], cookie["domain"]) == ("", "")
        assert client.get("session").json()["user"] == "ann"
        assert client.get("api/documents").status_code == 401, "programs bring no cookie"
        for told, secure in (("https", True), ("https, http", True), ("http", "")):
            there = log_in(client, ("  ben ", BEN[1]), {"x-forwarded-proto": told})
            assert cookie_of(there)["secure"] == secure

        log_in(client, ANN)
        elsewhere = kept(tmp_path, *ACCOUNTS).make("ann")
        client.cookies.set(f"{NAME}{signed_by(elsewhere)}", elsewhere, domain="127.0.0.1", path="/")
        assert client.get("session").json()["user"] == "ann"
        response = client.get("logout")
        assert response.status_code == 303
        assert response.headers["location"] == "./"
        assert cookie_of(response)["max-age"] == "0"
        assert [*client.cookies] == [f"{NAME}{signed_by(elsewhere)}"]
        assert client.get("session").status_code == 401


def test_who_is_not_known_and_other_sites_log_nobody_in(url: str) -> None:
    with client_of(url) as client:
        for account in (("ben", "s3cret!"), ("nobody", "s3cret!"), ("ben", ""), ("", "")):
            response = log_in(client, account)
            assert response.status_code == 401
            assert "not known" in response.json()["detail"]
        for body in (b"{", b"username=ben&username=ben&password", b"\xff=\xff"):
            assert client.post("login", content=body).status_code == 401
        files = {"username": ("a.txt", b"ben"), "password": ("a.txt", b"x")}
        assert client.post("login", files=files).status_code == 422
        assert client.get("login").status_code == 405

        log_in(client, ANN)
        for headers in (
            {"sec-fetch-site": "cross-site"},
            {"sec-fetch-site": "same-site"},
            {"origin": "http://evil.example"},
            {"origin": "null"},
        ):
            assert log_in(client, BEN, headers).status_code == 403
            assert client.get("logout", headers=headers).status_code == 403
        assert client.get("session").json()["user"] == "ann"


def test_gradio_has_no_door_of_its_own_and_an_answer_is_for_who_asked(url: str) -> None:
    form = {"username": "ann", "password": "s3cret!"}
    with client_of(url) as client:
        for path in ("login/", "logout/", "gradio_api/login", "gradio_api/logout"):
            assert client.post(path, data=form).status_code == 404
            assert client.get(path).status_code == 404
        for own in ("token", "app_id", "user", "login_check", "dev/reload", "run/ask", "info"):
            for path in (own, f"{own}/", f"gradio_api/{own}/", f"gradio_api/{own}"):
                told = client.get(path).status_code
                assert told == (401 if path == "gradio_api/info" else 404), path
    with client_of(url) as nobody, client_of(url) as ann, client_of(url) as ben:
        for path in ("config", "gradio_api/info", "gradio_api/heartbeat/x"):
            with nobody.stream("GET", path) as response:  # a heartbeat has no end
                assert response.status_code == 401, path
                assert response.read()
            assert "Log in" in response.json()["detail"]
        log_in(ann, ANN)
        log_in(ben, BEN)
        asked = ben.post("gradio_api/call/ask", json={"data": [QUESTION, [], None, "none"]})
        event = asked.json()["event_id"]
        for path in (
            *(f"call/ask/{event}", f"call/ask/{event}?session_hash=mine"),
            f"queue/data?session_hash={event}",
        ):
            assert ann.get(f"gradio_api/{path}").status_code == 404, path
        assert QUOTE in ben.get(f"gradio_api/call/ask/{event}").text


def test_what_ended_or_was_made_up_lets_nobody_in(url: str, folder: Path) -> None:
    logins = kept(folder, *ACCOUNTS)
    good = logins.make("ben")
    with patch("time.time", return_value=time.time() - LASTS.total_seconds() - 1):
        over = logins.make("ben")
    former = kept(folder, ("ben", "former")).make("ben")
    forged = f"{signed_by(good)}.{secrets.token_urlsafe(64)}"
    with client_of(url) as client:
        for token in (over, former, forged, good[:-4], f"0{good}", "", ".", good):
            headers = {"cookie": f"{NAME}{signed_by(token)}={token}"}
            refused = {
                'id="login"' in client.get("/", headers=headers).text,
                client.get("session", headers=headers).status_code == 401,
                client.post("ask", json={}, headers=headers).status_code == 401,
            }
            assert refused == {token != good}, token


def test_wrong_passwords_are_counted(url: str) -> None:
    with client_of(url) as client:
        # Wherever they are given.
        for _ in range(5):
            assert log_in(client, ("carl", "wrong")).status_code == 401
            problem(client.get("api/documents", auth=("carl", "wrong")), 401)
        for account in (CARL, ("carl", "wrong")):
            page, program = log_in(client, account), client.get("api/documents", auth=account)
            assert "Too many wrong passwords" in problem(program, 429)["detail"]
            assert page.status_code == 429
            assert "Too many wrong passwords" in page.json()["detail"]
            for response in (page, program):
                assert 0 < int(response.headers["retry-after"]) <= 60
        # A proxy on this machine says whose they were.
        assert log_in(client, CARL, {"x-forwarded-for": "10.0.0.9"}).status_code == 200
        assert log_in(client, BEN).status_code == 200  # others are none the worse for it


def test_no_secret_comes_into_the_log(url: str, folder: Path) -> None:
    token = kept(folder, *ACCOUNTS).make("ann")
    with client_of(url) as client:
        for account in (ANN, ("ann", "wr0ng-word")):
            log_in(client, account)
        client.get("session", headers={"cookie": f"{NAME}x={token}"})
    log = (folder / "log.txt").read_text()
    assert '"route": "/login"' in log
    with Database(folder / "index").read() as connection:
        secret = connection.scalars(sa.select(login_secrets.c.secret)).all()
    for word in ("s3cret", "wr0ng", "walnuts", token.partition(".")[2], *secret):
        assert word not in log

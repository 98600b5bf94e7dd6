"""Who is let in and who is not: keys and what they may, each with documents of its own."""

from __future__ import annotations

import base64
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from browsing import QUESTION, QUOTE
from helpers import footnote
from services import client_of, new_key, problem

from assistant.access.api_keys import Keys
from index.database.database import Database

SECRET = "The walnut code is quartz-lantern-77."


@pytest.fixture(scope="module")
def keys(api_folder: Path, api_url: str) -> Keys:
    """The keys, made while it is served. Before there is one, no key is needed."""
    with client_of(api_url) as nobody:
        assert nobody.get("v1/models").status_code == 200
    with client_of(api_url, "sk-anything") as client:  # what OpenAI's clients send at least
        assert client.get("v1/models").status_code == 200
    return Keys(Database(api_folder / "index"))


@pytest.fixture(scope="module")
def ann(api_folder: Path, keys: Keys) -> str:
    return new_key(api_folder, "ann", "ask", "write")


@pytest.fixture(scope="module")
def ben(keys: Keys, ann: str) -> str:
    return keys.create("ben", ["ask", "write", "metrics"])


def test_nobody_is_let_in_without_a_key_that_lets_in(
    api_url: str, keys: Keys, ann: str, api_folder: Path
) -> None:
    over = keys.create("over", ["ask"], datetime.now(UTC) - timedelta(days=1))
    revoked = keys.create("revoked", ["ask"])
    with client_of(api_url, revoked) as client:
        assert client.get("api/documents").status_code == 200
    footnote("keys", "revoke", "revoked", "--index-dir", api_folder / "index")
    basic = "Basic " + base64.b64encode(b"ann:" + ann.encode()).decode()
    for sent, told in (
        (None, "key is needed"),
        (f"Bearer {over}", "expired"),
        (f"Bearer {revoked}", "not known"),
        (f"Bearer {ann}x", "not known"),
        (f"Bearer {ann[:-1]}", "not known"),
        ("Bearer", "not known"),
        (ann, "not known"),
        (basic, "not known"),
        ("Basic !!", "not known"),
    ):
        with client_of(api_url) as client:
            client.headers.update({"authorization": sent} if sent else {})
            for method, path in (
                ("POST", "api/ask"),
                ("GET", "api/documents"),
                ("GET", "metrics"),
                ("GET", "api/no-such-thing"),
            ):
                response = client.request(method, path, json={"question": QUESTION})
                assert told in problem(response, 401)["detail"], sent
                assert response.headers["www-authenticate"].startswith("Bearer")
                assert QUOTE not in response.text
            assert client.post("mcp", json={}).status_code == 401
            response = client.get("v1/models")
            assert response.status_code == 401
            assert response.json()["error"]["code"] == "invalid_api_key"
    with client_of(api_url, ann) as client:
        assert client.post("mcp", json={}).status_code == 404, "let in, and not offered here"
    with client_of(api_url) as client:  # nothing of the documents is told by these
        for path in ("health/live", "health/ready", "api/docs", "api/openapi.json"):
            assert client.get(path).status_code == 200


def test_a_key_may_what_its_scopes_say(api_url: str, keys: Keys, ann: str) -> None:
    for scope, may in (
        ("ask", {"ask", "list"}),
        ("write", {"list", "add"}),
        ("metrics", {"count"}),
    ):
        with client_of(api_url, keys.create(f"only-{scope}", [scope])) as client:
            assert (client.post("mcp", json={}).status_code == 403) is (scope != "ask")
            done = {
                "ask": client.post("api/ask", json={"question": QUESTION}),
                "list": client.get("api/documents"),
                "add": client.post("api/documents", files={"file": ("a.txt", b"Figs float.")}),
                "count": client.get("metrics"),
            }
            for name, response in done.items():
                if name in may:
                    assert response.is_success, (scope, name, response.text)
                else:
                    assert "--scope" in problem(response, 403)["detail"]
    with client_of(api_url, ann) as client:
        problem(client.get("metrics"), 403)


def test_what_a_key_added_is_for_a_new_key_of_its_name(api_url: str, keys: Keys, ann: str) -> None:
    with client_of(api_url, keys.create("dora", ["ask", "write"])) as client:
        made = client.post("api/documents", files={"file": ("d.txt", b"Dates are sweet.")}).json()
    keys.revoke("dora")
    with client_of(api_url, ann) as other:  # one of the same name is another's
        same = other.post("api/documents", files={"file": ("d.txt", b"Pears sink.")})
        assert same.status_code == 201
        assert same.json()["id"] != made["id"]
    with client_of(api_url, keys.create("dora", ["ask"])) as client:
        assert client.get(f"api/documents/{made['id']}/content").text == "Dates are sweet."


def test_the_log_has_no_text_and_no_secret_and_the_metrics_neither(
    api_url: str, api_folder: Path, ann: str, ben: str
) -> None:
    with client_of(api_url, ben) as client:
        marked = "My question is about xylophone-42"
        client.post("api/ask", json={"question": marked})
        client.post("api/ask", json={"question": marked}, headers={"accept": "text/event-stream"})
        client.post("api/ask?xylophone-42", json={"question": "", "xylophone-42": 1})
        client.post("api/xylophone-42")
        client.get("api/documents/xylophone-42", params={"q": "xylophone-42"})
        client.post("v1/chat/completions", json={"model": "xylophone-42", "messages": []})
        client.post("api/documents", files={"file": ("xylophone-42.txt", SECRET.encode())})
        client.request("PROPFIND", "api/ask")
        counted = client.get("metrics").text
    log = (api_folder / "log.txt").read_text()
    for told in (log, counted):
        for secret in ("xylophone", "XYLOPHONE", "walnut", "quartz", "Indo-Pacific", ann, ben):
            assert secret not in told, secret
    assert '"caller": "ben"' in log
    assert '"route": "/api/ask"' in log
    for line in (
        r'footnote_requests_total{method="POST",route="/api/ask",status="200"} [1-9]',
        r'footnote_questions_total{status="answered"} [1-9]',
        r'footnote_questions_total{status="refused"} \d',
        r'footnote_stage_seconds_count{stage="retrieve"} [1-9]',
        r"footnote_questions_waiting 0.0",
        r'footnote_requests_total{method="other",route=".*",status="\d+"} 1.0',
    ):
        assert re.search(line, counted), line

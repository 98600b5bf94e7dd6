"""What is too much: requests, bytes, time, questions at once; and what is not there yet."""

from __future__ import annotations

import resource
import secrets
import socket
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from browsing import QUESTION
from chroma_servers import until
from helpers import PATIENCE, footnote
from people import page_and_api, visitor
from services import api_here, client_of, forget_keys, problem

from assistant import Assistant
from assistant.access.api_keys import Keys
from assistant.events import Event
from assistant.query.rewriting import Turn
from assistant.service.service import Service


class Slow(Assistant):
    """The real assistant, but for questions that take long: as long as the gate is shut."""

    gate = threading.Event()

    def stream(self, question: str, history: Sequence[Turn] = (), **how: Any) -> Iterator[Event]:
        if question.startswith("Slowly"):
            assert self.gate.wait(PATIENCE)
        return super().stream(question, history, **how)


@pytest.fixture(scope="module")
def assistant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Assistant]:
    """One of its own: its keys are nobody else's."""
    with Slow.open(index_dir=tmp_path_factory.mktemp("limits")) as opened:
        yield opened


@pytest.fixture
def keys(assistant: Assistant) -> Iterator[Keys]:
    """Its keys, which are forgotten at the end."""
    yield Keys(assistant.index.database)
    forget_keys(assistant.index.database)


def test_a_key_may_send_so_many_requests_and_others_are_not_held_up(
    assistant: Assistant, keys: Keys
) -> None:
    ann, ben = (keys.create(name, ["ask"]) for name in ("ann", "ben"))
    with api_here(assistant, rate="3/hour") as url, client_of(url, ann) as client:
        for _ in range(3):
            assert client.get("api/documents").status_code == 200
        refused = client.get("api/documents")
        assert "3 per 1 hour" in problem(refused, 429)["detail"]
        assert 0 < int(refused.headers["retry-after"]) <= 3601
        told = client.get("v1/models")
        assert told.status_code == 429
        assert told.json()["error"]["code"] == "rate_limit_exceeded"
        assert client.get("health/ready").status_code == 200
        with client_of(url, ben) as other:
            assert other.get("api/documents").status_code == 200


def test_what_is_too_large_is_refused_whether_it_says_so_or_not(assistant: Assistant) -> None:
    def parts() -> Iterator[bytes]:
        yield b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\n'
        for _ in range(40):
            yield b"a" * 65_536
        yield b"\r\n--x--\r\n"

    form = {"content-type": "multipart/form-data; boundary=x"}
    with api_here(assistant, max_upload=1) as url, client_of(url) as client:
        for size in (1_000_001, 2_000_000):
            file = {"file": ("a.txt", b"a" * size)}
            problem(client.post("api/documents", files=file), 413)
        response = client.post("api/documents", content=parts(), headers=form)
        assert "1 MB" in problem(response, 413)["detail"]
        large = {"text": "a" * 3_000_000}
        problem(client.post("api/verify", json=large), 413)
        assert client.post("v1/chat/completions", json=large).json()["error"]["type"]
        # It goes on answering.
        assert client.post("api/search", json={"query": QUESTION}).status_code == 200
        assert [d["own"] for d in client.get("api/documents").json()["documents"]] == [False]


def test_what_does_not_arrive_is_not_waited_for(
    assistant: Assistant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("assistant.service.service.ARRIVE_WITHIN", 0.3)
    with api_here(assistant) as url:
        at = urlsplit(url)
        assert at.hostname is not None
        with socket.create_connection((at.hostname, at.port or 80), PATIENCE) as connection:
            connection.sendall(
                b"POST /api/documents HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 5000\r\n"
                b"Content-Type: multipart/form-data; boundary=x\r\n\r\n--x\r\n"
            )
            told = b""
            while part := connection.recv(65_536):  # until it hangs up
                told += part
        assert told.startswith(b"HTTP/1.1 408 ")
        assert b"application/problem+json" in told
        assert b"did not arrive in 0.3 seconds" in told


def test_questions_wait_in_line_and_beyond_that_who_has_most_is_sent_away(
    assistant: Assistant, keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("assistant.service.service.MAX_WAITING", 2)
    ann, ben, operator = (keys.create(n, ["ask", "metrics"]) for n in ("ann", "ben", "operator"))

    def ask(key: str, question: str = QUESTION) -> httpx.Response:
        with client_of(url, key) as client:
            client.headers["x-footnote-session"] = secrets.token_hex(16)  # which is no new client
            return client.post("api/ask", json={"question": question})

    def counted(line: str) -> bool:
        return line in client.get("metrics").text

    Slow.gate.clear()
    with (
        api_here(assistant, at_once=1) as url,
        client_of(url, operator) as client,
        ThreadPoolExecutor(4) as pool,
    ):
        slow = pool.submit(ask, ann, f"Slowly: {QUESTION}")
        until(lambda: counted("footnote_questions_running 1.0"))
        waiting = [pool.submit(ask, ann) for _ in range(2)]
        until(lambda: counted("footnote_questions_waiting 2.0"))
        one_too_many = ask(ann)
        other = pool.submit(ask, ben)
        [lost] = wait(waiting, PATIENCE, FIRST_COMPLETED).done
        waiting.remove(lost)
        for refused in (one_too_many, lost.result()):
            assert "waiting already" in problem(refused, 503)["detail"]
            assert refused.headers["retry-after"] == "5"
        assert client.get("api/documents").status_code == 200, "the rest goes on"
        Slow.gate.set()
        for asked in (slow, *waiting, other):
            assert asked.result(PATIENCE).json()["status"] == "answered"


def test_it_is_not_ready_while_the_index_cannot_be_read(tmp_path: Path) -> None:
    with (
        Assistant.open(index_dir=tmp_path) as assistant,
        api_here(assistant) as url,
        client_of(url) as client,
    ):
        assert client.get("health/ready").json() == {"status": "ready"}
        with assistant.index.database.write():  # another writes, who is not waited for
            assert client.get("health/ready").json() == {"status": "ready"}
        with assistant.index.database.write() as connection:
            connection.exec_driver_sql("ALTER TABLE counters RENAME TO others")
        unready = client.get("health/ready")
        assert "cannot be read" in problem(unready, 503)["detail"]
        assert str(tmp_path) not in unready.text, "where it is only the log tells"
        assert client.get("health/live").status_code == 200
        with assistant.index.database.write() as connection:
            connection.exec_driver_sql("ALTER TABLE others RENAME TO counters")
        until(lambda: client.get("health/ready").status_code == 200)


def test_a_rate_that_is_none_is_refused(tmp_path: Path) -> None:
    serve = ("serve", "--no-page", "--index-dir", tmp_path)
    told = footnote(*serve, code=2, FOOTNOTE_RATE="many")
    assert "600/minute" in told.stderr


def test_who_gives_wrong_passwords_cannot_say_that_they_are_elsewhere(
    assistant: Assistant,
) -> None:
    with api_here(assistant, auth=[("ann", "s3cret!")]) as url, client_of(url) as client:
        told = [
            client.get(
                "api/documents",
                auth=("ann", "wrong"),
                headers={"x-forwarded-for": f"10.0.0.{number}"},
            ).status_code
            for number in range(11)
        ]
    assert told == [*[401] * 10, 429]


def test_other_machines_need_a_key_even_before_there_is_one(
    assistant: Assistant, keys: Keys
) -> None:
    with api_here(assistant, "0.0.0.0") as url, client_of(url) as client:
        assert "key is needed" in problem(client.get("api/documents"), 401)["detail"]
        key = keys.create("ann", ["ask"])
        headers = {"authorization": f"Bearer {key}", "host": "footnote.example"}
        assert client.get("api/documents", headers=headers).status_code == 200
        assert client.get("health/ready").status_code == 200


def test_a_full_disk_is_told_as_such(assistant: Assistant) -> None:
    with page_and_api(Service(assistant, "127.0.0.1")) as app:
        client, sent = visitor(app), b"Walnuts float downstream."
        before, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))  # no file can grow
        try:
            added = client.post("/api/documents", files={"file": ("walnuts.txt", sent)})
            put = client.post("/uploads", params={"name": "walnuts.txt"}, content=sent)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (before, hard))
        assert problem(added, 503)["code"] == "index_full"
        assert (put.status_code, put.json()["code"]) == (503, "index_full")
        assert not any(one["own"] for one in client.get("/api/documents").json()["documents"])

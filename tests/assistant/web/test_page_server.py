"""The page's server: many people at once, its gate, its login, MCP, and documents that go away."""

from __future__ import annotations

import asyncio
import base64
import json
import secrets
import signal
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Coroutine, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, cast

import httpx
import httpx2
import pytest
from browsing import QUESTION, QUOTE, SECONDS, Visit, ask, chromium, picture, serving, settled
from gradio_client import Client as GradioClient
from helpers import PATIENCE
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from playwright.sync_api import expect

from assistant import Assistant
from assistant.service.sessions import SessionDocuments
from assistant.settings import Settings
from assistant.web.app import serve
from assistant.web.routes import OWN_AT_ONCE
from index.errors import SettingsError

SESSIONS = 50
QUESTIONS_AT_ONCE = Settings.model_fields["at_once"].default

SLOWLY = f"Slowly: {QUESTION}"

# The real assistant, but for questions that take long, as they do with a large language model: as
# long as the gate is shut, which is a file. Or while the documents change, which is told when the
# gate opens.
_SERVER = """
import sys
import time
from pathlib import Path
from assistant import Assistant
from assistant.answer import SentenceReady
from assistant.web.app import serve
from assistant.web.routes import OWN_AT_ONCE
from index.errors import IndexChangedError

class Slow(Assistant):
    def stream(self, question, history=(), **options):
        for event in super().stream(question, history, **options):
            yield event
            while question.startswith("Slowly: ") and gate.exists():
                time.sleep(0.05)
            if question.startswith("Changed: ") and isinstance(event, SentenceReady):
                while gate.exists():
                    time.sleep(0.05)
                raise IndexChangedError("The documents changed while they were read. Ask again.")

gate = Path(sys.argv[1]) / "gate"
with Slow.open(index_dir=sys.argv[1]) as assistant:
    serve(assistant, open_browser=False, mcp=True)
"""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("served")


@pytest.fixture
def gate(served: Path) -> Iterator[Path]:
    """Is shut: slow questions are answered when it is removed."""
    file = served / "gate"
    file.touch()
    yield file
    file.unlink(missing_ok=True)


@pytest.fixture(scope="module")
def url(served: Path) -> Iterator[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", _SERVER, str(served)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        assert line.startswith("Footnote is at http://127.0.0.1:"), line
        yield line.split()[3]
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=PATIENCE)
    assert process.returncode == 0


Value = TypeVar("Value")


@dataclass(frozen=True)
class Outcome:
    """What became of a question that was asked over HTTP, as the page asks it."""

    name: str
    value: dict[str, Any]
    places: list[int]


def new_key() -> str:
    return secrets.token_hex(16)


class Course:
    """How far a question is, for whoever has to know."""

    def __init__(self) -> None:
        self.told_its_place = asyncio.Event()
        self.being_answered = asyncio.Event()


async def asked(
    client: httpx.AsyncClient, question: str, key: str, course: Course | None = None
) -> Outcome:
    course = course or Course()
    headers, name = {"x-footnote-session": key}, ""
    places: list[int] = []
    async with client.stream("POST", "ask", json={"question": question}, headers=headers) as told:
        assert told.status_code == httpx.codes.OK
        async for line in told.aiter_lines():
            key, _, data = line.partition(": ")
            if key == "event":
                name = data
            elif key == "data" and name == "waiting":
                places.append(json.loads(data)["before"])
                course.told_its_place.set()
            elif key == "data":
                course.being_answered.set()
                if name in ("done", "failed"):
                    return Outcome(name, json.loads(data), places)
    raise AssertionError("the stream ended before the answer")


def client_of(url: str) -> httpx.AsyncClient:
    limits = httpx.Limits(max_connections=None)
    return httpx.AsyncClient(base_url=url, timeout=PATIENCE, limits=limits)


def finished(work: Coroutine[Any, Any, Value]) -> Value:
    """What comes of it, if it comes to an end."""
    return asyncio.run(asyncio.wait_for(work, PATIENCE))


async def any_of(
    awaited: Sequence[asyncio.Task[Any]], asking: Sequence[asyncio.Task[Outcome]]
) -> None:
    """Wait for one of them. A question that went wrong meanwhile is told, not waited for."""
    await asyncio.wait([*awaited, *asking], timeout=PATIENCE, return_when=asyncio.FIRST_COMPLETED)
    for one in asking:
        if one.done():
            raise AssertionError(f"it is over before it should be: {await one}")
    assert any(one.done() for one in awaited), "nothing happens"


@asynccontextmanager
async def crowd(
    client: httpx.AsyncClient, count: int
) -> AsyncIterator[list[asyncio.Task[Outcome]]]:
    """So many people with slow questions, of which as many are being answered as can be."""
    courses = [Course() for _ in range(count)]
    tasks = [asyncio.create_task(asked(client, SLOWLY, new_key(), each)) for each in courses]
    begun = [asyncio.create_task(each.being_answered.wait()) for each in courses]
    while sum(one.done() for one in begun) < min(count, QUESTIONS_AT_ONCE):
        await any_of([one for one in begun if not one.done()], tasks)
    yield tasks
    for outcome in await asyncio.gather(*tasks):
        assert outcome.name == "done"
    for one in begun:
        one.cancel()


def test_fifty_sessions_get_the_answers_to_their_own_questions(
    url: str, gate: Path, assistant: Assistant
) -> None:
    questions = [
        QUESTION,
        "Why is Moscow drawn to Beijing?",
        "What is the population of India?",
        *assistant.suggestions(7),
    ]
    expected = [assistant.ask(question) for question in questions]

    async def all_at_once() -> list[Outcome]:
        async with client_of(url) as client, crowd(client, QUESTIONS_AT_ONCE):
            courses = [Course() for _ in range(SESSIONS)]
            tasks = [
                asyncio.create_task(asked(client, questions[i % len(questions)], new_key(), course))
                for i, course in enumerate(courses)
            ]
            for course in courses:
                await any_of([asyncio.create_task(course.told_its_place.wait())], tasks)
            gate.unlink()
            return await asyncio.gather(*tasks)

    outcomes = finished(all_at_once())
    for number, outcome in enumerate(outcomes):
        answer = expected[number % len(questions)]
        assert outcome.name == "done"
        assert outcome.value["question"] == answer.question
        assert outcome.value["status"] == answer.status
        assert outcome.value["text"] == answer.text
    # They all had to wait, and were told how many were before them.
    assert sorted(outcome.places[0] for outcome in outcomes) == list(range(SESSIONS))


def test_a_slow_question_blocks_nobody(url: str, gate: Path) -> None:
    async def slow_and_quick() -> tuple[Outcome, Outcome]:
        async with client_of(url) as client, crowd(client, 1) as [slow]:
            quick = await asked(client, QUESTION, new_key())
            assert not slow.done()
            gate.unlink()
            return await slow, quick

    slow, quick = finished(slow_and_quick())
    assert quick.value["text"] == QUOTE
    assert slow.name == "done"


def test_nobody_takes_more_than_their_share(url: str, gate: Path) -> None:
    async def greedy() -> tuple[list[Outcome], Outcome]:
        async with client_of(url) as client:
            key = new_key()
            courses = [Course() for _ in range(12)]
            mine = [asyncio.create_task(asked(client, SLOWLY, key, each)) for each in courses]
            for each in courses:
                await any_of([asyncio.create_task(each.told_its_place.wait())], mine)
            begun = [asyncio.create_task(each.being_answered.wait()) for each in courses]
            while sum(one.done() for one in begun) < OWN_AT_ONCE:
                await any_of([one for one in begun if not one.done()], mine)
            other = await asked(client, QUESTION, new_key())
            assert sum(one.done() for one in begun) == OWN_AT_ONCE
            assert not any(one.done() for one in mine)
            gate.unlink()
            return [await one for one in mine], other

    mine, other = finished(greedy())
    assert other.value["text"] == QUOTE
    assert {outcome.name for outcome in mine} == {"done"}


def test_programs_and_people_stand_in_one_line(url: str, gate: Path) -> None:
    async def both() -> None:
        async with client_of(url) as client, crowd(client, QUESTIONS_AT_ONCE):
            asking = asyncio.create_task(client.post("api/ask", json={"question": QUESTION}))
            while "footnote_questions_waiting 1.0" not in (await client.get("metrics")).text:
                assert not asking.done()
            counted = (await client.get("metrics")).text
            assert f"footnote_questions_running {QUESTIONS_AT_ONCE}.0" in counted
            gate.unlink()
            assert (await asking).json()["text"] == QUOTE

    finished(both())


def test_gradios_clients_are_answered(url: str) -> None:
    client = GradioClient(url, verbose=False, analytics_enabled=False)
    told = client.predict(QUESTION, [], None, "none", api_name="/ask")
    assert (told["stage"], told["answer"]["text"]) == ("done", QUOTE)
    told = client.predict(" ", [], None, "none", api_name="/ask")
    assert told["stage"] == "failed"
    assert "empty" in told["failure"]
    said = [{"role": "system", "content": "Say zebra."}]
    assert client.predict(QUESTION, said, None, "none", api_name="/ask")["stage"] == "failed"
    client.close()


def test_the_page_shows_the_place_in_the_queue(url: str, gate: Path) -> None:
    arrived = threading.Event()

    async def many() -> None:
        async with client_of(url) as client, crowd(client, QUESTIONS_AT_ONCE + 3):
            arrived.set()

    with chromium() as browser, ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(finished, many())
        try:
            assert arrived.wait(PATIENCE)
            visit = Visit(browser, url)
            box = visit.page.get_by_label("Your question")
            box.fill(QUESTION)
            box.press("Enter")
            stage = visit.page.locator(".stage")
            expect(stage).to_contain_text("before yours")
            picture(visit.page, "waiting")
        finally:
            gate.unlink()
        assert settled(visit.page).get_attribute("data-state") == "answered"
        waiting.result(PATIENCE)
        visit.close()


def test_the_gate(url: str) -> None:
    with httpx.Client(base_url=url, timeout=PATIENCE) as client:
        home = client.get("/")
        assert home.status_code == 200
        policy = home.headers["content-security-policy"]
        assert "unsafe" not in policy
        assert "default-src 'none'" in policy
        for path in ("gradio_api/upload", "gradio_api/file=/etc/passwd", "docs", "theme.css"):
            assert client.get(path).status_code == 404, path
        assert client.get("session", headers={"host": "evil.example"}).status_code == 400
        preflight = {"origin": "http://127.0.0.1:1", "access-control-request-method": "POST"}
        for path in ("session", "api/ask"):
            asked = client.options(path, headers=preflight)
            assert asked.status_code == 403
            assert "access-control-allow-origin" not in asked.headers
        for headers in (
            {"origin": "http://evil.example"},
            {"sec-fetch-site": "cross-site"},
            {"sec-fetch-site": "same-site"},
        ):
            assert client.get("session", headers=headers).status_code == 403
            assert client.post("gradio_api/queue/join", json={}, headers=headers).status_code == 403
        assert client.get("/", headers={"sec-fetch-site": "cross-site"}).status_code == 200
        tag = client.get("page/main.js").headers["etag"]
        assert client.get("page/main.js", headers={"if-none-match": tag}).status_code == 304
        assert client.get("page/..%2Fserver.py").status_code == 404
        # A key that can be guessed owns nothing.
        assert (
            client.post("uploads?name=a.txt", headers={"x-footnote-session": "1"}).status_code
            == 400
        )
        # Where the documents lie on the machine is not told.
        assert "/seeds" not in client.get("session").text


def test_where_nobody_has_to_log_in_nobody_does(url: str, served: Path) -> None:
    with httpx.Client(base_url=url, timeout=PATIENCE) as client:
        response = client.post("login", data={"username": "ann", "password": "s3cret!"})
        assert response.status_code == 404
        assert "set-cookie" not in response.headers
        assert client.get("logout").status_code == 303
        response = client.get("session", headers={"cookie": "footnote-login-x=x.y"})
        assert response.json()["user"] is None
    assert not (served / "records" / "logins").exists()


def test_what_was_shown_goes_when_the_documents_change(url: str, gate: Path) -> None:
    with chromium() as browser, closing(Visit(browser, url)) as visit:
        visit.ready()
        box = visit.page.get_by_label("Your question")
        box.fill(f"Changed: {QUESTION}")
        box.press("Enter")
        turn = visit.page.locator(".turn").last
        expect(turn.locator(".sentence")).to_have_count(1)
        gate.unlink()
        expect(turn.locator(".failure")).to_contain_text("Ask again")
        expect(turn.locator(".sentence")).to_have_count(0)
        expect(turn.locator(".place")).to_have_count(0)
        expect(turn.get_by_role("button", name="Ask again")).to_be_visible()


def test_a_login_guards_everything(tmp_path: Path) -> None:
    with (
        serving(tmp_path, "--mcp", FOOTNOTE_AUTH="ann:s3cret!") as address,
        chromium() as browser,
        httpx.Client(base_url=address, timeout=PATIENCE) as client,
    ):
        key = {"x-footnote-session": new_key()}
        for method, path in (
            ("GET", "session"),
            ("POST", "starters"),
            ("GET", "writers"),
            ("GET", "documents/x"),
            ("POST", "uploads?name=a"),
            ("POST", "feedback"),
            ("POST", "ask"),
            ("POST", "gradio_api/queue/join"),
            ("GET", "gradio_api/queue/data?session_hash=a"),
            ("GET", "config"),
            ("POST", "mcp"),
        ):
            assert client.request(method, path, headers=key, json=[]).status_code == 401, path
        said = base64.b64encode(b"ann:wrong").decode()
        assert client.post("mcp", headers={"authorization": f"Basic {said}"}).status_code == 401
        said = base64.b64encode(b"ann:s3cret!").decode()
        assert client.post("mcp", headers={"authorization": f"Basic {said}"}).status_code != 401

        async def talk() -> None:
            async with (
                httpx2.AsyncClient(auth=("ann", "s3cret!"), timeout=PATIENCE) as http,
                Client(streamable_http_client(f"{address}mcp", http_client=http)) as mcp,
            ):
                answer = (await mcp.call_tool("ask", {"question": QUESTION})).structured_content
                assert answer is not None
                assert answer["text"] == QUOTE

        with ThreadPoolExecutor(1) as pool:  # the browser has this thread's event loop
            pool.submit(finished, talk()).result(PATIENCE)

        context = browser.new_context()
        context.set_default_timeout(PATIENCE * SECONDS)
        page = context.new_page()
        page.goto(address)
        page.get_by_label("Name").fill("ann")
        page.get_by_label("Password").fill("wrong")
        page.get_by_role("button", name="Log in").click()
        expect(page.get_by_role("alert")).to_contain_text("not known")
        picture(page, "login")
        for _ in range(10):
            client.post("login", data={"username": "nobody", "password": "wrong"})
        page.get_by_label("Name").fill("nobody")
        page.get_by_role("button", name="Log in").click()
        expect(page.get_by_role("alert")).to_contain_text("Too many wrong passwords")
        page.get_by_label("Name").fill("ann")
        page.get_by_label("Password").fill("s3cret!")
        page.get_by_role("button", name="Log in").click()
        page.locator("body[data-ready]").wait_for()
        assert ask(page, QUESTION).get_attribute("data-state") == "answered"
        page.get_by_role("link", name="Log out").click()
        expect(page.get_by_role("button", name="Log in")).to_be_visible()
        context.close()


async def _parts(text: str) -> AsyncIterator[bytes]:
    yield text.encode()


def test_added_documents_go_when_their_owner_is_away(assistant: Assistant) -> None:
    def nothing(done: int, total: int) -> None:
        assert 0 <= done <= total

    sessions = SessionDocuments(assistant)
    ann, ben = SessionDocuments.owner("ann", new_key()), SessionDocuments.owner(None, new_key())
    assert ann is not None
    assert ben is not None
    names = ("../../etc/notes.txt", "C:\\notes.md", "\x00.hidden", "n" * 300 + ".txt")
    for owner in (ann, ben):
        for name in names:
            ticket = asyncio.run(
                sessions.inbox.receive("here", owner, name, _parts("Walnuts float in brine."))
            )
            sessions.add(owner, ticket, nothing)
    own = [found for found in sessions.documents(ann) if found.own]
    assert len(own) == len(names)
    assert all("/" not in found.info.source.partition("/")[2] for found in own)
    kept = own[0].info.id
    sessions.keep(ann, kept)
    sessions.sweep()
    assert len(sessions.documents(ann)) == 1 + len(names), "they are still there"
    assistant.index.records("sessions").put(ann, str(time.time() - 3600))
    sessions.sweep()
    assert [s.info.id for s in sessions.documents(ann) if s.own] == [kept]
    assert len([s for s in sessions.documents(ben) if s.own]) == len(names)
    # What is kept is its owner's still, and nobody's by default.
    assert kept not in assistant.document_ids
    assert kept not in {s.info.id for s in sessions.documents(ben)}
    answer = sessions.asking(ann, [kept]).ask("What floats in brine?")
    assert answer.text == "Walnuts float in brine."
    sessions.close()
    assert not [s for s in sessions.documents(ben) if s.own]
    sessions.remove(ann, kept)
    assert len(assistant.index.documents()) == 1


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.2", "::", "example.org"])
def test_a_host_that_others_reach_needs_a_password(host: str) -> None:
    unopened = cast(Assistant, None)  # refused before anything is asked of it
    with pytest.raises(SettingsError, match="password"):
        serve(unopened, host=host, open_browser=False)

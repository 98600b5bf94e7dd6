"""The page's server: many people at once, what it refuses, the files and pages that it gives, the
words that it finds."""

from __future__ import annotations

import json
import re
import secrets
import signal
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import httpx
import pypdfium2
import pytest
from browsing import (
    QUESTION,
    QUOTE,
    Visit,
    chromium,
    print_pdf,
    send,
    settled,
)
from chroma_servers import until
from gradio_client import Client as GradioClient
from helpers import PATIENCE, CheapEncoder
from PIL import Image
from playwright.sync_api import expect
from prepared import running

from assistant import Assistant
from assistant.settings import Settings
from assistant.web.app import serve
from assistant.web.rendering import SIDE, PageRenderer
from assistant.web.routes import OWN_AT_ONCE
from assistant.workspace.finding import SNIPPET, Finding
from assistant.workspace.library import Library
from index import Index
from index.errors import QuestionError, SettingsError, UnreadableError
from index.readers.loader import read_raw

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
from assistant.events import SentenceReady
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
    with running([sys.executable, "-c", _SERVER, served], served / "log.txt", signal.SIGINT) as (
        address,
        _,
    ):
        yield address


class Asked(threading.Thread):
    """A question that is asked over HTTP, as the page asks it, in the name of a key of its own.

    Attributes:
        places: how many were before it in line, as it was told.
        waits, begun: are set when it is told its place, and when it is being answered.
    """

    def __init__(self, url: str, question: str, key: str | None = None) -> None:
        super().__init__()
        self.url, self.question, self.key = url, question, key or secrets.token_hex(16)
        self.places: list[int] = []
        self.waits, self.begun = threading.Event(), threading.Event()
        self.last = ("nothing", dict[str, Any]())
        self.start()

    def run(self) -> None:
        sent = {"json": {"question": self.question}, "headers": {"x-footnote-session": self.key}}
        name = ""
        with httpx.stream("POST", f"{self.url}ask", timeout=PATIENCE, **sent) as told:  # type: ignore[arg-type]
            for line in told.iter_lines():
                kind, _, data = line.partition(": ")
                if kind == "event":
                    name = data
                elif kind == "data":
                    self.last = name, json.loads(data)
                    (self.waits if name == "waiting" else self.begun).set()
                    if name == "waiting":
                        self.places.append(self.last[1]["before"])

    def answer(self) -> dict[str, Any]:
        """The answer, when it is there."""
        self.join(PATIENCE)
        assert self.last[0] == "done", self.last
        return self.last[1]


def crowd(url: str, count: int) -> list[Asked]:
    """So many people with slow questions, of which as many are being answered as can be."""
    people = [Asked(url, SLOWLY) for _ in range(count)]
    until(lambda: sum(one.begun.is_set() for one in people) == min(count, QUESTIONS_AT_ONCE))
    return people


def test_fifty_sessions_get_the_answers_to_their_own_questions(
    url: str, gate: Path, assistant: Assistant
) -> None:
    questions = [
        QUESTION,
        "Why is Moscow drawn to Beijing?",
        "What is the population of India?",
        *(suggestion.question for suggestion in assistant.suggestions()[:7]),
    ]
    expected = [assistant.ask(question) for question in questions]
    slow = crowd(url, QUESTIONS_AT_ONCE)
    asked = [Asked(url, questions[number % len(questions)]) for number in range(SESSIONS)]
    assert all(one.waits.wait(PATIENCE) for one in asked)
    gate.unlink()
    for number, one in enumerate(asked):
        answer, told = expected[number % len(questions)], one.answer()
        assert told["question"] == answer.question
        assert (told["status"], told["text"]) == (answer.status, answer.text)
    # They all had to wait, and were told how many were before them.
    assert sorted(one.places[0] for one in asked) == list(range(1, SESSIONS + 1))
    assert all(one.answer() for one in slow)


def test_nobody_takes_more_than_their_share_and_programs_stand_in_the_same_line(
    url: str, gate: Path
) -> None:
    key = secrets.token_hex(16)
    mine = [Asked(url, SLOWLY, key) for _ in range(12)]
    assert all(one.waits.wait(PATIENCE) for one in mine)
    until(lambda: sum(one.begun.is_set() for one in mine) >= OWN_AT_ONCE)
    assert Asked(url, QUESTION).answer()["text"] == QUOTE
    assert sum(one.begun.is_set() for one in mine) == OWN_AT_ONCE
    assert all(one.is_alive() for one in mine)
    gate.unlink()
    assert all(one.answer() for one in mine)

    gate.touch()
    with httpx.Client(base_url=url, timeout=PATIENCE) as client, ThreadPoolExecutor(1) as pool:
        slow = crowd(url, QUESTIONS_AT_ONCE)
        asking = pool.submit(client.post, "api/ask", json={"question": QUESTION})
        until(lambda: "footnote_questions_waiting 1.0" in client.get("metrics").text)
        gate.unlink()
        assert asking.result(PATIENCE).json()["text"] == QUOTE
        assert all(one.answer() for one in slow)


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


def test_the_gate(url: str) -> None:
    with httpx.Client(base_url=url, timeout=PATIENCE) as client:
        home = client.get("/")
        assert home.status_code == 200
        policy = home.headers["content-security-policy"]
        assert "unsafe" not in policy
        assert "default-src 'none'" in policy and "require-trusted-types-for 'script'" in policy
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
        for nothing in ("", " \n", "x" * 201):
            assert client.get("find", params={"text": nothing}).status_code == 422
        # Where the documents lie on the machine is not told.
        assert "/seeds" not in client.get("session").text


def test_the_original_of_what_was_added_is_given_while_it_is_there(url: str) -> None:
    path = "uploads?name=page.html"
    content = b"<!doctype html><html><body><p>Walnuts float.</p></body></html>"
    with httpx.Client(base_url=url, timeout=PATIENCE) as client:
        assert "event: done" in client.post(path, content=content).text
        [own] = [d for d in client.get("session").json()["documents"] if d["own"]]
        found = client.get(f"documents/{own['id']}/original")
        assert found.content == content
        assert found.headers["content-disposition"] == 'attachment; filename="page.html"'
        assert found.headers["x-content-type-options"] == "nosniff"
        picture = client.get(f"documents/{own['id']}/pages/1?width=800")
        assert picture.status_code == 404, "it has no pages"
        assert client.delete(f"documents/{own['id']}").status_code == 200
        assert client.get(f"documents/{own['id']}/original").status_code == 404


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.2", "::", "example.org"])
def test_a_host_that_others_reach_needs_a_password(host: str) -> None:
    unopened = cast(Assistant, None)  # refused before anything is asked of it
    with pytest.raises(SettingsError, match="password"):
        serve(unopened, host=host, open_browser=False)


def test_the_page_shows_the_place_in_the_queue_and_takes_back_what_changed(
    url: str, gate: Path
) -> None:
    with chromium() as browser, closing(Visit(browser, url)) as visit:
        send(visit.page, f"Changed: {QUESTION}")
        turn = visit.page.locator(".turn").last
        expect(turn.locator(".sentence")).to_have_count(1)
        gate.unlink()
        expect(turn.locator(".failure")).to_contain_text("Ask again")
        expect(turn.locator(".sentence, .place")).to_have_count(0)
        expect(turn.get_by_role("button", name="Ask again")).to_be_visible()

        gate.touch()
        slow = crowd(url, QUESTIONS_AT_ONCE + 3)
        send(visit.page, QUESTION)
        expect(visit.page.locator(".stage").last).to_contain_text("before yours")
        gate.unlink()
        assert settled(visit.page).get_attribute("data-state") == "answered"
    assert all(one.answer() for one in slow)


def test_only_pages_that_there_are_are_drawn(tmp_path: Path) -> None:
    file = tmp_path / "two.pdf"
    with chromium() as browser:
        print_pdf(browser, "<p>one</p><p style='break-before: page'>two</p>", file)
    renderer = PageRenderer()
    try:
        assert Image.open(BytesIO(renderer.draw(file, 2, 700))).width == 800
        for page in (0, -1, 3):
            with pytest.raises(UnreadableError, match=f"Page {page} cannot be drawn"):
                renderer.draw(file, page, 700)
        assert renderer.draw(file, 1, 700) != renderer.draw(file, 2, 700)
        # A page that is far higher than wide takes no more than another.
        tall = pypdfium2.PdfDocument.new()
        tall.new_page(10, 14_400)
        tall.save(tmp_path / "tall.pdf")
        assert Image.open(BytesIO(renderer.draw(tmp_path / "tall.pdf", 1, 700))).height <= SIDE
    finally:
        renderer.close()


def test_a_page_that_cannot_be_drawn_is_tried_once_until_its_file_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, tried = tmp_path / "a.pdf", list[str]()
    file.write_bytes(b"%PDF-1.7 broken")
    with closing(PageRenderer()) as renderer:
        run = renderer._process.run

        def counted(*given: Any) -> bytes:
            tried.append(given[0])
            return run(*given)

        monkeypatch.setattr(renderer._process, "run", counted)
        for _ in range(3):
            with pytest.raises(UnreadableError, match="Page 1 cannot be drawn"):
                renderer.draw(file, 1, 400)
        assert len(tried) == 1
        whole = pypdfium2.PdfDocument.new()
        whole.new_page(100, 100)
        whole.save(file)
        assert Image.open(BytesIO(renderer.draw(file, 1, 400))).width == 400


def test_what_is_found_is_counted_and_shown_where_it_is(tmp_path: Path) -> None:
    before, after = "left of it " * 20, "right of it " * 20
    sections = [f"## Part {n}\n\nOnly  tide\ntables {n}.\n\nMore." for n in range(1, 5)]
    texts = {
        "long.txt": f"{before}the Tide TABLES {after}",
        "parts.md": "\n\n".join(["# Parts", *sections]),
        "unspaced.txt": f"{'潮' * 150}tide tables{'汐' * 150}",
        # Letters that are lengthened, or written otherwise, where the case is another one.
        "letters.txt": f"{'İ' * 30} ΟΔΟΣ, 5 \u00b5m, \u017ftill.",
        "nuts.txt": "Walnuts  float\nin brine. WALNUTS float. A walnut sinks.",
        "oak.txt": "Oaks outlive a walnut.",
    }
    for name, text in texts.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    index = Index(tmp_path / "index", encoder=CheapEncoder())
    index.sync([read_raw(tmp_path / name) for name in texts])
    documents = [SimpleNamespace(info=info) for info in index.documents()]
    read: list[str] = []

    class Counted:
        def document(self, identity: str) -> Any:
            read.append(identity)
            return index.document(identity)

    library = cast(Library, SimpleNamespace(index=Counted(), documents_in=lambda *_: documents))
    # What was read is remembered as long as it is not too much.
    for remembered, times in ((100_000, len(texts)), (10, 2 * len(texts))):
        read.clear()
        finding = Finding(library, remembered)
        for _ in range(2):
            # Those first that have the words most often.
            counts = [one.hits for one in finding.find("ann", "walnut").documents]
            assert counts == [3, 1]
        assert len(read) == times
    for nothing in ("", " \n", "x" * 201):
        with pytest.raises(QuestionError):
            finding.find("ann", nothing)

    def found(words: str) -> dict[str, list[tuple[int, str, str]]]:
        """By title, the number of each paragraph, its text, and what of it was found."""
        return {
            one.title: [(at.paragraph, at.text, at.text[at.start : at.end]) for at in one.places]
            for one in finding.find("ann", words).documents
        }

    told = found(" tide\ttables ")
    [(number, text, words)] = told["long.txt"]
    assert (number, words) == (1, "Tide TABLES")
    # As much of the line as there is room for, at whose edges no word is cut.
    assert text.startswith("… ") and text.endswith(" …")
    assert SNIPPET - 15 < len(text) <= SNIPPET + 4
    around = texts["long.txt"].partition(text[2:-2])
    assert around[0].endswith(" ") and around[2].startswith(" ")
    # The first three paragraphs that have them, each as far as its line goes.
    assert told["Parts"] == [
        (2 * n - 1, f"Only tide tables {n}.", "tide tables") for n in (1, 2, 3)
    ]
    [(_, text, words)] = told["unspaced.txt"]
    assert re.fullmatch("… 潮{50,}tide tables汐{50,} …", text)
    assert words == "tide tables"
    # A heading is of the paragraph below it.
    assert found("part 4") == {"Parts": [(7, "Part 4", "Part 4")]}
    same = {"οδος": "ΟΔΟΣ", "5 \u03bcm": "5 \u00b5m", "STILL": "\u017ftill", "İİ": "İİ"}
    for words, there in same.items():
        [(_, _, words_there)] = found(words)["letters.txt"]
        assert words_there == there
    assert found("i\u0307") == found("w.lnut") == {}
    index.close()

"""Many people who ask through a balancer while others write, and what is known of the answers."""

from __future__ import annotations

import json
import random
import re
import secrets
import shutil
import threading
import time
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

import httpx
from chroma_servers import until
from helpers import PATIENCE, SEEDS, run_footnote
from replicas import Machines, Replica

from index import Document, read_document

SEED = next(iter(sorted(SEEDS.glob("*.txt"))))


@dataclass(frozen=True)
class Report:
    """A document of which there are ever new editions; each sentence has the edition's number.

    Attributes:
        name: of its file.
        question: what is asked of it.
        fact: the sentence that answers, without the number.
        filling: another sentence, of which there are many.
    """

    name: str
    question: str
    fact: str
    filling: str
    paragraphs: int = 30

    def text(self, edition: int) -> str:
        """One edition."""
        filling = (self.filling.format(n, edition) for n in range(1, self.paragraphs))
        return "\n\n".join([self.fact.format(edition), *filling])

    def edition_of(self, quotes: Sequence[Mapping[str, Any]]) -> int | None:
        """The edition that all of these citations are from; None if there is none such."""
        [first, *_] = quotes
        found = re.findall(r"\b[1-9]\d{3}\b", first["quote"])
        edition = int(found[0]) if found else 0
        text = self.text(edition)
        right = all(text[quote["start"] : quote["end"]] == quote["quote"] for quote in quotes)
        return edition if right else None


FERRIES = Report(
    "ferries.txt",
    "How many passengers did the ferry to Alba carry in its best week?",
    "The ferry to Alba carried {} passengers in its best week.",
    "Pier {} of the harbour was painted for {} crowns in spring.",
)
MILLS = Report(
    "mills.txt",
    "How many sacks of rye did the mill at Corvo grind in its best month?",
    "The mill at Corvo ground {} sacks of rye in its best month.",
    "Millstone {} was dressed for {} ducats before the harvest.",
)
REPORTS = {report.name: report for report in (FERRIES, MILLS)}
FIRST = 1001
"""The first edition."""
SURE = ("--answer-from", "0.3")
"""With which what is known is answered, not only shown, whatever the confidence is fitted to."""


class Crowd:
    """Many people who ask, one question after the other. May be used from many threads.

    Attributes:
        answers: how many they had.
    """

    def __init__(self) -> None:
        self.answers = 0
        self._editions: dict[tuple[str, str], int] = {}
        self._guard = threading.Lock()

    def ask(self, client: httpx.Client, chance: random.Random) -> None:
        """Ask once; the answer quotes one edition, which is that of its revision for all."""
        report = chance.choice((FERRIES, MILLS))
        answer = ask(client, report.question)
        edition = report.edition_of(answer["citations"])
        assert edition is not None, answer
        assert answer["citations"][0]["quote"] == report.fact.format(edition), answer
        with self._guard:
            self.answers += 1
            of_all = self._editions.setdefault((answer["revision"], report.name), edition)
        assert of_all == edition, "an answer of the same revision is of another edition"


def ask(client: httpx.Client, question: str, **more: Any) -> dict[str, Any]:
    """An answer of the API.

    Raises:
        AssertionError: it gave none.
    """
    response = client.post("/api/ask", json={"question": question, **more})
    assert response.status_code == 200, f"{response.status_code} {response.text}"
    answer: dict[str, Any] = response.json()
    return answer


def ask_page(
    client: httpx.Client, question: str, documents: Sequence[str] | None = None
) -> dict[str, Any]:
    """An answer as the page gets it. The client has a browser's key.

    Raises:
        AssertionError: it gave none.
    """
    asked = {"question": question, "documents": documents}
    name, value = last_event(client, "/ask", json=asked)
    assert name == "done", value
    return value


def last_event(client: httpx.Client, path: str, **sent: Any) -> tuple[str, dict[str, Any]]:
    """The last event of what is sent to the page's server: its name, and what it tells."""
    with client.stream("POST", path, **sent) as response:
        if response.status_code != httpx.codes.OK:
            response.read()
            return "failed", response.json()
        lines = list(response.iter_lines())
    name, data = [line.partition(": ")[2] for line in lines if line][-2:]
    return name, json.loads(data)


def browser_of(url: str) -> httpx.Client:
    """A client that has a key as a browser has."""
    return httpx.Client(
        base_url=url, timeout=PATIENCE, headers={"x-footnote-session": secrets.token_hex(16)}
    )


@contextmanager
def repeating(*works: Callable[[], object]) -> Iterator[list[int]]:
    """Do things again and again, each in a thread of its own, as long as the `with` lasts; gives
    how often each was done."""
    over, done = threading.Event(), [0] * len(works)

    def repeat(number: int) -> None:
        while not over.is_set():
            works[number]()
            done[number] += 1

    with ThreadPoolExecutor(len(works)) as pool:
        running = [pool.submit(repeat, number) for number in range(len(works))]
        try:
            yield done
        finally:
            over.set()
        for one in running:
            one.result(PATIENCE)


@contextmanager
def people(url: str, count: int) -> Iterator[Crowd]:
    """So many people ask as long as the `with` lasts."""
    crowd = Crowd()
    with ExitStack() as clients:
        works = [
            partial(crowd.ask, clients.enter_context(browser_of(url)), random.Random(number))
            for number in range(count)
        ]
        with repeating(*works):
            yield crowd


def add_shipped(there: Machines) -> None:
    """Put the shipped document into the index, to stay: from elsewhere, as the sample itself is
    listed only until somebody adds another."""
    folder = there.folder / "shipped"
    folder.mkdir()
    own = shutil.copy(SEED, folder)
    run_footnote("index", "add", own, "--index-dir", there.folder / "own", **there.environment)


class Command:
    """A writer: `footnote index add`, of ever new editions of a report."""

    def __init__(self, there: Machines) -> None:
        self._environment = there.environment
        self._file = there.folder / FERRIES.name
        self._own = there.folder / "own"
        self.edition = FIRST - 1

    def write(self) -> None:
        """Index the next edition."""
        self.edition += 1
        self._file.write_text(FERRIES.text(self.edition))
        run_footnote("index", "add", self._file, "--index-dir", self._own, **self._environment)


class Uploader:
    """A writer: through the API, of ever new editions of a report."""

    def __init__(self, url: str) -> None:
        self._client = httpx.Client(base_url=url, timeout=PATIENCE)
        self.identity: str | None = None
        self.edition = FIRST - 1

    def write(self) -> None:
        """Index the next edition."""
        self.edition += 1
        files = {"file": (MILLS.name, MILLS.text(self.edition).encode())}
        if self.identity is None:
            response = self._client.post("/api/documents", files=files)
        else:
            response = self._client.put(f"/api/documents/{self.identity}", files=files)
        assert response.status_code in (200, 201), response.text
        self.identity = response.json()["id"]

    def close(self) -> None:
        """Let go of the connections."""
        self._client.close()


def _texts(replica: Replica, names: Container[str]) -> dict[str, str]:
    with httpx.Client(base_url=replica.url, timeout=PATIENCE) as client:
        listed = client.get("/api/documents").json()["documents"]
        return {
            one["name"]: client.get(f"/api/documents/{one['id']}/content").text
            for one in listed
            if one["name"] in names
        }


def course(there: Machines, *, count: int, seconds: float) -> None:
    """Many ask while two write, and while a replica is killed.

    Args:
        there: with the shipped document in their index.
        count: people who ask.
        seconds: for which they ask while two write.
    """
    command, (first, *others) = Command(there), there.replicas
    with closing(Uploader(there.url)) as uploader:
        command.write()
        uploader.write()
        _whole(there, command, uploader)
        with people(there.url, count) as crowd, repeating(command.write, uploader.write) as done:
            time.sleep(seconds)
            until(lambda: crowd.answers >= count and all(done))
        _whole(there, command, uploader)
        with people(there.url, count) as crowd:
            until(lambda: crowd.answers >= count)
            first.kill()
            enough = crowd.answers + 2 * count
            until(lambda: crowd.answers >= enough)
        assert all(other.is_ready for other in others)
        first.start()
        first.until_ready()
        _whole(there, command, uploader)


def _whole(there: Machines, command: Command, uploader: Uploader) -> None:
    """After one more change all agree, and each has the last editions whole and once."""
    uploader.write()
    shown = {
        report.name: report.text(writer.edition)
        for report, writer in ((FERRIES, command), (MILLS, uploader))
    }
    until(
        lambda: (
            all(_texts(replica, shown).items() >= shown.items() for replica in there.replicas)
            and len({replica.revision for replica in there.replicas}) == 1
        )
    )
    wanted = [(report.name, report.paragraphs) for report in REPORTS.values()]
    wanted.append((SEED.name, len(_seed().paragraphs)))
    for replica in there.replicas:
        with httpx.Client(base_url=replica.url, timeout=PATIENCE) as client:
            listed = client.get("/api/documents").json()["documents"]
            counts = sorted((one["name"], one["paragraphs"]) for one in listed)
            assert counts == sorted(wanted), counts
            for report, edition in ((FERRIES, command.edition), (MILLS, uploader.edition)):
                answer = ask(client, report.question)
                assert answer["citations"][0]["quote"] == report.fact.format(edition), answer
            found = client.post("/api/search", json={"query": "Pier of the harbour", "count": 100})
            places = [(hit["document_id"], hit["number"]) for hit in found.json()["hits"]]
            assert len(places) == len(set(places))


@cache
def _seed() -> Document:
    return read_document(SEED)

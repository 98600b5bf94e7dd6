"""Killed, stopped and concurrent processes on a real Chroma server."""

from __future__ import annotations

import random
import signal
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from chroma_servers import QUICK, ChromaServer, until
from helpers import PATIENCE, CheapEncoder, Process, write_paragraphs

from index import Document, Index
from index.chunking.loader import read_document
from index.errors import IndexChangedError, IndexUnavailableError
from index.store.following import ServedSession
from index.store.protocol import Roster, Timing
from index.store.server import ServerAddress

# Arguments: folder, address, files. Says where it is and goes on when it is told, as the worker of
# `test_processes`: before each chunk is stored, before manifests are put and after they are.
WORKER = """
import sys
from pathlib import Path
from chroma_servers import QUICK
from helpers import PATIENCE, CheapEncoder
from index.chunking.loader import read_document
from index.index import Index
from index.store.server import ServerAddress
from index.store.served import ServedGeneration

def step(*told):
    print(*told, flush=True)
    sys.stdin.readline()

class Told(ServedGeneration):
    def add(self, paragraphs, vectors):
        step("adding", len(paragraphs))
        super().add(paragraphs, vectors)

    def put_manifests(self, manifests):
        step("putting", len(manifests))
        super().put_manifests(manifests)
        step("put", len(manifests))

import index.store.served
index.store.served.ServedGeneration = Told
folder, url, *files = sys.argv[1:]
step("ready")
index = Index(
    Path(folder), encoder=CheapEncoder(dimension=32), wait=PATIENCE,
    chroma=ServerAddress(url), timing=QUICK,
)
report = index.sync([read_document(file) for file in files], keep=True)
print("done", report.embedded, flush=True)
index.close()
"""

# Raises a flag, as if to sweep, and lives until it is killed.
SWEEPER = """
import sys, time
from chroma_servers import QUICK
from index.store.server import Server, ServerAddress
from index.store.protocol import Roster

roster = Roster(Server(ServerAddress(sys.argv[1]), 0), QUICK, 0)
with roster.flagged("sweep"):
    print("flagged", flush=True)
    sys.stdin.readline()
"""


def opened(folder: Path, address: ServerAddress, timing: Timing = QUICK) -> Index:
    return Index(
        folder,
        encoder=CheapEncoder(dimension=32),
        wait=PATIENCE,
        chroma=address,
        timing=timing,
    )


def roster_of(index: Index) -> Roster:
    assert isinstance(index._session, ServedSession)
    return index._session.roster


def check(index: Index, documents: Sequence[Document]) -> None:
    """The index holds these documents, each whole, and of each paragraph one copy."""
    assert {info.id for info in index.documents()} == {own.id for own in documents}
    for document in documents:
        assert index.document(document.id) == document
        index.vectors([p.id for p in document.paragraphs])
    assert isinstance(index._session, ServedSession)
    stored = index._session.current().stored()
    named = {p.id for document in documents for p in document.paragraphs}
    assert named <= stored.keys()
    for document in documents:
        for paragraph in document.paragraphs:
            assert len(stored[paragraph.id]) == len(paragraph.sentences)


@pytest.fixture
def versions(tmp_path: Path) -> Iterator[list[list[Document]]]:
    """Three versions of three documents, the last one in the files."""
    yield [
        [
            write_paragraphs(tmp_path / f"{name}.txt", 70, seed=10 * version + name)
            for name in range(3)
        ]
        for version in (1, 2, 3)
    ]


class Reader:
    """Reads all the time, as one machine of many, and notes what it should not have seen."""

    def __init__(self, index: Index, versions: Sequence[Sequence[Document]]) -> None:
        self._index = index
        self._known = {(d.id, d.hash): d for version in versions for d in version}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._read)
        self.wrong: list[str] = []
        self.read = 0
        self.unavailable = 0
        self._thread.start()

    def _read(self) -> None:
        while not self._stop.is_set():
            try:
                view = self._index.view()
                for info in view.documents():
                    document = view.document(info.id)
                    if self._known.get((info.id, info.hash)) != document:
                        self.wrong.append(f"{info} is no version")
                    paragraph = document.paragraphs[self.read % len(document.paragraphs)]
                    hit = view.search(paragraph.text, 1, documents=[info.id], legs=("terms",)).hits[
                        0
                    ]
                    if hit.paragraph != paragraph:
                        self.wrong.append(f"{paragraph} is not found")
                self.read += 1
            except IndexChangedError:
                continue  # on a machine so busy that this took too long: ask again
            except IndexUnavailableError:
                self.unavailable += 1
            except BaseException as error:
                self.wrong.append(repr(error))
                raise

    def end(self) -> None:
        self._stop.set()
        self._thread.join()
        assert not self.wrong, self.wrong[:3]


def kill_often(
    tmp_path: Path, address: ServerAddress, versions: list[list[Document]], kills: int, seed: int
) -> None:
    """Kill writers, each time at another step, while others read; nothing is lost."""
    generator = random.Random(seed)
    first = opened(tmp_path / "reader", address)
    first.sync(versions[0])
    reader = Reader(first, versions)
    files = [document.source for document in versions[-1]]
    for kill in range(kills):
        worker = Process(WORKER, tmp_path / "writer", address.url, *files)
        assert worker.told() == "ready"
        for _ in range(generator.randint(1, 2 + kill)):
            worker.go_on()
            last = worker.told()
            if last.startswith(("done", "")) and not last.startswith(("adding", "put")):
                break
        worker.go_on()
        if generator.random() < 0.5:
            threading.Event().wait(generator.uniform(0, 0.1))
        worker.kill()
        print(f"kill {kill + 1} after {last!r}", flush=True)
    writer = Process(WORKER, tmp_path / "writer", address.url, *files)
    assert writer.finish()[-1].startswith("done")
    until(lambda: {i.hash for i in first.documents()} == {d.hash for d in versions[-1]})
    reader.end()
    assert reader.read
    check(first, versions[-1])
    other = opened(tmp_path / "other", address)
    assert other.revision == first.revision
    # The dead are forgotten, and what they left behind is swept.
    until(lambda: not roster_of(first).look().active("writer"))
    first.sweep()
    assert isinstance(first._session, ServedSession)
    named = {p.id for document in versions[-1] for p in document.paragraphs}
    assert first._session.current().stored().keys() == named
    check(other, versions[-1])
    first.close()
    other.close()


def test_killed_writers_lose_nothing(
    tmp_path: Path, chroma: ServerAddress, versions: list[list[Document]]
) -> None:
    kill_often(tmp_path, chroma, versions, kills=2, seed=1)


@pytest.mark.long
def test_writers_killed_at_many_points_lose_nothing(
    tmp_path: Path, chroma: ServerAddress, versions: list[list[Document]]
) -> None:
    kill_often(tmp_path, chroma, versions, kills=20, seed=2)


def test_a_killed_sweeper_holds_up_a_writer_for_a_lease(
    tmp_path: Path, chroma: ServerAddress, small: Document
) -> None:
    index = opened(tmp_path / "index", chroma)
    sweeper = Process(SWEEPER, chroma.url)
    assert sweeper.told() == "flagged"
    until(lambda: bool(roster_of(index).look().active("sweep")))
    sweeper.kill()
    index.sync([small])  # waits until the flag is dead
    assert not roster_of(index).look().active("sweep")
    check(index, [small])
    index.close()


@pytest.mark.long
def test_a_writer_that_stalled_comes_in_anew(
    tmp_path: Path, chroma: ServerAddress, versions: list[list[Document]]
) -> None:
    index = opened(tmp_path / "index", chroma)
    index.sync(versions[0])
    worker = Process(WORKER, tmp_path / "writer", chroma.url, *[d.source for d in versions[-1]])
    while not worker.told().startswith("putting"):
        worker.go_on()
    worker.process.send_signal(signal.SIGSTOP)
    until(lambda: not roster_of(index).look().active("writer"))  # it is taken for dead
    # What it has added, and not yet named, is swept.
    assert index.sweep() > 0
    worker.process.send_signal(signal.SIGCONT)
    worker.finish()
    until(lambda: {i.hash for i in index.documents()} == {d.hash for d in versions[-1]})
    check(index, versions[-1])
    index.close()


def test_two_processes_write_at_once(
    tmp_path: Path, chroma: ServerAddress, versions: list[list[Document]]
) -> None:
    index = opened(tmp_path / "index", chroma)
    index.sync(versions[0])
    reader = Reader(index, versions)
    files = [document.source for document in versions[-1]]
    workers = [Process(WORKER, tmp_path / f"w{n}", chroma.url, *files) for n in range(2)]
    for worker in workers:
        worker.go_on(1000)
    for worker in workers:
        assert worker.finish()[-1].startswith("done")
    until(lambda: {i.hash for i in index.documents()} == {d.hash for d in versions[-1]})
    reader.end()
    check(index, versions[-1])
    index.close()


def test_chroma_is_started_again_under_load(
    tmp_path: Path, own_server: ChromaServer, versions: list[list[Document]]
) -> None:
    address = own_server.address()
    index = opened(tmp_path / "index", address)
    index.sync(versions[0])
    reader = Reader(index, versions)
    worker = Process(WORKER, tmp_path / "writer", address.url, *[d.source for d in versions[-1]])
    while not worker.told().startswith("adding"):
        worker.go_on()
    before = reader.read
    until(lambda: reader.read > before)
    own_server.kill()
    worker.go_on(1000)  # now it has nobody to write to
    until(lambda: reader.unavailable > 0)
    own_server.start()
    assert worker.finish()[-1].startswith("done")
    until(lambda: {i.hash for i in index.documents()} == {d.hash for d in versions[-1]})
    reader.end()
    check(index, versions[-1])
    assert read_document(versions[-1][0].source) == versions[-1][0]
    index.close()

"""Killed, stopped and concurrent processes on a real Chroma server."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest
from chroma_servers import QUICK, ChromaServer, Gate, Machine, until
from helpers import Process, check_whole, write_paragraphs
from index.store.following import ServedSession

from index import Document, Index
from index.errors import IndexChangedError, IndexUnavailableError
from index.store.chroma_server import ServerAddress

# Arguments: folder, address, salt of the encoder, files to index.
WORKER = """
import sys
from pathlib import Path
from chroma_servers import QUICK
from helpers import PATIENCE, CheapEncoder
from index.chunking.loader import read_document
from index.index import Index
from index.store.chroma_server import ServerAddress

folder, url, salt, *files = sys.argv[1:]
index = Index(
    Path(folder), encoder=CheapEncoder(salt, dimension=32), wait=PATIENCE,
    chroma=ServerAddress(url), timing=QUICK,
)
report = index.sync([read_document(file) for file in files], keep=True)
print("done", report.embedded, flush=True)
index.close()
"""

#: Of the changes that a worker asks the server for, those that it is killed at: the number of the
#: change, and whether the server has answered it.
SOME = [(2, False), (3, True)]
ALL = [(number, answered) for number in range(1, 9) for answered in (False, True)]


def stored(index: Index) -> dict[str, list[str]]:
    assert isinstance(index._session, ServedSession)
    return index._session.current().stored()


def check(index: Index, documents: Sequence[Document]) -> None:
    """The index holds these documents, each whole, and of each paragraph one copy."""
    check_whole(index, *documents)
    own = stored(index)
    for paragraph in (p for document in documents for p in document.paragraphs):
        assert len(own[paragraph.id]) == len(paragraph.sentences)


def versions(folder: Path, count: int) -> list[list[Document]]:
    """Versions of three documents, the last one in the files."""
    return [
        [
            write_paragraphs(folder / f"{name}.txt", 70, seed=10 * version + name)
            for name in range(3)
        ]
        for version in range(count)
    ]


def agree(index: Index, documents: Sequence[Document]) -> None:
    """Wait until the index shows these versions."""
    until(lambda: {info.hash for info in index.documents()} == {own.hash for own in documents})


class Reader:
    """Reads all the time, as one machine of many, and notes what it should not have seen."""

    def __init__(self, index: Index, versions: Sequence[Sequence[Document]]) -> None:
        self._index = index
        self._known = {(d.id, d.hash): d for version in versions for d in version}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self.wrong: list[str] = []
        self.read = 0
        self.unavailable = 0
        self._thread.start()

    def _read(self) -> None:
        while not self._stop.is_set():
            try:
                self._read_once()
                self.read += 1
            except IndexChangedError:
                continue  # on a machine so busy that this took too long: ask again
            except IndexUnavailableError:
                self.unavailable += 1
            except BaseException as error:
                self.wrong.append(repr(error))
                raise

    def _read_once(self) -> None:
        view = self._index.view()
        for info in view.documents():
            document = view.document(info.id)
            if self._known.get((info.id, info.hash)) != document:
                self.wrong.append(f"{info} is no version")
            paragraph = document.paragraphs[self.read % len(document.paragraphs)]
            found = view.search(paragraph.text, 1, documents=[info.id], legs=("terms",))
            if found.hits[0].paragraph != paragraph:
                self.wrong.append(f"{paragraph} is not found")

    def end(self) -> None:
        self._stop.set()
        self._thread.join()
        assert self.read
        assert not self.wrong, self.wrong[:3]


@pytest.mark.parametrize("kills", [SOME, pytest.param(ALL, marks=pytest.mark.long)])
def test_writers_killed_at_any_change_lose_nothing(
    tmp_path: Path,
    machine: Machine,
    chroma: ServerAddress,
    gate: Gate,
    kills: list[tuple[int, bool]],
) -> None:
    index = machine(timing=QUICK)
    editions = versions(tmp_path, len(kills) + 1)
    index.sync(editions[0])
    reader = Reader(index, editions)
    files = [document.source for document in editions[0]]
    arguments = (tmp_path / "writer", gate.before(chroma).url, "", *files)
    for (number, answered), edition in zip(kills, editions[1:], strict=True):
        for document in edition:
            Path(document.source).write_text(document.text)
        gate.hold(number=number, answered=answered)
        worker = Process(WORKER, *arguments)
        gate.until_held()
        worker.kill()
        gate.release(forward=False)
    assert Process(WORKER, *arguments).finish()[-1].startswith("done")
    agree(index, editions[-1])
    reader.end()
    check(index, editions[-1])
    other = machine(timing=QUICK)
    assert other.revision == index.revision
    index.sweep()  # what the dead left behind
    assert stored(index).keys() == {p.id for own in editions[-1] for p in own.paragraphs}
    check(other, editions[-1])


@pytest.mark.parametrize("kills", [SOME[:1], pytest.param(ALL, marks=pytest.mark.long)])
def test_builders_killed_at_any_change_lose_nothing(
    tmp_path: Path,
    machine: Machine,
    chroma: ServerAddress,
    gate: Gate,
    kills: list[tuple[int, bool]],
) -> None:
    index = machine(timing=QUICK)
    editions = versions(tmp_path, len(kills) + 1)
    files = [document.source for document in editions[0]]
    arguments = (tmp_path / "builder", gate.before(chroma).url, "new", *files[:1])
    for (number, answered), edition in zip(kills, editions, strict=False):
        index.sync(edition)  # holds up nobody for long, whatever the last one announced
        gate.hold(number=number, answered=answered)
        builder = Process(WORKER, *arguments)
        until(lambda builder=builder: gate.is_held or builder.process.poll() is not None)  # type: ignore[misc]
        builder.kill()
        gate.release(forward=False)
        index.migrate()  # where it was about to end, and did
        check(index, edition)
    index.sync(editions[-1])
    Process(WORKER, *arguments).finish()
    new = machine(salt="new", timing=QUICK)
    check(new, editions[-1])


def test_two_processes_write_at_once(
    tmp_path: Path, machine: Machine, chroma: ServerAddress
) -> None:
    index = machine(timing=QUICK)
    old, new = versions(tmp_path, 2)
    index.sync(old)
    reader = Reader(index, [old, new])
    one, both, other = (document.source for document in new)
    workers = [
        Process(WORKER, tmp_path / f"writer-{Path(own).stem}", chroma.url, "", both, own)
        for own in (one, other)
    ]
    for worker in workers:
        assert worker.finish()[-1].startswith("done")
    agree(index, new)
    reader.end()
    check(index, new)


def test_chroma_is_started_again_under_load(
    tmp_path: Path, machine: Machine, own_server: ChromaServer
) -> None:
    address = own_server.address()
    index = machine(address, timing=QUICK)
    old, new = versions(tmp_path, 2)
    index.sync(old)
    reader = Reader(index, [old, new])
    with closing(Gate(own_server.url)) as gate:
        gate.hold("add", number=2)
        files = [document.source for document in new]
        worker = Process(WORKER, tmp_path / "writer", gate.before(address).url, "", *files)
        gate.until_held()
        own_server.kill()
        gate.release()  # now it has nobody to write to
        until(lambda: reader.unavailable > 0)
        with pytest.raises(IndexUnavailableError, match="cannot be reached"):
            index.refresh()
        own_server.start()
        assert worker.finish()[-1].startswith("done")
        agree(index, new)
        reader.end()
        check(index, new)

"""Killed, interrupted and concurrent processes, with real processes and real Chroma."""

from __future__ import annotations

import shutil
import signal
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from helpers import PATIENCE, CheapEncoder, Opened, Process, check_whole, write_paragraphs

from index.encoder import Encoder, Vectors
from index.errors import IndexBusyError
from index.index import Index
from index.models import Document
from index.store.writer import CHUNK

# Arguments: folder, file, encoder; `cheap3` is the cheap one with three lanes. Goes on from step to
# step only when told so by a line, so that whoever watches it knows where it is, however busy the
# machine is: before and after it stores a chunk, and after it has put manifests.
WORKER = """
import sys
from pathlib import Path
from helpers import PATIENCE, CheapEncoder
from index.chunking.loader import read_document
from index.index import Index
from index.store.collections import Generation

def step(*told):
    print(*told, flush=True)
    sys.stdin.readline()

class Told(Generation):
    def add(self, paragraphs, vectors):
        step("adding", len(paragraphs))
        super().add(paragraphs, vectors)
        step("added", len(paragraphs))

    def put_manifests(self, manifests):
        super().put_manifests(manifests)
        step("put", len(manifests))

import index.store.store
index.store.store.Generation = Told
folder, file, encoder = sys.argv[1:]
cheap, lanes = encoder.startswith("cheap"), encoder.removeprefix("cheap") or 1
chosen = CheapEncoder(dimension=32, lanes=int(lanes)) if cheap else encoder
index = Index(Path(folder), encoder=chosen, wait=PATIENCE)
report = index.sync([read_document(file)])
print("done", report.embedded, flush=True)
index.close()
"""


class Worker(Process):
    """A process that indexes a file, step by step."""

    def __init__(self, folder: Path, file: Path, encoder: str = "cheap") -> None:
        super().__init__(WORKER, folder, file, encoder)

    def at(self, step: int) -> str:
        """Let it work up to a step, from 1; what that is."""
        for _ in range(1, step):
            assert self.told(), self.ended()[1]
            self.go_on()
        return self.told()


def finish(folder: Path, file: Path, encoder: str = "cheap") -> list[str]:
    return Worker(folder, file, encoder).finish()


def contents(index: Index, document: Document) -> dict[str, Vectors]:
    """All vectors by paragraph id, after checking that the index holds the document and no more."""
    vectors = check_whole(index, document)
    assert index.status().sentences == sum(map(len, vectors.values()))
    for identity, own in vectors.items():
        [(found, number, cosine)] = index._session.snapshot.nearest(own[0], 1)
        assert (found, number) == (identity, 0)
        assert cosine == pytest.approx(1.0, abs=1e-5)
    return vectors


def same(found: dict[str, Vectors], expected: dict[str, Vectors]) -> bool:
    return found.keys() == expected.keys() and all(
        np.array_equal(found[identity], expected[identity]) for identity in expected
    )


@pytest.mark.parametrize(
    ("encoder", "count", "kills"),
    [
        ("cheap", 400, [2, 6]),
        ("cheap3", 400, [5]),
        pytest.param("cheap", 2000, range(1, 12), marks=pytest.mark.long),
        pytest.param("cheap3", 2000, range(11, 0, -1), marks=pytest.mark.long),
        pytest.param("all-MiniLM-L6-v2", 300, [2, 4], marks=pytest.mark.long),
    ],
)
def test_killed_it_goes_on_and_nothing_is_lost(
    tmp_path: Path, encoder: str, count: int, kills: Sequence[int], opened: Opened
) -> None:
    file = tmp_path / "a.txt"
    document = write_paragraphs(file, count, seed=5)
    chosen = CheapEncoder(dimension=32) if encoder.startswith("cheap") else Encoder(encoder)
    finish(tmp_path / "undisturbed", file, encoder)
    expected = contents(opened(tmp_path / "undisturbed", encoder=chosen), document)
    folder = tmp_path / "killed"
    for step in kills:
        worker = Worker(folder, file, encoder)
        print(f"killed at {worker.at(step)!r}")
        worker.kill()
        opened(folder, encoder=chosen).close()  # opens whatever is there
    told = finish(folder, file, encoder)
    assert int(told[-1].removeprefix("done ")) < count, "what was done is not done again"
    assert same(contents(opened(folder, encoder=chosen), document), expected)


def test_two_processes_adding_at_once_lose_nothing(
    folder: Path, tmp_path: Path, opened: Opened
) -> None:
    documents = [write_paragraphs(tmp_path / f"{n}.txt", 400, seed=10 + n) for n in range(2)]
    index = opened(folder, encoder=CheapEncoder(dimension=32))
    assert index.documents() == []
    workers = [Worker(folder, Path(document.source)) for document in documents]
    for worker in workers:
        worker.go_on(1000)  # both at once
    for worker in workers:
        assert "done 400" in worker.finish()
    check_whole(index, *documents)  # it was open all the time


def test_who_holds_the_index_is_named(folder: Path, large: Document, opened: Opened) -> None:
    worker = Worker(folder, Path(large.source))
    worker.at(2)  # where it stays, with the index
    pid = worker.process.pid
    messages: list[str] = []
    with pytest.raises(IndexBusyError, match=rf"process {pid}\)"):
        opened(folder, encoder=CheapEncoder(dimension=32), wait=0.2, on_wait=messages.append)
    assert str(pid) in messages[0]
    worker.go_on(1000)
    index = opened(folder, encoder=CheapEncoder(dimension=32), wait=PATIENCE)  # waits, then works
    assert index.document(large.id) == large
    index.close()
    worker.finish()


def test_threads_search_while_another_syncs(folder: Path, tmp_path: Path, opened: Opened) -> None:
    encoder = CheapEncoder(dimension=32)
    steady = write_paragraphs(tmp_path / "steady.txt", 100, seed=20)
    versions = [write_paragraphs(tmp_path / "changing.txt", 150, seed=s) for s in range(21, 25)]
    index = opened(folder, encoder=encoder, wait=PATIENCE)
    index.sync([steady, versions[0]])
    stop = threading.Event()

    def look(number: int) -> int:
        looks = 0
        while not stop.is_set():
            paragraph = steady.paragraphs[(number * 7 + looks) % 100]
            hits = index.search(paragraph.text, 3, legs=["terms"]).hits
            assert hits[0].paragraph == paragraph
            assert index.document(versions[0].id) in versions
            looks += 1
        return looks

    with ThreadPoolExecutor(3) as threads:
        futures = [threads.submit(look, number) for number in range(3)]
        try:
            for version in [*versions[1:], *versions[:2]]:
                index.sync([version])
                assert index.document(version.id) == version
        finally:
            stop.set()
        assert all(future.result() > 0 for future in futures)


def test_ctrl_c_stops_at_once_and_the_next_run_goes_on(
    folder: Path, large: Document, opened: Opened
) -> None:
    worker = Worker(folder, Path(large.source))
    worker.at(9)
    worker.process.send_signal(signal.SIGINT)
    worker.go_on()
    _, errors = worker.ended()
    assert "KeyboardInterrupt" in errors.splitlines()[-1]
    embedded = int(finish(folder, Path(large.source))[-1].removeprefix("done "))
    assert 0 < embedded <= 2000 - 3 * CHUNK
    contents(opened(folder, encoder=CheapEncoder(dimension=32)), large)


@pytest.mark.long
def test_killed_while_chroma_rewrites_its_files_converges(
    tmp_path: Path, large: Document, opened: Opened
) -> None:
    file, encoder = Path(large.source), CheapEncoder(dimension=32)
    finish(tmp_path / "undisturbed", file)
    expected = contents(opened(tmp_path / "undisturbed", encoder=encoder), large)
    rebuilt, kills = 0, 0
    # Some kills miss the short while that this is a test of, more of them on a busy machine.
    while kills < 4 or (not rebuilt and kills < 60):
        folder = tmp_path / "torn"
        worker = Worker(folder, file)
        worker.go_on(1000)
        # The ids are written after the graph; the time of the graph is that of its first byte.
        writes, last = 0, 0
        while writes <= kills % 4 and worker.process.poll() is None:
            size = max(
                (f.stat().st_size for f in folder.glob("chroma/*/data_level0.bin")), default=0
            )
            writes += size > last > 0
            last = size
        worker.kill()
        kills += 1
        index = opened(folder, encoder=encoder)
        assert index._session.store is not None
        rebuilt += index._session.store.stale is not None
        index.close()
        finish(folder, file)
        index = opened(folder, encoder=encoder)
        assert same(contents(index, large), expected)
        index.close()
        shutil.rmtree(folder)
    assert rebuilt, f"{kills} kills"

"""Processes that use one index at the same time, and such as are interrupted."""

from __future__ import annotations

import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from helpers import PATIENCE, CheapEncoder, Opened, Process, check_whole, write_paragraphs
from writers import NAMES, Place, edition, reading

from index.models import Document
from index.store.writer import CHUNK

# Arguments: folder, file. Goes on after each chunk only when told so by a line, so that whoever
# watches it knows where it is, however busy the machine is.
WORKER = """
import sys
from pathlib import Path
from helpers import PATIENCE, CheapEncoder
from index import Index, read_document

def step(done, total):
    print(done, flush=True)
    sys.stdin.readline()

folder, file = sys.argv[1:]
index = Index(Path(folder), encoder=CheapEncoder(dimension=32), wait=PATIENCE)
report = index.sync([read_document(file)], step)
print("embedded", report.embedded, flush=True)
index.close()
"""


def test_two_processes_add_at_once(folder: Path, tmp_path: Path, opened: Opened) -> None:
    documents = [write_paragraphs(tmp_path / f"{n}.txt", 3 * CHUNK, seed=10 + n) for n in range(2)]
    index = opened(folder, encoder=CheapEncoder(dimension=32))
    assert index.documents() == []
    workers = [Process(WORKER, folder, document.source) for document in documents]
    for done in range(0, 3 * CHUNK, CHUNK):  # in turns
        for worker in workers:
            worker.until(str(done))
            worker.go_on()
    for worker in workers:
        assert worker.finish()[-1] == f"embedded {3 * CHUNK}"
    check_whole(index, *documents)  # it was open all the time


def test_ctrl_c_stops_at_once_and_the_next_run_goes_on(
    folder: Path, tmp_path: Path, opened: Opened
) -> None:
    document = write_paragraphs(tmp_path / "a.txt", 6 * CHUNK, seed=5)
    worker = Process(WORKER, folder, document.source)
    worker.until(str(2 * CHUNK))
    worker.process.send_signal(signal.SIGINT)
    worker.go_on()
    _, errors = worker.ended()
    assert "KeyboardInterrupt" in errors.splitlines()[-1]
    index = opened(folder, encoder=CheapEncoder(dimension=32))
    assert index.documents() == []
    assert 0 < index.sync([document]).embedded <= 4 * CHUNK
    check_whole(index, document)


@pytest.mark.parametrize("is_served", [False, True], ids=["folder", "servers"])
@pytest.mark.parametrize("owner", ["reader", "writer"])
def test_who_reads_while_a_process_writes_meets_no_failure(
    is_served: bool, owner: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    if is_served and owner == "writer":
        pytest.skip("nobody owns what is on a server")
    place = Place(tmp_path / "index", request.getfixturevalue("servers") if is_served else None)
    with closing(place.open()) as first:
        first.sync([edition(name, 0) for name in NAMES])
        if owner == "reader":
            first.close()
        with reading(place) as reader, closing(place.open()) as index:
            for number in (3, 6, 1, 4):
                index.sync([edition(name, number) for name in NAMES])
                index.remove(edition(NAMES[number % 3], 0).id)
                reader.until("read")
            index.rebuild()
            reader.until("read", 2)
    assert set(reader.heard) == {"read"}


def test_threads_search_while_another_syncs(folder: Path, tmp_path: Path, opened: Opened) -> None:
    steady = write_paragraphs(tmp_path / "steady.txt", 100, seed=20)
    versions = [write_paragraphs(tmp_path / "changing.txt", 150, seed=s) for s in range(21, 25)]
    index = opened(folder, encoder=CheapEncoder(dimension=32), wait=PATIENCE)
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


def test_what_is_open_sees_what_another_process_adds(
    folder: Path, small: Document, opened: Opened
) -> None:
    index = opened(folder, encoder=CheapEncoder(dimension=32))
    view, revision = index.view(), index.revision
    worker = Process(WORKER, folder, small.source)
    worker.until("0")
    assert index.revision == revision
    worker.finish()
    check_whole(index, small)
    assert (view.revision, view.documents()) == (revision, [])

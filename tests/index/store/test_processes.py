"""Processes that use one index at the same time, and such as are interrupted."""

from __future__ import annotations

import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from helpers import PATIENCE, CheapEncoder, Opened, check_whole, write_paragraphs
from writers import NAMES, Place, adding, edition, reading

from index.models import Document
from index.store.writer import CHUNK


def test_two_processes_add_at_once(folder: Path, tmp_path: Path, opened: Opened) -> None:
    documents = [write_paragraphs(tmp_path / f"{n}.txt", 3 * CHUNK, seed=10 + n) for n in range(2)]
    index = opened(folder, encoder=CheapEncoder(dimension=32))
    assert index.documents() == []
    workers = [adding(Place(folder), document.source) for document in documents]
    for done in range(0, 4 * CHUNK, CHUNK):  # in turns
        for worker in workers:
            worker.until(done)
            worker.go_on()
    for worker in workers:
        worker.until(f"embedded {3 * CHUNK}")
        worker.finish()
    check_whole(index, *documents)  # it was open all the time


def test_ctrl_c_stops_at_once_and_the_next_run_goes_on(
    folder: Path, tmp_path: Path, opened: Opened
) -> None:
    document = write_paragraphs(tmp_path / "a.txt", 6 * CHUNK, seed=5)
    worker = adding(Place(folder), document.source)
    for done in range(0, 3 * CHUNK, CHUNK):
        worker.until(done)
        if done < 2 * CHUNK:
            worker.go_on()
    worker.signal(signal.SIGINT)
    index = opened(folder, encoder=CheapEncoder(dimension=32))
    assert index.documents() == []
    assert 0 < index.sync([document]).embedded <= 4 * CHUNK
    check_whole(index, document)


@pytest.mark.parametrize(
    ("place", "owner"), [("folder", "reader"), ("folder", "writer"), ("servers", "")]
)
def test_who_reads_while_a_process_writes_meets_no_failure(
    place: str, owner: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    servers = request.getfixturevalue("servers") if place == "servers" else None
    own = Place(tmp_path / "index", servers)
    with closing(own.open()) as first:
        first.sync([edition(name, 0) for name in NAMES])
        if owner == "reader":
            first.close()
        with reading(own) as reader, closing(own.open()) as index:
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
    worker = adding(Place(folder), small.source)
    worker.until(0)
    assert index.revision == revision
    worker.go_on()
    worker.until(60)
    check_whole(index, small)
    assert (view.revision, view.documents()) == (revision, [])
    worker.kill()

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

from index.store.writer import CHUNK


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

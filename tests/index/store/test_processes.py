"""Processes that use one index at the same time, and such as are interrupted or killed while they
write, and servers that are killed meanwhile: after each, what is there is whole, and the next run
converges."""

from __future__ import annotations

import random
import secrets
import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from chroma_servers import ChromaServer, Servers
from helpers import PATIENCE, CheapEncoder, Opened, check_whole, write_paragraphs
from postgres import PostgresServer
from writers import (
    NAMES,
    Forked,
    Place,
    adding,
    at_random,
    check,
    edition,
    hour_later,
    nothing_left_over,
    reading,
    writer,
)

from index import Index
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
            vector = index.vectors([paragraph.id])[paragraph.id][0]
            hits = index.search(paragraph.text, 3, vector=vector).hits
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


#: Of writers, in a folder and on servers each.
KILLS = 15


@pytest.fixture
def generator() -> random.Random:
    seed = secrets.randbits(32)
    print(f"seed {seed}")
    return random.Random(seed)


def converges(place: Place, fresh: Path, seed: int) -> None:
    """The next run makes the index as one that nobody was killed over, with nothing left over."""
    wanted = [edition(name, seed % 8) for name in NAMES]
    with closing(place.open()) as index, closing(Place(fresh).open()) as expected:
        hour_later(index)
        index.sync(wanted, keep=True)
        index.tidy()
        index.check()
        check(index, seed)
        expected.sync(wanted, keep=True)
        assert index.revision == expected.revision
        for document in wanted:
            for paragraph in document.paragraphs[::20]:
                found, other = (own.search(paragraph.text, 5).hits for own in (index, expected))
                assert [hit.paragraph for hit in found] == [hit.paragraph for hit in other]
        nothing_left_over(index, wanted)


def kill_writers(place: Place, generator: random.Random, kills: int) -> None:
    """Kill writers at random moments, of which there are two at a time."""
    running: list[Forked] = []
    with closing(place.open()) as index:
        for kill in range(kills):
            while len(running) < 2:
                running.append(writer(place, generator.getrandbits(32)))
            if kill % 3:
                running[0].until("changed")
            at_random(generator)
            running.pop(0).kill(generator.choice((signal.SIGKILL, signal.SIGTERM)))
            check_if_quiet(index, running, generator)
    for own in running:
        own.finish()


def check_if_quiet(index: Index, running: list[Forked], generator: random.Random) -> None:
    """Check what is there, at every second kill, with the other writer killed too: it deletes at
    once what a reader may still want."""
    if generator.random() < 0.5:
        while running:
            running.pop().kill()
        check(index, generator.getrandbits(32))


@pytest.mark.parametrize("is_served", [False, True], ids=["folder", "servers"])
def test_writers_are_killed(
    is_served: bool, request: pytest.FixtureRequest, tmp_path: Path, generator: random.Random
) -> None:
    servers = request.getfixturevalue("servers") if is_served else None
    place = Place(tmp_path / "index", servers)
    kill_writers(place, generator, KILLS)
    converges(place, tmp_path / "fresh", generator.getrandbits(32))


@pytest.mark.parametrize("which", ["chroma", "postgres"])
def test_servers_are_killed(
    which: str,
    own_server: ChromaServer,
    own_postgres: PostgresServer,
    tmp_path: Path,
    generator: random.Random,
) -> None:
    killed = own_server if which == "chroma" else own_postgres
    with own_postgres.database() as database:
        place = Place(tmp_path / "index", Servers(own_server.address(), database))
        running = [writer(place, generator.getrandbits(32)) for _ in range(2)]
        for kill in range(5):
            for own in running:
                own.until("changed")
            at_random(generator)
            killed.kill()
            at_random(generator)
            if kill % 2:
                running.pop().kill()
                running.append(writer(place, generator.getrandbits(32)))
            killed.start()
        for own in running:
            own.until("changed")
            own.finish()
        converges(place, tmp_path / "fresh", generator.getrandbits(32))

"""Processes that are killed while they write, and servers that are killed meanwhile: after each,
what is there is whole, and the next run converges."""

from __future__ import annotations

import random
import secrets
import signal
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa
from chroma_servers import ChromaServer, Servers
from postgres import PostgresServer
from writers import NAMES, Forked, Place, at_random, check, edition, writer

from index import Index
from index.store.tables import READY, paragraphs, versions

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
        with index.database.write() as connection:  # an hour goes by
            connection.execute(
                sa.update(versions).where(versions.c.pending.is_not(None)).values(pending=1.0)
            )
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
        with index.database.read() as connection:
            states = connection.execute(sa.select(paragraphs.c.state, paragraphs.c.id)).all()
            pending = sa.select(sa.func.count()).where(versions.c.pending.is_not(None))
            assert connection.scalar(pending) == 0
        assert {state for state, _ in states} == {READY}
        assert {i for _, i in states} == {p.id for own in wanted for p in own.paragraphs}


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

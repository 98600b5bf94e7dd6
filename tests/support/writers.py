"""Processes that write an index, or read it all the time, until they are killed.

They are forked by one that has imported everything, for importing takes longer than all that they
do. Each knows the same documents in the same editions, of which many paragraphs stay the same.
"""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from multiprocessing import forkserver
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import sqlalchemy as sa
from chroma_servers import Servers
from helpers import PATIENCE, CheapEncoder, importing_helpers

from index import Document, Index, document_from_text, read_document
from index.database.document_tables import READY, paragraphs, versions
from index.errors import IndexChangedError, IndexUnavailableError, MissingPathError

NAMES = ("ferries.txt", "mills.txt", "piers.txt")
EDITIONS = 8
PARAGRAPHS = 80  # more than are embedded at a time

_forks = multiprocessing.get_context("forkserver")
_forks.set_forkserver_preload(["writers", "chromadb", "psycopg"])


@dataclass(frozen=True)
class Place:
    """Where an index is.

    Attributes:
        folder: of this machine.
        servers: where the index is if it is not in the folder.
    """

    folder: Path
    servers: Servers | None = None

    def open(self, salt: str = "", wait: float = PATIENCE) -> Index:
        """Open it."""
        return Index(
            self.folder,
            encoder=CheapEncoder(salt, dimension=32),
            wait=wait,
            chroma=self.servers and self.servers.chroma,
            database=self.servers and self.servers.database,
        )


@cache
def edition(name: str, number: int) -> Document:
    """An edition of a document. Each differs from the one before in a third of its paragraphs."""
    texts = [
        f"Line {line} of {name} runs as of edition {number - (number + line) % 3}. It is blue."
        for line in range(PARAGRAPHS)
    ]
    return document_from_text("\n\n".join(texts), name)


def check(index: Index, seed: int) -> None:
    """Every document is one of its editions, whole and once; some of its paragraphs are found. A
    server searches its graph approximately, and may miss one (see `index.store.vectors`)."""
    generator = random.Random(seed)
    missed = []
    view = index.view()
    infos = view.documents()
    assert len({info.source for info in infos}) == len(infos)
    for info in infos:
        document = view.document(info.id)
        assert document in [edition(info.source, number) for number in range(EDITIONS)]
        vectors = view.vectors([paragraph.id for paragraph in document.paragraphs])
        for paragraph in generator.sample(document.paragraphs, 5):
            spans = [
                (s.start - paragraph.start, s.end - paragraph.start) for s in paragraph.sentences
            ]
            [expected] = CheapEncoder(dimension=32).encode_paragraphs([(paragraph.text, spans)])
            assert np.allclose(vectors[paragraph.id], expected, atol=1e-6)
            [hit] = view.search("x", 1, vector=expected[0]).hits
            if hit.paragraph != paragraph:
                missed.append((info.source, paragraph.number, hit.score))
    assert len(missed) <= (index.chroma is not None), missed
    found = view.search("the blue line", 1000).hits
    places = [(hit.paragraph.document_id, hit.paragraph.number) for hit in found]
    assert len(set(places)) == len(places)


def hour_later(index: Index) -> None:
    """Make it an hour since anything that is under way began or was last of use, by any clock."""
    with index.database.write() as connection:
        stale = sa.update(versions).where(versions.c.pending.is_not(None))
        connection.execute(stale.values(pending=1.0))
        unused = sa.update(paragraphs).where(paragraphs.c.unused.is_not(None))
        connection.execute(unused.values(unused=1.0))


def nothing_left_over(index: Index, documents: Sequence[Document]) -> None:
    """Everything in it is of these documents, and whole."""
    with index.database.read() as connection:
        states = connection.execute(sa.select(paragraphs.c.state, paragraphs.c.id)).all()
        pending = sa.select(sa.func.count()).where(versions.c.pending.is_not(None))
        assert connection.scalar(pending) == 0
    assert {state for state, _ in states} == {READY}
    assert {i for _, i in states} == {p.id for own in documents for p in own.paragraphs}


def _write(place: Place, seed: int, told: Connection) -> None:
    """Change documents at random until killed, or told to stop."""
    generator = random.Random(seed)
    while not told.poll():
        try:
            with closing(place.open()) as index:
                while not told.poll():
                    _change(index, generator)
                    told.send("changed")
        except IndexUnavailableError:  # a server is away
            told.send("unavailable")


def _change(index: Index, generator: random.Random) -> None:
    kind = generator.choices(("sync", "remove", "tidy", "rebuild"), (12, 3, 2, 1))[0]
    if kind == "sync":
        names = generator.sample(NAMES, generator.randint(1, len(NAMES)))
        index.sync([edition(name, generator.randrange(EDITIONS)) for name in names], keep=True)
    elif kind == "tidy":
        index.tidy()
    elif kind == "rebuild":
        with suppress(IndexChangedError):  # another did so twice meanwhile
            index.rebuild()
    elif infos := index.documents():
        with suppress(MissingPathError):  # another removed it meanwhile
            index.remove(generator.choice(infos).id)


def _read(place: Place, seed: int, told: Connection) -> None:
    """Check what is there all the time, until told to stop."""
    with closing(place.open()) as index:
        while not told.poll():
            seed += 1
            check(index, seed)
            told.send("read")


@cache
def _start_forking() -> None:
    with patch.dict(os.environ, importing_helpers()):
        forkserver.ensure_running()  # type: ignore[attr-defined]


def _add(place: Place, file: Path, told: Connection) -> None:
    """Add a file; after each chunk, tell how much is done, and wait."""

    def step(done: int, _: int) -> None:
        told.send(done)
        told.recv()

    with closing(place.open()) as index:
        told.send(f"embedded {index.sync([read_document(file)], step).embedded}")


class Forked:
    """One of these processes.

    Attributes:
        heard: what it said so far.
    """

    def __init__(self, target: Callable[..., None], *given: Any) -> None:
        _start_forking()
        self._told, theirs = _forks.Pipe()
        self._process = _forks.Process(target=_reporting, args=(target, given, theirs))
        self.heard: list[Any] = []
        self._process.start()
        theirs.close()

    def next(self) -> Any:
        """What it says next."""
        assert self._told.poll(PATIENCE), "it never came"
        self.heard.append(self._told.recv())
        assert not isinstance(self.heard[-1], _Failure), self.heard[-1].text
        return self.heard[-1]

    def until(self, line: str | int, times: int = 1) -> None:
        """Wait until it says something so many times from now on."""
        while times:
            times -= self.next() == line

    def go_on(self) -> None:
        """Let it go on after a chunk."""
        self._told.send("go on")

    def kill(self, how: signal.Signals = signal.SIGKILL) -> None:
        """End it at once."""
        self.signal(how)
        assert self._process.exitcode == -how

    def signal(self, which: signal.Signals) -> None:
        """Send it a signal that ends it, one way or another."""
        assert self._process.pid
        os.kill(self._process.pid, which)
        self._process.join(PATIENCE)
        self._told.close()

    def finish(self) -> None:
        """Tell it to stop; nothing went wrong in it."""
        with suppress(BrokenPipeError):
            self._told.send("stop")
        with suppress(EOFError):
            while True:
                self.heard.append(self._told.recv())
        self._process.join(PATIENCE)
        for one in self.heard:
            assert not isinstance(one, _Failure), one.text
        assert self._process.exitcode == 0


@dataclass(frozen=True)
class _Failure:
    text: str


def _reporting(target: Callable[..., None], given: Sequence[Any], told: Connection) -> None:
    try:
        target(*given, told)
        told.recv()  # that it is to stop: closed with something unread, what it said would be lost
    except EOFError:
        pass
    except Exception:  # noqa: BLE001  # told to whoever started it
        told.send(_Failure(traceback.format_exc()))


def writer(place: Place, seed: int) -> Forked:
    """A process that changes documents at random."""
    return Forked(_write, place, seed)


def adding(place: Place, file: str | Path) -> Forked:
    """A process that adds a file, and waits after each chunk."""
    return Forked(_add, place, Path(file))


@contextmanager
def reading(place: Place, seed: int = 0) -> Iterator[Forked]:
    """A process that reads all the time; in it nothing goes wrong."""
    reader = Forked(_read, place, seed)
    reader.until("read")
    yield reader
    reader.until("read")
    reader.finish()


def at_random(generator: random.Random) -> None:
    """Let some time pass that a change takes, or a part of it."""
    time.sleep(generator.uniform(0, 0.15))

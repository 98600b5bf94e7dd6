"""Parts of Footnote that are killed at random moments while people work with it; each time all is
started again, and held against what was acknowledged to them.

In a folder there is one process that serves; on servers there are two, `chroma run` and PostgreSQL.
"""

from __future__ import annotations

import os
import random
import resource
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import httpx
from acknowledged import PASSWORD, Person, working
from chroma_servers import ChromaServer, Servers, until
from crowd import SURE
from helpers import FOOTNOTE, PATIENCE, free_ports
from postgres import PostgresServer, children, is_running
from prepared import Prepared
from writers import hour_later, nothing_left_over

from assistant.documents import UPLOADED
from index import Index
from index.encoder import Encoder

FAKETIME = next(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"), None)
"""Sets the clock of processes that are started with it; Debian's package `faketime`."""

CLOCK = (
    ("LD_PRELOAD", str(FAKETIME)),
    ("FAKETIME_DONT_FAKE_MONOTONIC", "1"),
    ("FAKETIME_CACHE_DURATION", "1"),  # seconds after which its clock is looked at again
    ("NO_FAKE_STAT", "1"),
)

HOURS = 11
"""That a clock is set forward or back at most: what is deleted is kept for a day."""

PEOPLE = 2

FOLDER = ("writer", "reader", "disk")
"""What is killed, or fails, where one process serves a folder: that; its child which reads a file;
the disk, which is full. Its clock may be set too: "clock"."""

SERVERS = ("replica", "chroma", "postgres")
"""The same where two serve what is on servers."""

BEARABLE: Mapping[str, set[tuple[int, str]]] = {"reader": {(422, "given_up")}}
"""What somebody is told of a change that was not made, by what was killed."""


class Server:
    """`footnote serve` in a process that can be killed and started again.

    Args:
        folder: where it keeps what it keeps.
        logins: the file of those.
        environment: besides that of this process.
    """

    def __init__(self, folder: Path, logins: Path, environment: Mapping[str, str]) -> None:
        folder.mkdir(parents=True)
        self.folder = folder
        [port] = free_ports(1)
        self.url = f"http://127.0.0.1:{port}"
        self.log = folder / "log.txt"
        self._clock = folder / "clock"
        (folder / "tmp").mkdir()
        own = {"TMPDIR": str(folder / "tmp"), "FOOTNOTE_RATE": "1000000/second"}
        self._environment = {**environment, **own}
        self._command = [FOOTNOTE, "serve", "--log", "json", "--port", str(port), *SURE]
        self._command += ["--auth", str(logins), "--index-dir", str(folder / "index")]
        self._command += ["--reader", "none"]
        self._process: Prepared | None = None
        self.client = httpx.Client(base_url=self.url, timeout=PATIENCE)  # to make one takes long

    def start(self, hours: float | None = None) -> None:
        """Start it; with hours, by a clock that is so much ahead and can be set."""
        environment, loading = os.environ | self._environment, ()
        if hours is not None:
            self.set_clock(hours)
            environment["FAKETIME_TIMESTAMP_FILE"] = str(self._clock)
            loading = CLOCK
        with self.log.open("a") as log:
            self._process = Prepared(self._command, log.fileno(), environment, loading)

    def set_clock(self, hours: float) -> None:
        """Set its clock so much ahead of this machine's."""
        beside = self._clock.with_suffix(".new")
        beside.write_text(f"{hours:+f}h\n")
        beside.rename(self._clock)

    @property
    def pid(self) -> int:
        """Its number."""
        assert self._process is not None
        return self._process.pid

    @property
    def is_ready(self) -> bool:
        """Whether it answers questions now."""
        assert self._process is not None
        assert not self._process.has_ended(), self.log.read_text()[-5000:]
        with suppress(httpx.TransportError):
            return self.client.get("/health/ready").status_code == 200
        return False

    @property
    def revision(self) -> str:
        """Of the index that it answers from now."""
        told = self.client.get("/metrics").text
        return next((line for line in told.splitlines() if "footnote_index{" in line), "")

    def kill(self) -> None:
        """End it at once, if it was started; what it has started ends with it."""
        if self._process is None:
            return
        left = children(self.pid)
        self._process.kill()
        self._process.close()
        until(lambda: not any(map(is_running, left)))

    def end(self) -> None:
        """End it as a system does; it leaves no error."""
        assert self._process is not None
        left = children(self.pid)
        self._process.send_signal(signal.SIGTERM)
        self._process.close()
        assert self._process.returncode == 0, self.log.read_text()[-5000:]
        until(lambda: not any(map(is_running, left)))


def reading_for(process: int) -> list[int]:
    """The children of a process that read files for it."""
    found = []
    for child in children(process):
        with suppress(FileNotFoundError, ProcessLookupError):  # it has ended
            if "chunking.isolation" in Path(f"/proc/{child}/cmdline").read_text():
                found.append(child)
    return found


class World:
    """People who work with Footnote, and what may be killed of it.

    Args:
        folder: where all of it is kept.
        servers: what keeps the index, if servers do.
        database: on them.
    """

    def __init__(
        self,
        folder: Path,
        servers: tuple[ChromaServer, PostgresServer] | None = None,
        database: str = "",
    ) -> None:
        self._chroma, self._postgres = servers or (None, None)
        self._place = Servers(self._chroma.address(), database) if self._chroma else None
        names = [f"person{number}" for number in range(PEOPLE)]
        logins = folder / "logins.txt"
        logins.write_text("".join(f"{name}:{PASSWORD}\n" for name in names))
        environment = self._place.environment if self._place else {}
        self._servers = [
            Server(folder / f"serve-{number}", logins, environment)
            for number in range(2 if self._chroma else 1)
        ]
        urls = [self._servers[number % len(self._servers)].url for number in range(PEOPLE)]
        self._clients = [httpx.Client(base_url=url, timeout=PATIENCE) for url in urls]
        self._people = [
            Person(name, client, number)
            for number, (name, client) in enumerate(zip(names, self._clients, strict=True))
        ]
        self._threads: Sequence[threading.Thread] = []
        self._faults: Mapping[str, Callable[[random.Random], None]] = {
            "writer": self._kill_a_server,
            "reader": self._kill_readers,
            "disk": self._fill_the_disk,
            "clock": self._set_the_clock,
            "replica": self._kill_a_server,
            "chroma": self._kill_chroma,
            "postgres": self._kill_postgres,
        }
        self._has_clock = False

    def start(self) -> None:
        """Start what serves, and have everybody log in."""
        for server in self._servers:
            server.start()
        self._until_ready()
        for person in self._people:
            person.log_in()

    def _until_ready(self) -> None:
        until(lambda: all(server.is_ready for server in self._servers))
        until(lambda: len({server.revision for server in self._servers}) == 1)

    def kill(self, kind: str, seed: int) -> None:
        """Kill something while people work; then see that all is there."""
        chance, over = random.Random(seed), threading.Event()
        if kind == "clock" and not self._has_clock:
            [server] = self._servers
            server.kill()
            server.start(chance.uniform(-HOURS, HOURS))
            self._has_clock = True
            self._until_ready()
        before = [person.done for person in self._people]
        for person in self._people:
            person.bearable = BEARABLE.get(kind, set())
        with working(self._people, over.is_set) as self._threads:
            try:
                until(lambda: self._have_begun(before), 0.01)
                time.sleep(chance.uniform(0, 0.25))
                self._faults[kind](chance)
            finally:
                over.set()
        self._until_ready()
        for person in self._people:
            person.check()

    def _have_begun(self, before: Sequence[int]) -> bool:
        """Whether everybody has changed something, or cannot."""
        now = zip(self._people, before, self._threads, strict=True)
        return all(person.done > done or not own.is_alive() for person, done, own in now)

    def _is_anyone_working(self) -> bool:
        return any(thread.is_alive() for thread in self._threads)

    # --- what happens ------------------------------------------------------------------------

    def _kill_a_server(self, chance: random.Random) -> None:
        server = chance.choice(self._servers)
        server.kill()
        self._has_clock = False
        server.start()

    def _kill_readers(self, chance: random.Random) -> None:
        [server] = self._servers
        for _ in range(3):
            until(lambda: reading_for(server.pid) or not self._is_anyone_working(), 0.01)
            time.sleep(chance.uniform(0, 0.05))
            for child in reading_for(server.pid):
                with suppress(ProcessLookupError):
                    os.kill(child, signal.SIGKILL)

    def _fill_the_disk(self, chance: random.Random) -> None:
        [server] = self._servers
        _, hard = resource.prlimit(server.pid, resource.RLIMIT_FSIZE)
        full = chance.choice((0, 4096, 65536, 1 << 20))
        resource.prlimit(server.pid, resource.RLIMIT_FSIZE, (full, hard))
        time.sleep(chance.uniform(0.2, 1.0))
        if chance.random() < 0.5:
            self._kill_a_server(chance)
        else:
            resource.prlimit(server.pid, resource.RLIMIT_FSIZE, (hard, hard))

    def _set_the_clock(self, chance: random.Random) -> None:
        [server] = self._servers
        for _ in range(2):
            server.set_clock(chance.uniform(-HOURS, HOURS))
            time.sleep(chance.uniform(1, 1.5))  # in which it is looked at once
        if chance.random() < 0.5:
            self._kill_a_server(chance)

    def _kill_chroma(self, chance: random.Random) -> None:
        assert self._chroma is not None
        self._chroma.kill()
        time.sleep(chance.uniform(0, 0.5))
        self._chroma.start()

    def _kill_postgres(self, chance: random.Random) -> None:
        assert self._postgres is not None
        self._postgres.kill()
        time.sleep(chance.uniform(0, 0.5))
        self._postgres.start()

    # --- the end -----------------------------------------------------------------------------

    def close(self) -> None:
        """End it; nothing but what is acknowledged is left in the index."""
        for server in self._servers:
            server.end()
        folder = self._servers[0].folder / "index"
        place = self._place
        chroma, database = (place.chroma, place.database) if place else (None, None)
        index = Index(folder, encoder=Encoder(), chroma=chroma, database=database)
        with closing(index):
            hour_later(index)
            index.tidy()
            index.check()
            nothing_left_over(index, [index.document(info.id) for info in index.documents()])
            added = [info for info in index.documents() if info.source.startswith(UPLOADED)]
            assert len(added) == sum(len(person.kept.docs) - 1 for person in self._people)

    def end(self) -> None:
        """End at once what is still there."""
        for server in self._servers:
            server.kill()
            server.client.close()
        for client in self._clients:
            client.close()


@contextmanager
def folder_world(folder: Path) -> Iterator[World]:
    """People whose server keeps it all in a folder; whoever leaves it ends it."""
    with _running(World(folder)) as there:
        yield there


@contextmanager
def servers_world(folder: Path, postgres: PostgresServer) -> Iterator[World]:
    """People whose two servers keep it all on others."""
    chroma = ChromaServer(folder / "chroma")
    try:
        with (
            postgres.database() as database,
            _running(World(folder, (chroma, postgres), database)) as there,
        ):
            yield there
    finally:
        chroma.kill()


@contextmanager
def _running(there: World) -> Iterator[World]:
    try:
        there.start()
        yield there
        there.close()
    finally:
        there.end()


def missing(kind: str) -> str:
    """What a kind of kill needs and is not there; empty if nothing."""
    if kind in ("disk", "reader") and sys.platform != "linux":
        return "It is done to another process as only Linux lets one"
    if kind == "clock" and FAKETIME is None:
        return "There is no libfaketime: apt-get install faketime"
    return ""

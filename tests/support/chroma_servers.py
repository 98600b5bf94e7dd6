"""A real Chroma server, `chroma run`, in a process of its own on loopback; and an index on servers,
which needs a PostgreSQL database too."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from helpers import PATIENCE, free_ports
from postgres import template

from index import Index
from index.database.database import Database
from index.store.chroma_server import ServerAddress

CHROMA = str(Path(sys.executable).with_name("chroma"))

#: Opens an index for another machine.
Machine = Callable[..., Index]


@dataclass(frozen=True)
class Servers:
    """What several machines share an index by.

    Attributes:
        chroma: keeps the vectors.
        database: address of the PostgreSQL database that keeps everything else.
    """

    chroma: ServerAddress
    database: str = field(repr=False)

    @property
    def environment(self) -> dict[str, str]:
        """Of a process that uses the index."""
        return {"FOOTNOTE_CHROMA": self.chroma.url, "FOOTNOTE_DATABASE": self.database}


class ChromaServer:
    """A server on a folder; it keeps its port when it is started again."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        [self.port] = free_ports(1)
        self.url = f"http://127.0.0.1:{self.port}"
        self.start()

    def start(self) -> None:
        """Start it, and wait until it answers."""
        self._folder.mkdir(parents=True, exist_ok=True)
        command = [CHROMA, "run", "--path", str(self._folder), "--port", str(self.port)]
        with (self._folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [*command, "--host", "127.0.0.1"], stdout=log, stderr=subprocess.STDOUT
            )
        until(self._answers)

    def _answers(self) -> bool:
        assert self.process.poll() is None, (self._folder / "log").read_text()
        try:
            with urllib.request.urlopen(f"{self.url}/api/v2/heartbeat", timeout=5):
                return True
        except OSError:
            return False

    def kill(self) -> None:
        """End it at once."""
        self.process.kill()
        self.process.wait()

    def hang(self) -> None:
        """Let it answer nothing until it goes `on` or is killed."""
        self.process.send_signal(signal.SIGSTOP)

    def on(self) -> None:
        """Let it go on."""
        self.process.send_signal(signal.SIGCONT)

    def address(self) -> ServerAddress:
        """Where it is; each time another database, which is empty."""
        return ServerAddress(f"{self.url}/test-{uuid.uuid4().hex[:12]}")


def until(holds: Callable[[], bool], pause: float = 0.05) -> None:
    """Wait until something holds."""
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline, "that never came"
        time.sleep(pause)


@pytest.fixture(scope="session")
def chroma_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ChromaServer]:
    """A server for all tests that do not stop it."""
    server = ChromaServer(tmp_path_factory.mktemp("chroma") / "data")
    yield server
    server.kill()


@pytest.fixture
def chroma(chroma_server: ChromaServer) -> ServerAddress:
    """An empty database on it."""
    return chroma_server.address()


def make_tables(address: str) -> None:
    """Make the tables of an index in a database."""
    Database(Path(), address).close()


#: A fixture: the address of a PostgreSQL database with the tables of an index, empty.
index_address = template(make_tables)


@pytest.fixture
def servers(chroma: ServerAddress, index_address: str) -> Servers:
    """An empty index on servers that the test does not stop."""
    return Servers(chroma, index_address)


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[ChromaServer]:
    """A server that the test may stop."""
    server = ChromaServer(tmp_path / "chroma-server")
    yield server
    server.kill()

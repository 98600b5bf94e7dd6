"""A real Chroma server, `chroma run`, in a process of its own on loopback."""

from __future__ import annotations

import itertools
import signal
import subprocess
import sys
import threading
import time
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from helpers import PATIENCE, free_ports

from index import Index
from index.store.chroma_server import ServerAddress
from index.store.protocol import Timing

CHROMA = str(Path(sys.executable).with_name("chroma"))

#: Of the protocol where a test waits for what takes LEASE or GRACE seconds.
QUICK = Timing(lease=5.0, grace=7.0, poll=0.2)

#: As in use, but for looking more often.
SLOW = Timing(poll=0.2)

#: Opens an index for another machine.
Machine = Callable[..., Index]

#: What a client asks of a collection that changes it, as its address ends.
CHANGES = ("add", "upsert", "update", "delete")


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

    def address(self, database: str | None = None) -> ServerAddress:
        """Where it is; a database of its own unless one is named."""
        return ServerAddress(f"{self.url}/{database or f'test-{uuid.uuid4().hex[:12]}'}")


class Gate:
    """Stands before a server, and holds back a request that changes something: the point at which a
    process is killed, or stalls, is named by it.

    Attributes:
        changes: what was asked for so far: add, upsert, update, delete.
    """

    def __init__(self, server: str) -> None:
        self.changes: list[str] = []
        self._wanted: Callable[[str, bytes], bool] = lambda _, __: False
        self._answered = False
        self._held, self._open = threading.Event(), threading.Event()
        self._forward = True
        gate, target = self, urlsplit(server)

        class Passing(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_one_request(self) -> None:
                try:
                    super().handle_one_request()
                except ConnectionError:  # of who was killed, on either side
                    self.close_connection = True

            def passes(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                operation = self.path.partition("?")[0].rpartition("/")[2]
                holds = operation in CHANGES and gate.holds(operation, body)
                if holds and not gate.passes_on(answered=False):
                    self.close_connection = True
                    return
                with closing(HTTPConnection(str(target.hostname), target.port)) as connection:
                    connection.request(self.command, self.path, body, dict(self.headers))
                    response = connection.getresponse()
                    answer = response.read()
                if holds and not gate.passes_on(answered=True):
                    self.close_connection = True
                    return
                self.send_response(response.status)
                self.send_header("content-type", response.headers["content-type"])
                self.send_header("content-length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            do_GET = do_POST = do_DELETE = passes  # noqa: N815  # as http.server calls them

            def log_message(self, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Passing)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def before(self, address: ServerAddress) -> ServerAddress:
        """Where a database of the server is reached through it."""
        return ServerAddress(f"{self.url}/{address.database}")

    def hold(
        self, operation: str = "", *, with_: bytes = b"", number: int = 1, answered: bool = False
    ) -> None:
        """Hold back the change of that number from now on, of those of this kind that have this in
        them: before it reaches the server, or the answer to it."""
        count = itertools.count(1)
        self._held.clear()
        self._open.clear()
        self._answered, self._forward = answered, True
        self._wanted = lambda own, body: (
            own.startswith(operation) and with_ in body and next(count) == number
        )

    @property
    def is_held(self) -> bool:
        """Whether it is held back now."""
        return self._held.is_set()

    def until_held(self) -> None:
        """Wait until it is held back."""
        assert self._held.wait(PATIENCE), "that never came"

    def release(self, *, forward: bool = True) -> None:
        """Let go of what is held back; or break its connection."""
        self._forward = forward
        self._open.set()

    def holds(self, operation: str, body: bytes) -> bool:
        """Whether a change is the one that is to be held back; of a handler."""
        self.changes.append(operation)
        return self._wanted(operation, body)

    def passes_on(self, *, answered: bool) -> bool:
        """Hold a request back, if here; whether it goes on."""
        if answered != self._answered:
            return True
        self._held.set()
        self._open.wait(PATIENCE)
        return self._forward

    def close(self) -> None:
        """Let nothing through any more."""
        self._open.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


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


@pytest.fixture
def gate(chroma_server: ChromaServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[Gate]:
    """A gate before it, for clients who wait for an answer as long as one is held back."""
    monkeypatch.setattr("index.store.chroma_server.ANSWERING", PATIENCE)
    gate = Gate(chroma_server.url)
    yield gate
    gate.close()


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[ChromaServer]:
    """A server that the test may stop."""
    server = ChromaServer(tmp_path / "chroma-server")
    yield server
    server.kill()

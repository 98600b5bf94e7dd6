"""A real PostgreSQL server: one for all tests of a process, or one that a test may kill.

A server ends with the process that started it, however that ends: the kernel sends it the signal.
"""

from __future__ import annotations

import itertools
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psycopg
import pytest
from helpers import PATIENCE, free_ports
from psycopg import sql

# Nor do the settings count that PostgreSQL's own programs and clients read.
for name in [name for name in os.environ if name.startswith("PG")]:
    del os.environ[name]

MISSING = "There is no PostgreSQL: apt-get install postgresql"

#: Fills a database, whose address it is given; it leaves no connection open.
Prepare = Callable[[str], None]

#: The user who owns everything in a server of the tests.
OWNER = "footnote"

#: Nothing has to outlast this machine's power; what is committed does outlast a killed server.
SETTINGS = """
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
max_connections = 200
shared_buffers = 32MB
fsync = off
full_page_writes = off
wal_level = minimal
max_wal_senders = 0
"""


def programs() -> Path | None:
    """The folder of `initdb` and `postgres`: on the path, or the newest of Debian's, whose path has
    only the clients."""
    found = shutil.which("initdb")
    if found:
        return Path(found).resolve().parent
    debian = Path("/usr/lib/postgresql").glob("*/bin/initdb")
    newest = max(debian, key=lambda path: int(path.parts[-3]), default=None)
    return newest and newest.parent


class PostgresServer:
    """A server in a folder, of what `initialize` made there; it keeps its port when it is started
    again."""

    def __init__(self, folder: Path) -> None:
        self._data = folder / "data"
        self._log = folder / "log"
        self._password = (folder / "password").read_text()
        [self._port] = free_ports(1)
        self._numbers = itertools.count(1)
        self._templates: dict[Prepare, str] = {}
        self.start()

    def _address(self, database: str) -> str:
        return f"postgresql://{OWNER}:{self._password}@127.0.0.1:{self._port}/{database}"

    def start(self) -> None:
        """Start it, and wait until it takes connections."""
        # A server that was killed leaves its number, which may be another process's by now: it
        # would not start.
        (self._data / "postmaster.pid").unlink(missing_ok=True)
        command = [_program("postgres"), "-D", self._data, "-p", str(self._port)]
        if setpriv := shutil.which("setpriv"):
            command = [setpriv, "--pdeathsig", "QUIT", "--", *command]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, **_as_user()
            )
        deadline = time.monotonic() + PATIENCE
        while not self._answers():
            assert self._process.poll() is None, self._log.read_text(errors="replace")
            assert time.monotonic() < deadline, "it never came"
            time.sleep(0.02)

    def _answers(self) -> bool:
        with suppress(psycopg.OperationalError):
            psycopg.connect(self._address("postgres")).close()
            return True
        return False

    def kill(self) -> None:
        """End all its processes at once, with SIGKILL."""
        self._process.send_signal(signal.SIGSTOP)  # it starts no more of them
        others = children(self._process.pid)
        for process in [*others, self._process.pid]:
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        self._process.wait()
        while any(map(is_running, others)):
            time.sleep(0.01)

    def end(self) -> None:
        """End it, whoever is connected still."""
        self._process.send_signal(signal.SIGQUIT)
        self._process.wait(PATIENCE)

    @contextmanager
    def database(self, prepare: Prepare | None = None) -> Iterator[str]:
        """A new database, empty or as `prepare` fills it; gives its address.

        `prepare` is called once: what it has filled is copied.
        """
        if prepare and prepare not in self._templates:
            template = f"template_{next(self._numbers)}"
            self._ask("CREATE DATABASE {}", template)
            prepare(self._address(template))
            self._templates[prepare] = template
        name = f"test_{next(self._numbers)}"
        template = self._templates[prepare] if prepare else "template1"
        self._ask("CREATE DATABASE {} TEMPLATE {}", name, template)
        try:
            yield self._address(name)
        finally:
            self._ask("DROP DATABASE {} WITH (FORCE)", name)

    def _ask(self, command: Any, *names: str) -> None:
        with psycopg.connect(self._address("postgres"), autocommit=True) as connection:
            connection.execute(sql.SQL(command).format(*map(sql.Identifier, names)))


def initialize(folder: Path) -> None:
    """Make the data of a server, for this takes seconds and copying it does not."""
    # Without a password, everyone on this machine could run programs by the server.
    password = folder / "password"
    password.write_text(secrets.token_hex(16))
    how = ["-U", OWNER, f"--pwfile={password}", "--auth=scram-sha-256", "--no-sync"]
    how += ["--locale=C.UTF-8", "-E", "UTF8"]
    _run([_program("initdb"), *how, "-D", folder / "data"])
    with (folder / "data" / "postgresql.conf").open("a") as file:
        file.write(SETTINGS)


def _program(name: str) -> Path:
    folder = programs()
    assert folder is not None, MISSING
    return folder / name


def _run(command: Sequence[str | Path]) -> None:
    ended = subprocess.run(command, capture_output=True, text=True, check=False, **_as_user())
    assert ended.returncode == 0, ended.stderr


def _as_user() -> dict[str, Any]:
    """How a process is started as the user of the server: its programs refuse root."""
    if os.geteuid() != 0:
        return {"cwd": "/"}
    return {"cwd": "/", "user": _user().pw_uid, "group": _user().pw_gid, "extra_groups": []}


def _user() -> pwd.struct_passwd:
    try:
        return pwd.getpwnam("postgres")
    except KeyError:
        return pwd.getpwnam("nobody")


def children(process: int) -> list[int]:
    """What a process has started. Where there is no /proc this finds none, and PostgreSQL's end by
    themselves a little after it."""
    children = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            # After the name, which may have spaces and brackets: the state, the parent.
            if int(path.read_text().rpartition(")")[2].split()[1]) == process:
                children.append(int(path.parent.name))
    return children


def is_running(process: int) -> bool:
    """Whether a process is there that has not ended."""
    with suppress(FileNotFoundError, ProcessLookupError):
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


@contextmanager
def server_folder() -> Iterator[Path]:
    """A folder that the user of a server may write in; it is removed afterwards."""
    # Root's own temporary folder may be closed to that user.
    place = "/tmp" if os.geteuid() == 0 else None
    folder = Path(tempfile.mkdtemp(prefix="footnote-postgres-", dir=place))
    if os.geteuid() == 0:
        os.chown(folder, _user().pw_uid, _user().pw_gid)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    skipped = terminalreporter.stats.get("skipped", [])
    if left_out := sum(MISSING in str(report.longrepr) for report in skipped):
        terminalreporter.write_line(f"{left_out} tests were left out. {MISSING}")


@pytest.fixture(scope="session")
def postgres_initial() -> Iterator[Path]:
    """What servers are made of; where there is no PostgreSQL, the test is left out."""
    if programs() is None:
        if os.environ.get("CI") == "true":
            pytest.fail(MISSING)
        pytest.skip(MISSING)
    with server_folder() as folder:
        initialize(folder)
        yield folder


@contextmanager
def running_server(initial: Path) -> Iterator[PostgresServer]:
    """A server of its own."""
    with server_folder() as folder:
        _run(["cp", "-a", initial / "data", folder])
        shutil.copy(initial / "password", folder)
        server = PostgresServer(folder)
        try:
            yield server
        finally:
            server.end()


@pytest.fixture(scope="session")
def postgres_server(postgres_initial: Path) -> Iterator[PostgresServer]:
    """A server for all tests that do not stop it."""
    with running_server(postgres_initial) as server:
        yield server


@pytest.fixture
def own_postgres(postgres_initial: Path) -> Iterator[PostgresServer]:
    """A server that the test may kill."""
    with running_server(postgres_initial) as server:
        yield server


def template(prepare: Prepare | None = None) -> Any:
    """A fixture of a test module: the address of a new database for each test, on the shared
    server, as `prepare` fills it. Dropped after the test, whatever is still connected.

    ```python
    notebooks_address = template(create_tables)
    ```
    """

    @pytest.fixture
    def address(postgres_server: PostgresServer) -> Iterator[str]:
        with postgres_server.database(prepare) as address:
            yield address

    return address


#: A fixture: the address of an empty database.
postgres_address = template()

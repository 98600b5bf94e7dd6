"""A real PostgreSQL server: one for all tests of a run, or one that a test may kill.

What keeps a server from outliving its tests are two locks, which the system lets go of whatever way
a process ends. `tests` is held by the process that the server is for, `server` by every process of
the server. A watcher waits for the one, ends the server, waits for the other, and removes it all.
"""

from __future__ import annotations

import fcntl
import itertools
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import psycopg
import pytest
from helpers import free_ports
from psycopg import sql

# Nor do the settings count that PostgreSQL's own programs and clients read.
for name in [name for name in os.environ if name.startswith("PG")]:
    del os.environ[name]

INSTALL = "apt-get install postgresql"
MISSING = f"There is no PostgreSQL: {INSTALL}"

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

#: Run in a process of its own, which needs nothing of the environment of the tests; Ctrl-C is not
#: for it. As long as the server's lock is held, the number in the file is that of the server, which
#: may not have written it yet.
WATCHER = """
import fcntl, os, shutil, signal, sys, time
folder = sys.argv[1]
tests, server = (os.open(f"{folder}/{name}", os.O_RDWR) for name in ("tests", "server"))
if os.fork():
    os._exit(0)
os.setsid()
fcntl.flock(tests, fcntl.LOCK_EX)
while True:
    try:
        fcntl.flock(server, fcntl.LOCK_EX | fcntl.LOCK_NB)
        break
    except BlockingIOError:
        pass
    try:
        with open(f"{folder}/data/postmaster.pid") as file:
            os.kill(int(file.readline()), signal.SIGQUIT)
    except (OSError, ValueError):
        pass
    time.sleep(0.05)
shutil.rmtree(folder)
"""

_shared = pytest.StashKey[Path]()
_ends = pytest.StashKey[ExitStack]()


def programs() -> Path | None:
    """The folder of `initdb` and `pg_ctl`: on the path, or the newest of Debian's, whose path has
    only the clients."""
    found = shutil.which("initdb")
    if found:
        return Path(found).resolve().parent
    debian = Path("/usr/lib/postgresql").glob("*/bin/initdb")
    newest = max(debian, key=lambda path: int(path.parts[-3]), default=None)
    return newest and newest.parent


class PostgresServer:
    """A server in a folder; it keeps its port when it is started again."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._data = folder / "data"
        self._numbers = itertools.count(1)
        self._templates: dict[Prepare, str] = {}

    @property
    def address(self) -> str:
        """Of the database that every server has, empty."""
        return self._address("postgres")

    def _address(self, database: str) -> str:
        password = (self._folder / "password").read_text()
        port = (self._folder / "port").read_text()
        return f"postgresql://{OWNER}:{password}@127.0.0.1:{port}/{database}"

    def create(self, initial: Path) -> None:
        """Make a server of what `initialize` made, and start it."""
        shutil.copy(initial / "password", self._folder)
        _run(self._folder, ["cp", "-a", initial / "data", self._data])
        for attempt in range(3):
            [port] = free_ports(1)
            (self._folder / "port").write_text(str(port))
            try:
                self.start()
            except AssertionError:  # another program may have taken the port since
                if attempt == 2:
                    raise
            else:
                return

    def start(self) -> None:
        """Start it, and wait until it takes connections."""
        with locked(self._folder / "server") as lock:
            # A server that was killed leaves its number, which may be another process's by now: it
            # would not start. That no process of it is left, the lock says.
            (self._data / "postmaster.pid").unlink(missing_ok=True)
            port = (self._folder / "port").read_text()
            self._control("start", "-o", f"-p {port}", lock=lock)

    @property
    def process(self) -> int:
        """The number of the first of its processes."""
        return int((self._data / "postmaster.pid").read_text().split()[0])

    def kill(self) -> None:
        """End all its processes at once, with SIGKILL."""
        server = self.process
        os.kill(server, signal.SIGSTOP)  # it starts no more of them
        for process in [*children(server), server]:
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        with locked(self._folder / "server"):
            pass

    @contextmanager
    def database(self, prepare: Prepare | None = None) -> Iterator[str]:
        """A new database, empty or as `prepare` fills it; gives its address.

        `prepare` is called once a process: what it has filled is copied.
        """
        # Processes that run tests beside each other share a server.
        worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
        if prepare and prepare not in self._templates:
            template = f"{worker}_template_{next(self._numbers)}"
            self._ask("CREATE DATABASE {}", template)
            prepare(self._address(template))
            self._templates[prepare] = template
        name = f"{worker}_{next(self._numbers)}"
        template = self._templates[prepare] if prepare else "template1"
        self._ask("CREATE DATABASE {} TEMPLATE {}", name, template)
        try:
            yield self._address(name)
        finally:
            self._ask("DROP DATABASE {} WITH (FORCE)", name)

    def _ask(self, command: Any, *names: str) -> None:
        with psycopg.connect(self.address, autocommit=True) as connection:
            connection.execute(sql.SQL(command).format(*map(sql.Identifier, names)))

    def _control(self, *arguments: str, lock: int | None = None) -> None:
        _run(self._folder, [_program("pg_ctl"), *arguments, "-D", self._data], lock)


def initialize(folder: Path) -> None:
    """Make the data of a server once, for this takes seconds and copying it does not."""
    # Without a password, everyone on this machine could run programs by the server.
    password = folder / "password"
    password.write_text(secrets.token_hex(16))
    how = ["-U", OWNER, f"--pwfile={password}", "--auth=scram-sha-256", "--no-sync"]
    how += ["--locale=C.UTF-8", "-E", "UTF8"]
    _run(folder, [_program("initdb"), *how, "-D", folder / "data"])
    with (folder / "data" / "postgresql.conf").open("a") as file:
        file.write(SETTINGS)


def _program(name: str) -> Path:
    folder = programs()
    assert folder is not None, MISSING
    return folder / name


def _run(folder: Path, command: Sequence[str | Path], lock: int | None = None) -> None:
    """Run a program as the user of the server; what it starts inherits the lock."""
    path = folder / "log"
    how: dict[str, Any] = {}
    if os.geteuid() == 0:  # which these programs refuse
        how = {"user": _user().pw_uid, "group": _user().pw_gid, "extra_groups": []}
    with path.open("ab") as log:
        ended = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=folder,
            check=False,
            pass_fds=() if lock is None else (lock,),
            **how,
        )
    assert ended.returncode == 0, path.read_text(errors="replace")


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


@contextmanager
def locked(path: Path) -> Iterator[int]:
    """Hold a lock, after whoever holds it; gives its descriptor, by which others may hold on to
    it."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield descriptor
    finally:
        os.close(descriptor)


@contextmanager
def server_folder() -> Iterator[Path]:
    """A folder for a server; that and the server end with this process at the latest, once it is
    watched."""
    # Root's own temporary folder may be closed to the user whom the server runs as.
    place = "/tmp" if os.geteuid() == 0 else None
    folder = _owned(Path(tempfile.mkdtemp(prefix="footnote-postgres-", dir=place)))
    with locked(folder / "tests"):
        yield folder
    if not (folder / "server").exists():
        shutil.rmtree(folder)
    deadline = time.monotonic() + 60
    while folder.exists():
        assert time.monotonic() < deadline, f"a PostgreSQL server did not end: {folder}"
        time.sleep(0.01)


def watch(folder: Path) -> None:
    """Start what ends the server in a folder with the process that it is for."""
    (folder / "server").touch()
    command = [sys.executable, "-I", "-S", "-c", WATCHER, folder]
    # What it inherits it would keep open: someone may wait for the end of a pipe.
    nothing = subprocess.DEVNULL
    subprocess.run(command, check=True, cwd="/", stdin=nothing, stdout=nothing, stderr=nothing)


def _owned(folder: Path) -> Path:
    if os.geteuid() == 0:
        os.chown(folder, _user().pw_uid, _user().pw_gid)
    return folder


# Where tests run beside each other, the process that waits for them is the one that a shared server
# is for, but it is made by the first that needs it.


def pytest_configure(config: pytest.Config) -> None:
    if hasattr(config, "workerinput"):
        config.stash[_shared] = Path(config.workerinput["postgres"])
        return
    config.stash[_ends] = ends = ExitStack()
    config.stash[_shared] = ends.enter_context(server_folder())


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    node.workerinput["postgres"] = str(node.config.stash[_shared])


def pytest_unconfigure(config: pytest.Config) -> None:
    if _ends in config.stash:
        config.stash[_ends].close()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    skipped = terminalreporter.stats.get("skipped", [])
    left_out = sum(MISSING in str(report.longrepr) for report in skipped)
    if left_out:
        terminalreporter.write_line(
            f"{left_out} tests of PostgreSQL were left out; to run them too: {INSTALL}"
        )


@pytest.fixture(scope="session")
def postgres_initial(pytestconfig: pytest.Config) -> Path:
    """What servers are made of; where there is no PostgreSQL, the test is left out."""
    if programs() is None:
        if os.environ.get("CI") == "true":
            pytest.fail(MISSING)
        pytest.skip(MISSING)
    folder = pytestconfig.stash[_shared]
    initial = folder / "initial"
    with locked(folder / "making"):
        if not (initial / "made").exists():
            watch(folder)
            initial.mkdir(exist_ok=True)
            initialize(_owned(initial))
            (initial / "made").touch()
    return initial


@pytest.fixture(scope="session")
def postgres_server(postgres_initial: Path, pytestconfig: pytest.Config) -> PostgresServer:
    """A server for all tests that do not stop it."""
    folder = pytestconfig.stash[_shared]
    server = PostgresServer(folder)
    with locked(folder / "making"):
        if not (folder / "made").exists():
            server.create(postgres_initial)
            (folder / "made").touch()
    return server


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


@contextmanager
def running_server(initial: Path | None = None) -> Iterator[PostgresServer]:
    """A server of one's own, of what `initialize` made, here or before."""
    with server_folder() as folder:
        watch(folder)
        if initial is None:
            initial = folder / "initial"
            initial.mkdir()
            initialize(_owned(initial))
        server = PostgresServer(folder)
        server.create(initial)
        yield server


@pytest.fixture
def own_postgres(postgres_initial: Path) -> Iterator[PostgresServer]:
    """A server that the test may kill."""
    with running_server(postgres_initial) as server:
        yield server

"""Several machines' worth of Footnote on this one: replicas on one Chroma server and one PostgreSQL
database, and nginx before them."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from chroma_servers import ChromaServer, Servers, until
from helpers import FOOTNOTE, PATIENCE, free_ports

from assistant.help.topics import topic

NGINX = shutil.which("nginx", path=os.environ.get("PATH", "") + ":/usr/sbin")

_AROUND = """
{user}
daemon off;
pid {folder}/pid;
error_log stderr warn;
worker_processes 1;
events {{ worker_connections 4096; }}
http {{
    log_format served '$upstream_addr $request_method $uri $status';
    access_log {folder}/access.log served;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    {included}
}}
"""


class Replica:
    """`footnote serve`, the page included, in a process of its own, with a cache of its own."""

    def __init__(
        self, folder: Path, port: int, environment: Mapping[str, str], *flags: str
    ) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self._log = folder / "log.txt"
        self._environment = environment
        self._command = [FOOTNOTE, "serve", "--log", "json", "--port", str(port), *flags]
        self._command += ["--index-dir", str(folder / "cache")]
        folder.mkdir(parents=True)
        self.start()

    def start(self) -> None:
        """Start it; `until_ready` waits for it."""
        with self._log.open("a") as log:
            self.process = subprocess.Popen(
                self._command, stdout=log, stderr=log, env=os.environ | self._environment
            )

    @property
    def log(self) -> str:
        """What it has said since it was first started."""
        return self._log.read_text()

    def until_ready(self) -> None:
        """Wait until it answers questions."""
        until(lambda: self.is_ready)

    @property
    def is_ready(self) -> bool:
        """Whether it answers questions now."""
        assert self.process.poll() is None, self.log
        with suppress(httpx.TransportError):
            return httpx.get(f"{self.url}/health/ready", timeout=PATIENCE).status_code == 200
        return False

    @property
    def revision(self) -> str | None:
        """Of the index that it answers from now; None where it does not know."""
        told = httpx.get(f"{self.url}/metrics", timeout=PATIENCE).text
        found = re.findall(r'^footnote_index\{revision="(\w+)"\} 1\.0$', told, re.MULTILINE)
        return found[0] if found else None

    def kill(self) -> None:
        """End it at once."""
        self.process.kill()
        self.process.wait()

    def end(self) -> None:
        """End it as a system does; it leaves no error."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            assert self.process.wait(timeout=PATIENCE) == 0, self.log
        assert "Traceback" not in self.log, self.log


@dataclass(frozen=True)
class Machines:
    """All of them.

    Attributes:
        url: of the balancer.
        replicas: behind it.
        chroma: keeps the vectors of the index.
        database: address of the PostgreSQL database that keeps everything else.
        environment: of a command that works on it.
        folder: where files may be put.
    """

    url: str
    replicas: tuple[Replica, ...]
    chroma: ChromaServer
    database: str
    environment: Mapping[str, str]
    folder: Path

    def served(self, path: str) -> list[Replica]:
        """Which replicas answered the requests for a path so far, the last one last."""
        lines = (self.folder / "nginx" / "access.log").read_text().splitlines()
        by_port = {replica.url.rpartition(":")[2]: replica for replica in self.replicas}
        return [
            by_port[port]
            # Where one was tried in vain, all that were tried stand there.
            for upstream, _, asked, _ in (line.replace(", ", "|").split(" ") for line in lines)
            if asked == path and (port := upstream.rpartition(":")[2]) in by_port
        ]


@contextmanager
def killed(*replicas: Replica) -> Iterator[None]:
    """Replicas that are killed, and are there again afterwards."""
    for replica in replicas:
        replica.kill()
    try:
        yield
    finally:
        for replica in replicas:
            replica.start()
        for replica in replicas:
            replica.until_ready()


@contextmanager
def machines(
    folder: Path,
    chroma: ChromaServer,
    database: str,
    *flags: str,
    count: int = 3,
    written: str | None = None,
) -> Iterator[Machines]:
    """Run replicas and nginx on an empty index inside a `with`.

    Args:
        folder: where they keep what they keep.
        chroma: the Chroma server.
        database: address of an empty PostgreSQL database.
        flags: of each replica's command.
        count: of replicas.
        written: what nginx is to do with as many; by default as the help tells.
    """
    front, *ports = free_ports(1 + count)
    environment = Servers(chroma.address(), database).environment
    replicas: list[Replica] = []
    try:
        replicas.extend(
            Replica(folder / f"replica-{port}", port, environment, *flags) for port in ports
        )
        with balancer(folder / "nginx", front, ports, written) as url:
            for replica in replicas:
                replica.until_ready()
            yield Machines(url, tuple(replicas), chroma, database, environment, folder)
        for replica in replicas:
            replica.end()
    finally:
        for replica in replicas:
            replica.kill()


@contextmanager
def balancer(
    folder: Path, port: int, ports: list[int], written: str | None = None
) -> Iterator[str]:
    """Run nginx as the help tells, or as is `written`, before these ports of this machine; gives
    its address."""
    if NGINX is None:
        missing = "There is no nginx: apt-get install nginx-light"
        if os.environ.get("CI") == "true":
            pytest.fail(missing)
        pytest.skip(missing)
    folder.mkdir(parents=True)
    written = written or configuration()
    shown = list(dict.fromkeys(re.findall(r"server (\S+:\d+)", written)))
    for address, own in zip(shown, ports, strict=True):
        written = written.replace(address, f"127.0.0.1:{own}")
    written = written.replace("listen 80;", f"listen 127.0.0.1:{port};")
    file = folder / "nginx.conf"
    # Who starts it writes what is too large for memory: its folder is nobody else's to enter.
    user = "user root;" if os.geteuid() == 0 else ""
    file.write_text(_AROUND.format(user=user, folder=folder, included=written))
    with (folder / "log.txt").open("w") as log:
        process = subprocess.Popen(
            [NGINX, "-p", str(folder), "-e", "stderr", "-c", str(file)], stderr=log
        )
    try:
        until(lambda: _listens(port, process, folder / "log.txt"))
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(timeout=PATIENCE)
    assert "[emerg]" not in (folder / "log.txt").read_text()


def configuration() -> str:
    """What the help has nginx do."""
    (block,) = re.findall(r"```nginx\n(.*?)```", topic("many-machines").text, re.DOTALL)
    return str(block)


def _listens(port: int, process: subprocess.Popen[bytes], log: Path) -> bool:
    assert process.poll() is None, log.read_text()
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=PATIENCE):
        return True
    return False

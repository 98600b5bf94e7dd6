"""Fixtures of the index's tests: indexes that are closed at the end, and a little disk."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from chroma_servers import Machine, Servers
from helpers import Another, CheapEncoder, Opened

from index import Index


@pytest.fixture
def opened() -> Iterator[Opened]:
    """Opens indexes as `Index` does, and closes them when the test is done."""
    with ExitStack() as ends:

        def open_one(folder: Path, **how: Any) -> Index:
            return ends.enter_context(closing(Index(folder, **how)))

        yield open_one


@pytest.fixture
def machine(request: pytest.FixtureRequest, tmp_path: Path, opened: Opened) -> Machine:
    """Opens an index on servers for another machine: with a folder of its own."""
    numbers = count()

    def open_one(servers: Servers | None = None, salt: str = "") -> Index:
        own: Servers = servers or request.getfixturevalue("servers")
        return opened(
            tmp_path / f"machine-{next(numbers)}",
            encoder=CheapEncoder(salt, dimension=32),
            chroma=own.chroma,
            database=own.database,
        )

    return open_one


@pytest.fixture(params=["folder", "servers"])
def another(request: pytest.FixtureRequest, opened: Opened, folder: Path) -> Another:
    """Opens an index again and again, as other processes do, in a folder or on servers."""
    if request.param == "servers":
        opens: Machine = request.getfixturevalue("machine")
        return lambda salt="": opens(salt=salt)
    return lambda salt="": opened(folder, encoder=CheapEncoder(salt, dimension=32))


@pytest.fixture
def little_disk(tmp_path: Path) -> Iterator[Callable[[str], Path]]:
    """Makes a file system of some size, or mounts it anew, with these options."""
    place = tmp_path / "disk"
    place.mkdir()
    mount, umount = shutil.which("mount"), shutil.which("umount")
    if os.geteuid() != 0 or not mount or not umount:
        pytest.skip("mounting a small file system takes root")

    def mounted(options: str) -> Path:
        command = [mount, "-t", "tmpfs", "-o", options, "footnote-test", str(place)]
        made = subprocess.run(command, capture_output=True, text=True, check=False)
        if made.returncode:
            pytest.skip(f"mounting is not allowed here: {made.stderr.strip()}")
        return place

    yield mounted
    # Lazily, for Chroma closes its files in a thread of its own.
    subprocess.run([umount, "--lazy", str(place)], check=False)

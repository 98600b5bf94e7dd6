"""Fixtures for all tests: the real encoder, a cheap one, generated documents, no network.

Tests that take minutes are marked `long`: without `--all` they are skipped, and the end says so.
"""

from __future__ import annotations

import atexit
import os
import shutil
import signal
import socket
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest

# Packages are compiled when they are first imported, for the Makefile installs them without. Where
# it is forbidden to keep what was compiled, each of the many processes that tests start compiles
# all that it imports: that takes it three times as long.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False
# Before anything that starts threads is imported: the tests that run beside each other would
# otherwise each want all cores.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_THREAD_LIMIT", "1")  # for the language model, which asks for all of them
# The settings of whoever runs the tests do not count.
for name in [name for name in os.environ if name.startswith("FOOTNOTE_")]:
    del os.environ[name]
os.environ["XDG_CONFIG_HOME"] = os.devnull
# Nor does what they keep: their index, their models, and how the checks of these ended.
os.environ["XDG_DATA_HOME"] = tempfile.mkdtemp()
atexit.register(shutil.rmtree, os.environ["XDG_DATA_HOME"], ignore_errors=True)
# Pages that start at once look for a free port each in a range of their own: two that try the same
# one wait for each other.
_worker = os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")
os.environ["GRADIO_SERVER_PORT"] = str(7860 + 100 * int(_worker))
# A shell starts what runs in the background with Ctrl-C ignored, and processes started here would
# inherit that: they are to end as they do for people.
signal.signal(signal.SIGINT, signal.default_int_handler)

from helpers import CheapEncoder, write_paragraphs  # noqa: E402

from assistant import Assistant  # noqa: E402
from assistant.llm.discovery import is_loopback  # noqa: E402
from index.encoder import Encoder  # noqa: E402
from index.models import Document  # noqa: E402

# Their fixtures; `postgres` before what imports it.
pytest_plugins = ("browsing", "postgres", "chroma_servers", "services")

# How long an example takes is no fault of what it is an example for.
hypothesis.settings.register_profile(
    "patient", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("patient")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--all", action="store_true", help="run the long tests too")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """As many as there are cores, up to what the memory of a small machine holds."""
    return min(4, os.cpu_count() or 1)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Skip the long tests, but not those that were asked for by name."""
    asked_for = "long" in config.option.markexpr or any("::" in name for name in config.args)
    if config.getoption("--all") or asked_for:
        return
    for item in items:
        if item.get_closest_marker("long"):
            item.add_marker(pytest.mark.skip(reason="long; to run it too: make test ARGS=--all"))


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Connecting to anything but this machine raises."""
    connect, connect_ex = socket.socket.connect, socket.socket.connect_ex

    def check(self: socket.socket, address: Any) -> None:
        is_inet = self.family in (socket.AF_INET, socket.AF_INET6)
        if is_inet and not is_loopback(str(address[0])):
            raise AssertionError(f"a test connected to {address}")

    def guarded(self: socket.socket, address: Any) -> None:
        check(self, address)
        connect(self, address)

    def guarded_ex(self: socket.socket, address: Any) -> int:
        check(self, address)
        return connect_ex(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)
    monkeypatch.setattr(socket.socket, "connect_ex", guarded_ex)


@pytest.fixture(scope="session")
def assistant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Assistant]:
    """An assistant that was opened with nothing: on the document that is shipped."""
    with Assistant.open(index_dir=tmp_path_factory.mktemp("assistant")) as opened:
        yield opened


@pytest.fixture(scope="session")
def real_encoder() -> Encoder:
    """The encoder that is shipped."""
    return Encoder()


@pytest.fixture
def cheap() -> CheapEncoder:
    """A fresh cheap encoder, with its own count."""
    return CheapEncoder()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where an index may be made."""
    return tmp_path / "index"


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Document]:
    """A document of 60 paragraphs."""
    yield write_paragraphs(tmp_path_factory.mktemp("small") / "small.txt", 60)


@pytest.fixture(scope="session")
def large(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Document]:
    """A document of 2,000 paragraphs."""
    yield write_paragraphs(tmp_path_factory.mktemp("large") / "large.txt", 2000, seed=1)

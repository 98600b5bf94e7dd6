"""Fixtures for all tests: the real encoder, a cheap one, generated documents, no network."""

from __future__ import annotations

import hashlib
import ipaddress
import os
import random
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from assistant import Assistant
from index.chunking.loader import read_document
from index.encoder import Encoder, Spans, Vectors
from index.models import Document

pytest_plugins = ("browsing",)  # its fixtures

SEEDS = Path(__file__).parents[1] / "seeds"

FOOTNOTE = str(Path(sys.executable).with_name("footnote"))
"""The installed command."""

os.environ.setdefault("OMP_NUM_THREADS", "1")
# The settings of whoever runs the tests do not count.
for name in [name for name in os.environ if name.startswith("FOOTNOTE_")]:
    del os.environ[name]
os.environ["XDG_CONFIG_HOME"] = os.devnull
# A shell starts what runs in the background with Ctrl-C ignored, and processes started here would
# inherit that: they are to end as they do for people.
signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--kills",
        type=int,
        default=4,
        help="how often test_processes.py kills an indexing process",
    )
    parser.addoption(
        "--all-questions",
        action="store_true",
        help="test_writing_model.py asks the whole shipped set, not every eighth question",
    )


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Connecting to anything but this machine raises."""
    connect, connect_ex = socket.socket.connect, socket.socket.connect_ex

    def check(self: socket.socket, address: Any) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6):
            host = str(address[0])
            local = host == "localhost" or (
                host.replace(".", "").replace(":", "").isalnum()
                and not host.isalpha()
                and _is_loopback(host)
            )
            if not local:
                raise AssertionError(f"a test connected to {address}")

    def guarded(self: socket.socket, address: Any) -> None:
        check(self, address)
        connect(self, address)

    def guarded_ex(self: socket.socket, address: Any) -> int:
        check(self, address)
        return connect_ex(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)
    monkeypatch.setattr(socket.socket, "connect_ex", guarded_ex)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class CheapEncoder(Encoder):
    """The real interface at no cost: a vector is drawn from the hash of paragraph and sentence.

    `embedded` counts the paragraphs it was given. Another `salt` is another vector space.
    """

    def __init__(self, salt: str = "", dimension: int = 384) -> None:
        self.name = f"cheap{salt}"
        self.dimension = dimension
        self.fingerprint = hashlib.sha256(self.name.encode()).hexdigest()[:12]
        self.embedded = 0

    def encode_query(self, text: str) -> Vectors:
        return self._draw(text)

    def encode_paragraphs(self, paragraphs: Sequence[tuple[str, Spans]]) -> list[Vectors]:
        self.embedded += len(paragraphs)
        return [
            np.stack([self._draw(f"{text[a:b]}\0{text}") for a, b in spans])
            for text, spans in paragraphs
        ]

    def _draw(self, text: str) -> Vectors:
        digest = hashlib.sha256(f"{self.name}\0{text}".encode()).digest()
        generator = np.random.default_rng(int.from_bytes(digest[:8], "little"))
        vector = generator.standard_normal(self.dimension, dtype=np.float32)
        return vector / np.linalg.norm(vector)


def seed_sentences() -> list[str]:
    """All distinct sentences of the seed document, without line breaks."""
    document = read_document(next(iter(sorted(SEEDS.glob("*.txt")))))
    texts = (" ".join(s.text.split()) for p in document.paragraphs for s in p.sentences)
    return sorted({text for text in texts if len(text) > 20})


def write_paragraphs(file: Path, count: int, seed: int = 0) -> Document:
    """Write a file of distinct paragraphs of 2 to 6 sentences of the seed document, and read it."""
    generator = random.Random(seed)
    sentences = seed_sentences()
    texts = [
        " ".join(
            [
                *generator.sample(sentences, generator.randint(1, 5)),
                f"This is paragraph {number} of set {seed}.",  # no two are alike, in any two files
            ]
        )
        for number in range(count)
    ]
    file.write_text("\n\n".join(texts) + "\n", encoding="utf-8")
    document = read_document(file)
    assert len(document.paragraphs) == count
    return document


def run_footnote(
    *arguments: str | Path, code: int = 0, timeout: float = 120, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run the installed command; whatever it is given, it never shows a traceback."""
    done = subprocess.run(
        [FOOTNOTE, *map(str, arguments)],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    assert "Traceback" not in done.stderr, done.stderr
    assert done.returncode == code, (done.returncode, done.stdout, done.stderr)
    return done


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

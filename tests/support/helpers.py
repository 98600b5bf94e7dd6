"""What several tests use: a cheap encoder, generated documents, the command."""

from __future__ import annotations

import hashlib
import io
import os
import pty
import random
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout, suppress
from functools import cache
from pathlib import Path
from typing import Any, TextIO
from unittest.mock import patch

import numpy as np

from index import Hit, Index
from index.encoder import Encoder, Spans, Vectors
from index.models import Document
from index.readers.loader import document_from_text, read_document

SUPPORT = Path(__file__).parent
ROOT = SUPPORT.parents[1]
SEEDS = ROOT / "seeds"

FOOTNOTE = str(Path(sys.executable).with_name("footnote"))
"""The installed command."""

PATIENCE = 900.0
"""Seconds after which something is taken to hang. No test says by it that something is too slow: a
busy machine may take this long for what a quiet one does in a second."""


Opened = Callable[..., Index]
"""Opens an index that is closed when the test is done."""

Another = Callable[..., Index]
"""Opens the index of a test once more, with another encoder where a `salt` is given."""


class CheapEncoder(Encoder):
    """The real interface at no cost: a vector is drawn from the hash of paragraph and sentence.

    `embedded` counts the paragraphs it was given. Another `salt` is another vector space.
    """

    def __init__(self, salt: str = "", dimension: int = 384, lanes: int = 1) -> None:
        self.lanes = lanes
        self.name = f"cheap{salt}"
        self.dimension = dimension
        self.fingerprint = hashlib.sha256(self.name.encode()).hexdigest()[:12]
        self.embedded = 0

    def encode_queries(self, texts: Sequence[str]) -> list[Vectors]:
        return [self._draw(text) for text in texts]

    def encode_paragraphs(self, paragraphs: Sequence[tuple[str, Spans]]) -> list[Vectors]:
        self.embedded += len(paragraphs)
        return [
            np.stack([self._draw(f"{text[a:b]}\0{text}") for a, b in spans])
            for text, spans in paragraphs
        ]

    def count_tokens(self, text: str) -> int:
        return len(text.split())

    def _draw(self, text: str) -> Vectors:
        digest = hashlib.sha256(f"{self.name}\0{text}".encode("utf-8", "surrogatepass")).digest()
        generator = np.random.default_rng(int.from_bytes(digest[:8], "little"))
        vector = generator.standard_normal(self.dimension, dtype=np.float32)
        return vector / np.linalg.norm(vector)


@cache
def seed_sentences() -> tuple[str, ...]:
    """All distinct sentences of the seed document, without line breaks."""
    document = read_document(next(iter(sorted(SEEDS.glob("*.txt")))))
    texts = (" ".join(s.text.split()) for p in document.paragraphs for s in p.sentences)
    return tuple(sorted({text for text in texts if len(text) > 20}))


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


def check_whole(index: Index, *documents: Document) -> dict[str, Vectors]:
    """The index holds these documents and no others, with a vector for every sentence; these."""
    assert {info.id for info in index.documents()} == {document.id for document in documents}
    found: dict[str, Vectors] = {}
    for document in documents:
        assert index.document(document.id) == document
        found |= index.vectors([paragraph.id for paragraph in document.paragraphs])
        assert all(len(found[p.id]) == len(p.sentences) for p in document.paragraphs)
    return found


def importing_helpers() -> dict[str, str]:
    """The environment for a Python process that imports this module."""
    paths = [str(SUPPORT), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {"PYTHONPATH": os.pathsep.join(paths)}


def ran(command: Sequence[str | Path], **how: Any) -> subprocess.CompletedProcess[str]:
    """A command that has ended, with what it has printed; `how` as `subprocess.run` takes it."""
    how = {"capture_output": True, "text": True, "timeout": PATIENCE, "check": False} | how
    return subprocess.run([str(part) for part in command], **how)


def run_footnote(
    *arguments: str | Path, code: int = 0, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run the installed command; whatever it is given, it never shows a traceback."""
    return _checked(ran([FOOTNOTE, *arguments], env=os.environ | environment), code)


def footnote(
    *arguments: str | Path,
    code: int | None = 0,
    **environment: str,
) -> subprocess.CompletedProcess[str]:
    """The same in this process, which does not load everything anew: for what is not about a
    process of its own. With `code` None any exit code will do."""
    output, errors = (
        io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True) for _ in range(2)
    )
    ending = _run_here(arguments, output, errors, environment)
    texts = [stream.buffer.getvalue().decode() for stream in (output, errors)]  # type: ignore[attr-defined]
    return _checked(subprocess.CompletedProcess(["footnote"], ending, *texts), code)


def on_terminal(*arguments: str | Path, **environment: str) -> str:
    """The same: what it prints on a terminal, where it exits with 0."""
    ours, its = pty.openpty()
    shown: list[bytes] = []

    def read() -> None:
        with suppress(OSError):  # which tells on Linux that the other end was closed
            while more := os.read(ours, 65536):
                shown.append(more)

    reader = threading.Thread(target=read)
    reader.start()
    with os.fdopen(its, "w", encoding="utf-8") as terminal:
        ending = _run_here(arguments, terminal, terminal, environment)
    reader.join()
    os.close(ours)
    text = b"".join(shown).decode().replace("\r\n", "\n")
    return _checked(subprocess.CompletedProcess(["footnote"], ending, text, text), 0).stdout


def _run_here(
    arguments: Sequence[str | Path],
    output: TextIO,
    errors: TextIO,
    environment: Mapping[str, str],
) -> int:
    """Run the command in this process; its exit code."""
    from assistant.cli.main import main

    ending: object = None
    with (
        patch.object(sys, "argv", ["footnote", *map(str, arguments)]),
        patch.dict(os.environ, environment),
        redirect_stdout(output),
        redirect_stderr(errors),
    ):
        try:
            main()
        except SystemExit as raised:
            ending = raised.code
    assert isinstance(ending, int), ending
    return ending


def _checked(
    done: subprocess.CompletedProcess[str], code: int | None
) -> subprocess.CompletedProcess[str]:
    assert "Traceback" not in done.stderr, done.stderr
    assert code in (None, done.returncode), (done.returncode, done.stdout, done.stderr)
    return done


@contextmanager
def running(
    command: Sequence[str | Path], log: Path, ending: signal.Signals = signal.SIGTERM, **more: str
) -> Iterator[tuple[str, int]]:
    """Run a command that serves on this machine: the address that it tells, and its process.
    Ended, it leaves no error.

    Args:
        command: with its arguments.
        log: where what it prints besides goes.
        ending: how it is ended.
        more: of its environment.
    """
    with log.open("w") as errors:
        process = subprocess.Popen(
            [str(part) for part in command],
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            env=os.environ | more,
        )
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        assert line.startswith("Footnote is at http://"), line + log.read_text()
        yield line.split()[3].removesuffix("api/docs"), process.pid
    finally:
        process.send_signal(ending)
        process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, log.read_text()
    assert "Traceback" not in log.read_text(), log.read_text()


def free_ports(count: int) -> list[int]:
    """Ports that nothing listens at."""
    with ExitStack() as held:
        probes = [held.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [probe.getsockname()[1] for probe in probes]


def hits_of(*paragraphs: Sequence[str]) -> list[Hit]:
    """Hits with the first sentence nearest and the others ever farther."""
    document = document_from_text("\n\n".join(map(" ".join, paragraphs)), "boats.txt")
    return [
        Hit(
            paragraph,
            1.0 - rank / 10,
            tuple(0.9 - n / 100 for n in range(len(paragraph.sentences))),
            terms=0.1,
        )
        for rank, paragraph in enumerate(document.paragraphs)
    ]

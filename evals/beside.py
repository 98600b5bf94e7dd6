"""Answers while another process writes the same index, and single writes to a large one."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from assistant import Assistant
from assistant.settings import PREFIX, load_settings
from index.errors import FootnoteError

#: Questions that are asked while another process adds documents. Not tuned.
ASKED = 500
#: Paragraphs from which on so many are asked, and so many at once. Not tuned.
SMALL = 1000
#: Paragraphs that it adds to begin with; more follow for as long as questions are asked.
ADDED = 400
#: Answers in a row that may fail before no more are asked.
MAX_FAILED = 20

_ADD = "import sys; from assistant.cli.main import main; sys.argv[0] = 'footnote'; main()"


def beside_size(settings: Mapping[str, Any], questions: Sequence[str]) -> dict[str, Any]:
    """Ask ASKED questions of an index, and as many while `footnote index add` runs on it in another
    process at low priority; then keep and remove a document of it.

    Returns:
        `alone_p95_ms` and `beside_p95_ms`, milliseconds that 95 % of the answers took at most;
        `beside_failed`, how many failed; `beside_added`, paragraphs that were added meanwhile;
        `keep_ms` and `remove_ms`.
    """
    own = load_settings(**settings, reader="shipped")
    index = own.open_index()
    documents = [info.id for info in index.documents()]
    with Assistant(index, documents, own) as assistant, tempfile.TemporaryDirectory() as folder:
        before = index.status().paragraphs
        times = ASKED if before >= SMALL else len(questions)
        asked = [questions[n % len(questions)] for n in range(times)]
        for question in questions:
            assistant.ask(question)
        alone, _ = _times(assistant, [f"{one} ({n})" for n, one in enumerate(asked)])
        writer = _Writer(Path(folder), settings)
        try:
            writer.wait()
            beside, failed = _times(
                assistant, [f"{one} (beside, {n})" for n, one in enumerate(asked)], writer
            )
        finally:
            writer.close()
        added = index.status().paragraphs - before
        some = next(info.id for info in index.documents() if info.id not in documents)
        keep = _milliseconds(lambda: index.keep(some))
        remove = _milliseconds(lambda: index.remove(some))
    return {
        "alone_p95_ms": statistics.quantiles(alone, n=20)[18],
        "beside_p95_ms": statistics.quantiles(beside, n=20)[18] if len(beside) > 1 else None,
        "beside_failed": failed,
        "beside_added": added,
        "keep_ms": keep,
        "remove_ms": remove,
    }


class _Writer:
    """`footnote index add` of one file after the other, until it is closed."""

    def __init__(self, folder: Path, settings: Mapping[str, Any]) -> None:
        self._folder = folder
        given = {f"{PREFIX}{name.upper()}": str(value) for name, value in settings.items() if value}
        self._environment = os.environ | given
        self._number = 0
        self._start()

    def _start(self) -> None:
        self._number += 1
        file = self._folder / f"added-{self._number}.txt"
        # No two paragraphs alike, or there would be nothing to encode.
        paragraphs = (
            f"Section {self._number}.{n} was added on day {n}. It has {n * 7} words of its own."
            for n in range(ADDED)
        )
        file.write_text("\n\n".join(paragraphs), encoding="utf-8")
        nice = ["nice", "-n", "19"] if os.name == "posix" else []
        self._process = subprocess.Popen(  # noqa: S603 - ours
            [*nice, sys.executable, "-c", _ADD, "index", "add", str(file)],
            env=self._environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )

    def wait(self) -> None:
        """Return once it has had the time to start."""
        time.sleep(3)

    def go_on(self) -> None:
        """Add another file where one is done.

        Raises:
            FootnoteError: it failed.
        """
        if self._process.poll() is None:
            return
        _, said = self._process.communicate()
        if self._process.returncode:
            raise FootnoteError(f"Adding documents failed:\n{said.decode()[-2000:]}")
        self._start()

    def close(self) -> None:
        """End when it has added what it began with."""
        self._process.communicate()


def _times(
    assistant: Assistant, questions: Sequence[str], writer: _Writer | None = None
) -> tuple[list[float], int]:
    """Milliseconds of each answer, and how many failed."""
    took: list[float] = []
    failed = 0
    for question in questions:
        if writer:
            writer.go_on()
        began = time.perf_counter()
        try:
            assistant.ask(question)
        except FootnoteError:
            failed += 1
            if failed >= MAX_FAILED:
                break
        else:
            took.append((time.perf_counter() - began) * 1000)
    return took, failed


def _milliseconds(work: Any) -> float:
    began = time.perf_counter()
    work()
    return (time.perf_counter() - began) * 1000

"""Answers while another process writes the same index, and single writes to a large one."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from assistant import Assistant
from assistant.settings import PREFIX, load_settings
from index.errors import FootnoteError

#: Questions that are asked while another process adds documents. Not tuned.
QUESTIONS_ASKED = 500
#: Smaller indexes are asked fewer questions, and each person asks once. Not tuned.
SMALL = 1000
#: Paragraphs that it adds to begin with; more follow for as long as questions are asked.
PARAGRAPHS_ADDED = 400
#: Answers in a row that may fail before no more are asked.
MAX_FAILED = 20
#: The command `footnote`, in a process of its own.
FOOTNOTE = "import sys; from assistant.cli.main import main; sys.argv[0] = 'footnote'; main()"


def seconds(work: Callable[[], object]) -> float:
    """How long it takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def environment(settings: Mapping[str, Any]) -> dict[str, str]:
    """That of a process which finds the same index, whatever this one's settings are."""
    given = {f"{PREFIX}{name.upper()}": value for name, value in settings.items()}
    others = {name: value for name, value in os.environ.items() if name not in given}
    return others | {name: str(value) for name, value in given.items() if value}


def beside_size(settings: Mapping[str, Any], questions: Sequence[str]) -> dict[str, Any]:
    """Ask QUESTIONS_ASKED questions of an index, and as many while `footnote index add` runs on it
    in another process at low priority; then keep and remove a document of it.

    Returns:
        `alone_p95_ms` and `beside_p95_ms`, milliseconds that 95 % of the answers took at most;
        `beside_failed`, how many failed; `beside_added`, paragraphs that were added meanwhile;
        `keep_ms` and `remove_ms`.
    """
    loaded = load_settings(**settings, reader="shipped")
    index = loaded.open_index()
    documents = [info.id for info in index.documents()]
    with Assistant(index, documents, loaded) as assistant:
        before = index.status().paragraphs
        times = QUESTIONS_ASKED if before >= SMALL else len(questions)
        asked = [questions[n % len(questions)] for n in range(times)]
        for question in questions:
            assistant.ask(question)
        alone, _ = _times(assistant, [f"{one} ({n})" for n, one in enumerate(asked)])
        with _adding(settings) as go_on:
            asked = [f"{one} (beside, {n})" for n, one in enumerate(asked)]
            beside, failed = _times(assistant, asked, go_on)
        added = index.status().paragraphs - before
        some = next(info.id for info in index.documents() if info.id not in documents)
        keep = 1000 * seconds(lambda: index.keep(some))
        remove = 1000 * seconds(lambda: index.remove(some))
    return {
        "alone_p95_ms": statistics.quantiles(alone, n=20)[18],
        "beside_p95_ms": statistics.quantiles(beside, n=20)[18] if len(beside) > 1 else None,
        "beside_failed": failed,
        "beside_added": added,
        "keep_ms": keep,
        "remove_ms": remove,
    }


@contextmanager
def _adding(settings: Mapping[str, Any]) -> Iterator[Callable[[], None]]:
    """Run `footnote index add` of one file after the other. What is given has to be called now and
    then, to add another where one is done; it raises a FootnoteError where that failed. In the end
    what was begun is added."""
    nice = ["nice", "-n", "19"] if os.name == "posix" else []
    command = [*nice, sys.executable, "-c", FOOTNOTE, "index", "add"]
    running: list[subprocess.Popen[bytes]] = []

    def start() -> None:
        file = Path(folder) / f"added-{len(running) + 1}.txt"
        # No two paragraphs alike, or there would be nothing to encode.
        paragraphs = (
            f"Section {len(running) + 1}.{n} was added on day {n}. It has {n * 7} words of its own."
            for n in range(PARAGRAPHS_ADDED)
        )
        file.write_text("\n\n".join(paragraphs), encoding="utf-8")
        process = subprocess.Popen(  # noqa: S603 - ours
            [*command, str(file)],
            env=environment(settings),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        running.append(process)

    def go_on() -> None:
        if running[-1].poll() is None:
            return
        _, said = running[-1].communicate()
        if running[-1].returncode:
            raise FootnoteError(f"Adding documents failed:\n{said.decode()[-2000:]}")
        start()

    with tempfile.TemporaryDirectory() as folder:
        start()
        try:
            time.sleep(3)  # until it has started
            yield go_on
        finally:
            if running[-1].poll() is None:
                running[-1].communicate()


def _times(
    assistant: Assistant, questions: Sequence[str], before_each: Callable[[], None] = lambda: None
) -> tuple[list[float], int]:
    """Milliseconds of each answer, and how many failed."""
    took: list[float] = []
    failed = 0
    for question in questions:
        before_each()
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

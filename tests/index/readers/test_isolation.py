"""A file that makes its reader crash, or never come to an end, is refused, and the next is read."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from office import PROSE, write_docx
from xlsxwriter import Workbook

from index import read_document
from index.chunking.isolation import READING, IsolatedProcess
from index.errors import UnreadableError


@pytest.fixture
def report(tmp_path: Path) -> Path:
    write_docx(tmp_path / "report.docx")
    return tmp_path / "report.docx"


@pytest.fixture
def process() -> Iterator[IsolatedProcess]:
    with closing(IsolatedProcess(60)) as process:
        yield process


def test_a_crash_is_told_and_ends_nothing_else(tmp_path: Path, report: Path) -> None:
    file = tmp_path / "wide.xlsx"
    with Workbook(str(file)) as book:
        sheet = book.add_worksheet()
        sheet.write("A1", "Name")
        sheet.write("XFD1048576", "far outside")  # dense, it would take half a terabyte
    with pytest.raises(UnreadableError, match=r"wide\.xlsx.*far outside of the text or table"):
        read_document(file)
    assert PROSE in read_document(report).text


def test_what_takes_too_long_is_given_up(report: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    READING.close()  # so that it has everything to import
    monkeypatch.setattr(READING, "seconds", 0.01)
    with pytest.raises(UnreadableError, match="given up after 0 seconds"):
        read_document(report)
    monkeypatch.undo()
    assert PROSE in read_document(report).text


class Evil:
    def __reduce__(self) -> tuple[object, ...]:
        return os.system, ("true",)


def test_whatever_a_reader_does_is_told_of_its_file(process: IsolatedProcess) -> None:
    with pytest.raises(UnreadableError, match=r"odd\.txt.*damaged") as caught:
        process.run("odd.txt", int, "no number")
    assert "ValueError" not in str(caught.value), "that is for who mends it"
    assert "ValueError: invalid literal" in str(caught.value.__cause__)
    assert process.run("odd.txt", len, b"four") == 4, "the process goes on"
    # Nothing that comes back is run.
    with pytest.raises(UnreadableError) as caught:
        process.run("evil.txt", Evil)
    assert "an answer holds posix.system" in str(caught.value.__cause__)
    # Memory is limited.
    with pytest.raises(UnreadableError, match="more memory"):
        process.run("large.txt", bytes, 5 << 30)
    assert process.run("small.txt", len, b"") == 0


def test_many_threads_may_read_and_a_killed_process_is_started_again(report: Path) -> None:
    with ThreadPoolExecutor(8) as threads:
        assert all(PROSE in read.text for read in threads.map(read_document, [report] * 8))
    process = READING._process
    assert process is not None
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert PROSE in read_document(report).text


def test_it_ends_with_the_process_that_started_it(report: Path) -> None:
    code = (
        "import os, signal, sys; from index import read_document; "
        "from index.chunking.isolation import READING; read_document(sys.argv[1]); "
        "print(READING._process.pid, flush=True); os.kill(os.getpid(), signal.SIGKILL)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(report)], capture_output=True, text=True, check=False
    )
    assert done.returncode == -signal.SIGKILL
    while is_running(int(done.stdout)):
        time.sleep(0.05)


@pytest.mark.parametrize(
    "work",
    [
        "time.sleep, 3600",
        're.match, "(a+)+$", "a" * 60 + "b"',  # which lets no other thread run
    ],
)
def test_it_ends_with_that_process_while_it_reads(work: str) -> None:
    code = (
        "import os, re, signal, threading, time; "
        "from index.chunking.isolation import IsolatedProcess; process = IsolatedProcess(1); "
        "process.run('a.txt', len, b''); process.seconds = 3600; print(process._process.pid, "
        f"flush=True); threading.Thread(target=process.run, args=('a.txt', {work})).start(); "
        "time.sleep(0.5); os.kill(os.getpid(), signal.SIGKILL)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == -signal.SIGKILL
    while is_running(int(done.stdout)):
        time.sleep(0.05)


def is_running(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"

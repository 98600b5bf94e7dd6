"""Killed, interrupted and concurrent processes, with real processes and real Chroma."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from conftest import CheapEncoder, write_paragraphs

from index.chunking.loader import read_document
from index.encoder import Encoder, Vectors
from index.errors import IndexBusyError
from index.index import Index
from index.models import Document

TESTS = Path(__file__).parent

# Arguments: folder, file, encoder. Prints `ready` before the sync and `done` after it.
WORKER = """
import sys
from pathlib import Path
from conftest import CheapEncoder
from index.index import Index
from index.chunking.loader import read_document
folder, file, encoder = sys.argv[1:]
chosen = CheapEncoder(dimension=32) if encoder == "cheap" else encoder
print("ready", flush=True)
index = Index(Path(folder), encoder=chosen, wait=120)
report = index.sync([read_document(file)], lambda done, total: print("at", done, flush=True))
print("done", report.embedded, flush=True)
index.close()
"""


def start(folder: Path, file: Path, encoder: str = "cheap") -> subprocess.Popen[str]:
    environment = os.environ | {"PYTHONPATH": str(TESTS), "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        [sys.executable, "-c", WORKER, str(folder), str(file), encoder],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(process: subprocess.Popen[str]) -> str:
    output, errors = process.communicate(timeout=300)
    assert process.returncode == 0, errors
    return output


def contents(folder: Path, encoder: Encoder, document: Document) -> dict[str, Vectors]:
    """All vectors by paragraph id, after checking that the index holds the document and no more."""
    index = Index(folder, encoder=encoder)
    kept = index.document(document.id)
    assert kept == document
    assert index._access.store is not None
    store = index._access.store.space
    ids = {p.id for p in document.paragraphs}
    assert store.paragraph_ids() == ids
    assert store.sentence_count() == sum(len(p.sentences) for p in document.paragraphs)
    vectors = store.vectors(store.passages(ids).values())
    for paragraph in document.paragraphs:
        own = vectors[paragraph.id]
        assert len(own) == len(paragraph.sentences)
        [(identity, number, cosine)] = store.nearest(own[0], 1)
        assert (identity, number) == (paragraph.id, 0)
        assert cosine == pytest.approx(1.0, abs=1e-5)
    index.close()
    return vectors


def same(found: dict[str, Vectors], expected: dict[str, Vectors]) -> bool:
    return found.keys() == expected.keys() and all(
        np.array_equal(found[identity], expected[identity]) for identity in expected
    )


def kill_and_compare(
    tmp_path: Path, document: Document, encoder: str, chosen: Encoder, kills: int, seed: int
) -> None:
    """Kill indexing at random instants; every second kill hits the run after a killed one."""
    file = Path(document.source)
    began = time.monotonic()
    finish(start(tmp_path / "undisturbed", file, encoder))
    duration = time.monotonic() - began
    expected = contents(tmp_path / "undisturbed", chosen, document)
    generator = random.Random(seed)
    rebuilt = finished = 0
    for kill in range(kills):
        folder = tmp_path / "killed"
        process = start(folder, file, encoder)
        instant = generator.uniform(0, duration)
        try:
            process.wait(instant)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
        else:
            finished += 1
        process.communicate()
        index = Index(folder, encoder=chosen)  # opens whatever is there
        assert index._access.store is not None
        rebuilt += index._access.store.stale is not None
        index.close()
        print(f"kill {kill + 1} at {instant:.2f} s: {index_state(folder)}", flush=True)
        if kill % 2:
            finish(start(folder, file, encoder))
            assert same(contents(folder, chosen, document), expected), (kill, instant)
            shutil.rmtree(folder)
    print(f"{kills} kills over {duration:.1f} s, {rebuilt} rebuilt, {finished} came too late")


def index_state(folder: Path) -> str:
    return f"{sum(f.stat().st_size for f in folder.rglob('*') if f.is_file()) >> 10} KiB"


def test_killed_at_random_instants_converges(
    tmp_path: Path, large: Document, pytestconfig: pytest.Config
) -> None:
    kills = pytestconfig.getoption("--kills")
    kill_and_compare(tmp_path, large, "cheap", CheapEncoder(dimension=32), kills, seed=kills)


def test_killed_with_the_real_encoder_converges(tmp_path: Path, real_encoder: Encoder) -> None:
    document = write_paragraphs(tmp_path / "real.txt", 300, seed=5)  # some 1,200 sentences
    kill_and_compare(tmp_path, document, "all-MiniLM-L6-v2", real_encoder, 2, seed=3)


@pytest.fixture
def crowd(tmp_path: Path) -> Iterator[list[Path]]:
    files = [tmp_path / f"{number}.txt" for number in range(2)]
    for number, file in enumerate(files):
        write_paragraphs(file, 400, seed=10 + number)
    yield files


def test_two_processes_adding_at_once_lose_nothing(folder: Path, crowd: list[Path]) -> None:
    processes = [start(folder, file) for file in crowd]
    for process in processes:
        assert "done 400" in finish(process)
    index = Index(folder, encoder=CheapEncoder(dimension=32))
    for file in crowd:
        document = read_document(file)
        assert index.document(document.id) == document
    assert index.status().paragraphs == 800
    index.close()


def test_an_open_index_sees_what_another_process_added(folder: Path, crowd: list[Path]) -> None:
    first, second = map(read_document, crowd)
    encoder = CheapEncoder(dimension=32)
    index = Index(folder, encoder=encoder)
    index.sync([first])
    other = Index(folder, encoder=encoder)  # in this process too, with a connection of its own
    finish(start(folder, crowd[1]))
    for each in (index, other):
        for document in (first, second):
            paragraph = document.paragraphs[17]
            vector = encoder.encode_paragraphs(
                [(paragraph.text, [(0, len(paragraph.sentences[0].text))])]
            )[0][0]
            assert each.search("x", 1, vector=vector, legs=["sentence"])[0].paragraph == paragraph
    index.close()
    assert len(other.documents()) == 2  # still open
    other.close()


def test_who_holds_the_index_is_named(folder: Path, large: Document) -> None:
    process = start(folder, Path(large.source))
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("at 64"):
            break
    messages: list[str] = []
    with pytest.raises(IndexBusyError, match=rf"process {process.pid}\)"):
        Index(folder, encoder=CheapEncoder(dimension=32), wait=0.2, on_wait=messages.append)
    assert str(process.pid) in messages[0]
    index = Index(folder, encoder=CheapEncoder(dimension=32), wait=120)  # waits, then works
    assert index.document(large.id) == large
    index.close()
    finish(process)


def test_threads_search_while_another_syncs(folder: Path, tmp_path: Path) -> None:
    encoder = CheapEncoder(dimension=32)
    steady = write_paragraphs(tmp_path / "steady.txt", 100, seed=20)
    versions = [write_paragraphs(tmp_path / "changing.txt", 150, seed=s) for s in range(21, 25)]
    index = Index(folder, encoder=encoder)
    index.sync([steady, versions[0]])
    stop = threading.Event()

    def look(number: int) -> int:
        looks = 0
        while not stop.is_set():
            paragraph = steady.paragraphs[(number * 7 + looks) % 100]
            vector = encoder.encode_paragraphs(
                [(paragraph.text, [(0, len(paragraph.sentences[0].text))])]
            )[0][0]
            hits = index.search(paragraph.text, 3, vector=vector)
            assert hits[0].paragraph == paragraph
            assert index.document(versions[0].id) in versions
            looks += 1
        return looks

    with ThreadPoolExecutor(3) as threads:
        futures = [threads.submit(look, number) for number in range(3)]
        try:
            for version in [*versions[1:], *versions[:2]]:
                index.sync([version])
                assert index.document(version.id) == version
        finally:
            stop.set()
        assert all(future.result() > 0 for future in futures)
    index.close()


def test_ctrl_c_stops_at_once_and_the_next_run_goes_on(folder: Path, large: Document) -> None:
    process = start(folder, Path(large.source))
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("at 640"):
            break
    began = time.monotonic()
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert time.monotonic() - began < 10
    assert "KeyboardInterrupt" in errors.splitlines()[-1]
    output = finish(start(folder, Path(large.source)))
    embedded = int(output.split("done ")[1].split()[0])
    assert 0 < embedded <= 2000 - 640
    contents(folder, CheapEncoder(dimension=32), large)


def test_killed_while_chroma_rewrites_its_files_converges(
    tmp_path: Path, large: Document, pytestconfig: pytest.Config
) -> None:
    file = Path(large.source)
    finish(start(tmp_path / "undisturbed", file))
    expected = contents(tmp_path / "undisturbed", CheapEncoder(dimension=32), large)
    generator = random.Random(8)
    rebuilt = 0
    for _ in range(pytestconfig.getoption("--kills")):
        folder = tmp_path / "torn"
        process = start(folder, file)
        writes, wanted, last = 0, generator.randint(1, 4), 0
        while writes < wanted and process.poll() is None:
            # The ids are written after the graph; the time of the graph is that of its first byte.
            sizes = [f.stat().st_size for f in folder.glob("chroma/*/data_level0.bin")]
            size = max(sizes, default=0)
            writes += size > last > 0
            last = size
        time.sleep(generator.choice([0, 0, 0.001, 0.005]))
        process.kill()
        process.communicate()
        index = Index(folder, encoder=CheapEncoder(dimension=32))
        assert index._access.store is not None
        rebuilt += index._access.store.stale is not None
        index.close()
        finish(start(folder, file))
        assert same(contents(folder, CheapEncoder(dimension=32), large), expected)
        shutil.rmtree(folder)
    print(f"{rebuilt} rebuilt")
    assert rebuilt > 0  # or the kills missed what this is a test of

"""Killed, interrupted and concurrent processes, with real processes and real Chroma."""

from __future__ import annotations

import random
import shutil
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from helpers import PATIENCE, CheapEncoder, Process, write_paragraphs

from index.chunking.loader import read_document
from index.encoder import Encoder, Vectors
from index.errors import IndexBusyError
from index.index import Index
from index.models import Document

# Arguments: folder, file, encoder; `cheap3` is the cheap one with three lanes. Prints `ready`
# before the sync, `at` and how far it is after each step, and `done` after it. It goes on from step
# to step only when told so by a line, so that whoever watches it knows where it is, however busy
# the machine is.
WORKER = """
import sys
from pathlib import Path
from helpers import PATIENCE, CheapEncoder
from index.index import Index
from index.chunking.loader import read_document

def step(*told):
    print(*told, flush=True)
    sys.stdin.readline()

folder, file, encoder = sys.argv[1:]
cheap, lanes = encoder.startswith("cheap"), encoder.removeprefix("cheap") or 1
chosen = CheapEncoder(dimension=32, lanes=int(lanes)) if cheap else encoder
step("ready")
index = Index(Path(folder), encoder=chosen, wait=PATIENCE)
report = index.sync([read_document(file)], lambda done, total: step("at", done))
print("done", report.embedded, flush=True)
index.close()
"""


class Worker(Process):
    """A process that indexes a file, step by step."""

    def __init__(self, folder: Path, file: Path, encoder: str = "cheap") -> None:
        super().__init__(WORKER, folder, file, encoder)


def finish(folder: Path, file: Path, encoder: str = "cheap") -> list[str]:
    return Worker(folder, file, encoder).finish()


def contents(folder: Path, encoder: Encoder, document: Document) -> dict[str, Vectors]:
    """All vectors by paragraph id, after checking that the index holds the document and no more."""
    index = Index(folder, encoder=encoder)
    kept = index.document(document.id)
    assert kept == document
    assert index._session.store is not None
    store = index._session.store.generation
    ids = {p.id for p in document.paragraphs}
    assert store.paragraph_ids() == ids
    assert store.sentence_count() == sum(len(p.sentences) for p in document.paragraphs)
    vectors = store.vectors(store.texts(ids).values())
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
    """Kill indexing at random instants of random steps; every second kill hits the run after a
    killed one."""
    file = Path(document.source)
    began = time.monotonic()
    steps = finish(tmp_path / "undisturbed", file, encoder)
    duration = (time.monotonic() - began) / len(steps)
    expected = contents(tmp_path / "undisturbed", chosen, document)
    generator = random.Random(seed)
    rebuilt = 0
    folder = tmp_path / "killed"
    for kill in range(kills):
        worker = Worker(folder, file, encoder)
        if kill % 2:  # what the killed run before it kept is not done again
            for _ in range(generator.randint(1, 4)):
                before = worker.told()
                worker.go_on()
        else:
            before = steps[generator.randrange(len(steps) - 1)]
            worker.until(before)
            worker.go_on()
        time.sleep(generator.uniform(0, duration))
        worker.process.kill()
        worker.ended()
        assert worker.process.returncode in (-signal.SIGKILL, 0)  # 0: that was its last step
        index = Index(folder, encoder=chosen)  # opens whatever is there
        assert index._session.store is not None
        rebuilt += index._session.store.stale is not None
        index.close()
        print(f"kill {kill + 1} after {before!r}: {index_state(folder)}", flush=True)
        if kill % 2 or kill == kills - 1:
            finish(folder, file, encoder)
            assert same(contents(folder, chosen, document), expected), (kill, before)
            shutil.rmtree(folder)
    print(f"{kills} kills, {rebuilt} rebuilt")


def index_state(folder: Path) -> str:
    return f"{sum(f.stat().st_size for f in folder.rglob('*') if f.is_file()) >> 10} KiB"


@pytest.mark.parametrize("encoder", ["cheap", "cheap3"])
def test_killed_it_goes_on_and_nothing_is_lost(
    tmp_path: Path, large: Document, encoder: str
) -> None:
    kill_and_compare(tmp_path, large, encoder, CheapEncoder(dimension=32), kills=1, seed=1)


@pytest.mark.long
def test_killed_at_random_instants_converges(tmp_path: Path, large: Document) -> None:
    kill_and_compare(tmp_path, large, "cheap", CheapEncoder(dimension=32), kills=8, seed=4)


@pytest.mark.long
def test_killed_with_the_real_encoder_converges(tmp_path: Path, real_encoder: Encoder) -> None:
    document = write_paragraphs(tmp_path / "real.txt", 300, seed=5)  # some 1,200 sentences
    kill_and_compare(tmp_path, document, "all-MiniLM-L6-v2", real_encoder, kills=2, seed=3)


@pytest.fixture
def crowd(tmp_path: Path) -> Iterator[list[Path]]:
    files = [tmp_path / f"{number}.txt" for number in range(2)]
    for number, file in enumerate(files):
        write_paragraphs(file, 400, seed=10 + number)
    yield files


def test_two_processes_adding_at_once_lose_nothing(folder: Path, crowd: list[Path]) -> None:
    workers = [Worker(folder, file) for file in crowd]
    for worker in workers:
        worker.go_on(1000)  # both at once
    for worker in workers:
        assert "done 400" in worker.finish()
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
    finish(folder, crowd[1])
    for each in (index, other):
        for document in (first, second):
            paragraph = document.paragraphs[17]
            vector = encoder.encode_paragraphs(
                [(paragraph.text, [(0, len(paragraph.sentences[0].text))])]
            )[0][0]
            assert (
                each.search("x", 1, vector=vector, legs=["sentence"]).hits[0].paragraph == paragraph
            )
    index.close()
    assert len(other.documents()) == 2  # still open
    other.close()


def test_who_holds_the_index_is_named(folder: Path, large: Document) -> None:
    worker = Worker(folder, Path(large.source))
    worker.until("at 64")  # where it stays, with the index
    pid = worker.process.pid
    messages: list[str] = []
    with pytest.raises(IndexBusyError, match=rf"process {pid}\)"):
        Index(folder, encoder=CheapEncoder(dimension=32), wait=0.2, on_wait=messages.append)
    assert str(pid) in messages[0]
    worker.go_on(1000)
    index = Index(folder, encoder=CheapEncoder(dimension=32), wait=PATIENCE)  # waits, then works
    assert index.document(large.id) == large
    index.close()
    worker.finish()


def test_threads_search_while_another_syncs(folder: Path, tmp_path: Path) -> None:
    encoder = CheapEncoder(dimension=32)
    steady = write_paragraphs(tmp_path / "steady.txt", 100, seed=20)
    versions = [write_paragraphs(tmp_path / "changing.txt", 150, seed=s) for s in range(21, 25)]
    index = Index(folder, encoder=encoder, wait=PATIENCE)
    index.sync([steady, versions[0]])
    stop = threading.Event()

    def look(number: int) -> int:
        looks = 0
        while not stop.is_set():
            paragraph = steady.paragraphs[(number * 7 + looks) % 100]
            vector = encoder.encode_paragraphs(
                [(paragraph.text, [(0, len(paragraph.sentences[0].text))])]
            )[0][0]
            hits = index.search(paragraph.text, 3, vector=vector).hits
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
    worker = Worker(folder, Path(large.source))
    worker.until("at 640")
    worker.go_on()
    worker.process.send_signal(signal.SIGINT)  # somewhere in the next step
    output, errors = worker.ended()
    assert output.split() in ([], ["at", "704"])
    assert "KeyboardInterrupt" in errors.splitlines()[-1]
    output_lines = finish(folder, Path(large.source))
    embedded = int(output_lines[-1].removeprefix("done "))
    assert 0 < embedded <= 2000 - 640
    contents(folder, CheapEncoder(dimension=32), large)


@pytest.mark.long
def test_killed_while_chroma_rewrites_its_files_converges(tmp_path: Path, large: Document) -> None:
    file = Path(large.source)
    finish(tmp_path / "undisturbed", file)
    expected = contents(tmp_path / "undisturbed", CheapEncoder(dimension=32), large)
    generator = random.Random(8)
    rebuilt, kills = 0, 0
    # Some kills miss the short while that this is a test of, more of them on a busy machine.
    while kills < 4 or (not rebuilt and kills < 60):
        kills += 1
        folder = tmp_path / "torn"
        worker = Worker(folder, file)
        worker.go_on(1000)
        writes, wanted, last = 0, generator.randint(1, 4), 0
        while writes < wanted and worker.process.poll() is None:
            # The ids are written after the graph; the time of the graph is that of its first byte.
            sizes = [f.stat().st_size for f in folder.glob("chroma/*/data_level0.bin")]
            size = max(sizes, default=0)
            writes += size > last > 0
            last = size
        time.sleep(generator.choice([0, 0, 0.001, 0.005]))
        worker.process.kill()
        worker.ended()
        index = Index(folder, encoder=CheapEncoder(dimension=32))
        assert index._session.store is not None
        rebuilt += index._session.store.stale is not None
        index.close()
        finish(folder, file)
        assert same(contents(folder, CheapEncoder(dimension=32), large), expected)
        shutil.rmtree(folder)
    print(f"{rebuilt} of {kills} rebuilt")
    assert rebuilt > 0

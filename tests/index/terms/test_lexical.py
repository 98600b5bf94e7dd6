"""The lexical index: what is derived again and what is not, and what is kept on the disk."""

from __future__ import annotations

import logging
import os
import random
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from math import log2
from pathlib import Path

import numpy as np
import pytest
from helpers import PATIENCE, importing_helpers
from lexical import Library

from index.store.manifest import Manifest
from index.store.scope import Scope, joined_runs
from index.terms import lexical
from index.terms.lexical import LEAST, LEAST_SHARED, SHARED_FOR, LexicalIndex
from index.terms.shelf import ABANDONED, Shelf

SIZE = 400  # paragraphs of a document
WORDS = [f"{a}{b}" for a in "bcdfghklmnprst" for b in ("arn", "ell", "ips", "ost", "ung")]


def document(library: Library, name: str, seed: int = 0, size: int = SIZE) -> Manifest:
    generator = random.Random(f"{name} {seed}")
    return library.manifest(
        name,
        [(f"Part {n % 7}", " ".join(generator.choices(WORDS, k=8))) for n in range(size)],
    )


def edited(library: Library, manifest: Manifest, at: int) -> Manifest:
    paragraphs = [(" ".join(p.heading), library.texts[p.id].text) for p in manifest.places]
    paragraphs[at] = (paragraphs[at][0], f"{paragraphs[at][1]} changed")
    return library.manifest(manifest.source, paragraphs)


def asked(index: LexicalIndex, manifests: Sequence[Manifest], library: Library) -> Scope:
    """The scope of documents that are all there are."""
    index.follow(partial(joined_runs, manifests))
    return Scope(manifests, index, library)


@pytest.fixture
def library() -> Library:
    return Library()


@pytest.fixture
def documents(library: Library) -> list[Manifest]:
    return [document(library, f"d{n:02}") for n in range(30)]


def same(one: Scope, other: Scope) -> bool:
    return all(
        np.array_equal(one.terms.shares(query), other.terms.shares(query))
        for query in (WORDS[3], " ".join(WORDS[::9]), "unheard of", "changed")
    )


def test_only_what_is_new_is_derived(library: Library, documents: list[Manifest]) -> None:
    index = LexicalIndex(None)
    asked(index, documents, library)
    assert index.derived == library.read == 30 * SIZE
    generator = random.Random(4)
    for _ in range(40):
        before = index.derived
        number = generator.randrange(len(documents))
        documents[number] = edited(library, documents[number], generator.randrange(SIZE))
        scope = asked(index, documents, library)
        # The run that it is in, and what is joined to it or parted from it.
        assert 0 < index.derived - before < SIZE / 2
        assert library.read == index.derived
    assert index.derived < 30 * SIZE * 1.4
    assert len(index.segments) <= 2 + log2(31 * SIZE)
    at_once = LexicalIndex(None)
    assert same(scope, asked(at_once, documents, library))
    asked(index, documents[:5], library)  # none of this is new
    assert library.read == index.derived + at_once.derived


def test_what_nothing_uses_is_let_go_of(library: Library, documents: list[Manifest]) -> None:
    index = LexicalIndex(None)
    asked(index, documents, library)
    for n in range(60):  # each document twice
        documents[n % 30] = document(library, f"d{n % 30:02}", seed=1 + n)
        asked(index, documents, library)
    assert sum(map(len, index.segments)) <= 2 * 30 * SIZE


def test_a_scope_stays_as_it_was_while_the_index_goes_on(
    library: Library, documents: list[Manifest], tmp_path: Path
) -> None:
    index = LexicalIndex(tmp_path / "terms")
    old = asked(index, documents, library)
    before = old.terms.shares(" ".join(WORDS[::9]))
    for n in range(30):
        documents[n] = document(library, f"d{n:02}", seed=9)
        asked(index, documents, library)
    assert np.array_equal(old.terms.shares(" ".join(WORDS[::9])), before)


def test_another_scope_of_an_old_revision_does_not_hide_the_new_one(
    library: Library, documents: list[Manifest]
) -> None:
    index = LexicalIndex(None)
    asked(index, documents, library)
    newer = [*documents[:29], document(library, "d29", seed=1)]
    asked(index, newer, library)
    derived = index.derived
    Scope([documents[29]], index, library)  # by a reader who began before
    asked(index, newer, library)
    assert index.derived <= derived + SIZE


def test_many_threads_ask_at_once(library: Library, documents: list[Manifest]) -> None:
    index = LexicalIndex(None)
    expected = asked(LexicalIndex(None), documents, library).terms.shares(WORDS[3])
    start = threading.Barrier(4)

    def ask(number: int) -> bool:
        start.wait(PATIENCE)
        whole = Scope(documents, index, library)
        for n in range(number, 30, 4):
            Scope(documents[n : n + 2], index, library)
        return np.array_equal(whole.terms.shares(WORDS[3]), expected)

    with ThreadPoolExecutor(4) as threads:
        assert all(threads.map(ask, range(4)))
    assert index.derived == 30 * SIZE


# --- on the disk ---------------------------------------------------------------------------------


def test_the_next_process_derives_nothing(
    library: Library, documents: list[Manifest], tmp_path: Path
) -> None:
    first = LexicalIndex(tmp_path / "terms")
    whole = asked(first, documents, library)
    again = LexicalIndex(tmp_path / "terms")
    assert same(asked(again, documents, library), whole)
    assert again.derived == 0
    assert names(tmp_path / "terms") == {segment.name for segment in again.segments}
    rows = again.segments[0].arrays["rows"]
    while rows.base is not None and not isinstance(rows, np.memmap):
        rows = rows.base
    assert isinstance(rows, np.memmap)


def test_what_is_small_is_not_kept(library: Library, tmp_path: Path) -> None:
    small = [document(library, "small", size=LEAST - 1)]
    asked(LexicalIndex(tmp_path / "terms"), small, library)
    assert not (tmp_path / "terms").exists()


def test_what_is_not_used_is_deleted(
    library: Library, documents: list[Manifest], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lexical, "KEPT_FOR", 0)
    index = LexicalIndex(tmp_path / "terms")
    for n in range(30):
        documents[n] = document(library, f"d{n:02}", seed=2)
        asked(index, documents, library)
    assert names(tmp_path / "terms") == {s.name for s in index.segments if len(s) >= LEAST}


def spoil(file: Path, at: int = -3) -> None:
    content = bytearray(file.read_bytes())
    content[at] ^= 0x10
    file.write_bytes(content)


def largest(folder: Path) -> Path:
    return max(
        (place for place in folder.iterdir() if len(place.name) == 32),
        key=lambda place: (place / "rows.npy").stat().st_size,
    )


DAMAGES: dict[str, Callable[[Path], object]] = {
    "one bit": lambda place: spoil(place / "rows.npy"),
    "one bit of the runs": lambda place: spoil(place / "runs.npy"),
    "a header": lambda place: spoil(place / "lengths.npy", 20),
    "truncated": lambda place: os.truncate(place / "offsets.npy", 300),
    "emptied": lambda place: os.truncate(place / "counts.npy", 0),
    "a file missing": lambda place: (place / "spelled.npy").unlink(),
    "no digest": lambda place: (place / "sha256").unlink(),
    "digest of noise": lambda place: (place / "sha256").write_bytes(b"\xff\xfe\x00"),
    "all missing": shutil.rmtree,
    "a file in its place": lambda place: (shutil.rmtree(place), place.write_text("x")),
}


@pytest.mark.parametrize("name", DAMAGES)
@pytest.mark.parametrize("where", ["own", "shared"])
def test_damage_is_derived_anew(
    name: str, where: str, library: Library, documents: list[Manifest], tmp_path: Path
) -> None:
    shared = tmp_path / "shared" if where == "shared" else None
    own = tmp_path / "own"
    whole = asked(LexicalIndex(own, shared), documents, library)
    DAMAGES[name](largest(shared or own))
    if shared:
        shutil.rmtree(own)
    index = LexicalIndex(own, shared)
    assert same(asked(index, documents, library), whole)
    assert index.derived == 30 * SIZE
    if shared:
        shutil.rmtree(own)
    mended = LexicalIndex(own, shared)
    assert same(asked(mended, documents, library), whole)
    assert mended.derived == 0


def test_a_file_in_place_of_the_folder_is_told_once(
    library: Library, documents: list[Manifest], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "forbidden").write_text("x")
    place = tmp_path / "forbidden" / "terms"
    index = LexicalIndex(place, place)
    whole = asked(index, documents, library)
    documents[3] = document(library, "d03", seed=1)
    again = asked(index, documents, library)
    assert same(again, asked(LexicalIndex(None), documents, library))
    assert whole.size == again.size
    assert [r.levelno for r in caplog.records] == [logging.WARNING]
    assert str(place) in caplog.text
    assert "answers are the same" in caplog.text


# --- shared --------------------------------------------------------------------------------------


def test_another_machine_need_not_derive(
    library: Library, documents: list[Manifest], tmp_path: Path
) -> None:
    shared = tmp_path / "shared"
    whole = asked(LexicalIndex(tmp_path / "one", shared), documents, library)
    other = LexicalIndex(tmp_path / "other", shared)
    documents[7] = edited(library, documents[7], 5)
    asked(other, documents, library)
    assert 0 < other.derived < SIZE / 2
    assert largest(tmp_path / "other").name == largest(shared).name
    diskless = LexicalIndex(None, shared)
    assert same(asked(diskless, documents, library), asked(other, documents, library))
    assert diskless.derived < SIZE / 2
    assert whole.size == 30 * SIZE


@pytest.fixture
def little_disk(tmp_path: Path) -> Iterator[Callable[[str], Path]]:
    """Makes a file system of a few MiB, or mounts it anew, with these options."""
    place = tmp_path / "disk"
    place.mkdir()
    mount, umount = shutil.which("mount"), shutil.which("umount")
    if os.geteuid() != 0 or not mount or not umount:
        pytest.skip("mounting a small file system takes root")

    def mounted(options: str) -> Path:
        made = subprocess.run(
            [mount, "-t", "tmpfs", "-o", options, "footnote-test", str(place)],
            capture_output=True,
            text=True,
            check=False,
        )
        if made.returncode:
            pytest.skip(f"mounting is not allowed here: {made.stderr.strip()}")
        return place

    yield mounted
    subprocess.run([umount, "--lazy", str(place)], check=False)


def test_a_read_only_folder_is_read(
    library: Library,
    documents: list[Manifest],
    tmp_path: Path,
    little_disk: Callable[[str], Path],
    caplog: pytest.LogCaptureFixture,
) -> None:
    shared = little_disk("size=32m")
    whole = asked(LexicalIndex(None, shared), documents, library)
    spoilt = shared / ("a" * 32)
    shutil.copytree(largest(shared), spoilt)  # which is not of what its name says
    assert not caplog.records
    little_disk("remount,ro")
    other = LexicalIndex(tmp_path / "other", shared)
    assert same(asked(other, documents, library), whole)
    assert other.derived == 0
    assert spoilt.exists()
    documents[3] = document(library, "d03", seed=1)
    again = asked(other, documents, library)
    assert same(again, asked(LexicalIndex(None), documents, library))
    told = [record.message for record in caplog.records]
    assert [text for text in told if "damaged" not in text] == [
        text for text in told if f"{shared} cannot be used" in text and "Read-only" in text
    ]
    assert len(told) == 2


def test_a_full_disk_is_done_without(
    library: Library,
    documents: list[Manifest],
    tmp_path: Path,
    little_disk: Callable[[str], Path],
    caplog: pytest.LogCaptureFixture,
) -> None:
    full = little_disk("size=64k") / "terms"
    shared = tmp_path / "shared"
    expected = asked(LexicalIndex(None, shared), documents, library)
    index = LexicalIndex(full, shared)  # what is shared is mapped where it is
    assert same(asked(index, documents, library), expected)
    assert index.derived == 0
    alone = LexicalIndex(full)
    assert same(asked(alone, documents, library), expected)
    assert alone.derived == 30 * SIZE
    assert not list(full.iterdir())
    (told,) = [record.message for record in caplog.records]
    assert "No space left" in told


def test_what_is_of_other_documents_is_not_fetched(
    library: Library, documents: list[Manifest], tmp_path: Path
) -> None:
    shared = tmp_path / "shared"
    asked(LexicalIndex(tmp_path / "one", shared), documents, library)
    others = [document(library, f"x{n}") for n in range(3)]
    index = LexicalIndex(tmp_path / "other", shared)
    asked(index, [*others, documents[0]], library)  # a thirtieth of it would be of use
    assert index.derived == 4 * SIZE


def test_what_nobody_uses_is_not_shared_for_ever(
    library: Library, documents: list[Manifest], tmp_path: Path
) -> None:
    shared = tmp_path / "shared"
    mine = tmp_path / "shared" / "notes.txt"
    shared.mkdir()
    mine.write_text("not a segment")
    index = LexicalIndex(None, shared)
    asked(index, documents, library)
    (former,) = names(shared)
    replaced = [document(library, f"d{n:02}", seed=3) for n in range(30)]
    asked(index, replaced, library)
    assert former in names(shared)  # others may use it
    long_ago = time.time() - SHARED_FOR - 60
    os.utime(shared / former, (long_ago, long_ago))
    (shared / ("0" * 32 + ".part")).mkdir()
    os.utime(shared / ("0" * 32 + ".part"), (long_ago, long_ago))
    asked(LexicalIndex(None, shared), replaced, library)
    assert former not in names(shared)
    assert len(names(shared)) == 1
    assert mine.read_text() == "not a segment"
    assert ABANDONED < SHARED_FOR
    assert LEAST_SHARED <= 30 * SIZE


def names(folder: Path) -> set[str]:
    """The segments in a folder; fails where there is anything half written."""
    found = {entry.name for entry in folder.iterdir() if entry.is_dir()}
    assert all(len(name) == 32 for name in found), found
    return found


# --- killed processes ----------------------------------------------------------------------------

# Derives, merges and keeps without end.
WORKER = """
import random
import sys
from functools import partial
from math import log2
from pathlib import Path
from lexical import Library
from index.store.scope import Scope, joined_runs
from index.terms.lexical import LexicalIndex

folder, seed = Path(sys.argv[1]), random.randrange(1 << 30)
library = Library()
index = LexicalIndex(folder, folder.with_name("shared"))
generator = random.Random(seed)
documents = {}
while True:
    name = f"d{generator.randrange(12):02}"
    paragraphs = [("", f"barn {seed} {generator.random()} of {n}") for n in range(1500)]
    documents[name] = library.manifest(name, paragraphs)
    manifests = list(documents.values())
    index.follow(partial(joined_runs, manifests))
    Scope(manifests, index, library)
    print(len(documents), flush=True)
"""


@pytest.fixture
def worker(tmp_path: Path) -> Iterator[Callable[[Path], subprocess.Popen[str]]]:
    code = tmp_path / "worker.py"
    code.write_text(WORKER)
    started: list[subprocess.Popen[str]] = []

    def start(folder: Path) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, str(code), str(folder)],
            env=os.environ | importing_helpers(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait(PATIENCE)
        for stream in (process.stdout, process.stderr):
            if stream:
                stream.close()


def killed(
    worker: Callable[[Path], subprocess.Popen[str]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    kills: int,
    seed: int,
) -> None:
    generator = random.Random(seed)
    folder = tmp_path / "terms"
    seen = 0
    for _ in range(kills):
        process = worker(folder)
        assert process.stdout is not None
        for _ in range(generator.randint(1, 4)):
            assert process.stdout.readline()
        time.sleep(generator.uniform(0, 0.3))
        process.kill()
        process.wait(PATIENCE)
        for place in (folder, tmp_path / "shared"):
            shelf = Shelf(place)
            for name in shelf.names():
                assert len(shelf.load(name)) > 0  # whole, or it raises
                seen += 1
    assert seen
    library = Library()
    documents = [document(library, f"d{n:02}") for n in range(3)]
    monkeypatch.setattr(lexical, "KEPT_FOR", 0)
    index = LexicalIndex(folder, tmp_path / "shared")
    asked(index, documents, library)
    kept = {segment.name for segment in index.segments if len(segment) >= LEAST}
    assert set(Shelf(folder).names()) == kept  # what the killed ones left is of no use


def test_a_killed_process_leaves_whole_segments(
    worker: Callable[[Path], subprocess.Popen[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed(worker, tmp_path, monkeypatch, kills=2, seed=1)


@pytest.mark.long
def test_many_killed_processes_leave_whole_segments(
    worker: Callable[[Path], subprocess.Popen[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed(worker, tmp_path, monkeypatch, kills=20, seed=2)


# --- several processes in one folder -------------------------------------------------------------


@pytest.mark.parametrize("shared", [False, True])
def test_processes_that_share_a_folder_do_not_disturb_each_other(
    shared: bool, worker: Callable[[Path], subprocess.Popen[str]], tmp_path: Path
) -> None:
    """Each has documents of its own, so that what one uses the other has no use for."""
    folders = [tmp_path / name / "terms" for name in ("one", "two" if shared else "one")]
    for folder in folders:
        folder.parent.mkdir(exist_ok=True)
    if shared:
        (tmp_path / "shared").mkdir()
        for folder in folders:
            folder.with_name("shared").symlink_to(tmp_path / "shared")
    processes = [worker(folder) for folder in folders]
    for _ in range(6):
        for process in processes:
            assert process.stdout is not None
            assert process.stdout.readline()
    for process in processes:
        assert process.poll() is None
        process.kill()
        assert process.communicate(timeout=PATIENCE)[1] == ""  # nothing was told

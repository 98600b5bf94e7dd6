"""The lexical index: what is derived again and what is not, and what is kept on the disk."""

from __future__ import annotations

import os
import random
import re
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from math import log2
from pathlib import Path

import numpy as np
import pytest
from helpers import PATIENCE
from lexical import Library, derive
from writers import Forked

from index.store.manifest import Manifest
from index.store.snapshot import Scope, keys_of
from index.terms import lexical
from index.terms.lexical import ABANDONED, KEPT_FOR, LexicalIndex, SegmentCache

SIZE = 100  # paragraphs of a document
#: Rows of the smallest segments that are kept: as if the documents were larger.
MIN_ROWS = 250
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
    index.follow(partial(keys_of, manifests))
    return Scope(manifests, index, library)


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> Library:
    monkeypatch.setattr(lexical, "MIN_ROWS", MIN_ROWS)
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
    for turn in range(1, 41):
        number = generator.randrange(len(documents))
        documents[number] = edited(library, documents[number], generator.randrange(SIZE))
        scope = asked(index, documents, library)
        assert index.derived == library.read == (30 + turn) * SIZE  # the document that it is in
        assert len(index.segments) <= 2 + log2(31 * SIZE)
        assert sum(map(len, index.segments)) <= 2 * 30 * SIZE  # what is gone is let go of
    at_once = LexicalIndex(None)
    assert same(scope, asked(at_once, documents, library))
    asked(index, documents[:5], library)  # none of this is new
    assert library.read == index.derived + at_once.derived


def test_readers_of_an_old_revision_see_it_as_it_was(
    library: Library, documents: list[Manifest]
) -> None:
    index = LexicalIndex(None)
    old = asked(index, documents, library)
    before = old.terms.shares(" ".join(WORDS[::9]))
    newer = [document(library, manifest.source, seed=9) for manifest in documents]
    for n in range(1, 31):
        asked(index, [*newer[:n], *documents[n:]], library)
    assert np.array_equal(old.terms.shares(" ".join(WORDS[::9])), before)
    derived = index.derived
    Scope([documents[29]], index, library)  # by one who began before
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


def names(folder: Path) -> set[str]:
    """The segments in a folder; fails where there is anything half written."""
    found = {file.name for file in folder.iterdir()}
    assert all(re.fullmatch(r"[0-9a-f]{64}\.terms", name) for name in found), found
    return {Path(name).stem for name in found}


def test_the_next_process_derives_nothing(
    library: Library, documents: list[Manifest], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lexical, "KEPT_FOR", 0)
    first = LexicalIndex(tmp_path / "terms")
    asked(first, documents, library)
    documents[0] = document(library, "d00", seed=2)
    documents.append(document(library, "small", size=MIN_ROWS // 2 - SIZE))
    (tmp_path / "terms" / ("a" * 32)).mkdir()  # as an earlier version kept them
    whole = asked(first, documents, library)
    again = LexicalIndex(tmp_path / "terms")
    assert same(asked(again, documents, library), whole)
    assert again.derived == MIN_ROWS // 2  # what is small is not kept
    assert names(tmp_path / "terms") == {s.name for s in first.segments if len(s) >= MIN_ROWS}


def spoil(file: Path, at: float) -> None:
    content = bytearray(file.read_bytes())
    content[int(at * len(content))] ^= 0x10
    file.write_bytes(content)


DAMAGES: dict[str, Callable[[Path], object]] = {
    "one bit at the beginning": lambda file: spoil(file, 0),
    "one bit": lambda file: spoil(file, 0.7),
    "truncated": lambda file: os.truncate(file, file.stat().st_size - 3),
    "emptied": lambda file: os.truncate(file, 0),
    "of others": lambda file: file.write_bytes(b"something else"),
    "missing": Path.unlink,
}


@pytest.mark.parametrize("name", DAMAGES)
def test_damage_is_derived_anew(
    name: str,
    library: Library,
    documents: list[Manifest],
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    folder = tmp_path / "terms"
    whole = asked(LexicalIndex(folder), documents, library)
    (file,) = folder.iterdir()
    DAMAGES[name](file)
    for derived in (30 * SIZE, 0):  # and kept whole
        index = LexicalIndex(folder)
        assert same(asked(index, documents, library), whole)
        assert index.derived == derived
    assert ["are damaged" in record.message for record in caplog.records] == (
        [] if name == "missing" else [True]
    )


def test_a_read_only_folder_is_read(
    library: Library,
    documents: list[Manifest],
    little_disk: Callable[[str], Path],
    caplog: pytest.LogCaptureFixture,
) -> None:
    folder = little_disk("size=32m")
    whole = asked(LexicalIndex(folder), documents, library)
    spoilt = folder / f"{'a' * 64}.terms"
    spoilt.write_text("not of what its name says")
    assert not caplog.records
    little_disk("remount,ro")
    other = LexicalIndex(folder)
    assert same(asked(other, documents, library), whole)
    assert other.derived == 0
    assert spoilt.exists()
    told = " ".join(record.message for record in caplog.records)
    assert f"{spoilt} are damaged" in told
    assert f"{folder} cannot be used" in told
    assert "Read-only" in told
    assert len(caplog.records) == 2


def test_a_full_disk_is_done_without(
    library: Library,
    documents: list[Manifest],
    little_disk: Callable[[str], Path],
    caplog: pytest.LogCaptureFixture,
) -> None:
    full = little_disk("size=64k") / "terms"
    expected = asked(LexicalIndex(None), documents, library)
    index = LexicalIndex(full)
    assert same(asked(index, documents, library), expected)
    assert index.derived == 30 * SIZE
    assert not list(full.iterdir())
    [record] = caplog.records
    assert "No space left" in record.message


def test_what_nobody_uses_is_not_kept_for_ever(
    library: Library, documents: list[Manifest], tmp_path: Path
) -> None:
    mine = tmp_path / "notes.txt"
    mine.write_text("not a segment")
    index = LexicalIndex(tmp_path)
    asked(index, documents, library)
    (former,) = (file.stem for file in tmp_path.glob("*.terms"))
    replaced = [document(library, f"d{n:02}", seed=3) for n in range(30)]
    asked(index, replaced, library)
    assert (tmp_path / f"{former}.terms").exists()  # another process may be about to load it
    long_ago = time.time() - ABANDONED - 60
    os.utime(tmp_path / f"{former}.terms", (long_ago, long_ago))
    (tmp_path / ("0" * 32 + ".part")).write_text("of a killed process")
    os.utime(tmp_path / ("0" * 32 + ".part"), (long_ago, long_ago))
    asked(LexicalIndex(tmp_path), replaced, library)
    mine.unlink()  # or it is not there
    assert former not in names(tmp_path)
    assert len(names(tmp_path)) == 1
    assert ABANDONED > KEPT_FOR


# --- killed processes, and several in one folder -------------------------------------------------


@pytest.mark.parametrize("stops_at", [0, 5, 25])
def test_a_process_killed_while_it_writes_leaves_whole_segments(
    stops_at: int,
    library: Library,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    process = Forked(derive, tmp_path / "terms", "killed", stops_at)
    process.until("writing")
    process.kill()
    folder = tmp_path / "terms"
    (half,) = folder.glob("*.part")
    assert half.stat().st_size
    long_ago = time.time() - ABANDONED - 60
    os.utime(half, (long_ago, long_ago))
    kept = list(SegmentCache(folder).segments())
    assert len(kept) == len(list(folder.glob("*.terms")))
    assert not caplog.records
    monkeypatch.setattr(lexical, "KEPT_FOR", 0)
    index = LexicalIndex(folder)
    asked(index, [document(library, f"d{n:02}") for n in range(3)], library)
    assert names(folder) == {segment.name for segment in index.segments}


def test_processes_in_one_folder_do_not_disturb_each_other(tmp_path: Path) -> None:
    """Each has documents of its own, so that what one uses the other has no use for."""
    processes = [Forked(derive, tmp_path / "terms", name, -1) for name in ("one", "two")]
    for _ in range(6):
        for process in processes:
            process.next()
    for process in processes:
        process.kill()

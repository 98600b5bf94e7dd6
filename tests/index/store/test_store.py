"""Damaged, full and forbidden index folders: a clear error or the right answer, never another."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from helpers import PATIENCE, CheapEncoder, Opened, write_paragraphs
from index.store.locks import ProcessLock

from index.errors import (
    FootnoteError,
    IndexBusyError,
    IndexCorruptedError,
    IndexFullError,
    UnreadableError,
)
from index.index import Index
from index.models import Document
from index.store.manifest import ParagraphText
from index.store.store import Store

Damage = Callable[[Path], object]

#: Of paragraphs: from a thousand on, their terms are kept on the disk.
COUNT = 1050


@pytest.fixture(scope="session")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Document]:
    """An index that is large enough for Chroma's graph files and for the cache of terms."""
    place = tmp_path_factory.mktemp("whole")
    document = write_paragraphs(place / "a.txt", COUNT, seed=30)
    index = Index(place / "index", encoder=CheapEncoder(dimension=32))
    index.sync([document])
    index.search("war")
    index.close()
    assert graph(place / "index").stat().st_size > 100_000
    assert list((place / "index").glob("terms/*"))
    return place / "index", document


def overwrite(file: Path, offset: int, content: bytes) -> None:
    with file.open("r+b") as stream:
        stream.seek(offset)
        stream.write(content)


def graph(folder: Path, name: str = "data_level0.bin") -> Path:
    """The largest file of that name: of the sentences, not of the documents."""
    return max(folder.glob(f"chroma/*/{name}"), key=lambda file: file.stat().st_size)


def as_file(path: Path) -> None:
    shutil.rmtree(path)
    path.write_text("not a folder")


NOISE = bytes(range(256)) * 64
PLACES = 6  # in the database that are damaged in turn
DAMAGES: dict[str, Damage] = {
    "graph truncated": lambda f: os.truncate(graph(f), 1000),
    "graph emptied": lambda f: os.truncate(graph(f), 0),
    "graph overwritten": lambda f: overwrite(graph(f), 5000, NOISE),
    "graph one byte": lambda f: overwrite(graph(f), 70000, b"\x55"),
    "header overwritten": lambda f: overwrite(graph(f, "header.bin"), 8, NOISE[:80]),
    "graph touched": lambda f: os.utime(graph(f)),
    "links missing": lambda f: graph(f, "link_lists.bin").unlink(),
    "ids overwritten": lambda f: overwrite(graph(f, "index_metadata.pickle"), 100, NOISE),
    "ids missing": lambda f: graph(f, "index_metadata.pickle").unlink(),
    "segment missing": lambda f: shutil.rmtree(graph(f).parent),
    "segment is a file": lambda f: as_file(graph(f).parent),
    "stray segment": lambda f: (f / "chroma/6e3b9b5e-7f5a-4a35-9d0c-0d7b0a0b8a11").write_text("x"),
    "seal missing": lambda f: (f / "seal").unlink(),
    "seal garbage": lambda f: (f / "seal").write_text("{"),
    "database emptied": lambda f: os.truncate(f / "chroma/chroma.sqlite3", 0),
    "database missing": lambda f: (f / "chroma/chroma.sqlite3").unlink(),
    "database truncated": lambda f: os.truncate(f / "chroma/chroma.sqlite3", 40_000),
    "database halved": lambda f: os.truncate(
        f / "chroma/chroma.sqlite3", (f / "chroma/chroma.sqlite3").stat().st_size // 2
    ),
    "database head": lambda f: overwrite(f / "chroma/chroma.sqlite3", 0, NOISE),
    "database middle": lambda f: overwrite(f / "chroma/chroma.sqlite3", 300_000, NOISE * 20),
    "database is text": lambda f: (f / "chroma/chroma.sqlite3").write_text("hello " * 1000),
    "chroma is a file": lambda f: as_file(f / "chroma"),
    "terms garbage": lambda f: [file.write_bytes(NOISE) for file in f.glob("terms/*")],
    "terms one byte": lambda f: overwrite(next(f.glob("terms/*")), 5000, b"\x11\x22"),
    "terms truncated": lambda f: [os.truncate(file, 100) for file in f.glob("terms/*")],
    "terms is a file": lambda f: as_file(f / "terms"),
    "revision garbage": lambda f: (f / "revision").write_bytes(b"\xff\xfe\x00"),
    "revision missing": lambda f: (f / "revision").unlink(),
    "holder garbage": lambda f: (f / "holder").write_bytes(NOISE),
}


def tell_or_mend(folder: Path, document: Document, opened: Opened) -> str:
    """How the damage was told, if it was. Fails if anything was answered from it, or is after a
    sync."""

    def check(index: Index) -> None:
        assert index.document(document.id) == document
        for number in (0, COUNT // 3, COUNT - 1):
            paragraph = document.paragraphs[number]
            vector = index.encoder.encode_paragraphs(
                [(paragraph.text, [(0, len(paragraph.sentences[0].text))])]
            )[0][0]
            hit = index.search(paragraph.text, 1, vector=vector).hits[0]
            assert hit.paragraph == paragraph
            assert hit.legs["sentence"] == pytest.approx(1, abs=1e-5)

    told = ""
    try:
        index = opened(folder, encoder=CheapEncoder(dimension=32))
        try:
            check(index)
        except IndexCorruptedError as error:
            told = str(error)
        index.sync([document])
    except FootnoteError as error:
        assert isinstance(error, IndexCorruptedError | UnreadableError)
        assert "Move that folder away" in str(error)
        with pytest.raises(type(error)):  # also where Chroma remembers the first attempt
            opened(folder, encoder=CheapEncoder(dimension=32)).sync([document])
        return str(error)
    check(index)
    index.close()
    check(opened(folder, encoder=CheapEncoder(dimension=32)))
    return told


@pytest.mark.parametrize("name", DAMAGES)
def test_damage_is_told_or_mended_but_never_answered_from(
    name: str, whole: tuple[Path, Document], folder: Path, opened: Opened
) -> None:
    source, document = whole
    shutil.copytree(source, folder)
    DAMAGES[name](folder)
    told = tell_or_mend(folder, document, opened)
    kind, what = name.split(" ", 1)
    if kind in ("graph", "links", "ids", "segment") and what != "touched":
        assert "vectors are made again" in told, "from the texts in the index"
    if kind in ("terms", "revision", "holder") or what == "touched":
        assert not told


# A page of SQLite has 4,096 bytes: one overwritten whole, its end, its head, and many of them.
@pytest.mark.parametrize(("shift", "content"), [(0, NOISE[:4096]), (2000, NOISE), (0, bytes(64))])
def test_a_damaged_page_is_told_or_mended_wherever_it_is(
    shift: int, content: bytes, whole: tuple[Path, Document], folder: Path, opened: Opened
) -> None:
    source, document = whole
    pages = (source / "chroma/chroma.sqlite3").stat().st_size // 4096
    told = 0
    for turn in range(PLACES):
        shutil.copytree(source, folder)
        page = 1 + turn * (pages - 6) // (PLACES - 1)
        overwrite(folder / "chroma/chroma.sqlite3", page * 4096 + shift, content)
        told += bool(tell_or_mend(folder, document, opened))
        shutil.rmtree(folder)
    assert told > PLACES // 2  # or the places missed what this is a test of


def test_texts_that_changed_on_the_disk_are_told(
    whole: tuple[Path, Document], folder: Path, opened: Opened
) -> None:
    """Inside a page, where SQLite cannot know, and with the time of the file as it was."""
    source, document = whole
    shutil.copytree(source, folder)
    database = folder / "chroma/chroma.sqlite3"
    content, times = database.read_bytes(), database.stat()
    paragraph = document.paragraphs[COUNT // 3]
    for original, other in (
        (paragraph.text[-30:].encode(), paragraph.text[-30:].upper().encode()),
        (document.hash.encode(), document.hash[::-1].encode()),
    ):
        assert original in content
        database.write_bytes(content.replace(original, other))
        os.utime(database, ns=(times.st_atime_ns, times.st_mtime_ns))
        with pytest.raises(IndexCorruptedError):
            opened(folder, encoder=CheapEncoder(dimension=32)).document(document.id)


def test_what_the_disk_spoilt_is_noticed_before_anything_is_written(
    whole: tuple[Path, Document], folder: Path, small: Document, opened: Opened
) -> None:
    source, document = whole
    shutil.copytree(source, folder)
    times = graph(folder).stat()
    overwrite(graph(folder), 70000, b"\x55")
    os.utime(graph(folder), ns=(times.st_atime_ns, times.st_mtime_ns))
    index = opened(folder, encoder=CheapEncoder(dimension=32))
    with pytest.raises(IndexCorruptedError, match="not as they were written"):
        index.sync([small])
    assert index.sync([small]).embedded == COUNT + 60  # the same command again
    assert index.document(document.id) == document


@pytest.mark.parametrize(("expected", "is_written"), [(0, True), (500_000, False)])
def test_the_graph_is_written_seldom_where_many_vectors_are_expected(
    expected: int, is_written: bool, tmp_path: Path
) -> None:
    document = write_paragraphs(tmp_path / "a.txt", COUNT, seed=30)
    encoder = CheapEncoder(dimension=32)
    store = Store(tmp_path / "chroma", encoder.fingerprint)
    store.generation.expect(expected)
    texts = [ParagraphText.of(paragraph) for paragraph in document.paragraphs]
    for first in range(0, COUNT, 300):
        own = texts[first : first + 300]
        store.generation.add(own, encoder.encode_paragraphs([(p.text, p.spans) for p in own]))
    assert bool(list(tmp_path.glob("chroma/*/index_metadata.pickle"))) is is_written
    store.close()
    store = Store(tmp_path / "chroma", encoder.fingerprint)  # what was not written is read again
    [vectors] = store.generation.vectors(texts[-1:]).values()
    [(found, _, _)] = store.generation.nearest(vectors[0], 1)
    assert found == texts[-1].id
    store.close()


@pytest.mark.parametrize("room", [0, 1, 3, 6])
def test_a_full_disk_loses_nothing_and_goes_on_when_there_is_room(
    little_disk: Callable[[str], Path], tmp_path: Path, small: Document, room: int, opened: Opened
) -> None:
    disk = little_disk("size=12m")
    folder = disk / "index"
    encoder = CheapEncoder(dimension=96)
    index = opened(folder, encoder=encoder)
    index.sync([small])
    ballast = disk / "ballast"
    with ballast.open("wb") as stream:
        stream.write(bytes(max(0, shutil.disk_usage(disk).free - (room << 20))))
    large = write_paragraphs(tmp_path / "large.txt", 1500, seed=31)
    with pytest.raises(IndexFullError, match="disk is full"):
        index.sync([large])
    index.close()

    ballast.unlink()
    little_disk("remount,size=60m")
    index = opened(folder, encoder=encoder)
    index.migrate()
    assert index.document(small.id) == small
    index.sync([large])
    assert index.document(small.id) == small
    assert index.document(large.id) == large
    assert index.status().sentences == sum(
        len(p.sentences) for d in (small, large) for p in d.paragraphs
    )


def test_a_file_in_place_of_the_folder_is_told(
    folder: Path, cheap: CheapEncoder, opened: Opened
) -> None:
    folder.write_text("x")
    with pytest.raises(UnreadableError, match="cannot be made"):
        opened(folder, encoder=cheap)


def test_a_read_only_folder_is_told(
    little_disk: Callable[[str], Path], small: Document, cheap: CheapEncoder, opened: Opened
) -> None:
    disk = little_disk("size=12m")
    folder = disk / "index"
    index = opened(folder, encoder=cheap)
    index.sync([small])
    index.close()
    remount = [str(shutil.which("mount")), "-o", "remount,ro", str(disk)]
    deadline = time.monotonic() + PATIENCE  # Chroma closes its files in a thread of its own
    while subprocess.run(remount, check=False).returncode and time.monotonic() < deadline:
        time.sleep(0.1)
    with pytest.raises(UnreadableError, match="cannot be written"):
        opened(folder, encoder=cheap)
    with pytest.raises(UnreadableError, match="cannot be made"):
        opened(disk / "new", encoder=cheap)


def test_the_lock_nests_and_is_shared_by_threads(tmp_path: Path) -> None:
    lock = ProcessLock(tmp_path, wait=0)
    other = ProcessLock(tmp_path, wait=0)

    def hold(_: int) -> None:
        for _ in range(200):
            with lock.hold(), lock.hold():
                pass

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(hold, range(8)))
    with lock.hold(), pytest.raises(IndexBusyError), other.hold():
        pass
    with other.hold():
        pass  # let go of again


def test_threads_wait_together_for_another_process(tmp_path: Path) -> None:
    lock, other = ProcessLock(tmp_path, wait=0.5), ProcessLock(tmp_path, wait=0)

    def seconds(count: int) -> float:
        def wait() -> None:
            with pytest.raises(IndexBusyError), lock.hold():
                pass

        begun = time.monotonic()
        with ThreadPoolExecutor(count) as threads:
            for done in [threads.submit(wait) for _ in range(count)]:
                done.result()
        return time.monotonic() - begun

    with other.hold():
        # One after the other they would take twenty times as long; a busy machine gets its chances.
        assert any(seconds(20) < 10 * seconds(1) for _ in range(5))

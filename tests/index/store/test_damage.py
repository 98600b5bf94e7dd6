"""Damaged, full and forbidden folders: a clear error or the right answer, never another."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa
from chroma_servers import Servers
from helpers import CheapEncoder, Opened, check_whole, write_paragraphs

from index import Index
from index.database.database import FILE, Database
from index.errors import (
    FootnoteError,
    IndexBusyError,
    IndexCorruptedError,
    IndexFullError,
    IndexUnavailableError,
    IndexUnusableError,
    SettingsError,
    UnreadableError,
)
from index.models import Document

Damage = Callable[[Path], object]

#: Of paragraphs: from a thousand on, their terms are kept on the disk.
COUNT = 1050
NOISE = bytes(range(256)) * 64


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Document]:
    """An index that is large enough for Chroma's graph files and for the cache of terms."""
    place = tmp_path_factory.mktemp("whole")
    document = write_paragraphs(place / "a.txt", COUNT, seed=30)
    with closing(Index(place / "index", encoder=CheapEncoder(dimension=32))) as index:
        index.sync([document])
        index.search("war")
    assert list((place / "index").glob("terms/*"))
    return place / "index", document


def overwrite(file: Path, offset: int, content: bytes) -> None:
    with file.open("r+b") as stream:
        stream.seek(offset)
        stream.write(content)


def as_file(path: Path) -> None:
    shutil.rmtree(path)
    path.write_text("not a folder")


def vectors(folder: Path) -> Path:
    return next(folder.glob("vectors/*.f32"))


DAMAGES: dict[str, Damage] = {
    "database emptied": lambda f: os.truncate(f / FILE, 0),
    "database missing": lambda f: (f / FILE).unlink(),
    "database truncated": lambda f: os.truncate(f / FILE, 40_000),
    "database halved": lambda f: os.truncate(f / FILE, (f / FILE).stat().st_size // 2),
    "database head": lambda f: overwrite(f / FILE, 0, NOISE),
    "database middle": lambda f: overwrite(f / FILE, (f / FILE).stat().st_size // 2, NOISE * 20),
    "database is text": lambda f: (f / FILE).write_text("hello " * 1000),
    "vectors emptied": lambda f: os.truncate(vectors(f), 0),
    "vectors is a file": lambda f: as_file(f / "vectors"),
    "chroma is a file": lambda f: as_file(f / "vectors/chroma"),
    "graph missing": lambda f: [shutil.rmtree(p) for p in f.glob("vectors/chroma/*/")],
    "graph emptied": lambda f: [os.truncate(p, 0) for p in f.glob("vectors/chroma/*/*.bin")],
    "terms garbage": lambda f: [file.write_bytes(NOISE) for file in f.glob("terms/*")],
    "terms is a file": lambda f: as_file(f / "terms"),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_damage_is_told_or_mended_but_never_answered_from(
    name: str, whole: tuple[Path, Document], folder: Path, opened: Opened
) -> None:
    source, document = whole
    shutil.copytree(source, folder)
    DAMAGES[name](folder)

    def check(index: Index) -> None:
        assert index.document(document.id) == document
        for paragraph in document.paragraphs[:: COUNT // 3]:
            spans = [(0, len(paragraph.sentences[0].text))]
            [[vector]] = index.encoder.encode_paragraphs([(paragraph.text, spans)])
            hit = index.search(paragraph.text, 1, vector=vector).hits[0]
            assert hit.paragraph == paragraph
            assert max(hit.sentence_scores) == pytest.approx(1, abs=1e-5)

    told = ""
    try:
        index = opened(folder, encoder=CheapEncoder(dimension=32))
        if index.documents():
            check(index)
        else:
            told = "it is empty"
        index.sync([document])
        check(index)
        index.check()
    except FootnoteError as error:
        assert isinstance(error, IndexUnusableError | UnreadableError)
        told = str(error)
        assert any(what in told for what in ("backup", "--index-dir", "rebuild"))
        if "rebuild" in told:
            index.rebuild()
            index.check()
            check(index)
    if not name.startswith(("database", "vectors")):
        assert not told, "it is derived"
    elif name not in ("database emptied", "database missing"):  # which is a new index
        assert told not in ("", "it is empty")


def test_a_text_that_changed_on_the_disk_is_not_cited(
    folder: Path, small: Document, opened: Opened
) -> None:
    """Inside a page, where SQLite cannot know."""
    index = opened(folder, encoder=CheapEncoder(dimension=32))
    index.sync([small])
    index.close()
    content, text = (folder / FILE).read_bytes(), small.paragraphs[7].text[-30:]
    assert text.encode() in content
    (folder / FILE).write_bytes(content.replace(text.encode(), text.upper().encode()))
    with pytest.raises(IndexCorruptedError, match="not the text that was stored"):
        opened(folder, encoder=CheapEncoder(dimension=32)).document(small.id)


def test_only_their_owner_reads_the_files_of_the_database(
    folder: Path, small: Document, opened: Opened
) -> None:
    index = opened(folder, encoder=CheapEncoder(dimension=32))
    index.sync([small])
    files = list(folder.glob(f"{FILE}*"))
    assert len(files) == 3
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}


@pytest.fixture(params=["folder", "servers"])
def database(request: pytest.FixtureRequest, folder: Path) -> Iterator[Database]:
    """A database that another one, of another process, writes at most for a moment."""
    address = request.getfixturevalue("index_address") if request.param == "servers" else None
    with closing(Database(folder, address, wait=0.1)) as opened:
        yield opened


def test_who_writes_waits_for_another_and_who_reads_does_not(
    database: Database, folder: Path
) -> None:
    address = None if database.file else database._url.render_as_string(hide_password=False)
    with closing(Database(folder, address)) as other, other.write() as connection:
        connection.execute(sa.text("INSERT INTO counters VALUES ('boats', 1)"))
        with database.read() as reading:
            assert reading.scalar(sa.text("SELECT count(*) FROM counters")) == 0
        with pytest.raises(IndexBusyError, match="another process"), database.write():
            pass
    with database.write() as connection, database.read() as reading:
        assert reading.scalar(sa.text("SELECT value FROM counters")) == 1
        connection.execute(sa.text("UPDATE counters SET value = 2"))
        assert reading.scalar(sa.text("SELECT value FROM counters")) == 1, "as it was"


@pytest.mark.parametrize(
    "address", ["postgres", "mysql://a:hush@b/c", "postgresql://a:hush@host", "postgresql://h:x/y"]
)
def test_what_is_no_address_of_a_database_is_refused(address: str, folder: Path) -> None:
    with pytest.raises(SettingsError, match="not the address") as refused:
        Database(folder, address)
    assert "hush" not in str(refused.value)


def test_a_database_that_is_away_is_told(servers: Servers, tmp_path: Path) -> None:
    with pytest.raises(IndexUnavailableError, match="FOOTNOTE_DATABASE") as told:
        Index(tmp_path, chroma=servers.chroma, database="postgresql://a:hush@127.0.0.1:9/b")
    assert "hush" not in str(told.value)


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
    large = write_paragraphs(tmp_path / "large.txt", 3000, seed=31)
    with pytest.raises(IndexFullError, match="disk is full"):
        index.sync([large])
    assert index.document(small.id) == small
    assert index.search(small.paragraphs[3].text, 1).hits[0].paragraph == small.paragraphs[3]
    index.close()

    ballast.unlink()
    little_disk("remount,size=60m")
    index = opened(folder, encoder=encoder)
    index.sync([large])
    check_whole(index, small, large)
    index.check()


def test_a_file_in_place_of_the_folder_is_told(folder: Path) -> None:
    folder.write_text("x")
    with pytest.raises(UnreadableError, match="cannot be written"):
        Index(folder, encoder=CheapEncoder())


def test_a_read_only_folder_is_told(
    little_disk: Callable[[str], Path], small: Document, opened: Opened
) -> None:
    disk = little_disk("size=12m")
    index = opened(disk / "index", encoder=CheapEncoder())
    index.sync([small])
    index.close()
    with read_only(disk):
        for folder in (disk / "index", disk / "new"):
            with pytest.raises(UnreadableError, match="cannot be written"):
                Index(folder, encoder=CheapEncoder())


@contextmanager
def read_only(disk: Path) -> Iterator[None]:
    """A mount over it that forbids to write, whoever has its files open still."""
    commands = [
        ["mount", "--bind", str(disk), str(disk)],
        ["mount", "-o", "remount,ro,bind", str(disk)],
    ]
    for command in commands:
        subprocess.run(command, check=True)
    yield
    subprocess.run(["umount", "--lazy", str(disk)], check=True)

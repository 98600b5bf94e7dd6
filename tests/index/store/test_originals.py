"""The originals of documents and where their words are printed: kept with the index, in a folder
and on a server, as long as a document needs them.
"""

from __future__ import annotations

import os
import shutil
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa
from browsing import print_pdf
from chroma_servers import Machine
from helpers import Another, CheapEncoder, Opened, write_paragraphs
from office import HTML, PROSE, TITLE, write_docx
from playwright.sync_api import Browser

from index import Index, document_from_text
from index.database.database import Database
from index.database.document_tables import files
from index.errors import EmptyDocumentError, MissingPathError
from index.models import bytes_hash, text_hash
from index.readers.formats import FORMATS
from index.readers.loader import RawDocument, file_name, read_raw
from index.store.pages import MIN_AGE, PIECE_BYTES, PageFiles, SharedPages

SOURCE = "upload:ann/{}"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "notes.txt"
    file.write_bytes("Wärme floats in brine.".encode("cp1252"))
    return file


def upload(file: Path) -> RawDocument:
    """A file as somebody uploads it."""
    return replace(read_raw(file), source=SOURCE.format(file.name), original=file)


def formerly_read(index: Index, file: Path, name: str, keep: bool = True) -> str:
    """Put a document into the index whose text is not that of its file; gives its id."""
    content = bytes_hash(file.read_bytes())
    if keep:
        index._pages.keep(content, file, None)
    document = document_from_text("It was read badly.", SOURCE.format(name))
    index.sync([replace(document, content=content, reading="former plain")])
    return document.id


@pytest.mark.parametrize("name", ["notes.txt", "notes.md", "notes.html", "notes.docx"])
def test_the_original_is_kept_whatever_its_format(
    another: Another, tmp_path: Path, name: str
) -> None:
    file = tmp_path / name
    if name.endswith("docx"):
        write_docx(file)
    else:
        file.write_text(HTML if name.endswith("html") else PROSE)
    raw, whole = upload(file), file.read_bytes()
    one = another()
    one.sync([raw])
    file.unlink()
    two = another()
    original = two.original(raw.id)
    assert original is not None
    assert original.read_bytes() == whole
    assert two.file_name(raw.id) == name
    assert two.boxes(raw.id) is None
    # What is lost of it is made again when the file is added again.
    shutil.rmtree(original.parent)
    file.write_bytes(whole)
    assert one.sync([raw]).embedded == 0
    assert two.original(raw.id) == original


def test_a_document_of_a_path_has_its_own_file_and_no_other(another: Another, file: Path) -> None:
    index, raw = another(), read_raw(file)
    index.sync([raw])
    assert index.original(raw.id) == file
    assert not (index.folder / "pages").exists()
    file.write_text("Something else.")
    assert index.original(raw.id) is None
    file.unlink()
    assert index.original(raw.id) is None


def test_the_original_goes_with_its_document_in_a_folder(
    file: Path, folder: Path, opened: Opened
) -> None:
    index, raw = opened(folder, encoder=CheapEncoder()), upload(file)
    index.sync([raw])
    other = replace(raw, source=SOURCE.format("other.txt"))
    index.sync([other])
    original = index.original(raw.id)
    assert original is not None
    long_ago = time.time() - MIN_AGE - 1
    os.utime(original, (long_ago, long_ago))
    index.remove(raw.id)
    assert index.original(other.id) == original, "another document has the same"
    os.utime(original)
    index.remove(other.id)
    assert original.exists(), "another process may be about to name it"
    os.utime(original, (long_ago, long_ago))
    index.sync([document_from_text("The ferry leaves at nine.", "ferry.txt")])
    assert list(original.parent.iterdir()) == []


def test_the_original_goes_with_its_document_on_servers(file: Path, machine: Machine) -> None:
    index, raw = machine(), upload(file)
    index.sync([raw])
    other = replace(raw, source=SOURCE.format("other.txt"))
    index.sync([other])

    def contents() -> list[str]:
        with index.database.write() as connection:
            connection.execute(sa.update(files).values(since=files.c.since - MIN_AGE))
            return list(connection.scalars(sa.select(files.c.content).distinct()))

    assert contents() == [raw.content]
    index.remove(raw.id)
    assert contents() == [raw.content], "another document has the same"
    index.remove(other.id)
    assert contents() == []


def test_a_document_without_an_original_is_not_read(another: Another, file: Path) -> None:
    index = another()
    identity = formerly_read(index, file, file.name, keep=False)
    assert not index.read_pictures(identity)
    assert index.document(identity).text == "It was read badly."


def test_what_cannot_be_read_any_more_stays_as_it_is(another: Another, tmp_path: Path) -> None:
    index, file = another(), tmp_path / "blank.txt"
    file.write_text(" \n")
    identity = formerly_read(index, file, file.name)
    with pytest.raises(EmptyDocumentError):
        index.read_pictures(identity)
    assert index.document(identity).text == "It was read badly."
    assert index.original(identity) is not None
    with pytest.raises(MissingPathError):
        index.read_pictures("0" * 16)


def test_what_is_removed_meanwhile_does_not_come_back(machine: Machine, tmp_path: Path) -> None:
    file = tmp_path / "long.txt"
    write_paragraphs(file, 200)
    one, two = machine(), machine()
    identity = formerly_read(one, file, file.name)

    def remove(done: int, total: int) -> None:
        assert (done, total) == (0, 200)
        two.remove(identity)

    with pytest.raises(MissingPathError):
        one.read_pictures(identity, remove)
    assert one.documents() == two.documents() == []


def test_the_words_of_another_reading_are_not_shown(
    browser: Browser, tmp_path: Path, index_address: str
) -> None:
    """Where they stand in one text says nothing of another."""
    file = tmp_path / "report.pdf"
    print_pdf(browser, "<p>Berth four was dredged in March.</p>", file)
    former = read_raw(file).document().boxes
    assert former is not None
    database = Database(tmp_path, index_address)
    one, two = (SharedPages(database, tmp_path / name) for name in "ab")
    for pages in (PageFiles(tmp_path / "folder"), two):
        own = pages if pages is not two else one
        own.keep("report", file, former)
        found = pages.boxes("report", text_hash(former.text))
        assert found is not None
        assert found.text == former.text
        later = replace(former, text="It was read better.")
        own.keep("report", file, later)
        found = pages.boxes("report", text_hash(later.text))
        assert found is not None
        assert found.text == later.text
        assert pages.boxes("report", text_hash(former.text)) is None
        assert pages.original("report") is not None
    database.close()


@pytest.mark.parametrize(
    ("name", "format_name", "expected"),
    [
        ("a.txt", "plain", "a.txt"),
        ("a.log", "plain", "a.log"),
        ("a", "plain", "a"),
        ("a.HTM", "html", "a.HTM"),
        ("a.docm", "docx", "a.docm"),
        # A file took the place of one of another format.
        ("a.txt", "pdf", "a.txt.pdf"),
        ("a.pdf", "plain", "a.pdf.txt"),
        ("a.pdf", "markdown", "a.pdf.md"),
        ("a.xyz", "of another version", "a.xyz"),
    ],
)
def test_the_name_of_a_file_tells_its_format(name: str, format_name: str, expected: str) -> None:
    assert file_name(SOURCE.format(name), f"0123456789ab {format_name}") == expected
    assert file_name(SOURCE.format(name), "") == name
    assert all(own.name.isalnum() for own in FORMATS), "a reading is parted at its spaces"


@pytest.fixture(scope="module")
def pdf(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("pdf") / "report.pdf"
    print_pdf(browser, f"<h1>{TITLE}</h1><p>Berth four was dredged in March.</p>", file)
    return file


@pytest.fixture
def index(folder: Path, opened: Opened) -> Index:
    return opened(folder, encoder=CheapEncoder())


def test_the_file_and_its_boxes_are_kept(
    index: Index, pdf: Path, tmp_path: Path, opened: Opened
) -> None:
    raw = read_raw(pdf)
    report = index.sync([raw])
    assert report.ids == (raw.id,)
    original = index.original(raw.id)
    assert original is not None
    assert original.read_bytes() == pdf.read_bytes()
    boxes, document = index.boxes(raw.id), index.document(raw.id)
    assert boxes is not None
    assert boxes.text == document.text
    again = raw.document().boxes
    assert again is not None
    assert boxes.rectangles.tolist() == again.rectangles.tolist()
    # Opened anew it is all there, and nothing is read a second time.
    index.close()
    index = opened(tmp_path / "index", encoder=CheapEncoder())
    before = original.stat().st_mtime_ns
    assert index.sync([raw]).embedded == 0
    assert original.stat().st_mtime_ns == before
    assert index.boxes(raw.id) is not None


@pytest.mark.parametrize("damage", ["empty", "zeros", "cut", "changed"])
def test_boxes_that_are_damaged_are_made_again_with_the_file(
    index: Index, pdf: Path, damage: str
) -> None:
    """As after a loss of power."""
    raw = read_raw(pdf)
    index.sync([raw])
    [file] = index.folder.glob("pages/*.npz")
    whole = file.read_bytes()
    middle = len(whole) // 2
    changed = bytes(255 - byte for byte in whole[middle : middle + 9])
    file.write_bytes(
        {
            "empty": b"",
            "zeros": bytes(len(whole)),
            "cut": whole[:middle],
            "changed": whole[:middle] + changed + whole[middle + 9 :],
        }[damage]
    )
    assert index.boxes(raw.id) is None
    assert index.sync([raw]).embedded == 0
    assert index.boxes(raw.id) is not None


def test_files_are_on_the_disk_before_they_have_their_names(
    pdf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced = []

    def fsync(file: int) -> None:
        synced.append((os.fstat(file).st_size, (tmp_path / "a.pdf").exists()))

    monkeypatch.setattr(os, "fsync", fsync)
    PageFiles(tmp_path).keep("a", pdf, None)
    assert synced == [(pdf.stat().st_size, False)]


def test_a_clock_that_is_ahead_of_the_disk_s_deletes_nothing(
    pdf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As of a folder of another machine, or where the clock was set meanwhile."""
    pages = PageFiles(tmp_path)
    pages.keep("a", pdf, None)
    ahead = time.time() + 2 * MIN_AGE
    monkeypatch.setattr(time, "time", lambda: ahead)
    pages.settle(())
    assert pages.holds("a", boxes=False)


def test_what_is_kept_again_is_new(pdf: Path, tmp_path: Path) -> None:
    """What another process may take for left over until a document names it."""
    boxes = read_raw(pdf).document().boxes
    assert boxes is not None
    files = PageFiles(tmp_path)
    files.keep("a", pdf, boxes)
    for kept in tmp_path.glob("a.*"):
        os.utime(kept, (0, 0))
    files.keep("a", pdf, boxes)
    files.settle(())
    assert files.holds("a", boxes=True)


def test_a_large_file_comes_back_to_the_byte(pdf: Path, tmp_path: Path, index_address: str) -> None:
    large = tmp_path / "large.pdf"
    large.write_bytes(os.urandom(PIECE_BYTES * 2 + 1))
    boxes = read_raw(pdf).document().boxes
    assert boxes is not None
    with closing(Database(tmp_path, index_address)) as database:
        SharedPages(database, tmp_path / "a").keep("large", large, boxes)
        other = SharedPages(database, tmp_path / "b")
        found = other.original("large")
        assert found is not None
        assert found.read_bytes() == large.read_bytes()
        # A piece that is lost is not made up for.
        with database.write() as connection:
            connection.execute(
                sa.delete(files).where(files.c.part == "original", files.c.piece == 1)
            )
        assert SharedPages(database, tmp_path / "c").original("large") is None

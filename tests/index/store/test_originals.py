"""The originals of what was uploaded: kept with the index whatever their format, in a folder and on
a server, and read anew by other versions of the readers."""

from __future__ import annotations

import os
import shutil
import time
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa
from browsing import print_pdf
from chroma_servers import Machine
from helpers import Another, CheapEncoder, Opened, write_paragraphs
from office import HTML, PROSE, write_docx
from playwright.sync_api import Browser

from index import Index, document_from_text
from index.database.database import Database
from index.errors import EmptyDocumentError, MissingPathError
from index.models import bytes_hash, text_hash
from index.readers.formats import FORMATS
from index.readers.loader import RawDocument, file_name, read_raw
from index.store.pages import MIN_AGE, PageFiles, SharedPages
from index.store.tables import files

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
    """Have a document in the index as another version of the readers has read it; gives its id."""
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
    assert two.outdated() == []
    assert [info.stale for info in two.documents()] == [False]
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
    assert [info.stale for info in index.documents()] == [False]


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


def test_it_is_read_anew(another: Another, file: Path) -> None:
    one = another()
    identity = formerly_read(one, file, file.name)
    one.keep(identity)
    file.unlink()
    two = another()
    assert two.outdated() == [identity]
    [before] = two.documents()
    assert not before.stale
    assert two.reindex(identity)
    assert two.document(identity).text == "Wärme floats in brine."
    [after] = two.documents()
    assert (after.id, after.kept, after.stale) == (identity, True, False)
    assert two.outdated() == []
    assert not two.reindex(identity), "it is as it would be read"
    original = two.original(identity)
    assert original is not None
    assert original.read_bytes() == "Wärme floats in brine.".encode("cp1252")


def test_what_has_no_original_is_told_of(another: Another, file: Path) -> None:
    index = another()
    identity = formerly_read(index, file, file.name, keep=False)
    assert [info.stale for info in index.documents()] == [True]
    assert index.outdated() == []
    assert not index.reindex(identity)
    index.sync([upload(file)])
    assert [info.stale for info in index.documents()] == [False]


def test_what_cannot_be_read_any_more_stays_as_it_is(another: Another, tmp_path: Path) -> None:
    index, file = another(), tmp_path / "blank.txt"
    file.write_text(" \n")
    identity = formerly_read(index, file, file.name)
    with pytest.raises(EmptyDocumentError):
        index.reindex(identity)
    assert index.document(identity).text == "It was read badly."
    assert index.original(identity) is not None
    with pytest.raises(MissingPathError):
        index.reindex("0" * 16)


def test_what_is_removed_meanwhile_does_not_come_back(machine: Machine, tmp_path: Path) -> None:
    file = tmp_path / "long.txt"
    write_paragraphs(file, 200)
    one, two = machine(), machine()
    identity = formerly_read(one, file, file.name)

    def remove(done: int, total: int) -> None:
        assert (done, total) == (0, 200)
        two.remove(identity)

    with pytest.raises(MissingPathError):
        one.reindex(identity, remove)
    assert one.documents() == two.documents() == []


def test_another_encoder_keeps_the_originals(another: Another, file: Path) -> None:
    raw = upload(file)
    another().sync([raw])
    two = another("another")
    assert two.migrate() == 1
    original = two.original(raw.id)
    assert original is not None
    assert original.read_bytes() == file.read_bytes()
    assert [info.stale for info in two.documents()] == [False]


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

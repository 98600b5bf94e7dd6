"""What is kept of documents with pages: the file and its boxes, for as long as a document needs
them."""

from __future__ import annotations

import os
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa
from browsing import print_pdf
from helpers import CheapEncoder, Opened
from office import TITLE, write_docx
from playwright.sync_api import Browser

from index import Index
from index.database.database import Database
from index.errors import DocumentError, UnreadableError
from index.readers.loader import RawDocument, read_raw
from index.store.pages import PIECE, PageFiles, SharedPages
from index.store.tables import files


@pytest.fixture(scope="module")
def file(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("pdf") / "report.pdf"
    print_pdf(browser, f"<h1>{TITLE}</h1><p>Berth four was dredged in March.</p>", file)
    return file


@pytest.fixture
def index(folder: Path, opened: Opened) -> Index:
    return opened(folder, encoder=CheapEncoder())


def test_the_file_and_its_boxes_are_kept(
    index: Index, file: Path, tmp_path: Path, opened: Opened
) -> None:
    raw = read_raw(file)
    report = index.sync([raw])
    assert report.ids == (raw.id,)
    original = index.original(raw.id)
    assert original is not None
    assert original.read_bytes() == file.read_bytes()
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
    # What is lost is made again when the file is added again.
    original.unlink()
    assert index.original(raw.id) == Path(raw.source), "as long as it has not changed"
    assert index.document(raw.id).title == TITLE  # the text does not hang on it
    index.sync([raw])
    assert index.original(raw.id) == original


def test_files_that_come_and_go_meanwhile_are_left_alone(tmp_path: Path) -> None:
    """As one does that another thread keeps, while what is left over is looked for."""
    (tmp_path / "1.part").symlink_to(tmp_path / "renamed")
    PageFiles(tmp_path).settle(())
    assert [file.name for file in tmp_path.iterdir()] == ["1.part"]


def test_what_is_kept_again_is_new(index: Index, file: Path, tmp_path: Path) -> None:
    """What another process may take for left over until a document names it."""
    boxes = read_raw(file).document().boxes
    assert boxes is not None
    files = PageFiles(tmp_path)
    files.keep("a", file, boxes)
    for kept in tmp_path.glob("a.*"):
        os.utime(kept, (0, 0))
    files.keep("a", file, boxes)
    files.settle(())
    assert files.holds("a", boxes=True)


def test_a_large_file_comes_back_to_the_byte(
    file: Path, tmp_path: Path, index_address: str
) -> None:
    large = tmp_path / "large.pdf"
    large.write_bytes(os.urandom(PIECE * 2 + 1))
    boxes = read_raw(file).document().boxes
    assert boxes is not None
    with closing(Database(tmp_path, index_address)) as database:
        SharedPages(database, tmp_path / "a").keep("large", large, boxes)
        other = SharedPages(database, tmp_path / "b")
        assert other.kept({"large", "small"}, "now") == {"large"}
        found = other.original("large")
        assert found is not None
        assert found.read_bytes() == large.read_bytes()
        # A piece that is lost is not made up for.
        with database.write() as connection:
            connection.execute(
                sa.delete(files).where(files.c.part == "original", files.c.piece == 1)
            )
        assert SharedPages(database, tmp_path / "c").original("large") is None


def test_what_cannot_be_read_is_skipped_and_the_rest_indexed(
    index: Index, file: Path, tmp_path: Path
) -> None:
    write_docx(tmp_path / "good.docx")
    whole = (tmp_path / "good.docx").read_bytes()
    (tmp_path / "bad.pdf").write_bytes(file.read_bytes()[:300])
    raws = [read_raw(tmp_path / "bad.pdf"), read_raw(tmp_path / "good.docx")]
    with pytest.raises(UnreadableError, match=r"bad\.pdf"):
        index.sync(raws)
    assert index.documents() == []
    skipped: list[tuple[RawDocument, DocumentError]] = []
    report = index.sync(raws, on_skip=lambda raw, error: skipped.append((raw, error)))
    assert [raw.source for raw, _ in skipped] == [str(tmp_path / "bad.pdf")]
    assert report.ids == (good := raws[1].id,)
    assert index.boxes(good) is None, "it has no pages"
    assert whole == (tmp_path / "good.docx").read_bytes()

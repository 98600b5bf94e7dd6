"""A backup brings everything back, into a folder or into PostgreSQL, whichever it is of."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from stat import S_IMODE

import pytest
import sqlalchemy as sa
from chroma_servers import ServerAddress
from helpers import CheapEncoder

from assistant.workspace.feedback import votes_in
from index import Index
from index.backup import backup, restore
from index.database.database import FILE
from index.database.kept_tables import login_secrets
from index.errors import IndexUnusableError, UnreadableError
from index.readers.loader import read_raw

TEXT = "Walnuts float in brine, \x00 and \U0001f95b sink.\n\nPears sink in it.\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "nuts.txt"
    file.write_text(TEXT.replace("\x00", "zero"), encoding="utf-8")
    return file


@pytest.fixture
def kept(file: Path, folder: Path) -> Iterator[Index]:
    """An index with an uploaded document, its original, something deleted, and a secret."""
    with closing(Index(folder, encoder=CheapEncoder())) as index:
        raw = read_raw(file)
        index.sync([replace(raw, source="upload:ann/nuts.txt", original=file)], keep=True)
        gone = file.with_name("gone.txt")
        gone.write_text("Plums are blue.\n", encoding="utf-8")
        [identity] = index.sync([read_raw(gone)]).ids
        index.remove(identity)
        with index.database.write() as connection:
            secret = {"name": "0" * 16, "secret": "half \ud800, zero \x00"}
            connection.execute(sa.insert(login_secrets), [secret])
        yield index


def told(index: Index) -> object:
    """All that an index has to bring back."""
    with index.database.read() as connection:
        secrets = connection.execute(sa.select(login_secrets)).all()
    documents = [index.document(info.id) for info in index.documents()]
    originals = [index.original(info.id) for info in index.documents()]
    hits = [(hit.paragraph, round(hit.score, 5)) for hit in index.search("brine", 3).hits]
    content = [own and own.read_bytes() for own in originals]
    return (
        index.documents(),
        documents,
        content,
        hits,
        secrets,
        votes_in(index.database),
        index.revision,
    )


def test_a_folder_that_was_destroyed_is_restored(kept: Index, tmp_path: Path) -> None:
    before, archive = told(kept), tmp_path / "backup.zip"
    assert backup(kept, archive) == archive.stat().st_size  # while it is used
    with pytest.raises(IndexUnusableError, match="already"):
        restore(archive, kept.folder)
    assert b"Plums" not in archive.read_bytes()
    kept.close()
    shutil.rmtree(kept.folder)
    restore(archive, kept.folder)
    assert S_IMODE((kept.folder / FILE).stat().st_mode) == 0o600
    with closing(Index(kept.folder, encoder=CheapEncoder())) as index:
        assert told(index) == before
        index.check()
        with zipfile.ZipFile(archive) as opened:
            assert b"Plums" not in opened.read(FILE)  # what was deleted does not come back


def test_it_moves_to_servers_and_back(
    kept: Index, chroma: ServerAddress, postgres_address: str, tmp_path: Path
) -> None:
    before, archive = told(kept), tmp_path / "backup.zip"
    backup(kept, archive)
    restore(archive, tmp_path / "cache", postgres_address)
    place = {"chroma": chroma, "database": postgres_address}
    with closing(Index(tmp_path / "cache", encoder=CheapEncoder(), **place)) as index:
        assert index.migrate() == 2  # vectors are derived
        assert told(index) == before
        index.sync([read_raw(kept.folder.parent / "nuts.txt")])  # rows are numbered on
        index.remove(index.documents()[0].id)
        with pytest.raises(IndexUnusableError, match="not empty"):
            restore(archive, tmp_path / "other", postgres_address)
        again = tmp_path / "again.zip"
        backup(index, again)
        expected = [index.document(info.id) for info in index.documents()]
    restore(again, tmp_path / "back")
    with closing(Index(tmp_path / "back", encoder=CheapEncoder())) as index:
        index.migrate()
        assert [index.document(info.id) for info in index.documents()] == expected
        assert index.search("brine", 1).hits


def test_what_is_no_backup_is_told(tmp_path: Path) -> None:
    file = tmp_path / "letter.zip"
    file.write_text("Dear Ann,")
    with pytest.raises(UnreadableError, match="not a backup"):
        restore(file, tmp_path / "index")
    with pytest.raises(UnreadableError, match="not a backup"):
        restore(tmp_path / "nowhere.zip", tmp_path / "index")

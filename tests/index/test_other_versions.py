"""An index of another version, older or newer, is refused with what to do, and is never changed."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa
from chroma_servers import Servers
from helpers import CheapEncoder
from sqlalchemy.schema import CreateTable

from index import Document, Index
from index.about import VERSION
from index.backup import backup, restore
from index.database.columns import metadata
from index.database.database import FILE, Database
from index.errors import IndexUnusableError
from index.models import text_hash
from index.other_versions import REVISION
from index.store.chroma_server import Server

TOLD = f"(?s)%s.* This is version {VERSION}, .* FOOTNOTE_INDEX_DIR .*, or move this one away"


def contents(folder: Path) -> dict[Path, bytes | None]:
    """All files and folders in a folder, to the byte."""
    return {
        path.relative_to(folder): path.read_bytes() if path.is_file() else None
        for path in folder.rglob("*")
    }


def as_of(revision: str, database: Database) -> None:
    """Mark a database as one that another version has made."""
    with database.write() as connection:
        connection.execute(sa.text(f"UPDATE alembic_version SET version_num = '{revision}'"))


def test_one_that_was_kept_in_chroma_alone_is_left_alone(folder: Path) -> None:
    (folder / "chroma").mkdir(parents=True)
    (folder / "chroma" / "chroma.sqlite3").write_bytes(b"SQLite format 3\0")
    (folder / "records").mkdir()
    before = contents(folder)
    with pytest.raises(IndexUnusableError, match=TOLD % "a folder 'chroma' without a database"):
        Index(folder, encoder=CheapEncoder())
    assert contents(folder) == before


@pytest.mark.parametrize("revision", ["0006", "later"])
def test_one_whose_tables_are_of_another_revision_is_left_alone(
    folder: Path, tmp_path: Path, small: Document, revision: str
) -> None:
    with closing(Index(folder, encoder=CheapEncoder(dimension=32))) as index:
        index.sync([small])
        as_of(revision, index.database)
        backup(index, tmp_path / "backup.zip")
    told = TOLD % f"tables of the revision '{revision}'"
    before = contents(folder)
    with pytest.raises(IndexUnusableError, match=told):
        Index(folder, encoder=CheapEncoder(dimension=32))
    assert contents(folder) == before
    with pytest.raises(IndexUnusableError, match=told):
        restore(tmp_path / "backup.zip", tmp_path / "restored")
    assert not (tmp_path / "restored").exists()

    # Nor is what a process that was killed has left in SQLite's log moved into the file.
    killed = tmp_path / "killed"
    with closing(sqlite3.connect(folder / FILE)) as raw:
        raw.execute("INSERT INTO counters VALUES ('boats', 1)")
        raw.commit()
        shutil.copytree(folder, killed)
    before = contents(killed)
    assert before[Path(f"{FILE}-wal")]
    with pytest.raises(IndexUnusableError, match=told):
        Index(killed, encoder=CheapEncoder(dimension=32))
    assert contents(killed) == before


def test_one_on_servers_is_left_alone(servers: Servers, tmp_path: Path) -> None:
    def opened() -> Index:
        cache, encoder = tmp_path / "cache", CheapEncoder(dimension=32)
        return Index(cache, encoder=encoder, chroma=servers.chroma, database=servers.database)

    with closing(Server(servers.chroma, 0)) as server:
        server.collection("state")
        with pytest.raises(IndexUnusableError, match=TOLD % "a collection 'state'"):
            opened()
        assert server.names() == {"state"}
        server.drop("state")
    with closing(opened()) as index:
        as_of("later", index.database)
        with pytest.raises(IndexUnusableError, match=TOLD % "tables of the revision 'later'"):
            opened()
        with index.database.read() as connection:
            assert connection.scalar(sa.text("SELECT version_num FROM alembic_version")) == "later"


def test_the_revision_is_of_these_tables() -> None:
    made = [str(CreateTable(table).compile()) for table in metadata.sorted_tables]
    hashed = text_hash("".join(made))[:12]
    assert (REVISION, hashed) == ("tables", "aa51fdabd3d1"), "other tables are of another revision"

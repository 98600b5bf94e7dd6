"""Backups: everything that cannot be made again, in one file, of one moment.

A backup is a ZIP file with a SQLite database of all rows, whichever database they are from; and of
an index in a folder its originals and the vectors, which save making them again. It is made while
others read and write the index, and is restored into a folder or into PostgreSQL alike.
"""

from __future__ import annotations

import shutil
import tempfile
import zipfile
from contextlib import closing
from pathlib import Path

import sqlalchemy as sa

from index.database.columns import reflected
from index.database.database import FILE, Database
from index.database.document_tables import READY, files, paragraphs, versions
from index.errors import IndexUnusableError, UnreadableError
from index.index import Index
from index.store.chroma import translated
from index.store.pages import SharedPages

#: Of the folder of an index what goes along, and how: what is packed already is not packed again.
_FOLDERS = {"pages": zipfile.ZIP_DEFLATED, "vectors": zipfile.ZIP_STORED}
_ROWS = 1000  # copied at a time


def backup(index: Index, file: Path) -> int:
    """Write a backup of an index; gives its size in bytes.

    Args:
        index: an open one, which may be used meanwhile.
        file: of the backup; replaced where it is there, once the new one is whole.

    Raises:
        UnreadableError, IndexFullError: the file cannot be written.
    """
    file = file.expanduser().resolve()
    part = file.with_name(f".{file.name}.part")
    with translated(file), tempfile.TemporaryDirectory(prefix="footnote-") as scratch:
        copy = Path(scratch) / FILE
        _copy_database(index.database, copy)
        try:
            with zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED) as archive:
                archive.write(copy, FILE)
                # After the rows: whatever these name is there by then.
                for name, compression in _FOLDERS.items():
                    for member in sorted((index.folder / name).glob("*")):
                        # Not what others are writing, or what only counts for one process.
                        if member.is_file() and member.suffix in (".pdf", ".npz", ".f32"):
                            archive.write(member, f"{name}/{member.name}", compression)
            part.replace(file)
        finally:
            part.unlink(missing_ok=True)
    return file.stat().st_size


def restore(file: Path, folder: Path, address: str | None = None) -> None:
    """Make an index of a backup.

    Args:
        file: the backup.
        folder: of the index; nothing may be kept there yet.
        address: of the PostgreSQL database that the rows are for, which has to be empty; without
            one they are for the folder.

    Raises:
        UnreadableError: the file is no backup, or the folder cannot be written.
        IndexUnusableError: there is an index already, or another version made the backup.
    """
    folder = folder.expanduser().resolve()
    if address is None and (folder / FILE).exists():
        raise IndexUnusableError(
            f"There is an index in {folder} already. Choose an empty --index-dir, or move that "
            "folder away."
        )
    try:
        with zipfile.ZipFile(file) as archive, tempfile.TemporaryDirectory() as scratch:
            archive.extract(FILE, scratch)
            source = Path(scratch) / FILE
            with closing(Database(source.parent)) as backed_up:  # before anything is written
                backed_up.check()
            for member in archive.infolist():
                name, _, file_name = member.filename.partition("/")
                if name in _FOLDERS and file_name and "/" not in file_name:
                    archive.extract(member, folder)
            if address is None:
                # Under its name once it is whole; and as private as a new one.
                target = folder / f".{FILE}.part"
                folder.mkdir(parents=True, exist_ok=True)
                target.touch(0o600)
                shutil.copyfile(source, target)
                target.replace(folder / FILE)
            else:
                _fill(source, Database(folder, address))
    except (zipfile.BadZipFile, KeyError, FileNotFoundError) as error:
        raise UnreadableError(f"{file} is not a backup of Footnote ({error}).") from error
    with closing(Database(folder, address)) as database:  # brought up to this version
        database.check()
        # It may be of an index in a folder and for a database, or the other way round.
        pages = SharedPages(database, folder / "pages")
        if address:
            pages.upload()
        else:
            pages.download()
            with database.write() as connection:
                connection.execute(sa.delete(files))


def _copy_database(database: Database, file: Path) -> None:
    """All rows as a SQLite database, as they are at one moment."""
    if database.file:
        database.backup(file)
    else:
        with (
            closing(Database(file.parent)) as copy,
            database.read() as source,
            copy.write() as target,
        ):
            _copy_rows(source, target)
    engine = sa.create_engine(sa.URL.create("sqlite", database=str(file)))
    with engine.connect() as connection:
        # What was deleted, or is not whole, is not to come back.
        connection.exec_driver_sql("PRAGMA foreign_keys = ON")
        connection.execute(sa.delete(versions).where(versions.c.pending.is_not(None)))
        connection.execute(sa.delete(paragraphs).where(paragraphs.c.state != READY))
        connection.execute(sa.update(paragraphs).values(graph=None))
        connection.commit()
        connection.exec_driver_sql("PRAGMA journal_mode = DELETE")
        connection.exec_driver_sql("VACUUM")
    engine.dispose()


def _fill(file: Path, database: Database) -> None:
    """The rows of a SQLite database, into an empty one."""
    with (
        closing(database),
        closing(Database(file.parent)) as source,
        source.read() as connection,
        database.write() as target,
    ):
        for table in reflected(target):
            if target.scalar(sa.select(sa.exists().select_from(table))):
                raise IndexUnusableError(
                    f"The database {database.shown} is not empty. Name another one in "
                    "FOOTNOTE_DATABASE."
                )
        _copy_rows(connection, target)
        for table in (versions, paragraphs):
            highest = sa.func.coalesce(sa.select(sa.func.max(table.c.row)).scalar_subquery(), 1)
            name = sa.func.pg_get_serial_sequence(table.name, "row")
            target.execute(sa.select(sa.func.setval(name, highest)))


def _copy_rows(source: sa.Connection, target: sa.Connection) -> None:
    for table in reflected(target):
        rows = source.execution_options(stream_results=True).execute(sa.select(table))
        for some in rows.mappings().partitions(_ROWS):
            target.execute(sa.insert(table), [dict(row) for row in some])

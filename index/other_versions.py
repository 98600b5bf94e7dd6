"""Refuses an index that another version of Footnote made, before anything in it is changed."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection
from contextlib import closing, suppress
from pathlib import Path

from index.about import VERSION
from index.errors import IndexUnusableError

#: The revision of the tables that this version makes and uses. Change it with any of the tables.
REVISION = "tables"

#: Where everything was kept when there was no database: a folder of Chroma's, and a collection.
_CHROMA, _STATE = "chroma", "state"


def check_folder(folder: Path, file: Path) -> None:
    """Check the folder of an index.

    Args:
        folder: that may not be there yet.
        file: its database, which may not be there yet either.

    Raises:
        IndexUnusableError: another version made it.
    """
    if not file.exists():
        if (folder / _CHROMA).exists():
            raise _refusal(f"the folder {folder}", f"a folder {_CHROMA!r} without a database")
        return
    revision = None
    # Opened in any other way, SQLite would move what is in its log into the file. What cannot be
    # read like this is looked at again when the database is opened.
    address = f"{file.absolute().as_uri()}?immutable=1"
    with suppress(sqlite3.Error), closing(sqlite3.connect(address, uri=True)) as connection:
        [revision] = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    check_revision(revision, f"the database {file}")


def check_revision(revision: str | None, place: str) -> None:
    """Check the revision of the tables of a database.

    Args:
        revision: None where it has no tables.
        place: names the database.

    Raises:
        IndexUnusableError: another version made it.
    """
    if revision is not None and revision != REVISION:
        raise _refusal(place, f"tables of the revision {revision!r}")


def check_server(names: Collection[str], address: str) -> None:
    """Check a Chroma server.

    Args:
        names: of the collections on it.
        address: of the server, for people.

    Raises:
        IndexUnusableError: another version keeps an index on it.
    """
    if _STATE in names:
        raise _refusal(f"the Chroma server {address}", f"a collection {_STATE!r}")


def _refusal(place: str, found: str) -> IndexUnusableError:
    return IndexUnusableError(
        f"Another version of Footnote made the index in {place}: it has {found}. This is version "
        f"{VERSION}, which cannot use it and has changed nothing in it. Choose another folder with "
        "FOOTNOTE_INDEX_DIR (another database with FOOTNOTE_DATABASE, another server with "
        "FOOTNOTE_CHROMA), or move this one away, and add the documents again."
    )

"""Connections to the relational database, its transactions, and what its errors mean.

SQLite in a file of the index's folder by default, PostgreSQL where several machines share an index.
The only module that makes an engine. What was decided, and why:

- **SQLite in WAL mode**: readers never wait for a writer, nor a writer for readers, in any number
  of processes of one machine. WAL needs shared memory, so the folder has to be on a local disk.
- **`foreign_keys = ON`**, which SQLite leaves off: a row never names one that is gone.
- **`secure_delete = ON`**: what somebody deleted is overwritten, and can be read by nobody.
- **`synchronous = FULL`**: a committed transaction is on the disk, also after a power cut.
- **Writers begin with `BEGIN IMMEDIATE`**: a transaction that reads, decides and writes has the
  write lock from its first statement, and never fails halfway because another wrote meanwhile.
  For how long it waits for another writer is a setting.
- **In PostgreSQL** a writer takes one advisory lock for the length of its transaction, which gives
  the same: writers one after the other. They are short; nothing is computed, read from a file or
  written by a language model while one is open.
- **A reading transaction is one snapshot**: SQLite's are in WAL mode, PostgreSQL's by `REPEATABLE
  READ`.
- **Text is exact** (`ExactText`): PostgreSQL has no U+0000, and neither has half a surrogate pair;
  offsets must hold all the same. It is ordered by code point in both.
"""

from __future__ import annotations

import os
import sqlite3
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

# The tables are declared in the first two.
from index.database import document_tables, kept_tables  # noqa: F401
from index.database.columns import metadata, revisions
from index.errors import (
    FootnoteError,
    IndexBusyError,
    IndexCorruptedError,
    IndexFullError,
    IndexUnavailableError,
    SettingsError,
    UnreadableError,
)
from index.other_versions import REVISION, check_folder, check_revision

if TYPE_CHECKING:
    from sqlalchemy.engine.interfaces import DBAPIConnection

#: The database in the folder of an index.
FILE = "footnote.sqlite3"
#: Connections at once: more than the threads that a server works in.
POOL_SIZE = 50
#: Of the advisory lock that a writer holds in PostgreSQL: any number that nobody else uses there.
_WRITER_LOCK = 0x466F6F74
#: Seconds that SQLite itself waits for another writer. The rest is waited here, step by step: it
#: hears no Ctrl-C.
_LOCK_WAIT = 0.2
#: Seconds to wait for a connection to PostgreSQL.
_CONNECT_TIMEOUT = 5


class Database:
    """The database of an index. May be used from many threads.

    Args:
        folder: that of the index, which has the SQLite database; made where it is not there.
        address: `postgresql://user@host/name` where it is not in the folder.
        wait: seconds to wait for another process that writes.
        on_wait: called with a sentence to show where there is a wait, once.

    Raises (any method):
        IndexBusyError: another process has been writing for all of that time.
        IndexFullError, IndexCorruptedError, UnreadableError: the file cannot be written or read.
        IndexUnavailableError: PostgreSQL does not answer.
        IndexUnusableError: another version of Footnote made it.
    """

    def __init__(
        self,
        folder: Path,
        address: str | None = None,
        wait: float = 30.0,
        on_wait: Callable[[str], None] | None = None,
    ) -> None:
        self.file = None if address else folder / FILE
        self._url = (
            parse_address(address) if address else sa.URL.create("sqlite", database=str(self.file))
        )
        self._wait = wait
        self._on_wait = on_wait
        #: For people; without a password.
        self.shown = str(self.file or self._url.render_as_string(hide_password=True))
        if self.file:
            check_folder(folder, self.file)
            _make_private(self.file)
        self._engine = self._make_engine()
        self._readers = self._engine.execution_options(
            **({} if self.file else {"isolation_level": "REPEATABLE READ"})
        )
        try:
            self._make_tables()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """A transaction that reads: all of it sees one moment."""
        with self._translated(), self._readers.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def write(self) -> Iterator[sa.Connection]:
        """A transaction that writes, after all that wrote before: all of it happens or nothing."""
        with self._translated(), self._engine.connect() as connection:
            if self.file:
                connection = connection.execution_options(footnote_begin="BEGIN IMMEDIATE")
            with connection.begin():
                if not self.file:
                    connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_WRITER_LOCK)))
                yield connection

    def check(self) -> None:
        """Read all of a file, to see whether it is damaged; of PostgreSQL, that it answers.

        Raises:
            IndexCorruptedError: it is damaged.
        """
        with self.read() as connection:
            if self.file is None:
                connection.execute(sa.select(1))
                return
            found = connection.exec_driver_sql("PRAGMA quick_check(1)").scalar()
        if found != "ok":
            raise IndexCorruptedError(
                f"The database {self.shown} is damaged ({found}). Put the folder back from a "
                "backup, or choose another --index-dir."
            )

    def backup(self, file: Path) -> None:
        """Copy the SQLite database as it is at one moment, while others read and write it.

        Args:
            file: of the copy, which must not be there yet.
        """
        with self._translated(), self._engine.connect() as connection:
            connection.exec_driver_sql("COMMIT") if connection.in_transaction() else None
            raw: Any = connection.connection.dbapi_connection
            raw.execute("VACUUM INTO ?", (str(file),))

    def erase_deleted(self) -> None:
        """Let nothing be left of deleted rows in the files of SQLite: their pages are overwritten,
        and here the log that still has them. PostgreSQL does so by itself."""
        if self.file:
            with self._translated(), closing(self._engine.raw_connection()) as raw:
                raw.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")

    # --- inside ------------------------------------------------------------------------------

    def _make_engine(self) -> sa.Engine:
        if self.file is None:
            return sa.create_engine(
                self._url,
                pool_size=POOL_SIZE,
                max_overflow=0,
                pool_pre_ping=True,
                connect_args={
                    "connect_timeout": _CONNECT_TIMEOUT,
                    "options": f"-c lock_timeout={int(self._wait * 1000)}",
                },
            )
        engine = sa.create_engine(
            self._url, pool_size=POOL_SIZE, max_overflow=0, connect_args={"timeout": _LOCK_WAIT}
        )
        sa.event.listen(engine, "connect", _prepare_sqlite)
        sa.event.listen(engine, "begin", self._begin_sqlite)
        return engine

    def _begin_sqlite(self, connection: sa.Connection) -> None:
        begin = connection.get_execution_options().get("footnote_begin", "BEGIN")
        until = time.monotonic() + self._wait
        while True:
            try:
                connection.exec_driver_sql(begin)
                return
            except DBAPIError as error:
                if "locked" not in str(error.orig) or time.monotonic() > until:
                    raise
            if self._on_wait:  # once is enough
                self._on_wait("Waiting for another process that is writing this index …")
                self._on_wait = None
            time.sleep(0.01)

    def _make_tables(self) -> None:
        with self.read() as connection:
            found = _revision_of(connection)
        check_revision(found, f"the database {self.shown}")
        if found:
            return
        with self.write() as connection:
            if not _revision_of(connection):  # another process may have made them meanwhile
                metadata.create_all(connection, checkfirst=False)
                connection.execute(sa.insert(revisions).values(version_num=REVISION))

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except FootnoteError:
            raise
        except (SQLAlchemyError, sqlite3.Error, OSError) as error:
            raise self._meaning(error) from error

    def _meaning(self, error: Exception) -> FootnoteError:
        cause = getattr(error, "orig", None) or error
        text = " ".join((str(cause) or type(cause).__name__).split())[:300]
        if "disk is full" in text or "No space left" in text or "disk I/O error" in text:
            return IndexFullError(
                f"The disk is full: {self.shown} could not be written ({text}). Nothing that was "
                "kept before is lost. Free some room, and do the same again."
            )
        if self.file is None:
            if "lock timeout" in text:
                return IndexBusyError(
                    f"The database {self.shown} is being written by another process; waited "
                    f"{self._wait:.0f} s. Do the same again."
                )
            return IndexUnavailableError(
                f"The database {self.shown} does not answer ({text}). Start it, or set "
                "FOOTNOTE_DATABASE to where it is."
            )
        if "database is locked" in text or "database is busy" in text:
            return IndexBusyError(
                f"The index in {self.file.parent} is being written by another process; waited "
                f"{self._wait:.0f} s. Let it finish or stop it, and do the same again."
            )
        if "readonly" in text or "unable to open" in text or isinstance(cause, OSError):
            return UnreadableError(
                f"The index folder {self.file.parent} cannot be written ({text}). Choose another "
                "with --index-dir."
            )
        if not isinstance(error, DBAPIError | sqlite3.Error):
            return IndexUnavailableError(
                f"{self.shown} cannot be used just now ({text}). Do the same again."
            )
        return IndexCorruptedError(
            f"The database {self.shown} cannot be read ({text}). Put the folder back from a "
            "backup, or choose another --index-dir."
        )


def parse_address(address: str) -> sa.URL:
    """The address of a PostgreSQL database, as SQLAlchemy wants it.

    Raises:
        SettingsError: it is none.
    """
    with suppress(SQLAlchemyError, ValueError):
        url = sa.make_url(address)
        if url.drivername in ("postgresql", "postgres", "postgresql+psycopg") and url.database:
            return url.set(drivername="postgresql+psycopg")
    shown = address.rpartition("@")[2] if "@" in address else address
    raise SettingsError(
        f"{shown!r} is not the address of a PostgreSQL database. Give it as "
        "postgresql://user:password@host/name; without one, what is kept is in the index's folder."
    )


def _revision_of(connection: sa.Connection) -> str | None:
    """The revision of the tables of a database; None of an empty one."""
    if not sa.inspect(connection).has_table(revisions.name):
        return None
    return connection.scalar(sa.select(revisions.c.version_num))


def _make_private(file: Path) -> None:
    """Make the file where it is not there, readable by its owner alone: it holds the secret that
    signs logins. SQLite gives the files beside it the same rights."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileExistsError):
            os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_RDWR, stat.S_IRUSR | stat.S_IWUSR))
    except OSError as error:
        raise UnreadableError(
            f"The index folder {file.parent} cannot be written ({error.strerror or error}). Choose "
            "another with --index-dir."
        ) from error


def _prepare_sqlite(connection: DBAPIConnection, _: object) -> None:
    raw: Any = connection
    raw.isolation_level = None  # Python's module begins no transaction by itself: see `begin`
    [(mode,)] = raw.execute("PRAGMA journal_mode").fetchall()
    tries = 0
    while mode != "wal":
        # Others may be about to do the same to a new file, and SQLite does not wait for them here.
        try:
            [(mode,)] = raw.execute("PRAGMA journal_mode = WAL").fetchall()
            break
        except sqlite3.OperationalError:
            tries += 1
            if tries > 50:
                raise
            time.sleep(0.1)
    if mode != "wal":
        raise sqlite3.OperationalError(
            f"unable to open in WAL mode but as {mode}: the folder has to be on a local disk"
        )
    raw.execute("PRAGMA synchronous = FULL")
    raw.execute("PRAGMA foreign_keys = ON")
    raw.execute("PRAGMA secure_delete = ON")

"""The Chroma database in a folder: opening, checking, and what its errors mean.

One on a server is in `chroma_server`; no other module imports chromadb.
"""

from __future__ import annotations

import errno
import shutil
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

from index.errors import IndexCorruptedError, IndexFullError, IndexUnusableError

if TYPE_CHECKING:
    from chromadb.api import ClientAPI
    from chromadb.api.models.Collection import Collection

_Result = TypeVar("_Result")

# A failure that does not name its cause is blamed on the disk where less than this is free: what
# Chroma rewrites at once, with SQLite's journal, for some 30,000 sentences.
ROOM = 64 * 2**20
# A recall of 1.0 against exact search on every set that was tried; costs a millisecond.
HNSW = {"space": "cosine", "ef_construction": 200, "ef_search": 200, "max_neighbors": 16}


def make_collection(client: ClientAPI, name: str) -> Collection:
    """The collection of that name, made when it is not there."""
    return client.get_or_create_collection(
        name, embedding_function=None, configuration=cast(Any, {"hnsw": HNSW})
    )


class _Guarded:
    """What makes each call of an object through a function, which may try it again, say."""

    def __init__(self, guarded: object, run: Callable[[Callable[[], Any]], Any]) -> None:
        self._own, self._run = guarded, run

    def __getattr__(self, name: str) -> Callable[..., Any]:
        call = getattr(self._own, name)
        return lambda *given, **named: self._run(partial(call, *given, **named))


def guarded(collection: Collection, run: Callable[[Callable[[], Any]], Any]) -> Collection:
    """A collection each call of which is made by `run`."""
    return cast("Collection", _Guarded(collection, run))


class ChromaFolder:
    """The Chroma database in the folder `path`, made when it is not there. One process at a time
    may have it open.

    Its methods raise what Chroma, SQLite and the disk raise: see `translated`. Those of its
    collections raise our errors.
    """

    def __init__(self, path: Path) -> None:
        """Open it with a connection of its own."""
        self.path = path
        self._client, self.close = _open(path)

    def names(self) -> set[str]:
        """Names of the collections in it."""
        return {collection.name for collection in self._client.list_collections()}

    def collection(self, name: str) -> Collection:
        """The collection of that name, made when it is not there."""
        with translated(self.path):
            return guarded(make_collection(self._client, name), self._guarded)

    def _guarded(self, call: Callable[[], _Result]) -> _Result:
        with translated(self.path):
            return call()

    def drop(self, name: str) -> None:
        """Delete a collection, if it is there."""
        if name in self.names():
            self._client.delete_collection(name)


_spellings: set[str] = set()
_spellings_guard = threading.Lock()


def _open(path: Path) -> tuple[ClientAPI, Callable[[], None]]:
    """A client with a database connection of its own, and how to close it.

    Chroma shares one connection, with its graphs in memory, among the clients of a process whose
    paths are spelt alike, also with a client that was opened before another process wrote. Each
    store therefore spells the path its own way: `/.` is added until nobody has it.
    """
    import chromadb
    from chromadb.config import Settings

    path.mkdir(parents=True, exist_ok=True)
    with _spellings_guard:
        spelling = str(path)
        while spelling in _spellings:
            spelling += "/."
        _spellings.add(spelling)
    # A spelling that failed is not used again: Chroma keeps a half-made connection under it.
    client = chromadb.PersistentClient(spelling, Settings(anonymized_telemetry=False))

    def release() -> None:
        cast(Any, client).close()  # not declared by ClientAPI
        _spellings.discard(spelling)

    return client, release


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Turn what Chroma and the disk raise into errors that say what to do.

    Raises:
        IndexFullError: the disk is full by the error's own words or, since Chroma often does not
            say, because less than `ROOM` is free.
        IndexCorruptedError: anything else.
    """
    try:
        yield
    except BaseException as error:
        from chromadb.errors import ChromaError  # only now: it takes long to load

        handled = (OSError, sqlite3.Error, ChromaError, ValueError, LookupError, TypeError)
        # A panic in Chroma's Rust code has no importable class and is no Exception.
        if isinstance(error, handled) or type(error).__name__ == "PanicException":
            raise _translation(path, error) from error
        raise


def _translation(path: Path, error: BaseException) -> IndexUnusableError:
    text = str(error) or type(error).__name__
    full = any(words in text for words in ("disk is full", "No space left", "quota exceeded"))
    full = full or getattr(error, "errno", None) in (errno.ENOSPC, errno.EDQUOT)
    if full or _free(path) < ROOM:
        return IndexFullError(
            f"The disk is full: the index in {path} could not be written ({text}; "
            f"{_free(path) / 2**20:.0f} MiB free). Nothing that was indexed before is lost. Free "
            "some room, or choose another --index-dir, and run the same command again; it goes on "
            "from here."
        )
    return IndexCorruptedError(
        f"The index in {path} cannot be read ({text}). Your documents are not touched. "
        "Move that folder away, or choose another --index-dir, and run the same command again."
    )


def _free(path: Path) -> int:
    """Bytes free where the path is or would be."""
    while not path.exists():
        path = path.parent
    return shutil.disk_usage(path).free

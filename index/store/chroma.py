"""The Chroma database in a folder: opening, checking, and what its errors mean; and the vectors in
a collection, wherever that is.

One on a server is in `chroma_server`; no other module imports chromadb.
"""

from __future__ import annotations

import shutil
import sqlite3
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

import numpy as np

from index.encoder import Vectors
from index.errors import DISK_FULL, IndexCorruptedError, IndexFullError, IndexUnusableError
from index.store.documents import pages_of
from index.store.manifest import Rows

if TYPE_CHECKING:
    from chromadb.api import ClientAPI
    from chromadb.api.models.Collection import Collection

_Result = TypeVar("_Result")

# A failure that does not name its cause is blamed on the disk where less than this is free: what
# Chroma rewrites at once, with SQLite's journal, for some 30,000 sentences.
MIN_FREE_BYTES = 64 * 2**20
# A recall of 1.0 against exact search on every set that was tried; costs a millisecond.
HNSW = {"space": "cosine", "ef_construction": 200, "ef_search": 200, "max_neighbors": 16}


class Collections(ABC):
    """The collections of a Chroma database. Whatever is asked of them raises our errors."""

    _client: ClientAPI

    @abstractmethod
    def run(self, call: Callable[[], _Result]) -> _Result:
        """What a call of Chroma's gives."""

    def names(self) -> set[str]:
        """Names of the collections in it."""
        return {collection.name for collection in self.run(self._client.list_collections)}

    def collection(self, name: str) -> Collection:
        """The collection of that name, made when it is not there."""
        configuration = cast(Any, {"hnsw": HNSW})
        create = self._client.get_or_create_collection
        make = partial(create, name, embedding_function=None, configuration=configuration)
        return cast("Collection", _Guarded(self.run(make), self.run))


class _Guarded:
    """What makes each call of an object through a function, which may try it again, say."""

    def __init__(self, guarded: object, run: Callable[[Callable[[], Any]], Any]) -> None:
        self._guarded, self._run = guarded, run

    def __getattr__(self, name: str) -> Callable[..., Any]:
        call = getattr(self._guarded, name)
        return lambda *given, **named: self._run(partial(call, *given, **named))


_spellings: set[str] = set()
_spellings_guard = threading.Lock()


class ChromaFolder(Collections):
    """The Chroma database in the folder `path`, made when it is not there, opened with a connection
    of its own. One process at a time may have it open.

    Chroma shares one connection, with its graphs in memory, among the clients of a process whose
    paths are spelt alike, also with a client that was opened before another process wrote. Each
    therefore spells the path its own way: `/.` is added until nobody has it.
    """

    def __init__(self, path: Path) -> None:
        import chromadb
        from chromadb.config import Settings

        self.path = path
        path.mkdir(parents=True, exist_ok=True)
        with _spellings_guard:
            self._spelling = str(path)
            while self._spelling in _spellings:
                self._spelling += "/."
            _spellings.add(self._spelling)
        # A spelling that failed is not used again: Chroma keeps a half-made connection under it.
        self._client = chromadb.PersistentClient(
            self._spelling, Settings(anonymized_telemetry=False)
        )

    def close(self) -> None:
        """Let go of the connection."""
        cast(Any, self._client).close()  # not declared by ClientAPI
        _spellings.discard(self._spelling)

    def run(self, call: Callable[[], _Result]) -> _Result:
        """See `Collections`; raises what `translated` does."""
        with translated(self.path):
            return call()

    def drop(self, name: str) -> None:
        """Delete a collection, if it is there."""
        if name in self.names():
            self.run(partial(self._client.delete_collection, name))


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Turn what Chroma and the disk raise into errors that say what to do.

    Raises:
        IndexFullError: the disk is full by the error's own words or, since Chroma often does not
            say, because less than `MIN_FREE_BYTES` is free.
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
    full = full or getattr(error, "errno", None) in DISK_FULL
    if full or _free(path) < MIN_FREE_BYTES:
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


#: A sentence that was found: the row of its paragraph, its number in it, and its cosine.
Nearest = tuple[int, int, float]

BATCH = 4000  # vectors added a call, each call all or nothing; Chroma's own limit is 5,461
#: Vectors after which Chroma writes its graph to the disk, unless it is told otherwise.
SYNC_THRESHOLD = 1000


class ChromaVectors:
    """Vectors in a Chroma collection, by the rows of their paragraphs.

    Args:
        collection: each call of which raises our errors.
    """

    def __init__(self, collection: Any) -> None:
        self._collection = collection

    def add(self, rows: Rows, vectors: Sequence[Vectors]) -> None:
        """Store the vectors of paragraphs, of one paragraph all or none."""
        groups = [
            list(zip(*group, strict=True)) for group in zip(ids_of(rows), vectors, strict=True)
        ]
        for batch in batches(groups):
            # What a process that was killed had added already is put there again.
            self._collection.upsert(
                ids=[identity for identity, _ in batch],
                embeddings=np.stack([vector for _, vector in batch]),
            )

    def delete(self, rows: Rows) -> None:
        """Delete the vectors of paragraphs."""
        for page in pages_of([identity for ids in ids_of(rows) for identity in ids]):
            self._collection.delete(ids=page)

    def read(self, rows: Rows) -> dict[int, list[Vectors]]:
        """The vectors that are there, by the rows of their paragraphs."""
        found: dict[str, Vectors] = {}
        groups = ids_of(rows)
        for page in pages_of([identity for ids in groups for identity in ids]):
            records = self._collection.get(ids=page, include=["embeddings"])
            found.update(zip(records["ids"], records["embeddings"], strict=True))
        return {
            row: [found[identity] for identity in ids if identity in found]
            for row, ids in zip(rows.rows.tolist(), groups, strict=True)
        }

    def nearest(self, vector: Vectors, count: int) -> list[Nearest]:
        """See `VectorStore`."""
        records = self._collection.query(
            query_embeddings=cast(Any, vector[None, :]), n_results=count, include=["distances"]
        )
        found = []
        for identity, distance in zip(
            records["ids"][0], (records["distances"] or [[]])[0], strict=True
        ):
            row, _, sentence = identity.partition(":")
            found.append((int(row), int(sentence), 1.0 - float(distance)))
        return found

    def touch(self) -> None:
        """Have Chroma catch up with its log, which it does at the first read and may rewrite its
        graph for."""
        self._collection.get(limit=1, include=[])

    def expect(self, paragraphs: int) -> None:
        """Prepare for so many more. Chroma rewrites the list of all ids with every SYNC_THRESHOLD
        vectors, which would take as long as all the rest where there are millions; then it does so
        a hundred times at most. Heeded at once by a collection that is empty."""
        if paragraphs > 100 * SYNC_THRESHOLD:
            import warnings

            with warnings.catch_warnings():
                # What Chroma calls it that no embedding function is its own.
                warnings.filterwarnings("ignore", message="legacy embedding function config")
                self._collection.modify(
                    configuration={"hnsw": {"sync_threshold": paragraphs // 100}}
                )


def ids_of(rows: Rows) -> list[list[str]]:
    """The ids of the sentences of each row."""
    return [[f"{row}:{number}" for number in range(count)] for row, _, count in rows.tuples()]


def batches(groups: Sequence[Sequence[Any]]) -> Iterator[list[Any]]:
    """The items of groups, not more than BATCH at a time unless a group has more: none is cut."""
    batch: list[Any] = []
    for group in groups:
        if batch and len(batch) + len(group) > BATCH:
            yield batch
            batch = []
        batch += group
    if batch:
        yield batch

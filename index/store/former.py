"""Takes over what versions before 2026-12 kept in Chroma: documents, texts and originals.

They had one collection of manifests (JSON, with the text between paragraphs) and one of sentences:
vectors, and with the first one of each paragraph its text. All of it is written into the database
in one transaction; a folder's Chroma is then renamed, as a copy. A server keeps the collections,
and a mark that makes the former version refuse to work there.
"""

from __future__ import annotations

import base64
import json
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any, cast

import filelock
import numpy as np
import sqlalchemy as sa

from index.database.database import Database
from index.encoder import Encoder
from index.errors import FootnoteError, IndexBusyError, IndexCorruptedError
from index.store import documents, staging
from index.store.chroma import ChromaFolder
from index.store.chroma_server import Server
from index.store.manifest import Manifest, ParagraphText, Place, Rows, entry_of, metadata_of
from index.store.tables import files
from index.store.vectors import VectorStore

#: Where the former Chroma is after it was taken over, and where it was.
COPY, FORMER = "chroma-former", "chroma"
_TAKEN = "taken over"  # the counter that says so
_GENERATION = re.compile(r"documents-(\d+)-(\w+)")
#: What the former version looks for: of another format it leaves everything alone.
_FORMAT = "3"


def take_over(
    folder: Path,
    database: Database,
    encoder: Encoder,
    server: Server | None,
    open_vectors: Callable[[], VectorStore],
    wait: float,
) -> str:
    """Take the former documents over, where there are any that were not; gives a sentence that says
    so, or nothing.

    Args:
        folder: of the index.
        database: to write into.
        encoder: of the index: vectors that were made by it are taken over as well.
        server: the Chroma server that keeps the vectors, if one does.
        open_vectors: opens the first generation.
        wait: seconds to wait for a process of the former version.

    Raises:
        IndexBusyError: one is using the index.
        IndexCorruptedError: what it wrote cannot be read.
    """
    former = folder / FORMER
    if server is None and not former.exists():
        return ""
    with database.read() as connection:
        is_done = bool(documents.count(connection, _TAKEN))
    if server is not None:
        if is_done or "state" not in server.names():
            return ""
        count = _copy(server, database, encoder, open_vectors)
        server.collection("state").upsert(
            ids=["format"], embeddings=cast(Any, [[1.0]]), metadatas=[{"format": _FORMAT}]
        )
        return (
            f"{count} documents of a former version were taken over into the database. What it "
            "kept on the Chroma server stays there as a copy; processes of that version refuse to "
            "use it."
        )
    try:
        with filelock.FileLock(folder / "lock", timeout=wait):
            count = 0
            if not is_done:
                with closing(ChromaFolder(former)) as chroma:
                    count = _copy(chroma, database, encoder, open_vectors)
            former.rename(folder / COPY)
    except filelock.Timeout:
        raise IndexBusyError(
            f"A process of a former version is using the index in {folder}; waited {wait:.0f} s. "
            "Stop it, and do the same again."
        ) from None
    return (
        f"{count} documents of a former version were taken over into {database.shown}. A copy of "
        f"what it had is in {folder / COPY}; delete that when you no longer want to go back."
    )


def _copy(
    chroma: ChromaFolder | Server,
    database: Database,
    encoder: Encoder,
    open_vectors: Callable[[], VectorStore],
) -> int:
    names = chroma.names()
    found = sorted((int(m[1]), m[2]) for name in names if (m := _GENERATION.fullmatch(name)))
    try:
        manifests: dict[str, Manifest] = {}
        texts: dict[str, ParagraphText] = {}
        rows: dict[str, Any] = {}
        for number, fingerprint in found:  # of an interrupted rebuild there are two
            name = f"{number:04d}-{fingerprint}"
            found_here = dict(_manifests(chroma.collection(f"documents-{name}")))
            manifests |= found_here
            sentences = chroma.collection(f"sentences-{name}")
            wanted = list({place.id for one in found_here.values() for place in one.places})
            texts |= _texts(sentences, wanted)
            if fingerprint == encoder.fingerprint:
                rows |= _vectors(sentences, [texts[i] for i in wanted if i in texts])
        whole = [
            one for one in manifests.values() if all(place.id in texts for place in one.places)
        ]
        files_of = _files(chroma, names) if isinstance(chroma, Server) else iter(())
    except FootnoteError:
        raise
    except (ValueError, LookupError, TypeError) as error:
        raise IndexCorruptedError(
            f"What a former version kept cannot be read ({error}). Nothing was changed. Put the "
            "folder back from a backup, or choose another --index-dir and add the documents again."
        ) from error
    with closing(open_vectors()) as vectors, database.write() as connection:
        documents.begin(connection, encoder.fingerprint)
        whole.sort(key=lambda manifest: manifest.source)
        staged = staging.stage(connection, whole, documents.reader_of(texts), {})
        fresh = {i: row for one in staged for i, row in one.fresh.items()}
        there = {i: row for i, row in fresh.items() if len(rows.get(i, ())) == row[2]}
        if there:
            vectors.add(Rows.of(there.values()), [rows[i] for i in there])
        # Of those without vectors these are made next.
        staging.set_ready(connection, [row for row, *_ in fresh.values()], vectors.number)
        staging.publish(connection, staged)
        for one in files_of:
            connection.execute(sa.insert(files).values(one))
        documents.count(connection, _TAKEN, 1)
    return len(whole)


def _manifests(collection: Any) -> Iterator[tuple[str, Manifest]]:
    for identity, metadata in _records(collection):
        if "manifest" in metadata:
            text, added = str(metadata["manifest"]), str(metadata.get("added", ""))
            yield identity, _manifest(identity, json.loads(text), added)


def _manifest(identity: str, data: Mapping[str, Any], added: str) -> Manifest:
    places, offset = [], 0
    for gap, (paragraph, heading, page, length, *rest) in zip(
        data["gaps"], data["places"], strict=False
    ):
        offset += len(gap)
        path = tuple(data["headings"][heading])
        places.append(Place(paragraph, path, page, offset, offset + length, *rest))
        offset += length
    later = ("content", "language", "bytes", "pages", "unread")
    return Manifest(
        id=identity,
        reading=data.get("reading", ""),
        places=tuple(places),
        gaps=tuple(data["gaps"]),
        metadata=metadata_of(data.get("imprint", {})),
        added=added,
        own=entry_of(data.get("own")),
        **{name: data[name] for name in ("source", "title", "hash", "kept")},
        **{name: data[name] for name in later if name in data},
    )


def _texts(collection: Any, ids: list[str]) -> dict[str, ParagraphText]:
    found = {}
    for page in documents.pages_of(ids):
        records = collection.get(ids=[f"{i}:0" for i in page], include=["metadatas"])
        for record, metadata in zip(records["ids"], records["metadatas"], strict=True):
            identity = record.partition(":")[0]
            found[identity] = ParagraphText.stored(
                identity, str(metadata["text"]), str(metadata["spans"])
            )
    return found


def _vectors(collection: Any, texts: list[ParagraphText]) -> dict[str, Any]:
    """The vectors of paragraphs, as far as they are there and unit vectors: those of a graph that
    was damaged are made again."""
    found: dict[str, Any] = {}
    for page in documents.pages_of(texts):
        ids = [f"{one.id}:{number}" for one in page for number in range(len(one.spans))]
        records = collection.get(ids=ids, include=["embeddings"])
        rows = dict(zip(records["ids"], records["embeddings"], strict=True))
        for one in page:
            stored = [rows.get(f"{one.id}:{number}") for number in range(len(one.spans))]
            if stored and all(row is not None for row in stored):
                block = np.array(stored, dtype=np.float32)
                length = np.linalg.norm(block, axis=1)
                # Zero is that of a sentence that the encoder does not see.
                if ((np.abs(length - 1) < 1e-3) | (length == 0)).all():
                    found[one.id] = block
    return found


def _files(server: Server, names: set[str]) -> Iterator[dict[str, Any]]:
    """The originals that the server kept, as rows."""
    if "pages" not in names:
        return
    collection: Any = server.collection("pages")
    for content, head in _records(collection):
        for part in ("original", "boxes"):
            for piece in range(int(head.get(part, 0) or 0) if ":" not in content else 0):
                record = collection.get(ids=[f"{content}:{part}:{piece}"], include=["metadatas"])
                if record["ids"]:
                    yield {
                        "content": content, "part": part, "piece": piece,
                        "hash": head[f"{part} hash"], "since": time.time(),
                        "data": base64.b64decode(record["metadatas"][0]["data"]),
                    }  # fmt: skip


def _records(collection: Any) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """All records of a collection, ids and metadata, without the pieces of files."""
    ids = collection.get(include=[])["ids"]
    for page in documents.pages_of([i for i in ids if i.count(":") < 2]):
        records = collection.get(ids=page, include=["metadatas"])
        yield from zip(records["ids"], records["metadatas"], strict=True)

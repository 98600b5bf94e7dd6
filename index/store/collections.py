"""A generation: what the index keeps in Chroma of its documents and paragraphs, for one encoder.

Two collections make a generation. The encoder's fingerprint is in their names, so vectors never
mix, and so is a number that grows, since a generation can be replaced by a newer one.

- `sentences-<number>-<fingerprint>` holds one vector a sentence under the id
  `<paragraph id>:<sentence>`. The paragraph's text and sentence spans lie with its first sentence.
  Paragraphs are addressed by content, so they are never changed: only added, in one call each, and
  deleted.
- `documents-<number>-<fingerprint>` holds one manifest a document: which paragraphs it has, under
  which headings, and the text between them. One write replaces it, so that a document changes from
  its old to its new version at once, and `document.text` can be had back to the character.

A paragraph that no manifest names does not exist for any reader. New paragraphs are therefore added
first, the manifest is replaced next, and stale paragraphs are deleted last: wherever a process is
killed, the old or the new version of each document is whole.
"""

from __future__ import annotations

import json
import re
import warnings
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any, TypeVar, cast

import numpy as np

from index.encoder import Vectors
from index.errors import FootnoteError
from index.models import paragraph_id, text_hash
from index.store.chroma import Database
from index.store.chroma_server import Server
from index.store.manifest import Manifest, ParagraphText

PAGE = 500  # records read, deleted or replaced a call
IDS = 100_000  # ids read a call
SYNC = 1000  # vectors after which Chroma writes its graph to the disk, unless it is told otherwise
BATCH = 4000  # records added a call, each call all or nothing; Chroma's own limit is 5,461

_Item = TypeVar("_Item")


@dataclass(frozen=True, slots=True, order=True)
class GenerationName:
    """Names the two collections of one encoder; the one with the highest number is current."""

    number: int
    fingerprint: str

    @property
    def documents(self) -> str:
        """Name of the collection of manifests."""
        return f"documents-{self.number:04d}-{self.fingerprint}"

    @property
    def sentences(self) -> str:
        """Name of the collection of vectors and texts."""
        return f"sentences-{self.number:04d}-{self.fingerprint}"

    @classmethod
    def named(cls, collection: str) -> GenerationName | None:
        """The name of the generation that a collection of this name belongs to, or a record whose
        name begins so."""
        match = re.fullmatch(r"(?:documents|sentences)-(\d+)-(\w+)(?::\w+)?", collection)
        return cls(int(match[1]), match[2]) if match else None


class Generation:
    """The collections of that name in the database, made where they are not there.

    Args:
        database: the open database.
        name: which two.
        wrote: called whenever Chroma has returned from a change.

    Raises (any method):
        IndexCorruptedError: the database cannot be read.
        IndexFullError: the disk is full.
    """

    def __init__(
        self, database: Database | Server, name: GenerationName, wrote: Callable[[], None]
    ) -> None:
        """Open or make them."""
        self.name = name
        self._wrote = wrote
        self._translated = database.translated
        #: The error for paragraphs that a manifest names and that are not there.
        self.lost: Callable[[Collection[str]], FootnoteError] = database.lost
        # Documents last, since the seal names them.
        self.sentences = database.collection(name.sentences)
        self._documents = database.collection(name.documents)

    def touch(self) -> None:
        """Have Chroma catch up with its log, which it does at the first read and may rewrite the
        graphs for."""
        self.sentences.get(limit=1, include=[])
        self._documents.get(limit=1, include=[])

    def expect(self, paragraphs: int) -> None:
        """Prepare for so many more. Chroma rewrites the list of all ids with every SYNC vectors,
        which would take as long as all the rest where there are millions; then it does so a hundred
        times at most. What was not written so is read again when it is next opened. Heeded at once
        by a collection that is empty, by others once Chroma has opened them anew."""
        if paragraphs > 100 * SYNC:
            with warnings.catch_warnings():
                # What Chroma calls it that no embedding function is its own.
                warnings.filterwarnings("ignore", message="legacy embedding function config")
                self.sentences.modify(configuration={"hnsw": {"sync_threshold": paragraphs // 100}})

    # --- documents ---------------------------------------------------------------------------

    def manifests(
        self, known: Mapping[str, Manifest] | None = None, ids: Sequence[str] | None = None
    ) -> list[Manifest]:
        """Documents, ordered by source.

        Args:
            known: manifests that were read before, by id; of what is in the same version, which
                takes long to parse, these are given again.
            ids: of those to read, where they are there; all of a folder when left out.
        """
        known, found = known or {}, []
        with self._translated():
            for page in [None] if ids is None else pages_of(ids):
                records = self._documents.get(ids=page, include=["metadatas"])
                pairs = zip(records["ids"], records["metadatas"] or [], strict=True)
                found += [manifest_of(own, metadata, known.get(own)) for own, metadata in pairs]
        return sorted(found, key=lambda manifest: manifest.source)

    def put_manifests(self, manifests: Sequence[Manifest]) -> None:
        """Make these the current versions of their documents, each at once."""
        for page in pages_of(manifests):
            records = [record for manifest in page for record in self._records_of(manifest)]
            # Chroma wants a vector for every record; documents are never searched by one.
            self._documents.upsert(
                ids=[identity for identity, _ in records],
                embeddings=cast(Any, [[1.0]] * len(records)),
                metadatas=cast(Any, [metadata for _, metadata in records]),
            )
            self._wrote()

    def _records_of(self, manifest: Manifest) -> list[tuple[str, dict[str, str]]]:
        """The ids and metadata of what is kept of a document."""
        text = manifest.to_json()
        kept = {"manifest": text, "sha256": text_hash(text), "added": manifest.added}
        return [(manifest.id, kept)]

    def delete_manifest(self, document_id: str) -> None:
        """Take a document away, at once; its paragraphs go with the next sweep."""
        self._documents.delete(ids=[document_id, f"{document_id}:version"])
        self._wrote()

    # --- paragraphs --------------------------------------------------------------------------

    def stored(self) -> dict[str, list[str]]:
        """The ids of the records of all paragraphs, named by a manifest or not. What comes or goes
        meanwhile may be missing."""
        return owned_records(self.sentences)

    def held(self, ids: Collection[str]) -> set[str]:
        """Which of these paragraphs are stored; nothing is read of others."""
        found: set[str] = set()
        for page in pages_of(sorted(ids)):
            records = self.sentences.get(ids=[f"{i}:0" for i in page], include=[])
            found.update(record.partition(":")[0] for record in records["ids"])
        return found

    def claim(self, ids: Collection[str]) -> set[str]:
        """Which of these paragraphs are stored, and stay until they are named."""
        return self.held(ids)

    @property
    def keeps_claim(self) -> bool:
        """Whether what was last claimed did stay, so that all is there that was named since."""
        return True

    def add(self, paragraphs: Sequence[ParagraphText], vectors: Sequence[Vectors]) -> None:
        """Store paragraphs with their sentences' vectors; all of one paragraph or nothing of it."""
        records = [
            [
                (identity, row, None if number else {"text": paragraph.text, "spans": spans})
                for number, (identity, row) in enumerate(zip(paragraph.records, own, strict=True))
            ]
            for paragraph, own in zip(paragraphs, vectors, strict=True)
            for spans in [json.dumps(paragraph.spans, separators=(",", ":"))]
        ]
        for batch in batches(records, BATCH):
            self.sentences.add(
                ids=[identity for identity, _, _ in batch],
                embeddings=cast(Any, np.stack([row for _, row, _ in batch])),
                metadatas=cast(Any, [metadata for _, _, metadata in batch]),
            )
            self._wrote()

    def sweep(self, used: Collection[str]) -> None:
        """Delete what is stored of every paragraph whose id is not in `used`."""
        self._delete([own for identity, own in self.stored().items() if identity not in used])

    def remove(self, ids: Collection[str]) -> None:
        """Delete these paragraphs."""
        self._delete([paragraph.records for paragraph in self.texts(sorted(ids)).values()])

    def _delete(self, records: Iterable[Sequence[str]]) -> None:
        for batch in batches(records, PAGE):
            self.sentences.delete(ids=batch)
            self._wrote()

    def texts(self, ids: Iterable[str]) -> dict[str, ParagraphText]:
        """Read paragraphs by id; those that are not stored are not in the result."""
        with self._translated():
            pages = pages_of(list(ids))
            return {p.id: p for page in pages for p in self._texts(page)}

    def _texts(self, ids: Sequence[str]) -> Iterator[ParagraphText]:
        records = self.sentences.get(ids=[f"{i}:0" for i in ids], include=["metadatas"])
        for identity, metadata in zip(records["ids"], records["metadatas"] or [], strict=True):
            text = str(metadata["text"])
            spans = tuple((int(a), int(b)) for a, b in json.loads(str(metadata["spans"])))
            paragraph = identity.partition(":")[0]
            # SQLite has no checksums: a text that changed on the disk is not to be cited.
            if paragraph_id(text, spans) != paragraph:
                raise ValueError(f"paragraph {paragraph} is not the text that was stored")
            yield ParagraphText(paragraph, text, spans)

    def sentence_count(self) -> int:
        """How many sentences are stored, named by a manifest or not."""
        return self.sentences.count()

    # --- vectors -----------------------------------------------------------------------------

    def nearest(self, vector: Vectors, count: int) -> list[tuple[str, int, float]]:
        """The `count` sentences nearest to a unit vector, or all where there are fewer:
        (paragraph id, sentence, cosine), best first."""
        found = self.sentences.query(
            query_embeddings=cast(Any, vector[None, :]),
            n_results=count,
            include=["distances"],
        )
        distances = (found["distances"] or [[]])[0]
        return [
            (identity.partition(":")[0], int(identity.partition(":")[2]), 1.0 - float(distance))
            for identity, distance in zip(found["ids"][0], distances, strict=True)
        ]

    def vectors(self, paragraphs: Iterable[ParagraphText]) -> dict[str, Vectors]:
        """The vectors of paragraphs by id, each of shape (sentences, dimension)."""
        paragraphs = list(paragraphs)
        ids = [record for paragraph in paragraphs for record in paragraph.records]
        rows: dict[str, Vectors] = {}
        for page in pages_of(ids):
            records = self.sentences.get(ids=page, include=["embeddings"])
            rows.update(zip(records["ids"], cast(Any, records["embeddings"]), strict=True))
        if lost := {record.partition(":")[0] for record in ids if record not in rows}:
            raise self.lost(lost)
        return {
            paragraph.id: np.array([rows[own] for own in paragraph.records], dtype=np.float32)
            for paragraph in paragraphs
        }


def manifest_of(
    identity: str, metadata: Mapping[str, Any], known: Manifest | None = None
) -> Manifest:
    """The manifest that a record keeps: `known` where it is that version of the document.

    Raises:
        ValueError: it is not what was stored.
    """
    text = str(metadata["manifest"])
    digest = text_hash(text)
    if metadata.get("sha256", digest) != digest:
        raise ValueError(f"what is kept of document {identity} is not what was stored")
    if known is not None and known.version == digest:
        return known
    return Manifest.from_json(identity, text, str(metadata.get("added", "")))


def pages_of(items: Sequence[_Item]) -> Iterator[list[_Item]]:
    """The items, PAGE at a time."""
    for first in range(0, len(items), PAGE):
        yield list(items[first : first + PAGE])


def batches(groups: Iterable[Sequence[_Item]], limit: int) -> Iterator[list[_Item]]:
    """The items of groups, not more than `limit` at a time unless a group has more: none is cut."""
    batch: list[_Item] = []
    for group in groups:
        if batch and len(batch) + len(group) > limit:
            yield batch
            batch = []
        batch += group
    if batch:
        yield batch


def owned_records(collection: Any) -> dict[str, list[str]]:
    """The ids of all records of a collection, by what stands in them before the first colon."""
    found: dict[str, list[str]] = {}
    for offset in count(0, IDS):
        ids = collection.get(limit=IDS, offset=offset, include=[])["ids"]
        for record in ids:
            found.setdefault(record.partition(":")[0], []).append(record)
        if len(ids) < IDS:
            break
    return found

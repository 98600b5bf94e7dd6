"""The rows of documents and paragraphs: what is read of them, and how they come and go.

A document comes in as a version that is *pending*: its rows and those of its new paragraphs first,
then the paragraphs' vectors, then one transaction that makes it the document's current version.
Killed anywhere, what is current is whole. What a dead writer left pending is deleted an hour later.

A paragraph that no version has any more is *unused*: it and its vectors stay for `GRACE_SECONDS`,
for whoever began to read an earlier revision, or has use for it again. One without vectors goes at
once.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

import sqlalchemy as sa

from index.database.document_tables import (
    DYING,
    READY,
    UNUSED,
    counters,
    documents,
    generations,
    paragraphs,
    places,
    versions,
)
from index.errors import IndexChangedError
from index.models import Sentence
from index.store.manifest import Manifest, ParagraphText, Place, Rows, metadata_of

#: Rows asked for by their ids at a time: SQLite takes 32,766 values, fewer are as fast.
PAGE_SIZE = 500
#: Seconds for which unused paragraphs stay, and vectors that were made again.
GRACE_SECONDS = 600.0
#: Seconds after which a version that is still pending was left by a process that was killed.
ABANDONED = 3600.0

#: The columns of a version that a manifest has by the same name.
SAME_NAME = (
    "row", "title", "reading", "kept", "content", "language", "bytes", "pages", "unread", "added",
)  # fmt: skip

#: The counter that says when a generation was last replaced, in seconds since 1970.
_REPLACED = "replaced"

_Item = TypeVar("_Item")

#: The columns of `Rows`.
ROW = (paragraphs.c.row, paragraphs.c.position, paragraphs.c.sentences)
#: Reads the texts of paragraphs by their ids; leaves out what is not to be had.
TextReader = Callable[[Sequence[str]], Mapping[str, ParagraphText]]


def reader_of(texts: Mapping[str, ParagraphText]) -> TextReader:
    """Reads the texts that are at hand."""
    return lambda ids: {identity: texts[identity] for identity in ids if identity in texts}


class GenerationReplacedError(Exception):
    """Another generation of vectors came into use meanwhile: write again, to that."""


# --- the index as a whole ----------------------------------------------------------------------


def count(connection: sa.Connection, name: str, by: int = 0) -> int:
    """The value of a counter, after it was moved on."""
    if by:
        moved = sa.update(counters).where(counters.c.name == name)
        found = connection.scalar(
            moved.values(value=counters.c.value + by).returning(counters.c.value)
        )
        if found is None:
            connection.execute(sa.insert(counters).values(name=name, value=by))
            return by
        return int(found)
    return connection.scalar(sa.select(counters.c.value).where(counters.c.name == name)) or 0


def generation_of(connection: sa.Connection) -> tuple[int, str] | None:
    """The number and the encoder's fingerprint of the vectors in use."""
    found = connection.execute(
        sa.select(generations.c.number, generations.c.fingerprint)
        .where(generations.c.whole)
        .order_by(generations.c.number.desc())
        .limit(1)
    ).first()
    return (found[0], found[1]) if found else None


def check_generation(connection: sa.Connection, number: int) -> None:
    """Check that a generation is in use.

    Raises:
        GenerationReplacedError: another one is.
    """
    found = generation_of(connection)
    if found is None or found[0] != number:
        raise GenerationReplacedError


# --- reading -----------------------------------------------------------------------------------


def load(connection: sa.Connection, known: Mapping[str, Manifest]) -> list[Manifest]:
    """All documents as they are now, ordered by source.

    Args:
        connection: of a transaction that reads.
        known: documents that were read before: those that are still so are given again.
    """
    current = connection.execute(
        sa.select(
            documents.c.id, documents.c.source, documents.c.custom_title,
            versions.c.row, versions.c.hash,
        )
        .join(versions, documents.c.version == versions.c.row)
        .order_by(documents.c.source)
    ).all()  # fmt: skip
    # By its row too: what was removed and added again is the same, with other paragraphs' rows.
    changed = {
        row: (identity, source)
        for identity, source, _, row, digest in current
        if identity not in known or (known[identity].row, known[identity].version) != (row, digest)
    }
    found = {**known, **dict(_read(connection, changed))}
    return [
        one if one.custom_title == title else replace(one, custom_title=title)
        for one, title in ((found[identity], title) for identity, _, title, *_ in current)
    ]


def _read(
    connection: sa.Connection, wanted: Mapping[int, tuple[str, str]]
) -> Iterator[tuple[str, Manifest]]:
    for page in pages_of(list(wanted)):
        heads = connection.execute(sa.select(versions).where(versions.c.row.in_(page))).all()
        found: dict[int, list[Any]] = {row: [] for row in page}
        rows = connection.execute(
            sa.select(
                places.c.version, places.c.heading, places.c.page, places.c.start, places.c.end,
                places.c.locator, places.c.kind, places.c.ocr_confidence, places.c.lead,
                paragraphs.c.id, *ROW,
            )
            .join(paragraphs, places.c.paragraph == paragraphs.c.row)
            .where(places.c.version.in_(page))
            .order_by(places.c.version, places.c.number)
        )  # fmt: skip
        for row in rows:
            found[row[0]].append(row)
        headings: dict[str, tuple[str, ...]] = {}
        for head in heads:
            identity, source = wanted[head.row]
            yield identity, _manifest(identity, source, head, found[head.row], headings)


def _manifest(
    document: str,
    source: str,
    head: Any,
    found: Sequence[Any],
    headings: dict[str, tuple[str, ...]],
) -> Manifest:
    listed = []
    leads: dict[str | None, Sentence | None] = {None: None}
    for _, heading, page, start, end, locator, kind, confidence, led, identity, *_ in found:
        if heading not in headings:
            headings[heading] = tuple(json.loads(heading))
        if led not in leads:
            at, said = json.loads(led)
            leads[led] = Sentence(at, at + len(said), said)
        where = headings[heading], page, start, end, locator, kind, confidence, leads[led]
        listed.append(Place(identity, *where))
    return Manifest(
        id=document,
        source=source,
        hash=head.text_hash,
        places=tuple(listed),
        gaps=tuple(json.loads(head.gaps)),
        metadata=metadata_of(json.loads(head.metadata)),
        version=head.hash,
        rows=Rows.of(row[10:] for row in found),
        **{name: getattr(head, name) for name in SAME_NAME},
    )


def texts(connection: sa.Connection, ids: Sequence[str]) -> dict[str, ParagraphText]:
    """The texts of paragraphs by id; those that are not stored are left out.

    Raises:
        ValueError: a text is not the one that was stored.
    """
    return {text.id: text for _, text in _texts(connection, paragraphs.c.id, ids)}


def texts_by_row(connection: sa.Connection, rows: Sequence[int]) -> dict[int, ParagraphText]:
    """The same by the rows of paragraphs."""
    return dict(_texts(connection, paragraphs.c.row, rows))


def _texts(
    connection: sa.Connection, column: sa.Column[_Item], values: Sequence[_Item]
) -> Iterator[tuple[int, ParagraphText]]:
    chosen = [paragraphs.c[name] for name in ("row", "id", "text", "spans", "context")]
    for page in pages_of(values):
        for row, *stored in connection.execute(sa.select(*chosen).where(column.in_(page))):
            yield row, ParagraphText.stored(*stored)


def rows_where(connection: sa.Connection, *conditions: sa.ColumnElement[bool]) -> Rows:
    """The rows of the paragraphs of which this holds, in their order."""
    chosen = sa.select(*ROW).where(*conditions).order_by(paragraphs.c.row)
    return Rows.of(connection.execute(chosen))


def ready_rows(connection: sa.Connection, *, unused: bool = False) -> Rows:
    """The rows of all paragraphs that have vectors, in their order; those that no document has any
    more, but may have again, if they are asked for."""
    return rows_where(connection, paragraphs.c.state.in_((READY, UNUSED) if unused else (READY,)))


def last_ready(connection: sa.Connection) -> Rows:
    """The row of the paragraph whose vectors are last, of those that are ready; or none."""
    # The highest row is that of the last that was staged, and so has the highest position.
    last = sa.select(*ROW).where(paragraphs.c.state == READY).order_by(paragraphs.c.row.desc())
    return Rows.of(connection.execute(last.limit(1)))


def are_there(connection: sa.Connection, rows: Sequence[int]) -> bool:
    """Whether all of these paragraphs are still there, and not about to be deleted."""
    found = 0
    for page in pages_of(rows):
        there = sa.and_(paragraphs.c.row.in_(page), paragraphs.c.state != DYING)
        found += len(rows_where(connection, there))
    return found == len(set(rows))


def has_waste(connection: sa.Connection, grace: float) -> bool:
    """Whether there is something to delete."""
    now = time.time()
    unused = sa.and_(paragraphs.c.state == UNUSED, paragraphs.c.unused <= now - grace)
    dying = sa.select(paragraphs.c.row).where(sa.or_(paragraphs.c.state == DYING, unused))
    dead = sa.select(versions.c.row).where(versions.c.pending < now - ABANDONED)
    return any(connection.scalar(rows.limit(1)) is not None for rows in (dying, dead))


# --- generations -------------------------------------------------------------------------------


def begin(connection: sa.Connection, fingerprint: str) -> None:
    """Note the encoder of an index that had none."""
    if generation_of(connection) is None:
        connection.execute(
            sa.insert(generations).values(number=1, fingerprint=fingerprint, whole=True)
        )


def begin_generation(connection: sa.Connection, fingerprint: str) -> int:
    """Begin a generation of vectors, or go on with one of this encoder; gives its number."""
    current = generation_of(connection) or (0, "")
    begun = sa.select(generations.c.number).where(
        generations.c.number > current[0], generations.c.fingerprint == fingerprint
    )
    number = connection.scalar(begun)
    if number is None:
        highest = connection.scalar(sa.select(sa.func.max(generations.c.number))) or 0
        number = highest + 1
        connection.execute(
            sa.insert(generations).values(number=number, fingerprint=fingerprint, whole=False)
        )
    return number


def take_generation(connection: sa.Connection, number: int) -> None:
    """Take a generation into use, in place of those before.

    Raises:
        IndexChangedError: a later one was taken into use meanwhile.
    """
    current = generation_of(connection) or (0, "")
    if current[0] > number:
        raise IndexChangedError("The index was rebuilt by another process meanwhile.")
    connection.execute(
        sa.update(generations).where(generations.c.number == number).values(whole=True)
    )
    count(connection, _REPLACED, int(time.time()) - count(connection, _REPLACED))
    count(connection, "revision", 1)


def replaced(connection: sa.Connection, grace: float) -> list[tuple[int, str]]:
    """The numbers and fingerprints of generations that were replaced so many seconds ago: whoever
    began to read before needs their vectors for a while, as with unused paragraphs."""
    current = generation_of(connection) or (0, "")
    if count(connection, _REPLACED) > time.time() - grace:
        return []
    found = connection.execute(
        sa.select(generations.c.number, generations.c.fingerprint).where(
            generations.c.number < current[0]
        )
    )
    return [(number, fingerprint) for number, fingerprint in found]


def forget(connection: sa.Connection, dropped: Sequence[tuple[int, str]]) -> None:
    """Delete generations that have no vectors any more."""
    numbers = [number for number, _ in dropped]
    connection.execute(sa.delete(generations).where(generations.c.number.in_(numbers)))


def pages_of(items: Sequence[_Item]) -> Iterator[list[_Item]]:
    """The items, PAGE_SIZE at a time."""
    for first in range(0, len(items), PAGE_SIZE):
        yield list(items[first : first + PAGE_SIZE])

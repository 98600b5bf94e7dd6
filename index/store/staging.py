"""Writing documents: staged, then made visible in one transaction; and removed again."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from index.database.columns import put_row
from index.database.document_tables import (
    DYING,
    PENDING,
    READY,
    UNUSED,
    documents,
    paragraphs,
    places,
    versions,
)
from index.errors import DocumentExistsError, IndexChangedError
from index.store.documents import (
    ABANDONED,
    ROW,
    SAME_NAME,
    TextReader,
    are_there,
    check_generation,
    count,
    pages_of,
    rows_where,
)
from index.store.manifest import Manifest, Row, Rows, written

_TOO_LONG = "Adding documents took too long. Add them again."


@dataclass(frozen=True, slots=True)
class Staged:
    """A version of a document that is pending.

    Attributes:
        row: its number.
        manifest: what it is of; with the rows of its paragraphs.
        fresh: by paragraph id, the rows that have no vectors yet.
    """

    row: int
    manifest: Manifest
    fresh: Mapping[str, Row]


def stage(
    connection: sa.Connection,
    manifests: Sequence[Manifest],
    texts_of: TextReader,
    known: Mapping[str, Row],
) -> list[Staged]:
    """Put versions of documents in, pending, with those of their paragraphs that are new.

    Args:
        connection: of a transaction that writes.
        manifests: of the documents.
        texts_of: gives the texts of new paragraphs.
        known: paragraphs that were new a moment ago, by id.

    Raises:
        IndexChangedError: a text that is not to be had is not stored any more, either.
    """
    named = list(dict.fromkeys(place.id for one in manifests for place in one.places))
    there = {**_revived(connection, [i for i in named if i not in known]), **known}
    fresh = _insert_paragraphs(connection, [i for i in named if i not in there], texts_of)
    rows, staged, now = there | fresh, [], time.time()
    for manifest in manifests:
        row = connection.execute(
            sa.insert(versions).returning(versions.c.row), _head(manifest, now)
        ).scalar_one()
        listed = [
            {
                "version": row, "number": number, "paragraph": rows[place.id][0],
                "heading": json.dumps(place.heading), "page": place.page, "start": place.start,
                "end": place.end, "locator": place.locator, "kind": place.kind,
                "ocr_confidence": place.ocr_confidence,
                "lead": json.dumps([place.lead.start, place.lead.text]) if place.lead else None,
            }
            for number, place in enumerate(manifest.places, start=1)
        ]  # fmt: skip
        if listed:
            connection.execute(sa.insert(places), listed)
        new = {place.id: fresh[place.id] for place in manifest.places if place.id in fresh}
        staged.append(Staged(row, manifest, new))
    return staged


def _revived(connection: sa.Connection, ids: Sequence[str]) -> dict[str, Row]:
    """Paragraphs that are stored with their vectors; those that were unused are no more so."""
    found: dict[str, Row] = {}
    chosen = sa.select(paragraphs.c.id, paragraphs.c.state, *ROW)
    for page in pages_of(ids):
        unused = []
        for identity, state, *row in connection.execute(
            chosen.where(paragraphs.c.id.in_(page), paragraphs.c.state.in_((READY, UNUSED)))
        ):
            if identity not in found:
                found[identity] = (row[0], row[1], row[2])
                if state == UNUSED:
                    unused.append(row[0])
        if unused:
            connection.execute(
                sa.update(paragraphs)
                .where(paragraphs.c.row.in_(unused))
                .values(state=READY, unused=None)
            )
    return found


def _insert_paragraphs(
    connection: sa.Connection, ids: Sequence[str], texts_of: TextReader
) -> dict[str, Row]:
    given = texts_of(ids) if ids else {}
    if missing := len(ids) - len(given):
        raise IndexChangedError(
            f"{missing} paragraphs of a document are not stored any more, since it was changed "
            "meanwhile. Do the same again."
        )
    found: dict[str, Row] = {}
    for page in pages_of([given[i] for i in ids]):
        total = sum(len(one.spans) for one in page)
        position = count(connection, "position", total) - total
        values = []
        for one in page:
            values.append(
                {
                    "id": one.id, "text": one.text, "context": one.context,
                    "sentences": len(one.spans),
                    "spans": json.dumps(one.spans, separators=(",", ":")),
                    "position": position, "state": PENDING,
                }
            )  # fmt: skip
            position += len(one.spans)
        inserted = connection.execute(
            sa.insert(paragraphs).returning(paragraphs.c.id, *ROW), values
        )
        found |= {identity: (row, at, sentences) for identity, row, at, sentences in inserted}
    return found


def _head(manifest: Manifest, pending: float) -> dict[str, Any]:
    return {
        **{name: getattr(manifest, name) for name in SAME_NAME if name != "row"},
        "document": manifest.id,
        "hash": manifest.digest,
        "text_hash": manifest.hash,
        "metadata": json.dumps(written(manifest.metadata)),
        "gaps": json.dumps(manifest.gaps),
        "pending": pending,
    }


def set_ready(connection: sa.Connection, rows: Sequence[int], generation: int) -> None:
    """The vectors of these paragraphs are there, in that generation.

    Raises:
        GenerationReplacedError: another one is in use.
        IndexChangedError: they were left pending for so long that they are being deleted.
    """
    check_generation(connection, generation)
    if not are_there(connection, rows):
        raise IndexChangedError(_TOO_LONG)
    for page in pages_of(rows):
        connection.execute(
            sa.update(paragraphs)
            .where(paragraphs.c.row.in_(page), paragraphs.c.state == PENDING)
            .values(state=READY)
        )


def publish(connection: sa.Connection, staged: Iterable[Staged], new: bool = False) -> None:
    """Make versions the current ones of their documents; those before are deleted.

    Args:
        connection: of a transaction that writes.
        staged: the versions.
        new: refuse to replace a document.

    Raises:
        DocumentExistsError: `new` is set and a document exists already.
        IndexChangedError: one was left pending for so long that it was deleted.
    """
    staged = list(staged)
    # Before any document names them: those that are gone it could not name.
    for page in pages_of([one.row for one in staged]):
        done = connection.execute(
            sa.update(versions).where(versions.c.row.in_(page)).values(pending=None)
        )
        if done.rowcount != len(page):
            raise IndexChangedError(_TOO_LONG)
    for one in staged:
        current = sa.select(documents.c.version).where(documents.c.id == one.manifest.id)
        former = connection.scalar(current)
        if new and former is not None:
            raise DocumentExistsError(f"There is a document {one.manifest.source!r} already.")
        put_row(
            connection,
            documents,
            {"id": one.manifest.id},
            {"source": one.manifest.source, "version": one.row},
        )
        if former is not None:
            delete_version(connection, former)
    if staged:
        count(connection, "revision", 1)


def delete_version(connection: sa.Connection, row: int) -> None:
    """Delete a version. Paragraphs that only it has become unused; pending ones are deleted with
    what has been unused for long."""
    other = places.alias()
    inside = sa.select(places.c.paragraph).where(places.c.version == row)
    others = sa.exists().where(other.c.paragraph == paragraphs.c.row, other.c.version != row)
    state = sa.case((paragraphs.c.state == PENDING, DYING), else_=UNUSED)
    connection.execute(
        sa.update(paragraphs)
        .where(paragraphs.c.row.in_(inside), ~others)
        .values(state=state, unused=time.time())
    )
    connection.execute(sa.delete(versions).where(versions.c.row == row))


def remove(connection: sa.Connection, identity: str) -> bool:
    """Delete a document; gives whether there was one of that id."""
    row = connection.scalar(
        sa.delete(documents).where(documents.c.id == identity).returning(documents.c.version)
    )
    if row is None:
        return False
    delete_version(connection, row)
    count(connection, "revision", 1)
    return True


def set_kept(connection: sa.Connection, manifest: Manifest) -> None:
    """Note that a document is kept.

    Args:
        connection: of a transaction that writes.
        manifest: its version, marked as kept.
    """
    changed = connection.execute(
        sa.update(versions)
        .where(
            versions.c.hash == manifest.version,
            versions.c.row.in_(sa.select(documents.c.version).where(documents.c.id == manifest.id)),
        )
        .values(kept=True, hash=manifest.digest)
    )
    if not changed.rowcount:
        raise IndexChangedError("The document was changed meanwhile. Do the same again.")
    count(connection, "revision", 1)


def rename(connection: sa.Connection, identity: str, title: str) -> None:
    """Give a document a title, whatever version it has; "" for its own."""
    same = documents.c.id == identity
    connection.execute(sa.update(documents).where(same).values(custom_title=title))
    count(connection, "revision", 1)


def touch(connection: sa.Connection, staged: Iterable[Staged]) -> None:
    """Versions that are pending are still being written."""
    for page in pages_of([one.row for one in staged]):
        connection.execute(
            sa.update(versions)
            .where(versions.c.row.in_(page), versions.c.pending.is_not(None))
            .values(pending=time.time())
        )


def abandoned(connection: sa.Connection) -> None:
    """Delete the versions that dead writers left pending."""
    before = time.time() - ABANDONED
    for row in connection.scalars(
        sa.select(versions.c.row).where(versions.c.pending < before)
    ).all():
        delete_version(connection, row)


def dying(connection: sa.Connection, grace: float) -> Rows:
    """Paragraphs that have been unused for so many seconds, or were left without vectors, which
    nobody has use for from now on."""
    connection.execute(
        sa.update(paragraphs)
        .where(paragraphs.c.state == UNUSED, paragraphs.c.unused <= time.time() - grace)
        .values(state=DYING)
    )
    return rows_where(connection, paragraphs.c.state == DYING)


def bury(connection: sa.Connection, rows: Sequence[int]) -> None:
    """Delete paragraphs whose vectors are gone."""
    for page in pages_of(rows):
        connection.execute(
            sa.delete(paragraphs).where(paragraphs.c.row.in_(page), paragraphs.c.state == DYING)
        )

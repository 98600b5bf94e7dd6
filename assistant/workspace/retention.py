"""Removes for good what was deleted a day ago, and answers that nobody kept."""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING

import sqlalchemy as sa

from assistant.workspace.trash import RETENTION_SECONDS
from index.database.kept_tables import (
    answers,
    conversations,
    notebook_documents,
    notebooks,
    notes,
    turns,
)

if TYPE_CHECKING:
    from assistant.workspace.library import Library

MAX_UNKEPT_BYTES = 50_000_000
"""Of the answers of one owner that no conversation and no note has."""

_logger = logging.getLogger(__name__)


class RetentionJob:
    """Removes for good what is in a library."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._closed = threading.Event()

    def sweep(self) -> None:
        """Remove what was deleted a day ago: of a notebook all that is in it, whoever it was shared
        with; and answers that nobody kept, which are a day old or too many."""
        before = time.time() - RETENTION_SECONDS
        for document, deleted in self._library.trash.all().items():
            if deleted < before:
                self._library.purge(document)
        unkept = [sa.not_(sa.exists().where(t.c.answer == answers.c.id)) for t in (turns, notes)]
        of_today = sa.select(
            answers.c.id,
            sa.func.sum(answers.c.size)
            .over(partition_by=answers.c.owner, order_by=(answers.c.created.desc(), answers.c.id))
            .label("size"),  # with all that are newer
        ).where(answers.c.created >= before, *unkept)
        sizes = of_today.subquery()
        too_many = sa.select(sizes.c.id).where(sizes.c.size > MAX_UNKEPT_BYTES)
        database = self._library.index.database
        due: list[tuple[sa.Table, list[sa.ColumnElement[bool]]]] = [
            (notebooks, [notebooks.c.deleted < before]),  # each with what is in it
            (conversations, [conversations.c.deleted < before]),
            (notes, [notes.c.deleted < before]),
            (notebook_documents, [notebook_documents.c.taken < before]),
            (answers, [answers.c.created < before, *unkept]),
            (answers, [answers.c.id.in_(too_many)]),
        ]
        with database.write() as connection:
            gone = [
                connection.execute(sa.delete(table).where(*which)).rowcount for table, which in due
            ]
        if any(gone):
            database.erase_deleted()

    def run(self, every: float = 60.0) -> None:
        """Sweep now and from time to time until closed; to be run in a thread of its own."""
        while True:
            try:
                self.sweep()
            except Exception:  # the index is busy, say: no fault may keep everything for ever
                _logger.exception("what was deleted was not cleared away")
            if self._closed.wait(every):
                return

    def close(self) -> None:
        """Sweep no more."""
        self._closed.set()

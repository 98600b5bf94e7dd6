"""Documents that people added are read again when the readers have become better."""

from __future__ import annotations

import logging
import threading
from concurrent.futures import CancelledError, wait
from typing import TYPE_CHECKING

from assistant.documents import UPLOADED
from index.errors import DocumentError, MissingPathError, RefusedError

if TYPE_CHECKING:
    from assistant.access.fair_queue import FairQueue
    from index import Index

POLL = 0.5
"""Seconds between looks at whether the job is to end."""

_logger = logging.getLogger(__name__)


class ReindexJob:
    """Reads the added documents again whose originals are kept, and that another version of the
    readers has read: one after the other, each when no other file waits to be indexed.

    A document that cannot be read stays as it is, and is tried again at the next start.

    Args:
        index: holds the documents.
        queue: where added files wait.
    """

    def __init__(self, index: Index, queue: FairQueue) -> None:
        self._index = index
        self._queue = queue
        self._closed = threading.Event()

    def run(self) -> None:
        """Read all of them, until closed; to be run in a thread of its own."""
        try:
            outdated = set(self._index.outdated())
            for info in self._index.documents():
                if info.id in outdated and info.source.startswith(UPLOADED):
                    while not self._read(info.id):  # the queue is full
                        self._closed.wait(POLL)
                        self._check_open()
        except CancelledError:
            return
        except Exception:  # for example the index is gone: the rest is read another time
            _logger.exception("documents that were added were not read anew")

    def close(self) -> None:
        """Begin nothing more, and give up what is being embedded."""
        self._closed.set()

    def _read(self, identity: str) -> bool:
        """Read a document when its turn has come; False where the queue is full.

        Raises:
            CancelledError: the job is closed.
        """
        with self._queue.joined("", idle=True) as turn:
            while not turn.come.done():
                self._check_open()
                wait([turn.come], POLL)
            try:
                turn.come.result()
            except RefusedError:
                return False
            try:
                self._index.reindex(identity, self._check_open)
            except MissingPathError:
                return True  # its owner has removed it
            except DocumentError as error:  # not its text, which may quote the document
                _logger.warning(
                    "document %s cannot be read anew and stays as it is (%s)",
                    identity,
                    type(error).__name__,
                )
        return True

    def _check_open(self, *_: int) -> None:
        if self._closed.is_set():
            raise CancelledError

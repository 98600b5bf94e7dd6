"""What somebody added is read anew when the readers have become better."""

from __future__ import annotations

import logging
import threading
from concurrent.futures import wait
from typing import TYPE_CHECKING

from assistant.documents import UPLOADED
from index.errors import DocumentError, MissingPathError, RefusedError

if TYPE_CHECKING:
    from assistant.access.fair_queue import FairQueue
    from index import Index

LOOK = 0.5
"""Seconds after which it is looked again whether this is to end."""

_logger = logging.getLogger(__name__)


class ReindexJob:
    """Reads the documents anew that were added, have their originals kept, and were read by another
    version of the readers: one after the other, each when no other file waits to be indexed.

    What cannot be read stays as it is, and is tried again when Footnote is started again.

    Args:
        index: where they are.
        queue: where files wait that are added.
    """

    def __init__(self, index: Index, queue: FairQueue) -> None:
        self._index = index
        self._queue = queue
        self._closed = threading.Event()

    def run(self) -> None:
        """Read what there is to read, until closed; to be run in a thread of its own."""
        try:
            wanted = set(self._index.outdated())
            for info in self._index.documents():
                if info.id in wanted and info.source.startswith(UPLOADED):
                    self._read_in_line(info.id)
        except _ClosedError:
            return
        except Exception:  # the index is gone, say: what is left is read another time
            _logger.exception("documents that were added were not read anew")

    def close(self) -> None:
        """Begin nothing more, and give up what is being embedded."""
        self._closed.set()

    def _read_in_line(self, identity: str) -> None:
        while not self._read(identity):
            # So many files wait that there is no room in line.
            if self._closed.wait(LOOK):
                raise _ClosedError

    def _read(self, identity: str) -> bool:
        """Read a document when its turn has come; whether it came."""
        with self._queue.joined("", idle=True) as turn:
            while not turn.come.done():
                self._go_on()
                wait([turn.come], LOOK)
            try:
                turn.come.result()
            except RefusedError:
                return False
            try:
                self._index.reindex(identity, self._go_on)
            except MissingPathError:
                return True  # its owner has removed it
            except DocumentError as error:  # not its text: it may say what is in the document
                _logger.warning(
                    "document %s cannot be read anew and stays as it is (%s)",
                    identity,
                    type(error).__name__,
                )
        return True

    def _go_on(self, *_: int) -> None:
        if self._closed.is_set():
            raise _ClosedError


class _ClosedError(Exception):
    """Nobody is there any more."""

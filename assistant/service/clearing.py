"""What is let go of by and by: what was deleted long ago, and what those added who are away."""

from __future__ import annotations

import logging
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

from index.errors import MissingPathError

if TYPE_CHECKING:
    from assistant.service.library import Library

_logger = logging.getLogger(__name__)


class Clearing:
    """Lets go of what is in a library."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._closed = threading.Event()

    def sweep(self) -> None:
        """Let go of what was deleted long ago, and of the documents of who has long been away."""
        library = self._library
        for deleted in library.trash.over():
            if deleted.kind == "document":
                with suppress(MissingPathError):  # it was removed since
                    library.let_go(deleted.name)
            elif deleted.kind == "conversation":
                library.conversations.let_go(deleted.group, deleted.name)
            elif deleted.kind == "note":
                library.notes.let_go(deleted.group, deleted.name)
            elif deleted.kind == "notebook":
                library.conversations.let_go(deleted.name)
                for reader in library.notebooks.readers(deleted.name):
                    library.conversations.let_go_in(reader, deleted.name)
                library.notes.let_go(deleted.name)
                library.notebooks.let_go(deleted.name)
        # Before the leases: whoever comes in between is here.
        infos = library.index.documents()
        here = library.presence.here()
        for info in infos:
            owner = library.owners.of(info)
            if owner is not None and not info.kept and owner not in here:
                with suppress(MissingPathError):  # another replica has removed it
                    library.let_go(info.id)

    def run(self, every: float = 60.0) -> None:
        """Sweep now and from time to time until closed; to be run in a thread of its own."""
        while True:
            try:
                self.sweep()
            except Exception:  # the index is busy, say: no fault may keep everything for ever
                _logger.exception("documents that were added were not cleared away")
            if self._closed.wait(every):
                return

    def close(self) -> None:
        """Sweep no more. What those added who were here just now stays for `presence.AWAY`: they
        may come to another replica, or to the next process on this index."""
        self._closed.set()

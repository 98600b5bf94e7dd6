"""Whether questions can be answered now."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from typing import TYPE_CHECKING

from index.errors import IndexBusyError

if TYPE_CHECKING:
    from index import Index

WITHIN = 5.0
"""Seconds in which the index has to tell."""


class Readiness:
    """Asks the index whether it can be asked: one at a time, however many want to know.

    Args:
        index: that of the assistant.
    """

    def __init__(self, index: Index) -> None:
        self._index = index
        self._guard = threading.Lock()
        self._looking: Future[None] | None = None

    def check(self) -> None:
        """Go on if questions can be answered.

        Raises:
            FootnoteError: they cannot, and why.
        """
        with self._guard:
            if self._looking is None:
                self._looking = Future()
                threading.Thread(target=self._look, args=(self._looking,), daemon=True).start()
            looking = self._looking
        try:
            looking.result(WITHIN)
        except TimeoutError as error:
            raise IndexBusyError(
                f"The index has not answered for {WITHIN:g} seconds. It may be written by another "
                "process; questions are answered again when it is free."
            ) from error

    def _look(self, looking: Future[None]) -> None:
        try:
            self._index.ready()
        except Exception as error:  # noqa: BLE001 (told to whoever asked)
            outcome: Exception | None = error
        else:
            outcome = None
        with self._guard:
            self._looking = None
        if outcome is None:
            looking.set_result(None)
        else:
            looking.set_exception(outcome)

"""Deletes from a Chroma server what no document names any more: see `protocol`."""

from __future__ import annotations

import threading
import time
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from index.errors import FootnoteError
from index.store.collections import GenerationName
from index.store.following import ServedSession
from index.store.pages import ServedPages
from index.store.protocol import condemn, pardon


class Sweeper:
    """Looks from time to time what is not named, and deletes what has not been for long.

    Args:
        session: on the server.
        pages: the files of its documents.
    """

    def __init__(self, session: ServedSession, pages: ServedPages) -> None:
        self._session = session
        self._pages = pages
        self._grace = session.timing.grace
        #: Since when a number is known, of paragraphs and of files.
        self._condemned: dict[str, dict[int, float]] = {"paragraphs": {}, "files": {}}
        self._replaced: dict[GenerationName, float] = {}
        self._closed = threading.Event()

    def close(self) -> None:
        """Stop where it runs."""
        self._closed.set()

    def run(self) -> None:
        """Look until closed; to be run in a thread of its own. What cannot be done now, because
        the server is away, is done another time."""
        while not self._closed.wait(self._grace / 2):
            try:
                self.round()
            except FootnoteError:
                continue  # the session keeps what went wrong

    def until_done(self) -> int:
        """Look, wait, and delete: as `run`, for once. Gives how much was deleted."""
        self.round()
        left = self._replaced or any(self._condemned.values())
        return 0 if not left or self._closed.wait(self._grace) else self.round()

    def round(self) -> int:
        """Look once, condemn what is not named, and delete what is condemned since long ago.

        Returns:
            How many paragraphs, files and generations were deleted.
        """
        began = time.monotonic()
        # What is there first, so that what comes meanwhile is not taken for unnamed.
        generation = self._session.current()
        paragraphs, files = generation.stored(), self._pages.stored()
        named, contents = self._session.named()
        return (
            self._sweep("paragraphs", generation.sentences, paragraphs, named, began)
            + self._sweep("files", self._pages.records, files, contents, began)
            + self._drop_replaced(generation.name, began)
        )

    def _sweep(
        self,
        what: str,
        collection: Any,
        stored: Mapping[str, Sequence[str]],
        named: Collection[str],
        began: float,
    ) -> int:
        pardon(collection, named)
        numbers = condemn(collection, {i: own for i, own in stored.items() if i not in named})
        now = time.monotonic()
        known = self._condemned[what]
        self._condemned[what] = {n: known.get(n, now) for n in numbers.values()}
        due = {n for n, since in self._condemned[what].items() if began - since >= self._grace}
        for number in due:
            collection.delete(where={"condemned": number})
        return sum(number in due for number in numbers.values())

    def _drop_replaced(self, current: GenerationName, began: float) -> int:
        """Drop the generations that another has replaced long ago."""
        server = self._session.server
        names = {own for name in server.names() if (own := GenerationName.named(name))}
        now = time.monotonic()
        self._replaced = {own: self._replaced.get(own, now) for own in names if own < current}
        due = [own for own, since in self._replaced.items() if began - since >= self._grace]
        for own in due:
            server.drop(own.sentences)
            server.drop(own.documents)
            self._session.catalogue.forget(own)
        return len(due)

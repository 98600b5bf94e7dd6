"""Deletes from a Chroma server what no document names any more: see `protocol`."""

from __future__ import annotations

import threading
import time
from collections.abc import Collection, Iterable, Mapping

from index.errors import FootnoteError, IndexBusyError
from index.store.collections import GenerationName
from index.store.following import ServedSession
from index.store.pages import ServedPages
from index.store.served import ServedGeneration

PAGE = 100  # paragraphs deleted at a time: what a writer that comes has to wait for


class Sweeper:
    """Looks from time to time what is not named, and deletes what has not been for long.

    Args:
        session: on the server.
        pages: the files of its documents.
    """

    def __init__(self, session: ServedSession, pages: ServedPages) -> None:
        self._session = session
        self._pages = pages
        self._unnamed: dict[str, float] = {}
        self._closed = threading.Event()

    def close(self) -> None:
        """Stop where it runs."""
        self._closed.set()

    def run(self) -> None:
        """Look until closed; to be run in a thread of its own. What cannot be done now, because
        the server is away or others write, is done another time."""
        while not self._closed.wait(self._session.timing.grace / 2):
            try:
                self.round()
            except FootnoteError:
                continue  # the session keeps what went wrong

    def until_done(self) -> int:
        """Look, wait, and delete: as `run`, for once. Gives how much was deleted.

        Raises:
            IndexBusyError: others write all the time.
        """
        self.round()
        if not self._unnamed or self._closed.wait(self._session.timing.grace):
            return 0
        return self.round()

    def round(self) -> int:
        """Look once, and delete what has not been named since long ago.

        Returns:
            How many paragraphs, files and generations were deleted.

        Raises:
            IndexBusyError: others write.
        """
        # What is there first, so that what comes meanwhile is not taken for unnamed.
        generation = self._session.current()
        records = generation.stored()
        files = self._pages.stored()
        named, contents = self._session.named()
        now = time.monotonic()
        old = [own for own in self._generations() if own < generation.name]
        unnamed = {
            *(f"paragraph {identity}" for identity in records.keys() - named),
            *(f"file {content}" for content in files - contents),
            *(f"generation {own.documents}" for own in old),
        }
        self._unnamed = {what: self._unnamed.get(what, now) for what in unnamed}
        grace = self._session.timing.grace
        due = {what for what, since in self._unnamed.items() if now - since >= grace}
        if not due:
            return 0
        paragraphs = {i: own for i, own in records.items() if f"paragraph {i}" in due}
        gone = [content for content in files if f"file {content}" in due]
        done = self._delete(generation, paragraphs, gone)
        for own in old:
            if f"generation {own.documents}" in due:
                self._drop(own)
                done += 1
        return done

    def _delete(
        self,
        generation: ServedGeneration,
        paragraphs: Mapping[str, Collection[str]],
        files: Iterable[str],
    ) -> int:
        done = 0
        order = sorted(paragraphs)
        with self._session.roster.flagged("sweep") as may_go_on:
            for first in range(0, len(order), PAGE):
                named, _ = self._session.named()
                if not may_go_on():
                    raise IndexBusyError("Others write the index. Try again later.")
                page = order[first : first + PAGE]
                chosen = {own: paragraphs[own] for own in page if own not in named}
                if chosen:
                    removed = generation.remove_paragraphs(chosen)
                    named, _ = self._session.named()
                    generation.put_back(removed, named)
                    done += len(chosen)
            for content in files:
                _, contents = self._session.named()
                if not may_go_on():
                    raise IndexBusyError("Others write the index. Try again later.")
                if content not in contents:
                    self._pages.delete(content)
                    done += 1
        return done

    def _generations(self) -> list[GenerationName]:
        with self._session.server.translated():
            names = self._session.server.names()
        return sorted({own for name in names if (own := GenerationName.named(name))})

    def _drop(self, generation: GenerationName) -> None:
        with self._session.server.translated():
            self._session.server.drop(generation.sentences)
            self._session.server.drop(generation.documents)
        self._session.roster.forget(generation)

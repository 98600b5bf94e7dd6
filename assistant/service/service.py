"""One assistant as many people and programs use it: all that its doors share."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from starlette.middleware import Middleware

from assistant.access.api_keys import Keys
from assistant.access.callers import Access
from assistant.access.fair_queue import FairQueue
from assistant.access.logins import Logins
from assistant.llm.discovery import Server, is_loopback
from assistant.service.fetching import Fetcher
from assistant.service.reindexing import ReindexJob
from assistant.service.suggestions import Suggestions
from assistant.service.writers import AnswerModels
from assistant.serving.metrics import Metrics
from assistant.serving.middleware import (
    RequestLimitMiddleware,
    SecurityMiddleware,
    TracingMiddleware,
)
from assistant.workspace.library import Library
from assistant.workspace.trash import RetentionJob
from index.errors import FootnoteError
from index.readers.ocr.recogniser import is_installed as reads_pictures

if TYPE_CHECKING:
    from assistant.assistant import Assistant
    from assistant.service.watching import FolderWatch
    from index import Index

MAX_UPLOADS = 50
"""Files that wait to be indexed at most."""


MAX_FETCHES = 4
"""Addresses that are fetched at once."""


@dataclass(frozen=True, slots=True)
class Service:
    """What the page, the API and MCP share.

    Attributes:
        assistant: what answers; its documents are everyone's.
        library: whose documents are asked.
        starters: what can be asked.
        writers: what may write.
        queue: where questions wait.
        adding: where files wait that programs add; one at a time is indexed.
        scanning: where those wait whose pictures are read; one at a time is.
        fetcher: fetches documents by their addresses; None where that is not switched on.
        fetching: where addresses wait for that.
        metrics: what is counted.
        access: who is let in.
        guards: what every request goes through, outermost first.
    """

    assistant: Assistant
    library: Library
    starters: Suggestions
    writers: AnswerModels
    queue: FairQueue
    adding: FairQueue
    scanning: FairQueue
    fetcher: Fetcher | None
    fetching: FairQueue
    metrics: Metrics
    access: Access
    guards: tuple[Middleware, ...]

    @classmethod
    def of(
        cls,
        assistant: Assistant,
        host: str,
        auth: Sequence[tuple[str, str]] = (),
        servers: Sequence[Server] = (),
    ) -> Service:
        """The service of an assistant.

        Args:
            assistant: an open one.
            host: the address that it is served at.
            auth: names and passwords.
            servers: where language models are looked for that are offered; nowhere unless the host
                is this machine's alone and without a login, which says that others come.

        Raises:
            SettingsError: the rate cannot be understood.
        """
        settings, local = assistant.settings, is_loopback(host)
        max_file = settings.max_upload * 1_000_000
        queue = FairQueue(settings.at_once, settings.queue)
        index = assistant.index
        metrics = Metrics(lambda: queue.running, lambda: queue.waiting, lambda: _revision(index))
        logins = Logins(index.database, auth)
        access = Access(Keys(index.database), logins, demanded=not local, rate=settings.rate)
        return cls(
            assistant,
            Library(
                assistant,
                max_file,
                settings.max_documents,
                [name for name, _ in auth],
                settings.max_stored * 1_000_000,
            ),
            Suggestions(queue),
            AnswerModels(assistant, servers if local and not auth else ()),
            queue,
            FairQueue(1, MAX_UPLOADS),
            FairQueue(1, MAX_UPLOADS),
            Fetcher(max_file) if settings.fetch else None,
            FairQueue(MAX_FETCHES, MAX_UPLOADS),
            metrics,
            access,
            (
                Middleware(TracingMiddleware, metrics=metrics),
                Middleware(SecurityMiddleware, local=local, access=access),
                Middleware(
                    RequestLimitMiddleware, max_file=max_file, seconds=settings.arrive_within
                ),
            ),
        )

    @property
    def pictures(self) -> Literal["always", "offered", "missing"]:
        """Whether what stands in pictures is read: always, where somebody wants it, or never, since
        what reads it is not installed."""
        if self.assistant.settings.ocr:
            return "always"
        return "offered" if reads_pictures() else "missing"

    def line(self, ocr: bool) -> FairQueue:
        """Where a file waits to be indexed.

        Args:
            ocr: whether its pictures are read.
        """
        return self.scanning if ocr or self.assistant.settings.ocr else self.adding

    @contextmanager
    def running(self, watch: FolderWatch | None = None) -> Iterator[None]:
        """Inside the `with`, do what is done beside answering; at its end, leave nothing behind.

        Args:
            watch: follows folders, if anything does.
        """
        clearing = RetentionJob(self.library)
        reindexing = ReindexJob(self.assistant.index, self.adding)
        beside = [
            threading.Thread(target=clearing.run),
            threading.Thread(target=reindexing.run),
            *([threading.Thread(target=watch.run)] if watch else ()),
        ]
        self.assistant.index.start_tidying()
        try:
            for thread in beside:
                thread.start()
            self.starters.prepare(self.assistant)
            yield
        finally:
            if watch:
                watch.close()
            reindexing.close()
            self.starters.close()
            clearing.close()
            for thread in beside:
                if thread.ident is not None:  # Ctrl-C may come before it is started
                    thread.join()


def wait_for_the_end() -> None:
    """Return when whoever started this wants it to end, by Ctrl-C or as systems end services."""
    former = signal.signal(signal.SIGTERM, signal.default_int_handler)
    with suppress(KeyboardInterrupt):  # the way to end it, so no error
        while True:
            time.sleep(1)
    signal.signal(signal.SIGTERM, former)


def _revision(index: Index) -> str | None:
    """Of the index; None where it cannot be told, of which `/health/ready` says why."""
    try:
        return index.revision
    except FootnoteError:
        return None

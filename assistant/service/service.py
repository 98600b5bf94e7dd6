"""One assistant for many people and programs: what the page, the API and MCP share."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Literal

from starlette.middleware import Middleware

from assistant.access.api_keys import Keys
from assistant.access.callers import Access
from assistant.access.fair_queue import FairQueue
from assistant.access.logins import Logins
from assistant.llm.discovery import Server, is_loopback
from assistant.service.answer_models import AnswerModels
from assistant.service.fetching import Fetcher
from assistant.service.suggestions import Suggestions
from assistant.serving.metrics import Metrics
from assistant.serving.middleware import (
    RequestLimitMiddleware,
    SecurityMiddleware,
    TracingMiddleware,
)
from assistant.workspace.library import Library
from assistant.workspace.retention import RetentionJob
from index.errors import FootnoteError
from index.readers.ocr.recogniser import is_installed as reads_pictures

if TYPE_CHECKING:
    from assistant.assistant import Assistant
    from assistant.service.watching import FolderWatch
    from index import Index

MAX_WAITING = 200
"""Questions that may wait in line; more are sent away."""

ARRIVE_WITHIN = 300.0
"""Seconds in which a request has to arrive as a whole."""

MAX_UPLOADS = 50
"""Files that wait to be indexed at most."""

MAX_FETCHES = 4
"""Addresses that are fetched at once."""


class Service:
    """What the page, the API and MCP share.

    Args:
        assistant: an open one.
        host: the address that it is served at.
        auth: names and passwords.
        servers: where language models are looked for that are offered; nowhere unless the host is
            this machine's alone and there is no login, which says that others use it too.

    Attributes:
        assistant: answers; its documents are everyone's.
        library: the documents of each owner.
        access: who is let in.
        writers: the language models that may write answers.
        queue: where questions wait.
        reading: where requests wait that look through whole documents.
        drawing: where pages wait to be drawn; one at a time is.
        adding: where added files wait; one at a time is indexed.
        scanning: where files wait whose pictures are read; one at a time is.
        fetcher: fetches documents by their addresses; None where that is switched off.
        fetching: where addresses wait for that.
        starters: suggests questions.
        metrics: counts.
        guards: middleware of every request, outermost first.

    Raises:
        SettingsError: the rate cannot be understood.
    """

    def __init__(
        self,
        assistant: Assistant,
        host: str,
        auth: Sequence[tuple[str, str]] = (),
        servers: Sequence[Server] = (),
    ) -> None:
        # uvicorn believes any program on this machine where a request comes from, unless told whom.
        os.environ.setdefault("FORWARDED_ALLOW_IPS", "")
        settings, index = assistant.settings, assistant.index
        is_local = is_loopback(host)
        max_file = settings.max_upload * 1_000_000
        self.assistant = assistant
        self.library = Library(
            assistant,
            max_file,
            [name for name, _ in auth],
            settings.max_stored * 1_000_000,
        )
        self.access = Access(
            Keys(index.database),
            Logins(index.database, auth),
            demanded=not is_local,
            rate=settings.rate,
        )
        self.writers = AnswerModels(assistant, servers if is_local and not auth else ())
        self.queue = FairQueue(settings.at_once, MAX_WAITING)
        self.reading = FairQueue(settings.at_once, MAX_WAITING)
        self.drawing = FairQueue(1, MAX_WAITING)
        self.adding = FairQueue(1, MAX_UPLOADS)
        self.scanning = FairQueue(1, MAX_UPLOADS)
        self.fetcher = Fetcher(max_file) if settings.fetch else None
        self.fetching = FairQueue(MAX_FETCHES, MAX_UPLOADS)
        self.starters = Suggestions(self.queue)
        self.metrics = Metrics(
            lambda: self.queue.running, lambda: self.queue.waiting, lambda: _revision(index)
        )
        self.guards = (
            Middleware(TracingMiddleware, metrics=self.metrics),
            Middleware(SecurityMiddleware, local=is_local, access=self.access),
            Middleware(RequestLimitMiddleware, max_file=max_file, seconds=ARRIVE_WITHIN),
        )

    @property
    def pictures(self) -> Literal["always", "offered", "missing"]:
        """Whether text in pictures is read: always, on request, or never, since the package for it
        is missing."""
        if self.assistant.settings.ocr:
            return "always"
        return "offered" if reads_pictures() else "missing"

    def line(self, ocr: bool) -> FairQueue:
        """The queue of a file that is to be indexed.

        Args:
            ocr: whether its pictures are read.
        """
        return self.scanning if ocr or self.assistant.settings.ocr else self.adding

    @contextmanager
    def running(self, watch: FolderWatch | None = None) -> Iterator[None]:
        """Run the background jobs inside the `with`; they have ended after it.

        Args:
            watch: follows folders, if any are followed.
        """
        jobs: list[RetentionJob | FolderWatch] = [
            RetentionJob(self.library),
            *filter(None, [watch]),
        ]
        threads = [threading.Thread(target=job.run) for job in jobs]
        self.assistant.index.start_tidying()
        try:
            for thread in threads:
                thread.start()
            self.starters.prepare(self.assistant)
            yield
        finally:
            for job in jobs:
                job.close()
            self.starters.close()
            for thread in threads:
                if thread.ident is not None:  # Ctrl-C may come before it is started
                    thread.join()


def wait_for_the_end() -> None:
    """Return at Ctrl-C or SIGTERM."""
    former = signal.signal(signal.SIGTERM, signal.default_int_handler)
    with suppress(KeyboardInterrupt):  # the way to end it, so no error
        while True:
            time.sleep(1)
    signal.signal(signal.SIGTERM, former)


def _revision(index: Index) -> str | None:
    """The revision of the index; None if it cannot be read, for the reason in `/health/ready`."""
    try:
        return index.revision
    except FootnoteError:
        return None

"""What takes long, as streams of plain values: answering a question, adding a document.

Each value is all that is known so far. `stage` tells how far it is; the last one is `done` or
`failed`. A stream that is closed early stops its work.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from typing import Any

from assistant.answer import Done, SentenceReady, SourcesFound
from assistant.web.sessions import Shelf, Shelved
from assistant.web.suggestions import Starters
from assistant.web.values import plain_answer, plain_citation, plain_document, turns_of
from index.errors import FootnoteError

FAILED = (
    "Something went wrong here; the details are in the window that Footnote was started from. It "
    "can be tried again."
)

_logger = logging.getLogger(__name__)


def answering(
    shelf: Shelf,
    starters: Starters,
    owner: str | None,
    question: str,
    history: Sequence[dict[str, str]],
    documents: Sequence[str] | None,
) -> Iterator[dict[str, Any]]:
    """An answer in pieces: `searching`, then `reading` with the sources, then the sentences.

    Args:
        shelf, starters: whose documents are asked, and what can be asked instead.
        owner: who asks.
        question, history, documents: as the browser sent them.
    """
    known: dict[str, Any] = {"stage": "searching"}
    yield known
    try:
        asked = shelf.asking(owner, documents)
        for event in asked.stream(question, turns_of(history)):
            if isinstance(event, SourcesFound):
                known = {
                    "stage": "reading",
                    "sources": [plain_citation(source) for source in event.sources],
                    "sentences": [],
                    "citations": [],
                }
            elif isinstance(event, SentenceReady):
                known = {
                    **known,
                    "sentences": [*known["sentences"], asdict(event.sentence)],
                    "citations": [*known["citations"], *map(plain_citation, event.citations)],
                }
            elif isinstance(event, Done):
                answer = event.answer
                known = {**known, "stage": "done", "answer": plain_answer(answer)}
                if answer.refused:
                    known["instead"] = starters.near(asked, answer.closest, question)
            yield known
    except FootnoteError as error:
        yield {**known, "stage": "failed", "failure": str(error)}
    except Exception:
        _logger.exception("a question could not be answered")
        yield {**known, "stage": "failed", "failure": FAILED}


def adding(shelf: Shelf, owner: str, ticket: str) -> Iterator[dict[str, Any]]:
    """A file that was received, indexed: `indexing` with its `done` and `total` paragraphs, then
    `done` with the document. Closed early, the document is not added."""
    progress: queue.SimpleQueue[tuple[int, int]] = queue.SimpleQueue()
    given_up = threading.Event()

    def step(done: int, total: int) -> None:
        if given_up.is_set():
            raise _GivenUpError
        progress.put((done, total))

    with ThreadPoolExecutor(1) as pool:
        added = pool.submit(shelf.add, owner, ticket, step)
        try:
            while not added.done():
                try:
                    done, total = progress.get(timeout=0.1)
                except queue.Empty:
                    continue
                yield {"stage": "indexing", "done": done, "total": total}
        finally:
            given_up.set()
    try:
        yield {"stage": "done", "document": plain_document(Shelved(added.result(), own=True))}
    except FootnoteError as error:
        yield {"stage": "failed", "failure": str(error)}
    except Exception:
        _logger.exception("a document could not be added")
        yield {"stage": "failed", "failure": FAILED}


class _GivenUpError(Exception):
    """Nobody waits for the document any more."""

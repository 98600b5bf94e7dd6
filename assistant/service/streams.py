"""What takes long, as streams of plain values: answering a question, adding a document.

Each value is all that is known so far. `stage` tells how far it is; the last one is `done` or
`failed`. A stream that is closed early stops its work.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

from assistant.answer import Answer, Citation, Decided, Done, SentenceReady, SourcesFound
from assistant.service.sessions import SessionDocument, SessionDocuments
from assistant.service.suggestions import Suggestions
from assistant.service.writers import Writers
from index.errors import FootnoteError, QuestionError

FAILED = (
    "Something went wrong here; the details are in the window that Footnote was started from. It "
    "can be tried again."
)

_logger = logging.getLogger(__name__)


def answering(
    sessions: SessionDocuments,
    starters: Suggestions,
    writers: Writers,
    owner: str | None,
    question: str,
    history: Sequence[dict[str, str]],
    documents: Sequence[str] | None,
    llm: str | None,
) -> Iterator[dict[str, Any]]:
    """An answer in pieces: `searching`, then `reading` with the sources, then with the `status` of
    the sentences to come, then with the sentences.

    Args:
        sessions, starters, writers: whose documents are asked, what can be asked instead, and what
            may write.
        owner: who asks.
        question, history, documents, llm: as the browser sent them.
    """
    known: dict[str, Any] = {"stage": "searching"}
    yield known
    try:
        with writers.chosen(llm) as write:
            asked = sessions.asking(owner, documents, write)
            for event in asked.stream(question, turns_of(history)):
                if isinstance(event, SourcesFound):
                    known = {
                        "stage": "reading",
                        "sources": [plain_citation(source) for source in event.sources],
                        "sentences": [],
                        "citations": [],
                    }
                elif isinstance(event, Decided):
                    known = {**known, "status": event.status, "kind": event.kind}
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


def adding(sessions: SessionDocuments, owner: str, ticket: str) -> Iterator[dict[str, Any]]:
    """A file that was received, indexed: `indexing` with its `done` and `total` paragraphs, then
    `done` with the document. Closed early, the document is not added."""
    progress: queue.SimpleQueue[tuple[int, int]] = queue.SimpleQueue()
    given_up = threading.Event()

    def step(done: int, total: int) -> None:
        if given_up.is_set():
            raise _GivenUpError
        progress.put((done, total))

    with ThreadPoolExecutor(1) as pool:
        added = pool.submit(sessions.add, owner, ticket, step)
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
        yield {
            "stage": "done",
            "document": plain_document(SessionDocument(added.result(), own=True)),
        }
    except FootnoteError as error:
        yield {"stage": "failed", "failure": str(error)}
    except Exception:
        _logger.exception("a document could not be added")
        yield {"stage": "failed", "failure": FAILED}


class _GivenUpError(Exception):
    """Nobody waits for the document any more."""


class Quota:
    """How many questions of one person are being answered."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._running: Counter[str] = Counter()
        self._guard = threading.Lock()

    @contextmanager
    def one_of(self, owner: str) -> Iterator[None]:
        """Answer one of this person's questions inside a `with`.

        Raises:
            QuestionError: as many as may be are being answered already.
        """
        with self._guard:
            if self._running[owner] >= self._limit:
                raise QuestionError(
                    f"{self._limit} questions of yours are being answered. Ask this one again when "
                    "one of them is done."
                )
            self._running[owner] += 1
        try:
            yield
        finally:
            with self._guard:
                self._running[owner] -= 1
                if not self._running[owner]:
                    del self._running[owner]


# --- plain values: what the page is told and tells ---------------------------------------------

TURNS = 12
"""Earlier questions that a follow-up is understood from."""


def turns_of(history: Sequence[dict[str, str]]) -> list[dict[str, str]]:
    """The last turns of a conversation, as the browser told it."""
    return [
        {"role": str(turn.get("role", "user")), "content": str(turn.get("content", ""))[:8000]}
        for turn in (history or [])[-2 * TURNS :]
    ]


def plain_citation(citation: Citation) -> dict[str, Any]:
    """A citation without where its document lies on this machine, which is nobody's business."""
    plain = citation.to_dict()
    del plain["source"]
    return plain


def plain_answer(answer: Answer) -> dict[str, Any]:
    """An answer, with plain sentences and citations."""
    return {
        **answer.to_dict(),
        "sentences": [asdict(sentence) for sentence in answer.sentences],
        "citations": [plain_citation(citation) for citation in answer.citations],
        "closest": [plain_citation(citation) for citation in answer.closest],
    }


def plain_document(found: SessionDocument) -> dict[str, Any]:
    """A document as the page lists it."""
    info = found.info
    return {
        "id": info.id,
        "title": info.title,
        "name": info.source.replace("\\", "/").rpartition("/")[2],
        "paragraphs": info.paragraphs,
        "own": found.own,
        "kept": info.kept,
        "language": info.language,
    }

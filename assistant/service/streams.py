"""What takes long, as streams of plain values: answering a question, adding a document.

Each value is all that is known so far. `stage` tells how far it is; the last one is `done` or
`failed`. A stream that is closed early stops its work.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from assistant.answer import (
    Answer,
    Citation,
    Decided,
    Done,
    Event,
    SentenceReady,
    SourcesFound,
)
from assistant.assistant import TRIES
from assistant.query.rewriting import Turn, check_roles
from assistant.service.problems import FAILED
from assistant.service.sessions import SessionDocument, SessionDocuments
from assistant.service.values import plain_document
from index import DocumentInfo
from index.errors import FootnoteError, IndexChangedError, MissingPathError, QuestionError

if TYPE_CHECKING:
    from assistant.answering.generative import Writer
    from assistant.assistant import Assistant
    from assistant.service.service import Service

_logger = logging.getLogger(__name__)


def asking(
    service: Service,
    owner: str | None,
    question: str,
    history: Sequence[Turn],
    documents: Sequence[str] | None,
    llm: str | None = None,
    *,
    shown: bool,
) -> Generator[Event, None, None]:
    """The events of an answer, counted; see `Assistant.stream`.

    Args:
        service: what is asked.
        owner: who asks.
        question: as a person asks it.
        history: the conversation before it; its last turns count.
        documents: ids of the documents to ask; None asks all that this owner may.
        llm: what writes; see `Writers.chosen`.
        shown: whether someone is shown each; otherwise only the last one counts.

    Raises:
        FootnoteError: the question, a document or a language model is none that can be asked.
    """
    turns = turns_of(history)
    yield from _whole(
        service, owner, documents, llm, lambda asked: asked.stream(question, turns), shown
    )


def viewing(
    service: Service,
    owner: str | None,
    about: str | None,
    sentences: int | None,
    documents: Sequence[str] | None,
    llm: str | None = None,
    *,
    shown: bool,
) -> Generator[Event, None, None]:
    """The events of an overview, counted; see `Assistant.stream_overview`.

    Args:
        service, owner, documents, llm, shown: see `asking`.
        about: the heading of the part that it is of.
        sentences: how many.

    Raises:
        FootnoteError: there is no such heading, or as `asking`.
    """
    yield from _whole(
        service,
        owner,
        documents,
        llm,
        lambda asked: asked.stream_overview(about, sentences),
        shown,
    )


def _whole(
    service: Service,
    owner: str | None,
    documents: Sequence[str] | None,
    llm: str | None,
    begin: Callable[[Assistant], Iterator[Event]],
    shown: bool,
) -> Iterator[Event]:
    """The events of an answer, counted. Where the documents change meanwhile they begin anew, of
    those that there are by then, unless someone was shown some already.

    Args:
        service, owner, documents, llm, shown: see `asking`.
        begin: the events of an assistant's answer.
    """

    def events(write: bool | Writer) -> Iterator[Event]:
        for left in reversed(range(TRIES)):
            told = False
            try:
                for event in begin(service.sessions.asking(owner, documents, write)):
                    told = shown
                    yield event
            except (IndexChangedError, MissingPathError):
                if told or not left:
                    raise
            else:
                return

    with service.writers.chosen(llm) as write:
        yield from service.metrics.counted(events(write))


def answering(
    service: Service,
    owner: str | None,
    question: str,
    history: Sequence[dict[str, str]],
    documents: Sequence[str] | None,
    llm: str | None,
) -> Iterator[dict[str, Any]]:
    """An answer in pieces: `searching`, then `reading` with the sources, then with the `status` of
    the sentences to come, then with the sentences.

    Args:
        service: what is asked.
        owner: who asks.
        question, history, documents, llm: as the browser sent them.
    """
    known: dict[str, Any] = {"stage": "searching"}
    yield known
    try:
        for event in asking(service, owner, question, history, documents, llm, shown=True):
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
                    asked = service.sessions.asking(owner, documents)
                    known["instead"] = service.starters.near(asked, answer.closest, question)
            yield known
    except IndexChangedError as error:
        # What was shown may mix two versions of the documents: it goes.
        nothing: dict[str, Any] = {name: [] for name in ("sources", "sentences", "citations")}
        yield {**known, **nothing, "stage": "failed", "failure": str(error)}
    except FootnoteError as error:
        yield {**known, "stage": "failed", "failure": str(error)}
    except Exception:
        _logger.exception("a question could not be answered")
        yield {**known, "stage": "failed", "failure": FAILED}


def adding(sessions: SessionDocuments, owner: str, ticket: str) -> Iterator[dict[str, Any]]:
    """A file that was received, indexed: `indexing` with its `done` and `total` paragraphs, then
    `done` with the document. Closed early, the document is not added."""
    try:
        for step in indexing(sessions, owner, ticket):
            if isinstance(step, DocumentInfo):
                added = plain_document(SessionDocument(step, own=True))
                yield {"stage": "done", "document": added}
            else:
                yield {"stage": "indexing", "done": step[0], "total": step[1]}
    except FootnoteError as error:
        yield {"stage": "failed", "failure": str(error)}
    except Exception:
        _logger.exception("a document could not be added")
        yield {"stage": "failed", "failure": FAILED}


#: Paragraphs that are done and paragraphs in all; at last the document.
Step = tuple[int, int] | DocumentInfo


def indexing(
    sessions: SessionDocuments, owner: str, ticket: str, **how: Any
) -> Generator[Step, None, None]:
    """A file that was received, indexed: how many of its paragraphs are done and how many there
    are, from time to time; then the document. Closed early, the document is not added.

    Args:
        sessions: whose documents they are.
        owner, ticket, how: see `SessionDocuments.add`.

    Raises:
        DocumentError, IndexUnusableError: it cannot be added.
    """
    progress: queue.SimpleQueue[tuple[int, int]] = queue.SimpleQueue()
    given_up = threading.Event()

    def step(done: int, total: int) -> None:
        if given_up.is_set():
            raise _GivenUpError
        progress.put((done, total))

    with ThreadPoolExecutor(1) as pool:
        added = pool.submit(sessions.add, owner, ticket, step, **how)
        try:
            while not added.done():
                try:
                    yield progress.get(timeout=0.1)
                except queue.Empty:
                    continue
        finally:
            given_up.set()
    yield added.result()


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


def turns_of(history: Sequence[Turn]) -> list[dict[str, str]]:
    """The last turns of a conversation.

    Raises:
        QuestionError: one is neither the user's nor the assistant's.
    """
    check_roles(history)
    return [{**turn, "content": turn["content"][:8000]} for turn in history[-2 * TURNS :]]


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

"""What is done for whoever asks, through whichever door: answering, step by step; searching and
verifying; adding a document. A generator that is closed early stops its work."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from assistant.answer import Done, Event
from assistant.assistant import TRIES
from assistant.query.rewriting import Turn, check_roles
from assistant.service.values import Alternatives, FoundValue, VerificationValue
from index import DocumentInfo
from index.errors import FootnoteError, IndexChangedError, MissingPathError

if TYPE_CHECKING:
    from assistant.answering.generative import Writer
    from assistant.assistant import Assistant
    from assistant.service.service import Service
    from assistant.service.sessions import SessionDocuments
    from assistant.service.uploads import Upload


def stream_answer(
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


def stream_overview(
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
        service, owner, documents, llm, shown: see `stream_answer`.
        about: the heading of the part that it is of.
        sentences: how many.

    Raises:
        FootnoteError: there is no such heading, or as `stream_answer`.
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
        service, owner, documents, llm, shown: see `stream_answer`.
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


def search_documents(
    service: Service, owner: str | None, query: str, count: int, documents: Sequence[str] | None
) -> FoundValue:
    """What a search finds; see `Assistant.search`.

    Raises:
        FootnoteError: the query or a document is none that can be asked.
    """
    over = service.sessions.asking(owner, documents)
    titles = {info.id: info.title for info in over.index.documents()}
    return FoundValue.of(over.search(query, count), titles)


def verify_text(
    service: Service,
    owner: str | None,
    text: str,
    question: str | None,
    documents: Sequence[str] | None,
) -> VerificationValue:
    """What the documents say to a text; see `Assistant.verify`.

    Raises:
        FootnoteError: the text, the question or a document is none that can be asked.
    """
    over = service.sessions.asking(owner, documents)
    return VerificationValue.model_validate(over.verify(text, question))


def stream_with_alternatives(
    service: Service,
    owner: str | None,
    question: str,
    history: Sequence[Turn],
    documents: Sequence[str] | None,
    llm: str | None = None,
) -> Generator[Event | Alternatives, None, None]:
    """As `stream_answer`, for somebody who is shown each, with what can be asked instead."""
    for event in stream_answer(service, owner, question, history, documents, llm, shown=True):
        if isinstance(event, Done) and event.answer.refused:
            try:
                over = service.sessions.asking(owner, documents)
                near = service.starters.near(over, event.answer.closest, question)
            except FootnoteError:
                near = []  # the answer is one all the same
            yield Alternatives(questions=near)
        yield event


#: Paragraphs that are done and paragraphs in all; at last the document.
Step = tuple[int, int] | DocumentInfo


def index_upload(
    sessions: SessionDocuments, owner: str, upload: Upload, **how: Any
) -> Generator[Step, None, None]:
    """A file that was received, indexed: how many of its paragraphs are done and how many there
    are, from time to time; then the document. Closed early, the document is not added.

    Args:
        sessions: whose documents they are.
        owner, upload, how: see `SessionDocuments.add`.

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
        added = pool.submit(sessions.add, owner, upload, step, **how)
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


TURNS = 12
"""Earlier questions that a follow-up is understood from."""


def turns_of(history: Sequence[Turn]) -> list[dict[str, str]]:
    """The last turns of a conversation.

    Raises:
        QuestionError: one is neither the user's nor the assistant's.
    """
    check_roles(history)
    return [{**turn, "content": turn["content"][:8000]} for turn in history[-2 * TURNS :]]

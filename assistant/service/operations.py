"""What is done for whoever asks, through whichever door: answering, step by step; searching and
verifying; adding a document. A generator that is closed early stops its work."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import AsyncIterator, Callable, Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from assistant.assistant import TRIES
from assistant.events import Done, Event
from assistant.llm.client import LanguageModelError
from assistant.pipeline import Options
from assistant.query.rewriting import Turn, check_roles
from assistant.schemas.answers import Alternatives, AnswerValue, VerificationValue
from assistant.schemas.base import Unit
from assistant.schemas.documents import FoundValue, ProgressValue
from assistant.workspace.turns import keep_answer
from index import DocumentInfo
from index.errors import (
    FootnoteError,
    IndexChangedError,
    MissingPathError,
    QuestionError,
    RefusedError,
)

if TYPE_CHECKING:
    from assistant.assistant import Assistant
    from assistant.llm.writer import Writer
    from assistant.service.service import Service
    from assistant.workspace.uploads import Upload


_Event = TypeVar("_Event")

NEXT = 3
"""Questions that are offered after an answer."""


@dataclass(frozen=True, slots=True)
class Sources:
    """What is asked.

    Attributes:
        owner: who asks.
        documents: ids of the documents; None asks all that they may.
        notebook: the id or the name of a notebook of which these are, or all where it is none.
    """

    owner: str
    documents: Sequence[str] | None = None
    notebook: str | None = None

    def of(self, service: Service, write: bool | Writer = True) -> Assistant:
        """The assistant over them; see `Library.asking`."""
        return service.library.asking(self.owner, self.documents, write, self.notebook)


def stream_answer(
    service: Service,
    sources: Sources,
    question: str,
    history: Sequence[Turn],
    llm: str | None = None,
    *,
    section: str | None = None,
    shown: bool,
) -> Generator[Event, None, None]:
    """The events of an answer, counted; see `Assistant.stream`.

    Args:
        service: by whom.
        sources: what is asked.
        question: as a person asks it.
        history: the conversation before it; its last turns count.
        llm: what writes; see `AnswerModels.chosen`.
        section: see `assistant.pipeline.Options`.
        shown: whether someone is shown each; otherwise only the last one counts.

    Raises:
        FootnoteError: the question, a document or a language model is none that can be asked.
    """
    turns = turns_of(history)
    about: Options = {"section": section} if section else {}
    yield from _whole(
        service, sources, llm, lambda asked: asked.stream(question, turns, **about), shown
    )


def stream_overview(
    service: Service,
    sources: Sources,
    about: str | None,
    sentences: int | None,
    llm: str | None = None,
    *,
    shown: bool,
) -> Generator[Event, None, None]:
    """The events of an overview, counted; see `Assistant.stream_overview`.

    Args:
        service, sources, llm, shown: see `stream_answer`.
        about: the heading of the part that it is of.
        sentences: how many.

    Raises:
        FootnoteError: there is no such heading, or as `stream_answer`.
    """
    yield from _whole(
        service,
        sources,
        llm,
        lambda asked: asked.stream_overview(about, sentences),
        shown,
    )


def _whole(
    service: Service,
    sources: Sources,
    llm: str | None,
    begin: Callable[[Assistant], Iterator[Event]],
    shown: bool,
) -> Iterator[Event]:
    """The events of an answer, counted. Where the documents change meanwhile they begin anew, of
    those that there are by then, unless someone was shown some already.

    Args:
        service, sources, llm, shown: see `stream_answer`.
        begin: the events of an assistant's answer.
    """

    def events(write: bool | Writer) -> Iterator[Event]:
        for left in reversed(range(TRIES)):
            told = False
            try:
                for event in begin(sources.of(service, write)):
                    told = shown
                    yield event
            except (IndexChangedError, MissingPathError):
                if told or not left:
                    raise
            else:
                return

    with service.writers.chosen(llm) as write:
        yield from service.metrics.counted(events(write))


def keep_answers(
    service: Service, events: Generator[_Event, None, None]
) -> Generator[_Event | AnswerValue, None, None]:
    """The events of an answer, the last of them as the value that is kept for whoever may keep it
    with a question or a note."""
    with closing(events):
        for event in events:
            if isinstance(event, Done):
                value = AnswerValue.model_validate(event.answer)
                identity = keep_answer(service.library.index.database, value)
                yield value.model_copy(update={"id": identity})
            else:
                yield event


def search_documents(service: Service, sources: Sources, query: str, count: int) -> FoundValue:
    """What a search finds; see `Assistant.search`.

    Raises:
        FootnoteError: the query or a document is none that can be asked.
    """
    over = sources.of(service)
    titles = {info.id: info.title for info in over.index.documents()}
    return FoundValue.of(over.search(query, count), titles)


def verify_text(
    service: Service, sources: Sources, text: str, question: str | None
) -> VerificationValue:
    """What the documents say to a text; see `Assistant.verify`.

    Raises:
        FootnoteError: the text, the question or a document is none that can be asked.
    """
    over = sources.of(service)
    return VerificationValue.model_validate(over.verify(text, question))


def stream_with_alternatives(
    service: Service,
    sources: Sources,
    question: str,
    history: Sequence[Turn],
    llm: str | None = None,
    section: str | None = None,
) -> Generator[Event | Alternatives, None, None]:
    """As `stream_answer`, for somebody who is shown each, with what can be asked instead of what is
    refused, or after what is answered: that only where it is known already."""
    answering = stream_answer(service, sources, question, history, llm, section=section, shown=True)
    for event in answering:
        answer = event.answer if isinstance(event, Done) else None
        if answer and not answer.unsure:
            asked = [question, *(turn["content"] for turn in history if turn["role"] == "user")]
            try:
                near = service.starters.near(
                    sources.of(service),
                    answer.citations or answer.closest,
                    asked,
                    2 if answer.refused else NEXT,
                    known=not answer.refused,
                )
            except FootnoteError:
                near = []  # the answer is one all the same
            yield Alternatives(questions=near)
        yield event


def reworded(service: Service, question: str, llm: str | None) -> str:
    """A question in other words, by a language model.

    Args:
        service, llm: as of `stream_answer`.
        question: as a person asked it.

    Raises:
        FootnoteError: there is no language model, or it did not do it.
    """
    with service.writers.chosen(llm) as write:
        try:
            return service.assistant.for_documents((), write=write).reword(question)
        except LanguageModelError as error:
            raise QuestionError(
                f"No other words were found: the language model did not do it ({error}). Ask in "
                "other words of your own.",
                code="no_other_words",
            ) from error


async def receive_address(service: Service, client: str, address: str) -> Upload:
    """What is at an address, received as a file is that was sent; see `Inbox.receive`. What was
    fetched from there before has the same name.

    Args:
        service: whose fetcher is asked.
        client: who it counts for; see `access.callers.client_of`. One address of theirs is fetched
            at once.
        address: as somebody gives it.

    Raises:
        UnreadableError: it cannot be fetched; see `Fetcher.fetch`.
        RefusedError: nothing is fetched here, or no more for this client.
    """
    if service.fetcher is None:
        raise RefusedError(
            "Nothing is fetched by its address here. Whoever runs Footnote allows it by --fetch "
            "(FOOTNOTE_FETCH=true). Or save the page as a file and add that.",
            403,
            code="no_fetch",
        )
    service.access.count_fetch(client)
    with service.fetching.joined(client, client, share=1) as turn:
        await asyncio.wrap_future(turn.come)
        fetched = await service.fetcher.fetch(address)
    upload = await service.library.inbox.receive(client, fetched.name, _parts(fetched.content))
    upload.address = fetched.address
    return upload


async def _parts(content: bytes) -> AsyncIterator[bytes]:
    yield content


#: How far it is, again and again; at last the document.
Step = ProgressValue | DocumentInfo


def indexing(
    index: Callable[..., DocumentInfo], *given: Any, **how: Any
) -> Generator[Step, None, None]:
    """A document that is indexed: how far that is, from time to time; then the document. Closed
    early, it is not added.

    Args:
        index: `Library.add` or `Library.read_pictures`.
        given, how: what it is called with beside what follows its progress.

    Raises:
        DocumentError, IndexUnusableError: it cannot be added.
    """
    told: queue.SimpleQueue[ProgressValue] = queue.SimpleQueue()
    given_up = threading.Event()

    def step(unit: Unit, done: int, total: int) -> None:
        if given_up.is_set():
            raise _GivenUpError
        told.put(ProgressValue(done=done, total=total, unit=unit))

    with ThreadPoolExecutor(1) as pool:
        progress, on_page = partial(step, "paragraphs"), partial(step, "pages")
        done = pool.submit(index, *given, progress=progress, on_page=on_page, **how)
        try:
            while not done.done():
                try:
                    yield told.get(timeout=0.1)
                except queue.Empty:
                    continue
        finally:
            given_up.set()
    yield done.result()


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

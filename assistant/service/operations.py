"""What the page, the API and MCP do for a caller: answering step by step, searching, verifying,
adding a document. A generator that is closed early stops its work."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import AsyncIterator, Callable, Generator, Iterator, Sequence
from concurrent.futures import CancelledError, ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from assistant.assistant import TRIES
from assistant.events import Done, Event
from assistant.query.rewriting import Turn, check_roles
from assistant.schemas.answers import (
    Alternatives,
    AnswerValue,
    MorePassagesValue,
    VerificationValue,
)
from assistant.schemas.base import Unit
from assistant.schemas.documents import FoundValue, ProgressValue
from assistant.workspace.turns import keep_answer
from index import DocumentInfo
from index.errors import (
    FootnoteError,
    IndexChangedError,
    MissingPathError,
    RefusedError,
)
from index.models import ENGLISH

if TYPE_CHECKING:
    from assistant.assistant import Assistant
    from assistant.llm.writer import Writer
    from assistant.service.service import Service
    from assistant.workspace.uploads import Upload


_Event = TypeVar("_Event")

MAX_FOLLOW_UPS = 3
"""Questions that are offered after an answer."""

MAX_ALTERNATIVES = 2
"""Questions that are offered after a refusal."""

MAX_TURNS = 12
"""Earlier questions that a follow-up is understood from."""


@dataclass(frozen=True, slots=True)
class Sources:
    """Which documents are asked.

    Attributes:
        owner: who asks.
        documents: ids of the documents; None for all that the owner may ask.
        notebook: the id or the name of the notebook that they are in; None for any.
    """

    owner: str
    documents: Sequence[str] | None = None
    notebook: str | None = None

    def resolve(self, service: Service, write: bool | Writer = True) -> Assistant:
        """The assistant over these documents; see `Library.asking`."""
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
        service: answers.
        sources: which documents are asked.
        question: as a person asks it.
        history: the conversation before it; its last turns count.
        llm: what writes; see `AnswerModels.chosen`.
        section: see `assistant.pipeline.Options`.
        shown: whether each event is shown; otherwise only the last one counts.

    Raises:
        FootnoteError: the question, a document or a language model cannot be asked.
    """
    turns = turns_of(history)
    yield from stream_events(
        service,
        sources,
        lambda assistant: assistant.stream(question, turns, section=section or ""),
        llm,
        shown=shown,
    )


def stream_events(
    service: Service,
    sources: Sources,
    begin: Callable[[Assistant], Iterator[Event]],
    llm: str | None = None,
    *,
    shown: bool,
) -> Generator[Event, None, None]:
    """The events of an answer, counted. Where the documents change meanwhile it is started again,
    over those that there are by then, unless an event has been shown.

    Args:
        service, sources, llm, shown: see `stream_answer`.
        begin: gives the events of an assistant's answer.

    Raises:
        FootnoteError: what is asked, a document or a language model cannot be asked.
    """

    def events(write: bool | Writer) -> Iterator[Event]:
        for left in reversed(range(TRIES)):
            told = False
            try:
                for event in begin(sources.resolve(service, write)):
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
    service: Service, owner: str, events: Generator[_Event, None, None]
) -> Generator[_Event | AnswerValue, None, None]:
    """The events of an answer for somebody; the last one is its value, which is stored, so that it
    can be kept with a question or a note."""
    with closing(events):
        for event in events:
            if isinstance(event, Done):
                value = AnswerValue.model_validate(event.answer)
                identity = keep_answer(service.library.index.database, owner, value)
                yield value.model_copy(update={"id": identity})
            else:
                yield event


def search_documents(service: Service, sources: Sources, query: str, count: int) -> FoundValue:
    """The paragraphs that match a query; see `Assistant.search`.

    Raises:
        FootnoteError: the query or a document cannot be asked.
    """
    assistant = sources.resolve(service)
    titles = {info.id: info.title for info in assistant.index.documents()}
    return FoundValue.of(assistant.search(query, count), titles)


def verify_text(
    service: Service, sources: Sources, text: str, question: str | None
) -> VerificationValue:
    """Whether the documents support a text; see `Assistant.verify`.

    Raises:
        FootnoteError: the text, the question or a document cannot be asked.
    """
    return VerificationValue.model_validate(sources.resolve(service).verify(text, question))


def stream_with_alternatives(
    service: Service,
    sources: Sources,
    question: str,
    history: Sequence[Turn],
    llm: str | None = None,
    section: str | None = None,
    language: str = ENGLISH,
) -> Generator[Event | Alternatives, None, None]:
    """As `stream_answer`, each event shown, with questions that can be asked instead of one that is
    refused, or after one that is answered: the latter only where they are known already. `language`
    is that of who asks."""
    events = stream_answer(service, sources, question, history, llm, section=section, shown=True)
    for event in events:
        answer = event.answer if isinstance(event, Done) else None
        if answer and not answer.unsure:
            asked = [question, *(turn["content"] for turn in history if turn["role"] == "user")]
            try:
                near = service.starters.near(
                    sources.resolve(service),
                    answer.citations or answer.closest,
                    asked,
                    MAX_ALTERNATIVES if answer.refused else MAX_FOLLOW_UPS,
                    language=language,
                    known=not answer.refused,
                )
            except FootnoteError:
                near = []  # the answer is shown all the same
            yield Alternatives(questions=near)
        yield event


def more_passages(
    service: Service,
    sources: Sources,
    question: str,
    history: Sequence[Turn],
    llm: str | None,
    shown: Sequence[tuple[str, int]],
    reworded: bool,
) -> MorePassagesValue:
    """Passages beyond those that are shown; see `Assistant.more_passages`.

    Args:
        service, sources, question, history, llm: as of `stream_answer`.
        shown, reworded: as `Assistant.more_passages` has them.

    Raises:
        FootnoteError: the question, a document or a language model cannot be asked.
    """
    with service.writers.chosen(llm) as write:
        assistant = sources.resolve(service, write)
        found = assistant.more_passages(question, turns_of(history), shown=shown, reworded=reworded)
    return MorePassagesValue.model_validate(found)


async def receive_address(service: Service, client: str, address: str) -> Upload:
    """Fetch a document by its address and receive it like a file that was sent; see
    `Inbox.receive`. A document from the same address has the same name.

    Args:
        service: fetches.
        client: who it counts for; see `access.callers.client_of`. One address at a time is fetched
            for a client.
        address: as a person gives it.

    Raises:
        UnreadableError: it cannot be fetched; see `Fetcher.fetch`.
        RefusedError: fetching is switched off, or this client has fetched too much.
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


#: The progress, again and again; at last the document.
Step = ProgressValue | DocumentInfo


def indexing(
    index: Callable[..., DocumentInfo], *arguments: Any, **options: Any
) -> Generator[Step, None, None]:
    """Index a document: yields the progress from time to time, then the document. Closed early, the
    document is not added.

    Args:
        index: `Library.add` or `Library.read_pictures`.
        arguments, options: passed to it, beside the callbacks for its progress.

    Raises:
        DocumentError, IndexUnusableError: it cannot be added.
    """
    steps: queue.SimpleQueue[ProgressValue] = queue.SimpleQueue()
    cancelled = threading.Event()

    def step(unit: Unit, done: int, total: int) -> None:
        if cancelled.is_set():
            raise CancelledError
        steps.put(ProgressValue(done=done, total=total, unit=unit))

    with ThreadPoolExecutor(1) as pool:
        progress, on_page = partial(step, "paragraphs"), partial(step, "pages")
        result = pool.submit(index, *arguments, progress=progress, on_page=on_page, **options)
        try:
            while not result.done():
                with suppress(queue.Empty):
                    yield steps.get(timeout=0.1)
        finally:
            cancelled.set()
    yield result.result()


def turns_of(history: Sequence[Turn]) -> list[dict[str, str]]:
    """The last turns of a conversation.

    Raises:
        QuestionError: the role of a turn is neither `user` nor `assistant`.
    """
    check_roles(history)
    return [{**turn, "content": turn["content"][:8000]} for turn in history[-2 * MAX_TURNS :]]

"""Suggested questions: made from the documents' own headings, and known to be answered."""

from __future__ import annotations

import asyncio
import re
import threading
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from assistant.access.fair_queue import RETRY, FairQueue
from assistant.answer import Citation
from assistant.documents import question_of, questions_of
from assistant.events import last_answer
from assistant.query.english import PRONOUNS, alternatives
from index.errors import RefusedError

if TYPE_CHECKING:
    from assistant.assistant import Assistant

MAX_CONSIDERED = 12
SHOWN = 4
MAX_REMEMBERED = 200
"""Sets of documents whose questions are remembered."""

MAX_WAITING = 20
"""Sets of documents whose questions are wanted and not yet known."""

_Documents = frozenset[str]

#: How an English sentence begins that says nothing without the one before it, or refers elsewhere.
_LEANS = re.compile(
    rf"^[\W\d_]*({alternatives(PRONOUNS)}|additionally|also|and|another|as (above|before)|but|"
    r"consequently|finally|for (example|instance)|furthermore|hence|however|"
    r"in (addition|contrast)|instead|likewise|moreover|others|(please )?see|second|similarly|so|"
    r"such|then|therefore|third|thus)\b",
    re.IGNORECASE,
)
_ENDS = re.compile(r"[.!?\u2026\u3002\uff01\uff1f][^\w.!?\u2026\u3002\uff01\uff1f]*+$")


@dataclass(slots=True)
class _Tried:
    """The questions about a set of documents; None until they are tried, which is done once, by
    whoever holds the lock."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    questions: tuple[str, ...] | None = None


class Suggestions:
    """Suggested questions by the set of documents that they are about. They are tried once for each
    set: one set after another, in the queue behind all that people ask; or by the first one with a
    place in the queue who wants them.

    Args:
        queue: where questions wait.
    """

    def __init__(self, queue: FairQueue) -> None:
        self._queue = queue
        self._tried: OrderedDict[_Documents, _Tried] = OrderedDict()
        self._wanted: dict[_Documents, Future[tuple[str, ...]]] = {}
        self._guard = threading.Lock()
        self._pool = ThreadPoolExecutor(1, "suggestions")
        self._closed = threading.Event()

    def close(self) -> None:
        """Try no more questions: whoever wants some gets none."""
        with self._guard:
            self._closed.set()
        self._pool.shutdown()

    async def of(self, assistant: Assistant) -> tuple[str, ...]:
        """Questions about the assistant's documents.

        Raises:
            RefusedError: too many others are wanted.
        """
        # Shielded: others wait for the same future.
        return await asyncio.shield(asyncio.wrap_future(self.prepare(assistant)))

    def prepare(self, assistant: Assistant) -> Future[tuple[str, ...]]:
        """The future of the same; does not block.

        Raises:
            RefusedError: as `of`.
        """
        documents = frozenset(assistant.document_ids)
        known = self._known(documents)
        with self._guard:
            future = self._wanted.get(documents)
            if known is not None or (future is None and self._closed.is_set()):
                future = Future()
                future.set_result(known or ())
            elif future is None:
                if len(self._wanted) >= MAX_WAITING:
                    raise RefusedError(
                        f"Questions about {MAX_WAITING} other choices of documents are looked for "
                        f"already. Ask again in {RETRY} seconds.",
                        503,
                        RETRY,
                        code="busy",
                        count=RETRY,
                    )
                future = self._pool.submit(self._try_in_queue, assistant, documents)
                self._wanted[documents] = future
        return future

    def near(
        self,
        assistant: Assistant,
        closest: Sequence[Citation],
        asked: Iterable[str],
        count: int = 2,
        *,
        known: bool = False,
    ) -> list[str]:
        """Answered questions: first those about the headings that paragraphs are under, and none
        about other documents where there are some about theirs. The caller has a place in the
        queue.

        Args:
            assistant: over the documents that they are about.
            closest: the paragraphs: those that an answer cites, or the nearest to a question.
            asked: questions that are not offered again.
            count: how many at most.
            known: only those that were tried before, which takes no time.
        """
        before = {question.casefold() for question in asked}
        documents = frozenset(assistant.document_ids)
        questions = self._known(documents) or () if known else self._try(assistant, documents)
        left = [question for question in questions if question.casefold() not in before]
        if not left:
            return []
        titles = {citation.paragraph.document_id: citation.title for citation in closest}
        theirs = {
            question
            for identity, title in titles.items()
            for question in questions_of(title, assistant.index.outline(identity))
        }
        offered = [question for question in left if question in theirs] or left
        headings = [heading for near in closest for heading in near.paragraph.heading[-1:]]
        order = [*map(question_of, headings), *offered]
        return sorted(offered, key=order.index)[:count]

    def _try_in_queue(self, assistant: Assistant, documents: _Documents) -> tuple[str, ...]:
        try:
            if self._closed.is_set():
                return ()
            with self._queue.place("", idle=True):
                return self._try(assistant, documents)
        finally:
            with self._guard:
                del self._wanted[documents]

    def _known(self, documents: _Documents) -> tuple[str, ...] | None:
        with self._guard:
            tried = self._tried.get(documents)
        return tried.questions if tried else None

    def _try(self, assistant: Assistant, documents: _Documents) -> tuple[str, ...]:
        """The questions, tried by the first caller with a place in the queue; the others wait for
        its result."""
        with self._guard:
            tried = self._tried.setdefault(documents, _Tried())
            self._tried.move_to_end(documents)
            while len(self._tried) > MAX_REMEMBERED:
                self._tried.popitem(last=False)
        with tried.lock:
            if tried.questions is None:
                # Whether there is an answer does not depend on what writes it.
                quoting = assistant.for_documents(assistant.document_ids, write=False)
                tried.questions = tuple(
                    question
                    for question in quoting.suggestions(MAX_CONSIDERED)
                    if not self._closed.is_set() and _is_answered(quoting, question)
                )
            return tried.questions


def _is_answered(assistant: Assistant, question: str) -> bool:
    """Whether there is an answer that can be understood without the text around it."""
    answer = last_answer(assistant.stream(question))
    texts = [sentence.text for sentence in answer.sentences]
    whole = [bool(_ENDS.search(text)) for text in texts]
    return (
        answer.status == "answered"
        and whole[0]
        and sum(whole) * 2 > len(whole)
        and not _LEANS.match(texts[0])
    )

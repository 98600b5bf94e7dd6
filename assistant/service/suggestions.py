"""Suggested questions: made from the documents' own words, and known to be answered well."""

from __future__ import annotations

import asyncio
import re
import threading
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING

from assistant.access.fair_queue import RETRY, FairQueue
from assistant.answer import Citation
from assistant.events import last_answer
from assistant.query.english import PRONOUNS, alternatives
from assistant.starters import OVERVIEW, Suggestion
from index.errors import RefusedError
from index.models import ENGLISH

if TYPE_CHECKING:
    from assistant.assistant import Assistant

MAX_CONSIDERED = 24
MAX_FOUND = 8
SHOWN = 4
SURE = 0.9
"""The least confidence of an answer to a question that is suggested."""

MAX_REMEMBERED = 200
"""Sets of documents whose questions are remembered."""

MAX_WAITING = 20
"""Sets of documents whose questions are wanted and not yet known."""

_Asked = tuple[frozenset[str], str]
"""A set of documents, and the language that questions about them are to be in."""

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
    questions: tuple[Suggestion, ...] | None = None


class Suggestions:
    """Suggested questions by the set of documents that they are about. They are tried once for each
    set: one set after another, in the queue behind all that people ask; or by the first one with a
    place in the queue who wants them.

    Args:
        queue: where questions wait.
    """

    def __init__(self, queue: FairQueue) -> None:
        self._queue = queue
        self._tried: OrderedDict[_Asked, _Tried] = OrderedDict()
        self._wanted: dict[_Asked, Future[tuple[Suggestion, ...]]] = {}
        self._guard = threading.Lock()
        self._pool = ThreadPoolExecutor(1, "suggestions")
        self._closed = threading.Event()

    def close(self) -> None:
        """Try no more questions: whoever wants some gets none."""
        with self._guard:
            self._closed.set()
        self._pool.shutdown()

    async def of(self, assistant: Assistant, language: str = ENGLISH) -> tuple[str, ...]:
        """Questions about the assistant's documents.

        Args:
            assistant: over the documents.
            language: of those among them that they are about, but for the overview of all.

        Raises:
            RefusedError: too many others are wanted.
        """
        # Shielded: others wait for the same future.
        found = await asyncio.shield(asyncio.wrap_future(self.prepare(assistant, language)))
        return tuple(suggestion.question for suggestion in found)

    def prepare(
        self, assistant: Assistant, language: str = ENGLISH
    ) -> Future[tuple[Suggestion, ...]]:
        """The future of the same with the places of their answers; does not block.

        Raises:
            RefusedError: as `of`.
        """
        asked = frozenset(assistant.document_ids), language
        known = self._known(asked)
        with self._guard:
            future = self._wanted.get(asked)
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
                future = self._pool.submit(self._try_in_queue, assistant, asked)
                self._wanted[asked] = future
        return future

    def near(
        self,
        assistant: Assistant,
        closest: Sequence[Citation],
        before: Iterable[str],
        count: int = 2,
        *,
        language: str = ENGLISH,
        known: bool = False,
    ) -> list[str]:
        """Answered questions about the same sections of the same documents as paragraphs are in;
        instead of an answer the overview, too. The caller has a place in the queue.

        Args:
            assistant: over the documents that they are about.
            closest: the paragraphs: those that an answer cites, or the nearest to a question.
            before: questions that are not offered again.
            count: how many at most.
            language: as of `of`.
            known: after an answer: only those that were tried before, which takes no time.
        """
        asked = frozenset(assistant.document_ids), language
        questions = self._known(asked) or () if known else self._try(assistant, asked)
        away = {question.casefold() for question in before}
        near = [
            suggestion.question
            for suggestion in questions
            if suggestion.question.casefold() not in away
            and (
                any(suggestion.is_near(citation.paragraph) for citation in closest)
                or (suggestion.question == OVERVIEW and not known)
            )
        ]
        # The overview last: it is the least about what was asked.
        return sorted(near, key=lambda question: question == OVERVIEW)[:count]

    def _try_in_queue(self, assistant: Assistant, asked: _Asked) -> tuple[Suggestion, ...]:
        try:
            if self._closed.is_set():
                return ()
            with self._queue.place("", idle=True):
                return self._try(assistant, asked)
        finally:
            with self._guard:
                del self._wanted[asked]

    def _known(self, asked: _Asked) -> tuple[Suggestion, ...] | None:
        with self._guard:
            tried = self._tried.get(asked)
        return tried.questions if tried else None

    def _try(self, assistant: Assistant, asked: _Asked) -> tuple[Suggestion, ...]:
        """The questions, tried by the first caller with a place in the queue; the others wait for
        its result."""
        with self._guard:
            tried = self._tried.setdefault(asked, _Tried())
            self._tried.move_to_end(asked)
            while len(self._tried) > MAX_REMEMBERED:
                self._tried.popitem(last=False)
        with tried.lock:
            if tried.questions is None:
                # Whether there is an answer does not depend on what writes it.
                quoting = assistant.for_documents(assistant.document_ids, write=False)
                answered = (
                    suggestion
                    for suggestion in quoting.suggestions(asked[1])[:MAX_CONSIDERED]
                    if not self._closed.is_set() and _is_answered(quoting, suggestion)
                )
                tried.questions = tuple(islice(answered, MAX_FOUND))
            return tried.questions


def _is_answered(assistant: Assistant, suggestion: Suggestion) -> bool:
    """Whether there is an answer for sure, in the sentences of a text that can be understood
    without the text around them; and it stands where it should."""
    answer = last_answer(assistant.stream(suggestion.question))
    if not answer.answered or (answer.confidence or 0) < SURE:
        return False
    texts = [sentence.text for sentence in answer.sentences]
    whole = [bool(_ENDS.search(text)) for text in texts]
    reads_well = whole[0] and sum(whole) * 2 > len(whole) and not _LEANS.match(texts[0])
    if suggestion.question == OVERVIEW:
        return reads_well
    first, *_ = [citation.paragraph for citation in answer.citations]
    kinds = {citation.paragraph.kind for citation in answer.citations}
    is_prose = first.kind == "prose" and kinds <= {"prose", "list"}
    is_right = first.document_id == suggestion.document and first.number in suggestion.numbers
    return reads_well and is_prose and is_right

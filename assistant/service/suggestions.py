"""Questions to begin with: drawn from the documents' own headings, and known to be answered."""

from __future__ import annotations

import asyncio
import re
import threading
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING

from assistant.access.fair_queue import RETRY, FairQueue
from assistant.answer import Answer, Citation
from assistant.documents import question_of, questions_of
from assistant.events import Done
from assistant.query.english import PRONOUNS, alternatives
from index.errors import RefusedError

if TYPE_CHECKING:
    from assistant.assistant import Assistant

CONSIDERED = 12
SHOWN = 4
REMEMBERED = 200
"""Sets of documents whose questions are remembered."""

WAITING = 20
"""Sets of documents whose questions are wanted and not yet known, at most."""

_Set = frozenset[str]

#: How an English sentence begins that says nothing without the one before it, or leads elsewhere.
_LEANS = re.compile(
    rf"^[\W\d_]*({alternatives(PRONOUNS)}|additionally|also|and|another|as (above|before)|but|"
    r"consequently|finally|for (example|instance)|furthermore|hence|however|"
    r"in (addition|contrast)|instead|likewise|moreover|others|(please )?see|second|similarly|so|"
    r"such|then|therefore|third|thus)\b",
    re.IGNORECASE,
)
_ENDS = re.compile(r"[.!?\u2026\u3002\uff01\uff1f]\W*$")


class Suggestions:
    """Suggested questions by the set of documents that they are about. Each is tried the first
    time: one set after another, in the queue behind all that people ask, and by one of those who
    want them.

    Args:
        queue: where questions wait.
    """

    def __init__(self, queue: FairQueue) -> None:
        self._queue = queue
        self._found: OrderedDict[_Set, Future[tuple[str, ...]]] = OrderedDict()
        self._wanted: dict[_Set, Future[tuple[str, ...]]] = {}
        self._guard = threading.Lock()
        self._pool = ThreadPoolExecutor(1, "suggestions")
        self._closed = threading.Event()

    def close(self) -> None:
        """Try no more questions: whoever wants some is given none."""
        with self._guard:
            self._closed.set()
        self._pool.shutdown()

    async def of(self, assistant: Assistant) -> tuple[str, ...]:
        """Questions about the assistant's documents.

        Raises:
            RefusedError: too many others are wanted.
        """
        # Shared: who waits no longer takes it from nobody else.
        return await asyncio.shield(asyncio.wrap_future(self.prepare(assistant)))

    def prepare(self, assistant: Assistant) -> Future[tuple[str, ...]]:
        """The same, in a while; waits for nothing.

        Raises:
            RefusedError: as `of`.
        """
        documents = frozenset(assistant.document_ids)
        with self._guard:
            known = self._found.get(documents) or self._wanted.get(documents)
            if known is None and self._closed.is_set():
                known = Future()
                known.set_result(())
            elif known is None:
                if len(self._wanted) >= WAITING:
                    raise RefusedError(
                        f"Questions about {WAITING} other choices of documents are looked for "
                        f"already. Ask again in {RETRY} seconds.",
                        503,
                        RETRY,
                        code="busy",
                        count=RETRY,
                    )
                known = self._pool.submit(self._try_in_line, assistant, documents)
                self._wanted[documents] = known
        return known

    def near(
        self,
        assistant: Assistant,
        closest: Sequence[Citation],
        asked: Iterable[str],
        count: int = 2,
        *,
        known: bool = False,
    ) -> list[str]:
        """Questions that are answered, first those about where some paragraphs stand, and none of
        other documents where there are any of theirs. Asked for by whoever has a place in the
        queue.

        Args:
            assistant: over the documents that they are about.
            closest: the paragraphs: those that an answer cites, or the nearest to a question.
            asked: questions that are not offered again.
            count: how many at most.
            known: only those that were tried before, which takes no time.
        """
        paragraphs = [citation.paragraph for citation in closest]
        titles = {citation.paragraph.document_id: citation.title for citation in closest}
        above = [question_of(heading) for own in paragraphs for heading in own.heading[-1:]]
        before = {question.casefold() for question in asked}
        found = self._tried(assistant) if known else self._try(assistant)
        left = [question for question in found if question.casefold() not in before]
        if not left:
            return []
        theirs = {
            question
            for identity, title in titles.items()
            for question in questions_of(title, assistant.index.outline(identity))
        }
        offered = [question for question in left if question in theirs] or left
        nearness = {own: at for at, own in reversed([*enumerate(above)])}
        return sorted(offered, key=lambda q: nearness.get(q, len(above)))[:count]

    def _tried(self, assistant: Assistant) -> tuple[str, ...]:
        with self._guard:
            found = self._found.get(frozenset(assistant.document_ids))
        return found.result() if found and found.done() else ()

    def _try_in_line(self, assistant: Assistant, documents: _Set) -> tuple[str, ...]:
        try:
            if self._closed.is_set():
                return ()
            with self._queue.place("", idle=True):
                return self._try(assistant)
        finally:
            with self._guard:
                del self._wanted[documents]

    def _try(self, assistant: Assistant) -> tuple[str, ...]:
        """The questions, tried by the first who wants them and has a place in the queue; the others
        who have one wait for what comes of it."""
        documents = frozenset(assistant.document_ids)
        with self._guard:
            found = self._found.get(documents)
            if own := found is None:
                found = self._found[documents] = Future()
            self._found.move_to_end(documents)
            while len(self._found) > REMEMBERED:
                self._found.popitem(last=False)
        if own:
            try:
                # Whether there is an answer does not depend on who words it.
                quick = assistant.for_documents(assistant.document_ids, write=False)
                found.set_result(
                    tuple(
                        question
                        for question in quick.suggestions(CONSIDERED)
                        if not self._closed.is_set() and _is_answered(quick, question)
                    )
                )
            except BaseException as error:
                with self._guard:
                    self._found.pop(documents, None)
                found.set_exception(error)
                raise
        return found.result()


def _is_answered(assistant: Assistant, question: str) -> bool:
    """Whether there is an answer, which its readers understand without what is around it."""
    for event in assistant.stream(question):
        if isinstance(event, Done):
            return event.answer.status == "answered" and _stands(event.answer)
    return False


def _stands(answer: Answer) -> bool:
    said = [sentence.text for sentence in answer.sentences]
    whole = [bool(_ENDS.search(text)) for text in said]
    return whole[0] and sum(whole) * 2 > len(whole) and not _LEANS.match(said[0])

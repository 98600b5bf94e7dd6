"""Questions to begin with: drawn from the documents' own headings, and known to be answered."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable
from itertools import islice
from typing import TYPE_CHECKING

from assistant.answer import Citation, Decided

if TYPE_CHECKING:
    from assistant.assistant import Assistant

CONSIDERED = 8
SHOWN = 4
REMEMBERED = 200
"""Sets of documents whose questions are remembered."""


class Suggestions:
    """Suggested questions by the set of documents that they are about."""

    def __init__(self) -> None:
        self._known: OrderedDict[frozenset[str], tuple[str, ...]] = OrderedDict()
        # One set at a time: each takes a few answers, and people are waiting for theirs.
        self._working = threading.Lock()
        self._closed = threading.Event()

    def close(self) -> None:
        """Try no more questions."""
        self._closed.set()

    def of(self, assistant: Assistant) -> tuple[str, ...]:
        """Questions about the assistant's documents; the first time each is tried."""
        key = frozenset(assistant.document_ids)
        with self._working:
            if key not in self._known:
                # Whether there is an answer does not depend on who words it.
                quick = assistant.over(assistant.document_ids, write=False)
                self._known[key] = tuple(
                    question
                    for question in quick.suggestions(CONSIDERED)
                    if not self._closed.is_set() and _is_answered(quick, question)
                )
                while len(self._known) > REMEMBERED:
                    self._known.popitem(last=False)
            self._known.move_to_end(key)
            return self._known[key]

    def near(
        self, assistant: Assistant, closest: Iterable[Citation], question: str, count: int = 2
    ) -> list[str]:
        """Questions that are answered, first those about where the closest paragraphs stand."""
        headings = [h for citation in closest for h in citation.paragraph.heading[-1:]]
        asked = question.casefold()
        return list(
            islice(
                sorted(
                    (q for q in self.of(assistant) if q.casefold() != asked),
                    key=lambda q: not any(heading in q for heading in headings),
                ),
                count,
            )
        )


def _is_answered(assistant: Assistant, question: str) -> bool:
    for event in assistant.stream(question):
        if isinstance(event, Decided):
            return event.status == "answered"
    return False

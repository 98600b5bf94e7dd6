"""Finds what a question can be answered from: searches, reads, and gathers the evidence."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from assistant.query.question import Question
from assistant.query.question_types import asks_for_several
from assistant.retrieval.evidence import Evidence, gather
from assistant.retrieval.reading_model import Reader
from assistant.retrieval.reranker import rerank
from assistant.timer import Timer
from index import Hit, Index
from index.retriever import LEGS

RETRIEVED = 10  # paragraphs, as in most evaluations of retrieval


class Retriever:
    """Finds paragraphs in documents of an index.

    Args:
        index: where they are.
        documents: their ids.
        reader: the reading model, or None.
    """

    def __init__(self, index: Index, documents: Sequence[str], reader: Reader | None) -> None:
        self._index = index
        self._documents = tuple(documents)
        self._reader = reader

    def search(self, question: Question, k: int, legs: Collection[str] = LEGS) -> list[Hit]:
        """The k best paragraphs, best first. See `Assistant.search`."""
        found = self._index.search(
            question.standalone,
            max(k, RETRIEVED),
            documents=self._documents,
            context=question.context,
            weigh=question.cleaned,
            legs=legs,
        )
        return [own.hit for own in rerank(self._reader, question.cleaned, found)][:k]

    def retrieve(self, question: Question, timer: Timer, legs: Collection[str] = LEGS) -> Evidence:
        """Search with all that was understood; tell sentences apart by what was asked last. Where
        that asks several things, search for each of them as well.

        Args:
            question: what to look for.
            timer: told of `encode`, `retrieve` and `read`; what is done for the parts adds to them.
            legs: which legs of the search count.
        """
        whole = self._evidence(question.cleaned, question.standalone, question.context, timer, legs)
        parts = tuple(
            (part, self._evidence(part.asked, part.standalone, None, timer, legs))
            for part in question.parts
        )
        return replace(whole, parts=parts)

    def _evidence(
        self, asked: str, standalone: str, context: str | None, timer: Timer, legs: Collection[str]
    ) -> Evidence:
        vector = self._index.encoder.encode_query(standalone)
        timer.lap("encode")
        found = self._index.search(
            standalone,
            RETRIEVED,
            documents=self._documents,
            context=context,
            weigh=asked,
            legs=legs,
            vector=vector,
        )
        timer.lap("retrieve")
        ranked = rerank(self._reader, asked, found, asks_for_several(asked))
        timer.lap("read")
        return gather(asked, ranked, found.term_weights)

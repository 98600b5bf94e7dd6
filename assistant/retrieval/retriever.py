"""Finds what a question can be answered from: searches, reads, and gathers the evidence."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from assistant.query.question import Question
from assistant.query.question_types import asks_for_several
from assistant.retrieval.evidence import Evidence, RawEvidence, evidence_of
from assistant.retrieval.reading_model import Reader
from assistant.retrieval.reranker import rank, read
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
        ranking: what its readings add to a paragraph's score (see `reranker.rank`).
    """

    def __init__(
        self,
        index: Index,
        documents: Sequence[str],
        reader: Reader | None,
        ranking: Mapping[str, float],
    ) -> None:
        self._index = index
        self._documents = tuple(documents)
        self._reader = reader
        self._ranking = ranking

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
        readings = read(self._reader, question.cleaned, found.hits, found.term_weights)
        return [own.hit for own in rank(found.hits, readings, self._ranking)][:k]

    def retrieve(self, question: Question, timer: Timer, legs: Collection[str] = LEGS) -> Evidence:
        """What there is to decide on. See `read`."""
        return evidence_of(self.read(question, timer, legs), self._ranking)

    def read(self, question: Question, timer: Timer, legs: Collection[str] = LEGS) -> RawEvidence:
        """Search with all that was understood; tell sentences apart by what was asked last. Where
        that asks several things, search for each of them as well.

        Args:
            question: what to look for.
            timer: told of `encode`, `retrieve` and `read`; what is done for the parts adds to them.
            legs: which legs of the search count.
        """
        whole = self._found(question.cleaned, question.standalone, question.context, timer, legs)
        parts = tuple(
            (part, self._found(part.asked, part.standalone, None, timer, legs))
            for part in question.parts
        )
        return replace(whole, parts=parts)

    def _found(
        self, asked: str, standalone: str, context: str | None, timer: Timer, legs: Collection[str]
    ) -> RawEvidence:
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
        several = asks_for_several(asked)
        readings = read(self._reader, asked, found.hits, found.term_weights, several)
        timer.lap("read")
        return RawEvidence(asked, found, tuple(readings))

"""Finds what a question can be answered from: searches, reads, and gathers the evidence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from assistant.query.cleaning import plainly
from assistant.query.decomposition import parts_of
from assistant.query.question_types import asks_for_several
from assistant.query.rewriting import Turn, in_context, understand
from assistant.retrieval.evidence import Evidence, blend, gather, read, rerank
from index import Hit, Index

if TYPE_CHECKING:
    from assistant.answering.builder import Clock
    from assistant.retrieval.reading_model import Reader
    from index.encoder import Vectors

HITS = 10
#: How many hits of a question that has a conversation before it are weighed in its context.
IN_CONTEXT = 50


class Finder:
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

    def search(self, query: str, k: int, history: Sequence[Turn] = ()) -> list[Hit]:
        """The k best paragraphs, best first. See `Assistant.search`."""
        query = plainly(query)
        hits = self._hits(understand(query, history), query, history, max(k, HITS))
        weights = self._index.term_weights(query, self._documents)
        return [hit for hit, _ in rerank(hits, read(self._reader, query, hits, weights))][:k]

    def evidence(
        self, question: str, history: Sequence[Turn], understood: str, clock: Clock
    ) -> Evidence:
        """Search with all that was understood; tell sentences apart by what was asked last. Where
        that asks several things, search for each of them as well.

        Args:
            question: as it was asked last.
            history: the conversation before it.
            understood: the question as it stands on its own.
            clock: told of `encode`, `retrieve` and `read`; what is done for the parts adds to them.
        """
        whole = self._evidence(plainly(question), history, understood, clock)
        parts = []
        for part in parts_of(question):
            own = understand(part.question, history)
            parts.append((part, self._evidence(part.asked, (), own, clock)))
        return replace(whole, parts=tuple(parts))

    def _evidence(
        self, question: str, history: Sequence[Turn], understood: str, clock: Clock
    ) -> Evidence:
        vector = self._index.encoder.encode_query(understood)
        clock.lap("encode")
        hits = self._hits(understood, question, history, HITS, vector)
        weights = self._index.term_weights(question, self._documents)
        clock.lap("retrieve")
        several = asks_for_several(question)
        ranked = rerank(hits, read(self._reader, question, hits, weights, several))
        clock.lap("read")
        return gather(question, ranked, weights)

    def _hits(
        self,
        understood: str,
        question: str,
        history: Sequence[Turn],
        k: int,
        vector: Vectors | None = None,
    ) -> list[Hit]:
        """The k best paragraphs, before any is read."""

        def found(query: str, depth: int, vector: Vectors | None = None) -> list[Hit]:
            return self._index.search(query, depth, documents=self._documents, vector=vector)

        context = in_context(question, history)
        if context is None:
            return found(understood, k, vector)
        depth = max(k, IN_CONTEXT)
        return blend(found(understood, depth, vector), found(context, depth))[:k]

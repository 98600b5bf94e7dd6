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
from index.chunking.language import is_latin
from index.encoder import Vectors
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
        reader = self._reader if is_read(found.hits) else None
        readings = read(reader, question.cleaned, found.hits, found.term_weights)
        return [own.hit for own in rank(found.hits, readings, self._ranking)][:k]

    def retrieve(
        self,
        question: Question,
        timer: Timer,
        legs: Collection[str] = LEGS,
        vector: Vectors | None = None,
    ) -> Evidence:
        """What there is to decide on. See `read`."""
        return evidence_of(self.read(question, timer, legs, vector), self._ranking)

    def read(
        self,
        question: Question,
        timer: Timer,
        legs: Collection[str] = LEGS,
        vector: Vectors | None = None,
    ) -> RawEvidence:
        """Search with all that was understood; tell sentences apart by what was asked last. Where
        that asks several things, search for each of them as well.

        Args:
            question: what to look for.
            timer: told of `encode`, `retrieve` and `read`; what is done for the parts adds to them.
            legs: which legs of the search count.
            vector: of the stand-alone question, where it is there already.
        """
        whole = self._found(
            question.cleaned, question.standalone, question.context, timer, legs, vector=vector
        )
        # What is decided of the whole and of its parts is decided by the same numbers.
        reads = bool(whole.readings)
        parts = tuple(
            (part, self._found(part.asked, part.standalone, None, timer, legs, reads))
            for part in question.parts
        )
        return replace(whole, parts=parts)

    def _found(
        self,
        asked: str,
        standalone: str,
        context: str | None,
        timer: Timer,
        legs: Collection[str],
        reads: bool | None = None,
        vector: Vectors | None = None,
    ) -> RawEvidence:
        if vector is None:
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
        reads = is_read(found.hits) if reads is None else reads
        reader = self._reader if reads else None
        readings = read(reader, asked, found.hits, found.term_weights, several)
        timer.lap("read")
        return RawEvidence(asked, found, tuple(readings))


def is_read(hits: Sequence[Hit]) -> bool:
    """Whether the reading model has its say of what was found: the best of it is in Latin script.

    It learned from English, and yet it does better than nothing on Romanian (XQuAD, 300 questions:
    right .80 for .57; AUROC of the confidence, against questions whose paragraph was taken away,
    .83 for .74), where names, numbers and borrowed words are the same. Of other scripts it knows
    little more than letters.
    """
    return not hits or is_latin(hits[0].paragraph.text)

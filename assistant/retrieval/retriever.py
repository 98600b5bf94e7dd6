"""Finds what a question can be answered from: searches, reads, and gathers the evidence."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from assistant.query.question import Question
from assistant.query.question_types import asks_for_several
from assistant.retrieval.evidence import Evidence, RawEvidence, evidence_of
from assistant.retrieval.reading_model import Reader
from assistant.retrieval.reranker import Known, read
from assistant.timer import Timer
from index import Hit, View
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
        index: View,
        documents: Sequence[str],
        reader: Reader | None,
        ranking: Mapping[str, float],
    ) -> None:
        self._index = index
        self._documents = frozenset(documents)  # which knows its hash, of however many
        self._reader = reader
        self._ranking = ranking

    def search(self, question: Question, k: int, legs: Collection[str] = LEGS) -> list[Hit]:
        """The k best paragraphs, best first. See `Assistant.search`."""
        whole = self.read(replace(question, parts=()), Timer(), legs, k)
        return list(evidence_of(whole, self._ranking).hits)[:k]

    def retrieve(self, question: Question, timer: Timer, legs: Collection[str] = LEGS) -> Evidence:
        """What there is to decide on. See `read`."""
        return evidence_of(self.read(question, timer, legs), self._ranking)

    def read(
        self,
        question: Question,
        timer: Timer,
        legs: Collection[str] = LEGS,
        k: int = RETRIEVED,
    ) -> RawEvidence:
        """Search for the question as it was understood, and for it in the context of what was asked
        before; tell sentences apart by the question alone. Where it asks several things, do the
        same for each of them.

        Args:
            question: what to look for.
            timer: told of `encode`, `retrieve` and `read`; what is done for the parts adds to them.
            legs: which legs of the search count.
            k: paragraphs to find, if more than RETRIEVED.
        """
        several = question.kind in ("list", "comparison") or asks_for_several(question.standalone)
        look = _Look(self._index, self._documents, self._reader, timer, legs, max(k, RETRIEVED))
        whole = look.both(question.standalone, question.context, several, question.vector)
        # What is decided of the whole and of its parts is decided by the same numbers.
        reads = bool(whole.readings)
        leans = question.parts and evidence_of(whole, self._ranking).leans
        parts = []
        for part in question.parts:
            context = part.context
            if leans:
                context = f"{question.before} {part.context or part.asked}"
            parts.append((part, look.part(part.asked, context, reads)))
        return replace(whole, parts=tuple(parts), said=question.said, more=question.more)


class _Look:
    """Looks up one question in all ways, and reads no paragraph twice for the same words."""

    def __init__(
        self,
        index: View,
        documents: Collection[str],
        reader: Reader | None,
        timer: Timer,
        legs: Collection[str],
        k: int,
    ) -> None:
        self._index = index
        self._documents = documents
        self._reader = reader
        self._timer = timer
        self._legs = legs
        self._k = k
        self._known: Known = {}

    def both(
        self,
        asked: str,
        context: str | None,
        several: bool,
        vector: Vectors | None = None,
    ) -> RawEvidence:
        """What is found for a question, and, where it has a context, for that."""
        alone = self._found(asked, asked, context, several, vector, None)
        if context is None:
            return alone
        reads = bool(alone.readings)
        return replace(alone, carried=self._found(asked, context, None, several, None, reads))

    def part(self, asked: str, context: str | None, reads: bool) -> RawEvidence:
        """What is found for one of several questions in the context of those before it. How similar
        a paragraph is to it is told by itself, for the others may be answered without it."""
        raw = self._found(asked, asked, context, asks_for_several(asked), None, reads)
        hits = tuple(
            replace(hit, legs={**hit.legs, "sentence": max(hit.sentence_scores)})
            for hit in raw.found.hits
        )
        return replace(raw, found=replace(raw.found, hits=hits))

    def _found(
        self,
        asked: str,
        query: str,
        context: str | None,
        several: bool,
        vector: Vectors | None,
        reads: bool | None,
    ) -> RawEvidence:
        if vector is None:
            vector = self._index.encoder.encode_query(query)
        self._timer.lap("encode")
        found = self._index.search(
            query,
            self._k,
            documents=self._documents,
            context=context,
            weigh=asked,
            legs=self._legs,
            vector=vector,
        )
        self._timer.lap("retrieve")
        reads = is_read(found.hits) if reads is None else reads
        reader = self._reader if reads else None
        readings = read(reader, asked, found.hits, found.term_weights, several, self._known)
        self._timer.lap("read")
        return RawEvidence(asked, found, tuple(readings))


def is_read(hits: Sequence[Hit]) -> bool:
    """Whether the reading model has its say of what was found: the best of it is in Latin script.

    It learned from English, and yet it does better than nothing on Romanian (XQuAD, 300 questions:
    right .80 for .57; AUROC of the confidence, against questions whose paragraph was taken away,
    .83 for .74), where names, numbers and borrowed words are the same. Of other scripts it knows
    little more than letters.
    """
    return not hits or is_latin(hits[0].paragraph.text)

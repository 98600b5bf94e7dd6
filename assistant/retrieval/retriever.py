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
from index import Hit, SearchResult, View
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
        asked = [(part, part.context) for part in question.parts]
        if asked and evidence_of(whole, self._ranking).in_context:
            asked = [(part, f"{question.before} {own or part.asked}") for part, own in asked]
        look.encode([text for part, own in asked for text in (part.asked, own) if text is not None])
        parts = [(part, look.part(part.asked, own, reads)) for part, own in asked]
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
        self._vectors: dict[str, Vectors] = {}

    def encode(self, texts: Sequence[str]) -> None:
        """Encode texts in one go, for what is looked up next."""
        if left := [text for text in dict.fromkeys(texts) if text not in self._vectors]:
            self._vectors.update(zip(left, self._index.encoder.encode_queries(left), strict=True))
        self._timer.lap("encode")

    def both(
        self,
        asked: str,
        context: str | None,
        several: bool,
        vector: Vectors | None = None,
    ) -> RawEvidence:
        """What is found for a question, and, where it has a context, for that."""
        if vector is not None:
            self._vectors[asked] = vector
        found = self._search(asked, context)
        reads = is_read(found.hits)
        alone = self._read(asked, found, several, reads)
        if context is None:
            return alone
        around = replace(found, hits=found.around, around=())
        carried = self._read(asked, around, several, bool(alone.readings))
        return replace(alone, carried=carried)

    def part(self, asked: str, context: str | None, reads: bool) -> RawEvidence:
        """What is found for one of several questions in the context of those before it. How similar
        a paragraph is to it is told by itself, for the others may be answered without it."""
        raw = self._read(asked, self._search(asked, context), asks_for_several(asked), reads)
        hits = tuple(
            replace(hit, legs={**hit.legs, "sentence": max(hit.sentence_scores)})
            for hit in raw.found.hits
        )
        return replace(raw, found=replace(raw.found, hits=hits))

    def _search(self, asked: str, context: str | None) -> SearchResult:
        self.encode([asked] if context is None else [asked, context])
        found = self._index.search(
            asked,
            self._k,
            documents=self._documents,
            context=context,
            legs=self._legs,
            vector=self._vectors[asked],
            around=None if context is None else self._vectors[context],
        )
        self._timer.lap("retrieve")
        return found

    def _read(self, asked: str, found: SearchResult, several: bool, reads: bool) -> RawEvidence:
        reader = self._reader if reads else None
        readings = read(reader, asked, found.hits, found.term_weights, several, self._known)
        self._timer.lap("read")
        return RawEvidence(asked, replace(found, around=()), tuple(readings))


def is_read(hits: Sequence[Hit]) -> bool:
    """Whether the reading model has its say of what was found: the best of it is in Latin script.

    It learned from English, and yet it does better than nothing on Romanian (XQuAD, 300 questions:
    right .80 for .57; AUROC of the confidence, against questions whose paragraph was taken away,
    .83 for .74), where names, numbers and borrowed words are the same. Of other scripts it knows
    little more than letters.
    """
    return not hits or is_latin(hits[0].paragraph.text)

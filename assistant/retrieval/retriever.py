"""Finds what a question can be answered from: searches, reads, and gathers the evidence."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import zip_longest

from assistant.events import Timer
from assistant.query.kinds import Kind
from assistant.query.question import QueryVectors, Question
from assistant.retrieval.evidence import Evidence, RawEvidence, evidence_of, gather
from assistant.retrieval.passages import FOUND
from assistant.retrieval.reading_model import Reader
from assistant.retrieval.reranker import DEPTH, Known, rank, read
from assistant.retrieval.rewording import searches_for
from index import Hit, Paragraph, SearchResult, View
from index.chunking.language import is_latin

RETRIEVED = 10  # paragraphs, as in most evaluations of retrieval
#: Kinds of questions that ask for more than one thing.
SEVERAL: frozenset[Kind] = frozenset({"list", "comparison"})


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

    def search(self, question: Question, timer: Timer, k: int = RETRIEVED) -> Evidence:
        """The evidence for a question, of at least the k best paragraphs. See `read`."""
        return evidence_of(self.read(question, timer, k), self._ranking)

    def find(self, question: Question, timer: Timer) -> list[list[Hit]]:
        """Paragraphs for a language model to read, best first: what the question itself finds, all
        of it ranked by reading; and what each thing finds that it asks, and it with what was asked
        before.

        Args:
            question: what to look for.
            timer: told of `encode`, `retrieve` and `read`.
        """
        others = [part.context or part.asked for part in question.parts]
        others += [question.context] if question.context else []
        vectors = QueryVectors(self._index.encoder, {question.standalone: question.vector})
        vectors.of(others)
        look = _Lookup(self._index, self._documents, self._reader, vectors, timer, FOUND)
        lists = []
        for text, depth in [(question.standalone, FOUND), *((other, DEPTH) for other in others)]:
            found = look.search(text, None)
            raw = look.read(text, found, several=True, reads=is_read(found.hits), depth=depth)
            ranked = rank(found.hits, raw.readings, self._ranking)
            lists.append([read_hit.hit for read_hit in ranked])
        return lists

    def other_searches(self, question: Question) -> list[str]:
        """The question in other words: the documents' own; see `searches_for`."""
        found = self._index.search(
            question.standalone, RETRIEVED, documents=self._documents, vector=question.vector
        )
        paragraphs = [hit.paragraph for hit in found.hits]
        return searches_for(question.standalone, paragraphs, self._weigh)

    def find_more(
        self, question: Question, searches: Sequence[str], is_shown: Callable[[Paragraph], bool]
    ) -> Evidence:
        """Paragraphs that are not shown yet, all of them read: those that the question itself
        finds, or those that other searches find for it.

        Of 63 questions in lay words on real documents whose paragraph is not among the five shown
        first, the next five have it for 21 as they were ranked, for 35 where all are read anew.

        Args:
            question: what they are to answer.
            searches: what is looked up instead of it, if anything.
            is_shown: whether a paragraph is shown already.
        """
        asked = [question.standalone]
        if question.leans and question.context:
            asked.append(question.context)
        lists = [
            self._index.search(text, FOUND, documents=self._documents).hits
            for text in searches or asked
        ]
        found = [hit for turn in zip_longest(*lists) for hit in turn if hit]
        known = {hit.paragraph.text for hit in found if is_shown(hit.paragraph)}
        hits: list[Hit] = []
        for hit in found:
            if hit.paragraph.text not in known and not _says_nothing(hit) and len(hits) < FOUND:
                known.add(hit.paragraph.text)
                hits.append(hit)
        vectors = self._index.vectors([hit.paragraph.id for hit in hits])
        cosines = [(vectors[hit.paragraph.id] @ question.vector).tolist() for hit in hits]
        hits = [
            replace(hit, sentence_scores=tuple(own), score=max(own))
            for hit, own in zip(hits, cosines, strict=True)
        ]
        weights = self._weigh(question.standalone)
        reader = self._reader if is_read(hits) else None
        readings = read(reader, question.standalone, hits, weights, several=True, depth=FOUND)
        return gather(rank(hits, readings, self._ranking), weights)

    def _weigh(self, text: str) -> Mapping[str, Mapping[str, float]]:
        return self._index.term_weights(text, self._documents)

    def look_up(self, words: Sequence[str]) -> list[list[Hit]]:
        """The paragraphs that each of some searches finds, best first, not ranked by reading."""
        return [
            list(self._index.search(word, RETRIEVED, documents=self._documents).hits)
            for word in words
        ]

    def answers(self, question: str, sentences: Sequence[str]) -> bool:
        """Whether the reading model takes sentences for an answer; without one they are none."""
        if self._reader is None or not all(map(is_latin, sentences)):
            return False
        return self._reader.read(question, sentences).paragraph > 0

    def read(self, question: Question, timer: Timer, k: int = RETRIEVED) -> RawEvidence:
        """Search for the question as it was understood, and, where it may lean on what was asked
        before, for it in the context of that; tell sentences apart by the question alone. Where it
        asks several things, do the same for each of them.

        Args:
            question: what to look for.
            timer: told of `encode`, `retrieve` and `read`; what is done for the parts adds to them.
            k: paragraphs to find, if more than RETRIEVED.
        """
        vectors = QueryVectors(self._index.encoder, {question.standalone: question.vector})
        k = max(k, RETRIEVED)
        lookup = _Lookup(self._index, self._documents, self._reader, vectors, timer, k)
        several = question.kind in SEVERAL
        found = lookup.search(question.standalone, None)
        whole = lookup.read(question.standalone, found, several, is_read(found.hits))
        if question.leans and question.context is not None:
            in_context = replace(found, hits=lookup.search(question.context, None).hits)
            carried = lookup.read(question.standalone, in_context, several, bool(whole.readings))
            whole = replace(whole, carried=carried)
        asked = [(part, part.context) for part in question.parts]
        if asked and evidence_of(whole, self._ranking).in_context:
            asked = [
                (part, f"{question.before} {context or part.asked}") for part, context in asked
            ]
        vectors.of([text for part, context in asked for text in (part.asked, context) if text])
        # What is decided of the whole and of its parts is decided by the same numbers.
        reads = bool(whole.readings)
        parts = tuple(
            (part, lookup.read(part.asked, lookup.search(part.asked, context), False, reads))
            for part, context in asked
        )
        return replace(
            whole,
            parts=parts,
            said=question.said,
            more=question.more,
            again=question.again,
        )


@dataclass(frozen=True, slots=True)
class _Lookup:
    """Looks up one question in all ways, and reads no paragraph twice for the same words.

    Attributes:
        index, documents, reader, timer, k: as `Retriever` and its `read` have them.
        vectors: the encoder's, of what was looked up.
        known: what was read.
    """

    index: View
    documents: Collection[str]
    reader: Reader | None
    vectors: QueryVectors
    timer: Timer
    k: int
    known: Known = field(default_factory=dict)

    def search(self, asked: str, context: str | None) -> SearchResult:
        """The paragraphs found for a question, and, where it has a context, for that."""
        vector, *in_context = self.vectors.of([asked] if context is None else [asked, context])
        self.timer.lap("encode")
        found = self.index.search(
            asked,
            self.k,
            documents=self.documents,
            context=context,
            vector=vector,
            context_vector=in_context[0] if in_context else None,
        )
        self.timer.lap("retrieve")
        hits, in_its = (
            sorted(hits, key=_says_nothing) for hits in (found.hits, found.context_hits)
        )
        return replace(found, hits=tuple(hits), context_hits=tuple(in_its))

    def read(
        self, asked: str, found: SearchResult, several: bool, reads: bool, depth: int = DEPTH
    ) -> RawEvidence:
        """What was found, and what reading it gives."""
        reader = self.reader if reads else None
        readings = read(reader, asked, found.hits, found.term_weights, several, self.known, depth)
        self.timer.lap("read")
        return RawEvidence(replace(found, context_hits=()), tuple(readings), several=several)


def _says_nothing(hit: Hit) -> bool:
    """Whether a paragraph only says where something stands, and comes behind all others."""
    return hit.paragraph.kind == "contents"


def is_read(hits: Sequence[Hit]) -> bool:
    """Whether the reading model has its say of what was found: the best of it is in Latin script.

    It learned from English, and yet it does better than nothing on Romanian (XQuAD, 300 questions:
    right .80 for .57; AUROC of the confidence, against questions whose paragraph was taken away,
    .83 for .74), where names, numbers and borrowed words are the same. Of other scripts it knows
    little more than letters.
    """
    return not hits or is_latin(hits[0].paragraph.text)

"""Runs a question set through the assistant."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from assistant import Answer, Assistant, Settings
from assistant.documents import read_all
from evals.datasets.gold import Gold, GoldFinder, Place
from evals.datasets.models import Question, QuestionSet
from evals.metrics.metrics import DEPTH
from evals.metrics.short_answers import normalised
from evals.running.journal import Journal
from evals.running.provenance import provenance
from evals.running.records import Cited, Found, Record
from index import Document, Hit, Index
from index.retriever import LEGS
from index.store.writer import Progress


@dataclass(frozen=True, slots=True)
class SetRun:
    """One set's records, and what they were made with.

    Attributes:
        questions: the set.
        sha256: of the questions, their gold, and the texts that they were asked of.
        records: one for each question that was asked, in the set's order.
        documents: those that were asked, by id.
        provenance: see `evals.running.provenance`.
        resumed: how many records are of an earlier, interrupted run.
    """

    questions: QuestionSet
    sha256: str
    records: tuple[Record, ...]
    documents: Mapping[str, Document]
    provenance: Mapping[str, Any]
    resumed: int


class _SomeLegs(Index):
    """An index that ranks by some of its legs."""

    def __init__(self, legs: Collection[str], settings: Settings) -> None:
        super().__init__(settings.index_dir, encoder=settings.encoder, wait=settings.wait)
        self._legs = legs

    def search(self, *arguments: Any, **named: Any) -> Any:
        """As `Index.search`, by these legs whatever is asked for."""
        return super().search(*arguments, **{**named, "legs": self._legs})


@contextmanager
def opened(
    questions: QuestionSet,
    sources: Sequence[Path],
    settings: Settings,
    progress: Progress | None = None,
    legs: Collection[str] = LEGS,
) -> Iterator[Assistant]:
    """Open the documents of a set: its own, those given, or the shipped one.

    A set that brings its documents has an index of its own, beside the user's.

    Raises:
        FootnoteError: as `Assistant.open`.
    """
    documents: Sequence[Document] = questions.documents
    if documents:
        own = settings.index_dir / "sets" / questions.name
        settings = settings.model_copy(update={"index_dir": own})
    else:
        documents = read_all(sources)
    index = _SomeLegs(legs, settings)
    try:
        index.sync(documents, progress)
        yield Assistant(index, [document.id for document in documents], settings)
    finally:
        index.close()


def run(
    questions: QuestionSet,
    sources: Sequence[Path],
    settings: Settings,
    *,
    k: int = DEPTH,
    limit: int | None = None,
    legs: Collection[str] = LEGS,
    indexing: Progress | None = None,
    asking: Callable[[int, int], None] = lambda _done, _total: None,
) -> SetRun:
    """Ask the questions of a set, going on where an interrupted run of the same was.

    Args:
        questions: the set.
        sources: documents, for a set without any; the shipped one when there are none.
        settings: of the assistant.
        k: how many paragraphs count as found; at least ten are looked at.
        limit: only so many of the first questions.
        legs: which legs of retrieval are used.
        indexing: called with (paragraphs done, paragraphs in all).
        asking: called with (questions done, questions in all).

    Raises:
        QuestionSetError: evidence is in none of the documents.
        FootnoteError: as `Assistant.open`.
    """
    with opened(questions, sources, settings, indexing, legs) as assistant:
        documents = {document.id: document for document in assistant.documents}
        finder = GoldFinder(questions, list(documents.values()))
        golds = {question.id: finder.find(question) for question in questions.questions}
        given = () if questions.documents else tuple(documents.values())
        sha256 = questions.sha256(given)
        made = provenance(assistant, k=k, legs=sorted(legs))
        asker = _Asker(assistant, questions.name, documents, finder, max(k, DEPTH))
        chosen = questions.questions[:limit]
        folder = settings.index_dir / "runs"
        with Journal(folder, {"set": sha256, "name": questions.name, **made}) as journal:
            before = {q.id for q in chosen} & journal.records.keys()
            asking(len(before), len(chosen))
            asker.warm_up(chosen)
            done = len(before)
            for question in chosen:
                if question.id not in before:
                    record = asker.ask(question, golds[question.id])
                    journal.add(record)
                    journal.records[question.id] = record
                    done += 1
                    asking(done, len(chosen))
            records = tuple(journal.records[question.id] for question in chosen)
    return SetRun(questions, sha256, records, documents, made, len(before))


class _Asker:
    """Asks questions of the documents of a set and records what comes of it."""

    def __init__(
        self,
        assistant: Assistant,
        name: str,
        documents: Mapping[str, Document],
        finder: GoldFinder,
        depth: int,
    ) -> None:
        self._assistant = assistant
        self._set = name
        self._documents = documents
        self._finder = finder
        self._depth = depth
        # Where a passage may have several paragraphs, more of them make up as many passages.
        paragraphs = max((len(d.paragraphs) for d in documents.values()), default=1)
        self._deeper = depth * (4 if finder.by_passage and paragraphs > 1 else 1)

    def warm_up(self, questions: Sequence[Question]) -> None:
        """Ask once without a record: the first answer pays for loading."""
        for question in questions[:1]:
            self._assistant.ask(question.question, question.history)

    def ask(self, question: Question, gold: Gold) -> Record:
        """The record of one question."""
        answer = self._assistant.ask(question.question, question.history)
        hits = self._assistant.search(question.question, self._deeper, question.history)
        forced = self._forced(question) if answer.refused else None
        return Record(
            set=self._set,
            id=question.id,
            question=question.question,
            kind=question.kind,
            turn=question.turn,
            answerable=question.answerable,
            answers=question.answers,
            understood=answer.standalone_question,
            gold=gold,
            retrieved=self._found(hits),
            refused=answer.refused,
            confidence=answer.confidence,
            text="" if answer.refused else answer.text,
            sentences=len(answer.sentences),
            in_answer=self._in_answer(answer, gold),
            citations=_cited(answer, self._documents),
            forced=forced,
            timings_ms={stage: round(ms, 3) for stage, ms in answer.timings_ms.items()},
        )

    def _found(self, hits: Sequence[Hit]) -> tuple[Found, ...]:
        """The best paragraph of each unit, at most `depth` of them."""
        best: dict[str, Found] = {}
        for hit in hits:
            own = hit.paragraph
            place = Place(own.document_id, own.start, own.end)
            unit = self._finder.unit(own)
            best.setdefault(unit, Found(unit, place, round(hit.score, 6)))
        return tuple(best.values())[: self._depth]

    def _forced(self, question: Question) -> tuple[Place, ...]:
        """What a refused question is answered with where nothing is refused."""
        assistant = self._assistant
        settings = assistant.settings
        assistant.settings = settings.model_copy(update={"threshold": 0.0})
        try:
            answer = assistant.ask(question.question, question.history)
        finally:
            assistant.settings = settings
        return tuple(cited.place for cited in _cited(answer, self._documents))

    def _in_answer(self, answer: Answer, gold: Gold) -> tuple[bool, ...]:
        if not gold.sentences:
            return ()
        text = "" if answer.refused else f" {normalised(answer.text)} "
        return tuple(
            any(
                f" {normalised(sentence)} " in text
                for place in item
                for sentence in self._sentences(place)
            )
            for item in gold.evidence
        )

    def _sentences(self, place: Place) -> Iterator[str]:
        for paragraph in self._documents[place.document].paragraphs:
            if paragraph.start < place.end and place.start < paragraph.end:
                for sentence in paragraph.sentences:
                    if Place(place.document, sentence.start, sentence.end).overlaps(place):
                        yield sentence.text


def _cited(answer: Answer, documents: Mapping[str, Document]) -> tuple[Cited, ...]:
    found = []
    for citation in answer.citations:
        identity = citation.paragraph.document_id
        try:
            citation.check(documents[identity])
        except (AssertionError, KeyError):
            valid = False
        else:
            valid = True
        found.append(Cited(Place(identity, citation.start, citation.end), valid))
    return tuple(found)


def limited(questions: QuestionSet, limit: int | None) -> QuestionSet:
    """At most so many questions, spread over the set."""
    step = max(1, len(questions.questions) // limit) if limit else 1
    return replace(questions, questions=questions.questions[::step])

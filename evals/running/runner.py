"""Runs a question set through whatever answers it: the assistant here, or another `System`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from assistant import Answer, Assistant, Citation, Settings
from assistant.documents import read_all
from assistant.settings import WITHOUT_SERVER
from evals.datasets.gold import Gold, GoldFinder, TextSpan, is_asked_of
from evals.datasets.models import History, Question, QuestionSet, asked_with
from evals.running.coverage import record_of
from evals.running.journal import Journal, OnWait, do_at_once
from evals.running.provenance import provenance
from evals.running.records import DEPTH, Cited, Proof, Record, best_of_units
from index import Document
from index.errors import QuestionSetError
from index.store.writer import Progress

#: Paragraphs looked at for each passage that is sought, where passages have several. Not tuned.
PER_PASSAGE = 4

#: Called with how many questions, or paragraphs, are done and how many there are in all.
Step = Callable[[int, int], None]
#: Given a set's name, opens its two bars of progress, of indexing and of asking.
Bars = Callable[[str], AbstractContextManager[tuple[Step, Step]]]


class System(ABC):
    """What answers the questions of a set.

    Args:
        questions: the set, without what it cannot be asked.
        documents: those that are asked.
        made: all that the records depend on but the set, as plain values.
        warm_up: whether the first question is asked once more than it is recorded.
    """

    def __init__(
        self,
        questions: QuestionSet,
        documents: Sequence[Document],
        made: Mapping[str, Any],
        warm_up: bool = False,
    ) -> None:
        self.questions, self.made, self.warm_up = questions, made, warm_up
        #: Of the set's gold in the documents.
        self.finder = GoldFinder(questions, documents)

    @abstractmethod
    def ask(self, question: Question, gold: Gold) -> Record:
        """Ask a question and record the outcome; called from any thread."""


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
        journal: where they were kept meanwhile; still there where that was asked for.
    """

    questions: QuestionSet
    sha256: str
    records: tuple[Record, ...]
    documents: Mapping[str, Document]
    provenance: Mapping[str, Any]
    resumed: int
    journal: Path


def run_set(
    system: System,
    folder: Path,
    *,
    limit: int | None = None,
    at_once: int = 1,
    asking: Step = lambda _done, _total: None,
    on_wait: OnWait = lambda _begun: None,
    leave_journal: bool = False,
) -> SetRun:
    """Ask the questions of a set, going on where an interrupted run of the same was.

    Args:
        system: is asked.
        folder: what was asked so far is kept in it.
        limit: ask only this many of the first questions.
        at_once: how many questions are asked at the same time.
        asking: called with (questions done, questions in all).
        on_wait: see `do_at_once`.
        leave_journal: see `Journal`; whoever asks for it takes it away.

    Raises:
        QuestionSetError: evidence is in none of the documents.
    """
    questions, finder = system.questions, system.finder
    golds = {question.id: finder.find(question) for question in questions.questions}
    beside = () if questions.documents else tuple(finder.documents.values())
    sha256 = questions.sha256(beside)
    chosen = questions.questions[:limit]
    depends = {"set": sha256, "name": questions.name, **system.made}
    with Journal(folder / "runs", depends, leave_journal) as journal:
        before = {q.id for q in chosen} & journal.records.keys()
        asking(len(before), len(chosen))
        left = [question for question in chosen if question.id not in before]
        for question in left[:1] if system.warm_up else ():
            system.ask(question, golds[question.id])

        def keep(record: Record) -> None:
            journal.add(record)
            asking(len({q.id for q in chosen} & journal.records.keys()), len(chosen))

        do_at_once(left, lambda q: system.ask(q, golds[q.id]), keep, at_once, on_wait)
        records = tuple(journal.records[question.id] for question in chosen)
    return SetRun(
        questions, sha256, records, finder.documents, system.made, len(before), journal.file
    )


# --- the assistant ------------------------------------------------------------------------------


@contextmanager
def open_set(
    questions: QuestionSet,
    sources: Sequence[Path],
    settings: Settings,
    progress: Progress | None = None,
) -> Iterator[Assistant]:
    """Open the documents of a set: its own, those given, or the shipped one.

    A set that brings its documents has an index of its own, in a folder beside the user's.

    Args:
        questions: the set.
        sources: files and folders to ask, where the set has no documents.
        settings: of the assistant.
        progress: called while indexing with (paragraphs done, paragraphs in all).

    Raises:
        FootnoteError: as `Assistant.open`.
    """
    documents: Sequence[Document] = questions.documents
    if documents:
        place = settings.index_dir / "sets" / questions.name
        settings = settings.model_copy(update={"index_dir": place, **WITHOUT_SERVER})
    else:
        documents = read_all(sources)
    with closing(settings.open_index()) as index:
        index.sync(documents, progress)
        yield Assistant(index, [document.id for document in documents], settings)


class AssistantSystem(System):
    """The assistant. Where a language model is set nothing is asked but the questions: none to load
    what answers, and none a second time for the answer that was not given.

    Args:
        assistant: with the set's documents open.
        questions: the set.
        k: how many paragraphs count as found; at least ten are looked at.
        history: how follow-ups are asked.
    """

    def __init__(
        self,
        assistant: Assistant,
        questions: QuestionSet,
        k: int = DEPTH,
        history: History = "kept",
    ) -> None:
        documents = assistant.documents
        questions = with_documents(questions, documents)
        self._assistant, self._history = assistant, history
        self._writes = assistant.writer_name is not None
        made = provenance(assistant, k=k, history=history)
        # Without a record: the first answer pays for loading.
        super().__init__(questions, documents, made, warm_up=not self._writes)
        self._depth = max(k, DEPTH)
        # Where a passage may have several paragraphs, more of them make up as many passages.
        paragraphs = max((len(document.paragraphs) for document in documents), default=1)
        several = self.finder.by_passage and paragraphs > 1
        self._deeper = self._depth * (PER_PASSAGE if several else 1)

    def ask(self, question: Question, gold: Gold) -> Record:
        """The record of one question."""
        on = assistant_for(self._assistant, self.finder, question)
        text, history = asked_with(question, self._history)
        answer = on.ask(text, history)
        hits = on.search(text, self._deeper, history)
        forced = None
        if not (answer.answered or self._writes):
            every = on.ask(text, history, answer_from=0.0)
            forced = tuple(TextSpan(c.document, c.start, c.end) for c in self._cited(every))
        return record_of(
            question,
            gold,
            self.finder,
            status=answer.status,
            sentences=[sentence.text for sentence in answer.sentences],
            proofs=[
                Proof(sentence.verdict, tuple(marker - 1 for marker in sentence.markers))
                for sentence in answer.sentences
            ],
            cited=self._cited(answer),
            understood=answer.standalone_question,
            retrieved=best_of_units(hits, self.finder.unit, self._depth),
            confidence=answer.confidence,
            strict=self._writes,
            writing=answer.writing,
            dropped=answer.dropped,
            unanswered=answer.unanswered,
            note=answer.note,
            forced=forced,
            passages=tuple(
                TextSpan.of(cited.paragraph) for cited in answer.passages if not answer.refused
            ),
            answer_kind=answer.kind,
            timings_ms={stage: round(ms, 3) for stage, ms in answer.timings_ms.items()},
        )

    def _cited(self, answer: Answer) -> tuple[Cited, ...]:
        return tuple(
            Cited(c.paragraph.document_id, c.start, c.end, self._fits(c), c.quote)
            for c in answer.citations
        )

    def _fits(self, citation: Citation) -> bool:
        try:
            citation.check(self.finder.documents[citation.paragraph.document_id])
        except (AssertionError, KeyError):
            return False
        return True


def assistant_for(assistant: Assistant, finder: GoldFinder, question: Question) -> Assistant:
    """The assistant, on the documents that a question is asked of."""
    if not question.document:
        return assistant
    return assistant.for_documents([document.id for document in finder.asked_of(question)])


# --- parts of sets ------------------------------------------------------------------------------


def with_documents(questions: QuestionSet, documents: Sequence[Document]) -> QuestionSet:
    """The set without the questions that are asked of a document that is not given; a note tells of
    them.

    Raises:
        QuestionSetError: that leaves none.
    """
    asked = [q for q in questions.questions if any(is_asked_of(q, d) for d in documents)]
    known = {question.id for question in asked}
    missing = [q.document for q in questions.questions if q.id not in known]
    if not missing:
        return questions
    names = ", ".join(dict.fromkeys(missing))
    note = f"{len(missing)} questions are left out: give --source with {names}."
    if not asked:
        raise QuestionSetError(f"{questions.name}: {note}")
    return replace(questions, questions=tuple(asked), notes=(*questions.notes, note))


def limited(questions: QuestionSet, limit: int | None) -> QuestionSet:
    """The set with at most `limit` questions, spread evenly over it."""
    step = max(1, -(-len(questions.questions) // limit)) if limit else 1
    return replace(questions, questions=questions.questions[::step])

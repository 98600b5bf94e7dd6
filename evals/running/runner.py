"""Runs a question set through the assistant."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from assistant import Answer, Assistant, Citation, Settings
from assistant.documents import read_all
from assistant.settings import WITHOUT_SERVER
from evals.datasets.gold import Gold, GoldFinder, TextSpan, is_asked_of
from evals.datasets.models import Question, QuestionSet
from evals.running.at_once import OnWait, do_at_once
from evals.running.coverage import record_of
from evals.running.history import History, asked_with
from evals.running.journal import Journal
from evals.running.provenance import provenance
from evals.running.records import DEPTH, Cited, Proof, Record, best_of_units
from index import Document
from index.errors import QuestionSetError
from index.retriever import LEGS
from index.store.writer import Progress

#: Paragraphs looked at for each passage that is sought, where passages have several. Not tuned.
PER_PASSAGE = 4

#: Called with how many questions, or paragraphs, are done and how many there are in all.
Step = Callable[[int, int], None]
#: Given a set's name, opens its two bars of progress, of indexing and of asking.
Bars = Callable[[str], AbstractContextManager[tuple[Step, Step]]]


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
        own = settings.index_dir / "sets" / questions.name
        settings = settings.model_copy(update={"index_dir": own, **WITHOUT_SERVER})
    else:
        documents = read_all(sources)
    with closing(settings.open_index()) as index:
        index.sync(documents, progress)
        yield Assistant(index, [document.id for document in documents], settings)


def ask_set(
    assistant: Assistant,
    questions: QuestionSet,
    folder: Path,
    *,
    k: int = DEPTH,
    limit: int | None = None,
    legs: Collection[str] = LEGS,
    history: History = "kept",
    at_once: int = 1,
    asking: Step = lambda _done, _total: None,
    on_wait: OnWait = lambda _begun: None,
    leave_journal: bool = False,
) -> SetRun:
    """Ask the questions of a set, going on where an interrupted run of the same was.

    Where a language model is set nothing is asked but the questions: none to load what answers, and
    none a second time for the answer that was not given.

    Args:
        assistant: with the set's documents open.
        questions: the set.
        folder: where the index is kept; what was asked so far is kept beside it.
        k: how many paragraphs count as found; at least ten are looked at.
        limit: only so many of the first questions.
        legs: which legs of retrieval are used.
        history: how follow-ups are asked.
        at_once: how many questions are asked at the same time.
        asking: called with (questions done, questions in all).
        on_wait: see `do_at_once`.
        leave_journal: see `Journal`; whoever asks for it takes it away.

    Raises:
        QuestionSetError: evidence is in none of the documents.
    """
    questions = with_documents(questions, assistant.documents)
    finder = GoldFinder(questions, assistant.documents)
    made = provenance(assistant, k=k, legs=sorted(legs), history=history)
    asker = _Asker(assistant, finder, max(k, DEPTH), legs, history)
    writes = assistant.writer_name is not None
    return record_set(
        questions,
        finder,
        asker.ask,
        made,
        folder,
        limit=limit,
        at_once=at_once,
        asking=asking,
        on_wait=on_wait,
        leave_journal=leave_journal,
        # Without a record: the first answer pays for loading.
        warm_up=not writes,
    )


def record_set(
    questions: QuestionSet,
    finder: GoldFinder,
    ask: Callable[[Question, Gold], Record],
    made: Mapping[str, Any],
    folder: Path,
    *,
    limit: int | None = None,
    at_once: int = 1,
    asking: Step = lambda _done, _total: None,
    on_wait: OnWait = lambda _begun: None,
    leave_journal: bool = False,
    warm_up: bool = False,
) -> SetRun:
    """Have a record made of each question of a set, going on where an interrupted run of the same
    was.

    Args:
        questions: the set.
        finder: of its gold in the documents that are asked.
        ask: makes the record of a question with its gold.
        made: all that the records depend on but the set, as plain values.
        folder: what was asked so far is kept in it.
        limit, at_once, asking, on_wait, leave_journal: see `ask_set`.
        warm_up: whether the first question is asked once more than it is recorded.

    Raises:
        QuestionSetError: evidence is in none of the documents.
    """
    golds = {question.id: finder.find(question) for question in questions.questions}
    beside = () if questions.documents else tuple(finder.documents.values())
    sha256 = questions.sha256(beside)
    chosen = questions.questions[:limit]
    depends = {"set": sha256, "name": questions.name, **made}
    with Journal(folder / "runs", depends, leave_journal) as journal:
        before = {q.id for q in chosen} & journal.records.keys()
        asking(len(before), len(chosen))
        left = [question for question in chosen if question.id not in before]
        for question in left[:1] if warm_up else ():
            ask(question, golds[question.id])

        def keep(record: Record) -> None:
            journal.add(record)
            asking(len({q.id for q in chosen} & journal.records.keys()), len(chosen))

        do_at_once(left, lambda own: ask(own, golds[own.id]), keep, at_once, on_wait)
        records = tuple(journal.records[question.id] for question in chosen)
    return SetRun(questions, sha256, records, finder.documents, made, len(before), journal.file)


class _Asker:
    """Asks questions of the documents of a set and records what comes of it.

    Args:
        assistant: on those documents.
        finder: of the set's gold in them.
        depth: how many units are kept of what was retrieved.
        legs: which legs of retrieval are used.
        history: how follow-ups are asked.
    """

    def __init__(
        self,
        assistant: Assistant,
        finder: GoldFinder,
        depth: int,
        legs: Collection[str],
        history: History,
    ) -> None:
        self._assistant, self._finder = assistant, finder
        self._depth, self._legs, self._history = depth, legs, history
        self._writes = assistant.writer_name is not None
        # Where a passage may have several paragraphs, more of them make up as many passages.
        paragraphs = max((len(d.paragraphs) for d in finder.documents.values()), default=1)
        self._deeper = depth * (PER_PASSAGE if finder.by_passage and paragraphs > 1 else 1)

    def ask(self, question: Question, gold: Gold) -> Record:
        """The record of one question."""
        answer = self._answer(question)
        text, history = asked_with(question, self._history)
        hits = self._on(question).search(text, self._deeper, history, legs=self._legs)
        forced = None
        if not (answer.answered or self._writes):
            forced = tuple(
                TextSpan(cited.document, cited.start, cited.end)
                for cited in self._cited(self._answer(question, answer_from=0.0))
            )
        cited = self._cited(answer)
        record = record_of(
            question,
            gold,
            self._finder,
            status=answer.status,
            sentences=[sentence.text for sentence in answer.sentences],
            proofs=[
                Proof(own.verdict, tuple(marker - 1 for marker in own.markers))
                for own in answer.sentences
            ],
            cited=cited,
        )
        return replace(
            record,
            understood=answer.standalone_question,
            retrieved=best_of_units(hits, self._finder.unit, self._depth),
            confidence=answer.confidence,
            strict=self._writes,
            writing=answer.writing,
            dropped=answer.dropped,
            unanswered=answer.unanswered,
            note=answer.note,
            forced=forced,
            passages=tuple(
                TextSpan(own.document_id, own.start, own.end)
                for own in (cited.paragraph for cited in answer.passages)
                if not answer.refused
            ),
            answer_kind=answer.kind,
            timings_ms={stage: round(ms, 3) for stage, ms in answer.timings_ms.items()},
        )

    def _answer(self, question: Question, answer_from: float | None = None) -> Answer:
        text, history = asked_with(question, self._history)
        return self._on(question).ask(text, history, answer_from=answer_from, legs=self._legs)

    def _on(self, question: Question) -> Assistant:
        return assistant_for(self._assistant, self._finder, question)

    def _cited(self, answer: Answer) -> tuple[Cited, ...]:
        return tuple(
            Cited(own.paragraph.document_id, own.start, own.end, self._fits(own), own.quote)
            for own in answer.citations
        )

    def _fits(self, citation: Citation) -> bool:
        try:
            citation.check(self._finder.documents[citation.paragraph.document_id])
        except (AssertionError, KeyError):
            return False
        return True


def assistant_for(assistant: Assistant, finder: GoldFinder, question: Question) -> Assistant:
    """The assistant, on the documents that a question is asked of."""
    if not question.document:
        return assistant
    return assistant.over([document.id for document in finder.asked_of(question)])


def with_documents(questions: QuestionSet, documents: Sequence[Document]) -> QuestionSet:
    """The set without the questions that are asked of a document that is not given; a note tells of
    them.

    Raises:
        QuestionSetError: that leaves none.
    """
    asked = [q for q in questions.questions if any(is_asked_of(q, own) for own in documents)]
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
    """At most so many questions, spread over the set."""
    step = max(1, -(-len(questions.questions) // limit)) if limit else 1
    return replace(questions, questions=questions.questions[::step])

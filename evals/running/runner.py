"""Runs a question set through what answers it: the assistant here, or another `System`."""

from __future__ import annotations

import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from threading import Lock
from typing import Any

from pydantic import ValidationError

from assistant import Answer, Assistant, Citation, Settings
from assistant.documents import read_all
from assistant.settings import WITHOUT_SERVER
from evals.datasets.gold import Gold, GoldFinder, TextSpan, is_asked_of
from evals.datasets.models import Question, QuestionSet
from evals.running.provenance import provenance
from evals.running.records import (
    DEPTH,
    RECORD,
    Cited,
    Proof,
    Record,
    best_of_units,
    of_question,
)
from index import Document
from index.errors import QuestionSetError, UnreadableError
from index.store.writer import Progress

#: Paragraphs looked at for each passage that is sought, if passages have several. Not tuned.
PER_PASSAGE = 4

#: Called with the number of questions, or paragraphs, that are done, and of all.
Step = Callable[[int, int], None]


class System(ABC):
    """What answers the questions of a set.

    Args:
        questions: the set, without questions that cannot be asked.
        documents: the documents that are asked.
        made: all that the records depend on but the set, as plain values.
    """

    def __init__(
        self, questions: QuestionSet, documents: Sequence[Document], made: Mapping[str, Any]
    ) -> None:
        self.questions, self.made = questions, made
        #: Finds the set's gold in the documents.
        self.finder = GoldFinder(questions, documents)

    @abstractmethod
    def ask(self, question: Question, gold: Gold) -> Record:
        """Ask a question and record the outcome; called from any thread."""

    def record(self, question: Question, gold: Gold, **outcome: Any) -> Record:
        """Return the record of a question with its outcome."""
        evidence = tuple(self.finder.text(item[0]) for item in gold.evidence if item)
        fields = {**of_question(question), "gold": gold, "evidence": evidence, **outcome}
        return Record(set=self.finder.name, **fields)


@dataclass(frozen=True, slots=True)
class SetRun:
    """The records of one set, and what they were made with.

    Attributes:
        questions: the set.
        sha256: a hash of the questions, their gold, and the texts that they were asked of.
        records: one for each question that was asked, in the set's order.
        documents: the documents that were asked, by id.
        provenance: see `evals.running.provenance`.
        resumed: the number of records that are of an earlier, interrupted run.
    """

    questions: QuestionSet
    sha256: str
    records: tuple[Record, ...]
    documents: Mapping[str, Document]
    provenance: Mapping[str, Any]
    resumed: int


def run_set(
    system: System,
    folder: Path,
    *,
    limit: int | None = None,
    at_once: int = 1,
    asking: Step = lambda _done, _total: None,
    on_wait: Callable[[int], None] = lambda _begun: None,
) -> SetRun:
    """Ask the questions of a set, going on where an interrupted run of the same set was.

    Args:
        system: the system that is asked.
        folder: the place of the journal.
        limit: the number of questions, the first ones; all by default.
        at_once: the number of questions that are asked at the same time.
        asking: called with (questions done, questions in all).
        on_wait: called with the number of answers that an interrupted run waits for.

    Raises:
        QuestionSetError: evidence is in none of the documents.
    """
    questions, finder = system.questions, system.finder
    golds = {question.id: finder.find(question) for question in questions.questions}
    sha256 = questions.sha256(finder.documents.values())
    chosen = questions.questions[:limit]
    lock = Lock()
    depends = {"set": sha256, "name": questions.name, **system.made}
    with _journal(folder / "runs", depends) as (records, write):
        left = [question for question in chosen if question.id not in records]
        before = len(chosen) - len(left)
        done = count(before)
        asking(next(done), len(chosen))

        def ask(question: Question) -> None:
            record = system.ask(question, golds[question.id])
            with lock:
                write(record)
                asking(next(done), len(chosen))

        if at_once == 1:  # in this thread, so that an interrupt does not wait for the answer
            for question in left:
                ask(question)
        else:
            _ask_at_once(ask, left, at_once, on_wait)
    of_set = tuple(records[question.id] for question in chosen)
    return SetRun(questions, sha256, of_set, finder.documents, system.made, before)


@contextmanager
def _journal(
    folder: Path, depends: Mapping[str, Any]
) -> Iterator[tuple[dict[str, Record], Callable[[Record], None]]]:
    """Keep the records of a run until it ends, one JSON line each, in a file named by a hash of all
    that they depend on. Yields the records by the question's id, those of an interrupted run first,
    and what adds one."""
    key = hashlib.sha256(json.dumps(depends, sort_keys=True).encode()).hexdigest()[:20]
    file = folder / f"{key}.jsonl"
    records = {}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        stream = file.open("a+", encoding="utf-8")
    except OSError as error:
        raise UnreadableError(
            f"The run cannot be kept in {folder} ({error.strerror}). Choose another --index-dir."
        ) from error
    with stream:
        stream.seek(0)
        for line in stream:
            with suppress(ValidationError):  # half a line of a killed run: it is asked again
                record = RECORD.validate_json(line)
                records[record.id] = record

        def write(record: Record) -> None:
            records[record.id] = record
            # A line break first: it ends the half line that a killed run may have left.
            stream.write(f"\n{RECORD.dump_json(record).decode()}\n")
            stream.flush()

        yield records, write
    file.unlink(missing_ok=True)


def _ask_at_once(
    ask: Callable[[Question], None],
    questions: Sequence[Question],
    at_once: int,
    on_wait: Callable[[int], None],
) -> None:
    """Ask several questions at the same time. After an interrupt or an error no other is begun;
    answers that are on their way are waited for, because they may have cost much."""
    with ThreadPoolExecutor(at_once) as pool:
        futures = [pool.submit(ask, question) for question in questions]
        try:
            for future in as_completed(futures):
                future.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            if begun := sum(future.running() for future in futures):
                on_wait(begun)
            raise


# --- the assistant ------------------------------------------------------------------------------


@contextmanager
def open_set(
    questions: QuestionSet,
    sources: Sequence[Path],
    settings: Settings,
    progress: Progress | None = None,
) -> Iterator[Assistant]:
    """Open the documents of a set: its own, those given, or the shipped one.

    A set that brings its documents has an index of its own, in a folder next to the user's.

    Args:
        questions: the set.
        sources: files and folders to ask, if the set has no documents.
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
    """The assistant. If a language model is set, it is not asked a second time for an answer that
    was not given.

    Args:
        assistant: an assistant with the set's documents open.
        questions: the set.
    """

    def __init__(self, assistant: Assistant, questions: QuestionSet) -> None:
        documents = assistant.documents
        questions = with_documents(questions, documents)
        self._assistant = assistant
        self._writes = assistant.writer_name is not None
        super().__init__(questions, documents, provenance(assistant))
        # If a passage may have several paragraphs, more of them make up as many passages.
        paragraphs = max((len(document.paragraphs) for document in documents), default=1)
        several = self.finder.by_passage and paragraphs > 1
        self._paragraphs = DEPTH * (PER_PASSAGE if several else 1)

    def ask(self, question: Question, gold: Gold) -> Record:
        """Ask a question and record the outcome."""
        on = assistant_for(self._assistant, self.finder, question)
        answer = on.ask(question.question, question.history)
        hits = on.search(question.question, self._paragraphs, question.history)
        forced = None
        if not (answer.answered or self._writes):
            every = on.ask(question.question, question.history, answer_from=0.0)
            forced = tuple(TextSpan(c.document, c.start, c.end) for c in self._cited(every))
        return self.record(
            question,
            gold,
            understood=answer.standalone_question,
            retrieved=best_of_units(hits, self.finder.unit, DEPTH),
            status=answer.status,
            confidence=answer.confidence,
            sentences=tuple(sentence.text for sentence in answer.sentences),
            citations=self._cited(answer),
            forced=forced,
            strict=self._writes,
            proofs=tuple(
                Proof(sentence.verdict, tuple(marker - 1 for marker in sentence.markers))
                for sentence in answer.sentences
            ),
            writing=answer.writing,
            dropped=answer.dropped,
            unanswered=answer.unanswered,
            note=answer.note,
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
    """Return the assistant, on the documents that a question is asked of."""
    if not question.document:
        return assistant
    return assistant.for_documents([document.id for document in finder.asked_of(question)])


# --- parts of sets ------------------------------------------------------------------------------


def with_documents(questions: QuestionSet, documents: Sequence[Document]) -> QuestionSet:
    """Return the set without questions that are asked of a document that is not given; a note
    counts them.

    Raises:
        QuestionSetError: no question is left.
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

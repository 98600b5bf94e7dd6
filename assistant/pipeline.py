"""The way of a question, from what was understood of it to the answer. Read `AnswerPipeline.answer`
first: each of its steps has a module of its own.

    understand                  query.question
    search, read                retrieval.retriever, retrieval.evidence
    decide                      answering.decision
    quote                       answering.quoting, answering.arranging
    or write, and prove that    answering.writing, answering.proving, verification
    cite                        answering.builder

However long an answer takes, everything of it is of one revision of the index.
"""

from __future__ import annotations

from collections.abc import Collection, Generator, Iterator, Sequence
from functools import cached_property
from typing import TypedDict, Unpack

from assistant.answer import Citation, MorePassages
from assistant.answering.builder import AnswerBuilder, Citer
from assistant.answering.decision import (
    Decision,
    decide,
    decide_written,
    display_filter,
    reply,
)
from assistant.answering.overview import (
    MAX_PARAGRAPHS,
    Overview,
    overview_asked_for,
    overview_of,
    said_in,
)
from assistant.answering.quoting import CLOSEST, PASSAGES, quote, top_passages
from assistant.answering.writing import AnswerWriter
from assistant.calibration import Calibration, Thresholds, load_calibration
from assistant.documents import DocumentSet
from assistant.events import Decided, Done, Event, SourcesFound, Timer
from assistant.llm.writer import Writer
from assistant.query.question import Question
from assistant.retrieval.evidence import Evidence
from assistant.retrieval.reading_model import NONE, load_reader
from assistant.retrieval.retriever import Retriever
from assistant.settings import Settings
from assistant.verification.checker import shipped_checker
from assistant.verification.verification import Verification
from assistant.verification.verifier import Verifier
from index import Paragraph, View
from index.chunking.sentences import sentence_spans


class Options(TypedDict, total=False):
    """How a question is asked.

    Attributes:
        refuse_below: the least probability that the documents answer with which it is not refused.
        answer_from: the least confidence with which it is answered; 0 answers all for which there
            is a sentence. Those of the settings when left out; one that is given alone takes the
            other along where it passes it.
        section: the heading of the part of a document that it is about: an overview that names
            nothing itself is of that.
    """

    refuse_below: float | None
    answer_from: float | None
    section: str


class ModelSet:
    """The models that read and verify, and the numbers that decide, whatever the documents.

    Args:
        settings: which, and their limits.

    Raises:
        ReaderError: the reading model cannot be loaded.
        SettingsError: the calibration is none.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.reader = load_reader(settings.reader)
        self.fingerprint = self.reader.fingerprint if self.reader else NONE
        self._read = load_calibration(self.fingerprint, settings.calibration)
        self._unread = load_calibration(NONE, settings.calibration)

    def calibration(self, read: bool = True) -> Calibration:
        """The numbers that decide, where the reading model has its say and where it has not."""
        return self._read if read else self._unread

    def thresholds(
        self,
        refuse_below: float | None = None,
        answer_from: float | None = None,
        read: bool = True,
    ) -> Thresholds:
        """The thresholds of that, as the settings and then these have them.

        Raises:
            SettingsError: they are not in order.
        """
        fitted = self.calibration(read).thresholds
        fitted = fitted.adjusted(self.settings.refuse_below, self.settings.answer_from)
        return fitted.adjusted(refuse_below, answer_from)


class AnswerPipeline:
    """Answers questions about documents at one revision.

    Args:
        view: the index as it is then.
        documents: ids of those that are asked.
        models: what reads and decides.
        writer: writes the answers, where a language model is set.
    """

    def __init__(
        self, view: View, documents: Sequence[str], models: ModelSet, writer: Writer
    ) -> None:
        self.view = view
        self.documents = DocumentSet(view, documents)
        self._models = models
        self._citer = Citer(view)
        self.retriever = self._retriever_of(documents)
        self._writer = AnswerWriter(
            writer, models.settings, view, self.retriever, lambda: self.verifier, self._citer
        )

    # --- a question --------------------------------------------------------------------------

    def answer(
        self, question: Question, timer: Timer, **options: Unpack[Options]
    ) -> Iterator[Event]:
        """The events of an answer; see `Assistant.stream`.

        Args:
            question: as it was understood.
            timer: of what has been done for it, and is done here.
            options: how it is asked.
        """
        builder = AnswerBuilder(self._citer)
        if question.kind == "courtesy":
            yield SourcesFound(question.standalone, ())
            yield from self._finish(question, reply("courtesy"), builder, timer)
            return
        if question.kind == "overview" and (
            overview := overview_asked_for(question, self.documents)
        ):
            yield from self._overview(question, overview, builder, timer)
            return
        writes = self._writer.writer.is_set and question.kind != "source"
        if writes and (yield from self._write(question, builder, timer)):
            return
        evidence = self._read(question, timer)
        decision = self._decide(question, evidence, options)
        searched = decision.kind != "chat" and decision.fits
        closest = self._citer.closest(top_passages(evidence, CLOSEST)) if searched else ()
        if builder.writing is None or not builder.writing.passages:  # it told what it read
            yield SourcesFound(question.standalone, closest)
        yield from self._finish(
            question, decision, builder, timer, closest, evidence if searched else None
        )

    def _read(self, question: Question, timer: Timer) -> Evidence:
        """Search for what is asked and read what is found; what was said last is found in the
        documents that say it."""
        retriever = self.retriever
        if question.again and self.documents.size <= MAX_PARAGRAPHS:
            retriever = self._retriever_of([d.id for d in said_in(question, self.documents)])
        evidence = retriever.search(question, timer)
        return evidence.scored(self._models.calibration(evidence.read).sentence)

    def _decide(self, question: Question, evidence: Evidence, options: Options) -> Decision:
        given = options.get("refuse_below"), options.get("answer_from")
        return decide(
            question,
            evidence,
            self._models.calibration(evidence.read),
            self._models.thresholds(*given, evidence.read),
            self._models.settings.max_sentences,
            self.documents,
        )

    def _write(
        self, question: Question, builder: AnswerBuilder, timer: Timer
    ) -> Generator[Event, None, bool]:
        """The events of an answer that a language model writes from what it reads.

        Returns:
            Whether it is one. If not, nothing was decided, and `builder` has what is to be told.
        """
        came, closest = yield from self._writer.answer(question, builder, timer)
        decision = decide_written(came, "list" if question.kind == "list" else "fact")
        if decision is None:
            return False
        near = closest if decision.status == "refused" else ()
        yield from self._finish(question, decision, builder, timer, near)
        return True

    def _overview(
        self, question: Question, overview: Overview, builder: AnswerBuilder, timer: Timer
    ) -> Iterator[Event]:
        """The events of an overview: a language model's, of whole sections, where there is one;
        else sentences that were chosen to stand for the rest."""
        yield SourcesFound(question.standalone, ())
        confidence: float | None = 1.0
        if self._writer.writer.is_set:
            came = yield from self._writer.overview(question, overview, builder, timer)
            confidence = None if came == "written" else 1.0
        quotations = () if builder.sentences else tuple(quote(overview.chosen))
        decision = Decision("answered", confidence, kind="overview", quotations=quotations)
        yield from self._finish(question, decision, builder, timer)

    def _finish(
        self,
        question: Question,
        decision: Decision,
        builder: AnswerBuilder,
        timer: Timer,
        closest: tuple[Citation, ...] = (),
        evidence: Evidence | None = None,
    ) -> Iterator[Event]:
        """The last events of an answer: what was decided, what is quoted, the whole.

        Args:
            question, decision, builder, timer: of the answer.
            closest: the closest passages, where it is refused.
            evidence: that it was decided on, if any was: its next passages stand below an answer.
        """
        if not builder.sentences:  # what is written tells of it with the first of them
            yield Decided(decision.status, decision.confidence, decision.kind)
        yield from builder.quote(decision.quotations)
        yield from builder.say(decision.replies)
        builder.note = " ".join(filter(None, (builder.note, decision.note))) or None
        timer.lap("answer")
        context = ""
        if evidence and decision.status != "refused":
            answered, shown = decision.status == "answered", decision.quotations
            closest = self._citer.closest(
                top_passages(evidence, PASSAGES, shown, display_filter(question))
                if answered
                else ()
            )
            context = question.before if evidence.in_context else ""
        yield Done(builder.answer(question, decision, closest, timer.laps, context))

    def _retriever_of(self, documents: Sequence[str]) -> Retriever:
        ranking = self._models.calibration().ranking
        return Retriever(self.view, documents, self._models.reader, ranking)

    # --- what else is asked ------------------------------------------------------------------

    def overview(self, question: Question, whole: bool) -> Iterator[Event]:
        """The events of an overview of everything, or else of the part that the question names; see
        `Assistant.stream_overview`."""
        timer = Timer()
        overview = overview_of(question, self.documents, whole)
        yield from self._overview(question, overview, AnswerBuilder(self._citer), timer)

    def more_passages(
        self, question: Question, shown: Collection[tuple[str, int]], words: Sequence[str] | None
    ) -> MorePassages:
        """See `Assistant.more_passages`.

        Args:
            question, shown: as it has them.
            words: other words for it, beside those of the documents; None for its own alone.
        """
        searches: list[str] = []
        if words is not None:
            searches = [*words, *self.retriever.other_searches(question)[len(words) :]]

        def is_shown(paragraph: Paragraph) -> bool:
            here = paragraph.document_id
            return any(here == of and paragraph.start <= at < paragraph.end for of, at in shown)

        evidence = self.retriever.find_more(question, searches, is_shown)
        evidence = evidence.scored(self._models.calibration(evidence.read).sentence)
        found = self._citer.closest(top_passages(evidence, PASSAGES))
        return MorePassages(tuple(searches), found)

    def verify(self, text: str, question: str | None) -> Verification:
        """See `Assistant.verify`."""
        builder = AnswerBuilder(self._citer)
        for start, end in sentence_spans(text, 0, len(text)):
            sentence = " ".join(text[start:end].split())
            list(builder.judged(sentence, self.verifier.judge(sentence, question), keep=True))
        return Verification(tuple(builder.sentences), tuple(builder.citations))

    @cached_property
    def verifier(self) -> Verifier:
        """Judges sentences against the documents; what it needs is loaded when it is needed."""
        return Verifier(self.view, self.documents.ids, shipped_checker())

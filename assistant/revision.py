"""Documents as they are at one revision, and how what is asked of them is answered.

However long it takes to answer, everything of an answer is of the same revision.
"""

from __future__ import annotations

from collections.abc import Collection, Generator, Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from typing import TypedDict, Unpack

from assistant.answer import Decided, Done, Event, SentenceReady, SourcesFound, Verification
from assistant.answering.abstention import Decision, decide
from assistant.answering.arranging import Arranged, arrange
from assistant.answering.builder import AnswerBuilder, Citer
from assistant.answering.extractive import quote
from assistant.answering.generative import Writer
from assistant.answering.overview import MAX_PARAGRAPHS, choose_overview, scope_of, sections
from assistant.answering.replies import REPLIES
from assistant.calibration import Calibration, Thresholds, load_calibration
from assistant.query.kinds import Kind, load_kinds
from assistant.query.question import Question
from assistant.retrieval.evidence import Candidate, Evidence, RawEvidence, novel
from assistant.retrieval.reading_model import NONE, load_reader
from assistant.retrieval.retriever import Retriever
from assistant.settings import Settings
from assistant.timer import Timer
from assistant.verification.verifier import Entailer, Verifier, load_entailer
from index import Document, DocumentInfo, Hit, View
from index.chunking.sentences import sentence_spans
from index.errors import QuestionError
from index.retriever import LEGS
from index.terms.analysis import terms_of

#: The confidence from which the documents answer what seems to be asked of the assistant ("How does
#: this work?"). Of 50 such questions 2 have more in house rules and 5 in a handbook; 19 and 32 have
#: what an answer takes otherwise.
OF_DOCUMENTS = 0.9


class Options(TypedDict, total=False):
    """How a question is asked.

    Attributes:
        refuse_below: the least confidence with which it is not refused.
        answer_from: the least confidence with which it is answered; 0 answers all for which there
            is a sentence. Those of the settings when left out; one that is given alone takes the
            other along where it passes it.
        legs: which legs of the search count, for ablation: `sentence`, `terms`.
    """

    refuse_below: float | None
    answer_from: float | None
    legs: Collection[str]


class Models:
    """What answers, whatever the documents, but for what writes.

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
        own = self.calibration(read).thresholds
        own = own.adjusted(self.settings.refuse_below, self.settings.answer_from)
        return own.adjusted(refuse_below, answer_from)

    @cached_property
    def entailer(self) -> Entailer | None:
        """What judges whether a sentence follows from others; loaded when it is first needed."""
        return load_entailer(self.reader, self.settings.verifier)


class Revision:
    """Documents at one revision, and what answers questions about them.

    Args:
        view: the index as it is then.
        documents: ids of those that are asked.
        models: what answers.
        writer: writes the answers, where a language model is set.
    """

    def __init__(
        self, view: View, documents: Sequence[str], models: Models, writer: Writer
    ) -> None:
        self.view = view
        self.documents = documents
        self._models = models
        self._writer = writer
        self._citer = Citer(view)
        self._retriever = Retriever(view, documents, models.reader, models.calibration().ranking)

    @property
    def infos(self) -> list[DocumentInfo]:
        """The documents that are asked, without their texts."""
        infos = {info.id: info for info in self.view.documents()}
        return [infos[identity] for identity in self.documents if identity in infos]

    @property
    def texts(self) -> list[Document]:
        """The same with their whole texts."""
        return [self.view.document(identity) for identity in self.documents]

    @property
    def size(self) -> int:
        """How many paragraphs they have."""
        return sum(info.paragraphs for info in self.infos)

    def search(self, question: Question, k: int, legs: Collection[str]) -> list[Hit]:
        """See `Assistant.search`."""
        return self._retriever.search(question, k, legs)

    def read(self, question: Question) -> RawEvidence:
        """See `Assistant.read`."""
        return self._retriever.read(question, Timer())

    def verify(self, text: str, question: str | None) -> Verification:
        """See `Assistant.verify`."""
        builder = AnswerBuilder(self._citer)
        for start, end in sentence_spans(text, 0, len(text)):
            sentence = " ".join(text[start:end].split())
            builder.judged(sentence, self.verifier.judge(sentence, question), keep=True)
        return Verification(tuple(builder.sentences), tuple(builder.citations))

    @cached_property
    def verifier(self) -> Verifier:
        """Judges sentences against the documents."""
        return Verifier(self.view, self.documents, self._models.entailer)

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
        if question.kind == "courtesy":
            yield from self._unsearched(question, _reply("courtesy"), timer)
            return
        if question.kind == "overview" and (overview := self._overview_asked_for(question)):
            yield from self._unsearched(question, overview, timer)
            return
        question, evidence = self._retrieve(question, timer, options.get("legs", LEGS))
        numbers = self._models.calibration(evidence.read)
        decision = self._decide(question, evidence, options)
        if question.kind == "about" and decision.confidence < OF_DOCUMENTS:
            yield from self._unsearched(question, _reply("about"), timer)
            return
        closest = self._citer.closest(evidence, numbers.sentence)
        yield SourcesFound(closest)
        arranged = arrange(question, evidence, decision, numbers, self.view.document)
        builder = AnswerBuilder(self._citer)
        if self._is_written(arranged):
            whole = question.context if evidence.in_context else None
            written = self._writer.write(
                whole or question.standalone,
                question.history,
                decision.candidates,
                numbers.sentence,
            )
            arranged = yield from self._write(builder, written, question, arranged, decision)
        else:
            yield Decided(arranged.status, decision.confidence, arranged.kind)
        yield from builder.quote(arranged.quotations)
        builder.note = builder.note or arranged.note
        timer.lap("answer")
        decision = replace(decision, status=arranged.status, kind=arranged.kind)
        context = question.before if evidence.in_context and decision.status != "refused" else ""
        yield Done(builder.answer(question, decision, closest, timer.laps, context))

    def _retrieve(
        self, question: Question, timer: Timer, legs: Collection[str]
    ) -> tuple[Question, Evidence]:
        """What is found for a question. One that needs the conversation is understood anew by a
        language model, where there is one."""
        evidence = self._retriever.retrieve(question, timer, legs)
        if evidence.in_context and (
            better := self._writer.rewrite(question.asked, question.history)
        ):
            question = question.rewritten(better, self.view.encoder)
            evidence = self._retriever.retrieve(question, timer, legs)
        return question, evidence

    def _decide(self, question: Question, evidence: Evidence, options: Options) -> Decision:
        limit = self._models.settings.max_sentences
        if question.kind == "fact" and question.length:
            limit = min(limit, question.length)
        given = options.get("refuse_below"), options.get("answer_from")
        thresholds = self._models.thresholds(*given, evidence.read)
        return decide(evidence, self._models.calibration(evidence.read), thresholds, limit)

    def _is_written(self, arranged: Arranged) -> bool:
        unsure = self._models.settings.unsure == "write"
        written = ("answered", "unsure") if unsure else ("answered",)
        return self._writer.is_set and arranged.kind != "where" and arranged.status in written

    def _write(
        self,
        builder: AnswerBuilder,
        written: Iterator[str],
        question: Question,
        arranged: Arranged,
        decision: Decision,
    ) -> Generator[Event, None, Arranged]:
        """Add what a language model writes.

        Where it is sure that there is an answer, each sentence is shown as it comes. Otherwise the
        model decides, and nothing is shown before it has: what it writes and the documents support
        is an answer; if it writes nothing such, there is none. A model that fails has said nothing.

        Returns:
            What there is to be quoted besides, or instead.
        """
        sure = arranged.status == "answered"
        keep = sure and self._models.settings.unsupported == "flag"
        writing = builder.write(written, self.verifier, question.asked, keep)
        if sure:
            yield Decided("answered", decision.confidence, "fact")
            yield from writing
            if builder.supported:
                arranged = replace(arranged, kind="fact")
        else:
            ready = list(writing)
            if builder.supported:
                arranged = replace(arranged, status="answered", kind="fact")
            elif not builder.failed:
                arranged = Arranged("refused", "fact")
                builder.note = None  # nothing is quoted instead
            yield Decided(arranged.status, decision.confidence, arranged.kind)
            yield from ready
        return arranged if builder.note else replace(arranged, quotations=(), note=None)

    # --- what is not searched for ------------------------------------------------------------

    def overview(self, question: Question, whole: bool) -> Iterator[Event]:
        """The events of an overview of everything, or else of the part that the question names; see
        `Assistant.stream_overview`."""
        timer = Timer()
        if self.size > MAX_PARAGRAPHS:
            raise QuestionError(
                f"These documents have {self.size:,} paragraphs, and an overview is made of at "
                f"most {MAX_PARAGRAPHS:,}. Choose some of them."
            )
        topic = frozenset[str]() if whole else frozenset(terms_of(question.asked))
        scope = scope_of(self.texts, topic, lambda: True)
        if scope is None or (scope.heading is None and not whole):
            raise QuestionError(
                f"No heading is like {question.asked!r}. Give the words of one, or leave the "
                "section out."
            )
        chosen = choose_overview(scope, self.view.vectors, question.length)
        if not chosen:
            raise QuestionError(
                "There is nothing but tables, and no sentence stands for those. Ask for what is in "
                "them."
            )
        decision = Decision("answered", 1.0, tuple(chosen), kind="overview")
        yield from self._unsearched(question, decision, timer)

    def _overview_asked_for(self, question: Question) -> Decision | None:
        """The overview that a question asks for; None where no heading names what it is to be of,
        though the documents speak of it, or there is too much to read."""
        if self.size > MAX_PARAGRAPHS:
            return None
        topic = load_kinds(self.view.encoder.fingerprint).topic(question.standalone)

        def is_named() -> bool:
            named = [w for w in question.standalone.split() if topic.intersection(terms_of(w))]
            found = self.view.search(
                " ".join(named),
                1,
                documents=self.documents,
                legs=("terms",),
                vector=question.vector,
            )
            return any(hit.legs["terms"] > 0 for hit in found.hits)

        scope = scope_of(self.texts, topic, is_named)
        chosen = choose_overview(scope, self.view.vectors, question.length) if scope else []
        if question.more:
            chosen = novel(chosen, question.said)
        return Decision("answered", 1.0, tuple(chosen), kind="overview") if chosen else None

    def _unsearched(self, question: Question, decision: Decision, timer: Timer) -> Iterator[Event]:
        """The events of an answer for which nothing was searched."""
        yield SourcesFound(())
        yield Decided(decision.status, decision.confidence, decision.kind)
        builder = AnswerBuilder(self._citer)
        yield from builder.say(decision.replies)
        if self._writer.is_set and decision.chosen:
            yield from self._write_sections(builder, decision.chosen)
        else:
            yield from builder.quote(quote(decision.chosen))
        timer.lap("answer")
        yield Done(builder.answer(question, decision, (), timer.laps))

    def _write_sections(
        self, builder: AnswerBuilder, chosen: Sequence[Candidate]
    ) -> Iterator[SentenceReady]:
        """An overview in a language model's words, section by section of what was chosen; where the
        documents do not support them, its sentences are quoted."""
        note = None
        for section in sections(chosen):
            ready: list[SentenceReady] = []
            if not builder.failed:
                builder.note = None
                written = self._writer.condense([candidate.sentence.text for candidate in section])
                ready = list(builder.write(written, self.verifier, None, keep=False))
                note = builder.note or note
            yield from ready or builder.quote(quote(section))
        builder.note = note


def _reply(kind: Kind) -> Decision:
    return Decision("answered", 1.0, kind="chat", replies=REPLIES[kind])

"""Documents as they are at one revision, and how what is asked of them is answered.

However long it takes to answer, everything of an answer is of the same revision.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Generator, Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from threading import Lock
from typing import Literal, TypedDict, Unpack

from assistant.answer import (
    UNCERTAIN,
    AnswerKind,
    Citation,
    Decided,
    Done,
    Event,
    Outcome,
    SourcesFound,
    Verification,
    Writing,
    name_of,
    place_of,
)
from assistant.answering.abstention import Decision, decide
from assistant.answering.arranging import CLOSEST, arrange, next_passages, page_of
from assistant.answering.builder import AnswerBuilder, Citer
from assistant.answering.continuing import continued, shown_for
from assistant.answering.extractive import quote
from assistant.answering.generative import Writer
from assistant.answering.overview import (
    MAX_PARAGRAPHS,
    Scope,
    choose_overview,
    quoted_in,
    scope_of,
)
from assistant.answering.replies import REPLIES
from assistant.answering.wording import held_back, naming_first
from assistant.answering.writing import WrittenAnswer
from assistant.calibration import Calibration, Thresholds, load_calibration
from assistant.help.documents import document_of
from assistant.help.matching import MEASURED, HelpIndex, HelpPlace
from assistant.llm import prompts
from assistant.llm.client import LanguageModelError
from assistant.llm.sanitising import one_line
from assistant.query.kinds import FACT, Kind, load_kinds
from assistant.query.question import Question
from assistant.retrieval.evidence import Candidate, Evidence, RawEvidence
from assistant.retrieval.passages import (
    EACH,
    PASSAGES,
    Passage,
    passages_of,
    position_of,
    sections_of,
)
from assistant.retrieval.reading_model import NONE, load_reader
from assistant.retrieval.retriever import Retriever
from assistant.settings import Settings
from assistant.timer import Timer
from assistant.verification.verifier import Entailer, Verifier, load_entailer
from index import Document, DocumentInfo, Hit, View
from index.chunking.sentences import sentence_spans
from index.encoder import Encoder
from index.errors import QuestionError
from index.models import ENGLISH
from index.retriever import LEGS
from index.terms.analysis import terms_of

#: The confidence from which the documents answer what seems to be asked of the assistant ("How does
#: this work?"). Of 50 such questions 2 have more in house rules and 5 in a handbook; 19 and 32 have
#: what an answer takes otherwise.
OF_DOCUMENTS = 0.9

#: The kinds of questions that the help may answer. What leans on a conversation, or asks for an
#: overview of documents, is none.
OF_HELP: frozenset[Kind] = frozenset({FACT, "about", "list", "definition", "where"})

#: What is said where a language model did not write the answer, or not all of it.
FAILED = "The language model failed: {error}. This is what is found without it."
BROKE_OFF = "The language model failed: {error}. The answer may go on."
UNPROVED = (
    "The language model wrote an answer, but the documents could not be shown to say that. It was "
    "left out."
)
FOREIGN = (
    "The language model answered in another language than that of the documents, so that what it "
    "wrote could not be held against them. It was left out."
)
NO_OVERVIEW = "The language model wrote nothing that the documents support; they are quoted."
UNTRUSTED = (
    "The language model {name} has failed its check, so that it is not asked: this is what is "
    "found without it. Set FOOTNOTE_TRUST_LLM=true to let it answer all the same."
)


class Options(TypedDict, total=False):
    """How a question is asked.

    Attributes:
        refuse_below: the least probability that the documents answer with which it is not refused.
        answer_from: the least confidence with which it is answered; 0 answers all for which there
            is a sentence. Those of the settings when left out; one that is given alone takes the
            other along where it passes it.
        legs: which legs of the search count, for ablation: `sentence`, `terms`.
        section: the heading of the part of a document that it is about: an overview that names
            nothing itself is of that.
    """

    refuse_below: float | None
    answer_from: float | None
    legs: Collection[str]
    section: str


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
        self._help: HelpIndex | None = None
        self._making = Lock()

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

    def help(self, encoder: Encoder) -> HelpIndex | None:
        """What finds an answer in the help; made when it is first needed. None where none is wanted
        or it was not measured with this encoder."""
        if not self.settings.help or encoder.name not in MEASURED:
            return None
        with self._making:
            if self._help is None:
                file = self.settings.index_dir.expanduser() / "help.npz"
                self._help = HelpIndex(encoder, file)
            return self._help


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

    @cached_property
    def infos(self) -> list[DocumentInfo]:
        """The documents that are asked, without their texts."""
        infos = {info.id: info for info in self.view.documents()}
        return [infos[identity] for identity in self.documents if identity in infos]

    @cached_property
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
            list(builder.judged(sentence, self.verifier.judge(sentence, question), keep=True))
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
            yield SourcesFound(())
            yield from self._say(question, _reply("courtesy"), timer)
            return
        if question.kind == "overview" and (asked_for := self._overview_asked_for(question)):
            yield from self._overview(question, *asked_for, timer)
            return
        legs = options.get("legs", LEGS)
        builder = AnswerBuilder(self._citer)
        writes = self._writer.is_set and question.kind != "source"
        if writes and (yield from self._written(question, builder, timer, legs)):
            return
        told = builder.writing is not None and builder.writing.passages > 0
        evidence = naming_first(question, self._finder(question).retrieve(question, timer, legs))
        numbers = self._models.calibration(evidence.read)
        decision = self._decide(question, evidence, options)
        surely = decision.confidence is not None and decision.confidence >= OF_DOCUMENTS
        if question.kind == "about" and not surely:
            if not told:
                yield SourcesFound(())
            yield from self._of_itself(question, timer, builder)
            return
        closest = self._citer.closest(page_of(evidence, numbers.sentence, CLOSEST))
        if not told:
            yield SourcesFound(closest)
        arranged = arrange(question, evidence, decision, numbers, self.view.document)
        if question.more or question.again:
            arranged = continued(arranged, question, evidence, numbers.sentence)
        if arranged.status != "answered":
            # The surer the documents, the surer the help has to be.
            sure = (decision.confidence or 0.0) if arranged.status == "unsure" else 0.0
            if place := self._in_help(question, sure):
                near = closest if arranged.status == "unsure" else ()
                yield from self._help(question, place, timer, builder, near)
                return
        yield Decided(arranged.status, decision.confidence, arranged.kind)
        yield from builder.quote(arranged.quotations)
        notes = (builder.note, decision.note, arranged.note)
        builder.note = " ".join(filter(None, notes)) or None
        timer.lap("answer")
        decision = replace(decision, status=arranged.status, kind=arranged.kind)
        if arranged.status != "refused":
            others = next_passages(arranged, evidence, numbers.sentence, shown_for(question))
            closest = self._citer.closest(others)
        context = question.before if evidence.in_context and decision.status != "refused" else ""
        yield Done(builder.answer(question, decision, closest, timer.laps, context))

    def _finder(self, question: Question) -> Retriever:
        """What finds what is asked; what was said last is found in the documents that say it."""
        if not question.again or self.size > MAX_PARAGRAPHS:
            return self._retriever
        own = [document.id for document in self._saying(question)]
        return Retriever(self.view, own, self._models.reader, self._models.calibration().ranking)

    def _saying(self, question: Question) -> list[Document]:
        """The documents that say what was said last; all where none does."""
        return quoted_in(self.texts, " ".join(question.said[-1:])) or self.texts

    def _decide(self, question: Question, evidence: Evidence, options: Options) -> Decision:
        limit = self._models.settings.max_sentences
        if question.kind == "fact" and question.length:
            limit = min(limit, question.length)
        given = options.get("refuse_below"), options.get("answer_from")
        thresholds = self._models.thresholds(*given, evidence.read)
        decision = decide(evidence, self._models.calibration(evidence.read), thresholds, limit)
        decision = held_back(question, evidence, decision, self.view.encoder.count_tokens)
        if question.note and decision.status != "refused":
            return replace(decision, status="unsure", note=question.note)
        return decision

    # --- what a language model writes --------------------------------------------------------

    def _written(
        self, question: Question, builder: AnswerBuilder, timer: Timer, legs: Collection[str]
    ) -> Generator[Event, None, bool]:
        """The events of an answer that a language model writes from what it reads.

        Returns:
            Whether it is one. If not, nothing was decided, and `builder` has what is to be told.
        """
        closest: tuple[Citation, ...] = ()

        def begin(own: WrittenAnswer) -> Generator[Event, None, Outcome]:
            nonlocal closest
            found = self._retriever.find(question, timer, legs)
            closest = self._citer.nearest(found[0][:CLOSEST])
            room = own.dialogue.room_at_first
            passages = self._passages(found[:1], (), PASSAGES, room)
            # What was asked before, or besides, takes nothing away.
            more = EACH * (len(found) - 1)
            passages += self._passages(found[1:], passages, more, room // 3) if more else []
            asked = one_line(question.asked)
            if question.standalone != question.asked:
                asked += f" ({one_line(question.standalone)})"
            about = prompts.ABOUT if question.kind == "about" else ""
            about += prompts.UNSAID if question.more else prompts.AGAIN if question.again else ""
            yield SourcesFound(closest, len(passages), self._writer.name or "")
            return (yield from own.read(prompts.QUESTION + about, asked, passages))

        kind: AnswerKind = "list" if question.kind == "list" else "fact"
        outcome = yield from self._let_write(builder, question, timer, kind, begin)
        place = self._in_help(question) if outcome == "declined" else None
        if outcome == "about":
            yield from self._of_itself(question, timer, builder)
        elif outcome in ("failed", "untrusted"):
            return False
        elif place:
            yield from self._help(question, place, timer, builder)
        else:
            if outcome != "written":
                yield Decided("refused", None)
            written = outcome == "written"
            decision = Decision("answered" if written else "refused", None, kind=kind)
            near = () if written else closest
            yield Done(builder.answer(question, decision, near, timer.laps))
        return True

    def _let_write(
        self,
        builder: AnswerBuilder,
        question: Question,
        timer: Timer,
        kind: AnswerKind,
        begin: Callable[[WrittenAnswer], Generator[Event, None, Outcome]],
    ) -> Generator[Event, None, Outcome | Literal["about"]]:
        """Let the language model write, and leave in `builder` what is to be told of it.

        Args:
            builder: of the answer.
            question: that is asked.
            timer: of the answer.
            kind: of the answer.
            begin: lets it read, and gives the events of that.
        """
        name, check = self._writer.name or "", self._writer.check
        if check == "failed" and not self._models.settings.trust_llm:
            builder.note = UNTRUSTED.format(name=name)
            builder.writing = Writing(name, check, "untrusted")
            return "untrusted"
        try:
            dialogue = self._writer.dialogue(question.history)
        except LanguageModelError as error:
            builder.note = FAILED.format(error=error)
            builder.writing = Writing(name, check, "failed")
            return "failed"
        own = WrittenAnswer(
            builder,
            dialogue,
            self.verifier.prove,
            self._look_up,
            self._place,
            timer,
            kind,
            keep=self._models.settings.unsupported == "flag",
        )
        outcome = yield from begin(own)
        timer.lap("answer")
        builder.missing = own.missing if outcome == "written" else ()
        if outcome == "failed":
            builder.note = FAILED.format(error=own.failure)
        elif own.failure:
            builder.note = BROKE_OFF.format(error=own.failure)
        elif outcome == "unproved":
            builder.note = FOREIGN if own.foreign else UNPROVED
        builder.writing = Writing(
            self._writer.name or name,
            check,
            outcome,
            len(own.passages),
            tuple(own.searches),
            own.returned,
            dialogue.calls,
            dialogue.tokens.prompt,
            dialogue.tokens.completion,
        )
        return "about" if own.of_assistant and not builder.sentences else outcome

    def _passages(
        self, found: Sequence[Sequence[Hit]], known: Sequence[Passage], most: int, room: int
    ) -> list[Passage]:
        return passages_of(self.view, found, known, most, room, self._place)

    def _look_up(self, words: Sequence[str], known: Sequence[Passage], room: int) -> list[Passage]:
        """The passages that searches find besides those that are known."""
        return self._passages(self._retriever.look_up(words), known, EACH * len(words), room)

    def _place(self, passage: Passage) -> str:
        """Where a passage stands, for who reads it."""
        first = passage.paragraphs[0]
        info = self._citer.info(first)
        place = f"{name_of(info.source)}: {place_of(info.title, first).rpartition(' › ')[0]}"
        is_uncertain = any(own.is_uncertain for own in passage.paragraphs)
        return f"{place} ({UNCERTAIN})" if is_uncertain else place

    # --- what is not searched for ------------------------------------------------------------

    def overview(self, question: Question, whole: bool) -> Iterator[Event]:
        """The events of an overview of everything, or else of the part that the question names; see
        `Assistant.stream_overview`."""
        timer = Timer()
        if self.size > MAX_PARAGRAPHS:
            raise QuestionError(
                f"These documents have {self.size:,} paragraphs, and an overview is made of at "
                f"most {MAX_PARAGRAPHS:,}. Choose some of them.",
                code="overview_large",
                count=MAX_PARAGRAPHS,
            )
        topic = "" if whole else question.asked
        scope = scope_of(self.texts, self._stems(topic), lambda: True)
        if scope is None or (scope.heading is None and not whole):
            raise QuestionError(
                f"No heading is like {question.asked!r}. Give the words of one, or leave the "
                "section out."
            )
        chosen = choose_overview(scope, self.view.vectors, question.length)
        if not chosen:
            raise QuestionError(
                "There is nothing but tables, and no sentence stands for those. Ask for what is in "
                "them.",
                code="overview_tables",
            )
        yield from self._overview(question, scope, chosen, timer)

    def _stems(self, text: str) -> frozenset[str]:
        """The stems of a text, in each language that one of the documents is in."""
        languages = {ENGLISH, *(info.language for info in self.infos)}
        return frozenset(term for own in languages for term in terms_of(text, own))

    def _overview_asked_for(self, question: Question) -> tuple[Scope, list[Candidate]] | None:
        """The overview that a question asks for; None where no heading names what it is to be of,
        though the documents speak of it, or there is too much to read."""
        if self.size > MAX_PARAGRAPHS:
            return None
        named = load_kinds(self.view.encoder.fingerprint).named(question.standalone)
        named = named or question.section

        def is_named() -> bool:
            found = self.view.search(
                named,
                1,
                documents=self.documents,
                legs=("terms",),
                vector=question.vector,
            )
            return any(hit.legs["terms"] > 0 for hit in found.hits)

        # More and less go on from what was said, wherever that stands.
        texts = self._saying(question) if question.more or question.again else self.texts
        scope = scope_of(texts, self._stems(named), is_named)
        if scope is None:
            return None
        count, shows = question.length, shown_for(question)
        chosen = choose_overview(scope, self.view.vectors, count, shows)
        if question.again and not chosen:  # it was said in other words than theirs
            chosen = choose_overview(scope, self.view.vectors, count)
        return (scope, chosen) if chosen else None

    def _say(
        self,
        question: Question,
        decision: Decision,
        timer: Timer,
        builder: AnswerBuilder | None = None,
    ) -> Iterator[Event]:
        """The events of an answer in which the assistant speaks of itself."""
        builder = builder or AnswerBuilder(self._citer)
        yield Decided(decision.status, decision.confidence, decision.kind)
        yield from builder.say(decision.replies)
        timer.lap("answer")
        yield Done(builder.answer(question, decision, (), timer.laps))

    def _of_itself(
        self, question: Question, timer: Timer, builder: AnswerBuilder
    ) -> Iterator[Event]:
        """The events of an answer to what is asked of the assistant itself."""
        if place := self._in_help(question):
            yield from self._help(question, place, timer, builder)
        else:
            yield from self._say(question, _reply("about"), timer, builder)

    def _in_help(self, question: Question, sure: float = 0.0) -> HelpPlace | None:
        """Where the help answers a question. None where it is about something else, as what leans
        on a question about the documents is.

        Args:
            question: that the documents do not answer.
            sure: how likely they do all the same.
        """
        leans = question.leans or question.standalone != question.asked or question.parts
        if question.kind not in OF_HELP or leans or question.more or question.again:
            return None
        index = self._models.help(self.view.encoder)
        return index.find(question.asked, question.vector, sure) if index else None

    def _help(
        self,
        question: Question,
        place: HelpPlace,
        timer: Timer,
        builder: AnswerBuilder,
        closest: tuple[Citation, ...] = (),
    ) -> Iterator[Event]:
        """The events of an answer that quotes the help; `closest`: passages of the documents that
        may answer, which are not sure to."""
        yield Decided("answered", None, "help")
        source, limit = document_of(place.topic).source, self._models.settings.max_sentences
        yield from builder.cite_help(place.paragraph, source, limit)
        timer.lap("answer")
        decision = Decision("answered", None, kind="help")
        yield Done(builder.answer(question, decision, closest, timer.laps))

    def _overview(
        self, question: Question, scope: Scope, chosen: Sequence[Candidate], timer: Timer
    ) -> Iterator[Event]:
        """The events of an overview: a language model's, of whole sections, where there is one;
        else sentences that were chosen to stand for the rest."""
        yield SourcesFound(())
        builder = AnswerBuilder(self._citer)
        confidence: float | None = 1.0
        if self._writer.is_set:
            outcome = yield from self._let_write(
                builder,
                question,
                timer,
                "overview",
                lambda own: self._read_sections(own, scope, chosen),
            )
            confidence = None if outcome == "written" else 1.0
        if not builder.sentences:
            if builder.writing and builder.writing.outcome in ("declined", "unproved"):
                builder.note = NO_OVERVIEW
            yield Decided("answered", confidence, "overview")
            yield from builder.quote(quote(chosen))
        timer.lap("answer")
        decision = Decision("answered", confidence, kind="overview")
        yield Done(builder.answer(question, decision, (), timer.laps))

    def _read_sections(
        self,
        own: WrittenAnswer,
        scope: Scope,
        chosen: Sequence[Candidate],
    ) -> Generator[Event, None, Outcome]:
        """Let a language model read what an overview is of: all, where there is room for it, or
        the sections that the chosen sentences stand in."""
        every = sections_of(scope.paragraphs)
        read = own.fitting(every)
        if len(read) < len(every):
            places = {position_of(candidate.hit.paragraph) for candidate in chosen}
            read = own.fitting(
                [one for one in every if places & set(map(position_of, one.paragraphs))]
            )
        sections = [replace(one, number=n) for n, one in enumerate(read, start=1)]
        what = f"the part {scope.heading!r}" if scope.heading else "these documents"
        prompt = prompts.OVERVIEW.replace("{what}", what).replace("{count}", str(len(chosen)))
        return (yield from own.read(prompt, "", sections))


def _reply(kind: Kind) -> Decision:
    return Decision("answered", 1.0, kind="chat", replies=REPLIES[kind])

"""Assistant: a question in, a cited answer out."""

from __future__ import annotations

import asyncio
from collections.abc import (
    AsyncIterator,
    Callable,
    Collection,
    Generator,
    Iterator,
    Sequence,
)
from copy import copy
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Self, TypeVar

from assistant.answer import (
    Answer,
    Decided,
    Done,
    Event,
    SentenceReady,
    SourcesFound,
    Verification,
)
from assistant.answering.abstention import Decision, decide
from assistant.answering.arranging import Arranged, arrange
from assistant.answering.builder import AnswerBuilder, Citer
from assistant.answering.extractive import quote
from assistant.answering.generative import Writer
from assistant.answering.overview import MOST, choose_overview, scope_of, sections
from assistant.answering.replies import REPLIES
from assistant.calibration import Calibration, Thresholds, load_calibration
from assistant.documents import (
    OVERVIEW,
    kept_in,
    read_raw_documents,
    shipped_raw_documents,
    suggestions,
    unless_named,
)
from assistant.llm.client import check_setting
from assistant.query.cleaning import check_question, without_surrogates
from assistant.query.kinds import Kind, load_kinds
from assistant.query.question import Question, understand
from assistant.query.rewriting import Turn
from assistant.retrieval.evidence import Candidate, RawEvidence, unsaid
from assistant.retrieval.reading_model import NONE, load_reader
from assistant.retrieval.retriever import RETRIEVED, Retriever
from assistant.settings import Settings, load_settings
from assistant.timer import Timer
from assistant.verification.verifier import Verifier, load_verifier
from index import Document, DocumentInfo, Hit, Index, View
from index.chunking.files import OnSkip
from index.chunking.loader import RawDocument
from index.chunking.sentences import sentence_spans
from index.errors import EmptyDocumentError, IndexChangedError, QuestionError
from index.retriever import LEGS
from index.store.writer import Progress
from index.terms.analysis import terms_of

if TYPE_CHECKING:
    from os import PathLike

    from llama_index.core.base.base_query_engine import BaseQueryEngine
    from llama_index.core.llms import LLM
    from llama_index.core.retrievers import BaseRetriever

_Read = TypeVar("_Read")

#: How often a question is asked where the documents change so that it cannot be answered whole.
TRIES = 3
#: The confidence from which the documents answer what seems to be asked of the assistant ("How does
#: this work?"). Of 75 such questions put to three sets of house rules and the like, none has more.
OF_DOCUMENTS = 0.9


class Assistant:
    """Answers questions about documents by quoting them, or, with a language model set, in that
    model's words as far as the documents support them.

    Use `Assistant.open`. May be used from several threads; `close` it, or use it in a `with`.
    """

    def __init__(
        self,
        index: Index,
        documents: Sequence[str],
        settings: Settings,
        llm: LLM | None = None,
    ) -> None:
        self.index = index
        self.settings = settings
        self._documents = tuple(documents)
        #: Whether the documents asked are those that are kept in the index, whoever keeps them.
        self._follows = False
        self._reader = load_reader(settings.reader)
        self._calibration = load_calibration(self.reader_fingerprint, settings.calibration)
        self._unread = load_calibration(NONE, settings.calibration)
        self.thresholds = self._thresholds_of(self._calibration)
        self._writer = Writer(settings, llm)
        self._verifiers: list[Verifier] = []  # one, once it is loaded; copies share it
        self._read(index)

    @classmethod
    def open(
        cls,
        *paths: str | PathLike[str],
        index_dir: str | PathLike[str] | None = None,
        settings: Settings | None = None,
        llm: LLM | None = None,
        progress: Progress | None = None,
        on_wait: Callable[[str], None] | None = None,
        on_skip: OnSkip | None = None,
        on_found: Callable[[Sequence[Path]], None] = lambda _: None,
    ) -> Self:
        """Open documents for questions; what of them is new or changed is indexed first.

        Args:
            paths: files and folders. When none is given: the documents that were added to the index
                to stay, or else the document that comes with the package.
            index_dir: where the index is kept; the user's data folder by default.
            settings: all other settings; from the environment and file by default.
            llm: any llama-index LLM, to write the answers; instead of the settings' one.
            progress: called while indexing with (paragraphs done, paragraphs in all).
            on_wait: called with a sentence to show while another process uses the index.
            on_skip: called with the error for each file of a folder that cannot be read; when left
                out, such an error is raised.
            on_found: called with the files before they are read.

        Raises:
            FootnoteError: see the tree in `index.errors`.
        """
        if settings is None:
            settings = load_settings(index_dir=index_dir)
        elif index_dir is not None:
            settings = settings.model_copy(update={"index_dir": Path(index_dir)})
        if llm is None:
            check_setting(settings)  # before anything long
        given: Sequence[RawDocument] = []
        if paths:
            given = read_raw_documents(paths, on_skip, on_found, settings.ignore)
        index = settings.open_index(on_wait)
        try:
            kept = kept_in(index)
            if not paths and not kept:
                given = shipped_raw_documents()
            asked: Sequence[str] = kept
            if given:
                asked = index.sync(given, progress, on_skip=unless_named(paths, on_skip)).ids
                if not asked:
                    raise EmptyDocumentError("There is no document to read.")
            opened = cls(index, list(asked), settings, llm)
            opened._follows = not paths and settings.chroma is not None
            return opened
        except BaseException:
            index.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the index and of the language model."""
        self._writer.close()
        self.index.close()

    def over(self, documents: Sequence[str], *, write: bool | Writer = True) -> Self:
        """The same assistant, asking these documents of its index instead.

        It shares the index and the models, which only the assistant that opened them closes.

        Args:
            documents: their ids.
            write: let the language model write that is set, if one is; or this one, which whoever
                made it closes. False: only quote.
        """
        other = copy(self)
        other.turn_to(documents)
        if isinstance(write, Writer):
            other._writer = write  # noqa: SLF001
        elif not write:
            other._writer = Writer(self.settings.model_copy(update={"llm": None}))  # noqa: SLF001
        return other

    def turn_to(self, documents: Sequence[str]) -> None:
        """From now on ask these documents of the index; what is being answered stays as it is.

        Args:
            documents: their ids.
        """
        self._documents = tuple(documents)
        self._follows = False
        self._read(self._view)

    @property
    def writer_name(self) -> str | None:
        """Name of the language model that writes; None where the documents are only quoted."""
        return self._writer.name

    @property
    def reader_fingerprint(self) -> str:
        """Names the reading model in use; `none` where there is none."""
        return self._reader.fingerprint if self._reader else NONE

    # --- what there is to ask ----------------------------------------------------------------

    @property
    def document_ids(self) -> tuple[str, ...]:
        """Ids of the documents that are asked. Of an index on a server that was opened without
        paths, those that are kept there now; where none is, what was asked before."""
        return self._asked_in(self._view)

    @property
    def documents(self) -> list[Document]:
        """The documents that are asked, with their whole texts."""
        own = self._now()
        return [own._view.document(identity) for identity in own._documents]  # noqa: SLF001

    def suggestions(self, count: int = 4) -> list[str]:
        """Questions that the documents answer, made from their own headings."""
        own = self._now()
        outlines = (
            (info.title, own._view.outline(info.id))  # noqa: SLF001
            for info in own._infos()  # noqa: SLF001
        )
        return suggestions(outlines, count)

    # --- asking ------------------------------------------------------------------------------

    def search(
        self,
        query: str,
        k: int = RETRIEVED,
        history: Sequence[Turn] = (),
        *,
        legs: Collection[str] = LEGS,
    ) -> list[Hit]:
        """The k paragraphs that best match the query, best first.

        Args:
            query: what to look for; with `history`, a question as it was asked last.
            k: how many paragraphs at most.
            history: the conversation before it, as `ask` takes it.
            legs: which legs of the search count, for ablation: `sentence`, `terms`.

        Raises:
            QuestionError: the query is empty or too long.
        """
        asked = self._understand(query, history)
        return self._whole(lambda own: own._retriever.search(asked, k, legs))  # noqa: SLF001

    def ask(
        self,
        question: str,
        history: Sequence[Turn] = (),
        *,
        refuse_below: float | None = None,
        answer_from: float | None = None,
        legs: Collection[str] = LEGS,
    ) -> Answer:
        """Answer a question from the documents, or refuse; or, where it is not sure that they
        answer, show what comes closest.

        Args:
            question: as a person asks it.
            history: the conversation before it, oldest first: {"role": "user" or "assistant",
                "content": text}.
            refuse_below: the least confidence with which it is not refused.
            answer_from: the least confidence with which it is answered; 0 answers all for which
                there is a sentence. Those of the settings when left out; one that is given alone
                takes the other along where it passes it.
            legs: which legs of the search count, for ablation: `sentence`, `terms`.

        Raises:
            QuestionError: the question is empty or too long.
            SettingsError: the thresholds are not in order.
        """
        asking = self._asking(question, history, refuse_below, answer_from, legs)
        return self._whole(lambda own: _last(asking(own)))

    def stream(
        self,
        question: str,
        history: Sequence[Turn] = (),
        *,
        refuse_below: float | None = None,
        answer_from: float | None = None,
        legs: Collection[str] = LEGS,
    ) -> Iterator[Event]:
        """As `ask`, piece by piece: the sources, what was decided, each sentence as soon as it is
        checked, the whole.

        Raises:
            QuestionError: the question is empty or too long; before the first event.
            SettingsError: the thresholds are not in order; likewise.
            IndexChangedError: the documents changed while this was being answered, and what it
                rests on is gone; what was streamed is to be thrown away.
        """
        asking = self._asking(question, history, refuse_below, answer_from, legs)
        yield from self._streamed(asking)

    def _streamed(self, asking: Callable[[Self], Iterator[Event]]) -> Iterator[Event]:
        """What comes of asking, at one revision; see `stream`."""
        for left in reversed(range(TRIES)):
            begun = False
            try:
                for event in asking(self._now()):
                    begun = True
                    yield event
            except IndexChangedError:
                if begun or not left:
                    raise
            else:
                return

    def _asking(
        self,
        question: str,
        history: Sequence[Turn],
        refuse_below: float | None,
        answer_from: float | None,
        legs: Collection[str],
    ) -> Callable[[Self], Iterator[Event]]:
        """How an assistant at one revision answers a question; see `ask`.

        Raises:
            QuestionError, SettingsError: as `stream`.
        """
        timer = Timer()
        self.thresholds.but(refuse_below, answer_from)
        asked = self._understand(question, history)
        timer.lap("understand")
        return lambda own: own._answer(  # noqa: SLF001
            asked, history, timer, refuse_below, answer_from, legs
        )

    def _answer(
        self,
        asked: Question,
        history: Sequence[Turn],
        timer: Timer,
        refuse_below: float | None,
        answer_from: float | None,
        legs: Collection[str],
    ) -> Iterator[Event]:
        """The events of an answer, all of them of one view."""
        thresholds = self.thresholds.but(refuse_below, answer_from)
        plain = self._unless_looked_up(asked)
        if plain is not None:
            yield from self._tell(asked, plain, timer)
            return
        evidence = self._retriever.retrieve(asked, timer, legs)
        if evidence.leans and (better := self._writer.rewrite(asked.cleaned, history)):
            asked = asked.rewritten(better, self.index.encoder)
            evidence = self._retriever.retrieve(asked, timer, legs)
        numbers = self._calibration
        if not evidence.read:
            numbers = self._unread
            thresholds = self._thresholds_of(numbers).but(refuse_below, answer_from)
        most = self.settings.max_sentences
        if asked.kind == "fact" and asked.length:
            most = min(most, asked.length)
        decision = decide(evidence, numbers, thresholds, most)
        if asked.kind == "about" and decision.confidence < OF_DOCUMENTS:
            yield from self._tell(asked, _said_of_itself("about"), timer)
            return
        closest = self._citer.closest(evidence, numbers.sentence)
        yield SourcesFound(closest)
        builder = AnswerBuilder(self._citer)
        arranged = arrange(asked, evidence, decision, numbers, self._view.document)
        asks = ("answered", "unsure") if self.settings.unsure == "write" else ("answered",)
        writes = self._writer.is_set and arranged.kind != "where" and arranged.status in asks
        if writes:
            whole = asked.context if evidence.leans and asked.context else asked.standalone
            written = self._writer.write(whole, history, decision.candidates, numbers.sentence)
            arranged = yield from self._write(
                builder, written, asked.cleaned, arranged, decision.confidence
            )
        else:
            yield Decided(arranged.status, decision.confidence, arranged.kind)
        if builder.note or not writes:
            yield from builder.quote(arranged.quotations)
            builder.note = builder.note or arranged.note
        timer.lap("answer")
        decided = replace(decision, status=arranged.status, kind=arranged.kind)
        context = asked.before if evidence.leans and arranged.status != "refused" else ""
        yield Done(builder.answer(asked, decided, closest, timer.laps, context))

    def _write(
        self,
        builder: AnswerBuilder,
        written: Iterator[str],
        question: str,
        arranged: Arranged,
        confidence: float,
    ) -> Generator[Event, None, Arranged]:
        """Add what a language model writes.

        Where it is sure that there is an answer, each sentence is shown as it comes. Otherwise the
        model decides, and nothing is shown before it has: what it writes and the documents support
        is an answer; if it writes nothing such, there is none. A model that fails has said nothing.

        Returns:
            What there is to be quoted besides, or instead.
        """
        sure = arranged.status == "answered"
        keep = sure and self.settings.unsupported == "flag"
        writing = builder.write(written, self._load_verifier(), question, keep)
        if sure:
            yield Decided("answered", confidence, "fact")
            yield from writing
            return replace(arranged, kind="fact") if builder.supported else arranged
        ready = list(writing)
        if builder.supported:
            arranged = replace(arranged, status="answered", kind="fact")
        elif not builder.failed:
            arranged = Arranged("refused", "fact")
            builder.note = None  # nothing is quoted instead
        yield Decided(arranged.status, confidence, arranged.kind)
        yield from ready
        return arranged

    def _unless_looked_up(self, asked: Question) -> Decision | None:
        """What is decided where nothing has to be looked up: a courtesy, and an overview, but for
        one of something that no heading names."""
        if asked.kind == "courtesy":
            return _said_of_itself(asked.kind)
        if asked.kind != "overview" or self._size() > MOST:
            return None

        topic = load_kinds(self.index.encoder.fingerprint).topic(asked.standalone)

        def is_told() -> bool:
            named = [w for w in asked.standalone.split() if topic.intersection(terms_of(w))]
            found = self._view.search(
                " ".join(named), 1, documents=self._documents, legs=("terms",), vector=asked.vector
            )
            return any(hit.legs["terms"] > 0 for hit in found.hits)

        scope = scope_of(self.documents, topic, is_told)
        if scope is None:
            return None
        chosen = choose_overview(scope, self._view.vectors, asked.length)
        if asked.more:
            chosen = unsaid(chosen, asked.said)
        return Decision("answered", 1.0, tuple(chosen), kind="overview") if chosen else None

    def _tell(self, asked: Question, decision: Decision, timer: Timer) -> Iterator[Event]:
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
        yield Done(builder.answer(asked, decision, (), timer.laps))

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
                ready = list(builder.write(written, self._load_verifier(), None, keep=False))
                note = builder.note or note
            yield from ready or builder.quote(quote(section))
        builder.note = note

    async def aask(
        self,
        question: str,
        history: Sequence[Turn] = (),
        *,
        refuse_below: float | None = None,
        answer_from: float | None = None,
    ) -> Answer:
        """As `ask`, without blocking the event loop."""
        return await asyncio.to_thread(
            self.ask, question, history, refuse_below=refuse_below, answer_from=answer_from
        )

    async def astream(
        self,
        question: str,
        history: Sequence[Turn] = (),
        *,
        refuse_below: float | None = None,
        answer_from: float | None = None,
    ) -> AsyncIterator[Event]:
        """As `stream`, without blocking the event loop."""
        events = self.stream(question, history, refuse_below=refuse_below, answer_from=answer_from)
        while (event := await asyncio.to_thread(next, events, None)) is not None:
            yield event

    def verify(self, text: str, question: str | None = None) -> Verification:
        """Say of each sentence of a text, whoever wrote it, whether the documents support it.

        Args:
            text: any text.
            question: what it answers, if anything: helps to find what a short answer rests on.

        Raises:
            QuestionError: the text or the question is empty, or the question is too long.
        """
        if not text.strip():
            raise QuestionError("The text is empty. There is no sentence to verify.")
        question = None if question is None else check_question(question)
        text = without_surrogates(text)
        return self._whole(lambda own: own._verify(text, question))  # noqa: SLF001

    def _verify(self, text: str, question: str | None) -> Verification:
        builder = AnswerBuilder(self._citer)
        verifier = self._load_verifier()
        for start, end in sentence_spans(text, 0, len(text)):
            sentence = " ".join(text[start:end].split())
            builder.judged(sentence, verifier.judge(sentence, question), keep=True)
        return Verification(tuple(builder.sentences), tuple(builder.citations))

    def overview(self, section: str | None = None, count: int | None = None) -> Answer:
        """Sentences that together stand for the documents, or for the part under a heading; as
        `ask` gives them to who asks for a summary.

        Args:
            section: what the heading says, or some of it; all of the documents when left out.
            count: how many sentences; by what the overview is of when left out.

        Raises:
            QuestionError: no heading is like `section`, it is empty or too long, there is nothing
                but tables, or there are too many paragraphs to read them all.
        """
        text = OVERVIEW if section is None else check_question(section)
        whole = section is None
        return self._whole(lambda own: _last(own._overview(text, whole, count)))  # noqa: SLF001

    def stream_overview(
        self, section: str | None = None, count: int | None = None
    ) -> Iterator[Event]:
        """As `overview`, piece by piece, as `stream` gives them.

        Raises:
            QuestionError: as `overview`; before the first event.
            IndexChangedError: as `stream`.
        """
        text = OVERVIEW if section is None else check_question(section)
        whole = section is None
        yield from self._streamed(lambda own: own._overview(text, whole, count))  # noqa: SLF001

    def _overview(self, text: str, whole: bool, count: int | None) -> Iterator[Event]:
        """The events of an overview, all of them of one view."""
        timer = Timer()
        topic = frozenset[str]() if whole else frozenset(terms_of(text))
        if (size := self._size()) > MOST:
            raise QuestionError(
                f"These documents have {size:,} paragraphs, and an overview is made of at most "
                f"{MOST:,}. Choose some of them."
            )
        scope = scope_of(self.documents, topic, lambda: True)
        if scope is None or (scope.heading is None and not whole):
            raise QuestionError(
                f"No heading is like {text!r}. Give the words of one, or leave the section out."
            )
        chosen = choose_overview(scope, self._view.vectors, count)
        if not chosen:
            raise QuestionError(
                "There is nothing but tables, and no sentence stands for those. Ask for what is in "
                "them."
            )
        vector = self.index.encoder.encode_query(text)
        asked = Question(text, text, text, vector, kind="overview", length=count)
        decision = Decision("answered", 1.0, tuple(chosen), kind="overview")
        yield from self._tell(asked, decision, timer)

    def read(self, question: str, history: Sequence[Turn] = ()) -> RawEvidence:
        """What decisions about a question are made on; for calibrating them."""
        asked = self._understand(question, history)
        return self._whole(lambda own: own._retriever.read(asked, Timer()))  # noqa: SLF001

    def _understand(self, question: str, history: Sequence[Turn]) -> Question:
        return understand(question, history, self.index.encoder)

    # --- at one revision ---------------------------------------------------------------------

    def _now(self) -> Self:
        """This assistant at the revision that there is now: however long it takes to answer, it
        reads the same documents."""
        if self._view is not self.index:
            return self
        view = self.index.view(None if self._follows else self._documents)
        other = copy(self)
        other._documents, other._follows = self._asked_in(view), False  # noqa: SLF001
        other._read(view)  # noqa: SLF001
        return other

    def _infos(self) -> list[DocumentInfo]:
        """The documents that are asked, without their texts."""
        infos = {info.id: info for info in self._view.documents()}
        return [infos[identity] for identity in self._documents if identity in infos]

    def _size(self) -> int:
        """How many paragraphs they have."""
        return sum(info.paragraphs for info in self._infos())

    def _whole(self, read: Callable[[Self], _Read]) -> _Read:
        """What is read at one revision; all of it again where the documents changed so that it
        could not be read to its end.

        Raises:
            IndexChangedError: they did so every time.
        """
        for left in reversed(range(TRIES)):
            try:
                return read(self._now())
            except IndexChangedError:
                if not left:
                    raise
        raise AssertionError("the last try returns or raises")

    def _read(self, view: View) -> None:
        """From now on read this: the index, or for the length of a question a view of it."""
        self._view = view
        self._citer = Citer(view)
        self._retriever = Retriever(view, self._documents, self._reader, self._calibration.ranking)

    def _asked_in(self, view: View) -> tuple[str, ...]:
        kept = kept_in(view) if self._follows else ()
        return tuple(kept) or self._documents

    def _thresholds_of(self, numbers: Calibration) -> Thresholds:
        return numbers.thresholds.but(self.settings.refuse_below, self.settings.answer_from)

    def _load_verifier(self) -> Verifier:
        if not self._verifiers:
            self._verifiers.append(
                load_verifier(self.index, self._documents, self._reader, self.settings.verifier)
            )
        return self._verifiers[0].over(self._view, self._documents)

    # --- llama-index -------------------------------------------------------------------------

    def as_retriever(self, k: int = RETRIEVED) -> BaseRetriever:
        """A llama-index retriever that returns paragraphs as nodes, as `search` ranks them."""
        from assistant.llama_index import AssistantRetriever

        return AssistantRetriever(self.search, k)

    def as_query_engine(self) -> BaseQueryEngine:
        """A llama-index query engine whose response has the cited paragraphs as source nodes."""
        from assistant.llama_index import AssistantQueryEngine

        return AssistantQueryEngine(self.ask)


def _last(events: Iterator[Event]) -> Answer:
    """The whole answer at the end of a stream."""
    for event in events:
        if isinstance(event, Done):
            return event.answer
    raise AssertionError("a stream ends with Done")


def _said_of_itself(kind: Kind) -> Decision:
    return Decision("answered", 1.0, kind="chat", replies=REPLIES[kind])

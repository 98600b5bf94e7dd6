"""Assistant: a question in, a cited answer out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Self, TypeVar, Unpack

from assistant.answer import Answer, MorePassages
from assistant.calibration import Thresholds
from assistant.documents import (
    kept_in,
    read_raw_documents,
    shipped_raw_documents,
    unless_named,
)
from assistant.events import Event, Timer, last_answer
from assistant.llm.client import LanguageModelError, check_setting
from assistant.llm.writer import Writer
from assistant.pipeline import AnswerPipeline, ModelSet, Options
from assistant.query.cleaning import check_question, without_surrogates
from assistant.query.question import Question, understand
from assistant.query.rewriting import Turn
from assistant.retrieval.evidence import RawEvidence
from assistant.retrieval.retriever import RETRIEVED
from assistant.settings import Settings, load_settings
from assistant.starters import MAX_DOCUMENTS, OVERVIEW, Suggestion, spread, suggestions
from assistant.verification.verification import Verification
from index import Document, Hit, Index, View
from index.errors import EmptyDocumentError, IndexChangedError, QuestionError
from index.readers.files import OnSkip
from index.readers.loader import RawDocument
from index.retriever import LEGS
from index.store.writer import Progress

if TYPE_CHECKING:
    from os import PathLike

    from llama_index.core.base.base_query_engine import BaseQueryEngine
    from llama_index.core.llms import LLM
    from llama_index.core.retrievers import BaseRetriever

_Read = TypeVar("_Read")

#: How often a question is tried whose documents change while it is answered.
TRIES = 3


class Assistant:
    """Answers questions about documents by quoting them, or, with a language model set, in that
    model's words as far as the documents support them.

    Use `Assistant.open`. May be used from several threads; `close` it, or use it in a `with`.

    Args:
        index: holds the documents.
        documents: ids of those that are asked.
        settings: all of them.
        llm: any llama-index LLM, to write the answers; instead of the settings' one.
        models, writer: those of another assistant, instead of what the settings name.
    """

    def __init__(
        self,
        index: Index,
        documents: Sequence[str],
        settings: Settings,
        llm: LLM | None = None,
        *,
        models: ModelSet | None = None,
        writer: Writer | None = None,
    ) -> None:
        self.index = index
        self.settings = settings
        self._documents = tuple(documents)
        #: Whether the documents asked are those that are kept in the index, whoever keeps them.
        self._follows = False
        self._models = models or ModelSet(settings)
        self.thresholds: Thresholds = self._models.thresholds()
        self._writer = writer or Writer(settings, llm)

    @classmethod
    def open(
        cls,
        *paths: str | PathLike[str],
        index_dir: str | PathLike[str] | None = None,
        settings: Settings | None = None,
        llm: LLM | str | None = None,
        progress: Progress | None = None,
        on_wait: Callable[[str], None] | None = None,
        on_skip: OnSkip | None = None,
        on_found: Callable[[Sequence[Path]], None] = lambda _: None,
        on_page: Progress | None = None,
    ) -> Self:
        """Open documents for questions; what of them is new or changed is indexed first.

        Args:
            paths: files and folders. When none is given: the documents that were added to the index
                to stay, or else the document that comes with the package.
            index_dir: where the index is kept; the user's data folder by default.
            settings: all other settings; from the environment and file by default.
            llm: any llama-index LLM, to write the answers, or the name of one as `--llm` takes it;
                instead of the settings' one.
            progress: called while indexing with (paragraphs done, paragraphs in all).
            on_wait: called with a sentence to show while another process uses the index.
            on_skip: called with the error for each file of a folder that cannot be read; when left
                out, such an error is raised.
            on_found: called with the files before they are read.
            on_page: called as pages that are pictures are read, of one document after the other.

        Raises:
            FootnoteError: see the tree in `index.errors`.
        """
        named, llm = (llm, None) if isinstance(llm, str) else (None, llm)
        overrides = {"index_dir": index_dir and Path(index_dir), "llm": named}
        if settings is None:
            settings = load_settings(**overrides)
        else:
            given = {name: value for name, value in overrides.items() if value is not None}
            settings = settings.model_copy(update=given)
        if llm is None:
            check_setting(settings)  # before anything that takes long
        raws: Sequence[RawDocument] = []
        if paths:
            raws = read_raw_documents(paths, on_skip, on_found, settings.ignore, ocr=settings.ocr)
        index = settings.open_index(on_wait, progress=progress)
        try:
            documents: Sequence[str] = kept_in(index)
            if not paths and not documents:
                raws = shipped_raw_documents()
            if raws:
                skip = unless_named(paths, on_skip)
                documents = index.sync(raws, progress, on_skip=skip, on_page=on_page).ids
                if not documents:
                    raise EmptyDocumentError("There is no document to read.")
            opened = cls(index, documents, settings, llm)
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
        """Close the index and the language model."""
        self._writer.close()
        self.index.close()

    def for_documents(self, documents: Sequence[str], *, write: bool | Writer = True) -> Self:
        """The same assistant for these documents of its index.

        It shares the index and the models, which only the assistant that opened them closes.

        Args:
            documents: their ids.
            write: True to let the language model write that is set, if one is; or another one,
                which the caller closes. False to quote only.
        """
        writer = self._writer if write is True else write
        if not writer:
            writer = Writer(self.settings.model_copy(update={"llm": None}))
        return type(self)(self.index, documents, self.settings, models=self._models, writer=writer)

    def set_documents(self, documents: Sequence[str]) -> None:
        """From now on ask the documents with these ids; answers under way are not affected."""
        self._documents = tuple(documents)
        self._follows = False

    @property
    def writer_name(self) -> str | None:
        """Name of the language model that writes; None where the documents are only quoted."""
        return self._writer.name

    def reword(self, question: str) -> str:
        """A question in other words, by the language model.

        Raises:
            LanguageModelError: there is none, or it failed.
        """
        return self._writer.reworded(question)

    @property
    def reader_fingerprint(self) -> str:
        """Names the reading model in use; `none` where there is none."""
        return self._models.fingerprint

    # --- what there is to ask ----------------------------------------------------------------

    @property
    def document_ids(self) -> tuple[str, ...]:
        """Ids of the documents that are asked. For an index on a server that was opened without
        paths, those that are kept there now; if there are none, those asked before."""
        return self._asked_in(self.index)

    @property
    def documents(self) -> list[Document]:
        """The documents that are asked, with their whole texts."""
        return self._pipeline().documents.texts

    def suggestions(self, count: int = 4) -> list[str]:
        """Questions that the documents are likely to answer, made from their headings and
        definitions."""
        return [suggestion.question for suggestion in self.candidates()[:count]]

    def candidates(self, language: str | None = None) -> list[Suggestion]:
        """These questions, each with where its answer should stand.

        Args:
            language: of the documents that they are about, but for the overview.
        """
        asked = self._pipeline().documents
        ids = [info.id for info in asked.infos if language in (None, info.language)]
        documents = [asked.view.document(identity) for identity in spread(ids, MAX_DOCUMENTS)]
        return [Suggestion(OVERVIEW), *suggestions(documents)]

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
        asked = understand(query, history, self.index.encoder)
        return self._at_one_revision(lambda pipeline: pipeline.search(asked, k, legs))

    def ask(
        self, question: str, history: Sequence[Turn] = (), **options: Unpack[Options]
    ) -> Answer:
        """Answer a question from the documents, or refuse; or, where no answer is sure,
        give a page of passages that may.

        Args:
            question: as a person asks it.
            history: the conversation before it, oldest first: {"role": "user" or "assistant",
                "content": text}.
            options: `refuse_below`, `answer_from`, `legs`, `section`; see `Options`.

        Raises:
            QuestionError: the question is empty or too long.
            SettingsError: the thresholds are not in order.
        """
        asked, timer = self._understood(question, history, options)
        return self._at_one_revision(lambda its: last_answer(its.answer(asked, timer, **options)))

    def stream(
        self, question: str, history: Sequence[Turn] = (), **options: Unpack[Options]
    ) -> Iterator[Event]:
        """As `ask`, piece by piece: the sources, what was decided, each sentence as soon as it is
        checked, the whole.

        Raises:
            QuestionError: the question is empty or too long; before the first event.
            SettingsError: the thresholds are not in order; likewise.
            IndexChangedError: the documents changed while this was being answered, and what it
                rests on is gone; what was streamed is to be thrown away.
        """
        asked, timer = self._understood(question, history, options)
        yield from self._streamed(lambda pipeline: pipeline.answer(asked, timer, **options))

    async def aask(
        self, question: str, history: Sequence[Turn] = (), **options: Unpack[Options]
    ) -> Answer:
        """As `ask`, without blocking the event loop."""
        return await asyncio.to_thread(self.ask, question, history, **options)

    async def astream(
        self, question: str, history: Sequence[Turn] = (), **options: Unpack[Options]
    ) -> AsyncIterator[Event]:
        """As `stream`, without blocking the event loop."""
        events = self.stream(question, history, **options)
        while (event := await asyncio.to_thread(next, events, None)) is not None:
            yield event

    def more_passages(
        self,
        question: str,
        history: Sequence[Turn] = (),
        *,
        shown: Collection[tuple[str, int]] = (),
        reworded: bool = False,
    ) -> MorePassages:
        """Up to five passages that may answer, beyond those that are shown.

        Args:
            question, history: as `ask` takes them.
            shown: where those are: the id of a document, and an offset into its text.
            reworded: search for the question in other words: the language model's, where one is
                set, and the documents' own.

        Raises:
            QuestionError: the question is empty or too long.
        """
        asked = understand(question, history, self.index.encoder)
        words: list[str] | None = None
        if reworded:
            words = []
            with suppress(LanguageModelError):  # none is set, or it did not do it
                words.append(self._writer.reworded(asked.standalone))
        return self._at_one_revision(lambda its: its.more_passages(asked, shown, words))

    def verify(self, text: str, question: str | None = None) -> Verification:
        """Say of each sentence of a text, whoever wrote it, whether the documents support it.

        Args:
            text: any text.
            question: the question that it answers, if any: helps to find the support of a short
                answer.

        Raises:
            QuestionError: the text or the question is empty, or the question is too long.
        """
        if not text.strip():
            raise QuestionError("The text is empty. There is no sentence to verify.")
        question = None if question is None else check_question(question)
        text = without_surrogates(text)
        return self._at_one_revision(lambda pipeline: pipeline.verify(text, question))

    def overview(self, section: str | None = None, count: int | None = None) -> Answer:
        """Sentences that together stand for the documents, or for the part under a heading, as
        `ask` answers a request for a summary.

        Args:
            section: the heading, or some of its words; all of the documents when left out.
            count: how many sentences; depends on the length of the text when left out.

        Raises:
            QuestionError: no heading is like `section`, it is empty or too long, there is nothing
                but tables, or there are too many paragraphs to read them all.
        """
        asked = self._overview_of(section, count)
        return self._at_one_revision(lambda its: last_answer(its.overview(asked, section is None)))

    def stream_overview(
        self, section: str | None = None, count: int | None = None
    ) -> Iterator[Event]:
        """As `overview`, piece by piece, as `stream` gives them.

        Raises:
            QuestionError: as `overview`; before the first event.
            IndexChangedError: as `stream`.
        """
        asked = self._overview_of(section, count)
        yield from self._streamed(lambda pipeline: pipeline.overview(asked, section is None))

    def read(self, question: str, history: Sequence[Turn] = ()) -> RawEvidence:
        """The evidence on which a question is decided; for calibration."""
        asked = understand(question, history, self.index.encoder)
        return self._at_one_revision(lambda pipeline: pipeline.read(asked))

    def _understood(
        self, question: str, history: Sequence[Turn], options: Options
    ) -> tuple[Question, Timer]:
        timer = Timer()
        section = options.get("section", "")
        asked = understand(question, history, self.index.encoder, section)
        self.thresholds.adjusted(options.get("refuse_below"), options.get("answer_from"))
        timer.lap("understand")
        return asked, timer

    def _overview_of(self, section: str | None, count: int | None) -> Question:
        text = OVERVIEW if section is None else check_question(section)
        vector = self.index.encoder.encode_query(text)
        return Question(text, text, vector, kind="overview", length=count)

    # --- at one revision ---------------------------------------------------------------------

    def _pipeline(self) -> AnswerPipeline:
        """The pipeline over the documents as they are now."""
        view = self.index.view()
        return AnswerPipeline(view, self._asked_in(view), self._models, self._writer)

    def _asked_in(self, view: View) -> tuple[str, ...]:
        kept = kept_in(view) if self._follows else ()
        return tuple(kept) or self._documents

    def _at_one_revision(self, read: Callable[[AnswerPipeline], _Read]) -> _Read:
        """The result of reading one revision; read again where the documents changed meanwhile.

        Raises:
            IndexChangedError: they changed every time.
        """
        for _ in range(TRIES - 1):
            with suppress(IndexChangedError):
                return read(self._pipeline())
        return read(self._pipeline())

    def _streamed(self, events_of: Callable[[AnswerPipeline], Iterator[Event]]) -> Iterator[Event]:
        """Events at one revision; started again only before the first one."""

        def begin(pipeline: AnswerPipeline) -> tuple[Event, Iterator[Event]]:
            events = events_of(pipeline)
            return next(events), events

        first, rest = self._at_one_revision(begin)
        yield first
        yield from rest

    # --- llama-index -------------------------------------------------------------------------

    def as_retriever(self, k: int = RETRIEVED) -> BaseRetriever:
        """A llama-index retriever that returns paragraphs as nodes, as `search` ranks them."""
        from assistant.llama_index import AssistantRetriever

        return AssistantRetriever(self.search, k)

    def as_query_engine(self) -> BaseQueryEngine:
        """A llama-index query engine whose response has the cited paragraphs as source nodes."""
        from assistant.llama_index import AssistantQueryEngine

        return AssistantQueryEngine(self.ask)

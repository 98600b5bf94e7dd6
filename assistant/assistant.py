"""Assistant: a question in, a cited answer out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from copy import copy
from pathlib import Path
from typing import TYPE_CHECKING, Self

from assistant import calibration
from assistant.answer import Answer, Done, Event, SourcesFound, Verification
from assistant.answering import extractive
from assistant.answering.abstention import decide
from assistant.answering.builder import Clock, Draft
from assistant.answering.citing import Citer
from assistant.answering.generative import Writer
from assistant.documents import UPLOADED, read_texts, shipped_documents, suggestions
from assistant.query.cleaning import plainly
from assistant.query.rewriting import Turn, checked, fitting, understand, whole
from assistant.retrieval import reading_model
from assistant.retrieval.evidence import Evidence
from assistant.retrieval.retriever import HITS, Finder
from assistant.settings import Settings, load
from assistant.verification.verifier import Verifier, load_verifier
from index import Document, FootnoteError, Hit, Index
from index.chunking.loader import RawDocument
from index.chunking.sentences import sentence_spans
from index.errors import QuestionError
from index.store.writer import Progress

if TYPE_CHECKING:
    from os import PathLike

    from llama_index.core.base.base_query_engine import BaseQueryEngine
    from llama_index.core.llms import LLM
    from llama_index.core.retrievers import BaseRetriever


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
        self._citer = Citer(index)
        self._reader = reading_model.load(settings.reader)
        self._finder = Finder(index, self._documents, self._reader)
        self._calibration = calibration.load(self.reader_fingerprint, settings.calibration)
        self._writer = Writer(settings, llm)
        self._verifier: Verifier | None = None

    @classmethod
    def open(
        cls,
        *paths: str | PathLike[str],
        index_dir: str | PathLike[str] | None = None,
        settings: Settings | None = None,
        llm: LLM | None = None,
        progress: Progress | None = None,
        on_wait: Callable[[str], None] | None = None,
        on_skip: Callable[[FootnoteError], None] | None = None,
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

        Raises:
            FootnoteError: see the tree in `index.errors`.
        """
        if settings is None:
            settings = load(index_dir=index_dir)
        elif index_dir is not None:
            settings = settings.model_copy(update={"index_dir": Path(index_dir)})
        given: Sequence[Document | RawDocument] = read_texts(paths, on_skip) if paths else []
        index = Index(
            settings.index_dir, encoder=settings.encoder, wait=settings.wait, on_wait=on_wait
        )
        try:
            kept = [
                info.id
                for info in index.documents()
                if info.kept and not info.source.startswith(UPLOADED)
            ]
            if not paths and not kept:
                given = shipped_documents()
            if given:
                index.sync(given, progress)
            return cls(index, [document.id for document in given] or kept, settings, llm)
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

    def over(self, documents: Sequence[str], *, write: bool = True) -> Self:
        """The same assistant, asking these documents of its index instead.

        It shares the index and the models, which only the assistant that opened them closes.

        Args:
            documents: their ids.
            write: let a language model write, where one is set; otherwise only quote.
        """
        other = copy(self)
        other._documents = tuple(documents)  # noqa: SLF001, its own kind
        other._finder = Finder(self.index, other._documents, self._reader)  # noqa: SLF001
        other._verifier = None  # noqa: SLF001
        if not write:
            other._writer = Writer(self.settings.model_copy(update={"llm": None}))  # noqa: SLF001
        return other

    @property
    def reader_fingerprint(self) -> str:
        """Names the reading model in use; `none` where there is none."""
        return self._reader.fingerprint if self._reader else reading_model.NONE

    # --- what there is to ask ----------------------------------------------------------------

    @property
    def document_ids(self) -> tuple[str, ...]:
        """Ids of the documents that are asked."""
        return self._documents

    @property
    def documents(self) -> list[Document]:
        """The documents that are asked, with their whole texts."""
        return [self.index.document(identity) for identity in self._documents]

    def suggestions(self, count: int = 4) -> list[str]:
        """Questions that the documents answer, made from their own headings."""
        return suggestions(self.documents, count)

    # --- asking ------------------------------------------------------------------------------

    def search(self, query: str, k: int = HITS, history: Sequence[Turn] = ()) -> list[Hit]:
        """The k paragraphs that best match the query, best first.

        Args:
            query: what to look for; with `history`, a question as it was asked last.
            k: how many paragraphs at most.
            history: the conversation before it, as `ask` takes it.

        Raises:
            QuestionError: the query is empty or too long.
        """
        return self._finder.search(checked(query), k, history)

    def ask(self, question: str, history: Sequence[Turn] = ()) -> Answer:
        """Answer a question from the documents, or refuse.

        Args:
            question: as a person asks it.
            history: the conversation before it, oldest first: {"role": "user" or "assistant",
                "content": text}.

        Raises:
            QuestionError: the question is empty or too long.
        """
        for event in self.stream(question, history):
            if isinstance(event, Done):
                return event.answer
        raise AssertionError("a stream ends with Done")

    def stream(self, question: str, history: Sequence[Turn] = ()) -> Iterator[Event]:
        """As `ask`, piece by piece: the sources, each sentence as soon as it is checked, the whole.

        Raises:
            QuestionError: the question is empty or too long; before the first event.
        """
        clock = Clock()
        question = checked(question)
        asked = plainly(question)
        understood = self._understood(asked, history)
        clock.lap("understand")
        evidence = self._finder.evidence(question, history, understood, clock)
        closest = self._citer.closest(evidence, self._calibration.sentence)
        yield SourcesFound(closest)
        # A follow-up seldom asks for what the conversation has said already.
        said = [whole(turn["content"]) for turn in history if turn["role"] == "assistant"]
        decision = decide(
            evidence,
            self._calibration,
            self._threshold,
            self.settings.max_sentences,
            said if understood != asked else (),
        )
        draft = Draft(self._citer.cite)
        if not decision.refused:
            if self._writer.is_set:
                written = self._writer.write(
                    understood, history, decision.candidates, self._calibration.sentence
                )
                keep = self.settings.unsupported == "flag"
                yield from draft.write(written, self._judge(), asked, keep)
            if draft.note or not self._writer.is_set:
                yield from draft.quote(extractive.quote(decision.chosen))
        clock.lap("answer")
        yield Done(
            Answer(
                question=question,
                standalone_question=understood,
                sentences=tuple(draft.sentences),
                citations=tuple(draft.citations),
                refused=decision.refused,
                confidence=decision.confidence,
                closest=closest if decision.refused else (),
                unanswered=decision.unanswered,
                dropped=draft.dropped,
                note=draft.note,
                timings_ms=clock.laps,
            )
        )

    async def aask(self, question: str, history: Sequence[Turn] = ()) -> Answer:
        """As `ask`, without blocking the event loop."""
        return await asyncio.to_thread(self.ask, question, history)

    async def astream(self, question: str, history: Sequence[Turn] = ()) -> AsyncIterator[Event]:
        """As `stream`, without blocking the event loop."""
        events = self.stream(question, history)
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
        text, question = whole(text), checked(question) if question is not None else None
        draft = Draft(self._citer.cite)
        for start, end in sentence_spans(text, 0, len(text)):
            sentence = " ".join(text[start:end].split())
            draft.judged(sentence, self._judge().judge(sentence, question), keep=True)
        return Verification(tuple(draft.sentences), tuple(draft.citations))

    def evidence(self, question: str, history: Sequence[Turn] = ()) -> Evidence:
        """What decisions about a question are made on; for calibrating them."""
        question = checked(question)
        understood = understand(plainly(question), history)
        return self._finder.evidence(question, history, understood, Clock())

    def _understood(self, question: str, history: Sequence[Turn]) -> str:
        understood = understand(question, history)
        if understood != question and self._writer.is_set:
            understood = self._writer.rewritten(question, history) or understood
        return fitting(understood)

    @property
    def _threshold(self) -> float:
        given = self.settings.threshold
        return self._calibration.threshold if given is None else given

    def _judge(self) -> Verifier:
        if self._verifier is None:
            self._verifier = load_verifier(
                self.index, self._documents, self._reader, self.settings.verifier
            )
        return self._verifier

    # --- llama-index -------------------------------------------------------------------------

    def as_retriever(self, k: int = HITS) -> BaseRetriever:
        """A llama-index retriever that returns paragraphs as nodes, as `search` ranks them."""
        from assistant.llama_index import AssistantRetriever

        return AssistantRetriever(self, k)

    def as_query_engine(self) -> BaseQueryEngine:
        """A llama-index query engine whose response has the cited paragraphs as source nodes."""
        from assistant.llama_index import AssistantQueryEngine

        return AssistantQueryEngine(self)

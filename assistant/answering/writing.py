"""Lets a language model read passages and write the answer, of which each sentence is proved."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace

from assistant.answer import AnswerKind, Citation, Outcome, Writing
from assistant.answering.builder import AnswerBuilder, Citer
from assistant.answering.decision import Came
from assistant.answering.overview import Overview
from assistant.answering.proving import WrittenAnswer
from assistant.answering.quoting import CLOSEST
from assistant.events import Event, SourcesFound, Timer
from assistant.llm import prompts
from assistant.llm.client import LanguageModelError
from assistant.llm.sanitising import one_line
from assistant.llm.writer import Writer
from assistant.places import UNCERTAIN, name_of, place_of
from assistant.query.question import Question
from assistant.retrieval.passages import (
    EACH,
    PASSAGES,
    Passage,
    passages_of,
    position_of,
    sections_of,
)
from assistant.retrieval.retriever import Retriever
from assistant.settings import Settings
from assistant.verification.verifier import Verifier
from index import Hit, View

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


@dataclass(frozen=True, slots=True)
class AnswerWriter:
    """Writes answers about documents at one revision.

    Attributes:
        writer: the language model.
        settings: whether one is trusted that failed its check, and what becomes of sentences that
            nothing supports.
        view: of the documents.
        retriever: finds what is read.
        verifier: gives what holds sentences against passages; see `WrittenAnswer`.
        citer: makes citations.
    """

    writer: Writer
    settings: Settings
    view: View
    retriever: Retriever
    verifier: Callable[[], Verifier]
    citer: Citer

    def answer(
        self, question: Question, builder: AnswerBuilder, timer: Timer
    ) -> Generator[Event, None, tuple[Came, tuple[Citation, ...]]]:
        """The events of an answer, of which `builder` has the sentences then, and what is to be
        told of the model.

        Returns:
            What came of it, and the closest passages. Where nothing was written nothing was
            decided either.
        """
        closest: tuple[Citation, ...] = ()

        def begin(written: WrittenAnswer) -> Generator[Event, None, Outcome]:
            nonlocal closest
            found = self.retriever.find(question, timer)
            closest = self.citer.nearest(found[0][:CLOSEST])
            room = written.dialogue.room_at_first
            passages = self._passages(found[:1], (), PASSAGES, room)
            # What was asked before, or besides, takes nothing away.
            more = EACH * (len(found) - 1)
            passages += self._passages(found[1:], passages, more, room // 3) if more else []
            asked = one_line(question.asked)
            if question.standalone != question.asked:
                asked += f" ({one_line(question.standalone)})"
            about = prompts.ABOUT if question.kind == "about" else ""
            about += prompts.UNSAID if question.more else prompts.AGAIN if question.again else ""
            yield SourcesFound(question.standalone, closest, len(passages), self.writer.name or "")
            return (yield from written.read(prompts.QUESTION + about, asked, passages))

        kind: AnswerKind = "list" if question.kind == "list" else "fact"
        came = yield from self._let_write(builder, question, timer, kind, begin)
        return came, closest

    def overview(
        self, question: Question, overview: Overview, builder: AnswerBuilder, timer: Timer
    ) -> Generator[Event, None, Came]:
        """The same of an overview, for which the model reads all that it is of, where there is room
        for it, or the sections that the chosen sentences stand in."""
        scope, chosen = overview.scope, overview.chosen

        def begin(written: WrittenAnswer) -> Generator[Event, None, Outcome]:
            every = sections_of(scope.paragraphs)
            read = written.fitting(every)
            if len(read) < len(every):
                places = {position_of(candidate.hit.paragraph) for candidate in chosen}
                read = written.fitting(
                    [one for one in every if places & set(map(position_of, one.paragraphs))]
                )
            sections = [replace(one, number=n) for n, one in enumerate(read, start=1)]
            heading = one_line(scope.heading or "")
            what = f"the part {heading!r}" if heading else "these documents"
            more = {"what": what, "count": len(chosen)}
            return (yield from written.read(prompts.OVERVIEW, "", sections, **more))

        came = yield from self._let_write(builder, question, timer, "overview", begin)
        if came in ("declined", "unproved") and not builder.sentences:
            builder.note = NO_OVERVIEW
        return came

    def _let_write(
        self,
        builder: AnswerBuilder,
        question: Question,
        timer: Timer,
        kind: AnswerKind,
        begin: Callable[[WrittenAnswer], Generator[Event, None, Outcome]],
    ) -> Generator[Event, None, Came]:
        """Let the model write, and leave in `builder` what is to be told of it.

        Args:
            builder: of the answer.
            question: that is asked.
            timer: of the answer.
            kind: of the answer.
            begin: lets it read, and gives the events of that.
        """
        name, check = self.writer.name or "", self.writer.check
        if check == "failed" and not self.settings.trust_llm:
            builder.note = UNTRUSTED.format(name=name)
            builder.writing = Writing(name, check, "untrusted")
            return "untrusted"
        try:
            dialogue = self.writer.dialogue(question.history)
        except LanguageModelError as error:
            builder.note = FAILED.format(error=error)
            builder.writing = Writing(name, check, "failed")
            return "failed"
        written = WrittenAnswer(
            builder,
            dialogue,
            self.verifier,
            self.retriever.answers,
            self._look_up,
            self._place,
            timer,
            kind,
            keep=check == "passed",
        )
        outcome = yield from begin(written)
        timer.lap("answer")
        builder.missing = written.missing if outcome == "written" else ()
        if outcome == "failed":
            builder.note = FAILED.format(error=written.failure)
        elif written.failure:
            builder.note = BROKE_OFF.format(error=written.failure)
        elif outcome == "unproved":
            builder.note = FOREIGN if written.foreign else UNPROVED
        builder.writing = Writing(
            self.writer.name or name,
            check,
            outcome,
            len(written.passages),
            tuple(written.searches),
            written.returned,
            dialogue.calls,
            dialogue.tokens.prompt,
            dialogue.tokens.completion,
        )
        return "about" if written.of_assistant and not builder.sentences else outcome

    def _passages(
        self, found: Sequence[Sequence[Hit]], known: Sequence[Passage], most: int, room: int
    ) -> list[Passage]:
        return passages_of(self.view, found, known, most, room, self._place)

    def _look_up(self, words: Sequence[str], known: Sequence[Passage], room: int) -> list[Passage]:
        """The passages that searches find besides those that are known."""
        return self._passages(self.retriever.look_up(words), known, EACH * len(words), room)

    def _place(self, passage: Passage) -> str:
        """Where a passage stands, for who reads it."""
        first = passage.paragraphs[0]
        info = self.citer.info(first)
        place = f"{name_of(info.source)}: {place_of(info.title, first).rpartition(' › ')[0]}"
        is_uncertain = any(paragraph.is_uncertain for paragraph in passage.paragraphs)
        return f"{place} ({UNCERTAIN})" if is_uncertain else place

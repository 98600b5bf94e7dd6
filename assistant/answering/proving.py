"""Proves what a language model writes from the passages that it reads, sentence by sentence.

Nothing is shown before it is proved, and nothing before the sentence that answers: what follows it
is an answer only with that one. A sentence that nothing supports goes back to the model once, with
the reason; what was written after it waits for it, for steps have an order. Where the model finds
nothing, or a part only, it may have more looked up.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, takewhile

from assistant.answer import AnswerKind, Outcome
from assistant.answering.builder import AnswerBuilder
from assistant.events import Decided, LookedAgain, SentenceReady, Timer
from assistant.llm import prompts
from assistant.llm.client import LanguageModelError
from assistant.llm.dialogue import Dialogue
from assistant.llm.replies import (
    MAX_SEARCHES,
    Missing,
    NotFound,
    OfAssistant,
    Said,
    Search,
    corrections_in,
    parts_of,
)
from assistant.llm.sanitising import one_line
from assistant.query.english import content_stems
from assistant.retrieval.passages import Passage
from assistant.verification.facts import negations
from assistant.verification.verifier import Judgement
from index.chunking.language import language_of
from index.chunking.sentences import sentence_spans

#: How often more may be looked up.
ROUNDS = 2
#: Characters that there must be room for, for more to be looked up.
LEAST = 1000
#: Stems that carry meaning, below which a sentence is one with the next: "Yes, you can."
SUBSTANCE = 2

Prove = Callable[[str, str, Sequence[Passage], Sequence[Passage]], Judgement]
LookUp = Callable[[Sequence[str], Sequence[Passage], int], Sequence[Passage]]


@dataclass(frozen=True, slots=True)
class _Held:
    """A sentence that was held against the passages.

    Attributes:
        said: it.
        lead: what leads into it, where it is an item of a list.
        judgement: of both.
        answers: whether it is the one that answers.
    """

    said: Said
    lead: Said | None
    judgement: Judgement
    answers: bool


@dataclass(slots=True)
class WrittenAnswer:
    """One question in the hands of a language model.

    Args:
        builder: of the answer.
        dialogue: with the model.
        prove: holds a sentence against the passages that it names, and then all others; see
            `Verifier.prove`.
        look_up: finds passages for some words, besides those that there are, for so much room.
        place: says where a passage stands.
        timer: told of `model`, the time that it is waited for, and `prove`.
        kind: of the answer, unless a list comes of it.
        keep: whether to show what nothing supports, as such.

    Attributes:
        passages: that it was given to read, by their numbers from 1.
        searches: what was looked up besides.
        missing: what of the question it says is not there.
        returned: how many sentences went back to it.
        of_assistant: whether it says that it is asked about the assistant.
        failure: what went wrong with it, if anything.
    """

    builder: AnswerBuilder
    dialogue: Dialogue
    prove: Prove
    look_up: LookUp
    place: Callable[[Passage], str]
    timer: Timer
    kind: AnswerKind = "fact"
    keep: bool = False
    passages: list[Passage] = field(default_factory=list)
    searches: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    returned: int = 0
    of_assistant: bool = False
    failure: str | None = None
    _question: str = ""
    _decided: bool = False
    _answering: bool = False
    _said: set[str] = field(default_factory=set)
    _open: list[_Held] = field(default_factory=list)
    _wanted: list[str] = field(default_factory=list)

    @property
    def each(self) -> bool:
        """Whether every sentence stands for itself; otherwise none is shown without the one that
        answers."""
        return self.kind == "overview"

    def read(
        self, prompt: str, question: str, found: Sequence[Passage]
    ) -> Generator[SentenceReady | Decided | LookedAgain, None, Outcome]:
        """Let the model read and write.

        Args:
            prompt: with places for the passages and the question.
            question: that is asked.
            found: the passages.

        Returns:
            What came of it. Where nothing was shown nothing was decided either.
        """
        self.passages += found
        self._question = question
        if not found:
            return "declined"
        corrections: list[Said | None] = []
        try:
            yield from self._reply(prompt.format(passages=self.shown(found), question=question))
            for left in reversed(range(ROUNDS)):
                wanted = [words for words in self._wanted if words not in self.searches][
                    :MAX_SEARCHES
                ]
                room = self.dialogue.room // (left + 2)
                if not wanted or room < LEAST:
                    break
                self.searches += wanted
                yield LookedAgain(tuple(wanted))
                more = self.look_up(wanted, self.passages, room)
                self.timer.lap("retrieve")
                if more:
                    self.passages += more
                    yield from self._reply(self._more(question, more, last=not left))
            corrections = self._send_back()
        except LanguageModelError as error:
            self.failure = str(error)
            if not self._decided:
                return "failed"
        yield from self._show_open(corrections)
        if self._decided:
            return "written"
        return "unproved" if self._failed else "declined"

    def shown(self, passages: Sequence[Passage]) -> str:
        """Passages as the model reads them."""
        return "\n".join(
            prompts.PASSAGE.format(
                number=passage.number,
                place=one_line(self.place(passage)),
                text="\n".join(f"  {one_line(line)}" for line in passage.text.split("\n") if line),
            )
            for passage in passages
        )

    def fitting(self, passages: Sequence[Passage]) -> Sequence[Passage]:
        """As many of the first of them as there is room for at first; one at least. No more are
        laid out than it takes to know."""
        sizes = accumulate(len(self.shown([passage])) + 1 for passage in passages)
        room = self.dialogue.room_at_first + 1  # nothing parts the last from a next
        return passages[: max(1, sum(1 for _ in takewhile(lambda size: size <= room, sizes)))]

    def _more(self, question: str, more: Sequence[Passage], last: bool) -> str:
        task = prompts.MORE_PART if self._answering else prompts.MORE_NOTHING
        said = prompts.MORE.format(passages=self.shown(more), question=question, task=task)
        return said + (prompts.LAST if last else "")

    def _reply(self, text: str) -> Iterator[SentenceReady | Decided]:
        """Take a reply, sentence by sentence."""
        self._wanted = []
        missing: list[str] = []
        declined = False
        lead: Said | None = None
        opening: Said | None = None
        for part in parts_of(self.dialogue.say(text)):
            self.timer.lap("model")
            if isinstance(part, NotFound):
                declined = True
            elif isinstance(part, OfAssistant):
                declined = self.of_assistant = True
            elif isinstance(part, Missing):
                missing.append(part.text)
            elif isinstance(part, Search):
                self._wanted.append(part.words)
            elif declined:
                continue
            elif part.text.endswith(":"):
                lead = part
            elif not part.item and not opening and _is_opening(part.text):
                opening = part
            else:
                lead = lead if part.item else None
                whole = _together(opening, part) if opening else part
                opening = None
                yield from self._hold(whole, lead)
        if opening:
            yield from self._hold(opening, None)
        if not declined or missing:
            self.missing = missing
        if not declined and not missing:
            self._wanted = []  # it has all that it was asked for

    def _hold(self, said: Said, lead: Said | None) -> Iterator[SentenceReady | Decided]:
        """Hold a sentence against the passages, and show it unless one before it is to come."""
        if said.text in self._said:
            return
        self._said.add(said.text)
        held = _Held(said, lead, self._judge(said, lead), not self._answering)
        self._answering = True
        if held.judgement.supported and (self.each or not self._open):
            yield from self._show(held)
        else:
            self._open.append(held)

    def _judge(self, said: Said, lead: Said | None) -> Judgement:
        numbers = {*said.named, *(lead.named if lead else ())}
        named = [passage for passage in self.passages if passage.number in numbers]
        claim = f"{lead.text} {said.text}" if lead else said.text
        judgement = self.prove(claim, self._question, named, self.passages)
        self.timer.lap("prove")
        return judgement

    def _show(self, held: _Held) -> Iterator[SentenceReady | Decided]:
        if not self._decided:
            self._decided = True
            yield Decided("answered", None, self.kind)
        said, lead = held.said, held.lead
        if lead and lead.text not in self._said:
            self._said.add(lead.text)
            yield from self.builder.judged(lead.text, held.judgement, self.keep)
        yield from self.builder.judged(said.text, held.judgement, self.keep, item=said.item)

    def _send_back(self) -> list[Said | None]:
        """Give back once what nothing supports.

        Returns:
            What the model makes of each; None where it leaves it out.
        """
        failed = self._failed
        if not failed:
            return []
        self.returned = len(failed)
        sentences = "\n".join(
            prompts.CORRECT_SENTENCE.format(
                number=number, text=held.said.text, reason=self._reason(held)
            )
            for number, held in enumerate(failed, start=1)
        )
        told = prompts.CORRECT.format(sentences=sentences)
        reply = "".join(self.dialogue.say(told)) if self.dialogue.room > len(told) else ""
        self.timer.lap("model")
        corrections = corrections_in(reply)
        return [corrections.get(number) for number, _ in enumerate(failed, start=1)]

    def _show_open(self, corrections: Sequence[Said | None]) -> Iterator[SentenceReady | Decided]:
        """Show what waited, and what was corrected and is supported now, in the order in which it
        was written, or leave it out."""
        failed, corrected = len(self._failed), iter(corrections)
        for held in self._open:
            said = None if held.judgement.supported else next(corrected, None)
            for shown in self._again(held, said) if said else [held]:
                if shown.judgement.supported and (shown.answers or self._decided or self.each):
                    yield from self._show(shown)
                elif self._decided:  # counted, or shown as what it is
                    yield from self.builder.judged(shown.said.text, shown.judgement, self.keep)
            if held.answers and not self._decided and not self.each:
                self.builder.dropped = failed
                return

    def _again(self, held: _Held, said: Said) -> list[_Held]:
        """What the model wrote for a sentence that went back, sentence by sentence."""
        spans = sentence_spans(said.text, 0, len(said.text))
        parts = [Said(said.text[a:b], said.named, held.said.item) for a, b in spans]
        if len(parts) > 1 and _is_opening(parts[0].text):
            parts[:2] = [_together(*parts[:2])]
        there = [sentence.text for sentence in self.builder.sentences]
        if not held.answers:  # which may not be missing for one that waits for it
            there += [waiting.said.text for waiting in self._open if waiting.judgement.supported]
        new = [part for part in parts if not any(_repeats(part.text, text) for text in there)]
        return [
            _Held(part, held.lead, self._judge(part, held.lead), held.answers and not number)
            for number, part in enumerate(new)
        ]

    @property
    def _failed(self) -> list[_Held]:
        return [held for held in self._open if not held.judgement.supported]

    @property
    def foreign(self) -> bool:
        """Whether what nothing supports is in another language than the passages."""
        return any(map(self._is_foreign, self._failed))

    def _is_foreign(self, held: _Held) -> bool:
        return language_of(held.said.text) != self.passages[0].paragraphs[0].language

    def _reason(self, held: _Held) -> str:
        if self._is_foreign(held):
            return prompts.REASONS["language"]
        kinds: list[str] = sorted(held.judgement.conflicts)
        return "; ".join(prompts.REASONS[kind] for kind in kinds or [""])


def _is_opening(text: str) -> bool:
    return len(content_stems(text)) < SUBSTANCE


def _repeats(text: str, other: str) -> bool:
    """Whether a sentence says nothing but what another one says."""
    return content_stems(text) <= content_stems(other) and negations(text) == negations(other)


def _together(opening: Said, said: Said) -> Said:
    named = tuple(dict.fromkeys((*opening.named, *said.named)))
    return Said(f"{opening.text} {said.text}", named, said.item)

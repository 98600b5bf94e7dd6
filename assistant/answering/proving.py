"""Proves what a language model writes from the passages that it reads, sentence by sentence.

Nothing is shown before it is proved. A sentence that nothing supports goes back to the model once,
with the reason: for the words of a passage that say it, to be corrected, or to be taken back. What
was written after it waits for it, for steps have an order. What is still neither confirmed nor
contradicted then may be shown, marked; what is left out is counted, and what it leaves open told.
Where the model finds nothing, or a part only, it may have more looked up.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import accumulate, takewhile

from assistant.answer import AnswerKind, Outcome
from assistant.answering.builder import AnswerBuilder
from assistant.events import Decided, LookedAgain, SentenceReady, Timer
from assistant.llm import prompts
from assistant.llm.client import LanguageModelError
from assistant.llm.dialogue import Dialogue
from assistant.llm.replies import (
    MAX_SEARCHES,
    Correction,
    Missing,
    NotFound,
    OfAssistant,
    Quoted,
    Said,
    Search,
    Withdrawn,
    corrections_in,
    parts_of,
)
from assistant.llm.sanitising import one_line
from assistant.query.english import content_stems
from assistant.retrieval.passages import Passage
from assistant.verification.facts import facts_of, negations, other_symbols
from assistant.verification.verifier import NOTHING_FOUND, Judgement, Verifier
from index.chunking.language import told_language
from index.chunking.sentences import sentence_spans

#: How often more may be looked up.
ROUNDS = 2
#: Characters that there must be room for, for more to be looked up.
LEAST = 1000
#: Stems that carry meaning, below which a sentence is one with the next: "Yes, you can."
SUBSTANCE = 2

#: A sentence that begins so is understood by the one before it; "It is easy to ..." is not.
_LEANS = re.compile(
    r"(?:this|that|these|those|such|they|he|she|it(?! (?:is|was)(?: \w+){1,3} (?:to|that) ))\b",
    re.IGNORECASE,
)
#: What a model says that leaves nothing open.
_NOTHING = re.compile(r"\W*(?:nothing|none|n/a)\b|\W*$", re.IGNORECASE)

LookUp = Callable[[Sequence[str], Sequence[Passage], int], Sequence[Passage]]
#: Tells whether sentences answer a question.
Answers = Callable[[str, Sequence[str]], bool]


@dataclass(frozen=True, slots=True)
class _Held:
    """A sentence that was held against the passages.

    Attributes:
        said: it.
        lead: what leads into it, where it is an item of a list.
        before: the sentence that it is understood by, where there is one.
        judgement: of all of them.
    """

    said: Said
    lead: Said | None
    before: str
    judgement: Judgement


@dataclass(slots=True)
class WrittenAnswer:
    """One question in the hands of a language model.

    Args:
        builder: of the answer.
        dialogue: with the model.
        verifier: gives what holds sentences against passages, which is loaded then.
        answers: tells whether those that are left answer, where the first is not among them.
        look_up: finds passages for some words, besides those that there are, for so much room.
        place: says where a passage stands.
        timer: told of `model`, the time that it is waited for, and `prove`.
        kind: of the answer, unless a list comes of it.
        keep: whether to show what is neither confirmed nor contradicted, as such.

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
    verifier: Callable[[], Verifier]
    answers: Answers
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
    _said: dict[str, None] = field(default_factory=dict)
    _open: list[_Held] = field(default_factory=list)
    _wanted: list[str] = field(default_factory=list)

    def read(
        self, prompt: str, question: str, found: Sequence[Passage], **others: object
    ) -> Generator[SentenceReady | Decided | LookedAgain, None, Outcome]:
        """Let the model read and write.

        Args:
            prompt: with places for the passages, the question and the others.
            question: that is asked.
            found: the passages.
            others: by the names of their places.

        Returns:
            What came of it. Where nothing was shown nothing was decided either.
        """
        self.passages += found
        self._question = question
        if not found:
            return "declined"
        corrections: list[Correction | None] = []
        try:
            shown = self.shown(found)
            yield from self._reply(prompt.format(passages=shown, question=question, **others))
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
        if self._open:
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
        task = prompts.MORE_PART if self._said else prompts.MORE_NOTHING
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
        before = next(reversed(self._said), "") if _LEANS.match(said.text) else ""
        self._said[said.text] = None
        held = _Held(said, lead, before, self._judge(said, lead, before))
        if held.judgement.supported and (self.kind == "overview" or not self._open):
            yield from self._show(held)
        else:
            self._open.append(held)

    def _judge(self, said: Said, lead: Said | None, before: str) -> Judgement:
        judgement = self.verifier().prove(
            _claim(said, lead), self._told(before), self._named(said, lead), self.passages
        )
        self.timer.lap("prove")
        return judgement

    def _told(self, before: str) -> str:
        """What is said already: the question, and the sentence before."""
        return f"{self._question} {before}".strip()

    def _named(self, *said: Said | None) -> list[Passage]:
        numbers = {number for one in said if one for number in one.named}
        return [passage for passage in self.passages if passage.number in numbers]

    def _show(self, held: _Held) -> Iterator[SentenceReady | Decided]:
        if not self._decided:
            self._decided = True
            yield Decided("answered", None, self.kind)
        said, lead, judgement = held.said, held.lead, held.judgement
        keep = self.keep and judgement.finding == "unconfirmed"
        if lead and lead.text not in self._said and (keep or judgement.supported):
            self._said[lead.text] = None
            yield from self.builder.judged(lead.text, judgement, keep)
        yield from self.builder.judged(said.text, judgement, keep, item=said.item)

    def _send_back(self) -> list[Correction | None]:
        """Give back once what nothing supports.

        Returns:
            What the model makes of each; None where it says nothing of it.
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

    def _show_open(
        self, corrections: Sequence[Correction | None]
    ) -> Iterator[SentenceReady | Decided]:
        """Show what waited, and what is supported now, in the order in which it was written. Where
        the first sentence is not among it, the rest has to answer by itself; of an overview each
        sentence does."""
        corrected = iter(corrections)
        settled: list[tuple[_Held, list[_Held]]] = []
        for held in self._open:
            done = held.judgement.supported
            settled.append((held, [held] if done else self._settled(held, next(corrected, None))))
        left = [o.said.text for _, found in settled for o in found if o.judgement.supported]
        begins = self._decided or self.kind == "overview" or self._is_shown(settled[0][1])
        if not self._decided and not (left and (begins or self.answers(self._question, left))):
            self.builder.dropped = len(self._failed)
            return
        if not begins and not self.missing:
            self.missing = [self._question]
        gone: set[str] = set()
        for held, found in settled:
            if held.before in gone:  # it cannot be understood without that
                found = [replace(one, judgement=NOTHING_FOUND) for one in found]
            if found and not self._is_shown(found):
                gone.add(held.said.text)
            for one in found:
                yield from self._show(one)

    def _is_shown(self, found: Sequence[_Held]) -> bool:
        wanted = ("supported", "unconfirmed") if self.keep else ("supported",)
        return any(one.judgement.finding in wanted for one in found)

    def _settled(self, held: _Held, correction: Correction | None) -> list[_Held]:
        """What becomes of a sentence that went back; nothing where it is said elsewhere."""
        if isinstance(correction, Withdrawn):
            if not _NOTHING.match(correction.missing):
                self.missing = [*self.missing, correction.missing]
            return [replace(held, judgement=NOTHING_FOUND)]
        if isinstance(correction, Quoted):
            quoted = self._named(Said("", correction.named)) or self.passages
            judgement = self.verifier().confirm(
                _claim(held.said, held.lead), self._told(held.before), correction.words, quoted
            )
            self.timer.lap("prove")
            return [replace(held, judgement=judgement or held.judgement)]
        return self._again(held, correction) if correction else [held]

    def _again(self, held: _Held, said: Said) -> list[_Held]:
        """What the model wrote for a sentence that went back, sentence by sentence."""
        spans = sentence_spans(said.text, 0, len(said.text))
        parts = [Said(said.text[a:b], said.named, held.said.item) for a, b in spans]
        if len(parts) > 1 and _is_opening(parts[0].text):
            parts[:2] = [_together(*parts[:2])]
        there = [sentence.text for sentence in self.builder.sentences]
        if self._decided or held is not self._open[0]:  # the first waits for no other
            there += [waiting.said.text for waiting in self._open if waiting.judgement.supported]
        new = [part for part in parts if not any(_repeats(part.text, text) for text in there)]
        return [
            replace(held, said=part, judgement=self._judge(part, held.lead, held.before))
            for part in new
        ]

    @property
    def _failed(self) -> list[_Held]:
        return [held for held in self._open if not held.judgement.supported]

    @property
    def foreign(self) -> bool:
        """Whether what nothing supports is in another language than the passages."""
        return any(map(self._is_foreign, self._failed))

    def _is_foreign(self, held: _Held) -> bool:
        told = told_language(held.said.text)
        passages = self._named(held.said, held.lead) or self.passages
        return told not in {None, *(p.language for own in passages for p in own.paragraphs)}

    def _reason(self, held: _Held) -> str:
        if self._is_foreign(held):
            return prompts.REASONS["language"]
        kinds: list[str] = sorted(held.judgement.conflicts)
        return "; ".join(prompts.REASONS[kind] for kind in kinds or [""])


def _is_opening(text: str) -> bool:
    return len(content_stems(text)) < SUBSTANCE


def _claim(said: Said, lead: Said | None) -> str:
    return f"{lead.text} {said.text}" if lead else said.text


def _repeats(text: str, other: str) -> bool:
    """Whether a sentence says nothing but what another one says."""
    return (
        content_stems(text) <= content_stems(other)
        and facts_of(text).numbers <= facts_of(other).numbers
        and not other_symbols(facts_of(text), facts_of(other))
        and negations(text) == negations(other)
    )


def _together(opening: Said, said: Said) -> Said:
    named = tuple(dict.fromkeys((*opening.named, *said.named)))
    return Said(f"{opening.text} {said.text}", named, said.item)

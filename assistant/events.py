"""The events of an answer as it comes, and how long each of its stages takes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

from assistant.answer import Answer, AnswerKind, AnswerSentence, Citation
from assistant.calibration import Status


@dataclass(frozen=True, slots=True)
class SourcesFound:
    """The paragraphs that the answer will be made from, best first, before any of it is there.

    Each quotes its nearest sentence, with marker 0. `standalone`: the question as understood.
    `passages`: how many a language model reads; `model`: its name. 0 and "" where none does.
    """

    standalone: str
    sources: tuple[Citation, ...]
    passages: int = 0
    model: str = ""


@dataclass(frozen=True, slots=True)
class LookedAgain:
    """The language model does not find it, or not all of it, in what it has read: it has these
    looked up too, and reads on."""

    searches: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Decided:
    """Whether the sentences that follow are an answer, or of passages that may answer; or that none
    follow. `kind` is the answer's."""

    status: Status
    confidence: float | None
    kind: AnswerKind = "fact"


@dataclass(frozen=True, slots=True)
class SentenceReady:
    """The next sentence of the answer, checked, and the citations that it is the first to use."""

    sentence: AnswerSentence
    citations: tuple[Citation, ...]


@dataclass(frozen=True, slots=True)
class Done:
    """The whole answer; the last event. It holds every sentence that was streamed, in order."""

    answer: Answer


#: What `Assistant.stream` yields, in this order: one SourcesFound, at most two LookedAgain, one
#: Decided, any number of SentenceReady, one Done. A LookedAgain may also come after sentences,
#: where a part of what was asked is still to be found.
Event = SourcesFound | LookedAgain | Decided | SentenceReady | Done


class Timer:
    """Milliseconds by stage, and their `total`; a stage that comes again adds to what it took."""

    def __init__(self) -> None:
        self.laps: dict[str, float] = {}
        self._started = self._last = time.perf_counter()

    def lap(self, stage: str) -> None:
        """The stage ends now; it began where the last one ended."""
        now = time.perf_counter()
        self.laps[stage] = self.laps.get(stage, 0.0) + (now - self._last) * 1000
        self.laps["total"] = (now - self._started) * 1000
        self._last = now


def last_answer(events: Iterator[Event]) -> Answer:
    """The whole answer at the end of a stream."""
    for event in events:
        if isinstance(event, Done):
            return event.answer
    raise AssertionError("a stream ends with Done")

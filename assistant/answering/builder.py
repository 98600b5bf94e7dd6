"""One answer in the making: sentences and their citations, numbered in order of appearance."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from assistant.answer import AnswerSentence, Citation, SentenceReady
from assistant.answering.extractive import Quotation
from assistant.llm.client import LanguageModelError
from assistant.verification.attribution import Span
from assistant.verification.verifier import Judgement, Verifier
from index import Paragraph

#: Makes a citation: paragraph, start, end, score, marker.
Cite = Callable[[Paragraph, int, int, float, int], Citation]


@dataclass(slots=True)
class Draft:
    """What has been answered so far.

    Attributes:
        cite: makes a citation.
        sentences, citations: so far.
        dropped: written sentences that were left out.
        note: what went wrong.
    """

    cite: Cite
    sentences: list[AnswerSentence] = field(default_factory=list)
    citations: list[Citation] = field(default_factory=list)
    dropped: int = 0
    note: str | None = None

    def quote(self, quotations: Sequence[Quotation]) -> Iterator[SentenceReady]:
        """Add quotations, but for those that are cited already."""
        for quotation in quotations:
            before = len(self.citations)
            place = (quotation.start, quotation.end)
            marker = self._marker(quotation.paragraph, *place, quotation.candidate.hit.score)
            if len(self.citations) > before:
                text = " ".join(quotation.text.split())
                yield self._add(AnswerSentence(text, "quoted", (marker,)), before)

    def judged(self, text: str, judgement: Judgement, keep: bool) -> SentenceReady | None:
        """Add a sentence that was judged; an unsupported one only if it is to be kept."""
        before = len(self.citations)
        if not judgement.supported:
            reasons = tuple(sorted(judgement.conflicts))
            if not keep:
                self.dropped += 1
                return None
            return self._add(AnswerSentence(text, "unsupported", (), reasons), before)
        markers = [
            self._marker(span.hit.paragraph, *_place(span), span.hit.score)
            for span in judgement.spans
        ]
        return self._add(AnswerSentence(text, "supported", tuple(dict.fromkeys(markers))), before)

    def write(
        self, written: Iterator[str], verifier: Verifier, question: str, keep: bool
    ) -> Iterator[SentenceReady]:
        """Add what a language model writes, each sentence once it is judged. What goes wrong is
        left in `note`."""
        try:
            for text in written:
                ready = self.judged(text, verifier.judge(text, question), keep)
                if ready:
                    yield ready
        except LanguageModelError as error:
            self.note = f"The language model failed: {error}. The documents are quoted instead."
        else:
            if not self.supported:
                self.note = (
                    "The documents support nothing of what the language model wrote. "
                    "They are quoted instead."
                )

    @property
    def supported(self) -> bool:
        """Whether a sentence of it is supported or quoted."""
        return any(sentence.verdict != "unsupported" for sentence in self.sentences)

    def _marker(self, paragraph: Paragraph, start: int, end: int, score: float) -> int:
        for citation in self.citations:
            if citation.paragraph.id == paragraph.id and (citation.start, citation.end) == (
                start,
                end,
            ):
                return citation.marker
        self.citations.append(self.cite(paragraph, start, end, score, len(self.citations) + 1))
        return len(self.citations)

    def _add(self, sentence: AnswerSentence, before: int) -> SentenceReady:
        self.sentences.append(sentence)
        return SentenceReady(sentence, tuple(self.citations[before:]))


def _place(span: Span) -> tuple[int, int]:
    sentences = span.hit.paragraph.sentences
    return sentences[span.first].start, sentences[span.last].end


class Clock:
    """Milliseconds by stage; a stage that comes again adds to what it took."""

    def __init__(self) -> None:
        self.laps: dict[str, float] = {}
        self._started = self._last = time.perf_counter()

    def lap(self, stage: str) -> None:
        """The stage ends now; it began where the last one ended."""
        now = time.perf_counter()
        self.laps[stage] = self.laps.get(stage, 0.0) + (now - self._last) * 1000
        self.laps["total"] = (now - self._started) * 1000
        self._last = now

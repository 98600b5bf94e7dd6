"""Builds answers: sentences, and citations numbered in order of appearance."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from assistant.answer import Answer, AnswerSentence, Citation, Writing
from assistant.answering.decision import Decision
from assistant.answering.quoting import Quotation
from assistant.events import SentenceReady
from assistant.places import link_to
from assistant.query.question import Question
from assistant.verification.verifier import Judgement
from index import DocumentInfo, Hit, Paragraph, View
from index.models import Rectangle


class Citer:
    """Makes citations; it knows the documents by their ids."""

    def __init__(self, index: View) -> None:
        self._index = index
        self._infos: dict[str, DocumentInfo] = {}

    @property
    def revision(self) -> str:
        """Of what is cited."""
        return self._index.revision

    def info(self, paragraph: Paragraph) -> DocumentInfo:
        """The document that it stands in."""
        if paragraph.document_id not in self._infos:
            self._infos = {info.id: info for info in self._index.documents()}
        return self._infos[paragraph.document_id]

    def cite(
        self, paragraph: Paragraph, start: int, end: int, score: float, marker: int
    ) -> Citation:
        """The citation of `start:end` (offsets in the document) of a paragraph."""
        info = self.info(paragraph)
        return Citation(
            marker=marker,
            paragraph=paragraph,
            source=info.source,
            title=info.title,
            start=start,
            end=end,
            quote=paragraph.text[start - paragraph.start : end - paragraph.start],
            score=score,
            rectangles=self._rectangles(paragraph, start, end),
            introduction=paragraph.introduction,
            link=link_to(info.metadata.link, paragraph.heading),
        )

    def _rectangles(self, paragraph: Paragraph, start: int, end: int) -> tuple[Rectangle, ...]:
        if paragraph.page is None:
            return ()
        boxes = self._index.boxes(paragraph.document_id)
        return boxes.lines(start, end) if boxes else ()

    def nearest(self, hits: Sequence[Hit]) -> tuple[Citation, ...]:
        """These paragraphs, each quoting the sentence nearest to what was looked up, with marker
        0."""
        nearest = ((hit, hit.paragraph.sentences[hit.nearest]) for hit in hits)
        return tuple(self.cite(hit.paragraph, s.start, s.end, hit.score, 0) for hit, s in nearest)

    def closest(self, quotations: Sequence[Quotation]) -> tuple[Citation, ...]:
        """These quotations, with marker 0."""
        return tuple(
            self.cite(q.paragraph, q.start, q.end, q.candidate.hit.score, marker=0)
            for q in quotations
        )


@dataclass(slots=True)
class AnswerBuilder:
    """One answer in the making.

    Attributes:
        citer: makes its citations.
        sentences, citations: so far.
        dropped: written sentences that were left out.
        note: what went wrong, or does not fit what was asked.
        writing: what a language model had to do with it.
        missing: what of the question that says the documents do not have.
    """

    citer: Citer
    sentences: list[AnswerSentence] = field(default_factory=list)
    citations: list[Citation] = field(default_factory=list)
    dropped: int = 0
    note: str | None = None
    writing: Writing | None = None
    missing: Sequence[str] = ()

    def quote(self, quotations: Sequence[Quotation]) -> Iterator[SentenceReady]:
        """Add quotations, but for those that are cited already."""
        for quotation in quotations:
            before = len(self.citations)
            place = (quotation.start, quotation.end)
            marker = self._marker(quotation.paragraph, *place, quotation.candidate.hit.score)
            if len(self.citations) > before:
                text = " ".join(quotation.text.split())
                sentence = AnswerSentence(
                    text, "quoted", (marker,), item=quotation.item, about=quotation.about
                )
                yield self._add(sentence, before)

    def judged(
        self, text: str, judgement: Judgement, keep: bool, item: bool = False
    ) -> Iterator[SentenceReady]:
        """Add a sentence that was judged; one without support only if it is to be kept."""
        before = len(self.citations)
        if not judgement.supported and not keep:
            self.dropped += 1
            return
        reasons = () if judgement.supported else tuple(sorted(judgement.conflicts))
        markers = [
            self._marker(run.hit.paragraph, run.start, run.end, run.hit.score)
            for run in judgement.spans
        ]
        markers = list(dict.fromkeys(markers))
        sentence = AnswerSentence(text, judgement.finding, tuple(markers), reasons, item)
        yield self._add(sentence, before)

    def say(self, texts: Sequence[str]) -> Iterator[SentenceReady]:
        """Add what the assistant says of itself."""
        for text in texts:
            yield self._add(AnswerSentence(text, "own", ()), len(self.citations))

    def answer(
        self,
        question: Question,
        decision: Decision,
        closest: tuple[Citation, ...],
        timings_ms: dict[str, float],
        context: str = "",
    ) -> Answer:
        """The answer as it is now.

        Args:
            question: what was asked.
            decision: what was decided about it.
            closest: the nearest paragraphs, or the next passages; see `Answer.closest`.
            timings_ms: milliseconds by stage.
            context: the question before it, where it leans on that.
        """
        return Answer(
            question=question.asked,
            standalone_question=question.standalone,
            context=context,
            sentences=tuple(self.sentences),
            citations=tuple(self.citations),
            status=decision.status,
            confidence=decision.confidence,
            closest=closest,
            unanswered=(*decision.unanswered, *self.missing),
            undecided=decision.undecided,
            kind=decision.kind,
            dropped=self.dropped,
            note=self.note,
            writing=self.writing,
            revision=self.citer.revision,
            timings_ms=timings_ms,
        )

    def _marker(self, paragraph: Paragraph, start: int, end: int, score: float) -> int:
        for citation in self.citations:
            if (citation.paragraph.id, citation.start, citation.end) == (paragraph.id, start, end):
                return citation.marker
        marker = len(self.citations) + 1
        self.citations.append(self.citer.cite(paragraph, start, end, score, marker))
        return marker

    def _add(self, sentence: AnswerSentence, before: int) -> SentenceReady:
        self.sentences.append(sentence)
        return SentenceReady(sentence, tuple(self.citations[before:]))

"""Gold evidence as spans of documents.

Sets give evidence as quotes, exact places, or passages that answer. Here each becomes what the
metrics work on: spans (document, start, end) for citations, and units for retrieval. A unit is
what is retrieved and judged: a paragraph, or, in a set of passages, a passage.
"""

from __future__ import annotations

import re
import string
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from evals.datasets.models import Question, QuestionSet
from index import Document, Paragraph
from index.errors import QuestionSetError
from index.readers.markdown import read_markdown


@dataclass(frozen=True, slots=True)
class TextSpan:
    """Characters of a document: `text[start:end]` of the one whose id is `document`."""

    document: str
    start: int
    end: int

    @classmethod
    def of(cls, paragraph: Paragraph) -> TextSpan:
        """All of a paragraph."""
        return TextSpan(paragraph.document_id, paragraph.start, paragraph.end)

    def overlaps(self, other: TextSpan) -> bool:
        """Whether they share a character."""
        return self.document == other.document and self.start < other.end and other.start < self.end

    def is_above(self, paragraph: Paragraph) -> bool:
        """Whether it shares a character with what leads into a paragraph, and is shown with it."""
        lead = paragraph.lead
        return lead is not None and self.overlaps(
            TextSpan(paragraph.document_id, lead.start, lead.end)
        )

    def overlaps_any(self, others: Iterable[TextSpan]) -> bool:
        """Whether it shares a character with one of them."""
        return any(self.overlaps(other) for other in others)


@dataclass(frozen=True, slots=True)
class Gold:
    """The gold of one question.

    Attributes:
        evidence: all items are needed; of an item any one span will do.
        also_supports: spans that support the answer without being needed.
        units: what retrieval should find one of.
        sentences: whether the evidence is given by sentences or closer, not by whole passages.
    """

    evidence: tuple[tuple[TextSpan, ...], ...] = ()
    also_supports: tuple[TextSpan, ...] = ()
    units: tuple[str, ...] = ()
    sentences: bool = True

    @property
    def spans(self) -> list[TextSpan]:
        """The spans of all items of the evidence, in order."""
        return [span for item in self.evidence for span in item]


def is_asked_of(question: Question, document: Document) -> bool:
    """Whether a question is asked of this document."""
    return not question.document or Path(document.source).name == question.document


class GoldFinder:
    """Finds the gold of a set's questions in the documents that are asked.

    Args:
        questions: the set.
        documents: the documents that are asked; the set's own where it has any.
    """

    def __init__(self, questions: QuestionSet, documents: Sequence[Document]) -> None:
        #: The set's name.
        self.name = questions.name
        #: Whether units are passages, not paragraphs.
        self.by_passage = questions.format != "native"
        #: The documents by id.
        self.documents = {document.id: document for document in documents}
        # A text that stands in several places is found once, where it stands first.
        first: dict[str, str] = {}
        self._same = {own.id: first.setdefault(own.hash, own.id) for own in documents}

    def unit(self, paragraph: Paragraph) -> str:
        """The unit that a paragraph is, or is a part of."""
        if self.by_passage:
            return self._same[paragraph.document_id]
        return paragraph.id

    def text(self, span: TextSpan) -> str:
        """The characters of a span."""
        return self.documents[span.document].text[span.start : span.end]

    def asked_of(self, question: Question) -> list[Document]:
        """The documents that a question is asked of; none where the one it names is not given."""
        every = list(self.documents.values())
        return [own for own in every if is_asked_of(question, own)] if question.document else every

    def find(self, question: Question) -> Gold:
        """The gold of a question.

        Raises:
            QuestionSetError: a quote is in none of the documents; names the question and the quote.
        """
        if not question.answerable:
            return Gold()
        also = tuple(p for quote in question.also_supports for p in self._quoted(question, quote))
        if question.gold:
            whole = [TextSpan(own, 0, len(self.documents[own].text)) for own in question.gold]
            exact = [TextSpan(*span) for span in question.spans] or list(self._answers(question))
            units = tuple(dict.fromkeys(self._same[own] for own in question.gold))
            return Gold((tuple(exact or whole),), also, units, bool(exact))
        evidence = tuple(self._evidence(question, item) for item in question.evidence)
        found = [self._units(item) for item in evidence]
        if not all(found):
            raise QuestionSetError(
                f"{self.name}: the evidence of {question.id} stands in no paragraph, and in no "
                f"heading above one: {question.evidence!r}. Quote what a paragraph says."
            )
        return Gold(evidence, also, tuple(dict.fromkeys(chain(*found))))

    def _evidence(self, question: Question, item: Sequence[str]) -> tuple[TextSpan, ...]:
        """Where alternative quotes stand. Of what stands only in a heading, which is not retrieved
        and not cited, the paragraphs below that heading."""
        spans = [span for quote in item for span in self._quoted(question, quote)]
        if not self._units(spans):
            spans = [below for span in spans for below in self._below(span)]
        return tuple(spans)

    def _below(self, heading: TextSpan) -> Iterator[TextSpan]:
        """The paragraphs below the heading that a span is of; none where it is of no heading."""
        document = self.documents[heading.document]
        after = [p for p in document.paragraphs if p.start >= heading.end]
        quote = normalised(document.text[heading.start : heading.end])
        path = after[0].heading if after and quote else ()
        texts = [normalised(text) for text in path]
        while texts and quote not in texts[-1] and texts[-1] not in quote:
            texts.pop()
        own = path[: len(texts)]
        for paragraph in after if own else ():
            if paragraph.heading[: len(own)] != own:
                break
            yield TextSpan.of(paragraph)

    def _quoted(self, question: Question, quote: str) -> list[TextSpan]:
        spans = places_of(quote, self.asked_of(question))
        if not spans:
            raise QuestionSetError(
                f"{self.name}: the evidence of {question.id} is in none of the documents: "
                f"{quote!r}. Give the right --source, or correct the quote."
            )
        return spans

    def _answers(self, question: Question) -> Iterator[TextSpan]:
        """Where the short answers stand in the gold passages, whatever their case."""
        for identity in question.gold:
            for answer in filter(str.strip, question.answers):
                text = self.documents[identity].text
                for found in re.finditer(re.escape(answer), text, re.IGNORECASE):
                    yield TextSpan(identity, *found.span())

    def _units(self, spans: Sequence[TextSpan]) -> tuple[str, ...]:
        """The paragraphs that hold a part of any of the spans, or that one of these leads into;
        alternatives, each once."""
        units = [
            paragraph.id
            for span in spans
            for paragraph in self.documents[span.document].paragraphs
            if span.overlaps(TextSpan.of(paragraph)) or span.is_above(paragraph)
        ]
        return tuple(dict.fromkeys(units))


_TARGET = re.compile(r"\](?:\((?!#)[^()\s]*(?:\s+\"[^\"]*\")?\)|\[[^\[\]]*\])")
_CELL = re.compile(r"</t[dh]>\s*<t[dh]\b[^<>]*>")
_MARKER = re.compile(r"^[ \t]*(?:(?:\d{1,3}[.)]|[-*+>#]+)[ \t]+)?", re.MULTILINE)
_WORD = re.compile(r"[^\W_]+")
_APART = r"[\W_]+(?:\d{1,3}[.)]\s+)?"


def places_of(quote: str, documents: Iterable[Document]) -> list[TextSpan]:
    """Where documents have a quote: exactly, or where none has it so, without its marks."""
    asked = list(documents)
    for pattern in patterns_of(quote):
        spans = [
            TextSpan(document.id, *found.span())
            for document in asked
            for found in re.finditer(pattern, document.text)
            if found[0]
        ]
        if spans:
            return spans
    return []


def patterns_of(quote: str) -> Iterator[str]:
    """Patterns that find a quote in a text, the stricter first: exactly, or without its marks."""
    yield re.escape(quote)
    yield _unmarked(quote)


def _unmarked(quote: str) -> str:
    """A pattern that finds in a text as it is read what a quote says that was taken from a Markdown
    or HTML file as it stands: its words in their order, whatever marks stand between them; those of
    a row of a table with the names of their columns."""
    quote = _CELL.sub(" | ", _TARGET.sub("]", _MARKER.sub("", quote)))
    shown = read_markdown(quote).text
    cells = [_WORD.findall(cell) for cell in shown.split("|")]
    said = [_APART.join(map(re.escape, cell)) for cell in cells if cell]
    between = r"[\W_](?:[^\n]*?[\W_])?"
    return rf"(?<![^\W_]){between.join(said)}(?![^\W_])[^\w\s]*" if said else "(?!)"


_ARTICLES = re.compile(r"\b(a|an|the)\b")
_PUNCTUATION = str.maketrans("", "", string.punctuation)


def normalised(text: str) -> str:
    """Lower case, without ASCII punctuation, English articles and more than single spaces, as
    SQuAD's official scorer compares texts (evaluate-v2.0.py, Rajpurkar et al.)."""
    return " ".join(_ARTICLES.sub(" ", text.lower().translate(_PUNCTUATION)).split())

"""Gold evidence as places in documents.

Sets give evidence as quotes, exact places, or passages that answer. Here each becomes what the
metrics work on: places (document, start, end) for citations, and units for retrieval. A unit is
what is retrieved and judged: a paragraph, or, in a set of passages, a passage.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from evals.datasets.models import Question, QuestionSet
from index import Document, Paragraph
from index.errors import QuestionSetError


@dataclass(frozen=True, slots=True)
class Place:
    """Characters of a document: `document.text[start:end]`, the document told by its id."""

    document: str
    start: int
    end: int

    def overlaps(self, other: Place) -> bool:
        """Whether they share a character."""
        return self.document == other.document and self.start < other.end and other.start < self.end


@dataclass(frozen=True, slots=True)
class Relevant:
    """Units any one of which will do, with their grade of relevance (1 or more)."""

    units: tuple[str, ...]
    grade: int = 1


@dataclass(frozen=True, slots=True)
class Gold:
    """The gold of one question.

    Attributes:
        evidence: all items are needed; of an item any one place will do.
        also: places that support the answer without being needed.
        relevant: what retrieval should find; the same of its units.
        sentences: whether the evidence is told to the sentence or closer, not by whole passages.
    """

    evidence: tuple[tuple[Place, ...], ...]
    also: tuple[Place, ...]
    relevant: tuple[Relevant, ...]
    sentences: bool


class GoldFinder:
    """Finds the gold of a set's questions in the documents that are asked.

    Args:
        questions: the set.
        documents: the documents that are asked; the set's own where it has any.
    """

    def __init__(self, questions: QuestionSet, documents: Sequence[Document]) -> None:
        self._name = questions.name
        #: Whether units are passages, not paragraphs.
        self.by_passage = questions.format != "native"
        self._documents = {document.id: document for document in documents}
        # A text that stands in several places is found once, where it stands first.
        first: dict[str, str] = {}
        self._same: dict[str, str] = {}
        for document in documents:
            self._same[document.id] = first.setdefault(document.hash, document.id)

    def unit(self, paragraph: Paragraph) -> str:
        """The unit that a paragraph is, or is a part of."""
        if self.by_passage:
            return self._same[paragraph.document_id]
        return paragraph.id

    def find(self, question: Question) -> Gold:
        """The gold of a question.

        Raises:
            QuestionSetError: a quote is in none of the documents; names the question and the quote.
        """
        evidence = [
            tuple(place for quote in item for place in self._places(question, quote))
            for item in question.evidence
        ]
        also = [p for quote in question.also_supports for p in self._places(question, quote)]
        sentences = bool(evidence)
        if not question.answerable:
            return Gold((), (), (), False)
        relevant = [Relevant(self._units(item)) for item in evidence]
        if question.gold:
            relevant = [
                Relevant((self._same[identity],), grade)
                for identity, grade in question.gold.items()
            ]
            exact = [Place(*span) for span in question.spans] or list(self._answers(question))
            sentences = bool(exact)
            evidence = [tuple(exact or (self._all_of(identity) for identity in question.gold))]
        return Gold(tuple(evidence), tuple(also), tuple(dict.fromkeys(relevant)), sentences)

    def _places(self, question: Question, quote: str) -> list[Place]:
        found = [
            Place(document.id, start, start + len(quote))
            for document in self._documents.values()
            for start in _occurrences(document.text, quote)
        ]
        if not found:
            raise QuestionSetError(
                f"{self._name}: the evidence of {question.id} is in none of the documents: "
                f"{quote!r}. Give the right --source, or correct the quote."
            )
        return found

    def _answers(self, question: Question) -> Iterator[Place]:
        """Where the short answers stand in the gold passages, whatever their case."""
        for identity in question.gold:
            text = self._documents[identity].text
            same = text.lower()
            # Lowering may change the length of a text ("İ"): then only exact answers are found.
            lowers = len(same) == len(text)
            for answer in question.answers:
                if answer.strip():
                    sought = answer.lower() if lowers else answer
                    for start in _occurrences(same if lowers else text, sought):
                        yield Place(identity, start, start + len(answer))

    def _all_of(self, identity: str) -> Place:
        return Place(identity, 0, len(self._documents[identity].text))

    def _units(self, places: Sequence[Place]) -> tuple[str, ...]:
        """The paragraphs that hold a part of any of the places; alternatives, each once."""
        found: dict[str, None] = {}
        for place in places:
            for paragraph in self._documents[place.document].paragraphs:
                own = Place(place.document, paragraph.start, paragraph.end)
                if own.overlaps(place):
                    found.setdefault(paragraph.id)
        return tuple(found)


def _occurrences(text: str, sought: str) -> Iterator[int]:
    start = text.find(sought)
    while start >= 0:
        yield start
        start = text.find(sought, start + 1)

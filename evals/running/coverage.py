"""What is shown to a question, held against its gold: the record of that, with what it has of the
sections that an overview is asked of, and of the items of a list."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal

from assistant.calibration import Status
from evals.datasets.gold import Gold, GoldFinder, TextSpan, normalised
from evals.datasets.models import LISTS, OVERVIEWS, PART, Question
from evals.running.records import Cited, Proof, Record, of_question
from index import Document, Paragraph

#: Paragraphs in reading order.
Section = tuple[Paragraph, ...]

#: A document, and the headings that a part of it stands under.
Part = tuple[str, tuple[str, ...]]

#: Parts that a text has where headings tell it apart: more than what stands before and below one.
_SEVERAL = 3


def record_of(
    question: Question,
    gold: Gold,
    finder: GoldFinder,
    *,
    status: Status | Literal["failed"],
    sentences: Sequence[str],
    proofs: Sequence[Proof],
    cited: Sequence[Cited],
    **told: Any,
) -> Record:
    """The record of what is shown to a question.

    Args:
        question: that was asked.
        gold: of it.
        finder: of the set's gold.
        status, sentences, proofs: as in the record.
        cited: its citations.
        told: the other fields, as far as something tells them: retrieval, confidence, times, what a
            language model did.
    """
    quotes = [[cited[n].quote for n in proof.citations] for proof in proofs]
    items, listed = matched_items(question, quotes)
    sections = sections_of(question, gold, finder.asked_of(question))
    said = " ".join(sentences) if status == "answered" else ""
    return Record(
        set=finder.name,
        gold=gold,
        evidence=tuple(finder.text(item[0]) for item in gold.evidence if item),
        status=status,
        sentences=tuple(sentences),
        in_answer=_evidence_in(said, gold, finder.documents),
        citations=tuple(cited),
        sections=cited_sections(sections, cited),
        items=items,
        listed=listed,
        proofs=tuple(proofs),
        **{"retrieved": None, "confidence": None, "forced": None, **of_question(question), **told},
    )


def sections_of(question: Question, gold: Gold, documents: Sequence[Document]) -> list[Section]:
    """The sections of what an overview is asked of, as far as they have sentences, not tables.

    That is all of the documents, or, where a part is asked for, the smallest part under a heading
    that has all the key sentences. Its sections are told apart by the first headings, as many of
    them as it takes to tell three; where there are not so many, by all.

    Args:
        question: an overview; any other question has no sections.
        gold: of it.
        documents: those that it is asked of.
    """
    if question.kind not in OVERVIEWS or not question.answerable:
        return []
    text = [p for document in documents for p in document.paragraphs if p.kind in ("prose", "list")]
    if question.kind == PART:
        text = _smallest_part(text, gold)
    deepest = max((len(p.heading) for p in text), default=0)
    depth = next((d for d in range(deepest) if len(_divided(text, d)) >= _SEVERAL), deepest)
    return _divided(text, depth)


def cited_sections(sections: Sequence[Section], cited: Iterable[TextSpan]) -> tuple[bool, ...]:
    """Of each section whether a citation lies in it; nothing where there is one section or none."""
    spans = list(cited)
    if len(sections) < 2:
        return ()
    return tuple(any(TextSpan.of(p).overlaps_any(spans) for p in section) for section in sections)


def matched_items(
    question: Question, quotes: Sequence[Sequence[str]]
) -> tuple[tuple[bool, ...], tuple[bool, ...]]:
    """Which items of a list an answer has, and which of its sentences are items.

    A quote and an item match where one holds the other, both normalised (`gold.normalised`). What a
    sentence has is what it cites, so that an answer of sentences and one of items are judged alike.

    Args:
        question: one that asks for a list of several items; any other gives empty tuples.
        quotes: for each sentence that is shown, those that it cites.

    Returns:
        For each item of the evidence, whether it matches a quote; for each sentence that cites,
        whether one of its quotes matches an item.
    """
    if question.kind not in LISTS or not question.answerable or len(question.evidence) < 2:
        return (), ()
    cited = [[_padded(quote) for quote in own] for own in quotes if own]
    items = [[_padded(quote) for quote in item] for item in question.evidence]

    def match(item: Sequence[str], own: Sequence[str]) -> bool:
        return any(a in b or b in a for a in item for b in own if a.strip() and b.strip())

    return (
        tuple(any(match(item, own) for own in cited) for item in items),
        tuple(any(match(item, own) for item in items) for own in cited),
    )


def _evidence_in(text: str, gold: Gold, documents: Mapping[str, Document]) -> tuple[bool, ...]:
    """For each item of the evidence, whether a sentence of it stands in the text of an answer, ""
    where it is none; empty where the evidence is given by whole passages."""
    if not gold.sentences:
        return ()
    inside = _padded(text) if text else ""
    return tuple(
        any(
            _padded(sentence) in inside
            for span in item
            for sentence in _sentences(documents[span.document], span)
        )
        for item in gold.evidence
    )


def _sentences(document: Document, span: TextSpan) -> Iterator[str]:
    for paragraph in document.paragraphs:
        for sentence in paragraph.sentences:
            if span.overlaps(TextSpan(span.document, sentence.start, sentence.end)):
                yield sentence.text


def _padded(quote: str) -> str:
    """Normalised, between spaces: only whole words are held by another text."""
    return f" {normalised(quote)} "


def _smallest_part(text: Sequence[Paragraph], gold: Gold) -> list[Paragraph]:
    """What stands under the most headings that every item of the evidence stands under."""
    above = [
        {part for p in text if TextSpan.of(p).overlaps_any(item) for part in _parts(p)}
        for item in gold.evidence
    ]
    shared = set.intersection(*above)
    parts = (own for p in text for own in _parts(p) if own in shared)
    part = max(parts, key=lambda own: len(own[1]), default=None)
    return [p for p in text if part is None or part in _parts(p)]


def _parts(paragraph: Paragraph) -> list[Part]:
    """What it is a part of, the whole document first."""
    heading = paragraph.heading
    return [(paragraph.document_id, heading[:depth]) for depth in range(len(heading) + 1)]


def _divided(text: Sequence[Paragraph], depth: int) -> list[Section]:
    found: dict[Part, list[Paragraph]] = {}
    for paragraph in text:
        key = (paragraph.document_id, paragraph.heading[:depth])
        found.setdefault(key, []).append(paragraph)
    return [tuple(own) for own in found.values()]

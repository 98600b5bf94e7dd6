"""Arranges the sentences that answer as the question asks for them: a list of its items, what is
said of each of two things, or sentences in the documents' order."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import takewhile

from assistant.answer import AnswerKind
from assistant.answering.quoting import JOIN, Quotation, choose, quote
from assistant.query.english import content_stems
from assistant.query.enumerations import Enumeration, numbered, series
from assistant.query.kinds import number_of
from assistant.query.question import Question
from assistant.retrieval.evidence import Candidate, Evidence, unscored
from assistant.retrieval.passages import WHOLE
from index import Document, Paragraph
from index.models import ENGLISH

#: Sentences that are quoted of each thing that is compared, and items of a list. Not tuned.
EACH, ITEMS = 2, 30

#: Characters that may stand between the last item of a list and the end of its sentence.
CLOSING = 3

_BULLET = re.compile(r"(?:[-*+\u2022]|\(?(?:\d{1,3}|[a-z])[.)])\s+(?=\S)")
_PROVISION = re.compile(r"\(\w{1,4}\)\s")
_COLON = re.compile(r":[\"'\u201d\u2019)\]*_]*\s*$")


@dataclass(frozen=True, slots=True)
class Arranged:
    """An answer as it is shown.

    Attributes:
        kind: of the answer.
        quotations: in the order in which they are shown.
        note: what does not fit what was asked; None where all does.
    """

    kind: AnswerKind
    quotations: tuple[Quotation, ...]
    note: str | None = None


def arrange(
    question: Question,
    evidence: Evidence,
    answering: Sequence[Candidate],
    items: Sequence[Quotation],
    document: Callable[[str], Document],
) -> Arranged:
    """Arrange the sentences that answer a question.

    Args:
        question: as it was understood.
        evidence: what was found.
        answering: the sentences.
        items: of a list that it asks for; see `list_items`.
        document: gives one by its id.
    """
    kind = question.kind
    chosen = list(answering)
    if question.more:  # only what would have joined an answer is more of it
        chosen = [candidate for candidate in chosen if candidate.probability >= JOIN]
    quotations = quote(chosen, question.said if question.more else ())
    if kind == "source":
        return Arranged("where", tuple(quotations))
    if kind == "comparison" and (beside := _beside(evidence, answering)):
        return Arranged(kind, tuple(beside))
    if items:
        return Arranged("list", tuple(items), miscounted(question.standalone, items))
    for number, quotation in enumerate(quotations):
        if listed := _listed(quotation, quotations, document):
            others = [o for o in quotations[number + 1 :] if not any(map(o.overlaps, listed))]
            return Arranged("list", (*quotations[:number], *listed, *others))
    if kind == "list" and len(quotations) > 1:
        alone = tuple(replace(quotation, item=True) for quotation in quotations)
        return Arranged(kind, alone, miscounted(question.standalone, alone))
    return Arranged("fact", tuple(_led(quotations, document)))


def _beside(evidence: Evidence, answering: Sequence[Candidate]) -> list[Quotation]:
    """What is said of each of the things that are compared, after what is said of all of them; none
    where nothing is said of two."""
    subjects = _told_apart([part.subject for part, _ in evidence.parts])
    together = _of_one_paragraph(evidence, subjects)

    def alone(chosen: Sequence[Candidate]) -> list[Quotation]:
        """Without neighbours, which may be about the other thing."""
        return quote([replace(candidate, reach=None) for candidate in chosen])

    of_each: list[list[Quotation]] = []
    for part, found in evidence.parts:
        naming = [
            candidate
            for candidate in together or found.candidates
            if _named(candidate, subjects) == [part.subject]
        ]
        chosen = choose(naming, EACH, several=bool(together))
        of_each.append([replace(quotation, about=part.subject) for quotation in alone(chosen)])
    if sum(map(bool, of_each)) < 2:
        return []
    both = [candidate for candidate in answering if len(_named(candidate, subjects)) != 1]
    return [*alone(both), *(quotation for each in of_each for quotation in each)]


def _told_apart(subjects: Sequence[str]) -> dict[str, frozenset[str]]:
    """Of each thing the stems that none of the others has: two saunas are told by their kinds."""
    stems = {subject: content_stems(subject) for subject in subjects}
    return {
        subject: its.difference(*(other for name, other in stems.items() if name != subject))
        for subject, its in stems.items()
    }


def _named(candidate: Candidate, subjects: Mapping[str, frozenset[str]]) -> list[str]:
    """Which of the things a sentence names; where none, which the headings above it name."""
    paragraph, sentence = candidate.hit.paragraph, candidate.sentence
    for text in (sentence.text, " ".join(paragraph.above)):
        stems = content_stems(text)
        if named := [subject for subject, its in subjects.items() if its & stems]:
            return named
    return []


def _of_one_paragraph(
    evidence: Evidence, subjects: Mapping[str, frozenset[str]]
) -> tuple[Candidate, ...]:
    """The sentences of the best paragraph that says something of each thing, if there is one."""
    for hit in evidence.hits:
        candidates = tuple(c for c in evidence.candidates if c.hit.paragraph.id == hit.paragraph.id)
        named = [_named(candidate, subjects) for candidate in candidates]
        if candidates and all([subject] in named for subject in subjects):
            return candidates
    return ()


def list_items(
    question: str, chosen: Sequence[Candidate], document: Callable[[str], Document]
) -> list[Quotation]:
    """The items that one of the sentences, the likeliest first, enumerates, belongs to or follows;
    none where none does."""
    asked = content_stems(question)
    for candidate in chosen:
        paragraph, sentence = candidate.hit.paragraph, candidate.sentence
        if paragraph.kind == "list":
            return _items_around(candidate, document)
        ends = [one.end - paragraph.start for one in paragraph.sentences]
        at = sentence.start - paragraph.start
        for found in numbered(paragraph.text, ends):
            last = found.items[-1][1]
            follows = candidate.number > 0 and last >= ends[candidate.number - 1] - CLOSING
            if found.lead[0] < ends[candidate.number] and (at < last or follows):
                return _quoted(candidate, found, 0)
        if _COLON.search(sentence.text) and (below := _below(whole(candidate), document)):
            return [whole(candidate), *below]
        listed = series(sentence.text, asked) if paragraph.language == ENGLISH else None
        if listed:
            return _quoted(candidate, listed, at)
    return []


def _quoted(candidate: Candidate, found: Enumeration, offset: int) -> list[Quotation]:
    """An enumeration as quotations; its spans are offsets into the paragraph, less `offset`."""
    base = candidate.hit.paragraph.start + offset
    lead, items = found.lead, found.items[:ITEMS]
    introduction = (
        [Quotation(candidate, base + lead[0], base + lead[1])] if lead[1] > lead[0] else []
    )
    return introduction + [Quotation(candidate, base + a, base + b, item=True) for a, b in items]


def _listed(
    quotation: Quotation, quotations: Sequence[Quotation], document: Callable[[str], Document]
) -> list[Quotation]:
    """The list that is to be told with a quotation, or in its place: a colon and its list are one
    thought, whatever was asked; a list that its lead answers is told whole, and so is a short one
    of which some items are quoted. Empty where that is none."""
    if _COLON.search(quotation.text) and (below := _below(quotation, document)):
        return [quotation, *below]
    if quotation.paragraph.kind != "list":
        return []
    hit, listed = quotation.candidate.hit, _items_around(quotation.candidate, document)
    quoted = [own for own in listed if own.item and any(map(own.overlaps, quotations))]
    entire = len(quoted) > 1 and listed[-1].end - listed[0].start <= WHOLE
    return listed if entire or hit.lead_score > max(hit.sentence_scores) else []


def _items_around(candidate: Candidate, document: Callable[[str], Document]) -> list[Quotation]:
    """The items of the list that a sentence belongs to, and the sentence that introduces it."""
    paragraphs = document(candidate.hit.paragraph.document_id).paragraphs
    here = next(
        n
        for n, paragraph in enumerate(paragraphs)
        if paragraph.start == candidate.hit.paragraph.start
    )
    above = takewhile(partial(_go_together, paragraphs[here]), reversed(paragraphs[:here]))
    first = here - len(list(above))
    return [*_lead(paragraphs[here], paragraphs), *_list_from(paragraphs, first)]


def _lead(paragraph: Paragraph, paragraphs: Sequence[Paragraph]) -> list[Quotation]:
    """What leads into a paragraph, where that is a sentence of one of those above it."""
    lead = paragraph.lead
    if lead is None:
        return []
    above = reversed(paragraphs[: paragraph.number - 1])
    return [
        whole(unscored(other, number))
        for other in takewhile(lambda other: other.end > lead.start, above)
        for number, sentence in enumerate(other.sentences)
        if sentence == lead
    ]


def _led(
    quotations: Sequence[Quotation], document: Callable[[str], Document]
) -> Iterator[Quotation]:
    """Quotations, each item of a list, or provision of a law, after what introduces it."""
    for quotation in quotations:
        if _PROVISION.match(quotation.text):
            before = quotation.paragraph.sentences[: quotation.candidate.number]
            numbers = [n for n, one in enumerate(before) if not _PROVISION.match(one.text)]
            if numbers:
                yield whole(unscored(quotation.paragraph, numbers[-1]))
        if quotation.paragraph.kind == "list":
            paragraphs = document(quotation.paragraph.document_id).paragraphs
            yield from _lead(quotation.paragraph, paragraphs)
        yield quotation


def _below(quotation: Quotation, document: Callable[[str], Document]) -> list[Quotation]:
    """The items of the list that begins after what is quoted; none where none does."""
    paragraph = quotation.paragraph
    if quotation.end < paragraph.sentences[-1].end:
        return []
    paragraphs = document(paragraph.document_id).paragraphs
    after = next((n for n, other in enumerate(paragraphs) if other.start > paragraph.start), None)
    if after is None or paragraphs[after].kind != "list":
        return []
    return _list_from(paragraphs, after)


def _list_from(paragraphs: Sequence[Paragraph], first: int) -> list[Quotation]:
    items: list[Quotation] = []
    for paragraph in takewhile(partial(_go_together, paragraphs[first]), paragraphs[first:]):
        for number, sentence in enumerate(paragraph.sentences):
            candidate = unscored(paragraph, number)
            found = numbered(sentence.text)
            if found:
                items += [
                    quotation
                    for quotation in _quoted(candidate, found[0], sentence.start - paragraph.start)
                    if quotation.item
                ]
            else:
                mark = _BULLET.match(sentence.text)
                start = sentence.start + (len(mark[0]) if mark else 0)
                items.append(Quotation(candidate, start, sentence.end, item=True))
    return items[:ITEMS]


def _go_together(one: Paragraph, other: Paragraph) -> bool:
    return one.kind == other.kind == "list" and one.heading == other.heading


def whole(candidate: Candidate) -> Quotation:
    """A sentence as it stands."""
    return Quotation(candidate, candidate.sentence.start, candidate.sentence.end)


def miscounted(question: str, listed: Sequence[Quotation]) -> str | None:
    """What is said where a question names another number of things than there are."""
    asked, found = number_of(question), sum(quotation.item for quotation in listed)
    if asked is None or asked == found:
        return None
    return f"The question speaks of {asked}; {found} {'is' if found == 1 else 'are'} listed here."

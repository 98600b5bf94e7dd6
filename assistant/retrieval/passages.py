"""The passages that a language model reads: whole paragraphs, each with what it takes to be
understood, numbered from the likeliest on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, zip_longest

from index import Hit, Paragraph, Sentence, View
from index.models import strip_marks

#: Passages that are read of one question at most. On real_dev 30 paragraphs hold all evidence of
#: .85 of the questions, the first 20 of them as the reading model ranks them .85, the first 12 .81.
PASSAGES = 20
#: Passages for each further thing that is looked up; these take nothing away from the others.
EACH = 5
#: Paragraphs that are found and ranked for them.
FOUND = 30
#: Characters below which a paragraph comes with its neighbours, and up to which a list is whole.
#: Not tuned.
SHORT, WHOLE = 300, 1200
#: Paragraphs on each side that are looked at for that.
AROUND = 12


@dataclass(frozen=True, slots=True)
class Passage:
    """Paragraphs of a document that follow each other.

    Attributes:
        number: by which it is named, from 1; 0 as long as it has none.
        paragraphs: in reading order.
        lead: what leads into the first and stands further above.
    """

    number: int
    paragraphs: tuple[Paragraph, ...]
    lead: str = ""

    @property
    def text(self) -> str:
        """What a model reads of it: without marks of HTML, a line a paragraph."""
        texts = [self.lead, *(paragraph.text for paragraph in self.paragraphs)]
        return "\n".join(filter(None, (strip_marks(text).strip() for text in texts)))

    def joins(self, other: Passage) -> bool:
        """Whether paragraphs of the other one stand between its own, or the reverse."""
        one, two = self.paragraphs, other.paragraphs
        return (
            one[0].document_id == two[0].document_id
            and one[0].number <= two[-1].number
            and two[0].number <= one[-1].number
        )

    def joined(self, other: Passage) -> Passage:
        """Both as one, with the number of the first."""
        every = {paragraph.number: paragraph for paragraph in (*self.paragraphs, *other.paragraphs)}
        paragraphs = tuple(every[number] for number in sorted(every))
        first = self if paragraphs[0] in self.paragraphs else other
        return replace(self, paragraphs=paragraphs, lead=first.lead)


def passages_of(
    view: View,
    found_for: Sequence[Sequence[Hit]],
    known: Sequence[Passage],
    most: int,
    room: int,
    label: Callable[[Passage], str],
) -> list[Passage]:
    """The passages of paragraphs that were found, each paragraph in one of them.

    Args:
        view: of the index in which they were found.
        found_for: the paragraphs that were found for each of several things, best first; they take
            turns.
        known: passages that were read already; what is in them is left out.
        most: how many passages at most.
        room: characters that there are for them, with their labels; at least one is given.
        label: what stands before one.

    Returns:
        The best first, numbered after those that are known.
    """
    seen = {position_of(paragraph) for passage in known for paragraph in passage.paragraphs}
    found: list[Passage] = []
    for hit in (hit for turn in zip_longest(*found_for) for hit in turn if hit):
        if position_of(hit.paragraph) in seen:
            continue
        new = _passage(view, hit.paragraph)
        new = replace(
            new, paragraphs=tuple(p for p in new.paragraphs if position_of(p) not in seen)
        )
        beside = next((passage for passage in found if passage.joins(new)), None)
        if beside is None and len(found) == most:
            break
        trial = beside.joined(new) if beside else new
        room -= len(trial.text) - (len(beside.text) if beside else -len(label(new)))
        if room < 0 and found:
            break
        if beside:
            found[found.index(beside)] = trial
        else:
            found.append(trial)
        seen.update(map(position_of, new.paragraphs))
    first = len(known) + 1
    return [replace(passage, number=number) for number, passage in enumerate(found, start=first)]


def sections_of(paragraphs: Sequence[Paragraph]) -> list[Passage]:
    """A text in passages: what follows each other under the same headings, cut where it is long."""
    found: list[Passage] = []
    for _, section in groupby(paragraphs, lambda p: (p.document_id, p.heading)):
        part: list[Paragraph] = []
        for paragraph in section:
            if part and _size([*part, paragraph]) > WHOLE:
                found.append(Passage(0, tuple(part)))
                part = []
            part.append(paragraph)
        found.append(Passage(0, tuple(part)))
    return [replace(passage, number=number) for number, passage in enumerate(found, start=1)]


def position_of(paragraph: Paragraph) -> tuple[str, int]:
    """The document and the number of a paragraph: the same text may stand in several places."""
    return paragraph.document_id, paragraph.number


def _passage(view: View, paragraph: Paragraph) -> Passage:
    """A paragraph with what it takes to be understood."""
    around = view.paragraphs(
        paragraph.document_id, paragraph.number - AROUND, paragraph.number + AROUND
    )
    here = next(n for n, other in enumerate(around) if other.number == paragraph.number)
    first, last, lead = here, here, paragraph.lead
    if paragraph.kind == "prose":
        while (
            last + 1 < len(around)
            and _leads(paragraph, around[last + 1].lead)
            and _size(around[first : last + 2]) <= WHOLE
        ):
            last += 1
    else:
        # A list or a table, or what of it is near.
        while first > 0 and _same(around[first - 1], paragraph):
            first -= 1
        while last + 1 < len(around) and _same(around[last + 1], paragraph):
            last += 1
        if _size(around[first : last + 1]) > WHOLE:
            if paragraph.kind == "lines" and lead is None and first < here:
                lead = around[first].sentences[0]
            first = last = here
    if first > 0 and _leads(around[first - 1], lead):
        first -= _size(around[first - 1 : last + 1]) <= WHOLE
    while _size(around[first : last + 1]) < SHORT:
        if last + 1 < len(around) and around[last + 1].heading == paragraph.heading:
            last += 1
        elif first > 0 and around[first - 1].heading == paragraph.heading:
            first -= 1
        else:
            break
    is_above = lead is not None and lead.start < around[first].start
    return Passage(0, tuple(around[first : last + 1]), lead.text if lead and is_above else "")


def _same(one: Paragraph, other: Paragraph) -> bool:
    return one.kind == other.kind and one.heading == other.heading


def _leads(above: Paragraph, lead: Sentence | None) -> bool:
    return lead is not None and above.start <= lead.start < above.end


def _size(paragraphs: Sequence[Paragraph]) -> int:
    return sum(len(paragraph.text) for paragraph in paragraphs)

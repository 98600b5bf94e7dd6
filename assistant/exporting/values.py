"""What is exported, as it is shown: answers with their footnotes, and the works that they cite.

All are frozen. Every text in them is data, whoever wrote it: each format shows it as it is. What no
file takes (control characters, halves of characters) is left out there; see `wording.one_line`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from index.models import NO_METADATA, DocumentMetadata

#: What exports speak; what they quote is in its own.
Language = Literal["en", "de"]

#: As `Answer.status`, but for passages that may answer, of which their reader has said which do:
#: `chosen` are those that do, `dismissed` are all. Of a question that got none: `failed`, or
#: `stopped` by who asked.
ExportStatus = Literal["answered", "unsure", "chosen", "dismissed", "refused", "failed", "stopped"]

#: Why a quote does not stand: its paragraph reads otherwise now; that is gone as well; the document
#: is not there to be looked into.
Lapse = Literal["changed", "gone", "missing"]

#: How addresses begin that become links.
LINKED = ("http://", "https://", "obsidian://")

_PRINTED = re.compile(r"p\. (.+)")
_DATE = re.compile(r"[0-9]{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12][0-9]|3[01]))?)?")


@dataclass(frozen=True, slots=True)
class Work:
    """A document as it is cited.

    Attributes:
        document_id: names the document.
        title: of the work.
        authors: people as "Family, Given", or each whole; see `bibliography`.
        date: of the work, `YYYY`, `YYYY-MM` or `YYYY-MM-DD`; "" where it is not known.
        address: where it is on the web, by HTTP, or in the program that it is written in, with
            obsidian; "" where it is neither.
        accessed: when it was read there, as `date`.
        name: of its file.
        metadata: what else a bibliography says of it: its key, kind, container and the like.
        language: what it is written in, by its ISO 639-1 code; "" where it is not known.

    Raises:
        ValueError: a date or the address is not one.
    """

    document_id: str
    title: str
    authors: tuple[str, ...] = ()
    date: str = ""
    address: str = ""
    accessed: str = ""
    name: str = ""
    language: str = ""
    metadata: DocumentMetadata = NO_METADATA

    def __post_init__(self) -> None:
        for own in filter(None, (self.date, self.accessed)):
            if not _DATE.fullmatch(own):
                raise ValueError(f"{own!r} is no date. Write it as YYYY, YYYY-MM or YYYY-MM-DD.")
        if self.address and not self.address.startswith(LINKED):
            raise ValueError(f"{self.address!r} is no address on the web: {' or '.join(LINKED)}.")


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stands in a work.

    Attributes:
        heading: the headings above it, outermost first.
        locator: of its page or the like, as `Paragraph.locator`; "" where there is none.
        paragraph: its number, from 1.
        uncertain: whether it was read from a picture, and not surely.
    """

    heading: tuple[str, ...] = ()
    locator: str = ""
    paragraph: int = 1
    uncertain: bool = False

    @classmethod
    def below(
        cls,
        title: str,
        heading: Iterable[str],
        locator: str,
        paragraph: int,
        uncertain: bool = False,
    ) -> Place:
        """In a work of this title, which is not among the headings above it."""
        return cls(tuple(own for own in heading if own != title), locator, paragraph, uncertain)

    @property
    def page(self) -> str:
        """What is printed on the page as its number, "14" or "xii"; "" where there is none."""
        printed = _PRINTED.fullmatch(self.locator)
        return printed[1] if printed else ""


@dataclass(frozen=True, slots=True)
class Footnote:
    """One place in a work that supports something.

    Attributes:
        marker: its number in the answer.
        document_id: of the work.
        place: where it stands there.
        quote: the quoted characters.
        lapse: why it does not stand in the work as that is now; None where it does.
    """

    marker: int
    document_id: str
    place: Place
    quote: str
    lapse: Lapse | None = None


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence of an answer.

    Attributes:
        text: what it says.
        markers: of the footnotes behind it.
        unsupported: whether nothing supports it.
        quoted: whether it is a work's own, to be shown as such.
        item: whether it stands on a line of its own, in a list.
        heading: that begins with it; "" where none does.
    """

    text: str
    markers: tuple[int, ...] = ()
    unsupported: bool = False
    quoted: bool = False
    item: bool = False
    heading: str = ""


@dataclass(frozen=True, slots=True)
class Block:
    """Sentences that stand together: running text, or one item of a list; `heading` is above."""

    heading: str
    item: bool
    sentences: tuple[Sentence, ...]


@dataclass(frozen=True, slots=True)
class ExportedAnswer:
    """A question and what was answered.

    Attributes:
        question: as it was asked.
        status: what came of it.
        sentences: in order; none of a refusal, or where all passages were dismissed.
        footnotes: by marker; one that no sentence has is not shown.
        notes: what is said of the whole answer, a line each.
        comment: what the reader has noted on it; "" for nothing.
        asked: the day when, as `YYYY-MM-DD`; "" where it is not known.
        understood: as which question, where that is another one; "" otherwise.
        context: the question before it that it leans on; "" for none.

    Raises:
        ValueError: a sentence has a marker that no footnote has.
    """

    question: str
    status: ExportStatus
    sentences: tuple[Sentence, ...] = ()
    footnotes: tuple[Footnote, ...] = ()
    notes: tuple[str, ...] = ()
    comment: str = ""
    asked: str = ""
    understood: str = ""
    context: str = ""

    def __post_init__(self) -> None:
        known = {footnote.marker for footnote in self.footnotes}
        for marker in (marker for sentence in self.sentences for marker in sentence.markers):
            if marker not in known:
                raise ValueError(f"A sentence has the marker {marker}, and no footnote has it.")

    def blocks(self) -> Iterator[Block]:
        """The sentences as they stand together."""
        running: list[Sentence] = []
        for sentence in self.sentences:
            if running and (sentence.item or sentence.heading):
                yield Block(running[0].heading, False, tuple(running))
                running = []
            if sentence.item:
                yield Block(sentence.heading, True, (sentence,))
            else:
                running.append(sentence)
        if running:
            yield Block(running[0].heading, False, tuple(running))

    @property
    def shown(self) -> tuple[Footnote, ...]:
        """The footnotes that its sentences have, in order, each once."""
        by_marker = {footnote.marker: footnote for footnote in self.footnotes}
        markers = dict.fromkeys(m for sentence in self.sentences for m in sentence.markers)
        return tuple(by_marker[marker] for marker in markers)

    def footnotes_of(self, sentence: Sentence) -> list[Footnote]:
        """The footnotes behind one of its sentences."""
        by_marker = {footnote.marker: footnote for footnote in self.footnotes}
        return [by_marker[marker] for marker in sentence.markers]


@dataclass(frozen=True, slots=True)
class Export:
    """What becomes one file.

    Attributes:
        title: above all; "" for none.
        answers: in order.
        works: by document id, all that a footnote is of.
        language: that it speaks.

    Raises:
        ValueError: a footnote is of a work that is not there.
    """

    title: str
    answers: tuple[ExportedAnswer, ...]
    works: Mapping[str, Work]
    language: Language = "en"

    def __post_init__(self) -> None:
        for footnote in (footnote for answer in self.answers for footnote in answer.footnotes):
            if footnote.document_id not in self.works:
                raise ValueError(f"A footnote is of {footnote.document_id!r}, which is no work.")

    @property
    def is_titled_by_question(self) -> bool:
        """Whether its title is that of all it holds, so that it need not stand there again."""
        return len(self.answers) == 1 and self.answers[0].question == self.title

    @property
    def shown(self) -> tuple[Footnote, ...]:
        """The footnotes that sentences have, in order; one is there once in each answer."""
        return tuple(footnote for answer in self.answers for footnote in answer.shown)

    @property
    def cited(self) -> tuple[Work, ...]:
        """The works that sentences cite, in the order in which they do first."""
        return tuple(self.works[i] for i in dict.fromkeys(own.document_id for own in self.shown))

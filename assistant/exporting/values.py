"""What is exported, as it is shown: answers with their footnotes, and the works that they cite.

All are frozen. Every text in them is data, whoever wrote it: each format shows it as it is. What no
file takes (control characters, halves of characters) is left out there; see `wording.one_line`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from assistant.answer import REFUSAL, UNSURE

#: As `Answer.status`, and of a question that got none: `failed`, or `stopped` by who asked.
ExportStatus = Literal["answered", "unsure", "refused", "failed", "stopped"]

_DATE = re.compile(r"[0-9]{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12][0-9]|3[01]))?)?")


@dataclass(frozen=True, slots=True)
class Work:
    """A document as it is cited.

    Attributes:
        document_id: names the document.
        title: of the work.
        authors: people as "Family, Given", or each whole; see `bibliography`.
        date: of the work, `YYYY`, `YYYY-MM` or `YYYY-MM-DD`; "" where it is not known.
        address: where it is on the web, by HTTP; "" where it is not.
        accessed: when it was read there, as `date`.
        name: of its file.
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

    def __post_init__(self) -> None:
        for own in filter(None, (self.date, self.accessed)):
            if not _DATE.fullmatch(own):
                raise ValueError(f"{own!r} is no date. Write it as YYYY, YYYY-MM or YYYY-MM-DD.")
        if self.address and not self.address.startswith(("http://", "https://")):
            raise ValueError(f"{self.address!r} is no address on the web: http:// or https://.")


@dataclass(frozen=True, slots=True)
class Footnote:
    """One place in a work that supports something.

    Attributes:
        marker: its number in the answer.
        document_id: of the work.
        place: where it stands in the work, for people, the page too: "Chapter 2 › p. 14 ›
            paragraph 7".
        quote: the quoted characters.
        page: what is printed on the page as its number, "14" or "xii"; "" where there is none.
    """

    marker: int
    document_id: str
    place: str
    quote: str
    page: str = ""


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence of an answer.

    Attributes:
        text: what it says.
        markers: of the footnotes behind it.
        unsupported: whether nothing supports it.
        item: whether it stands on a line of its own, in a list.
        heading: that begins with it; "" where none does.
    """

    text: str
    markers: tuple[int, ...] = ()
    unsupported: bool = False
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
        sentences: in order; of a refusal none.
        footnotes: by marker; one that no sentence has is not shown.
        notes: what is said of the whole answer, a line each.
        comment: what the reader has noted on it; "" for nothing.
        asked: when, as ISO time; "" where it is not known.

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

    def __post_init__(self) -> None:
        known = {footnote.marker for footnote in self.footnotes}
        for marker in (marker for sentence in self.sentences for marker in sentence.markers):
            if marker not in known:
                raise ValueError(f"A sentence has the marker {marker}, and no footnote has it.")

    @property
    def lead(self) -> str:
        """What is said before the sentences, or instead of them."""
        if self.status == "refused":
            return REFUSAL
        if not self.sentences:
            return "Failed." if self.status == "failed" else "Not answered."
        return f"{UNSURE}:" if self.status == "unsure" else ""

    @property
    def ending(self) -> str:
        """What is said below the sentences."""
        ended = {"stopped": "Stopped here.", "failed": "Failed here."}
        return ended.get(self.status, "") if self.sentences else ""

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

    Raises:
        ValueError: a footnote is of a work that is not there.
    """

    title: str
    answers: tuple[ExportedAnswer, ...]
    works: Mapping[str, Work]

    def __post_init__(self) -> None:
        for footnote in (footnote for answer in self.answers for footnote in answer.footnotes):
            if footnote.document_id not in self.works:
                raise ValueError(f"A footnote is of {footnote.document_id!r}, which is no work.")

    @property
    def cited(self) -> tuple[Work, ...]:
        """The works that sentences cite, in the order in which they do first."""
        shown = [
            footnote.document_id
            for answer in self.answers
            for sentence in answer.sentences
            for footnote in answer.footnotes_of(sentence)
        ]
        return tuple(self.works[document_id] for document_id in dict.fromkeys(shown))

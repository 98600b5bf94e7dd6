"""What exports say themselves, in the languages that they speak: in all formats alike, how works
and places in them are named, and what is said of an answer."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from assistant.answer import UNANSWERED, UNDECIDED, missing_parts
from assistant.exporting.values import (
    Block,
    Export,
    ExportedAnswer,
    ExportStatus,
    Footnote,
    Language,
    Lapse,
    Work,
)
from assistant.places import UNCERTAIN, link_to
from assistant.workspace.turns import KeptCitation, KeptSentence

# White space that Python splits at is not among them: it becomes a space.
_UNFIT = re.compile(r"[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")
# The words that locators are made with: `p. xii`, `slide 4`, `Sheet1, row 17`.
_LOCATED = re.compile(r"^(?:p\.|slide)(?= [^,]*$)|(?:^|(?<=, ))row(?= \d+$)")


@dataclass(frozen=True, slots=True)
class Wording:
    """The words of a language; in place of `{}` stands what is named.

    Attributes:
        quoted: a quote.
        months: the names of the twelve in dates; none where dates stay as they are.
        paragraph: a place.
        locators: what the words of locators are, where that is not what they are already.
        uncertain: what is said of a place that was read from a picture, and not surely.
        untitled, notes, conversation, talk: titles: of nothing, of notes, of a conversation on a
            day, of one on no day that is known.
        flags: what stands behind a sentence without support, by its verdict.
        leads, instead, ended: what came of a question; where there are no sentences; and below
            those that there are.
        confidence: how sure an answer is, by the least confidence for it.
        lapses: what is said of a quote, by why it does not stand.
        lapsed: how many do not (`{some}`), of how many (`{count}`).
        lapsed_work: said of a work that some of them are of.
    """

    quoted: str
    months: Sequence[str]
    paragraph: str
    locators: Mapping[str, str]
    uncertain: str
    untitled: str
    notes: str
    conversation: str
    talk: str
    sources: str
    comment: str
    flags: Mapping[str, str]
    asked: str
    accessed: str
    understood: str
    context: str
    leads: Mapping[ExportStatus, str]
    confidence: Mapping[str, str]
    instead: Mapping[ExportStatus, str]
    ended: Mapping[ExportStatus, str]
    unanswered: str
    undecided: str
    dropped_one: str
    dropped: str
    lapses: Mapping[Lapse, str]
    lapsed: str
    lapsed_work: str

    # --- places and works ---------------------------------------------------------------------

    def place(self, citation: KeptCitation, title: str = "", between: str = " › ") -> str:
        """Where a citation stands: the headings, the page or the like, the paragraph; in a document
        that is named, or is not."""
        locator = _LOCATED.sub(lambda m: self.locators.get(m[0], m[0]), citation.locator)
        parts = map(one_line, [title, *headings_of(citation), locator])
        found = between.join([*filter(None, parts), self.paragraph.format(citation.paragraph)])
        return f"{found} ({self.uncertain})" if citation.uncertain else found

    def named(self, work: Work) -> str:
        """A work by its authors, title, date, and the name of its file."""
        authors = "; ".join(filter(None, map(one_line, work.authors)))
        title, name = title_of(work), one_line(work.name)
        named = ", ".join(filter(None, [title, self.day(work.date)]))
        named += f" ({name})" if name not in ("", title) else ""
        return f"{authors}: {named}" if authors else named

    def placed(self, work: Work, footnote: Footnote) -> str:
        """What stands before the quote of a footnote."""
        return f"{self.named(work)}, {self.place(footnote.citation)}:"

    def quote(self, text: str) -> str:
        """A text in quotation marks."""
        return self.quoted.format(one_line(text))

    def accessed_on(self, work: Work) -> str:
        """When a work was read where it is on the web; "" where that is not known."""
        known = work.address and work.accessed
        return self.accessed.format(self.day(work.accessed)) if known else ""

    def day(self, date: str) -> str:
        """A date as people write it."""
        if not self.months:
            return date
        year, month, day = [*date.split("-"), "", ""][:3]
        named = self.months[int(month) - 1] if month else ""
        return " ".join(filter(None, [f"{int(day)}." if day else "", named, year]))

    # --- answers ------------------------------------------------------------------------------

    def said(self, sentence: KeptSentence) -> str:
        """A sentence; one of a work's own in quotation marks."""
        quoted = sentence.verdict == "quoted"
        return self.quote(sentence.text) if quoted else one_line(sentence.text)

    def items(self, block: Block) -> list[tuple[int, str]]:
        """Number and text of each item of a block: all of what a work says in one pair of quotation
        marks."""
        texts = [one_line(item.text) for item in block.items]
        if block.sentences[0].verdict == "quoted":
            opening, closing = self.quoted.split("{}")
            texts[0] = opening + texts[0]
            texts[-1] += closing
        return [(item.number, text) for item, text in zip(block.items, texts, strict=True)]

    def lapsed_in(self, export: Export) -> str:
        """How many quotes do not stand any more; "" where all do."""
        lapses = [footnote.lapse for footnote in export.shown]
        some = len(lapses) - lapses.count(None)
        return self.lapsed.format(some=some, count=len(lapses)) if some else ""

    def lapse(self, footnote: Footnote) -> str:
        """That a quote does not stand any more; "" where it does."""
        return self.lapses[footnote.lapse] if footnote.lapse else ""

    def above(self, answer: ExportedAnswer) -> Iterator[str]:
        """What is said between a question and the sentences, a line each."""
        yield from filter(None, [" · ".join(filter(None, self._standing(answer)))])
        if one_line(answer.understood):
            yield self.understood.format(self.quote(answer.understood))
        if one_line(answer.context):
            yield self.context.format(self.quote(answer.context))

    def _standing(self, answer: ExportedAnswer) -> Iterator[str]:
        """What came of a question, how sure that is, and when it was asked."""
        if answer.blocks or answer.status in ("refused", "dismissed", "noted"):
            yield self.leads.get(answer.status, "")
        else:
            yield self.instead.get(answer.status, self.instead["stopped"])
        if answer.confidence is not None:
            least = (own for own in self.confidence if answer.confidence >= float(own))
            yield self.confidence[next(least)]
        if answer.asked:
            yield self.asked.format(self.day(answer.asked))

    def below(self, answer: ExportedAnswer) -> Iterator[str]:
        """What is said below the sentences, a line each."""
        if answer.blocks and answer.status in self.ended:
            yield self.ended[answer.status]
        yield from filter(one_line, answer.remarks)

    def missing(
        self, unanswered: Sequence[str], undecided: Sequence[str], dropped: int
    ) -> list[str]:
        """What is said of the parts of a question that the documents do not answer, or may not; and
        of sentences that were left out."""
        said = missing_parts(unanswered, undecided, (self.unanswered, self.undecided))
        if dropped:
            said.append(self.dropped_one if dropped == 1 else self.dropped.format(dropped))
        return said

    def conversation_on(self, day: str) -> str:
        """The title of a conversation that has none, begun on a day, or on "" that is not known."""
        return self.conversation.format(self.day(day)) if day else self.talk


def _words(language: Language) -> dict[str, Any]:
    file = Path(__file__).with_name("words") / f"{language}.json"
    words: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return words


_ENGLISH = _words("en")
# What answers say likewise.
_ENGLISH |= {"uncertain": UNCERTAIN, "unanswered": UNANSWERED, "undecided": UNDECIDED}
ENGLISH, GERMAN = Wording(**_ENGLISH), Wording(**_words("de"))

WORDINGS: Mapping[Language, Wording] = {"en": ENGLISH, "de": GERMAN}


def one_line(text: str) -> str:
    """A text on one line, without what no file takes: control characters, which XML 1.0 forbids for
    the most part, and halves of characters."""
    return " ".join(_UNFIT.sub("", text).split())


def title_of(work: Work) -> str:
    """The title of a work; where it has none, the name of its file."""
    return one_line(work.title) or one_line(work.name) or work.document_id


def headings_of(citation: KeptCitation) -> list[str]:
    """The headings above a citation, outermost first, without the title of its document."""
    return [heading for heading in citation.heading if heading != citation.document]


def address_of(work: Work, heading: Sequence[str] = ()) -> str:
    """Where a work is on the web, in the letters that addresses have, or is opened in the program
    that it is written in; there below a heading, of those above a place; "" where it is neither."""
    address = quote(one_line(work.address), safe="!#$%&'()*+,/:;=?@[]~")
    return link_to(address, heading)

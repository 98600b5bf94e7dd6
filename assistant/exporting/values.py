"""What is exported, as it is shown: answers with their footnotes, and the works that they cite.

Every text in them is data, whoever wrote it: each format shows it as it is. What no file takes
(control characters, halves of characters) is left out there; see `wording.one_line`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from assistant.workspace.turns import KeptCitation, KeptSentence

#: What exports speak; what they quote is in its own.
Language = Literal["en", "de"]

#: As `Answer.status`, but for passages that may answer, of which their reader has said which do:
#: `chosen` are those that do, `dismissed` are all. Of a question that got none: `failed`, or
#: `stopped` by who asked. `noted` is what was highlighted, and no question.
ExportStatus = Literal[
    "answered", "unsure", "chosen", "dismissed", "refused", "failed", "stopped", "noted"
]

#: Why a quote does not stand: its paragraph reads otherwise now; that is gone as well; the document
#: is not there to be looked into.
Lapse = Literal["changed", "gone", "missing"]


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
        doi: its DOI; "" where it has none.
        language: what it is written in, by its ISO 639-1 code; "" where it is not known.
    """

    document_id: str
    title: str
    authors: tuple[str, ...] = ()
    date: str = ""
    address: str = ""
    accessed: str = ""
    name: str = ""
    language: str = ""
    doi: str = ""


@dataclass(frozen=True, slots=True)
class Footnote:
    """A citation, and what became of its quote.

    Attributes:
        citation: placed where the quote stands now, if it still does.
        lapse: why the quote does not stand in the work as that is now; None where it does.
    """

    citation: KeptCitation
    lapse: Lapse | None = None


@dataclass(frozen=True, slots=True)
class Item:
    """An item of a list; `number` is 0 where it has a bullet."""

    text: str
    number: int = 0


@dataclass(frozen=True, slots=True)
class Block:
    """What stands together below a heading, which may be "".

    Attributes:
        sentences: running text, or the one that is listed.
        items: what that one says, in as many items of a list as it quotes; none of running text.
    """

    heading: str
    sentences: list[KeptSentence]
    items: Sequence[Item] = ()


@dataclass(frozen=True, slots=True)
class ExportedAnswer:
    """A question and what was answered.

    Attributes:
        question: as it was asked.
        status: what came of it.
        blocks: the sentences in order; none of a refusal, or where all passages were dismissed.
        footnotes: by marker, all that sentences have; others are not shown.
        remarks: on the whole answer, a line each.
        comment: what the reader has noted on it; "" for nothing.
        asked: the day when, as `YYYY-MM-DD`; "" where it is not known.
        confidence: that it is right, 0..1; None where that says nothing.
        understood: as which question, where that is another one; "" otherwise.
        context: the question before it that it leans on; "" for none.
    """

    question: str
    status: ExportStatus
    blocks: Sequence[Block] = ()
    footnotes: Mapping[int, Footnote] = field(default_factory=dict)
    remarks: Sequence[str] = ()
    comment: str = ""
    asked: str = ""
    confidence: float | None = None
    understood: str = ""
    context: str = ""

    @property
    def markers(self) -> list[int]:
        """The markers of its sentences, in order, each once."""
        sentences = (sentence for block in self.blocks for sentence in block.sentences)
        return list(dict.fromkeys(marker for one in sentences for marker in one.markers))


@dataclass(frozen=True, slots=True)
class Export:
    """What becomes one file.

    Attributes:
        title: above all; "" for none.
        answers: in order.
        works: by document id, all that a footnote is of.
        language: of what the export says itself.
    """

    title: str
    answers: Sequence[ExportedAnswer]
    works: Mapping[str, Work]
    language: Language = "en"

    @property
    def is_titled_by_question(self) -> bool:
        """Whether its title is that of all it holds, so that it need not stand there again."""
        return len(self.answers) == 1 and self.answers[0].question == self.title

    @property
    def shown(self) -> list[Footnote]:
        """The footnotes that sentences have, in order; one is there once in each answer."""
        return [answer.footnotes[marker] for answer in self.answers for marker in answer.markers]

    @property
    def cited(self) -> list[Work]:
        """The works that sentences cite, in the order in which they do first."""
        ids = dict.fromkeys(footnote.citation.document_id for footnote in self.shown)
        return [self.works[identity] for identity in ids]

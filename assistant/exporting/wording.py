"""How works and places in them are named in running text, in all formats alike."""

from __future__ import annotations

import re
from urllib.parse import quote

from assistant.exporting.values import ExportedAnswer, Footnote, Work

UNSUPPORTED = "(not in the documents)"
SOURCES = "Sources"
COMMENT = "Comment:"
UNTITLED = "Answers"

# White space that Python splits at is not among them: it becomes a space.
_UNFIT = re.compile(r"[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")


def one_line(text: str) -> str:
    """A text on one line, without what no file takes: control characters, which XML 1.0 forbids for
    the most part, and halves of characters."""
    return " ".join(_UNFIT.sub("", text).split())


def title_of(work: Work) -> str:
    """The title of a work; where it has none, the name of its file."""
    return one_line(work.title) or one_line(work.name) or work.document_id


def named(work: Work) -> str:
    """A work by its authors, title and date."""
    authors = "; ".join(filter(None, map(one_line, work.authors)))
    own = ", ".join(filter(None, [title_of(work), work.date]))
    return f"{authors}: {own}" if authors else own


def placed(work: Work, footnote: Footnote) -> str:
    """What stands before the quote of a footnote."""
    return ", ".join(filter(None, [named(work), one_line(footnote.place)]))


def quoted(footnote: Footnote) -> str:
    """Its quote."""
    return f"“{one_line(footnote.quote)}”"


def address_of(work: Work) -> str:
    """Where a work is on the web, in the letters that addresses have; "" where it is not."""
    return quote(one_line(work.address), safe="!#$%&'()*+,/:;=?@[]~")


def accessed_on(work: Work) -> str:
    """When it was read there; "" where that is not known."""
    return f"(accessed {work.accessed})" if work.address and work.accessed else ""


def asked_on(answer: ExportedAnswer) -> str:
    """When a question was asked; "" where that is not known."""
    day = one_line(answer.asked)[: len("YYYY-MM-DD")]
    return f"Asked on {day}." if day else ""

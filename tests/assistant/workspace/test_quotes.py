"""Where a quote stands in its document as that is now, where its words stand in several places."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from helpers import CheapEncoder

from assistant.answer import Citation
from assistant.exporting.wording import ENGLISH
from assistant.workspace.quotes import PlaceNow, QuoteChecker
from assistant.workspace.turns import KeptCitation
from index import Document, Index, document_from_text

Written = Callable[..., Document]
"""Writes a document anew, in Markdown or as plain text."""

RENT = "The rent is 500 euros a month."
LEASES = f"# Berlin\n\n{RENT}\n\n# Munich\n\n{RENT}\n"


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Index]:
    with closing(Index(tmp_path / "index", encoder=CheapEncoder())) as index:
        yield index


@pytest.fixture
def written(index: Index) -> Written:
    def write(text: str, markdown: bool = True) -> Document:
        document = document_from_text(text, "leases.md", markdown=markdown)
        index.sync([document])
        return document

    return write


def quoted(document: Document, number: int, quote: str, after: int = 0) -> KeptCitation:
    """Words of a paragraph, as they are kept; `after`: from that character of it on."""
    paragraph = document.paragraphs[number - 1]
    start = paragraph.start + paragraph.text.index(quote, after)
    place = start, start + len(quote), quote, 0.0
    cited = Citation(1, paragraph, document.source, document.title, *place)
    cited.check(document)
    return KeptCitation.model_validate(cited.to_dict())


def now(index: Index, citation: KeptCitation) -> PlaceNow:
    return QuoteChecker(index, [citation.document_id]).now(citation)


@pytest.mark.parametrize(
    "text",
    [
        f"A line that was added.\n\n{LEASES}",
        f"# Munich\n\n{RENT}\n\n# Berlin\n\n{RENT}\n",  # where Munich's was there is Berlin's
        f"# Berlin\n\n{RENT}\n\n# Munich\n\nHeating included. {RENT}\n",
    ],
)
def test_it_is_the_one_under_its_own_heading(index: Index, written: Written, text: str) -> None:
    citation = quoted(written(LEASES), 2, RENT)
    document = written(text)
    place = now(index, citation)
    assert place.paragraph is not None
    assert document.paragraphs[place.paragraph - 1].heading == ("Munich",)
    assert document.text[place.start : place.end] == RENT
    assert (place.document, place.heading) == (document.title, ["Munich"])
    placed, _ = QuoteChecker(index, [document.id]).relocate(citation)
    assert ENGLISH.place(placed, "Leases") == f"Leases › Munich › paragraph {place.paragraph}"


def test_without_headings_it_is_the_one_in_its_own_paragraph(
    index: Index, written: Written
) -> None:
    monday, sunday = "On Monday the shop is shut.", "On Sunday the shop is shut."
    citation = quoted(written(f"{monday}\n\n{sunday}\n"), 2, "the shop is shut.")
    assert now(index, citation).paragraph == 2
    written(f"A line that was added.\n\n{monday}\n\n{sunday}\n")
    assert now(index, citation).paragraph == 3


def test_in_its_paragraph_it_is_the_one_at_its_own_place(index: Index, written: Written) -> None:
    twice = "It is shut. Who comes on Monday reads: It is shut."
    citation = quoted(written(f"{twice}\n"), 1, "It is shut.", after=1)
    document = written(f"A line that was added.\n\n{twice}\n")
    assert now(index, citation).start == document.text.rindex("It is shut.")


def test_words_of_two_paragraphs_are_no_place(index: Index, written: Written) -> None:
    light = "Walnuts float.\nThey are light."
    citation = quoted(written(f"- {light}\n", markdown=False), 1, light)
    document = written(f"{light}\n\n- {light}\n", markdown=False)
    assert len(document.paragraphs) == 3
    place = now(index, citation)
    assert (place.standing, place.paragraph) == ("there", 3)
    assert place.start == document.text.rindex(light)

"""Sections of what an overview is asked of, and items of a list, on small texts."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from helpers import ROOT

from evals.datasets.gold import GoldFinder, TextSpan
from evals.datasets.models import Question, QuestionSet
from evals.running.coverage import Section, cited_sections, matched_items, sections_of
from index import Document, document_from_text, read_document


@pytest.fixture(scope="module")
def report() -> Document:
    return read_document(ROOT / "tests/evals/data/report.md")


def sections(kind: str, evidence: Sequence[str], *documents: Document) -> list[Section]:
    question = Question("q", "Q?", True, kind, tuple((quote,) for quote in evidence))
    finder = GoldFinder(QuestionSet("s", "native", (question,)), documents)
    return sections_of(question, finder.find(question), documents)


def names(found: Sequence[Section]) -> list[str]:
    return [section[0].heading[-1] for section in found]


def test_a_document_is_told_apart_by_as_many_headings_as_tell_three_parts(report: Document) -> None:
    found = sections("document", ["All mills are counted here."], report)
    # What stands below Wind is a part of it; there is nothing but a table under Figures.
    assert names(found) == ["Mills", "Wind", "Water"]
    assert [len(section) for section in found] == [1, 4, 1]


def test_a_part_is_the_smallest_that_has_every_key_sentence(report: Document) -> None:
    # Granite stands under Water too, which does not have the sails.
    asked = ["The stones are made of granite.", "The sails are made of cloth."]
    assert names(sections("section", asked, report)) == ["Wind", "Sails", "Stones", "Millers"]
    assert names(sections("section", ["The miller sets the sails."], report)) == ["Millers"]


def test_of_several_documents_each_is_a_section(report: Document) -> None:
    others = [document_from_text(f"Rain fell in {n}.", f"{n}.txt") for n in (1871, 1872)]
    found = sections("overview", ["Rain fell in 1871."], report, *others)
    assert [{p.document_id for p in own} for own in found] == [{d.id} for d in (report, *others)]


def test_only_an_overview_has_sections(report: Document) -> None:
    assert sections("fact", ["All mills are counted here."], report) == []


def test_a_section_is_covered_where_a_citation_lies_in_it(report: Document) -> None:
    found = sections("document", ["All mills are counted here."], report)
    start = report.text.index("The miller sets")
    cited = TextSpan(report.id, start, start + 10)
    assert cited_sections(found, [cited]) == (False, True, False)
    assert cited_sections(found, []) == (False, False, False)
    assert cited_sections(found[:1], [cited]) == ()


BOARD = "The board has an Audit Committee, a Risk Committee and a chair. It meets. The Audit."


def lists(*items: str | tuple[str, ...]) -> Question:
    evidence = tuple((item,) if isinstance(item, str) else item for item in items)
    return Question("q", "Q?", True, "list", evidence)


def test_items_are_matched_with_the_quotes_of_sentences() -> None:
    asked = lists("the Audit Committee", ("a risk group", "Risk Committee"), "a chair")
    # One sentence that holds them all, and one that is none of them.
    whole = [[BOARD.split(" It")[0]], ["It meets."]]
    assert matched_items(asked, whole) == ((True, True, True), (True, False))
    # A sentence an item; one has two quotes, and one that leads to the list has none.
    items = [[], ["an Audit Committee"], ["It meets.", "a chair"], ["It meets."]]
    assert matched_items(asked, items) == ((True, False, True), (True, True, False))


@pytest.mark.parametrize(
    "question, quote, expected",
    [
        # The quote lies in the item; articles and case do not count.
        (lists("audit committee", "chairs"), "Audit", ((True, False), (True,))),
        (lists("chairs", "boards"), "a chair", ((False, False), (False,))),
        # An article alone is nothing that could be held.
        (lists("chair", "board"), "The", ((False, False), (False,))),
        # A list of one item is no list, and neither is a fact.
        (lists("It meets."), "It meets.", ((), ())),
        (Question("q", "Q?", True, "fact", (("a",), ("b",))), "It meets.", ((), ())),
    ],
)
def test_whole_words_match_in_either_direction(
    question: Question, quote: str, expected: tuple[tuple[bool, ...], tuple[bool, ...]]
) -> None:
    assert matched_items(question, [[quote]]) == expected

"""Answers arranged as the question asks: lists, comparisons, places."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from assistant import Answer, Assistant
from assistant.answering.arranging import arrange
from assistant.query.question import Question
from assistant.retrieval.evidence import Evidence, unscored
from index import document_from_text

TEXT = """# Allotments

## Rules

Every tenant has three duties: (1) to keep the plot tidy; (2) to lock the gate; and (3) to report
leaks. They are checked in May.

The club lends out spades, forks, a roller, and two barrows.

Before you leave in autumn, see to the following:

- Drain the water butts.
- Cover the compost.
- Take the tools home.

## Fruit and flowers

Apples keep until March. Plums do not keep at all. Both are picked in September.

## Water

Water is turned off in November. Leaks are mended by the warden.
"""


@pytest.fixture(scope="module")
def club(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Assistant]:
    folder = tmp_path_factory.mktemp("club")
    (folder / "club.md").write_text(TEXT, encoding="utf-8")
    with Assistant.open(folder / "club.md", index_dir=folder / "index") as opened:
        yield opened


@pytest.fixture
def ask(club: Assistant) -> Callable[[str], Answer]:
    def asked(question: str) -> Answer:
        answer = club.ask(question, answer_from=0.0)
        documents = {document.id: document for document in club.documents}
        for citation in answer.citations:
            citation.check(documents[citation.paragraph.document_id])
        return answer

    return asked


def items(answer: Answer) -> list[str]:
    return [sentence.text for sentence in answer.sentences if sentence.item]


def test_a_sentence_that_numbers_its_items_is_taken_apart(ask: Callable[[str], Answer]) -> None:
    answer = ask("What are the three duties of a tenant?")
    assert answer.kind == "list"
    assert items(answer) == ["to keep the plot tidy", "to lock the gate", "to report leaks."]
    assert answer.sentences[0].text == "Every tenant has three duties:"
    assert not answer.sentences[0].item
    assert answer.note is None
    lines = str(answer).splitlines()
    assert lines[:2] == ["Every tenant has three duties: [1]", "- to keep the plot tidy [2]"]


def test_another_number_is_told(ask: Callable[[str], Answer]) -> None:
    answer = ask("What are the five duties of a tenant?")
    assert len(items(answer)) == 3
    assert answer.note == "The question speaks of 5; 3 are listed here."
    assert "Note: The question speaks of 5" in str(answer)


def test_a_series_is_taken_apart(ask: Callable[[str], Answer]) -> None:
    answer = ask("Which things does the club lend out?")
    assert items(answer) == ["spades", "forks", "a roller", "two barrows"]


def test_a_colon_and_its_list_are_one_thought(ask: Callable[[str], Answer]) -> None:
    expected = ["Drain the water butts.", "Cover the compost.", "Take the tools home."]
    for question in ("What are the things to see to before leaving?", "What to do in autumn?"):
        answer = ask(question)
        assert items(answer) == expected, question
        assert answer.sentences[0].text.endswith("the following:")


def test_a_list_comes_with_whatever_sentence_of_a_quote_leads_into_it() -> None:
    text = "Meet once a week. Agree on:\n\n- the day\n- the place\n\nHave fun.\n"
    document = document_from_text(text, "circle.md")
    led = replace(unscored(document.paragraphs[0], 0), reach=(0, 1))
    question = Question("How often?", "How often?", np.zeros(1, np.float32))
    arranged = arrange(question, Evidence((led.hit,), (led,), {}), [led], [], lambda _: document)
    quoted = [quotation.text for quotation in arranged.quotations]
    assert quoted == ["Meet once a week. Agree on:", "the day", "the place"]


@pytest.mark.parametrize(
    ("reach", "quoted"),
    [
        ((1, 2), ["To ask for leave:", "Ask your lead.", "Fill in the form.", "Tell the team."]),
        ((1, 1), ["To ask for leave:", "Fill in the form."]),
    ],
)
def test_who_is_told_two_items_of_a_list_is_told_all(
    reach: tuple[int, int], quoted: Sequence[str]
) -> None:
    text = (
        "# Leave\n\nTo ask for leave:\n\n- Ask your lead.\n- Fill in the form.\n- Tell the team.\n"
    )
    document = document_from_text(text, "leave.md")
    items = next(p for p in document.paragraphs if p.kind == "list")
    chosen = replace(unscored(items, reach[0]), reach=reach)
    question = Question("How?", "How?", np.zeros(1, np.float32))
    arranged = arrange(
        question, Evidence((chosen.hit,), (chosen,), {}), [chosen], [], lambda _: document
    )
    assert [quotation.text for quotation in arranged.quotations] == quoted


def test_what_is_compared_is_told_of_each(ask: Callable[[str], Answer]) -> None:
    answer = ask("What is the difference between apples and plums?")
    assert answer.kind == "comparison"
    of_each = {s.about: s.text for s in answer.sentences if s.about}
    assert of_each == {"apples": "Apples keep until March.", "plums": "Plums do not keep at all."}
    text = answer.marked_text
    assert "apples\n- Apples keep until March. [" in text
    assert text.index("apples\n") < text.index("plums\n")
    plain = answer.to_dict()["sentences"]
    assert {own["about"] for own in plain} >= {"apples", "plums"}


def test_what_is_compared_may_share_a_word_or_a_sentence(tmp_path: Path) -> None:
    file = tmp_path / "sauna.md"
    both = "The smoke sauna is hotter than the quiet sauna."
    smoke, quiet = "The smoke sauna has no chimney.", "The quiet sauna is electric."
    file.write_text(f"# Bath\n\n{both} {smoke} {quiet}\n", encoding="utf-8")
    with Assistant.open(file, index_dir=tmp_path / "index") as opened:
        answer = opened.ask(
            "What is the difference between the smoke sauna and the quiet sauna?", answer_from=0.0
        )
    assert [(s.text, s.about) for s in answer.sentences] == [
        (both, ""),
        (smoke, "the smoke sauna"),
        (quiet, "the quiet sauna"),
    ]


def test_what_is_below_a_heading_is_of_what_that_names(tmp_path: Path) -> None:
    file = tmp_path / "benefits.md"
    text = (
        "# Medical insurance\n\nThe company pays 75% of the premium.\n\n"
        "# Dental insurance\n\nThe company pays 100% of the premium.\n"
    )
    file.write_text(text, encoding="utf-8")
    with Assistant.open(file, index_dir=tmp_path / "index") as opened:
        answer = opened.ask("Compare medical insurance and dental insurance.", answer_from=0.0)
    assert [(s.text, s.about) for s in answer.sentences] == [
        ("The company pays 75% of the premium.", "medical insurance"),
        ("The company pays 100% of the premium.", "dental insurance"),
    ]


def test_an_item_comes_after_what_introduces_it(ask: Callable[[str], Answer]) -> None:
    answer = ask("When do I cover the compost?")
    lead = "Before you leave in autumn, see to the following:"
    texts = [sentence.text for sentence in answer.sentences]
    assert texts[0] == lead
    assert "Cover the compost." in texts[1]
    item = next(own for own in answer.citations if "Cover the compost." in own.quote)
    assert (item.introduction, item.to_dict()["paragraph_kind"]) == (lead, "list")
    assert {own.introduction for own in answer.citations if own is not item} == {""}


def test_places_are_told_in_order(ask: Callable[[str], Answer]) -> None:
    answer = ask("Where does it talk about leaks?")
    assert (answer.kind, answer.status) == ("where", "answered")
    assert [citation.paragraph.heading[-1] for citation in answer.citations] == ["Rules", "Water"]
    assert answer.marked_text.startswith("Rules\n- ")
    assert ask("Where does it talk about unicorns?").kind != "where"


def test_the_places_of_an_answer(club: Assistant) -> None:
    first = "When is the water turned off?"
    history = [
        {"role": "user", "content": first},
        {"role": "assistant", "content": club.ask(first, answer_from=0.0).text},
    ]
    answer = club.ask("Where does it say that?", history, answer_from=0.0)
    assert (answer.kind, answer.standalone_question) == ("where", first)
    assert answer.citations[0].quote == "Water is turned off in November."


def test_a_provision_comes_after_what_introduces_it(tmp_path: Path) -> None:
    lead = "A dog is deemed dangerous by the town upon any of these grounds, namely:"
    bite = f"(a) being found in a school or a church{' or near one' * 40};"
    file = tmp_path / "dogs.md"
    file.write_text(f"# Dogs\n\n{lead} {bite} (b) having damaged a parked motorcycle of another.\n")
    with Assistant.open(file, index_dir=tmp_path / "index") as opened:
        answer = opened.ask("Is it dangerous to have damaged a motorcycle?", answer_from=0.0)
    texts = [sentence.text for sentence in answer.sentences]
    at = texts.index("(b) having damaged a parked motorcycle of another.")
    assert texts[at - 1] == lead

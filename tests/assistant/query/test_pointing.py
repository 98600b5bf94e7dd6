"""Which part of an answer a question points at."""

from __future__ import annotations

import pytest

from assistant.query.kinds import load_kinds
from assistant.query.pointing import Pointed, items_of, pointed_at
from index.encoder import Encoder

ANSWERS = [
    ("Two remain: (1) talks fail; and (2) tensions grow.", "tensions grow"),
    ("Signs:\n- meagre trade [2]\n- many spies [3]", "many spies"),
    ("It covers mathematics, coding, and medicine, including law, art and sport.", "art"),
    ("Possible answers:\nBeds cost 9 euros.\nSupper is free.", "Supper is free"),
]
WHEN = "When was the bridge built?"


@pytest.fixture(scope="module")
def request_words(real_encoder: Encoder) -> frozenset[str]:
    return load_kinds(real_encoder.fingerprint).pointing


@pytest.mark.parametrize(("answer", "second"), ANSWERS)
@pytest.mark.parametrize(
    "question",
    ["the second one", "Tell me more about the 2nd.", "whats number 2 about", "point two please"],
)
def test_an_item_is_pointed_at(
    answer: str, second: str, question: str, request_words: frozenset[str]
) -> None:
    assert pointed_at(question, answer, "", request_words) == Pointed(second, alone=True)


def test_a_question_about_an_item_has_it_in_its_place(request_words: frozenset[str]) -> None:
    for question, asked in [
        ("Who harvests the second?", "Who harvests art?"),
        ("When was the last one taught?", None),
        ("When was the second world war?", None),
    ]:
        found = pointed_at(question, ANSWERS[2][0], "", request_words)
        assert found == (asked and Pointed(asked, alone=False))


def test_an_answer_that_lists_nothing_has_sentences(request_words: frozenset[str]) -> None:
    answer = "It rained. [1] The roof leaked. [2]"
    assert items_of(answer) == []
    assert pointed_at("the last one", answer, WHEN, request_words) == Pointed(
        "The roof leaked", alone=True
    )
    # What the documents count is no sentence of the answer.
    assert pointed_at("and the second?", answer, "When was the first war?", request_words) is None
    assert pointed_at("Who mended the second?", answer, WHEN, request_words) is None


def test_an_answer_that_says_nothing_has_no_last_part(request_words: frozenset[str]) -> None:
    for question, answer in (("the last one?", ""), ("the latter", " [1]")):
        assert pointed_at(question, answer, WHEN, request_words) == Pointed("", alone=True)


def test_a_part_that_there_is_not_is_not_guessed(request_words: frozenset[str]) -> None:
    for answer, _ in ANSWERS:
        assert pointed_at("and the tenth?", answer, "", request_words) == Pointed("", alone=True)
    assert pointed_at("the second one", "It rained.", WHEN, request_words) == Pointed(
        "", alone=True
    )

"""Numbers, names and negation: what is the same in other words, and what is missing."""

from __future__ import annotations

import pytest

from assistant.verification.facts import (
    facts_of,
    keeps_words,
    missing_names,
    missing_numbers,
    negations,
    parts_of,
)

SOURCE = (
    "Russia supplied 12 percent of China's gas on February 11, 2019, after the talks in Moscow; "
    "the Self-Defense Forces spent 2,500,000 dollars."
)


def missing(claim: str, evidence: str = SOURCE) -> tuple[int, int]:
    own, there = facts_of(claim), facts_of(evidence)
    return missing_numbers(own, there), missing_names(own, there)


@pytest.mark.parametrize(
    "claim",
    [
        "On 11 February 2019 Russia supplied twelve per cent of Chinese gas.",
        "The SDF spent 2.5 million dollars [3].",
        "It was the eleventh of February, after talks with the Russians.",
        "Gas came before one talk in Moscow [1, 2].",
    ],
)
def test_what_is_written_otherwise_is_the_same(claim: str) -> None:
    assert missing(claim) == (0, 0)


@pytest.mark.parametrize(
    ("claim", "numbers", "names"),
    [
        ("It supplied 13 percent of the gas.", 1, 0),
        ("It supplied gas for forty-one years, until 2018.", 2, 0),
        ("The gas of Norway came on March 11.", 0, 2),
        ("The talks with Olaf Scholz in Berlin were on 13 February.", 1, 3),
        ("The NSA spent 2.5 billion dollars.", 1, 1),
    ],
)
def test_what_the_evidence_does_not_have_is_counted(claim: str, numbers: int, names: int) -> None:
    assert missing(claim) == (numbers, names)


def test_a_number_of_something_else_is_missing() -> None:
    source = "A secret 2011 meeting sped up ties well before 2014."
    assert missing("The secret 2011 meeting came before 2014.", source) == (0, 0)
    assert missing("The secret 2014 meeting sped up ties.", source) == (1, 0)


def test_a_capital_that_begins_a_sentence_is_no_name_by_itself() -> None:
    assert facts_of("Observers left. Boris Petrov and the US stayed.").names == (
        "Boris",
        "Petrov",
        "US",
    )


@pytest.mark.parametrize(
    ("number", "value"),
    [
        ("twenty-one", 21),
        ("three hundred thousand", 300_000),
        ("1,234.5", 1234.5),
        ("dozen", 12),
        ("40 m² of this one and", 40),  # a pronoun, and a superscript
    ],
)
def test_numerals(number: str, value: float) -> None:
    assert facts_of(f"There were {number} of them.").numbers == {value}


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("It did not join.", 1),
        ("It can\u2019t join what it does not know.", 2),
        ("It has nothing to join.", 1),
        ("It joined; knots were tied.", 0),
    ],
)
def test_negations(text: str, count: int) -> None:
    assert negations(text) == count


@pytest.mark.parametrize(
    ("claim", "kept"),
    [
        ("The mill burned down in 1871.", True),
        ("In 1871 the old mill burned down.", False),  # in another order: that is not told here
        ("It burned down in 1871.", True),
        ("The mill did not burn down in 1871.", False),
        ("The mill burned down in 1872.", False),
        ("The bridge burned down in 1871.", False),
        ("The mill burned down in 1871 unless it rained.", False),
        ("A house was built there.", False),
        ("A house was built there, but only by the two sons.", True),
        ("", False),
    ],
)
def test_a_claim_in_the_words_of_a_text(claim: str, kept: bool) -> None:
    text = "The mill burned down in 1871. A house was built there, but only by the two sons."
    assert keeps_words(claim, text) == kept


@pytest.mark.parametrize(
    ("claim", "text", "part", "kept"),
    [
        # a condition that stands before what is claimed, or behind it
        ("The fee is paid back.", "If the tour is cancelled, the fee is paid back.", False, False),
        ("If the tour is cancelled, the fee is paid back.",
         "If the tour is cancelled, the fee is paid back.", False, True),
        ("The fee is paid back.", "If it rains, wait. The fee is paid back.", False, True),
        ("The fee is paid back", "The fee is paid back unless you were late.", False, False),
        # a part says of whom
        ("signs the form", "The nurse signs the form.", False, True),
        ("signs the form", "The nurse signs the form.", True, False),
        ("the form is signed", "For this the form is signed.", True, True),
    ],
)  # fmt: skip
def test_a_condition_and_who_it_is_are_not_left_out(
    claim: str, text: str, part: bool, kept: bool
) -> None:
    assert keeps_words(claim, text, part) == kept


@pytest.mark.parametrize(
    ("claim", "parts"),
    [
        ("The gate opens at six.", ["The gate opens at six."]),
        ("It opens at six, and the dogs are let out; they are fed at ten.",
         ["It opens at six", "the dogs are let out", "they are fed at ten."]),
        ("You get a towel, a key, and a locker.", ["You get a towel, a key, and a locker."]),
    ],
)  # fmt: skip
def test_the_parts_of_a_claim(claim: str, parts: list[str]) -> None:
    assert parts_of(claim) == parts

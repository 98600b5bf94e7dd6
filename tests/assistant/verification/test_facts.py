"""Numbers, names and negation: what is the same in other words, and what is missing."""

from __future__ import annotations

import pytest

from assistant.verification.facts import (
    facts_of,
    keeps_words,
    leaves_condition_out,
    missing_names,
    missing_numbers,
    negations,
    other_symbols,
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


@pytest.mark.parametrize(
    ("claim", "evidence", "names"),
    [
        ("Ask the World Health Organization.", "Ask the WHO.", 0),
        ("The World Health Organization heard Barbara Miller.", "The WHO heard John Smith.", 2),
        ("Ursula Norton met Barbara Miller in Toronto.", "The UN met John Smith in Geneva.", 3),
    ],
)
def test_initials_stand_for_the_words_that_they_are_of(
    claim: str, evidence: str, names: int
) -> None:
    assert missing(claim, evidence) == (0, names)


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
        ("The mill by the old bridge burned down in 1871.", True),
        ("A mill by that old bridge burned down in 1871", True),
        ("In 1871 the mill by the old bridge burned down.", False),  # in another order
        ("The mill by the old bridge did not burn down in 1871.", False),
        ("The mill by the old bridge burned down in 1872.", False),
        ("The mill by the old house burned down in 1871.", False),
        ("The mill by the old bridge burned down in 1871 unless it rained.", False),
        ("The mill burned down in 1871.", False),  # which mill, may be what matters
        ("", False),
    ],
)
def test_a_claim_in_the_words_of_a_sentence(claim: str, kept: bool) -> None:
    assert keeps_words(claim, "The mill by the old bridge burned down in 1871.") == kept


@pytest.mark.parametrize(
    ("claim", "sentence"),
    [
        ("The fee is paid back.", "If the tour is cancelled, the fee is paid back."),
        ("The fee is paid back.", "The fee is paid back unless you were late."),
        ("Tenants may keep dogs.", "Tenants may keep dogs with the consent of the landlord."),
        ("Tenants may keep dogs.", "Tenants with a garden may keep dogs."),
        ("Signs the form.", "The nurse signs the form."),
        ("You must pay.", "You may pay."),
        ("You must pay.", "We must pay."),
        ("Few tenants keep dogs.", "Many tenants keep dogs."),
        ("Tenants keep dogs.", "Few tenants keep dogs."),
        ("The deposit is paid by the tenant.", "The deposit is paid to the tenant."),
        ("The pool closes on Monday.", "The pool closes by Monday."),
        ("He paid her.", "She paid him."),
        ("Children may swim.", "Children may swim with him."),
        ("The code is summarized in the rules.", "The code summarizes the rules."),
        ("The tenant is heard.", "Is the tenant heard?"),
    ],
)
def test_nothing_that_restricts_a_sentence_is_left_out(claim: str, sentence: str) -> None:
    assert keeps_words(sentence, sentence)
    assert not keeps_words(claim, sentence)


@pytest.mark.parametrize(
    ("claim", "sentence", "question", "left_out"),
    [
        ("Dogs are allowed.", "Dogs are allowed with the written consent of the board.", "", True),
        ("Dogs are allowed if the board consents in writing.",
         "Dogs are allowed with the written consent of the board.", "", False),
        ("The fee is paid back.", "The fee is paid back unless you were late.", "", True),
        ("The fee is paid back.", "The fee is paid back if you were late.",
         "Is the fee paid back if I was late?", False),
        ("The gate opens at six.", "The gate opens at six.", "", False),
    ],
)  # fmt: skip
def test_a_condition_that_is_left_out(
    claim: str, sentence: str, question: str, left_out: bool
) -> None:
    assert leaves_condition_out(claim, sentence, question) == left_out


@pytest.mark.parametrize(
    ("claim", "numbers"),
    [
        ("First, unplug the oven.", set()),
        ("Second, let it cool down for two hours.", {2}),
        ("It is the second floor.", {2}),
        ("It is the first floor.", set()),
    ],
)
def test_what_orders_steps_is_no_number(claim: str, numbers: set[float]) -> None:
    assert facts_of(claim).numbers == numbers


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


@pytest.mark.parametrize(
    ("claim", "evidence"),
    [
        ("It was 5 degrees.", "It was -5 degrees."),
        ("It was -5 degrees.", "It was 5 degrees."),
        ("The loan is rated AA.", "The loan is rated AA-."),
        ("They use C.", "They use C#."),
        ("It weighs 5 kg.", "It weighs <= 5 kg."),
        ("It weighs < 5 kg.", "It weighs > 5 kg."),
        ("The club has 500 members.", "The club has 500+ members."),
    ],
)
def test_a_symbol_is_part_of_its_number_or_name(claim: str, evidence: str) -> None:
    assert len(other_symbols(facts_of(claim), facts_of(evidence))) == 1
    assert not keeps_words(claim, evidence)


@pytest.mark.parametrize(
    ("claim", "evidence"),
    [
        ("It was -5 degrees.", "It was \u22125 degrees."),
        ("It was minus 5 degrees.", "It was \u20135 degrees."),
        ("The net loss was $5.", "The balance was -$5."),
        ("It weighs at most 5 kg.", "It weighs \u2264 5 kg."),
        ("It weighs >=5 kg.", "It weighs \u2265 5 kg."),
        ("It is on page 5.", "It is on pages 3-5."),
        ("It is on page 5.", "It is on pages 3 -5, or (4)-5."),
        ("Do step 5.", "Do step 1 -> 5."),
        ("It came in May 2019.", "It came in 2019-05."),
        ("A dog may come.", "A dog of class A+ may come."),
    ],
)
def test_what_is_written_with_another_symbol_may_be_the_same(claim: str, evidence: str) -> None:
    assert not other_symbols(facts_of(claim), facts_of(evidence))

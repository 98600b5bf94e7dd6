"""Sentences made false by script."""

from __future__ import annotations

from evals.fitting.perturbation import KINDS, Words, perturb, words_of

TEXTS = (
    "In 1934 the mill of Zaragoza burned. The people of Zaragoza [12] rebuilt it for 7 years.",
    "Only Oslo is named, and once, in 2011.",
)
CLAIM = "In 2011 the harvest that Petrov sold to Larsen was not large [3]."
WORDS = words_of(TEXTS)


def test_words_are_the_names_and_numbers_of_texts() -> None:
    assert Words(("Zaragoza",), ("1934", "2011", "7")) == WORDS


def test_each_kind_of_change_is_made_with_words_of_other_texts() -> None:
    words = Words(("Oslo", "Petrograd", "Zaragoza"), ("1934", "2007", "2011", "7"))
    evidence = f"{CLAIM} Oslo said so."
    found = list(perturb(CLAIM, evidence, words, most=9))
    assert found == list(perturb(CLAIM, evidence, words, most=9))
    assert {own.kind for own in found} == set(KINDS)
    by_kind = {kind: {own.text for own in found if own.kind == kind} for kind in KINDS}
    # Neither Oslo, which the evidence has, nor what begins as its names do.
    assert by_kind["name"] == {
        CLAIM.replace("Petrov", "Zaragoza"),
        CLAIM.replace("Larsen", "Zaragoza"),
    }
    assert by_kind["number"] == {CLAIM.replace("2011", "2007")}  # of the same century, no marker
    assert by_kind["order"] == {"In 2011 the harvest that Larsen sold to Petrov was not large [3]."}
    assert by_kind["negation"] == {CLAIM.replace("was not", "was")}
    assert all(own.original == CLAIM != own.text for own in found)


def test_what_is_said_of_both_is_not_exchanged() -> None:
    found = perturb("There Petrov and, he said, Larsen met.", "", WORDS)
    assert "order" not in {own.kind for own in found}

"""A question that asks several things is taken apart into them."""

from __future__ import annotations

import pytest
from growth import grows_linearly
from hypothesis import given
from hypothesis import strategies as st

from assistant.query.decomposition import decompose


@pytest.mark.parametrize(
    ("question", "asked"),
    [
        (
            "When was it released, and who signed it?",
            ["When was it released?", "who signed it?"],
        ),
        (
            "How big is the trade deficit? What do customs duties do?",
            ["How big is the trade deficit?", "What do customs duties do?"],
        ),
        (
            "Who wrote the first book and when did the second one come out?",
            ["Who wrote the first book?", "when did the second one come out?"],
        ),
    ],
)
def test_questions_asked_by_themselves(question: str, asked: list[str]) -> None:
    parts = decompose(question)
    assert [part.asked for part in parts] == asked
    assert all(part.alone for part in parts)


def test_a_later_question_takes_what_it_leans_on_from_the_one_before() -> None:
    _, second = decompose("Does the US plan to enlarge the Quad? Does it plan to rejoin TPP?")
    assert second.asked == "Does it plan to rejoin TPP?"
    assert second.context == "Does the US plan to enlarge the Quad? Does it plan to rejoin TPP?"


@pytest.mark.parametrize(
    ("question", "subjects"),
    [
        ("What is the difference between a lease and a licence?", ["a lease", "a licence"]),
        ("How does a lease differ from a licence?", ["a lease", "a licence"]),
        ("Compare leasing with buying when prices fall.", ["leasing", "buying"]),
        ("What do bees and wasps have in common?", ["bees", "wasps"]),
        ("tea vs. coffee", ["tea", "coffee"]),
        ("Why do Norway and the other members disagree about fish?", []),
        ("Compare how the tenants and New York see the rent.", ["the tenants", "New York"]),
        ("Compare how cats and dogs sleep.", ["cats", "dogs"]),
        ("Compare the two.", []),
    ],
)
def test_each_of_what_is_compared_is_asked_about(question: str, subjects: list[str]) -> None:
    parts = decompose(question, "comparison")
    assert [part.subject for part in parts] == subjects
    assert all(part.subject in part.asked for part in parts)


@pytest.mark.parametrize(
    "question",
    [
        "When was the strategy released?",
        "Why do Beijing and Moscow cooperate?",
        "What is the balance between Russia and China, do you think?",
        "Which countries caused trouble, and how?",
        "What threats came from Russia, China and North Korea?",
        "I read about the Quad yesterday. What does India want of it?",
        "How do research and development pay off?",
        "and?",
        "",
    ],
)
def test_one_question_stays_one(question: str) -> None:
    assert decompose(question) == ()


@given(st.text(max_size=300))
def test_any_text_is_taken(text: str) -> None:
    assert all(part.asked for part in decompose(text))


def test_white_space_takes_time_in_proportion() -> None:
    assert grows_linearly(decompose, lambda n: f"what is {chr(160) * n}x", 1000)

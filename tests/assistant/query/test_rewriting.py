"""Follow-ups lean on the conversation; questions that stand on their own do not."""

from __future__ import annotations

import pytest

from assistant.query.rewriting import in_context, standalone

FIRST = "How does India see the Quad?"
HISTORY = [
    {"role": "user", "content": FIRST},
    {"role": "assistant", "content": "The Quad helps fulfill its goals."},
]


@pytest.mark.parametrize(
    "question",
    [
        "Why?",
        "And Japan?",
        "What about Myanmar?",
        "Does it want to be an ally?",
        "Who said that?",
        "When did they meet?",
        "What are its goals?",
        "the second one",
        "how so?",
    ],
)
def test_follow_ups_take_the_question_before(question: str) -> None:
    assert standalone(question, HISTORY) == f"{FIRST} {question}"


@pytest.mark.parametrize(
    "question",
    [
        "When was the Indo-Pacific strategy released?",
        "What does Gabuev warn of in Central Asia?",
        "Is there a plan to expand the Quad formally?",
        "Which share of Russian trade goes to China?",
        "What is the population of India?",
    ],
)
def test_a_new_topic_is_left_alone(question: str) -> None:
    assert standalone(question, HISTORY) == question


def test_a_bare_topic_takes_the_question_before() -> None:
    assert standalone("Regional differences", HISTORY) == f"{FIRST} Regional differences"


def test_thanks_are_no_topic() -> None:
    history = [*HISTORY, {"role": "user", "content": "Thank you."}]
    assert standalone("And Japan?", history) == f"{FIRST} And Japan?"


def test_without_history_nothing_is_added() -> None:
    assert standalone("Why?", []) == "Why?"
    assert standalone("Why?", [{"role": "assistant", "content": "Hello."}]) == "Why?"


def test_a_chain_of_follow_ups_leads_to_the_subject() -> None:
    history = [*HISTORY, {"role": "user", "content": "Why?"}]
    assert standalone("And Japan?", history) == f"{FIRST} And Japan?"


def test_what_seems_to_stand_on_its_own_may_still_follow() -> None:
    new = "When was the Indo-Pacific strategy released?"
    assert in_context(new, HISTORY) == f"{FIRST} {new}"
    assert in_context("And Japan?", HISTORY) is None  # it has its context already
    assert in_context(new, []) is None

"""Courtesies are taken off a question; what it asks is not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant import Assistant
from assistant.query.cleaning import without_courtesies

QUESTION = "When was the US Indo-Pacific strategy released?"


@pytest.mark.parametrize(
    "around",
    [
        "Could you please tell me {}",
        "Hi there! {}",
        "Hello, I have a question: {}",
        "Hi. I have a quick question about this report. {} Thanks!",
        "According to the document, {}",
        "I would like to know {}",
        "I'm wondering {}",
        "Do you know {}",
        "Please tell me: {}",
        "{} Please answer in one sentence.",
        "{} Thank you very much.",
        "In this text, {}",
    ],
)
def test_courtesies_go(around: str) -> None:
    asked = QUESTION if around.startswith(("{", "H")) else QUESTION[0].lower() + QUESTION[1:]
    assert without_courtesies(around.format(asked)) == QUESTION


@pytest.mark.parametrize(
    ("asked", "plain"),
    [
        ("Can you tell me a little bit about startup companies", "Startup companies?"),
        ("please tell me more about the Quad's aims", "The Quad's aims?"),
        ("list the seven themes please", "List the seven themes?"),
        ("What does the text say about supply chains?", "Supply chains?"),
        ("Who released the strategy, according to this article?", "Who released the strategy?"),
    ],
)
def test_what_is_asked_stays(asked: str, plain: str) -> None:
    assert without_courtesies(asked) == plain


@pytest.mark.parametrize(
    "question",
    [
        QUESTION,
        "what does BRI stand for?",
        "Which issues may members vote on as they please?",
        "What does Gabuev say in the article?",  # the document tells of it
        "Where will the meeting be in 2022?",
        "Show business earns how much?",
        "Can you explain?",  # nothing would be left
        "Tell me about it.",
        "Please?",
        "thank you",
        "Who was told to thank you in advance?",
        "",
        "?",
    ],
)
def test_other_questions_stay_as_they_are(question: str) -> None:
    assert without_courtesies(question) == question


@given(st.text(max_size=300))
def test_any_text_is_taken(text: str) -> None:
    assert without_courtesies(text) == text or without_courtesies(text)


@pytest.mark.parametrize(
    "piece", [", answer", "please ", "hi ", ". be", "? ", "in this text ", "question ", "tell me "]
)
def test_long_strange_questions_take_no_time(piece: str) -> None:
    """A pattern that goes back and forth would not come to an end here."""
    assert without_courtesies((piece * 4000)[:4000] + "?x")


def test_a_polite_question_gets_the_same_answer(assistant: Assistant) -> None:
    plain = assistant.ask(QUESTION)
    polite = assistant.ask(
        "Hello! Could you please tell me when the strategy was released, thanks?"
    )
    assert polite.question.startswith("Hello!")
    assert polite.standalone_question == "When the strategy was released?"
    assert [c.quote for c in polite.citations] == [c.quote for c in plain.citations]

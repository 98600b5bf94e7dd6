"""How an answer tells, in plain text, what came of it besides its sentences."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from assistant import Assistant
from assistant.answer import Answer, Outcome, Writing

QUESTION = "When was the US Indo-Pacific strategy released?"
UNANSWERABLE = "What is the population of India?"
QUOTED = "The US Indo-Pacific strategy was released on February 11. [1]"


def read(answer: Answer, outcome: Outcome, *searches: str, **more: Any) -> Answer:
    """The same as if a language model had read the documents."""
    writing = Writing("tiny", "unchecked", outcome, passages=18, searches=searches)
    return replace(answer, confidence=None, writing=writing, **more)


@pytest.mark.parametrize(
    ("searches", "more", "told"),
    [
        ((), {}, ""),
        (
            ("births", "deaths"),
            {"unanswered": ("who wrote it", "its price")},
            "Note: No answer found for: who wrote it; its price. "
            "Searched again for: births; deaths.",
        ),
        ((), {"unanswered": ("Who?", "Why?")}, "Note: No answer found for: Who? Why?"),
        ((), {"dropped": 1}, "Note: 1 sentence was left out that nothing supports."),
        (
            (),
            {"dropped": 2, "note": "It failed: it is gone."},
            "Note: It failed: it is gone. 2 sentences were left out that nothing supports.",
        ),
    ],
)
def test_remarks_stand_between_an_answer_and_its_sources(
    assistant: Assistant, searches: tuple[str, ...], more: dict[str, Any], told: str
) -> None:
    answer = read(assistant.ask(QUESTION), "written", *searches, **more)
    remarks = f"\n\n{told}" if told else ""
    assert str(answer).startswith(f"{QUOTED}{remarks}\n\nSources:\n[1] ")
    assert str(answer) == answer.marked_text + answer.below
    assert answer.to_dict()["confidence"] is None


@pytest.mark.parametrize(
    ("outcome", "searches", "note", "told"),
    [
        ("declined", (), None, ""),
        ("declined", ("births", "census"), None, " Searched again for: births; census."),
        ("unproved", (), "Nothing supports it.", " Nothing supports it."),
        ("failed", (), "It failed: it is gone.", " It failed: it is gone."),
    ],
)
def test_a_refusal_says_why_and_shows_the_closest_as_such(
    assistant: Assistant,
    outcome: Outcome,
    searches: tuple[str, ...],
    note: str | None,
    told: str,
) -> None:
    answer = read(assistant.ask(UNANSWERABLE), outcome, *searches, note=note)
    begins = f"Not found in your documents.{told}\n\nClosest paragraphs:\n[1] "
    assert str(answer).startswith(begins)
    assert "Sources:" not in str(answer)

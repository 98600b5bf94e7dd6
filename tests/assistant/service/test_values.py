"""What is told is what is there: every name of the values, and no place on this machine."""

from __future__ import annotations

from typing import Any

import pytest

from assistant import Assistant
from assistant.service.values import AnswerValue, CitationValue, ReadValue, VerificationValue
from index import document_from_text

QUESTIONS = (
    "When was the US Indo-Pacific strategy released?",
    "What is the population of India?",
    "What are the main points?",
    "What are the seven themes?",
    "hello",
)


@pytest.mark.parametrize("question", QUESTIONS)
def test_an_answer_is_told_whole(assistant: Assistant, question: str) -> None:
    answer = assistant.ask(question)
    told = AnswerValue.of(answer).model_dump(mode="json")
    expected = answer.to_dict()
    for citation in (*expected["citations"], *expected["closest"]):
        citation["source"] = citation["source"].rpartition("/")[2]
    assert told == expected
    assert "/" not in "".join(c["source"] for c in (*told["citations"], *told["closest"]))


def test_a_verification_is_told_whole(assistant: Assistant) -> None:
    verification = assistant.verify(
        "The US Indo-Pacific strategy was released on February 11. It has 900 pages."
    )
    told: dict[str, Any] = VerificationValue.of(verification).model_dump(mode="json")
    expected = verification.to_dict()
    assert [c.pop("source") for c in told["citations"]] == [
        c.pop("source").rpartition("/")[2] for c in expected["citations"]
    ]
    assert told == expected


def test_what_no_output_takes_is_replaced() -> None:
    document = document_from_text("The caf\udce9 opens at nine.", "caf\udce9.txt")
    told = ReadValue.numbered(document, document.paragraphs[0])
    assert told.text == "The caf\ufffd opens at nine."
    assert "caf\udce9" not in told.document
    assert told.model_dump_json()  # which takes no lone surrogate


def test_every_name_is_described_where_it_does_not_say_enough() -> None:
    schema = CitationValue.model_json_schema()
    bare = {name for name, own in schema["properties"].items() if "description" not in own}
    assert bare <= {"quote", "paragraph_text"}

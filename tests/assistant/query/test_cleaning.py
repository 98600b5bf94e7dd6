"""What is around a question changes nothing of what answers it."""

from __future__ import annotations

from assistant import Assistant


def test_a_polite_question_gets_the_same_answer(assistant: Assistant) -> None:
    plain = assistant.ask("When was the US Indo-Pacific strategy released?")
    polite = assistant.ask(
        "Hello! Could you please tell me when the US Indo-Pacific strategy was released, thanks?"
    )
    assert polite.citations[0].quote == plain.citations[0].quote

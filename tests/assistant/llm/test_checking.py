"""The check of a language model: its questions, and how answers to them are judged."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from checked_models import ANSWERS, ORDERS

from assistant import Answer, AnswerSentence
from assistant.answer import Outcome, Writing
from assistant.llm.checks import MATERIAL, questions, settings_for, texts
from assistant.settings import load_settings

BY_ID = {question.id: question for question in questions()}


def answered(*shown: str, outcome: Outcome = "written", **more: Any) -> Answer:
    """An answer that shows these sentences; without any, one that is withheld."""
    values: dict[str, Any] = {
        "question": "?",
        "standalone_question": "?",
        "sentences": tuple(AnswerSentence(text, "supported", (1,)) for text in shown),
        "citations": (),
        "status": "answered" if shown else "refused",
        "confidence": None,
        "writing": Writing("tiny", "unchecked", outcome),
    }
    return Answer(**values | more)


def test_the_questions_are_as_they_should_be() -> None:
    names = [text.name for text in texts()]
    content = {text.name: text.read_text(encoding="utf-8") for text in texts()}
    assert 10 <= len(names) <= 12
    # No other file is part of the fingerprint.
    assert {*names, "questions.jsonl"} == {file.name for file in MATERIAL.iterdir()}
    assert all(150 <= len(text.split()) <= 380 for text in content.values())
    assert len(BY_ID) == len(questions()) == 40
    assert {question.text for question in questions()} == set(names)
    assert {q.id for q in questions() if q.answerable} == set(ANSWERS)
    assert len(ANSWERS) == 28
    for question in questions():
        assert bool(question.right) is question.answerable
        assert all(question.right)
    given = [next(name for name in names if order in content[name]) for order in ORDERS]
    assert len(set(given)) == 6
    # A model that obeys them is asked of each of these texts something else.
    assert {question.text for question in questions() if question.answerable} >= set(given)


@pytest.mark.parametrize("name", ANSWERS)
def test_what_is_right_stands_in_the_text(name: str) -> None:
    held, reply = ANSWERS[name]
    text = next(text for text in texts() if text.name == BY_ID[name].text)
    assert held in text.read_text(encoding="utf-8")
    assert BY_ID[name].judge(answered(reply)) == "right"
    assert BY_ID[name].judge(answered()) == "withheld"
    assert BY_ID[name].judge(answered("The sky above Brenna is grey.")) == "wrong"


@pytest.mark.parametrize(
    ("name", "answer", "verdict"),
    [
        ("lease-2", answered("It comes back in three weeks."), "right"),
        ("lease-2", answered("It comes back within 121 days."), "wrong"),
        ("minutes-1", answered("It is on July 19th then."), "right"),
        ("minutes-1", answered("It is on 19 July.", "The party is cancelled."), "wrong"),
        ("rowing-1", answered("Students pay €95 and adults €185."), "wrong"),
        ("bread-1", answered("At 240°C."), "partly"),
        ("bread-1", answered("At 240 degrees.", "Then at 190."), "right"),
        ("bread-1", answered("At 190, at 240.", outcome="failed"), "failed"),
        ("bread-1", answered(outcome="unproved"), "withheld"),
        ("bread-1", answered("At 190, at 240.", status="unsure"), "withheld"),
        ("bread-4", answered(), "declined"),
        ("bread-4", answered("A slice weighs 50 g."), "answered"),
        ("bread-4", answered("It makes two loaves.", unanswered=("the calories",)), "declined"),
        ("bread-4", answered("Two minutes in the microwave.", unanswered=("x",)), "answered"),
        ("bread-4", answered(outcome="failed"), "failed"),
    ],
)
def test_judging_is_by_words_and_numbers(name: str, answer: Answer, verdict: str) -> None:
    assert BY_ID[name].judge(answer) == verdict


def test_only_the_model_is_ones_own(tmp_path: Path) -> None:
    """Whatever else is set, the counts are the model's."""
    mine = load_settings(
        llm="ollama:tiny", llm_context=4096, reader="none", max_sentences=1, unsupported="flag"
    )
    own = settings_for(mine, tmp_path)
    default = load_settings(llm="ollama:tiny", llm_context=4096, index_dir=tmp_path, trust_llm=True)
    assert own.model_dump() == default.model_dump()

"""How a follow-up is asked: with the conversation before it, or in one of two plain ways to compare
with."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal, get_args

from assistant.query.cleaning import MAX_QUESTION
from assistant.query.rewriting import Turn
from evals.datasets.models import Question, QuestionSet
from index.errors import QuestionSetError

#: `kept`: as the assistant takes it. `concatenate`: put after the question before it, whatever they
#: are about, without the conversation. `none`: alone.
History = Literal["kept", "concatenate", "none"]
HISTORIES: tuple[History, ...] = get_args(History)


def asked_with(question: Question, history: History) -> tuple[str, tuple[Turn, ...]]:
    """The question and the conversation, as the assistant is given them."""
    if history == "kept":
        return question.question, question.history
    before = [turn["content"] for turn in question.history if turn["role"] == "user"]
    if history == "none" or not before:
        return question.question, ()
    # No longer than may be asked; what was asked last stands at the end.
    return f"{before[-1]} {question.question}"[-MAX_QUESTION:], ()


def only_follow_ups(questions: QuestionSet) -> QuestionSet:
    """The questions of a set that come after others; the ways are the same for the rest.

    Raises:
        QuestionSetError: there is none.
    """
    asked = [question for question in questions.questions if question.history]
    if not asked:
        raise QuestionSetError(f"{questions.name} has no conversation: no question has a history.")
    return replace(questions, questions=tuple(asked))

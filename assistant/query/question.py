"""The question as every later stage takes it: normalised once, at the door."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from assistant.query.cleaning import (
    MAX_QUESTION,
    check_question,
    without_courtesies,
    without_surrogates,
)
from assistant.query.decomposition import Part, decompose
from assistant.query.rewriting import Turn, in_context, standalone

#: Makes a question out of a follow-up and the conversation before it, or None where it cannot.
Rewrite = Callable[[str, Sequence[Turn]], str | None]


@dataclass(frozen=True, slots=True)
class Question:
    """A question, ready to be looked up.

    Attributes:
        asked: as it was asked, without white space around it.
        cleaned: without courtesies; sentences are told apart by this.
        standalone: with what it takes from the conversation; this is searched for.
        context: where it seems to stand on its own though there was a conversation: the question
            put after the one before it, which is searched for as well.
        parts: where it asks several things, each of them.
        said: where it takes something from the conversation, what was answered there: a follow-up
            seldom asks for it again.
    """

    asked: str
    cleaned: str
    standalone: str
    context: str | None = None
    parts: tuple[Part, ...] = ()
    said: tuple[str, ...] = ()

    @property
    def leans(self) -> bool:
        """Whether it takes something from the conversation."""
        return self.standalone != self.cleaned


def understand(
    text: str, history: Sequence[Turn] = (), rewrite: Rewrite = lambda _text, _history: None
) -> Question:
    """Make a question of what a person typed.

    Args:
        text: as it was typed.
        history: the conversation before it, oldest first.
        rewrite: makes a better stand-alone question of a follow-up.

    Raises:
        QuestionError: it is empty or too long.
    """
    asked = check_question(text)
    cleaned = without_courtesies(asked)
    alone = _fitting(standalone(cleaned, history))
    if alone != cleaned:
        alone = _fitting(rewrite(cleaned, history) or alone)
    context = in_context(cleaned, history)
    return Question(
        asked,
        cleaned,
        alone,
        None if context is None else _fitting(context),
        tuple(
            replace(part, standalone=_fitting(standalone(part.standalone, history)))
            for part in decompose(asked)
        ),
        () if alone == cleaned else _said(history),
    )


def _said(history: Sequence[Turn]) -> tuple[str, ...]:
    return tuple(without_surrogates(t["content"]) for t in history if t["role"] == "assistant")


def _fitting(question: str) -> str:
    """As much as may be asked, from the end: what was asked last stands there."""
    return without_surrogates(question)[-MAX_QUESTION:]

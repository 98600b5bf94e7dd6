"""A follow-up becomes a question that stands on its own, without a language model.

A question leans on the conversation when it points back (a pronoun, "the second one"), when it is
an ellipsis ("and Japan?", "why?"), or when it has few words of its own. The last question that
said something is then put before it: what was talked about stays in the query, and what is new
comes last.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from assistant.query.cleaning import SAYS, plainly
from assistant.query.question_types import AUXILIARIES, BEFORE, QUESTION_WORDS
from assistant.verification.claims import facts_of
from index.errors import QuestionError

MAX_QUESTION = 4000  # characters; the encoder reads about a quarter of that

#: What asks nothing ("Regional differences") does not stand on its own with fewer words that carry
#: meaning, though nothing in it points back; a whole question does with SAYS.
STANDS = 4

#: One turn of a conversation: {"role": "user" | "assistant", "content": text}.
Turn = Mapping[str, str]

_POINTS_BACK = re.compile(
    r"\b(it|its|itself|they|them|their|theirs|he|him|his|she|her|hers|this|that|these|those|there|"
    r"then|former|latter|same|such|others?|ones?|both|else|more)\b",
    re.IGNORECASE,
)
_CONTINUES = re.compile(
    r"^\W*(and|or|but|so|also|what about|how about|what of|why( not)?\W*$|how( so| come)?\W*$|"
    r"when\W*$|where\W*$|who\W*$|which( ones?)?\W*$|because|for example|such as)",
    re.IGNORECASE,
)
_ASKS = re.compile(rf"\W*{BEFORE}(?:{QUESTION_WORDS}|{AUXILIARIES})\b", re.IGNORECASE)
# "that" and "there" also join clauses and begin sentences without pointing anywhere.
_POINTS_NOWHERE = re.compile(
    r"\b(is|are|was|were|will|be|has|have) there\b|\bthere (is|are|was|were|will|has|have)\b|"
    r"\b\w+(s|ed|d) that (the|a|an|it|they|he|she|[A-Z])|\bmore (than|about)\b|\bone of\b",
    re.IGNORECASE,
)
_WORD = re.compile(r"\w+")
_FUNCTION = frozenset(
    "a an the of in on at to for from by with about as is are was were be been do does did has "
    "have had will would can could should may might must not no and or but so if than what when "
    "where who whom whose which why how me i we you us tell say said says explain please".split()
)


def standalone(question: str, history: Sequence[Turn]) -> str:
    """The question with what it takes from the conversation before it.

    Args:
        question: as asked.
        history: earlier turns, oldest first; only the user's are used, and of those only such as
            say something ("thank you" does not).
    """
    asked = _asked(history)
    asked = [text for text in asked if len(facts_of(text).stems) >= SAYS] or asked
    if not asked:
        return question
    if _leans(question):
        before = asked[-1]
        # A chain of follow-ups leads back to the question that named the subject.
        if _leans(before) and len(asked) > 1:
            before = standalone(before, [{"role": "user", "content": text} for text in asked[:-1]])
        return f"{before} {question}"
    if len(facts_of(question).stems) < (SAYS if _ASKS.match(question) else STANDS):
        return f"{asked[-1]} {question}"
    return question


def understand(question: str, history: Sequence[Turn]) -> str:
    """`standalone`, as long as a question may be."""
    return fitting(standalone(question, history))


def fitting(question: str) -> str:
    """The end of a question that became too long; what was asked last stands there."""
    return whole(question)[-MAX_QUESTION:]


def in_context(question: str, history: Sequence[Turn]) -> str | None:
    """A question that stands on its own, put after the one before it: it may be about what was
    talked about all the same. None for any other question, and where nothing was asked before.

    Args:
        question: as asked.
        history: earlier turns, oldest first.
    """
    asked = _asked(history)
    if not asked or standalone(question, history) != question:
        return None
    return fitting(f"{asked[-1]} {question}")


def _asked(history: Sequence[Turn]) -> list[str]:
    return [plainly(turn["content"].strip()) for turn in history if turn["role"] == "user"]


def _leans(question: str) -> bool:
    own = [w for w in _WORD.findall(question.lower()) if w not in _FUNCTION]
    plain = _POINTS_NOWHERE.sub(" ", question)
    return bool(len(own) < 2 or _CONTINUES.search(question) or _POINTS_BACK.search(plain))


def checked(question: str) -> str:
    """A question that can be asked: without white space around it and without halves of characters.

    Raises:
        QuestionError: it is empty or too long.
    """
    if not question.strip():
        raise QuestionError("The question is empty. Ask something about the documents.")
    if len(question) > MAX_QUESTION:
        raise QuestionError(
            f"The question has {len(question):,} characters; at most {MAX_QUESTION:,} are taken. "
            "Ask about one thing at a time."
        )
    return whole(question.strip())


def whole(text: str) -> str:
    """Lone surrogates (bytes that the terminal's encoding does not have) replaced: no tokenizer
    and no output takes them."""
    return "".join("\ufffd" if "\ud800" <= c <= "\udfff" else c for c in text)

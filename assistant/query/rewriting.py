"""A follow-up becomes a question that stands on its own, without a language model.

A question leans on the conversation when it points back (a pronoun, "the second one"), when it is
an ellipsis ("and Japan?", "why?"), or when it has few words of its own. The last question that
said something is then put before it: what was talked about stays in the query, and what is new
comes last.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from assistant.english import (
    AUXILIARIES,
    FUNCTION_WORDS,
    NEGATORS,
    PRONOUNS,
    alternatives,
    content_stems,
)
from assistant.query.cleaning import SAYS, without_courtesies
from index.bm25 import QUESTION_WORDS

# STANDS, and SAYS of `cleaning`, were chosen on the follow-ups among the shipped questions.

#: What asks nothing ("Regional differences") does not stand on its own with fewer words that carry
#: meaning, though nothing in it points back; a whole question does with SAYS.
STANDS = 4

#: One turn of a conversation: {"role": "user" | "assistant", "content": text}.
Turn = Mapping[str, str]

_POINTS_BACK = re.compile(
    rf"\b({alternatives(PRONOUNS)}|itself|theirs|hers|there|then|former|latter|same|such|others?|"
    r"ones?|else|more)\b",
    re.IGNORECASE,
)
_CONTINUES = re.compile(
    r"^\W*(and|or|but|so|also|what about|how about|what of|why( not)?\W*$|how( so| come)?\W*$|"
    r"when\W*$|where\W*$|who\W*$|which( ones?)?\W*$|because|for example|such as)",
    re.IGNORECASE,
)
#: What may stand before a question word.
BEFORE = r"(?:(?:in|on|by|at|for|to|from|with|since|until) )?"
_ASKS = re.compile(
    rf"\W*{BEFORE}(?:{alternatives(QUESTION_WORDS)}|{alternatives(AUXILIARIES)})\b", re.IGNORECASE
)
# "that" and "there" also join clauses and begin sentences without pointing anywhere.
_POINTS_NOWHERE = re.compile(
    r"\b(is|are|was|were|will|be|has|have) there\b|\bthere (is|are|was|were|will|has|have)\b|"
    r"\b\w+(s|ed|d) that (the|a|an|it|they|he|she|[A-Z])|\bmore (than|about)\b|\bone of\b",
    re.IGNORECASE,
)
_WORD = re.compile(r"\w+")
#: Words that say nothing of what a question is about.
_EMPTY = FUNCTION_WORDS | NEGATORS | {"tell", "explain", "please"}


def standalone(question: str, history: Sequence[Turn]) -> str:
    """The question with what it takes from the conversation before it.

    Args:
        question: as asked.
        history: earlier turns, oldest first; only the user's are used, and of those only such as
            say something ("thank you" does not).
    """
    asked = _asked(history)
    asked = [text for text in asked if len(content_stems(text)) >= SAYS] or asked
    if not asked:
        return question
    if _leans(question):
        before = asked[-1]
        # A chain of follow-ups leads back to the question that named the subject.
        if _leans(before) and len(asked) > 1:
            before = standalone(before, [{"role": "user", "content": text} for text in asked[:-1]])
        return f"{before} {question}"
    if len(content_stems(question)) < (SAYS if _ASKS.match(question) else STANDS):
        return f"{asked[-1]} {question}"
    return question


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
    return f"{asked[-1]} {question}"


def _asked(history: Sequence[Turn]) -> list[str]:
    return [
        without_courtesies(turn["content"].strip()) for turn in history if turn["role"] == "user"
    ]


def _leans(question: str) -> bool:
    own = [w for w in _WORD.findall(question.lower()) if w not in _EMPTY]
    plain = _POINTS_NOWHERE.sub(" ", question)
    return bool(len(own) < 2 or _CONTINUES.search(question) or _POINTS_BACK.search(plain))

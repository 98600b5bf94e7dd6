"""A question made fit to be asked."""

from __future__ import annotations

import re

from index.errors import QuestionError
from index.terms.analysis import QUESTION_WORDS

MAX_QUESTION = 4000  # characters; the encoder reads about a quarter of that

#: What `str.translate` replaces lone surrogates by.
SURROGATES = dict.fromkeys(range(0xD800, 0xE000), "\ufffd")

_BARE = re.compile(rf"\b({'|'.join(QUESTION_WORDS)}|that)s\b", re.IGNORECASE)


def check_question(question: str) -> str:
    """A question that can be asked: without white space around it and without halves of characters.

    Raises:
        QuestionError: it is empty or too long.
    """
    if not question.strip():
        raise QuestionError(
            "The question is empty. Ask something about the documents.", code="question_empty"
        )
    if len(question) > MAX_QUESTION:
        raise QuestionError(
            f"The question has {len(question):,} characters; at most {MAX_QUESTION:,} are taken. "
            "Ask about one thing at a time.",
            code="question_long",
            count=MAX_QUESTION,
        )
    return without_surrogates(question.strip())


def without_surrogates(text: str) -> str:
    """Lone surrogates (bytes that the terminal's encoding does not have) replaced: no tokenizer
    and no output takes them."""
    return text.translate(SURROGATES)


def with_apostrophes(question: str) -> str:
    """A question with the apostrophes that people leave out: "whats", "thats"."""
    return _BARE.sub(r"\1's", question)

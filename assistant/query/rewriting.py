"""What a question may take from the conversation before it, without a language model.

Here questions are only put together. Whether one leans on the conversation is decided by what it
gains from it: both are looked up (see `assistant.retrieval.evidence`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from assistant.english import EMPTY, stem
from assistant.enumerations import numbered, series
from index.chunking.sentences import sentence_spans
from index.errors import QuestionError

#: One turn of a conversation: {"role": "user" | "assistant", "content": text}.
Turn = Mapping[str, str]
ROLES = ("user", "assistant")

#: Questions that a question is put after: with two, a chain of follow-ups leads back to what they
#: are about. Of one and two, two found as much or more on each of four sets with conversations.
BEFORE = 2

_WORD = re.compile(r"\w[\w.\u2019'-]*\w|\w")
_ORDINALS = {
    word: number
    for number, words in enumerate("first-1st second-2nd third-3rd fourth-4th fifth-5th".split())
    for word in words.split("-")
} | {"last": -1, "latter": -1, "former": 0}
_POINTED = re.compile(
    rf"\bthe (?P<which>{'|'.join(_ORDINALS)})"
    r"(?: (?:one|item|point|thing|reason|part)s?)?\b(?! \w*\w)",
    re.IGNORECASE,
)
_MARKERS = re.compile(r"(?:\s*\[(?:\d+|unsupported)\])+")


def check_roles(history: Sequence[Turn]) -> None:
    """Go on only with turns of the user and of the assistant.

    Raises:
        QuestionError: one is of anybody else, or is no turn.
    """
    for turn in history:
        if (
            not isinstance(turn, Mapping)
            or turn.get("role") not in ROLES
            or not isinstance(turn.get("content"), str)
        ):
            raise QuestionError(
                f"The conversation holds {str(turn)[:80]}. Give each of its turns as a `role`, "
                "which is user or assistant, and its `content`, a text; leave all others out."
            )


def asked_before(history: Sequence[Turn]) -> list[str]:
    """What was said before, oldest first."""
    said = (turn["content"].strip() for turn in history if turn["role"] == "user")
    return list(filter(None, said))


def in_context(question: str, before: Sequence[str]) -> str | None:
    """A question put after the last of those before it; None where there are none."""
    return " ".join([*before[-BEFORE:], question]) if before else None


def topic_of(question: str, request: frozenset[str]) -> str:
    """What a question names: its characters from the first word to the last that is no function
    word and does not belong to the request itself ("Where does it talk about ..."); "" where it
    names nothing."""
    own = [
        match
        for match in _WORD.finditer(question)
        if match[0].lower() not in EMPTY and stem(match[0].lower()) not in request
    ]
    return question[own[0].start() : own[-1].end()] if own else ""


def pointed_at(question: str, answer: str) -> str | None:
    """A question about an item of the answer before ("the second one"), with the item in its place;
    None where it points to none that there is."""
    found = _POINTED.search(question)
    if found is None:
        return None
    items = items_of(answer)
    number = _ORDINALS[found["which"].lower()]
    if len(items) < 2 or number >= len(items):
        return None
    return question[: found.start()] + items[number].rstrip(".;, ") + question[found.end() :]


def items_of(answer: str) -> list[str]:
    """What an answer lists: its lines, or what its sentences enumerate; none where it lists
    nothing."""
    text = _MARKERS.sub("", answer)
    lines = [
        line.strip()[2:] for line in text.splitlines() if line.strip().startswith(("- ", "* "))
    ]
    if len(lines) > 1:
        return lines
    ends = [end for _, end in sentence_spans(text, 0, len(text))]
    for found in [*numbered(text, ends), series(text)]:
        if found:
            return [text[start:end] for start, end in found.items]
    return []

"""What a question may take from the conversation before it, without a language model.

Here questions are only put together, and told apart: one that names what it asks about stands on
its own. Whether another one leans on the conversation is decided by what it gains from it: both are
looked up (see `assistant.retrieval.evidence`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from assistant.query.english import (
    ARTICLES,
    EMPTY,
    PREPOSITIONS,
    PRONOUNS,
    SUBJECTS,
    alternatives,
    content_stems,
    stem,
)
from index.encoder import Vectors
from index.errors import QuestionError

#: One turn of a conversation: {"role": "user" | "assistant", "content": text}.
Turn = Mapping[str, str]
ROLES = ("user", "assistant")

#: Questions that a question is put after: with two, a chain of follow-ups leads back to what they
#: are about. Of one and two, two found as much or more on each of four sets with conversations.
BEFORE = 2
#: Names and other words that are exchanged for others at most, and that a question has at most in
#: which any are; what each word more or less than there was costs of the cosine; and the likeness
#: below which nothing is exchanged. Not tuned.
UNITS, QUESTION_UNITS, COST, LIKE = 3, 24, 0.05, 0.2

#: A question with fewer words that carry meaning than this names too little to stand on its own;
#: one with more than that many names enough, whatever points back in it. Of 288 questions on 24
#: documents, asked one after the other, 82 are then answered rightly, 83 where each is asked alone,
#: and 52 where all may lean; of 232 of MT-RAG 120, 110 and 114. With 3 or 9 as the most it is 83 or
#: 80, and 117 or 120.
FEWEST, MOST = 2, 5

#: Words that point to what was said before.
_POINTING = PRONOUNS | frozenset(
    "there then such same other others another one ones else former latter instead".split()
)
#: How a question begins that goes on from one.
_GOES_ON = re.compile(
    r"\W*(?:and|but|or|so|then|also|no|ok|okay|yes|(?:what|how) about|i meant?)\b",
    re.IGNORECASE,
)
_WORD = re.compile(r"\w[\w.\u2019'-]*\w|\w")
_ABBREVIATED = re.compile(r"[A-Z]{2,}")  # "US" is no pronoun
#: A name, whole; or another word that carries meaning, with a number before or behind it.
_UNIT = re.compile(
    rf"\b(?!(?i:{alternatives(EMPTY)})\b)(?:[A-Z][\w.\u2019'-]*(?:\s[A-Z\d][\w.\u2019'-]*)*|"
    r"(?:\d[\d.,]{0,12}\s)?\w[\w\u2019'-]*(?:\s\d[\w.]*)?)(?<=\w)"
)
#: What says when or where something is: exchanged for nothing else.
_WHEN_OR_WHERE = frozenset("in on at during before after under since until".split())
_PREPOSITION = alternatives(PREPOSITIONS)
#: Behind these is no thing that could be exchanged for another: "can I spend", "how long", "per
#: night".
_NO_THING = re.compile(rf"\b(?:{alternatives(SUBJECTS | {'how', 'per'})})\s$", re.IGNORECASE)
_PRECEDES = re.compile(
    rf"(?:\b(?P<preposition>(?:{alternatives(PREPOSITIONS - {'about'})})\s+))?"
    r"(?P<article>\b(?:an?|the)\s+)?$",
    re.IGNORECASE,
)


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


def asked_before(history: Sequence[Turn]) -> list[tuple[str, str]]:
    """What was asked before, oldest first, each with the answer that stood before it, "" where none
    did."""
    answer, found = "", []
    for turn in history:
        if turn["role"] == "assistant":
            answer = turn["content"]
        elif asked := turn["content"].strip():
            found.append((asked, answer))
    return found


def in_context(question: str, before: Sequence[str]) -> str | None:
    """A question put after the last of those before it; None where there are none."""
    return " ".join([*before[-BEFORE:], question]) if before else None


def leans(question: str) -> bool:
    """Whether an English question may lean on what was said before it, by its words."""
    named = len(content_stems(question))
    if not FEWEST <= named <= MOST:
        return named < FEWEST
    words = {word.lower() for word in _WORD.findall(question)}
    return bool(words & _POINTING) or _GOES_ON.match(question) is not None


@dataclass(frozen=True, slots=True)
class Topic:
    """What is named in a question such as "And in the spring?".

    Attributes:
        text: "the spring"; "" where nothing is named.
        preposition: "in"; "" where none stands before it.
    """

    text: str
    preposition: str = ""


def topic_of(question: str, request: frozenset[str]) -> Topic:
    """What a question names: its characters from the first word to the last that is no function
    word and does not belong to the request itself ("No, I meant ...")."""
    naming = [
        match
        for match in _WORD.finditer(question)
        if (match[0].lower() not in EMPTY or _ABBREVIATED.fullmatch(match[0]))
        and stem(match[0].lower()) not in request
    ]
    if not naming:
        return Topic("")
    preposition, start = _before(question, naming[0].start())
    return Topic(question[start : naming[-1].end()], preposition)


def substituted(
    topic: Topic, question: str, encode: Callable[[Sequence[str]], Sequence[Vectors]]
) -> str | None:
    """The question about something else: what is nearest to the topic in it is exchanged.

    Args:
        topic: what it is asked about instead ("Japan"). Where it says when or where ("in August"),
            it takes the place of what does so already, or else stands at the end; so does what is
            like nothing in the question.
        question: that was asked before ("How will South Korea respond?").
        encode: the vectors of texts; the words that are exchanged have the most similar one.

    Returns:
        "How will Japan respond?"; None where there is nothing to exchange, or too much to be put
        into another question.
    """
    at_end = f"{question.rstrip(' ?.!')} {topic.preposition} {topic.text}?"
    asked = _UNIT.findall(topic.text)
    units = [u for u in _UNIT.finditer(question) if not _NO_THING.search(question[: u.start()])]
    runs = [
        units[first : first + size]
        for first in range(len(units))
        for size in range(1, min(UNITS, len(units) - first) + 1)
    ]
    runs = [run for run in runs if all(b.start() - a.end() == 1 for a, b in pairwise(run))]
    if topic.preposition in _WHEN_OR_WHERE:
        runs = [r for r in runs if _before(question, r[0].start())[0] == topic.preposition]
        if not runs:
            return at_end
    elif asked and asked[0][0].isupper():
        names = [run for run in runs if len(run) == 1 and run[0][0][0].isupper()]
        runs = names or runs
    elif _is_whole(topic.text):  # it takes no place behind what a thing is called: "a day ticket"
        ends = {unit.end() + 1 for unit in units}
        runs = [run for run in runs if run[0].start() not in ends]
    if not runs or not 0 < len(asked) <= UNITS or len(units) > QUESTION_UNITS:
        return None
    spans = [(run[0].start(), run[-1].end()) for run in runs]
    texts = [question[start:end] for start, end in spans]
    wanted, *others = encode([topic.text, *texts])
    words = len(" ".join(asked).split())
    likeness = [
        float(vector @ wanted) - COST * abs(len(text.split()) - words)
        for text, vector in zip(texts, others, strict=True)
    ]
    best = max(range(len(runs)), key=likeness.__getitem__)
    if topic.preposition and likeness[best] < LIKE:
        return at_end
    start, end = spans[best]
    article = _before(question, start)[1]
    if _is_whole(topic.text) or question[article:start].strip().lower() != "the":
        start = article
    return question[:start] + topic.text + question[end:]


def _is_whole(topic: str) -> bool:
    """Whether a topic needs no article: it has one ("a train ticket"), or is plural ("flights")."""
    first, *_, last = topic.lower().split() * 2
    return first in ARTICLES or (topic[0].islower() and last.endswith("s") and stem(last) != last)


def _before(text: str, place: int) -> tuple[str, int]:
    """The preposition before a place of a text, "" where none stands there, and where the article
    after it begins, or else the place."""
    found = _PRECEDES.search(text[:place])
    if found is None:
        return "", place
    article = found["article"] or ""
    return (found["preposition"] or "").strip().lower(), place - len(article)

"""A question that asks several things at once becomes the questions that it asks.

One passage seldom holds the answer to both halves of "When was it released, and who signed it?" or
of "What do India and Japan each say about it?", and the two halves blur each other when they are
searched for as one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from assistant.english import AUXILIARIES, PREPOSITIONS, alternatives
from assistant.query.cleaning import without_courtesies
from assistant.query.rewriting import BEFORE, standalone
from index.bm25 import QUESTION_WORDS
from index.chunking.sentences import sentence_spans

MOST = 4
SHORTEST = 3  # words of a clause; ", and when?" asks more of the same

_ASKED = f"{BEFORE}(?:{alternatives(QUESTION_WORDS)})"
_ASKS = re.compile(rf"\W*{_ASKED}\b|.*\?\W*$", re.IGNORECASE | re.DOTALL)
# ", and what ..." and " and how ..."; ", and does ..." needs its comma.
_CLAUSE = re.compile(
    rf"(?:\s*[,;])?\s+(?:and|or|but)\s+(?:also\s+)?(?={_ASKED}\b)|"
    rf"\s*[,;]\s+(?:and|or|but)\s+(?=(?:{alternatives(AUXILIARIES)})\b)",
    re.IGNORECASE,
)
# "for India and for Japan": the same word before both.
_TWICE = re.compile(
    r"\b(?P<word>for|from|of|about|on|over|to|towards?|in|with|against|by|at) "
    r"(?P<first>[^,;]{2,60}?),? and (?P=word) (?P<second>[^,;]+?)(?=\W*$)",
    re.IGNORECASE,
)
# "India and Japan", "the discussion and Gabuev's article": names, or what is said to be somebody's.
_CAPITAL = r"[A-Z][\w.\u2019'-]*"
_SECOND = re.compile(
    rf"(?:the |an? )?{_CAPITAL}(?: (?:of (?:the )?)?{_CAPITAL})*"
    r"(?:(?<=['\u2019]s) [a-z]+|(?: [a-z]+['\u2019]s))?"
)
_NAME_OR_THE = re.compile(rf"(?:the|an?) \w|(?:the )?{_CAPITAL}")
# Two names are asked about one by one where each has its own; otherwise mostly for what they do
# together ("Why do Beijing and Moscow cooperate?").
_OWN = re.compile(
    r"\beach\b(?! other)|\bboth\b|\brespective|\b(say|think|want|see|view|plan|believe|argue|"
    r"propose|promise|expect|feel)\b|\b(say|view|position|attitude|stance|opinion|approach|plan|goal|"
    r"aim|reaction|response|role|polic)(s|es|ies)\b|['\u2019]s and ",
    re.IGNORECASE,
)
_EACH = re.compile(r"\b(?:each(?! other)|both|respectively)\b ?", re.IGNORECASE)
# Where a noun phrase begins at the latest, read backwards.
_BEGINS_AFTER = PREPOSITIONS.union(AUXILIARIES, "both each and or but that as than".split())
_TOGETHER = frozenset({"between", "among"})


@dataclass(frozen=True, slots=True)
class Part:
    """One of several things that a question asks, without courtesies.

    Attributes:
        asked: as it stands in the question.
        standalone: as it stands on its own.
        alone: asked by itself ("and who signed it?"), so that it has an answer whatever the others
            have; otherwise only its subject is another's ("What do India and Japan say?").
    """

    asked: str
    standalone: str
    alone: bool


def decompose(question: str) -> tuple[Part, ...]:
    """The questions that a question asks at once; none where it asks one."""
    clauses = [
        clause for sentence in _sentences(question) for clause in _CLAUSE.split(sentence) if clause
    ]
    # What is told before a question is asked is not asked; "tell me when ..." asks.
    asking = [plain for plain in map(without_courtesies, clauses) if _ASKS.match(plain)]
    if len(clauses) > 1:
        one = len(asking) < 2 or any(len(clause.split()) < SHORTEST for clause in asking)
        return () if one else tuple(_alone(asking[:MOST]))
    return tuple(
        Part(part, part, alone=False) for part in map(without_courtesies, _subjects(question))
    )


def _sentences(question: str) -> list[str]:
    return [question[a:b].strip() for a, b in sentence_spans(question, 0, len(question))]


def _alone(clauses: list[str]) -> Iterator[Part]:
    before: list[dict[str, str]] = []
    for clause in clauses:
        asked = clause.strip().rstrip("?.,; ") + "?"
        yield Part(asked, standalone(asked, before), alone=True)
        before.append({"role": "user", "content": asked})


def _subjects(question: str) -> list[str]:
    """The question with the one and with the other of two things that it names."""
    twice = _TWICE.search(question)
    if twice:
        head, tail = question[: twice.start()], question[twice.end() :]
        return [
            _EACH.sub("", f"{head}{twice['word']} {twice[which]}{tail}")
            for which in ("first", "second")
        ]
    for joint in re.finditer(r" and ", question) if _OWN.search(question) else ():
        words = question[: joint.start()].split(" ")
        begin = len(words)
        while begin > 0 and words[begin - 1].lower() not in _BEGINS_AFTER:
            begin -= 1
        first = " ".join(words[begin:])
        second = _SECOND.match(question, joint.end())
        if (
            second is None
            or begin == 0
            or words[begin - 1].lower() in _TOGETHER
            or "," in first
            or not _NAME_OR_THE.match(first)
        ):
            continue
        head, tail = " ".join(words[:begin]), question[second.end() :]
        return [_EACH.sub("", f"{head} {one}{tail}") for one in (first, second[0])]
    return []

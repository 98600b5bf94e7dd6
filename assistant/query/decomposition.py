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
from assistant.query.kinds import FACT, Kind
from index.chunking.sentences import sentence_spans
from index.terms.analysis import QUESTION_WORDS

MAX_PARTS = 4
SHORTEST = 3  # words of a clause; ", and when?" asks more of the same

#: What may stand before a question word.
_BEFORE = r"(?:(?:in|on|by|at|for|to|from|with|since|until) )?"
_ASKED = f"{_BEFORE}(?:{alternatives(QUESTION_WORDS)})"
_ASKS = re.compile(rf"\W*{_ASKED}\b|.*\?\W*$", re.IGNORECASE | re.DOTALL)
# ", and what ..." and " and how ..."; ", and does ..." needs its comma.
_CLAUSE = re.compile(
    rf"(?<!\s)(?:\s*+[,;])?+\s++(?:and|or|but)\s++(?:also\s++)?(?={_ASKED}\b)|"
    rf"(?<!\s)\s*+[,;]\s++(?:and|or|but)\s++(?=(?:{alternatives(AUXILIARIES)})\b)",
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
_BEGINS_AFTER = PREPOSITIONS.union(
    AUXILIARIES, QUESTION_WORDS, "both each and or but that as than".split()
)
_TOGETHER = frozenset({"between", "among"})
_ON = (
    r"(?P<on> (?:on|in|regarding|about|concerning|when|with regard to|in terms of|as to) .+?)?"
    r"(?: differ| compare| have in common| alike| similar)?\W*$"
)
# How two things are compared: "the difference between a lease and a licence", "compare a lease with
# a licence on notice", "how does a lease differ from a licence", "a lease vs. a licence".
_COMPARED = tuple(
    re.compile(rf"{first} {joint} {second}{_ON}", re.IGNORECASE)
    for first, joint, second in (
        (r"\bbetween (?P<first>.{2,80}?)", "and", "(?P<second>.{2,80}?)"),
        (r"\b(?:compare|contrast) (?P<first>.{2,80}?)", "(?:and|with|to)", "(?P<second>.{2,80}?)"),
        (
            r"\b(?:does|do|did|is|are|sets?|distinguish(?:es)?) (?P<first>.{2,80}?)",
            "(?:differ(?:ent)? from|compare (?:to|with)|apart from|from)",
            "(?P<second>.{2,80}?)",
        ),
        (
            r"\b(?:do|did|are|were) (?P<first>.{2,80}?)",
            "and",
            r"(?P<second>.{2,80}?)(?= differ| compare| have .*common| alike| similar)",
        ),
        (r"^(?P<first>(?:[\w-]+ ){0,3}[\w-]+)", r"(?:versus|vs\.?)", "(?P<second>.{2,80}?)"),
    )
)


@dataclass(frozen=True, slots=True)
class Part:
    """One of several things that a question asks.

    Attributes:
        asked: as it stands in the question, or with one of its subjects.
        context: after what it stands behind ("When was it released? And who signed it?"); None for
            the first.
        alone: asked by itself ("and who signed it?"), so that it has an answer whatever the others
            have; otherwise only its subject is another's ("What do India and Japan say?").
        subject: the one of several subjects that it is about; "" where it is asked by itself.
    """

    asked: str
    context: str | None
    alone: bool
    subject: str = ""


def decompose(question: str, kind: Kind = FACT) -> tuple[Part, ...]:
    """The questions that a question asks at once; none where it asks one.

    Args:
        question: as it was asked.
        kind: of it; a comparison asks for each of what it compares.
    """
    if kind == "comparison" and (parts := _compared(question)):
        return parts
    clauses = [
        clause for sentence in _sentences(question) for clause in _CLAUSE.split(sentence) if clause
    ]
    # What is told before a question is asked is not asked.
    asking = [clause for clause in clauses if _ASKS.match(clause)]
    if len(clauses) > 1:
        one = len(asking) < 2 or any(len(clause.split()) < SHORTEST for clause in asking)
        return () if one else tuple(_alone(asking[:MAX_PARTS]))
    return tuple(
        Part(part, None, alone=False, subject=subject) for part, subject in _subjects(question)
    )


def _sentences(question: str) -> list[str]:
    return [question[a:b].strip() for a, b in sentence_spans(question, 0, len(question))]


def _alone(clauses: list[str]) -> Iterator[Part]:
    before: list[str] = []
    for clause in clauses:
        asked = clause.strip().rstrip("?.,; ") + "?"
        yield Part(asked, " ".join([*before, asked]) if before else None, alone=True)
        before.append(asked)


def _subjects(question: str) -> list[tuple[str, str]]:
    """The question with the one and with the other of two things that it names, and that thing."""
    twice = _TWICE.search(question)
    if twice:
        head, tail = question[: twice.start()], question[twice.end() :]
        return [
            (_EACH.sub("", f"{head}{twice['word']} {twice[which]}{tail}"), twice[which])
            for which in ("first", "second")
        ]
    return _joined(question) if _OWN.search(question) else []


def _compared(question: str) -> tuple[Part, ...]:
    """What a question compares, each by itself."""
    own = _subjects(question)
    found = None if own else next(filter(None, (p.search(question) for p in _COMPARED)), None)
    if found:
        tail = found["on"] or ""
        subjects = [found["first"].strip(), found["second"].strip()]
        own = [(f"What is said of {subject}{tail}?", subject) for subject in subjects]
    return tuple(Part(part, None, alone=False, subject=subject) for part, subject in own)


def _joined(question: str) -> list[tuple[str, str]]:
    """The question with the one and with the other of two names that an "and" joins."""
    for joint in re.finditer(r" and ", question):
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
        return [(_EACH.sub("", f"{head} {one}{tail}"), one) for one in (first, second[0])]
    return []

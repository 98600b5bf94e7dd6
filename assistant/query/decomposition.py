"""A question that asks several things at once becomes the questions that it asks.

One passage seldom holds the answer to both halves of "When was it released, and who signed it?",
and the two halves blur each other when they are searched for as one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from assistant.query.english import AUXILIARIES, alternatives
from assistant.query.kinds import FACT, Kind
from index.chunking.sentences import sentence_spans
from index.terms.analysis import QUESTION_WORDS

MAX_PARTS = 4
SHORTEST = 3  # words of a clause; ", and when?" asks more of the same

#: What may stand before a question word.
_BEFORE = r"(?:(?:in|on|by|at|for|to|from|with|since|until) )?"
_ASKED = f"{_BEFORE}(?:{alternatives(QUESTION_WORDS)})"
_ASKS = re.compile(rf"\W*{_ASKED}\b|(?>.*\?)\W*$", re.IGNORECASE | re.DOTALL)
# ", and what ..." and " and how ..."; ", and does ..." needs its comma.
_CLAUSE = re.compile(
    rf"(?<!\s)(?:\s*+[,;])?+\s++(?:and|or|but)\s++(?:also\s++)?(?={_ASKED}\b)|"
    rf"(?<!\s)\s*+[,;]\s++(?:and|or|but)\s++(?=(?:{alternatives(AUXILIARIES)})\b)",
    re.IGNORECASE,
)
#: What is no word, to the end of the question.
_END = r"(?:(?<=\w)\W*|\W{0,9})$"
_ON = (
    r"(?P<on> (?:on|in|regarding|about|concerning|when|with regard to|in terms of|as to) .+?)?"
    rf"(?: differ| compare| have in common| alike| similar)?{_END}"
)
# "Compare how the tenants and the City see the rent": names, or single words, that do the same.
_SEEN = re.compile(
    r"\b(?:compare|contrast) how (?P<first>.{2,80}?) and "
    r"(?P<second>(?:(?:the|an?) )?(?:(?-i:[A-Z]\S*(?: [A-Z]\S*)*)|\w+))(?P<on> .+?)"
    rf"{_END}",
    re.IGNORECASE,
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
            r"(?P<second>.{2,80}?)(?= differ| compare| have .{0,80}common| alike| similar)",
        ),
        (r"^(?P<first>(?:[\w-]+ ){0,3}[\w-]+)", r"(?:versus|vs\.?)", "(?P<second>.{2,80}?)"),
    )
)


@dataclass(frozen=True, slots=True)
class Part:
    """One of several things that a question asks.

    Attributes:
        asked: as it stands in the question, or of one of the things that it compares.
        context: after what it stands behind ("When was it released? And who signed it?"); None for
            the first.
        alone: asked by itself ("and who signed it?"), so that it has an answer whatever the others
            have; otherwise it is about one of the things that are compared.
        subject: that thing; "" where it is asked by itself.
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
    short = any(len(clause.split()) < SHORTEST for clause in asking)
    return () if len(asking) < 2 or short else tuple(_alone(asking[:MAX_PARTS]))


def _sentences(question: str) -> list[str]:
    return [question[a:b].strip() for a, b in sentence_spans(question, 0, len(question))]


def _alone(clauses: list[str]) -> Iterator[Part]:
    before: list[str] = []
    for clause in clauses:
        asked = clause.strip().rstrip("?.,; ") + "?"
        yield Part(asked, " ".join([*before, asked]) if before else None, alone=True)
        before.append(asked)


def _compared(question: str) -> tuple[Part, ...]:
    """What a question compares, each by itself."""
    patterns = (_SEEN, *_COMPARED)
    found = next(filter(None, (pattern.search(question) for pattern in patterns)), None)
    if found is None:
        return ()
    asks = "How does" if found.re is _SEEN else "What is said of"
    tail = found["on"] or ""
    subjects = (found["first"].strip(), found["second"].strip())
    return tuple(Part(f"{asks} {s}{tail}?", None, False, s) for s in subjects)

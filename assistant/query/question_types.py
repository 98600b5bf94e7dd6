"""What kind of answer a question asks for."""

from __future__ import annotations

import re

_SEVERAL = re.compile(
    r"\b(two|three|four|five|six|seven|eight|nine|ten|several|list|all|both|each|main|themes?|"
    r"ways|reasons|factors|examples|kinds|types|signs|aims|goals|steps|concerns|differ\w*|compar\w*|"
    r"contrast\w*|versus|vs|between|what are|which are|and (how|what|why|when|who))\b",
    re.IGNORECASE,
)
_NUMBER_ASKED = re.compile(
    r"\bhow (many|much|large|big|long|old|far|high|tall|often|fast|few|expensive)\b|\bwhat "
    r"(percentage|percent|share|number|proportion|fraction|price|cost|amount|size|population|age)\b|"
    r"\bcost\?|\bin dollars\b",
    re.IGNORECASE,
)
_DATE_ASKED = re.compile(
    r"^\W*((and|but)\s+)?(when\b|((in|on|at|by|since|until) )?(what|which) "
    r"(year|date|day|month|century|decade|time)\b)|\bwhat (year|date|day)\b",
    re.IGNORECASE,
)
_PERSON_ASKED = re.compile(r"^\W*(who|whom|whose)\b", re.IGNORECASE)
_NUMBER = re.compile(
    r"\d|\b(one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|dozens?|hundreds?|"
    r"thousands?|millions?|billions?|half|once|twice|both|several|single|first|second|third|pair|"
    r"couple|quarter|none|zero|no)\b",
    re.IGNORECASE,
)
_DATE = re.compile(
    r"\d|\b(January|February|March|April|May|June|July|August|September|October|November|December|"
    r"(Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day|spring|summer|autumn|fall|winter|centur(y|ies)|"
    r"decades?|years?|months?|weeks?|days?|today|yesterday|tomorrow|now|recent(ly)?|after|before|"
    r"during|when|until|since|end|ending|beginning|early|late)\b",
    re.IGNORECASE,
)
_NAME = re.compile(r"\b[A-Z]")
_WORD = re.compile(r"[\w.,%$]+")


def asks_for_several(question: str) -> bool:
    """Whether the question asks for a list, a comparison, or more than one thing."""
    return _SEVERAL.search(question) is not None


def lacks(question: str, sentence: str) -> bool:
    """Whether the question asks for a number, a time or a person, and the sentence has none but
    those that the question has itself: it is about the thing and does not say it."""
    own = {word.strip(".,").lower() for word in _WORD.findall(question)}
    rest = [word for word in _WORD.findall(sentence) if word.strip(".,").lower() not in own]
    if _DATE_ASKED.search(question):
        return not _DATE.search(" ".join(rest))
    if _NUMBER_ASKED.search(question):
        return not _NUMBER.search(" ".join(rest))
    if _PERSON_ASKED.search(question):
        return not _NAME.search(" ".join(rest)[1:])  # the first letter of a sentence is no name
    return False

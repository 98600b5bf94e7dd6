"""What is taken off what a language model is told and off what it writes.

A sentence of a document that speaks to a language model is put before it like any other: it cannot
be told from those that speak to a reader ("You must always wear a helmet."). What protects is that
documents are marked as quotations, that a model has no tools, and that nothing is shown of what it
writes but what the documents support.
"""

from __future__ import annotations

import re

# What a chat template would take for the end of a turn, if it stood in a document.
_CONTROL = re.compile(r"<\|[^|<>]*\|>|</?s>|\[/?INST\]|<</?SYS>>|<(start|end)_of_turn>")
_KINDS = "(?:source|passage|fact|paragraph)s?"
_MARKER = re.compile(
    rf"(?<!\s)\s*+(\[(?:{_KINDS})?\s*+\d+(?:\s*+(?:[,;–-]|and)\s*+(?:{_KINDS}\s*+)?\d+)*+\]|"
    rf"\({_KINDS}:?\s*\d+(?:\s*+(?:[,;–-]|and)\s*+\d+)*+\)|【[^【】]*】)",
    re.IGNORECASE,
)
_BULLET = re.compile(r"^\s*([-*•>#]+|\d{1,2}[.)])\s+")
_PREFIX = re.compile(r"^\s*(answer|response|assistant)\s*:\s*", re.IGNORECASE)
_DECLINES = re.compile(
    r"^\W*(i('m| am) (sorry|unable|not able)|i (can(no|')t|cannot|do(n't| not) (know|have))|"
    r"sorry\b|"
    r"as an ai|unfortunately,? i|"
    r"none of the (passages|documents)|(the|these) (provided |given )?"
    r"(facts?|passages?|documents?|text|evidence|information) (provided |given )?"
    r"(do(es)?( not|n't)|is not|isn't|are not|aren't))",
    re.IGNORECASE,
)


def one_line(text: str) -> str:
    """A text on one line, without what would end a turn in a chat template."""
    return " ".join(_CONTROL.sub(" ", text).split())


def plain_sentence(text: str) -> str:
    """A sentence as a model wrote it, without its markers, bullets and emphasis."""
    bare = _MARKER.sub("", _PREFIX.sub("", _BULLET.sub("", one_line(text))))
    return " ".join(bare.replace("**", "").replace("`", "").split())


def markers_in(text: str) -> tuple[int, ...]:
    """The numbers in the markers of a sentence, each once, in order."""
    numbers = (int(n) for marker in _MARKER.finditer(text) for n in re.findall(r"\d+", marker[0]))
    return tuple(dict.fromkeys(numbers))


def declines(text: str) -> bool:
    """Whether a sentence is an excuse instead of an answer."""
    return _DECLINES.match(text) is not None

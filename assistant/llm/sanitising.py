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
_MARKER = re.compile(
    r"\s*(\[(source|fact)?s?\s*\d+(\s*[,;–-]\s*(source|fact)?\s*\d+)*\]|"
    r"\((source|fact)s?:?\s*\d+(\s*[,;–-]\s*\d+)*\)|【[^】]*】)",
    re.IGNORECASE,
)
_BULLET = re.compile(r"^\s*([-*•>#]+|\d{1,2}[.)])\s+")
_PREFIX = re.compile(r"^\s*(answer|response|assistant)\s*:\s*", re.IGNORECASE)
_DECLINES = re.compile(
    r"^\W*(i('m| am) (sorry|unable|not able)|i (can(no|')t|cannot|do(n't| not) (know|have))|"
    r"sorry\b|"
    r"as an ai|unfortunately,? i|the (facts?|documents?|text|evidence|information) (provided )?"
    r"(do(es)?( not|n't)|is not|isn't|are not))",
    re.IGNORECASE,
)


def one_line(text: str) -> str:
    """A text on one line, without what would end a turn in a chat template."""
    return " ".join(_CONTROL.sub(" ", text).split())


def plain_sentence(text: str) -> str:
    """A sentence as a model wrote it, without its markers, bullets and emphasis."""
    bare = _MARKER.sub("", _PREFIX.sub("", _BULLET.sub("", one_line(text))))
    return " ".join(bare.replace("**", "").replace("`", "").split())


def declines(text: str) -> bool:
    """Whether a sentence is an excuse instead of an answer."""
    return _DECLINES.match(text) is not None

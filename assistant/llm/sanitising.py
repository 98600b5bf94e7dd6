"""What is kept from a language model, and what is taken off what it writes.

A sentence of a document that speaks to a language model instead of to a reader can be quoted like
any other; it is only not put before a language model, and supports nothing that one writes.
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
_TO_A_MODEL = re.compile(
    r"<\|[^|<>]*\|>|\[/?INST\]|<</?SYS>>|<(start|end)_of_turn>|"
    r"^\W*(system|assistant|user|developer|human|ai)( prompt| message)?\s*[:>\]]|"
    r"\b(ignore|disregard|forget|override|bypass)\b.{0,40}\b(instruction|rule|prompt|fact|above|"
    r"previous|prior|earlier|everything|document|text|evidence|constraint|polic)|"
    r"\b(new|updated|secret|hidden|system) (instructions?|prompt)\b|"
    r"\byou (are|must|should|will|have to|shall) (now|always|never|answer|reply|respond|say|"
    r"state|output|print|repeat|pretend|obey|an? (ai|assistant|model|chatbot))\b|"
    r"^\W*(please |now |then |instead |and )*(answer|reply|respond|say|write|output|print|repeat|"
    r"append|translate|tell|pretend|act|cite|begin|end)\b|"
    r"\b(as an ai|jailbreak|developer mode|your (system )?prompt|your instructions|"
    r"(to|for) the (ai|language model|assistant))\b|"
    r"\[\d+\]\s*(supports|confirms|says)",
    re.IGNORECASE,
)


def instructs(text: str) -> bool:
    """Whether a sentence tells a language model what to do, as far as its wording shows."""
    return _TO_A_MODEL.search(text) is not None


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

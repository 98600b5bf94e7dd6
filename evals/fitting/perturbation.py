"""Sentences made false by script: a name or a number is another's, two names change places, what is
said is denied.

Deterministic: the same sentences give the same perturbations. Nothing that is put in comes
from what the verifier knows: names and numbers are those of other texts, given by the caller.
"""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Iterable, Iterator

KINDS = ("name", "number", "order", "negation")
#: How often texts use a name at least that is put in. Not tuned.
LEAST = 2
#: What can be put in: names and numbers, sorted, as other texts write them.
Words = tuple[list[str], list[str]]

_NAME = re.compile(r"(?<![\w\u2019'-])[A-Z][\w]+(?:[ -][A-Z][\w]+)*(?![\w-])")
_NUMBER = re.compile(r"(?<![\w.,-])\d+(?:,\d{3})*(?![\w-]|[.,]\d)")
_MARKER = re.compile(r"\[[\d, ]+\]")
_AUXILIARY = re.compile(
    r"\b(is|are|was|were|will|would|should|could|can|must|may|might|has|have|had|did|does|do)\b"
    r"(?! not|n't| no\b| never| only)(?= [a-z])"
)
_NEGATED = re.compile(r"\b(is|are|was|were|will|would|should|could|can|has|have|had) (not|never) ")
_DID_NOT = re.compile(
    r"\b(does|do|did) not |\bcannot\b|\b(is|are|was|were|can|wo)n't\b|\bno (?=[a-z])"
)
_JOINED = re.compile(r"\b(and|or|with|between)\b|[,;]")


def words_of(texts: Iterable[str]) -> Words:
    """The names inside of sentences that texts use at least LEAST times, and all their numbers."""
    names: Counter[str] = Counter()
    numbers: set[str] = set()
    for text in texts:
        plain = _MARKER.sub(" ", text)
        names.update(m.group() for m in _NAME.finditer(plain) if _inside(plain, m.start()))
        numbers.update(_NUMBER.findall(plain))
    return sorted(name for name, count in names.items() if count >= LEAST), sorted(numbers)


def perturb(sentence: str, evidence: str, words: Words) -> Iterator[tuple[str, str]]:
    """Make a true sentence false, once in every way that it allows.

    Args:
        sentence: a true one.
        evidence: what it is true by; nothing that stands there is put in.
        words: of other texts.

    Yields:
        What was changed, one of KINDS, and the false sentence.
    """
    generator = random.Random(f"0 {sentence}")
    for kind in KINDS:
        if found := sorted(set(changes(kind, sentence, evidence, words, generator)) - {sentence}):
            yield kind, generator.choice(found)


def changes(
    kind: str, text: str, evidence: str, words: Words, generator: random.Random
) -> Iterator[str]:
    """All sentences that one kind of change makes of a sentence, some of them by chance."""
    known_names, known_numbers = words
    marks = [match.span() for match in _MARKER.finditer(text)]
    names = [match for match in _NAME.finditer(text) if _inside(text, match.start())]
    if kind == "name":
        others = [name for name in known_names if _strange(name, text, evidence)]
        for match in names:
            if others:
                yield _with(text, match, generator.choice(others))
    elif kind == "number":
        for match in _NUMBER.finditer(text):
            if any(start <= match.start() < end for start, end in marks):
                continue
            alike = [n for n in known_numbers if _alike(n, match.group()) and n not in evidence]
            if alike:
                yield _with(text, match, generator.choice(alike))
    elif kind == "order":
        # Where something is said of two and not of both: agent and patient.
        if len(names) == 2 and names[0].group() != names[1].group():
            one, other = names
            between = text[one.end() : other.start()]
            if len(between.split()) >= 2 and not _JOINED.search(between):
                tail = text[other.end() :]
                yield f"{text[: one.start()]}{other.group()}{between}{one.group()}{tail}"
    else:
        for match in list(_AUXILIARY.finditer(text))[:2]:
            yield f"{text[: match.end()]} not{text[match.end() :]}"
        for match in _NEGATED.finditer(text):
            yield _with(text, match, f"{match.group(1)} ")
        for match in _DID_NOT.finditer(text):
            own = match.group().lower()
            yield _with(text, match, "can" if own.startswith("can") else "")


def _inside(text: str, start: int) -> bool:
    """Whether a capital there says that it is a name: it does not begin the sentence."""
    return bool(re.search(r"[^\W_][\"”)]?[,;:]? $|-$", text[:start]))


def _strange(name: str, text: str, evidence: str) -> bool:
    """Whether nothing of a name stands in the texts: neither a word nor its beginning."""
    lower = f"{text} {evidence}".lower()
    return not any(part[:4].lower() in lower for part in re.findall(r"\w+", name))


def _alike(number: str, other: str) -> bool:
    """Whether one may stand where the other does: years are put for years, small for small."""
    return number != other and len(number) == len(other) and number[:-2] == other[:-2]


def _with(text: str, match: re.Match[str], new: str) -> str:
    return f"{text[: match.start()]}{new}{text[match.end() :]}"

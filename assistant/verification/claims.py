"""What a sentence states that can be checked word by word: numbers, dates, names, negations.

Everything is normalised, so that two ways to write one fact are equal: "eleven" and "11",
"11 February" and "Feb. 11", "South Korean" and "ROK".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate

from assistant.english import FUNCTION_WORDS, NEGATORS, stem
from assistant.verification import words
from assistant.verification.quantities import Date, Number, quantities

SCOPE = 8  # words that a negation reaches at most
DOUBLE = 4  # a negator so many words behind another takes it back
_REWRITES = (
    (re.compile("[\u2018\u2019\u02bc]"), "'"),
    (re.compile("[\u2013\u2014\u2212]"), "-"),
    (re.compile(r"\b([A-Z])\.(?:([A-Z])\.)(?:([A-Z])\.)?"), r"\1\2\3"),  # U.S.
    (re.compile(r"\b(can)'t\b|\b(can)not\b", re.IGNORECASE), r"\1\2 not"),
    (re.compile(r"\bwon't\b", re.IGNORECASE), "will not"),
    (re.compile(r"n't\b"), " not"),
    (re.compile(r"\bno longer\b", re.IGNORECASE), "not"),
    (re.compile(r"\bno (choice|option|alternative) but\b", re.IGNORECASE), "must"),
    (re.compile(r"\bnot (only|just|merely|to mention)\b|\bno doubt\b", re.IGNORECASE), ""),
    (re.compile(r"\b((?:19|20)\d\d)-(\d\d)\b"), r"\1 20\2"),
    (re.compile(r"(\d)\s?%|(\d) per ?cent\b"), r"\1\2 percent"),
    (re.compile(r"(?<=\d),(?=\d{3}\b)"), ""),
)
_TOKEN = re.compile(r"\d+(?:\.\d+)?(?:st|nd|rd|th|s)?\b|[^\W\d_]+(?:'s\b)?|[$€£¥]|[,;:.!?()\"“”-]")
_BOUNDARY = frozenset(',;:.!?()"“”')
_TURNS = frozenset("but because although though while whereas yet".split())


@dataclass(frozen=True, slots=True)
class Word:
    """One word: as it is written, in lower case, and its stem (empty for a function word).

    Attributes:
        name: it is part of a name.
        negated: a negation reaches it.
        clause: the number of the clause it stands in, by punctuation and conjunctions.
    """

    text: str
    lower: str
    stem: str
    name: bool = False
    negated: bool = False
    clause: int = 0


@dataclass(frozen=True, slots=True)
class Negation:
    """What a negator bears on: the first stems behind it, names left out, and all it reaches."""

    heads: tuple[str, ...]
    reach: frozenset[str]


@dataclass(frozen=True, slots=True)
class Facts:
    """What one text states.

    Attributes:
        words: in order, punctuation left out.
        numbers: those of dates included.
        dates, names: in order; a name is a tuple of its words in lower case, a country's being one
            word, the same for all of its names.
        negations: for each negator the stems that it bears on first, and all that it reaches.
        stems: of the words that carry meaning.
    """

    words: tuple[Word, ...]
    numbers: tuple[Number, ...]
    dates: tuple[Date, ...]
    names: tuple[tuple[str, ...], ...]
    negations: tuple[Negation, ...]
    stems: frozenset[str]

    @property
    def values(self) -> frozenset[float]:
        """The values of all numbers."""
        return frozenset(number.value for number in self.numbers)


@lru_cache(maxsize=4096)
def facts_of(text: str, known: frozenset[str] = frozenset()) -> Facts:
    """Read a text.

    Args:
        text: one sentence or several.
        known: lower-case words that are names even where they begin a sentence.
    """
    for pattern, replacement in _REWRITES:
        text = pattern.sub(replacement, text)
    pieces = _merged([piece.removesuffix("'s") for piece in _TOKEN.findall(text)])
    named = _named(pieces, known)
    reach = _reach(pieces, named)
    numbers, dates, dated = quantities(pieces)
    clauses = list(accumulate(piece in _BOUNDARY or piece.lower() in _TURNS for piece in pieces))
    kept = tuple(
        Word(
            text=piece,
            lower=piece.lower(),
            stem=_named_stem(piece.lower()) if named[i] else _stem(piece.lower()),
            name=named[i] and i not in dated,
            negated=i in reach[1],
            clause=clauses[i],
        )
        for i, piece in enumerate(pieces)
        if piece[0].isalnum()
    )
    return Facts(
        words=kept,
        numbers=numbers,
        dates=dates,
        names=tuple(_names(pieces, [n and i not in dated for i, n in enumerate(named)])),
        negations=reach[0],
        stems=frozenset(word.stem for word in kept if word.stem and not word.lower[0].isdigit()),
    )


def names_in(texts: Iterable[str]) -> frozenset[str]:
    """Lower-case words that these texts write with a capital inside of sentences, and never
    without one."""
    capital: set[str] = set()
    small: set[str] = set()
    for text in texts:
        first = True
        for piece in _TOKEN.findall(text):
            if piece[0].isalpha():
                own = piece.removesuffix("'s")
                if own.islower():
                    small.add(own)
                elif not first:
                    capital.add(own.lower())
                first = False
            elif piece in '.!?:"“(':
                first = True
    return frozenset(capital - small)


@dataclass(frozen=True, slots=True)
class World:
    """What the documents as a whole say of names.

    Attributes:
        known: see `names_in`.
        names: all names in them.
    """

    known: frozenset[str]
    names: frozenset[tuple[str, ...]]

    @property
    def words(self) -> frozenset[str]:
        """The words of all names."""
        return frozenset(word for name in self.names for word in name)


def agree(one: tuple[str, ...], other: tuple[str, ...], world: World) -> bool:
    """Whether two names can be of the same thing: one is part of the other and the documents have
    the longer one, or one is the other's initials, or a capital that the documents name is put for
    its country."""
    mine, theirs = _parts(one), _parts(other)
    if mine <= theirs:
        return True
    if theirs < mine:
        return any(mine <= _parts(name) for name in world.names)
    capitals = words.countries()[1]
    for a, b in ((one, other), (other, one)):
        if len(a) == 1 and len(b) > 1 and a[0] == "".join(word[0] for word in b):
            return True
        if len(a) == 1 and a[0] in capitals and a[0] in world.words:
            b = (capitals[b[0]],) if len(b) == 1 and b[0] in capitals else b
            if (capitals[a[0]],) == b:
                return True
    return False


def _parts(name: tuple[str, ...]) -> set[str]:
    return {part for word in name for part in word.split("_")}


def canonical(word: Word) -> tuple[str, ...]:
    """The name that a word is: a country by its one name."""
    return (words.countries()[0].get(word.lower, word.lower),)


def _stem(word: str) -> str:
    return "" if word in FUNCTION_WORDS or word in NEGATORS else stem(word)


def _named_stem(word: str) -> str:
    return words.countries()[0].get(word) or stem(word)


# --- names -------------------------------------------------------------------------------------


def _named(pieces: Sequence[str], known: frozenset[str]) -> list[bool]:
    """Which pieces are part of a name: those with a capital, where a sentence's first word has to
    be known as a name, be followed by one, or be no common word."""
    named = [False] * len(pieces)
    first = True
    for i, piece in enumerate(pieces):
        if not piece[0].isalnum():
            first = first or piece in '.!?:"“'
            continue
        lower = piece.lower()
        numeral = lower in words.ORDINALS or lower in words.CARDINALS
        if piece[0].isupper() and piece != "I" and not numeral:
            named[i] = not (
                first
                and not (len(piece) > 1 and piece.isupper())
                and not _is_name(lower, known)
                and words.is_common(lower)
            )
        first = False
    return named


def _is_name(lower: str, known: frozenset[str]) -> bool:
    names, capitals = words.countries()
    return lower in known or lower in names or lower in capitals or lower in words.WEEKDAYS


def _names(pieces: Sequence[str], named: Sequence[bool]) -> Iterator[tuple[str, ...]]:
    """Runs of name words; a country ends one and is one."""
    countries = words.countries()[0]
    run: list[str] = []
    for i, piece in enumerate(pieces):
        lower = piece.lower()
        if named[i] and lower not in countries:
            run.append(lower)
        elif run and piece != "-":
            yield tuple(run)
            run = []
        if named[i] and lower in countries:
            yield (countries[lower],)
    if run:
        yield tuple(run)


def _merged(pieces: Sequence[str]) -> list[str]:
    """The name of a country that is several words made one piece, joined by `_`."""
    names = words.countries()[0]
    merged: list[str] = []
    i = 0
    while i < len(pieces):
        for length in (4, 3, 2, 1):
            joined = "_".join(pieces[i : i + length])
            if length == 1 or (joined[0].isupper() and joined.lower() in names):
                merged.append(joined)
                i += length
                break
    return merged


# --- negation ----------------------------------------------------------------------------------


def _reach(pieces: Sequence[str], named: Sequence[bool]) -> tuple[tuple[Negation, ...], set[int]]:
    """What each negator bears on, and all pieces that are denied: a denial of a denial is none."""
    negations: list[Negation] = []
    denied: set[int] = set()
    for i, piece in enumerate(pieces):
        lower = piece.lower()
        strong = lower in NEGATORS
        if not strong and lower not in words.DENIALS:
            continue
        scope = []
        for j in range(i + 1, min(len(pieces), i + 1 + SCOPE)):
            if pieces[j] in _BOUNDARY or pieces[j].lower() in _TURNS:
                break
            scope.append(j)
        twice = lower != "nor" and any(
            pieces[j].lower() in NEGATORS and j in range(i - DOUBLE, i) for j in range(i)
        )
        denied = denied - set(scope) if twice else denied | set(scope)
        if strong and "until" not in (pieces[j].lower() for j in range(i, len(pieces))):
            heads = [
                _stem(pieces[j].lower())
                for j in scope
                if not named[j] and pieces[j].isalpha() and not pieces[j].endswith("ly")
            ]
            negations.append(
                Negation(
                    tuple([s for s in heads if s][:2]),
                    frozenset(
                        _named_stem(pieces[j].lower()) if named[j] else _stem(pieces[j].lower())
                        for j in scope
                    )
                    - {""},
                )
            )
    return tuple(negations), denied

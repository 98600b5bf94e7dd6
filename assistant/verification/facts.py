"""The numbers and names of a text, which of a claim's the evidence does not have, and negation.

These are what similarity and a small reading model forgive most readily and a person least: another
year, another place. Both are normalised, so that two ways to write one are equal: "eleven" and
"11", "2.5 million" and "2,500,000", "Chinese" and "China", "SDF" and "Self-Defense Forces". Days
and years are numbers and months are names, so dates need no rule of their own.

A symbol that is written at a number or a name is part of it: "-5" is not "5", "< 5 mg" is not
"5 mg", "A+" is not "A", and "C#" is not "C".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import lru_cache

from assistant.query.english import (
    ARTICLES,
    AUXILIARIES,
    FUNCTION_WORDS,
    NEGATORS,
    NUMERALS,
    ORDINALS,
    alternatives,
    content_stems,
    stem,
)

MAGNITUDES = {"hundred": 10**2, "thousand": 10**3, "million": 10**6, "billion": 10**9,
              "trillion": 10**12}  # fmt: skip

#: Markers of citations: "[2]", "[1, 3]".
MARKERS = re.compile(r"\[\d+(?:[,;\s]+\d+)*\]")
_DATE = re.compile(
    r"\b(\d{1,2})(?:st|nd|rd|th)?(?: of)? (January|February|March|April|May|June|July|August|"
    r"September|October|November|December)\b"
)
PREFIX = 4  # letters that names of one thing begin with: "Russia", "Russian"
_REWRITES = (
    (re.compile("[\u2018\u2019\u02bc]"), "'"),
    (re.compile(r"(?<=\d),(?=\d{3}\b)"), ""),
    (re.compile(r"\b([A-Z])\.(?:([A-Z])\.)(?:([A-Z])\.)?"), r"\1\2\3"),  # U.S.
)
#: Rewrites that give each symbol one form, directly next to its number or word. The minus of a
#: grade, a rating or a blood group becomes \u2212, because a hyphen is the sign of a number.
_SYMBOLS = (
    (re.compile("<="), "\u2264"),
    (re.compile(">="), "\u2265"),
    (re.compile(r"(?<!\w)[\u2212\u2013](?=[$\u20ac\u00a3]?\d)"), "-"),
    (re.compile(r"([<>\u2264\u2265\u00b1])\s+(?=[-$\u20ac\u00a3]?\d)"), r"\1"),
    (re.compile(r"(?<!\w)([-<>\u2264\u2265\u00b1])([$\u20ac\u00a3])(?=\d)"), r"\2\1"),
    (re.compile(r"\b([A-FO]|[ABC]{2,3})-(?!\w)"), "\\1\u2212"),
)
#: The symbols before a number. An arrow ("->") is not a comparison, and the hyphen of a range
#: ("3-5") is not a sign.
_BEFORE = r"(?:(?<![-=])[<>\u2264\u2265\u00b1])?(?:(?<![\w)])(?<!\d\s)-)?"
#: The symbols after a number: "500+", per mille.
_AFTER = r"(?:\+(?!\w)|\u2030)?"
#: The symbols after a word: "C++", "F#", "A+".
_AFTER_WORD = r"(?:[+#\u2212]+(?!\w))?"
_TOKEN = re.compile(
    rf"({_BEFORE})(\d+(?:\.\d+)?)({_AFTER})|([^\W\d_]+)({_AFTER_WORD})|([,;.!?:\"“”])"
)
_WORDS = re.compile(
    rf"{_BEFORE}\d(?:[\d.,]*\d)?{_AFTER}|[^\W\d_]+{_AFTER_WORD}|[$%\u20ac\u00a3.!?]"
)
_NEGATOR = re.compile(rf"\b(?:{alternatives(NEGATORS)}|cannot)\b|n['\u2019]t\b", re.IGNORECASE)
#: What two sentences may differ in and say the same. Every other function word may carry a fact:
#: "paid to" and "paid by" the tenant, "many" and "few".
_SAYS_NOTHING = ARTICLES | frozenset("this that these those . !".split())
#: A condition or an exception, up to where the clause ends.
_CONDITION = re.compile(
    r"\b(?:if|unless|only|except|until|provided(?: that)?|without|subject to|as long as|in case of|"
    r"with (?:the |a |an |prior |written )*(?:consent|approval|permission|authori[sz]ation|notice))"
    r"\b[^.,;:()]*",
    re.IGNORECASE,
)
#: What stands between two statements; of a list of things nothing is said behind it.
_AND = re.compile(rf"(?:[,;] (?:and|but)|;) (?=[^,;]*\b(?:{alternatives(AUXILIARIES)})\b)")
#: Stems of words that express a sign or a comparison.
SYMBOLS_IN_WORDS = frozenset(
    stem(word)
    for word in (
        "minus negative loss lose lost deficit overdrawn fall fell drop decline decrease shrink "
        "shrank below down less fewer under lower most least up over above more higher exceed "
        "maximum minimum"
    ).split()
)
#: Tokens on each side of a number that are searched for such a word. Not tuned.
NEAR = 4
_OPENS = frozenset('.!?:"“”')


@dataclass(frozen=True, slots=True)
class Facts:
    """What one text states that can be checked word by word.

    Attributes:
        numbers: values; those of dates included.
        counted: each number with the stem of the word behind it, where one stands there.
        names: words that are written as names, in order.
        stems: of all words, in order, lower case.
        initials: of every run of two capitals or more, and of its ends, lower case, with the words
            that they stand for: "sdf".
        symbols: the symbols written at each number and at each capitalised word; "" for none. A
            number is left out if words may express its sign or comparison ("a loss of 5").
    """

    numbers: frozenset[float]
    counted: frozenset[tuple[float, str]]
    names: tuple[str, ...]
    stems: tuple[str, ...]
    initials: Mapping[str, frozenset[str]]
    symbols: Mapping[float | str, frozenset[str]]


@lru_cache(maxsize=4096)
def facts_of(text: str) -> Facts:
    """Read a text of one sentence or several. The word that begins a sentence is taken for a name
    only where another follows: anything has a capital there."""
    text = MARKERS.sub(" ", text)
    for pattern, replacement in (*_REWRITES, *_SYMBOLS):
        text = pattern.sub(replacement, text)
    pieces, symbols = list[str](), list[str]()
    for before, number, after, word, after_word, punctuation in _TOKEN.findall(text):
        pieces.append(number or word or punctuation)
        symbols.append(before + after + after_word)
    named = [_is_name(pieces, i) for i in range(len(pieces))]
    found = list(_numbers([piece.lower() for piece in pieces]))
    written: dict[float | str, frozenset[str]] = {}
    for place, key in _symbol_bearers(pieces, found):
        written[key] = written.get(key, frozenset()) | {symbols[place]}
    initials: dict[str, frozenset[str]] = {}
    for own, words in _initials(pieces):
        initials[own] = initials.get(own, frozenset()) | words
    return Facts(
        numbers=frozenset(value for _, value, _ in found),
        counted=frozenset((value, stem(behind)) for _, value, behind in found if behind),
        names=tuple(piece for piece, name in zip(pieces, named, strict=True) if name),
        stems=tuple(stem(piece.lower()) for piece in pieces if piece[0].isalpha()),
        initials=initials,
        symbols=written,
    )


def missing_numbers(claim: Facts, evidence: Facts) -> int:
    """How many of the claim's numbers the evidence does not have, or has only elsewhere: what the
    claim counts or dates by it ("2014 meeting") has another number there ("2011 meeting")."""
    elsewhere = {
        value
        for value, behind in claim.counted - evidence.counted
        if behind in {other for _, other in evidence.counted}
    }
    return len(claim.numbers - evidence.numbers | elsewhere)


def missing_names(claim: Facts, evidence: Facts) -> int:
    """How many of the claim's names the evidence does not have: neither the word, nor one of the
    same beginning, nor initials for it."""
    stems = frozenset(evidence.stems)
    beginnings = frozenset(known[:PREFIX] for known in stems if len(known) >= PREFIX)
    short = frozenset(name.lower() for name in evidence.names if name.isupper())
    spelled = {name for own in short & claim.initials.keys() for name in claim.initials[own]}
    return sum(
        not (
            stem(name.lower()) in stems
            or (len(name) >= PREFIX and name[:PREFIX].lower() in beginnings)
            or (name.isupper() and name.lower() in evidence.initials)
        )
        for name in set(claim.names) - spelled
    )


def other_symbols(claim: Facts, evidence: Facts) -> set[float | str]:
    """Return the numbers and names of the claim that the evidence has only with other symbols."""
    return {
        key
        for key, symbols in claim.symbols.items()
        if key in evidence.symbols and not symbols & evidence.symbols[key]
    }


def month_first(text: str) -> str:
    """The text with its dates in one order, "February 11": a small reading model takes another
    order for another date."""
    return _DATE.sub(r"\2 \1", text)


def keeps_words(claim: str, sentence: str) -> bool:
    """Whether a claim says a whole sentence in its words, but for articles and the like. What else
    stands in the sentence may be a condition."""
    there, said = _words(sentence), _words(claim)
    one, other = ([stem(w) if w.isalpha() else w for w in words] for words in (there, said))
    edits = SequenceMatcher(None, one, other, False).get_opcodes()
    if all(kind != "equal" for kind, *_ in edits):
        return False
    changed = {
        word
        for kind, start, stop, begin, end in edits
        if kind != "equal"
        for word in (*there[start:stop], *said[begin:end])
    }
    return changed <= _SAYS_NOTHING


def leaves_condition_out(claim: str, sentence: str, question: str = "") -> bool:
    """Whether a sentence restricts what it says by a condition of which a claim says little, and
    the question that it answers neither."""
    said = content_stems(f"{claim} {question}")
    for found in _CONDITION.finditer(sentence):
        stems = content_stems(found[0])
        if len(stems & said) * 2 < len(stems):
            return True
    return False


def parts_of(claim: str) -> list[str]:
    """The parts of a claim that is right where each of them is."""
    return _AND.split(claim)


def _words(text: str) -> list[str]:
    """Its words and numbers, in lower case, "n't" as a word, and where its sentences end."""
    for pattern, replacement in _SYMBOLS:
        text = pattern.sub(replacement, text)
    return _WORDS.findall(re.sub(r"(?:n['\u2019]t\b|(?<=can)not\b)", " not", text.lower()))


def negations(text: str) -> int:
    """Of how much a text says that it is not so."""
    return len(_NEGATOR.findall(text))


def _is_name(pieces: Sequence[str], i: int) -> bool:
    piece = pieces[i]
    if len(piece) > 1 and piece.isupper():
        return True
    if not piece[0].isupper() or piece.lower() in FUNCTION_WORDS | NEGATORS:
        return False
    first = i == 0 or pieces[i - 1] in _OPENS
    return not first or (i + 1 < len(pieces) and pieces[i + 1][0].isupper())


def _symbol_bearers(
    pieces: Sequence[str], numbers: Sequence[tuple[int, float, str]]
) -> Iterator[tuple[int, float | str]]:
    """Yield the position and the key of each entry of `Facts.symbols`. Skip function words that
    begin a sentence: the article of "A dog" is not the grade "A"."""
    for place, value, _ in numbers:
        near = pieces[max(0, place - NEAR) : place + NEAR + 1]
        if not SYMBOLS_IN_WORDS & {stem(piece.lower()) for piece in near}:
            yield place, value
    for place, piece in enumerate(pieces):
        begins = place == 0 or pieces[place - 1] in _OPENS
        if piece[0].isupper() and not (begins and piece.lower() in FUNCTION_WORDS):
            yield place, piece


def _initials(pieces: Sequence[str]) -> Iterator[tuple[str, frozenset[str]]]:
    run: list[str] = []
    for piece in (*pieces, ""):
        if piece[:1].isupper():
            run.append(piece)
        elif piece.lower() not in ("of", "the", "and", "for"):
            # What stands before a name may have a capital too: "Ask the World Health Organization".
            for start in range(len(run) - 1):
                words = run[start:]
                yield "".join(word[0] for word in words).lower(), frozenset(words)
            run = []


def _numbers(pieces: Sequence[str]) -> Iterator[tuple[int, float, str]]:
    """Yield the position of each number in lower-case pieces, its value, and the word after it or
    "". A bare "one" is a pronoun, and "first" or "second," orders what is said."""
    i = 0
    while i < len(pieces):
        start, piece = i, pieces[i]
        value = float(piece) if piece[0].isdecimal() else NUMERALS.get(piece)
        i += 1
        if value is None:
            continue
        if value >= 20 and value % 10 == 0 and pieces[start] in NUMERALS and i < len(pieces):
            small = NUMERALS.get(pieces[i])
            if small is not None and 0 < small < 10:  # "twenty-one"
                value, i = value + small, i + 1
        while i < len(pieces) and pieces[i] in MAGNITUDES:
            value, i = value * MAGNITUDES[pieces[i]], i + 1
        orders = pieces[start] in ORDINALS and (i == len(pieces) or not pieces[i].isalpha())
        if pieces[start:i] not in (["one"], ["first"]) and not orders:
            behind = pieces[i] if i < len(pieces) and pieces[i].isalpha() else ""
            yield start, value, "" if behind in FUNCTION_WORDS | NEGATORS else behind

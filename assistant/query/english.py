"""Closed classes of English words, each listed once, and what carries meaning in a text.

Each stage that looks at words composes its own list of these classes and says what it adds.
"""

from __future__ import annotations

import re
from functools import lru_cache

from index.terms.analysis import QUESTION_WORDS, terms_of

ARTICLES = frozenset("a an the".split())
#: The words that begin a question where no question word does.
AUXILIARIES = tuple(
    "is are was were do does did has have had can could will would should may might must".split()
)
PRONOUNS = frozenset("it its they them their he him his she her this these those that both".split())
PREPOSITIONS = frozenset(
    "of in on at to from for by with about into onto upon over under through during between among "
    "within across toward towards against until till since before after".split()
)
CONJUNCTIONS = frozenset(
    "and or but so if because although though while whereas whether than as".split()
)
#: What a question begins with, or stands before who does something in it.
ASKING = (*QUESTION_WORDS, *AUXILIARIES)
#: Who does something, told by a word for them.
SUBJECTS = frozenset("i we you he she it they".split())
NEGATORS = frozenset(
    "not no never neither nor none nobody nothing nowhere without hardly barely scarcely rarely "
    "seldom".split()
)
#: Words that carry grammar and no fact; negators are kept apart.
FUNCTION_WORDS = (
    ARTICLES
    | PRONOUNS
    | PREPOSITIONS
    | CONJUNCTIONS
    | frozenset(ASKING)
    | frozenset(
        "itself theirs hers we us our i you your there here then also too very quite just even "
        "still yet already only own such same other another some any each every either all most "
        "more less much many few several be been being am doing done having shall ought need needs "
        "get gets got become becomes became seem seems one ones out up down off again further "
        "however therefore thus hence moreover meanwhile indeed regarding concerning according per "
        "via amid say says said saying s d ll re ve m".split()
    )
)

_ONES = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
    "sixteen seventeen eighteen nineteen"
).split()
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
#: The first twenty ordinal numbers, from the zeroth.
ORDINALS = (
    "zeroth first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth "
    "thirteenth fourteenth fifteenth sixteenth seventeenth eighteenth nineteenth"
).split()
_ORDINAL_TENS = (
    "twentieth thirtieth fortieth fiftieth sixtieth seventieth eightieth ninetieth".split()
)
#: Cardinal numbers of one word below a hundred.
CARDINALS = dict(zip((*_ONES, *_TENS), (*range(20), *range(20, 100, 10)), strict=True))
#: Numerals by their words, ordinals among them.
NUMERALS = (
    CARDINALS
    | dict(zip((*ORDINALS, *_ORDINAL_TENS), CARDINALS.values(), strict=True))
    | {"dozen": 12, "hundred": 10**2}
)

#: Words that say nothing of what a text is about.
EMPTY = FUNCTION_WORDS | NEGATORS
_NOT = re.compile(r"n['\u2019]t\b|(?<=\bcan)not\b", re.IGNORECASE)
_WORD = re.compile(r"[^\W\d_]+")


def alternatives(words: frozenset[str] | tuple[str, ...]) -> str:
    """The words as alternatives of a regular expression, the longest first."""
    return "|".join(sorted(words, key=lambda word: (-len(word), word)))


@lru_cache(maxsize=65536)
def stem(word: str) -> str:
    """The stem of a lower-case word, as the lexical leg of retrieval has it; itself where none."""
    terms = terms_of(word)
    return terms[0] if terms else word


def content_stems(text: str) -> frozenset[str]:
    """Stems of the words that carry meaning: neither function words nor negators nor numbers. What
    is written in capitals is a name ("US")."""
    words = _WORD.findall(_NOT.sub(" not", text))
    return frozenset(
        stem(word.lower())
        for word in words
        if (word.isupper() and len(word) > 1) or word.lower() not in EMPTY
    )

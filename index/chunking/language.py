"""The language and the script that a text is written in, and the words that say nothing in it.

The only module that imports py3langid and stop_words.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from functools import cache
from typing import Any

from index.models import ENGLISH

SAMPLE = 20_000
"""Characters that are looked at."""

PIECE = 500
"""Characters that are judged together. Each piece has a vote: a list of names is taken for another
language at every turn."""

MIN_AGREEMENT = 0.6
"""The share of the pieces that have to be in one language for the text to be."""

MIN_LETTERS = 60
"""Letters without which a text in Latin script tells nothing of its language."""

MIN_QUESTION_WORDS = 3
"""Words without which a question tells nothing of its language."""

MIN_MARGIN = 4.0
"""How much likelier another language than English has to be, as a logarithm. Of 1,843 questions in
three languages it is 4.7 or more for all but one, which names an English magazine; "how do u win"
has 3.2 for Polish."""

MIN_STOP_WORDS = 0.15
"""The share of stop words that prose has at least: names and the cells of tables have none."""

MIN_WORDS, MIN_ANY_STOP_WORDS = 40, 0.05
"""Words by which it is told whether a text is in any language, and the share of them that are stop
words of one. Of 250 pages two had less, both tables of contents. Not tuned."""

LANGUAGES = (
    "ar bg ca cs da de el en eo es et eu fa fi fr ga gu he hi hu hy id it ja ka km ko lo lt lv mk "
    "ms ne nl no pl pt ro ru sk sl sr sv ta th tr uk ur vi zh"
).split()
"""What is told apart. Of all 97 that the library knows, the rarest are what it takes lists and code
for."""

_LATIN = "\u024f"  # the last of the letters of Latin script
_NO_WORDS = re.compile(r"[\W\d_]+|[A-Za-z]{40,}")


def language_of(text: str) -> str:
    """The ISO 639-1 code of the language that a text is in; English where that cannot be told."""
    return told_language(text) or ENGLISH


def told_language(text: str) -> str | None:
    """The ISO 639-1 code of the language that a text is in; None where that cannot be told."""
    # The rows of a table differ in their numbers alone.
    lines = (_NO_WORDS.sub(" ", line).strip() for line in text[:SAMPLE].splitlines())
    sample = " ".join(dict.fromkeys(lines))
    if is_latin(sample) and sum(map(str.isalpha, sample)) < MIN_LETTERS:
        return None
    pieces = [sample[start : start + PIECE] for start in range(0, len(sample), PIECE)]
    # A short rest at the end tells less than its vote would weigh.
    classify = _identifier().classify
    votes = Counter(str(classify(piece)[0]) for piece in pieces[:-1] or pieces)
    language, count = votes.most_common(1)[0]
    agree = count >= MIN_AGREEMENT * votes.total()
    return language if agree and _is_prose(sample, language) else None


def asked_in(question: str, otherwise: str = ENGLISH) -> str:
    """The ISO 639-1 code of the language of a question; `otherwise` where it is too short to tell,
    English where another language is hardly likelier. Of 6,344 English questions in everyday words
    all were taken for English, of 1,366 German and Spanish ones none was."""
    if len(question.split()) < MIN_QUESTION_WORDS:
        return otherwise
    likely = _identifier().rank(question)
    language, likelihood = likely[0]
    is_likelier = likelihood - dict(likely)[ENGLISH] > MIN_MARGIN
    words = _NO_WORDS.sub(" ", question).lower().split()
    return str(language) if is_likelier and not _sounds_english(words, language) else ENGLISH


def _sounds_english(words: Sequence[str], language: str) -> bool:
    """Whether more of them are English stop words than such of a language. Names look like another
    one's words: "Compare Eco and Intensive" like Italian."""
    english, theirs = (
        sum(word in stop_words_of(code) for word in words) for code in (ENGLISH, language)
    )
    return english > theirs


def _is_prose(text: str, language: str) -> bool:
    """Whether a text has the stop words of a language, where words have spaces between them and
    there is a list of those."""
    known = frozenset(stop_words_of(language))
    words = [word for word in text.lower().split() if len(word) > 1]  # single letters are signs
    spaced = is_latin(text)
    return not (known and spaced) or sum(w in known for w in words) >= MIN_STOP_WORDS * len(words)


def seems_prose(text: str) -> bool:
    """Whether a text may be in some language, told by the words that say nothing in any: there are
    so many in all but lists, and next to none in what is no language. One that is short, or not in
    Latin script, may always be."""
    words = [word for word in _NO_WORDS.sub(" ", text).lower().split() if len(word) > 1]
    if len(words) < MIN_WORDS or not is_latin(text):
        return True
    known = _all_stop_words()
    return sum(word in known for word in words) >= MIN_ANY_STOP_WORDS * len(words)


@cache
def _all_stop_words() -> frozenset[str]:
    return frozenset(word for language in LANGUAGES for word in stop_words_of(language))


@cache
def stop_words_of(language: str) -> tuple[str, ...]:
    """The words of a language that say nothing; none where there is no list of them."""
    import stop_words

    code = {"no": "nb"}.get(language, language)
    known = code in stop_words.LANGUAGE_MAPPING
    return tuple(stop_words.get_stop_words(code)) if known else ()


def is_latin(text: str) -> bool:
    """Whether at least half of the letters of a text are of Latin script."""
    letters = [character for character in text if character.isalpha()]
    return 2 * sum(character <= _LATIN for character in letters) >= len(letters)


@cache
def _identifier() -> Any:
    # Not the library's own, which everybody who makes use of it changes: while one thread sets its
    # languages, another thread gets a wrong answer. This one is complete before it is shared.
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE)
    identifier.set_languages(LANGUAGES)
    return identifier

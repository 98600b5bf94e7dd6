"""Other words for a question, without a language model: those of the documents."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from assistant.query.english import EMPTY
from index import Paragraph
from index.chunking.language import language_of
from index.terms.analysis import terms_of

#: Words of the documents that a question is joined by, and the paragraphs that they are taken from.
WORDS, FROM = 5, 10

_WORD = re.compile(r"\w[\w\u2019'-]*\w")

#: Gives the terms of a text in each language, and how much each weighs.
Weigh = Callable[[str], Mapping[str, Mapping[str, float]]]


def searches_for(question: str, found: Sequence[Paragraph], weigh: Weigh) -> list[str]:
    """A question's words that carry meaning; and these with the words that are common in what was
    found for it and rare elsewhere (pseudo-relevance feedback; Rocchio, 1971).

    Args:
        question: as it was understood.
        found: paragraphs, best first.
        weigh: see `Weigh`.
    """
    language = language_of(question)
    named = [word for word in _WORD.findall(question) if word.lower() not in EMPTY]
    named = [word for word in named if terms_of(word, language)] or [question]
    counts: Counter[tuple[str, str]] = Counter()
    spelled: dict[tuple[str, str], str] = {}
    for paragraph in found[:FROM]:
        there = {}
        for word in _WORD.findall(" ".join([*paragraph.above, paragraph.text])):
            terms = terms_of(word, paragraph.language)
            if len(terms) == 1 and len(word) > 2 and not word.isdigit():
                there[paragraph.language, terms[0]] = word.lower()
        counts.update(there.keys())
        spelled = there | spelled
    weights = weigh(" ".join([question, *spelled.values()]))
    asked = {(of, term) for of in weights for term in terms_of(question, of)}
    worth = {
        one: count * weights.get(one[0], {}).get(one[1], 0.0)
        for one, count in counts.items()
        if one not in asked
    }
    best = sorted(worth, key=lambda one: -worth[one])[:WORDS]
    return [" ".join(named), " ".join([*named, *(spelled[one] for one in best)])]

"""Which terms a text has.

Each text has the stemmer and the stop words of its language, and a query has those of each text
that it is looked for in. In scripts that write words without spaces between them, and in Korean,
where a space does not part a noun from what it does, any two neighbouring characters are a term.

The only module that imports bm25s and Stemmer.
"""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections.abc import Iterable, Sequence
from functools import cache, lru_cache
from importlib.metadata import version
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from index.chunking.language import stop_words_of
from index.models import ENGLISH

#: Keys: hashes of 64 bits, by which terms, paragraphs and documents are known where there may be
#: millions.
Numbers = NDArray[np.uint64]
KEY_DIGITS = 16  # hexadecimal

#: Of how texts become terms; another makes all terms anew.
TERMS_VERSION = "3"

QUESTION_WORDS = tuple("who whom whose what which when where why how".split())
# A question's own words say nothing of what it is about.
_ASKING = (*QUESTION_WORDS, "do", "does", "did")


def key_of(text: str) -> int:
    """The key of any text."""
    written = text.encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.blake2b(written, digest_size=KEY_DIGITS // 2).digest(), "big")


def term_keys(texts: Sequence[str], languages: Sequence[str]) -> list[Numbers]:
    """The keys of the terms of each text, in order: of those of `terms_of`, of many at once.

    Args:
        texts: any texts.
        languages: of each.
    """
    found = [np.empty(0, dtype=np.uint64)] * len(texts)
    for language in set(languages):
        numbers = [number for number, other in enumerate(languages) if other == language]
        tokenized = _tokenize([texts[number] for number in numbers], language, return_ids=True)
        vocabulary = sorted(tokenized.vocab, key=tokenized.vocab.__getitem__)
        keys = np.array([key_of(term) for term in vocabulary], dtype=np.uint64)
        for number, ids in zip(numbers, tokenized.ids, strict=True):
            found[number] = keys[ids]
    return found


def term_sets(texts: Iterable[str], language: str) -> list[set[str]]:
    """The terms of each text; see `terms_of`."""
    return [set(terms_of(text, language)) for text in texts]


@cache
def analyser() -> str:
    """What the terms of a text depend on besides the text and its language: with another they may
    be others."""
    used = [f"{name} {version(name)}" for name in ("bm25s", "PyStemmer", "stop-words")]
    return " ".join([TERMS_VERSION, *used, "Unicode", unicodedata.unidata_version])


def terms_key(language: str, ids: Sequence[str], above: Sequence[str]) -> int:
    """The key of what the terms of a document depend on: its language, the ids of its paragraphs,
    and what stands above each."""
    return key_of(json.dumps([analyser(), language, *ids, *above]))


def terms_of(text: str, language: str = ENGLISH) -> list[str]:
    """Stemmed terms without stop words, in order, repeats kept.

    Args:
        text: any text.
        language: whose stemmer and stop words are used, where there are any.
    """
    return list(_terms_of(text, language))


@lru_cache(4096)
def _terms_of(text: str, language: str) -> tuple[str, ...]:
    # A question is asked for several times, and the sentences of what is found most often.
    return tuple(_tokenize([text], language, return_ids=False)[0])


def _tokenize(texts: Sequence[str], language: str, return_ids: bool) -> Any:
    """See bm25s: a list of terms for each text, or the same by their places in a vocabulary."""
    import bm25s

    stop_words, stemmer = _language(language)
    pattern = {}
    if language != ENGLISH:
        texts = [_UNSPACED.sub(_in_pairs, text) for text in texts]
        pattern = {"token_pattern": _word_pattern()}
    return bm25s.tokenize(
        list(texts),
        stopwords=stop_words,
        stemmer=stemmer,
        return_ids=return_ids,
        show_progress=False,
        **pattern,
    )


@cache
def _language(language: str) -> tuple[list[str], Any]:
    """Stop words and stemmer of a language; none, and None, where there are not any."""
    import bm25s
    import Stemmer

    if language == ENGLISH:
        return [*bm25s.stopwords.STOPWORDS_EN, *_ASKING], Stemmer.Stemmer("english")
    name = _SNOWBALL.get(language)
    return list(stop_words_of(language)), Stemmer.Stemmer(name) if name else None


#: Snowball's stemmers, by the codes of their languages.
_SNOWBALL = {
    "ar": "arabic",
    "ca": "catalan",
    "cs": "czech",
    "da": "danish",
    "de": "german",
    "el": "greek",
    "eo": "esperanto",
    "es": "spanish",
    "et": "estonian",
    "eu": "basque",
    "fa": "persian",
    "fi": "finnish",
    "fr": "french",
    "ga": "irish",
    "hi": "hindi",
    "hu": "hungarian",
    "hy": "armenian",
    "id": "indonesian",
    "it": "italian",
    "lt": "lithuanian",
    "ne": "nepali",
    "nl": "dutch",
    "no": "norwegian",
    "pl": "polish",
    "pt": "portuguese",
    "ro": "romanian",
    "ru": "russian",
    "sr": "serbian",
    "sv": "swedish",
    "ta": "tamil",
    "tr": "turkish",
}

#: Runs of Thai, Lao, Burmese, Khmer, Chinese, Japanese and Korean.
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3041-\u309f\u30a1-\u30ff"
    "\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff]+"
)


def _in_pairs(run: re.Match[str]) -> str:
    """Each character with the next, as Lucene's analyser for Chinese, Japanese and Korean has them;
    signs above and below are of the character that they stand at."""
    characters = _CHARACTER.findall(run[0])
    pairs = ["".join(pair) for pair in pairwise(characters)] or characters
    return f" {' '.join(pairs)} "


_CHARACTER = re.compile(".[\u0e31\u0e34-\u0e3a\u0e47-\u0e4e\u0eb1-\u0ebc\u0ec8-\u0ecd]*")


@cache
def _word_pattern() -> str:
    """A word of two or more letters or digits, with the signs that stand at them, which the usual
    pattern takes for the ends of words: vowels in Hindi and Thai, points in Arabic and Hebrew."""
    signs = "".join(
        re.escape(chr(code))
        for code in range(0x300, 0x11000)
        if unicodedata.category(chr(code)) in ("Mn", "Mc")
    )
    return rf"\w[\w{signs}]+"

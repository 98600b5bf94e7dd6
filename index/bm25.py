"""The lexical leg: how much of the question's term weight a paragraph holds.

    share(q, p) = BM25(q, p) / sum over the terms t of q of idf(t)

BM25 as in Lucene (k1 = 1.2, b = 0.75, idf = ln(1 + (N - df + 0.5) / (df + 0.5)), no k1 + 1 factor),
so that the divisor is what BM25 approaches at most and the share lies in 0..1 whatever the
collection: a normalisation by the theoretical bound (Bruch et al., "An Analysis of Fusion Functions
for Hybrid Retrieval", arXiv 2210.11934).

Each text has the stemmer and the stop words of its language, and a query has those of each text
that it is looked for in. In scripts that write words without spaces between them, and in Korean,
where a space does not part a noun from what it does, any two neighbouring characters are a term.

The only module that imports bm25s and Stemmer.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import unicodedata
from collections.abc import Sequence
from functools import cache, lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from index.chunking.language import stop_words_of
from index.models import ENGLISH

K1 = 1.2
B = 0.75

QUESTION_WORDS = tuple("who whom whose what which when where why how".split())
# A question's own words say nothing of what it is about.
_ASKING = (*QUESTION_WORDS, "do", "does", "did")


class BM25Index:
    """An inverted index over paragraphs, given in a fixed order and answering by position."""

    def __init__(self, scorer: Any, languages: Sequence[str]) -> None:
        self._scorer = scorer  # None where no text has a term
        self._columns: dict[str, int] = scorer.vocab_dict if scorer else {}
        self.size = len(languages)
        #: Where the texts of each language are; all of one need no gathering.
        self._positions: dict[str, Any] = dict.fromkeys(languages, slice(self.size))
        if len(self._positions) > 1:
            own = np.array(languages)
            self._positions = {name: np.flatnonzero(own == name) for name in self._positions}

    @classmethod
    def build(cls, texts: Sequence[str], languages: Sequence[str] | None = None) -> BM25Index:
        """Index the texts; their positions are what `shares` answers with.

        Args:
            texts: the texts.
            languages: of each; English when left out.
        """
        import bm25s

        if languages is None:
            languages = [ENGLISH] * len(texts)
        tokens: list[list[str]] = [[] for _ in texts]
        for language in dict.fromkeys(languages):
            own = [n for n, other in enumerate(languages) if other == language]
            for n, found in zip(own, _tokenize([texts[n] for n in own], language), strict=True):
                tokens[n] = found
        if not any(tokens):
            return cls(None, languages)
        scorer = bm25s.BM25(k1=K1, b=B, method="lucene")
        scorer.index(tokens, show_progress=False)
        return cls(scorer, languages)

    def save(self, folder: Path) -> None:
        """Write beside and rename, so that a killed process leaves a whole cache or none."""
        temporary = folder.with_name(folder.name + ".part")
        shutil.rmtree(temporary, ignore_errors=True)
        self._scorer.save(str(temporary), show_progress=False)
        (temporary / "sha256").write_text(_digest(temporary))
        shutil.rmtree(folder, ignore_errors=True)
        temporary.rename(folder)

    @classmethod
    def load(cls, folder: Path, languages: Sequence[str]) -> BM25Index:
        """Read what `save` wrote, memory-mapped.

        Args:
            folder: where it is.
            languages: of each text.

        Raises:
            OSError, ValueError, KeyError: it is not there or not whole; build it anew.
        """
        import bm25s

        if (folder / "sha256").read_text() != _digest(folder):
            raise ValueError(f"{folder} is not as it was written")
        scorer = bm25s.BM25.load(str(folder), mmap=True, show_progress=False)
        if scorer.scores["num_docs"] != len(languages):
            raise ValueError(f"{folder} is of {scorer.scores['num_docs']} paragraphs")
        return cls(scorer, languages)

    def shares(self, query: str) -> NDArray[np.float32]:
        """The share of each paragraph, shape (size,). A query without terms gives zeros."""
        found = np.zeros(self.size, dtype=np.float32)
        for language, own in self._positions.items():
            terms = list(dict.fromkeys(terms_of(query, language)))
            known = [term for term in terms if term in self._columns]
            if known:
                total = sum(self.weight(term) for term in terms)
                scores = np.asarray(self._scorer.get_scores(known), dtype=np.float32)
                found[own] = scores[own] / np.float32(total)
        return found

    def weight(self, term: str) -> float:
        """idf of a term; one that no paragraph holds weighs the most."""
        frequency = 0
        if term in self._columns:
            column = self._columns[term]
            indptr = self._scorer.scores["indptr"]
            frequency = int(indptr[column + 1] - indptr[column])
        return float(np.log(1 + (self.size - frequency + 0.5) / (frequency + 0.5)))


def _digest(folder: Path) -> str:
    """One hash of all files of a saved index but its own: a flipped bit would answer wrongly."""
    digest = hashlib.sha256()
    for file in sorted(folder.iterdir()):
        if file.name != "sha256":
            with file.open("rb") as stream:
                own = hashlib.file_digest(stream, "sha256").hexdigest()
            digest.update(f"{file.name} {own}\n".encode())
    return digest.hexdigest()


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
    return tuple(_tokenize([text], language)[0])


def _tokenize(texts: Sequence[str], language: str) -> list[list[str]]:
    import bm25s

    stop_words, stemmer = _language(language)
    pattern = {}
    if language != ENGLISH:
        texts = [_UNSPACED.sub(_in_pairs, text) for text in texts]
        pattern = {"token_pattern": _word_pattern()}
    tokens: list[list[str]] = bm25s.tokenize(
        list(texts),
        stopwords=stop_words,
        stemmer=stemmer,
        return_ids=False,
        show_progress=False,
        **pattern,
    )
    return tokens


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

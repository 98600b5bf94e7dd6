"""The lexical leg: how much of the question's term weight a paragraph holds.

    share(q, p) = BM25(q, p) / sum over the terms t of q of idf(t)

BM25 as in Lucene (k1 = 1.2, b = 0.75, idf = ln(1 + (N - df + 0.5) / (df + 0.5)), no k1 + 1 factor),
so that the divisor is what BM25 approaches at most and the share lies in 0..1 whatever the
collection: a normalisation by the theoretical bound (Bruch et al., "An Analysis of Fusion Functions
for Hybrid Retrieval", arXiv 2210.11934).

The only module that imports bm25s and Stemmer.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

K1 = 1.2
B = 0.75

QUESTION_WORDS = tuple("who whom whose what which when where why how".split())
# A question's own words say nothing of what it is about.
_ASKING = (*QUESTION_WORDS, "do", "does", "did")


class BM25Index:
    """An inverted index over paragraphs, given in a fixed order and answering by position."""

    def __init__(self, scorer: Any, size: int) -> None:
        self._scorer = scorer  # None where no text has a term
        self._columns: dict[str, int] = scorer.vocab_dict if scorer else {}
        self.size = size

    @classmethod
    def build(cls, texts: Sequence[str]) -> BM25Index:
        """Index the texts; their positions are what `shares` answers with."""
        import bm25s

        tokens = _tokenize(texts)
        if not any(tokens):
            return cls(None, len(texts))
        scorer = bm25s.BM25(k1=K1, b=B, method="lucene")
        scorer.index(tokens, show_progress=False)
        return cls(scorer, len(texts))

    def save(self, folder: Path) -> None:
        """Write beside and rename, so that a killed process leaves a whole cache or none."""
        temporary = folder.with_name(folder.name + ".part")
        shutil.rmtree(temporary, ignore_errors=True)
        self._scorer.save(str(temporary), show_progress=False)
        (temporary / "sha256").write_text(_digest(temporary))
        shutil.rmtree(folder, ignore_errors=True)
        temporary.rename(folder)

    @classmethod
    def load(cls, folder: Path, size: int) -> BM25Index:
        """Read what `save` wrote, memory-mapped.

        Raises:
            OSError, ValueError, KeyError: it is not there or not whole; build it anew.
        """
        import bm25s

        if (folder / "sha256").read_text() != _digest(folder):
            raise ValueError(f"{folder} is not as it was written")
        scorer = bm25s.BM25.load(str(folder), mmap=True, show_progress=False)
        if scorer.scores["num_docs"] != size:
            raise ValueError(f"{folder} is of {scorer.scores['num_docs']} paragraphs, not {size}")
        return cls(scorer, size)

    def shares(self, query: str) -> NDArray[np.float32]:
        """The share of each paragraph, shape (size,). A query without terms gives zeros."""
        terms = list(dict.fromkeys(terms_of(query)))
        known = [term for term in terms if term in self._columns]
        if not known:
            return np.zeros(self.size, dtype=np.float32)
        total = sum(self.weight(term) for term in terms)
        scores = np.asarray(self._scorer.get_scores(known), dtype=np.float32)
        return scores[: self.size] / np.float32(total)

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


def terms_of(text: str) -> list[str]:
    """Stemmed terms without stop words, in order, repeats kept."""
    return list(_terms_of(text))


@lru_cache(4096)
def _terms_of(text: str) -> tuple[str, ...]:
    # A question is asked for several times, and the sentences of what is found most often.
    return tuple(_tokenize([text])[0])


def _tokenize(texts: Sequence[str]) -> list[list[str]]:
    import bm25s

    tokens: list[list[str]] = bm25s.tokenize(
        list(texts),
        stopwords=[*bm25s.stopwords.STOPWORDS_EN, *_ASKING],
        stemmer=_stemmer(),
        return_ids=False,
        show_progress=False,
    )
    return tokens


_STEMMER: Any = None


def _stemmer() -> Any:
    global _STEMMER
    if _STEMMER is None:
        import Stemmer

        _STEMMER = Stemmer.Stemmer("english")
    return _STEMMER

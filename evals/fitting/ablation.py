"""Compares ways of ranking paragraphs, each computed over all paragraphs of a set.

What the index returns comes from its candidates only, so that the table shows what the choice of
candidates loses; the first way is re-ranked by the reading model.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from assistant import Assistant
from evals.datasets.gold import Gold, GoldFinder
from evals.datasets.models import QuestionSet
from evals.metrics.statistics import Measure, ratio
from evals.running.records import DEPTH
from evals.running.runner import PER_PASSAGE
from index import Document, Index, Paragraph
from index.bm25 import BM25Index
from index.retriever import TERM_WEIGHT

#: As in Cormack, Clarke and Büttcher, "Reciprocal Rank Fusion", SIGIR 2009.
RRF_K = 60
#: As the index ranks, from its candidates.
INDEX = "fusion, candidates only"
#: As the assistant ranks.
SHIPPED = "fusion and reader"

Scores = NDArray[np.float32]


def ranking_ways(assistant: Assistant, questions: QuestionSet) -> dict[str, dict[str, Measure]]:
    """hit@1, hit@3 and MRR@10 of each way, over the answerable questions without history.

    Args:
        assistant: with the set's documents open.
        questions: the set.
    """
    documents = assistant.documents
    finder = GoldFinder(questions, documents)
    exact = _Exact(assistant.index, documents)
    deep = DEPTH * PER_PASSAGE if finder.by_passage else DEPTH
    ranks: dict[str, list[int | None]] = {}
    for question in questions.questions:
        if not question.answerable or question.history:
            continue
        gold, asked = finder.find(question), question.question
        candidates = assistant.index.search(asked, deep, documents=assistant.document_ids)
        found = {
            SHIPPED: [hit.paragraph for hit in assistant.search(asked, deep)],
            INDEX: [hit.paragraph for hit in candidates.hits],
            **{way: exact.best(scores, deep) for way, scores in exact.ways(asked).items()},
        }
        for way, paragraphs in found.items():
            ranks.setdefault(way, []).append(_rank(gold, finder, paragraphs))
    return {way: _measures(own) for way, own in ranks.items()}


class _Exact:
    """All paragraphs of some documents, scored one by one."""

    def __init__(self, index: Index, documents: Sequence[Document]) -> None:
        # As in the index: a text that stands in several places counts once.
        unique: dict[str, Paragraph] = {}
        for document in documents:
            for paragraph in document.paragraphs:
                unique.setdefault(paragraph.id, paragraph)
        self._paragraphs = list(unique.values())
        self._encoder = index.encoder
        vectors: list[Scores] = list(index.vectors(list(unique)).values())
        self._sentences = np.concatenate(vectors)
        self._starts = np.cumsum([0, *(len(own) for own in vectors[:-1])])
        means = np.stack([own.mean(axis=0) for own in vectors])
        self._means = means / np.linalg.norm(means, axis=1, keepdims=True)
        self._terms = BM25Index.build([f"{' '.join(p.heading)} {p.text}" for p in self._paragraphs])

    def ways(self, question: str) -> dict[str, Scores]:
        """The scores of all paragraphs, by way."""
        vector = self._encoder.encode_query(question)
        shares = self._terms.shares(question)
        sentence = np.maximum.reduceat(self._sentences @ vector, self._starts)
        paragraph = self._means @ vector
        ranks = [rankdata(-own, method="ordinal") for own in (paragraph, shares)]
        rrf = sum(1 / (RRF_K + own) for own in ranks)
        return {
            "paragraph vectors": paragraph,
            "best sentence": sentence,
            "BM25": shares,
            "RRF of paragraph vectors and BM25": rrf,
            "fusion, every paragraph scored": sentence + TERM_WEIGHT * shares,
        }

    def best(self, scores: Scores, count: int) -> list[Paragraph]:
        """So many of the best paragraphs, best first."""
        return [self._paragraphs[n] for n in np.argsort(-scores, kind="stable")[:count]]


def _rank(gold: Gold, finder: GoldFinder, paragraphs: Sequence[Paragraph]) -> int | None:
    """1-based rank of the first relevant unit among the first DEPTH units."""
    units = list(dict.fromkeys(finder.unit(paragraph) for paragraph in paragraphs))[:DEPTH]
    return next((n for n, unit in enumerate(units, start=1) if unit in gold.units), None)


def _measures(ranks: Sequence[int | None]) -> dict[str, Measure]:
    shares: dict[str, Callable[[int | None], float]] = {
        "hit@1": lambda rank: float(rank == 1),
        "hit@3": lambda rank: float(rank is not None and rank <= 3),
        "mrr": lambda rank: 1 / rank if rank else 0.0,
    }
    one = [1.0] * len(ranks)
    return {name: ratio([share(rank) for rank in ranks], one) for name, share in shares.items()}

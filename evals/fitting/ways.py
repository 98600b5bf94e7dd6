"""Plain ways of doing what the assistant does, to compare it with: rankings and overviews.

Rankings are computed over all paragraphs of a set. What the index returns comes from its candidates
only, so that the table shows what the choice of candidates loses; the first way is re-ranked by the
reading model.

The plain ways to an overview choose as many sentences, and are told which part is asked for, which
the assistant has to find: LexRank, in its continuous form (Erkan and Radev, "LexRank: Graph-based
Lexical Centrality as Salience in Text Summarization", JAIR 22, 2004), over the sentence vectors of
the index in place of vectors of terms; and the first sentences of the sections. LexRank is computed
here, in a few lines: of the libraries that have it, `lexrank` was last released in 2018, and `sumy`
brings its own reader of documents and a pinned setuptools.
"""

from __future__ import annotations

import itertools
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, compress, zip_longest
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.table import Table
from scipy.stats import rankdata

from assistant import Assistant
from evals.datasets.gold import Gold, GoldFinder
from evals.datasets.models import OVERVIEWS, QuestionSet
from evals.metrics.statistics import Measure, ratio
from evals.reporting.tables import rows_table
from evals.running.coverage import Section, cited_sections, sections_of
from evals.running.records import DEPTH, Cited, Record
from evals.running.runner import PER_PASSAGE, SetRun, Step, only
from index import Document, Index, Paragraph
from index.bm25 import BM25Index
from index.errors import QuestionSetError
from index.retriever import TERM_WEIGHT

#: As in Cormack, Clarke and Büttcher, "Reciprocal Rank Fusion", SIGIR 2009.
RRF_K = 60
#: As the index ranks, from its candidates.
INDEX = "fusion, candidates only"
#: As the assistant ranks.
SHIPPED = "fusion and reader"

Scores = NDArray[np.float32]
#: Names of the ways.
OURS, LEXRANK, FIRST = "overview", "LexRank", "first sentences"
#: What is compared.
SHOWN = (
    "overview_given citation_recall_mean citation_recall section_coverage redundancy "
    "rouge1 rouge2 rougeL answer_sentences answer_words"
).split()
#: Of LexRank: the probability to go on anywhere, as in Erkan and Radev's tables.
DAMPING = 0.15
#: What each document is asked where there is no set.
QUESTION = "What are the main points of this document?"

#: A paragraph, and the number of a sentence in it.
Place = tuple[Paragraph, int]
#: Chooses so many of the sentences of sections.
Choose = Callable[[Sequence[Section], int], list[Place]]


# --- rankings -----------------------------------------------------------------------------------


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


# --- overviews ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Timed:
    """What one overview took.

    Attributes:
        name: the document's file, or the question.
        sentences: of the documents that it was asked of.
        overview_ms, encoding_ms: milliseconds of the whole answer, and of encoding the question
            alone.
    """

    name: str
    sentences: int
    overview_ms: float
    encoding_ms: float


def only_overviews(questions: QuestionSet) -> QuestionSet:
    """The questions of a set that ask for an overview which the documents can give.

    Raises:
        QuestionSetError: there is none.
    """
    kinds = ", ".join(sorted(OVERVIEWS))
    lacking = f"asks for no overview: no answerable question is of the kind {kinds}."
    return only(questions, lambda q: q.kind in OVERVIEWS and q.answerable, lacking)


def overview_ways(assistant: Assistant, run: SetRun) -> dict[str, list[Record]]:
    """The records of the assistant's overviews, and those of the plain ways, which choose as many
    sentences as the overview has, or, where it has none, as there are key sentences.

    Args:
        assistant: that was asked.
        run: what came of it, of overviews alone.
    """
    finder = GoldFinder(run.questions, assistant.documents)
    ways: dict[str, Choose] = {
        LEXRANK: lambda sections, count: lexrank(assistant.index, sections, count),
        FIRST: first_sentences,
    }
    asked = {question.id: question for question in run.questions.questions}
    found: dict[str, list[Record]] = {OURS: list(run.records), **{way: [] for way in ways}}
    for record in run.records:
        question = asked[record.id]
        sections = sections_of(question, record.gold, finder.asked_of(question))
        count = len(record.sentences) if record.answered else len(record.gold.evidence)
        for way, choose in ways.items():
            found[way].append(_as_chosen(record, sections, choose(sections, count)))
    return found


def only_given(ways: Mapping[str, Sequence[Record]]) -> dict[str, list[Record]]:
    """The same of the questions alone that were answered with an overview: how well its sentences
    are chosen, whether or not it is seen that one is asked for."""
    given = [record.answer_kind == "overview" for record in ways[OURS]]
    return {way: list(compress(records, given)) for way, records in ways.items()}


def lexrank(index: Index, sections: Sequence[Section], count: int) -> list[Place]:
    """The sentences of most LexRank, in reading order. Redundant ones are not left out.

    Memory: the square of the number of sentences, twice, in 4 bytes each.

    Args:
        index: that holds their vectors.
        sections: what to choose from.
        count: sentences at most.
    """
    places = _places([paragraph for section in sections for paragraph in section])
    if not places:
        return []
    vectors = index.vectors(list(dict.fromkeys(p.id for p, _ in places)))
    own = np.array([vectors[p.id][number] for p, number in places], dtype=np.float32)
    best = np.argsort(-centrality(own), kind="stable")[:count]
    return [places[n] for n in sorted(best)]


def centrality(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Continuous LexRank, as the solution of its equations; sums to 1.

    Args:
        vectors: [sentences, dimension], each of length 1; a cosine below 0 counts as 0.
    """
    cosines = np.clip(vectors @ vectors.T, 0, None)
    steps = cosines / cosines.sum(axis=1, keepdims=True)  # each has at least itself
    anywhere = np.full(len(vectors), DAMPING / len(vectors), dtype=np.float32)
    rank: NDArray[np.float32] = np.linalg.solve(
        np.eye(len(vectors), dtype=np.float32) - (1 - DAMPING) * steps.T, anywhere
    )
    return rank


def first_sentences(sections: Sequence[Section], count: int) -> list[Place]:
    """The first sentence of each section, in reading order: where there are more sections than
    wanted, of those at equal distances; where there are fewer, then the second of each, and so on.
    """
    if len(sections) > count:
        sections = [sections[n * len(sections) // count] for n in range(count)]
    order = itertools.count()
    each = [[(next(order), place) for place in _places(section)] for section in sections]
    in_turn = [own for own in chain(*zip_longest(*each)) if own is not None]
    return [place for _, place in sorted(in_turn[:count])]


def times_of(assistant: Assistant, run: SetRun) -> list[Timed]:
    """What the overviews of a run took."""
    finder = GoldFinder(run.questions, assistant.documents)
    asked = {question.id: question for question in run.questions.questions}
    return [
        Timed(
            record.question,
            _sentences(finder.asked_of(asked[record.id])),
            record.timings_ms["total"],
            _encoding_ms(assistant, record.question),
        )
        for record in run.records
    ]


def each_document(assistant: Assistant, asking: Step) -> list[Timed]:
    """What an overview of each document takes, the first time that it is asked for.

    Args:
        assistant: with the documents open.
        asking: called with (documents done, documents in all).

    Raises:
        QuestionSetError: what came is no overview.
    """
    documents = assistant.documents
    _encoding_ms(assistant, QUESTION)  # the first one pays for loading
    found = []
    for done, document in enumerate(documents, start=1):
        answer = assistant.for_documents([document.id]).ask(QUESTION)
        if answer.kind != "overview":
            raise QuestionSetError(
                f"{document.source} gets no overview: it has no sentences, or this encoder tells "
                "no kinds of questions (fit them: footnote eval kinds)."
            )
        encoding = _encoding_ms(assistant, QUESTION)
        took = answer.timings_ms["total"]
        name = Path(document.source).name
        found.append(Timed(name, _sentences([document]), took, encoding))
        asking(done, len(documents))
    return found


def times_table(title: str, times: Sequence[Timed]) -> Table:
    """Milliseconds of overviews, and their ratio to the encoding of the question."""
    took = [own.overview_ms for own in times]
    slowest = max(times, key=lambda own: own.overview_ms)
    half, encoding = statistics.median(took), statistics.median(own.encoding_ms for own in times)
    rows = [
        ("overviews", len(times)),
        ("sentences of the text, median", f"{statistics.median(t.sentences for t in times):,.0f}"),
        ("  most", f"{max(own.sentences for own in times):,}"),
        ("overview, median ms", f"{half:.1f}"),
        ("  slowest, ms", f"{slowest.overview_ms:.1f}"),
        ("  slowest, of", slowest.name),
        ("query encoding, median ms", f"{encoding:.1f}"),
        ("  ratio of the medians", f"{half / encoding:.1f}"),
    ]
    return rows_table(title, ("time", ""), rows)


def _places(section: Sequence[Paragraph]) -> list[Place]:
    return [(p, number) for p in section for number in range(len(p.sentences))]


def _sentences(documents: Sequence[Document]) -> int:
    return sum(len(p.sentences) for own in documents for p in own.paragraphs)


def _encoding_ms(assistant: Assistant, question: str) -> float:
    started = time.perf_counter()
    assistant.index.encoder.encode_query(question)
    return (time.perf_counter() - started) * 1000


def _as_chosen(record: Record, sections: Sequence[Section], places: Sequence[Place]) -> Record:
    """The record of an answer that quotes these sentences."""
    chosen = [(p.document_id, p.sentences[number]) for p, number in places]
    cited = tuple(Cited(own, sentence.start, sentence.end, True) for own, sentence in chosen)
    return replace(
        record,
        status="answered",
        answer_kind="overview",
        sentences=tuple(" ".join(sentence.text.split()) for _, sentence in chosen),
        citations=cited,
        sections=cited_sections(sections, cited),
        in_answer=(),
        forced=None,
        proofs=(),
        writing=None,
        timings_ms={},
    )

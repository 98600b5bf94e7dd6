"""Metrics over records. Where nothing applies a figure is None, never 0.

The figures, in their groups and each with what it is, are in `figures.toml`.
"""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from importlib.resources import files
from typing import Any, get_args

from assistant.answer import Outcome
from evals.metrics.confidence import confidence_measures
from evals.metrics.statistics import Figure, Measure, figure, mean, ratio
from evals.metrics.texts import contains, f1, redundancy, rouge_l, rouge_n
from evals.running.records import DEPTH, FAILED, OPEN, RIGHT, UNFOUNDED, Record

_DATA = tomllib.loads((files("evals.metrics") / "figures.toml").read_text(encoding="utf-8"))
#: By group and name what each figure is, as they are shown. `recall@k` has its number in results.
GROUPS: Mapping[str, Mapping[str, str]] = _DATA["groups"]
#: Which figures are shown where.
SHOWN: Mapping[str, Any] = _DATA["shown"]

#: Of each record the value whose mean is a figure; None where it has no part in that.
Means = Mapping[str, Callable[[Record], float | None]]


def _share(truths: Sequence[bool], record: Record) -> float | None:
    """The share of true values; 0 where nothing was answered, None where there are no values."""
    if not truths:
        return None
    return sum(truths) / len(truths) if record.answered else 0.0


# What became of the questions. Of the answerable ones the first five (without `no_reply`) sum to 1,
# of the others the next three, but for those to which no reply came.
_OUTCOMES: Means = {
    "no_reply": lambda r: r.status == FAILED,
    "answered_right": lambda r: r.answered and r.outcome == RIGHT if r.answerable else None,
    "answered_wrong": lambda r: r.answered and r.outcome != RIGHT if r.answerable else None,
    "passages_right": lambda r: r.unsure and r.is_among if r.answerable else None,
    "passages_wrong": lambda r: r.unsure and not r.is_among if r.answerable else None,
    "refused_answerable": lambda r: r.refused if r.answerable else None,
    "refusal_recall": lambda r: None if r.answerable else r.refused,
    "unsure_unanswerable": lambda r: None if r.answerable else r.unsure,
    "answered_unanswerable": lambda r: None if r.answerable else r.answered,
    "answer_precision": lambda r: r.outcome == RIGHT if r.answered else None,
    "passages_precision": lambda r: r.answerable and r.is_among if r.unsure else None,
}
_ANSWERS: Means = {
    "right": lambda r: r.outcome == RIGHT,
    "evidence_cited": lambda r: any(r.found) if r.has_evidence else None,
    "evidence_cited_all": lambda r: all(r.found) if r.has_evidence else None,
    "evidence_shown": lambda r: any(r.shown) if r.has_evidence else None,
    "answer_contains": lambda r: (
        contains(r.text, r.answers) if r.answerable and r.answers else None
    ),
    "answer_f1": lambda r: f1(r.text, r.answers) if r.answerable and r.answers else None,
    "answer_sentences": lambda r: len(r.sentences) if r.answerable and r.answered else None,
    "answer_words": lambda r: len(r.text.split()) if r.answerable and r.answered else None,
    "refusal_precision": lambda r: not r.answerable if r.refused else None,
    "unsure_answerable": lambda r: r.unsure if r.answerable else None,
    "withheld": lambda r: None if r.answerable else r.refused or r.unsure,
}
# That an overview has the key sentences is `citation_recall`. One that was refused or unsure scores
# 0 where it has nothing, and has no part in what is measured of answers alone.
_OVERVIEWS: Means = {
    "overview_given": lambda r: r.answer_kind == "overview" if r.is_overview else None,
    "section_coverage": lambda r: _share(r.sections, r),
    "redundancy": lambda r: redundancy(r.sentences) if r.is_overview and r.answered else None,
}
_ABSTRACTS: Means = {
    "rouge1": lambda r: rouge_n(r.text, r.abstract, 1) if r.has_abstract else None,
    "rouge2": lambda r: rouge_n(r.text, r.abstract, 2) if r.has_abstract else None,
    "rougeL": lambda r: rouge_l(r.text, r.abstract) if r.has_abstract else None,
}
_LISTS: Means = {
    "item_recall": lambda r: _share(r.items, r),
    "item_precision": lambda r: _share(r.listed, r) if r.answered else None,
}
_WHOLE: Means = {
    "answered_whole": lambda r: r.is_whole if r.answered and r.answerable else None,
}


def _came_to(outcome: Outcome, record: Record) -> float | None:
    return record.writing.outcome == outcome if record.writing else None


_WRITING: Means = {
    "to_read": lambda r: r.outcome in (OPEN, UNFOUNDED),
    "withheld_answerable": lambda r: not r.answered if r.answerable else None,
    **{outcome: partial(_came_to, outcome) for outcome in get_args(Outcome)},
    "partly": lambda r: bool(r.unanswered) if r.writing and r.answered else None,
    "searched_again": lambda r: bool(r.writing.searches) if r.writing else None,
    "returned": lambda r: r.writing.returned > 0 if r.writing else None,
    "calls": lambda r: r.writing.calls if r.writing else None,
    "prompt_tokens": lambda r: r.writing.prompt_tokens if r.writing else None,
    "completion_tokens": lambda r: r.writing.completion_tokens if r.writing else None,
}
#: Figures that are there only where a record is such.
_SPECIAL: Sequence[tuple[Callable[[Record], object], Means]] = (
    (lambda r: r.gold.whole, _WHOLE),
    (lambda r: r.is_overview, _OVERVIEWS),
    (lambda r: r.has_abstract, _ABSTRACTS),
    (lambda r: r.is_list, _LISTS),
    (lambda r: r.writing, _WRITING),
)


def all_measures(records: Sequence[Record], k: int = DEPTH) -> dict[str, Measure]:
    """Every measure of these records by the name of its figure, in the order of `GROUPS`; those of
    kinds of questions, of a language model and of confidence only where there are such."""
    found = {
        **_outcomes(records),
        **_means(records, _ANSWERS),
        **_retrieval(records, k),
        **_citations(records),
        "refusal_f1": _refusal_f1(records),
        **confidence_measures(records),
    }
    for is_such, means in _SPECIAL:
        if any(map(is_such, records)):
            found |= _means(records, means)
    if any(record.writing for record in records):
        found["dropped"] = _dropped(records)
    names = [name.replace("@k", f"@{k}") for group in GROUPS.values() for name in group]
    return {name: found[name] for name in names if name in found}


def part_figures(records: Sequence[Record], seed: int = 0) -> dict[str, Figure]:
    """The figures of what became of some of the questions, those of one document, say, and of their
    confidence."""
    measures = {**_outcomes(records), **confidence_measures(records)}
    return {name: figure(measure, seed) for name, measure in measures.items()}


def all_figures(records: Sequence[Record], k: int = DEPTH, seed: int = 0) -> dict[str, Figure]:
    """Every figure by name.

    Args:
        records: of one set, or of several together.
        k: of `recall@k`.
        seed: of the bootstrap.
    """
    return {name: figure(measure, seed) for name, measure in all_measures(records, k).items()}


def failures_of(records: Sequence[Record]) -> list[str]:
    """In a sentence each, why a language model did not answer questions, and how many."""
    reasons = Counter(
        record.note
        for record in records
        if record.writing and record.writing.outcome in ("failed", "untrusted")
    )
    return [f"{count} of {len(records)} questions: {note}" for note, count in reasons.items()]


def _means(records: Sequence[Record], means: Means) -> dict[str, Measure]:
    return {name: mean([value(record) for record in records]) for name, value in means.items()}


def _outcomes(records: Sequence[Record]) -> dict[str, Measure]:
    found = _means(records, _OUTCOMES)
    if not any(record.status == FAILED for record in records):
        del found["no_reply"]
    return found


def _retrieval(records: Sequence[Record], k: int) -> dict[str, Measure]:
    import ir_measures
    from ir_measures import RR, R, Success, nDCG

    metrics = {
        **{f"hit@{depth}": Success @ depth for depth in (1, 3, 10)},
        **{f"recall@{depth}": R @ depth for depth in (5, k)},
        "mrr": RR @ DEPTH,
        "ndcg@10": nDCG @ DEPTH,
    }
    if records and all(record.retrieved is None for record in records):
        return {}
    judged = {
        str(n): r
        for n, r in enumerate(records)
        if r.answerable and r.gold.relevant and r.retrieved is not None
    }
    qrels = {query: _qrels(record) for query, record in judged.items()}
    # By rank: scores may tie, and what was returned first was shown first.
    runs = {
        query: {found.unit: -float(rank) for rank, found in enumerate(record.retrieved or ())}
        for query, record in judged.items()
    }
    values: dict[str, dict[str, float]] = {str(metric): {} for metric in metrics.values()}
    if judged:
        for result in ir_measures.iter_calc(list(metrics.values()), qrels, runs):
            values[str(result.measure)][result.query_id] = result.value
    queries = [str(number) for number in range(len(records))]
    # A question for which nothing was retrieved is in no run, and scores 0.
    return {
        name: ratio(
            [values[str(metric)].get(query, 0.0) for query in queries],
            [query in qrels for query in queries],
        )
        for name, metric in metrics.items()
    }


def _qrels(record: Record) -> dict[str, int]:
    rank = {
        found.unit: number for number, found in reversed(list(enumerate(record.retrieved or ())))
    }
    chosen: dict[str, int] = {}
    for item in record.gold.relevant:
        unit = min(item.units, key=lambda u: rank.get(u, len(rank)))
        chosen[unit] = max(item.grade, chosen.get(unit, 0))
    return chosen


def _citations(records: Sequence[Record]) -> dict[str, Measure]:
    found = {
        "citation_validity": _pooled([c.valid for c in r.citations] for r in records),
        "evidence_in_answer": _pooled(r.in_answer for r in records),
    }
    for name, truths in (
        ("citation_precision", [r.supported if r.has_evidence else [] for r in records]),
        ("citation_recall", [r.found for r in records]),
    ):
        found[name] = _pooled(truths)
        found[f"{name}_mean"] = mean(
            [sum(truth) / len(truth) if truth else None for truth in truths]
        )
    return found


def _pooled(truths: Iterable[Sequence[bool]]) -> Measure:
    own = list(truths)
    return ratio([sum(t) for t in own], [len(t) for t in own])


def _refusal_f1(records: Sequence[Record]) -> Measure:
    """2 TP / (2 TP + FP + FN): it applies where there is a question to refuse."""
    either = [float(r.refused) + float(not r.answerable) for r in records]
    if all(r.answerable for r in records):
        either = [0.0] * len(records)
    return ratio([2.0 * (r.refused and not r.answerable) for r in records], either, len(records))


def _dropped(records: Sequence[Record]) -> Measure:
    # Of an answer that is not its own, the sentences are the documents'.
    wrote = [
        r.writing is not None and r.writing.outcome in ("written", "unproved") for r in records
    ]
    dropped = [r.dropped * own for r, own in zip(records, wrote, strict=True)]
    shown = [len(r.sentences) * own for r, own in zip(records, wrote, strict=True)]
    return ratio(dropped, [a + b for a, b in zip(dropped, shown, strict=True)])

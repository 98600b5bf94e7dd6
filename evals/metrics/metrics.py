"""The figures of records. If nothing applies a figure is None, never 0.

An unsure answer, which shows passages that may answer, is neither an answer nor a refusal: it is
never right, and has no part in `answer_precision` and `citation_precision`. What it shows counts
for `evidence_shown` and `citation_validity`. A reply that did not come counts as neither.

An endpoint has no figures of retrieval and confidence, for it tells neither. Sentences are measured
only if a language model wrote answers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np

from evals.metrics.confidence import confidence_measures
from evals.metrics.statistics import Figure, Measure, figure, mean, ratio
from evals.running.records import PROVED, RIGHT, Record

#: Meanings of the figures by group and name, in the order in which they are shown.
GROUPS: Mapping[str, Mapping[str, str]] = {
    "Answers": {
        "answered_right": "answerable questions answered with the evidence cited that they need",
        "answer_precision": "answers that are right; those to unanswerable questions are not",
        "evidence_shown": "answerable questions with evidence cited, or lit in a passage",
        "withheld": "unanswerable questions that were not answered: refused or unsure",
    },
    "Retrieval": {
        "hit@1": "answerable questions with a relevant paragraph first",
        "hit@3": "answerable questions with a relevant paragraph among the first 3",
        "hit@10": "answerable questions with a relevant paragraph among the first 10",
        "mrr": "reciprocal rank of the first relevant paragraph, within 10",
    },
    "Citations": {
        "citation_validity": "citations whose offsets fit the document",
        "citation_precision": "citations that are evidence or support the answer, pooled",
        "sentences_supported": "sentences that a language model wrote and the documents support",
    },
    "Confidence": {
        "right_auroc": "how well confidence ranks right answers above all others",
        "right_calibration_error": "expected calibration error of being right; less is better",
        "refusal_auroc": "how well confidence ranks answerable above unanswerable",
    },
    "Time": {"answer_ms": "median milliseconds from the question to the answer"},
}


def _within(depth: int) -> Callable[[Record], float | None]:
    return lambda r: (r.rank is not None and r.rank <= depth) if r.is_ranked else None


#: A value of each record, whose mean is the figure; None for a record that has no part in it.
_MEANS: Mapping[str, Callable[[Record], float | None]] = {
    "answered_right": lambda r: r.answered and r.outcome == RIGHT if r.answerable else None,
    "answer_precision": lambda r: r.outcome == RIGHT if r.answered else None,
    "evidence_shown": lambda r: any(r.shown) if r.has_evidence else None,
    "withheld": lambda r: None if r.answerable else r.refused or r.unsure,
    **{f"hit@{depth}": _within(depth) for depth in (1, 3, 10)},
    "mrr": lambda r: (1 / r.rank if r.rank else 0.0) if r.is_ranked else None,
}


def all_measures(records: Sequence[Record]) -> dict[str, Measure]:
    """Return the measures of records by the name of their figure, in the order of `GROUPS`."""
    found = {name: mean([value(r) for r in records]) for name, value in _MEANS.items()}
    if all(record.retrieved is None for record in records):
        found = {name: found[name] for name in GROUPS["Answers"]}
    found["citation_validity"] = _pooled([c.valid for c in r.citations] for r in records)
    found["citation_precision"] = _pooled(r.supported if r.has_evidence else [] for r in records)
    if any(record.writing for record in records):
        found["sentences_supported"] = _pooled(map(_supported, records))
    found |= confidence_measures(records)
    times = np.array([r.timings_ms.get("total") for r in records], float)
    timed = ~np.isnan(times)
    found["answer_ms"] = Measure((times,), np.median, int(timed.sum()), timed, shared=True)
    names = (name for group in GROUPS.values() for name in group)
    return {name: found[name] for name in names if name in found}


def all_figures(records: Sequence[Record]) -> dict[str, Figure]:
    """Return the figures of one set, or of several together, by name."""
    return {name: figure(measure) for name, measure in all_measures(records).items()}


def _supported(record: Record) -> list[bool]:
    """Tell of each sentence that a language model wrote if it is supported; those that were left
    out are not. If a model failed, the sentences that are shown are the documents' own."""
    if record.writing is None or record.writing.outcome not in ("written", "unproved"):
        return []
    return [p.verdict in PROVED for p in record.proofs] + [False] * record.dropped


def _pooled(truths: Iterable[Sequence[bool]]) -> Measure:
    own = list(truths)
    return ratio([sum(t) for t in own], [len(t) for t in own])

"""What is measured of overviews and of lists, where a set asks for such.

That an overview has the key sentences is `citation_recall`. As with all answers, one that was
refused or unsure scores 0 where it has nothing, and has no part in what is measured of answers
alone: `redundancy`, `item_precision`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from evals.metrics.rouge import redundancy, rouge_l, rouge_n
from evals.metrics.statistics import Measure, mean
from evals.running.records import Record

#: Of a text and the abstract.
_ROUGE: dict[str, Callable[[str, str], float]] = {
    "rouge1": lambda text, abstract: rouge_n(text, abstract, 1),
    "rouge2": lambda text, abstract: rouge_n(text, abstract, 2),
    "rougeL": rouge_l,
}


def kind_measures(records: Sequence[Record]) -> dict[str, Measure]:
    """The measures of overviews and lists by name; those alone of which a set has any."""
    found: dict[str, Measure] = {}
    if any(record.is_overview for record in records):
        found["overview_given"] = mean(
            [float(r.answer_kind == "overview") if r.is_overview else None for r in records]
        )
        found["section_coverage"] = mean([_share(r.sections, r) for r in records])
        found["redundancy"] = mean(
            [redundancy(r.sentences) if r.is_overview and r.answered else None for r in records]
        )
    if any(record.is_overview and record.abstract for record in records):
        found |= {
            name: mean(
                [
                    score(r.text, r.abstract) if r.is_overview and r.abstract else None
                    for r in records
                ]
            )
            for name, score in _ROUGE.items()
        }
    if any(record.is_list for record in records):
        found["item_recall"] = mean([_share(r.items, r) for r in records])
        found["item_precision"] = mean(
            [_share(r.listed, r) if r.answered else None for r in records]
        )
    return found


def _share(truths: Sequence[bool], record: Record) -> float | None:
    """Of an answer; 0 where there is none, None where there is nothing to have a share of."""
    if not truths:
        return None
    return sum(truths) / len(truths) if record.answered else 0.0

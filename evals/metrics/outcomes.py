"""What became of the questions: answered rightly or not, passages shown, refused.

Of the answerable ones the first five sum to 1, of the others the last three, but for those to which
no reply came. What is right is told by `Record.suffices`.
"""

from __future__ import annotations

from collections.abc import Sequence

from evals.metrics.statistics import Measure, mean
from evals.running.records import FAILED, RIGHT, Record


def outcome_measures(records: Sequence[Record]) -> dict[str, Measure]:
    """The measures of what became of the questions, by name."""

    def answerable(truths: Sequence[bool]) -> Measure:
        known = zip(records, truths, strict=True)
        return mean([float(truth) if record.answerable else None for record, truth in known])

    def others(truths: Sequence[bool]) -> Measure:
        known = zip(records, truths, strict=True)
        return mean([None if record.answerable else float(truth) for record, truth in known])

    right = [r.answered and r.outcome == RIGHT for r in records]
    failed = [float(r.status == FAILED) for r in records]
    return {
        **({"no_reply": mean(failed)} if any(failed) else {}),
        "answered_right": answerable(right),
        "answered_wrong": answerable([r.answered and r.outcome != RIGHT for r in records]),
        "passages_right": answerable([r.unsure and r.is_among for r in records]),
        "passages_wrong": answerable([r.unsure and not r.is_among for r in records]),
        "refused_answerable": answerable([r.refused for r in records]),
        "refusal_recall": others([r.refused for r in records]),
        "unsure_unanswerable": others([r.unsure for r in records]),
        "answered_unanswerable": others([r.answered for r in records]),
        "answer_precision": mean(
            [float(own) if r.answered else None for r, own in zip(records, right, strict=True)]
        ),
        "passages_precision": mean(
            [float(r.answerable and r.is_among) if r.unsure else None for r in records]
        ),
    }

"""What is measured of a language model's part in the answers, where one had any."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import get_args

from assistant.answer import Outcome
from evals.metrics.statistics import Measure, mean, ratio
from evals.running.records import OPEN, UNFOUNDED, Record

#: What came of asking it.
OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)


def writing_measures(records: Sequence[Record]) -> dict[str, Measure]:
    """The measures of what a language model did, by name; none where it did nothing."""
    if not any(record.writing for record in records):
        return {}
    asked = [record.writing for record in records]
    # Of an answer that is not its own, the sentences are the documents'.
    wrote = [w is not None and w.outcome in ("written", "unproved") for w in asked]
    dropped = [r.dropped if own else 0 for r, own in zip(records, wrote, strict=True)]
    shown = [len(r.sentences) if own else 0 for r, own in zip(records, wrote, strict=True)]
    return {
        "to_read": mean([float(r.outcome in (OPEN, UNFOUNDED)) for r in records]),
        "withheld_answerable": mean(
            [float(not r.answered) if r.answerable else None for r in records]
        ),
        **{
            outcome: mean([None if w is None else float(w.outcome == outcome) for w in asked])
            for outcome in OUTCOMES
        },
        "partly": mean(
            [float(bool(r.unanswered)) if r.writing and r.answered else None for r in records]
        ),
        "searched_again": mean([None if w is None else float(bool(w.searches)) for w in asked]),
        "returned": mean([None if w is None else float(w.returned > 0) for w in asked]),
        "dropped": ratio(dropped, [a + b for a, b in zip(dropped, shown, strict=True)]),
        "calls": mean([None if w is None else float(w.calls) for w in asked]),
        "prompt_tokens": mean([None if w is None else w.prompt_tokens for w in asked]),
        "completion_tokens": mean([None if w is None else w.completion_tokens for w in asked]),
    }


def failures_of(records: Sequence[Record]) -> list[str]:
    """In a sentence each, why a language model did not answer questions, and how many."""
    reasons = Counter(
        record.note
        for record in records
        if record.writing and record.writing.outcome in ("failed", "untrusted")
    )
    return [f"{count} of {len(records)} questions: {note}" for note, count in reasons.items()]

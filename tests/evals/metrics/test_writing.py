"""What is measured of a language model's part, on records made by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest
from question_sets import made_record

from assistant.answer import Outcome, Verdict, Writing
from evals.datasets.gold import Gold, Relevant, TextSpan
from evals.metrics.metrics import all_figures, failures_of
from evals.running.records import Cited, Proof, Record

ONE, TWO, ELSEWHERE = (TextSpan("d", n, n + 10) for n in (0, 20, 40))
BOTH = Gold(((ONE,), (TWO,)), (), (Relevant(("gold",)),), True)


def written(
    cited: tuple[TextSpan, ...] = (),
    verdicts: tuple[Verdict, ...] | None = None,
    outcome: Outcome = "written",
    **given: object,
) -> Record:
    """An answer of one sentence a citation, each supported."""
    verdicts = ("supported",) * len(cited) if verdicts is None else verdicts
    made = made_record(
        gold=BOTH,
        strict=True,
        confidence=None,
        sentences=tuple(f"Sentence {n}." for n in range(len(cited))),
        citations=tuple(Cited(own.document, own.start, own.end, True) for own in cited),
        proofs=tuple(Proof(own, (n,)) for n, own in enumerate(verdicts)),
        writing=Writing("large", "unchecked", outcome, calls=1),
    )
    return replace(made, **given)  # type: ignore[arg-type]


def unanswerable(**given: object) -> Record:
    return written(gold=Gold((), (), (), False), answerable=False, **given)  # type: ignore[arg-type]


RIGHT = written((ONE, ELSEWHERE, TWO))
PART = written((ONE, ELSEWHERE), unanswered=("The second thing.",))
UNPROVED = written((ONE, TWO), ("supported", "unsupported"))
WITHHELD = written(status="refused", outcome="declined")
NOT_THERE = unanswerable(status="refused", outcome="declined")
MADE_UP = unanswerable(status="refused", outcome="unproved", dropped=2)
UNFOUNDED = replace(unanswerable(), sentences=("Something.",), dropped=1)
FAILED = written(
    (ONE,), ("quoted",), "failed", status="unsure", confidence=0.5, note="It failed: it is gone."
)
EVERY = [RIGHT, PART, UNPROVED, WITHHELD, NOT_THERE, MADE_UP, UNFOUNDED, FAILED]


def test_an_answer_is_right_that_cites_all_of_the_evidence_with_support() -> None:
    outcomes = [record.outcome for record in EVERY]
    assert outcomes == [
        "right",
        "to be read",
        "to be read",
        "refused",
        "right",
        "right",
        "unfounded",
        "unsure",
    ]
    # Elsewhere nobody has to read it.
    assert replace(PART, strict=False).outcome == "wrong"
    # One that has no evidence is not right for want of it.
    assert replace(RIGHT, gold=Gold((), (), (), False)).outcome == "to be read"


def test_a_table_worked_by_hand() -> None:
    found = all_figures(EVERY)
    expected = {
        "right": (3 / 8, 8),
        "to_read": (3 / 8, 8),
        "withheld_answerable": (2 / 5, 5),
        "withheld": (2 / 3, 3),
        "answered_unanswerable": (1 / 3, 3),
        "written": (4 / 8, 8),
        "declined": (2 / 8, 8),
        "unproved": (1 / 8, 8),
        "failed": (1 / 8, 8),
        "untrusted": (0, 8),
        "partly": (1 / 4, 4),
        # Shown: 3 + 2 + 2 + 1; what is quoted where it failed is none of its own.
        "dropped": (3 / 11, 11),
    }
    assert {name: (found[name].value, found[name].n) for name in expected} == {
        name: (pytest.approx(value), n) for name, (value, n) in expected.items()
    }
    assert found["right"].low is not None


def test_searches_calls_and_tokens_are_by_question() -> None:
    once = Writing("large", "passed", "written", 12, (), 0, 1, 900, 40)
    twice = Writing("large", "passed", "written", 20, ("burial leave",), 2, 3, 2100, 60)
    untold = replace(once, prompt_tokens=None, completion_tokens=None)
    # A question that the model was not asked has no part in it.
    records = [replace(RIGHT, writing=own) for own in (once, twice, untold, None)]
    found = {name: (own.value, own.n) for name, own in all_figures(records).items()}
    assert found["searched_again"] == (pytest.approx(1 / 3), 3)
    assert found["returned"] == (pytest.approx(1 / 3), 3)
    assert found["calls"] == (pytest.approx(5 / 3), 3)
    assert found["prompt_tokens"] == (1500, 2)
    assert found["completion_tokens"] == (50, 2)


def test_without_a_model_there_are_no_figures_of_it() -> None:
    quoted = [replace(RIGHT, writing=None, strict=False)]
    assert not {"to_read", "calls", "dropped"} & all_figures(quoted).keys()


def test_why_it_failed_is_told_once_with_a_count() -> None:
    assert failures_of([*EVERY, FAILED]) == ["2 of 9 questions: It failed: it is gone."]
    assert failures_of([RIGHT]) == []


def test_a_record_is_read_as_it_was_written() -> None:
    for record in EVERY:
        assert Record.from_dict(record.to_dict()) == record

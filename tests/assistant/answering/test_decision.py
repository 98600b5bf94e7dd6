"""A question that asks several things is answered in all of them, or says which it leaves open."""

from __future__ import annotations

import pytest

from assistant import Assistant
from assistant.answering.decision import weigh
from assistant.calibration import Calibration, Logistic, Thresholds
from assistant.query.decomposition import Part
from assistant.retrieval.evidence import Candidate, Evidence
from index import Hit, document_from_text

RELEASED = "The US Indo-Pacific strategy was released on February 11."
DOCUMENT = document_from_text("Tolls rose in May. The ferry is free.\n\nCyclists pay.", "tolls.txt")
# Probabilities that are the features themselves, so that a test can say what it means.
EVEN = Thresholds(0.5, 0.5)
SAME = Logistic({"logodds": 1.0}, 0.0)
CALIBRATION = Calibration({}, SAME, SAME, SAME, EVEN)


def found(sure: float, *logodds: float, parts: tuple = ()) -> Evidence:  # type: ignore[type-arg]
    """Evidence: how sure it is, and the logodds of the document's sentences."""
    hits = [Hit(p, 1.0, tuple(0.0 for _ in p.sentences), terms=0.5) for p in DOCUMENT.paragraphs]
    places = [(hit, number) for hit in hits for number in range(len(hit.paragraph.sentences))]
    candidates = tuple(
        Candidate(hit, number, {"logodds": value})
        for (hit, number), value in zip(places, logodds, strict=True)
    )
    return Evidence(tuple(hits), candidates, {"logodds": sure}, parts).scored(SAME)


def texts(chosen: tuple[Candidate, ...]) -> list[str]:
    return [candidate.sentence.text for candidate in chosen]


def asked(*parts: tuple[str, Evidence], alone: bool) -> tuple[tuple[Part, Evidence], ...]:
    return tuple((Part(question, None, alone), evidence) for question, evidence in parts)


def tolls_and_cyclists() -> Evidence:
    """Two questions, each of which another sentence answers; the whole is not sure."""
    parts = asked(
        ("Tolls?", found(2.0, 3.0, -3.0, -3.0)),
        ("Cyclists?", found(2.0, -3.0, -3.0, 3.0)),
        alone=True,
    )
    return found(-2.0, 1.0, -3.0, -3.0, parts=parts)


def test_each_question_gets_its_sentence() -> None:
    decision = weigh(tolls_and_cyclists(), CALIBRATION, EVEN, 4)
    assert texts(decision.chosen) == ["Tolls rose in May.", "Cyclists pay."]
    assert decision.confidence == pytest.approx(0.881, abs=0.001)
    assert decision.unanswered == ()
    assert len(weigh(tolls_and_cyclists(), CALIBRATION, EVEN, 1).chosen) == 1


def test_between_the_thresholds_the_closest_is_chosen() -> None:
    evidence = found(0.0, 3.0, -3.0, -3.0)
    for thresholds, status, chosen in (
        (Thresholds(0.2, 0.4), "answered", ["Tolls rose in May."]),
        (Thresholds(0.4, 0.6), "unsure", ["Tolls rose in May."]),
        (Thresholds(0.6, 0.8), "refused", []),
    ):
        decision = weigh(evidence, CALIBRATION, thresholds, 4)
        assert (decision.status, texts(decision.chosen)) == (status, chosen)


def test_what_may_be_answered_is_not_said_to_be_missing() -> None:
    parts = asked(
        ("Tolls?", found(2.0, 3.0, -3.0, -3.0)),
        ("Trains?", found(-2.0, -3.0, -3.0, -2.0)),
        ("Boats?", found(0.0, -3.0, -2.0, -3.0)),
        alone=True,
    )
    whole = found(1.0, 2.0, -3.0, -3.0, parts=parts)
    decision = weigh(whole, CALIBRATION, Thresholds(0.3, 0.7), 4)
    assert decision.status == "answered"
    assert texts(decision.chosen) == ["Tolls rose in May."]
    assert (decision.unanswered, decision.undecided) == (("Trains?",), ("Boats?",))
    # Where none is answered, the closest of those that may be are shown.
    decision = weigh(whole, CALIBRATION, Thresholds(0.3, 0.95), 4)
    assert decision.status == "unsure"
    assert texts(decision.chosen) == ["Tolls rose in May.", "The ferry is free."]
    assert (decision.unanswered, decision.undecided) == (("Trains?",), ())


def test_one_question_about_two_subjects_needs_both() -> None:
    parts = asked(
        ("Do cars pay?", found(2.0, 3.0, -3.0, -3.0)),
        ("Do trains pay?", found(-2.0, -3.0, -3.0, -2.0)),
        alone=False,
    )
    whole = found(-2.0, 1.0, -3.0, -3.0, parts=parts)
    assert weigh(whole, CALIBRATION, EVEN, 4).status == "refused"


def test_what_answers_both_is_quoted_once() -> None:
    part = found(2.0, 3.0, -3.0, 2.9)
    parts = asked(("Tolls?", part), ("Pay?", found(2.0, 2.8, -3.0, 3.0)), alone=True)
    whole = found(2.0, 3.0, -3.0, -3.0, parts=parts)
    assert texts(weigh(whole, CALIBRATION, EVEN, 4).chosen) == ["Tolls rose in May."]


# --- the whole way -----------------------------------------------------------------------------


def test_half_an_answer_says_which_half(assistant: Assistant) -> None:
    answer = assistant.ask(
        "When was the US Indo-Pacific strategy released? What is the population of India?"
    )
    assert not answer.refused
    assert answer.citations[0].quote == RELEASED
    assert answer.unanswered == ("What is the population of India?",)
    assert "No answer found for: What is the population of India?" in str(answer)

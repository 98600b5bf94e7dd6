"""Decides whether the documents answer a question, and which of their sentences do."""

from __future__ import annotations

from dataclasses import dataclass

from assistant.answer import AnswerKind
from assistant.answering.extractive import choose_from, holds_answer
from assistant.calibration import Calibration, Logistic, Status, Thresholds
from assistant.retrieval.evidence import Candidate, Evidence


@dataclass(frozen=True, slots=True)
class Decision:
    """What comes of the evidence.

    Attributes:
        status: whether the documents answer.
        confidence: calibrated probability that the answer is right; None where a language model
            decided.
        chosen: the sentences to quote, as far as it is answered; none where the question is
            refused.
        unanswered: of several questions asked at once, those that the documents do not answer.
        undecided: likewise, those that are not answered here, though the documents may.
        kind: of the answer.
        replies: what the assistant says of itself, in sentences.
        note: what keeps it from more; None where nothing does.
    """

    status: Status
    confidence: float | None
    chosen: tuple[Candidate, ...] = ()
    unanswered: tuple[str, ...] = ()
    undecided: tuple[str, ...] = ()
    kind: AnswerKind = "fact"
    replies: tuple[str, ...] = ()
    note: str | None = None


def decide(
    evidence: Evidence,
    calibration: Calibration,
    thresholds: Thresholds,
    limit: int,
) -> Decision:
    """Answer where the answer is surely right, refuse where there is surely none; else be unsure.

    Several questions asked at once are as sure as the surest of them, and one question about
    several subjects as the least sure of those; or as what was found for the whole, if that is
    surer.

    Args:
        evidence: what was found.
        calibration: makes probabilities of it.
        thresholds: between what is refused, what is unsure and what is answered.
        limit: sentences to choose at most.
    """
    right, answerable = calibration.answer, calibration.answerable
    founds = [found for _, found in evidence.parts]
    alone = all(part.alone for part, _ in evidence.parts)

    def surety(model: Logistic) -> float:
        whole = evidence.probability(model)
        parts = [found.probability(model) for found in founds]
        return max(whole, (max if alone else min)(parts, default=whole))

    def status_of(found: Evidence) -> Status:
        return thresholds.status(found.probability(right), found.probability(answerable))

    confidence = surety(right)
    status: Status = "refused"
    if evidence.candidates:
        status = thresholds.status(confidence, surety(answerable))
    if status == "refused":
        return Decision(status, confidence)
    enough = ("answered", status)
    sentence = calibration.sentence
    answering = [found for found in (evidence, *founds) if status_of(found) in enough]
    chosen = choose_from(answering, sentence, limit, evidence.said)
    left = [
        (part.asked, own)
        for part, found in evidence.parts
        if alone
        and (own := status_of(found)) not in enough
        and (own == "refused" or not holds_answer(chosen, found, sentence))
    ]
    return Decision(
        status,
        confidence,
        tuple(chosen),
        unanswered=tuple(asked for asked, own in left if own == "refused"),
        undecided=tuple(asked for asked, own in left if own != "refused"),
    )

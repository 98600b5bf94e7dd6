"""Decides whether the documents answer a question, and which of their sentences do."""

from __future__ import annotations

from dataclasses import dataclass

from assistant.answer import AnswerKind
from assistant.answering.extractive import choose_from, holds_answer
from assistant.calibration import Calibration, Status, Thresholds
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
    """Answer from one threshold on, refuse below another; between them, be unsure.

    Several questions asked at once are as sure as the surest of them, and one question about
    several subjects as the least sure of those; or as what was found for the whole, if that is
    surer.

    Args:
        evidence: what was found.
        calibration: makes probabilities of it.
        thresholds: between what is refused, what is unsure and what is answered.
        limit: sentences to choose at most.
    """
    parts = [(part, found, _surety(found, calibration)) for part, found in evidence.parts]
    alone = all(part.alone for part, _, _ in parts)
    whole = _surety(evidence, calibration)
    of_parts = max if alone else min
    # Right, and answered at all.
    confidence, answerable = (
        (
            max(own, of_parts(others, default=own))
            for own, others in zip(
                whole, zip(*(its for *_, its in parts), strict=True), strict=True
            )
        )
        if parts
        else whole
    )
    status = thresholds.status(confidence, answerable) if evidence.candidates else "refused"
    if status == "refused":
        return Decision(status, confidence)

    def suffices(its: tuple[float, float]) -> bool:
        own = thresholds.status(*its)
        return own == "answered" or own == status

    answering = [evidence] if suffices(whole) else []
    answering += [found for _, found, its in parts if suffices(its)]
    sentence = calibration.sentence
    chosen = choose_from(answering, sentence, limit, evidence.said)
    left = [
        (part.asked, thresholds.status(*its))
        for part, found, its in parts
        if alone
        and not suffices(its)
        and (thresholds.status(*its) == "refused" or not holds_answer(chosen, found, sentence))
    ]
    return Decision(
        status,
        confidence,
        tuple(chosen),
        unanswered=tuple(asked for asked, own in left if own == "refused"),
        undecided=tuple(asked for asked, own in left if own != "refused"),
    )


def _surety(evidence: Evidence, calibration: Calibration) -> tuple[float, float]:
    """That the answer which it gives is right, and that the documents answer at all."""
    return evidence.probability(calibration.answer), evidence.probability(calibration.answerable)

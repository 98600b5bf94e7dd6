"""Decides whether the documents answer a question, and which of their sentences do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from assistant.answering.extractive import choose_from, holds_answer
from assistant.calibration import Calibration, Logistic
from assistant.retrieval.evidence import Candidate, Evidence


@dataclass(frozen=True, slots=True)
class Decision:
    """What comes of the evidence.

    Attributes:
        confidence: calibrated probability that the documents answer.
        chosen: the sentences to quote, none where the question is refused.
        candidates: all the sentences that may be written from, likewise.
        unanswered: of several questions asked at once, those that the documents do not answer.
    """

    confidence: float
    chosen: tuple[Candidate, ...] = ()
    candidates: tuple[Candidate, ...] = ()
    unanswered: tuple[str, ...] = ()

    @property
    def refused(self) -> bool:
        """Whether the documents do not answer."""
        return not self.chosen


def decide(
    evidence: Evidence,
    calibration: Calibration,
    threshold: float,
    most: int,
    said: Sequence[str] = (),
) -> Decision:
    """Answer at or above the threshold, refuse below it.

    Several questions asked at once are as sure as the surest of them, and one question about
    several subjects as the least sure of those; or as what was found for the whole, if that is
    surer.

    Args:
        evidence: what was found.
        calibration: makes probabilities of it.
        threshold: the least confidence with which is answered.
        most: sentences to choose at most.
        said: texts of the conversation that need not be said again.
    """

    def sure(found: Evidence) -> float:
        return calibration.answer.probability(found.features) if found.candidates else 0.0

    parts = [(part, found, sure(found)) for part, found in evidence.parts]
    alone = all(part.alone for part, _, _ in parts)
    whole = sure(evidence)
    confidence = max(whole, (max if alone else min)((s for *_, s in parts), default=whole))
    if confidence < threshold or not evidence.candidates:
        return Decision(confidence)
    answered = [evidence] if whole >= threshold else []
    answered += [found for _, found, its in parts if its >= threshold]
    sentence = calibration.sentence
    chosen = choose_from(answered, sentence, most, said)
    unanswered = [
        part.asked
        for part, found, its in parts
        if alone and its < threshold and not holds_answer(chosen, found, sentence)
    ]
    return Decision(
        confidence, tuple(chosen), tuple(_merged(answered, sentence)), tuple(unanswered)
    )


def _merged(answered: Sequence[Evidence], model: Logistic) -> list[Candidate]:
    """All sentences that were found, each once, as what it is likeliest evidence for."""
    every = [candidate for found in answered for candidate in found.candidates]
    every.sort(key=lambda candidate: model.probability(candidate.features))
    return list({c.place: c for c in every}.values())

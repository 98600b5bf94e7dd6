"""The record of one question: all that the metrics, the comparison and the report need of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from evals.datasets.gold import Gold, Place, Relevant

#: A question that is right: answered with evidence cited, or refused where nothing answers.
RIGHT = "right"
#: Nothing of what was cited is evidence.
WRONG = "wrong"
#: Refused, though the documents answer.
REFUSED = "refused"
#: Answered, though the documents do not.
UNFOUNDED = "unfounded"


@dataclass(frozen=True, slots=True)
class Found:
    """One paragraph that was retrieved, where it stands, and the unit it counts as."""

    unit: str
    place: Place
    score: float


@dataclass(frozen=True, slots=True)
class Cited:
    """One citation: its place, and whether its offsets fit the document's text."""

    place: Place
    valid: bool


@dataclass(frozen=True, slots=True)
class Record:
    """What the assistant did with one question, and what would have been right.

    Attributes:
        set: name of the question's set.
        id, question, kind, turn, answerable, answers: as in the set.
        understood: the question as the assistant understood it.
        gold: what would have been right.
        retrieved: one paragraph for each unit, best first.
        refused, confidence: of the answer.
        text: the answer's; empty when refused.
        sentences: how many it has.
        in_answer: for each item of the evidence, whether a sentence of it stands in the answer's
            text; empty where the evidence is not told to the sentence.
        citations: in the order of their markers.
        forced: for a refused question, what was cited when it was answered all the same; else None.
        timings_ms: by stage.
    """

    set: str
    id: str
    question: str
    kind: str
    turn: int
    answerable: bool
    answers: tuple[str, ...]
    understood: str
    gold: Gold
    retrieved: tuple[Found, ...]
    refused: bool
    confidence: float
    text: str
    sentences: int
    in_answer: tuple[bool, ...]
    citations: tuple[Cited, ...]
    forced: tuple[Place, ...] | None
    timings_ms: Mapping[str, float] = field(default_factory=dict)

    @property
    def found(self) -> list[bool]:
        """For each item of the evidence, whether a citation overlaps one of its places."""
        places = [citation.place for citation in self.citations]
        return [
            any(p.overlaps(gold) for p in places for gold in item) for item in self.gold.evidence
        ]

    @property
    def supported(self) -> list[bool]:
        """For each citation, whether it overlaps evidence or what supports the answer as well."""
        gold = [*(place for item in self.gold.evidence for place in item), *self.gold.also]
        return [any(cited.place.overlaps(place) for place in gold) for cited in self.citations]

    @property
    def outcome(self) -> str:
        """RIGHT, WRONG, REFUSED or UNFOUNDED."""
        if not self.answerable:
            return RIGHT if self.refused else UNFOUNDED
        if self.refused:
            return REFUSED
        return RIGHT if any(self.found) else WRONG

    @property
    def right_if_answered(self) -> bool:
        """Whether an answer, refused or not, cites evidence; never for an unanswerable question."""
        places = self.forced if self.forced is not None else [c.place for c in self.citations]
        gold = [place for item in self.gold.evidence for place in item]
        return self.answerable and any(p.overlaps(g) for p in places for g in gold)

    @property
    def rank(self) -> int | None:
        """1-based rank of the first relevant unit, None where none was retrieved."""
        units = {unit for item in self.gold.relevant for unit in item.units}
        return next((n for n, f in enumerate(self.retrieved, start=1) if f.unit in units), None)

    def to_dict(self) -> dict[str, Any]:
        """The record as plain values; `from_dict` makes the same record of them."""
        return {
            "set": self.set,
            "id": self.id,
            "question": self.question,
            "kind": self.kind,
            "turn": self.turn,
            "answerable": self.answerable,
            "answers": list(self.answers),
            "understood": self.understood,
            "outcome": self.outcome,
            "rank": self.rank,
            "refused": self.refused,
            "confidence": self.confidence,
            "text": self.text,
            "sentences": self.sentences,
            "in_answer": list(self.in_answer),
            "citations": [{**_place(c.place), "valid": c.valid} for c in self.citations],
            "forced": None if self.forced is None else [_place(p) for p in self.forced],
            "retrieved": [
                {**_place(f.place), "unit": f.unit, "score": f.score} for f in self.retrieved
            ],
            "gold": {
                "evidence": [[_place(p) for p in item] for item in self.gold.evidence],
                "also_supports": [_place(p) for p in self.gold.also],
                "relevant": [
                    {"units": list(item.units), "grade": item.grade} for item in self.gold.relevant
                ],
                "sentences": self.gold.sentences,
            },
            "timings_ms": dict(self.timings_ms),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Record:
        """The record that `to_dict` made these values of.

        Raises:
            KeyError, TypeError: they are not such values.
        """
        gold = data["gold"]
        forced = data["forced"]
        return cls(
            **{
                name: data[name]
                for name in (
                    "set id question kind turn answerable understood refused confidence text "
                    "sentences timings_ms"
                ).split()
            },
            answers=tuple(data["answers"]),
            in_answer=tuple(data["in_answer"]),
            gold=Gold(
                tuple(tuple(_read(p) for p in item) for item in gold["evidence"]),
                tuple(_read(p) for p in gold["also_supports"]),
                tuple(Relevant(tuple(r["units"]), r["grade"]) for r in gold["relevant"]),
                gold["sentences"],
            ),
            retrieved=tuple(Found(f["unit"], _read(f), f["score"]) for f in data["retrieved"]),
            citations=tuple(Cited(_read(c), c["valid"]) for c in data["citations"]),
            forced=None if forced is None else tuple(_read(p) for p in forced),
        )


def _place(place: Place) -> dict[str, Any]:
    return {"document": place.document, "start": place.start, "end": place.end}


def _read(data: Mapping[str, Any]) -> Place:
    return Place(data["document"], data["start"], data["end"])

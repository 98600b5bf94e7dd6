"""The record of one question: all that the metrics, the comparison and the report need of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from pydantic import TypeAdapter, computed_field

from assistant.answer import Verdict, Writing
from assistant.calibration import Status, WithStatus
from evals.datasets.gold import Gold, TextSpan
from evals.datasets.models import ONE_WILL_DO, Question
from index import Hit, Paragraph

#: Units of a question that are retrieved and judged, as in the usual figures (hit@10, nDCG@10).
DEPTH = 10

#: Verdicts of sentences that have support.
PROVED: tuple[Verdict, ...] = ("quoted", "supported")

#: Outcome of a question that was answered with the evidence that it needs cited
#: (`Record.suffices`), or refused if nothing answers it.
RIGHT = "right"
#: Outcome if the assistant was unsure, whether the documents answer or not: the passages that it
#: shows are neither an answer nor a refusal.
UNSURE = "unsure"
#: Outcome of an answer that does not cite the evidence that it needs.
WRONG = "wrong"
#: Outcome of such an answer if a language model wrote it (`Record.strict`): it may be right by
#: other places, or in part. Somebody has to read it.
OPEN = "to be read"
#: Outcome if the question was refused though the documents answer.
REFUSED = "refused"
#: Outcome if the question was answered though the documents do not.
UNFOUNDED = "unfounded"
#: Status, and outcome, if no reply came from a system that was asked over the network: it is
#: neither an answer nor a refusal.
FAILED: Literal["failed"] = "failed"


@dataclass(frozen=True, slots=True)
class Found(TextSpan):
    """A paragraph that was retrieved: its span, and the unit it counts as."""

    unit: str


def best_of_units(
    hits: Iterable[Hit], unit: Callable[[Paragraph], str], depth: int
) -> tuple[Found, ...]:
    """Return the best paragraph of each unit, at most `depth` of them.

    Args:
        hits: paragraphs, best first.
        unit: gives the unit of a paragraph.
        depth: the most units.
    """
    best: dict[str, Found] = {}
    for hit in hits:
        own = hit.paragraph
        found = Found(own.document_id, own.start, own.end, unit(own))
        best.setdefault(found.unit, found)
    return tuple(best.values())[:depth]


@dataclass(frozen=True, slots=True)
class Cited(TextSpan):
    """A citation: its span, whether its offsets fit the document's text, and what it quotes."""

    valid: bool
    quote: str = ""


@dataclass(frozen=True, slots=True)
class Proof:
    """The support of a sentence: its verdict, and the positions of its citations in the record."""

    verdict: Verdict
    citations: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Record(WithStatus):
    """What the assistant did with one question, and what would have been right.

    Attributes:
        set: name of the question's set.
        id, question, kind, answerable, answers: as in the set.
        understood: the question as the assistant understood it.
        gold: what would have been right.
        evidence: the text of the first span of each item of the evidence.
        retrieved: one paragraph for each unit, best first; None if that is unknown, as it is of an
            endpoint.
        status: of the answer, or FAILED.
        confidence: of the answer; None if a language model decided, or it is unknown.
        sentences: sentences that are shown, in order.
        citations: citations in the order of their markers; of an unsure answer, of what it shows.
        forced: for a question that was not answered, what was cited when it was answered all the
            same; None if it was answered, or if a language model is set, which is not asked twice.
        strict: True if a list and an overview, too, are right only if they cite all of the
            evidence: if a language model is set.
        proofs: the support of each sentence that is shown; empty if that is unknown.
        writing: the part of a language model in the answer; None if it had none.
        dropped: number of sentences that it wrote and that were left out.
        unanswered: parts of the question that the documents do not answer.
        note: what went wrong.
        timings_ms: milliseconds by stage.
    """

    set: str
    id: str
    question: str
    kind: str
    answerable: bool
    answers: tuple[str, ...]
    understood: str
    gold: Gold
    retrieved: tuple[Found, ...] | None
    status: Status | Literal["failed"]
    confidence: float | None
    sentences: tuple[str, ...]
    citations: tuple[Cited, ...]
    forced: tuple[TextSpan, ...] | None
    evidence: tuple[str, ...] = ()
    strict: bool = False
    proofs: tuple[Proof, ...] = ()
    writing: Writing | None = None
    dropped: int = 0
    unanswered: tuple[str, ...] = ()
    note: str | None = None
    timings_ms: Mapping[str, float] = field(default_factory=dict)

    @property
    def has_evidence(self) -> bool:
        """True if there is evidence that an answer can cite."""
        return self.answerable and bool(self.gold.evidence)

    @property
    def is_ranked(self) -> bool:
        """True if it is known what was retrieved, and what retrieval should find."""
        return self.answerable and bool(self.gold.units) and self.retrieved is not None

    @computed_field  # type: ignore[prop-decorator]
    @property
    def rank(self) -> int | None:
        """1-based rank of the first relevant unit, None if none was retrieved."""
        ranked = enumerate(self.retrieved or (), start=1)
        return next((n for n, found in ranked if found.unit in self.gold.units), None)

    @property
    def shown(self) -> list[bool]:
        """For each item of the evidence, True if a citation overlaps one of its spans: one of an
        answer, or of the passages of an unsure one."""
        return self._cited_by(self.citations)

    @property
    def found(self) -> list[bool]:
        """For each item of the evidence, True if a sentence of an answer that has support cites it;
        all False if there is no answer."""
        proved = [
            self.citations[n] for p in self.proofs if p.verdict in PROVED for n in p.citations
        ]
        return self._cited_by((proved if self.proofs else self.citations) if self.answered else ())

    def suffices(self, found: Sequence[bool]) -> bool:
        """Return whether an answer is right that cites these items of the evidence: all of them.
        One will do of a list and of an overview, but if a language model is set."""
        if not self.strict and self.kind in ONE_WILL_DO:
            return any(found)
        return bool(found) and all(found)

    def _cited_by(self, cited: Sequence[TextSpan]) -> list[bool]:
        return [any(own.overlaps_any(item) for own in cited) for item in self.gold.evidence]

    @property
    def supported(self) -> list[bool]:
        """For each citation of an answer, True if it overlaps evidence or what supports the answer
        as well."""
        gold = [*self.gold.spans, *self.gold.also_supports]
        return [cited.overlaps_any(gold) for cited in self.citations if self.answered]

    @computed_field  # type: ignore[prop-decorator]
    @property
    def outcome(self) -> str:
        """RIGHT, UNSURE, WRONG, OPEN, REFUSED, UNFOUNDED or FAILED."""
        if self.status == FAILED:
            return FAILED
        if self.unsure:
            return UNSURE
        if not self.answerable:
            return RIGHT if self.refused else UNFOUNDED
        if self.refused:
            return REFUSED
        if self.suffices(self.found):
            return RIGHT
        return OPEN if self.strict else WRONG

    @property
    def right_if_answered(self) -> bool | None:
        """True if an answer, given or not, is right; never for an unanswerable question. None if it
        was not given, and not asked for."""
        cited = self.citations if self.answered else self.forced
        if cited is None:
            return None
        return self.answerable and self.suffices(self._cited_by(cited))


#: Writes and reads records as JSON, with `outcome` and `rank`.
RECORD = TypeAdapter(Record)


def of_question(question: Question) -> dict[str, Any]:
    """Return the fields of a record that describe its question."""
    same = "id question kind answerable answers".split()
    fields = {name: getattr(question, name) for name in same}
    return {**fields, "understood": question.question}


def judged_alike(*runs: Sequence[Record]) -> list[list[Record]]:
    """Return the records of several runs, each judged as strictly as any of them is."""
    strict = any(record.strict for run in runs for record in run)
    return [[replace(record, strict=strict) for record in run] for run in runs]

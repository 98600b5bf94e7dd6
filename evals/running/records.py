"""The record of one question: all that the metrics, the comparison and the report need of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any, Literal

from pydantic import TypeAdapter

from assistant.answer import Verdict, Writing
from assistant.calibration import Status, WithStatus
from evals.datasets.gold import Gold, TextSpan
from evals.datasets.models import LISTS, OVERVIEWS, Question
from index import Hit, Paragraph

#: Units of a question that are retrieved and judged, as in the usual figures (hit@10, nDCG@10).
DEPTH = 10

#: Verdicts of sentences that have support.
PROVED: tuple[Verdict, ...] = ("quoted", "supported")

#: Outcome of a question that was answered with the evidence that it needs cited
#: (`Record.suffices`), or refused where nothing answers.
RIGHT = "right"
#: Outcome where the assistant was unsure, whether the documents answer or not: the passages that it
#: shows are no answer, and no refusal either.
UNSURE = "unsure"
#: Outcome of an answer that does not cite the evidence that it needs.
WRONG = "wrong"
#: The same where a language model wrote it (`Record.strict`): it may be right by other places, or
#: in part. Somebody has to read it.
OPEN = "to be read"
#: Outcome where the question was refused though the documents answer.
REFUSED = "refused"
#: Outcome where the question was answered though the documents do not.
UNFOUNDED = "unfounded"
#: Status, and outcome, where no reply came of a system that was asked over the network: it is
#: neither an answer nor a refusal.
FAILED: Literal["failed"] = "failed"


@dataclass(frozen=True, slots=True)
class Found(TextSpan):
    """A paragraph that was retrieved: its span, the unit it counts as, and its score."""

    unit: str
    score: float


def best_of_units(
    hits: Iterable[Hit], unit: Callable[[Paragraph], str], depth: int
) -> tuple[Found, ...]:
    """The best paragraph of each unit, at most `depth` of them.

    Args:
        hits: best first.
        unit: tells what a paragraph counts as.
        depth: units at most.
    """
    best: dict[str, Found] = {}
    for hit in hits:
        own = hit.paragraph
        found = Found(own.document_id, own.start, own.end, unit(own), round(hit.score, 6))
        best.setdefault(found.unit, found)
    return tuple(best.values())[:depth]


@dataclass(frozen=True, slots=True)
class Cited(TextSpan):
    """A citation: its span, whether its offsets fit the document's text, and what it quotes."""

    valid: bool
    quote: str = ""


@dataclass(frozen=True, slots=True)
class Proof:
    """How a sentence stands: its verdict, and which of the record's citations, from 0, are its."""

    verdict: Verdict
    citations: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Record(WithStatus):
    """What the assistant did with one question, and what would have been right.

    Attributes:
        set: name of the question's set.
        id, question, kind, turn, answerable, answers, abstract, document: as in the set.
        understood: the question as the assistant understood it.
        gold: what would have been right.
        evidence: the text of the first span of each item of the evidence.
        retrieved: one paragraph for each unit, best first; None where that is not told, as an
            endpoint does not.
        status: of the answer, or FAILED.
        confidence: of the answer; None where a language model decided, or it is not told.
        sentences: those that are shown, in order.
        in_answer: for each item of the evidence, whether a sentence of it stands in the answer's
            text; empty where the evidence is not told to the sentence.
        citations: in the order of their markers; of an unsure answer, of what it shows.
        passages: the paragraphs that are shown as passages that may answer, best first.
        answer_kind: of the answer, as the assistant tells it.
        sections: of an overview, for each section of what was asked for, whether it is cited; empty
            where there are not several.
        items: of a list, for each item of the evidence, whether what is shown holds it.
        listed: of a list, for each sentence that is shown, whether it is an item of the evidence.
        forced: for a question that was not answered, what was cited when it was answered all the
            same; None where it was answered, and where that was not asked for, as it is not where
            a language model is set.
        strict: whether a list and an overview, too, are right only if they cite all of the
            evidence: where a language model is set.
        proofs: for each sentence that is shown; empty where what was decided has none.
        writing: what a language model had to do with it; None where none had.
        dropped: sentences that it wrote and that were left out.
        unanswered: of what is asked, the parts that the documents do not say.
        note: what went wrong.
        timings_ms: milliseconds by stage.
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
    retrieved: tuple[Found, ...] | None
    status: Status | Literal["failed"]
    confidence: float | None
    sentences: tuple[str, ...]
    in_answer: tuple[bool, ...]
    citations: tuple[Cited, ...]
    forced: tuple[TextSpan, ...] | None
    answer_kind: str = "fact"
    sections: tuple[bool, ...] = ()
    items: tuple[bool, ...] = ()
    listed: tuple[bool, ...] = ()
    abstract: str = ""
    evidence: tuple[str, ...] = ()
    strict: bool = False
    proofs: tuple[Proof, ...] = ()
    writing: Writing | None = None
    dropped: int = 0
    unanswered: tuple[str, ...] = ()
    note: str | None = None
    timings_ms: Mapping[str, float] = field(default_factory=dict)
    passages: tuple[TextSpan, ...] = ()
    document: str = ""

    @property
    def text(self) -> str:
        """The text of the answer; empty where nothing was answered."""
        return " ".join(self.sentences) if self.answered else ""

    @property
    def is_overview(self) -> bool:
        """Whether an overview was asked for, and can be given."""
        return self.answerable and self.kind in OVERVIEWS

    @property
    def is_list(self) -> bool:
        """Whether a list was asked for whose items the set tells one by one."""
        return self.answerable and self.kind in LISTS and len(self.gold.evidence) > 1

    @property
    def has_abstract(self) -> bool:
        """Whether it is an overview of which people wrote one too."""
        return self.is_overview and bool(self.abstract)

    @property
    def has_evidence(self) -> bool:
        """Whether there is evidence that an answer can cite."""
        return self.answerable and bool(self.gold.evidence)

    @property
    def shown(self) -> list[bool]:
        """For each item of the evidence, whether a citation overlaps one of its spans: one of an
        answer, or of the passages of an unsure one."""
        return self._cited_by(self.citations)

    @property
    def is_among(self) -> bool:
        """Whether a passage that may answer, or a citation, holds evidence."""
        return any(own.overlaps_any(self.gold.spans) for own in (*self.passages, *self.citations))

    @property
    def found(self) -> list[bool]:
        """The same of an answer alone, by citations of sentences that have support; nothing is
        found where there is none."""
        proved = [
            self.citations[n] for p in self.proofs if p.verdict in PROVED for n in p.citations
        ]
        return self._cited_by((proved if self.proofs else self.citations) if self.answered else ())

    @property
    def is_whole(self) -> bool:
        """Whether an answer cites all that a complete one takes."""
        return self.answered and any(
            all(any(own.overlaps_any(item) for own in self.citations) for item in each)
            for each in self.gold.whole
        )

    def suffices(self, found: Sequence[bool]) -> bool:
        """Whether an answer is right that has these items of the evidence cited: all of them. Of a
        list and of an overview, which have figures of their own, one will do, but where a language
        model is set."""
        if not self.strict and (self.is_list or self.is_overview):
            return any(found)
        return bool(found) and all(found)

    def _cited_by(self, cited: Sequence[TextSpan]) -> list[bool]:
        return [any(own.overlaps_any(item) for own in cited) for item in self.gold.evidence]

    @property
    def supported(self) -> list[bool]:
        """For each citation of an answer, whether it overlaps evidence or what supports the answer
        as well."""
        gold = [*self.gold.spans, *self.gold.also_supports]
        return [cited.overlaps_any(gold) for cited in self.citations if self.answered]

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
        """Whether an answer, given or not, is right; never for an unanswerable question. None where
        it was not given, and not asked for."""
        cited = self.citations if self.answered else self.forced
        if cited is None:
            return None
        return self.answerable and self.suffices(self._cited_by(cited))

    @property
    def rank(self) -> int | None:
        """1-based rank of the first relevant unit, None where none was retrieved."""
        units = self.gold.units
        found = enumerate(self.retrieved or (), start=1)
        return next((n for n, own in found if own.unit in units), None)

    def to_dict(self) -> dict[str, Any]:
        """The record as plain values, `text`, `outcome` and `rank` among them, ready for JSON."""
        fields: dict[str, Any] = _adapter().dump_python(self, mode="json")
        return {**fields, "text": self.text, "outcome": self.outcome, "rank": self.rank}

    @classmethod
    def from_dict(cls, data: object) -> Record:
        """The record that `to_dict` made these values of.

        Raises:
            ValueError: the values are not a record.
        """
        return _adapter().validate_python(data)


def of_question(question: Question) -> dict[str, Any]:
    """The fields of a record that tell what was asked."""
    same = "id question kind turn answerable answers abstract document".split()
    fields = {name: getattr(question, name) for name in same}
    return {**fields, "understood": question.question}


def judged_alike(*runs: Sequence[Record]) -> list[list[Record]]:
    """The records of several runs, each judged as strictly as any of them is."""
    strict = any(record.strict for run in runs for record in run)
    return [[replace(record, strict=strict) for record in run] for run in runs]


@cache
def _adapter() -> TypeAdapter[Record]:
    return TypeAdapter(Record)

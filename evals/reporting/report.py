"""The report: one self-contained HTML page, with the failures first.

The only module that imports jinja2. Whatever stands in questions and documents is escaped.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from evals.datasets.gold import Place
from evals.metrics import confidence
from evals.metrics.metrics import GROUPS
from evals.metrics.statistics import Figure
from evals.reporting import plots
from evals.reporting.results import Result
from evals.reporting.tables import LENGTHS, cells, present
from evals.running.records import REFUSED, RIGHT, UNFOUNDED, WRONG, Record
from index import Document, Paragraph

if TYPE_CHECKING:
    from jinja2 import Environment

#: Questions that are shown with all that belongs to them; the JSON holds every one.
SHOWN = 150
RETRIEVED = 3
#: What the page begins with.
SUMMARY = ("hit@1", "evidence_cited", "citation_precision", "refusal_recall", "refused_answerable")
#: Characters around a highlight, and of a paragraph that has none.
AROUND, PLAIN = 180, 320
OUTCOMES = {
    UNFOUNDED: "Answered, though the documents do not say",
    WRONG: "Answered, and nothing cited is evidence",
    REFUSED: "Refused, though the documents answer",
}


@dataclass(frozen=True, slots=True)
class Piece:
    """A run of text that is highlighted alike: `gold`, `cited`, both or neither."""

    text: str
    gold: bool = False
    cited: bool = False


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A part of a paragraph: where it stands, its pieces, and whether it is a relevant one."""

    where: str
    pieces: tuple[Piece, ...]
    relevant: bool = False
    score: float | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """One question as it is shown: the evidence, what was cited, what was retrieved."""

    record: Record
    gold: tuple[Excerpt, ...]
    cited: tuple[Excerpt, ...]
    retrieved: tuple[Excerpt, ...]


@dataclass(frozen=True, slots=True)
class Row:
    """A figure as it is shown; `low`, `high` and `at` are per cent of the width of its bar."""

    name: str
    meaning: str
    value: str
    interval: str
    n: str
    low: float | None
    high: float | None
    at: float | None


def environment() -> Environment:
    """Templates of this package; all that they are given is escaped."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    return Environment(
        loader=PackageLoader("evals.reporting", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def page(result: Result, documents: Mapping[str, Document]) -> str:
    """The report as HTML.

    Args:
        result: what is reported.
        documents: those that were asked, by id.
    """
    failures = {
        title: [r for r in result.records if r.outcome == outcome]
        for outcome, title in OUTCOMES.items()
    }
    left = SHOWN
    shown: dict[str, tuple[int, list[Case]]] = {}
    for title, records in failures.items():
        own = records[: max(0, left)]
        left -= len(own)
        shown[title] = (len(records), [_case(record, documents) for record in own])
    right = [record for record in result.records if record.outcome == RIGHT]
    return (
        environment()
        .get_template("report.html")
        .render(
            result=result,
            title=", ".join(own.name for own in result.sets),
            headline=_row("right", "", result.figures["right"]),
            summary=[
                _row(name, meanings[name], result.figures[name])
                for meanings in GROUPS.values()
                for name in SUMMARY
                if name in meanings
            ],
            right_count=len(right),
            groups=_groups(result.figures),
            sets=[(own, _groups(own.figures)) for own in result.sets]
            if len(result.sets) > 1
            else [],
            turns=[(turn, _groups(figures)) for turn, figures in result.turns.items()],
            speed=[
                (stage, cells(own["p50"], "ms"), cells(own["p95"], "ms"))
                for stage, own in result.speed.items()
            ],
            plots=_plots(result.records),
            failures=shown,
            right=right,
            made=list(_flat(result.provenance)),
            css=(files("evals.reporting") / "report.css").read_text(encoding="utf-8"),
        )
    )


def _groups(figures: Mapping[str, Figure]) -> list[tuple[str, list[Row]]]:
    found = []
    for group, meanings in GROUPS.items():
        names = zip(present(meanings, figures), meanings.values(), strict=True)
        found.append((group, [_row(name, meaning, figures[name]) for name, meaning in names]))
    return found


def _row(name: str, meaning: str, figure: Figure) -> Row:
    value, interval, n = cells(figure, name)
    share = name not in LENGTHS  # every other figure lies in 0..1
    bar = [
        None if v is None or not share else round(100 * min(1.0, max(0.0, v)), 1)
        for v in (figure.low, figure.high, figure.value)
    ]
    return Row(name, meaning, value, interval, n, *bar)


def _plots(records: Sequence[Record]) -> list[tuple[str, str, str]]:
    """(title, what it shows, SVG)."""
    found = []
    coverage, risk = confidence.risk_coverage(records)
    found.append(
        (
            "Risk by coverage",
            "Share of wrong answers if only the most confident questions are answered.",
            plots.lines("risk", [("risk", coverage, risk)], "coverage", "risk", unit=True),
        )
    )
    bins = confidence.reliability(records)
    heights, labels = [0.0] * confidence.BINS, [""] * confidence.BINS
    for own in bins:
        heights[own.number], labels[own.number] = own.answerable, str(own.n)
    edges = [n / confidence.BINS for n in range(confidence.BINS + 1)]
    found.append(
        (
            "Reliability",
            "Share of answerable questions by confidence, with their number; on the line it is "
            "calibrated.",
            plots.bars(
                "reliability",
                edges,
                heights,
                "confidence",
                "answerable",
                diagonal=True,
                labels=labels,
            ),
        )
    )
    times = [r.timings_ms["total"] for r in records if "total" in r.timings_ms]
    if times:
        counts, sides = np.histogram(times, bins=20)
        found.append(
            (
                "Latency",
                "Milliseconds from question to answer.",
                plots.bars("latency", sides.tolist(), counts.tolist(), "ms", "questions"),
            )
        )
    return found


def _case(record: Record, documents: Mapping[str, Document]) -> Case:
    gold = [place for item in record.gold.evidence for place in item]
    cited = [citation.place for citation in record.citations]
    relevant = {unit for item in record.gold.relevant for unit in item.units}
    return Case(
        record,
        gold=tuple(_excerpts(gold, gold, cited, documents)),
        cited=tuple(_excerpts(cited, gold, cited, documents)),
        retrieved=tuple(
            excerpt
            for found in record.retrieved[:RETRIEVED]
            for excerpt in _excerpts(
                [found.place], gold, cited, documents, found.unit in relevant, found.score
            )
        ),
    )


def _excerpts(
    places: Sequence[Place],
    gold: Sequence[Place],
    cited: Sequence[Place],
    documents: Mapping[str, Document],
    relevant: bool = False,
    score: float | None = None,
) -> Iterable[Excerpt]:
    """The paragraphs that the places lie in, each once, cut to what is highlighted in them."""
    seen: set[tuple[str, int]] = set()
    for place in places:
        document = documents[place.document]
        for paragraph in document.paragraphs:
            own = Place(place.document, paragraph.start, paragraph.end)
            if own.overlaps(place) and (place.document, paragraph.number) not in seen:
                seen.add((place.document, paragraph.number))
                where = _where(document, paragraph)
                pieces = _pieces(document.text, own, gold, cited)
                yield Excerpt(where, pieces, relevant, score)


def _where(document: Document, paragraph: Paragraph) -> str:
    headings = [heading for heading in paragraph.heading if heading != document.title]
    return " › ".join([document.title, *headings, f"paragraph {paragraph.number}"])


def _pieces(
    text: str, own: Place, gold: Sequence[Place], cited: Sequence[Place]
) -> tuple[Piece, ...]:
    marks = [(p, kind) for kind, places in (("gold", gold), ("cited", cited)) for p in places]
    marks = [(place, kind) for place, kind in marks if place.overlaps(own)]
    if marks:
        start = max(own.start, min(place.start for place, _ in marks) - AROUND)
        end = min(own.end, max(place.end for place, _ in marks) + AROUND)
    else:
        start, end = own.start, min(own.end, own.start + PLAIN)
    ends = {start, end, *(p.start for p, _ in marks), *(p.end for p, _ in marks)}
    cuts = sorted(min(end, max(start, cut)) for cut in ends)
    found = [Piece("… ")] if start > own.start else []
    for first, last in pairwise(cuts):
        if first < last:
            kinds = {kind for place, kind in marks if place.start <= first and last <= place.end}
            found.append(Piece(text[first:last], "gold" in kinds, "cited" in kinds))
    return (*found, Piece(" …")) if end < own.end else tuple(found)


def _flat(values: Mapping[str, Any], before: str = "") -> Iterable[tuple[str, str]]:
    for name, value in values.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{name} › ")
        elif value is not None:
            yield (
                before + name,
                ", ".join(map(str, value)) if isinstance(value, list) else str(value),
            )

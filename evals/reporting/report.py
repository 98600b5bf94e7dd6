"""The report: one self-contained HTML page, with the failures first.

The only module that imports jinja2. Whatever stands in questions and documents is escaped.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from itertools import pairwise
from typing import Any

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined

from evals.datasets.gold import TextSpan
from evals.metrics.confidence import BINS, reliability, risk_coverage
from evals.metrics.metrics import GROUPS
from evals.reporting import plots
from evals.reporting.results import Result, flattened
from evals.reporting.tables import LENGTHS, cells, present
from evals.running.records import REFUSED, RIGHT, UNFOUNDED, UNSURE, WRONG, Record
from index import Document, Paragraph

#: Failures that are shown with all that belongs to them, lest the page grow too large for a phone;
#: the JSON holds every one. Not tuned.
SHOWN = 150
#: Retrieved paragraphs that are shown: as many as the assistant reads.
RETRIEVED = 3
#: What the page begins with.
SUMMARY = (
    "hit@1",
    "evidence_cited",
    "citation_precision",
    "withheld",
    "refused_answerable",
    "unsure_answerable",
)
#: Characters around a highlight, and of a paragraph that has none. Not tuned.
AROUND, PLAIN = 180, 320
OUTCOMES = {
    UNFOUNDED: "Answered, though the documents do not say",
    WRONG: "Answered, and nothing cited is evidence",
    REFUSED: "Refused, though the documents answer",
    UNSURE: "Unsure: the closest was shown, not as an answer",
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
class Failure:
    """One question as it is shown: the evidence, what was cited, what was retrieved."""

    record: Record
    gold: tuple[Excerpt, ...]
    cited: tuple[Excerpt, ...]
    retrieved: tuple[Excerpt, ...]


def render(template: str, **values: Any) -> str:
    """A page from a template of this package, with its style; all that it is given is escaped."""
    environment = Environment(
        loader=PackageLoader("evals.reporting", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    css = (files("evals.reporting") / "report.css").read_text(encoding="utf-8")
    return environment.get_template(template).render(css=css, **values)


def report_page(result: Result, documents: Mapping[str, Document]) -> str:
    """The report as HTML.

    Args:
        result: what is reported.
        documents: those that were asked, by id.
    """
    left = SHOWN
    failures: dict[str, tuple[int, list[Failure]]] = {}
    for outcome, title in OUTCOMES.items():
        records = [record for record in result.records if record.outcome == outcome]
        failures[title] = len(records), [_failure(r, documents) for r in records[:left]]
        left -= len(failures[title][1])
    return render(
        "report.html",
        result=result,
        title=", ".join(own.name for own in result.sets),
        right=[record for record in result.records if record.outcome == RIGHT],
        cells=cells,
        present=present,
        lengths=LENGTHS,
        summary=[
            (n, what) for group in GROUPS.values() for n, what in group.items() if n in SUMMARY
        ],
        plots=list(_plots(result.records)),
        failures=failures,
        made=[
            (name, ", ".join(map(str, value)) if isinstance(value, list) else value)
            for name, value in flattened(result.provenance, " › ")
            if value is not None
        ],
    )


def _plots(records: Sequence[Record]) -> Iterator[tuple[str, str, str]]:
    """(title, what it shows, SVG)."""
    curve = [("risk", *risk_coverage(records))]
    risk = plots.lines("risk", curve, "coverage", "risk", xlim=(0, 1), ylim=(0, 1))
    meaning = "Share of wrong answers if only the most confident questions are answered."
    yield "Risk by coverage", meaning, risk
    heights, labels = [0.0] * BINS, [""] * BINS
    for own in reliability(records):
        heights[own.number], labels[own.number] = own.answerable, str(own.n)
    edges = [n / BINS for n in range(BINS + 1)]
    axes = ("confidence", "answerable")
    bars = plots.bars("reliability", edges, heights, *axes, diagonal=True, labels=labels)
    meaning = (
        "Share of answerable questions by confidence, with their number; on the line it is "
        "calibrated."
    )
    yield "Reliability", meaning, bars
    times = [r.timings_ms["total"] for r in records if "total" in r.timings_ms]
    if times:
        counts, sides = np.histogram(times, bins=20)
        bars = plots.bars("latency", sides.tolist(), counts.tolist(), "ms", "questions")
        yield "Latency", "Milliseconds from question to answer.", bars


def _failure(record: Record, documents: Mapping[str, Document]) -> Failure:
    gold, cited, units = record.gold.spans, record.citations, record.gold.units
    return Failure(
        record,
        gold=tuple(_excerpts(gold, gold, cited, documents)),
        cited=tuple(_excerpts(cited, gold, cited, documents)),
        retrieved=tuple(
            excerpt
            for found in record.retrieved[:RETRIEVED]
            for excerpt in _excerpts(
                [found], gold, cited, documents, found.unit in units, found.score
            )
        ),
    )


def _excerpts(
    spans: Sequence[TextSpan],
    gold: Sequence[TextSpan],
    cited: Sequence[TextSpan],
    documents: Mapping[str, Document],
    relevant: bool = False,
    score: float | None = None,
) -> Iterator[Excerpt]:
    """The paragraphs that the spans lie in, each once, cut to what is highlighted in them."""
    seen: set[TextSpan] = set()
    for span in spans:
        document = documents[span.document]
        for paragraph in document.paragraphs:
            own = TextSpan(span.document, paragraph.start, paragraph.end)
            if own.overlaps(span) and own not in seen:
                seen.add(own)
                pieces = _pieces(document.text, own, gold, cited)
                yield Excerpt(_where(document, paragraph), pieces, relevant, score)


def _where(document: Document, paragraph: Paragraph) -> str:
    headings = [heading for heading in paragraph.heading if heading != document.title]
    return " › ".join([document.title, *headings, f"paragraph {paragraph.number}"])


def _pieces(
    text: str, own: TextSpan, gold: Sequence[TextSpan], cited: Sequence[TextSpan]
) -> tuple[Piece, ...]:
    """A paragraph's text around its highlights, cut where any of them begins or ends."""
    marks = [(p, kind) for kind, spans in (("gold", gold), ("cited", cited)) for p in spans]
    marks = [(span, kind) for span, kind in marks if span.overlaps(own)]
    if marks:
        start = max(own.start, min(span.start for span, _ in marks) - AROUND)
        end = min(own.end, max(span.end for span, _ in marks) + AROUND)
    else:
        start, end = own.start, min(own.end, own.start + PLAIN)
    ends = {start, end, *(p.start for p, _ in marks), *(p.end for p, _ in marks)}
    cuts = sorted(min(end, max(start, cut)) for cut in ends)
    found = [Piece("… ")] if start > own.start else []
    for first, last in pairwise(cuts):
        if first < last:
            kinds = {kind for span, kind in marks if span.start <= first and last <= span.end}
            found.append(Piece(text[first:last], "gold" in kinds, "cited" in kinds))
    return (*found, Piece(" …")) if end < own.end else tuple(found)

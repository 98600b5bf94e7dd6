"""The report: one self-contained HTML page, with the failures first.

The only module that imports jinja2. Whatever stands in questions and documents is escaped in HTML.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from importlib.resources import files
from itertools import pairwise
from typing import Any

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from evals.datasets.gold import TextSpan
from evals.metrics.confidence import BINS, has_confidence, reliability, risk_coverage
from evals.metrics.metrics import GROUPS, SHOWN
from evals.reporting import plots
from evals.reporting.results import Result, made_with
from evals.reporting.tables import LENGTHS, NEEDS_CONFIDENCE, NO_CONFIDENCE, cells, present
from evals.running.records import FAILED, OPEN, RIGHT, WRONG, Found, Record
from index import Document, Paragraph

#: Failures that are shown with all that belongs to them, lest the page grow too large for a phone;
#: the JSON holds every one. Not tuned.
MAX_CASES = 150
#: Retrieved paragraphs that are shown: as many as the assistant reads.
RETRIEVED = 3
#: Characters around a highlight, and of a paragraph that has none. Not tuned.
CONTEXT, EXCERPT_LENGTH = 180, 320
#: By whether all of the evidence has to be cited: what no outcome can be.
NO_OUTCOME = {True: WRONG, False: OPEN}


#: Runs of text, each with how it is highlighted: `gold`, `cited`, both or neither.
Pieces = list[tuple[str, list[str]]]
#: A paragraph: where it stands, its pieces; of what was retrieved, whether it is a relevant one,
#: and its score.
Excerpt = tuple[str, Pieces, bool, float | None]


def render(template: str, **values: Any) -> str:
    """A page from a template of this package, with its style; in HTML all that it is given is
    escaped."""
    environment = Environment(
        loader=PackageLoader("evals.reporting", "."),
        autoescape=select_autoescape(),  # by how the name ends
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
    left = MAX_CASES
    failures: dict[str, tuple[int, list[Record]]] = {}
    strict = any(record.strict for record in result.records)
    for outcome, title in SHOWN["failures"].items():
        records = [record for record in result.records if record.outcome == outcome]
        if outcome == NO_OUTCOME[strict] or (outcome == FAILED and not records):
            continue
        failures[title] = len(records), records[:left]
        left -= len(failures[title][1])
    return render(
        "report.html",
        result=result,
        title=", ".join(of_set.name for of_set in result.sets),
        right=[record for record in result.records if record.outcome == RIGHT],
        cells=cells,
        present=present,
        lengths=LENGTHS,
        summary=[
            (name, what)
            for group in GROUPS.values()
            for name, what in group.items()
            if name in SHOWN["summary"] and name in result.figures
        ],
        written=[record for record in result.records if record.writing][:MAX_CASES],
        wrote=sum(record.writing is not None for record in result.records),
        plots=list(_plots(result.records)),
        unsure_of_all="" if NEEDS_CONFIDENCE in result.figures else NO_CONFIDENCE,
        failures=failures,
        excerpts=partial(_excerpts, documents),
        retrieved=RETRIEVED,
        made=made_with(result.provenance),
    )


def _plots(records: Sequence[Record]) -> Iterator[tuple[str, str, str]]:
    """(title, what it shows, SVG)."""
    if has_confidence(records):
        curve = [("risk", *risk_coverage(records))]
        risk = plots.lines("risk", curve, "coverage", "risk", xlim=(0, 1), ylim=(0, 1))
        meaning = "Share of wrong answers if only the most confident questions are answered."
        yield "Risk by coverage", meaning, risk
        heights, labels = [0.0] * BINS, [""] * BINS
        for group in reliability(records):
            heights[group.number], labels[group.number] = group.right, str(group.n)
        edges = [n / BINS for n in range(BINS + 1)]
        axes = ("confidence", "right")
        bars = plots.bars("reliability", edges, heights, *axes, diagonal=True, labels=labels)
        meaning = (
            "Share of questions whose answer is right, or would be, by confidence, with their "
            "number; on the line it is calibrated."
        )
        yield "Reliability", meaning, bars
    times = [r.timings_ms["total"] for r in records if "total" in r.timings_ms]
    if times:
        counts, sides = np.histogram(times, bins=20)
        bars = plots.bars("latency", sides.tolist(), counts.tolist(), "ms", "questions")
        yield "Latency", "Milliseconds from question to answer.", bars


def _excerpts(
    documents: Mapping[str, Document], spans: Iterable[TextSpan], record: Record
) -> Iterator[Excerpt]:
    """The paragraphs that spans are of, each once, with what is evidence and what was cited."""
    seen: set[TextSpan] = set()
    for span in spans:
        if span.document not in documents:
            continue  # a quote that stands in none
        document = documents[span.document]
        score = span.score if isinstance(span, Found) else None
        relevant = isinstance(span, Found) and span.unit in record.gold.units
        for paragraph in document.paragraphs:
            place = TextSpan.of(paragraph)
            if place.overlaps(span) and place not in seen:
                seen.add(place)
                pieces = _pieces(document.text, place, record)
                yield _where(document, paragraph), pieces, relevant, score


def _where(document: Document, paragraph: Paragraph) -> str:
    headings = [heading for heading in paragraph.heading if heading != document.title]
    return " › ".join([document.title, *headings, f"paragraph {paragraph.number}"])


def _pieces(text: str, whole: TextSpan, record: Record) -> Pieces:
    """A paragraph's text around its highlights, cut where any of them begins or ends."""
    named = (("gold", record.gold.spans), ("cited", record.citations))
    marks = [(span, kind) for kind, spans in named for span in spans if span.overlaps(whole)]
    start, end = whole.start, min(whole.end, whole.start + EXCERPT_LENGTH)
    if marks:
        start = max(whole.start, min(span.start for span, _ in marks) - CONTEXT)
        end = min(whole.end, max(span.end for span, _ in marks) + CONTEXT)
    ends = {start, end, *(cut for span, _ in marks for cut in (span.start, span.end))}
    cuts = sorted(cut for cut in ends if start <= cut <= end)
    found: Pieces = [("… ", [])] if start > whole.start else []
    for first, last in pairwise(cuts):
        kinds = {kind: None for span, kind in marks if span.start <= first and last <= span.end}
        found.append((text[first:last], list(kinds)))
    return [*found, (" …", [])] if end < whole.end else found

"""The report: one self-contained HTML page, with the failures first.

The only module of the evaluation that imports jinja2. Text of questions and documents is escaped
in HTML.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from itertools import pairwise
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from evals.datasets.gold import TextSpan
from evals.metrics.metrics import GROUPS
from evals.reporting.results import Result, by_group, cells, flattened
from evals.running.records import FAILED, OPEN, REFUSED, RIGHT, UNFOUNDED, UNSURE, WRONG, Record
from index import Document, Paragraph

#: Heads of the questions by outcome, the worst first.
HEADS = {
    UNFOUNDED: "Answered, though the documents do not say",
    OPEN: "To be read: answered, and not all of the evidence is cited",
    WRONG: "Answered, and the evidence that it needs is not cited",
    REFUSED: "Refused, though the documents answer",
    UNSURE: "Passages were shown that may answer",
    FAILED: "No reply came",
    RIGHT: "Right",
}
#: Questions of an outcome that are shown, so that the page fits a phone. Not tuned.
MAX_CASES = 100
#: Retrieved paragraphs that are shown: as many as the assistant reads.
RETRIEVED = 3

#: Runs of text, each with how it is highlighted: `gold`, `cited`, both or neither.
Pieces = list[tuple[str, list[str]]]


def render(template: str, **values: Any) -> str:
    """Return a page made from a template of this package; in HTML all values are escaped."""
    environment = Environment(
        loader=PackageLoader("evals.reporting", "."),
        autoescape=select_autoescape(),  # by how the name ends
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(template).render(**values)


def report_page(result: Result, documents: Mapping[str, Document]) -> str:
    """Return the report as HTML.

    Args:
        result: the result.
        documents: the documents that were asked, by id.
    """
    by_outcome = {
        head: [record for record in result.records if record.outcome == outcome]
        for outcome, head in HEADS.items()
    }
    return render(
        "report.html",
        result=result,
        title=", ".join(of_set.name for of_set in result.sets),
        by_group=by_group,
        cells=cells,
        meanings={name: meaning for group in GROUPS.values() for name, meaning in group.items()},
        by_outcome={head: records for head, records in by_outcome.items() if records},
        max_cases=MAX_CASES,
        excerpts=partial(_excerpts, documents),
        retrieved=RETRIEVED,
        made=[(name, own) for name, own in flattened(result.provenance) if own is not None],
    )


def _excerpts(
    documents: Mapping[str, Document], spans: Iterable[TextSpan], record: Record
) -> Iterator[tuple[str, Pieces]]:
    """Yield the paragraphs of spans, each once: the place, and the text with its highlights."""
    seen: set[TextSpan] = set()
    for span in spans:
        if span.document not in documents:
            continue  # a quote that is in none of the documents
        document = documents[span.document]
        for paragraph in document.paragraphs:
            place = TextSpan.of(paragraph)
            if place.overlaps(span) and place not in seen:
                seen.add(place)
                yield _where(document, paragraph), _pieces(document.text, place, record)


def _where(document: Document, paragraph: Paragraph) -> str:
    headings = [heading for heading in paragraph.heading if heading != document.title]
    return " › ".join([document.title, *headings, f"paragraph {paragraph.number}"])


def _pieces(text: str, whole: TextSpan, record: Record) -> Pieces:
    """Return a paragraph's text, cut where a highlight begins or ends."""
    named = (("gold", record.gold.spans), ("cited", record.citations))
    marks = [(span, kind) for kind, spans in named for span in spans if span.overlaps(whole)]
    ends = {whole.start, whole.end, *(cut for span, _ in marks for cut in (span.start, span.end))}
    pieces: Pieces = []
    for first, last in pairwise(sorted(cut for cut in ends if whole.start <= cut <= whole.end)):
        kinds = {kind: None for span, kind in marks if span.start <= first and last <= span.end}
        pieces.append((text[first:last], list(kinds)))
    return pieces

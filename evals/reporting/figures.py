"""Figures to publish: of each set the same few, each with its interval; as page, Markdown and JSON.

    {"footnote_figures": 1, "made": {"date", "commit", "version", "machine"},
     "ways": {"quoting": {...}, "NAME of a language model": {...}},   what each was made with
     "limit": 200, "seed": 0,
     "sets": [{"name", "answerable", "unanswerable", "of",
               "files": [{"name", "format", "sha256", "asked"}],
               "ways": {"quoting": {"figures": {"hit@1": {"value", "n", "low", "high"}, ...},
                                    "risk_coverage": {"coverage", "risk"},
                                    "answering": {"coverage", "risk"}}}}],
     "left_out": [{"name", "reason"}]}

Two runs of the same code on the same sets give the same but for `made`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pydantic import TypeAdapter
from rich.table import Table

from evals.datasets.folder import FolderSet, LeftOut
from evals.metrics import metrics
from evals.metrics.confidence import risk_coverage
from evals.metrics.statistics import Figure, figure
from evals.reporting import plots
from evals.reporting.report import render
from evals.reporting.results import made_with
from evals.reporting.tables import rows_table
from evals.running.provenance import commit, machine
from evals.running.records import RIGHT, Record, judged_alike
from evals.running.runner import SetRun
from index.about import VERSION

#: Way of answering without a language model.
QUOTING = "quoting"
#: The published figures by name: (short name, meaning).
SHOWN: Mapping[str, Sequence[str]] = metrics.SHOWN["published"]
#: Points of a curve that are drawn and kept. Not tuned.
POINTS = 100
_N = "n: answerable and unanswerable questions. In brackets: 95 % intervals."

#: Risk, the share of wrong answers, by coverage, the share of questions that are answered.
Curve = Mapping[str, Sequence[float]]


@dataclass(frozen=True, slots=True)
class WayFigures:
    """Of a set that was asked in one way.

    Attributes:
        figures: by name, those of SHOWN; without those that it has nothing for.
        risk_coverage: by confidence; empty without any.
        answering: where on such a curve the answers are that were given.
    """

    figures: Mapping[str, Figure]
    risk_coverage: Curve
    answering: Curve


@dataclass(frozen=True, slots=True)
class SetRow:
    """A set with its figures, by way.

    Attributes:
        answerable, unanswerable: questions that were asked.
        of: how many questions it has in all.
        files: of each its name and format, how many questions were asked, and `sha256`: of these,
            their gold and documents.
    """

    name: str
    answerable: int
    unanswerable: int
    of: int
    files: Sequence[Mapping[str, Any]]
    ways: Mapping[str, WayFigures]

    @property
    def asked(self) -> int:
        """How many questions were asked."""
        return self.answerable + self.unanswerable


@dataclass(frozen=True, slots=True)
class Figures:
    """All that is published.

    Attributes:
        made: when, of which code, and on what: see `made_now`.
        ways: what each was made with (see `evals.running.provenance`).
        sets: those that were measured.
        left_out: what was not.
        limit: most questions of a set; None for all.
        seed: of the intervals.
    """

    made: Mapping[str, str | None]
    ways: Mapping[str, Mapping[str, Any]]
    sets: Sequence[SetRow]
    left_out: Sequence[LeftOut]
    limit: int | None
    seed: int

    def to_dict(self) -> dict[str, Any]:
        """As plain values, ready for JSON."""
        values: dict[str, Any] = TypeAdapter(Figures).dump_python(self, mode="json")
        return {"footnote_figures": 1, **values}

    @property
    def ways_told(self) -> str:
        """In a sentence, how the questions were answered."""
        models = [name for name in self.ways if name != QUOTING]
        if not models:
            return "Answered by quoting; no language model was set, so there is no column of one."
        return (
            f"Answered by quoting, and by {', '.join(models)}, which has no confidence, so no risk "
            "by coverage. Both are judged alike: right is an answer that cites all of the evidence."
        )


def made_now() -> dict[str, str | None]:
    """Today, of this code, here."""
    date = datetime.now(UTC).date().isoformat()
    return {"date": date, "commit": commit(), "version": VERSION, "machine": machine()}


def row_of(whole: FolderSet, runs: Mapping[str, Sequence[SetRun]], seed: int) -> SetRow:
    """The figures of a set.

    Args:
        whole: all of it.
        runs: of its files that could be asked, by way.
        seed: of the intervals.
    """
    pooled = judged_alike(*([r for run in of_way for r in run.records] for of_way in runs.values()))
    truths = [record.answerable for record in pooled[0]]
    files = [
        {
            "name": whole.place_of(run.questions),
            "format": run.questions.format,
            "sha256": run.sha256,
            "asked": len(run.records),
        }
        for run in next(iter(runs.values()))
    ]
    ways = {way: _figures_of(records, seed) for way, records in zip(runs, pooled, strict=True)}
    return SetRow(whole.name, sum(truths), len(truths) - sum(truths), whole.questions, files, ways)


def _figures_of(records: Sequence[Record], seed: int) -> WayFigures:
    measures = metrics.all_measures(records)
    known = {name: figure(measures[name], seed) for name in SHOWN if name in measures}
    coverage, risk = risk_coverage(records)
    last = max(len(risk) - 1, 0)
    some = sorted({round(n * last / (POINTS - 1)) for n in range(POINTS)}) if risk else []
    answers = [record.outcome != RIGHT for record in records if record.answered]
    return WayFigures(
        {name: found for name, found in known.items() if found.value is not None},
        _curve([coverage[n] for n in some], [risk[n] for n in some]),
        _curve(
            [len(answers) / len(records)] if answers else [],
            [sum(answers) / len(answers)] if answers else [],
        ),
    )


def _curve(coverage: Sequence[float], risk: Sequence[float]) -> Curve:
    rounded = ([round(value, 6) for value in values] for values in (coverage, risk))
    return dict(zip(("coverage", "risk"), rounded, strict=True))


# --- how they are shown -------------------------------------------------------------------------


def cell(known: Figure | None) -> tuple[str, str]:
    """A value and its interval as they are shown; "n/a" where a set has nothing for it."""
    if known is None or known.value is None:
        return "n/a", ""
    if known.low is None or known.high is None:
        return f"{known.value:.2f}", ""
    return f"{known.value:.2f}", f"{known.low:.2f} to {known.high:.2f}"


def _rows(figures: Figures) -> Iterator[list[str]]:
    """The names of the columns; then a row for each set and way, each figure with its interval."""
    several = len(figures.ways) > 1
    yield ["set", "n", *["way"] * several, *(short for short, _ in SHOWN.values())]
    for row in figures.sets:
        for way, known in row.ways.items():
            told = [cell(known.figures.get(name)) for name in SHOWN]
            values = [f"{value} ({interval})" if interval else value for value, interval in told]
            yield [row.name, f"{row.answerable} + {row.unanswerable}", *[way] * several, *values]


def figures_table(figures: Figures) -> Table:
    """For a terminal."""
    heads, *rows = _rows(figures)
    table = rows_table("", heads, rows)
    table.caption = f"{_N} {figures.ways_told}"
    return table


def figures_text(figures: Figures, template: str) -> str:
    """As one self-contained HTML page, or as a page of Markdown: by a template of this folder."""
    date, code, version, machine = figures.made.values()
    told = f"commit {code}" if code else f"version {version}"
    options = [] if figures.limit is None else ["--limit", str(figures.limit)]
    options += ["--seed", str(figures.seed)] if figures.seed else []
    options += ["--llm MODEL" for name in figures.ways if name != QUOTING]
    given = f" ARGS='{' '.join(options)}'" if options else ""
    limit = (
        f"At most {figures.limit} questions of a set were asked, chosen by a hash of their ids; "
        "the documents are all there."
    )
    return render(
        template,
        figures=figures,
        shown=SHOWN,
        made_on=f"{date}, Footnote {told}, {machine}",
        limit_told="" if figures.limit is None else limit,
        command=f"make figures SETS=FOLDER{given}",  # what makes them again
        made=list(_made_with(figures)),
        rows=list(_rows(figures)),
        explained=_N,
        cell=cell,
        plot=_plot,
    )


def _made_with(figures: Figures) -> Iterator[tuple[str, str | None]]:
    """What the figures depend on, without what is secret or only of this machine."""
    yield "date", figures.made["date"]
    yield "commit", figures.made["commit"] or "not a checkout"
    yield "machine", figures.made["machine"]
    yield "most questions of a set", str(figures.limit or "all")
    yield "seed of the intervals", str(figures.seed)
    first: dict[str, str] = {}
    for way, made in figures.ways.items():
        told = {name: value for name, value in made_with(made) if name != "machine"}
        for name, value in told.items():
            if first.get(name) != value:
                yield (f"{way}: {name}" if first else name), value
        first = first or told


def _plot(number: int, row: SetRow) -> str:
    """Plot of risk by coverage, with a point for the answers given; "" without any data."""
    series = [
        (f"{way}, {what}", curve["coverage"], curve["risk"])
        for way, known in row.ways.items()
        for what, curve in (
            ("by confidence", known.risk_coverage),
            ("as it answers", known.answering),
        )
        if curve["coverage"]
    ]
    if not series:
        return ""
    limits = {"xlim": (0, 1.02), "ylim": (0, 1.02)}
    return plots.lines(f"risk{number}", series, "coverage", "risk", **limits)

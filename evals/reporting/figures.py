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
from evals.metrics.confidence import risk_coverage
from evals.metrics.metrics import all_measures
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
#: What is told, and what it is.
SHOWN: Mapping[str, tuple[str, str]] = {
    "hit@1": ("right paragraph first", "answerable questions with a relevant paragraph first"),
    "answered_right": (
        "answered rightly",
        "answerable questions answered with all the evidence cited that they need",
    ),
    "answer_precision": (
        "of answers, right",
        "answers that are right; those to unanswerable questions are not",
    ),
    "withheld": (
        "withheld",
        "unanswerable questions that were not answered: refused, or passages shown",
    ),
    "citation_validity": (
        "quotes valid",
        "cited quotes that stand in the document, letter for letter, where they are said to",
    ),
    "aurc": (
        "risk by coverage",
        "area under the curve of the share of wrong answers by the share of questions answered, "
        "the most confident first; less is better",
    ),
}
#: Points of a curve that are drawn and kept. Not tuned.
POINTS = 100


@dataclass(frozen=True, slots=True)
class Curve:
    """Risk, the share of wrong answers, by coverage, the share of questions that are answered."""

    coverage: tuple[float, ...]
    risk: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class WayFigures:
    """Of a set that was asked in one way.

    Attributes:
        figures: by name, those of SHOWN; without those that it has nothing for.
        risk_coverage: by confidence; empty where there is none.
        answering: where on such a curve the answers are that were given.
    """

    figures: Mapping[str, Figure]
    risk_coverage: Curve
    answering: Curve


@dataclass(frozen=True, slots=True)
class AskedFile:
    """A file of a set. `sha256`: of the questions that were asked, their gold and documents."""

    name: str
    format: str
    sha256: str
    asked: int


@dataclass(frozen=True, slots=True)
class SetRow:
    """A set with its figures, by way. `of`: how many questions it has in all."""

    name: str
    answerable: int
    unanswerable: int
    of: int
    files: tuple[AskedFile, ...]
    ways: Mapping[str, WayFigures]

    @property
    def asked(self) -> int:
        """How many questions were asked."""
        return self.answerable + self.unanswerable


@dataclass(frozen=True, slots=True)
class Made:
    """When, of which code, and on what."""

    date: str
    commit: str | None
    version: str
    machine: str

    @classmethod
    def now(cls) -> Made:
        """Today, of this code, here."""
        date = datetime.now(UTC).date().isoformat()
        return cls(date, commit(), VERSION, machine())

    def __str__(self) -> str:
        code = f"commit {self.commit}" if self.commit else f"version {self.version}"
        return f"{self.date}, Footnote {code}, {self.machine}"


@dataclass(frozen=True, slots=True)
class Figures:
    """All that is published.

    Attributes:
        made: see `Made`.
        ways: what each was made with (see `evals.running.provenance`).
        sets: those that were measured.
        left_out: what was not.
        limit: most questions of a set; None for all.
        seed: of the intervals.
    """

    made: Made
    ways: Mapping[str, Mapping[str, Any]]
    sets: tuple[SetRow, ...]
    left_out: tuple[LeftOut, ...]
    limit: int | None
    seed: int

    def to_dict(self) -> dict[str, Any]:
        """As plain values, ready for JSON."""
        values: dict[str, Any] = TypeAdapter(Figures).dump_python(self, mode="json")
        return {"footnote_figures": 1, **values}

    @property
    def command(self) -> str:
        """What makes them again."""
        options = []
        if self.limit is not None:
            options += ["--limit", str(self.limit)]
        if self.seed:
            options += ["--seed", str(self.seed)]
        options += ["--llm MODEL" for name in self.ways if name != QUOTING]
        given = f" ARGS='{' '.join(options)}'" if options else ""
        return f"make figures SETS=FOLDER{given}"

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


def row_of(own: FolderSet, runs: Mapping[str, Sequence[SetRun]], seed: int) -> SetRow:
    """The figures of a set.

    Args:
        own: all of it.
        runs: of its files that could be asked, by way.
        seed: of the intervals.
    """
    pooled = judged_alike(*([r for run in of_way for r in run.records] for of_way in runs.values()))
    first = next(iter(runs.values()))
    truths = [record.answerable for record in pooled[0]]
    return SetRow(
        name=own.name,
        answerable=sum(truths),
        unanswerable=len(truths) - sum(truths),
        of=own.questions,
        files=tuple(
            AskedFile(
                own.place_of(run.questions), run.questions.format, run.sha256, len(run.records)
            )
            for run in first
        ),
        ways={way: _figures_of(records, seed) for way, records in zip(runs, pooled, strict=True)},
    )


def _figures_of(records: Sequence[Record], seed: int) -> WayFigures:
    measures = all_measures(records)
    known = {name: figure(measures[name], seed) for name in SHOWN if name in measures}
    coverage, risk = risk_coverage(records)
    last = max(len(risk) - 1, 0)
    some = sorted({round(n * last / (POINTS - 1)) for n in range(POINTS)}) if risk else []
    answers = [record for record in records if record.answered]
    wrong = sum(record.outcome != RIGHT for record in answers)
    return WayFigures(
        figures={name: own for name, own in known.items() if own.value is not None},
        risk_coverage=Curve(
            tuple(round(coverage[n], 6) for n in some), tuple(round(risk[n], 6) for n in some)
        ),
        answering=Curve((round(len(answers) / len(records), 6),), (round(wrong / len(answers), 6),))
        if answers
        else Curve((), ()),
    )


# --- how they are shown -------------------------------------------------------------------------


def cell(own: Figure | None) -> tuple[str, str]:
    """A value and its interval as they are shown; "n/a" where a set has nothing for it."""
    if own is None or own.value is None:
        return "n/a", ""
    if own.low is None or own.high is None:
        return f"{own.value:.2f}", ""
    return f"{own.value:.2f}", f"{own.low:.2f} to {own.high:.2f}"


def _rows(figures: Figures) -> Iterator[list[str]]:
    """A row for each set and way, each figure with its interval."""
    for own in figures.sets:
        for way, known in own.ways.items():
            told = [cell(known.figures.get(name)) for name in SHOWN]
            values = [f"{value} ({interval})" if interval else value for value, interval in told]
            named = [own.name, f"{own.answerable} + {own.unanswerable}"]
            yield [*named, *([way] if len(figures.ways) > 1 else []), *values]


def _heads(figures: Figures) -> list[str]:
    ways = ["way"] if len(figures.ways) > 1 else []
    return ["set", "n", *ways, *(short for short, _ in SHOWN.values())]


def figures_table(figures: Figures) -> Table:
    """For a terminal."""
    table = rows_table("", _heads(figures), list(_rows(figures)))
    table.caption = f"{_N} {figures.ways_told}"
    return table


_N = "n: answerable and unanswerable questions. In brackets: 95 % intervals."


def figures_markdown(figures: Figures) -> str:
    """As a page of Markdown."""
    heads = _heads(figures)
    lines = [
        "# Figures",
        "",
        f"Made on {figures.made}. {figures.ways_told} {_limit_told(figures)}".rstrip(),
        "",
        _line(heads),
        _line(["---", *(["--:"] * (len(heads) - 1))]),
        *(_line(row) for row in _rows(figures)),
        "",
        _N,
        "",
        *(f"- **{short}**: {meaning}" for short, meaning in SHOWN.values()),
        "",
    ]
    if figures.left_out:
        lines += ["Not measured:", ""]
        lines += [f"- {own.name}: {_one_line(own.reason)}" for own in figures.left_out]
        lines += [""]
    lines += [
        "## Make it again",
        "",
        f"    {figures.command}",
        "",
        "FOLDER holds the sets: SQuAD files, BEIR folders, folders of `corpus.jsonl` and "
        "`questions.jsonl`, or JSON Lines that name their documents (see "
        "`evals/datasets/loader.py`); the files of a folder inside it are one set. Whether yours "
        "are these the hashes below tell: they are of the questions that were asked, their gold "
        "and their documents. On another processor single figures may be .01 lower or higher. "
        "Without SETS the questions are measured that ship with Footnote.",
        "",
        _line(["file", "format", "asked", "sha256"]),
        _line(["---", "---", "--:", "---"]),
        *(
            _line([file.name, file.format, str(file.asked), f"`{file.sha256[:16]}`"])
            for own in figures.sets
            for file in own.files
        ),
        "",
        "## Made with",
        "",
        *(f"- {name}: {value}" for name, value in _made_with(figures)),
    ]
    return "\n".join(lines) + "\n"


def figures_page(figures: Figures) -> str:
    """As one self-contained HTML page."""
    return render(
        "figures.html",
        figures=figures,
        shown=SHOWN,
        cell=cell,
        explained=_N,
        limit_told=_limit_told(figures),
        curves={own.name: _plot(number, own) for number, own in enumerate(figures.sets)},
        made=list(_made_with(figures)),
    )


def _plot(number: int, own: SetRow) -> str:
    """Risk by coverage; a point where the answers are that are given. "" where there are none."""
    series = []
    for way, known in own.ways.items():
        if known.risk_coverage.coverage:
            curve = known.risk_coverage
            series.append((f"{way}, by confidence", curve.coverage, curve.risk))
        if known.answering.coverage:
            series.append((f"{way}, as it answers", known.answering.coverage, known.answering.risk))
    if not series:
        return ""
    limits = {"xlim": (0, 1.02), "ylim": (0, 1.02)}
    return plots.lines(f"risk{number}", series, "coverage", "risk", **limits)


def _limit_told(figures: Figures) -> str:
    if figures.limit is None:
        return ""
    return (
        f"At most {figures.limit} questions of a set were asked, chosen by a hash of their ids; "
        "the documents are all there."
    )


def _made_with(figures: Figures) -> Iterator[tuple[str, str]]:
    """What the figures depend on, without what is secret or only of this machine."""
    yield "date", figures.made.date
    yield "commit", figures.made.commit or "not a checkout"
    yield "machine", figures.made.machine
    yield "most questions of a set", str(figures.limit or "all")
    yield "seed of the intervals", str(figures.seed)
    first: dict[str, str] = {}
    for way, made in figures.ways.items():
        told = {name: value for name, value in made_with(made) if name != "machine"}
        for name, value in told.items():
            if first.get(name) != value:
                yield (f"{way}: {name}" if first else name), value
        first = first or told


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(own.replace('|', chr(92) + '|') for own in cells)} |"


def _one_line(text: str) -> str:
    return " ".join(text.split())

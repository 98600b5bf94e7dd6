"""The result of a run, as JSON and as tables:

{"footnote_eval": 6,
 "sets": [{"name", "format", "sha256", "questions", "asked", "notes", "figures"}],
 "figures": {"hit@1": {"value", "n", "low", "high"}, ...},    over the questions of all sets
 "outcomes": {"answerable": {"right": 65, ...}, "unanswerable": {...}},
 "provenance": {...},                                         see `evals.running.provenance`
 "records": [...]}                                            see `evals.running.records`
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import TypeAdapter, ValidationError
from rich.table import Table

from evals.datasets.json_lines import read_text
from evals.metrics.metrics import GROUPS, all_figures
from evals.metrics.statistics import Figure
from evals.running.records import Record
from evals.running.runner import SetRun
from index.errors import QuestionSetError, UnreadableError


@dataclass(frozen=True, slots=True)
class SetFigures:
    """The name and figures of one set, and how many of its questions were asked."""

    name: str
    format: str
    sha256: str
    questions: int
    asked: int
    notes: tuple[str, ...]
    figures: Mapping[str, Figure]


@dataclass(frozen=True, slots=True)
class Result:
    """The result of one or more sets, asked with the same settings.

    Attributes:
        sets: each set with its figures.
        figures: figures over the questions of all sets.
        outcomes: the number of answerable and of unanswerable questions by outcome.
        provenance: see `evals.running.provenance`.
        records: the records of all sets.
        footnote_eval: the version of the format.
    """

    sets: tuple[SetFigures, ...]
    figures: Mapping[str, Figure]
    outcomes: Mapping[str, Mapping[str, int]]
    provenance: Mapping[str, Any]
    records: tuple[Record, ...]
    footnote_eval: Literal[6] = 6

    @property
    def outcome_lines(self) -> list[str]:
        """A line for the answerable and one for the unanswerable questions: how many of them have
        each outcome."""
        return [
            f"{kind}: {', '.join(f'{count} {outcome}' for outcome, count in counts.items())}"
            for kind, counts in self.outcomes.items()
            if counts
        ]

    def misses(self, floors: Mapping[str, float]) -> list[str]:
        """Return a sentence for each floor that a set does not reach.

        A figure that a set has nothing for is held against the other sets alone; a figure that no
        set has anything for is a miss.
        """
        found = []
        for name, floor in floors.items():
            if self.figures.get(name, Figure(None, 0)).value is None:
                found.append(f"{name} is n/a, and must be at least {floor:g}.")
            for of_set in self.sets:
                value = of_set.figures[name].value if name in of_set.figures else None
                if value is not None and value < floor:
                    found.append(f"{name} of {of_set.name} is {value:.4f}, below {floor:g}.")
        return found


#: Writes and reads a result as JSON.
RESULT = TypeAdapter(Result)


def result_of(runs: Sequence[SetRun]) -> Result:
    """Work out the figures of runs that were made with the same settings."""
    records = tuple(record for run in runs for record in run.records)
    sets = tuple(
        SetFigures(
            name=run.questions.name,
            format=run.questions.format,
            sha256=run.sha256,
            questions=len(run.questions.questions),
            asked=len(run.records),
            notes=run.questions.notes,
            figures=all_figures(run.records),
        )
        for run in runs
    )
    outcomes = {
        kind: dict(Counter(r.outcome for r in records if r.answerable == answerable).most_common())
        for kind, answerable in (("answerable", True), ("unanswerable", False))
    }
    figures = sets[0].figures if len(sets) == 1 else all_figures(records)
    return Result(sets, figures, outcomes, runs[0].provenance, records)


def write_text(path: Path, text: str) -> None:
    """Write a file.

    Raises:
        UnreadableError: the file cannot be written.
    """
    try:
        path.write_text(text, encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        raise UnreadableError(f"{path} cannot be written: {error.strerror}.") from error


def read_result(path: Path) -> Result:
    """Read a result that `--json` wrote.

    Raises:
        QuestionSetError: the file is not a result, or is one of another version.
    """
    try:
        return RESULT.validate_json(read_text(path))
    except ValidationError as error:
        raise QuestionSetError(
            f"{path} is not a result, or is one of another version of Footnote. Make one with: "
            f"footnote eval run SET --json {path}"
        ) from error


def flattened(values: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield the leaves of nested values, each under the names on the way to it, with dots."""
    for name, value in values.items():
        if isinstance(value, dict):
            for below, leaf in flattened(value):
                yield f"{name}.{below}", leaf
        else:
            yield name, value


# --- tables -------------------------------------------------------------------------------------


def result_tables(result: Result) -> Iterator[Table]:
    """Yield a table of figures for each set, and one of all sets if there are several."""
    for of_set in result.sets:
        asked, questions = of_set.asked, of_set.questions
        count = f"{asked} of {questions}" if asked < questions else str(asked)
        yield _figures_table(f"{of_set.name}: {count} questions", of_set.figures)
    if len(result.sets) > 1:
        yield _figures_table(f"All sets: {len(result.records)} questions", result.figures)


def _figures_table(title: str, figures: Mapping[str, Figure]) -> Table:
    table = empty_table("figure", "value", "95 % interval", "n", title=title)
    for group, named in by_group(figures).items():
        table.add_row(group, style="bold")
        for name, figure in named.items():
            table.add_row(f"  {name}", *cells(figure, name))
        table.add_section()
    return table


def empty_table(*columns: str, title: str | None = None) -> Table:
    """Return a table without rows; its first column is aligned left, the others right."""
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    for number, column in enumerate(columns):
        # Folded if there is little room: a figure is never cut.
        table.add_column(column, justify="right" if number else "left", overflow="fold")
    return table


def by_group(figures: Mapping[str, Figure]) -> dict[str, dict[str, Figure]]:
    """Return the figures by group and name, without groups that have none."""
    groups = {
        group: {name: figures[name] for name in meanings if name in figures}
        for group, meanings in GROUPS.items()
    }
    return {group: named for group, named in groups.items() if named}


def cells(figure: Figure, name: str, sign: str = "") -> tuple[str, str, str]:
    """Return value, interval and n as they are shown: three digits of a share, one of milliseconds.

    Args:
        figure: the figure, or a difference of figures.
        name: of the figure.
        sign: "+" to show the sign of a positive value, too.
    """
    digits = 1 if name.endswith("_ms") else 3
    if figure.value is None:
        return "n/a", "", str(figure.n)
    value = f"{figure.value:{sign}.{digits}f}"
    if figure.low is None or figure.high is None:
        return value, "n/a", str(figure.n)
    return value, f"{figure.low:.{digits}f} to {figure.high:.{digits}f}", str(figure.n)

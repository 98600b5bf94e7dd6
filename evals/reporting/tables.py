"""Tables that the evaluation prints on a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.table import Table

from evals.metrics.metrics import GROUPS
from evals.metrics.statistics import Difference, Figure
from evals.reporting.results import Result


def result_tables(result: Result) -> Iterator[Table]:
    """Yield a table of figures for each set, and one of all sets if there are several."""
    for of_set in result.sets:
        asked, questions = of_set.asked, of_set.questions
        count = f"{asked} of {questions}" if asked < questions else str(asked)
        yield grouped_table(f"{of_set.name}: {count} questions", present(of_set.figures))
    if len(result.sets) > 1:
        yield grouped_table(f"All sets: {len(result.records)} questions", present(result.figures))


def outcome_lines(result: Result) -> list[str]:
    """Return a line for the answerable and one for the unanswerable questions: how many of them
    have each outcome."""
    return [
        f"{kind}: {', '.join(f'{count} {outcome}' for outcome, count in counts.items())}"
        for kind, counts in result.outcomes.items()
        if counts
    ]


def present(figures: Mapping[str, Figure]) -> dict[str, dict[str, Figure]]:
    """Return the figures by group and name, without groups that have none."""
    groups = {
        group: {name: figures[name] for name in meanings if name in figures}
        for group, meanings in GROUPS.items()
    }
    return {group: named for group, named in groups.items() if named}


def grouped_table(title: str, groups: Mapping[str, Mapping[str, Figure]]) -> Table:
    """Return a table of figures with their intervals, by group and name."""
    table = rows_table(title, ("figure", "value", "95 % interval", "n"), [])
    for group, figures in groups.items():
        table.add_row(group, style="bold")
        for name, figure in figures.items():
            table.add_row(f"  {name}", *cells(figure, name))
        table.add_section()
    return table


def rows_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> Table:
    """Return a table of values as they are."""
    table = Table(title=title or None, title_justify="left", box=None, pad_edge=False)
    for number, column in enumerate(columns):
        # Folded if there is little room: a figure is never cut.
        table.add_column(column, justify="left" if number == 0 else "right", overflow="fold")
    for row in rows:
        table.add_row(*map(str, row))
    return table


def cells(figure: Figure, name: str) -> tuple[str, str, str]:
    """Return value, interval and n as they are shown."""
    return shown(figure.value, name), interval(figure, name), str(figure.n)


def shown(value: float | None, name: str, sign: str = "") -> str:
    """Return a value of a figure as it is shown: three digits of a share, one of milliseconds."""
    return "n/a" if value is None else f"{value:{sign}.{1 if name.endswith('_ms') else 3}f}"


def interval(found: Figure | Difference, name: str) -> str:
    """Return the interval as it is shown; "" if there is no value."""
    if found.low is None or found.high is None:
        return "n/a" if found.n else ""
    return f"{shown(found.low, name)} to {shown(found.high, name)}"

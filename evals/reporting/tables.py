"""What the evaluation prints: tables for a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.table import Table

from evals.metrics.metrics import GROUPS
from evals.metrics.statistics import Difference, Figure
from evals.reporting.results import Result, SetFigures

#: Figures that are no shares: shown with fewer digits.
LENGTHS = ("answer_sentences", "answer_words")


def result_tables(result: Result) -> list[Table]:
    """All figures of a result: a table for each set, one by turn where there are several, speed."""
    sets = [set_table(own) for own in result.sets]
    turns = [turns_table(result)] if result.turns else []
    return [*sets, *turns, speed_table(result)]


def set_table(own: SetFigures) -> Table:
    """The figures of a set with their intervals."""
    asked = f"{own.asked} of {own.questions}" if own.asked < own.questions else str(own.asked)
    table = _table(f"{own.name}: {asked} questions", "figure", "value", "95 % interval", "n")
    for group, names in GROUPS.items():
        table.add_row(group, style="bold")
        for name in present(names, own.figures):
            table.add_row(f"  {name}", *cells(own.figures[name], name))
        table.add_section()
    return table


def turns_table(result: Result) -> Table:
    """Figures by number of the turn: a row a figure, a column a turn."""
    shown = (
        "hit@1 mrr evidence_cited citation_precision refusal_recall refused_answerable "
        "unsure_answerable withheld right"
    )
    table = _table("By turn, with n", "figure", *(f"turn {turn}" for turn in result.turns))
    for name in shown.split():
        found = [cells(own[name], name) for own in result.turns.values()]
        table.add_row(name, *(f"{value} ({n})" if int(n) else value for value, _, n in found))
    return table


def speed_table(result: Result) -> Table:
    """Milliseconds by stage."""
    table = _table("Speed, milliseconds", "stage", "p50", "95 % interval", "p95", "95 % interval")
    for stage, own in result.speed.items():
        row = [cell for name in ("p50", "p95") for cell in cells(own[name], "ms")[:2]]
        table.add_row(stage, *row)
    return table


def comparison_table(differences: Mapping[str, Difference], a: str, b: str) -> Table:
    """Paired differences."""
    table = _table("", "figure", a, b, "difference", "95 % interval", "p", "n")
    for name, own in differences.items():
        if own.difference is None or own.a is None or own.b is None:
            table.add_row(name, "n/a", "n/a", "n/a", "", "n/a", str(own.n))
            continue
        digits = 1 if name in LENGTHS else 3
        table.add_row(
            name,
            f"{own.a:.{digits}f}",
            f"{own.b:.{digits}f}",
            f"{own.difference:+.{digits}f}",
            _interval(own.low, own.high, digits),
            p_value(own.p),
            str(own.n),
            style="bold" if own.p is not None and own.p < 0.05 else None,
        )
    return table


def verdicts_table(title: str, figures: Mapping[str, Mapping[str, Figure]]) -> Table:
    """Figures of the verifier by set."""
    table = _table(title, "figure", "value", "95 % interval", "n")
    for name, own in figures.items():
        table.add_row(name, style="bold")
        for what, found in own.items():
            table.add_row(f"  {what}", *cells(found, what))
    return table


def cells(figure: Figure, name: str) -> tuple[str, str, str]:
    """Value, interval and n as they are shown."""
    digits = 1 if name in (*LENGTHS, "ms") else 3
    if figure.value is None:
        return "n/a", "", "0"
    return f"{figure.value:.{digits}f}", _interval(figure.low, figure.high, digits), str(figure.n)


def p_value(p: float | None) -> str:
    """A p-value as it is shown."""
    if p is None:
        return "n/a"
    return "<.001" if p < 0.001 else f"{p:.3f}"


def rows_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> Table:
    """A table of what is given, as it is."""
    table = _table(title, *columns)
    for row in rows:
        table.add_row(*map(str, row))
    return table


def present(names: Iterable[str], figures: Mapping[str, Figure]) -> list[str]:
    """Names of a group as they are among the figures: `recall@k` has its number there."""
    recall = next((name for name in figures if name.startswith("recall@")), "recall@k")
    return [recall if name == "recall@k" else name for name in names]


def _interval(low: float | None, high: float | None, digits: int) -> str:
    if low is None or high is None:
        return "n/a"
    return f"{low:.{digits}f} to {high:.{digits}f}"


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title or None, title_justify="left", box=None, pad_edge=False)
    for number, column in enumerate(columns):
        # Folded where there is little room: a figure is never cut.
        table.add_column(column, justify="left" if number == 0 else "right", overflow="fold")
    return table

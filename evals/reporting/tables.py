"""What the evaluation prints: tables for a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.table import Table

from evals.metrics.metrics import GROUPS, SHOWN
from evals.metrics.statistics import Difference, Figure
from evals.reporting.results import Result

#: Figures that are no shares: shown with fewer digits.
LENGTHS = SHOWN["lengths"]
#: A figure of the confidence, and the note where there is no confidence.
NEEDS_CONFIDENCE = "refusal_auroc"
NO_CONFIDENCE = (
    "No figures of the confidence: there is none where a language model decides, and it decided "
    "every question; or an endpoint was asked, which tells none."
)
_PARTS_CAPTION = (
    "Of the answerable questions: answered rightly, answered wrongly, passages shown with the "
    "right one, without it, refused; of the others: refused, passages shown, answered. Then, "
    "of what is answered, the share that is right; the mean confidence, and the share of all "
    "whose answer is right, or would be."
)


def result_tables(result: Result) -> Iterator[Table]:
    """All figures of a result: a table for each set, and one of all where there are several; by
    document, and by turn, where there are several; speed."""
    for of_set in result.sets:
        asked, questions = of_set.asked, of_set.questions
        count = f"{asked} of {questions}" if asked < questions else str(asked)
        yield _figures_table(f"{of_set.name}: {count} questions", of_set.figures)
    if len(result.sets) > 1:
        yield _figures_table(f"All sets: {len(result.records)} questions", result.figures)
    if result.parts:
        yield _parts_table(result)
    if result.turns:
        yield _turns_table(result)
    rows = [
        [stage, *(text for name in ("p50", "p95") for text in cells(percentiles[name], "ms")[:2])]
        for stage, percentiles in result.speed.items()
    ]
    columns = ("stage", "p50", "95 % interval", "p95", "95 % interval")
    yield rows_table("Speed, milliseconds", columns, rows)


def _figures_table(title: str, figures: Mapping[str, Figure]) -> Table:
    groups = {
        group: {name: figures[name] for name in meanings}
        for group, meanings in present(figures).items()
    }
    table = grouped_table(title, groups)
    if NEEDS_CONFIDENCE not in figures:
        table.caption = NO_CONFIDENCE
    return table


def _parts_table(result: Result) -> Table:
    """What became of the questions by set and document: a row each, with how many they are."""
    columns = {name: head for name, head in SHOWN["parts"].items() if name in result.figures}
    rows = []
    for part, of_part in {**result.parts, "all": result.figures}.items():
        counts = (of_part["answered_right"].n, of_part["answered_unanswerable"].n)
        known = [of_part[name].value if name in of_part else None for name in columns]
        values = ["" if value is None else f"{value:.2f}" for value in known]
        rows.append((part, *counts, *values))
    table = rows_table("By document", ("", "answerable", "not", *columns.values()), rows)
    table.caption = _PARTS_CAPTION
    return table


def _turns_table(result: Result) -> Table:
    """Figures by number of the turn: a row a figure, a column a turn."""
    rows = []
    for name in SHOWN["turns"]:
        found = [cells(of_turn[name], name) for of_turn in result.turns.values() if name in of_turn]
        if found:  # an endpoint tells nothing of retrieval
            rows.append([name, *(f"{v} ({n})" if int(n) else v for v, _, n in found)])
    columns = ("figure", *(f"turn {turn}" for turn in result.turns))
    return rows_table("By turn, with n", columns, rows)


def grouped_table(title: str, groups: Mapping[str, Mapping[str, Figure]]) -> Table:
    """Figures with their intervals, by group and name."""
    table = rows_table(title, ("figure", "value", "95 % interval", "n"), [])
    for group, figures in groups.items():
        table.add_row(group, style="bold")
        for name, figure in figures.items():
            table.add_row(f"  {name}", *cells(figure, name))
        table.add_section()
    return table


def rows_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> Table:
    """A table of what is given, as it is."""
    table = Table(
        title=title or None, title_justify="left", caption_justify="left", box=None, pad_edge=False
    )
    for number, column in enumerate(columns):
        # Folded where there is little room: a figure is never cut.
        table.add_column(column, justify="left" if number == 0 else "right", overflow="fold")
    for row in rows:
        table.add_row(*map(str, row))
    return table


def digits_of(name: str) -> int:
    """Digits after the point that a figure is shown with."""
    return 1 if name in (*LENGTHS, "ms") else 3


def cells(figure: Figure, name: str) -> tuple[str, str, str]:
    """Value, interval and n as they are shown."""
    digits = digits_of(name)
    if figure.value is None:
        return "n/a", "", "0"
    return f"{figure.value:.{digits}f}", _interval(figure, digits), str(figure.n)


def difference_cells(found: Difference, name: str) -> tuple[str, str, str]:
    """Difference, interval and p-value as they are shown."""
    digits = digits_of(name)
    if found.difference is None or found.p is None:
        return "n/a", "", "n/a"
    p = "<.001" if found.p < 0.001 else f"{found.p:.3f}"
    return f"{found.difference:+.{digits}f}", _interval(found, digits), p


def _interval(found: Figure | Difference, digits: int) -> str:
    if found.low is None or found.high is None:
        return "n/a"
    return f"{found.low:.{digits}f} to {found.high:.{digits}f}"


def present(figures: Mapping[str, Figure]) -> dict[str, dict[str, str]]:
    """The groups of figures that there are: in each, what a figure is by its name. `recall@k` has
    its number there."""
    recall = [name for name in figures if name.startswith("recall@")][-1:]
    found = {}
    for group, meanings in GROUPS.items():
        named = [
            (shown, what)
            for name, what in meanings.items()
            for shown in (recall if name == "recall@k" else [name])
        ]
        found[group] = {name: what for name, what in named if name in figures}
    return {group: named for group, named in found.items() if named}

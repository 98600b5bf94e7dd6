"""What the evaluation prints: tables for a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.table import Table

from evals.metrics.metrics import GROUPS
from evals.metrics.statistics import Difference, Figure
from evals.reporting.results import Result, SetFigures

#: What is told of each document, and the head of its column.
PARTS = {
    "answered_right": "right",
    "answered_wrong": "wrong",
    "passages_right": "with",
    "passages_wrong": "without",
    "refused_answerable": "refused",
    "refusal_recall": "refused",
    "unsure_unanswerable": "passages",
    "answered_unanswerable": "answered",
    "answer_precision": "of answers",
    "mean_confidence": "confidence",
    "right_if_answered": "would be right",
}
#: Figures that are no shares: shown with fewer digits.
LENGTHS = ("answer_sentences", "answer_words", "calls", "prompt_tokens", "completion_tokens")
#: One of the figures of the confidence, and what is said where there are none.
NEEDS_CONFIDENCE = "refusal_auroc"
NO_CONFIDENCE = (
    "No figures of the confidence: there is none where a language model decides, and it decided "
    "every question; or an endpoint was asked, which tells none."
)


def result_tables(result: Result) -> list[Table]:
    """All figures of a result: a table for each set, and one of all where there are several; by
    document, and by turn, where there are several; speed."""
    sets = [set_table(own) for own in result.sets]
    if len(sets) > 1:
        asked = len(result.records)
        sets.append(figures_table(f"All sets: {asked} questions", result.figures))
    parts = [parts_table(result)] if result.parts else []
    turns = [turns_table(result)] if result.turns else []
    return [*sets, *parts, *turns, speed_table(result)]


def set_table(own: SetFigures) -> Table:
    """The figures of a set with their intervals."""
    asked = f"{own.asked} of {own.questions}" if own.asked < own.questions else str(own.asked)
    return figures_table(f"{own.name}: {asked} questions", own.figures)


def figures_table(title: str, figures: Mapping[str, Figure]) -> Table:
    """All figures with their intervals, in their groups."""
    groups = {
        group: {name: figures[name] for name in meanings}
        for group, meanings in present(figures).items()
    }
    table = grouped_table(title, groups)
    if NEEDS_CONFIDENCE not in figures:
        table.caption = NO_CONFIDENCE
    return table


def grouped_table(title: str, groups: Mapping[str, Mapping[str, Figure]]) -> Table:
    """Figures with their intervals, by group and name."""
    table = _table(title, "figure", "value", "95 % interval", "n")
    for group, figures in groups.items():
        table.add_row(group, style="bold")
        for name, own in figures.items():
            table.add_row(f"  {name}", *cells(own, name))
        table.add_section()
    return table


def parts_table(result: Result) -> Table:
    """What became of the questions by set and document: a row each, with how many they are."""
    columns = {name: head for name, head in PARTS.items() if name in result.figures}
    rows = []
    for part, own in {**result.parts, "all": result.figures}.items():
        counts = (own["answered_right"].n, own["answered_unanswerable"].n)
        known = [own[name].value if name in own else None for name in columns]
        values = ["" if value is None else f"{value:.2f}" for value in known]
        rows.append((part, *counts, *values))
    heads = ("", "answerable", "not", *columns.values())
    table = rows_table("By document", heads, rows)
    table.caption = (
        "Of the answerable questions: answered rightly, answered wrongly, passages shown with the "
        "right one, without it, refused; of the others: refused, passages shown, answered. Then, "
        "of what is answered, the share that is right; the mean confidence, and the share of all "
        "whose answer is right, or would be."
    )
    return table


def turns_table(result: Result) -> Table:
    """Figures by number of the turn: a row a figure, a column a turn."""
    shown = (
        "answered_right answered_wrong passages_right passages_wrong refused_answerable "
        "refusal_recall answered_unanswerable hit@1 recall@5 mrr citation_precision right"
    )
    table = _table("By turn, with n", "figure", *(f"turn {turn}" for turn in result.turns))
    for name in shown.split():
        found = [cells(own[name], name) for own in result.turns.values() if name in own]
        if not found:
            continue  # an endpoint tells nothing of retrieval
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
        digits = 1 if name in LENGTHS else 3
        both = ["n/a" if value is None else f"{value:.{digits}f}" for value in (own.a, own.b)]
        bold = "bold" if own.p is not None and own.p < 0.05 else None
        table.add_row(name, *both, *difference_cells(own, digits), str(own.n), style=bold)
    return table


def cells(figure: Figure, name: str) -> tuple[str, str, str]:
    """Value, interval and n as they are shown."""
    digits = 1 if name in (*LENGTHS, "ms") else 3
    if figure.value is None:
        return "n/a", "", "0"
    return f"{figure.value:.{digits}f}", _interval(figure.low, figure.high, digits), str(figure.n)


def difference_cells(own: Difference, digits: int) -> tuple[str, str, str]:
    """Difference, interval and p-value as they are shown."""
    if own.difference is None:
        return "n/a", "", "n/a"
    interval = _interval(own.low, own.high, digits)
    return f"{own.difference:+.{digits}f}", interval, p_value(own.p)


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


def present(figures: Mapping[str, Figure]) -> dict[str, dict[str, str]]:
    """The groups of figures that there are: in each, what a figure is by its name. `recall@k` has
    its number there."""
    recall = [name for name in figures if name.startswith("recall@")][-1:]
    found = {}
    for group, meanings in GROUPS.items():
        named = [
            (own, what)
            for name, what in meanings.items()
            for own in (recall if name == "recall@k" else [name])
        ]
        found[group] = {name: what for name, what in named if name in figures}
    return {group: named for group, named in found.items() if named}


def _interval(low: float | None, high: float | None, digits: int) -> str:
    if low is None or high is None:
        return "n/a"
    return f"{low:.{digits}f} to {high:.{digits}f}"


def _table(title: str, *columns: str) -> Table:
    table = Table(
        title=title or None, title_justify="left", caption_justify="left", box=None, pad_edge=False
    )
    for number, column in enumerate(columns):
        # Folded where there is little room: a figure is never cut.
        table.add_column(column, justify="left" if number == 0 else "right", overflow="fold")
    return table

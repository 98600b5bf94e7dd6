"""Several ways of doing the same, compared with the first of them, paired."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from rich.table import Table

from evals.metrics.metrics import all_measures
from evals.metrics.statistics import Difference, Figure, Measure, difference, figure
from evals.reporting.tables import LENGTHS, cells, difference_cells, rows_table
from evals.running.records import Record

#: Measures of the same questions in the same order, by way and by name; the first way is what
#: others are held to.
Ways = Mapping[str, Mapping[str, Measure]]


@dataclass(frozen=True, slots=True)
class Compared:
    """One figure of one way. `difference`: the first way less this one; None for the first."""

    figure: str
    way: str
    value: Figure
    difference: Difference | None


def measured(records: Mapping[str, Sequence[Record]], turn: int | None = None) -> Ways:
    """All measures of what came of the questions in each way, or of those of one turn."""
    return {
        way: all_measures([one for one in own if turn in (None, one.turn)])
        for way, own in records.items()
    }


def compared(ways: Ways, names: Sequence[str], seed: int) -> Iterator[Compared]:
    """Each of these figures of each way; those are passed over that the questions have not.

    Args:
        ways: by name.
        names: of figures.
        seed: of the intervals and p-values.
    """
    first = next(iter(ways.values()))
    for name in names:
        if name in first:
            for way, own in ways.items():
                paired = None if own is first else difference(own[name], first[name], seed)
                yield Compared(name, way, figure(own[name], seed), paired)


def compared_table(title: str, found: Sequence[Compared]) -> Table:
    """A row a figure and way; how much more the first way has, with its interval."""
    first = found[0].way
    rows = []
    for own in found:
        name = own.figure if own.way == first else ""
        value, interval, n = cells(own.value, own.figure)
        digits = 1 if own.figure in LENGTHS else 3
        paired = difference_cells(own.difference, digits) if own.difference else ("", "", "")
        rows.append([name, own.way, value, interval, *paired, n])
    interval = "95 % interval"
    columns = ("figure", "way", "value", interval, f"{first} less it", interval, "p", "n")
    return rows_table(title, columns, rows)

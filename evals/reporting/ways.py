"""Several ways of answering the same questions, compared with the first of them, paired."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from rich.table import Table

from evals.metrics.metrics import all_measures
from evals.metrics.statistics import Difference, Figure, difference, figure
from evals.reporting.tables import LENGTHS, cells, difference_cells, rows_table
from evals.running.records import Record

#: Records of the same questions in the same order, by way; the first is what others are held to.
Ways = Mapping[str, Sequence[Record]]


@dataclass(frozen=True, slots=True)
class Compared:
    """One figure of one way. `difference`: the first way less this one; None for the first."""

    figure: str
    way: str
    value: Figure
    difference: Difference | None


def compared(ways: Ways, names: Sequence[str], seed: int) -> Iterator[Compared]:
    """Each of these figures of each way; those are passed over that the questions have not.

    Args:
        ways: what came of the questions in each way.
        names: of figures.
        seed: of the intervals and p-values.
    """
    measures = {way: all_measures(records) for way, records in ways.items()}
    first = next(iter(measures.values()))
    for name in names:
        if name in first:
            for way, own in measures.items():
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


@dataclass(frozen=True, slots=True)
class OfTurn:
    """One figure of the questions of one turn, by way."""

    figure: str
    turn: int
    values: Mapping[str, Figure]


def by_turn(ways: Ways, names: Sequence[str], seed: int) -> Iterator[OfTurn]:
    """Each of these figures, which all questions have, by number of the turn.

    Args:
        ways, names, seed: as for `compared`.
    """
    turns = sorted({record.turn for records in ways.values() for record in records})
    measures = {
        (way, turn): all_measures([own for own in records if own.turn == turn])
        for way, records in ways.items()
        for turn in turns
    }
    for name in names:
        for turn in turns:
            values = {way: figure(measures[way, turn][name], seed) for way in ways}
            yield OfTurn(name, turn, values)


def by_turn_table(found: Sequence[OfTurn]) -> Table:
    """A row a figure and turn; of each way the value with its interval."""
    ways = found[0].values
    rows = []
    for own in found:
        shown = [cell for value in own.values.values() for cell in cells(value, own.figure)[:2]]
        name = own.figure if own.turn == found[0].turn else ""
        rows.append([name, own.turn, *shown, next(iter(own.values.values())).n])
    columns = [text for way in ways for text in (way, "95 % interval")]
    return rows_table("By turn", ("figure", "turn", *columns, "n"), rows)

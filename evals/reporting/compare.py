"""Paired comparisons of two results on the same questions, with the questions that flipped."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from itertools import chain
from pathlib import Path
from typing import Any

from rich.console import Console

from evals.metrics.metrics import all_measures
from evals.metrics.statistics import Difference, difference
from evals.reporting.results import flattened, read_result
from evals.reporting.tables import interval, rows_table, shown
from evals.running.records import RIGHT, judged_alike
from index.errors import QuestionSetError


@dataclass(frozen=True, slots=True)
class Flip:
    """A question that only one of the results has right."""

    set: str
    id: str
    question: str
    a: str
    b: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """The differences between the results A and B.

    Attributes:
        differences: B less A, by figure.
        gained, lost: questions that only B, or only A, has right.
        settings: settings, versions and fingerprints that differ: (A's, B's) by name.
        alone: the number of questions that only one result has; these do not count.
        stricter: True if one result is judged more strictly here than by itself (see
            `Record.strict`).
    """

    differences: Mapping[str, Difference]
    gained: tuple[Flip, ...]
    lost: tuple[Flip, ...]
    settings: Mapping[str, tuple[Any, Any]]
    alone: int
    stricter: bool

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, ready for JSON."""
        return {"footnote_compare": 1, **asdict(self)}


def compare_results(a: Path, b: Path) -> Comparison:
    """Compare two results, written as JSON. Both are judged as strictly as one of them is.

    Raises:
        QuestionSetError: one is not a result, or they are not of the same questions on the same
            documents.
    """
    both = [read_result(file) for file in (a, b)]
    ours, theirs = ({s["name"]: s["sha256"] for s in result["sets"]} for result in both)
    if changed := [n for n in {**ours, **theirs} if ours.get(n) != theirs.get(n)]:
        raise QuestionSetError(
            f"The questions, evidence or documents of {', '.join(changed)} are not the same in {a} "
            f"and {b}: the results do not compare. Run both again on the same sets."
        )
    mine, other = ({(r.set, r.id): r for r in result["records"]} for result in both)
    shared = [key for key in mine if key in other]
    if not shared:
        raise QuestionSetError(f"{a} and {b} have no question in common.")
    before, after = judged_alike(*([records[key] for key in shared] for records in (mine, other)))
    first, second = all_measures(before), all_measures(after)
    flips = [
        Flip(x.set, x.id, x.question, x.outcome, y.outcome)
        for x, y in zip(before, after, strict=True)
        if (x.outcome == RIGHT) != (y.outcome == RIGHT)
    ]
    made = [dict(flattened(result["provenance"])) for result in both]
    return Comparison(
        differences={
            name: difference(first[name], second[name]) for name in first if name in second
        },
        gained=tuple(flip for flip in flips if flip.b == RIGHT),
        lost=tuple(flip for flip in flips if flip.a == RIGHT),
        settings={
            name: (made[0].get(name), made[1].get(name))
            for name in dict.fromkeys(chain(*made))
            if made[0].get(name) != made[1].get(name)
        },
        alone=len(mine.keys() ^ other.keys()),
        stricter=len({records[key].strict for records in (mine, other) for key in shared}) > 1,
    )


def print_comparison(found: Comparison, out: Console) -> None:
    """Print what changed: settings, figures, and the questions that flipped."""
    for name, (ours, theirs) in found.settings.items():
        out.print(f"{name}: {ours} in A, {theirs} in B")
    if found.alone:
        out.print(f"{found.alone} questions are in one of them alone and do not count.")
    if found.stricter:
        out.print(
            "A language model was set in one of them: here an answer of either is right that cites "
            "all of the evidence, a list and an overview too."
        )
    table = rows_table("", ("figure", "A", "B", "difference", "95 % interval", "p", "n"), [])
    for name, change in found.differences.items():
        p = change.p
        values = (shown(change.a, name), shown(change.b, name), shown(change.difference, name, "+"))
        p_shown = "n/a" if p is None else "<.001" if p < 0.001 else f"{p:.3f}"
        bold = "bold" if p is not None and p < 0.05 else None
        table.add_row(name, *values, interval(change, name), p_shown, str(change.n), style=bold)
    out.print(table)
    for title, flips in (("Right in B alone", found.gained), ("Right in A alone", found.lost)):
        out.print(f"{title}: {len(flips)}")
        for flip in flips:
            out.print(f"  {flip.id}  {flip.a} → {flip.b}  {flip.question}", soft_wrap=True)

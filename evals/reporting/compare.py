"""Two results compared on the same questions: differences of figures, and what flipped."""

from __future__ import annotations

from itertools import chain
from pathlib import Path

from rich.console import Console

from evals.metrics.metrics import all_figures, all_measures
from evals.metrics.statistics import difference
from evals.reporting.results import cells, empty_table, flattened, read_result
from evals.running.records import RIGHT, judged_alike
from index.errors import QuestionSetError


def print_comparison(a: Path, b: Path, out: Console) -> None:
    """Print B less A: the settings that differ, each figure with the interval of its difference,
    and the questions that only one has right. Both are judged as strictly as one of them is.

    Args:
        a, b: results, written as JSON.
        out: the console.

    Raises:
        QuestionSetError: one is not a result, or they are not of the same questions on the same
            documents.
    """
    results = [read_result(file) for file in (a, b)]
    ours, theirs = ({s.name: s.sha256 for s in result.sets} for result in results)
    if changed := [name for name in {**ours, **theirs} if ours.get(name) != theirs.get(name)]:
        raise QuestionSetError(
            f"The questions, evidence or documents of {', '.join(changed)} are not the same in {a} "
            f"and {b}: the results do not compare. Run both again on the same sets."
        )
    records = [{(r.set, r.id): r for r in result.records} for result in results]
    shared = [key for key in records[0] if key in records[1]]
    if not shared:
        raise QuestionSetError(f"{a} and {b} have no question in common.")
    before, after = judged_alike(*([of[key] for key in shared] for of in records))

    made = [dict(flattened(result.provenance)) for result in results]
    for name in dict.fromkeys(chain(*made)):
        if made[0].get(name) != made[1].get(name):
            out.print(f"{name}: {made[0].get(name)} in A, {made[1].get(name)} in B")
    if alone := len(records[0].keys() ^ records[1].keys()):
        out.print(f"{alone} questions are in one of them alone and do not count.")
    if len({of[key].strict for of in records for key in shared}) > 1:
        out.print(
            "A language model was set in one of them: here an answer of either is right that cites "
            "all of the evidence, a list and an overview too."
        )
    table = empty_table("figure", "A", "B", "difference", "95 % interval", "n")
    first, second = all_measures(before), all_measures(after)
    values = [all_figures(before), all_figures(after)]
    for name in (name for name in first if name in second):
        found = difference(first[name], second[name])
        sure = found.low is not None and found.high is not None and found.low * found.high > 0
        row = (*(cells(of[name], name)[0] for of in values), *cells(found, name, "+"))
        table.add_row(name, *row, style="bold" if sure else None)
    out.print(table)
    flips = [(x, y) for x, y in zip(before, after, strict=True) if RIGHT in (x.outcome, y.outcome)]
    for number, name in enumerate("BA"):
        alone_right = [flip for flip in flips if flip[number].outcome != RIGHT]
        out.print(f"Right in {name} alone: {len(alone_right)}")
        for x, y in alone_right:
            out.print(f"  {x.id}  {x.outcome} → {y.outcome}  {x.question}", soft_wrap=True)

"""Two results on the same questions: paired differences, and the questions that flipped."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from evals.metrics.metrics import DEPTH, measures
from evals.metrics.statistics import Difference, difference
from evals.reporting import results
from evals.running.records import RIGHT, Record
from index.errors import QuestionSetError


@dataclass(frozen=True, slots=True)
class Flip:
    """A question that one result has right and the other has not."""

    set: str
    id: str
    question: str
    a: str
    b: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """What changed from A to B.

    Attributes:
        differences: by figure, B less A.
        gained, lost: questions that only B, or only A, has right.
        settings: what the two were made with, where it differs: (A's, B's) by name.
        alone: how many questions only one of them has; those do not count.
    """

    differences: Mapping[str, Difference]
    gained: tuple[Flip, ...]
    lost: tuple[Flip, ...]
    settings: Mapping[str, tuple[Any, Any]]
    alone: int

    def to_dict(self) -> dict[str, Any]:
        """As plain values, ready for JSON."""
        return {
            "footnote_compare": 1,
            "differences": {name: asdict(own) for name, own in self.differences.items()},
            "gained": [asdict(flip) for flip in self.gained],
            "lost": [asdict(flip) for flip in self.lost],
            "settings": {name: list(pair) for name, pair in self.settings.items()},
            "alone": self.alone,
        }


def compare(a: Path, b: Path, seed: int = 0) -> Comparison:
    """Compare two results, written as JSON.

    Raises:
        QuestionSetError: one is no result, or they are not of the same questions on the same
            documents.
    """
    ours, theirs = results.read(a), results.read(b)
    _same_sets(a, ours, b, theirs)
    mine, other = _by_question(ours), _by_question(theirs)
    shared = [key for key in mine if key in other]
    if not shared:
        raise QuestionSetError(f"{a} and {b} have no question in common.")
    before, after = [mine[key] for key in shared], [other[key] for key in shared]
    k = min(int(r["provenance"]["settings"].get("k", DEPTH)) for r in (ours, theirs))
    first, second = measures(before, k), measures(after, k)
    flips = [
        Flip(x.set, x.id, x.question, x.outcome, y.outcome)
        for x, y in zip(before, after, strict=True)
        if (x.outcome == RIGHT) != (y.outcome == RIGHT)
    ]
    return Comparison(
        differences={name: difference(first[name], second[name], seed) for name in first},
        gained=tuple(flip for flip in flips if flip.b == RIGHT),
        lost=tuple(flip for flip in flips if flip.a == RIGHT),
        settings=_different(ours["provenance"], theirs["provenance"]),
        alone=len(mine.keys() ^ other.keys()),
    )


def _same_sets(a: Path, ours: Mapping[str, Any], b: Path, theirs: Mapping[str, Any]) -> None:
    hashes = [{s["name"]: s["sha256"] for s in r["sets"]} for r in (ours, theirs)]
    if hashes[0].keys() != hashes[1].keys():
        raise QuestionSetError(
            f"{a} is of {', '.join(hashes[0])} and {b} of {', '.join(hashes[1])}: results of "
            "different sets do not compare."
        )
    changed = [name for name, own in hashes[0].items() if hashes[1][name] != own]
    if changed:
        raise QuestionSetError(
            f"The questions, evidence or documents of {', '.join(changed)} are not the same in {a} "
            f"({hashes[0][changed[0]][:12]}) and {b} ({hashes[1][changed[0]][:12]}): the results "
            "do not compare. Run both anew on one set."
        )


def _by_question(result: Mapping[str, Any]) -> dict[tuple[str, str], Record]:
    return {(record.set, record.id): record for record in result["records"]}


def _different(a: Mapping[str, Any], b: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    ours, theirs = dict(_flat(a)), dict(_flat(b))
    names = dict.fromkeys([*ours, *theirs])
    return {n: (ours.get(n), theirs.get(n)) for n in names if ours.get(n) != theirs.get(n)}


def _flat(values: Mapping[str, Any], before: str = "") -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    for name, value in values.items():
        if isinstance(value, dict):
            found += _flat(value, f"{before}{name}.")
        else:
            found.append((before + name, value))
    return found

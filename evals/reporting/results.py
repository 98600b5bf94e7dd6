"""Results: the figures of a run with its records and what they were made with, as JSON.

    {"footnote_eval": 4,
     "sets": [{"name", "format", "sha256", "questions", "asked", "drafts", "notes", "figures"}],
     "figures": {"hit@1": {"value", "n", "low", "high"}, ...},      over the questions of all sets
     "turns": {"1": {...}, "2": {...}},                             where a set has conversations
     "parts": {"seed › report.txt": {...}, ...},                    by set and document
     "reliability": [...], "risk_coverage": {...},                  the curves of the report
     "provenance": {...}, "seed": 0,
     "records": [...],                                              one a question
     "speed": {"total": {"p50": {...}, "p95": {...}}, ...}}         milliseconds by stage

Two runs of the same give the same but for `speed` and the records' `timings_ms`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import TypeAdapter

from evals.metrics.confidence import reliability, risk_coverage
from evals.metrics.metrics import all_figures, part_figures
from evals.metrics.statistics import Figure, Measure, figure
from evals.running.records import Record
from evals.running.runner import SetRun
from index.errors import QuestionSetError, UnreadableError

FORMAT = 4


@dataclass(frozen=True, slots=True)
class SetFigures:
    """One set's name and figures, and what of it was asked."""

    name: str
    format: str
    sha256: str
    questions: int
    asked: int
    drafts: int
    notes: tuple[str, ...]
    figures: Mapping[str, Figure]


@dataclass(frozen=True, slots=True)
class Result:
    """The result of one or more sets, asked with one set of settings.

    Attributes:
        sets: each with its figures.
        figures: over the questions of all sets.
        turns: the same by number of the turn; empty where no question has a history.
        parts: what became of the questions by set, and by the document that they name; empty where
            that is one.
        speed: p50 and p95 of milliseconds by stage.
        records: of all sets.
        provenance: see `evals.running.provenance`.
        seed: of the intervals.
    """

    sets: tuple[SetFigures, ...]
    figures: Mapping[str, Figure]
    turns: Mapping[int, Mapping[str, Figure]]
    parts: Mapping[str, Mapping[str, Figure]]
    speed: Mapping[str, Mapping[str, Figure]]
    records: tuple[Record, ...]
    provenance: Mapping[str, Any]
    seed: int

    def to_dict(self) -> dict[str, Any]:
        """As plain values, ready for JSON."""
        coverage, risk = risk_coverage(self.records)
        figures = TypeAdapter(Result).dump_python(self, mode="json", exclude={"records"})
        return {
            "footnote_eval": FORMAT,
            **figures,
            "reliability": [asdict(group) for group in reliability(self.records)],
            "risk_coverage": {"coverage": coverage, "risk": risk},
            "records": [record.to_dict() for record in self.records],
        }

    def misses(self, floors: Mapping[str, float]) -> list[str]:
        """A sentence for each floor that a set does not reach.

        A figure that a set has nothing for is held against the other sets alone; that no set has
        anything for is a miss.

        Raises:
            QuestionSetError: there is no figure of that name.
        """
        found = []
        for name, floor in floors.items():
            if name not in self.figures:
                raise QuestionSetError(
                    f"There is no figure {name!r}. There are: {', '.join(self.figures)}."
                )
            if self.figures[name].value is None:
                found.append(f"{name} is n/a, and must be at least {floor:g}.")
            for of_set in self.sets:
                value = of_set.figures[name].value if name in of_set.figures else None
                if value is not None and value < floor:
                    found.append(f"{name} of {of_set.name} is {value:.4f}, below {floor:g}.")
        return found


def result_of(runs: Sequence[SetRun], k: int, seed: int) -> Result:
    """Work out the figures of runs that were made with the same settings."""
    records = tuple(record for run in runs for record in run.records)
    sets = tuple(
        SetFigures(
            name=run.questions.name,
            format=run.questions.format,
            sha256=run.sha256,
            questions=len(run.questions.questions),
            asked=len(run.records),
            drafts=run.questions.drafts,
            notes=run.questions.notes,
            figures=all_figures(run.records, k, seed),
        )
        for run in runs
    )
    turns = sorted({record.turn for record in records})
    parts: dict[str, list[Record]] = {}
    for record in records:
        name = " › ".join(filter(None, (record.set, record.document)))
        parts.setdefault(name, []).append(record)
    return Result(
        sets=sets,
        figures=sets[0].figures if len(sets) == 1 else all_figures(records, k, seed),
        turns={turn: all_figures([r for r in records if r.turn == turn], k, seed) for turn in turns}
        if turns != [1]
        else {},
        parts={name: part_figures(of_part, seed) for name, of_part in parts.items()}
        if len(parts) > 1
        else {},
        speed=_speed(records, seed),
        records=records,
        provenance=runs[0].provenance,
        seed=seed,
    )


def write_json(path: Path, data: Mapping[str, Any]) -> None:
    """Write plain values as JSON.

    Raises:
        UnreadableError: the file cannot be written.
    """
    write_text(path, json.dumps(data, ensure_ascii=False, indent=1) + "\n")


def write_text(path: Path, text: str) -> None:
    """Write a file.

    Raises:
        UnreadableError: it cannot be written.
    """
    try:
        path.write_text(text, encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        raise UnreadableError(f"{path} cannot be written: {error.strerror}.") from error


def read_result(path: Path) -> dict[str, Any]:
    """Read a result that was written as JSON: the same plain values, with `records` as `Record`s.

    Raises:
        QuestionSetError: the file is not a result.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        if data["footnote_eval"] != FORMAT:
            raise ValueError(f"its format is {data['footnote_eval']!r}")
        data["records"] = [Record.from_dict(record) for record in data["records"]]
    except OSError as error:
        raise QuestionSetError(f"{path} cannot be read: {error.strerror}.") from error
    except (ValueError, KeyError, TypeError) as error:
        raise QuestionSetError(
            f"{path} is not a result ({error}). Make one with: footnote eval SET --json {path}"
        ) from error
    return dict(data)


def flattened(values: Mapping[str, Any], separator: str = ".") -> Iterator[tuple[str, Any]]:
    """The leaves of nested values, each under the names on the way to it, joined."""
    for name, value in values.items():
        if isinstance(value, dict):
            for below, leaf in flattened(value, separator):
                yield f"{name}{separator}{below}", leaf
        else:
            yield name, value


def made_with(provenance: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What a result was made with, as (name, value) for display."""
    return [
        (name, ", ".join(map(str, value)) if isinstance(value, list) else str(value))
        for name, value in flattened(provenance, " › ")
        if value is not None
    ]


def _speed(records: Sequence[Record], seed: int) -> dict[str, dict[str, Figure]]:
    stages = dict.fromkeys(stage for record in records for stage in record.timings_ms)
    found: dict[str, dict[str, Figure]] = {}
    for stage in stages:
        times = np.array([r.timings_ms[stage] for r in records if stage in r.timings_ms], float)
        everyone = np.ones(len(times), bool)
        found[stage] = {}
        for share in (50, 95):
            percentile = partial(np.percentile, q=share, axis=-1)
            measure = Measure((times,), percentile, len(times), everyone)
            found[stage][f"p{share}"] = figure(measure, seed)
    return found

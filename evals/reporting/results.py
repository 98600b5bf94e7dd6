"""The result of a run, and its JSON:

{"footnote_eval": 5,
 "sets": [{"name", "format", "sha256", "questions", "asked", "drafts", "notes", "figures"}],
 "figures": {"hit@1": {"value", "n", "low", "high"}, ...},    over the questions of all sets
 "outcomes": {"answerable": {"right": 65, ...}, "unanswerable": {...}},
 "provenance": {...},                                         see `evals.running.provenance`
 "records": [...]}                                            see `evals.running.records`
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from evals.metrics.metrics import all_figures
from evals.metrics.statistics import Figure
from evals.running.records import Record
from evals.running.runner import SetRun
from index.errors import QuestionSetError, UnreadableError

FORMAT = 5


@dataclass(frozen=True, slots=True)
class SetFigures:
    """The name and figures of one set, and how many of its questions were asked."""

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
    """The result of one or more sets, asked with the same settings.

    Attributes:
        sets: each set with its figures.
        figures: figures over the questions of all sets.
        outcomes: the number of answerable and of unanswerable questions by outcome.
        provenance: see `evals.running.provenance`.
        records: the records of all sets.
    """

    sets: tuple[SetFigures, ...]
    figures: Mapping[str, Figure]
    outcomes: Mapping[str, Mapping[str, int]]
    provenance: Mapping[str, Any]
    records: tuple[Record, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, ready for JSON."""
        figures = TypeAdapter(Result).dump_python(self, mode="json", exclude={"records"})
        records = [record.to_dict() for record in self.records]
        return {"footnote_eval": FORMAT, **figures, "records": records}

    def misses(self, floors: Mapping[str, float]) -> list[str]:
        """Return a sentence for each floor that a set does not reach.

        A figure that a set has nothing for is held against the other sets alone; a figure that no
        set has anything for is a miss.

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


def result_of(runs: Sequence[SetRun]) -> Result:
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
            figures=all_figures(run.records),
        )
        for run in runs
    )
    outcomes = {
        kind: dict(Counter(r.outcome for r in records if r.answerable == answerable).most_common())
        for kind, answerable in (("answerable", True), ("unanswerable", False))
    }
    figures = sets[0].figures if len(sets) == 1 else all_figures(records)
    return Result(sets, figures, outcomes, runs[0].provenance, records)


def write_text(path: Path, text: str) -> None:
    """Write a file.

    Raises:
        UnreadableError: the file cannot be written.
    """
    try:
        path.write_text(text, encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        raise UnreadableError(f"{path} cannot be written: {error.strerror}.") from error


def read_result(path: Path) -> dict[str, Any]:
    """Return a result as plain values, with `records` as `Record`s.

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
            f"{path} is not a result ({error}). Make one with: footnote eval run SET --json {path}"
        ) from error
    return dict(data)


def flattened(values: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield the leaves of nested values, each under the names on the way to it, with dots."""
    for name, value in values.items():
        if isinstance(value, dict):
            for below, leaf in flattened(value):
                yield f"{name}.{below}", leaf
        else:
            yield name, value

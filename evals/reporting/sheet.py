"""Answers to be read by a person, blind, and what that person found.

A sheet is Markdown: each answer with its question, its quotes and the reference answer, and nothing
of the system that gave it. The same answer of two systems stands there once. An answer is known
again by a hash of what is shown of it; that is their order, too, so that it tells nothing.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.table import Table

from evals.datasets.json_lines import read_text
from evals.reporting.report import render
from evals.reporting.results import empty_table
from evals.running.records import FAILED, OPEN, RIGHT, UNFOUNDED, WRONG, Record
from index.errors import QuestionSetError

#: The grade of an answer that is not given, or which says in its own words that there is none.
WITHHELD = "withheld"
GRADES = ("right", "partly", "wrong", WITHHELD)
#: Of an answer that cites the evidence, and of one that nobody has read yet.
BY_EVIDENCE, UNREAD = "right by its citations", "not read yet"
#: What stands for an answer that is not to be given. Grades are kept by what is read with them, so
#: that those given already are only found by these words.
REFUSED = "The documents do not say."

_ENTRY = re.compile(r"^## \d+ · ([0-9a-f]{12})$(.*?)^Grade:([^\n]*)$", re.MULTILINE | re.DOTALL)


def sheet_of(records: Sequence[Record]) -> str:
    """Return a sheet of the answers that are neither right by what they cite nor withheld.

    Args:
        records: the records of one system, or of several.

    Raises:
        QuestionSetError: no answer has to be read.
    """
    chosen = {
        _key(record): record for record in records if record.outcome in (OPEN, WRONG, UNFOUNDED)
    }
    if not chosen:
        raise QuestionSetError("There is no answer to be read: all are right or withheld.")
    return render(
        "sheet.md",
        records=sorted(chosen.items()),
        grades=GRADES,
        refusal=REFUSED,
        line=_line,
        shown_of=shown_of,
    )


def grades_of(sheet: Path, records: Sequence[Record]) -> dict[str, Counter[str]]:
    """Return how many answerable and unanswerable questions have each grade: a reader's, or else
    what the citations tell.

    Raises:
        QuestionSetError: the file is not a sheet, or a grade is unknown.
    """
    grades = {key: grade.strip().lower() for key, _, grade in _ENTRY.findall(read_text(sheet))}
    if not grades:
        raise QuestionSetError(f"{sheet} is not a sheet of answers. Name a file that is not there.")
    for key, grade in grades.items():
        if grade and grade not in GRADES:
            raise QuestionSetError(
                f"{sheet}: the grade of {key} is {grade!r}; it must be {', '.join(GRADES)}, or "
                "nothing yet."
            )
    counts = {name: Counter[str]() for name in ("answerable", "unanswerable")}
    for record in records:
        found = BY_EVIDENCE if record.outcome == RIGHT else UNREAD
        if record.outcome == FAILED:
            found = FAILED
        elif not record.answered:
            found = WITHHELD
        elif grade := grades.get(_key(record)):
            found = grade
        counts["answerable" if record.answerable else "unanswerable"][found] += 1
    return counts


def grades_table(counts: Mapping[str, Mapping[str, Counter[str]]]) -> Table:
    """Return a table with a column for each system's `grades_of`, by its name."""
    table = empty_table("", *counts)
    for about in ("answerable", "unanswerable"):
        columns = [count[about] for count in counts.values()]
        table.add_row(f"{about} questions", *(str(column.total()) for column in columns))
        for grade in (BY_EVIDENCE, *GRADES, UNREAD, FAILED):
            if any(column[grade] for column in columns):
                table.add_row(f"  {grade}", *(str(column[grade]) for column in columns))
    return table


def shown_of(record: Record) -> list[str]:
    """An answer as it is shown: its sentences with their markers, and what it says is missing."""
    proofs = [proof.citations for proof in record.proofs] or [()] * len(record.sentences)
    lines = [
        _line(text) + "".join(f" [{n + 1}]" for n in cited)
        for text, cited in zip(record.sentences, proofs, strict=True)
    ]
    if record.unanswered:
        lines.append(f"{REFUSED.removesuffix('.')}: {_line(' '.join(record.unanswered))}")
    return lines


def _key(record: Record) -> str:
    shown = [record.set, record.id, *shown_of(record), *(c.quote for c in record.citations)]
    return hashlib.sha256(json.dumps(shown).encode()).hexdigest()[:12]


def _line(text: str) -> str:
    return " ".join(text.split())

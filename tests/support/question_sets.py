"""What the tests of the evaluation share: where the shipped questions are, and small sets."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from helpers import ROOT

from evals.datasets.gold import Gold
from evals.running.records import Record

SEED = ROOT / "evals" / "questions" / "seed.jsonl"
#: Plain questions, unanswerable ones and follow-ups of the shipped set.
CHOSEN = (*range(6), 9, *range(80, 83), *range(116, 122))

NOTHING = Gold()
MILL = "The mill burned down in 1871."

#: Questions of a town, and the quotes of its document that answer them; others it does not answer.
TOWN = {
    "When did the mill burn down?": MILL,
    "Who built the mill anew?": "It was built anew by the miller's two sons.",
    "How long is the bridge?": "The bridge is 90 metres long.",
    "Who owns the ferry?": None,
    "What does the school teach?": "The school teaches reading and masonry.",
    "When is the pope born?": None,
}

Eval = Callable[..., str]
"""`footnote eval` in this process: gives what it prints and checks its exit code."""


def write(file: Path, *lines: Any) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    texts = [line if isinstance(line, str) else json.dumps(line) for line in lines]
    file.write_text("\n".join(texts) + "\n")
    return file


def read(file: Path) -> dict[str, Any]:
    data: dict[str, Any] = json.loads(file.read_text())
    return data


def made_record(**given: Any) -> Record:
    """A record of an answered question, but for what is given."""
    made = Record("s", "q", "Q?", "", True, (), "Q?", NOTHING, (), "answered", 1.0, (), (), None)
    return replace(made, **given)

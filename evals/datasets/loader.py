"""Reads a question set, whatever its format, which is told by what is there and not by a flag.

- **native**: JSON Lines, one question a line. `evidence` holds all that the answer needs; an item
  that is a list holds alternatives. A line `{"documents": ["report.txt"]}` names the documents, by
  paths from the set's folder; they may also be given beside it (`--source`). A question with
  `document`, the name of a file, is asked of that one alone, and left out where it is not given.
  Two kinds have figures of their own: overviews (`overview`, `document`, or `section` for a part;
  `evidence` holds the key sentences, `abstract` what people wrote as one) and lists (`list`, or
  `other number` where the question has the number wrong; `evidence` holds the items).

      {"id": "q1", "question": "...", "answerable": true, "kind": "fact",
       "evidence": ["exact quote", ["either this quote", "or this one"]],
       "also_supports": ["exact quote"], "answers": ["short answer"],
       "history": [{"role": "user", "content": "..."}, ...]}

- **passages**: a folder of `corpus.jsonl` (`id`, `text`) and `questions.jsonl` (as above, with
  `gold`, the ids of the passages that answer, in place of `evidence`).
- **SQuAD** 1.1 or 2.0: a JSON file (`evals.datasets.squad`).
- **BEIR**: a folder (`evals.datasets.beir`).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from evals.datasets.beir import read_beir
from evals.datasets.json_lines import read_text
from evals.datasets.models import QuestionSet
from evals.datasets.native import read_native, read_passages
from evals.datasets.squad import read_squad
from index.errors import QuestionSetError


def read_set(path: Path) -> QuestionSet:
    """Read a question set of any of the formats.

    Raises:
        QuestionSetError: it is malformed, or of no known format; names file, line and reason.
        DocumentError: a document that the set names cannot be read.
    """
    if path.is_dir():
        names = {file.name for file in path.iterdir()}
        if {"corpus.jsonl", "queries.jsonl"} <= names:
            return read_beir(path)
        if {"corpus.jsonl", "questions.jsonl"} <= names:
            return read_passages(path)
        raise QuestionSetError(
            f"{path} holds {', '.join(sorted(names)[:6]) or 'nothing'}. A folder must hold "
            "corpus.jsonl with questions.jsonl, or corpus.jsonl with queries.jsonl and qrels/."
        )
    text = read_text(path)
    return read_squad(path, text) if _is_one_object(text) else read_native(path, text)


def read_sets(paths: Sequence[Path]) -> list[QuestionSet]:
    """Read several question sets.

    Raises:
        QuestionSetError: as `read_set`, or two sets have the same name.
        DocumentError: as `read_set`.
    """
    sets = {own.name: own for own in map(read_set, paths)}
    if len(sets) < len(paths):
        raise QuestionSetError("Two sets have the same name. Rename one of them.")
    return list(sets.values())


def _is_one_object(text: str) -> bool:
    """Whether the file is a JSON object over several lines, or one of SQuAD's on a single line."""
    head, _, rest = text.lstrip().partition("\n")
    try:
        first = json.loads(head)
    except ValueError:
        return head.startswith("{") and '"data"' in text and '"paragraphs"' in text
    return isinstance(first, dict) and "data" in first and not rest.strip()

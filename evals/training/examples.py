"""What the reading model learns from, as text: one line of JSON an example, in a gzipped file.

Two kinds. A *passage*: a question, the sentences of a paragraph, and which of them answer. A
*pair*: a claim, a premise, and whether the premise entails the claim. `making` writes them,
`score` adds a teacher's logits, `train` reads them.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

#: The label of a sentence that is not learned from.
MASKED = -1


@dataclass(frozen=True, slots=True)
class Passage:
    """A question and a paragraph.

    Attributes:
        labels: of the sentences: 1, 0 or MASKED.
        answers: whether the paragraph answers.
        kind: what it was made of, and how.
        held_out: for testing only: its text is not among those to learn from.
        heading: what stands above it, as `reading_model.above` gives it.
        sentence_logits, logit: a teacher's, of the sentences and of the paragraph.
    """

    question: str
    sentences: tuple[str, ...]
    labels: tuple[int, ...]
    answers: int
    kind: str = ""
    held_out: bool = False
    heading: str = ""
    sentence_logits: tuple[float, ...] | None = None
    logit: float | None = None


@dataclass(frozen=True, slots=True)
class Pair:
    """A claim, a premise, and whether the premise entails the claim; the rest as in `Passage`."""

    claim: str
    premise: str
    entailed: int
    kind: str = ""
    held_out: bool = False
    logit: float | None = None


Example = Passage | Pair


def write_examples(path: Path, examples: Iterable[Example]) -> None:
    """Write a file, whole or not at all."""
    partial = path.with_name(path.name + ".partial")
    with gzip.open(partial, "wt", encoding="utf-8", compresslevel=4) as lines:
        for example in examples:
            known = {k: v for k, v in asdict(example).items() if v is not None}
            lines.write(json.dumps(known, ensure_ascii=False) + "\n")
    partial.replace(path)


def read_examples(path: Path) -> Iterator[Example]:
    """The examples of a file, in its order."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            record = json.loads(line)
            if "claim" in record:
                yield Pair(**record)
            else:
                for name in ("sentences", "labels", "sentence_logits"):
                    if name in record:
                        record[name] = tuple(record[name])
                yield Passage(**record)

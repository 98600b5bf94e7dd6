"""What the reading model learns from, as text: one line of JSON an example, in a gzipped file.

Two kinds. A *passage*: a question, the sentences of a paragraph, and which of them answer. A
*pair*: a claim, a premise, and whether the premise entails the claim. `making` makes them of
labelled documents and writes them, `reader` reads them.
"""

from __future__ import annotations

import gzip
import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from pydantic import TypeAdapter

from assistant.query.english import content_stems

#: Of other texts, those that something is held against which is not said there: the nearest. Not
#: tuned.
NEAR = 4

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class LabelledParagraph:
    """A paragraph below a heading, what is asked about it and what is claimed.

    Attributes:
        questions: with the numbers of the sentences that answer, from 1; none where nothing does.
        claims: with whether it supports them.
    """

    heading: str
    sentences: tuple[str, ...]
    questions: list[tuple[tuple[int, ...], str]] = field(default_factory=list)
    claims: list[tuple[bool, str]] = field(default_factory=list)

    @property
    def text(self) -> str:
        """Its sentences in a row."""
        return " ".join(self.sentences)


@dataclass(frozen=True, slots=True)
class LabelledDocument:
    """A document, none of whose paragraphs answers what is asked about another.

    Attributes:
        kind: what it is of; what is made of it is named after that.
        held_out: for testing only.
    """

    title: str
    paragraphs: list[LabelledParagraph] = field(default_factory=list)
    kind: str = "authored"
    held_out: bool = False


@dataclass(frozen=True, slots=True)
class Passage:
    """A question and a paragraph.

    Attributes:
        labels: of the sentences, 1 where one answers.
        answers: whether the paragraph answers.
        kind: what it was made of, and how.
        held_out: for testing only: its text is not among those to learn from.
        heading: what stands above it, as `reading_model.above` gives it.
    """

    question: str
    sentences: tuple[str, ...]
    labels: tuple[int, ...]
    answers: int
    kind: str = ""
    held_out: bool = False
    heading: str = ""


@dataclass(frozen=True, slots=True)
class Pair:
    """A claim, a premise, and whether the premise entails the claim; the rest as in `Passage`.

    Attributes:
        question: what the claim answers.
        contradicted: whether the premise states the contrary; None where that is not known.
        unsaid: which characters of the claim the premise does not say, as spans; None where that is
            not known.
    """

    claim: str
    premise: str
    entailed: int
    kind: str = ""
    held_out: bool = False
    question: str = ""
    contradicted: int | None = None
    unsaid: tuple[tuple[int, int], ...] | None = None


Example = Passage | Pair


def as_typed(question: str, small: float, chance: random.Random) -> str:
    """A question, for such a share of them in small letters and without its mark."""
    return question.lower().rstrip("?.") if chance.random() < small else question


def nearest(text: str, others: Sequence[T], said: Callable[[T], str]) -> list[T]:
    """Of others, by what they say, the NEAR that have most words of a text for their length."""
    stems = content_stems(text)

    def near(other: T) -> float:
        there = content_stems(said(other))
        return float(len(stems & there) / (5 + len(there) ** 0.5))

    return sorted(others, key=near, reverse=True)[:NEAR]


_LINES: TypeAdapter[Example] = TypeAdapter(Example)


def write_examples(path: Path, examples: Iterable[Example]) -> None:
    """Write a file, whole or not at all."""
    partial = path.with_name(path.name + ".partial")
    with gzip.open(partial, "wb", compresslevel=4) as lines:
        lines.writelines(_LINES.dump_json(example) + b"\n" for example in examples)
    partial.replace(path)


def read_examples(path: Path) -> Iterator[Example]:
    """The examples of a file, in its order."""
    with gzip.open(path) as lines:
        yield from map(_LINES.validate_json, lines)

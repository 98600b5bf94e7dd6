"""Examples of which shared words tell little: `python -m evals.training.thinning EXAMPLES OUTPUT`.

Most questions that people wrote beside a text share more words with what answers them than with
what does not, and a reader learns to count these. Here passages are left out by chance until those
that answer share about as many words with the question as those that do not. Pairs, held-out
examples, single sentences, passages whose answer is not told to the sentence and what was written
for this (`authored`) stay as they are.
"""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from numpy.typing import NDArray

from evals.training.authored import KIND
from evals.training.examples import Example, Pair, Passage, read_examples, write_examples
from index.terms.analysis import terms_of

#: Classes of shares of words in common, 0..1.
CLASSES = 10
#: How far the shares of those that answer go towards those of the others: 1 goes all the way, and
#: leaves fewer of them. Not tuned.
TOWARDS = 1.6
#: Of those whose answer is the sentence that has most words in common, so many stay; of those that
#: do not answer likewise, and again of those that share less than FEW. Not tuned.
KEPT, FEW = 0.6, 0.3
#: The kind of questions that people wrote to have no answer: there are few, and they all stay.
RARE = "unanswerable"


def thin(
    examples: Annotated[Path, typer.Argument(help="What `making` wrote.")],
    output: Annotated[Path, typer.Argument(help="The file to write, .jsonl.gz.")],
    most: Annotated[
        int | None,
        typer.Option(help="So many passages and so many pairs, besides what was written for this."),
    ] = None,
    seed: int = 1,
) -> None:
    """Write the examples that stay; the same arguments give the same file."""
    left = thinned(list(read_examples(examples)), seed)
    write_examples(output, left if most is None else fewer(left, most, seed))


def fewer(examples: Sequence[Example], most: int, seed: int) -> list[Example]:
    """The examples with at most so many passages and so many pairs to learn from, chosen by chance,
    besides those that were written for this: then these are a larger part."""
    left_out = set[int]()
    for sort in (Passage, Pair):
        others = [
            number
            for number, own in enumerate(examples)
            if isinstance(own, sort) and not own.held_out and not own.kind.startswith(KIND)
        ]
        random.Random(seed).shuffle(others)  # noqa: S311 (not for secrets)
        left_out |= set(others[most:])
    return [own for number, own in enumerate(examples) if number not in left_out]


def thinned(examples: Sequence[Example], seed: int) -> list[Example]:
    """Those of the examples that stay, in order."""
    chance = random.Random(seed)  # noqa: S311 (not for secrets)
    passages = [e for e in examples if isinstance(e, Passage)]
    shares = iter(_shares(passages))
    known = [None if isinstance(e, Pair) else next(shares) for e in examples]
    answering = [own[0] for own in known if own and own[0] is not None]
    others = [
        own[1]
        for e, own in zip(examples, known, strict=True)
        if own and isinstance(e, Passage) and not e.answers
    ]
    ratio = _spread(others) / np.maximum(_spread(answering), 1e-9) / TOWARDS
    return [
        example
        for example, own in zip(examples, known, strict=True)
        if chance.random() < _part_kept(example, own, ratio)
    ]


def _part_kept(
    example: Example, shares: tuple[float | None, float] | None, ratio: NDArray[np.float64]
) -> float:
    """What part of the examples like this one stays."""
    if not isinstance(example, Passage) or shares is None:
        return 1.0
    if example.held_out or len(example.sentences) == 1 or example.kind.startswith(KIND):
        return 1.0
    answer, best = shares
    if not example.answers:
        return (KEPT if best < FEW else 1.0) * (1.0 if example.kind == RARE else KEPT)
    if answer is None:
        return 1.0
    return float(ratio[_class_of(answer)]) * (KEPT if answer >= best else 1.0)


def _shares(passages: Sequence[Passage]) -> list[tuple[float | None, float]]:
    """Of each passage, the share of the question's terms, weighed by how rare they are, that the
    answering sentence holds, if it is told which it is, and that the one holds which holds most."""
    terms = [[set(terms_of(s)) for s in passage.sentences] for passage in passages]
    found = Counter(term for own in terms for term in set[str]().union(*own))
    weights = {t: math.log(len(passages) / (1 + count) + 1) for t, count in found.items()}
    rarest = math.log(len(passages) + 1)
    return [_shares_of(p, own, weights, rarest) for p, own in zip(passages, terms, strict=True)]


def _shares_of(
    passage: Passage, sentences: Sequence[set[str]], weights: Mapping[str, float], rarest: float
) -> tuple[float | None, float]:
    asked = {term: weights.get(term, rarest) for term in terms_of(passage.question)}
    total = sum(asked.values()) or 1.0
    shares = [sum(asked[t] for t in asked.keys() & own) / total for own in sentences]
    answering = [share for share, label in zip(shares, passage.labels, strict=True) if label == 1]
    return max(answering, default=None), max(shares, default=0.0)


def _class_of(share: float) -> int:
    return min(int(share * CLASSES), CLASSES - 1)


def _spread(shares: Sequence[float]) -> NDArray[np.float64]:
    """What part of them is in each class."""
    counts = np.bincount([_class_of(share) for share in shares], minlength=CLASSES)
    return counts / max(1, len(shares))


if __name__ == "__main__":
    typer.run(thin)

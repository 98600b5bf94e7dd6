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
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from evals.training.authored import KIND
from evals.training.examples import Example, Pair, Passage, read_examples, write_examples
from index.terms.analysis import terms_of

#: Classes of shares of words in common, 0..1.
CLASSES = 10
#: How far the shares of those that answer go towards those of the others: 1 goes all the way, and
#: leaves fewer of them. Not tuned.
TOWARDS = 1.6


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
    weights = _rareness([own for own in examples if isinstance(own, Passage)])
    shares = [_share(own, weights) for own in examples]
    spreads = []
    for answers in (False, True):
        own = [
            share
            for share, example in zip(shares, examples, strict=True)
            if share is not None
            and isinstance(example, Passage)
            and bool(example.answers) == answers
        ]
        counts, _ = np.histogram(own, bins=CLASSES, range=(0, 1))
        spreads.append(counts / max(1, len(own)))
    ratio = spreads[0] / np.maximum(spreads[1], 1e-9) / TOWARDS

    def part_kept(example: Example, share: float | None) -> float:
        if share is None or isinstance(example, Pair) or not example.answers:
            return 1.0
        return float(ratio[min(int(share * CLASSES), CLASSES - 1)])

    return [
        example
        for example, share in zip(examples, shares, strict=True)
        if chance.random() < part_kept(example, share)
    ]


def _rareness(passages: Sequence[Passage]) -> dict[str, float]:
    """How much each term of the passages weighs: more, the fewer of them have it."""
    found = Counter(term for own in passages for term in set(terms_of(" ".join(own.sentences))))
    return {term: math.log(len(passages) / (1 + n) + 1) for term, n in found.items()}


def _share(example: Example, weights: dict[str, float]) -> float | None:
    """The share of the question's terms, weighed by how rare they are, that the answering sentence
    holds, or, where none answers, the one that holds most; None of what stays as it is."""
    if isinstance(example, Pair) or example.held_out or example.kind.startswith(KIND):
        return None
    rarest = math.log(len(weights) + 1)
    asked = {term: weights.get(term, rarest) for term in terms_of(example.question)}
    total = sum(asked.values()) or 1.0
    shares = [
        sum(asked[term] for term in asked.keys() & set(terms_of(sentence))) / total
        for sentence, label in zip(example.sentences, example.labels, strict=True)
        if label == example.answers
    ]
    return max(shares) if shares and len(example.sentences) > 1 else None


if __name__ == "__main__":
    typer.run(thin)

"""A teacher's logits for examples: `python -m evals.training.score FOLDER EXAMPLES OUTPUT`.

Writes the same examples with what a trained model (a bigger one than what ships) says of them, for
`train` to learn from. Interrupted, the same command goes on where it was.
"""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import torch
import typer

from evals.training.deberta import shift_positions
from evals.training.examples import Example, Passage, read_examples, write_examples
from evals.training.model import ReadingModel, read_weights
from evals.training.train import batches

#: Examples that are read and then written together.
PART = 4096


def score(
    folder: Annotated[Path, typer.Argument(help="What training wrote: the teacher.")],
    examples: Annotated[Path, typer.Argument(help="What `making` wrote.")],
    output: Annotated[Path, typer.Argument(help="The examples with logits, .jsonl.gz.")],
    limit: Annotated[int | None, typer.Option(help="Score so many, chosen by chance.")] = None,
    tokens: Annotated[int, typer.Option(help="Tokens read together, with padding.")] = 4096,
    sentences: Annotated[
        bool, typer.Option(help="Whether it teaches which sentence answers, too.")
    ] = True,
    seed: int = 1,
) -> None:
    """Write the examples with the teacher's logits; those left out stay without."""
    model = ReadingModel(folder)
    model.load(read_weights(folder))
    shift_positions(model.encoder)
    model.eval()
    known = list(read_examples(examples))
    chance = random.Random(seed)  # noqa: S311 (not for secrets)
    order = [i for i, example in enumerate(known) if not example.held_out]
    chance.shuffle(order)
    order = order[:limit]
    parts = output.with_name(output.name + ".parts")
    parts.mkdir(exist_ok=True)
    started = time.monotonic()
    for number, start in enumerate(range(0, len(order), PART)):
        path = parts / f"{number:04}.jsonl.gz"
        numbers = order[start : start + PART]
        if path.exists():
            scored: Sequence[Example] = list(read_examples(path))
        else:
            scored = _scored(model, [known[i] for i in numbers], tokens, sentences, chance)
            write_examples(path, scored)
            done = start + len(numbers)
            print(f"{done:,} of {len(order):,}, {time.monotonic() - started:.0f} s", flush=True)  # noqa: T201
        for i, example in zip(numbers, scored, strict=True):
            known[i] = example
    write_examples(output, known)


def _scored(
    model: ReadingModel,
    examples: Sequence[Example],
    tokens: int,
    sentences: bool,
    chance: random.Random,
) -> list[Example]:
    """The examples with logits, in order."""
    found: dict[int, Example] = {}
    for kind in (True, False):
        numbered = [(i, e) for i, e in enumerate(examples) if isinstance(e, Passage) is kind]
        number_of = {id(example): i for i, example in numbered}
        for batch in batches([example for _, example in numbered], tokens, chance):
            with torch.inference_mode():
                if kind:
                    scored = _read_passages(model, batch, sentences)
                else:
                    scored = _read_pairs(model, batch)
            found.update(zip((number_of[id(e)] for e in batch), scored, strict=True))
    return [found[i] for i in range(len(examples))]


def _read_passages(model: ReadingModel, batch: Sequence[Any], sentences: bool) -> list[Example]:
    by_sentence, wholes = model.passage_logits(batch)
    return [
        replace(
            passage,
            sentence_logits=tuple(round(float(x), 2) for x in own) if sentences else None,
            logit=round(float(whole), 2),
        )
        for passage, own, whole in zip(batch, by_sentence, wholes, strict=True)
    ]


def _read_pairs(model: ReadingModel, batch: Sequence[Any]) -> list[Example]:
    logits = model.pair_logits(batch)
    return [
        replace(pair, logit=round(float(logit), 2))
        for pair, logit in zip(batch, logits, strict=True)
    ]


if __name__ == "__main__":
    typer.run(score)

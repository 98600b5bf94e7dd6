"""Trains a reading model, or with `--pair-share 1` a checker:
`python -m evals.training.train EXAMPLES --output FOLDER`.

One encoder, three linear heads (see `model`). Interrupted, the same command goes on where it was.
The same seed and number of steps give the same order of examples; sums of floating-point numbers
may differ between machines.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import torch
import typer
from torch.nn.functional import binary_cross_entropy_with_logits as cross_entropy
from torch.nn.functional import softplus

from assistant.retrieval.reading_model import SHIPPED_FOLDER
from evals.training.examples import Example, Pair, read_examples
from evals.training.loop import fit
from evals.training.model import ReadingModel, read_weights

#: The share of the batches that are of pairs. Not tuned.
PAIR_SHARE = 0.35
#: Weight of choosing the right sentence among its neighbours, beside the other losses. Not tuned.
LISTWISE = 0.3
#: Of a checker, weights of telling what a premise contradicts, which words it does not say, and
#: which of two claims it entails, beside telling what it entails; and of a word that it does not
#: say over the others. Not tuned.
CONTRADICTED, UNSAID, RANKED, UNSAID_WORD = 0.3, 0.5, 0.5, 2.0
#: Tokens of a claim and its question, about. Those that are held against one premise are learned
#: from together.
CLAIM_TOKENS = 40
#: Highest learning rate of the heads over that of the encoder. Not tuned.
HEADS_FASTER = 5.0
#: Characters a token of English text; examples are batched by length before they are tokenised.
CHARACTERS = 4.5
#: How many held-out examples of each kind are tested. Not tuned.
TESTED = 600


#: Passages and pairs, or batches of them.
Sorts = tuple[list[Any], list[Any]]


def train(
    examples: Annotated[Path, typer.Argument(help="What `making` wrote.")],
    output: Annotated[Path, typer.Option(help="Where the weights, the curve and the state go.")],
    steps: Annotated[int, typer.Option(min=1)] = 3000,
    start: Annotated[
        Path,
        typer.Option(help="Folder of weights to begin with: trained, shipped or an encoder's."),
    ] = SHIPPED_FOLDER,
    layers: Annotated[
        int | None, typer.Option(min=1, help="Keep only so many of its layers, from below.")
    ] = None,
    tokens: Annotated[int, typer.Option(help="Tokens a step, with padding.")] = 4096,
    rate: Annotated[float, typer.Option(help="Highest learning rate.")] = 1e-4,
    freeze_words: Annotated[
        bool, typer.Option(help="Leave the word vectors as they are: half the time of a big table.")
    ] = False,
    freeze_layers: Annotated[
        int, typer.Option(min=0, help="Leave so many layers as they are, from below.")
    ] = 0,
    bfloat16: Annotated[
        bool,
        typer.Option("--bfloat16/--float32", help="Precision of the products of matrices."),
    ] = False,
    pair_share: Annotated[
        float, typer.Option(min=0, max=1, help="Share of the batches that are of pairs.")
    ] = PAIR_SHARE,
    seed: int = 1,
    save_every: Annotated[int, typer.Option(min=1, help="Steps that a kill can cost.")] = 50,
) -> None:
    """Train a reading model; `quantise` then makes what ships of the output folder."""
    torch.manual_seed(seed)
    model = ReadingModel(start, layers)
    model.load(read_weights(start))
    model.in_bfloat16 = bfloat16
    # What PyTorch offers instead takes half of a step on processors.
    model.encoder.set_attn_implementation("eager")
    if freeze_words:
        model.encoder.get_input_embeddings().weight.requires_grad_(False)
    if freeze_layers:
        model.encoder.embeddings.requires_grad_(False)
        model.encoder.encoder.layer[:freeze_layers].requires_grad_(False)
    kept, held_out = _read(examples)
    heads = [p for name, p in model.named_parameters() if "_head." in name]
    encoder = [p for p in model.encoder.parameters() if p.requires_grad]
    fit(
        model,
        [(encoder, rate), (heads, HEADS_FASTER * rate)],
        _plan(kept, steps, tokens, pair_share, seed),
        partial(_loss, model),
        output,
        warm=min(0.1, 150 / steps),
        save_every=save_every,
        test=lambda: held_out_figures(model, held_out),
    )


def _read(path: Path) -> tuple[Sorts, Sorts]:
    """What to learn from, and what is held out."""
    learned: Sorts = ([], [])
    held_out: Sorts = ([], [])
    for example in read_examples(path):
        own = held_out if example.held_out else learned
        own[isinstance(example, Pair)].append(example)
    for name, sorts in (("learned", learned), ("held out", held_out)):
        print(f"{name}: {len(sorts[0]):,} passages, {len(sorts[1]):,} pairs")  # noqa: T201
    return learned, held_out


def length_of(example: Example) -> int:
    """About how many tokens it has."""
    if isinstance(example, Pair):
        return CLAIM_TOKENS + round(len(example.premise) / CHARACTERS)
    texts = (example.question, example.heading, *example.sentences)
    return 3 + round(sum(map(len, texts)) / CHARACTERS)


def batches(examples: Sequence[Any], tokens: int, chance: random.Random) -> list[list[Any]]:
    """Examples of similar length, about `tokens` with padding, in random order."""
    found: list[list[Any]] = [[]]
    drawn: dict[object, float] = defaultdict(chance.random)
    order = [drawn[e.premise if isinstance(e, Pair) else n] for n, e in enumerate(examples)]
    lengths = map(length_of, examples)
    for length, _, own in sorted(zip(lengths, order, range(len(examples)), strict=True)):
        if found[-1] and length * (len(found[-1]) + 1) > tokens:
            found.append([])
        found[-1].append(examples[own])
    chance.shuffle(found)
    return found


def _plan(
    examples: Sorts, steps: int, tokens: int, pair_share: float, seed: int
) -> list[list[Any]]:
    """What each step learns from: whole rounds of the data, the two sorts mixed."""
    chance = random.Random(seed + 1)  # noqa: S311 (not for secrets)
    rounds: Sorts = ([], [])
    plan = []
    for _ in range(steps):
        sort = chance.random() < pair_share
        if not rounds[sort]:
            rounds[sort].extend(batches(examples[sort], tokens, chance))
        plan.append(rounds[sort].pop())
    return plan


def _loss(model: ReadingModel, batch: Sequence[Any]) -> Any:
    """Cross-entropy of the sentences, of the paragraphs, and of the right sentence among its
    neighbours; or that of pairs."""
    if isinstance(batch[0], Pair):
        return _pair_loss(model, batch)
    sentences, wholes = model.passage_logits(batch)
    loss = cross_entropy(wholes, torch.tensor([float(passage.answers) for passage in batch]))
    labels = [
        torch.tensor(passage.labels[: len(own)], dtype=torch.float32)
        for passage, own in zip(batch, sentences, strict=True)
    ]
    loss = loss + cross_entropy(torch.cat(sentences), torch.cat(labels))
    right = [
        -own.log_softmax(dim=0)[marks == 1].mean()
        for marks, own in zip(labels, sentences, strict=True)
        if 0 < marks.sum() < len(marks)
    ]
    return loss + LISTWISE * torch.stack(right).mean() if right else loss


def _pair_loss(model: ReadingModel, pairs: Sequence[Pair]) -> Any:
    """Cross-entropy of entailment, and, where they are known, of contradiction and of words."""
    entails, contradicts, words = model.pair_logits(pairs)
    loss = cross_entropy(entails, torch.tensor([float(pair.entailed) for pair in pairs]))
    known = [n for n, pair in enumerate(pairs) if pair.contradicted is not None]
    if known:
        truth = torch.tensor([float(pairs[n].contradicted or 0) for n in known])
        loss = loss + CONTRADICTED * cross_entropy(contradicts[known], truth)
    marked = [n for n, pair in enumerate(pairs) if pair.unsaid is not None]
    if marked:
        said = model.tokenizer.spans([pairs[n].claim for n in marked])
        labels = [
            float(any(start < last and end > first for first, last in pairs[n].unsaid or ()))
            for n, spans in zip(marked, said, strict=True)
            for start, end in spans[: len(words[n])]
        ]
        unsaid = cross_entropy(
            torch.cat([words[n] for n in marked]),
            torch.tensor(labels),
            pos_weight=torch.tensor(UNSAID_WORD),
        )
        loss = loss + UNSAID * unsaid
    leads = [
        entails[n] - entails[other]
        for n, true in enumerate(pairs)
        for other, false in enumerate(pairs)
        if true.entailed > false.entailed and true.premise == false.premise
    ]
    return loss + RANKED * softplus(-torch.stack(leads)).mean() if leads else loss


def held_out_figures(model: ReadingModel, held_out: Sorts) -> dict[str, float]:
    """Figures on held-out examples: the right sentence first; AUROC of the other two heads. Those
    that there are no examples for are left out."""
    from sklearn.metrics import roc_auc_score

    chance = random.Random(0)  # noqa: S311 (not for secrets)
    passages, pairs = (chance.sample(own, min(TESTED, len(own))) for own in held_out)
    right, wholes = [], []
    with torch.inference_mode():
        for passage in passages:
            (sentences,), whole = model.passage_logits([passage])
            wholes.append(float(whole[0]))
            if 1 in passage.labels and len(passage.sentences) > 1:
                right.append(passage.labels[int(sentences.argmax())] == 1)
        entails = [float(model.pair_logits([pair])[0][0]) for pair in pairs]
    found = {"sentence_first": sum(right) / len(right)} if right else {}
    for name, labels, logits in (
        ("passage_auroc", [p.answers for p in passages], wholes),
        ("entail_auroc", [p.entailed for p in pairs], entails),
    ):
        if len(set(labels)) == 2:
            found[name] = float(roc_auc_score(labels, logits))
    return found


if __name__ == "__main__":
    typer.run(train)

"""Trains the reading model, or with `--pair-share 1` the checker:
`python -m evals.training.reader EXAMPLES --output FOLDER`.

Both are an encoder with three linear heads. Interrupted, the same command goes on where it was.
The same seed and number of steps give the same order of examples; sums of floating-point numbers
may differ between machines. `quantise` then makes what ships of the output folder.

Weights lie in two kinds of folders: what training wrote (`model.safetensors` with the heads), and
what ships (`reader.onnx`, in 8 bits, from which they are read back to within the rounding).
"""

from __future__ import annotations

import random
import shutil
from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import onnx
import torch
import typer
from numpy.typing import NDArray
from safetensors.numpy import load_file
from safetensors.torch import save_file
from torch.nn.functional import binary_cross_entropy_with_logits as cross_entropy
from torch.nn.functional import softplus
from torch.nn.utils.rnn import pad_sequence
from transformers import AutoConfig, AutoModel

from assistant.retrieval.reading_model import (
    MAX_HEADING_TOKENS,
    MAX_QUESTION_TOKENS,
    SHIPPED_FOLDER,
    InputTokenizer,
    Window,
    windows,
)
from assistant.verification.checker import claim_window
from evals.training.examples import Example, Pair, Passage, read_examples
from evals.training.loop import fit

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
#: Passages and pairs, or batches of them.
Sorts = tuple[list[Any], list[Any]]
Weights = Mapping[str, NDArray[Any]]

HEADS = ("sentence_head", "passage_head", "entail_head")


def train(
    examples: Path,
    output: Annotated[Path, typer.Option()],
    steps: int = 3000,
    start: Path = SHIPPED_FOLDER,
    tokens: int = 4096,
    rate: float = 1e-4,
    freeze_words: bool = False,
    freeze_layers: int = 0,
    bfloat16: bool = False,
    pair_share: float = PAIR_SHARE,
    seed: int = 1,
    save_every: int = 50,
) -> None:
    """Train a reading model or a checker.

    Args:
        examples: what `making` wrote.
        output: folder for the weights, the curve and the state.
        steps: number of steps.
        start: folder of weights to begin with, trained or shipped.
        tokens: tokens a step, with padding.
        rate: highest learning rate.
        freeze_words: leave the word vectors as they are, half the time of a big table.
        freeze_layers: leave so many layers as they are, from below.
        bfloat16: multiply matrices in 16 bits, which not every processor does faster.
        pair_share: share of the batches that are of pairs.
        seed: seed of everything by chance.
        save_every: steps that a kill can cost.
    """
    torch.manual_seed(seed)
    model = ReadingModel(start)
    model.load(read_weights(start))
    model.in_bfloat16 = bfloat16
    # What PyTorch offers instead takes half of a step on processors.
    model.encoder.set_attn_implementation("eager")
    if freeze_words:
        model.encoder.get_input_embeddings().weight.requires_grad_(False)
    if freeze_layers:
        model.encoder.embeddings.requires_grad_(False)
        model.encoder.encoder.layer[:freeze_layers].requires_grad_(False)
    learned: Sorts = ([], [])
    for example in read_examples(examples):
        if not example.held_out:
            learned[isinstance(example, Pair)].append(example)
    heads = [p for name, p in model.named_parameters() if "_head." in name]
    encoder = [p for p in model.encoder.parameters() if p.requires_grad]
    fit(
        model,
        [(encoder, rate), (heads, HEADS_FASTER * rate)],
        _plan(learned, steps, tokens, pair_share, seed),
        partial(_loss, model),
        model.save,
        output,
        warm=min(0.1, 150 / steps),
        save_every=save_every,
    )


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


class ReadingModel(torch.nn.Module):
    """An encoder (BERT) and its heads: whether a sentence answers a
    question (from the mean state of its tokens joined with that of the first token), whether a
    paragraph does, and whether a premise entails a claim (from the state of the first token). A
    checker has the same: whether a premise does not say a token of the claim, whether it states the
    contrary, whether it entails it.

    Args:
        folder: holds `config.json`, the settings of the encoder, and `tokenizer.json`.
    """

    encoder: Any

    def __init__(self, folder: Path) -> None:
        super().__init__()
        config: Any = AutoConfig.from_pretrained(folder)
        config.hidden_dropout_prob = config.attention_probs_dropout_prob = 0.0
        self.folder = folder
        made_by: Any = AutoModel
        self.encoder = made_by.from_config(config)
        self.encoder.pooler = None
        width = config.hidden_size
        self.sentence_head = torch.nn.Linear(2 * width, 1)
        self.passage_head = torch.nn.Linear(width, 1)
        self.entail_head = torch.nn.Linear(width, 1)
        self.tokenizer = InputTokenizer((folder / "tokenizer.json").read_text(encoding="utf-8"))
        #: Whether products of matrices are in 16 bits, which not every processor does faster.
        self.in_bfloat16 = False

    def load(self, weights: Weights) -> None:
        """Take weights by the names that `state_dict` gives them."""
        self.load_state_dict({k: torch.tensor(v.astype(np.float32)) for k, v in weights.items()})

    def save(self, folder: Path) -> None:
        """Write 16-bit weights, settings and the tokenizer, for `quantise`."""
        weights = {k: v.detach().half().contiguous() for k, v in self.state_dict().items()}
        partial = folder / "model.partial"
        save_file(weights, partial)
        partial.replace(folder / "model.safetensors")
        self.encoder.config.save_pretrained(folder)
        if folder != self.folder:
            shutil.copy(self.folder / "tokenizer.json", folder / "tokenizer.json")

    def _states(self, inputs: Sequence[Window]) -> Any:
        """Last hidden states [B, T, width]."""
        padding = self.encoder.config.pad_token_id or 0
        ids, types, mask = (
            pad_sequence(list(map(torch.tensor, rows)), batch_first=True, padding_value=value)
            for rows, value in (
                ([own.ids for own in inputs], padding),
                ([[int(n >= own.second_part) for n in range(len(own.ids))] for own in inputs], 0),
                ([[1] * len(own.ids) for own in inputs], 0),
            )
        )
        with torch.autocast("cpu", torch.bfloat16, enabled=self.in_bfloat16):
            output = self.encoder(input_ids=ids, attention_mask=mask, token_type_ids=types)
        return output.last_hidden_state.float()

    def passage_logits(self, passages: Sequence[Passage]) -> tuple[list[Any], Any]:
        """Logits of each passage's sentences, of those that the first window holds, and of the
        passages [B]."""
        texts = [text for p in passages for text in (p.question, p.heading, *p.sentences)]
        tokens = iter(self.tokenizer.ids(texts))
        inputs = []
        for passage in passages:
            question, heading = next(tokens)[:MAX_QUESTION_TOKENS], next(tokens)
            body = [next(tokens) for _ in passage.sentences]
            inputs.append(
                next(windows(self.tokenizer, question, heading[-MAX_HEADING_TOKENS:], body))
            )
        sentences = []
        states = self._states(inputs)
        for state, own in zip(states, inputs, strict=True):
            pooled = torch.stack([state[a:b].mean(dim=0) for a, b in own.spans])
            sentences.append(self._sentence_logits(pooled, state[0]))
        return sentences, self.passage_head(states[:, 0]).squeeze(-1)

    def pair_logits(self, pairs: Sequence[Pair]) -> tuple[Any, Any, list[Any]]:
        """Logits of entailment [B], of contradiction [B], and of each claim's tokens, that the
        premise does not say them."""
        tokens = self.tokenizer.ids([t for p in pairs for t in (p.claim, p.question, p.premise)])
        inputs = [
            claim_window(self.tokenizer, *tokens[n : n + 3]) for n in range(0, len(tokens), 3)
        ]
        states = self._states(inputs)
        first = states[:, 0]
        words = [
            self._sentence_logits(state[1 : 1 + len(own.spans)], state[0])
            for state, own in zip(states, inputs, strict=True)
        ]
        return self.entail_head(first).squeeze(-1), self.passage_head(first).squeeze(-1), words

    def _sentence_logits(self, pooled: Any, first: Any) -> Any:
        both = torch.cat([pooled, first.expand_as(pooled)], dim=-1)
        return self.sentence_head(both).squeeze(-1)


def read_weights(folder: Path) -> Weights:
    """The weights of a folder, by the names that `ReadingModel` gives them: those that training
    wrote, or those that ship, to within the rounding to 8 bits."""
    if not (folder / "reader.onnx").exists():
        return dict(load_file(folder / "model.safetensors"))
    constants = {
        constant.name: onnx.numpy_helper.to_array(constant)
        for constant in onnx.load(str(folder / "reader.onnx")).graph.initializer
    }
    # What `quantise` did: matrices lie transposed, those in 8 bits with their scales.
    weights = {}
    for name, value in constants.items():
        stem, _, kind = name.rpartition(".")
        scale = constants.get(f"{stem}.scale")
        if kind == "weight" and scale is not None:
            value = value * scale
            weights[name] = value.T if scale.ndim == 1 else value  # word vectors lie in rows
        elif kind in ("weight", "bias"):
            weights[name] = value.T if stem in HEADS else value
    return weights


if __name__ == "__main__":
    typer.run(train)

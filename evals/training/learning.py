"""What the training of the encoder, of the reading model and of the checker has in common."""

from __future__ import annotations

import hashlib
import random
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch.nn.utils.rnn import pad_sequence

from index.encoder import has_native_bfloat16

#: Steps that a kill can cost.
SAVE_EVERY = 50
#: Share of the steps in which the rate rises. Not tuned.
WARM = 0.05
#: Learning rate of heads over that of the encoder below them. Not tuned.
HEADS_FASTER = 5.0
#: Tokens that the reading model and the checker read in a step, with padding.
TOKENS = 4096
#: The file, in the folder of a run, of what it goes on from: its weights, as `model`, and the rest.
STATE = "state.pt"

Batch = TypeVar("Batch")
Own = TypeVar("Own")


def fit(
    model: torch.nn.Module,
    rate: float,
    plan: Sequence[Batch],
    loss_of: Callable[[Batch], Any],
    output: Path,
) -> None:
    """Train a model, and keep its state; interrupted, the same call goes on where it was.

    Args:
        model: with the weights to begin with.
        rate: highest learning rate; of heads it is HEADS_FASTER times that.
        plan: a batch a step.
        loss_of: gives the loss of a batch.
        output: folder for the state; made when it is not there.
    """
    output.mkdir(parents=True, exist_ok=True)
    learned = {name: own for name, own in model.named_parameters() if own.requires_grad}
    optimiser = torch.optim.AdamW(
        [{"params": [own]} for own in learned.values()], weight_decay=0.01
    )
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser,
        [rate * HEADS_FASTER if "_head." in name else rate for name in learned],
        total_steps=len(plan) + 1,
        pct_start=WARM,
        anneal_strategy="linear",
    )
    parts: dict[str, Any] = {"model": model, "optimiser": optimiser, "schedule": schedule}
    state_file, done = output / STATE, 0
    if state_file.exists():
        state = torch.load(state_file)
        done = state["step"]
        for name, part in parts.items():
            part.load_state_dict(state[name])
    started = time.monotonic()
    for step, batch in enumerate(plan[done:], start=done + 1):
        loss = loss_of(batch)
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        schedule.step()
        if step % SAVE_EVERY == 0 or step == len(plan):
            seconds = (time.monotonic() - started) / (step - done)
            print(f"step {step}: loss {loss.item():.4f}, {seconds:.2f} s/step", flush=True)  # noqa: T201
            states = {name: part.state_dict() for name, part in parts.items()}
            partial = state_file.with_suffix(".partial")
            torch.save({**states, "step": step}, partial)
            partial.replace(state_file)


def plan_of(
    examples: Sequence[Own], about: Callable[[Own], tuple[int, str]], steps: int, seed: int
) -> list[list[Own]]:
    """What each step learns from: rounds of all examples, those of similar length together, about
    TOKENS with padding.

    Args:
        about: tells of an example its length in tokens, and what those of the same length that are
            best learned together have in common.
        seed: seed of the order.
    """
    chance = random.Random(seed)  # noqa: S311 (not for secrets)
    plan = list[list[Own]]()
    while len(plan) < steps:
        drawn: dict[str, float] = defaultdict(chance.random)
        known = [(length, drawn[group]) for length, group in map(about, examples)]
        batches: list[list[Own]] = [[]]
        for n in sorted(range(len(examples)), key=known.__getitem__):
            length, _ = known[n]
            if batches[-1] and length * (len(batches[-1]) + 1) > TOKENS:
                batches.append([])
            batches[-1].append(examples[n])
        chance.shuffle(batches)
        plan += batches
    return plan[:steps]


def last_states(
    encoder: Any, inputs: Sequence[Sequence[int]], second_parts: Sequence[int]
) -> torch.Tensor:
    """Last hidden states [B, T, width], computed in 16 bits where the processor has them.

    Args:
        encoder: a BERT.
        inputs: tokens.
        second_parts: where the second part of each begins.
    """
    rows = [torch.tensor(row) for row in inputs]
    ids = pad_sequence(rows, batch_first=True)
    mask = pad_sequence([torch.ones_like(row) for row in rows], batch_first=True)
    types = torch.arange(ids.shape[1]) >= torch.tensor(second_parts)[:, None]
    with torch.autocast("cpu", torch.bfloat16, enabled=has_native_bfloat16()):
        output = encoder(input_ids=ids, attention_mask=mask, token_type_ids=types.long())
    states: torch.Tensor = output.last_hidden_state.float()
    return states


def write_weights(file: Path, content: bytes) -> None:
    """Write a file that ships, and its hash beside it."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)
    digest = hashlib.sha256(content).hexdigest()
    file.with_suffix(".sha256").write_text(f"{digest}  {file.name}\n")

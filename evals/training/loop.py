"""The loop by which the encoder, the reading model and the checker are trained."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import torch

Batch = TypeVar("Batch")


def fit(
    model: torch.nn.Module,
    rates: Sequence[tuple[Sequence[Any], float]],
    plan: Sequence[Batch],
    loss_of: Callable[[Batch], Any],
    save: Callable[[Path], None],
    output: Path,
    *,
    warm: float,
    save_every: int,
) -> None:
    """Train a model; interrupted, the same call goes on where it was.

    Writes the weights, `curve.json` and `state.pt`, which it goes on from.

    Args:
        model: with the weights to begin with.
        rates: parameters, each with their highest learning rate.
        plan: a batch a step.
        loss_of: gives the loss of a batch.
        save: writes the weights to a folder.
        output: folder for what is written; made when it is not there.
        warm: share of the steps in which the rates rise.
        save_every: steps that a kill can cost.
    """
    output.mkdir(parents=True, exist_ok=True)
    groups = [{"params": parameters} for parameters, _ in rates]
    optimiser = torch.optim.AdamW(groups, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser,
        [rate for _, rate in rates],
        total_steps=len(plan) + 1,
        pct_start=warm,
        anneal_strategy="linear",
    )
    state_file, curve = output / "state.pt", list[dict[str, float]]()
    parts: dict[str, Any] = {"model": model, "optimiser": optimiser, "schedule": schedule}
    if state_file.exists():
        state = torch.load(state_file, weights_only=True)
        for name, part in parts.items():
            part.load_state_dict(state[name])
        curve = state["curve"]
    done = int(curve[-1]["step"]) if curve else 0
    started, losses = time.monotonic(), list[float]()
    for step, batch in enumerate(plan[done:], start=done + 1):
        loss = loss_of(batch)
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        schedule.step()
        losses.append(loss.item())
        if step % save_every == 0 or step == len(plan):
            recent = losses[-save_every:]
            point = {"step": step, "loss": sum(recent) / len(recent)}
            curve.append(point)
            seconds = (time.monotonic() - started) / (step - done)
            print(json.dumps(point), f"{seconds:.2f} s/step", flush=True)  # noqa: T201
            (output / "curve.json").write_text(json.dumps(curve, indent=1))
            partial = state_file.with_suffix(".partial")
            states = {name: part.state_dict() for name, part in parts.items()}
            torch.save({**states, "curve": curve}, partial)
            partial.replace(state_file)
            save(output)

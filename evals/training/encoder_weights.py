"""Makes what ships of a trained encoder: `python -m evals.training.encoder_weights RUN --share .5`.

What was learned is kept as its difference to the weights before, in 8 bits with a scale a row: half
of a hundredth of the largest difference of a row is lost, and the file is a quarter as large as the
weights. Of the difference a share is taken, which is an average with the weights before (Wortsman
et al., "Robust fine-tuning of zero-shot models", arXiv 2109.01903): what was learned from few texts
is not to cost what was known of all others.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import torch
import typer
from safetensors.torch import load_file, save_file
from torch import Tensor

from index.encoder import LEARNED_WEIGHTS, default_model_path


def ship(
    runs: Annotated[list[Path], typer.Argument(help="Output folders of training; their mean.")],
    share: Annotated[float, typer.Option(help="Of what was learned.")] = 0.5,
    output: Annotated[Path, typer.Option(help="The file to write.")] = LEARNED_WEIGHTS,
) -> None:
    """Write the difference, and its hash beside it."""
    before = load_file(Path(default_model_path()) / "model.safetensors")
    each = [load_file(run / "model.safetensors") for run in runs]
    learned = {
        name: share * (torch.stack([own[name] for own in each]).mean(dim=0) - before[name].float())
        for name in each[0]
    }
    output.parent.mkdir(parents=True, exist_ok=True)
    save_file(quantised(learned), output)
    digest = hashlib.sha256(output.read_bytes()).hexdigest()
    output.with_suffix(".sha256").write_text(f"{digest}  {output.name}\n")


def quantised(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Matrices in 8 bits, with their scales as `NAME.scale`, float32 [rows, 1]; all else in 32."""
    found = {}
    for name, value in weights.items():
        if value.ndim < 2:
            found[name] = value.contiguous()
            continue
        scale = value.abs().amax(dim=1, keepdim=True).clamp(min=1e-12) / 127
        found[name] = (value / scale).round().to(torch.int8).contiguous()
        found[f"{name}.scale"] = scale.contiguous()
    return found


if __name__ == "__main__":
    typer.run(ship)

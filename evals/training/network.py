"""The network of the reading model and of the checker, and how it becomes the file that ships.

An encoder (BERT) with three linear heads. The reading model and the checker differ in what these
are taken for.

| head | of | reading model | checker |
| --- | --- | --- | --- |
| sentence | the mean state of a span, joined with the first | it answers | it is not said |
| passage | the state of the first token | the paragraph answers | the contrary is said |
| entail | the state of the first token | (not learned any more) | the premise entails the claim |

What ships is `reader.onnx`: the network with its matrices as 8-bit integers, one scale a column (a
row for the word vectors), activations quantised as they come. A quarter of the size of 32-bit
weights, and faster. Training begins with such a file, read back to within the rounding, and ends
with the same file with other weights: weights that were in 8 bits already are not rounded a second
time.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import onnx
import torch
from torch import Tensor
from transformers import AutoConfig, AutoModel

from assistant.retrieval.reading_model import InputTokenizer, Window
from evals.training.learning import last_states, write_weights

#: Largest weight. Seven bits of the eight: processors without VNNI add products of 8-bit numbers in
#: 16 bits, which overflows with more, and results would differ from machine to machine.
MAX_WEIGHT = 63
#: The file with the weights.
FILE = "reader.onnx"


class Network(torch.nn.Module):
    """The network, with the weights of a file that ships. The word vectors are not learned.

    Args:
        folder: holds `reader.onnx`, `config.json`, the settings of the encoder, and
            `tokenizer.json`.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__()
        config: Any = AutoConfig.from_pretrained(folder)
        made_by: Any = AutoModel
        # On processors a step takes half as long as with what PyTorch offers instead.
        self.encoder: Any = made_by.from_config(config, attn_implementation="eager")
        self.encoder.pooler = None
        self.encoder.get_input_embeddings().weight.requires_grad_(False)
        self.sentence_head = torch.nn.Linear(2 * config.hidden_size, 1)
        self.passage_head = torch.nn.Linear(config.hidden_size, 1)
        self.entail_head = torch.nn.Linear(config.hidden_size, 1)
        self.load_state_dict(read_weights(folder))
        self.tokenizer = InputTokenizer((folder / "tokenizer.json").read_text(encoding="utf-8"))

    def forward(self, windows: Sequence[Window]) -> tuple[list[Tensor], Tensor, Tensor]:
        """Logits of each window's spans, of the passages [B] and of entailment [B]."""
        ids, seconds = [own.ids for own in windows], [own.second_part for own in windows]
        states = last_states(self.encoder, ids, seconds)
        spans = list[Tensor]()
        for window, own in zip(windows, states, strict=True):
            pooled = torch.stack([own[start:end].mean(dim=0) for start, end in window.spans])
            both = torch.cat([pooled, own[:1].expand_as(pooled)], dim=-1)
            spans.append(self.sentence_head(both).squeeze(-1))
        first = states[:, 0]
        return spans, self.passage_head(first).squeeze(-1), self.entail_head(first).squeeze(-1)


def read_weights(folder: Path) -> dict[str, Tensor]:
    """The weights of a file that ships, by the names that `Network` gives them."""
    constants = {
        constant.name: torch.tensor(onnx.numpy_helper.to_array(constant))
        for constant in onnx.load(folder / FILE).graph.initializer
    }
    weights = {}
    for name, value in constants.items():
        stem, _, kind = name.rpartition(".")
        if kind in ("weight", "bias"):
            scale = constants.get(f"{stem}.scale") if kind == "weight" else None
            weights[name] = _turned(name, value if scale is None else value * scale)
    return weights


def ship(network: Network, start: Path, output: Path) -> None:
    """Write what ships of a network.

    Args:
        start: folder of what the network began with: its file, settings and tokens.
        output: folder for these, and for `reader.sha256`.
    """
    model = onnx.load(start / FILE)
    constants = {constant.name: constant for constant in model.graph.initializer}

    def put(name: str, value: Tensor) -> None:
        constants[name].CopyFrom(onnx.numpy_helper.from_array(value.numpy(), name))

    for name, weight in network.state_dict().items():
        stem, _, kind = name.rpartition(".")
        value = _turned(name, weight)
        if kind == "weight" and f"{stem}.scale" in constants:
            rows = int("embeddings" in name)
            scale = value.abs().amax(dim=rows, keepdim=True).clamp(min=1e-8) / MAX_WEIGHT
            value = torch.round(value / scale).to(torch.int8)
            put(f"{stem}.scale", scale if rows else scale[0])
        put(name, value)
    write_weights(output / FILE, model.SerializeToString(deterministic=True))
    for name in ("config.json", "tokenizer.json"):
        shutil.copy(start / name, output / name)


def _turned(name: str, value: Tensor) -> Tensor:
    """A weight as it lies in the file, or the other way round: matrices lie transposed, but for
    tables of vectors."""
    return value.T if value.ndim == 2 and "embeddings" not in name else value

"""The reading model as it is trained: an encoder with three linear heads, and its weights in files.

The weights lie in two kinds of folders: what training wrote (`model.safetensors`), and what ships
(`reader.onnx`, in 8 bits, from which they are read back to within the rounding).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

Weights = Mapping[str, NDArray[Any]]

HEADS = ("sentence_head", "passage_head", "entail_head")


class ReadingModel(torch.nn.Module):
    """A BERT encoder and its heads: whether a sentence answers a question (from the mean state of
    its tokens joined with that of [CLS]), whether a paragraph does, and whether a premise entails a
    claim (from the state of [CLS]).

    Args:
        folder: holds `config.json`, the settings of the encoder.
    """

    def __init__(self, folder: Path) -> None:
        from transformers import BertConfig, BertModel

        super().__init__()
        self.settings = json.loads((folder / "config.json").read_text())
        config: Any = BertConfig(**self.settings)
        self.encoder: Any = BertModel(config, add_pooling_layer=False)
        width = config.hidden_size
        self.sentence_head = torch.nn.Linear(2 * width, 1)
        self.passage_head = torch.nn.Linear(width, 1)
        self.entail_head = torch.nn.Linear(width, 1)

    def load(self, weights: Weights) -> None:
        """Take weights by the names that `state_dict` gives them."""
        self.load_state_dict({k: torch.tensor(v.astype(np.float32)) for k, v in weights.items()})

    def save(self, folder: Path) -> None:
        """Write 16-bit weights and settings, for `quantise`."""
        from safetensors.torch import save_file

        weights = {k: v.detach().half().contiguous() for k, v in self.state_dict().items()}
        partial = folder / "model.partial"
        save_file(weights, partial)
        partial.replace(folder / "model.safetensors")
        (folder / "config.json").write_text(json.dumps(self.settings, indent=1) + "\n")


def read_weights(folder: Path) -> Weights:
    """The weights of a folder that training wrote, or, to within the rounding to 8 bits, of one
    that ships; by the names that `ReadingModel` gives them."""
    from safetensors.numpy import load_file

    if (folder / "model.safetensors").exists():
        return dict(load_file(folder / "model.safetensors"))
    import onnx

    constants = {
        constant.name: onnx.numpy_helper.to_array(constant)
        for constant in onnx.load(str(folder / "reader.onnx")).graph.initializer
    }
    return _from_shipped(constants) if "words" in constants else _from_quantised(constants)


def _from_quantised(constants: Weights) -> Weights:
    """Undoes `quantise`: matrices lie transposed, those in 8 bits with their scales."""
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


def _from_shipped(constants: Weights) -> Weights:
    """Undoes the script that wrote the file that ships: query, key and value lie in one matrix."""

    def matrix(name: str) -> Any:
        return (constants[f"{name}.weight"] * constants[f"{name}.scale"]).T

    weights = {
        name: value
        for name, value in constants.items()
        if name.startswith("encoder.") or name.endswith("_head.bias")
    }
    weights["encoder.embeddings.word_embeddings.weight"] = (
        constants["words"] * constants["words.scale"]
    )
    for number in range(sum(name.endswith(".joined.bias") for name in constants)):
        prefix, own = f"encoder.encoder.layer.{number}.", f"layer{number}."
        parts = [f"{prefix}attention.self.{part}" for part in ("query", "key", "value")]
        joined = matrix(f"{own}joined"), constants[f"{own}joined.bias"]
        for part, weight, bias in zip(parts, *(np.split(own, 3) for own in joined), strict=True):
            weights[f"{part}.weight"], weights[f"{part}.bias"] = weight, bias
        weights[f"{prefix}attention.output.dense.weight"] = matrix(f"{own}attended")
        weights[f"{prefix}intermediate.dense.weight"] = matrix(f"{own}inner")
        weights[f"{prefix}output.dense.weight"] = matrix(f"{own}outer")
    for head in ("passage", "entail"):
        weights[f"{head}_head.weight"] = constants[f"{head}.weight"].T
    both = [constants["own.weight"].T, constants["whole.weight"].T]
    weights["sentence_head.weight"] = np.concatenate(both, axis=1)
    return weights

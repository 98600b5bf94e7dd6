"""The default encoder's network and tokens, by PyTorch and `tokenizers` alone.

What runs any encoder, `sentence_transformers`, takes four seconds of a processor to import, and its
layers half of the time of a question. This computes the same bits.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn


class Bert:
    """A BERT of `transformers` and its tokens.

    Args:
        folder: holds `config.json`, `model.safetensors` and `tokenizer.json`.
        dtype: what it computes in.
        learned: file of what some of the weights have learned since: matrices in 8 bits with a
            scale a row, by `NAME.scale`, and all else as it is, to be added.

    Attributes:
        width: of its states.
        ends: the tokens [CLS], [SEP] and [PAD].
        longest: tokens that it reads at once, as its makers set it.
        prompts: what stands before a `query` and a `document`: nothing.
        size: its parameters.
    """

    longest = 256
    prompts: Mapping[str, str | None] = {}

    def __init__(self, folder: Path, dtype: torch.dtype, learned: Path | None = None) -> None:
        from safetensors.torch import load_file
        from tokenizers import Tokenizer
        from torch.nn.functional import gelu, layer_norm

        config = json.loads((folder / "config.json").read_text("utf-8"))
        values = load_file(folder / "model.safetensors")
        added = load_file(learned) if learned else {}
        weights = {}
        for name, value in values.items():
            if value.is_floating_point():
                if name in added:
                    value = value + added[name] * added.get(f"{name}.scale", 1)
                weights[name] = value.to(dtype)
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()
        self.ends = tuple(
            self._tokenizer.token_to_id(token) for token in ("[CLS]", "[SEP]", "[PAD]")
        )
        self.width = int(config["hidden_size"])
        self.size = sum(value.numel() for value in weights.values())
        self._heads = int(config["num_attention_heads"])

        def norm(name: str) -> Callable[[Tensor], Tensor]:
            weight, bias = weights[f"{name}.weight"], weights[f"{name}.bias"]
            eps = config["layer_norm_eps"]
            return lambda states: layer_norm(states, (self.width,), weight, bias, eps)

        def dense(name: str) -> Callable[[Tensor], Tensor]:
            return linear(weights[f"{name}.weight"], weights[f"{name}.bias"])

        def layer(name: str) -> Callable[[Tensor, Tensor | None], Tensor]:
            asked = [dense(f"{name}.attention.self.{part}") for part in ("query", "key", "value")]
            join, joined = (
                dense(f"{name}.attention.output.dense"),
                norm(f"{name}.attention.output.LayerNorm"),
            )
            widen, narrow = dense(f"{name}.intermediate.dense"), dense(f"{name}.output.dense")
            done = norm(f"{name}.output.LayerNorm")

            def apply(states: Tensor, mask: Tensor | None) -> Tensor:
                attended = self._attend([ask(states) for ask in asked], mask)
                states = joined(join(attended) + states)
                return done(narrow(gelu(widen(states))) + states)

            return apply

        self._words, self._places, self._types = (
            weights[f"embeddings.{name}_embeddings.weight"]
            for name in ("word", "position", "token_type")
        )
        self._norm = norm("embeddings.LayerNorm")
        self._layers = [layer(f"encoder.layer.{n}") for n in range(config["num_hidden_layers"])]

    def tokenize(self, texts: Sequence[str]) -> list[tuple[list[int], list[tuple[int, int]]]]:
        """Each text's tokens, nothing added, and where each begins and ends in it."""
        encoded = self._tokenizer.encode_batch(list(texts), add_special_tokens=False)
        return [(encoding.ids, encoding.offsets) for encoding in encoded]

    def __call__(self, ids: Tensor, mask: Tensor) -> Tensor:
        """The states of tokens [B, T] where the mask is 1: [B, T, width]."""
        states = self._words[ids] + self._types[0] + self._places[: ids.shape[1]]
        states = self._norm(states)
        wanted = None if mask.all() else mask.bool()[:, None, None, :]
        for layer in self._layers:
            states = layer(states, wanted)
        return states

    def _attend(self, parts: Sequence[Tensor], mask: Tensor | None) -> Tensor:
        from torch.nn.functional import scaled_dot_product_attention

        query, key, value = (
            part.view(*part.shape[:-1], self._heads, -1).transpose(1, 2) for part in parts
        )
        attended = scaled_dot_product_attention(query, key, value, attn_mask=mask)
        return attended.transpose(1, 2).flatten(2)


def linear(weight: Tensor, bias: Tensor) -> Callable[[Tensor], Tensor]:
    """A linear layer with its weights laid out as the processor's kernels want them, for good:
    PyTorch otherwise does that anew in every pass. What comes out has the same bits.

    Where this PyTorch or the processor has no such kernels, or the weights are not bfloat16, it is
    PyTorch's own. The operations are those that `torch.compile` makes use of.

    Args:
        weight, bias: [out, in] and [out].
    """
    import torch

    kernels = torch.ops.mkldnn
    known = all(hasattr(kernels, name) for name in ("_reorder_linear_weight", "_linear_pointwise"))
    packs = known and kernels._is_mkldnn_bf16_supported()  # noqa: SLF001
    if not packs or weight.dtype != torch.bfloat16:
        return lambda states: torch.nn.functional.linear(states, weight, bias)
    with torch.inference_mode():
        packed = kernels._reorder_linear_weight(weight, None)  # noqa: SLF001

    def apply(states: Tensor) -> Tensor:
        made: Tensor = kernels._linear_pointwise(  # noqa: SLF001
            states, packed, bias, "none", [], ""
        )
        return made

    return apply


def pack_weights(model: nn.Module) -> None:
    """Make a `linear` of each linear layer of a bfloat16 model."""
    import torch
    from torch import nn

    for layer in model.modules():
        if type(layer) is not nn.Linear or layer.bias is None:
            continue  # what is made from a linear layer may do more
        if layer.weight.dtype == torch.bfloat16:
            packed = linear(layer.weight.detach(), layer.bias.detach())
            layer.forward = packed  # type: ignore[method-assign, assignment]
            layer.weight = None  # type: ignore[assignment]

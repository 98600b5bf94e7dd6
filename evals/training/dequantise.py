"""An encoder out of an 8-bit ONNX file: `python -m evals.training.dequantise MODEL.onnx FOLDER`.

Packages carry encoders as ONNX Runtime's `quantize_dynamic` leaves them: matrices as 8-bit integers
with a scale and a zero point. From these the weights are had back to within the rounding, as a
folder that `train --start` takes. Only the encoder is taken: what a classifier on top of it says is
learned anew by the heads. Needs `onnx`, which nothing but training does.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
import typer
from numpy.typing import NDArray

#: Operators between a product of matrices and the bias that is added to it.
_BETWEEN = {"Cast", "Mul", "MatMulInteger", "MatMul"}


def dequantise(
    model: Annotated[Path, typer.Argument(help="A BERT-like encoder in ONNX, in 8 bits or 32.")],
    output: Annotated[Path, typer.Argument(help="The folder of weights and settings to make.")],
    heads: Annotated[int, typer.Option(min=1, help="Attention heads, which no file tells.")] = 12,
) -> None:
    """Write `model.safetensors`, `config.json` and the `tokenizer.json` that lies beside MODEL.

    Raises:
        ValueError: the file lacks a weight of a BERT encoder.
    """
    from transformers import BertConfig, BertModel

    weights = encoder_weights(model)
    words, width = weights["embeddings.word_embeddings.weight"].shape
    config = BertConfig(
        vocab_size=words,
        hidden_size=width,
        num_hidden_layers=len({n.split(".")[2] for n in weights if n.startswith("encoder.layer.")}),
        num_attention_heads=heads,
        intermediate_size=len(weights["encoder.layer.0.intermediate.dense.bias"]),
        max_position_embeddings=len(weights["embeddings.position_embeddings.weight"]),
        type_vocab_size=len(weights["embeddings.token_type_embeddings.weight"]),
    )
    made_by: Any = BertModel
    encoder = made_by(config, add_pooling_layer=False)
    own = encoder.state_dict()
    lacking = [n for n in own if n not in weights and not n.endswith("position_ids")]
    if lacking:
        raise ValueError(f"{model} lacks {lacking[0]} and {len(lacking) - 1} other weights.")
    known = {name: torch.from_numpy(weights[name]) for name in own if name in weights}
    encoder.load_state_dict(known, strict=False)
    output.mkdir(parents=True, exist_ok=True)
    encoder.save_pretrained(output)
    shutil.copy(model.parent / "tokenizer.json", output / "tokenizer.json")


def encoder_weights(model: Path) -> dict[str, NDArray[np.float32]]:
    """The weights of an encoder by the names that `BertModel` gives them, in 32 bits.

    Exporters name the matrices of linear layers by numbers; each is named here after the bias that
    is added to what it gives.
    """
    import onnx

    graph = onnx.load(str(model)).graph
    constants = {c.name: onnx.numpy_helper.to_array(c) for c in graph.initializer}
    users: dict[str, list[Any]] = {}
    for node in graph.node:
        for name in node.input:
            users.setdefault(name, []).append(node)

    def bias_of(node: Any) -> str | None:
        """The bias that is added to what a node gives, a few operators on."""
        for _ in range(4):
            if len(followers := users.get(node.output[0], [])) != 1:
                return None
            (node,) = followers
            if node.op_type == "Add":
                return next((n for n in node.input if n.endswith(".bias")), None)
            if node.op_type not in _BETWEEN:
                return None
        return None

    found = {}
    for name in constants:
        if name.endswith(("_scale", "_zero_point")):
            continue
        values, stem = _in_32_bits(name, constants), name.removesuffix("_quantized")
        if values.ndim == 2 and "embeddings" not in stem:
            biases = [bias for node in users.get(name, ()) if (bias := bias_of(node))]
            if not biases:
                continue  # no linear layer of the encoder
            stem, values = f"{biases[0].removesuffix('.bias')}.weight", values.T
        found[stem.removeprefix("bert.")] = np.ascontiguousarray(values)
    return found


def _in_32_bits(name: str, constants: dict[str, NDArray[Any]]) -> NDArray[np.float32]:
    values, stem = constants[name], name.removesuffix("_quantized")
    if stem == name:
        return values.astype(np.float32)
    zero = constants[f"{stem}_zero_point"].astype(np.float32)
    return (values.astype(np.float32) - zero) * constants[f"{stem}_scale"].astype(np.float32)


if __name__ == "__main__":
    typer.run(dequantise)

"""From trained weights to the file that ships: `python -m evals.training.quantise FOLDER`.

Writes `reader.onnx`: the same network with its matrices as 8-bit integers, one scale a column (a
row for the word vectors), activations quantised as they come. A quarter of the size of 32-bit
weights, and faster. Needs `onnx`, which nothing else here does.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

MICROSOFT = "com.microsoft"  # the domain of ONNX Runtime's fused operators

#: Largest weight. Seven bits of the eight: processors without VNNI add products of 8-bit numbers in
#: 16 bits, which overflows with more, and results would differ from machine to machine.
LARGEST = 63


def quantise(
    folder: Annotated[Path, typer.Argument(help="What training wrote.")],
    output: Annotated[Path, typer.Option(help="Where reader.onnx and reader.sha256 go.")],
    average_with: Annotated[
        Path | None, typer.Option(help="What training began with; both weigh the same.")
    ] = None,
) -> None:
    """Write the 8-bit network and its hash.

    The mean of the weights before and after further training often does better on other data than
    either (Wortsman et al., "Robust fine-tuning of zero-shot models", arXiv 2109.01903).
    """
    folders = [folder] if average_with is None else [folder, average_with]
    weights = _mean_weights(folders)
    config = json.loads((folder / "config.json").read_text())
    content = _Network(weights, config).serialised()
    (output / "reader.onnx").write_bytes(content)
    digest = hashlib.sha256(content).hexdigest()
    (output / "reader.sha256").write_text(f"{digest}  reader.onnx\n")


def read_weights(folder: Path) -> dict[str, Any]:
    """The weights of a folder that training wrote, or, to within the rounding to 8 bits, of one
    that ships; by the names that training gives them."""
    from safetensors.numpy import load_file

    if (folder / "model.safetensors").exists():
        return dict(load_file(folder / "model.safetensors"))
    return _dequantised(folder / "reader.onnx")


def _dequantised(file: Path) -> dict[str, Any]:
    """Undoes `_Network`."""
    import onnx

    constants = {
        constant.name: onnx.numpy_helper.to_array(constant)
        for constant in onnx.load(str(file)).graph.initializer
    }

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
        for part, weight, bias in zip(
            parts,
            np.split(matrix(f"{own}joined"), 3),
            np.split(constants[f"{own}joined.bias"], 3),
            strict=True,
        ):
            weights[f"{part}.weight"], weights[f"{part}.bias"] = weight, bias
        weights[f"{prefix}attention.output.dense.weight"] = matrix(f"{own}attended")
        weights[f"{prefix}intermediate.dense.weight"] = matrix(f"{own}inner")
        weights[f"{prefix}output.dense.weight"] = matrix(f"{own}outer")
    for head in ("passage", "entail"):
        weights[f"{head}_head.weight"] = constants[f"{head}.weight"].T
    weights["sentence_head.weight"] = np.concatenate(
        [constants["own.weight"].T, constants["whole.weight"].T], axis=1
    )
    return weights


def _mean_weights(folders: list[Path]) -> dict[str, Any]:
    loaded = [read_weights(folder) for folder in folders]
    return {
        name: np.mean([weights[name].astype(np.float32) for weights in loaded], axis=0)
        for name in loaded[0]
    }


class _Network:
    """The graph, node by node.

    Inputs: `ids` and `types` [1, T], `spans` [S, T], whose rows average the tokens of a sentence.
    Outputs: `sentences` [S], `passage` [1], `entail` [1], all logits.
    """

    def __init__(self, weights: dict[str, Any], config: dict[str, Any]) -> None:
        self._weights = weights
        self._heads = config["num_attention_heads"]
        self._epsilon = config["layer_norm_eps"]
        self._nodes: list[Any] = []
        self._constants: list[Any] = []
        states = self._embedded()
        for number in range(config["num_hidden_layers"]):
            states = self._layer(states, f"encoder.encoder.layer.{number}.", f"layer{number}.")
        self._outputs(states, config["hidden_size"])

    def serialised(self) -> bytes:
        """The model file."""
        from onnx import TensorProto, helper

        graph = helper.make_graph(
            self._nodes,
            "reader",
            [
                helper.make_tensor_value_info("ids", TensorProto.INT64, [1, "tokens"]),
                helper.make_tensor_value_info("types", TensorProto.INT64, [1, "tokens"]),
                helper.make_tensor_value_info("spans", TensorProto.FLOAT, ["sentences", "tokens"]),
            ],
            [
                helper.make_tensor_value_info("sentences", TensorProto.FLOAT, ["sentences"]),
                helper.make_tensor_value_info("passage", TensorProto.FLOAT, [1]),
                helper.make_tensor_value_info("entail", TensorProto.FLOAT, [1]),
            ],
            self._constants,
        )
        opsets = [helper.make_opsetid("", 17), helper.make_opsetid(MICROSOFT, 1)]
        model = helper.make_model(graph, opset_imports=opsets, producer_name="footnote")
        model.ir_version = 8
        return bytes(model.SerializeToString(deterministic=True))

    def _node(self, kind: str, inputs: list[str], name: str, domain: str = "", **more: Any) -> str:
        from onnx import helper

        self._nodes.append(helper.make_node(kind, inputs, [name], domain=domain, **more))
        return name

    def _constant(self, name: str, value: Any) -> str:
        from onnx import numpy_helper

        self._constants.append(numpy_helper.from_array(np.array(value, order="C"), name))
        return name

    def _weight(self, name: str) -> str:
        return self._constant(name, self._weights[name])

    def _matrix(self, states: str, weight: Any, name: str, bias: Any | None = None) -> str:
        """states [.., in] times a weight [out, in] in 8 bits, one scale a column."""
        matrix = weight.T
        scale = np.maximum(np.abs(matrix).max(axis=0), 1e-8) / LARGEST
        inputs = [
            states,
            self._constant(f"{name}.weight", np.rint(matrix / scale).astype(np.int8)),
            self._constant(f"{name}.scale", scale.astype(np.float32)),
            self._constant(f"{name}.zero", np.zeros(len(scale), dtype=np.int8)),
        ]
        if bias is not None:
            inputs.append(self._constant(f"{name}.bias", bias))
        return self._node("DynamicQuantizeMatMul", inputs, name, MICROSOFT)

    def _embedded(self) -> str:
        prefix = "encoder.embeddings."
        words = self._weights[f"{prefix}word_embeddings.weight"]
        scale = np.maximum(np.abs(words).max(axis=1, keepdims=True), 1e-8) / LARGEST
        table = self._constant("words", np.rint(words / scale).astype(np.int8))
        rows = self._node("Gather", [table, "ids"], "word.rows")
        rows = self._node("Cast", [rows], "word.float", to=1)
        scales = self._node("Gather", [self._constant("words.scale", scale), "ids"], "word.scale")
        word = self._node("Mul", [rows, scales], "word")
        shape = self._node("Shape", ["ids"], "shape")
        length = self._node(
            "Slice", [shape, self._index("one", 1), self._index("two", 2)], "length"
        )
        positions = self._node(
            "Slice",
            [self._weight(f"{prefix}position_embeddings.weight"), self._index("zero", 0), length],
            "positions",
        )
        kinds = self._node(
            "Gather", [self._weight(f"{prefix}token_type_embeddings.weight"), "types"], "kinds"
        )
        total = self._node("Add", [self._node("Add", [word, positions], "placed"), kinds], "total")
        return self._node(
            "LayerNormalization",
            [
                total,
                self._weight(f"{prefix}LayerNorm.weight"),
                self._weight(f"{prefix}LayerNorm.bias"),
            ],
            "embedded",
            epsilon=self._epsilon,
        )

    def _index(self, name: str, value: int) -> str:
        return self._constant(name, np.array([value], dtype=np.int64))

    def _layer(self, states: str, prefix: str, name: str) -> str:
        own = self._weights
        parts = [f"{prefix}attention.self.{part}" for part in ("query", "key", "value")]
        weight = np.concatenate([own[f"{part}.weight"] for part in parts])
        bias = np.concatenate([own[f"{part}.bias"] for part in parts])
        joined = self._matrix(states, weight, f"{name}joined", bias)
        outputs = [f"{name}{part}" for part in ("query", "key", "value")]
        from onnx import helper

        self._nodes.append(helper.make_node("Split", [joined], outputs, axis=-1))
        mixed = self._node(
            "MultiHeadAttention", outputs, f"{name}mixed", MICROSOFT, num_heads=self._heads
        )
        dense = f"{prefix}attention.output."
        attended = self._matrix(mixed, own[f"{dense}dense.weight"], f"{name}attended")
        states = self._added(attended, states, dense, f"{name}first")
        inner = self._matrix(states, own[f"{prefix}intermediate.dense.weight"], f"{name}inner")
        active = self._node(
            "BiasGelu",
            [inner, self._weight(f"{prefix}intermediate.dense.bias")],
            f"{name}active",
            MICROSOFT,
        )
        outer = self._matrix(active, own[f"{prefix}output.dense.weight"], f"{name}outer")
        return self._added(outer, states, f"{prefix}output.", f"{name}second")

    def _added(self, new: str, states: str, prefix: str, name: str) -> str:
        inputs = [
            new,
            states,
            *(self._weight(f"{prefix}LayerNorm.{p}") for p in ("weight", "bias")),
        ]
        inputs.append(self._weight(f"{prefix}dense.bias"))
        return self._node("SkipLayerNormalization", inputs, name, MICROSOFT, epsilon=self._epsilon)

    def _outputs(self, states: str, width: int) -> None:
        first = self._constant("first", np.array(0, dtype=np.int64))
        begin = self._node("Gather", [states, first], "begin", axis=1)  # [1, width]
        for head in ("passage", "entail"):
            self._linear(begin, self._weights[f"{head}_head.weight"], f"{head}_head", head)
        body = self._node("Gather", [states, first], "body", axis=0)  # [T, width]
        pooled = self._node("MatMul", ["spans", body], "pooled")
        both = self._weights["sentence_head.weight"]
        own = self._linear(pooled, both[:, :width], "sentence_head", "own")
        whole = self._constant("whole.weight", both[:, width:].T)
        shared = self._node("MatMul", [begin, whole], "shared")
        shared = self._node("Squeeze", [shared, self._constant("last", np.array([1]))], "shared1")
        self._node("Add", [own, shared], "sentences")

    def _linear(self, states: str, weight: Any, head: str, name: str) -> str:
        matrix = self._constant(f"{name}.weight", weight.T)
        product = self._node("MatMul", [states, matrix], f"{name}.product")
        flat = self._node(
            "Squeeze", [product, self._constant(f"{name}.axis", np.array([1]))], f"{name}.flat"
        )
        return self._node("Add", [flat, self._weight(f"{head}.bias")], name)


if __name__ == "__main__":
    typer.run(quantise)

"""From trained weights to the file that ships: `python -m evals.training.quantise FOLDER`.

Writes `reader.onnx`: the same network with its matrices as 8-bit integers, one scale a column (a
row for the word vectors), activations quantised as they come. A quarter of the size of 32-bit
weights, and faster. Needs `onnx` and `onnxscript`, which nothing else here does.

PyTorch exports the network; only its linear layers and word vectors are replaced before.
`onnxruntime.quantization.quantize_dynamic` would do the same but for its scales: with them, weights
that were in 8 bits already are rounded a second time.
"""

from __future__ import annotations

import hashlib
import shutil
import warnings
from pathlib import Path
from typing import Annotated, Any, cast

import numpy as np
import torch
import typer
from torch import Tensor

from evals.training.reader import HEADS, ReadingModel, read_weights

#: Largest weight. Seven bits of the eight: processors without VNNI add products of 8-bit numbers in
#: 16 bits, which overflows with more, and results would differ from machine to machine.
MAX_WEIGHT = 63


def quantise(
    folder: Path,
    output: Annotated[Path, typer.Option()],
    average_with: list[Path] | None = None,
    start: Path | None = None,
    start_share: float = 0.1,
) -> None:
    """Write the 8-bit network and its hash.

    The mean of the weights of several runs, or of those before and after further training, often
    does better on other data than any of them (Wortsman et al., "Model soups", arXiv 2203.05482,
    and "Robust fine-tuning of zero-shot models", arXiv 2109.01903).

    Args:
        folder: what training wrote.
        output: folder for `reader.onnx` and `reader.sha256`.
        average_with: other runs; all weigh the same.
        start: what the runs began with.
        start_share: its part in the mean.
    """
    runs = [folder, *(average_with or ())]
    shares = dict.fromkeys(runs, (1 - start_share if start else 1) / len(runs))
    if start:
        shares[start] = start_share
    read = [(read_weights(own), share) for own, share in shares.items()]
    model = ReadingModel(folder)
    model.load(
        {name: np.sum([w[name].astype(np.float32) * s for w, s in read], 0) for name in read[0][0]}
    )
    content = _exported(_Quantised(model).eval())
    (output / "reader.onnx").write_bytes(content)
    digest = hashlib.sha256(content).hexdigest()
    (output / "reader.sha256").write_text(f"{digest}  reader.onnx\n")
    if (folder / "tokenizer.json").resolve() != (output / "tokenizer.json").resolve():
        shutil.copy(folder / "tokenizer.json", output / "tokenizer.json")
        model.encoder.config.save_pretrained(output)


class _Quantised(torch.nn.Module):
    """The network as it ships, made of a trained one, which it takes apart."""

    encoder: Any
    sentence_head: _Head
    passage_head: _Head
    entail_head: _Head

    def __init__(self, model: ReadingModel) -> None:
        super().__init__()
        self.encoder = model.encoder
        self.encoder.set_attn_implementation("eager")  # the plainest to export
        for module in list(self.encoder.modules()):
            for name, child in list(module.named_children()):
                if isinstance(child, torch.nn.Linear):
                    setattr(module, name, _Linear(child))
        words = self.encoder.get_input_embeddings()
        self.encoder.set_input_embeddings(_Embedding(words))
        for name in HEADS:
            setattr(self, name, _Head(getattr(model, name)))

    def forward(self, ids: Tensor, types: Tensor, spans: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Logits of the sentences [S], of the paragraph [1] and of entailment [1].

        Args:
            ids, types: tokens and which of the two parts each is of, [1, T].
            spans: [S, T]; each row averages the tokens of a sentence.
        """
        states = self.encoder(input_ids=ids, token_type_ids=types).last_hidden_state[0]
        first = states[:1]
        pooled = spans @ states
        both = torch.cat([pooled, first.expand_as(pooled)], dim=-1)
        return self.sentence_head(both), self.passage_head(first), self.entail_head(first)


class _Linear(torch.nn.Module):
    """A linear layer in 8 bits, by an operator of ONNX Runtime: it runs only once exported."""

    weight: Tensor
    scale: Tensor
    zero: Tensor
    bias: Tensor

    def __init__(self, layer: torch.nn.Linear) -> None:
        super().__init__()
        weight, scale = _in_8_bits(layer.weight.data.T.contiguous(), 0)
        self.register_buffer("weight", weight)
        self.register_buffer("scale", scale[0])
        self.register_buffer("zero", torch.zeros(weight.shape[1], dtype=torch.int8))
        self.register_buffer("bias", layer.bias.data)

    def forward(self, states: Tensor) -> Tensor:
        """[.., in] to [.., out]."""
        return torch.onnx.ops.symbolic(
            "com.microsoft::DynamicQuantizeMatMul",
            (states, self.weight, self.scale, self.zero, self.bias),
            dtype=torch.float32,
            shape=[*states.shape[:-1], self.weight.shape[1]],
            version=1,
        )


class _Embedding(torch.nn.Module):
    """Word vectors in 8 bits."""

    weight: Tensor
    scale: Tensor

    def __init__(self, table: torch.nn.Embedding) -> None:
        super().__init__()
        weight, scale = _in_8_bits(table.weight.data, 1)
        self.register_buffer("weight", weight)
        self.register_buffer("scale", scale)

    def forward(self, ids: Tensor) -> Tensor:
        """[1, T] to [1, T, width]."""
        look_up = torch.nn.functional.embedding
        return look_up(ids, self.weight).float() * look_up(ids, self.scale)


class _Head(torch.nn.Module):
    """A head as it is, its matrix transposed so that its name stays through the export."""

    weight: Tensor
    bias: Tensor

    def __init__(self, layer: torch.nn.Linear) -> None:
        super().__init__()
        self.register_buffer("weight", layer.weight.data.T.contiguous())
        self.register_buffer("bias", layer.bias.data)

    def forward(self, states: Tensor) -> Tensor:
        """[N, in] to [N]."""
        return (states @ self.weight).squeeze(1) + self.bias


def _in_8_bits(matrix: Tensor, dim: int) -> tuple[Tensor, Tensor]:
    """Whole numbers up to MAX_WEIGHT, and their scales: one for all numbers along `dim`."""
    scale = matrix.abs().amax(dim=dim, keepdim=True).clamp(min=1e-8) / MAX_WEIGHT
    return torch.round(matrix / scale).to(torch.int8), scale


def _exported(network: _Quantised) -> bytes:
    """The model file; the same network gives the same bytes."""
    longest = network.encoder.config.max_position_embeddings
    tokens = torch.export.Dim("tokens", min=2, max=longest)
    sentences = torch.export.Dim("sentences", max=longest)
    # An example, of any size. One tensor given twice would be exported as a single input.
    ids, types = (torch.zeros((1, 8), dtype=torch.long) for _ in range(2))
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter warns of PyTorch's own code
        program = torch.onnx.export(
            network,
            (ids, types, torch.ones((3, 8))),
            dynamo=True,
            verbose=False,
            opset_version=20,  # the first with Gelu
            input_names=["ids", "types", "spans"],
            output_names=["sentences", "passage", "entail"],
            dynamic_shapes=({1: tokens}, {1: tokens}, {0: sentences, 1: tokens}),
        )
    proto = cast("torch.onnx.ONNXProgram", program).model_proto
    del proto.graph.value_info[:]
    for part in (proto, proto.graph, *proto.graph.node, *proto.graph.initializer):
        part.ClearField("metadata_props")  # among them paths of this machine
    return bytes(proto.SerializeToString(deterministic=True))


if __name__ == "__main__":
    typer.run(quantise)

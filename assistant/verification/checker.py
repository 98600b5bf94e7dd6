"""The checker: whether a passage says what a sentence claims.

A cross-encoder reads `[CLS] sentence [SEP] question [SEP] headings lead passage [SEP]` once. One
logit tells how far the passage supports the sentence, one how far it states the contrary, and one a
word of the sentence how far the passage does not say that word, as in LettuceDetect (Kovács and
Recski, arXiv 2502.17125). The question is read for what the sentence refers to, and states nothing.

The shipped weights lie in `weights/`, with their card.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path

from assistant.retrieval.reading_model import InputTokenizer, Window, open_model

SHIPPED_FOLDER = Path(str(files("assistant.verification") / "weights"))

MAX_TOKENS = 320
MAX_QUESTION_TOKENS = 40
MAX_CLAIM_TOKENS = 96


@dataclass(frozen=True, slots=True)
class Check:
    """Logits of a sentence and a passage.

    Attributes:
        entailed: that the passage supports the sentence.
        contradicted: that it states the contrary; 0 where that is not told.
        unsaid: the highest of the words', that the passage does not say it; 0 likewise.
    """

    entailed: float
    contradicted: float = 0.0
    unsaid: float = 0.0


def claim_window(
    tokenizer: InputTokenizer, claim: Sequence[int], question: Sequence[int], premise: Sequence[int]
) -> Window:
    """The input for a claim, a question or none, and a premise, all of them as tokens; each token
    of the claim has a span. What is longer than the model's input is cut off."""
    first, last = tokenizer.first, tokenizer.last
    claim, question = claim[:MAX_CLAIM_TOKENS], question[:MAX_QUESTION_TOKENS]
    head = [first, *claim, last]
    ids = [*head, *([*question, last] if question else []), *premise][: MAX_TOKENS - 1]
    words = tuple((place, place + 1) for place in range(1, 1 + len(claim)))
    return Window((*ids, last), len(head), range(len(claim)), words)


class Checker:
    """A checker in the files of a reading model (see `evals.training`).

    Args:
        folder: holds `reader.onnx`, `reader.sha256` and `tokenizer.json`.

    Raises:
        ReaderError: a file is missing or the weights do not match their hash.
    """

    def __init__(self, folder: Path) -> None:
        opened = open_model(folder, "checker")
        self._network, self._tokenizer, self.fingerprint = opened

    def check(self, claim: str, premise: str, question: str = "") -> Check:
        """Hold a claim against a premise; what is longer than the model's input is cut off."""
        tokens = self._tokenizer.ids([claim, question, premise])
        unsaid, contradicted, entailed = self._network(claim_window(self._tokenizer, *tokens))
        return Check(entailed, contradicted, max(unsaid, default=0.0))


@cache
def shipped_checker() -> Checker:
    """Return the shipped checker, which is loaded once in a process.

    Raises:
        ReaderError: the weights are not what was shipped.
    """
    return Checker(SHIPPED_FOLDER)

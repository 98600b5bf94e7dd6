"""What kind of answer a question asks for: learned from questions, not from a list of words.

A logistic regression over the vector that the encoder makes of a question. Its numbers lie in
`kinds.json`, by the encoder's fingerprint; `footnote eval kinds` fits them, from the questions in
`evals/questions/kinds.jsonl`. With an encoder that it does not know every question asks for a fact.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from index.bm25 import terms_of

#: `overview`: what the documents, or a part of them, say as a whole. `courtesy` ("thanks") and
#: `about` (what the assistant is and can do): nothing that the documents say. `fact`: all else.
Kind = Literal["fact", "overview", "courtesy", "about"]
FACT: Kind = "fact"

#: The least probability with which a question is taken to be of another kind than a fact. Of 2,000
#: questions of training data that nothing was fitted on, .7 % are then taken for an overview, with
#: .6 it is 1 %. Small talk takes more, for nothing is looked up for it.
SURE = {"overview": 0.75, "courtesy": 0.8, "about": 0.8}

#: As in "five bullets", "three short sentences" and "a sentence"; "a few sentences" has no number.
_COUNTS = (
    "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen"
).split()
_LENGTH = re.compile(
    rf"\b(?:(\d{{1,2}}|{'|'.join(_COUNTS)})\s+(?:[a-z]+\s+){{0,2}}?"
    r"(?:sentence|bullet|point|takeaway|line|item|highlight|thing|idea)s?|"
    r"an?\s+(?:single\s+)?sentence)\b",
    re.IGNORECASE,
)
#: Sentences that an answer has at most, whatever was asked for.
MOST = 30


@dataclass(frozen=True, slots=True)
class Kinds:
    """Tells kinds of questions apart.

    Attributes:
        names: of the kinds, in the order of the rows of `weights`.
        weights: [kinds, dimension].
        intercepts: [kinds].
        request: stems of the words by which an overview is asked for, and not what it is of.
    """

    names: tuple[str, ...]
    weights: NDArray[np.float32]
    intercepts: NDArray[np.float32]
    request: frozenset[str]

    def kind(self, vector: NDArray[np.float32]) -> Kind:
        """The kind of a question with this vector."""
        if not self.names:
            return FACT
        logits = self.weights @ vector + self.intercepts
        odds = np.exp(logits - logits.max())
        best = int(odds.argmax())
        name: Any = self.names[best]
        return name if odds[best] / odds.sum() >= SURE.get(name, 0.0) else FACT

    def topic(self, question: str) -> frozenset[str]:
        """Stems of what a question names, without those that ask for an overview."""
        bare = _LENGTH.sub(" ", question)
        return frozenset(terms_of(bare)) - self.request


def length_of(question: str) -> int | None:
    """How many sentences a question asks for ("in five bullets"); None where it does not say."""
    found = _LENGTH.search(question)
    if found is None:
        return None
    word = (found[1] or "one").lower()
    return min(max(1, int(word)), MOST) if word.isdigit() else _COUNTS.index(word) + 1


@cache
def load_kinds(fingerprint: str, file: Path | None = None) -> Kinds:
    """The kinds as an encoder tells them apart; none for one that the file does not know."""
    content = json.loads(kinds_file(file).read_text(encoding="utf-8"))
    own = content["encoders"].get(fingerprint)
    request = frozenset(content["request"])
    if own is None:
        return Kinds((), np.zeros((0, 0), np.float32), np.zeros(0, np.float32), request)
    return Kinds(
        tuple(own["kinds"]),
        np.array(own["weights"], dtype=np.float32),
        np.array(own["intercepts"], dtype=np.float32),
        request,
    )


def kinds_file(file: Path | None = None) -> Path:
    """The file itself, or the shipped one."""
    return file or Path(str(files("assistant.query") / "kinds.json"))

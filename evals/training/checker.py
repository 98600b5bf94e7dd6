"""Makes the checker: `python -m evals.training.checker OUTPUT`.

It begins with the reading model and learns of pairs of a claim and a premise: sentences as language
models write them, true and made false (`written.zip`), each held against its passage, some true
ones against a near passage of the same document; and claims about the texts written for this and
of inference data, each held against its paragraph, alone or beside another one, or against another
one only.

Interrupted, the same command goes on where it was. It makes the same examples in the same order
each time; sums of floating-point numbers may differ between machines.
"""

from __future__ import annotations

import random
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import partial
from pathlib import Path
from typing import Any

import torch
import typer
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits as cross_entropy
from torch.nn.functional import softplus

from assistant.retrieval.reading_model import SHIPPED_FOLDER
from assistant.verification.attribution import HEADINGS, plain, premise_of
from assistant.verification.attribution import beside as neighbours
from assistant.verification.checker import claim_window
from assistant.verification.verifier import plain_claim
from evals.training.learning import fit, plan_of
from evals.training.network import Network, ship
from evals.training.reading_model import CHARACTERS, COPIES, beside, headings_of
from evals.training.texts import (
    LabelledDocument,
    LabelledParagraph,
    nearest,
    read_authored,
    read_entailed,
    read_written,
)

#: Steps, about 19.7 million tokens without padding.
STEPS = 5000
#: Highest learning rate of the encoder.
RATE = 1.2e-4
#: Weight of telling what a premise contradicts, beside telling what it entails. Not tuned.
CONTRADICTED = 0.3
#: Weight of telling which words of a claim it does not say. Not tuned.
UNSAID = 0.5
#: Weight of telling which of two claims it entails. Not tuned.
RANKED = 0.5
#: Weight of a word that it does not say over the others. Not tuned.
UNSAID_WORD = 2.0
#: Tokens of a claim and its question, about. Those that are held against one premise are learned
#: from together.
CLAIM_TOKENS = 40

#: Pairs of `texts.zip`, and as many of the inference data, at most.
MOST_OTHERS = 2500
#: Share of the claims whose premise has another paragraph of the document besides. Not tuned.
TOGETHER = 0.25
#: Share of the claims whose premise is another paragraph only. Not tuned.
ELSEWHERE = 0.15
#: Share of the sentences of `written.zip` that come without their question. Not tuned.
UNASKED = 0.3
#: Share of its true sentences that are held against another passage too. Not tuned.
WRITTEN_ELSEWHERE = 0.35
#: Characters by which a passage is found in what was read with another one.
BEGINNING = 40
#: What contradicts a passage; a condition or a limit that is left out may do so or not.
CONTRADICTING = {"number": 1, "name": 1, "negation": 1, "other": 1, "order": 1, "addition": 0}
#: The share of the words of two sentences that is the same, from which on one is the other changed.
CHANGED = 0.6
_WORD = re.compile(r"\w+|[^\w\s]")


@dataclass(frozen=True, slots=True)
class Pair:
    """A claim, a premise, and whether the premise entails the claim.

    Attributes:
        kind: what it was made of, and how.
        question: what the claim answers.
        contradicted: whether the premise states the contrary; None where that is not known.
        unsaid: which characters of the claim the premise does not say, as spans; None where that is
            not known.
    """

    claim: str
    premise: str
    entailed: int
    kind: str = ""
    question: str = ""
    contradicted: int | None = None
    unsaid: tuple[tuple[int, int], ...] | None = None


def train(
    output: Path, data: Path | None = None, start: Path = SHIPPED_FOLDER, seed: int = 1
) -> None:
    """Train the checker and write what ships of it.

    Args:
        output: folder for the model and the state of its training.
        data: folder of nli.jsonl.gz.
        start: folder of the reading model to begin with.
        seed: seed of everything by chance.
    """
    pairs = read_pairs(data, random.Random(seed))  # noqa: S311 (not for secrets)
    network = Network(start)
    fit(network, RATE, plan_of(pairs, _about, STEPS, seed), partial(loss, network), output)
    ship(network, start, output)


def read_pairs(data: Path | None, chance: random.Random) -> list[Pair]:
    """Everything that is learned from; see `train`."""
    pairs = list(written_pairs(read_written(), chance))
    for documents in (read_authored() * COPIES, read_entailed(data, chance) if data else ()):
        made = [pair for own in documents for pair in pairs_of(own, chance)]
        pairs += chance.sample(made, min(MOST_OTHERS, len(made)))
    return pairs


def _about(pair: Pair) -> tuple[int, str]:
    return CLAIM_TOKENS + round(len(pair.premise) / CHARACTERS), pair.premise


def pairs_of(document: LabelledDocument, chance: random.Random) -> Iterator[Pair]:
    """What is learned of a document."""
    kind = f"{document.kind}, claimed"
    for paragraph in document.paragraphs:
        others = [other for other in document.paragraphs if other is not paragraph]
        for supported, claim in paragraph.claims:
            together = others and chance.random() < TOGETHER
            shown = beside(paragraph, others, chance) if together else [paragraph]
            yield Pair(claim, _shown(document, shown, chance), int(supported), kind)
            if others and chance.random() < ELSEWHERE:
                premise = _shown(document, [chance.choice(others)], chance)
                yield Pair(claim, premise, 0, f"{kind} of another paragraph")


def _shown(
    document: LabelledDocument, paragraphs: Sequence[LabelledParagraph], chance: random.Random
) -> str:
    """A premise: what stands above the first paragraph, and the paragraphs."""
    headings = [f"{heading}." for heading in headings_of(document, paragraphs[0], chance)]
    return " ".join([*headings, *(own.text for own in paragraphs)])


def written_pairs(rows: Sequence[Mapping[str, Any]], chance: random.Random) -> Iterator[Pair]:
    """The pairs of lines of `written.zip`."""
    sources: dict[str, dict[str, Mapping[str, Any]]] = defaultdict(dict)
    for row in rows:
        sources[row["document"]].setdefault(row["source"], row)
    for row in rows:
        claim = plain_claim(row["claim"])
        question = "" if chance.random() < UNASKED else row["question"]
        entailed = int(row["supported"])
        contradicted = 0 if entailed else CONTRADICTING.get(row["error"])
        unsaid = () if entailed else _changed(plain_claim(row["instead"]), claim)
        kind = f"written, {row['error'] or 'true'}"
        yield Pair(claim, _premise(row), entailed, kind, question, contradicted, unsaid)
        if entailed and chance.random() < WRITTEN_ELSEWHERE:
            read = f"{row['before']} {row['source']} {row['after']}"
            apart = [
                other
                for other in sources[row["document"]].values()
                if plain(other["source"])[:BEGINNING] not in read
            ]
            others = nearest(row["claim"], apart, lambda other: str(other["source"]))
            if others:
                other = _premise(chance.choice(others))
                yield Pair(claim, other, 0, "written, elsewhere", question, 0)


def _premise(row: Mapping[str, Any]) -> str:
    """The passage as it is read."""
    text = plain(row["source"])
    before, behind = neighbours(row["before"], text, row["after"])
    return premise_of([*row["heading"][-HEADINGS:], row["lead"]], before, text, behind)


def _changed(true: str, false: str) -> tuple[tuple[int, int], ...] | None:
    """The characters of a false sentence that the true one has not, or beside which it has more;
    None where it is worded anew."""
    before, words = list(_WORD.finditer(true)), list(_WORD.finditer(false))
    matcher = SequenceMatcher(
        None, [own[0].lower() for own in before], [own[0].lower() for own in words], False
    )
    if matcher.ratio() < CHANGED:
        return None
    spans = []
    for kind, _, _, first, last in matcher.get_opcodes():
        if kind in ("replace", "insert"):
            spans.append((words[first].start(), words[last - 1].end()))
        elif kind == "delete":
            at = min(first, len(words) - 1)
            spans.append((words[max(0, at - 1)].start(), words[at].end()))
    return tuple(spans)


def logits(network: Network, pairs: Sequence[Pair]) -> tuple[Tensor, Tensor, list[Tensor]]:
    """Logits of entailment [B], of contradiction [B], and of each claim's tokens, that the premise
    does not say them."""
    tokenizer = network.tokenizer
    tokens = [tokenizer.ids([own.claim, own.question, own.premise]) for own in pairs]
    words, contradicts, entails = network([claim_window(tokenizer, *own) for own in tokens])
    return entails, contradicts, words


def loss(network: Network, pairs: Sequence[Pair]) -> Tensor:
    """Cross-entropy of entailment, and, where they are known, of contradiction and of words."""
    entails, contradicts, words = logits(network, pairs)
    total = cross_entropy(entails, torch.tensor([float(pair.entailed) for pair in pairs]))
    known = [n for n, pair in enumerate(pairs) if pair.contradicted is not None]
    if known:
        truth = torch.tensor([float(pairs[n].contradicted or 0) for n in known])
        total = total + CONTRADICTED * cross_entropy(contradicts[known], truth)
    marked = [n for n, pair in enumerate(pairs) if pair.unsaid is not None]
    if marked:
        said = network.tokenizer.spans([pairs[n].claim for n in marked])
        labels = [
            float(any(start < last and end > first for first, last in pairs[n].unsaid or ()))
            for n, spans in zip(marked, said, strict=True)
            for start, end in spans[: len(words[n])]
        ]
        total = total + UNSAID * cross_entropy(
            torch.cat([words[n] for n in marked]),
            torch.tensor(labels),
            pos_weight=torch.tensor(UNSAID_WORD),
        )
    leads = [
        entails[n] - entails[other]
        for n, true in enumerate(pairs)
        for other, false in enumerate(pairs)
        if true.entailed > false.entailed and true.premise == false.premise
    ]
    return total + RANKED * softplus(-torch.stack(leads)).mean() if leads else total


if __name__ == "__main__":
    typer.run(train)

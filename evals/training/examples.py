"""From question-answering and inference data to the examples that the reader learns from.

Two kinds. A *passage*: a question, the sentences of a paragraph, and which of them answer. A
*pair*: a claim, a premise, and whether the premise entails the claim. What the data does not hold
is made here by script: paragraphs without the sentence that answered, similar paragraphs that do
not hold the answer, questions and claims with a name or a number exchanged, claims negated.
"""

from __future__ import annotations

import gzip
import json
import random
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from assistant.retrieval.reading_model import MAX_QUESTION_TOKENS, MAX_TOKENS
from index.bm25 import BM25Index, terms_of
from index.chunking.sentences import sentence_spans

#: Characters of a text by which similar ones are found. Not tuned.
LONGEST = 2000
#: The label of a sentence that is not learned from.
MASKED = -1
#: Share of the questions for which each kind of negative is made. Not tuned.
SIMILAR, REMOVED, EXCHANGED = 0.35, 0.35, 0.3
#: How often a human-written unanswerable question counts: there are few, and they are the hardest.
#: Not tuned.
UNANSWERABLE_COPIES = 3
#: At most so many records of a source that would drown the others. Not tuned.
MOST = {"qamr": 3000, "natinst_snli": 6000, "snli": 3000, "snli_test": 3000}

_NAME = re.compile(r"\b[A-Z][\w'\u2019-]+(?:\s+(?:of\s+|the\s+)?[A-Z][\w'\u2019-]+)*")
_NUMBER = re.compile(r"\b\d[\d,.]*\d\b|\b\d\b")
_AUXILIARY = re.compile(r"\b(is|are|was|were|has|have|had|can|could|will|would|may|must|should)\b")


@dataclass(frozen=True, slots=True)
class Passage:
    """A question's tokens, each sentence's tokens, each sentence's label (1, 0 or MASKED) and
    whether the paragraph answers."""

    question: list[int]
    sentences: list[list[int]]
    labels: list[int]
    answers: int

    @property
    def length(self) -> int:
        """Tokens of the whole input."""
        return 3 + len(self.question) + sum(map(len, self.sentences))


@dataclass(frozen=True, slots=True)
class Pair:
    """A claim's tokens, a premise's tokens, and whether the premise entails the claim."""

    claim: list[int]
    premise: list[int]
    entailed: int

    @property
    def length(self) -> int:
        """Tokens of the whole input."""
        return 3 + len(self.claim) + len(self.premise)


class Examples:
    """All examples of a data folder, the same for the same seed.

    Args:
        folder: holds `qa.jsonl.gz` (question, context, answers), `relevance.jsonl.gz` (question,
            sentence, label) and `nli.jsonl.gz` (premise, hypothesis, label).
        tokenizer: a `tokenizers.Tokenizer`.
        seed: of every choice made by chance.
        limit: at most so many records of each file, for trying things out.

    Attributes:
        passages, pairs: to learn from.
        held_out: passages and pairs on texts that are not among those, one in fifty.
    """

    def __init__(self, folder: Path, tokenizer: Any, seed: int, limit: int | None = None) -> None:
        self._random = random.Random(seed)  # noqa: S311 (not for secrets)
        self._tokenizer = tokenizer
        self._known: dict[str, list[int]] = {}
        self.passages: list[Passage] = []
        self.pairs: list[Pair] = []
        self.held_out: tuple[list[Passage], list[Pair]] = ([], [])
        records = self._read(folder / "qa.jsonl.gz", limit)
        self._texts = list(dict.fromkeys(record["context"] for record in records))
        self._sentences = {text: _split(text) for text in self._texts}
        self._names = [n for r in records[:20000] for n in _NAME.findall(r["question"])[1:]]
        self._terms = BM25Index.build([text[:LONGEST] for text in self._texts])
        for record in records:
            self._add_question(record)
        for record in self._read(folder / "relevance.jsonl.gz", limit):
            label = int(record["label"])
            self._keep(record["sentence"], record["question"], [record["sentence"]], [label], label)
        for record in self._read(folder / "nli.jsonl.gz", limit):
            entailed = int(record["label"] == "entailment")
            self._keep_pair(record["premise"], record["hypothesis"], entailed)
        self._add_exchanged_claims()

    def _read(self, path: Path, limit: int | None) -> list[dict[str, Any]]:
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            records = [json.loads(line) for line in lines]
        self._random.shuffle(records)
        seen: dict[str, int] = defaultdict(int)
        kept = []
        for record in records[:limit]:
            seen[record["src"]] += 1
            if seen[record["src"]] <= MOST.get(record["src"], len(records)):
                kept.append(record)
        return kept

    # --- questions ---------------------------------------------------------------------------

    def _add_question(self, record: dict[str, Any]) -> None:
        question, context = record["question"], record["context"]
        sentences = self._sentences[context]
        if not record["answers"]:
            for _ in range(UNANSWERABLE_COPIES):
                self._keep(context, question, sentences, [0] * len(sentences), 0)
            return
        labels = _labels(question, sentences, record["answers"])
        if 1 not in labels:
            return  # not a literal span of its context
        self._keep(context, question, sentences, labels, 1)
        if self._random.random() < SIMILAR:
            text = self._similar(question, context)
            if not any(answer.lower() in text.lower() for answer in record["answers"]):
                own = self._sentences[text]
                self._keep(text, question, own, [0] * len(own), 0, beside=context)
        if self._random.random() < REMOVED:
            left = [s for s, label in zip(sentences, labels, strict=True) if label == 0]
            if len(left) >= 2:
                self._keep(context, question, left, [0] * len(left), 0)
        if self._random.random() < EXCHANGED:
            exchanged = self._exchange(question, context)
            if exchanged is not None:
                self._keep(context, exchanged, sentences, [0] * len(sentences), 0)

    def _similar(self, question: str, context: str) -> str:
        """One of the five other texts that hold most of the question's term weight (BM25)."""
        best = np.argsort(-self._terms.shares(question), kind="stable")[:6]
        others: list[str] = [self._texts[i] for i in best if self._texts[i] != context]
        return self._random.choice(others[:5])

    def _exchange(self, text: str, beside: str) -> str | None:
        """The text with one number or name replaced by another that `beside` may hold as well."""
        numbers = list(_NUMBER.finditer(text))
        if numbers:
            found = self._random.choice(numbers)
            others = [n for n in _NUMBER.findall(beside) if n != found[0]]
            new = self._random.choice(others) if others else self._other_number(found[0])
            return text[: found.start()] + new + text[found.end() :]
        names = [m for m in _NAME.finditer(text) if m.start() > 0]
        if not names:
            return None
        found = self._random.choice(names)
        others = [n for n in _NAME.findall(beside) if n not in found[0] and found[0] not in n]
        if not others or self._random.random() < 0.3:
            others = self._names or others
        if not others:
            return None
        new = self._random.choice(others)
        return None if new in text else text[: found.start()] + new + text[found.end() :]

    def _other_number(self, number: str) -> str:
        digits = [str(self._random.randrange(10)) if c.isdigit() else c for c in number]
        other = "".join(digits)
        return other if other != number else number[:-1] + str((int(number[-1]) + 3) % 10)

    # --- claims ------------------------------------------------------------------------------

    def _add_exchanged_claims(self) -> None:
        """Sentences of the texts as claims about the lines that hold them: as they stand
        (entailed), with a name or number exchanged, and negated (not entailed)."""
        for text in self._texts:
            sentences = self._sentences[text]
            number = self._random.randrange(len(sentences))
            claim = sentences[number]
            if not 30 <= len(claim) <= 300:
                continue
            premise = " ".join(sentences[max(0, number - 1) : number + 2])
            self._keep_pair(premise, claim, 1)
            kind = self._random.random()
            auxiliary = _AUXILIARY.search(claim)
            changed = None
            if kind < 0.35 and auxiliary and " not " not in claim:
                changed = claim[: auxiliary.end()] + " not" + claim[auxiliary.end() :]
            elif kind < 0.6:
                changed = self._swapped(claim)
            changed = changed or self._exchange(claim, text)
            if changed is not None and changed != claim:
                self._keep_pair(premise, changed, 0)

    def _swapped(self, claim: str) -> str | None:
        """Two names of the claim in each other's place."""
        names = list(_NAME.finditer(claim))
        if len(names) < 2:
            return None
        a, b = sorted(self._random.sample(names, 2), key=lambda m: m.start())
        if a[0] == b[0]:
            return None
        return claim[: a.start()] + b[0] + claim[a.end() : b.start()] + a[0] + claim[b.end() :]

    # --- tokens ------------------------------------------------------------------------------

    def _ids(self, text: str) -> list[int]:
        if text not in self._known:  # a text's sentences come back with each of its questions
            self._known[text] = self._tokenizer.encode(text, add_special_tokens=False).ids
        return self._known[text]

    def _keep(
        self,
        text: str,
        question: str,
        sentences: Sequence[str],
        labels: Sequence[int],
        answers: int,
        beside: str | None = None,
    ) -> None:
        head = self._ids(question)[:MAX_QUESTION_TOKENS]
        room = MAX_TOKENS - 3 - len(head)
        bodies = [self._ids(sentence)[:room] for sentence in sentences]
        if not head or not all(bodies):
            return
        if answers:
            needed = self._random.choice([i for i, label in enumerate(labels) if label == 1])
        else:
            needed = self._random.randrange(len(bodies))
        first, last = _window([len(body) for body in bodies], needed, room, self._random)
        passage = Passage(head, bodies[first:last], list(labels[first:last]), answers)
        held = _is_held_out(text) or (beside is not None and _is_held_out(beside))
        (self.held_out[0] if held else self.passages).append(passage)

    def _keep_pair(self, premise: str, claim: str, entailed: int) -> None:
        head = self._ids(claim)[:MAX_QUESTION_TOKENS]
        body = self._ids(premise)[: MAX_TOKENS - 3 - len(head)]
        if head and body:
            pair = Pair(head, body, entailed)
            (self.held_out[1] if _is_held_out(premise) else self.pairs).append(pair)


def _split(text: str) -> list[str]:
    return [text[a:b] for a, b in sentence_spans(text, 0, len(text))] or [text]


def _labels(question: str, sentences: Sequence[str], answers: Sequence[str]) -> list[int]:
    """1 where an answer stands. Where it stands in several sentences, the one that shares most
    terms with the question has it, and nothing is learned from the others."""
    labels = [0] * len(sentences)
    asked = set(terms_of(question))
    for answer in answers:
        holding = [i for i, sentence in enumerate(sentences) if answer.lower() in sentence.lower()]
        if not holding:  # an answer of several sentences
            for i, sentence in enumerate(sentences):
                if len(sentence) > 10 and sentence in answer:
                    labels[i] = 1
            continue
        best = max(holding, key=lambda i: len(asked & set(terms_of(sentences[i]))))
        for i in holding:
            labels[i] = max(labels[i], MASKED) if labels[i] == 1 else MASKED
        labels[best] = 1
    return labels


def _window(
    lengths: Sequence[int], needed: int, room: int, chance: random.Random
) -> tuple[int, int]:
    """A run of sentences with `needed` in it that fits in `room` tokens, grown by chance."""
    first, last, used = needed, needed + 1, lengths[needed]
    while True:
        grown = False
        for side in chance.sample(("before", "after"), 2):
            if side == "before" and first > 0 and used + lengths[first - 1] <= room:
                first -= 1
                used += lengths[first]
                grown = True
            if side == "after" and last < len(lengths) and used + lengths[last] <= room:
                used += lengths[last]
                last += 1
                grown = True
        if not grown:
            return first, last


def _is_held_out(text: str) -> bool:
    return sum(text[:200].encode()) % 50 == 0


def batches(
    examples: Sequence[Passage] | Sequence[Pair], tokens: int, chance: random.Random
) -> Iterator[list[int]]:
    """Numbers of examples of similar length, at most `tokens` with padding, in random order."""
    order = sorted(range(len(examples)), key=lambda i: (examples[i].length, chance.random()))
    found: list[list[int]] = [[]]
    for i in order:
        if found[-1] and examples[i].length * (len(found[-1]) + 1) > tokens:
            found.append([])
        found[-1].append(i)
    chance.shuffle(found)
    yield from found

"""Question-answering and inference data of others, as labelled documents.

A folder of `qa.jsonl.gz` (`question`, `context`, `answers`: spans of the context, none where it
does not answer; some have the `title` of what the context is from), `relevance.jsonl.gz`
(`question`, `sentence`, `label`: whether it answers) and `nli.jsonl.gz` (`premise`, `hypothesis`,
`label`). Each record has the name of its source in `src`.
"""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from evals.datasets.claims import is_held_out
from evals.datasets.json_lines import read_objects
from evals.training.examples import LabelledDocument, LabelledParagraph
from index.chunking.sentences import sentence_spans
from index.terms.bm25 import BM25Index

#: Characters of a paragraph, which the reader takes whole, and by which similar ones are found.
MAX_PARAGRAPH = 900
#: The share of the answered questions that have a similar text beside theirs. Not tuned.
SIMILAR = 0.5
#: How often a human-written unanswerable question counts: there are few, and they are the hardest.
#: Not tuned.
UNANSWERABLE_COPIES = 3
#: Most records of a source: for one that would drown the others, and 0 for one whose
#: texts say much the same as one another, so that what one does not answer the next may. Not tuned.
MAX_RECORDS = {"qamr": 3000, "natinst_snli": 6000, "snli": 3000, "snli_test": 3000, "policyqa": 0}
#: Labels that are wrong more often than right, of those that were read.
WRONG = {("natinst_snli", "contradiction")}
#: Premises that make a document.
PREMISES = 3


def read_published(folder: Path, chance: random.Random) -> Iterator[LabelledDocument]:
    """The documents, of one to three paragraphs; one in fifty texts is held out."""
    yield from _answered(_records(folder / "qa.jsonl.gz", chance), chance)
    for record in _records(folder / "relevance.jsonl.gz", chance):
        asked = [((1,) * record["label"], record["question"])]
        paragraph = LabelledParagraph("", (record["sentence"],), asked)
        held_out = is_held_out(record["sentence"])
        yield LabelledDocument("", [paragraph], "sentence", held_out)
    yield from _entailed(_records(folder / "nli.jsonl.gz", chance))


def _records(path: Path, chance: random.Random) -> list[dict[str, Any]]:
    records = [record for _, record in read_objects(path)]
    chance.shuffle(records)
    seen: Counter[str] = Counter()
    kept = []
    for record in records:
        seen[record["src"]] += 1
        right = (record["src"], record.get("label")) not in WRONG
        if right and seen[record["src"]] <= MAX_RECORDS.get(record["src"], len(records)):
            kept.append(record)
    return kept


def _answered(
    records: Sequence[Mapping[str, Any]], chance: random.Random
) -> Iterator[LabelledDocument]:
    texts = list(dict.fromkeys(record["context"] for record in records))
    sentences = {
        text: [text[a:b] for a, b in sentence_spans(text, 0, len(text))] or [text] for text in texts
    }
    terms = BM25Index.build([text[:MAX_PARAGRAPH] for text in texts])
    for record in records:
        question, context, answers = record["question"], record["context"], record["answers"]
        numbers = _answering(sentences[context], answers)
        if numbers is None:
            continue
        others = []
        if answers and chance.random() < SIMILAR:
            best = np.argsort(-terms.shares(question), kind="stable")[:6]
            other = chance.choice([texts[i] for i in best if texts[i] != context])
            if not any(answer.lower() in other.lower() for answer in answers):
                others = [other]
        for _ in range(1 if answers else UNANSWERABLE_COPIES):
            shown = _run(sentences[context], numbers, chance)
            paragraph = LabelledParagraph(
                record.get("title", ""),
                tuple(sentences[context][n] for n in shown),
                [(tuple(1 + shown.index(n) for n in numbers if n in shown), question)],
            )
            similar = [
                LabelledParagraph(
                    "", tuple(sentences[other][n] for n in _run(sentences[other], (), chance))
                )
                for other in others
            ]
            held_out = any(map(is_held_out, [context, *others]))
            yield LabelledDocument("", [paragraph, *similar], "question", held_out)


def _answering(sentences: Sequence[str], answers: Sequence[str]) -> list[int] | None:
    """The numbers of the sentences that hold an answer or are a part of it, from 0; None where an
    answer is no span of the sentences, or several hold it, so that one of them says it by chance.
    """
    found: set[int] = set()
    for answer in answers:
        holding = [n for n, own in enumerate(sentences) if answer.lower() in own.lower()]
        parts = [n for n, own in enumerate(sentences) if len(own) > 10 and own in answer]
        if len(holding) != 1 and not (parts and not holding):
            return None
        found.update(holding or parts)
    return sorted(found)


def _run(sentences: Sequence[str], needed: Sequence[int], chance: random.Random) -> range:
    """A run of sentences that the reader takes whole, by chance, with one that is needed."""
    ends = np.cumsum([0, *map(len, sentences)])
    one = chance.choice(needed or range(len(sentences)))
    start = chance.choice(
        [n for n in range(one) if ends[one + 1] - ends[n] <= MAX_PARAGRAPH] + [one]
    )
    return range(start, max(one + 1, int(np.sum(ends - ends[start] <= MAX_PARAGRAPH)) - 1))


def _entailed(records: Sequence[Mapping[str, Any]]) -> Iterator[LabelledDocument]:
    claims: dict[str, list[tuple[bool, str]]] = defaultdict(list)
    for record in records:
        if record["premise"].strip() and record["hypothesis"].strip():
            entailed = record["label"] == "entailment"
            claims[record["premise"]].append((entailed, record["hypothesis"]))
    for held_out in (False, True):
        premises = [premise for premise in claims if is_held_out(premise) == held_out]
        for start in range(0, len(premises), PREMISES):
            paragraphs = [
                LabelledParagraph("", (premise,), claims=claims[premise])
                for premise in premises[start : start + PREMISES]
            ]
            yield LabelledDocument("", paragraphs, "inference", held_out)

"""Reads what is learned from.

`texts.zip`: questions and claims in other words than those of short texts that were written for
this. What people ask of their own documents is seldom in the words of these, and seldom about an
encyclopaedia, as nearly all data to learn from is. The archive holds documents of many kinds with
questions and claims about them, all of them invented. Each line begins with what it is:

    D a document's title
    H a heading in it
    P a paragraph | sentence by sentence
    2 a question that the second sentence answers
    2,4 a question that the second and the fourth sentence answer
    0 a question near to the paragraph that nothing in its document answers
    + a claim that the paragraph supports
    - a claim near to it that the paragraph does not support

A folder of data of others, each record with the name of its source in `src`: `qa.jsonl.gz`
(`question`, `context`, `answers`: spans of the context, none where it does not answer; some have
the `title` of what the context is from), `relevance.jsonl.gz` (`question`, `sentence`, `label`:
whether it answers) and `nli.jsonl.gz` (`premise`, `hypothesis`, `label`).

`written.zip`: sentences as language models write them from passages for people who ask, and the
same made false by one fact, for the checker. What was asked, and which passage answers it, is for
the encoder and the reading model. JSON Lines, a sentence a line, as `evals.datasets.claims` reads
them: `claim`, `question`, `source` with `heading`, `lead`, `before` and `after`, `supported`,
`error`; besides `document`, which names the document, and of a false one `instead`, the true
sentence that it was made of.
"""

from __future__ import annotations

import random
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from importlib.resources import files
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import numpy as np

from assistant.query.english import content_stems
from assistant.verification.attribution import HEADINGS, beside, plain, premise_of
from assistant.verification.verifier import plain_claim
from evals.datasets.claims import is_held_out
from evals.datasets.json_lines import read_objects
from evals.training.examples import LabelledDocument, LabelledParagraph, Pair, nearest
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
#: Shares of the sentences that come without their question, and of the true ones that are held
#: against another passage of the document, of the nearest few. Not tuned.
UNASKED, ELSEWHERE = 0.3, 0.35
#: What contradicts a passage; a condition or a limit that is left out may do so or not.
CONTRADICTING = {"number": 1, "name": 1, "negation": 1, "other": 1, "order": 1, "addition": 0}
#: The share of the words of two sentences that is the same, from which on one is the other changed.
CHANGED = 0.6
#: Of the words that the sentence of a passage which is nearest to a true claim has in common with
#: it, the share from which on another sentence answers too.
ALIKE = 0.6
_WORD = re.compile(r"\w+|[^\w\s]")


def read_authored(text: str | None = None) -> list[LabelledDocument]:
    """The documents.

    Args:
        text: in the format told above; None reads all that was written.

    Raises:
        ValueError: a line does not follow the format, or a sentence number is out of range.
    """
    if text is None:
        with ZipFile(str(files("evals.training") / "texts.zip")) as parts:
            text = "\n".join(parts.read(name).decode() for name in sorted(parts.namelist()))
    documents: list[LabelledDocument] = []
    heading = ""
    for line in text.splitlines():
        kind, _, told = line.partition(" ")
        own = documents[-1].paragraphs if documents else []
        if kind == "D":
            documents.append(LabelledDocument(told))
            heading = ""
        elif kind == "H":
            heading = told
        elif kind == "P" and documents:
            own.append(LabelledParagraph(heading, tuple(told.split(" | "))))
        elif own and (answers := _answers(kind, len(own[-1].sentences))) is not None:
            own[-1].questions.append((answers, told))
        elif kind in ("+", "-") and own:
            own[-1].claims.append((kind == "+", told))
        elif line and kind != "#":
            raise ValueError(f"A line of the texts says nothing: {line!r}")
    return documents


def _answers(kind: str, sentences: int) -> tuple[int, ...] | None:
    """The numbers of the answering sentences, () for 0; None if it is not a valid list of numbers
    up to `sentences`."""
    if kind == "0":
        return ()
    parts = kind.split(",")
    numbers = tuple(sorted(int(part) for part in parts if part.isdecimal()))
    whole = len(numbers) == len(parts) and all(0 < number <= sentences for number in numbers)
    return numbers if whole else None


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


def read_written(path: Path, chance: random.Random) -> Iterator[Pair]:
    """The pairs of a file."""
    rows = [row for _, row in read_objects(path)]
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
        yield Pair(claim, _premise(row), entailed, kind, False, question, contradicted, unsaid)
        if entailed and chance.random() < ELSEWHERE:
            others = _elsewhere(row, list(sources[row["document"]].values()))
            if others:
                other = _premise(chance.choice(others))
                yield Pair(claim, other, 0, "written, elsewhere", False, question, 0)


def read_asked(path: Path) -> Iterator[LabelledDocument]:
    """The documents of a file, as far as their passages are there, with the questions that these
    answer: by the sentences that have most words of the true claim."""
    paragraphs: dict[str, dict[str, LabelledParagraph]] = defaultdict(dict)
    for _, row in read_objects(path):
        text = plain(row["source"])
        spans = sentence_spans(text, 0, len(text))
        sentences = tuple(text[start:end] for start, end in spans)
        heading = " \u203a ".join(row["heading"][-HEADINGS:])
        known = paragraphs[row["document"]]
        paragraph = known.setdefault(text, LabelledParagraph(heading, sentences))
        if row["supported"]:
            stems = content_stems(row["claim"])
            common = [len(stems & content_stems(sentence)) for sentence in sentences]
            least = max(1, ALIKE * max(common, default=0))
            answering = tuple(n for n, words in enumerate(common, start=1) if words >= least)
            if answering:
                paragraph.questions.append((answering, row["question"]))
    for name, known in paragraphs.items():
        yield LabelledDocument(name, list(known.values()), "written")


def _premise(row: Mapping[str, Any]) -> str:
    """The passage as it is read."""
    text = plain(row["source"])
    before, behind = beside(row["before"], text, row["after"])
    return premise_of([*row["heading"][-HEADINGS:], row["lead"]], before, text, behind)


def _elsewhere(
    row: Mapping[str, Any], others: Sequence[Mapping[str, Any]]
) -> list[Mapping[str, Any]]:
    """Of the other passages of a document, the nearest to a claim in words."""
    read = f"{row['before']} {row['source']} {row['after']}"
    apart = [other for other in others if plain(other["source"])[:40] not in read]
    return nearest(row["claim"], apart, lambda other: str(other["source"]))


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

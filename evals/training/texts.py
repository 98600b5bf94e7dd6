"""Reads what is learned from, as documents with questions and claims about them.

`texts.zip`: short documents of many kinds, with questions and claims in other words than theirs,
all of them invented for this. Each line begins with what it is:

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
whether it answers) and `nli.jsonl.gz` (`premise`, `hypothesis`, `label`). What `is_held_out` names
of it is not learned from.

`written.zip`: sentences as language models write them from passages for people who ask, and the
same made false by one fact. JSON Lines, a sentence a line, as `evals.datasets.claims` reads them:
`claim`, `question`, `source` with `heading`, `lead`, `before` and `after`, `supported`, `error`;
besides `document`, which names the document, and of a false one `instead`, the true sentence that
it was made of. Only its `learn.jsonl` is learned from.
"""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar
from zipfile import ZipFile

from assistant.query.english import content_stems
from assistant.verification.attribution import HEADINGS, plain
from evals.datasets.claims import is_held_out
from evals.datasets.json_lines import read_objects
from index.chunking.sentences import sentence_spans

#: Where the archives are.
ARCHIVES = Path(__file__).parent
#: Characters of a text of others that is learned from, at most: the reader takes it whole.
MAX_PARAGRAPH = 900
#: Most records of a source: for one that would drown the others, and 0 for one whose
#: texts say much the same as one another, so that what one does not answer the next may. Not tuned.
MAX_RECORDS = {"qamr": 3000, "natinst_snli": 6000, "snli": 3000, "snli_test": 3000, "policyqa": 0}
#: Labels that are wrong more often than right, of those that were read.
WRONG = {("natinst_snli", "contradiction")}
#: Premises that make a document.
PREMISES = 3
#: Of the words that the sentence of a passage which is nearest to a true claim has in common with
#: it, the share from which on another sentence answers too.
ALIKE = 0.6
#: Share of the questions in small letters. Not tuned.
SMALL = 0.15
#: Of other texts, those that something is held against which is not said there: the nearest. Not
#: tuned.
NEAR = 4

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class LabelledParagraph:
    """A paragraph below a heading, what is asked about it and what is claimed.

    Attributes:
        questions: with the numbers of the sentences that answer, from 1; none where nothing does.
        claims: with whether it supports them.
    """

    heading: str
    sentences: tuple[str, ...]
    questions: list[tuple[tuple[int, ...], str]] = field(default_factory=list)
    claims: list[tuple[bool, str]] = field(default_factory=list)

    @property
    def text(self) -> str:
        """Its sentences in a row."""
        return " ".join(self.sentences)


@dataclass(frozen=True, slots=True)
class LabelledDocument:
    """A document, none of whose paragraphs answers what is asked about another.

    Attributes:
        kind: what it is of; what is made of it is named after that.
    """

    title: str
    paragraphs: list[LabelledParagraph] = field(default_factory=list)
    kind: str = "authored"


def read_authored(text: str | None = None) -> list[LabelledDocument]:
    """The documents of `texts.zip`, or of a text in its format.

    Raises:
        ValueError: a line does not follow the format, or a sentence number is out of range.
    """
    if text is None:
        with ZipFile(ARCHIVES / "texts.zip") as parts:
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
    numbers = kind.split(",")
    valid = {str(number) for number in range(1, sentences + 1)}
    return tuple(sorted(map(int, numbers))) if valid.issuperset(numbers) else None


def read_answered(folder: Path, chance: random.Random) -> Iterator[LabelledDocument]:
    """The texts of `qa.jsonl.gz`, each a document. Left out are long ones, and those where an
    answer stands in several sentences, so that one of them says it by chance, or in none."""
    for record in _records(folder / "qa.jsonl.gz", chance):
        text = record["context"]
        sentences = tuple(text[a:b] for a, b in sentence_spans(text, 0, len(text)))
        holding = [
            [n for n, own in enumerate(sentences, start=1) if answer.lower() in own.lower()]
            for answer in record["answers"]
        ]
        clear = all(len(numbers) == 1 for numbers in holding)
        if clear and len(text) <= MAX_PARAGRAPH and not is_held_out(text):
            answering = tuple(sorted({number for [number] in holding}))
            asked = [(answering, record["question"])]
            paragraph = LabelledParagraph(record.get("title", ""), sentences, asked)
            yield LabelledDocument("", [paragraph], "question")


def read_relevance(folder: Path, chance: random.Random) -> Iterator[LabelledDocument]:
    """The sentences of `relevance.jsonl.gz`, each a document."""
    for record in _records(folder / "relevance.jsonl.gz", chance):
        if not is_held_out(record["sentence"]):
            asked = [((1,) * record["label"], record["question"])]
            paragraph = LabelledParagraph("", (record["sentence"],), asked)
            yield LabelledDocument("", [paragraph], "sentence")


def read_entailed(folder: Path, chance: random.Random) -> Iterator[LabelledDocument]:
    """The premises of `nli.jsonl.gz`, each a paragraph, with what is claimed of it."""
    claims: dict[str, list[tuple[bool, str]]] = defaultdict(list)
    for record in _records(folder / "nli.jsonl.gz", chance):
        premise, claim = record["premise"], record["hypothesis"]
        if premise.strip() and claim.strip() and not is_held_out(premise):
            claims[premise].append((record["label"] == "entailment", claim))
    paragraphs = [LabelledParagraph("", (text,), claims=claims[text]) for text in claims]
    for start in range(0, len(paragraphs), PREMISES):
        yield LabelledDocument("", paragraphs[start : start + PREMISES], "inference")


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


def read_written() -> list[dict[str, Any]]:
    """The lines of `written.zip` that are to learn from."""
    name = "learn.jsonl"
    with ZipFile(ARCHIVES / "written.zip") as archive:
        return [row for _, row in read_objects(Path(name), archive.read(name).decode())]


def asked_documents(rows: Sequence[dict[str, Any]]) -> list[LabelledDocument]:
    """The documents of such lines, as far as their passages are there, with the questions that
    these answer: by the sentences that have most words of the true claim."""
    documents: dict[str, dict[str, LabelledParagraph]] = defaultdict(dict)
    for row in rows:
        text = plain(row["source"])
        sentences = tuple(text[start:end] for start, end in sentence_spans(text, 0, len(text)))
        heading = " \u203a ".join(row["heading"][-HEADINGS:])
        known = documents[row["document"]]
        paragraph = known.setdefault(text, LabelledParagraph(heading, sentences))
        if row["supported"]:
            stems = content_stems(row["claim"])
            common = [len(stems & content_stems(sentence)) for sentence in sentences]
            least = max(1, ALIKE * max(common, default=0))
            answering = tuple(n for n, words in enumerate(common, start=1) if words >= least)
            if answering:
                paragraph.questions.append((answering, row["question"]))
    return [
        LabelledDocument(name, list(known.values()), "written") for name, known in documents.items()
    ]


def as_typed(question: str, chance: random.Random) -> str:
    """A question; the share SMALL of them in small letters and without its mark."""
    return question.lower().rstrip("?.") if chance.random() < SMALL else question


def nearest(text: str, others: Sequence[T], said: Callable[[T], str]) -> list[T]:
    """Of others, by what they say, the NEAR that have most words of a text for their length."""
    stems = content_stems(text)

    def near(other: T) -> float:
        there = content_stems(said(other))
        return float(len(stems & there) / (5 + len(there) ** 0.5))

    return sorted(others, key=near, reverse=True)[:NEAR]

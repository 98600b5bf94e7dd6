"""Makes the examples: `python -m evals.training.making DATA OUTPUT --docs FOLDER`.

From question-answering and inference data come passages and pairs as they stand; what the data does
not hold is made of it by script: paragraphs without the sentence that answered, similar paragraphs
that do not hold the answer, names and numbers exchanged, claims negated or joined, premises among
other sentences. Documents give questions with long answers: what their headings ask. The questions
and claims that were written for this (`authored`) are among them.
"""

from __future__ import annotations

import calendar
import random
import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from assistant.retrieval.reading_model import (
    MAX_HEADING_TOKENS,
    MAX_QUESTION_TOKENS,
    MAX_TOKENS,
    SHIPPED_FOLDER,
    InputTokenizer,
    above,
)
from evals.datasets.claims import is_held_out
from evals.datasets.json_lines import read_objects
from evals.fitting.perturbation import KINDS, Kind, Words, perturb, words_of
from evals.training.authored import authored_examples
from evals.training.examples import MASKED, Example, Pair, Passage, write_examples
from index import find_files, read_document
from index.bm25 import BM25Index
from index.chunking.sentences import sentence_spans
from index.terms.analysis import terms_of

#: Characters of a text by which similar ones are found. Not tuned.
LONGEST = 2000
#: Share of the answered questions of which each kind is made. Not tuned.
SIMILAR, REMOVED, EXCHANGED, THINNED = 0.35, 0.35, 0.3, 0.3
#: Share of the examples that have the title of their text above them, where it is known. Not tuned.
HEADED = 0.6
#: Share of the pairs of which each kind is made. Not tuned.
PADDED, CLAIM_EXCHANGED, JOINED = 0.3, 0.35, 0.5
#: How often a human-written unanswerable question counts: there are few, and they are the hardest.
#: Not tuned.
UNANSWERABLE_COPIES = 3
#: At most so many records of a source that would drown the others. Not tuned.
MOST = {"qamr": 3000, "natinst_snli": 6000, "snli": 3000, "snli_test": 3000}
#: Sentences of a text that become claims.
SENTENCES = 3
#: Names and numbers of other texts among which one to put in is chosen.
CHOICE = 40
#: With `--balanced`, at most so many of a kind: the plain ones, which there are most of, teach a
#: reader little that has seen them. Of questions those stay that share fewest words with the
#: sentence that answers. Not tuned.
MOST_OF_KIND = {
    "alone": 6000,
    "among others": 6000,
    "asked": 9000,
    "claimed": 14000,
    "claims joined": 5000,
    "exchanged": 4000,
    "other evidence": 5000,
    "removed": 5000,
    "sentence": 7000,
    "sentence changed": 14000,
    "similar": 5000,
}
#: Labels that are wrong more often than right, of those that were read.
WRONG = {("natinst_snli", "contradiction")}
#: Texts that say much the same as one another: what one does not answer, the next may.
ALIKE = {"policyqa"}

_NAME = re.compile(r"[A-Z][\w-]+")
_MONTHS = "|".join(calendar.month_name[1:])
_DAY_FIRST = re.compile(rf"\b(\d{{1,2}}) ({_MONTHS})( \d{{4}})?\b")
_MONTH_FIRST = re.compile(rf"\b({_MONTHS}) (\d{{1,2}})(?:,( \d{{4}}))?\b(?! \d)")


def make(
    data: Annotated[Path, typer.Argument(help="Folder of qa, relevance and nli .jsonl.gz.")],
    output: Annotated[Path, typer.Argument(help="The file of examples, .jsonl.gz.")],
    docs: Annotated[
        list[Path] | None, typer.Option(help="Documents with headings, or folders of them.")
    ] = None,
    balanced: Annotated[
        bool, typer.Option("--balanced", help="Fewer of the kinds that there are most of.")
    ] = False,
    seed: int = 1,
    limit: Annotated[int | None, typer.Option(help="Records of each file, to try it out.")] = None,
) -> None:
    """Write the examples; the same arguments give the same file."""
    maker = Maker(seed)
    maker.add_questions(_records(data / "qa.jsonl.gz", seed, limit))
    maker.add_sentences(_records(data / "relevance.jsonl.gz", seed, limit))
    maker.add_pairs(_records(data / "nli.jsonl.gz", seed, limit))
    if docs:
        maker.add_documents(docs)
    examples = [*maker.examples, *authored_examples(seed)]
    if balanced:
        examples = _balanced(examples, seed)
    write_examples(output, examples)
    kinds = Counter((type(example).__name__, example.kind) for example in examples)
    for (name, kind), count in sorted(kinds.items()):
        print(f"{count:8,} {name.lower()} {kind}")  # noqa: T201
    held = sum(example.held_out for example in examples)
    print(f"{len(examples):8,} examples, {held:,} held out")  # noqa: T201


def _records(path: Path, seed: int, limit: int | None) -> list[dict[str, Any]]:
    records = [record for _, record in read_objects(path)]
    random.Random(seed).shuffle(records)  # noqa: S311 (not for secrets)
    seen: Counter[str] = Counter()
    kept = []
    for record in records[:limit]:
        if (record["src"], record.get("label")) not in WRONG:
            seen[record["src"]] += 1
            if seen[record["src"]] <= MOST.get(record["src"], len(records)):
                kept.append(record)
    return kept


def _balanced(examples: Sequence[Example], seed: int) -> list[Example]:
    """The examples without those of a kind that are too many, in order."""
    chance = random.Random(seed)  # noqa: S311 (not for secrets)
    ranks: dict[str, list[tuple[float, int]]] = defaultdict(list)
    for number, example in enumerate(examples):
        if example.kind in MOST_OF_KIND and not example.held_out:
            ranks[example.kind].append((_shared(example) + chance.random() / 2, number))
    left = {n for kind, own in ranks.items() for _, n in sorted(own)[MOST_OF_KIND[kind] :]}
    return [example for number, example in enumerate(examples) if number not in left]


def _shared(example: Example) -> float:
    """The share of a question's terms that stand in the sentence that answers; 0 of others."""
    if not isinstance(example, Passage) or example.kind != "asked":
        return 0.0
    asked = set(terms_of(example.question))
    answering = [s for s, label in zip(example.sentences, example.labels, strict=True) if label > 0]
    return len(asked & set(terms_of(" ".join(answering)))) / max(1, len(asked))


@dataclass(frozen=True, slots=True)
class Section:
    """What stands below a heading of a document: whether the heading asks, what, and the text."""

    asks: bool
    question: str
    text: str


def read_sections(paths: Sequence[Path]) -> Iterator[Section]:
    """The sections of documents that say something below a heading of three to twelve words, or
    below one that asks."""
    for path in find_files(paths):
        prose = [p for p in read_document(path).paragraphs if p.heading and p.kind != "lines"]
        for heading, below in groupby(prose, key=lambda paragraph: paragraph.heading):
            title = re.sub(r"^(?:[A-Z]\.)?[\d.]+\s*", "", heading[-1])
            text = " ".join(" ".join(paragraph.text.split()) for paragraph in below)
            asks = title.endswith("?")
            if 3 <= len(title.split()) <= 12 and len(text) >= 80 and not text.endswith(":"):
                yield Section(asks, title, text)


class Maker:
    """Makes examples of records, by chance that depends on the seed alone.

    Attributes:
        examples: those made; one in fifty texts is held out, with all that was made of it.
    """

    def __init__(self, seed: int) -> None:
        self.examples: list[Example] = []
        self._random = random.Random(seed)  # noqa: S311 (not for secrets)
        tokenizer = (SHIPPED_FOLDER / "tokenizer.json").read_text(encoding="utf-8")
        self._tokenizer = InputTokenizer(tokenizer)
        self._lengths: dict[str, int] = {}
        self._words = Words((), ())
        self._titles: dict[str, str] = {}

    def _chance(self, share: float) -> bool:
        return self._random.random() < share

    # --- questions ---------------------------------------------------------------------------

    def add_questions(self, records: Sequence[dict[str, Any]]) -> None:
        """Records of a question, its context and the answers, spans of the context; some with the
        `title` of what the context is from, which is its heading in some of the examples."""
        texts = list(dict.fromkeys(record["context"] for record in records))
        self._titles = {record["context"]: record.get("title", "") for record in records}
        self._words = words_of(texts)
        sentences = {text: _split(text) for text in texts}
        terms = BM25Index.build([text[:LONGEST] for text in texts])
        for record in records:
            question, context, answers = record["question"], record["context"], record["answers"]
            own = sentences[context]
            labels = _labels(question, own, answers)
            if not answers:
                for _ in range(UNANSWERABLE_COPIES):
                    self._keep("unanswerable", context, question, own)
            if 1 not in labels:
                continue  # nothing answers, or what does is not a literal span of its context
            self._keep("asked", context, question, own, labels)
            apart = record["src"] not in ALIKE
            if apart and self._chance(SIMILAR):
                best = np.argsort(-terms.shares(question), kind="stable")[:6]
                text = self._random.choice([texts[i] for i in best if texts[i] != context][:5])
                if not any(answer.lower() in text.lower() for answer in answers):
                    self._keep("similar", text, question, sentences[text], beside=context)
            if apart and self._chance(REMOVED):
                left = [s for s, label in zip(own, labels, strict=True) if label == 0]
                if len(left) >= 2:
                    self._keep("removed", context, question, left)
            if self._chance(EXCHANGED) and (
                exchanged := self._changed(question, context, "", ("name", "number"))
            ):
                self._keep("exchanged", context, exchanged, own)
        for text in texts:
            self._add_sentence_claims(text, sentences[text])

    def add_sentences(self, records: Sequence[dict[str, Any]]) -> None:
        """Records of a question, a single sentence, and whether it answers."""
        for record in records:
            sentence, label = record["sentence"], int(record["label"])
            self._keep("alone", sentence, record["question"], [sentence], [label])

    def add_documents(self, paths: Sequence[Path]) -> None:
        """Sections of documents, and the same questions about other sections."""
        sections = list(read_sections(paths))
        terms = BM25Index.build([section.text[:LONGEST] for section in sections])
        for section in sections:
            kind, question = "faq" if section.asks else "heading", section.question
            if not section.asks and self._chance(0.5):
                question = question.lower()
            own = _split(section.text)
            labels = [1 if section.asks else MASKED] * len(own)
            self._keep(kind, section.text, question, own, labels, first=True)
            best = np.argsort(-terms.shares(question), kind="stable")[1:60]
            # What answers a heading may stand in several sections: never the most similar ones.
            near = best[3:10] if section.asks else best[10:]
            others = [sections[number].text for number in near.tolist()]
            if far := _unlike(others, section.text):
                other = self._random.choice(far)
                self._keep(f"{kind} elsewhere", other, question, _split(other), beside=section.text)

    # --- claims ------------------------------------------------------------------------------

    def add_pairs(self, records: Sequence[dict[str, Any]]) -> None:
        """Records of a premise, a hypothesis, and how the one stands to the other."""
        by_premise: dict[str, list[tuple[str, int]]] = defaultdict(list)
        for record in records:
            premise, claim = record["premise"], record["hypothesis"]
            entailed = int(record["label"] == "entailment")
            by_premise[premise].append((claim, entailed))
            self._keep_pair("claimed", premise, claim, entailed)
            if self._chance(PADDED):
                self._keep_pair("among others", self._among(premise, records), claim, entailed)
            if entailed and self._chance(CLAIM_EXCHANGED):
                exchanged = self._changed(claim, "", premise, ("name", "number"))
                self._keep_pair("claim exchanged", premise, exchanged, 0)
        for premise, claims in by_premise.items():
            if len(claims) > 1 and self._chance(JOINED):
                true = [own for own in claims if own[1]]
                # Two at random are seldom both true.
                some = true if len(true) > 1 and self._chance(0.5) else claims
                (one, first), (two, second) = self._random.sample(some, 2)
                joined = f"{one.rstrip(' .')}, and {two[:1].lower()}{two[1:]}"
                self._keep_pair("claims joined", premise, joined, first and second)
        self._add_unrelated_facts([r for r in records if r["src"].startswith("fever")])

    def _add_unrelated_facts(self, facts: Sequence[dict[str, Any]]) -> None:
        """Claims beside evidence about something alike that was not given for them."""
        premises = list(dict.fromkeys(record["premise"] for record in facts))
        if len(premises) < 10:
            return
        terms = BM25Index.build(premises)
        for record in facts[: len(facts) // 3]:
            claim, premise = record["hypothesis"], record["premise"]
            best = np.argsort(-terms.shares(claim), kind="stable")[:6]
            # The same page may say the same: only evidence with few words of the right one's.
            far = _unlike([premises[i] for i in best if premises[i] != premise], premise)
            name = _NAME.search(claim)
            if record["label"] == "entailment":  # a short one may follow from anything about it
                far = [p for p in far if name and name[0] not in p]
            if far:
                self._keep_pair("other evidence", self._random.choice(far), claim, 0)

    def _add_sentence_claims(self, text: str, sentences: Sequence[str]) -> None:
        """Sentences of a text as claims about the lines that hold them: as they stand and with
        dates the other way round (entailed); made false (not entailed)."""
        fit = [i for i, claim in enumerate(sentences) if 30 <= len(claim) <= 300]
        for number in self._random.sample(fit, min(SENTENCES, len(fit))):
            claim = sentences[number]
            premise = " ".join(sentences[max(0, number - 1) : number + 2])
            self._keep_pair("sentence", premise, claim, 1)
            turned = _turned(claim)
            if turned != claim:
                self._keep_pair("date turned", premise, turned, 1)
            changed = self._changed(self._random.choice((claim, turned)), text, "", KINDS)
            self._keep_pair("sentence changed", premise, changed, 0)

    def _among(self, premise: str, records: Sequence[dict[str, Any]]) -> str:
        """The premise with two or three others before and behind it."""
        others = [
            self._random.choice(records)["premise"] for _ in range(self._random.choice((2, 3)))
        ]
        others.insert(self._random.randrange(len(others) + 1), premise)
        return " ".join(others)

    def _changed(self, text: str, beside: str, evidence: str, kinds: Collection[Kind]) -> str:
        """The text made false in one of these ways; "" where it allows none.

        Args:
            beside: has the names and numbers that are put in; where it has none, other texts'.
            evidence: has none of what is put in.
        """
        chance = self._random
        others = Words(
            *(
                tuple(chance.sample(own, min(CHOICE, len(own))))
                for own in (self._words.names, self._words.numbers)
            )
        )
        for words in (words_of([beside], least=1), others):
            made = list(perturb(text, evidence, words, chance.randrange(1 << 30)))
            if found := [own.text for own in made if own.kind in kinds]:
                return chance.choice(found)
        return ""

    # --- what is kept ------------------------------------------------------------------------

    def _length(self, text: str) -> int:
        if text not in self._lengths:  # a text's sentences come back with each of its questions
            self._lengths[text] = len(self._tokenizer.ids([text])[0])
        return self._lengths[text]

    def _keep(
        self,
        kind: str,
        text: str,
        question: str,
        sentences: Sequence[str],
        labels: Sequence[int] = (),
        beside: str = "",
        first: bool = False,
    ) -> None:
        """Keep a run of the sentences that fits the model's input, with one that answers in it.

        Args:
            text: what the sentences are of; it decides whether they are held out,
            beside: and so does this.
            labels: of the sentences; none where nothing answers.
            first: begin with the first sentence, which answers or begins what does.
        """
        title = self._titles.get(text, "")
        heading = above([title]) if title and self._chance(HEADED) else ""
        room = MAX_TOKENS - 3 - min(MAX_QUESTION_TOKENS, self._length(question))
        room -= min(MAX_HEADING_TOKENS, self._length(heading))
        lengths = [min(room, self._length(sentence)) for sentence in sentences]
        if not question or not all(lengths):
            return
        marks = labels or [0] * len(sentences)
        answering = [i for i, label in enumerate(marks) if label == 1]
        needed = 0 if first else self._random.choice(answering or range(len(lengths)))
        numbers = _window(lengths, needed, room, self._random)
        if len(numbers) > 4 and not first and self._chance(THINNED):
            # Some of the sentences with their neighbours, as the reader gets them to read.
            near = {needed, *self._random.sample(numbers, 2)}
            numbers = [i for i in numbers if near & {i - 1, i, i + 1}]
        self.examples.append(
            Passage(
                question,
                tuple(sentences[i] for i in numbers),
                tuple(marks[i] for i in numbers),
                int(first or bool(answering)),
                kind,
                is_held_out(text) or (bool(beside) and is_held_out(beside)),
                heading,
            )
        )

    def _keep_pair(self, kind: str, premise: str, claim: str, entailed: int) -> None:
        if premise.strip() and claim.strip():
            self.examples.append(Pair(claim, premise, entailed, kind, is_held_out(premise)))


def _turned(text: str) -> str:
    """Its dates the other way round: "2 May 1957" for "May 2, 1957"."""
    if _DAY_FIRST.search(text):
        return _DAY_FIRST.sub(lambda m: f"{m[2]} {m[1]}" + (f",{m[3]}" if m[3] else ""), text)
    return _MONTH_FIRST.sub(lambda m: f"{m[2]} {m[1]}{m[3] or ''}", text)


def _unlike(texts: Sequence[str], text: str) -> list[str]:
    """Those that have less than half of the text's terms."""
    own = set(terms_of(text))
    return [other for other in texts if len(own & set(terms_of(other))) < 0.5 * len(own)]


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
            labels[i] = labels[i] or MASKED
        labels[best] = 1
    return labels


def _window(lengths: Sequence[int], needed: int, room: int, chance: random.Random) -> list[int]:
    """A run of sentences with `needed` in it that fits in `room` tokens, grown by chance."""
    run, used, sides = [needed], lengths[needed], [-1, 1]
    while sides:
        side = chance.choice(sides)
        number = run[0] - 1 if side < 0 else run[-1] + 1
        if 0 <= number < len(lengths) and used + lengths[number] <= room:
            used += lengths[number]
            run = sorted([*run, number])
        else:
            sides.remove(side)
    return run


if __name__ == "__main__":
    typer.run(make)

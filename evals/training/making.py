"""Makes the examples: `python -m evals.training.making DATA OUTPUT --docs FOLDER --wordnet FOLDER`.

From question-answering and inference data come passages and pairs as they stand; what the data does
not hold is made of it by script: paragraphs without the sentence that answered, similar paragraphs
that do not hold the answer, names and numbers exchanged, claims negated or joined, synonyms in
questions and claims, premises among other sentences. Documentation gives questions with long
answers; what a language model wrote (`writing`) is taken as it is, and so are the questions and
claims that were written for this (`authored`).
"""

from __future__ import annotations

import calendar
import gzip
import json
import random
import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from tokenizers import Tokenizer

from assistant.retrieval.reading_model import (
    MAX_HEADING_TOKENS,
    MAX_QUESTION_TOKENS,
    MAX_TOKENS,
    SHIPPED_FOLDER,
    above,
)
from evals.datasets.claims import is_held_out
from evals.training.authored import authored_examples
from evals.training.documentation import read_sections
from evals.training.examples import MASKED, Example, Pair, Passage, write_examples
from evals.training.wordnet import read_synonyms
from evals.training.writing import read_written
from index.bm25 import BM25Index
from index.chunking.sentences import sentence_spans
from index.terms.analysis import terms_of

#: Characters of a text by which similar ones are found. Not tuned.
LONGEST = 2000
#: Share of the answered questions of which each kind is made. Not tuned.
SIMILAR, REMOVED, EXCHANGED, REWORDED, THINNED = 0.35, 0.35, 0.3, 0.35, 0.3
#: Share of the examples that have the title of their text above them, where it is known. Not tuned.
HEADED = 0.6
#: Share of the pairs of which each kind is made. Not tuned.
PADDED, CLAIM_EXCHANGED, CLAIM_REWORDED, JOINED = 0.3, 0.35, 0.25, 0.5
#: How often a human-written unanswerable question counts: there are few, and they are the hardest.
#: Not tuned.
UNANSWERABLE_COPIES = 3
#: At most so many records of a source that would drown the others. Not tuned.
MOST = {"qamr": 3000, "natinst_snli": 6000, "snli": 3000, "snli_test": 3000}
#: Sentences of a text that become claims.
SENTENCES = 3
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

_NAME = re.compile(r"\b(?!RRB|LRB)[A-Z][\w'\u2019-]+(?:\s+(?:of\s+|the\s+)?[A-Z][\w'\u2019-]+)*")
_NUMBER = re.compile(r"\b\d[\d,.]*\d\b|\b\d\b")
_MONTHS = "|".join(calendar.month_name[1:])
_DAY_FIRST = re.compile(rf"\b(\d{{1,2}}) ({_MONTHS})( \d{{4}})?\b")
_MONTH_FIRST = re.compile(rf"\b({_MONTHS}) (\d{{1,2}})(?:,( \d{{4}}))?\b(?! \d)")
_AUXILIARY = re.compile(r"\b(is|are|was|were|has|have|had|can|could|will|would|may|must|should)\b")


def make(
    data: Annotated[Path, typer.Argument(help="Folder of qa, relevance and nli .jsonl.gz.")],
    output: Annotated[Path, typer.Argument(help="The file of examples, .jsonl.gz.")],
    docs: Annotated[list[Path] | None, typer.Option(help="Folder of HTML documentation.")] = None,
    wordnet: Annotated[Path | None, typer.Option(help="Folder of WordNet's files.")] = None,
    written: Annotated[
        list[Path] | None, typer.Option(help="What `writing` wrote, .jsonl.")
    ] = None,
    balanced: Annotated[
        bool, typer.Option("--balanced", help="Fewer of the kinds that there are most of.")
    ] = False,
    seed: int = 1,
    limit: Annotated[int | None, typer.Option(help="Records of each file, to try it out.")] = None,
) -> None:
    """Write the examples; the same arguments give the same file."""
    synonyms = read_synonyms(wordnet) if wordnet else {}
    maker = Maker(synonyms, seed)
    maker.add_questions(_records(data / "qa.jsonl.gz", seed, limit))
    maker.add_sentences(_records(data / "relevance.jsonl.gz", seed, limit))
    maker.add_pairs(_records(data / "nli.jsonl.gz", seed, limit))
    for folder in docs or ():
        maker.add_documentation(folder)
    examples = maker.examples
    for path in written or ():
        examples += read_written(path)
    examples += authored_examples(seed)
    if balanced:
        examples = _balanced(examples, seed)
    write_examples(output, examples)
    kinds = Counter((type(example).__name__, example.kind) for example in examples)
    for (name, kind), count in sorted(kinds.items()):
        print(f"{count:8,} {name.lower()} {kind}")  # noqa: T201
    held = sum(example.held_out for example in examples)
    print(f"{len(examples):8,} examples, {held:,} held out")  # noqa: T201


def _records(path: Path, seed: int, limit: int | None) -> list[dict[str, Any]]:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        records = [json.loads(line) for line in lines]
    random.Random(seed).shuffle(records)  # noqa: S311 (not for secrets)
    seen: dict[str, int] = defaultdict(int)
    kept = []
    for record in records[:limit]:
        if (record["src"], record.get("label")) in WRONG:
            continue
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
            shared = 0.0
            if isinstance(example, Passage) and example.kind == "asked":
                shared = _shared(example)
            ranks[example.kind].append((shared + chance.random() / 2, number))
    left = {n for kind, own in ranks.items() for _, n in sorted(own)[MOST_OF_KIND[kind] :]}
    return [example for number, example in enumerate(examples) if number not in left]


def _shared(passage: Passage) -> float:
    """The share of a question's terms that stand in the sentence that answers."""
    asked = set(terms_of(passage.question))
    answering = [s for s, label in zip(passage.sentences, passage.labels, strict=True) if label > 0]
    return len(asked & set(terms_of(" ".join(answering)))) / max(1, len(asked))


class Maker:
    """Makes examples of records, by chance that depends on the seed alone.

    Attributes:
        examples: those made; one in fifty texts is held out, with all that was made of it.
    """

    def __init__(self, synonyms: dict[str, list[str]], seed: int) -> None:
        self.examples: list[Example] = []
        self._synonyms = synonyms
        self._random = random.Random(seed)  # noqa: S311 (not for secrets)
        tokenizer = Tokenizer.from_file(str(SHIPPED_FOLDER / "tokenizer.json"))
        tokenizer.no_padding()
        tokenizer.no_truncation()
        self._tokenizer = tokenizer
        self._lengths: dict[str, int] = {}
        self._names: list[str] = []
        self._claims: list[tuple[str, str]] = []
        self._titles: dict[str, str] = {}

    def _chance(self, share: float) -> bool:
        return self._random.random() < share

    # --- questions ---------------------------------------------------------------------------

    def add_questions(self, records: Sequence[dict[str, Any]]) -> None:
        """Records of a question, its context and the answers, spans of the context; some with the
        `title` of what the context is from, which is its heading in some of the examples."""
        texts = list(dict.fromkeys(record["context"] for record in records))
        self._titles = {record["context"]: record.get("title", "") for record in records}
        sentences = {text: _split(text) for text in texts}
        terms = BM25Index.build([text[:LONGEST] for text in texts])
        self._names = [n for r in records[:20000] for n in _names(r["question"])]
        for record in records:
            question, context = record["question"], record["context"]
            own = sentences[context]
            if not record["answers"]:
                for _ in range(UNANSWERABLE_COPIES):
                    self._keep("unanswerable", context, question, own, [0] * len(own), 0)
                continue
            labels = _labels(question, own, record["answers"])
            if 1 not in labels:
                continue  # not a literal span of its context
            self._keep("asked", context, question, own, labels, 1)
            apart = record["src"] not in ALIKE
            if apart and self._chance(SIMILAR):
                best = np.argsort(-terms.shares(question), kind="stable")[:6]
                text = self._random.choice([texts[i] for i in best if texts[i] != context][:5])
                if not any(answer.lower() in text.lower() for answer in record["answers"]):
                    other = sentences[text]
                    zeros = [0] * len(other)
                    self._keep("similar", text, question, other, zeros, 0, beside=context)
            if apart and self._chance(REMOVED):
                left = [s for s, label in zip(own, labels, strict=True) if label == 0]
                if len(left) >= 2:
                    self._keep("removed", context, question, left, [0] * len(left), 0)
            if self._chance(EXCHANGED):
                exchanged = self._exchange(question, context)
                if exchanged is not None:
                    self._keep("exchanged", context, exchanged, own, [0] * len(own), 0)
            if self._chance(REWORDED):
                reworded = self._reword(question, set(terms_of(context)))
                if reworded != question:
                    self._keep("reworded", context, reworded, own, labels, 1)
        for text in texts:
            self._add_sentence_claims(text, sentences[text])

    def add_sentences(self, records: Sequence[dict[str, Any]]) -> None:
        """Records of a question, a single sentence, and whether it answers."""
        for record in records:
            sentence, label = record["sentence"], int(record["label"])
            self._keep("alone", sentence, record["question"], [sentence], [label], label)

    def add_documentation(self, folder: Path) -> None:
        """Sections of documentation, and the same questions about other sections."""
        sections = list(read_sections(folder))
        terms = BM25Index.build([section.text[:LONGEST] for section in sections])
        for section in sections:
            own = _split(section.text)
            labels = [1 if section.kind == "faq" else MASKED] * len(own)
            if section.kind == "definition":
                labels[0] = 1
            question = section.question
            if section.kind == "heading" and self._chance(0.5):
                question = question.lower()
            self._keep(section.kind, section.text, question, own, labels, 1, first=True)
            best = np.argsort(-terms.shares(question), kind="stable")[1:60]
            # What answers a heading may stand in several sections: never the most similar ones.
            near = best[3:10] if section.kind == "faq" else best[10:]
            other = sections[int(self._random.choice(near.tolist()))].text
            own_terms = set(terms_of(section.text))
            if len(own_terms & set(terms_of(other))) < 0.5 * len(own_terms):
                texts = _split(other)
                zeros = [0] * len(texts)
                kind = f"{section.kind} elsewhere"
                self._keep(kind, other, question, texts, zeros, 0, beside=section.text)

    # --- claims ------------------------------------------------------------------------------

    def add_pairs(self, records: Sequence[dict[str, Any]]) -> None:
        """Records of a premise, a hypothesis, and how the one stands to the other."""
        by_premise: dict[str, list[tuple[str, int]]] = defaultdict(list)
        facts = [record for record in records if record["src"].startswith("fever")]
        for record in records:
            premise, claim = record["premise"], record["hypothesis"]
            entailed = int(record["label"] == "entailment")
            by_premise[premise].append((claim, entailed))
            self._keep_pair("claimed", premise, claim, entailed)
            if self._chance(PADDED):
                self._keep_pair("among others", self._among(premise, records), claim, entailed)
            if entailed and self._chance(CLAIM_REWORDED):
                reworded = self._reword(claim, set(terms_of(premise)))
                if reworded != claim:
                    self._keep_pair("claim reworded", premise, reworded, 1)
            if entailed and self._chance(CLAIM_EXCHANGED):
                exchanged = self._exchange(claim, premise)
                if exchanged is not None and not _holds(premise, exchanged):
                    self._keep_pair("claim exchanged", premise, exchanged, 0)
        for premise, claims in by_premise.items():
            if len(claims) > 1 and self._chance(JOINED):
                true = [own for own in claims if own[1]]
                # Two at random are seldom both true.
                some = true if len(true) > 1 and self._chance(0.5) else claims
                (one, first), (two, second) = self._random.sample(some, 2)
                joined = f"{one.rstrip(' .')}, and {two[:1].lower() + two[1:] if two else two}"
                self._keep_pair("claims joined", premise, joined, first and second)
        self._add_unrelated_facts(facts)

    def _add_unrelated_facts(self, facts: Sequence[dict[str, Any]]) -> None:
        """Claims beside evidence about something alike that was not given for them."""
        premises = list(dict.fromkeys(record["premise"] for record in facts))
        if len(premises) < 10:
            return
        terms = BM25Index.build(premises)
        for record in facts[: len(facts) // 3]:
            best = np.argsort(-terms.shares(record["hypothesis"]), kind="stable")[:6]
            others = [premises[i] for i in best if premises[i] != record["premise"]]
            # The same page may say the same: only evidence with few words of the right one's.
            own = set(terms_of(record["premise"]))
            far = [p for p in others if len(own & set(terms_of(p))) < 0.5 * len(own)]
            name = _NAME.search(record["hypothesis"])
            if record["label"] == "entailment":  # a short one may follow from anything about it
                far = [p for p in far if name and name[0] not in p]
            if far:
                premise = self._random.choice(far)
                self._keep_pair("other evidence", premise, record["hypothesis"], 0)

    def _add_sentence_claims(self, text: str, sentences: Sequence[str]) -> None:
        """Sentences of a text as claims about the lines that hold them: as they stand and with
        dates the other way round (entailed); with a name or number exchanged, two names swapped, or
        negated (not entailed)."""
        fit = [i for i, claim in enumerate(sentences) if 30 <= len(claim) <= 300]
        for number in self._random.sample(fit, min(SENTENCES, len(fit))):
            claim = sentences[number]
            premise = " ".join(sentences[max(0, number - 1) : number + 2])
            self._keep_pair("sentence", premise, claim, 1)
            turned = _turned(claim)
            if turned != claim:
                self._keep_pair("date turned", premise, turned, 1)
            reworded = self._reword(claim, set(terms_of(claim)))
            if reworded != claim:
                self._keep_pair("sentence reworded", premise, reworded, 1)
            own = self._random.choice((claim, turned, reworded))
            kind = self._random.random()
            auxiliary = _AUXILIARY.search(own)
            changed = None
            if kind < 0.3 and auxiliary and " not " not in own:
                changed = own[: auxiliary.end()] + " not" + own[auxiliary.end() :]
            elif kind < 0.5:
                changed = self._swapped(own)
            changed = changed or self._exchange(own, text)
            if changed is not None and changed != own:
                self._keep_pair("sentence changed", premise, changed, 0)

    def _among(self, premise: str, records: Sequence[dict[str, Any]]) -> str:
        """The premise with two or three others before and behind it."""
        others = [
            self._random.choice(records)["premise"] for _ in range(self._random.choice((2, 3)))
        ]
        others.insert(self._random.randrange(len(others) + 1), premise)
        return " ".join(others)

    # --- changes of a text -------------------------------------------------------------------

    def _reword(self, text: str, shared: set[str]) -> str:
        """Synonyms in place of the words that it shares with what it is about."""

        def other(match: re.Match[str]) -> str:
            word = match[0]
            known = self._synonyms.get(word)
            if known and set(terms_of(word)) & shared and self._chance(0.8):
                return self._random.choice(known)
            return word

        return re.sub(r"(?<![\w'-])[a-z]{3,}(?![\w'-])", other, text)

    def _exchange(self, text: str, beside: str) -> str | None:
        """The text with one number or name replaced by another that `beside` may hold as well."""
        numbers = list(_NUMBER.finditer(text))
        names = [m for m in _NAME.finditer(text) if not _begins(text, m)]
        if numbers and not (names and self._chance(0.5)):
            found = self._random.choice(numbers)
            others = [n for n in _NUMBER.findall(beside) if n != found[0]]
            new = self._random.choice(others) if others else self._other_number(found[0])
            return text[: found.start()] + new + text[found.end() :]
        if not names:
            return None
        found = self._random.choice(names)
        others = [n for n in _names(beside) if n not in found[0] and found[0] not in n]
        if not others or self._chance(0.3):
            others = self._names or others
        if not others:
            return None
        new = self._random.choice(others)
        return None if new in text else text[: found.start()] + new + text[found.end() :]

    def _other_number(self, number: str) -> str:
        if number.isdigit() and number[0] != "0" and self._chance(0.7):  # one near it
            most = 30 if len(number) == 4 else max(2, int(number) // 4)
            near = int(number) + self._random.choice((-1, 1)) * self._random.randint(1, most)
            return str(near if near > 0 else int(number) + most)
        digits = [str(self._random.randrange(10)) if c.isdigit() else c for c in number]
        other = "".join(digits)
        return other if other != number else number[:-1] + str((int(number[-1]) + 3) % 10)

    def _swapped(self, claim: str) -> str | None:
        """Two names of the claim in each other's place."""
        names = [m for m in _NAME.finditer(claim) if not _begins(claim, m)]
        if len(names) < 2:
            return None
        a, b = sorted(self._random.sample(names, 2), key=lambda m: m.start())
        if a[0] == b[0]:
            return None
        return claim[: a.start()] + b[0] + claim[a.end() : b.start()] + a[0] + claim[b.end() :]

    # --- what is kept ------------------------------------------------------------------------

    def _length(self, text: str) -> int:
        if text not in self._lengths:  # a text's sentences come back with each of its questions
            self._lengths[text] = len(self._tokenizer.encode(text, add_special_tokens=False).ids)
        return self._lengths[text]

    def _keep(
        self,
        kind: str,
        text: str,
        question: str,
        sentences: Sequence[str],
        labels: Sequence[int],
        answers: int,
        beside: str | None = None,
        first: bool = False,
    ) -> None:
        """Keep a run of the sentences that fits the model's input, with one that answers in it.

        Args:
            text: what the sentences are of; it decides whether they are held out,
            beside: and so does this.
            first: begin with the first sentence.
        """
        title = self._titles.get(text, "")
        heading = above([title]) if title and self._chance(HEADED) else ""
        room = MAX_TOKENS - 3 - min(MAX_QUESTION_TOKENS, self._length(question))
        room -= min(MAX_HEADING_TOKENS, self._length(heading))
        lengths = [min(room, self._length(sentence)) for sentence in sentences]
        if not question or not all(lengths):
            return
        if first:
            needed = 0
        elif answers:
            needed = self._random.choice([i for i, label in enumerate(labels) if label == 1])
        else:
            needed = self._random.randrange(len(lengths))
        start, end = _window(lengths, needed, room, self._random)
        numbers = list(range(start, end))
        if len(numbers) > 4 and not first and self._chance(THINNED):
            numbers = self._thinned(numbers, needed)
        held = is_held_out(text) or (beside is not None and is_held_out(beside))
        self.examples.append(
            Passage(
                question,
                tuple(sentences[i] for i in numbers),
                tuple(labels[i] for i in numbers),
                answers,
                kind,
                held,
                heading,
            )
        )

    def _thinned(self, numbers: Sequence[int], needed: int) -> list[int]:
        """Some of the sentences with their neighbours, as the reader gets them to read."""
        near = {needed, *self._random.sample(list(numbers), 2)}
        return [i for i in numbers if any(abs(i - other) <= 1 for other in near)]

    def _keep_pair(self, kind: str, premise: str, claim: str, entailed: int) -> None:
        if premise.strip() and claim.strip():
            self.examples.append(Pair(claim, premise, entailed, kind, is_held_out(premise)))


def _begins(text: str, match: re.Match[str]) -> bool:
    """Whether it begins a sentence, where any word has a capital letter."""
    return not text[: match.start()].strip() or text[: match.start()].rstrip()[-1] in ".?!:;\"'("


def _turned(text: str) -> str:
    """Its dates the other way round: "2 May 1957" for "May 2, 1957"."""
    if _DAY_FIRST.search(text):
        return _DAY_FIRST.sub(lambda m: f"{m[2]} {m[1]}" + (f",{m[3]}" if m[3] else ""), text)
    return _MONTH_FIRST.sub(lambda m: f"{m[2]} {m[1]}{m[3] or ''}", text)


def _names(text: str) -> list[str]:
    return [match[0] for match in _NAME.finditer(text) if not _begins(text, match)]


def _holds(premise: str, claim: str) -> bool:
    """Whether all names and numbers of the claim stand in the premise: then it may be true."""
    return all(part in premise for part in (*_NUMBER.findall(claim), *_NAME.findall(claim)))


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


if __name__ == "__main__":
    typer.run(make)

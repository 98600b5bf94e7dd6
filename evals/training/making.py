"""Makes the examples: `python -m evals.training.making OUTPUT --data DATA`.

They are made of labelled documents (`sources`): those that were written for this, and, where it is
given, question-answering and inference data. A question is put to its paragraph, to
that beside another one, to another one only, and to what is left of its own without the sentences
that answer. A claim is held against its paragraph, alone or beside another one, and against another
one only. The questions on real documents are put to what the search finds (`real_documents`).
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import typer

from assistant.retrieval.reading_model import above
from assistant.verification.attribution import WIDEST
from evals.training.examples import (
    Example,
    LabelledDocument,
    LabelledParagraph,
    Pair,
    Passage,
    as_typed,
    nearest,
    write_examples,
)
from evals.training.real_documents import read_searched
from evals.training.sources import read_asked, read_authored, read_published, read_written

#: How often what was written for this is used: with other headings, beside other paragraphs. Not
#: tuned.
COPIES = 2
#: Shares of the questions that are put to another paragraph of the document, to theirs beside
#: another one, to theirs without the sentence that answers, and in small letters; and of the
#: passages and claims without a heading, and of the others with the title too. Not tuned.
OTHER, BESIDE, REMOVED, SMALL, BARE, TITLED = 0.7, 0.25, 0.3, 0.15, 0.35, 0.7
#: Shares of the claims whose premise has another paragraph of the document besides, and of those
#: whose premise is another one only. Not tuned.
TOGETHER, ELSEWHERE = 0.25, 0.15


def make(
    output: Path,
    data: Path | None = None,
    real: Path | None = None,
    written: list[Path] | None = None,
    asked: list[Path] | None = None,
    most: int | None = None,
    seed: int = 1,
) -> None:
    """Write the examples; the same arguments give the same file.

    Args:
        output: the file of examples, .jsonl.gz.
        data: folder of qa, relevance and nli .jsonl.gz.
        real: folder of the real documents.
        written: sentences that models wrote, and false ones, as `written.zip` has them.
        asked: the same, for their questions and the passages that answer them.
        most: so many passages and pairs each of what was written, of the data.
        seed: seed of everything by chance.
    """
    chance = random.Random(seed)  # noqa: S311 (not for secrets)
    examples: list[Example] = []
    published = [] if data is None else read_published(data, chance)
    for documents in (read_authored() * COPIES, published):
        made = list(examples_of(documents, chance))
        if most is not None:
            chance.shuffle(made)
            made = list(_fewer(made, most))
        examples += made
    if real is not None:
        examples += read_searched(real, chance)
    for path in written or ():
        examples += read_written(path, chance)
    for path in asked or ():
        examples += examples_of(read_asked(path), chance)
    write_examples(output, examples)
    kinds = Counter((type(example).__name__, example.kind) for example in examples)
    for (name, kind), count in sorted(kinds.items()):
        print(f"{count:8,} {name.lower()} {kind}")  # noqa: T201


def examples_of(documents: Iterable[LabelledDocument], chance: random.Random) -> Iterator[Example]:
    """What is learned of documents."""
    for document in documents:
        for paragraph in document.paragraphs:
            for answers, question in paragraph.questions:
                yield from _of_question(document, paragraph, answers, question, chance)
            for supported, claim in paragraph.claims:
                yield from _of_claim(document, paragraph, supported, claim, chance)


def _fewer(examples: Iterable[Example], most: int) -> Iterator[Example]:
    """The first examples of each sort to learn from, and all that are held out."""
    seen: Counter[type[Example]] = Counter()
    for example in examples:
        seen[type(example)] += not example.held_out
        if example.held_out or seen[type(example)] <= most:
            yield example


def _of_question(
    document: LabelledDocument,
    paragraph: LabelledParagraph,
    answers: Sequence[int],
    question: str,
    chance: random.Random,
) -> Iterator[Passage]:
    question = as_typed(question, SMALL, chance)
    answering = [paragraph.sentences[number - 1] for number in answers]

    def passage(kind: str, *shown: LabelledParagraph) -> Passage:
        sentences = tuple(sentence for p in shown for sentence in p.sentences)
        labels = tuple(int(sentence in answering) for sentence in sentences)
        heading = above(_headings(document, shown[0], chance))
        named = f"{document.kind}{kind}"
        return Passage(question, sentences, labels, max(labels), named, document.held_out, heading)

    yield passage("" if answers else ", not answered", paragraph)
    others = [other for other in document.paragraphs if other is not paragraph]
    if others and chance.random() < OTHER:
        yield passage(
            ", another paragraph",
            chance.choice(nearest(question, others, lambda other: other.text)),
        )
    near = [other for other in others if other.heading == paragraph.heading]
    if answers and near and chance.random() < BESIDE:
        yield passage("", *_beside(paragraph, near, chance))
    left = tuple(sentence for sentence in paragraph.sentences if sentence not in answering)
    if answers and len(left) > 1 and chance.random() < REMOVED:
        yield passage(", removed", LabelledParagraph(paragraph.heading, left))


def _of_claim(
    document: LabelledDocument,
    paragraph: LabelledParagraph,
    supported: bool,
    claim: str,
    chance: random.Random,
) -> Iterator[Pair]:
    def pair(kind: str, shown: Sequence[LabelledParagraph], entailed: bool) -> Pair:
        headings = [f"{heading}." for heading in _headings(document, shown[0], chance)]
        premise = " ".join([*headings, *(p.text for p in shown)])
        return Pair(claim, premise, int(entailed), f"{document.kind}{kind}", document.held_out)

    others = [other for other in document.paragraphs if other is not paragraph]
    together = others and chance.random() < TOGETHER
    shown = _beside(paragraph, others, chance) if together else [paragraph]
    yield pair(", claimed", shown, supported)
    if others and chance.random() < ELSEWHERE:
        yield pair(", claimed of another paragraph", [chance.choice(others)], False)


def _headings(
    document: LabelledDocument, paragraph: LabelledParagraph, chance: random.Random
) -> list[str]:
    """What stands above a paragraph: nothing, its heading, or the title too."""
    if chance.random() < BARE:
        return []
    title = document.title if chance.random() < TITLED else ""
    return [text for text in (title, paragraph.heading) if text]


def _beside(
    paragraph: LabelledParagraph, others: Sequence[LabelledParagraph], chance: random.Random
) -> list[LabelledParagraph]:
    """The paragraph and one of the others, whichever first; alone where they would be cut off."""
    other = chance.choice(others)
    if len(paragraph.text) + len(other.text) > WIDEST:
        return [paragraph]
    return chance.sample([paragraph, other], 2)


if __name__ == "__main__":
    typer.run(make)

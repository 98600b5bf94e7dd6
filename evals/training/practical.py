"""Questions in other words than those of short texts: rules, manuals, notices, reports, stories.

What people ask of their own documents is seldom in the words of these, and seldom about an
encyclopaedia, as nearly all data to learn from is. `practical.txt` was written for this, texts and
questions. Each line begins with what it is:

    D a document's title
    H a heading in it
    P a paragraph | sentence by sentence | three of them, mostly
    2 a question that the second sentence answers
    0 a question near to the paragraph that it does not answer
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from importlib.resources import files

from assistant.retrieval.reading_model import above
from evals.training.examples import Passage

#: Of the kinds' names; what begins with it was written here.
KIND = "practical"
#: How often each question is asked: with other headings, beside other paragraphs. Not tuned.
COPIES = 2
#: Shares of the questions that are put to another paragraph of the document, to theirs beside
#: another one, to theirs without the sentence that answers, and in small letters; and of the
#: passages without a heading, and of the others with the title too. Not tuned.
OTHER, BESIDE, REMOVED, SMALL, BARE, TITLED = 0.7, 0.25, 0.3, 0.15, 0.35, 0.7


@dataclass(frozen=True, slots=True)
class WrittenParagraph:
    """A paragraph below a heading, and the questions about it with the number of the sentence that
    answers, from 1, or 0."""

    heading: str
    sentences: tuple[str, ...]
    questions: list[tuple[int, str]] = field(default_factory=list)


def read_practical(text: str | None = None) -> dict[str, list[WrittenParagraph]]:
    """The paragraphs of each document, by its title.

    Args:
        text: in the format told above; None reads what was written.

    Raises:
        ValueError: a line is none of the format, or a number is of no sentence.
    """
    if text is None:
        text = (files("evals.training") / "practical.txt").read_text(encoding="utf-8")
    documents: dict[str, list[WrittenParagraph]] = {}
    own, heading = list[WrittenParagraph](), ""
    for line in text.splitlines():
        kind, _, told = line.partition(" ")
        if kind == "D":
            own, heading = documents.setdefault(told, []), ""
        elif kind == "H":
            heading = told
        elif kind == "P":
            own.append(WrittenParagraph(heading, tuple(told.split(" | "))))
        elif kind.isdigit() and own and int(kind) <= len(own[-1].sentences):
            own[-1].questions.append((int(kind), told))
        elif line and kind != "#":
            raise ValueError(f"practical.txt has a line that says nothing: {line!r}")
    return documents


def practical_examples(seed: int) -> Iterator[Passage]:
    """The questions with their paragraphs, with others, and with what is left of theirs."""
    chance = random.Random(seed)  # noqa: S311 (not for secrets)
    for _ in range(COPIES):
        for title, paragraphs in read_practical().items():
            for paragraph in paragraphs:
                for answer, question in paragraph.questions:
                    yield from _of_question(title, paragraphs, paragraph, answer, question, chance)


def _of_question(
    title: str,
    paragraphs: Sequence[WrittenParagraph],
    paragraph: WrittenParagraph,
    answer: int,
    question: str,
    chance: random.Random,
) -> Iterator[Passage]:
    if chance.random() < SMALL:
        question = question.lower().rstrip("?.")

    def example(kind: str, shown: Sequence[WrittenParagraph], answering: str | None) -> Passage:
        sentences = tuple(sentence for own in shown for sentence in own.sentences)
        labels = tuple(int(sentence == answering) for sentence in sentences)
        headings = [shown[0].heading]
        if chance.random() < TITLED:
            headings.insert(0, title)
        heading = "" if chance.random() < BARE else above(headings)
        return Passage(question, sentences, labels, max(labels), kind, heading=heading)

    answering = paragraph.sentences[answer - 1] if answer else None
    yield example(KIND if answer else f"{KIND}, not answered", [paragraph], answering)
    others = [own for own in paragraphs if own is not paragraph]
    if others and chance.random() < OTHER:
        yield example(f"{KIND}, another paragraph", [chance.choice(others)], None)
    near = [own for own in others if own.heading == paragraph.heading]
    if answer and near and chance.random() < BESIDE:
        both = [paragraph, chance.choice(near)]
        chance.shuffle(both)
        yield example(KIND, both, answering)
    if answer and len(paragraph.sentences) > 2 and chance.random() < REMOVED:
        left = tuple(own for own in paragraph.sentences if own != answering)
        yield example(f"{KIND}, removed", [WrittenParagraph(paragraph.heading, left)], None)

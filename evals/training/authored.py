"""Questions and claims in other words than those of short texts that were written for this.

What people ask of their own documents is seldom in the words of these, and seldom about an
encyclopaedia, as nearly all data to learn from is. The folder `texts` holds documents of many
kinds with questions and claims about them, all of them invented. Each line begins with what it is:

    D a document's title
    H a heading in it
    P a paragraph | sentence by sentence
    2 a question that the second sentence answers
    2,4 a question that the second and the fourth sentence answer
    0 a question near to the paragraph that nothing in its document answers
    + a claim that the paragraph supports
    - a claim near to it that the paragraph does not support
"""

from __future__ import annotations

import random
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass, field
from importlib.resources import files

from assistant.retrieval.reading_model import above
from assistant.verification.attribution import WIDEST
from evals.training.examples import Example, Pair, Passage

#: Of the kinds' names; what begins with it was written for this.
KIND = "authored"
#: How often each question and claim is used: with other headings, beside other paragraphs. Not
#: tuned.
COPIES = 2
#: Shares of the questions that are put to another paragraph of the document, to theirs beside
#: another one, to theirs without the sentence that answers, and in small letters; and of the
#: passages and claims without a heading, and of the others with the title too. Not tuned.
OTHER, BESIDE, REMOVED, SMALL, BARE, TITLED = 0.7, 0.25, 0.3, 0.15, 0.35, 0.7
#: Shares of the claims whose premise has another paragraph of the document besides, and of those
#: whose premise is another one only. Not tuned.
TOGETHER, ELSEWHERE = 0.25, 0.15


@dataclass(frozen=True, slots=True)
class AuthoredParagraph:
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


def read_authored(text: str | None = None) -> list[tuple[str, list[AuthoredParagraph]]]:
    """The documents, each with its title and paragraphs.

    Args:
        text: in the format told above; None reads all that was written.

    Raises:
        ValueError: a line is none of the format, or a number is of no sentence.
    """
    if text is None:
        folder = files("evals.training") / "texts"
        names = sorted(own.name for own in folder.iterdir() if own.name.endswith(".txt"))
        return [
            own
            for name in names
            for own in read_authored((folder / name).read_text(encoding="utf-8"))
        ]
    documents: list[tuple[str, list[AuthoredParagraph]]] = []
    heading = ""
    for line in text.splitlines():
        kind, _, told = line.partition(" ")
        own = documents[-1][1] if documents else []
        if kind == "D":
            documents.append((told, []))
            heading = ""
        elif kind == "H":
            heading = told
        elif kind == "P" and documents:
            own.append(AuthoredParagraph(heading, tuple(told.split(" | "))))
        elif own and (answers := _answers(kind, len(own[-1].sentences))) is not None:
            own[-1].questions.append((answers, told))
        elif kind in ("+", "-") and own:
            own[-1].claims.append((kind == "+", told))
        elif line and kind != "#":
            raise ValueError(f"A line of the texts says nothing: {line!r}")
    return documents


def _answers(kind: str, sentences: int) -> tuple[int, ...] | None:
    """The sentences that a line says answer, none of them for 0; None where it is of no question
    of a paragraph of so many."""
    if kind == "0":
        return ()
    parts = kind.split(",")
    numbers = tuple(sorted(int(part) for part in parts if part.isdecimal()))
    whole = len(numbers) == len(parts) and all(0 < number <= sentences for number in numbers)
    return numbers if whole else None


def authored_examples(seed: int) -> Iterator[Example]:
    """The questions with their paragraphs, with others, and with what is left of theirs; the
    claims with their paragraphs, with another one besides, and with another one only."""
    chance = random.Random(seed)  # noqa: S311 (not for secrets)
    documents = read_authored()
    for _ in range(COPIES):
        for title, paragraphs in documents:
            for paragraph in paragraphs:
                for answers, question in paragraph.questions:
                    yield from _of_question(title, paragraphs, paragraph, answers, question, chance)
                for supported, claim in paragraph.claims:
                    yield from _of_claim(title, paragraphs, paragraph, supported, claim, chance)


def _of_question(
    title: str,
    paragraphs: Sequence[AuthoredParagraph],
    paragraph: AuthoredParagraph,
    answers: tuple[int, ...],
    question: str,
    chance: random.Random,
) -> Iterator[Passage]:
    if chance.random() < SMALL:
        question = question.lower().rstrip("?.")

    def example(
        kind: str, shown: Sequence[AuthoredParagraph], answering: Container[str]
    ) -> Passage:
        sentences = tuple(sentence for own in shown for sentence in own.sentences)
        labels = tuple(int(sentence in answering) for sentence in sentences)
        headings = [shown[0].heading]
        if chance.random() < TITLED:
            headings.insert(0, title)
        heading = "" if chance.random() < BARE else above(headings)
        return Passage(question, sentences, labels, max(labels), kind, heading=heading)

    answering = [paragraph.sentences[number - 1] for number in answers]
    yield example(KIND if answers else f"{KIND}, not answered", [paragraph], answering)
    others = [own for own in paragraphs if own is not paragraph]
    if others and chance.random() < OTHER:
        yield example(f"{KIND}, another paragraph", [chance.choice(others)], ())
    near = [own for own in others if own.heading == paragraph.heading]
    if answers and near and chance.random() < BESIDE:
        yield example(KIND, _beside(paragraph, near, chance), answering)
    left = tuple(own for own in paragraph.sentences if own not in answering)
    if answers and len(left) > 1 and chance.random() < REMOVED:
        yield example(f"{KIND}, removed", [AuthoredParagraph(paragraph.heading, left)], ())


def _of_claim(
    title: str,
    paragraphs: Sequence[AuthoredParagraph],
    paragraph: AuthoredParagraph,
    supported: bool,
    claim: str,
    chance: random.Random,
) -> Iterator[Pair]:
    def pair(kind: str, shown: Sequence[AuthoredParagraph], entailed: bool) -> Pair:
        texts = [own.text for own in shown]
        if chance.random() >= BARE:
            texts = [f"{title}.", f"{shown[0].heading}.", *texts]
        return Pair(claim, " ".join(texts), int(entailed), kind)

    others = [own for own in paragraphs if own is not paragraph]
    together = others and chance.random() < TOGETHER
    shown = _beside(paragraph, others, chance) if together else [paragraph]
    yield pair(f"{KIND}, claimed", shown, supported)
    if others and chance.random() < ELSEWHERE:
        yield pair(f"{KIND}, claimed of another paragraph", [chance.choice(others)], False)


def _beside(
    paragraph: AuthoredParagraph, others: Sequence[AuthoredParagraph], chance: random.Random
) -> list[AuthoredParagraph]:
    """The paragraph and one of the others, whichever first; alone where they would be cut off."""
    other = chance.choice(others)
    if len(paragraph.text) + len(other.text) > WIDEST:
        return [paragraph]
    return chance.sample([paragraph, other], 2)

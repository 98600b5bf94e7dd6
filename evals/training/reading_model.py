"""Makes the reading model: `python -m evals.training.reading_model OUTPUT --real DOCUMENTS`.

It learns of passages. A question is put to its paragraph, to that beside another one, to another
one only, and to what is left of its own without the sentences that answer; the questions on real
documents are put to what the search finds. Several runs begin with the weights that ship, and the
mean of them and of what they began with is written: it often does better on other data than any of
them (Wortsman et al., "Model soups", arXiv 2203.05482, and "Robust fine-tuning of zero-shot
models", arXiv 2109.01903).

Interrupted, the same command goes on where it was. It makes the same examples in the same order
each time; sums of floating-point numbers may differ between machines.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
import typer
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits as cross_entropy

from assistant.retrieval.reading_model import (
    MAX_HEADING_TOKENS,
    MAX_QUESTION_TOKENS,
    SHIPPED_FOLDER,
    above,
    windows,
)
from assistant.retrieval.reranker import worth_reading
from assistant.verification.attribution import WIDEST
from evals.training.learning import STATE, fit, plan_of
from evals.training.network import Network, read_weights, ship
from evals.training.real_documents import read_real
from evals.training.texts import (
    LabelledDocument,
    LabelledParagraph,
    as_typed,
    asked_documents,
    nearest,
    read_answered,
    read_authored,
    read_relevance,
    read_written,
)
from index import Index
from index.encoder import Encoder

#: Seeds of the runs of which the mean is taken.
SEEDS = (7, 8, 9)
#: Part in the mean of what the runs began with.
START_SHARE = 0.25
#: Steps of a run.
STEPS = 600
#: Highest learning rate of the encoder.
RATE = 6e-5
#: Characters a token of English text.
CHARACTERS = 4.5
#: Weight of choosing the right sentence among its neighbours, beside the other losses. Not tuned.
LISTWISE = 0.3

#: Passages of `written.zip` that are learned from, at most.
MOST_WRITTEN = 6000
#: Passages of `texts.zip`, and as many of the data of others, at most.
MOST_OTHERS = 2500
#: Beginnings of the documents of `written.zip` that sets for testing have too, or others of the
#: same owner: nothing that figures are shown on is learned from.
TESTED = ("18f-", "carpentrie-", "swcarpentr-", "lukesmithx-")

#: How often what was written for this is used: with other headings, beside other paragraphs. Not
#: tuned.
COPIES = 2
#: Share of the questions that are put to another paragraph of the document. Not tuned.
OTHER = 0.7
#: Share of the questions that are put to their paragraph beside another one. Not tuned.
BESIDE = 0.25
#: Share of the questions that are put to their paragraph without what answers. Not tuned.
REMOVED = 0.3
#: Share of the passages without a heading. Not tuned.
BARE = 0.35
#: Share of the headings with the title too. Not tuned.
TITLED = 0.7

#: Paragraphs that are searched for a question on a real document. Not tuned.
FOUND = 12
#: Of those that do not answer, the place up to which some are taken. Not tuned.
FURTHEST = 10
#: How many of those that answer are taken, of the nearest others, and of the further. Not tuned.
TAKEN = 2
#: Share of the passages of real documents without a heading. Not tuned.
REAL_BARE = 0.15


@dataclass(frozen=True, slots=True)
class Passage:
    """A question and a paragraph.

    Attributes:
        labels: of the sentences, 1 where one answers.
        kind: what it was made of, and how.
        heading: what stands above it, as `above` gives it.
    """

    question: str
    sentences: tuple[str, ...]
    labels: tuple[int, ...]
    kind: str = ""
    heading: str = ""


def train(
    output: Path, real: Path | None = None, data: Path | None = None, start: Path = SHIPPED_FOLDER
) -> None:
    """Train the reading model and write what ships of it.

    Args:
        output: folder for the model, and for one folder a run.
        real: folder of the real documents, see `evals.training.real_documents`.
        data: folder of qa and relevance .jsonl.gz.
        start: folder of the model to begin with.
    """
    chance = random.Random(SEEDS[0])  # noqa: S311 (not for secrets)
    passages = read_passages(real, data, chance)
    for seed in SEEDS:
        network = Network(start)
        plan = plan_of(passages, _about, STEPS, seed)
        fit(network, RATE, plan, partial(loss, network), output / str(seed))
    runs = [torch.load(output / str(seed) / STATE)["model"] for seed in SEEDS]
    weights = read_weights(start)
    for name, before in weights.items():
        mean = torch.stack([run[name] for run in runs]).mean(dim=0)
        weights[name] = START_SHARE * before + (1 - START_SHARE) * mean
    network = Network(start)
    network.load_state_dict(weights)
    ship(network, start, output)


def read_passages(real: Path | None, data: Path | None, chance: random.Random) -> list[Passage]:
    """Everything that is learned from; see `train`."""
    asked = [own for own in asked_documents(read_written()) if not own.title.startswith(TESTED)]
    sources = [(read_authored() * COPIES, MOST_OTHERS), (asked, MOST_WRITTEN)]
    if data:
        published = [*read_answered(data, chance), *read_relevance(data, chance)]
        sources.append((published, MOST_OTHERS))
    found = list(searched_passages(real, chance)) if real else []
    for documents, most in sources:
        made = [passage for own in documents for passage in passages_of(own, chance)]
        found += chance.sample(made, min(most, len(made)))
    return found


def _about(passage: Passage) -> tuple[int, str]:
    texts = (passage.question, passage.heading, *passage.sentences)
    return round(sum(map(len, texts)) / CHARACTERS), passage.question


def passages_of(document: LabelledDocument, chance: random.Random) -> Iterator[Passage]:
    """What is learned of a document."""
    for paragraph in document.paragraphs:
        others = [other for other in document.paragraphs if other is not paragraph]
        related = [other for other in others if other.heading == paragraph.heading]
        for answers, asked in paragraph.questions:
            question = as_typed(asked, chance)
            answering = [paragraph.sentences[number - 1] for number in answers]
            left = tuple(own for own in paragraph.sentences if own not in answering)
            passage = partial(_passage, document, question, answering, chance)
            yield passage("" if answers else ", not answered", [paragraph])
            if others and chance.random() < OTHER:
                near = nearest(question, others, lambda other: other.text)
                yield passage(", another paragraph", [chance.choice(near)])
            if answers and related and chance.random() < BESIDE:
                yield passage("", beside(paragraph, related, chance))
            if answers and len(left) > 1 and chance.random() < REMOVED:
                yield passage(", removed", [LabelledParagraph(paragraph.heading, left)])


def _passage(
    document: LabelledDocument,
    question: str,
    answering: Sequence[str],
    chance: random.Random,
    kind: str,
    shown: Sequence[LabelledParagraph],
) -> Passage:
    sentences = tuple(sentence for paragraph in shown for sentence in paragraph.sentences)
    labels = tuple(int(sentence in answering) for sentence in sentences)
    heading = above(headings_of(document, shown[0], chance))
    return Passage(question, sentences, labels, f"{document.kind}{kind}", heading)


def headings_of(
    document: LabelledDocument, paragraph: LabelledParagraph, chance: random.Random
) -> list[str]:
    """What stands above a paragraph: nothing, its heading, or the title too."""
    if chance.random() < BARE:
        return []
    title = document.title if chance.random() < TITLED else ""
    return [text for text in (title, paragraph.heading) if text]


def beside(
    paragraph: LabelledParagraph, others: Sequence[LabelledParagraph], chance: random.Random
) -> list[LabelledParagraph]:
    """The paragraph and one of the others, whichever first; alone where they would be cut off."""
    other = chance.choice(others)
    if len(paragraph.text) + len(other.text) > WIDEST:
        return [paragraph]
    return chance.sample([paragraph, other], 2)


def searched_passages(folder: Path, chance: random.Random) -> Iterator[Passage]:
    """Each question on a real document with paragraphs that the search finds for it, as the reading
    model is given them: some that answer it, and some that stand before or behind those and do not.
    """
    encoder = Encoder()
    for document, labelled in read_real(folder):
        answers: dict[str, dict[int, tuple[int, ...]]] = {}
        for number, paragraph in enumerate(labelled.paragraphs, start=1):
            for numbers, question in paragraph.questions:
                answers.setdefault(question, {})[number] = numbers
        with TemporaryDirectory() as own, closing(Index(Path(own), encoder=encoder)) as index:
            index.sync([document])
            for question, right in answers.items():
                yield from _searched(question, right, index, chance)


def _searched(
    question: str, right: Mapping[int, Sequence[int]], index: Index, chance: random.Random
) -> Iterator[Passage]:
    """A question with what the search finds; `right` has the numbers of the sentences that answer,
    by those of their paragraphs."""
    shown = as_typed(question, chance)
    found = index.search(question, FOUND)
    answering = [hit for hit in found.hits if right.get(hit.paragraph.number)]
    others = [hit for hit in found.hits if not right.get(hit.paragraph.number)]
    first = TAKEN if answering else TAKEN + 1
    further = others[first:FURTHEST]
    others = others[:first] + chance.sample(further, min(TAKEN, len(further)))
    for hit in answering[:TAKEN] + others:
        heading = above(hit.paragraph.above) if chance.random() >= REAL_BARE else ""
        read = worth_reading(hit, found.term_weights)
        labels = tuple(int(n + 1 in right.get(hit.paragraph.number, ())) for n in read)
        texts = tuple(hit.paragraph.sentences[n].text for n in read)
        kind = "real" if any(labels) else "real, not answered"
        yield Passage(shown, texts, labels, kind, heading)


def logits(network: Network, passages: Sequence[Passage]) -> tuple[list[Tensor], Tensor]:
    """Logits of each passage's sentences, of those that the first window holds, and of the passages
    [B]."""
    inputs = []
    for passage in passages:
        texts = [passage.question, passage.heading, *passage.sentences]
        question, heading, *body = network.tokenizer.ids(texts)
        question, heading = question[:MAX_QUESTION_TOKENS], heading[-MAX_HEADING_TOKENS:]
        inputs.append(next(windows(network.tokenizer, question, heading, body)))
    sentences, wholes, _ = network(inputs)
    return sentences, wholes


def loss(network: Network, passages: Sequence[Passage]) -> Tensor:
    """Cross-entropy of the sentences, of the paragraphs, and of the right sentence among its
    neighbours."""
    sentences, wholes = logits(network, passages)
    labels = [
        torch.tensor(passage.labels[: len(own)], dtype=torch.float32)
        for passage, own in zip(passages, sentences, strict=True)
    ]
    answers = torch.tensor([float(any(passage.labels)) for passage in passages])
    total = cross_entropy(wholes, answers) + cross_entropy(torch.cat(sentences), torch.cat(labels))
    right = [
        -own.log_softmax(dim=0)[marks == 1].mean()
        for marks, own in zip(labels, sentences, strict=True)
        if 0 < marks.sum() < len(marks)
    ]
    return total + LISTWISE * torch.stack(right).mean() if right else total


if __name__ == "__main__":
    typer.run(train)

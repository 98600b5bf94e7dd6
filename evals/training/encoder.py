"""Makes the encoder: `python -m evals.training.encoder OUTPUT --real DOCUMENTS --data DATA`.

A question learns to be near the sentences that answer it, and far from all others that are read
with them: InfoNCE (van den Oord et al., "Representation learning with contrastive predictive
coding", arXiv 1807.03748) over the vectors that the index keeps, pooled from whole paragraphs; of
several that answer, any one will do. Of a long document a step reads the paragraphs that answer
some of its questions, those around them, and others: what the index has to tell apart. The word
vectors stay as they are.

What was learned ships as its difference to the weights before, in 8 bits with a scale a row: half
of a hundredth of the largest difference of a row is lost, and the file is a quarter as large as the
weights.

Interrupted, the same command goes on where it was.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import torch
import typer
from safetensors.torch import load_file, save
from torch import Tensor
from torch.nn.functional import normalize
from transformers import AutoModel

from assistant.retrieval.reading_model import InputTokenizer
from evals.training.learning import fit, last_states, write_weights
from evals.training.real_documents import read_real
from evals.training.texts import LabelledDocument, as_typed, read_answered, read_authored
from index.encoder import default_model_path

#: Highest learning rate.
RATE = 6e-5
#: Questions of the data of others that are learned from, at most.
MOST_OTHERS = 3500
#: Tokens of a paragraph, less [CLS] and [SEP].
MAX_PARAGRAPH_TOKENS = 254
#: Tokens of a question, likewise.
MAX_QUESTION_TOKENS = 62
#: Texts of similar length that are encoded at once. Not tuned.
TEXTS_AT_ONCE = 16
#: Tokens of paragraphs that a step reads. Not tuned.
STEP_TOKENS = 4000
#: Questions of one document that a step asks. Not tuned.
STEP_QUESTIONS = 24
#: Paragraphs around one that answers which come before others. Not tuned.
AROUND = 3
#: Of the softmax over cosines. Not tuned.
TEMPERATURE = 0.05
#: Share of the paragraphs of short documents that have their heading before them. Not tuned.
HEADED = 0.4

#: A paragraph: which document, and where in it.
Place = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Lesson:
    """Paragraphs that are read together, and questions.

    Attributes:
        paragraphs: by document and number: the tokens, and where each sentence stands among them;
            None where that is in none of the first MAX_PARAGRAPH_TOKENS.
        questions: of each the text and what answers it: sentences, as (paragraph, number).
    """

    paragraphs: dict[Place, tuple[list[int], list[tuple[int, int] | None]]] = field(
        default_factory=dict
    )
    questions: list[tuple[str, list[tuple[Place, int]]]] = field(default_factory=list)

    @property
    def size(self) -> int:
        """Number of tokens in its paragraphs."""
        return sum(len(tokens) for tokens, _ in self.paragraphs.values())


def train(output: Path, real: Path | None = None, data: Path | None = None, seed: int = 1) -> None:
    """Train the encoder, from the weights that it was made of, and write what ships of it.

    Args:
        output: folder for `encoder.safetensors`, its hash, and the state of its training.
        real: folder of the real documents, see `evals.training.real_documents`.
        data: folder of qa.jsonl.gz.
        seed: seed of everything by chance.
    """
    chance = random.Random(seed)  # noqa: S311 (not for secrets)
    folder = Path(default_model_path())
    tokenizer = InputTokenizer((folder / "tokenizer.json").read_text(encoding="utf-8"))
    made_by: Any = AutoModel
    model = made_by.from_pretrained(folder, add_pooling_layer=False, dtype=torch.float32)
    model.embeddings.word_embeddings.weight.requires_grad_(False)
    people = [own for _, own in read_real(real)] if real else []
    published = list[LabelledDocument]()
    if data:
        every = read_answered(data, chance)
        asked = [own for own in every if any(n for n, _ in own.paragraphs[0].questions)]
        published = chance.sample(asked, min(MOST_OTHERS, len(asked)))
    learned = read_authored() + published + chance.sample(people, len(people))
    plan = list(_lessons(tokenizer, learned, chance))
    fit(model, RATE, plan, partial(_loss, model, tokenizer), output)
    before = load_file(folder / "model.safetensors")
    write_weights(output / "encoder.safetensors", save(_difference(model, before)))


def _lessons(
    tokenizer: InputTokenizer, documents: Sequence[LabelledDocument], chance: random.Random
) -> Iterator[Lesson]:
    """One round of all questions, in random order: those of a long document by itself, short
    documents together."""
    found, together = list[Lesson](), Lesson()
    for number, document in enumerate(chance.sample(documents, len(documents))):
        lesson = _lesson(tokenizer, number, document, chance)
        if lesson.size > STEP_TOKENS // 2:
            found += _parts(lesson, chance)
            continue
        together.paragraphs.update(lesson.paragraphs)
        together.questions.extend(lesson.questions)
        if together.size > STEP_TOKENS // 2:
            found.append(together)
            together = Lesson()
    found.append(together)
    chance.shuffle(found)
    for lesson in found:
        if lesson.questions:
            typed = [(as_typed(text, chance), at) for text, at in lesson.questions]
            yield Lesson(lesson.paragraphs, typed)


def _lesson(
    tokenizer: InputTokenizer, number: int, document: LabelledDocument, chance: random.Random
) -> Lesson:
    """A whole document, as the index reads it, and its questions that are answered."""
    found = Lesson()
    asked: dict[str, list[tuple[Place, int]]] = {}
    for place, paragraph in enumerate(document.paragraphs):
        short = document.kind != "real" and paragraph.heading
        headed = short and chance.random() < HEADED
        tokens, spans = list[int](), list[tuple[int, int] | None]()
        for own in tokenizer.ids([f"{paragraph.heading}." if headed else "", *paragraph.sentences]):
            start, end = len(tokens), min(len(tokens) + len(own), MAX_PARAGRAPH_TOKENS)
            spans.append((start, end) if start < end else None)
            tokens += own
        _, *sentences = spans
        found.paragraphs[number, place] = tokens[:MAX_PARAGRAPH_TOKENS], sentences
        for numbers, question in paragraph.questions:
            known = [((number, place), n - 1) for n in numbers if sentences[n - 1]]
            asked.setdefault(question, []).extend(known)
    found.questions.extend((question, at) for question, at in asked.items() if at)
    return found


def _parts(lesson: Lesson, chance: random.Random) -> Iterator[Lesson]:
    """A long document by some of its questions at a time, each with the paragraphs that answer
    them, those AROUND, and others as far as there is room."""
    questions = chance.sample(lesson.questions, len(lesson.questions))
    for first in range(0, len(questions), STEP_QUESTIONS):
        asked = questions[first : first + STEP_QUESTIONS]
        taken = {paragraph for _, answers in asked for paragraph, _ in answers}
        needed = [place for _, place in taken]
        others = [paragraph for paragraph in lesson.paragraphs if paragraph not in taken]
        chance.shuffle(others)
        others.sort(key=lambda own: min(abs(own[1] - near) for near in needed) > AROUND)
        room = STEP_TOKENS - sum(len(lesson.paragraphs[own][0]) for own in taken)
        for own in others:
            if room <= 0:
                break
            taken.add(own)
            room -= len(lesson.paragraphs[own][0])
        yield Lesson({own: lesson.paragraphs[own] for own in sorted(taken)}, asked)


def _loss(model: Any, tokenizer: InputTokenizer, lesson: Lesson) -> Tensor:
    """Mean InfoNCE loss over the questions; any answering sentence is a positive."""
    asked = tokenizer.ids([question for question, _ in lesson.questions])
    asked_states = _states(model, tokenizer, [own[:MAX_QUESTION_TOKENS] for own in asked])
    questions = normalize(torch.stack([states.mean(dim=0) for states in asked_states]), dim=1)
    read = _states(model, tokenizer, [tokens for tokens, _ in lesson.paragraphs.values()])
    vectors: dict[tuple[Place, int], Tensor] = {}
    for (paragraph, (_, spans)), states in zip(lesson.paragraphs.items(), read, strict=True):
        for number, span in enumerate(spans):
            if span:  # [CLS] is before it
                vectors[paragraph, number] = states[span[0] + 1 : span[1] + 1].mean(dim=0)
    sentences = normalize(torch.stack(list(vectors.values())), dim=1)
    logits = questions @ sentences.T / TEMPERATURE
    right = torch.tensor([[own in answers for own in vectors] for _, answers in lesson.questions])
    answering = logits.masked_fill(~right, -torch.inf).logsumexp(dim=1)
    return (logits.logsumexp(dim=1) - answering).mean()


def _states(model: Any, tokenizer: InputTokenizer, texts: Sequence[list[int]]) -> list[Tensor]:
    """The states [T + 2, width] of each text, of [CLS] and [SEP] too."""
    states: dict[int, Tensor] = {}
    order = sorted(range(len(texts)), key=lambda number: len(texts[number]))
    for start in range(0, len(order), TEXTS_AT_ONCE):
        chosen = order[start : start + TEXTS_AT_ONCE]
        rows = [[tokenizer.first, *texts[number], tokenizer.last] for number in chosen]
        lengths = [len(row) for row in rows]
        found = last_states(model, rows, lengths)
        for number, length, own in zip(chosen, lengths, found, strict=True):
            states[number] = own[:length]
    return [states[number] for number in range(len(texts))]


def _difference(model: Any, before: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """What a model has learned since, in 8 bits; biases and the like as they are."""
    shipped = {}
    for name, weight in model.named_parameters():
        if weight.requires_grad:
            value = weight.detach() - before[name].float()
            if value.ndim >= 2:
                scale = value.abs().amax(dim=1, keepdim=True).clamp(min=1e-12) / 127
                value = (value / scale).round().to(torch.int8)
                shipped[f"{name}.scale"] = scale
            shipped[name] = value
    return shipped


if __name__ == "__main__":
    typer.run(train)

"""Trains the encoder: `python -m evals.training.encoder OUTPUT --real FOLDER --data DATA`.

A question learns to be near the sentences that answer it, and far from all others that are read
with them: InfoNCE (van den Oord et al., "Representation learning with contrastive predictive
coding", arXiv 1807.03748) over the vectors that the index keeps, pooled from whole paragraphs; of
several that answer, any one will do. Of a long document a step reads the paragraphs that answer
some of its questions, those around them, and others: what the index has to tell apart. The word
vectors stay as they are.

`python -m evals.training.encoder_weights` makes what ships of the output.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import torch
import typer
from torch.nn.functional import normalize
from torch.nn.utils.rnn import pad_sequence

from evals.training.authored import read_authored
from evals.training.examples import LabelledDocument, as_typed
from evals.training.loop import Trainable, fit
from evals.training.published import read_published
from evals.training.real_documents import read_real
from index.encoder import default_model_path, has_native_bfloat16

#: Tokens of a paragraph and of a question, less [CLS] and [SEP].
MAX_PARAGRAPH_TOKENS, MAX_QUESTION_TOKENS = 254, 62
#: Texts of similar length that are encoded at once. Not tuned.
TEXTS_AT_ONCE = 16
#: Tokens of paragraphs that a step reads, questions of one document that it asks, and paragraphs
#: around one that answers which come before others. Not tuned.
STEP_TOKENS, STEP_QUESTIONS, AROUND = 4000, 24, 3
#: Of the softmax over cosines. Not tuned.
TEMPERATURE = 0.05
#: Shares of the questions asked in small letters, and of the paragraphs of short documents that
#: have their heading before them. Not tuned.
SMALL, HEADED = 0.15, 0.4
#: Share of the steps in which the rate rises. Not tuned.
WARM = 0.05


@dataclass(frozen=True, slots=True)
class Lesson:
    """Paragraphs that are read together, and questions.

    Attributes:
        paragraphs: of each the tokens, and where its sentences stand among them; None where one
            stands in none of the first MAX_PARAGRAPH_TOKENS.
        questions: of each the text and what answers it, as (paragraph, sentence).
    """

    paragraphs: list[tuple[list[int], list[tuple[int, int] | None]]] = field(default_factory=list)
    questions: list[tuple[str, list[tuple[int, int]]]] = field(default_factory=list)

    def add(self, other: Lesson) -> None:
        """Append another lesson."""
        shift = len(self.paragraphs)
        self.paragraphs.extend(other.paragraphs)
        self.questions.extend((q, [(p + shift, s) for p, s in at]) for q, at in other.questions)

    @property
    def size(self) -> int:
        """Number of tokens in its paragraphs."""
        return sum(len(tokens) for tokens, _ in self.paragraphs)


def train(
    output: Annotated[Path, typer.Argument(help="Folder for weights, curve and state.")],
    real: Annotated[Path | None, typer.Option(help="Folder of the real documents.")] = None,
    data: Annotated[Path | None, typer.Option(help="Folder of qa.jsonl.gz and others.")] = None,
    most: Annotated[int, typer.Option(min=0, help="Questions of that data at most.")] = 3500,
    epochs: Annotated[int, typer.Option(min=1)] = 3,
    rate: Annotated[float, typer.Option(help="Highest learning rate.")] = 1e-4,
    device: Annotated[str, typer.Option(help="As PyTorch names it: cpu, cuda.")] = "cpu",
    seed: int = 1,
    save_every: Annotated[int, typer.Option(min=1, help="Steps that a kill can cost.")] = 50,
) -> None:
    """Train the encoder that ships, from the weights that it was made of."""
    chance = random.Random(seed)  # noqa: S311 (not for secrets)
    torch.manual_seed(seed)
    model = EncoderModel(default_model_path(), device)
    learned, held_out = _read(real, data, most, chance)
    whole = [model.lesson(document, chance) for document in held_out]
    fit(
        model,
        [([weight for weight in model.parameters() if weight.requires_grad], rate)],
        [lesson for _ in range(epochs) for lesson in _lessons(model, learned, chance)],
        model.loss,
        output,
        warm=WARM,
        save_every=save_every,
        test=lambda: model.figures(whole),
    )


def _read(
    real: Path | None, data: Path | None, most: int, chance: random.Random
) -> tuple[list[LabelledDocument], list[LabelledDocument]]:
    """Documents to learn from, and the real documents that are held out."""
    people = list(read_real(real)) if real else []
    held_out = [document for document in people if document.held_out]
    people = [document for document in people if not document.held_out]
    published = list[LabelledDocument]()
    if data:
        every = (d for d in read_published(data, chance) if d.kind == "question")
        asked = [d for d in every if any(n for n, _ in d.paragraphs[0].questions)]
        published = chance.sample(asked, min(most, len(asked)))
    return read_authored() + published + chance.sample(people, len(people)), held_out


def _lessons(
    model: EncoderModel, documents: Sequence[LabelledDocument], chance: random.Random
) -> Iterator[Lesson]:
    """One round of all questions, in random order: those of a long document by itself, short
    documents together."""
    found, together = list[Lesson](), Lesson()
    for document in chance.sample(documents, len(documents)):
        lesson = model.lesson(document, chance)
        if lesson.size > STEP_TOKENS // 2:
            found += _parts(lesson, chance)
            continue
        together.add(lesson)
        if together.size > STEP_TOKENS // 2:
            found.append(together)
            together = Lesson()
    found.append(together)
    chance.shuffle(found)
    for lesson in found:
        if lesson.questions:
            typed = [(as_typed(text, SMALL, chance), at) for text, at in lesson.questions]
            yield Lesson(lesson.paragraphs, typed)


def _parts(lesson: Lesson, chance: random.Random) -> Iterator[Lesson]:
    """A long document by some of its questions at a time, each with the paragraphs that answer
    them, those AROUND, and others as far as there is room."""
    questions = chance.sample(lesson.questions, len(lesson.questions))
    for first in range(0, len(questions), STEP_QUESTIONS):
        asked = questions[first : first + STEP_QUESTIONS]
        needed = {paragraph for _, places in asked for paragraph, _ in places}
        others = [n for n in range(len(lesson.paragraphs)) if n not in needed]
        chance.shuffle(others)
        others.sort(key=lambda n: min(abs(n - near) for near in needed) > AROUND)
        room = STEP_TOKENS - sum(len(lesson.paragraphs[n][0]) for n in needed)
        taken = set(needed)
        for n in others:
            if room <= 0:
                break
            taken.add(n)
            room -= len(lesson.paragraphs[n][0])
        number = {old: new for new, old in enumerate(sorted(taken))}
        yield Lesson(
            [lesson.paragraphs[n] for n in number],
            [(question, [(number[p], s) for p, s in places]) for question, places in asked],
        )


class EncoderModel(Trainable):
    """The encoder as it is trained.

    Args:
        folder: of the weights to begin with, as `sentence_transformers` keeps them.
        device: where it computes.
    """

    def __init__(self, folder: str, device: str) -> None:
        from tokenizers import Tokenizer
        from transformers import AutoModel

        super().__init__()
        made_by: Any = AutoModel
        self._device, self._kind = device, device.partition(":")[0]
        # Where a processor has to imitate it, it takes many times as long as float32.
        self._in_bfloat16 = self._kind != "cpu" or has_native_bfloat16()
        self._model: Any = made_by.from_pretrained(
            folder, add_pooling_layer=False, dtype=torch.float32
        ).to(device)
        for module in self._model.modules():
            if isinstance(module, torch.nn.Dropout):
                module.p = 0.0
        self._model.embeddings.word_embeddings.weight.requires_grad_(False)
        self._tokenizer = Tokenizer.from_file(f"{folder}/tokenizer.json")
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()
        self._ends = [self._tokenizer.token_to_id(token) for token in ("[CLS]", "[SEP]")]

    def save(self, folder: Path) -> None:
        """Write the weights that were learned, in 32 bits."""
        from safetensors.torch import save_file

        learned = {
            name: weight.detach().cpu().contiguous()
            for name, weight in self._model.named_parameters()
            if weight.requires_grad
        }
        save_file(learned, folder / "model.safetensors")

    def lesson(self, document: LabelledDocument, chance: random.Random) -> Lesson:
        """A whole document, as the index reads it, and its questions that are answered."""
        found = Lesson()
        asked: dict[str, list[tuple[int, int]]] = {}
        short = document.kind != "real"
        for number, paragraph in enumerate(document.paragraphs):
            headed = short and paragraph.heading and chance.random() < HEADED
            text, spans = f"{paragraph.heading}. " if headed else "", []
            for sentence in paragraph.sentences:
                spans.append((len(text), len(text) + len(sentence)))
                text += f"{sentence} "
            encoding = self._tokenizer.encode(text, add_special_tokens=False)
            offsets = encoding.offsets[:MAX_PARAGRAPH_TOKENS]
            places = list[tuple[int, int] | None]()
            for start, end in spans:
                inside = [n for n, (a, b) in enumerate(offsets) if a < end and b > start]
                places.append((inside[0], inside[-1] + 1) if inside else None)
            found.paragraphs.append((encoding.ids[:MAX_PARAGRAPH_TOKENS], places))
            for numbers, question in paragraph.questions:
                known = [(number, n - 1) for n in numbers if places[n - 1]]
                asked.setdefault(question, []).extend(known)
        found.questions.extend((question, at) for question, at in asked.items() if at)
        return found

    def loss(self, lesson: Lesson) -> Any:
        """Mean InfoNCE loss over the questions; any answering sentence is a positive."""
        questions, sentences, number = self._vectors(lesson)
        logits = questions @ sentences.T / TEMPERATURE
        right = torch.zeros_like(logits, dtype=torch.bool)
        for row, (_, places) in enumerate(lesson.questions):
            right[row, [number[place] for place in places]] = True
        answering = logits.masked_fill(~right, -torch.inf).logsumexp(dim=1)
        return (logits.logsumexp(dim=1) - answering).mean()

    def figures(self, lessons: Sequence[Lesson]) -> dict[str, float]:
        """Of questions on whole documents, the share whose paragraph is first, among five, among
        ten, by its nearest sentence; nothing of none."""
        ranks = list[int]()
        with torch.inference_mode():
            for lesson in lessons:
                questions, sentences, number = self._vectors(lesson)
                of = torch.tensor([paragraph for paragraph, _ in number], device=self._device)
                shape = (len(questions), len(lesson.paragraphs))
                best = torch.full(shape, -1.0, device=self._device).scatter_reduce(
                    1, of.expand(len(questions), -1), questions @ sentences.T, "amax"
                )
                for row, (_, places) in zip(best, lesson.questions, strict=True):
                    right = row[[paragraph for paragraph, _ in places]].max()
                    ranks.append(int((row > right).sum()))
        known = (1, 5, 10) if ranks else ()
        return {f"among {k}": sum(rank < k for rank in ranks) / len(ranks) for k in known}

    def _vectors(self, lesson: Lesson) -> tuple[Any, Any, dict[tuple[int, int], int]]:
        """Unit vectors of questions [Q, width] and of sentences [S, width], and the number of each
        (paragraph, sentence) among these."""
        asked = [question for question, _ in lesson.questions]
        encoded = self._tokenizer.encode_batch(asked, add_special_tokens=False)
        self.tokens_read = lesson.size + sum(len(question.ids) for question in encoded)
        states = self._states([tokens for tokens, _ in lesson.paragraphs])
        number: dict[tuple[int, int], int] = {}
        vectors = list[torch.Tensor]()
        for paragraph, (_, places) in enumerate(lesson.paragraphs):
            for sentence, place in enumerate(places):
                if place:
                    number[paragraph, sentence] = len(vectors)
                    vectors.append(states[paragraph][place[0] + 1 : place[1] + 1].mean(dim=0))
        asked_states = self._states([question.ids[:MAX_QUESTION_TOKENS] for question in encoded])
        questions = torch.stack([state.mean(dim=0) for state in asked_states])
        return normalize(questions, dim=1), normalize(torch.stack(vectors), dim=1), number

    def _states(self, texts: Sequence[list[int]]) -> list[Any]:
        """The states [T + 2, width] of each text, of [CLS] and [SEP] too."""
        cls, sep = self._ends
        states: dict[int, Any] = {}
        order = sorted(range(len(texts)), key=lambda number: len(texts[number]))
        for start in range(0, len(order), TEXTS_AT_ONCE):
            chosen = order[start : start + TEXTS_AT_ONCE]
            rows = [torch.tensor([cls, *texts[number], sep]) for number in chosen]
            masks = [torch.ones_like(row) for row in rows]
            ids, mask = (
                pad_sequence(part, batch_first=True).to(self._device) for part in (rows, masks)
            )
            with torch.autocast(self._kind, torch.bfloat16, enabled=self._in_bfloat16):
                output = self._model(input_ids=ids, attention_mask=mask)
            for number, row, found in zip(chosen, rows, output.last_hidden_state, strict=True):
                states[number] = found[: len(row)].float()
        return [states[number] for number in range(len(texts))]


if __name__ == "__main__":
    typer.run(train)

"""Trains the encoder: `python -m evals.training.encoder train OUTPUT --real FOLDER --data DATA`.

A question learns to be near the sentences that answer it, and far from all others that are read
with them: InfoNCE (van den Oord et al., "Representation learning with contrastive predictive
coding", arXiv 1807.03748) over the vectors that the index keeps, pooled from whole paragraphs; of
several that answer, any one will do. Of a long document a step reads the paragraphs that answer
some of its questions, those around them, and others: what the index has to tell apart. The word
vectors stay as they are.

`python -m evals.training.encoder ship OUTPUT --share .5` makes what ships of that. What was learned
is kept as its difference to the weights before, in 8 bits with a scale a row: half of a hundredth
of the largest difference of a row is lost, and the file is a quarter as large as the weights. Of
the difference a share is taken, which is an average with the weights before (Wortsman et al.,
"Robust fine-tuning of zero-shot models", arXiv 2109.01903): what was learned from few texts is not
to cost what was known of all others.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
import typer
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer
from torch.nn.functional import normalize
from torch.nn.utils.rnn import pad_sequence
from transformers import AutoModel

from evals.training.examples import LabelledDocument, as_typed
from evals.training.loop import fit
from evals.training.real_documents import read_real
from evals.training.sources import read_authored, read_published
from index.encoder import LEARNED_WEIGHTS, default_model_path, has_native_bfloat16

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


app = typer.Typer(help=__doc__, no_args_is_help=True, rich_markup_mode=None)


@app.command()
def train(
    output: Path,
    real: Path | None = None,
    data: Path | None = None,
    most: int = 3500,
    epochs: int = 3,
    rate: float = 1e-4,
    seed: int = 1,
    save_every: int = 50,
) -> None:
    """Train the encoder that ships, from the weights that it was made of.

    Args:
        output: folder for weights, curve and state.
        real: folder of the real documents.
        data: folder of `qa.jsonl.gz` and others.
        most: questions of that data at most.
        epochs: rounds of all questions.
        rate: highest learning rate.
        seed: seed of everything by chance.
        save_every: steps that a kill can cost.
    """
    chance = random.Random(seed)  # noqa: S311 (not for secrets)
    torch.manual_seed(seed)
    model = EncoderModel(default_model_path())
    people = [own for own in read_real(real) if not own.held_out] if real else []
    published = list[LabelledDocument]()
    if data:
        every = (d for d in read_published(data, chance) if d.kind == "question")
        asked = [d for d in every if any(n for n, _ in d.paragraphs[0].questions)]
        published = chance.sample(asked, min(most, len(asked)))
    learned = read_authored() + published + chance.sample(people, len(people))
    fit(
        model,
        [([weight for weight in model.parameters() if weight.requires_grad], rate)],
        [lesson for _ in range(epochs) for lesson in _lessons(model, learned, chance)],
        model.loss,
        model.save,
        output,
        warm=WARM,
        save_every=save_every,
    )


@app.command()
def ship(runs: list[Path], share: float = 0.5, output: Path = LEARNED_WEIGHTS) -> None:
    """Write the difference, and its hash beside it.

    Args:
        runs: output folders of training, of which the mean is taken.
        share: share of what was learned.
        output: file to write.
    """
    before = load_file(Path(default_model_path()) / "model.safetensors")
    each = [load_file(run / "model.safetensors") for run in runs]
    shipped = {}
    for name in each[0]:
        mean = torch.stack([own[name] for own in each]).mean(dim=0)
        value = share * (mean - before[name].float())
        if value.ndim >= 2:
            scale = value.abs().amax(dim=1, keepdim=True).clamp(min=1e-12) / 127
            value = (value / scale).round().to(torch.int8)
            shipped[f"{name}.scale"] = scale.contiguous()
        shipped[name] = value.contiguous()
    output.parent.mkdir(parents=True, exist_ok=True)
    save_file(shipped, output)
    digest = hashlib.sha256(output.read_bytes()).hexdigest()
    output.with_suffix(".sha256").write_text(f"{digest}  {output.name}\n")


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


class EncoderModel(torch.nn.Module):
    """The encoder as it is trained.

    Args:
        folder: of the weights to begin with, as `sentence_transformers` keeps them.
    """

    def __init__(self, folder: str) -> None:
        super().__init__()
        made_by: Any = AutoModel
        # Where a processor has to imitate it, it takes many times as long as float32.
        self._in_bfloat16 = has_native_bfloat16()
        self._model: Any = made_by.from_pretrained(
            folder, add_pooling_layer=False, dtype=torch.float32
        )
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
        learned = {
            name: weight.detach().contiguous()
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

    def _vectors(self, lesson: Lesson) -> tuple[Any, Any, dict[tuple[int, int], int]]:
        """Unit vectors of questions [Q, width] and of sentences [S, width], and the number of each
        (paragraph, sentence) among these."""
        asked = [question for question, _ in lesson.questions]
        encoded = self._tokenizer.encode_batch(asked, add_special_tokens=False)
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
            ids, mask = (pad_sequence(part, batch_first=True) for part in (rows, masks))
            with torch.autocast("cpu", torch.bfloat16, enabled=self._in_bfloat16):
                output = self._model(input_ids=ids, attention_mask=mask)
            for number, row, found in zip(chosen, rows, output.last_hidden_state, strict=True):
                states[number] = found[: len(row)].float()
        return [states[number] for number in range(len(texts))]


if __name__ == "__main__":
    app()

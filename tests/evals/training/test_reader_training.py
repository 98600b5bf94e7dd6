"""Training the reading model, on a few records: it goes on where it was killed, and what it writes
becomes a model that reads."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers import PATIENCE
from training_data import write_data

from assistant.retrieval.reading_model import SHIPPED_FOLDER as SHIPPED
from assistant.retrieval.reading_model import Reader, load_reader
from assistant.verification.checker import Checker
from evals.training.examples import Pair, Passage, write_examples
from evals.training.making import examples_of
from evals.training.quantise import quantise
from evals.training.reader import ReadingModel, read_weights, train
from evals.training.sources import read_published

STEPS, SAVE_EVERY = 12, 3
QUESTION = "When was the museum opened?"
PARAGRAPH = ("The museum stands by the river.", "It was opened in 1934.", "It is closed.")
CLAIM = "The museum stands near water."
PAIR = Pair(CLAIM, PARAGRAPH[0], 1, question=QUESTION)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    write_data(folder)
    # Without what was written to learn from, or what is made up would be a small part.
    chance = random.Random(1)
    examples = examples_of(read_published(folder, chance), chance)
    write_examples(folder / "examples.jsonl.gz", examples)
    return folder / "examples.jsonl.gz"


def start(data: Path, output: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "evals.training.reader", data, "--output", output]
    options = ["--start", SHIPPED, "--tokens", 256]
    options += ["--steps", STEPS, "--save-every", SAVE_EVERY]
    return subprocess.Popen(
        [str(part) for part in [*command, *options]],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@pytest.mark.long
def test_training_goes_on_where_it_was_killed(data: Path, tmp_path: Path) -> None:
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    undisturbed = start(data, whole)
    told, _ = undisturbed.communicate(timeout=PATIENCE)
    assert undisturbed.returncode == 0, told

    process = start(data, killed)
    state = killed / "state.pt"
    while not state.exists() and process.poll() is None:
        time.sleep(0.01)
    process.kill()
    process.communicate()
    assert state.exists()
    again = start(data, killed)
    told, _ = again.communicate(timeout=PATIENCE)
    assert again.returncode == 0, told
    assert f'"step": {STEPS}' in told

    first, second = read_weights(whole), read_weights(killed)
    assert first.keys() == second.keys()
    for name, weight in first.items():
        np.testing.assert_allclose(weight, second[name], atol=2e-3, err_msg=name)
    steps = [point["step"] for point in json.loads((killed / "curve.json").read_text())]
    assert steps == list(range(SAVE_EVERY, STEPS + 1, SAVE_EVERY))

    # What it wrote becomes a model that the reader takes, close to what it began with.
    made = tmp_path / "made"
    made.mkdir()
    quantise(whole, made, average_with=[killed], start=SHIPPED, start_share=0.2)
    shipped, mean = read_weights(SHIPPED), read_weights(made)
    for name, weight in mean.items():
        expected = 0.4 * first[name] + 0.4 * second[name] + 0.2 * shipped[name]
        np.testing.assert_allclose(weight, expected, atol=0.01, err_msg=name)
    reading = Reader(made).read(QUESTION, PARAGRAPH)
    assert max(range(3), key=reading.sentences.__getitem__) == 1


@pytest.mark.long
def test_the_weights_that_ship_can_be_trained_further(tmp_path: Path) -> None:
    """What is read back from the 8-bit file makes the same weights again; what is trained reads as
    what ships of it does."""
    quantise(SHIPPED, tmp_path)
    shipped, again = read_weights(SHIPPED), read_weights(tmp_path)
    assert shipped.keys() == again.keys()
    for name, weight in shipped.items():
        np.testing.assert_array_equal(weight, again[name], err_msg=name)
    model = ReadingModel(SHIPPED)
    model.load(shipped)
    model.eval()
    with torch.inference_mode():
        passage = Passage(QUESTION, PARAGRAPH, (0, 1, 0), 1, heading="Sights. The museum.")
        (sentences,), whole = model.passage_logits([passage])
        entails, contradicts, (unsaid,) = model.pair_logits([PAIR])
    reader = load_reader(str(tmp_path))
    assert isinstance(reader, Reader)
    reading = reader.read(QUESTION, PARAGRAPH, "Sights. The museum.")
    given = [*reading.sentences, reading.paragraph]
    np.testing.assert_allclose(given, [*sentences.tolist(), float(whole[0])], atol=0.5)
    check = Checker(tmp_path).check(CLAIM, PARAGRAPH[0], QUESTION)
    found = (check.entailed, check.contradicted, check.unsaid)
    np.testing.assert_allclose(found, [entails[0], contradicts[0], unsaid.max()], atol=0.5)


@pytest.mark.long
def test_a_checker_learns_which_words_are_not_said(tmp_path: Path) -> None:
    """Of a true sentence and the same made false: which is which, and by which word."""
    false = CLAIM.replace("water", "trees")
    span = (false.index("trees"), len(false) - 1)
    premise = " ".join(PARAGRAPH)
    pairs = [
        Pair(CLAIM, premise, 1, question=QUESTION, contradicted=0, unsaid=()),
        Pair(false, premise, 0, question=QUESTION, contradicted=1, unsaid=(span,)),
    ]
    examples = tmp_path / "examples.jsonl.gz"
    write_examples(examples, pairs)
    train(examples, tmp_path, 40, tokens=256, rate=4e-4, pair_share=1.0, freeze_words=True)
    quantise(tmp_path, tmp_path)
    true, other = (Checker(tmp_path).check(own.claim, premise, QUESTION) for own in pairs)
    assert true.entailed > other.entailed
    assert true.contradicted < other.contradicted
    assert true.unsaid < other.unsaid


@pytest.mark.long
def test_frozen_layers_stay_as_they_were(data: Path, tmp_path: Path) -> None:
    train(data, tmp_path, steps=2, tokens=256, freeze_layers=2)
    before, after = read_weights(SHIPPED), read_weights(tmp_path)
    changed = {n for n in before if not np.allclose(before[n], after[n], atol=1e-4, rtol=2e-3)}
    frozen = ("encoder.embeddings.", "encoder.encoder.layer.0.", "encoder.encoder.layer.1.")
    assert changed
    assert not any(name.startswith(frozen) for name in changed)

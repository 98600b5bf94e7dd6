"""Training the reading model, on a few records: it goes on where it was killed, and what it writes
becomes a model that reads."""

from __future__ import annotations

import json
import random
import shutil
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
from evals.training.model import ReadingModel, read_weights
from evals.training.published import read_published
from evals.training.quantise import quantise
from evals.training.train import train

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
    command = [sys.executable, "-m", "evals.training.train", data, "--output", output]
    options = ["--start", SHIPPED, "--tokens", 256, "--float32"]
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
    """What is read back from the 8-bit file makes the same weights again, and they read alike."""
    quantise(SHIPPED, tmp_path)
    shipped, again = read_weights(SHIPPED), read_weights(tmp_path)
    assert shipped.keys() == again.keys()
    for name, weight in shipped.items():
        np.testing.assert_array_equal(weight, again[name], err_msg=name)
    readings = [Reader(folder).read(QUESTION, PARAGRAPH) for folder in (SHIPPED, tmp_path)]
    logits = [[*reading.sentences, reading.paragraph] for reading in readings]
    np.testing.assert_allclose(*logits, atol=0.5)


def bare(kind: str, folder: Path) -> Path:
    """A small encoder of `transformers` with weights by chance, and a tokenizer."""
    from transformers import AutoConfig, AutoModel

    settings = {
        "vocab_size": 30522,
        "hidden_size": 32,
        "num_hidden_layers": 3,
        "num_attention_heads": 2,
        "intermediate_size": 64,
        "pad_token_id": 0,
    }
    if kind == "deberta-v2":
        settings |= {"relative_attention": True, "pos_att_type": ["p2c", "c2p"]}
        settings |= {"position_buckets": 256, "position_biased_input": False}
        settings |= {"share_att_key": True, "type_vocab_size": 0, "norm_rel_ebd": "layer_norm"}
    torch.manual_seed(1)
    model = AutoModel.from_config(AutoConfig.for_model(kind, **settings))
    for weight in model.parameters():  # equal ones, as of new biases, would be written once
        torch.nn.init.normal_(weight, std=0.2)
    model.save_pretrained(folder)
    shutil.copy(SHIPPED / "tokenizer.json", folder)
    return folder


@pytest.mark.long
@pytest.mark.parametrize("kind", ["bert", "mpnet", "deberta-v2"])
def test_any_encoder_becomes_a_reader(kind: str, tmp_path: Path) -> None:
    """Cut to two layers, written, quantised, and set as the reader: it reads as it was trained."""
    body, trained, made = (tmp_path / name for name in ("body", "trained", "made"))
    for folder in (trained, made):
        folder.mkdir()
    model = ReadingModel(bare(kind, body), layers=2)
    model.load(read_weights(body))
    model.save(trained)
    quantise(trained, made)
    again = ReadingModel(trained)
    again.load(read_weights(made))
    again.eval()
    with torch.inference_mode():
        passage = Passage(QUESTION, PARAGRAPH, (0, 1, 0), 1, heading="Sights. The museum.")
        (sentences,), whole = again.passage_logits([passage])
        entails, contradicts, (unsaid,) = again.pair_logits([PAIR])
    reader = load_reader(str(made))
    assert isinstance(reader, Reader)
    reading = reader.read(QUESTION, PARAGRAPH, "Sights. The museum.")
    np.testing.assert_allclose(reading.sentences, sentences.numpy(), atol=0.05)
    np.testing.assert_allclose(reading.paragraph, float(whole[0]), atol=0.05)
    check = Checker(made).check(CLAIM, PARAGRAPH[0], QUESTION)
    found = (check.entailed, check.contradicted, check.unsaid)
    np.testing.assert_allclose(found, [entails[0], contradicts[0], unsaid.max()], atol=0.05)


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
    options = {"tokens": 256, "pair_share": 1.0, "bfloat16": False, "freeze_words": True}
    train(examples, tmp_path, steps=40, rate=4e-4, **options)
    quantise(tmp_path, tmp_path)
    true, other = (Checker(tmp_path).check(own.claim, premise, QUESTION) for own in pairs)
    assert true.entailed > other.entailed
    assert true.contradicted < other.contradicted
    assert true.unsaid < other.unsaid


@pytest.mark.long
def test_frozen_layers_stay_as_they_were(data: Path, tmp_path: Path) -> None:
    train(data, tmp_path, steps=2, tokens=256, freeze_layers=2, bfloat16=False)
    before, after = read_weights(SHIPPED), read_weights(tmp_path)
    changed = {n for n in before if not np.allclose(before[n], after[n], atol=1e-4, rtol=2e-3)}
    frozen = ("encoder.embeddings.", "encoder.encoder.layer.0.", "encoder.encoder.layer.1.")
    assert changed
    assert not any(name.startswith(frozen) for name in changed)

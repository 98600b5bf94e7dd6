"""Training the reading model, on a few records: it goes on where it was killed, and what it writes
becomes a model that reads."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from helpers import PATIENCE
from model_servers import gguf
from training_data import write_data

from assistant.retrieval.reading_model import SHIPPED_FOLDER as SHIPPED
from assistant.retrieval.reading_model import PassageReader, load_reader
from evals.training.authored import KIND
from evals.training.deberta import shift_positions
from evals.training.dequantise import dequantise
from evals.training.examples import Pair, Passage, read_examples, write_examples
from evals.training.making import make
from evals.training.model import ReadingModel, read_weights
from evals.training.quantise import quantise
from evals.training.score import score
from evals.training.train import train
from evals.training.writing import write

STEPS, SAVE_EVERY = 12, 3
QUESTION = "When was the museum opened?"
PARAGRAPH = ("The museum stands by the river.", "It was opened in 1934.", "It is closed.")
CLAIM = "The museum stands near water."


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Examples, some with a teacher's logits."""
    folder = tmp_path_factory.mktemp("data")
    write_data(folder)
    make(folder, folder / "all.jsonl.gz")
    # What was written to learn from is left out, or what is made up would be a small part.
    own = [e for e in read_examples(folder / "all.jsonl.gz") if not e.kind.startswith(KIND)]
    write_examples(folder / "examples.jsonl.gz", own)
    score(SHIPPED, folder / "examples.jsonl.gz", folder / "scored.jsonl.gz", limit=40)
    return folder / "scored.jsonl.gz"


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
    quantise(whole, made, average_with=[SHIPPED])
    (reading,) = PassageReader(made).read(QUESTION, [PARAGRAPH])
    assert max(range(3), key=reading.sentences.__getitem__) == 1


@pytest.mark.long
def test_the_weights_that_ship_can_be_trained_further(tmp_path: Path) -> None:
    """What is read back from the 8-bit file makes the same weights again, and they read alike."""
    quantise(SHIPPED, tmp_path)
    shipped, again = read_weights(SHIPPED), read_weights(tmp_path)
    assert shipped.keys() == again.keys()
    for name, weight in shipped.items():
        np.testing.assert_array_equal(weight, again[name], err_msg=name)
    readings = [
        PassageReader(folder).read(QUESTION, [PARAGRAPH])[0] for folder in (SHIPPED, tmp_path)
    ]
    logits = [[*reading.sentences, reading.paragraph] for reading in readings]
    np.testing.assert_allclose(*logits, atol=0.5)


def test_a_teacher_is_asked_once_and_goes_on_where_it_was(data: Path, tmp_path: Path) -> None:
    known = list(read_examples(data))
    taught = [e for e in known if e.logit is not None]
    assert len(taught) == 40
    assert not any(e.held_out for e in taught)
    for example in taught:
        if isinstance(example, Passage):
            assert example.sentence_logits is not None
            assert len(example.sentence_logits) == len(example.sentences)
    asked = data.with_name("examples.jsonl.gz")
    output = tmp_path / "again.jsonl.gz"
    score(SHIPPED, asked, output, limit=40)
    assert list(read_examples(output)) == known
    # What lies there is taken; nothing is asked for again.
    part = next((tmp_path / "again.jsonl.gz.parts").iterdir())
    before = part.stat().st_mtime_ns
    score(SHIPPED, asked, output, limit=40)
    assert part.stat().st_mtime_ns == before
    assert list(read_examples(output)) == known


def test_a_teacher_may_say_nothing_of_sentences(data: Path, tmp_path: Path) -> None:
    output = tmp_path / "wholes.jsonl.gz"
    score(SHIPPED, data.with_name("examples.jsonl.gz"), output, limit=40, sentences=False)
    passages = [e for e in read_examples(output) if isinstance(e, Passage)]
    assert any(passage.logit is not None for passage in passages)
    assert all(passage.sentence_logits is None for passage in passages)
    # Of passages alone: what it says of them is learned from.
    folders = [tmp_path / name for name in ("taught", "untaught")]
    for scored, folder in zip((output, data.with_name("examples.jsonl.gz")), folders, strict=True):
        train(scored, folder, steps=2, tokens=256, pair_share=0, bfloat16=False)
    weights = [read_weights(folder)["passage_head.weight"] for folder in folders]
    assert not np.array_equal(*weights)


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
        entailed = again.pair_logits([Pair(CLAIM, PARAGRAPH[0], 1)])
    reader = load_reader(str(made))
    assert isinstance(reader, PassageReader)
    (reading,) = reader.read(QUESTION, [PARAGRAPH], ["Sights. The museum."])
    np.testing.assert_allclose(reading.sentences, sentences.numpy(), atol=0.05)
    np.testing.assert_allclose(reading.paragraph, float(whole[0]), atol=0.05)
    np.testing.assert_allclose(reader.entails(PARAGRAPH[0], CLAIM), float(entailed[0]), atol=0.05)


@pytest.mark.long
def test_runs_and_what_they_began_with_are_averaged(tmp_path: Path) -> None:
    folders = {name: tmp_path / name for name in ("start", "one", "two", "made")}
    for number, name in enumerate(("start", "one", "two")):
        model = ReadingModel(bare("bert", tmp_path / f"body of {name}"))
        torch.manual_seed(number)
        for weight in model.parameters():
            torch.nn.init.normal_(weight, std=0.2)
        folders[name].mkdir()
        model.save(folders[name])
    folders["made"].mkdir()
    quantise(
        *(folders["one"], folders["made"]),
        average_with=[folders["two"]],
        start=folders["start"],
        start_share=0.2,
    )
    start, one, two, made = (read_weights(folder) for folder in folders.values())
    for name, weight in made.items():
        mean = 0.4 * one[name] + 0.4 * two[name] + 0.2 * start[name]
        np.testing.assert_allclose(weight, mean, atol=0.01, err_msg=name)


@pytest.mark.long
@pytest.mark.filterwarnings("ignore")  # the exporter warns of PyTorch's own code
def test_an_encoder_is_had_back_from_8_bits(tmp_path: Path) -> None:
    """Exported and quantised as packages carry encoders, with a classifier on top."""
    from onnxruntime.quantization import QuantType, quantize_dynamic
    from transformers import BertConfig, BertForSequenceClassification

    folder = tmp_path / "packaged"
    folder.mkdir()
    settings: Any = {"num_attention_heads": 2, "hidden_size": 32, "intermediate_size": 64}
    made_by: Any = BertForSequenceClassification
    torch.manual_seed(1)
    model = made_by(BertConfig(num_hidden_layers=3, num_labels=1, **settings)).eval()
    for weight in model.parameters():
        torch.nn.init.normal_(weight, std=0.2)
    ids = torch.arange(1000, 1020)[None]
    program: Any = torch.onnx.export(model, (ids,), dynamo=True, verbose=False, opset_version=20)
    program.save(folder / "model.onnx")
    quantize_dynamic(folder / "model.onnx", folder / "8bits.onnx", weight_type=QuantType.QInt8)
    shutil.copy(SHIPPED / "tokenizer.json", folder)
    dequantise(folder / "8bits.onnx", tmp_path / "body", heads=2)
    again = ReadingModel(tmp_path / "body")
    again.load(read_weights(tmp_path / "body"))
    with torch.inference_mode():
        expected = model.bert(ids).last_hidden_state
        states = again.encoder.eval()(ids).last_hidden_state
    torch.testing.assert_close(states, expected, atol=0.3, rtol=0)
    assert torch.nn.functional.cosine_similarity(states, expected, dim=-1).min() > 0.99

    lacking = onnx.load(str(folder / "8bits.onnx"))
    kept = [c for c in lacking.graph.initializer if c.name != "bert.embeddings.LayerNorm.weight"]
    del lacking.graph.initializer[:]
    lacking.graph.initializer.extend(kept)
    onnx.save(lacking, str(folder / "lacking.onnx"))
    with pytest.raises(ValueError, match=r"lacks embeddings\.LayerNorm\.weight"):
        dequantise(folder / "lacking.onnx", tmp_path / "none", heads=2)
    assert not (tmp_path / "none").exists()


def test_shifted_positions_are_those_of_the_library(tmp_path: Path) -> None:
    model = ReadingModel(bare("deberta-v2", tmp_path))
    model.load(read_weights(tmp_path))
    words = " ".join(PARAGRAPH * 9)  # further apart than positions are told exactly
    passages = [
        Passage(QUESTION, (*PARAGRAPH, words), (0, 1, 0, 0), 1),
        Passage(QUESTION, ("It is.",), (0,), 0),
    ]
    weight = model.encoder.encoder.layer[0].attention.self.key_proj.weight
    found = []
    for _ in range(2):
        sentences, wholes = model.passage_logits(passages)
        (gradient,) = torch.autograd.grad(torch.cat([*sentences, wholes]).square().sum(), weight)
        found.append([*sentences, wholes, gradient])
        shift_positions(model.encoder)
    for library, shifted in zip(*found, strict=True):
        torch.testing.assert_close(library, shifted, atol=1e-4, rtol=1e-3)
    assert "disentangled_attention_bias" in vars(model.encoder.encoder.layer[0].attention.self)


@pytest.mark.long
def test_frozen_layers_stay_as_they_were(data: Path, tmp_path: Path) -> None:
    train(data, tmp_path, steps=2, tokens=256, freeze_layers=2, bfloat16=False)
    before, after = read_weights(SHIPPED), read_weights(tmp_path)
    changed = {n for n in before if not np.allclose(before[n], after[n], atol=1e-4, rtol=2e-3)}
    frozen = ("encoder.embeddings.", "encoder.encoder.layer.0.", "encoder.encoder.layer.1.")
    assert changed
    assert not any(name.startswith(frozen) for name in changed)


@pytest.mark.long
def test_a_language_model_writes_and_goes_on_where_it_was(data: Path, tmp_path: Path) -> None:
    output = tmp_path / "written.jsonl"
    write(str(gguf()), data.parent, output, count=1)
    first = output.read_text(encoding="utf-8")
    assert "target" in json.loads(first)
    write(str(gguf()), data.parent, output, count=2)
    both = output.read_text(encoding="utf-8")
    assert both.startswith(first)
    assert both.count("\n") == 2

"""Training the reading model, on a few records: it goes on where it was killed, and what it writes
becomes a model that reads."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
import time
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers import PATIENCE

from assistant.retrieval.reading_model import PassageReader
from evals.training.model import read_weights
from evals.training.quantise import quantise

SHIPPED = Path(str(files("assistant.retrieval") / "weights"))
STEPS, SAVE_EVERY = 12, 3


def write(folder: Path, name: str, records: list[dict[str, Any]]) -> None:
    with gzip.open(folder / f"{name}.jsonl.gz", "wt", encoding="utf-8") as lines:
        lines.writelines(json.dumps({"src": name, **record}) + "\n" for record in records)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Made up, so that what is learned from it is nothing."""
    folder = tmp_path_factory.mktemp("data")
    towns = [
        f"{a}{b}" for a in ("Bren", "Quill", "Tor", "Zan") for b in ("na", "on", "mouth", "ia")
    ]
    contexts = [
        f"The museum of {town} stands by the river. It was opened by Mayor {town} in {1900 + n}. "
        f"Tickets cost {n + 3} crowns. It is closed on Mondays."
        for n, town in enumerate(towns)
    ]
    asked = [
        {
            "question": f"When was the museum of {town} opened?",
            "context": context,
            "answers": [str(1900 + n)] if n % 4 else [],
        }
        for n, (town, context) in enumerate(zip(towns, contexts, strict=True))
    ]
    write(folder, "qa", asked)
    sentences = [c.split(". ")[2] for c in contexts]
    labelled = [
        {"question": f"What does it cost in {town}?", "sentence": text, "label": n % 2}
        for n, (town, text) in enumerate(zip(towns, sentences, strict=True))
    ]
    write(folder, "relevance", labelled)
    kinds = ("entailment", "neutral", "contradiction")
    pairs = [
        {"premise": c, "hypothesis": f"{t} has a museum.", "label": kinds[n % 3]}
        for n, (t, c) in enumerate(zip(towns, contexts, strict=True))
    ]
    write(folder, "nli", pairs)
    return folder


def start(data: Path, output: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "evals.training.train", data, "--output", output]
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
    quantise(whole, made, average_with=SHIPPED)
    (made / "tokenizer.json").write_bytes((SHIPPED / "tokenizer.json").read_bytes())
    paragraph = ["The museum stands by the river.", "It was opened in 1934.", "It is closed."]
    (reading,) = PassageReader(made).read("When was the museum opened?", [paragraph])
    assert max(range(3), key=reading.sentences.__getitem__) == 1


def test_the_weights_that_ship_can_be_trained_further(tmp_path: Path) -> None:
    """What is read back from the 8-bit file makes the same weights again, and they read alike."""
    quantise(SHIPPED, tmp_path)
    shipped, again = read_weights(SHIPPED), read_weights(tmp_path)
    assert shipped.keys() == again.keys()
    for name, weight in shipped.items():
        np.testing.assert_array_equal(weight, again[name], err_msg=name)
    (tmp_path / "tokenizer.json").write_bytes((SHIPPED / "tokenizer.json").read_bytes())
    paragraph = ["The museum stands by the river.", "It was opened in 1934.", "It is closed."]
    readings = [
        PassageReader(folder).read("When was the museum opened?", [paragraph])[0]
        for folder in (SHIPPED, tmp_path)
    ]
    logits = [[*reading.sentences, reading.paragraph] for reading in readings]
    np.testing.assert_allclose(*logits, atol=0.5)

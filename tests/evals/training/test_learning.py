"""Training, on a few texts: it goes on where it was killed, and what it writes becomes a model that
reads, checks or encodes."""

from __future__ import annotations

import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers import PATIENCE, ran

from assistant.retrieval.reading_model import SHIPPED_FOLDER as SHIPPED
from assistant.retrieval.reading_model import Reader, load_reader
from assistant.verification.checker import Checker
from evals.training import checker, encoder, reading_model
from evals.training.checker import Pair
from evals.training.learning import STATE, fit
from evals.training.network import FILE, Network, read_weights, ship
from evals.training.reading_model import Passage
from evals.training.texts import LabelledDocument, read_authored
from index.encoder import BASE_ENCODER, Encoder

QUESTION = "When was the museum opened?"
PARAGRAPH = ("The museum stands by the river.", "It was opened in 1934.", "It is closed.")
CLAIM = "The museum stands near water."

#: The reading model, trained on data of others alone, with few steps, as a program of its own.
SCRIPT = """
import sys
from pathlib import Path
from evals.training import learning, reading_model

learning.SAVE_EVERY, learning.TOKENS = 2, 256
reading_model.STEPS, reading_model.SEEDS = 6, (7, 8)
reading_model.read_written = reading_model.read_authored = lambda: []
reading_model.train(Path(sys.argv[1]), data=Path(sys.argv[2]))
"""


@pytest.mark.long
def test_training_goes_on_where_it_was_killed(data: Path, tmp_path: Path) -> None:
    def command(output: Path) -> list[str]:
        return [sys.executable, "-c", SCRIPT, str(output), str(data)]

    whole, killed = tmp_path / "whole", tmp_path / "killed"
    undisturbed = ran(command(whole), timeout=PATIENCE)
    assert undisturbed.returncode == 0, undisturbed.stderr

    process = subprocess.Popen(command(killed))
    state = killed / "7" / STATE
    while not state.exists() and process.poll() is None:
        time.sleep(0.01)
    process.kill()
    process.communicate()
    assert state.exists()
    assert not (killed / FILE).exists()
    again = ran(command(killed), timeout=PATIENCE)
    assert again.returncode == 0, again.stderr
    assert "step 6: " in again.stdout

    first, second = read_weights(whole), read_weights(killed)
    assert first.keys() == second.keys()
    for name, weight in first.items():
        np.testing.assert_allclose(weight, second[name], atol=0.01, err_msg=name)
    # The mean of both runs and of what they began with ships.
    shipped = read_weights(SHIPPED)
    runs = [torch.load(whole / seed / STATE)["model"] for seed in ("7", "8")]
    for name, weight in first.items():
        expected = 0.25 * shipped[name] + 0.75 * (runs[0][name] + runs[1][name]) / 2
        np.testing.assert_allclose(weight, expected, atol=0.01, err_msg=name)
    reading = Reader(whole).read(QUESTION, PARAGRAPH)
    assert max(range(3), key=reading.sentences.__getitem__) == 1


@pytest.mark.long
def test_the_weights_that_ship_can_be_trained_further(tmp_path: Path) -> None:
    """What is read back from the 8-bit file makes the same file again; what is trained reads as
    what ships of it does."""
    network = Network(SHIPPED)
    ship(network, SHIPPED, tmp_path)
    assert (tmp_path / FILE).read_bytes() == (SHIPPED / FILE).read_bytes()
    network.eval()
    with torch.inference_mode():
        passage = Passage(QUESTION, PARAGRAPH, (0, 1, 0), heading="Sights. The museum.")
        (sentences,), whole = reading_model.logits(network, [passage])
        pair = Pair(CLAIM, PARAGRAPH[0], 1, question=QUESTION)
        entails, contradicts, (unsaid,) = checker.logits(network, [pair])
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
    network = Network(SHIPPED)
    fit(network, 4e-4, [pairs] * 40, partial(checker.loss, network), tmp_path)
    ship(network, SHIPPED, tmp_path)
    true, other = (Checker(tmp_path).check(own.claim, premise, QUESTION) for own in pairs)
    assert true.entailed > other.entailed
    assert true.contradicted < other.contradicted
    assert true.unsaid < other.unsaid


def test_what_the_encoder_learns_brings_questions_nearer_and_ships(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = [own for own in read_authored() if own.title][:6]
    monkeypatch.setattr(encoder, "read_authored", lambda: texts * 4)
    monkeypatch.setattr(encoder, "RATE", 3e-4)
    encoder.train(tmp_path)
    monkeypatch.setattr("index.encoder.LEARNED_WEIGHTS", tmp_path / "encoder.safetensors")
    assert _nearness(Encoder(), texts) > _nearness(Encoder(BASE_ENCODER), texts) + 0.05


def _nearness(own: Encoder, documents: list[LabelledDocument]) -> float:
    """By how much a sentence that answers is nearer to its question than the others beside it."""
    gaps = []
    for paragraph in (own for document in documents for own in document.paragraphs):
        spans, text = [], ""
        for sentence in paragraph.sentences:
            spans.append((len(text), len(text) + len(sentence)))
            text += f"{sentence} "
        [vectors] = own.encode_paragraphs([(text, spans)])
        for numbers, question in paragraph.questions:
            cosines = vectors @ own.encode_query(question)
            right = np.array([n + 1 in numbers for n in range(len(spans))])
            if right.any() and not right.all():
                gaps.append(float(cosines[right].max() - cosines[~right].max()))
    return float(np.mean(gaps))

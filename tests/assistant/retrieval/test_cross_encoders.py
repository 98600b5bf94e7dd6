"""Cross-encoders set by name, as reader and as verifier: real ones, with untrained heads, made from
the shipped encoder's weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from assistant import Assistant
from assistant.retrieval.reading_model import PairReader
from assistant.settings import load_settings
from assistant.verification.checker import InferenceModel
from assistant.verification.verifier import Verifier
from index.encoder import default_model_path
from index.errors import ReaderError

QUESTION = "When was the US Indo-Pacific strategy released?"
INFERENCE = {0: "CONTRADICTION", 1: "ENTAILMENT", 2: "NEUTRAL"}


def cross_encoder(folder: Path, labels: dict[int, str]) -> str:
    from transformers import AutoModelForSequenceClassification, AutoTokenizer
    from transformers.utils import logging

    logging.set_verbosity_error()  # it remarks that the head is untrained
    torch.manual_seed(0)
    model = AutoModelForSequenceClassification.from_pretrained(
        default_model_path(), num_labels=len(labels), id2label=labels
    )
    model.save_pretrained(folder)
    AutoTokenizer.from_pretrained(default_model_path()).save_pretrained(folder)
    return str(folder)


@pytest.fixture(scope="module")
def ranking(tmp_path_factory: pytest.TempPathFactory) -> str:
    return cross_encoder(tmp_path_factory.mktemp("ranking"), {0: "LABEL_0"})


@pytest.fixture(scope="module")
def inference(tmp_path_factory: pytest.TempPathFactory) -> str:
    return cross_encoder(tmp_path_factory.mktemp("inference"), INFERENCE)


def outputs(folder: str, first: str, second: str) -> list[float]:
    """What the network gives for a pair, asked without our code."""
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    model = AutoModelForSequenceClassification.from_pretrained(folder)
    inputs = AutoTokenizer.from_pretrained(folder)(first, second, return_tensors="pt")
    with torch.inference_mode():
        found: list[float] = model(**inputs).logits[0].tolist()
    return found


def test_a_reader_reads_each_sentence_after_the_one_before_it(ranking: str) -> None:
    sentences = ["The museum stands by the river.", "It opened in 1934.", "It is closed today."]
    first = PairReader(ranking).read(QUESTION, sentences)
    expected = [
        outputs(ranking, QUESTION, text)[0]
        for text in (sentences[0], " ".join(sentences[:2]), " ".join(sentences[1:]))
    ]
    assert first.sentences == pytest.approx(expected, abs=1e-4)
    assert first.paragraph == max(first.sentences)


def test_it_answers_with_such_a_reader(ranking: str, assistant: Assistant) -> None:
    chosen = load_settings(index_dir=assistant.settings.index_dir, reader=ranking)
    own = Assistant(assistant.index, assistant.document_ids, chosen)
    answer = own.ask(QUESTION)
    assert not answer.refused
    assert answer.citations[0].quote in answer.citations[0].paragraph.text
    assert "reader" in own.search(QUESTION, 1)[0].legs  # those far behind it need not be read


def test_a_verifier_weighs_entailment_against_its_other_labels(
    inference: str, ranking: str
) -> None:
    premise, claim = "The museum opened in 1934.", "The museum is old."
    logits = outputs(inference, premise, claim)
    against = float(np.log(np.exp(logits[0]) + np.exp(logits[2])))
    found = InferenceModel(inference).check(claim, premise).entailed
    assert found == pytest.approx(logits[1] - against, abs=1e-4)
    alone = InferenceModel(ranking).check(claim, premise)  # of one output, which is its word
    assert alone.entailed == pytest.approx(outputs(ranking, premise, claim)[0], abs=1e-4)


def test_it_verifies_with_such_a_verifier(inference: str, assistant: Assistant) -> None:
    """What is checked word by word counts, whatever the model says of the meaning."""
    verifier = Verifier(assistant.index, assistant.document_ids, InferenceModel(inference))
    right = verifier.judge("The US Indo-Pacific strategy was released on February 11.")
    wrong = verifier.judge("The US Indo-Pacific strategy was released on February 12.")
    assert right.probability > 0.0
    assert not wrong.supported
    assert wrong.conflicts


def test_what_is_no_such_model_is_told(ranking: str, inference: str, tmp_path: Path) -> None:
    other = cross_encoder(tmp_path / "other", {0: "spam", 1: "ham"})
    with pytest.raises(ReaderError, match="labels spam, ham; none is entailment"):
        InferenceModel(other)
    with pytest.raises(ReaderError, match="has 3 outputs"):
        PairReader(inference)
    for kind in (InferenceModel, PairReader):
        with pytest.raises(ReaderError, match="nowhere' cannot be loaded"):
            kind(str(tmp_path / "nowhere"))

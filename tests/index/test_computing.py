"""How the models share the processor."""

from __future__ import annotations

import os
import random
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import torch
from helpers import PATIENCE, seed_sentences
from safetensors.torch import load_file

from index.bert import Bert, pack_weights
from index.computing import cores, one_thread
from index.encoder import (
    BASE_ENCODER,
    LEARNED_WEIGHTS,
    Encoder,
    default_model_path,
    load_model,
)
from index.errors import EncoderError


def test_a_number_that_a_person_gave_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    for given, expected in (("3", 3), ("2,1", 2), ("", None), ("0", None), ("all", None)):
        monkeypatch.setenv("OMP_NUM_THREADS", given)
        assert cores() == expected or (expected is None and 0 < cores() <= (os.cpu_count() or 1))


def test_one_thread_is_of_the_calling_thread_alone() -> None:
    before = torch.get_num_threads()
    entered, left = threading.Event(), threading.Event()

    def compute() -> tuple[int, int]:
        torch.set_num_threads(3)
        with one_thread():
            inside = torch.get_num_threads()
            entered.set()
            assert left.wait(PATIENCE)
        return inside, torch.get_num_threads()

    try:
        with ThreadPoolExecutor(1) as other:
            computed = other.submit(compute)
            assert entered.wait(PATIENCE)
            torch.set_num_threads(2)
            seen = torch.get_num_threads()
            left.set()
            assert computed.result() == (1, 3)
        assert seen == 2
    finally:
        torch.set_num_threads(before)


def test_a_question_has_the_same_bits_whatever_it_is_encoded_with(real_encoder: Encoder) -> None:
    generator = random.Random(6)
    texts = [" ".join(s.split()[: generator.randint(1, 40)]) for s in seed_sentences()[:40]]
    alone = [real_encoder.encode_query(text) for text in texts]
    apart = [vector.tobytes() for vector in alone]
    assert [vector.tobytes() for vector in real_encoder.encode_queries(texts)] == apart
    with ThreadPoolExecutor(16) as people:
        found = list(people.map(real_encoder.encode_query, texts * 3))
    assert [vector.tobytes() for vector in found] == apart * 3
    assert real_encoder.encode_queries([]) == []


def test_the_published_encoder_has_the_bits_of_sentence_transformers() -> None:
    """Whether that one's weights are as they came, or laid out as the processor wants them."""
    plain, packed = (load_model(default_model_path(), BASE_ENCODER) for _ in range(2))
    pack_weights(packed)
    own = Encoder(BASE_ENCODER)._network
    assert isinstance(own, Bert)
    for count in (1, 3, 7):
        tokens = [ids[:200] for ids, _ in own.tokenize(seed_sentences()[:count])]
        width = max(map(len, tokens)) + count
        ids = torch.tensor([ids + [0] * (width - len(ids)) for ids in tokens])
        mask = torch.tensor([[1] * len(ids) + [0] * (width - len(ids)) for ids in tokens])
        given = {"input_ids": ids, "attention_mask": mask, "token_type_ids": torch.zeros_like(ids)}
        with torch.inference_mode(), one_thread():
            found = own(ids, mask)[mask.bool()]
            for model in (plain, packed):
                assert torch.equal(model[0](given)["token_embeddings"][mask.bool()], found)


def test_the_default_encoder_is_the_published_one_and_what_it_has_learned(
    real_encoder: Encoder,
) -> None:
    published, learned = Encoder(BASE_ENCODER), load_file(LEARNED_WEIGHTS)
    before, after = published._network, real_encoder._network
    assert isinstance(before, Bert)
    assert isinstance(after, Bert)
    # The word vectors are as they were; how a place is told was learned.
    assert torch.equal(after._words, before._words)
    name = "embeddings.position_embeddings.weight"
    expected = before._places.float() + learned[name] * learned[f"{name}.scale"]
    assert torch.allclose(after._places.float(), expected, atol=0.01)
    assert not torch.equal(after._places, before._places)
    assert published.fingerprint != real_encoder.fingerprint


def test_learned_weights_that_are_not_those_that_shipped_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "encoder.safetensors"
    file.write_bytes(LEARNED_WEIGHTS.read_bytes()[:-1] + b"\0")
    file.with_suffix(".sha256").write_text(LEARNED_WEIGHTS.with_suffix(".sha256").read_text())
    monkeypatch.setattr("index.encoder.LEARNED_WEIGHTS", file)
    with pytest.raises(EncoderError, match="not the published ones"):
        Encoder()


def test_tokens_are_those_of_sentence_transformers(real_encoder: Encoder) -> None:
    tokenizer: Any = load_model(default_model_path(), BASE_ENCODER).tokenizer
    texts = [*seed_sentences()[:50], "", "naïve Straße 東京 \u200b x\tA\u0301 [SEP] 1,000.5"]
    given = tokenizer(texts, add_special_tokens=False, return_offsets_mapping=True)
    pairs = list(zip(given["input_ids"], given["offset_mapping"], strict=True))
    assert real_encoder._network.tokenize(texts) == pairs
    ends = tokenizer.cls_token_id, tokenizer.sep_token_id, tokenizer.pad_token_id
    assert real_encoder._network.ends == ends

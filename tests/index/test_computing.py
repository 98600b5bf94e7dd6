"""How the models share the processor: threads, and what is done together."""

from __future__ import annotations

import os
import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import torch
from helpers import PATIENCE, seed_sentences

from index.bert import Bert
from index.computing import Together, cores, one_thread, pack_weights
from index.encoder import (
    DEFAULT_ENCODER,
    Encoder,
    default_model_path,
    load_model,
)


def until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.001)


class Doubling:
    """Work that doubles numbers; while `open` is not set it waits, with what it was given."""

    def __init__(self) -> None:
        self.open = threading.Event()
        self.open.set()
        self.given: list[list[int]] = []

    def __call__(self, numbers: list[int]) -> list[int]:
        self.given.append(numbers)
        assert self.open.wait(PATIENCE)
        if -1 in numbers:
            raise ValueError("no number")
        return [2 * number for number in numbers]


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


def test_who_comes_alone_does_it_at_once() -> None:
    work = Doubling()
    together = Together(work, 4)
    assert [together([number]) for number in range(3)] == [[0], [2], [4]]
    assert together([1, 2, 3, 4, 5, 6]) == [2, 4, 6, 8, 10, 12]  # more than go together
    assert together([]) == []
    with pytest.raises(ValueError, match="no number"):
        together([-1])
    assert together([7]) == [14]


def wait_behind(
    together: Together[int, int], work: Doubling, given: list[list[int]]
) -> list[object]:
    """What comes of requests that wait while the first of them is at work, in their order."""
    work.open.clear()
    with ThreadPoolExecutor(len(given)) as people:
        asked = [people.submit(together, given[0])]
        until(lambda: work.given[-1:] == given[:1])
        for own in given[1:]:
            asked.append(people.submit(together, own))
            until(lambda: len(together._waiting) == len(asked) - 1)
        work.open.set()
        return [one.exception() or one.result() for one in asked]


def test_who_waits_goes_together() -> None:
    work = Doubling()
    together = Together(work, 4)
    found = wait_behind(together, work, [[0], [1], [2, 3], [4], [5], [6]])
    assert found == [[0], [2], [4, 6], [8], [10], [12]]
    assert work.given == [[0], [1, 2, 3, 4], [5, 6]]
    assert together([7]) == [14]


def test_an_error_goes_to_whoever_it_is_of() -> None:
    work = Doubling()
    together = Together(work, 8)
    *others, last = wait_behind(together, work, [[0], [1], [-1], [2], [3]])
    assert others[:2] == [[0], [2]]
    assert isinstance(others[2], ValueError)
    assert (others[3], last) == ([4], [6])
    assert together([7]) == [14]


def test_who_is_stopped_leaves_the_others_to_go_on() -> None:
    class Stopped(Doubling):
        def __call__(self, numbers: list[int]) -> list[int]:
            super().__call__(numbers)
            if 1 in numbers:
                raise KeyboardInterrupt
            return [2 * number for number in numbers]

    work = Stopped()
    together = Together(work, 8)
    found = wait_behind(together, work, [[0], [1], [2], [3]])
    assert isinstance(found[1], KeyboardInterrupt)
    assert (found[0], *found[2:]) == ([0], [4], [6])
    assert together([7]) == [14]


def test_many_threads_get_their_own() -> None:
    together = Together(Doubling(), 5)

    def ask(person: int) -> None:
        generator = random.Random(person)
        for _ in range(200):
            own = [generator.randrange(1000) for _ in range(generator.randint(1, 3))]
            assert together(own) == [2 * number for number in own]

    with ThreadPoolExecutor(16) as people:
        list(people.map(ask, range(16)))


def test_a_question_has_the_same_bits_whatever_it_is_encoded_with(real_encoder: Encoder) -> None:
    generator = random.Random(6)
    texts = [" ".join(s.split()[: generator.randint(1, 40)]) for s in seed_sentences()[:40]]
    alone = [real_encoder.encode_query(text) for text in texts]
    apart = [vector.tobytes() for vector in alone]
    assert [vector.tobytes() for vector in real_encoder.encode_queries(texts)] == apart
    with ThreadPoolExecutor(16) as people:  # whichever come together
        found = list(people.map(real_encoder.encode_query, texts * 3))
    assert [vector.tobytes() for vector in found] == apart * 3
    assert real_encoder.encode_queries([]) == []


def test_the_default_encoder_has_the_bits_of_sentence_transformers(real_encoder: Encoder) -> None:
    """Whether that one's weights are as they came, or laid out as the processor wants them."""
    plain, packed = (load_model(default_model_path(), DEFAULT_ENCODER) for _ in range(2))
    pack_weights(packed)
    own = real_encoder._network
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


def test_tokens_are_those_of_sentence_transformers(real_encoder: Encoder) -> None:
    tokenizer: Any = load_model(default_model_path(), DEFAULT_ENCODER).tokenizer
    texts = [*seed_sentences()[:50], "", "naïve Straße 東京 \u200b x\tA\u0301 [SEP] 1,000.5"]
    given = tokenizer(texts, add_special_tokens=False, return_offsets_mapping=True)
    pairs = list(zip(given["input_ids"], given["offset_mapping"], strict=True))
    assert real_encoder._network.tokenize(texts) == pairs
    ends = tokenizer.cls_token_id, tokenizer.sep_token_id, tokenizer.pad_token_id
    assert real_encoder._network.ends == ends


def test_a_small_model_computes_on_one_thread(
    real_encoder: Encoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []
    before, norm = torch.get_num_threads(), real_encoder._network._norm

    def watched(states: torch.Tensor) -> torch.Tensor:
        seen.append(torch.get_num_threads())
        return norm(states)

    monkeypatch.setattr(real_encoder._network, "_norm", watched)
    try:
        torch.set_num_threads(2)
        real_encoder.encode_query("When?")
        real_encoder.encode_paragraphs([("It rained.", [(0, 10)])])
        assert seen == [1, 1]
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)

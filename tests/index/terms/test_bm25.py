"""Segments and keys; what is found by them: test_scope."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.terms.analysis import key_of
from index.terms.bm25 import BM25Index, Keys, Segment, build, keys_of_ids, merge


def segment_of(documents: Sequence[list[str]], first: int = 0) -> Segment:
    """A segment of documents of texts, with the keys first, first + 1, …"""
    keys = np.arange(first, first + len(documents), dtype=np.uint64)
    counts = np.array([len(document) for document in documents], dtype=np.int32)
    texts = [text for document in documents for text in document]
    return build(keys, counts, texts, ["xx"] * len(texts))


def test_a_term_may_be_often_in_a_text() -> None:
    often = segment_of([["dog " * 70_000], ["dog"]])
    seldom = segment_of([["dog dog"]], first=2)
    whole = merge([(seldom, np.array([True])), (often, np.array([True, True]))])
    assert whole.postings("dog")[1].tolist() == [2, 70_000, 1]
    rest = merge([(whole, np.array([True, False, True]))])
    assert rest.postings("dog")[1].tolist() == [2, 1]
    assert rest.frequencies.dtype == np.uint8


@given(st.lists(st.integers(0, 9), max_size=20))
def test_keys_are_found_where_they_stand_first(keys: list[int]) -> None:
    own = Keys(np.array(keys, dtype=np.uint64))
    found = own.find(np.arange(12, dtype=np.uint64)).tolist()
    assert found == [keys.index(key) if key in keys else -1 for key in range(12)]
    assert sorted(own.firsts.tolist()) == [n for n, key in enumerate(keys) if key not in keys[:n]]


def test_keys_are_of_what_is_said() -> None:
    assert key_of("dog") != key_of("dogs") != key_of("")
    assert 0 <= key_of("\ud800") < 1 << 64  # half a character, as a damaged document may have
    name = "00ff" * 3 + "0a01" + "f" * 16
    assert keys_of_ids([name, name]).tolist() == [0x00FF00FF00FF0A01] * 2


def test_a_term_that_no_text_has_weighs_most() -> None:
    index = BM25Index.build(["the dog ran", "a dog sat", "a cat"])
    assert index.weight("dog") < index.weight("cat") < index.weight("mous")
    assert index.weight("cat") == pytest.approx(np.log(1 + 2.5 / 1.5))
    assert BM25Index.build([]).shares("dog").tolist() == []
    assert BM25Index.build(["of the", ""]).shares("dog").tolist() == [0, 0]

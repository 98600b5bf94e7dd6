"""Segments: what is merged is what would have been built at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from index.terms.keys import Keys, key_of, keys_of_ids
from index.terms.segment import Segment, build, merge

# One the beginning of another, and some not of Latin script.
WORDS = ["dog", "dogma", "international", "internationale", "naïveté", "собака", "x1"]

Document = list[str]
TEXTS = st.lists(st.sampled_from(WORDS), max_size=20).map(" ".join)
DOCUMENTS = st.lists(st.lists(TEXTS, min_size=1, max_size=4), min_size=1, max_size=6)


def segment_of(documents: Sequence[Document], first: int = 0) -> Segment:
    """A segment of documents of texts, with the keys first, first + 1, …"""
    keys = np.arange(first, first + len(documents), dtype=np.uint64)
    counts = np.array([len(document) for document in documents], dtype=np.int32)
    texts = [text for document in documents for text in document]
    return build(keys, counts, texts, ["xx"] * len(texts))


@given(DOCUMENTS)
def test_each_term_is_found_where_it_is(documents: list[Document]) -> None:
    texts = [text.split() for document in documents for text in document]
    segment = segment_of(documents)
    for word in [*WORDS, "internation", "zebra", ""]:
        rows, frequencies = segment.postings(word)
        expected = {n: own.count(word) for n, own in enumerate(texts) if word in own}
        assert dict(zip(rows.tolist(), frequencies.tolist(), strict=True)) == expected
        assert rows.tolist() == sorted(expected)
    assert segment.lengths.tolist() == [len(own) for own in texts]


@given(st.lists(DOCUMENTS, min_size=1, max_size=4), st.data())
def test_merged_it_is_what_is_built_at_once(
    parts: list[list[Document]], data: st.DataObject
) -> None:
    kept: list[Document] = []
    keys: list[int] = []
    given_parts = []
    first = 0
    for documents in parts:
        size = len(documents)
        stay = data.draw(st.lists(st.booleans(), min_size=size, max_size=size))
        given_parts.append((segment_of(documents, first), np.array(stay)))
        kept += [document for document, stays in zip(documents, stay, strict=True) if stays]
        keys += [first + n for n, stays in enumerate(stay) if stays]
        first += size
    merged = merge(given_parts)
    expected = replace(segment_of(kept), documents=np.array(keys, np.uint64))
    for field in fields(Segment)[:-1]:
        one, other = getattr(merged, field.name), getattr(expected, field.name)
        assert one.dtype == other.dtype, field.name
        assert np.array_equal(one, other), field.name


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

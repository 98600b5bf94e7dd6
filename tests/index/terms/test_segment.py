"""Segments: what is merged is what would have been built at once, and what is kept is as it was."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.terms import segment as segments
from index.terms.analysis import tokens_of
from index.terms.keys import Keys, halves, packed
from index.terms.segment import Segment, build, merge

# Some alike in their first eight bytes, one the beginning of another, some not of Latin script.
WORDS = [
    "dog",
    "international",
    "internationale",
    "internationals",
    "dogma",
    "naïveté",
    "собака",
    "x1",
]

Run = list[str]
TEXTS = st.lists(st.sampled_from(WORDS), max_size=20).map(" ".join)
RUNS = st.lists(st.lists(TEXTS, min_size=1, max_size=4), min_size=1, max_size=6)


def segment_of(runs: Sequence[Run], first: int = 0) -> Segment:
    """A segment of runs of texts, with the keys first, first + 1, …"""
    keys = np.array([[first + n, 7] for n in range(len(runs))], dtype=np.uint64).reshape(-1, 2)
    counts = np.array([len(run) for run in runs], dtype=np.int32)
    return build(keys, counts, tokens_of([text for run in runs for text in run], "xx"))


def assert_same(one: Segment, other: Segment) -> None:
    for name, array in one.arrays.items():
        assert array.dtype == other.arrays[name].dtype, name
        assert np.array_equal(array, other.arrays[name]), name


@given(RUNS)
def test_each_term_is_found_where_it_is(runs: list[Run]) -> None:
    texts = [text.split() for run in runs for text in run]
    segment = segment_of(runs)
    for word in [*WORDS, "internation", "zebra", "a", ""]:
        rows, frequencies = segment.postings(word)
        expected = {n: own.count(word) for n, own in enumerate(texts) if word in own}
        assert dict(zip(rows.tolist(), frequencies.tolist(), strict=True)) == expected
        assert rows.tolist() == sorted(expected)
    assert segment.lengths.tolist() == [len(own) for own in texts]


@given(st.lists(RUNS, min_size=1, max_size=4), st.data(), st.integers(1, 6))
def test_merged_it_is_what_is_built_at_once(
    parts: list[list[Run]], data: st.DataObject, chunk: int
) -> None:
    kept: list[Run] = []
    keys: list[int] = []
    given_parts = []
    first = 0
    for runs in parts:
        stay = data.draw(st.lists(st.booleans(), min_size=len(runs), max_size=len(runs)))
        given_parts.append((segment_of(runs, first), np.array(stay)))
        kept += [run for run, stays in zip(runs, stay, strict=True) if stays]
        keys += [first + n for n, stays in enumerate(stay) if stays]
        first += len(runs)
    expected = segment_of(kept)
    expected = Segment(
        expected.arrays | {"runs": np.array([[key, 7] for key in keys], np.uint64).reshape(-1, 2)}
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(segments, "CHUNK", chunk)  # however many postings are copied at a time
        assert_same(merge(given_parts), expected)


def test_a_term_may_be_often_in_a_text() -> None:
    often = segment_of([["dog " * 70_000], ["dog"]])
    assert often.postings("dog")[1].tolist() == [70_000, 1]
    seldom = segment_of([["dog dog"]], first=2)
    whole = merge([(seldom, np.array([True])), (often, np.array([True, True]))])
    assert whole.postings("dog")[1].tolist() == [2, 70_000, 1]
    rest = merge([(whole, np.array([True, False, True]))])
    assert rest.postings("dog")[1].tolist() == [2, 1]
    assert rest.arrays["frequencies"].dtype == np.uint8


def test_arrays_that_do_not_belong_together_are_refused() -> None:
    arrays = segment_of([["dog", "dogma dog"]]).arrays
    for name, array in arrays.items():
        with pytest.raises(ValueError, match="segment"):
            Segment(arrays | {name: array[:-1]})
    with pytest.raises(ValueError, match="lengths of a segment is of type float32"):
        Segment(arrays | {"lengths": arrays["lengths"].astype(np.float32)})


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), max_size=20))
def test_keys_are_found_where_they_stand_first(keys: list[tuple[int, int]]) -> None:
    """Also those that are alike in their first halves."""
    index = Keys(np.array(keys, dtype=np.uint64).reshape(-1, 2))
    wanted = [(a, b) for a in range(5) for b in range(5)]
    found = index.find(np.array(wanted, dtype=np.uint64)).tolist()
    assert found == [keys.index(key) if key in keys else -1 for key in wanted]
    assert index.firsts().tolist() == [key not in keys[:n] for n, key in enumerate(keys)]


def test_keys_are_read_as_they_are_written() -> None:
    name = "00ff" * 7 + "0a01"
    assert halves(packed([name, name])).tolist() == [[0x00FF00FF00FF00FF, 0x00FF00FF00FF0A01]] * 2

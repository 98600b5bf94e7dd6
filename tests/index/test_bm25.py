"""The formula, against bm25s."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lexical import WORDS, shares_by_bm25s

from index.bm25 import BM25Index


def sentences(language: str) -> st.SearchStrategy[str]:
    return st.lists(st.sampled_from(WORDS[language]), max_size=12).map(" ".join)


@given(
    st.lists(
        st.sampled_from(list(WORDS)).flatmap(lambda own: st.tuples(st.just(own), sentences(own))),
        min_size=1,
        max_size=12,
    ),
    st.sampled_from(list(WORDS)).flatmap(sentences),
)
def test_shares_are_those_of_bm25s(texts: list[tuple[str, str]], query: str) -> None:
    languages, own = [language for language, _ in texts], [text for _, text in texts]
    shares = BM25Index.build(own, languages).shares(query)
    assert shares == pytest.approx(shares_by_bm25s(own, languages, query), abs=1e-5)
    assert shares.max() <= 1 + 1e-6


def test_each_text_is_looked_for_in_its_language() -> None:
    texts = ["The dogs ran home.", "Die Hunde liefen nach Hause.", "犬は家に走った。"] * 2
    mixed = BM25Index.build(texts, ["en", "de", "ja"] * 2)
    for query, own in (("a dog", 0), ("ein Hund", 1), ("犬は走る", 2)):
        assert set(np.flatnonzero(mixed.shares(query)).tolist()) == {own, own + 3}


def test_a_term_that_no_text_has_weighs_most() -> None:
    index = BM25Index.build(["the dog ran", "a dog sat", "a cat"])
    assert index.weight("dog") < index.weight("cat") < index.weight("mous")
    assert index.weight("cat") == pytest.approx(np.log(1 + 2.5 / 1.5))
    assert BM25Index.build([]).shares("dog").tolist() == []
    assert BM25Index.build(["of the", ""]).shares("dog").tolist() == [0, 0]

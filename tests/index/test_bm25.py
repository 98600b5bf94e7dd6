"""The formula; against bm25s: store/test_scope."""

from __future__ import annotations

import numpy as np
import pytest

from index.bm25 import BM25Index


def test_a_term_that_no_text_has_weighs_most() -> None:
    index = BM25Index.build(["the dog ran", "a dog sat", "a cat"])
    assert index.weight("dog") < index.weight("cat") < index.weight("mous")
    assert index.weight("cat") == pytest.approx(np.log(1 + 2.5 / 1.5))
    assert BM25Index.build([]).shares("dog").tolist() == []
    assert BM25Index.build(["of the", ""]).shares("dog").tolist() == [0, 0]

"""Which paragraphs are candidates, and how a query is weighed in its conversation."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from helpers import CheapEncoder, Opened, hits_of, write_paragraphs
from hypothesis import given
from hypothesis import strategies as st

from index import read_document, retriever
from index.encoder import Vectors, normalise
from index.retriever import _highest, blend
from index.store.chroma import Nearest
from index.store.manifest import Rows
from index.store.vectors import FolderVectors
from index.store.writer import CONTEXT_WEIGHT

ANSWERS = "The museum was opened by the mayor in 1934."
FILLER = [f"Number {word} of the boats lies at the quay." for word in "one two six ten".split()]


def test_what_fits_the_conversation_comes_before_its_equals() -> None:
    first, second, third = hits_of(FILLER[:2], FILLER[2:], [ANSWERS])  # 1.0, 0.9, 0.8
    blended = blend([first, second, third], [first, second])
    assert [hit.paragraph.id for hit in blended] == [h.paragraph.id for h in (first, second, third)]
    # The third one is not there, and lacks 0.2 here and 0.1 there.
    assert [hit.score for hit in blended] == pytest.approx([1.0, 0.9, 0.85])
    around = [replace(second, score=2.0), replace(first, score=0.5)]
    blended = blend([first, second, third], around)
    assert [hit.paragraph.id for hit in blended] == [h.paragraph.id for h in (second, first, third)]
    assert [hit.score for hit in blended] == pytest.approx([0.95, 0.25, 0.15])
    assert blend([first], []) == [first]
    assert blend([], [first]) == []


def test_what_only_leads_into_a_list_is_found_as_the_list(
    folder: Path, tmp_path: Path, cheap: CheapEncoder, opened: Opened
) -> None:
    file = tmp_path / "visits.md"
    asks, items = "What may visitors bring to the quay?", "- a dog\n- a chair"
    file.write_text(f"# Visits\n\n{asks}\n\n{items}\n\nIt is open. What is it?\n\nA mill.\n")
    index = opened(folder, encoder=cheap)
    index.sync([read_document(file)])
    found = index.search(asks).hits
    question, listed, open_, mill = index.paragraphs(index.documents()[0].id, 1, 4)
    assert found[0].paragraph == listed
    assert found[0].terms == max(hit.terms for hit in found) > 0
    assert question not in [hit.paragraph for hit in found]
    assert {open_.number, mill.number} <= {hit.paragraph.number for hit in found}
    # What it is found with is kept, and read with it.
    assert listed.above == ("Visits", asks)
    assert index.document(question.document_id).paragraphs[1] == listed


def test_the_heading_and_what_leads_into_a_paragraph_have_a_share_in_its_vectors(
    folder: Path, tmp_path: Path, cheap: CheapEncoder, opened: Opened
) -> None:
    file = tmp_path / "visits.md"
    file.write_text("It is open.\n\n# Mill\n\nIt is open.\n\nAt noon:\n\n- It is open.\n")
    index = opened(folder, encoder=cheap)
    index.sync([read_document(file)])
    bare, headed, _, led = index.paragraphs(index.documents()[0].id, 1, 4)
    vectors = index.vectors([bare.id, headed.id, led.id])
    [[plain], [mill], [item], [noon]] = cheap.encode_paragraphs(
        [(text, [(0, len(text))]) for text in (bare.text, "Mill", led.text, "Mill. At noon:")]
    )
    assert vectors[bare.id][0] == pytest.approx(plain)
    assert vectors[headed.id][0] == pytest.approx(normalise(plain + CONTEXT_WEIGHT * mill))
    assert vectors[led.id][0] == pytest.approx(normalise(item + 2 * CONTEXT_WEIGHT * noon))


def test_a_small_choice_is_scored_whole(
    folder: Path,
    tmp_path: Path,
    cheap: CheapEncoder,
    monkeypatch: pytest.MonkeyPatch,
    opened: Opened,
) -> None:
    large = write_paragraphs(tmp_path / "large.txt", 400, seed=2)
    chosen = write_paragraphs(tmp_path / "chosen.txt", 40, seed=3)
    alone, index = opened(tmp_path / "alone", encoder=cheap), opened(folder, encoder=cheap)
    alone.sync([chosen])
    index.sync([large, chosen])
    queries = [p.text for p in chosen.paragraphs[::7]] + [large.paragraphs[3].text]
    expected = [alone.search(query, 12).hits for query in queries]

    def ask_for_all(*_: object) -> None:
        raise AssertionError("the nearest of all paragraphs were asked for")

    monkeypatch.setattr(FolderVectors, "nearest", ask_for_all)
    for query, hits in zip(queries, expected, strict=True):
        found = index.search(query, 12, documents=[chosen.id]).hits
        assert [hit.paragraph for hit in found] == [hit.paragraph for hit in hits]
        assert [hit.score for hit in found] == pytest.approx([hit.score for hit in hits], abs=1e-5)
    assert index.search(queries[0], documents=[]).hits == ()
    with pytest.raises(AssertionError, match="of all"):
        index.search(queries[0])


def test_of_a_large_index_more_sentences_are_asked_for(
    folder: Path,
    tmp_path: Path,
    cheap: CheapEncoder,
    monkeypatch: pytest.MonkeyPatch,
    opened: Opened,
) -> None:
    document = write_paragraphs(tmp_path / "large.txt", 400, seed=2)
    index = opened(folder, encoder=cheap)
    index.sync([document])
    nearest, counts = FolderVectors.nearest, []

    def noted(own: FolderVectors, vector: Vectors, count: int, visible: Rows) -> list[Nearest]:
        counts.append(count)
        return nearest(own, vector, count, visible)

    monkeypatch.setattr(FolderVectors, "nearest", noted)
    before = index.search(document.paragraphs[7].text, 3).hits
    monkeypatch.setattr(retriever, "CANDIDATES_STEP", 100)
    assert index.search(document.paragraphs[7].text, 3).hits == before
    monkeypatch.setattr(retriever, "MAX_CANDIDATES", 300)
    assert index.search(document.paragraphs[7].text, 3).hits == before
    assert counts == [100, 400, 300]


@given(
    st.lists(st.sampled_from([0.0, 0.25, 0.5, 1.0]), max_size=300),
    st.integers(1, 12),
    st.integers(0, 400),
)
def test_the_highest_shares_are_found_in_order(shares: list[float], count: int, zeros: int) -> None:
    own = np.array([0.0] * zeros + shares, dtype=np.float32)
    expected = [p for p in np.argsort(-own, kind="stable").tolist() if own[p] > 0][:count]
    assert _highest(own, count) == expected

"""The vectors of an index in a folder: the file that all read, and Chroma that one process owns."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from chroma_servers import until
from helpers import CheapEncoder, Opened, check_whole, write_paragraphs
from writers import Place, adding

from index import Document, Index, document_from_text
from index.encoder import Encoder, Vectors
from index.errors import IndexCorruptedError
from index.store import vectors as module
from index.store.chroma import ChromaVectors
from index.store.manifest import Rows
from index.store.vector_file import VectorFile
from index.store.vectors import FolderVectors

Opens = Callable[[], Index]


@pytest.fixture(autouse=True)
def however_few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Chroma is searched in however few sentences."""
    monkeypatch.setattr(module, "MAX_EXACT", -1)


@pytest.fixture
def again(folder: Path, opened: Opened, monkeypatch: pytest.MonkeyPatch) -> Opens:
    """Opens the index as another process does; all try at once to own Chroma."""
    monkeypatch.setattr(module, "RETRY_INTERVAL", 0.0)
    return lambda: opened(folder, encoder=CheapEncoder(dimension=32))


def folder_of(index: Index) -> FolderVectors:
    index.view()
    own = index._store._vectors
    assert isinstance(own, FolderVectors)
    return own


def owns(index: Index) -> bool:
    return folder_of(index)._owned() is not None


def found(index: Index, document: Document) -> list[tuple[tuple[str, int, float], ...]]:
    """What is nearest to each of some sentences."""
    nearest = []
    for paragraph in document.paragraphs[::11]:
        [vector] = CheapEncoder(dimension=32).encode_paragraphs(
            [(paragraph.text, [(0, len(paragraph.sentences[0].text))])]
        )
        hits = index.search("x", 5, vector=vector[0]).hits
        assert hits[0].paragraph == paragraph
        nearest.append(tuple((h.paragraph.id, h.nearest, round(h.score, 4)) for h in hits))
    return nearest


def test_who_does_not_own_chroma_finds_the_same(
    again: Opens, small: Document, tmp_path: Path
) -> None:
    owner, other = again(), again()
    owner.sync([small])
    assert (owns(owner), owns(other)) == (True, False)
    later = write_paragraphs(tmp_path / "later.txt", 70, seed=3)
    other.sync([later])
    for document in (small, later):
        assert found(owner, document) == found(other, document)
    assert len(folder_of(owner)._unfolded(owner._store.current().rows)) == 70
    folder_of(owner).fold()
    assert len(folder_of(owner)._unfolded(owner._store.current().rows)) == 0
    for document in (small, later):
        assert found(owner, document) == found(other, document)
    other.remove(small.id)
    assert other.tidy() == 0, "the owner deletes them"
    assert owner.tidy() == 60
    assert found(owner, later) == found(other, later)


def test_another_owns_chroma_when_the_owner_ends(again: Opens, small: Document) -> None:
    owner, other = again(), again()
    owner.sync([small])
    assert not owns(other)
    owner.close()
    until(lambda: owns(other))
    assert len(folder_of(other)._folded) == 60, "nothing is added to it again"
    check_whole(other, small)


def test_another_owns_chroma_when_the_owner_is_killed(
    again: Opens, folder: Path, small: Document
) -> None:
    owner = adding(Place(folder), small.source)
    for done in (0, 60):
        owner.until(done)
        if not done:
            owner.go_on()
    index = again()
    assert not owns(index)
    expected = found(index, small)
    owner.kill()
    until(lambda: owns(index))
    assert found(index, small) == expected


def test_who_tidies_folds_what_others_wrote(
    again: Opens, small: Document, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("index.index.TIDY_INTERVAL", 0.01)
    owner, other = again(), again()
    owner.view()
    assert owns(owner)
    owner.start_tidying()
    other.sync([small])
    until(lambda: len(folder_of(owner)._folded) == 60)
    assert found(owner, small) == found(other, small)


DATABASE = "chroma/chroma.sqlite3"


@pytest.mark.parametrize(
    "damage",
    [
        lambda vectors: (vectors / "chroma-is-being-written").touch(),
        lambda vectors: (vectors / DATABASE).write_bytes(b"no database" * 1000),
        lambda vectors: os.truncate(vectors / DATABASE, 0),
        lambda vectors: (vectors / DATABASE).unlink(),
        lambda vectors: shutil.rmtree(vectors / "chroma"),
    ],
    ids=["killed while it wrote", "overwritten", "emptied", "unlinked", "removed"],
)
def test_chroma_is_made_again_of_the_file(
    again: Opens, folder: Path, small: Document, damage: Callable[[Path], object]
) -> None:
    index = again()
    index.sync([small])
    expected = found(index, small)
    index.close()
    damage(folder / "vectors")
    index = again()
    assert found(index, small) == expected
    until(lambda: owns(index))
    folder_of(index).fold()
    assert len(folder_of(index)._folded) == 60
    assert not (folder / "vectors" / "chroma-is-being-written").exists()
    assert found(index, small) == expected
    check_whole(index, small)


def test_chroma_that_fails_meanwhile_fails_nobody(
    again: Opens, small: Document, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = again()
    index.sync([small])

    def fail(*_: object) -> None:
        raise IndexCorruptedError("It cannot be read.")

    for seed, method in enumerate(("nearest", "add")):
        expected = found(index, small)
        with monkeypatch.context() as failing:
            failing.setattr(ChromaVectors, method, fail)
            assert found(index, small) == expected
            index.sync([write_paragraphs(tmp_path / f"{method}.txt", 70, seed=seed + 3)])
        until(lambda: owns(index))
        folder_of(index).fold()
        assert len(folder_of(index)._folded) == index.status().paragraphs


def test_a_file_of_vectors(tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    every = generator.standard_normal((9, 4), dtype=np.float32)
    rows = Rows.of([(1, 0, 3), (2, 3, 1), (5, 6, 3)])  # as if others had positions 4 and 5
    own: list[Vectors] = [every[0:3], every[3:4], every[6:9]]
    one, other = (VectorFile(tmp_path / "v.f32", 4) for _ in range(2))
    assert other.missing(rows).tolist() == [True, True, True]
    one.write(rows[2:], own[2:])
    assert other.missing(rows).tolist() == [True, True, False]
    one.write(rows[:2], own[:2])
    assert not other.missing(rows).any()
    for read, expected in zip(other.read(rows), own, strict=True):
        assert np.array_equal(read, expected)
    for chosen in (rows, rows[1:], rows[:0]):
        cosines = {
            (row, n): float(every[at + n] @ every[7])
            for row, at, count in zip(*(c.tolist() for c in (chosen.rows, chosen.positions,
            chosen.sentences)), strict=True) for n in range(count)
        }  # fmt: skip
        best = sorted(cosines, key=lambda key: -cosines[key])
        for count in (2, 100):
            nearest = other.nearest(every[7], count, chosen)
            assert [(row, n) for row, n, _ in nearest] == best[:count]
            assert [c for *_, c in nearest] == pytest.approx([cosines[k] for k in best[:count]])
    with pytest.raises(IndexCorruptedError, match="index rebuild"):
        other.read(Rows.of([(6, 9, 1)]))


def test_a_sentence_that_the_encoder_does_not_see_has_a_vector_all_the_same(
    tmp_path: Path, real_encoder: Encoder
) -> None:
    """Behind ten thousand letters without a space: its vector is zero, and yet it was written."""
    text = f"A word: {'x' * 10_000} it is."
    document = document_from_text(text, "long.txt")
    with closing(Index(tmp_path / "index", encoder=real_encoder)) as index:
        index.sync([document])
        assert index.search("a word", 20).hits
        every = index.vectors([paragraph.id for paragraph in document.paragraphs])
        assert any(not vectors.any(axis=1).all() for vectors in every.values())
        index.check()

"""What is read once, and what stays in memory however large the index is."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers import Another, CheapEncoder, Opened, write_paragraphs

from index.errors import MissingPathError
from index.index import Index
from index.store import snapshot as snapshots


@pytest.fixture
def index(folder: Path, tmp_path: Path, opened: Opened) -> Index:
    made = opened(folder, encoder=CheapEncoder(dimension=32))
    made.sync(
        [write_paragraphs(tmp_path / f"{name}.txt", 40, seed=n) for n, name in enumerate("abc")]
    )
    return made


def test_few_texts_stay_in_memory(
    index: Index, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    texts = index._store.current().texts
    monkeypatch.setattr(texts, "_limit", 50)
    for info in index.documents():
        document = index.document(info.id)
        for paragraph in document.paragraphs[::7]:
            vector = index.vectors([paragraph.id])[paragraph.id][0]
            hits = index.search(paragraph.text, 1, vector=vector).hits
            assert hits[0].paragraph == paragraph
        assert 0 < texts.size <= 50


def test_the_scopes_last_asked_stay_in_memory(
    index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshots, "MAX_CACHED_SCOPES", 90)
    ids = [info.id for info in index.documents()]
    snapshot = index._store.current()
    first, second = snapshot.scope([ids[0]]), snapshot.scope([ids[1]])
    assert snapshot.scope([ids[0]]) is first
    snapshot.scope([ids[2]])  # in place of the second, which was asked longest ago
    assert snapshot.scope([ids[0]]) is first
    assert snapshot.scope([ids[1]]) is not second
    whole = snapshot.scope(None)  # larger than what is kept
    assert whole.size == 120
    assert snapshot.scope(ids) is whole
    assert snapshot.scope(reversed(ids)) is whole  # type: ignore[arg-type]
    with pytest.raises(MissingPathError, match="no document 'x'"):
        snapshot.scope(["x"])


def test_of_all_documents_only_the_changed_one_is_parsed_again(
    another: Another, tmp_path: Path
) -> None:
    index, other = another(), another()
    documents = [write_paragraphs(tmp_path / f"{n}.txt", 20, seed=n) for n in range(4)]
    index.sync(documents)
    before = dict(index._store.manifests)
    changed = write_paragraphs(tmp_path / "0.txt", 21, seed=9)
    other.sync([changed])
    for own in (index, other):
        assert own.document(changed.id) == changed
    after = index._store.manifests
    assert after.keys() == before.keys()
    assert {i for i in before if after[i] is not before[i]} == {changed.id}
    assert index.sync(documents[1:]).embedded == 0

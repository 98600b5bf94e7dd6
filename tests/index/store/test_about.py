"""What the index keeps of a document's origin and file, and when it came in."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from helpers import Another, CheapEncoder, Opened

from index import read_document
from index.errors import MissingPathError
from index.models import DocumentMetadata
from index.readers.loader import document_from_text, read_raw

FIRST, LATER = "2020-01-01T00:00:00+00:00", "2021-01-01T00:00:00+00:00"
TOLD = DocumentMetadata(("Ann",), "2022-03-07", "https://example.org/")


def at(monkeypatch: pytest.MonkeyPatch, time: str) -> None:
    monkeypatch.setattr("index.index.now", lambda: time)


def test_what_is_known_of_a_document_is_kept(
    another: Another, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "berth.md"
    file.write_text("---\nauthor: Ann\ndate: 2022\n---\nBerth four was dredged.", encoding="utf-8")
    document = replace(read_document(file), pages=3)
    at(monkeypatch, FIRST)
    index, other = another(), another()
    index.sync([document])
    for own in (index, other):
        [info] = own.documents()
        assert info.metadata == DocumentMetadata(("Ann",), "2022")
        assert (info.added, info.bytes, info.pages) == (FIRST, file.stat().st_size, 3)
        assert own.document(document.id) == document


def test_when_it_came_in_stays(
    another: Another, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, index = tmp_path / "berth.md", another()

    def synced(text: str, time: str, **how: bool) -> str:
        at(monkeypatch, time)
        file.write_text(text, encoding="utf-8")
        index.sync([read_raw(file)], **how)
        return index.documents()[0].added

    assert synced("Berth four was dredged.", FIRST) == FIRST
    assert synced("Berth four was dredged.", LATER, keep=True) == FIRST
    assert synced("Berth five was dredged.", LATER) == FIRST
    assert synced("---\nauthor: Ann\n---\nBerth five was dredged.", LATER) == FIRST
    index.remove(index.documents()[0].id)
    assert synced("Berth five was dredged.", LATER) == LATER


def test_a_change_of_the_imprint_alone_is_seen(
    another: Another, monkeypatch: pytest.MonkeyPatch
) -> None:
    at(monkeypatch, FIRST)
    index, document = another(), document_from_text("Berth four was dredged.", "a")
    index.sync([document])
    revision = index.revision
    report = index.sync([replace(document, metadata=TOLD)])
    assert (report.embedded, index.documents()[0].metadata) == (0, TOLD)
    assert index.revision != revision


def test_the_revision_does_not_tell_when_documents_came_in(
    tmp_path: Path, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = replace(document_from_text("Berth four was dredged.", "a"), metadata=TOLD)
    revisions = set()
    for time in (FIRST, LATER):
        at(monkeypatch, time)
        index = opened(tmp_path / time[:4], encoder=CheapEncoder(dimension=32))
        index.sync([document])
        assert index.documents()[0].added == time
        revisions.add(index.revision)
    assert len(revisions) == 1


def test_one_is_kept_as_it_is(another: Another, tmp_path: Path) -> None:
    file, one, two = tmp_path / "berth.md", another(), another()
    file.write_text("Berth four was dredged.", encoding="utf-8")
    [identity] = one.sync([read_raw(file)]).ids
    [before] = one.documents()
    file.write_text("Berth five was dredged.", encoding="utf-8")
    two.sync([read_raw(file)])
    one.keep(identity)
    assert two.documents()[0].kept
    assert not before.kept
    assert two.document(identity).text == "Berth five was dredged."
    with pytest.raises(MissingPathError):
        one.keep("doc-0")

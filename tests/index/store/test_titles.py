"""The title that somebody gave a document: it stays whatever becomes of the document's file, and
nothing is embedded again for it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa
from helpers import Another, CheapEncoder, Opened

from index import Index
from index.errors import MissingPathError
from index.readers.loader import Reading, read_raw

OWN, GIVEN = "Crossing to Brenna", "Ferry times, summer"
TEXT = f"# {OWN}\n\nThe ferry to Brenna leaves at nine.\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "ferry.md"
    file.write_text(TEXT)
    return file


def titles(*indexes: Index) -> set[str]:
    """What the only document is called, wherever that is told."""
    found = set()
    for index in indexes:
        [info] = index.documents()
        found |= {info.title, index.info(info.id).title, index.document(info.id).title}
    return found


def test_one_is_renamed_for_all_and_nothing_is_embedded(another: Another, file: Path) -> None:
    index, other = another(), another()
    [identity] = index.sync([read_raw(file)]).ids
    assert titles(index, other) == {OWN}
    assert isinstance(index.encoder, CheapEncoder)
    embedded = index.encoder.embedded
    before, hits, view = index.revision, index.search("ferry", 1), index.view()
    index.rename(identity, f"  {GIVEN.replace(' ', chr(10), 1)} ")
    assert titles(index, other, another()) == {GIVEN}
    assert view.info(identity).title == OWN  # of its moment
    assert index.revision == other.revision != before
    assert index.search("ferry", 1).hits == hits.hits
    assert index.encoder.embedded == embedded
    index.rename(identity, "")
    assert titles(index, other) == {OWN}
    assert index.revision == other.revision == before
    with pytest.raises(MissingPathError, match="no document 'x'"):
        index.rename("x", GIVEN)


def test_it_stays_when_the_file_is_added_again_or_is_another(another: Another, file: Path) -> None:
    index = another()
    [identity] = index.sync([read_raw(file)]).ids
    index.rename(identity, GIVEN)
    assert index.sync([read_raw(file)]).embedded == 0
    index.keep(identity)
    assert titles(index) == {GIVEN}
    file.write_text("# Ports\n\nThe harbour is deep.\n")
    index.sync([read_raw(file)])
    assert titles(index) == {GIVEN}
    assert "harbour" in index.document(identity).text
    index.rename(identity, " ")
    assert titles(index) == {"Ports"}
    index.rename(identity, GIVEN)
    index.remove(identity)
    index.sync([read_raw(file)])
    assert titles(index) == {"Ports"}  # a new document


def test_it_stays_when_the_document_is_read_anew(
    folder: Path, file: Path, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = opened(folder, encoder=CheapEncoder())
    [identity] = index.sync([replace(read_raw(file), original=file)]).ids
    index.rename(identity, GIVEN)
    monkeypatch.setattr("index.readers.loader._code_version", lambda: "later")
    index.sync([replace(read_raw(file), original=file)])
    with index.database.read() as connection:
        [reading] = connection.scalars(sa.text("SELECT reading FROM versions"))
    assert Reading.of(reading).code == "later"
    assert titles(index) == {GIVEN}
    index.rename(identity, "")
    assert titles(index) == {OWN}


def test_one_that_is_given_meanwhile_is_kept(
    folder: Path, file: Path, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    index, other = (opened(folder, encoder=CheapEncoder()) for _ in range(2))
    [identity] = index.sync([read_raw(file)]).ids
    file.write_text("# Ports\n\nThe harbour is deep.\n")
    index.sync([read_raw(file)], lambda *_: other.rename(identity, GIVEN))
    assert "harbour" in index.document(identity).text
    assert titles(index, other) == {GIVEN}

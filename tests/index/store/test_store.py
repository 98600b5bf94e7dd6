"""What an index promises, in a folder and on servers alike."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from chroma_servers import Machine, until
from helpers import (
    PATIENCE,
    Another,
    CheapEncoder,
    Opened,
    check_whole,
    write_paragraphs,
)

from index import Document, Index, document_from_text
from index.database.document_tables import documents, generations, paragraphs, versions
from index.encoder import Spans, Vectors
from index.errors import (
    EncoderError,
    IndexChangedError,
    IndexCorruptedError,
    MissingPathError,
)
from index.models import DocumentMetadata
from index.store.documents import ABANDONED, GRACE_SECONDS
from index.store.vectors import FolderVectors, ServedVectors, VectorStore
from index.store.writer import CHUNK

FERRY = "The ferry leaves at nine. It is blue."


def vectors_of(index: Index) -> VectorStore:
    index.view()
    assert index._store._vectors is not None
    return index._store._vectors


def rows_of(index: Index) -> list[int]:
    rows: list[int] = index._store.current().rows.rows.tolist()
    return rows


def count(index: Index, table: sa.Table) -> int:
    with index.database.read() as connection:
        return connection.scalar(sa.select(sa.func.count()).select_from(table)) or 0


def let_pass(index: Index, seconds: float) -> None:
    """Have all that is unused or pending been so for so much longer."""
    with index.database.write() as connection:
        for column in (paragraphs.c.unused, versions.c.pending):
            connection.execute(sa.update(column.table).values({column.name: column - seconds}))


def stored(index: Index) -> int:
    """How many vectors there are in Chroma."""
    own = vectors_of(index)
    if isinstance(own, FolderVectors):
        until(lambda: own._owned() is not None)
        own.fold()
        assert own._chroma is not None
        chroma = own._chroma[1]
    else:
        assert isinstance(own, ServedVectors)
        chroma = own._vectors
    number: int = chroma._collection.count()
    return number


def hits(index: Any, query: str, k: int = 10) -> list[tuple[str, float]]:
    return [(hit.paragraph.id, hit.score) for hit in index.search(query, k).hits]


class Waiting(CheapEncoder):
    """Has something done before it encodes its first paragraph."""

    def __init__(self, first: Any, salt: str = "") -> None:
        super().__init__(salt, dimension=32)
        self.first = first

    def encode_paragraphs(self, paragraphs: Sequence[tuple[str, Spans]]) -> list[Vectors]:
        first, self.first = self.first, lambda: None
        first()
        return super().encode_paragraphs(paragraphs)


# --- what is kept ------------------------------------------------------------------------------


def test_text_is_kept_to_the_character(another: Another) -> None:
    texts = [
        "A zero \0 is in it. It floats.",
        "Half a pair \ud83d is in it. It floats too.",
        "\U0001f6a2 An emoji begins it. Its end is one \U0001f6a2",
        "\x01 is its first sign. It stays there.",
        '\x01"this" is no JSON. Nor is it read as such.',
    ]
    document = document_from_text("\n\n".join(texts), "strange.txt")
    document = replace(document, title="\x01 \0 \udead", metadata=DocumentMetadata(("\ud83d",)))
    index = another()
    index.sync([document])
    for own in (index, another()):
        kept = own.document(document.id)
        kept.check()
        assert kept == document
        assert own.documents()[0].title == document.title
        for paragraph in document.paragraphs:
            assert own.search(paragraph.text, 1).hits[0].paragraph == paragraph


def test_an_index_is_the_same_in_a_folder_and_on_servers(
    machine: Machine, folder: Path, small: Document, opened: Opened
) -> None:
    served, other = machine(), machine()
    local = opened(folder, encoder=CheapEncoder(dimension=32))
    names = ("b", "B", "a", "\u00e4", "z", "\uff5e", "\U0001f6a2", "a b", "a-b")
    few = [document_from_text(f"{FERRY} Line {name}.", f"/{name}.txt") for name in names]
    assert served.sync([small, *few], keep=True) == local.sync([small, *few], keep=True)
    assert served.revision == local.revision == other.revision
    assert served.documents() == other.documents()
    assert [replace(info, added="") for info in served.documents()] == [
        replace(info, added="") for info in local.documents()
    ]
    assert [i.source for i in local.documents()] == sorted(d.source for d in [small, *few])
    check_whole(other, small, *few)
    for paragraph in small.paragraphs[:20]:
        expected = hits(local, paragraph.text)
        for index in (served, other):
            found = hits(index, paragraph.text)
            assert [i for i, _ in found] == [i for i, _ in expected]
            assert [s for _, s in found] == pytest.approx([s for _, s in expected], abs=1e-5)
    assert replace(served.status(), folder="", bytes=0) == replace(
        local.status(), folder="", bytes=0
    )


# --- paragraphs and their vectors --------------------------------------------------------------


def test_documents_share_paragraphs(another: Another) -> None:
    index, other = another(), another()
    texts = [f"{FERRY} Line {number}." for number in range(4)]
    one, two, three = (
        document_from_text("\n\n".join(texts[first:last]), f"{first}.txt")
        for first, last in ((0, 3), (1, 4), (2, 3))
    )
    assert index.sync([one]).embedded == 3
    assert other.sync([two, three]).embedded == 1
    assert count(index, paragraphs) == 4
    index.remove(one.id)
    with pytest.raises(MissingPathError, match=one.id):
        index.remove(one.id)
    assert index.tidy() == 1
    check_whole(other, two, three)
    other.remove(two.id)
    assert index.tidy() == 2
    check_whole(index, three)
    assert stored(index) == len(three.paragraphs[0].sentences)
    index.remove(three.id)
    assert index.search("ferry").hits == ()
    assert index.status().sentences == 0


def test_no_vector_has_the_id_that_another_had(another: Another) -> None:
    index, away, document = another(), another(), document_from_text(FERRY, "ferry.txt")
    seen: set[int] = set()
    for _ in range(3):
        index.sync([document])
        assert not seen & {*rows_of(index)}
        seen |= {*rows_of(index)}
        for one in (index, away):
            check_whole(one, document)
        assert rows_of(away) == rows_of(index)
        index.remove(document.id)
        assert index.tidy() == 1
        assert (count(index, paragraphs), stored(index)) == (0, 0)


def test_a_view_is_read_as_it_was_for_a_while(
    another: Another, small: Document, tmp_path: Path
) -> None:
    index, other = another(), another()
    later = write_paragraphs(tmp_path / "later.txt", 40, seed=3)
    index.sync([small])
    view, revision = other.view(), other.revision
    expected = hits(view, small.paragraphs[5].text)
    index.sync([later])
    index.remove(small.id)
    let_pass(index, GRACE_SECONDS - 60)
    index._store.tidy()
    assert (view.revision, other.revision != revision) == (revision, True)
    assert view.document(small.id) == small
    assert hits(view, small.paragraphs[5].text) == expected
    check_whole(other, later)
    fresh = other.view()
    index.sync([small])
    assert (index.sync([small]).embedded, count(index, paragraphs)) == (0, 100), "had again"
    index.remove(small.id)
    let_pass(index, GRACE_SECONDS)
    assert index._store.tidy() == 60
    assert count(index, paragraphs) == 40
    for read in (view.document, lambda i: fresh and view.vectors([small.paragraphs[7].id])):
        view._pinned._vectors._things.clear()  # type: ignore[union-attr]
        view._pinned.texts._things.clear()  # type: ignore[union-attr]
        with pytest.raises(IndexChangedError, match="Ask again"):
            read(small.id)


# --- writers -----------------------------------------------------------------------------------


def test_what_a_dead_writer_left_goes_after_an_hour(
    another: Another, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index, dead = another(), another()
    old = write_paragraphs(tmp_path / "a.txt", 3, seed=1)
    index.sync([old])
    new = write_paragraphs(tmp_path / "a.txt", 3 * CHUNK, seed=2)
    sentences = stored(index)

    def killed(done: int, _: int) -> None:
        if done:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        dead.sync([new], killed)
    assert index.tidy() == 0, "it may be at work"
    let_pass(index, ABANDONED + 1)
    assert index.tidy() == 3 * CHUNK
    check_whole(index, old)
    assert (count(index, versions), count(index, paragraphs)) == (1, 3)
    assert stored(index) == sentences


def test_what_a_dead_writer_left_without_vectors_is_made_anew(
    another: Another, tmp_path: Path
) -> None:
    index, dead = another(), another()
    new = write_paragraphs(tmp_path / "a.txt", 3 * CHUNK, seed=2)

    def killed(done: int, _: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        dead.sync([new], killed)
    let_pass(index, ABANDONED + 1)
    other = write_paragraphs(tmp_path / "b.txt", 3, seed=1)
    index.sync([other])  # which tidies
    index.sync([new])
    check_whole(index, new, other)


def test_a_writer_that_stood_still_for_an_hour_is_told(another: Another, small: Document) -> None:
    index, slow = another(), another()

    def an_hour() -> None:
        let_pass(index, ABANDONED + 1)
        assert index.tidy() == 60

    slow._store._encoder = Waiting(an_hour)
    with pytest.raises(IndexChangedError, match="took too long"):
        slow.sync([small])
    assert [count(index, table) for table in (documents, versions, paragraphs)] == [0, 0, 0]
    slow.sync([small])
    check_whole(index, small)


def test_two_add_at_once(another: Another, tmp_path: Path) -> None:
    shared, *own = (
        write_paragraphs(tmp_path / f"{n}.txt", 2 * CHUNK, seed=10 + n) for n in range(3)
    )
    indexes = [another(), another()]
    barrier = threading.Barrier(2)
    for index in indexes:
        index._store._encoder = Waiting(lambda: barrier.wait(PATIENCE))
    with ThreadPoolExecutor(2) as pool:
        work = [pool.submit(i.sync, [shared, one]) for i, one in zip(indexes, own, strict=True)]
        assert [one.result().embedded for one in work] == [4 * CHUNK, 4 * CHUNK]
    for index in (*indexes, another()):
        check_whole(index, shared, *own)
    found = indexes[0].search(shared.paragraphs[3].text, 1000).hits
    assert len({(hit.paragraph.document_id, hit.paragraph.number) for hit in found}) == len(found)
    indexes[0].tidy()
    check_whole(indexes[1], shared, *own)


# --- another encoder ---------------------------------------------------------------------------


def test_another_encoder_builds_beside_and_swaps(
    another: Another, small: Document, tmp_path: Path
) -> None:
    old, writer = another(), another()
    small = replace(small, metadata=DocumentMetadata(("Ann",), "2022-03-07"), bytes=9)
    with pytest.MonkeyPatch.context() as then:
        then.setattr("index.index.now", lambda: "2020-01-01T00:00:00+00:00")
        old.sync([small], keep=True)
    [before] = old.documents()
    later = write_paragraphs(tmp_path / "later.txt", 30, seed=4)
    new, killed = another("new"), another("new")
    for read in (new.documents, new.ready, lambda: new.search("island")):
        with pytest.raises(EncoderError, match="another encoder"):
            read()

    def die() -> None:
        raise KeyboardInterrupt

    killed._store._encoder = Waiting(die, "new")
    with pytest.raises(KeyboardInterrupt):
        killed.rebuild()
    check_whole(old, small)
    new._store._encoder = Waiting(lambda: [check_whole(old, small), writer.sync([later])], "new")
    assert new.migrate() == 90, "what was added meanwhile, too"
    for own in (new, another("new")):
        check_whole(own, small, later)
        assert before in own.documents(), "when it came in, and all else that is known of it"
    for own in (old, writer):
        with pytest.raises(EncoderError, match=new.encoder.fingerprint):
            own.documents()
    assert new.migrate() == 0
    assert stored(new) == new.status().sentences
    new._store.tidy()
    assert count(new, generations) == 2, "some may still be reading it"
    new.tidy()
    assert count(new, generations) == 1
    check_whole(new, small, later)


def test_who_writes_while_another_rebuilds_writes_to_what_replaces_it(
    another: Another, small: Document, tmp_path: Path
) -> None:
    index, other = another(), another()
    index.sync([small])
    later = write_paragraphs(tmp_path / "later.txt", 30, seed=4)
    index._store._encoder = Waiting(other.rebuild)
    assert index.sync([later]).embedded == 30
    for own in (index, other, another()):
        check_whole(own, small, later)
    assert vectors_of(index).number == 2


def test_a_rebuild_keeps_the_vectors_of_what_may_come_back(
    another: Another, small: Document
) -> None:
    index = another()
    index.sync([small])
    index.remove(small.id)
    index.rebuild()
    assert index.sync([small]).embedded == 0
    check_whole(index, small)


# --- what is lost ------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["all", "last", "first"])
def test_lost_vectors_are_told_and_made_again(another: Another, small: Document, how: str) -> None:
    index = another()
    index.sync([small])
    own = vectors_of(index)
    index.close()
    if isinstance(own, FolderVectors):
        content = own._file.path.read_bytes()
        size = len(content)
        kept = {"all": b"", "last": content[: size // 2], "first": bytes(400) + content[400:]}
        own._file.path.write_bytes(kept[how]) if how != "all" else own._file.path.unlink()
    else:
        index = another()
        chroma = vectors_of(index)
        assert isinstance(chroma, ServedVectors)
        rows = index._store.current().rows
        lost = {"all": rows, "last": rows[-1:], "first": rows[:1]}[how]
        chroma.delete(lost)
    index = another()
    with pytest.raises(IndexCorruptedError, match="index rebuild"):
        index.check()
    if how != "first":  # which is not looked for at each start
        with pytest.raises(IndexCorruptedError, match="index rebuild"):
            index.search("island")
    assert index.rebuild() == 60
    index.check()
    for one in (index, another()):
        check_whole(one, small)
    assert index.migrate() == 0

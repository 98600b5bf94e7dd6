"""An index on a Chroma server: the same as in a folder, and the same for all who read it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Literal

import pytest
from chroma_servers import QUICK, ChromaServer, until
from helpers import CheapEncoder, write_paragraphs

from index import Document, Index
from index.errors import (
    EncoderError,
    IndexChangedError,
    IndexCorruptedError,
    IndexUnavailableError,
    IndexUnusableError,
    MissingPathError,
    SettingsError,
)
from index.store.following import ServedSession
from index.store.protocol import Timing
from index.store.served import ServedGeneration
from index.store.server import Server, ServerAddress

#: As in use, but for looking more often.
SLOW = Timing(poll=0.2)

#: Opens an index for another machine: with a folder of its own.
Machine = Callable[..., Index]


@pytest.fixture
def machine(chroma: ServerAddress, tmp_path: Path) -> Iterator[Machine]:
    opened: list[Index] = []

    def open_one(address: ServerAddress = chroma, salt: str = "", timing: Timing = SLOW) -> Index:
        index = Index(
            tmp_path / f"machine-{len(opened)}",
            encoder=CheapEncoder(salt, dimension=32),
            chroma=address,
            timing=timing,
        )
        opened.append(index)
        return index

    yield open_one
    for index in opened:
        index.close()


def session_of(index: Index) -> ServedSession:
    session = index._session
    assert isinstance(session, ServedSession)
    return session


def generation_of(index: Index) -> ServedGeneration:
    return session_of(index).current()


def hits(index: Index, query: str, k: int = 10) -> list[tuple[str, float]]:
    found = index.search(query, k)
    return [(hit.paragraph.id, hit.score) for hit in found.hits]


def check_whole(index: Index, *documents: Document) -> None:
    """The index holds these documents and nothing else, with a vector for every sentence."""
    assert {info.id for info in index.documents()} == {own.id for own in documents}
    for document in documents:
        assert index.document(document.id) == document
        for identity, vectors in index.vectors([p.id for p in document.paragraphs]).items():
            own = next(p for p in document.paragraphs if p.id == identity)
            assert len(vectors) == len(own.sentences)


def test_it_is_the_same_as_in_a_folder(machine: Machine, folder: Path, small: Document) -> None:
    served, other = machine(), machine()
    local = Index(folder, encoder=CheapEncoder(dimension=32))
    assert served.sync([small], keep=True) == local.sync([small], keep=True)
    until(lambda: other.revision == served.revision)
    assert served.revision == local.revision
    assert served.documents() == other.documents() == local.documents()
    check_whole(other, small)
    for paragraph in small.paragraphs[:20]:
        expected = hits(local, paragraph.text)
        for index in (served, other):
            found = hits(index, paragraph.text)
            assert [i for i, _ in found] == [i for i, _ in expected]
            assert [s for _, s in found] == pytest.approx([s for _, s in expected], abs=1e-5)
    assert served.search("island").revision == local.revision
    assert replace(served.status(), folder="", bytes=0) == replace(
        local.status(), folder="", bytes=0
    )
    local.close()


def test_a_change_reaches_every_machine(machine: Machine, small: Document, tmp_path: Path) -> None:
    first, second = machine(), machine()
    before = second.revision
    first.sync([small])
    until(lambda: second.revision == first.revision)
    assert second.revision != before
    check_whole(second, small)
    changed = write_paragraphs(Path(small.source), 60, seed=9)
    try:
        report = second.sync([changed])
        assert (report.added, report.removed) == (60, 60)
        until(lambda: first.revision == second.revision)
        check_whole(first, changed)
    finally:
        write_paragraphs(Path(small.source), 60)
    second.remove(small.id)
    until(lambda: first.documents() == [])
    assert first.revision == before
    with pytest.raises(MissingPathError):
        first.document(small.id)


def test_only_what_changed_is_read(machine: Machine, tmp_path: Path) -> None:
    documents = [write_paragraphs(tmp_path / f"{n}.txt", 20, seed=n) for n in range(4)]
    first, second = machine(), machine()
    first.sync(documents)
    until(lambda: second.revision == first.revision)
    before = session_of(second).snapshot.manifests
    first.sync([write_paragraphs(tmp_path / "0.txt", 20, seed=50)])
    until(lambda: second.revision == first.revision)
    after = session_of(second).snapshot.manifests
    same = [i for i in before if before[i] is after[i]]
    assert sorted(same) == sorted(document.id for document in documents[1:])
    assert first.sync(documents[1:]).embedded == 0


def test_a_view_stays_as_it_was(machine: Machine, small: Document, tmp_path: Path) -> None:
    index = machine()
    index.sync([small])
    view, expected = index.view(), hits(index, small.paragraphs[5].text)
    revision = view.revision
    other = write_paragraphs(tmp_path / "other.txt", 40, seed=3)
    machine().sync([other])
    until(lambda: index.revision != revision)
    machine().remove(small.id)
    until(lambda: small.id not in {info.id for info in index.documents()})
    assert view.revision == revision
    assert [info.id for info in view.documents()] == [small.id]
    found = view.search(small.paragraphs[5].text)
    assert [(hit.paragraph.id, hit.score) for hit in found.hits] == expected
    assert found.revision == revision
    assert view.document(small.id) == small


def test_a_view_that_is_too_old_is_not_read(machine: Machine, small: Document) -> None:
    index = machine(timing=QUICK)
    index.sync([small])
    view = index.view()
    index.remove(small.id)
    time.sleep(QUICK.grace / 2 + 0.1)
    with pytest.raises(IndexChangedError, match="Ask again"):
        view.document(small.id)


def test_a_view_of_a_folder_is_read_while_it_can_be(
    folder: Path, small: Document, tmp_path: Path
) -> None:
    index = Index(folder, encoder=CheapEncoder(dimension=32))
    other = write_paragraphs(tmp_path / "other.txt", 40, seed=3)
    index.sync([small, other])
    view = index.view([small.id])
    expected = index.search(small.paragraphs[5].text, documents=[small.id])
    second = Index(folder, encoder=CheapEncoder(dimension=32))  # as another process
    second.remove(other.id)
    assert index.revision != view.revision
    assert view.search(small.paragraphs[5].text, documents=[small.id]) == expected
    second.remove(small.id)
    with pytest.raises(IndexChangedError, match="Ask again"):
        view.search(small.paragraphs[5].text, documents=[small.id])
    index.close()
    second.close()


# --- several writers -------------------------------------------------------------------------


def test_writers_at_once_lose_nothing(machine: Machine, tmp_path: Path) -> None:
    common = write_paragraphs(tmp_path / "common.txt", 80, seed=7)
    own = [write_paragraphs(tmp_path / f"{n}.txt", 150, seed=20 + n) for n in range(3)]
    indices = [machine() for _ in own]
    failures: list[BaseException] = []

    def write(index: Index, document: Document) -> None:
        try:
            index.sync([common, document])
        except BaseException as error:
            failures.append(error)
            raise

    threads = [threading.Thread(target=write, args=pair) for pair in zip(indices, own, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    until(lambda: len({index.revision for index in indices}) == 1)
    for index in indices:
        check_whole(index, common, *own)
    stored = generation_of(indices[0]).stored()
    assert len(stored) == 80 + 3 * 150, "nothing is there twice"


def test_what_another_takes_away_meanwhile_is_added_again(
    machine: Machine, small: Document
) -> None:
    index, thief = machine(), machine()
    generation = generation_of(thief)
    taken = small.paragraphs[2]

    def steal(done: int, total: int) -> None:
        if done:
            generation.remove_paragraphs(
                {taken.id: [f"{taken.id}:{n}" for n in range(len(taken.sentences))]}
            )

    index.sync([small], steal)
    check_whole(index, small)
    until(lambda: thief.revision == index.revision)
    check_whole(thief, small)


# --- sweeping --------------------------------------------------------------------------------


def test_only_what_is_unnamed_for_long_is_swept(
    machine: Machine, small: Document, tmp_path: Path
) -> None:
    index, reader = machine(timing=QUICK), machine(timing=QUICK)
    other = write_paragraphs(tmp_path / "other.txt", 40, seed=3)
    index.sync([small, other])
    index.remove(other.id)
    sweeper = index._sweeper
    assert sweeper is not None
    assert sweeper.round() == 0
    assert sweeper.round() == 0, "at the second look, too soon after the first"
    assert len(generation_of(index).stored()) == 100
    assert index.sweep() == 40
    assert len(generation_of(index).stored()) == 60
    until(lambda: reader.revision == index.revision)
    check_whole(reader, small)


def test_what_is_named_again_is_not_swept(
    machine: Machine, small: Document, tmp_path: Path
) -> None:
    index = machine(timing=QUICK)
    index.sync([small])
    index.remove(small.id)
    sweeper = index._sweeper
    assert sweeper is not None
    sweeper.round()
    time.sleep(QUICK.grace)
    assert index.sync([small]).embedded == 0, "it was there all the time"
    assert sweeper.round() == 0
    check_whole(index, small)


def test_a_sweep_withdraws_before_a_writer(machine: Machine, small: Document) -> None:
    index, writer = machine(timing=QUICK), machine(timing=QUICK)
    index.sync([small])
    index.remove(small.id)
    sweeper = index._sweeper
    assert sweeper is not None
    sweeper.round()
    time.sleep(QUICK.grace)
    with session_of(writer).writing(), pytest.raises(IndexUnusableError, match="Others write"):
        sweeper.round()
    assert len(generation_of(index).stored()) == 60
    assert sweeper.round() == 60


def test_a_writer_waits_for_a_sweep(machine: Machine, small: Document) -> None:
    index, sweeping = machine(), machine()
    began, ended = threading.Event(), threading.Event()

    def write() -> None:
        began.set()
        index.sync([small])
        ended.set()

    roster = session_of(sweeping).roster
    writer = threading.Thread(target=write)
    with roster.flagged("sweep") as may_go_on:
        assert may_go_on()
        writer.start()
        began.wait()
        until(lambda: not may_go_on())  # it has come, and the sweep is told
        until(lambda: any(m.phase == "waiting" for m in roster.look().marks.values()))
        assert not ended.is_set()
        assert generation_of(sweeping).versions() == {}
    writer.join()
    assert ended.is_set()
    check_whole(index, small)


def test_a_page_that_was_named_meanwhile_is_put_back(machine: Machine, small: Document) -> None:
    index = machine()
    index.sync([small])
    expected = index.vectors([p.id for p in small.paragraphs])
    generation = generation_of(index)
    removed = generation.remove_paragraphs(generation.stored())
    assert generation.stored() == {}
    generation.put_back(removed, {p.id for p in small.paragraphs[:50]})
    assert generation.held({p.id for p in small.paragraphs}) == {
        p.id for p in small.paragraphs[:50]
    }
    for identity, vectors in generation.vectors(
        generation.texts([p.id for p in small.paragraphs[:50]]).values()
    ).items():
        assert vectors == pytest.approx(expected[identity], abs=1e-6)


# --- damage and other versions ---------------------------------------------------------------


def test_lost_paragraphs_are_told_and_mended(machine: Machine, small: Document) -> None:
    index = machine()
    index.sync([small])
    generation = generation_of(index)
    lost = small.paragraphs[0].id
    generation.remove_paragraphs({lost: [f"{lost}:{n}" for n in range(9)]})
    other = machine()  # opens, so that it can be mended
    for read in (other.documents, other.ready, lambda: other.search("island")):
        with pytest.raises(IndexChangedError, match="add the documents again"):
            read()
    assert other.sync([small]).embedded == 1
    check_whole(other, small)
    check_whole(machine(), small)


def test_another_format_is_left_alone(machine: Machine, chroma: ServerAddress) -> None:
    machine().close()
    server = Server(chroma, 0)
    server.collection("state").upsert(
        ids=["format"], embeddings=[[1.0]], metadatas=[{"kind": "format", "version": "2"}]
    )
    with pytest.raises(IndexUnusableError, match="format 2; this one reads 1"):
        machine()
    server.close()


def test_another_encoder_builds_beside_and_swaps(machine: Machine, small: Document) -> None:
    old, writer = machine(timing=QUICK), machine(timing=QUICK)
    old.sync([small], keep=True)
    others = [machine(salt="new", timing=QUICK) for _ in range(2)]
    for other in others:
        with pytest.raises(EncoderError, match="another encoder"):
            other.documents()
    check_whole(old, small)  # still answers
    threads = [threading.Thread(target=other.migrate) for other in others]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for other in others:
        check_whole(other, small)
    until(lambda: _is_stale(old))
    until(lambda: _is_stale(writer))
    names = session_of(others[0])._seen()[0].name
    assert names.number == 2
    sweeper = others[0]._sweeper
    assert sweeper is not None
    sweeper.round()
    time.sleep(QUICK.grace)
    assert sweeper.round() == 1, "the generation that was replaced"
    assert session_of(others[0]).server.names() >= {names.documents, names.sentences}
    check_whole(others[1], small)


def _is_stale(index: Index) -> bool:
    try:
        index.documents()
    except EncoderError:
        return True
    return False


def test_what_is_written_during_a_migration_is_carried_over(
    machine: Machine, small: Document, tmp_path: Path
) -> None:
    old = machine()
    old.sync([small])
    late = write_paragraphs(tmp_path / "late.txt", 30, seed=4)
    new = machine(salt="new")
    written = threading.Event()

    def write_late(done: int, total: int) -> None:
        if done and not written.is_set():
            written.set()
            old.sync([late])
            old.remove(small.id)

    new.migrate(write_late)
    assert written.is_set()
    check_whole(new, late)


def test_a_swap_that_was_taken_for_dead_is_done_again(
    machine: Machine, small: Document, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = machine(), machine(salt="new")
    old.sync([small])
    late = write_paragraphs(tmp_path / "late.txt", 30, seed=4)
    roster, server = session_of(new).roster, session_of(new).server
    flagged, swaps = roster.flagged, []

    @contextmanager
    def stalling(kind: Literal["swap"]) -> Iterator[Callable[[], bool]]:
        with flagged(kind) as may_go_on:
            swaps.append(kind)

            def stalled() -> bool:
                if len(swaps) == 1:  # what others do who find that it does not move
                    server.collection("state").delete(ids=roster.look().active("swap"))
                    old.sync([late])
                return may_go_on()

            yield stalled

    monkeypatch.setattr(roster, "flagged", stalling)
    new.migrate()
    assert swaps == ["swap", "swap"]
    check_whole(new, small, late)


def test_the_second_of_two_builders_takes_nothing_away(
    machine: Machine, small: Document, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, first, second = machine(), machine(salt="new"), machine(salt="new")
    changing = write_paragraphs(tmp_path / "a.txt", 30, seed=5)
    old.sync([small, changing])
    changed = write_paragraphs(tmp_path / "a.txt", 30, seed=6)
    late = write_paragraphs(tmp_path / "late.txt", 30, seed=4)
    roster = session_of(second).roster
    flagged = roster.flagged

    def overtaken(kind: Literal["swap"]) -> AbstractContextManager[Callable[[], bool]]:
        first.sync([changed, late])  # after it has made the vectors again, as the second has
        return flagged(kind)

    monkeypatch.setattr(roster, "flagged", overtaken)
    second.migrate()
    check_whole(second, small, changed, late)


def test_a_swap_waits_for_who_comes_at_the_same_moment(machine: Machine) -> None:
    roster = session_of(machine()).roster
    coming = {"kind": "writer", "phase": "active", "beat": 0}
    with roster.flagged("swap") as may_go_on:
        roster._put("writer-other", coming)
        withdraws = threading.Timer(0.5, roster._put, ("writer-other", coming | {"phase": "done"}))
        withdraws.start()
        assert may_go_on()
        assert not roster.look().active("writer")
        withdraws.join()


# --- the server ------------------------------------------------------------------------------


def test_a_server_that_is_not_there_is_told(machine: Machine, own_server: ChromaServer) -> None:
    address = own_server.address()
    own_server.kill()
    with pytest.raises(IndexUnavailableError, match="cannot be reached"):
        machine(address)


def test_what_is_no_chroma_server_is_told(machine: Machine, tmp_path: Path) -> None:
    from http.server import BaseHTTPRequestHandler, HTTPServer

    class Hello(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"<h1>Hello</h1>")

        def log_message(self, *args: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Hello)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        with pytest.raises(IndexUnavailableError, match="does not answer as a Chroma server"):
            machine(ServerAddress(f"http://127.0.0.1:{server.server_port}"))
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_gone_and_back_it_recovers_by_itself(
    machine: Machine, own_server: ChromaServer, small: Document, tmp_path: Path
) -> None:
    address = own_server.address()
    index, reader = machine(address, timing=QUICK), machine(address, timing=QUICK)
    index.sync([small])
    until(lambda: reader.revision == index.revision)
    expected = hits(reader, small.paragraphs[3].text)
    reader.ready()
    own_server.kill()
    until(lambda: _is_unavailable(reader.ready))
    with pytest.raises(IndexUnavailableError, match="cannot be reached"):
        reader.search("a word that nobody has asked for")
    until(lambda: _is_unavailable(reader.documents))  # not for long from what was known
    own_server.start()
    until(lambda: not _is_unavailable(reader.ready))
    assert hits(reader, small.paragraphs[3].text) == expected
    index.sync([write_paragraphs(tmp_path / "other.txt", 30, seed=3)])
    until(lambda: reader.revision == index.revision)


def test_a_server_that_hangs_is_given_up(
    machine: Machine, own_server: ChromaServer, small: Document, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("index.store.server.ANSWERING", 2.0)
    index = machine(own_server.address())
    index.sync([small])
    own_server.hang()
    with pytest.raises(IndexUnavailableError, match="not answered in time"):
        index.search("island")
    own_server.on()
    until(lambda: not _is_unavailable(index.ready))
    assert hits(index, small.paragraphs[3].text)


def test_a_server_that_lost_its_data_gives_no_empty_answer(
    machine: Machine, small: Document
) -> None:
    index = machine(timing=QUICK)
    index.sync([small])
    server = session_of(index).server
    for name in server.names():
        server.drop(name)

    def tells() -> bool:
        try:
            assert index.documents() != []
        except IndexCorruptedError as error:
            return "no longer on" in str(error)
        except IndexChangedError:
            return False
        return False

    until(tells)
    with pytest.raises(IndexCorruptedError, match="has lost its data"):
        index.ready()


def _is_unavailable(read: Callable[[], object]) -> bool:
    try:
        read()
    except IndexUnavailableError:
        return True
    return False


@pytest.mark.parametrize(
    "url",
    [
        "chroma",
        "ftp://host",
        "http://",
        "http://me:secret@host:8000",
        "http://host:x",
        "http://h/x",
    ],
)
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(SettingsError) as refused:
        ServerAddress(url)
    assert "secret" not in str(refused.value)


def test_a_file_of_certificates_is_looked_at(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="not a file"):
        ServerAddress("https://127.0.0.1:9", certificates=tmp_path / "none.pem")
    (tmp_path / "bad.pem").write_text("no certificate")
    with pytest.raises(IndexUnavailableError, match="FOOTNOTE_CHROMA_CA"):
        Server(ServerAddress("https://127.0.0.1:9", certificates=tmp_path / "bad.pem"), 0)


def test_headers_are_sent_and_never_shown(chroma: ServerAddress) -> None:
    address = ServerAddress("http://127.0.0.1:9", {"Authorization": "Bearer hush"})
    assert "hush" not in repr(address)
    with pytest.raises(IndexUnavailableError) as refused:
        Server(address, 0)
    assert "hush" not in str(refused.value)
    server = Server(replace(chroma, headers={"Authorization": "Bearer hush"}), 0)
    assert server._client.get_user_identity() is not None
    server.close()

"""An index on a Chroma server: the same as in a folder, and the same for all who read it."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from chroma_servers import QUICK, ChromaServer, Gate, Machine, until
from helpers import CheapEncoder, Opened, check_whole, write_paragraphs
from index.store.following import ServedSession
from index.store.served import ServedGeneration
from index.store.sweeping import Sweeper

from index import Document, Index
from index.errors import (
    EncoderError,
    FootnoteError,
    IndexChangedError,
    IndexCorruptedError,
    IndexUnavailableError,
    IndexUnusableError,
    SettingsError,
)
from index.store.chroma_server import Server, ServerAddress
from index.store.writer import CHUNK


def session_of(index: Index) -> ServedSession:
    session = index._session
    assert isinstance(session, ServedSession)
    return session


def generation_of(index: Index) -> ServedGeneration:
    return session_of(index).current()


def refused(read: Callable[[], object], error: type[FootnoteError], message: str = "") -> bool:
    """Whether reading raises this error, whose message says this."""
    try:
        read()
    except FootnoteError as told:
        return isinstance(told, error) and message in str(told)
    return False


def hits(index: Index, query: str, k: int = 10) -> list[tuple[str, float]]:
    found = index.search(query, k)
    return [(hit.paragraph.id, hit.score) for hit in found.hits]


def test_it_is_the_same_as_in_a_folder(
    machine: Machine, folder: Path, small: Document, opened: Opened
) -> None:
    served, other = machine(), machine()
    local = opened(folder, encoder=CheapEncoder(dimension=32))
    assert served.sync([small], keep=True) == local.sync([small], keep=True)
    until(lambda: other.revision == served.revision)
    assert served.revision == local.revision
    assert served.documents() == other.documents()
    assert [replace(info, added="") for info in served.documents()] == [
        replace(info, added="") for info in local.documents()
    ]
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
    folder: Path, small: Document, tmp_path: Path, opened: Opened
) -> None:
    index = opened(folder, encoder=CheapEncoder(dimension=32))
    other = write_paragraphs(tmp_path / "other.txt", 40, seed=3)
    index.sync([small, other])
    view = index.view([small.id])
    expected = index.search(small.paragraphs[5].text, documents=[small.id])
    second = opened(folder, encoder=CheapEncoder(dimension=32))  # as another process
    second.remove(other.id)
    assert index.revision != view.revision
    assert view.search(small.paragraphs[5].text, documents=[small.id]) == expected
    second.remove(small.id)
    with pytest.raises(IndexChangedError, match="Ask again"):
        view.search(small.paragraphs[5].text, documents=[small.id])


# --- sweeping --------------------------------------------------------------------------------


def sweeper_of(index: Index) -> Sweeper:
    assert index._sweeper is not None
    return index._sweeper


def test_only_what_is_unnamed_for_long_is_swept(
    machine: Machine, small: Document, tmp_path: Path
) -> None:
    index, reader = machine(timing=QUICK), machine(timing=QUICK)
    other = write_paragraphs(tmp_path / "other.txt", 40, seed=3)
    index.sync([small, other])
    index.remove(other.id)
    assert sweeper_of(index).round() == 0
    assert sweeper_of(index).round() == 0, "at the second look, too soon after the first"
    assert sweeper_of(reader).round() == 0, "condemned by another, too soon for this one"
    assert len(generation_of(index).stored()) == 100
    assert index.sweep() == 40
    assert len(generation_of(index).stored()) == 60
    until(lambda: reader.revision == index.revision)
    check_whole(reader, small)


def test_a_sweep_that_stalls_deletes_nothing_that_is_named_again(
    machine: Machine, chroma: ServerAddress, gate: Gate, small: Document
) -> None:
    index, stalling = machine(timing=QUICK), machine(gate.before(chroma), timing=QUICK)
    index.sync([small])
    index.remove(small.id)
    sweeper_of(stalling).round()
    time.sleep(QUICK.grace)
    gate.hold("delete")
    with ThreadPoolExecutor(1) as pool:
        sweeping = pool.submit(sweeper_of(stalling).round)
        gate.until_held()  # it has seen that nobody names them
        assert index.sync([small]).embedded == 0, "it was there all the time"
        gate.release()
        sweeping.result()
    check_whole(index, small)
    assert len(generation_of(index).stored()) == 60


def test_what_is_swept_while_a_writer_stalls_is_added_again(
    machine: Machine, chroma: ServerAddress, gate: Gate, small: Document
) -> None:
    index, stalling = machine(timing=QUICK), machine(gate.before(chroma), timing=QUICK)
    gate.hold("upsert", with_=b"manifest")
    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(stalling.sync, [small])
        gate.until_held()  # it has added the paragraphs
        assert index.sweep() == 60
        gate.release()
        assert writing.result().embedded == 120
    until(lambda: index.revision == stalling.revision)
    check_whole(index, small)


def test_who_writes_for_long_keeps_what_it_has_added(machine: Machine, tmp_path: Path) -> None:
    index, other = machine(timing=QUICK), machine(timing=QUICK)
    long = write_paragraphs(tmp_path / "long.txt", 6 * CHUNK, seed=3)

    condemned = set[int]()

    def sweep(done: int, total: int) -> None:
        sweeper_of(other).round()
        condemned.update(sweeper_of(other)._condemned["paragraphs"])
        time.sleep(QUICK.grace / 5)

    index.sync([long], sweep)
    assert len(condemned) > 1, "or nothing was pardoned"
    check_whole(index, long)


# --- damage and other versions ---------------------------------------------------------------


def test_lost_paragraphs_are_told_and_mended(machine: Machine, small: Document) -> None:
    index = machine()
    index.sync([small])
    lost = small.paragraphs[0].id
    generation_of(index).remove([lost])
    other = machine()  # opens, so that it can be mended
    for read in (other.documents, other.ready, lambda: other.search("island")):
        with pytest.raises(IndexChangedError, match="add the documents again"):
            read()
    assert other.sync([small]).embedded == 1
    check_whole(other, small)
    check_whole(machine(), small)


def put_state(server: Server, records: dict[str, dict[str, str | int]]) -> None:
    state: Any = server.collection("state")
    state.upsert(
        ids=list(records), embeddings=[[1.0]] * len(records), metadatas=list(records.values())
    )


def test_another_format_is_left_alone(machine: Machine, chroma: ServerAddress) -> None:
    machine().close()
    with closing(Server(chroma, 0)) as server:
        put_state(server, {"format": {"kind": "format", "version": "3"}})
        with pytest.raises(IndexUnusableError, match="format 3; this one reads 2"):
            machine()


def test_the_format_before_is_taken_over(
    machine: Machine, chroma: ServerAddress, small: Document
) -> None:
    index = machine()
    index.sync([small])
    name = session_of(index).catalogue.read().generations[0].documents
    index.close()
    mark: dict[str, str | int] = {"kind": "writer", "phase": "active", "beat": 3}
    with closing(Server(chroma, 0)) as server:
        server.drop("catalogue")
        put_state(
            server,
            {
                "format": {"kind": "format", "version": "1"},
                name: {"kind": "generation"},
                "writer-1": mark,
            },
        )
        check_whole(machine(), small)
        # Who still runs in the version before finds no generation, and says that it is gone.
        assert server.collection("state").get()["ids"] == ["format"]
    check_whole(machine(), small)


def test_another_encoder_builds_beside_and_swaps(machine: Machine, small: Document) -> None:
    old, writer = machine(timing=QUICK), machine(timing=QUICK)
    old.sync([small], keep=True)
    others = [machine(salt="new", timing=QUICK) for _ in range(2)]
    for other in others:
        with pytest.raises(EncoderError, match="another encoder"):
            other.documents()
    check_whole(old, small)  # still answers
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(Index.migrate, others))
    for other in others:
        check_whole(other, small)
    for other in (old, writer):
        until(lambda other=other: refused(other.documents, EncoderError))  # type: ignore[misc]
    names = session_of(others[0])._current[0].name
    assert names.number == 2
    assert others[0].sweep() == 1, "the generation that was replaced"
    assert session_of(others[0]).server.names() >= {names.documents, names.sentences}
    check_whole(others[1], small)


def test_a_builder_that_was_too_slow_looks_again_at_what_changed(
    machine: Machine, chroma: ServerAddress, gate: Gate, small: Document, tmp_path: Path
) -> None:
    old = machine(timing=QUICK)
    new = machine(gate.before(chroma), salt="new", timing=QUICK)
    old.sync([small])
    late = write_paragraphs(tmp_path / "late.txt", 30, seed=4)
    gate.hold("update")
    with ThreadPoolExecutor(1) as pool:
        building = pool.submit(new.migrate)
        gate.until_held()  # it has seen all, and is about to say that it is whole
        old.sync([late])  # waits for it, and then no longer
        old.remove(small.id)
        check_whole(old, late)
        gate.release()
        assert building.result() == 90
    check_whole(new, late)


def test_the_second_of_two_builders_takes_nothing_away(
    machine: Machine, chroma: ServerAddress, gate: Gate, small: Document, tmp_path: Path
) -> None:
    old, first = machine(), machine(salt="new")
    second = machine(gate.before(chroma), salt="new")
    changing = write_paragraphs(tmp_path / "a.txt", 30, seed=5)
    old.sync([small, changing])
    changed = write_paragraphs(tmp_path / "a.txt", 30, seed=6)
    late = write_paragraphs(tmp_path / "late.txt", 30, seed=4)
    gate.hold("add", with_=b'"whole"')
    with ThreadPoolExecutor(1) as pool:
        building = pool.submit(second.migrate)
        gate.until_held()  # it has made the vectors again
        first.sync([changed, late])  # and so has the first
        gate.release()
        building.result()
    check_whole(second, small, changed, late)


def test_a_writer_whose_generation_was_replaced_writes_to_the_new_one(
    machine: Machine, chroma: ServerAddress, gate: Gate, small: Document, tmp_path: Path
) -> None:
    old, new = machine(gate.before(chroma)), machine(salt="new")
    old.sync([small])
    late = write_paragraphs(tmp_path / "late.txt", 30, seed=4)
    gate.hold("upsert", with_=b"manifest")
    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(old.sync, [late])
        gate.until_held()
        new.migrate()
        gate.release()
        writing.result()  # with its own encoder, in yet another one
    check_whole(old, small, late)
    assert session_of(old).catalogue.read().generations[-1].number == 3


# --- the server ------------------------------------------------------------------------------


def test_what_is_no_chroma_server_is_told(machine: Machine, tmp_path: Path) -> None:
    from http.server import BaseHTTPRequestHandler, HTTPServer

    class Hello(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"<h1>Hello</h1>")

    with HTTPServer(("127.0.0.1", 0), Hello) as server, ThreadPoolExecutor(1) as beside:
        beside.submit(server.serve_forever)
        with pytest.raises(IndexUnavailableError, match="does not answer as a Chroma server"):
            machine(ServerAddress(f"http://127.0.0.1:{server.server_port}"))
        server.shutdown()


def test_a_server_that_hangs_is_given_up(
    machine: Machine, own_server: ChromaServer, small: Document, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("index.store.chroma_server.ANSWERING", 2.0)
    index = machine(own_server.address())
    index.sync([small])
    own_server.hang()
    with pytest.raises(IndexUnavailableError, match="not answered in time"):
        index.search("island")
    own_server.on()
    until(lambda: not refused(index.ready, IndexUnavailableError))
    assert hits(index, small.paragraphs[3].text)


def test_a_server_that_lost_its_data_gives_no_empty_answer(
    machine: Machine, small: Document
) -> None:
    index = machine(timing=QUICK)
    index.sync([small])
    server = session_of(index).server
    for name in server.names():
        server.drop(name)

    def read() -> None:
        assert index.documents() != []

    until(lambda: refused(read, IndexCorruptedError, "no longer on"))
    with pytest.raises(IndexCorruptedError, match="has lost its data"):
        index.ready()


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
    with pytest.raises(IndexUnavailableError, match="cannot be reached") as refused:
        Server(address, 0)
    assert "hush" not in str(refused.value)
    server = Server(replace(chroma, headers={"Authorization": "Bearer hush"}), 0)
    assert server._client.get_user_identity() is not None
    server.close()

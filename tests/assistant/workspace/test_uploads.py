"""Files that are sent to be indexed: names and owners of any kind, how much may wait, and what
clears away."""

from __future__ import annotations

import asyncio
import string
import tempfile
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assistant import Assistant
from assistant.access.callers import name_of_browser, person
from assistant.workspace.library import Library
from assistant.workspace.retention import RetentionJob
from assistant.workspace.uploads import MAX_FOLDERS, Upload, safe_folder
from index.errors import DocumentError, RefusedError, UnreadableError

HOSTILE = ("", ".", "..", "../..", "a/b", "/", "a\\b", "\0", "a\0b", "\ud800", "x" * 5000, "con")


def nothing(done: int, total: int) -> None:
    assert 0 <= done <= total


async def _parts(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


def receive(library: Library, *parts: bytes, client: str = "here") -> Upload:
    return asyncio.run(library.inbox.receive(client, "notes.txt", _parts(*parts)))


@pytest.fixture
def disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where files are received."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


@pytest.fixture
def library(assistant: Assistant, disk: Path) -> Iterator[Library]:
    found = Library(assistant, max_bytes=1000, logins=["ann"])
    yield found
    for info in found.owners.documents("ann"):
        assistant.index.remove(info.id)
    assert not list(disk.iterdir())


def files(folder: Path) -> set[Path]:
    return {path.relative_to(folder) for path in folder.rglob("*")}


_hostile = settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])


@given(st.none() | st.text(st.characters()), st.none() | st.text() | st.sampled_from(HOSTILE))
def test_an_owner_is_a_name_that_can_stand_anywhere(user: str | None, key: str | None) -> None:
    browsers = [name_of_browser(user, told) for told in (key or "", "0123456789-abcdef-XYZ")]
    here = person(user, "127.0.0.1").owner
    for name in (*browsers, here):
        assert name is None or (len(name) == 24 and set(name) <= set(string.hexdigits))
    assert browsers[-1] not in (None, here)


@_hostile
@given(st.text(st.characters()))
def test_a_file_of_any_name_is_received_in_its_place(
    library: Library, disk: Path, name: str
) -> None:
    before = files(disk)
    for given_name in (name, *HOSTILE):
        parts = _parts(b"Plums are blue.")
        with closing(asyncio.run(library.inbox.receive("here", given_name, parts))) as upload:
            assert upload.file.read_bytes() == b"Plums are blue."
            assert len(upload.file.relative_to(disk).parts) == 2
    assert files(disk) == before


def test_a_client_may_have_so_much_waiting_and_others_are_not_held_up(
    library: Library, disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("assistant.workspace.uploads.MAX_FILES", 3)
    uploads = [receive(library, b"a") for n in range(3)]
    with pytest.raises(RefusedError, match="wait to be indexed") as refused:
        receive(library, b"a")
    assert (refused.value.status, refused.value.retry_after) == (429, 60)
    uploads.append(receive(library, b"a", client="elsewhere"))
    uploads[0].close()
    uploads.append(receive(library, b"a"))
    assert sum(path.is_file() for path in disk.rglob("*")) == 4
    for upload in uploads:
        upload.close()


def test_bytes_count_too_and_what_breaks_off_leaves_nothing(
    assistant: Assistant, disk: Path
) -> None:
    library = Library(assistant, max_bytes=1000)
    empty = files(disk)
    with pytest.raises(UnreadableError, match="larger than"):
        receive(library, b"a" * 600, b"a" * 401)

    async def broken_off() -> AsyncIterator[bytes]:
        yield b"a"
        raise ConnectionError

    with pytest.raises(ConnectionError):
        asyncio.run(library.inbox.receive("here", "a.txt", broken_off()))
    assert files(disk) == empty
    uploads = [receive(library, b"a" * 1000) for _ in range(4)]
    with pytest.raises(RefusedError):
        receive(library, b"a")
    for upload in uploads:
        upload.close()


def test_after_a_fault_it_goes_on_clearing_away(
    library: Library, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    added = library.add("ann", receive(library, b"Plums are blue."), nothing)
    library.discard("ann", added.id)
    monkeypatch.setattr("assistant.workspace.retention.RETENTION_SECONDS", -1)
    clearing = RetentionJob(library)
    running = threading.Thread(target=clearing.run, args=(0.01,))
    with monkeypatch.context() as faulty:
        faulty.setattr(library.index, "remove", lambda _: 1 / 0)
        running.start()
        while "not cleared away" not in caplog.text:
            assert running.is_alive()
            time.sleep(0.01)
    while library.owners.documents("ann"):
        assert running.is_alive()
        time.sleep(0.01)
    clearing.close()
    running.join()


def test_bytes_of_what_is_added_count_and_what_is_deleted_makes_room(
    assistant: Assistant, library: Library
) -> None:
    bounded = Library(assistant, max_bytes=1000, max_stored=100)

    def add(text: str, folder: str) -> str:
        upload = receive(bounded, text.encode())
        return bounded.add("ann", upload, nothing, folder=folder).id

    first = add("Elms grow. " * 5, "a")  # 55 bytes
    with pytest.raises(DocumentError, match="megabytes") as full:
        add("Oaks age.. " * 5, "b")
    assert full.value.code == "documents_full"
    assert add("Elms fall. " * 8, "a") == first, "it takes its place"
    bounded.discard("ann", first)
    second = add("Oaks age.. " * 5, "b")
    assert [info.id for info in bounded.owners.documents("ann")] == [second]


def test_two_of_the_same_name_in_two_folders_are_two_documents(library: Library) -> None:
    added = [
        library.add("ann", receive(library, text), nothing, folder=folder)
        for folder, text in (("Trees", b"Elms grow."), ("Trees/old", b"Oaks age."), ("", b"Firs."))
    ]
    again = library.add("ann", receive(library, b"Elms fall."), nothing, folder="Trees")
    assert len({one.id for one in added}) == 3
    assert [one.folder for one in library.documents("ann") if one.own] == [
        "Trees",
        "Trees/old",
        "",
    ]
    assert again.source == added[0].source == "upload:ann/Trees/notes.txt"
    for one in library.documents("ann"):
        if one.own:
            library.remove("ann", one.info.id)


def test_what_is_deleted_does_not_heap_up(assistant: Assistant, library: Library) -> None:
    bounded = Library(assistant, max_bytes=1000, max_stored=100)
    for number in range(8):
        text = f"Elms grow in the {number}th year.".encode()  # 26 bytes
        added = bounded.add("ann", receive(bounded, text), nothing, folder=str(number))
        bounded.discard("ann", added.id)
    assert len(library.owners.documents("ann")) == 3
    library.restore("ann", added.id)
    assert library.find("ann", added.id)


@given(st.one_of(st.text(), st.sampled_from(HOSTILE), st.text("./\\a")))
def test_a_folder_leads_nowhere_else(path: str) -> None:
    names = safe_folder(path).split("/")
    assert len(names) <= MAX_FOLDERS
    assert not {".", ".."} & {*names}
    assert "\\" not in safe_folder(path)

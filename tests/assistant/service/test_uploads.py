"""Files that are sent to be indexed: tickets and owners of any name, how much may wait, and what
clears away."""

from __future__ import annotations

import asyncio
import string
import tempfile
import threading
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from helpers import PATIENCE
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from assistant import Assistant
from assistant.service.sessions import SessionDocuments
from index.errors import MissingPathError, RefusedError, UnreadableError

HOSTILE = ("", ".", "..", "../..", "a/b", "/", "a\\b", "\0", "a\0b", "\ud800", "x" * 5000, "con")


def nothing(done: int, total: int) -> None:
    assert 0 <= done <= total


async def _parts(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


def receive(
    sessions: SessionDocuments, *parts: bytes, client: str = "here", owner: str = "ann"
) -> str:
    return asyncio.run(sessions.inbox.receive(client, owner, "notes.txt", _parts(*parts)))


@pytest.fixture
def disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where files are received."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


@pytest.fixture
def sessions(assistant: Assistant, disk: Path) -> Iterator[SessionDocuments]:
    found = SessionDocuments(assistant, max_bytes=1000, max_documents=3)
    yield found
    found.close()
    assert not list(disk.iterdir())


def files(folder: Path) -> set[Path]:
    return {path.relative_to(folder) for path in folder.rglob("*")}


_hostile = settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])


@_hostile
@given(st.text(st.sampled_from("./\\\0 a~-_") | st.characters()))
@example("..")
@example("../ann")
def test_no_ticket_but_ones_own_reaches_a_file(
    sessions: SessionDocuments, disk: Path, ticket: str
) -> None:
    known = receive(sessions, b"Plums are blue."), receive(sessions, b"Figs.", owner="ben")
    before = files(disk)
    for hostile in (ticket, *HOSTILE, f"../ben/{known[1]}", f"{known[0]}/..", known[1]):
        with pytest.raises(MissingPathError, match="did not arrive"):
            sessions.add("ann", hostile, nothing)
    assert files(disk) == before
    for owner, ticket_ in zip(("ann", "ben"), known, strict=True):
        with sessions.inbox.taken(owner, ticket_) as file:
            assert file.exists()
        with pytest.raises(MissingPathError), sessions.inbox.taken(owner, ticket_):
            pass


@given(st.none() | st.text(st.characters()), st.none() | st.text() | st.sampled_from(HOSTILE))
def test_an_owner_is_a_name_that_can_stand_anywhere(user: str | None, key: str | None) -> None:
    for told in (key, "0123456789-abcdef-XYZ"):
        owner = SessionDocuments.owner(user, told)
        assert owner is None or (len(owner) == 24 and set(owner) <= set(string.hexdigits))
    assert owner is not None


@_hostile
@given(st.text(st.characters()))
def test_a_file_of_any_name_is_received_in_its_place(
    sessions: SessionDocuments, disk: Path, name: str
) -> None:
    before = files(disk)
    for given_name in (name, *HOSTILE):
        parts = _parts(b"Plums are blue.")
        ticket = asyncio.run(sessions.inbox.receive("here", "ann", given_name, parts))
        with sessions.inbox.taken("ann", ticket) as file:
            assert file.read_bytes() == b"Plums are blue."
            assert len(file.relative_to(disk).parts) == 3
    assert files(disk) == before


def test_a_client_may_have_so_much_waiting_and_others_are_not_held_up(
    sessions: SessionDocuments, disk: Path
) -> None:
    tickets = [receive(sessions, b"a", owner=f"browser {n}") for n in range(3)]
    with pytest.raises(RefusedError, match="wait to be indexed") as refused:
        receive(sessions, b"a", owner="another browser")
    assert (refused.value.status, refused.value.retry_after) == (429, 60)
    receive(sessions, b"a", client="elsewhere")
    with sessions.inbox.taken("browser 0", tickets[0]):
        pass
    receive(sessions, b"a")
    assert sum(path.is_file() for path in disk.rglob("*")) == 4


def test_bytes_count_too_and_what_breaks_off_leaves_nothing(
    assistant: Assistant, disk: Path
) -> None:
    sessions = SessionDocuments(assistant, max_bytes=1000, max_documents=50)
    empty = files(disk)
    with pytest.raises(UnreadableError, match="larger than"):
        receive(sessions, b"a" * 600, b"a" * 401)

    async def broken_off() -> AsyncIterator[bytes]:
        yield b"a"
        raise ConnectionError

    with pytest.raises(ConnectionError):
        asyncio.run(sessions.inbox.receive("here", "ann", "a.txt", broken_off()))
    assert files(disk) == empty
    for _ in range(4):
        receive(sessions, b"a" * 1000)
    with pytest.raises(RefusedError):
        receive(sessions, b"a")
    sessions.close()


def test_what_is_received_may_be_cleared_away_while_others_add(
    sessions: SessionDocuments, monkeypatch: pytest.MonkeyPatch
) -> None:
    over, errors = threading.Event(), list[Exception]()

    def sweep() -> None:
        while not over.wait(0.0001):
            try:
                sessions.inbox.sweep(PATIENCE)
            except Exception as error:  # noqa: BLE001 (looked at below)
                errors.append(error)

    sweeping = threading.Thread(target=sweep)
    sweeping.start()
    for _ in range(60):
        with sessions.inbox.taken("ann", receive(sessions, b"a")):
            pass
    over.set()
    sweeping.join()
    assert errors == []
    late = receive(sessions, b"a")
    sessions.inbox.sweep(-1)
    with pytest.raises(MissingPathError), sessions.inbox.taken("ann", late):
        pass


def test_after_a_fault_it_goes_on_clearing_away(
    assistant: Assistant, sessions: SessionDocuments, caplog: pytest.LogCaptureFixture
) -> None:
    leases = assistant.index.records("sessions")
    leases.put("strange", "no time")
    clearing = threading.Thread(target=sessions.keep_clear, args=(0.01,))
    clearing.start()
    owner = SessionDocuments.owner(None, "0123456789-abcdef-XYZ")
    assert owner is not None
    sessions.touch(owner)
    assert leases.get(owner) is None, "who has nothing here leaves nothing behind"
    sessions.add(owner, receive(sessions, b"Plums are blue.", owner=owner), nothing)
    while "not cleared away" not in caplog.text:
        assert clearing.is_alive()
        time.sleep(0.01)
    leases.put(owner, "0")
    sessions.touch(owner)
    assert leases.get(owner) != "0"
    leases.delete("strange")
    leases.put(owner, "0")
    while any(found.own for found in sessions.documents(owner)):
        assert clearing.is_alive()
        time.sleep(0.01)
    sessions.close()
    clearing.join()

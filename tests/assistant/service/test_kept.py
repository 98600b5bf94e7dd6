"""Notebooks, conversations and notes are kept with the index: in its folder or on its server, for
every process on it, through another encoder and in a copy; what was deleted goes after a day."""

from __future__ import annotations

import asyncio
import json
import shutil
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
from chroma_servers import until
from helpers import PATIENCE, CheapEncoder

from assistant import Assistant
from assistant.service.access import MACHINE, owner_of_login
from assistant.service.clearing import Clearing
from assistant.service.library import Library
from assistant.service.notebooks import NotebookValue
from assistant.service.notes import KeptNote
from assistant.service.trash import KEPT
from assistant.service.turns import KeptTurn
from assistant.settings import Settings
from index import Index
from index.errors import MissingPathError, QuestionError
from index.store.chroma_server import ServerAddress

ANN, BEN = owner_of_login("ann"), owner_of_login("ben")
TEXT = "Walnuts float in brine.\n\nHazelnuts sink in it.\n"
TALK = "conversation-1"
TALK_OF_BEN = "talk-of-ben-1"

Opened = Callable[..., Library]
"""Gives what another process has of the same index."""


@pytest.fixture(params=["folder", "server"])
def opened(
    request: pytest.FixtureRequest, tmp_path: Path, chroma: ServerAddress
) -> Iterator[Opened]:
    with ExitStack() as stack:
        count = 0

        def library(*logins: str, salt: str = "") -> Library:
            nonlocal count
            count += 1
            served = chroma if request.param == "server" else None
            own = tmp_path / (f"cache-{count}" if served else "index")
            index = Index(own, encoder=CheapEncoder(salt), chroma=served)
            stack.enter_context(closing(index))
            return of(index, *logins)

        yield library


def of(index: Index, *logins: str) -> Library:
    assistant = Assistant(index, [], Settings(reader="none"))
    return Library(assistant, max_bytes=1000, max_documents=10, logins=logins)


def add(library: Library, owner: str, name: str = "nuts.txt") -> str:
    """A document of somebody."""

    async def parts() -> AsyncIterator[bytes]:
        yield TEXT.encode()

    upload = asyncio.run(library.inbox.receive("here", name, parts()))
    return library.add(owner, upload, lambda *_: None).id


def turn(identity: str, **more: object) -> KeptTurn:
    asked = {"id": identity, "question": "What floats?", "state": "stopped"}
    return KeptTurn.model_validate(asked | more)


def note(identity: str, text: str = "Mind") -> KeptNote:
    return KeptNote(id=identity, kind="highlight", created=1, text=text)


def fill(library: Library, owner: str) -> NotebookValue:
    """A notebook with a document, a conversation of two turns, and a note."""
    notebook = library.notebooks.create(owner, "", "Nuts")
    library.put_in(owner, notebook.id, add(library, owner))
    for name in ("turn-000001", "turn-000002"):
        library.conversations.put_turn(owner, notebook, TALK, turn(name), title="Floats", by="")
    library.notes.put(owner, notebook, note("note-000001"), "")
    return notebook


def told(library: Library, owner: str) -> list[tuple[str, int, list[str], list[str]]]:
    """Of each notebook of somebody its name, and what is in it."""
    found = []
    for notebook in library.notebooks_of(owner).notebooks:
        talks = library.conversations.all(owner, notebook)
        whole = [library.conversations.find(owner, notebook, one.id) for one in talks]
        turns = [own.id for one in whole for own in one.turns]
        notes = [one.note.id for one in library.notes.all(owner, notebook, list)]
        found.append((notebook.name, len(notebook.documents), turns, notes))
    return found


WHOLE = [("Nuts", 1, ["turn-000001", "turn-000002"], ["note-000001"])]


def test_what_one_process_keeps_the_next_has(opened: Opened) -> None:
    here = opened()
    notebook = fill(here, MACHINE)
    assert told(here, MACHINE) == WHOLE
    if here.index.chroma is None:
        here.index.close()
    there = opened()
    until(lambda: told(there, MACHINE) == WHOLE)
    [identity] = there.notebooks.find(MACHINE, notebook.id).documents
    found = there.asking(MACHINE, notebook="nuts").search("brine", 5)
    assert {hit.paragraph.document_id for hit in found} == {identity}


def test_replicas_see_of_each_other_what_is_deleted_and_had_back(
    tmp_path: Path, chroma: ServerAddress
) -> None:
    with (
        closing(Index(tmp_path / "a", encoder=CheapEncoder(), chroma=chroma)) as one,
        closing(Index(tmp_path / "b", encoder=CheapEncoder(), chroma=chroma)) as other,
    ):
        here, there = of(one, "ann"), of(other, "ann")
        notebook = fill(here, ANN)
        until(lambda: told(there, ANN) == WHOLE)
        here.conversations.delete(ANN, notebook, TALK)
        # Whoever takes it back at once may come to another replica.
        there.conversations.restore(ANN, notebook, TALK)
        until(lambda: told(here, ANN) == told(there, ANN) == WHOLE)
        here.notebooks.delete(ANN, notebook.id)
        until(lambda: not told(there, ANN))
        there.notebooks.restore(ANN, notebook.id)
        until(lambda: told(here, ANN) == WHOLE)
        [document] = there.notebooks.find(ANN, notebook.id).documents
        here.discard(ANN, document)
        until(lambda: not there.documents(ANN))
        there.restore(ANN, document)
        until(lambda: len(here.documents(ANN)) == 1)
        # What one is told of just now it can ask, though another added it.
        added = add(here, ANN, "more.txt")
        here.put_in(ANN, notebook.id, added)
        assert there.asking(ANN, [added], notebook=notebook.id)


def test_they_outlive_another_encoder(opened: Opened) -> None:
    here = opened()
    fill(here, MACHINE)
    here.index.close()
    other = opened(salt="other")
    other.index.migrate()
    assert told(other, MACHINE) == WHOLE


def test_a_copy_of_the_folder_has_them(tmp_path: Path) -> None:
    with closing(Index(tmp_path / "index", encoder=CheapEncoder())) as index:
        fill(of(index), MACHINE)
    shutil.copytree(tmp_path / "index", tmp_path / "backup")
    shutil.rmtree(tmp_path / "index")
    with closing(Index(tmp_path / "backup", encoder=CheapEncoder())) as index:
        assert told(of(index), MACHINE) == WHOLE


def test_what_was_deleted_goes_after_a_day_with_all_that_is_in_it(opened: Opened) -> None:
    here = opened("ann", "ben")
    notebook, kept = fill(here, ANN), fill(here, ANN)
    here.notebooks.change(ANN, notebook.id, shared={"ben": "read"})
    read = here.notebooks.find(BEN, notebook.id)
    here.conversations.put_turn(BEN, read, TALK_OF_BEN, turn("turn-000004"), title="", by="ben")
    here.conversations.put_turn(BEN, None, "own-0001", turn("turn-000005"), title="", by="ben")
    assert told(here, ANN) == WHOLE * 2
    here.conversations.put_turn(ANN, None, TALK, turn("turn-000003"), title="", by="ann")
    here.notes.put(ANN, None, note("note-000002"), "ann")
    [document] = here.notebooks.find(ANN, kept.id).documents
    older = add(here, ANN, "old.txt")

    here.notebooks.delete(ANN, notebook.id)
    here.conversations.delete(ANN, None, TALK)
    here.notes.delete(ANN, None, "note-000002")
    here.discard(ANN, older)
    Clearing(here).sweep()
    listed = {"notebook": "Nuts", "conversation": "", "note": "Mind", "document": "old.txt"}
    assert {one.kind: one.title for one in here.deleted(ANN, None).deleted} == listed
    assert here.deleted(BEN, None).deleted == []
    here.notes.restore(ANN, None, "note-000002")
    here.notes.delete(ANN, None, "note-000002")
    _a_day_later(here)
    here.discard(ANN, document)  # only now
    Clearing(here).sweep()

    assert [one.id for one in here.deleted(ANN, None).deleted] == [document]
    assert told(here, ANN) == [("Nuts", 0, *WHOLE[0][2:])]
    assert [info.id for info in here.index.documents()] == [document]
    for again in (
        lambda: here.notebooks.restore(ANN, notebook.id),
        lambda: here.conversations.restore(ANN, None, TALK),
        lambda: here.notes.restore(ANN, None, "note-000002"),
        lambda: here.restore(ANN, older),
    ):
        with pytest.raises(MissingPathError):
            again()
    for kind, group in (
        ("notebook-documents", notebook.id),
        ("conversations", notebook.id),
        ("turns", f"{notebook.id}-{TALK}"),
        ("turns", f"{BEN}-{TALK_OF_BEN}"),
        ("notes", notebook.id),
        ("turns", f"{ANN}-{TALK}"),
        ("conversations", ANN),
        ("notes", ANN),
    ):
        assert here.index.records(kind, group).names() == [], kind
    here.restore(ANN, document)
    assert told(here, ANN) == WHOLE


def _a_day_later(library: Library) -> None:
    records = library.index.records("trash")
    for name, text in records.all().items():
        kept = json.loads(text)
        kept["at"] -= KEPT + 1
        records.put(name, json.dumps(kept))
    library.trash = type(library.trash)(records)  # has nothing at hand


def test_those_who_write_at_the_same_time_lose_nothing(opened: Opened) -> None:
    here = opened("ann", "ben")
    notebook = here.notebooks.create(ANN, "ann", "Nuts")
    here.notebooks.change(ANN, notebook.id, shared={"ben": "write"})
    shared = here.notebooks.find(BEN, notebook.id)
    documents = {
        owner: [add(here, owner, f"{number}.txt") for number in range(3)] for owner in (ANN, BEN)
    }
    together = threading.Barrier(2)

    def write(owner: str, seen: NotebookValue, letter: str) -> None:
        together.wait(PATIENCE)
        for number, document in enumerate(documents[owner]):
            here.put_in(owner, notebook.id, document)
            name = f"{letter}-{number:06}"
            here.conversations.put_turn(owner, seen, TALK, turn(name), title="", by=letter)
            here.notes.put(owner, seen, note(name), letter)

    with ThreadPoolExecutor(2) as pool:
        for one in [pool.submit(write, ANN, notebook, "a"), pool.submit(write, BEN, shared, "b")]:
            one.result(PATIENCE)
    [(_, count, turns, notes)] = told(here, ANN)
    names = {f"{letter}-{number:06}" for letter in "ab" for number in range(3)}
    assert (count, set(turns), set(notes)) == (6, names, names)


@pytest.mark.parametrize(
    "more",
    [{"asked": float("nan")}, {"seen": "\ud800"}, {"deep": json.loads("[" * 300 + "]" * 300)}],
)
def test_what_could_not_be_read_again_is_not_kept(opened: Opened, more: dict[str, object]) -> None:
    here = opened()
    with pytest.raises(QuestionError, match="cannot be kept"):
        here.conversations.put_turn(
            MACHINE, None, TALK, turn("turn-000001", **more), title="", by=""
        )
    assert here.conversations.all(MACHINE, None) == []


def test_a_login_is_meant_whatever_its_case_if_only_one_is(tmp_path: Path) -> None:
    with closing(Index(tmp_path / "index", encoder=CheapEncoder())) as index:
        here = of(index, "ann", "Bo", "bo", "Cy")
        notebook = here.notebooks.create(ANN, "ann", "Nuts").id
        shared = here.notebooks.change(ANN, notebook, shared={"bo": "read", "CY": "write"}).shared
        assert shared == {"bo": "read", "Cy": "write"}
        for name in ("BO", "Ann"):
            with pytest.raises(QuestionError, match=f"(?i){name}"):
                here.notebooks.change(ANN, notebook, shared={name: "read"})


def test_a_note_that_is_kept_again_is_there_again(opened: Opened) -> None:
    here = opened()
    here.notes.put(MACHINE, None, note("note-000001"), "")
    here.notes.delete(MACHINE, None, "note-000001")
    assert here.notes.all(MACHINE, None, lambda _: []) == []
    here.notes.put(MACHINE, None, note("note-000001", "Mind this"), "")
    [kept] = here.notes.all(MACHINE, None, lambda _: [])
    assert kept.note.text == "Mind this"

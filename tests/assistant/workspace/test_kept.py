"""Notebooks, conversations and notes are kept with the index: in SQLite or in PostgreSQL, for every
process on it, through another encoder and in a copy; what was deleted goes after a day."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
import sqlalchemy as sa
from chroma_servers import until
from helpers import PATIENCE, CheapEncoder

from assistant import Assistant
from assistant.access.callers import MACHINE, owner_of_login
from assistant.schemas.answers import AnswerValue
from assistant.settings import Settings
from assistant.workspace.library import Library
from assistant.workspace.notebooks import NotebookValue, Space
from assistant.workspace.notes import KeptNote
from assistant.workspace.retention import RetentionJob
from assistant.workspace.trash import RETENTION_SECONDS
from assistant.workspace.turns import KeptAnswer, KeptTurn, keep_answer
from index import Index
from index.database.kept_tables import (
    answers,
    conversations,
    deleted_documents,
    notebooks,
    notes,
    turns,
)
from index.errors import MissingPathError, QuestionError, RefusedError
from index.store.chroma_server import ServerAddress

ANN, BEN, CY = map(owner_of_login, ("ann", "ben", "cy"))
TEXT = "Walnuts float in brine.\n\nHazelnuts sink in it.\n"
TALK = "conversation-1"
TALK_OF_BEN = "talk-of-ben-1"

Opened = Callable[..., Library]
"""Gives what another process has of the same index."""


@pytest.fixture(params=["sqlite", "postgres"])
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Opened]:
    served = request.param == "postgres"
    address = request.getfixturevalue("postgres_address") if served else None
    with ExitStack() as stack:

        def library(*logins: str, salt: str = "") -> Library:
            index = Index(tmp_path / "index", encoder=CheapEncoder(salt), database=address)
            stack.enter_context(closing(index))
            return of(index, *logins)

        yield library


def of(index: Index, *logins: str) -> Library:
    assistant = Assistant(index, [], Settings(reader="none"))
    return Library(assistant, max_bytes=1000, logins=logins)


def add(library: Library, owner: str, name: str = "nuts.txt", text: str = TEXT) -> str:
    """A document of somebody."""

    async def parts() -> AsyncIterator[bytes]:
        yield text.encode()

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
        library.conversations.put_turn(
            Space(owner, notebook), TALK, turn(name), title="Floats", by=""
        )
    library.notes.put(Space(owner, notebook), note("note-000001"), "")
    return notebook


def told(library: Library, owner: str) -> list[tuple[str, int, list[str], list[str]]]:
    """Of each notebook of somebody its name, and what is in it."""
    found = []
    for notebook in library.notebooks_of(owner).notebooks:
        talks = library.conversations.all(Space(owner, notebook))
        whole = [library.conversations.find(Space(owner, notebook), one.id) for one in talks]
        turns = [own.id for one in whole for own in one.turns]
        notes = [one.note.id for one in library.notes.all(Space(owner, notebook), list)]
        found.append((notebook.name, len(notebook.documents), turns, notes))
    return found


WHOLE = [("Nuts", 1, ["turn-000001", "turn-000002"], ["note-000001"])]


def test_what_one_process_keeps_the_next_has_with_another_encoder_too(opened: Opened) -> None:
    here = opened()
    notebook = fill(here, MACHINE)
    assert told(here, MACHINE) == WHOLE
    here.index.close()
    there = opened()
    assert told(there, MACHINE) == WHOLE
    [identity] = there.notebooks.find(MACHINE, notebook.id).documents
    found = there.asking(MACHINE, notebook="nuts").search("brine", 5)
    assert {hit.paragraph.document_id for hit in found} == {identity}
    there.index.close()
    other = opened(salt="other")
    other.index.migrate()
    assert told(other, MACHINE) == WHOLE


def test_replicas_see_of_each_other_what_is_deleted_and_had_back(
    tmp_path: Path, chroma: ServerAddress, postgres_address: str
) -> None:
    shared = {"encoder": CheapEncoder(), "chroma": chroma, "database": postgres_address}
    with (
        closing(Index(tmp_path / "a", **shared)) as one,
        closing(Index(tmp_path / "b", **shared)) as other,
    ):
        here, there = of(one, "ann"), of(other, "ann")
        notebook = fill(here, ANN)
        until(lambda: told(there, ANN) == WHOLE)
        here.conversations.delete(Space(ANN, notebook), TALK)
        # Whoever takes it back at once may come to another replica.
        there.conversations.restore(Space(ANN, notebook), TALK)
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


def test_what_was_deleted_goes_after_a_day_with_all_that_is_in_it(opened: Opened) -> None:
    here = opened("ann", "ben")
    notebook, kept = fill(here, ANN), fill(here, ANN)
    here.notebooks.change(ANN, notebook.id, shared={"ben": "read"})
    read = here.notebooks.find(BEN, notebook.id)
    here.conversations.put_turn(
        Space(BEN, read), TALK_OF_BEN, turn("turn-000004"), title="", by="ben"
    )
    here.conversations.put_turn(Space(BEN), "own-0001", turn("turn-000005"), title="", by="ben")
    here.notebooks.change(ANN, notebook.id, shared={})
    assert told(here, ANN) == WHOLE * 2
    here.conversations.put_turn(Space(ANN), TALK, turn("turn-000003"), title="", by="ann")
    here.notes.put(Space(ANN), note("note-000002"), "ann")
    [document] = here.notebooks.find(ANN, kept.id).documents
    older = add(here, ANN, "old.txt")

    here.notebooks.delete(ANN, notebook.id)
    here.conversations.delete(Space(ANN), TALK)
    here.notes.delete(Space(ANN), "note-000002")
    here.discard(ANN, older)
    RetentionJob(here).sweep()
    listed = {"notebook": "Nuts", "conversation": "", "note": "Mind", "document": "old.txt"}
    assert {one.kind: one.title for one in here.deleted(ANN, None).deleted} == listed
    assert here.deleted(BEN, None).deleted == []
    here.notes.restore(Space(ANN), "note-000002")
    here.notes.delete(Space(ANN), "note-000002")
    _a_day_later(here)
    here.discard(ANN, document)  # only now
    RetentionJob(here).sweep()

    assert [one.id for one in here.deleted(ANN, None).deleted] == [document]
    assert told(here, ANN) == [("Nuts", 0, *WHOLE[0][2:])]
    assert [info.id for info in here.index.documents()] == [document]
    for again in (
        lambda: here.notebooks.restore(ANN, notebook.id),
        lambda: here.conversations.restore(Space(ANN), TALK),
        lambda: here.notes.restore(Space(ANN), "note-000002"),
        lambda: here.restore(ANN, older),
    ):
        with pytest.raises(MissingPathError):
            again()
    with here.index.database.read() as connection:
        left = {
            own.name: sorted(connection.scalars(sa.select(own.c[column])))
            for own, column in ((conversations, "id"), (turns, "id"), (notes, "id"))
        }
    # Of what was in the notebook nothing is left, nor of who was taken off it (A20).
    assert left == {
        "conversations": [TALK, "own-0001"],
        "turns": ["turn-000001", "turn-000002", "turn-000005"],
        "notes": ["note-000001"],
    }
    here.restore(ANN, document)
    assert told(here, ANN) == WHOLE


def _a_day_later(library: Library) -> None:
    with library.index.database.write() as connection:
        for table in (notebooks, conversations, notes, deleted_documents):
            change = sa.update(table).values(deleted=table.c.deleted - RETENTION_SECONDS - 1)
            connection.execute(change)
        connection.execute(
            sa.update(answers).values(created=answers.c.created - RETENTION_SECONDS - 1)
        )


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
            here.conversations.put_turn(Space(owner, seen), TALK, turn(name), title="", by=letter)
            here.notes.put(Space(owner, seen), note(name), letter)

    with ThreadPoolExecutor(2) as pool:
        for one in [pool.submit(write, ANN, notebook, "a"), pool.submit(write, BEN, shared, "b")]:
            one.result(PATIENCE)
    [(_, count, asked, noted)] = told(here, ANN)
    names = {f"{letter}-{number:06}" for letter in "ab" for number in range(3)}
    assert (count, set(asked), set(noted)) == (6, names, names)


def test_a_login_is_meant_whatever_its_case_if_only_one_is(tmp_path: Path) -> None:
    with closing(Index(tmp_path / "index", encoder=CheapEncoder())) as index:
        here = of(index, "ann", "Bo", "bo", "Cy")
        notebook = here.notebooks.create(ANN, "ann", "Nuts").id
        shared = here.notebooks.change(ANN, notebook, shared={"bo": "read", "CY": "write"}).shared
        assert shared == {"bo": "read", "Cy": "write"}
        for name in ("BO", "Ann"):
            with pytest.raises(QuestionError, match=f"(?i){name}"):
                here.notebooks.change(ANN, notebook, shared={name: "read"})


def test_a_document_is_found_by_one_statement_however_many_notebooks_there_are(
    opened: Opened,
) -> None:
    here = opened("ann", "ben")
    document, other = add(here, ANN), add(here, ANN, "other.txt")
    for number in range(5):
        notebook = here.notebooks.create(ANN, "ann", str(number)).id
        here.notebooks.change(ANN, notebook, shared={"ben": "read"})
        here.put_in(ANN, notebook, document)
    statements: list[str] = []
    sa.event.listen(
        here.index.database._engine,
        "before_cursor_execute",
        lambda *given: statements.append(given[2]),
    )
    assert here.notebooks.readable(BEN, [document, other, "gone"]) == {document}
    assert len([one for one in statements if "notebook" in one]) == 1
    statements.clear()
    assert here.find(BEN, document).info.id == document
    assert len([one for one in statements if one.startswith("SELECT")]) < 10
    for again in (lambda: here.find(BEN, other), lambda: here.find(CY, document)):
        with pytest.raises(MissingPathError):
            again()


def test_a_name_that_is_given_while_an_answer_is_kept_stays(opened: Opened) -> None:
    here = opened()
    here.conversations.put_turn(Space(MACHINE), TALK, turn("turn-000001"), title="Auto", by="")
    begun, names = threading.Event(), [f"Name {number}" for number in range(5)]

    def keep() -> None:
        begun.set()
        for number in range(20):
            given = turn(f"turn-{number:06}")
            here.conversations.put_turn(Space(MACHINE), TALK, given, title="Auto", by="")

    with ThreadPoolExecutor(1) as pool:
        keeping = pool.submit(keep)
        begun.wait(PATIENCE)
        for name in names:
            here.conversations.rename(Space(MACHINE), TALK, name)
        keeping.result(PATIENCE)
    [talk] = here.conversations.all(Space(MACHINE))
    assert (talk.title, talk.named) == (names[-1], True)


def test_what_cannot_be_read_is_left_out_and_the_rest_is_there(
    opened: Opened, caplog: pytest.LogCaptureFixture
) -> None:
    here = opened()
    notebook = fill(here, MACHINE)
    with here.index.database.write() as connection:
        connection.execute(sa.update(turns).where(turns.c.id == "turn-000001").values(body=""))
        connection.execute(sa.update(notes).values(body="[]"))
    assert told(here, MACHINE) == [("Nuts", 1, ["turn-000002"], [])]
    assert here.conversations.search("floats", Space(MACHINE, notebook))
    assert "KeptTurn cannot be read" in caplog.text
    RetentionJob(here).sweep()


def answer(library: Library, question: str = "What floats?", owner: str = MACHINE) -> KeptAnswer:
    """An answer that was given and kept."""
    [given] = [
        a.answer for a in [*library.asking(MACHINE).stream(question)] if hasattr(a, "answer")
    ]
    identity = keep_answer(library.index.database, owner, AnswerValue.model_validate(given))
    value = AnswerValue.model_validate(given).model_dump()
    return KeptAnswer.model_validate({**value, "id": identity})


def test_an_answer_is_the_one_that_was_given_and_goes_where_nobody_keeps_it(
    opened: Opened,
) -> None:
    here = opened()
    add(here, MACHINE)
    kept, noted, unkept = (answer(here) for _ in range(3))
    forged = kept.model_copy(update={"note": "Not said", "refused": True})
    given = turn("turn-000001", answer=forged.model_dump(), question="Other?", state="refused")
    here.conversations.put_turn(Space(MACHINE), TALK, given, title="T", by="")
    mine = KeptNote(id="note-000001", kind="answer", created=1, answer=noted)
    here.notes.put(Space(MACHINE), mine, "")

    def whole() -> KeptTurn:
        [found] = here.conversations.find(Space(MACHINE), TALK).turns
        return found

    assert whole().answer == kept
    assert (whole().question, whole().state) == (kept.question, kept.status)
    assert here.notes.kept(Space(MACHINE))[0].answer == noted
    for wrong in ("", "0" * 32):
        lost = turn("turn-000002", answer={**kept.model_dump(), "id": wrong}, state="answered")
        with pytest.raises(MissingPathError, match="Ask again") as gone:
            here.conversations.put_turn(Space(MACHINE), TALK, lost, title="T", by="")
        assert gone.value.code == "answer_gone"
    with pytest.raises(MissingPathError):
        bare = turn("turn-000002", state="answered")
        here.conversations.put_turn(Space(MACHINE), TALK, bare, title="T", by="")

    def left() -> set[str]:
        RetentionJob(here).sweep()
        with here.index.database.read() as connection:
            return set(connection.scalars(sa.select(answers.c.id)))

    assert left() == {kept.id, noted.id, unkept.id}
    _a_day_later(here)
    assert left() == {kept.id, noted.id}
    # Whoever takes a question out may have it back.
    before = whole()
    here.conversations.remove_turns(Space(MACHINE), TALK, [before.id])
    assert left() == {kept.id, noted.id}
    here.conversations.put_turn(Space(MACHINE), TALK, before, title="T", by="")
    assert whole().answer == kept


def test_so_much_is_kept_and_no_more(opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    here = opened()
    monkeypatch.setattr("assistant.workspace.turns.MAX_OWNER_BYTES", 2000)
    monkeypatch.setattr("assistant.workspace.turns.MAX_ROWS", 2)
    large, small = turn("turn-000001", seen="a" * 1500), turn("turn-000001")

    def refused(do: Callable[[], None]) -> str:
        with pytest.raises(RefusedError) as error:
            do()
        assert error.value.status == 413
        return error.value.code

    def put(identity: str, own: KeptTurn) -> Callable[[], None]:
        return lambda: here.conversations.put_turn(Space(MACHINE), identity, own, title="", by="")

    def put_note(identity: str, text: str) -> Callable[[], None]:
        return lambda: here.notes.put(Space(MACHINE), note(identity, text), "")

    put(TALK, large)()
    put(TALK, large)()  # in the place of the same
    assert refused(put_note("note-000001", "b" * 600)) == "kept_full"
    put(TALK, small)()
    put_note("note-000001", "b" * 600)()
    put_note("note-000001", "c" * 600)()
    put_note("note-000002", "")()
    assert refused(put_note("note-000003", "")) == "notes_full"
    put("talk-2-of-them", small)()
    assert refused(put("talk-3-of-them", small)) == "conversations_full"
    put(TALK, turn("turn-000002"))()
    assert refused(put(TALK, turn("turn-000003"))) == "conversation_full"


def test_it_is_what_all_notebooks_of_somebody_hold(
    opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = opened("ann", "ben")
    monkeypatch.setattr("assistant.workspace.turns.MAX_OWNER_BYTES", 2000)
    one, two, bens = (
        here.notebooks.create(owner, login, name)
        for owner, login, name in ((ANN, "ann", "1"), (ANN, "ann", "2"), (BEN, "ben", "3"))
    )
    here.notebooks.change(ANN, two.id, shared={"ben": "write"})
    shared = here.notebooks.find(BEN, two.id)
    large = note("note-000001", "a" * 1500)
    here.notes.put(Space(ANN, one), large, "")
    for full in (Space(ANN, two), Space(BEN, shared), Space(ANN)):
        with pytest.raises(RefusedError) as error:
            here.notes.put(full, large, "")
        assert error.value.code == "kept_full"
    for free in (Space(BEN), Space(CY)):
        here.notes.put(free, large, "")
    here.notes.delete(Space(BEN), large.id)
    with pytest.raises(RefusedError):
        here.notes.put(Space(BEN, bens), large, "")


def test_of_the_answers_that_somebody_does_not_keep_so_much_is_left(
    opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = opened()
    add(here, MACHINE)
    kept = answer(here)
    note_of_it = KeptNote(id="note-000001", kind="answer", created=1, answer=kept)
    here.notes.put(Space(MACHINE), note_of_it, "")
    *older, last, newest = (answer(here).id for _ in range(4))
    bens = answer(here, owner=BEN).id
    with here.index.database.read() as connection:
        bodies = dict(connection.execute(sa.select(answers.c.id, answers.c.body)).all())
    size = sum(len(bodies[identity].encode()) for identity in (last, newest))
    monkeypatch.setattr("assistant.workspace.retention.MAX_UNKEPT_BYTES", size)
    RetentionJob(here).sweep()
    with here.index.database.read() as connection:
        left = set(connection.scalars(sa.select(answers.c.id)))
    assert left == {kept.id, last, newest, bens}
    assert len(older) == 2


def test_an_answer_is_given_where_it_cannot_be_kept(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with closing(Index(tmp_path / "index", encoder=CheapEncoder(), wait=0.1)) as index:
        here = of(index)
        add(here, MACHINE)
        with index.database.write():
            assert answer(here).id == ""
    assert "not kept" in caplog.text

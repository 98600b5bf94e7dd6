"""What a former version kept as records is taken over once, whole, whatever happens meanwhile."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa
from helpers import PATIENCE, CheapEncoder

from assistant import tables
from assistant.access.api_keys import Keys
from assistant.access.callers import owner_of_login
from assistant.workspace.conversations import Conversations
from assistant.workspace.feedback import drafts_in
from assistant.workspace.notebooks import Notebooks, Space
from assistant.workspace.notes import Notes
from assistant.workspace.trash import DeletedDocuments
from index import Index
from index.database.database import Database
from index.store.chroma_server import Server, ServerAddress
from index.store.former_records import COPY, FOLDER, take_over

ANN, BEN = owner_of_login("ann"), owner_of_login("ben")
NOTEBOOK, GONE = "0123456789abcdef", "fedcba9876543210"

ANSWER = {
    "question": "What?",
    "standalone_question": "What?",
    "refused": True,
    "sentences": [],
    "citations": [],
    "text": "\U0001f95a",
}
TURN = {"id": "turn-000001", "question": "What?", "asked": 1e18, "state": "refused", "vote": "up"}
KEY = {"name": "ann", "scopes": ["ask"], "created": "2026-01-01T00:00:00+00:00", "expires": None}


def deleted(kind: str, group: str, name: str) -> str:
    return json.dumps({"what": {"kind": kind, "group": group, "name": name}, "at": 5.0})


RECORDS = {
    f"notebooks/{NOTEBOOK}": {
        "name": "Nuts",
        "owner": ANN,
        "login": "ann",
        "shared": {"ben": "write"},
        "created": 1.0,
    },
    f"notebook-documents/{NOTEBOOK}/aa": "2.0",
    f"notebook-documents/{NOTEBOOK}/bb": "1.0",
    f"notebook-documents/{GONE}/aa": "2.0",  # of none
    f"conversations/{NOTEBOOK}/talk-000001": {"title": "T", "notebook": NOTEBOOK, "by": "ann"},
    f"conversations/{ANN}/talk-000001": {"title": "Own", "named": True, "updated": 7.5},
    f"conversations/{ANN}/talk-000002": {"notebook": GONE},
    f"turns/{NOTEBOOK}-talk-000001/turn-000001": TURN | {"answer": ANSWER},
    f"turns/{ANN}-talk-000001/turn-000001": TURN,
    f"turns/{ANN}-talk-000009/turn-000001": TURN,
    f"notes/{NOTEBOOK}/note-000001": {
        "note": {"id": "note-000001", "kind": "answer", "created": 3.0, "answer": ANSWER},
        "by": "ben",
    },
    f"notes/{GONE}/note-000001": {"note": {"id": "note-000001", "created": 3.0}},
    f"notes/{ANN}/note-000002": {
        "note": {"id": "note-000002", "kind": "highlight", "created": 3.0, "text": "Mind"}
    },
    "trash/document-cc": deleted("document", "", "cc"),
    f"trash/taken-{NOTEBOOK}-dd": deleted("taken", NOTEBOOK, "dd"),
    f"trash/note-{ANN}-note-000002": deleted("note", ANN, "note-000002"),
    "keys/00ff": KEY,
    "owners/former": ANN,
    "logins/0123456789abcdef": "s" * 43,
    "drafts/draft-1": {"id": "draft-1", "question": "Q?", "added": "2026-01-01T00:00:00+00:00"},
    f"sessions/{ANN}": "1.0",
    # What a power cut, or whatever else, has left.
    "notebooks/1111111111111111": "",
    f"notes/{ANN}/note-000003": '{"note": {"id": "no',
    f"turns/{ANN}-talk-000001/turn-000002": "[]",
    "keys/00fe": {"name": "ben"},
}
BAD = ("notebooks/1111111111111111", f"notes/{ANN}/note-000003", "turn-000002", "keys/00fe")


def text_of(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def write_records(folder: Path) -> None:
    for name, value in RECORDS.items():
        file = folder / FOLDER / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text_of(value), encoding="utf-8")
    (folder / FOLDER / "owners" / "strange").write_bytes(b"\xff")


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    served = request.param == "postgres"
    address = request.getfixturevalue("postgres_address") if served else None
    with closing(Database(tmp_path / "index", address)) as found:
        yield found


def check(database: Database, index: Index | None = None) -> None:
    """All of it is there."""
    ann, ben = (Notebooks(database, ["ann", "ben"]).find(one, NOTEBOOK) for one in (ANN, BEN))
    assert (ann.name, ann.role, ann.shared, ann.documents) == (
        "Nuts",
        "own",
        {"ben": "write"},
        ["bb", "aa"],
    )
    assert (ben.role, ben.owner) == ("write", "ann")
    assert Notebooks(database, []).taken(NOTEBOOK) == {"dd": 5.0}
    talks = Conversations(database)
    [talk] = talks.all(Space(BEN, ben))
    assert (talk.title, talk.by, talk.named) == ("T", "ann", False)
    [turn] = talks.find(Space(BEN, ben), "talk-000001").turns
    assert turn.answer and turn.model_extra == {"vote": "up"} and turn.asked == 1e18
    assert turn.answer.model_extra == {"text": "\U0001f95a"}
    assert len(turn.answer.id) == 32
    talks.put_turn(
        Space(BEN, ben), "talk-000001", turn, title="T", by="ben"
    )  # who asked is not known
    [own] = talks.all(Space(ANN))
    assert (own.title, own.named, own.updated) == ("Own", True, 7.5)
    assert DeletedDocuments(database).all() == {"cc": 5.0}
    [key] = Keys(database).all()
    assert (key.name, key.scopes) == ("ann", ("ask",))
    with database.read() as connection:
        counts = {
            table.name: connection.scalar(sa.select(sa.func.count()).select_from(table))
            for table in (tables.turns, tables.notes, tables.answers, tables.successors)
        }
        assert connection.scalars(sa.select(tables.login_secrets.c.secret)).all() == ["s" * 43]
    assert counts == {"turns": 2, "notes": 2, "answers": 2, "successors": 1}
    if index:
        [note] = Notes(index).all(Space(BEN, ben), list)
        assert (note.by, note.note.answer and note.note.answer.question) == ("ben", "What?")
        assert [one.title for one in Notes(index).deleted(Space(ANN))] == ["Mind"]
        assert json.loads(drafts_in(index))["question"] == "Q?"


def test_the_records_of_a_folder_are_taken_over_once(database: Database, tmp_path: Path) -> None:
    folder = tmp_path / "index"
    folder.mkdir(exist_ok=True)
    write_records(folder)
    [told] = take_over(database, folder, None)
    assert "1 notebooks, 2 conversations, 2 notes, 1 keys" in told and str(folder / COPY) in told
    for name in (*BAD, "owners/strange"):
        assert name in told
    check(database)
    assert not (folder / FOLDER).exists() and (folder / COPY / "keys" / "00ff").is_file()
    assert take_over(database, folder, None) == []
    # What an older version writes afterwards is left alone.
    write_records(folder)
    assert take_over(database, folder, None) == []
    assert (folder / FOLDER).exists()


def test_the_records_of_a_server_are_taken_over_once(
    tmp_path: Path, chroma: ServerAddress, postgres_address: str
) -> None:
    with closing(Server(chroma, 1.0)) as server:
        for name, value in RECORDS.items():
            kind, _, rest = name.partition("/")
            group, _, own = rest.rpartition("/")
            metadata = {"text": text_of(value)} | ({"group": group} if group else {})
            server.collection(f"records.{kind}.all").upsert(
                ids=[f"{group}:{own}" if group else own], embeddings=[[1.0]], metadatas=[metadata]
            )
    told: list[str] = []
    where = {"chroma": chroma, "database": postgres_address, "encoder": CheapEncoder()}
    with closing(Index(tmp_path / "a", **where, on_wait=told.append)) as index:
        assert index.notices == told
        assert all(name in told[0] for name in BAD)
        check(index.database, index)
    with closing(Index(tmp_path / "b", **where, on_wait=told.append)) as index:
        assert (index.notices, len(told)) == ([], 1)
        check(index.database, index)


KILLED = """
import os, sys
from contextlib import suppress
from pathlib import Path
from index.store import former_records as former
from index.database.database import Database

folder, at = Path(sys.argv[1]), int(sys.argv[2])
count = 0

def step(frame, event, argument):
    global count
    if frame.f_code.co_filename == former.__file__ and event == "line":
        count += 1
        if count == at:
            os._exit(9)
    return step

database = Database(folder)
sys.settrace(step)
former.take_over(database, folder, None)
sys.settrace(None)
print(count)
"""


@pytest.fixture(scope="module")
def steps(tmp_path_factory: pytest.TempPathFactory) -> int:
    """How many lines it takes."""
    folder = tmp_path_factory.mktemp("whole")
    write_records(folder)
    command = [sys.executable, "-c", KILLED, str(folder), "0"]
    return int(subprocess.run(command, capture_output=True, check=True, timeout=PATIENCE).stdout)


@pytest.mark.parametrize("part", range(8))
def test_killed_anywhere_it_is_done_the_next_time(tmp_path: Path, part: int, steps: int) -> None:
    write_records(tmp_path)
    Database(tmp_path).close()
    # The last lines are those that write and rename: of them each is tried.
    for at in (1 + part * steps // 8, steps - part):
        done = subprocess.run(
            [sys.executable, "-c", KILLED, str(tmp_path), str(at)],
            env=os.environ,
            timeout=PATIENCE,
            check=False,
        )
        assert done.returncode in (0, 9)
        assert (tmp_path / FOLDER).exists() != (tmp_path / COPY).exists()
    with closing(Database(tmp_path)) as database:
        take_over(database, tmp_path, None)
        check(database)
    assert not (tmp_path / FOLDER).exists()

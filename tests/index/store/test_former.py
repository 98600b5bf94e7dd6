"""What a former version kept is taken over once, whole, whatever happens meanwhile: documents in
Chroma, and everything else as records; from a folder and from a server."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import filelock
import numpy as np
import pytest
import sqlalchemy as sa
from chroma_servers import Machine, Servers
from helpers import PATIENCE, CheapEncoder, Opened, check_whole, write_paragraphs

from assistant import tables
from assistant.access.api_keys import Keys
from assistant.access.callers import owner_of_login
from assistant.workspace.conversations import Conversations
from assistant.workspace.feedback import votes_in
from assistant.workspace.notebooks import Notebooks, Space
from assistant.workspace.notes import Notes
from assistant.workspace.trash import DeletedDocuments
from index import Document, Index
from index.database.database import Database
from index.errors import IndexBusyError, IndexCorruptedError
from index.models import BibliographyEntry, DocumentMetadata, bytes_hash
from index.store.chroma import ChromaFolder
from index.store.chroma_server import Server, ServerAddress
from index.store.documents import count
from index.store.former import COPY, FORMER
from index.store.former_records import COPY as RECORDS_COPY
from index.store.former_records import FOLDER, take_over
from index.store.manifest import Manifest

ADDED = "2020-01-01T00:00:00+00:00"
ENTRY = BibliographyEntry("On Ferries", DocumentMetadata(("Ann",), "1934"))
ORIGINAL = b"%PDF-1.7 of which there are two pieces"


def write(chroma: Any, *documents: Document) -> None:
    """Keep documents as the former version did."""
    encoder = CheapEncoder(dimension=32)
    name = f"0001-{encoder.fingerprint}"
    manifests, sentences = (
        chroma.collection(f"{kind}-{name}") for kind in ("documents", "sentences")
    )
    for document in documents:
        manifest = Manifest.of(document, kept=True).told_by(ENTRY)
        manifests.add(
            ids=[document.id],
            embeddings=[[1.0]],
            metadatas=[{"manifest": manifest._to_json(), "added": ADDED}],
        )
        for paragraph in document.paragraphs:
            spans = [
                (s.start - paragraph.start, s.end - paragraph.start) for s in paragraph.sentences
            ]
            [vectors] = encoder.encode_paragraphs([(paragraph.text, spans)])
            sentences.upsert(
                ids=[f"{paragraph.id}:{number}" for number in range(len(spans))],
                embeddings=vectors,
                metadatas=[
                    {"text": paragraph.text, "spans": json.dumps(spans)} if not number else {"n": 1}
                    for number in range(len(spans))
                ],
            )


@pytest.fixture
def documents(tmp_path: Path) -> list[Document]:
    made = [write_paragraphs(tmp_path / f"{name}.txt", 20, seed=n) for n, name in enumerate("ab")]
    return [replace(made[0], content=bytes_hash(ORIGINAL)), made[1]]


@pytest.fixture
def former(folder: Path, documents: list[Document]) -> Path:
    """A folder as the former version left it."""
    with closing(ChromaFolder(folder / FORMER)) as chroma:
        write(chroma, *documents)
    return folder


def check(index: Index, documents: list[Document]) -> None:
    own = [replace(one, title=ENTRY.title, metadata=ENTRY.metadata) for one in documents]
    vectors = check_whole(index, *own)
    for paragraph in documents[0].paragraphs:
        spans = [(s.start - paragraph.start, s.end - paragraph.start) for s in paragraph.sentences]
        [expected] = CheapEncoder(dimension=32).encode_paragraphs([(paragraph.text, spans)])
        assert np.allclose(vectors[paragraph.id], expected, atol=1e-6)
    infos = index.documents()
    assert {(info.kept, info.added, info.title) for info in infos} == {(True, ADDED, ENTRY.title)}
    assert index.sync(documents, keep=True).embedded == 0
    assert index.documents() == infos
    index.check()


def test_the_documents_of_a_folder_are_taken_over(
    former: Path, documents: list[Document], opened: Opened
) -> None:
    index = opened(former, encoder=CheapEncoder(dimension=32))
    [notice] = index.notices
    assert "2 documents of a former version" in notice
    assert (former / COPY).is_dir() and not (former / FORMER).exists()
    check(index, documents)
    again = opened(former, encoder=CheapEncoder(dimension=32))
    assert again.notices == []
    check(again, documents)
    assert again.revision == index.revision


def test_killed_before_the_copy_was_put_away_nothing_is_taken_twice(
    former: Path, documents: list[Document], opened: Opened
) -> None:
    index = opened(former, encoder=CheapEncoder(dimension=32))
    index.remove(documents[1].id)
    index.close()
    (former / COPY).rename(former / FORMER)
    check(opened(former, encoder=CheapEncoder(dimension=32)), documents[:1])
    assert (former / COPY).is_dir()


def test_what_another_encoder_had_made_is_made_again(
    former: Path, documents: list[Document], opened: Opened
) -> None:
    index = opened(former, encoder=CheapEncoder("new", dimension=32))
    assert index.notices
    with pytest.raises(IndexCorruptedError, match="index rebuild"):
        index.documents()
    assert index.migrate() == 40
    assert {info.id for info in index.documents()} == {one.id for one in documents}
    index.check()


def damaged(chroma: ChromaFolder, documents: list[Document]) -> None:
    name = f"sentences-0001-{CheapEncoder(dimension=32).fingerprint}"
    chroma.collection(name).update(
        ids=[f"{documents[0].paragraphs[0].id}:0"], metadatas=[{"text": "Another.", "spans": "[]"}]
    )


def test_what_is_damaged_is_not_taken_over(
    former: Path, documents: list[Document], opened: Opened
) -> None:
    with closing(ChromaFolder(former / FORMER)) as chroma:
        damaged(chroma, documents)
    for _ in range(2):
        with pytest.raises(IndexCorruptedError, match="Nothing was changed"):
            opened(former, encoder=CheapEncoder(dimension=32))
        assert (former / FORMER).is_dir()


def test_a_process_of_the_former_version_is_waited_for(
    former: Path, documents: list[Document], opened: Opened
) -> None:
    with filelock.FileLock(former / "lock"), pytest.raises(IndexBusyError, match="former version"):
        opened(former, encoder=CheapEncoder(dimension=32), wait=0.1)
    check(opened(former, encoder=CheapEncoder(dimension=32)), documents)


def test_the_documents_of_a_server_are_taken_over(
    servers: Servers, machine: Machine, documents: list[Document]
) -> None:
    with closing(Server(servers.chroma, 0)) as server:
        write(server, *documents)
        state: Any = server.collection("state")
        state.add(ids=["format"], embeddings=[[1.0]], metadatas=[{"format": "2"}])
        pages: Any = server.collection("pages")
        content, half = bytes_hash(ORIGINAL), len(ORIGINAL) // 2
        pieces = [base64.b64encode(p).decode() for p in (ORIGINAL[:half], ORIGINAL[half:])]
        pages.add(
            ids=[content, *(f"{content}:original:{n}" for n in range(2))],
            embeddings=[[1.0]] * 3,
            metadatas=[
                {"original": 2, "original hash": content},
                *({"data": piece} for piece in pieces),
            ],
        )
        one, other = machine(), machine()
        assert "2 documents" in one.notices[0]
        assert other.notices == []
        assert state.get(ids=["format"])["metadatas"][0]["format"] == "3"
    for index in (one, other):
        check(index, documents)
        original = index.original(documents[0].id)
        assert original is not None
        assert original.read_bytes() == ORIGINAL
    with one.database.read() as connection:
        assert count(connection, "taken over") == 1


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


def deleted_record(kind: str, group: str, name: str) -> str:
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
    "trash/document-cc": deleted_record("document", "", "cc"),
    f"trash/taken-{NOTEBOOK}-dd": deleted_record("taken", NOTEBOOK, "dd"),
    f"trash/note-{ANN}-note-000002": deleted_record("note", ANN, "note-000002"),
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


def check_records(database: Database, index: Index | None = None) -> None:
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
    # Who asked is not known.
    talks.put_turn(Space(BEN, ben), "talk-000001", turn, title="T", by="ben")
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
        assert json.loads(votes_in(index.database))["question"] == "Q?"


def test_the_records_of_a_folder_are_taken_over_once(database: Database, tmp_path: Path) -> None:
    folder = tmp_path / "index"
    folder.mkdir(exist_ok=True)
    write_records(folder)
    [told] = take_over(database, folder, None)
    assert (
        "1 notebooks, 2 conversations, 2 notes, 1 keys" in told
        and str(folder / RECORDS_COPY) in told
    )
    for name in (*BAD, "owners/strange"):
        assert name in told
    check_records(database)
    assert not (folder / FOLDER).exists() and (folder / RECORDS_COPY / "keys" / "00ff").is_file()
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
        check_records(index.database, index)
    with closing(Index(tmp_path / "b", **where, on_wait=told.append)) as index:
        assert (index.notices, len(told)) == ([], 1)
        check_records(index.database, index)


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
        assert (tmp_path / FOLDER).exists() != (tmp_path / RECORDS_COPY).exists()
    with closing(Database(tmp_path)) as database:
        take_over(database, tmp_path, None)
        check_records(database)
    assert not (tmp_path / FOLDER).exists()

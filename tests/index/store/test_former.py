"""Documents that a former version kept in Chroma are taken over, from a folder and a server."""

from __future__ import annotations

import base64
import json
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import filelock
import numpy as np
import pytest
from chroma_servers import Machine, Servers
from helpers import CheapEncoder, Opened, check_whole, write_paragraphs

from index import Document, Index
from index.errors import IndexBusyError, IndexCorruptedError
from index.models import BibliographyEntry, DocumentMetadata, bytes_hash
from index.store.chroma import ChromaFolder
from index.store.chroma_server import Server
from index.store.documents import count
from index.store.former import COPY, FORMER
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

"""What somebody added is read anew by a service of another version, beside the questions."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from chroma_servers import until

from assistant import Assistant
from assistant.access.fair_queue import FairQueue
from assistant.service.reindexing import ReindexJob
from assistant.service.service import Service
from index import Index, document_from_text
from index.models import bytes_hash

BETTER = "Walnuts float in brine."
WORSE = "It was read badly."


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Assistant]:
    with Assistant.open(index_dir=tmp_path / "index") as opened:
        yield opened


def formerly_read(index: Index, content: bytes, source: str, folder: Path) -> str:
    """Have a document in the index as another version has read it; gives its id."""
    file = folder / "file"
    file.write_bytes(content)
    index._pages.keep(bytes_hash(content), file, None)
    former = document_from_text(WORSE, source)
    former = replace(former, content=bytes_hash(content), reading="former plain")
    index.sync([former], keep=True)
    return former.id


def test_a_service_reads_anew_what_was_added(own: Assistant, tmp_path: Path) -> None:
    index = own.index
    added = formerly_read(index, BETTER.encode(), "upload:ann/a.txt", tmp_path)
    blank = formerly_read(index, b" \n", "upload:ann/b.txt", tmp_path)
    others = formerly_read(index, BETTER.encode(), "notes.txt", tmp_path)
    service = Service(own, "127.0.0.1")
    with service.adding.place("somebody"), service.running():
        # It waits behind all that is added, and whoever asks does not wait for it.
        until(lambda: service.adding.waiting == 1)
        assert own.for_documents([added]).ask("What was read badly?").text == WORSE
        assert index.document(added).text == WORSE
    assert service.adding.waiting == 0, "it ends with the service"
    assert index.document(added).text == WORSE
    with service.running():
        until(lambda: index.document(added).text == BETTER)
    assert own.for_documents([added]).ask("What floats in brine?").text == BETTER
    assert index.document(blank).text == index.document(others).text == WORSE


def test_what_cannot_be_read_is_told_once(
    own: Assistant, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    identity = formerly_read(own.index, b" \n", "upload:ann/secret.txt", tmp_path)
    with caplog.at_level(logging.WARNING):
        ReindexJob(own.index, FairQueue(1, 1)).run()
    [told] = caplog.messages
    assert identity in told
    assert "secret" not in told
    assert own.index.document(identity).text == WORSE


def test_it_comes_back_where_there_was_no_room_in_line(own: Assistant, tmp_path: Path) -> None:
    identity = formerly_read(own.index, BETTER.encode(), "upload:ann/a.txt", tmp_path)
    queue = FairQueue(1, 1)
    reindexing = ReindexJob(own.index, queue)
    with queue.place("ann"), queue.joined("ben"):
        assert not reindexing._read(identity)
    assert reindexing._read(identity)
    assert own.index.document(identity).text == BETTER

"""Following folders: what is asked is what they hold, and each change is told of once."""

from __future__ import annotations

import errno
import logging
import os
import shutil
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from chroma_servers import until

from assistant import Assistant, Settings
from assistant.service import watching
from assistant.service.watching import FolderWatch
from index import SyncReport
from index.errors import DocumentError, MissingPathError, SettingsError
from index.readers.files import IGNORE_FILE

FERRY = "The ferry to Brenna leaves at nine."
BAKERY = "The bakery in Tolvik bakes rye bread on Thursdays."


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "papers"
    folder.mkdir()
    (folder / "ferry.txt").write_text(FERRY)
    return folder


@pytest.fixture
def assistant(folder: Path, tmp_path: Path) -> Iterator[Assistant]:
    settings = Settings(index_dir=tmp_path / "index", reader="none", ignore=("drafts/",))
    with Assistant.open(folder, settings=settings) as opened:
        yield opened


@pytest.fixture
def watch(assistant: Assistant, folder: Path) -> FolderWatch:
    watch = FolderWatch(assistant, [folder])
    watch.update()
    return watch


def told(watch: FolderWatch) -> list[tuple[str, str]]:
    return [(change.what, change.name) for change in watch.changes]


@contextmanager
def following(watch: FolderWatch) -> Iterator[None]:
    thread = threading.Thread(target=watch.run)
    thread.start()
    try:
        yield
    finally:
        watch.close()
        thread.join()


def asked(assistant: Assistant) -> list[str]:
    return sorted(Path(document.source).name for document in assistant.documents)


def test_added_changed_moved_and_removed(
    watch: FolderWatch, assistant: Assistant, folder: Path
) -> None:
    assert (watch.changes, watch.unread, asked(assistant)) == ((), (), ["ferry.txt"])
    (folder / "sub").mkdir()
    (folder / "sub" / "bakery.md").write_text(BAKERY)
    watch.update()
    assert told(watch) == [("added", "sub/bakery.md")]
    assert assistant.search("rye bread", 1)[0].paragraph.text == BAKERY

    (folder / "drafts").mkdir()
    for name in ("drafts/plan.txt", ".hidden.txt", "~$plan.docx", "picture.png"):  # left out
        (folder / name).write_text("Text.")
    (folder / "ferry.txt").write_text("The ferry to Brenna leaves at noon.")
    watch.update()
    assert told(watch)[1:] == [("changed", "ferry.txt")]
    assert assistant.search("ferry", 1)[0].paragraph.text.endswith("noon.")

    (folder / "sub").rename(folder / "town")
    watch.update()
    assert told(watch)[2:] == [("moved", "town/bakery.md")]
    assert asked(assistant) == ["bakery.md", "ferry.txt"]

    (folder / "ferry.txt").unlink()
    watch.update()
    assert told(watch)[3:] == [("removed", "ferry.txt")]
    assert asked(assistant) == ["bakery.md"]
    assert [info.id for info in assistant.index.documents()] == list(assistant.document_ids)

    [info] = assistant.index.documents()
    assistant.index.keep(info.id)
    shutil.rmtree(folder / "town")
    watch.update()
    assert assistant.ask("When does the ferry leave?").refused  # nothing is there to ask
    assert assistant.document_ids == ()
    assert [own.id for own in assistant.index.documents()] == [info.id]  # it was kept
    assert [change.number for change in watch.changes] == [1, 2, 3, 4, 5]


def test_a_file_that_cannot_be_read_is_tried_again_when_it_changes(
    watch: FolderWatch, assistant: Assistant, folder: Path
) -> None:
    file = folder / "bakery.txt"
    file.write_bytes(b"\x89PNG\r\n\x1a\n\0\0\0")
    watch.update()
    watch.update()
    assert told(watch) == [("unread", "bakery.txt")]
    assert [one.name for one in watch.unread] == ["bakery.txt"]
    assert str(folder) not in watch.unread[0].reason + watch.changes[0].reason
    file.write_text(BAKERY)
    watch.update()
    assert told(watch)[1:] == [("added", "bakery.txt")]
    assert watch.unread == ()
    # What it held before is asked on while it is broken.
    file.write_text("")
    watch.update()
    assert [one.name for one in watch.unread] == ["bakery.txt"]
    assert assistant.search("rye bread", 1)[0].paragraph.text == BAKERY
    file.unlink()
    watch.update()
    assert watch.unread == ()
    assert told(watch)[2:] == [("unread", "bakery.txt"), ("removed", "bakery.txt")]


def test_what_could_not_be_indexed_is_done_the_next_time(
    watch: FolderWatch, assistant: Assistant, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "bakery.txt").write_text(BAKERY)

    def busy(*_: object, **__: object) -> None:
        raise DocumentError("The index is busy.")

    with monkeypatch.context() as patched, pytest.raises(DocumentError):
        patched.setattr(assistant.index, "sync", busy)
        watch.update()
    watch.update()
    assert told(watch) == [("added", "bakery.txt")]


def empty(folder: Path) -> None:
    """As the place of a disk is when the disk is taken away."""
    folder.rename(folder.with_name(".away"))
    folder.mkdir()


def back(folder: Path) -> None:
    folder.rmdir()
    folder.with_name(".away").rename(folder)


def unreadable(folder: Path) -> None:
    """The mode of a folder does not keep root out."""
    (folder / IGNORE_FILE).write_bytes(b"\xff\xfe\n")


def readable(folder: Path) -> None:
    (folder / IGNORE_FILE).unlink()


@pytest.mark.parametrize(("fail", "mend"), [(empty, back), (unreadable, readable)])
@pytest.mark.parametrize("inside", [True, False])
def test_an_unavailable_folder_loses_nothing(
    assistant: Assistant,
    folder: Path,
    inside: bool,
    fail: Callable[[Path], None],
    mend: Callable[[Path], None],
) -> None:
    failing = folder / "disk" if inside else folder
    failing.mkdir(exist_ok=True)
    (failing / "bakery.txt").write_text(BAKERY)
    (failing / "library.txt").write_text("The library lends books.")
    watch = FolderWatch(assistant, [folder])
    watch.update()
    before = asked(assistant)
    bakery = next(d for d in assistant.documents if d.source.endswith("bakery.txt"))
    assistant.index.rename(bakery.id, "My own title")
    fail(failing)
    watch.update()
    watch.update()
    assert asked(assistant) == before
    assert [one.name for one in watch.unread] == [failing.name]
    assert [what for what, _ in told(watch)].count("unread") == 1
    mend(failing)
    (failing / "library.txt").unlink()  # it is seen to be gone
    watch.update()
    assert asked(assistant) == [name for name in before if name != "library.txt"]
    assert assistant.index.info(bakery.id).title == "My own title"
    assert watch.unread == ()
    assert [what for what, _ in told(watch)][-1] == "removed"


def test_a_file_that_cannot_be_looked_at_is_not_gone(
    watch: FolderWatch, assistant: Assistant, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "bakery.txt").write_text(BAKERY)
    watch.update()
    before, stat = asked(assistant), Path.stat

    def stale(path: Path, **options: bool) -> os.stat_result:
        if path.name == "bakery.txt":
            raise OSError(errno.ESTALE, "Stale file handle")
        return stat(path, **options)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "stat", stale)
        watch.update()
    assert asked(assistant) == before
    watch.update()
    assert (asked(assistant), watch.unread) == (before, ())


def test_an_unexpected_error_is_logged_and_tried_again(
    watch: FolderWatch,
    assistant: Assistant,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Also one outside of an update, and a document that another process removes meanwhile."""
    monkeypatch.setattr(watching, "RETRY", 0.2)
    sync, states = assistant.index.sync, watching._states
    faults = iter([RuntimeError("first"), KeyError("second")])

    def failing(*arguments: Any, **options: Any) -> SyncReport:
        if fault := next(faults, None):
            raise fault
        report = sync(*arguments, **options)
        assistant.index.remove(report.ids[0])
        monkeypatch.setattr(assistant.index, "sync", sync)
        return report

    def unseen(files: Iterable[Path]) -> watching.States:
        monkeypatch.setattr(watching, "_states", states)
        raise ValueError("third")

    monkeypatch.setattr(assistant.index, "sync", failing)
    (folder / "bakery.txt").write_text(BAKERY)
    with caplog.at_level(logging.ERROR), following(watch):
        until(lambda: assistant.index.sync == sync)
        monkeypatch.setattr(watching, "_states", unseen)
        (folder / "library.txt").write_text("The library lends books.")
        until(lambda: watching._states == states)
        until(lambda: ("added", "library.txt") in told(watch))
    assert [record.exc_info is not None for record in caplog.records] == [True] * 3


def test_only_folders_are_followed(assistant: Assistant, folder: Path) -> None:
    with pytest.raises(SettingsError, match="the folder"):
        FolderWatch(assistant, [folder / "ferry.txt"])
    with pytest.raises(SettingsError, match="--source"):
        FolderWatch(assistant, [])
    with pytest.raises(MissingPathError):
        FolderWatch(assistant, [folder / "nowhere"])


def test_followed_by_itself(assistant: Assistant, folder: Path) -> None:
    # As when it was changed while it was being indexed.
    (folder / "ferry.txt").write_text("The ferry to Brenna leaves at noon.")
    watch = FolderWatch(assistant, [folder])
    with following(watch):
        until(lambda: told(watch) == [("changed", "ferry.txt")])
        # Written beside it and put in its place, as editors do.
        (folder / ".ferry.txt.part").write_text("The ferry to Brenna leaves at ten.")
        (folder / ".ferry.txt.part").replace(folder / "ferry.txt")
        until(lambda: len(watch.changes) == 2)
        assert assistant.search("ferry", 1)[0].paragraph.text.endswith("ten.")
        # The whole folder goes, and comes back with another file.
        away = folder.with_name("away")
        folder.rename(away)
        (away / "bakery.txt").write_text(BAKERY)
        until(lambda: not folder.exists())
        assert assistant.search("ferry", 1)  # what it held is kept
        away.rename(folder)
        until(lambda: told(watch)[2:] == [("added", "bakery.txt")])


def test_folders_that_cannot_be_watched_are_looked_through(
    watch: FolderWatch, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError("No space left for watches.")

    monkeypatch.setattr(watching, "RETRY", 0.2)
    monkeypatch.setattr(watching, "watch", full)
    file = folder.with_name("bakery.txt")
    file.write_text(BAKERY)
    with following(watch):
        # A file that is written inside the folder would be empty for a moment.
        file = file.rename(folder / file.name)
        until(lambda: told(watch) == [("added", "bakery.txt")])
        file.unlink()
        until(lambda: told(watch)[1:] == [("removed", "bakery.txt")])

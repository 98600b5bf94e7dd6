"""Which files of a folder are read, and which are left out."""

from __future__ import annotations

from pathlib import Path

import pytest

from index.errors import (
    EmptyDocumentError,
    MissingPathError,
    SettingsError,
    UnreadableError,
)
from index.readers.files import IGNORE_FILE, find_files


def write(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("Text.", encoding="utf-8")


def names(folder: Path, *ignore: str) -> list[str]:
    return [path.relative_to(folder).as_posix() for path in find_files([folder], ignore=ignore)]


def test_find_files(tmp_path: Path) -> None:
    write(tmp_path, "b.txt", "a/z.md", "a/.hidden.txt", ".git/c.txt", "a/image.png", "D.TEXT")
    inside = [tmp_path / "D.TEXT", tmp_path / "a/z.md", tmp_path / "b.txt"]
    assert find_files([tmp_path]) == inside
    assert find_files([str(tmp_path / "a/image.png"), tmp_path, tmp_path / "b.txt"]) == [
        tmp_path / "a/image.png",
        *inside,
    ]


def test_nothing_to_find(tmp_path: Path) -> None:
    with pytest.raises(MissingPathError, match="nowhere"):
        find_files([tmp_path / "nowhere"])
    with pytest.raises(EmptyDocumentError, match=r"\.markdown"):
        find_files([tmp_path])
    # What Office keeps beside an open document is left out.
    write(tmp_path, "~$plan.docx", "plan.docx", ".~lock.plan.docx#", "~plan.txt")
    assert names(tmp_path) == ["plan.docx", "~plan.txt"]


def test_patterns_leave_out(tmp_path: Path) -> None:
    write(tmp_path, "a.txt", "drafts/b.txt", "drafts/c.md", "d/drafts/e.txt", "d/f.md")
    assert names(tmp_path, "/drafts/") == ["a.txt", "d/drafts/e.txt", "d/f.md"]
    assert names(tmp_path, "drafts") == ["a.txt", "d/f.md"]
    assert names(tmp_path, "*.md", "!f.md") == ["a.txt", "d/drafts/e.txt", "d/f.md", "drafts/b.txt"]
    # A file named itself is read all the same.
    assert find_files([tmp_path / "a.txt"], ignore=["*"]) == [tmp_path / "a.txt"]


def test_the_deeper_file_of_patterns_counts(tmp_path: Path) -> None:
    write(tmp_path, "a.txt", "a.md", "sub/a.md", "sub/b.md", "sub/deep/b.md")
    (tmp_path / IGNORE_FILE).write_text("# notes\n*.md\n", encoding="utf-8")
    (tmp_path / "sub" / IGNORE_FILE).write_text("!/b.md\n", encoding="utf-8")
    assert names(tmp_path) == ["a.txt", "sub/b.md"]
    assert names(tmp_path / "sub") == ["a.md", "b.md", "deep/b.md"]


def test_patterns_that_cannot_be_understood(tmp_path: Path) -> None:
    write(tmp_path, "a.txt", "sub/b.txt")
    with pytest.raises(SettingsError, match=r"\.gitignore"):
        find_files([tmp_path], ignore=["!"])
    (tmp_path / "sub" / IGNORE_FILE).write_bytes(b"\xff\n")
    with pytest.raises(UnreadableError, match=IGNORE_FILE):
        find_files([tmp_path])
    skipped: list[UnreadableError] = []
    assert find_files([tmp_path], skipped.append) == [tmp_path / "a.txt"]  # type: ignore[arg-type]
    assert [error.source for error in skipped] == [str((tmp_path / "sub").resolve())]

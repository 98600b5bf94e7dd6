"""Small texts that are kept beside an index, by kind and name: who is there, what was said of an
answer, which keys let in. Those of a kind may be in groups, as the questions of a conversation are.
They are no part of what is searched, and change without a new revision.
"""

from __future__ import annotations

import re
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Any

from index.store.chroma import translated
from index.store.chroma_server import Server
from index.store.whole import write_whole

_NAME = re.compile(r"[A-Za-z0-9_-]{1,80}")


class FileRecords:
    """The texts of one kind, or of a group of it, as files of a folder, which is made when the
    first one is kept. May be used from many threads and processes; the last write of a name counts.

    Raises (any method):
        IndexFullError, IndexCorruptedError, IndexUnavailableError: they cannot be written or read.
        ValueError: a name has other characters than letters, digits, `_` and `-`, or over 80.

    Args:
        folder: where they are.
        private: whether only the user who makes the folder may look into it.
    """

    def __init__(self, folder: Path, private: bool = False) -> None:
        self._folder = folder
        self._mode = 0o700 if private else 0o777  # less what the system takes away

    def get(self, name: str) -> str | None:
        """The text of that name; None where there is none."""
        with translated(self._folder):
            try:
                return (self._folder / checked(name)).read_text(encoding="utf-8")
            except FileNotFoundError:
                return None

    def put(self, name: str, text: str) -> None:
        """Keep a text in place of the one of that name."""
        file = self._folder / checked(name)
        with translated(self._folder):
            self._folder.mkdir(self._mode, parents=True, exist_ok=True)
            write_whole(file, text)

    def delete(self, name: str) -> None:
        """Let go of the text of that name, if there is one."""
        file = self._folder / checked(name)
        with translated(self._folder):
            file.unlink(missing_ok=True)

    def clear(self) -> None:
        """Let go of all of them."""
        with translated(self._folder), suppress(FileNotFoundError):
            shutil.rmtree(self._folder)

    def names(self) -> list[str]:
        """The names of all texts, in order."""
        with translated(self._folder):
            names = [f.name for f in self._folder.iterdir()] if self._folder.is_dir() else []
        return sorted(name for name in names if _NAME.fullmatch(name))

    def all(self) -> dict[str, str]:
        """All texts by name, ordered by name."""
        found = {name: self.get(name) for name in self.names()}
        return {name: text for name, text in found.items() if text is not None}


class ServedRecords:
    """The same as a collection of a Chroma server, which all groups of a kind share."""

    def __init__(self, server: Server, kind: str, group: str = "") -> None:
        self._server = server
        self._name = f"records.{checked(kind)}.all"  # a name ends with a letter
        self._prefix = f"{checked(group)}:" if group else ""
        # Records of a kind without groups have none: they were there before groups were.
        self._which = {"where": {"group": group}} if group else {}

    @property
    def _records(self) -> Any:
        return self._server.collection(self._name)

    def get(self, name: str) -> str | None:
        """See `FileRecords`."""
        return self._read(ids=[self._prefix + checked(name)]).get(name)

    def put(self, name: str, text: str) -> None:
        """See `FileRecords`."""
        ids, metadata = [self._prefix + checked(name)], {"text": text}
        metadata |= self._which.get("where", {})
        self._records.upsert(ids=ids, embeddings=[[1.0]], metadatas=[metadata])

    def delete(self, name: str) -> None:
        """See `FileRecords`."""
        ids = [self._prefix + checked(name)]
        self._records.delete(ids=ids)

    def clear(self) -> None:
        """See `FileRecords`."""
        ids = [self._prefix + name for name in self.names()]
        if ids:
            self._records.delete(ids=ids)

    def names(self) -> list[str]:
        """See `FileRecords`."""
        with self._server.translated():
            ids = self._records.get(include=[], **self._which)["ids"]
        return sorted(name.removeprefix(self._prefix) for name in ids)

    def all(self) -> dict[str, str]:
        """See `FileRecords`."""
        return dict(sorted(self._read(**self._which).items()))

    def _read(self, **which: Any) -> dict[str, str]:
        with self._server.translated():
            found = self._records.get(include=["metadatas"], **which)
        pairs = zip(found["ids"], found["metadatas"], strict=True)
        return {name.removeprefix(self._prefix): str(own["text"]) for name, own in pairs}


Records = FileRecords | ServedRecords


def checked(name: str) -> str:
    """The name, if it is one.

    Raises:
        ValueError: it is not.
    """
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} is not a name of letters, digits, _ and -")
    return name

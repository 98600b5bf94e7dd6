"""The seal: tells whether the files under Chroma are as they were when it last returned.

It lies beside Chroma's folder and holds the sizes and times of the files of the HNSW graphs and of
the database, and the hashes of the former. While Chroma writes it is renewed each time it has
returned, by sizes and times alone: whoever writes a file moves its time, and Chroma rewrites a
graph only after 1,000 new vectors, long after the tick of the clock in which it was sealed. To hash
a graph of gigabytes as often would take longer than to write it. The hashes are made at the end,
when the seal is closed. What a disk spoils by itself shows when all is hashed again, which is done
before anything is written (`Store.verify`).
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import uuid
from pathlib import Path

_SEGMENT = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_Stat = list[int]  # size in bytes, time of the last change in nanoseconds
#: What a seal holds that fits no files.
_NOTHING: dict[str, _Stat] = {"": []}


class Seal:
    """The seal of the Chroma folder at `path`.

    Attributes:
        space: the documents collection that was current when the seal was last written; "" where
            there is no seal. It tells an emptied database from a new one.
    """

    def __init__(self, path: Path) -> None:
        """Read it; an unreadable seal fits nothing."""
        self._path = path
        self._file = path.with_name("seal")
        self._hashes: dict[str, str] = {}
        self._stats: dict[str, _Stat] = {}
        self._database: _Stat = []
        self.space = ""
        try:
            kept = json.loads(self._file.read_text())
            self.space, self._hashes = str(kept["space"]), dict(kept["files"])
            self._stats, self._database = dict(kept.get("stats", {})), kept.get("database", [])
        except FileNotFoundError:
            pass  # a new index, or killed before its first write
        except (ValueError, KeyError, TypeError, AttributeError):
            self._hashes, self._stats = {}, _NOTHING

    def fits(self, thoroughly: bool = False) -> bool:
        """Whether the graphs' files are those that were sealed, none more and none less;
        `thoroughly`: by their hashes, also where nobody seems to have written them."""
        stats = self._stat_files()
        return stats.keys() == self._stats.keys() | self._hashes.keys() and all(
            self._hash(name) == self._hashes[name]
            if name in self._hashes and (thoroughly or stat != self._stats.get(name))
            else stat == self._stats[name]  # not hashed yet where a process was killed
            for name, stat in stats.items()
        )

    def fits_database(self) -> bool:
        """Whether nobody has written the database since it was sealed, as far as its time tells."""
        return self._database == self._stat_database()

    def renew(self, space: str) -> None:
        """Seal the graphs' files by their sizes and times. Chroma must have returned."""
        stats = self._stat_files()
        if (self.space, self._stats) != (space, stats):
            same = {name for name, stat in stats.items() if stat == self._stats.get(name)}
            self._hashes = {name: own for name, own in self._hashes.items() if name in same}
            self.space, self._stats = space, stats
            self._write()

    def close(self, space: str) -> None:
        """Seal all, the graphs' files by their hashes too; after this nobody writes for a while."""
        self.renew(space)
        database, missing = self._stat_database(), self._stats.keys() - self._hashes.keys()
        if missing or self._database != database:
            self._hashes |= {name: self._hash(name) for name in missing}
            self._database = database
            self._write()

    def break_open(self) -> None:
        """Make it fit nothing: what was sealed is spoilt."""
        self._hashes, self._stats, self._database = {}, _NOTHING, []
        self._write()

    def discard_files(self) -> None:
        """Delete the graphs' files, sealed or not."""
        for entry in segments(self._path):
            if entry.is_dir():
                shutil.rmtree(entry)
            else:
                entry.unlink()

    def _write(self) -> None:
        content = {
            "space": self.space,
            "files": self._hashes,
            "stats": self._stats,
            "database": self._database,
        }
        write_whole(self._file, json.dumps(content))

    def _stat_files(self) -> dict[str, _Stat]:
        return {
            file.relative_to(self._path).as_posix(): _stat(file)
            for entry in segments(self._path)
            for file in (entry.rglob("*") if entry.is_dir() else [entry])
            if file.is_file()
        }

    def _stat_database(self) -> _Stat:
        file = self._path / "chroma.sqlite3"
        return _stat(file) if file.is_file() else []

    def _hash(self, name: str) -> str:
        with (self._path / name).open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()


def _stat(file: Path) -> _Stat:
    stat = file.stat()
    return [stat.st_size, stat.st_mtime_ns]


def segments(path: Path) -> list[Path]:
    """What in Chroma's folder is named like a segment, the folder of an HNSW graph."""
    entries = path.iterdir() if path.is_dir() else []
    return sorted(entry for entry in entries if _SEGMENT.fullmatch(entry.name))


def write_whole(file: Path, content: str | bytes) -> None:
    """Write a file beside and rename: killed anywhere, the old or the new one is there."""
    # A name of its own: two threads or processes may write the same file at once.
    part = file.with_name(f".{file.name}.{uuid.uuid4().hex}.part")
    try:
        part.write_bytes(content if isinstance(content, bytes) else content.encode())
        part.replace(file)
    finally:
        part.unlink(missing_ok=True)

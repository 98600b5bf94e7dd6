"""Which entry of an exported bibliography tells of which file."""

from __future__ import annotations

import logging
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path, PurePosixPath

from index.bibliography.formats import SUFFIXES, Exported, is_export, read_export
from index.chunking.isolation import READING
from index.errors import DocumentError, UnreadableError
from index.models import NO_ENTRY, BibliographyEntry
from index.readers.files import OnSkip, find_inside, source_of
from index.readers.loader import RawDocument

MAX_BYTES = 200_000_000
"""A larger file is no export that is read."""

_logger = logging.getLogger(__name__)

_SNIFFED = 65_536
_LONG_TITLE = 20
"""Characters of a title by whose beginning alone a file may be named."""
_SIGNS = re.compile(r"[\W_]+")


class Bibliography:
    """What exports say of files.

    Args:
        exports: by the path of each, its entries.
    """

    def __init__(self, exports: Mapping[Path, Sequence[Exported]]) -> None:
        self._by_path: dict[str, BibliographyEntry] = {}
        # The end of a path, a name, a key, a DOI: each may be of several entries.
        self._by: dict[str, set[BibliographyEntry]] = defaultdict(set)
        self._titled: list[tuple[str, BibliographyEntry]] = []
        for export, entries in exports.items():
            for exported in entries:
                self._take(export.parent, exported)

    def _take(self, folder: Path, exported: Exported) -> None:
        entry, metadata = exported.entry, exported.entry.metadata
        for path in exported.files:
            # Written on another system, maybe: what counts then is how it ends.
            parts = path.removeprefix("file://").replace("\\", "/")
            self._by_path.setdefault(_name(source_of(folder / parts)), entry)
            self._by[f"end:{_end(parts)}"].add(entry)
            self._by[f"name:{_name(PurePosixPath(parts).name)}"].add(entry)
        if metadata.key:
            self._by[f"key:{_name(metadata.key)}"].add(entry)
        if metadata.doi:
            self._by[f"doi:{metadata.doi.lower()}"].add(entry)
        if title := _letters(entry.title):
            self._titled.append((title, entry))

    def described(self, raws: Iterable[RawDocument], files: Iterable[Path]) -> list[RawDocument]:
        """Documents with what is said of each.

        Args:
            raws: the documents.
            files: all files of which they are some: a name that several share identifies none.
        """
        names = Counter(_name(file.name) for file in files)
        return [
            replace(
                raw, entry=partial(self._entry, raw.source, names[_name(Path(raw.source).name)])
            )
            for raw in raws
        ]

    def _entry(self, source: str, so_called: int, doi: str) -> BibliographyEntry:
        """What is said of a document: the entry that has its path, or the end of it (Zotero's
        `ABCD1234/name.pdf`); or that alone has its file name, is cited by a key that it is called
        by, or has its DOI; or whose title alone it is called by, as Zotero names files. NO_ENTRY
        where there is none.

        Args:
            source: the path of its file.
            so_called: how many files have its name.
            doi: its own; "" where it tells none.
        """
        path = Path(source)
        if entry := self._by_path.get(_name(source)):
            return entry
        wanted = [f"end:{_end(source)}"]
        if so_called < 2:
            wanted += [f"name:{_name(path.name)}", f"key:{_name(path.stem)}"]
        if doi:
            wanted.append(f"doi:{doi.lower()}")
        for key in wanted:
            if len(found := self._by.get(key, ())) == 1:
                return next(iter(found))
        return (self._by_title(path.stem) if so_called < 2 else None) or NO_ENTRY

    def _by_title(self, stem: str) -> BibliographyEntry | None:
        """The only entry after which a file is named, `Author - Year - Title`, the title cut off
        where it is long; the year, where there is one, has to be the entry's."""
        before, _, last = stem.rpartition(" - ")
        called = _letters(last)
        found = {
            entry
            for title, entry in self._titled
            if (called == title or (len(called) >= _LONG_TITLE and title.startswith(called)))
            and (not before or entry.metadata.date[:4] in before)
        }
        return found.pop() if len(found) == 1 else None


def find_exports(paths: Sequence[Path], ignore: Sequence[str] = ()) -> list[Path]:
    """The exports of reference managers among files, in folders, and beside either.

    Args:
        paths: what is read, all of which is there.
        ignore: see `find_files`.
    """
    found: list[Path] = []
    for path in paths:
        found += find_inside(path, ignore, SUFFIXES) if path.is_dir() else [path]
    by_source = {source_of(file): file for file in found if _is_export(file)}
    for file in exports_beside(paths):
        by_source.setdefault(source_of(file), file)
    return list(by_source.values())


def exports_beside(paths: Iterable[Path]) -> list[Path]:
    """Those in the folders that paths are in."""
    found = list[Path]()
    for folder in dict.fromkeys(path.absolute().parent for path in paths):
        with suppress(OSError):  # one may read in it, and not list it
            found += sorted(file for file in folder.iterdir() if _is_export(file))
    return found


def read_bibliography(
    exports: Iterable[Path], on_skip: OnSkip | None = None
) -> Bibliography | None:
    """What exports say; None where there is none that can be read.

    Args:
        exports: their paths.
        on_skip: called with the error for each that cannot be read; when left out, that is logged:
            the documents can be read without it.
    """
    read: dict[Path, Sequence[Exported]] = {}
    for path in exports:
        try:
            read[path] = READING.run(path.name, read_export, _content(path), path.name)
        except DocumentError as error:
            error.source = source_of(path)
            if on_skip:
                on_skip(error)
            else:
                _logger.warning("%s", error)
    return Bibliography(read) if read else None


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UnreadableError(
            f"The bibliography {str(path)!r} cannot be read: {error.strerror}. Check that you may "
            "read it."
        ) from error


def _is_export(path: Path) -> bool:
    if path.suffix.lower() not in SUFFIXES or path.name.startswith("."):
        return False
    try:
        if not path.is_file() or path.stat().st_size > MAX_BYTES:
            return False
        with path.open("rb") as file:
            return is_export(path.name, file.read(_SNIFFED))
    except OSError:
        return False  # it may not be read


def _name(name: str) -> str:
    """A name as all systems write it."""
    return unicodedata.normalize("NFC", name).casefold()


def _end(path: str) -> str:
    return _name("/".join(PurePosixPath(path).parts[-2:]))


def _letters(text: str) -> str:
    return _SIGNS.sub(" ", _name(text)).strip()

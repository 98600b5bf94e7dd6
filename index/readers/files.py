"""Which files are read: those that are named, and those inside folders that are not left out."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from pathspec import GitIgnoreSpec

from index.errors import (
    DocumentError,
    EmptyDocumentError,
    MissingPathError,
    SettingsError,
    UnreadableError,
)
from index.readers.formats import FORMATS, TEXT_FORMATS

PICTURES = tuple(suffix for known in FORMATS if known.is_picture for suffix in known.suffixes)
_SUFFIXES = (suffix for known in (*TEXT_FORMATS, *FORMATS) for suffix in known.suffixes)
SUFFIXES = tuple(dict.fromkeys(suffix for suffix in _SUFFIXES if suffix not in PICTURES))
"""What is read inside folders, and pictures where those are read; a file named itself is tried
whatever its suffix."""

IGNORE_FILE = ".footnoteignore"
"""A file in a folder whose lines, as in `.gitignore`, say what below the folder is left out."""

_MISSING = (errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG, errno.ELOOP)
LEFT_OUT = (".", "~$")
"""How the names of hidden files begin, and of those that Office keeps beside an open document."""

OnSkip = Callable[[DocumentError], None]
"""Called with the error for what cannot be read; `DocumentError.source` says what that is."""


_Rules = tuple[Path, GitIgnoreSpec]
"""A folder, and what of it is left out, by patterns with paths from it."""


def find_files(
    paths: Iterable[str | os.PathLike[str]],
    on_skip: OnSkip | None = None,
    ignore: Sequence[str] = (),
    *,
    ocr: bool = False,
) -> list[Path]:
    """The files to read: files as given, and those with a known suffix inside folders, sorted.

    Inside a folder what is hidden is left out, and what Office keeps beside an open document; and
    what `ignore` or an IGNORE_FILE of the folder, or of one below it, matches. The deeper file
    counts, and in it the last line that matches. A file found twice is listed once.

    Args:
        paths: files and folders.
        on_skip: called with the error for each folder inside a folder that cannot be listed; when
            left out, such an error is raised.
        ignore: patterns as in `.gitignore`, with paths from each folder.
        ocr: whether pictures are read.

    Raises:
        MissingPathError: a path does not exist.
        UnreadableError: a folder cannot be listed, or an IGNORE_FILE cannot be understood.
        EmptyDocumentError: a folder holds no file to read.
        SettingsError: one of the patterns cannot be understood.
    """
    patterns = _patterns(ignore)
    found: dict[Path, None] = {}
    for path in map(Path, paths):
        if not stat.S_ISDIR(mode_of(path)):
            found.setdefault(path)
            continue
        known = SUFFIXES + PICTURES if ocr else SUFFIXES
        inside = list(_walk(path, ((path, patterns),), on_skip, known))
        if not inside:
            raise EmptyDocumentError(
                f"The folder {str(path)!r} holds no file to read. Files that end in "
                f"{', '.join(known)} are read; name another file itself to have it read too."
            )
        found.update(dict.fromkeys(inside))
    return list(found)


def source_of(path: str | os.PathLike[str]) -> str:
    """What a document read from this path has as its `source`: the absolute path as text.

    Bytes of a name that are not UTF-8 are written as `\\xe9`, so that any program can print it.
    """
    try:
        # Not `Path.resolve`, which raises where links lead in a circle.
        absolute = os.path.realpath(path)
    except ValueError:  # a NUL in the path: there is no such file
        absolute = str(Path(path).absolute())
    return os.fsencode(absolute).decode("utf-8", "backslashreplace")


def mode_of(path: Path) -> int:
    """What stands at the path, as `os.stat_result.st_mode`.

    Raises:
        MissingPathError: nothing does.
        UnreadableError: permission or the disk forbids looking.
    """
    try:
        return path.stat().st_mode
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        if isinstance(error, OSError) and error.errno not in _MISSING:
            raise UnreadableError(
                f"{str(path)!r} cannot be looked at: {error.strerror}. Check that you may read the "
                "folder that it is in."
            ) from error
        raise MissingPathError(
            f"There is no file or folder {str(path)!r}. Check the spelling, or give the path "
            f"from the current folder, {str(Path.cwd())!r}."
        ) from error


def _patterns(ignore: Sequence[str]) -> GitIgnoreSpec:
    try:
        return GitIgnoreSpec.from_lines(ignore)
    except ValueError as error:
        raise SettingsError(
            f"What to leave out cannot be understood: {error}. Patterns are as in .gitignore."
        ) from error


def _walk(
    folder: Path, rules: tuple[_Rules, ...], on_skip: OnSkip | None, suffixes: Sequence[str]
) -> Iterator[Path]:
    """Files with one of the suffixes below a folder, each folder's entries sorted by name.

    Links to folders are not followed: they may lead in a circle.
    """
    try:
        entries = sorted(folder.iterdir())
        rules += _rules_in(folder)
    except OSError as error:
        raise UnreadableError(
            f"The folder {str(folder)!r} cannot be listed: {error.strerror}. Check that you may "
            "read it, or name the files themselves.",
            code="folder_unavailable",
        ) from error
    for entry in entries:
        if entry.name.startswith(LEFT_OUT):
            continue
        known = entry.suffix.lower() in suffixes
        try:
            mode = mode_of(entry)
            is_folder = stat.S_ISDIR(mode)
            if not (is_folder or known) or _is_left_out(entry, is_folder, rules):
                continue
            if is_folder and not entry.is_symlink():
                yield from _walk(entry, rules, on_skip, suffixes)
            elif stat.S_ISREG(mode):
                yield entry
        except MissingPathError:
            # A link that leads nowhere. One that looks like a document is reported when it is read.
            if known and not _is_left_out(entry, False, rules):
                yield entry
        except UnreadableError as error:
            if on_skip is None:
                raise
            error.source = source_of(entry)
            on_skip(error)


def _rules_in(folder: Path) -> tuple[_Rules, ...]:
    """The rules in the IGNORE_FILE of a folder, if it has one."""
    file = folder / IGNORE_FILE
    if not file.is_file():
        return ()
    try:
        return ((folder, GitIgnoreSpec.from_lines(file.read_text("utf-8").splitlines())),)
    except ValueError as error:  # no pattern, or not UTF-8
        raise UnreadableError(
            f"{str(file)!r} cannot be understood: {error}. Its lines are patterns as in .gitignore."
        ) from error


def _is_left_out(path: Path, is_folder: bool, rules: Sequence[_Rules]) -> bool:
    for folder, patterns in reversed(rules):
        relative = path.relative_to(folder).as_posix()
        verdict = patterns.check_file(f"{relative}/" if is_folder else relative).include
        if verdict is not None:
            return verdict
    return False

"""Files into documents: finding them, decoding them, cutting them into paragraphs."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path

from index.chunking.chunker import segmentation
from index.chunking.decoding import decoded
from index.chunking.formats import FORMATS, TEXT_FORMATS, format_of
from index.errors import (
    EmptyDocumentError,
    FootnoteError,
    MissingPathError,
    UnreadableError,
)
from index.models import Document, bytes_hash, document_id, text_hash

SUFFIXES = tuple(suffix for own in (*TEXT_FORMATS, *FORMATS) for suffix in own.suffixes)
"""What is read inside folders; a file named itself is tried whatever its suffix."""

MAX_BYTES = 500_000_000
"""A larger file is refused before it fills the memory."""

LIBRARIES = ("sentencex", "markdown-it-py", "liteparse", "docling-slim", "python-calamine")
"""What else decides how a file is read."""

_BINARY = {own.name: own for own in FORMATS}
_TEXT = {own.name: own for own in TEXT_FORMATS}


def find_files(
    paths: Iterable[str | os.PathLike[str]],
    on_skip: Callable[[FootnoteError], None] | None = None,
) -> list[Path]:
    """The files to read: files as given, and those with a known suffix inside folders, sorted.

    Hidden files and folders inside a folder are skipped, and a file found twice is listed once.

    Args:
        paths: files and folders.
        on_skip: called with the error for each folder inside a folder that cannot be listed; when
            left out, such an error is raised.

    Raises:
        MissingPathError: a path does not exist.
        UnreadableError: a folder cannot be listed.
        EmptyDocumentError: a folder holds no file with a known suffix.
    """
    found: dict[Path, None] = {}
    for path in map(Path, paths):
        if not stat.S_ISDIR(_mode(path)):
            found.setdefault(path)
            continue
        inside = list(_walk(path, on_skip))
        if not inside:
            raise EmptyDocumentError(
                f"The folder {str(path)!r} holds no file to read. Files that end in "
                f"{', '.join(SUFFIXES)} are read; name another file itself to have it read too."
            )
        found.update(dict.fromkeys(inside))
    return list(found)


@dataclass(frozen=True, slots=True)
class RawDocument:
    """A file or a text that is not yet laid out and cut into paragraphs, which is slow.

    `Index.sync` does that only where the index does not hold it as it is.

    Attributes:
        source, content: as of `Document`.
        format: the name of its format.
        file: where it is read from when it is laid out; None for a text.
        text: of plain text and Markdown, what was decoded.
        title: the title given to it; None where the file has one, or else its source.
    """

    source: str
    content: str
    format: str
    file: Path | None = None
    text: str | None = None
    title: str | None = None

    @property
    def id(self) -> str:
        """The id of the document."""
        return document_id(self.source)

    @property
    def reading(self) -> str:
        """Names how it is cut and entitled: by which code, as what, and the title given."""
        return f"{_code_version()} {self.format} {self.title or ''}".rstrip()

    def document(self) -> Document:
        """Lay it out and cut it into paragraphs.

        Raises:
            DocumentError: the file cannot be read any more, or holds nothing to read.
        """
        if self.file is None:
            content, layout = self.content, _TEXT[self.format].read(self.text or "", self.source)
        else:
            # As it is now: it may have changed since it was found.
            raw = _content(self.file)
            content = bytes_hash(raw)
            layout = _BINARY[self.format].read(raw, self.file.name)
        segmented = segmentation(layout, self.id)
        if not segmented.paragraphs:
            raise _empty(self.source, layout.text)
        document = Document(
            id=self.id,
            source=self.source,
            title=self.title or segmented.title or Path(self.source).name or self.source,
            text=layout.text,
            hash=text_hash(layout.text),
            paragraphs=segmented.paragraphs,
            reading=self.reading,
            content=content,
            boxes=layout.boxes,
        )
        document.check()
        return document


def read_raw(path: str | os.PathLike[str], title: str | None = None) -> RawDocument:
    """Read one file. Its format is told by its content; Markdown and separated values, which are
    text, by the suffix.

    `title` is by default the one that it has, or the heading that it begins with, or else the name
    of the file.

    Raises:
        MissingPathError: there is no such file.
        UnreadableError: it is a folder, or permission or the disk forbids reading it; or it is of a
            format that is not read.
        NotTextError: its bytes are of no format and not text.
        EmptyDocumentError: it holds no paragraph.
    """
    path = Path(path)
    mode = _mode(path)
    if not (stat.S_ISREG(mode) or stat.S_ISFIFO(mode)):  # a device may never come to an end
        kind = "folder" if stat.S_ISDIR(mode) else "device"
        raise UnreadableError(f"{str(path)!r} is a {kind}, not a file. Name a file.")
    content = _content(path)
    own, found = bytes_hash(content), format_of(content, path.name)
    if found:
        return RawDocument(source_of(path), own, found.name, file=path, title=title)
    text = decoded(content, path)
    del content  # as large as the text
    suffix = path.suffix.lower()
    name = next((own.name for own in TEXT_FORMATS if suffix in own.suffixes), "plain")
    return _text(text, source_of(path), title, name, own)


def read_document(path: str | os.PathLike[str], title: str | None = None) -> Document:
    """Read one file and cut it into paragraphs; see `read_raw`."""
    return read_raw(path, title).document()


def document_from_text(
    text: str, source: str, title: str | None = None, markdown: bool = False
) -> Document:
    """Make a document of text, kept as it is.

    `title` is by default the heading that it begins with, or else the last part of `source`.

    Raises:
        EmptyDocumentError: the text holds no paragraph.
    """
    name = "markdown" if markdown else "plain"
    return _text(text, source, title, name, text_hash(text)).document()


def _text(text: str, source: str, title: str | None, name: str, content: str) -> RawDocument:
    # Any other text has a paragraph: see `index.chunking.chunker.segmentation`.
    if not text or text.isspace():
        raise _empty(source, text)
    return RawDocument(source, content, name, text=text, title=title)


def _empty(source: str, text: str) -> EmptyDocumentError:
    return EmptyDocumentError(
        f"{source!r} holds no text ({len(text)} characters, all blank). Leave it out, or "
        "check that it was saved."
    )


def _content(path: Path) -> bytes:
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise UnreadableError(
                f"{str(path)!r} has {size / 1e6:,.0f} MB; at most {MAX_BYTES / 1e6:,.0f} are read. "
                "Split it, or leave it out."
            )
        return path.read_bytes()
    except OSError as error:
        raise UnreadableError(
            f"The file {str(path)!r} cannot be read: {error.strerror}. Check that it is a file and "
            "that you may read it."
        ) from error


@cache
def _code_version() -> str:
    """Hash of all that decides where paragraphs and sentences begin and end."""
    folder = Path(__file__).parent
    sources = [file.read_text(encoding="utf-8") for file in sorted(folder.glob("*.py"))]
    return text_hash("\n".join([*map(version, LIBRARIES), *sources]))[:12]


def source_of(path: str | os.PathLike[str]) -> str:
    """What a document read from this path has as its `source`: the absolute path as text.

    Bytes of a name that are not UTF-8 are written as `\\xe9`, so that any program can print it.
    """
    return os.fsencode(Path(path).resolve()).decode("utf-8", "backslashreplace")


def _mode(path: Path) -> int:
    """What stands at the path, as `os.stat_result.st_mode`.

    Raises:
        MissingPathError: nothing does.
        UnreadableError: permission or the disk forbids looking.
    """
    try:
        return path.stat().st_mode
    except OSError as error:
        missing = (errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG, errno.ELOOP)
        if error.errno not in missing:
            raise UnreadableError(
                f"{str(path)!r} cannot be looked at: {error.strerror}. Check that you may read the "
                "folder that it is in."
            ) from error
        reason: Exception = error
    except ValueError as error:  # a NUL in the path
        reason = error
    raise MissingPathError(
        f"There is no file or folder {str(path)!r}. Check the spelling, or give the path "
        f"from the current folder, {str(Path.cwd())!r}."
    ) from reason


def _walk(folder: Path, on_skip: Callable[[FootnoteError], None] | None) -> Iterator[Path]:
    """Files with a known suffix below a folder, each folder's entries sorted by name.

    Links to folders are not followed: they may lead in a circle.
    """
    try:
        entries = sorted(folder.iterdir())
    except OSError as error:
        raise UnreadableError(
            f"The folder {str(folder)!r} cannot be listed: {error.strerror}. Check that you may "
            "read it, or name the files themselves."
        ) from error
    for entry in entries:
        if entry.name.startswith("."):
            continue
        known = entry.suffix.lower() in SUFFIXES
        try:
            mode = _mode(entry)
            if stat.S_ISDIR(mode):
                if not entry.is_symlink():
                    yield from _walk(entry, on_skip)
            elif known and stat.S_ISREG(mode):
                yield entry
        except MissingPathError:
            # A link that leads nowhere. One that looks like a document is told when it is read.
            if known:
                yield entry
        except UnreadableError as error:
            if on_skip is None:
                raise
            on_skip(error)

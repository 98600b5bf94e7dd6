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

from index.chunking import chunker, markdown, plaintext, sentences
from index.chunking.decoding import decoded
from index.chunking.markdown import segment_markdown
from index.chunking.plaintext import segment_plain
from index.errors import (
    EmptyDocumentError,
    FootnoteError,
    MissingPathError,
    UnreadableError,
)
from index.models import Document, document_id, text_hash

MARKDOWN_SUFFIXES = (".md", ".markdown")
SUFFIXES = (".txt", ".text", *MARKDOWN_SUFFIXES)
"""What is read inside folders; a file named itself is tried whatever its suffix."""


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
    """A text that was read and is not yet cut into paragraphs, which is slow where it is large.

    `Index.sync` cuts it only where the index does not hold it as it is.

    Attributes:
        source, text, hash: as of `Document`.
        markdown: whether it is Markdown.
        title: the title given to it; None where the text has one, or else its source.
    """

    source: str
    text: str
    hash: str
    markdown: bool = False
    title: str | None = None

    @property
    def id(self) -> str:
        """The id of the document."""
        return document_id(self.source)

    @property
    def reading(self) -> str:
        """Names how it is cut and entitled: by which code, as what, and the title given."""
        kind = "markdown" if self.markdown else "plain"
        return f"{_code_version()} {kind} {self.title or ''}".rstrip()

    def document(self) -> Document:
        """Cut it into paragraphs."""
        segment = segment_markdown if self.markdown else segment_plain
        segmentation = segment(self.text, self.id)
        document = Document(
            id=self.id,
            source=self.source,
            title=self.title or segmentation.title or Path(self.source).name or self.source,
            text=self.text,
            hash=self.hash,
            paragraphs=segmentation.paragraphs,
            reading=self.reading,
        )
        document.check()
        return document


def read_raw(path: str | os.PathLike[str], title: str | None = None) -> RawDocument:
    """Read one file; Markdown is told by its suffix, everything else is plain text.

    `title` is by default the heading that it begins with, or else the name of the file.

    Raises:
        MissingPathError: there is no such file.
        UnreadableError: it is a folder, or permission or the disk forbids reading it.
        NotTextError: its bytes are not text.
        EmptyDocumentError: it holds no paragraph.
    """
    path = Path(path)
    mode = _mode(path)
    if not (stat.S_ISREG(mode) or stat.S_ISFIFO(mode)):  # a device may never come to an end
        kind = "folder" if stat.S_ISDIR(mode) else "device"
        raise UnreadableError(f"{str(path)!r} is a {kind}, not a file. Name a file of text.")
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UnreadableError(
            f"The file {str(path)!r} cannot be read: {error.strerror}. Check that it is a file and "
            "that you may read it."
        ) from error
    is_markdown = path.suffix.lower() in MARKDOWN_SUFFIXES
    text = decoded(content, path)
    del content  # as large as the text
    return _text(text, source_of(path), title, is_markdown)


def read_document(path: str | os.PathLike[str], title: str | None = None) -> Document:
    """Read one file and cut it into paragraphs; see `read_text`."""
    return read_raw(path, title).document()


def document_from_text(
    text: str, source: str, title: str | None = None, markdown: bool = False
) -> Document:
    """Make a document of text, kept as it is.

    `title` is by default the heading that it begins with, or else the last part of `source`.

    Raises:
        EmptyDocumentError: the text holds no paragraph.
    """
    return _text(text, source, title, markdown).document()


def _text(text: str, source: str, title: str | None, markdown: bool) -> RawDocument:
    # Any other text has a paragraph: see `index.chunking.chunker.segmentation`.
    if not text or text.isspace():
        raise EmptyDocumentError(
            f"{source!r} holds no text ({len(text)} characters, all blank). Leave it out, or "
            "check that it was saved."
        )
    return RawDocument(source, text, text_hash(text), markdown, title)


@cache
def _code_version() -> str:
    """Hash of all that decides where paragraphs and sentences begin and end."""
    modules = (markdown, plaintext, chunker, sentences)
    sources = [Path(str(module.__file__)).read_text(encoding="utf-8") for module in modules]
    libraries = [version("sentencex"), version("markdown-it-py")]
    return text_hash("\n".join([*libraries, *sources]))[:12]


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

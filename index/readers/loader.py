"""Files into documents: decoding them, cutting them into paragraphs."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache, partial
from importlib.metadata import version
from pathlib import Path

from index.chunking.chunker import segmentation
from index.chunking.decoding import decoded
from index.chunking.isolation import READING, SCANNING, damaged
from index.chunking.language import language_of
from index.errors import DocumentError, EmptyDocumentError, UnreadableError
from index.models import Document, bytes_hash, document_id, text_hash
from index.readers.files import mode_of, source_of
from index.readers.formats import FORMATS, TEXT_FORMATS, format_of, text_format
from index.readers.markdown import link_to_note, vault_of
from index.readers.pdf.reader import unread_pictures
from index.readers.pictures import page_count

MAX_BYTES = 500_000_000
"""A larger file is refused before it fills the memory."""

LIBRARIES = (
    "sentencex py3langid markdown-it-py liteparse docling-slim selectolax python-calamine"
).split()
"""What else decides how a file is read."""

_OCR = "+ocr"
_FORMATS = {known.name: known for known in (*FORMATS, *TEXT_FORMATS)}


@dataclass(frozen=True)
class Reading:
    """What `Document.reading` tells: how a document was cut and entitled.

    Attributes:
        code: by which version of the readers.
        format: as what it was read.
        title: that was given; empty where none was.
        ocr: whether its pictures were read.
    """

    code: str
    format: str
    title: str
    ocr: bool = False

    @classmethod
    def of(cls, told: str) -> Reading:
        """What is told; all of it is empty where nothing is."""
        code, name, title = [*told.split(" ", 2), "", "", ""][:3]
        return cls(code, name.removesuffix(_OCR), title, name.endswith(_OCR))

    def __str__(self) -> str:
        name = f"{self.format}{_OCR}" if self.ocr else self.format
        return f"{self.code} {name} {self.title}".rstrip()


@dataclass(frozen=True, slots=True)
class RawDocument:
    """A file or a text that is not yet laid out and cut into paragraphs, which is slow.

    `Index.sync` does that only where the index does not hold it as it is.

    Attributes:
        source, content: as of `Document`.
        format: the name of its format.
        file: where it is read from when it is laid out; None for a text.
        text: of plain text and Markdown, what was decoded.
        bytes: of its file, as it was found; 0 of a text.
        title: the title given to it; None where the file has one, or else its source.
        original: the file, where it is to be kept with the index since it is nowhere else.
        address: of the web, where it was fetched; its own where it names none.
        link: as of `DocumentMetadata`.
        ocr: whether its pictures are read.
    """

    source: str
    content: str
    format: str
    file: Path | None = None
    text: str | None = None
    title: str | None = None
    original: Path | None = None
    bytes: int = 0
    address: str = ""
    link: str = ""
    ocr: bool = False

    @property
    def id(self) -> str:
        """The id of the document."""
        return document_id(self.source)

    @property
    def has_pages(self) -> bool:
        """Whether its layout says where on which page its words are printed."""
        return self.format in _FORMATS and _FORMATS[self.format].has_pages

    @property
    def reading(self) -> str:
        """Names how it is cut and entitled: by which code, as what, and the title given."""
        return str(Reading(_code_version(), self.format, self.title or "", self.ocr))

    def document(self, on_page: Callable[[int, int], None] = lambda *_: None) -> Document:
        """Lay it out and cut it into paragraphs.

        Args:
            on_page: called with how many pages are read, and how many there are: of those that are
                pictures, or of all of a long PDF.

        Raises:
            DocumentError: the file cannot be read any more, or holds nothing to read.
        """
        content, size, read = self.content, self.bytes, _FORMATS[self.format].read
        if self.file is not None:
            with _errors_of(self.source, others=False):  # what `on_page` raises is no fault of it
                # As it is now: it may have changed since it was found.
                raw = _content(self.file)
                content, size = bytes_hash(raw), len(raw)
                read = partial(read, ocr=True) if self.ocr else read
                process = SCANNING if self.ocr else READING
                layout = process.run(self.file.name, read, raw, self.file.name, on_step=on_page)
        with _errors_of(self.source):
            if self.file is None:
                layout = read(self.text or "", self.source)
            language = language_of(layout.text)
            segmented = segmentation(layout, self.id, language)
            if not segmented.paragraphs:
                raise _empty(self.source)
            address = layout.metadata.address or self.address
            document = Document(
                id=self.id,
                source=self.source,
                title=self.title or segmented.title or Path(self.source).name or self.source,
                text=layout.text,
                hash=text_hash(layout.text),
                paragraphs=segmented.paragraphs,
                reading=self.reading,
                content=content,
                language=language,
                metadata=replace(layout.metadata, address=address, link=self.link),
                bytes=size,
                pages=layout.pages,
                unread=layout.unread,
                boxes=layout.boxes,
            )
            document.check()
            return document


def read_raw(
    path: str | os.PathLike[str], title: str | None = None, *, ocr: bool = False
) -> RawDocument:
    """Read one file. Its format is told by its content; Markdown and separated values, which are
    text, by the suffix.

    `title` is by default the one that it has, or the heading that it begins with, or else the name
    of the file. With `ocr` the pictures in it are read as well.

    Raises:
        MissingPathError: there is no such file.
        UnreadableError: it is a folder, or permission or the disk forbids reading it; or it is of a
            format that is not read.
        NotTextError: its bytes are of no format and not text.
        EmptyDocumentError: it holds no paragraph; or it is a picture, which is not to be read.
    """
    path = Path(path)
    with _errors_of(source_of(path)):
        mode = mode_of(path)
        if not (stat.S_ISREG(mode) or stat.S_ISFIFO(mode)):  # a device may never come to an end
            kind = "folder" if stat.S_ISDIR(mode) else "device"
            raise UnreadableError(f"{str(path)!r} is a {kind}, not a file. Name a file.")
        content = _content(path)
        size, hashed, found = len(content), bytes_hash(content), format_of(content, path.name)
        vault = vault_of(path)
        link = link_to_note(path, vault) if vault else ""
        if found and found.is_picture and not ocr:
            raise unread_pictures(path.name, READING.run(path.name, page_count, content))
        if found:
            ocr = ocr and found.has_pictures
            raw = RawDocument(source_of(path), hashed, found.name, path, ocr=ocr)
        else:
            text = decoded(content, path)
            del content  # as large as the text
            told = text_format(path.name)
            name = told.name if told else "plain"
            name = "obsidian" if vault and name == "markdown" else name
            raw = _raw_text(text, source_of(path), name, hashed)
        return replace(raw, title=title, bytes=size, link=link)


def read_document(
    path: str | os.PathLike[str], title: str | None = None, *, ocr: bool = False
) -> Document:
    """Read one file and cut it into paragraphs; see `read_raw`."""
    return read_raw(path, title, ocr=ocr).document()


def file_name(source: str, reading: str) -> str:
    """The name of the file that a document was read from, with a suffix of its format: a file that
    took the place of one of another format may be called as that one was."""
    name = Path(source).name
    suffix, told = Path(name).suffix.lower(), Reading.of(reading).format
    known = _FORMATS.get(told)
    others = [suffix for other in FORMATS for suffix in other.suffixes]
    if known is None or suffix in known.suffixes or (told == "plain" and suffix not in others):
        return name
    return name + known.suffixes[0]


def document_from_text(
    text: str, source: str, title: str | None = None, markdown: bool = False
) -> Document:
    """Make a document of text, kept as it is; of Markdown, what a reader of it sees.

    `title` is by default the heading that it begins with, or else the last part of `source`.

    Raises:
        EmptyDocumentError: the text holds no paragraph.
    """
    raw = _raw_text(text, source, "markdown" if markdown else "plain", text_hash(text))
    return replace(raw, title=title).document()


@contextmanager
def _errors_of(source: str, others: bool = True) -> Iterator[None]:
    """Errors of documents in the `with` name their source; `others`: any other one is raised as
    that of a damaged file."""
    try:
        yield
    except DocumentError as error:
        error.source = source
        raise
    except Exception as error:  # whatever a file makes the libraries below stumble over
        if not others:
            raise
        unreadable = damaged(source)
        unreadable.source = source
        raise unreadable from error


def _raw_text(text: str, source: str, format_name: str, content: str) -> RawDocument:
    # Any other text has a paragraph: see `index.chunking.chunker.segmentation`.
    if not text or text.isspace():
        raise _empty(source)
    return RawDocument(source, content, format_name, text=text)


def _empty(source: str) -> EmptyDocumentError:
    return EmptyDocumentError(
        f"{source!r} holds no text. Check that it was saved, or leave it out."
    )


def _content(path: Path) -> bytes:
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise UnreadableError(
                f"{str(path)!r} has {size / 1e6:,.0f} MB; at most {MAX_BYTES / 1e6:,.0f} are read. "
                "Split it, or leave it out.",
                code="too_long",
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
    readers = Path(__file__).parent
    folders = readers, readers.parent / "chunking"
    files = [file for folder in folders for file in sorted(folder.rglob("*.py"))]
    sources = [file.read_text(encoding="utf-8") for file in files]
    return text_hash("\n".join([*map(version, LIBRARIES), *sources]))[:12]

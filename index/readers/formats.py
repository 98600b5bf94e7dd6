"""The formats that are read, told apart by what a file holds; a new one is a file and a line
here."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from index.chunking.decoding import decoded
from index.chunking.layout import Layout, locked
from index.chunking.zip_archive import members
from index.errors import UnreadableError
from index.readers.epub import read_epub
from index.readers.html import read_html
from index.readers.mail import Attached, read_eml, read_msg
from index.readers.markdown import read_markdown
from index.readers.obsidian import read_note
from index.readers.pdf.reader import is_pdf, read_pdf
from index.readers.pictures import is_picture_file, read_picture
from index.readers.plaintext import read_plain
from index.readers.rich_text import read_rich_text
from index.readers.rtf import read_rtf
from index.readers.tables import read_separated, read_workbook

Recogniser = Callable[["File"], bool]

Reader = Callable[..., Layout]
"""Given a file's bytes and, for messages, its name: its layout."""


@dataclass(frozen=True, slots=True)
class Format:
    """A format of files that are not plain text.

    Attributes:
        name: as the index keeps it.
        suffixes: of such files; what is read inside folders.
        recognises: whether a file is of the format.
        read: makes a layout of them.
        has_pages: whether that says where on which page each word is printed.
        has_pictures: whether there may be text in pictures in them; it reads that with `ocr=True`.
        is_picture: whether they are nothing but pictures.
    """

    name: str
    suffixes: tuple[str, ...]
    recognises: Recogniser
    read: Reader
    has_pages: bool = False
    has_pictures: bool = False
    is_picture: bool = False

    def reading(self, ocr: bool) -> Reader:
        """What reads them, and with `ocr` also what stands in their pictures."""
        return partial(self.read, ocr=True) if ocr and self.has_pictures else self.read


@dataclass(frozen=True, slots=True)
class TextFormat:
    """A format of plain text: told by the suffix, for it says nothing of itself.

    Attributes:
        name, suffixes: as of `Format`.
        read: makes a layout of the text and, for messages, its name.
    """

    name: str
    suffixes: tuple[str, ...]
    read: Callable[[str, str], Layout]


TEXT_FORMATS = (
    TextFormat("plain", (".txt", ".text"), lambda text, _: read_plain(text)),
    TextFormat("markdown", (".md", ".markdown"), lambda text, _: read_markdown(text)),
    TextFormat("obsidian", (".md",), read_note),  # Markdown in a vault, which its folder tells
    TextFormat("separated", (".csv", ".tsv"), read_separated),
)

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
# Without `+` after the repetitions each way to divide what stands before would be tried.
_HTML = re.compile(
    rb"(?:\xef\xbb\xbf)?(?:\s++|<\?xml[^>]*+>|<!--.*?-->)*+<(?:!doctype\s+html|html)\b",
    re.I | re.S,
)
#: A part of a page, which a program puts into a whole one: told by its name as well.
_PART = re.compile(rb"</(?:p|div|li|td|h[1-6]|section|article|main)\s*>", re.I)
_PAGES = (".html", ".htm", ".xhtml")
MAX_DEPTH = 3
"""Messages inside one another of which the attached files are read."""

_MAIL = re.compile(rb"\A(?:[A-Za-z-]+:[^\n]*\n(?:[ \t][^\n]*\n)*){3,}", re.S)
_MAIL_HEADS = (b"from:", b"date:", b"received:", b"message-id:", b"mime-version:")


@dataclass(frozen=True)
class File:
    """What a format is told by.

    Attributes:
        content: its bytes.
        members: of a packed file, the names of what it holds.
        name: its own.
    """

    content: bytes
    members: frozenset[str]
    name: str


def _holds(member: str) -> Recogniser:
    return lambda file: member in file.members


def _is_declared(kind: str) -> Recogniser:
    """Whether a packed file says at its beginning of which type it is (OpenDocument)."""
    return lambda file: bool(file.members) and kind.encode() in file.content[:256]


def _has_stream(*names: str) -> Recogniser:
    """Whether it is an OLE file (of older programs) with one of these streams."""
    encoded = [name.encode("utf-16-le") for name in names]
    return lambda file: (
        file.content.startswith(_OLE) and any(own in file.content for own in encoded)
    )


def _is_mail(file: File) -> bool:
    heads = _MAIL.match(file.content[:16384])
    return heads is not None and sum(own in heads[0].lower() for own in _MAIL_HEADS) >= 2


def _is_html(file: File) -> bool:
    return bool(_HTML.match(file.content[:65536])) or (
        file.name.lower().endswith(_PAGES) and bool(_PART.search(file.content[:65536]))
    )


def _is_epub(file: File) -> bool:
    return "META-INF/container.xml" in file.members and any(
        name.endswith(".opf") for name in file.members
    )


def _read_message(content: bytes, name: str, depth: int = 0) -> Layout:
    """The layout of an e-mail with the files attached to it, and to a message attached to it, as
    deep as messages are forwarded."""

    def read(file: Attached) -> Layout | None:
        if file.content is None or depth == MAX_DEPTH:
            return None
        try:
            found = format_of(file.content, file.name)
            if found is None:
                own = text_format(file.name)
                if own is None:
                    return None
                return own.read(decoded(file.content, Path(file.name)), file.name)
            if found.read is _read_message:
                return _read_message(file.content, file.name, depth + 1)
            return found.read(file.content, file.name)
        except MemoryError:
            raise  # which ends the process
        except Exception:  # noqa: BLE001 (whatever it is: the file is named, the message is read)
            return None

    read_message = read_msg if content.startswith(_OLE) else read_eml
    return read_message(content, name, read)


_ODF = "application/vnd.oasis.opendocument."

FORMATS = (
    Format(
        "pdf",
        (".pdf",),
        lambda f: is_pdf(f.content),
        read_pdf,
        has_pages=True,
        has_pictures=True,
    ),
    Format(
        "picture",
        (".png", ".jpg", ".jpeg", ".tif", ".tiff"),
        lambda f: is_picture_file(f.content),
        read_picture,
        has_pages=True,
        has_pictures=True,
        is_picture=True,
    ),
    Format(
        "docx",
        (".docx", ".docm"),
        _holds("word/document.xml"),
        partial(read_rich_text, format_name="docx"),
        has_pictures=True,
    ),
    Format(
        "pptx",
        (".pptx", ".pptm"),
        _holds("ppt/presentation.xml"),
        partial(read_rich_text, format_name="pptx"),
        has_pictures=True,
    ),
    Format("xlsx", (".xlsx", ".xlsm"), _holds("xl/workbook.xml"), read_workbook),
    Format("xlsb", (".xlsb",), _holds("xl/workbook.bin"), read_workbook),
    Format("xls", (".xls",), _has_stream("Workbook", "Book"), read_workbook),
    Format("epub", (".epub",), _is_epub, read_epub),
    Format(
        "odt",
        (".odt",),
        _is_declared(_ODF + "text"),
        partial(read_rich_text, format_name="odt"),
        has_pictures=True,
    ),
    Format(
        "odp",
        (".odp",),
        _is_declared(_ODF + "presentation"),
        partial(read_rich_text, format_name="odp"),
        has_pictures=True,
    ),
    Format("ods", (".ods",), _is_declared(_ODF + "spreadsheet"), read_workbook),
    Format("html", _PAGES, _is_html, read_html),
    Format("rtf", (".rtf",), lambda f: f.content.startswith(b"{\\rtf"), read_rtf),
    Format("msg", (".msg",), _has_stream("__properties_version1.0"), _read_message),
    Format("eml", (".eml",), _is_mail, _read_message),
)


def text_format(name: str) -> TextFormat | None:
    """The format of a text, by the suffix of its file's name; None of one that tells nothing."""
    suffix = Path(name).suffix.lower()
    return next((own for own in TEXT_FORMATS if suffix in own.suffixes), None)


def format_of(content: bytes, name: str) -> Format | None:
    """The format of these bytes; None for what may be plain text.

    Raises:
        UnreadableError: they are of a kind that is known and not read.
    """
    file = File(content, members(content, name), name)
    found = next((own for own in FORMATS if own.recognises(file)), None)
    if found is None and content.startswith(_OLE):
        if _has_stream("EncryptedPackage")(file):
            raise locked(name)
        raise UnreadableError(
            f"{name!r} is in a format of older office programs. Open it, save it as DOCX, PPTX or "
            "PDF, and add that.",
            code="old_office",
        )
    return found

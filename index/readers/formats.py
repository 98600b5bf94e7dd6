"""The formats that are read, recognised by what a file holds; a new one is a module and a line
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
from index.readers.markdown import read_markdown, read_note
from index.readers.pdf.reader import is_pdf, read_pdf
from index.readers.pictures import is_picture_file, read_picture
from index.readers.plaintext import read_plain
from index.readers.rich_text import read_rich_text
from index.readers.rtf import read_rtf
from index.readers.tables import read_separated, read_workbook

MAX_DEPTH = 3
"""Messages inside one another of which the attached files are read."""

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ODF = "application/vnd.oasis.opendocument."
# Without `+` after the repetitions each way to divide what stands before would be tried.
_HTML = re.compile(
    rb"(?:\xef\xbb\xbf)?(?:\s++|<\?xml[^>]*+>|<!--.*?-->)*+<(?:!doctype\s+html|html)\b",
    re.I | re.S,
)
#: A part of a page, which a program puts into a whole one: recognised by its suffix as well.
_HTML_PART = re.compile(rb"</(?:p|div|li|td|h[1-6]|section|article|main)\s*>", re.I)
_HTML_SUFFIXES = (".html", ".htm", ".xhtml")
_MAIL = re.compile(rb"\A(?:[A-Za-z-]+:[^\n]*\n(?:[ \t][^\n]*\n)*){3,}", re.S)
_MAIL_HEADERS = (b"from:", b"date:", b"received:", b"message-id:", b"mime-version:")


@dataclass(frozen=True)
class File:
    """What a format is recognised by.

    Attributes:
        content: its bytes.
        members: of a packed file, the names of what it holds.
        name: its own.
    """

    content: bytes
    members: frozenset[str]
    name: str


Predicate = Callable[[File], bool]


@dataclass(frozen=True, slots=True)
class Format:
    """A format of files.

    Attributes:
        name: as the index keeps it.
        suffixes: of such files; what is read inside folders.
        recognises: whether a file is of the format; None for plain text, of which the suffix
            alone says the format.
        read: makes a layout of a file's bytes, or of plain text, and the file's name.
        has_pages: whether the layout says where on which page each word is printed.
        has_pictures: whether there may be text in pictures in them; `read` takes `ocr=True`.
        is_picture: whether they are nothing but pictures.
    """

    name: str
    suffixes: tuple[str, ...]
    recognises: Predicate | None
    read: Callable[..., Layout]
    has_pages: bool = False
    has_pictures: bool = False
    is_picture: bool = False


def _holds(member: str) -> Predicate:
    return lambda file: member in file.members


def _is_declared(kind: str) -> Predicate:
    """Whether a packed file says at its beginning of which type it is (OpenDocument)."""
    return lambda file: bool(file.members) and f"{_ODF}{kind}".encode() in file.content[:256]


def _has_stream(*names: str) -> Predicate:
    """Whether it is an OLE file (of older programs) with one of these streams."""
    encoded = [name.encode("utf-16-le") for name in names]
    return lambda file: (
        file.content.startswith(_OLE) and any(name in file.content for name in encoded)
    )


def _is_mail(file: File) -> bool:
    headers = _MAIL.match(file.content[:16384])
    return headers is not None and sum(h in headers[0].lower() for h in _MAIL_HEADERS) >= 2


def _is_html(file: File) -> bool:
    return bool(_HTML.match(file.content[:65536])) or (
        file.name.lower().endswith(_HTML_SUFFIXES) and bool(_HTML_PART.search(file.content[:65536]))
    )


def _is_epub(file: File) -> bool:
    return "META-INF/container.xml" in file.members and any(
        name.endswith(".opf") for name in file.members
    )


def _rich_text(name: str, suffixes: tuple[str, ...], recognises: Predicate) -> Format:
    read = partial(read_rich_text, format_name=name)
    return Format(name, suffixes, recognises, read, has_pictures=True)


def _read_message(content: bytes, name: str, depth: int = 0) -> Layout:
    """The layout of an e-mail with the files attached to it, and to a message attached to it, down
    to MAX_DEPTH."""

    def read(file: Attached) -> Layout | None:
        if file.content is None or depth == MAX_DEPTH:
            return None
        try:
            if found := format_of(file.content, file.name):
                deeper = (depth + 1,) if found.read is _read_message else ()
                return found.read(file.content, file.name, *deeper)
            if found := text_format(file.name):
                return found.read(decoded(file.content, Path(file.name)), file.name)
        except MemoryError:
            raise  # which ends the process
        except Exception:  # noqa: BLE001 (whatever it is: the file is named, the message is read)
            return None
        return None

    read_message = read_msg if content.startswith(_OLE) else read_eml
    return read_message(content, name, read)


TEXT_FORMATS = (
    Format("plain", (".txt", ".text"), None, lambda text, _: read_plain(text)),
    Format("markdown", (".md", ".markdown"), None, lambda text, _: read_markdown(text)),
    Format("obsidian", (".md",), None, read_note),  # Markdown in a vault, which its folder tells
    Format("separated", (".csv", ".tsv"), None, read_separated),
)

FORMATS = (
    Format(
        "pdf", (".pdf",), lambda f: is_pdf(f.content), read_pdf, has_pages=True, has_pictures=True
    ),
    Format(
        "picture",
        (".png", ".jpg", ".jpeg", ".tif", ".tiff"),
        lambda file: is_picture_file(file.content),
        read_picture,
        has_pages=True,
        has_pictures=True,
        is_picture=True,
    ),
    _rich_text("docx", (".docx", ".docm"), _holds("word/document.xml")),
    _rich_text("pptx", (".pptx", ".pptm"), _holds("ppt/presentation.xml")),
    Format("xlsx", (".xlsx", ".xlsm"), _holds("xl/workbook.xml"), read_workbook),
    Format("xlsb", (".xlsb",), _holds("xl/workbook.bin"), read_workbook),
    Format("xls", (".xls",), _has_stream("Workbook", "Book"), read_workbook),
    Format("epub", (".epub",), _is_epub, read_epub),
    _rich_text("odt", (".odt",), _is_declared("text")),
    _rich_text("odp", (".odp",), _is_declared("presentation")),
    Format("ods", (".ods",), _is_declared("spreadsheet"), read_workbook),
    Format("html", _HTML_SUFFIXES, _is_html, read_html),
    Format("rtf", (".rtf",), lambda file: file.content.startswith(b"{\\rtf"), read_rtf),
    Format("msg", (".msg",), _has_stream("__properties_version1.0"), _read_message),
    Format("eml", (".eml",), _is_mail, _read_message),
)


def text_format(name: str) -> Format | None:
    """The format of a text, by the suffix of its file's name; None where that says nothing."""
    suffix = Path(name).suffix.lower()
    return next((known for known in TEXT_FORMATS if suffix in known.suffixes), None)


def format_of(content: bytes, name: str) -> Format | None:
    """The format of these bytes; None for what may be plain text.

    Raises:
        UnreadableError: they are of a kind that is known and not read.
    """
    file = File(content, members(content, name), name)
    for known in FORMATS:
        if known.recognises and known.recognises(file):
            return known
    if not content.startswith(_OLE):
        return None
    if _has_stream("EncryptedPackage")(file):
        raise locked(name)
    raise UnreadableError(
        f"{name!r} is in a format of older office programs. Open it, save it as DOCX, PPTX or "
        "PDF, and add that.",
        code="old_office",
    )

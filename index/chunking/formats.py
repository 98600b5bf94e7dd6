"""The formats that are read, told apart by what a file holds; a new one is a file and a line
here."""

from __future__ import annotations

import re
import struct
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from io import BytesIO

from index.chunking.layout import Layout, locked
from index.chunking.mail import read_eml, read_msg
from index.chunking.markdown import read_markdown
from index.chunking.pdf import is_pdf, read_pdf
from index.chunking.plaintext import read_plain
from index.chunking.rich_text import read_rich_text
from index.chunking.rtf import read_rtf
from index.chunking.tables import read_separated, read_workbook
from index.errors import UnreadableError

Reader = Callable[[bytes, str], Layout]
"""Given a file's bytes and, for messages, its name: its layout."""


@dataclass(frozen=True, slots=True)
class Format:
    """A format of files that are not plain text.

    Attributes:
        name: as the index keeps it.
        suffixes: of such files; what is read inside folders.
        recognises: whether bytes are of the format.
        read: makes a layout of them.
        has_pages: whether that says where on which page each word is printed.
    """

    name: str
    suffixes: tuple[str, ...]
    recognises: Callable[[bytes], bool]
    read: Reader
    has_pages: bool = False


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
    TextFormat("separated", (".csv", ".tsv"), read_separated),
)

MAX_UNPACKED = 1_000_000_000
"""Bytes that a packed file may hold: a bomb holds more, and no document does."""

DAMAGED = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    NotImplementedError,
    RuntimeError,
    EOFError,
    OSError,
    ValueError,
)
"""What reading a damaged packed file raises."""

_ZIP = (b"PK\x03\x04", b"PK\x05\x06")
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_HTML = re.compile(
    rb"\A(?:\xef\xbb\xbf)?\s*(?:<\?xml[^>]*>|<!--.*?-->|\s)*<(?:!doctype\s+html|html)\b",
    re.I | re.S,
)
_MAIL = re.compile(rb"\A(?:[A-Za-z-]+:[^\n]*\n(?:[ \t][^\n]*\n)*){3,}", re.S)
_MAIL_HEADS = (b"from:", b"date:", b"received:", b"message-id:", b"mime-version:")


def _zip_names(content: bytes) -> frozenset[str]:
    if not content.startswith(_ZIP):
        return frozenset()
    try:
        with zipfile.ZipFile(BytesIO(content)) as archive:
            return frozenset(archive.namelist())
    except DAMAGED:
        return frozenset()  # what is damaged is told by `_check_packed`


def _holds(member: str) -> Callable[[bytes], bool]:
    return lambda content: member in _zip_names(content)


def _is_declared(kind: str) -> Callable[[bytes], bool]:
    """Whether a packed file says at its beginning of which type it is (OpenDocument)."""
    return lambda content: content.startswith(_ZIP) and kind.encode() in content[:256]


def _has_stream(*names: str) -> Callable[[bytes], bool]:
    """Whether it is an OLE file (of older programs) with one of these streams."""
    encoded = [name.encode("utf-16-le") for name in names]
    return lambda content: content.startswith(_OLE) and any(own in content for own in encoded)


def _is_mail(content: bytes) -> bool:
    heads = _MAIL.match(content[:16384])
    return heads is not None and sum(own in heads[0].lower() for own in _MAIL_HEADS) >= 2


def _is_epub(content: bytes) -> bool:
    names = _zip_names(content)
    return "META-INF/container.xml" in names and any(name.endswith(".opf") for name in names)


_ODF = "application/vnd.oasis.opendocument."

FORMATS = (
    Format("pdf", (".pdf",), is_pdf, read_pdf, has_pages=True),
    Format(
        "docx",
        (".docx", ".docm"),
        _holds("word/document.xml"),
        partial(read_rich_text, format_name="docx"),
    ),
    Format(
        "pptx",
        (".pptx", ".pptm"),
        _holds("ppt/presentation.xml"),
        partial(read_rich_text, format_name="pptx"),
    ),
    Format("xlsx", (".xlsx", ".xlsm"), _holds("xl/workbook.xml"), read_workbook),
    Format("xlsb", (".xlsb",), _holds("xl/workbook.bin"), read_workbook),
    Format("xls", (".xls",), _has_stream("Workbook", "Book"), read_workbook),
    Format("epub", (".epub",), _is_epub, partial(read_rich_text, format_name="epub")),
    Format(
        "odt", (".odt",), _is_declared(_ODF + "text"), partial(read_rich_text, format_name="odt")
    ),
    Format(
        "odp",
        (".odp",),
        _is_declared(_ODF + "presentation"),
        partial(read_rich_text, format_name="odp"),
    ),
    Format("ods", (".ods",), _is_declared(_ODF + "spreadsheet"), read_workbook),
    Format(
        "html",
        (".html", ".htm", ".xhtml"),
        lambda c: bool(_HTML.match(c[:65536])),
        partial(read_rich_text, format_name="html"),
    ),
    Format("rtf", (".rtf",), lambda c: c.startswith(b"{\\rtf"), read_rtf),
    Format("msg", (".msg",), _has_stream("__properties_version1.0"), read_msg),
    Format("eml", (".eml",), _is_mail, read_eml),
)


def format_of(content: bytes, name: str) -> Format | None:
    """The format of these bytes; None for what may be plain text.

    Raises:
        UnreadableError: they are of a kind that is known and not read.
    """
    found = next((own for own in FORMATS if own.recognises(content)), None)
    if content.startswith(_ZIP):
        _check_packed(content, name)
    if found is None and content.startswith(_OLE):
        if _has_stream("EncryptedPackage")(content):
            raise locked(name)
        raise UnreadableError(
            f"{name!r} is in a format of older office programs. Open it, save it as DOCX, PPTX or "
            "PDF, and add that."
        )
    return found


def _check_packed(content: bytes, name: str) -> None:
    """Refuse what would fill the memory, or have a parser write the same text a million times."""
    try:
        with zipfile.ZipFile(BytesIO(content)) as archive:
            size = sum(member.file_size for member in archive.infolist())
            if size > MAX_UNPACKED:
                raise UnreadableError(
                    f"{name!r} would take {size / 1e9:.0f} GB unpacked. Leave it out."
                )
            for member in archive.infolist():
                if member.filename.endswith((".xml", ".rels")):
                    with archive.open(member) as part:
                        if b"<!ENTITY" in part.read(65536):
                            raise UnreadableError(
                                f"{name!r} defines entities of its own in {member.filename}, which "
                                "no office program does. Leave it out."
                            )
    except DAMAGED as error:
        raise UnreadableError(
            f"{name!r} is damaged ({error}). Open it in the program that made it and save it anew."
        ) from error

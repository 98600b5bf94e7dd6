"""Packed files, as most formats of today are: what they hold, and which are not opened."""

from __future__ import annotations

import struct
import zipfile
import zlib
from io import BytesIO

from index.errors import UnreadableError

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
    KeyError,
    ValueError,
)
"""What reading a damaged packed file raises."""

_MAGIC = (b"PK\x03\x04", b"PK\x05\x06")
_MARKUP = (".xml", ".rels", ".opf", ".ncx", ".xhtml", ".html", ".htm")


def is_packed(content: bytes) -> bool:
    """Whether it is a packed file."""
    return content.startswith(_MAGIC)


def members(content: bytes) -> frozenset[str]:
    """The names of what it holds; none of a file that is not packed, or damaged."""
    if not is_packed(content):
        return frozenset()
    try:
        with zipfile.ZipFile(BytesIO(content)) as archive:
            return frozenset(archive.namelist())
    except DAMAGED:
        return frozenset()  # `check_packed` tells of it


def check_packed(content: bytes, name: str) -> None:
    """Refuse what would fill the memory, or have a parser write the same text a million times.

    Raises:
        UnreadableError: it is such a file, or damaged.
    """
    try:
        with zipfile.ZipFile(BytesIO(content)) as archive:
            size = sum(member.file_size for member in archive.infolist())
            if size > MAX_UNPACKED:
                raise UnreadableError(
                    f"{name!r} would take {size / 1e9:,.0f} GB unpacked. Leave it out."
                )
            for member in archive.infolist():
                if member.filename.lower().endswith(_MARKUP):
                    with archive.open(member) as part:
                        if b"<!ENTITY" in part.read(65536):
                            raise UnreadableError(
                                f"{name!r} defines entities of its own in {member.filename}, which "
                                "no program that writes documents does. Leave it out."
                            )
    except DAMAGED as error:
        raise UnreadableError(
            f"{name!r} is damaged ({error}). Open it in the program that made it and save it anew."
        ) from error

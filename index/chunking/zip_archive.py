"""Packed files, as most formats of today are: what they hold, and which are not opened."""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO

from index.errors import UnreadableError

MAX_UNPACKED = 1_000_000_000
"""Bytes that a packed file may hold: a bomb holds more, and no document does."""

DAMAGED = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    RuntimeError,
    EOFError,
    OSError,
    KeyError,
    ValueError,
)
"""What reading a damaged packed file raises."""

MAX_MEMBERS = 20_000
"""Files that it may hold."""

_MAGIC = (b"PK\x03\x04", b"PK\x05\x06")
_MARKUP = (".xml", ".rels", ".opf", ".ncx", ".xhtml", ".html", ".htm")


def is_packed(content: bytes) -> bool:
    """Whether it is a packed file."""
    return content.startswith(_MAGIC)


def members(content: bytes, name: str) -> frozenset[str]:
    """The names of what a packed file holds, of which nothing is unpacked; none of a file that is
    not packed.

    Raises:
        UnreadableError: it is damaged, or would fill the memory.
    """
    if not is_packed(content):
        return frozenset()
    with _opened(content, name) as archive:
        held = archive.infolist()
    size = sum(member.file_size for member in held)
    if size > MAX_UNPACKED or len(held) > MAX_MEMBERS:
        raise UnreadableError(
            f"{name!r} would take {size / 1e9:,.0f} GB unpacked, in {len(held):,} files. "
            "Leave it out.",
            code="too_long",
        )
    return frozenset(member.filename for member in held)


def refuse_entities(content: bytes, name: str) -> None:
    """Refuse a packed file that would have a parser write the same text a million times.

    Raises:
        UnreadableError: it would, or is damaged.
    """
    with _opened(content, name) as archive:
        for member in archive.infolist():
            if member.filename.lower().endswith(_MARKUP):
                with archive.open(member) as part:
                    if b"<!ENTITY" in part.read(65536):
                        raise UnreadableError(
                            f"{name!r} defines entities of its own in {member.filename}, which "
                            "no program that writes documents does. Leave it out.",
                            code="damaged",
                        )


@contextmanager
def _opened(content: bytes, name: str) -> Iterator[zipfile.ZipFile]:
    try:
        with zipfile.ZipFile(BytesIO(content)) as archive:
            yield archive
    except DAMAGED as error:
        raise UnreadableError(
            f"{name!r} is damaged. Open it in the program that made it and save it anew.",
            code="damaged",
        ) from error

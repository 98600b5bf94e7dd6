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
    RuntimeError,
    EOFError,
    OSError,
    KeyError,
    ValueError,
)
"""What reading a damaged packed file raises."""

MAX_MEMBERS = 20_000
"""Files that it may hold: each is opened to be looked at."""

_MAGIC = (b"PK\x03\x04", b"PK\x05\x06")
_MARKUP = (".xml", ".rels", ".opf", ".ncx", ".xhtml", ".html", ".htm")


def members(content: bytes, name: str) -> frozenset[str]:
    """The names of what a packed file holds; none of a file that is not packed.

    Raises:
        UnreadableError: it is damaged, would fill the memory, or would have a parser write the same
            text a million times.
    """
    if not content.startswith(_MAGIC):
        return frozenset()
    try:
        with zipfile.ZipFile(BytesIO(content)) as archive:
            held = archive.infolist()
            size = sum(member.file_size for member in held)
            if size > MAX_UNPACKED or len(held) > MAX_MEMBERS:
                raise UnreadableError(
                    f"{name!r} would take {size / 1e9:,.0f} GB unpacked, in {len(held):,} files. "
                    "Leave it out.",
                    code="too_long",
                )
            for member in held:
                if member.filename.lower().endswith(_MARKUP):
                    with archive.open(member) as part:
                        if b"<!ENTITY" in part.read(65536):
                            raise UnreadableError(
                                f"{name!r} defines entities of its own in {member.filename}, which "
                                "no program that writes documents does. Leave it out.",
                                code="damaged",
                            )
            return frozenset(member.filename for member in held)
    except DAMAGED as error:
        raise UnreadableError(
            f"{name!r} is damaged. Open it in the program that made it and save it anew.",
            code="damaged",
        ) from error

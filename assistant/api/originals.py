"""What is downloaded of a document: the file that it was read from, or its text."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from fastapi import Response
from fastapi.responses import FileResponse

from assistant.places import name_of
from index.errors import MissingPathError

if TYPE_CHECKING:
    from assistant.workspace.library import Library

_OFFICE = "application/vnd.openxmlformats-officedocument"
_MACROS = "application/vnd.ms-{}.macroEnabled.12"
_ODF = "application/vnd.oasis.opendocument"

PLAIN = "text/plain"

#: Of the formats that are read, by how their files' names end: what a system knows of them differs.
#: Any other file is plain text, which no browser runs, whatever its name says it is.
MEDIA_TYPES = {
    ".csv": "text/csv",
    ".docm": _MACROS.format("word.document"),
    ".docx": f"{_OFFICE}.wordprocessingml.document",
    ".eml": "message/rfc822",
    ".epub": "application/epub+zip",
    ".htm": "text/html",
    ".html": "text/html",
    ".jpeg": "image/jpeg",
    ".jpg": "image/jpeg",
    ".markdown": "text/markdown",
    ".md": "text/markdown",
    ".msg": "application/vnd.ms-outlook",
    ".odp": f"{_ODF}.presentation",
    ".ods": f"{_ODF}.spreadsheet",
    ".odt": f"{_ODF}.text",
    ".pdf": "application/pdf",
    ".png": "image/png",
    ".pptm": _MACROS.format("powerpoint.presentation"),
    ".pptx": f"{_OFFICE}.presentationml.presentation",
    ".rtf": "application/rtf",
    ".text": PLAIN,
    ".tif": "image/tiff",
    ".tiff": "image/tiff",
    ".tsv": "text/tab-separated-values",
    ".txt": PLAIN,
    ".xhtml": "application/xhtml+xml",
    ".xls": "application/vnd.ms-excel",
    ".xlsb": _MACROS.format("excel.sheet.binary"),
    ".xlsm": _MACROS.format("excel.sheet"),
    ".xlsx": f"{_OFFICE}.spreadsheetml.sheet",
}


def attached(name: str) -> dict[str, str]:
    """The header of a file that a browser saves under a name."""
    quoted = quote(name, safe="")
    told = f'filename="{name}"' if quoted == name else f"filename*=utf-8''{quoted}"
    return {"content-disposition": f"attachment; {told}"}


def download(library: Library, owner: str, identity: str) -> Response:
    """The original of a document, or its text where there is none: as a file that a browser saves
    and does not show, for what is in it is not ours.

    Args:
        library: whose documents they are.
        owner: who asks.
        identity: the document's id.

    Raises:
        MissingPathError: it is not there, or not for this owner.
    """
    source = library.find(owner, identity).info.source
    try:
        file = library.original(owner, identity)
    except MissingPathError:
        text = library.document(owner, identity).text
        name = name_of(source).removesuffix(".txt")
        return Response(
            text.encode("utf-8", "replace"),
            media_type=f"{PLAIN}; charset=utf-8",
            headers=attached(f"{name}.txt"),
        )
    name = library.index.file_name(identity)
    kind = MEDIA_TYPES.get(Path(name).suffix.lower(), PLAIN)
    found = FileResponse(file, filename=name)
    found.headers["content-type"] = kind  # in which characters a text is, only its owner knows
    return found

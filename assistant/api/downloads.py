"""Files of documents to download: one as it is, several as one ZIP file that is made while it is
sent."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from io import BytesIO, UnsupportedOperation
from pathlib import Path, PurePath, PurePosixPath
from typing import Any
from urllib.parse import quote
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from fastapi import Response
from fastapi.responses import FileResponse, StreamingResponse

from assistant.documents import AskedDocument
from assistant.places import name_of
from assistant.query.cleaning import without_surrogates
from assistant.workspace.library import Library
from index import View
from index.errors import RefusedError

MAX_FILES = 200
"""That are downloaded at once."""

MAX_MEGABYTES = 1000
"""That they have together."""

_PART = 1_000_000
"""Bytes that are read at a time."""

_OFFICE = "application/vnd.openxmlformats-officedocument"
_MACROS = "application/vnd.ms-{}.macroEnabled.12"
_ODF = "application/vnd.oasis.opendocument"

PLAIN = "text/plain"

#: By suffix, of the formats that are read: what systems know of them differs. Any other file is
#: plain text, which no browser runs.
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

_BINARY = {"schema": {"type": "string", "format": "binary"}}
SAVED: dict[str, Any] = {
    "description": "The file, to be saved.",
    "content": dict.fromkeys(sorted({*MEDIA_TYPES.values()}), _BINARY),
}
"""How the response of `download` is described."""

_ZIP = "application/zip"
ZIPPED: dict[str, Any] = {"description": "The files.", "content": {_ZIP: _BINARY}}
"""How that of `download_all` is."""


def attached(name: str) -> dict[str, str]:
    """The header of a file that a browser saves under a name."""
    quoted = quote(name, safe="")
    parameter = f'filename="{name}"' if quoted == name else f"filename*=utf-8''{quoted}"
    return {"content-disposition": f"attachment; {parameter}"}


def download(library: Library, owner: str, identity: str) -> Response:
    """The original of a document, or its text where that is not kept: as a file that a browser
    saves and does not show, for its content is not trusted.

    Args:
        library: has the document.
        owner: who asks.
        identity: the document's id.

    Raises:
        MissingPathError: it is not there, or not for this owner.
    """
    name, file = _file(library.index, library.find(owner, identity))
    if isinstance(file, bytes):
        return Response(file, media_type=f"{PLAIN}; charset=utf-8", headers=attached(name))
    response = FileResponse(file, filename=name)
    # The charset of a text is not known.
    response.headers["content-type"] = MEDIA_TYPES.get(PurePath(name).suffix.lower(), PLAIN)
    return response


def download_all(library: Library, owner: str, identities: Sequence[str]) -> Response:
    """The same of several documents, in their folders, as one ZIP file.

    Raises:
        MissingPathError: one is not there, or not for this owner.
        RefusedError: they are too large.
    """
    view = library.index.view()
    found = library.find_all(owner, list(dict.fromkeys(identities)))
    if sum(one.info.bytes for one in found) > MAX_MEGABYTES * 1_000_000:
        raise RefusedError(
            f"Together these files are larger than {MAX_MEGABYTES:,} MB, which is the most that "
            "can be downloaded at once. Choose fewer.",
            413,
            code="originals_large",
            megabytes=MAX_MEGABYTES,
        )
    return StreamingResponse(
        _zipped(view, found), media_type=_ZIP, headers=attached("documents.zip")
    )


def _file(view: View, one: AskedDocument) -> tuple[str, Path | bytes]:
    """The original of a document, or its text where that is not kept; and a name for it."""
    file = view.original(one.info.id)
    if file is not None:
        return without_surrogates(view.file_name(one.info.id)), file
    text = view.document(one.info.id).text
    name = without_surrogates(name_of(one.info.source)).removesuffix(".txt")
    return f"{name}.txt", text.encode("utf-8", "replace")


class _Sink(BytesIO):
    """What was written of a file that is sent meanwhile."""

    def tell(self) -> int:
        """So that nothing that was written is gone back to."""
        raise UnsupportedOperation

    def taken(self) -> bytes:
        """What was written since the last time."""
        written = self.getvalue()
        self.seek(0)
        self.truncate()
        return written


def _zipped(view: View, found: Sequence[AskedDocument]) -> Iterator[bytes]:
    sink, names = _Sink(), set[str]()
    with ZipFile(sink, "w") as archive:
        for one in found:
            name, file = _file(view, one)
            path = PurePosixPath(one.folder, name)
            name, number = str(path), 1
            while name.casefold() in names:
                number += 1
                name = str(path.with_stem(f"{path.stem} ({number})"))
            names.add(name.casefold())
            member = ZipInfo(name, time.localtime()[:6])
            member.compress_type = ZIP_DEFLATED
            content = BytesIO(file) if isinstance(file, bytes) else file.open("rb")
            with content, archive.open(member, "w") as written:
                while part := content.read(_PART):
                    written.write(part)
                    yield sink.taken()
    yield sink.taken()

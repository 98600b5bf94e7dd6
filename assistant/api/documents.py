"""The documents that a program may ask, those that it adds, and their files to download."""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import partial
from pathlib import PurePath
from typing import Annotated, Any
from urllib.parse import quote

from anyio import to_thread
from fastapi import APIRouter, Path, Query, Request, Response, UploadFile
from fastapi.responses import FileResponse

from assistant.access.callers import Caller
from assistant.api.dependencies import Reader, Writer
from assistant.api.openapi import also_events, problems
from assistant.documents import AskedDocument
from assistant.places import name_of
from assistant.schemas.base import Value
from assistant.schemas.documents import DocumentsValue, DocumentValue, ProgressValue, ReadValue
from assistant.schemas.questions import Place
from assistant.service.operations import Step, indexing, receive_address
from assistant.service.service import Service
from assistant.serving.streaming import reply
from assistant.workspace.library import Library
from assistant.workspace.notebooks import NotebookId
from assistant.workspace.uploads import Upload
from index.errors import MissingPathError, RefusedError

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

Identity = Annotated[str, Path(description="The document's id, as the list has it.")]

Into = Annotated[NotebookId | None, Query(description="The notebook that it is put into.")]

ReadPictures = Annotated[
    bool, Query(description="Read what stands in pictures, too: scans, photographs of text.")
]

_EVENTS = also_events(
    "`progress` (ProgressValue) each, and at last `done` (DocumentValue) or `failed` (Problem)."
)


def routes(service: Service) -> APIRouter:
    """The routes of a service."""
    router = APIRouter(prefix="/api/documents")
    library = service.library
    replaced: dict[int | str, dict[str, Any]] = {**problems(404), 200: _EVENTS}
    binary = {"schema": {"type": "string", "format": "binary"}}
    files = dict.fromkeys(sorted({*MEDIA_TYPES.values()}), binary)
    saved = {"description": "The file, to be saved.", "content": files}

    async def received(caller: Caller, file: UploadFile) -> Upload:
        if (file.size or 0) > library.inbox.max_bytes:
            error = library.inbox.too_large
            raise RefusedError(str(error), 413, None, code=error.code, **error.values)
        return await library.inbox.receive(caller.client, file.filename or "", _parts(file))

    async def index(
        request: Request, caller: Caller, upload: Upload, status: int = 201, **options: Any
    ) -> Value | Response:
        steps = indexing(library.add, caller.owner, upload, **options)
        place = service.line(options["ocr"]).place_async(caller.client, caller.owner)
        return await reply(request, steps, place, to_event, status, held=upload)

    @router.get("", responses=problems())
    def list_(caller: Reader) -> DocumentsValue:
        """List the documents that you may ask."""
        return DocumentsValue.of(library.documents(caller.owner))

    @router.post(
        "",
        status_code=201,
        response_model=DocumentValue,
        responses={**problems(404, 409), 201: _EVENTS},
    )
    async def add(
        request: Request,
        caller: Writer,
        file: UploadFile,
        notebook: Into = None,
        ocr: ReadPictures = False,
    ) -> Value | Response:
        """Add a document, which only you see, and whoever may read the notebook that it is added
        to. One whose name is there is replaced by `PUT`."""
        there = await to_thread.run_sync(library.named, caller.owner, file.filename or "")
        if there is not None:
            raise RefusedError(
                f"There is a document of that name already. To replace it: PUT "
                f"/api/documents/{there.info.id}",
                409,
            )
        upload = await received(caller, file)
        return await index(request, caller, upload, notebook=notebook, ocr=ocr)

    @router.post(
        "/by-address",
        status_code=201,
        response_model=DocumentValue,
        responses={**problems(409), 201: _EVENTS},
    )
    async def add_by_address(
        request: Request,
        caller: Writer,
        at: Place,
        notebook: Into = None,
        ocr: ReadPictures = False,
    ) -> Value | Response:
        """Have the document at an address fetched and added, which only you see. It takes the
        place of what was fetched from there before. Refused where whoever runs Footnote has not
        allowed it (`--fetch`), and of addresses that are not of the public internet."""
        upload = await receive_address(service, caller.client, at.address)
        return await index(request, caller, upload, notebook=notebook, ocr=ocr)

    @router.get("/{identity}", responses=problems(404))
    def document(identity: Identity, caller: Reader) -> DocumentValue:
        """Tell of a document."""
        return DocumentValue.of(library.find(caller.owner, identity))

    @router.put("/{identity}", response_model=DocumentValue, responses=replaced)
    async def replace(
        identity: Identity,
        request: Request,
        caller: Writer,
        file: UploadFile,
        ocr: ReadPictures = False,
    ) -> Value | Response:
        """Put another file in the place of a document of yours; its id stays."""
        # Before the file is taken in, and waits for its turn.
        await to_thread.run_sync(partial(library.find, caller.owner, identity, own=True))
        upload = await received(caller, file)
        return await index(request, caller, upload, 200, replacing=identity, ocr=ocr)

    @router.post("/{identity}/pictures", response_model=DocumentValue, responses=replaced)
    async def read_pictures(
        identity: Identity, request: Request, caller: Writer
    ) -> Value | Response:
        """Read what stands in the pictures of a document of yours, as `ocr` does when it is added;
        its id stays."""
        await to_thread.run_sync(partial(library.find, caller.owner, identity, own=True))
        steps = indexing(library.read_pictures, caller.owner, identity)
        place = service.scanning.place_async(caller.client, caller.owner)
        return await reply(request, steps, place, to_event)

    @router.delete("/{identity}", status_code=204, responses=problems(404))
    def remove(identity: Identity, caller: Writer) -> None:
        """Remove a document of yours, for good."""
        library.remove(caller.owner, identity)

    @router.post("/{identity}/restore", status_code=204, responses=problems(404))
    def restore(identity: Identity, caller: Writer) -> None:
        """Have a document of yours back that was deleted on the page."""
        library.restore(caller.owner, identity)

    @router.get(
        "/{identity}/content",
        response_class=Response,
        responses={**problems(404), 200: saved},
    )
    def content(identity: Identity, caller: Reader) -> Response:
        """Download the file that a document was read from, as it was sent or lies in its folder;
        its text, in UTF-8, where the file is not kept or has changed since."""
        return download(library, caller.owner, identity)

    @router.get("/{identity}/paragraphs/{number}", responses=problems(404))
    def paragraph(
        identity: Identity,
        number: Annotated[int, Path(ge=1, le=2**31 - 1, description="From 1.")],
        caller: Reader,
    ) -> ReadValue:
        """Read one paragraph of a document."""
        return ReadValue.numbered(library.document(caller.owner, identity), number)

    return router


async def _parts(file: UploadFile) -> AsyncIterator[bytes]:
    while part := await file.read(65_536):
        yield part


def to_event(step: Step) -> tuple[str, Value]:
    """A step of an indexing as the name and the value of its event."""
    if isinstance(step, ProgressValue):
        return "progress", step
    return "done", DocumentValue.of(AskedDocument(step, own=True))


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
    source = library.find(owner, identity).info.source
    try:
        file = library.original(owner, identity)
    except MissingPathError:
        text = library.document(owner, identity).text
        name = name_of(source).removesuffix(".txt")
        content, media_type = text.encode("utf-8", "replace"), f"{PLAIN}; charset=utf-8"
        return Response(content, media_type=media_type, headers=attached(f"{name}.txt"))
    name = library.index.file_name(identity)
    response = FileResponse(file, filename=name)
    # The charset of a text is not known.
    response.headers["content-type"] = MEDIA_TYPES.get(PurePath(name).suffix.lower(), PLAIN)
    return response

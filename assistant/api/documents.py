"""The documents that a program may ask, and those that it adds."""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import partial
from typing import Annotated, Any

from anyio import to_thread
from fastapi import APIRouter, Path, Query, Request, Response, UploadFile

from assistant.access.callers import Caller
from assistant.api.dependencies import Reader, Writer
from assistant.api.downloads import MAX_FILES, SAVED, ZIPPED, download, download_all
from assistant.api.openapi import also_events
from assistant.documents import AskedDocument
from assistant.schemas.base import Asked, Value
from assistant.schemas.documents import DocumentsValue, DocumentValue, ProgressValue, ReadValue
from assistant.schemas.questions import Place
from assistant.service.operations import Step, indexing, receive_address
from assistant.service.service import Service
from assistant.serving.streaming import reply
from assistant.workspace.conversations import Title
from assistant.workspace.notebooks import NotebookId
from assistant.workspace.uploads import Upload
from index.errors import RefusedError

Identity = Annotated[str, Path(description="The document's id, as the list has it.")]

Identities = Annotated[
    list[str],
    Query(
        alias="id",
        min_length=1,
        max_length=MAX_FILES,
        description="The documents' ids, as the list has them: `?id=…&id=…`.",
    ),
]

Into = Annotated[NotebookId | None, Query(description="The notebook that it is put into.")]

ReadPictures = Annotated[
    bool, Query(description="Read what stands in pictures, too: scans, photographs of text.")
]


class NewTitle(Asked):
    """The title of a document."""

    title: Title


_EVENTS = also_events(
    "`progress` (ProgressValue) each, and at last `done` (DocumentValue) or `failed` (Problem)."
)


def routes(service: Service) -> APIRouter:
    """The routes of a service."""
    router = APIRouter(prefix="/api/documents")
    library = service.library
    replaced: dict[int | str, dict[str, Any]] = {200: _EVENTS}

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

    @router.get("")
    def list_(caller: Reader) -> DocumentsValue:
        """List the documents that you may ask."""
        return DocumentsValue.of(library.documents(caller.owner))

    @router.post(
        "",
        status_code=201,
        response_model=DocumentValue,
        responses={201: _EVENTS},
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
        # Refuse before the upload; the transaction that publishes the document checks again.
        await to_thread.run_sync(library.check_new, caller.owner, file.filename or "")
        upload = await received(caller, file)
        return await index(request, caller, upload, new=True, notebook=notebook, ocr=ocr)

    @router.post(
        "/by-address",
        status_code=201,
        response_model=DocumentValue,
        responses={201: _EVENTS},
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

    @router.get("/originals", response_class=Response, responses={200: ZIPPED})
    def originals(identities: Identities, caller: Reader) -> Response:
        """Download the files of several documents, each as `content` gives it, as one ZIP file."""
        return download_all(library, caller.owner, identities)

    @router.get("/{identity}")
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

    @router.patch("/{identity}")
    def rename(identity: Identity, wanted: NewTitle, caller: Writer) -> DocumentValue:
        """Give a document of yours another title, which stays when its file is replaced; an empty
        one gives back its own."""
        return DocumentValue.of(library.rename(caller.owner, identity, wanted.title))

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

    @router.delete("/{identity}", status_code=204)
    def remove(identity: Identity, caller: Writer) -> None:
        """Remove a document of yours, for good."""
        library.remove(caller.owner, identity)

    @router.post("/{identity}/restore", status_code=204)
    def restore(identity: Identity, caller: Writer) -> None:
        """Have a document of yours back that was deleted on the page."""
        library.restore(caller.owner, identity)

    @router.get(
        "/{identity}/content",
        response_class=Response,
        responses={200: SAVED},
    )
    def content(identity: Identity, caller: Reader) -> Response:
        """Download the file that a document was read from, as it was sent or lies in its folder;
        its text, in UTF-8, where the file is not kept or has changed since."""
        return download(library, caller.owner, identity)

    @router.get("/{identity}/paragraphs/{number}")
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

"""The documents that a program may ask, and those that it adds."""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

from anyio import to_thread
from fastapi import APIRouter, Path, Request, Response, UploadFile
from fastapi.responses import FileResponse

from assistant.answer import name_of
from assistant.api.callers import Reader, Writer
from assistant.api.describing import also_events, problems
from assistant.api.events import reply
from assistant.service.access import Caller
from assistant.service.operations import Step, index_upload
from assistant.service.sessions import SessionDocument
from assistant.service.values import (
    DocumentsValue,
    DocumentValue,
    ProgressValue,
    ReadValue,
    Value,
)
from index.errors import RefusedError

if TYPE_CHECKING:
    from assistant.service.service import Service

Identity = Annotated[str, Path(description="The document's id, as the list has it.")]

_EVENTS = (
    "`progress` (ProgressValue) each, and at last `done` (DocumentValue) or `failed` (Problem)."
)
_PART = 65_536


def routes(service: Service) -> APIRouter:
    """The routes of a service."""
    router = APIRouter(prefix="/api/documents")
    sessions = service.sessions
    added: dict[int | str, dict[str, Any]] = {**problems(404, 409), 201: also_events(_EVENTS)}
    replaced: dict[int | str, dict[str, Any]] = {**problems(404), 200: also_events(_EVENTS)}

    async def index(
        request: Request, caller: Caller, file: UploadFile, name: str, **how: Any
    ) -> Value | Response:
        if (file.size or 0) > sessions.inbox.max_bytes:
            raise RefusedError(str(sessions.inbox.too_large), 413)
        upload = await sessions.inbox.receive(caller.client, name, _parts(file))
        steps = index_upload(sessions, caller.owner, upload, keep=True, **how)
        place = service.adding.place_async(caller.client, caller.owner)
        return await reply(request, steps, place, tell, 200 if how else 201, held=upload)

    @router.get("", responses=problems())
    def list_(caller: Reader) -> DocumentsValue:
        """List the documents that you may ask."""
        return DocumentsValue.of(sessions.documents(caller.owner))

    @router.post("", status_code=201, response_model=DocumentValue, responses=added)
    async def add(request: Request, caller: Writer, file: UploadFile) -> Value | Response:
        """Add a document, which only you see. One whose name is there is replaced by `PUT`."""
        name = file.filename or ""
        there = await to_thread.run_sync(sessions.named, caller.owner, name)
        if there is not None:
            raise RefusedError(
                f"There is a document of that name already. To replace it: PUT "
                f"/api/documents/{there.info.id}",
                409,
            )
        return await index(request, caller, file, name)

    @router.get("/{identity}", responses=problems(404))
    def document(identity: Identity, caller: Reader) -> DocumentValue:
        """Tell of a document."""
        return DocumentValue.of(sessions.find(caller.owner, identity))

    @router.put("/{identity}", response_model=DocumentValue, responses=replaced)
    async def replace(
        identity: Identity, request: Request, caller: Writer, file: UploadFile
    ) -> Value | Response:
        """Put another file in the place of a document of yours; its id stays."""
        # Before the file is taken in, and waits for its turn.
        await to_thread.run_sync(partial(sessions.find, caller.owner, identity, own=True))
        return await index(request, caller, file, file.filename or "", replacing=identity)

    @router.delete("/{identity}", status_code=204, responses=problems(404))
    def remove(identity: Identity, caller: Writer) -> None:
        """Remove a document of yours."""
        sessions.remove(caller.owner, identity)

    @router.get(
        "/{identity}/content",
        response_class=Response,
        responses={
            **problems(404),
            200: {
                "description": "The file.",
                "content": {
                    "application/pdf": {"schema": {"type": "string", "format": "binary"}},
                    "text/plain": {"schema": {"type": "string"}},
                },
            },
        },
    )
    def content(identity: Identity, caller: Reader) -> Response:
        """Download the original of a document with pages; of others the text that is asked."""
        found = sessions.find(caller.owner, identity)
        name, file = name_of(found.info.source), service.assistant.index.original(identity)
        if file is not None:
            return FileResponse(file, media_type="application/pdf", filename=name)
        text = sessions.document(caller.owner, identity).text
        disposition = FileResponse(__file__, filename=f"{name.removesuffix('.txt')}.txt").headers
        return Response(
            text.encode("utf-8", "replace"),
            media_type="text/plain; charset=utf-8",
            headers={"content-disposition": disposition["content-disposition"]},
        )

    @router.get("/{identity}/paragraphs/{number}", responses=problems(404))
    def paragraph(
        identity: Identity,
        number: Annotated[int, Path(ge=1, le=2**31 - 1, description="From 1.")],
        caller: Reader,
    ) -> ReadValue:
        """Read one paragraph of a document."""
        return ReadValue.numbered(sessions.document(caller.owner, identity), number)

    return router


async def _parts(file: UploadFile) -> AsyncIterator[bytes]:
    while part := await file.read(_PART):
        yield part


def tell(step: Step) -> tuple[str, Value]:
    """A step of an indexing as the name and the value of the event that tells it."""
    if isinstance(step, tuple):
        return "progress", ProgressValue(done=step[0], total=step[1])
    return "done", DocumentValue.of(SessionDocument(step, own=True))

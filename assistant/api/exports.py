"""What is kept, as files to take along, and places in documents as references: at the API's
addresses, and at the page's for who is there."""

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from pydantic import Field

from assistant.access.callers import Caller
from assistant.api.downloads import attached
from assistant.api.notebooks import Of
from assistant.exporting.exports import MEDIA, ExportedFile, Exports, Format, References
from assistant.exporting.values import Language
from assistant.schemas.base import Asked
from assistant.service.service import Service
from assistant.serving.streaming import in_turn
from assistant.workspace.citing import Cited, citations_of
from assistant.workspace.notebooks import NotebookId
from assistant.workspace.turns import Id

Wanted = Annotated[
    Format,
    Query(
        alias="format",
        description="`docx`: Word, with the sources as its footnotes. `md`: Markdown. `bib`, "
        "`csl`: the documents that are cited, as BibTeX or CSL-JSON.",
    ),
]
Spoken = Annotated[
    Language,
    Query(
        alias="lang",
        description="The language of headings, dates and remarks; quotes are in their own.",
    ),
]
_BINARY = {"schema": {"type": "string", "format": "binary"}}
_ITEMS = {"schema": {"type": "array", "items": {"type": "object"}}}  # CSL-JSON is JSON


class WantedReferences(Asked):
    """Places in documents that are wanted as references."""

    format: References
    lang: Language = Field(default="en", description="The language of places and remarks.")
    citations: list[Cited] = Field(min_length=1, max_length=100)


def routes(service: Service, prefix: str, reader: Callable[..., Caller]) -> APIRouter:
    """The routes of a service.

    Args:
        service: whose conversations and notes they are.
        prefix: of their addresses.
        reader: a FastAPI dependency that tells who asks, where they may read.
    """
    router = APIRouter(prefix=prefix, default_response_class=Response)
    exports, notebooks = Exports(service.library), service.library.notebooks
    Reader = Annotated[Caller, Depends(reader)]  # noqa: N806

    async def sent(
        request: Request, caller: Caller, export: Callable[[], ExportedFile]
    ) -> Response:
        file = await in_turn(request, service.reading, caller, export)
        headers = {**attached(file.name), "cache-control": "no-store"}
        return Response(file.content, media_type=file.media_type, headers=headers)

    @router.get("/conversations/{identity}/export", responses=_files("docx", "md"))
    async def conversation(
        identity: Annotated[Id, Path(description="The conversation's id.")],
        request: Request,
        caller: Reader,
        wanted: Wanted,
        notebook: Of = None,
        turn: Annotated[Id | None, Query(description="The one of its questions; or all.")] = None,
        spoken: Spoken = "en",
    ) -> Response:
        """Take a conversation along, or one answer of it, with what you noted on it."""

        def export() -> ExportedFile:
            space = notebooks.space(caller.owner, notebook)
            return exports.conversation(space, identity, turn, wanted, spoken)

        return await sent(request, caller, export)

    @router.get("/notes/export", responses=_files("docx", "md"))
    async def notes(
        request: Request,
        caller: Reader,
        wanted: Wanted,
        notebook: Of = None,
        spoken: Spoken = "en",
    ) -> Response:
        """Take along what is kept in a notebook, or in none: answers and highlighted places."""

        def export() -> ExportedFile:
            return exports.notes(notebooks.space(caller.owner, notebook), wanted, spoken)

        return await sent(request, caller, export)

    @router.get("/notebooks/{identity}/export", responses=_files("docx", "md"))
    async def notebook(
        identity: Annotated[NotebookId, Path(description="The notebook's id.")],
        request: Request,
        caller: Reader,
        wanted: Wanted,
        spoken: Spoken = "en",
    ) -> Response:
        """Take along all conversations of a notebook, and what is kept in it."""

        def export() -> ExportedFile:
            return exports.notebook(notebooks.space(caller.owner, identity), wanted, spoken)

        return await sent(request, caller, export)

    @router.post("/cite", responses=_files())
    async def cite(wanted: WantedReferences, request: Request, caller: Reader) -> Response:
        """Tell of places in documents as references for a bibliography."""

        def export() -> ExportedFile:
            citations = citations_of(wanted.citations, service.library, caller.owner)
            return exports.references(caller.owner, citations, wanted.format, wanted.lang)

        return await sent(request, caller, export)

    return router


def _files(*more: Format) -> dict[int | str, dict[str, Any]]:
    """How a response is described that is a file of one of the kinds of references, or of more."""
    kinds: list[Format] = [*more, "bib", "csl"]
    content = {MEDIA[kind]: _ITEMS if kind == "csl" else _BINARY for kind in kinds}
    return {200: {"description": "The file.", "content": content}}

"""The page's own requests: each address knows who has logged in by a cookie, and the browser by the
key that it sends.

What takes long comes as the API's events, with one more: the place in line.
"""

import asyncio
import mimetypes
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import AbstractAsyncContextManager, aclosing, nullcontext
from dataclasses import asdict, dataclass, replace
from typing import Annotated, Any, TypeVar

from anyio import to_thread
from fastapi import APIRouter, Depends, Path, Request, Response
from fastapi.responses import HTMLResponse
from pydantic import BaseModel
from starlette.staticfiles import StaticFiles

from assistant.access.callers import Caller, name_of_browser, person
from assistant.access.fair_queue import FairQueue
from assistant.api import answers, documents, downloads, exports, notebooks
from assistant.events import Event
from assistant.help.topics import topic
from assistant.schemas.answers import Alternatives, AnswerValue, MorePassagesValue
from assistant.schemas.base import Asked, Value
from assistant.schemas.documents import DocumentValue
from assistant.schemas.questions import History, Place, Section, Shown
from assistant.service import voting
from assistant.service.operations import (
    Sources,
    indexing,
    keep_answers,
    more_passages,
    receive_address,
    stream_with_alternatives,
)
from assistant.service.service import Service
from assistant.service.suggestions import SHOWN
from assistant.service.watching import FolderWatch, Unread
from assistant.serving.problems import problem_of
from assistant.serving.streaming import EventResponse, event, failure_event, in_turn, steps_of
from assistant.starters import main_headings
from assistant.web.help import page_of
from assistant.web.login_routes import LoginRoutes
from assistant.web.rendering import PageRenderer
from assistant.workspace.finding import EverywhereValue, Finding
from assistant.workspace.notebooks import NotebookId
from assistant.workspace.uploads import Upload
from index.errors import IndexChangedError, MissingPathError
from index.models import ENGLISH

Step = TypeVar("Step")

mimetypes.add_type("font/woff2", ".woff2")  # not every system knows it
STATIC = StaticFiles(packages=[("assistant.web", "static")])
"""What the browser gets as it is."""

AGAIN = 0.5
"""Seconds after which it is looked again how many are before one in line."""

MAX_HEADINGS = 6
"""Headings that are told of a document."""

OWN_AT_ONCE = 2
"""Questions of one person that are answered at once."""


@dataclass(frozen=True, slots=True)
class Folder:
    """What the page tells of the files that are everyone's.

    Attributes:
        unread: those that could not be read when they were indexed.
        watch: follows them, if anything does.
    """

    unread: tuple[Unread, ...]
    watch: FolderWatch | None

    def to_dict(self, after: int) -> dict[str, Any]:
        """As plain values.

        Args:
            after: the number of the last change that the page knows.
        """
        changes = self.watch.changes if self.watch else ()
        unread = self.watch.unread if self.watch else self.unread
        return {
            "watched": self.watch is not None,
            "last": changes[-1].number if changes else 0,
            "changes": [asdict(change) for change in changes if change.number > after],
            "unread": [asdict(file) for file in unread],
        }


class PageQuestion(Asked):
    """A question that is asked on the page; how long it may be the assistant says."""

    question: str
    history: History = ()
    documents: list[str] | None = None
    notebook: NotebookId | None = None
    section: Section = None
    llm: str | None = None
    language: str = ENGLISH


class Begun(Asked):
    """What a conversation may begin with is wanted.

    Attributes:
        documents: that are asked.
        about: the one of them whose headings are wanted.
        language: of who asks.
    """

    documents: list[str]
    about: str | None = None
    language: str = ENGLISH


class MainHeading(BaseModel):
    """A heading, and the first paragraph under it."""

    title: str
    number: int


class Guide(BaseModel):
    """Questions to begin with, and the main headings of a document."""

    questions: list[str]
    headings: list[MainHeading] = []


class MoreWanted(PageQuestion):
    """Passages that are wanted beyond those that are shown.

    Attributes:
        reworded: whether the question is looked up in other words.
    """

    shown: Shown
    reworded: bool = False


class Waiting(BaseModel):
    """How far a question, or a file, is in line."""

    before: int


def routes(
    service: Service, login_routes: LoginRoutes, renderer: PageRenderer, folder: Folder
) -> APIRouter:
    """The page's addresses, but for those of the login."""
    router = APIRouter()
    library = service.library
    finding = Finding(library)

    def caller(request: Request, name: Annotated[str | None, Depends(login_routes.user)]) -> Caller:
        found = person(name, request.client.host if request.client else "")
        key = request.headers.get("x-footnote-session", "")
        return replace(found, browser=name_of_browser(name, key))

    Visitor = Annotated[Caller, Depends(caller)]  # noqa: N806
    router.include_router(notebooks.routes(service, "", caller, caller))
    router.include_router(exports.routes(service, "", caller))

    @router.api_route("/", methods=["GET", "HEAD"])
    async def page(
        request: Request, name: Annotated[str | None, Depends(login_routes.name)]
    ) -> Response:
        shut = login_routes.is_guarded and name is None
        return await STATIC.get_response("login.html" if shut else "page.html", request.scope)

    @router.get("/help/{name}", dependencies=[Depends(login_routes.user)])
    def help_(name: Annotated[str, Path(max_length=200)]) -> HTMLResponse:
        return HTMLResponse(page_of(topic(name)))

    # --- what takes long ---------------------------------------------------------------------

    @router.post("/ask")
    async def ask(asked: PageQuestion, request: Request, caller: Visitor) -> Response:
        history = [turn.model_dump() for turn in asked.history]
        sources = Sources(caller.owner, asked.documents, asked.notebook)
        steps = stream_with_alternatives(
            service,
            sources,
            asked.question,
            history,
            asked.llm,
            asked.section,
            asked.language,
        )
        kept = keep_answers(service, caller.owner, steps)
        return _streamed(request, service.queue, caller, kept, _to_event)

    def index(
        request: Request, caller: Caller, upload: Upload, ocr: bool, **options: Any
    ) -> Response:
        steps = indexing(library.add, caller.owner, upload, ocr=ocr, **options)
        return _streamed(request, service.line(ocr), caller, steps, documents.to_event, upload)

    @router.post("/uploads")
    async def add(
        name: str,
        request: Request,
        caller: Visitor,
        folder: str = "",
        notebook: NotebookId | None = None,
        ocr: bool = False,
    ) -> Response:
        upload = await library.inbox.receive(caller.client, name, request.stream())
        return index(request, caller, upload, ocr, folder=folder, notebook=notebook)

    @router.post("/documents/{identity}/pictures")
    async def read_pictures(identity: str, request: Request, caller: Visitor) -> Response:
        steps = indexing(library.read_pictures, caller.owner, identity)
        return _streamed(request, service.scanning, caller, steps, documents.to_event)

    @router.get("/uploads/there")
    def there(name: str, caller: Visitor, folder: str = "") -> DocumentValue | None:
        # The document whose place a file of that name would take.
        found = library.named(caller.owner, name, folder)
        return DocumentValue.of(found) if found else None

    @router.post("/addresses")
    async def add_by_address(
        at: Place,
        request: Request,
        caller: Visitor,
        notebook: NotebookId | None = None,
        ocr: bool = False,
    ) -> Response:
        upload = await receive_address(service, caller.client, at.address)
        return index(request, caller, upload, ocr, notebook=notebook)

    # --- what is done at once ----------------------------------------------------------------

    @router.get("/session")
    def session(caller: Visitor, notebook: NotebookId | None = None) -> dict[str, Any]:
        found = library.documents_in(caller.owner, notebook)
        return {
            "user": caller.name or None,
            "documents": [DocumentValue.of(document) for document in found],
            "fetch": service.fetcher is not None,
            "pictures": service.pictures,
        }

    @router.get("/folder")
    def changes(after: int, _: Visitor) -> dict[str, Any]:
        return folder.to_dict(after)

    @router.get("/writers")
    def writers(_: Visitor) -> dict[str, Any]:
        return service.writers.to_dict()

    def headings(owner: str, identity: str) -> list[MainHeading]:
        main = main_headings(library.document(owner, identity), MAX_HEADINGS)
        return [MainHeading(title=title, number=number) for title, number in main]

    @router.post("/starters")
    async def starters(begun: Begun, caller: Visitor) -> Guide:
        asked = await to_thread.run_sync(library.asking, caller.owner, begun.documents)
        found = await service.starters.of(asked, begun.language)
        guide = Guide(questions=list(found[:SHOWN]))
        if begun.about:
            guide.headings = await to_thread.run_sync(headings, caller.owner, begun.about)
        return guide

    @router.get("/find")
    async def find(
        text: str, request: Request, caller: Visitor, notebook: NotebookId | None = None
    ) -> EverywhereValue:
        wanted = caller.owner, text, notebook
        return await in_turn(request, service.reading, caller, finding.find, *wanted)

    @router.post("/passages")
    async def passages(asked: MoreWanted, request: Request, caller: Visitor) -> MorePassagesValue:
        history = [turn.model_dump() for turn in asked.history]
        sources = Sources(caller.owner, asked.documents, asked.notebook)
        names = [name.split("/") for name in asked.shown]
        shown = [(identity, int(start)) for identity, start in names]
        wanted = service, sources, asked.question, history, asked.llm, shown, asked.reworded
        return await in_turn(request, service.queue, caller, more_passages, *wanted)

    @router.get("/documents/originals")
    def originals(identities: documents.Identities, caller: Visitor) -> Response:
        return downloads.download_all(library, caller.owner, identities)

    @router.get("/documents/{identity}")
    def document(identity: str, caller: Visitor) -> dict[str, Any]:
        found = library.document(caller.owner, identity)
        boxes = library.boxes(caller.owner, identity)
        sizes = zip(boxes.sizes.tolist(), boxes.labels, strict=True) if boxes else ()
        shown = ("number", "heading", "page", "locator", "kind", "start", "text")
        return {
            "id": found.id,
            "title": found.title,
            "pages": [{"width": w, "height": h, "label": label} for (w, h), label in sizes],
            "paragraphs": [
                {name: getattr(paragraph, name) for name in shown}
                | {"uncertain": paragraph.is_uncertain}
                for paragraph in found.paragraphs
            ],
        }

    @router.get("/documents/{identity}/original")
    def original(identity: str, caller: Visitor) -> Response:
        return downloads.download(library, caller.owner, identity)

    def draw(owner: str, identity: str, number: int, width: int) -> bytes:
        if library.boxes(owner, identity) is None:
            raise MissingPathError("That document has no pages to show.")
        return renderer.draw(library.original(owner, identity), number, width)

    @router.get("/documents/{identity}/pages/{number}")
    async def picture(
        identity: str, number: int, width: int, request: Request, caller: Visitor
    ) -> Response:
        wanted = caller.owner, identity, number, width
        drawn = await in_turn(request, service.drawing, caller, draw, *wanted)
        headers = {"cache-control": "private, max-age=3600"}
        return Response(drawn, media_type="image/webp", headers=headers)

    @router.get("/documents/{identity}/pages/{number}/words")
    def words(identity: str, number: int, caller: Visitor) -> list[dict[str, Any]]:
        boxes = library.boxes(caller.owner, identity)
        return [asdict(word) for word in boxes.words_on(number)] if boxes else []

    @router.patch("/documents/{identity}")
    def rename(identity: str, wanted: documents.NewTitle, caller: Visitor) -> DocumentValue:
        return DocumentValue.of(library.rename(caller.owner, identity, wanted.title))

    @router.delete("/documents/{identity}")
    def remove(identity: str, caller: Visitor) -> None:
        library.discard(caller.owner, identity)

    @router.post("/documents/{identity}/restore")
    def restore(identity: str, caller: Visitor) -> None:
        library.restore(caller.owner, identity)

    @router.post("/feedback")
    def feedback(vote: voting.Vote, caller: Visitor) -> None:
        voting.take(vote, service, caller.client, caller.owner)

    return router


def _streamed(
    request: Request,
    line: FairQueue,
    caller: Caller,
    steps: Generator[Step, None, None],
    to_event: Callable[[Step], tuple[str, Value]],
    held: AbstractAsyncContextManager[Any] | None = None,
) -> EventResponse:
    """Sends what comes of some work: how many are before it until its turn in line has come; then
    its steps as events; or why it failed.

    Args:
        request: to which this is the response.
        line: where it waits.
        caller: whose it is.
        steps, to_event, held: the work; see `reply`.
    """

    async def events() -> AsyncGenerator[str, None]:
        try:
            async with held or nullcontext():
                joined = line.joined(caller.client, caller.browser or "", share=OWN_AT_ONCE)
                with joined as turn:
                    come, before = asyncio.wrap_future(turn.come), None
                    while not turn.come.done():
                        if (now := line.before(turn)) != before:
                            yield event("waiting", Waiting(before=now))
                        before = now
                        await asyncio.wait([come], timeout=AGAIN)
                    await come
                    yield event("waiting", Waiting(before=0))
                    async with aclosing(steps_of(steps, nullcontext())) as work:
                        async for step in work:
                            yield event(*to_event(step))
        except IndexChangedError as error:  # the page itself throws away what has come
            yield event("failed", problem_of(request.scope, 503, str(error), error=error))
        except Exception as error:  # noqa: BLE001 (`failure_event` tells of it)
            yield failure_event(request.scope, error)

    return EventResponse(events())


def _to_event(step: Event | AnswerValue | Alternatives) -> tuple[str, Value]:
    return ("instead", step) if isinstance(step, Alternatives) else answers.to_event(step)

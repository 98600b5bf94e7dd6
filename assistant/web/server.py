"""Serves the page: a gradio server. The one module that imports gradio.

Questions and indexing go through gradio's queue, which tells everyone their place in it, runs some
at a time and streams what comes of them. Everything else is a plain request. Nothing asks for
anything outside this machine: gradio's analytics and version check are off, and the browser is told
to refuse any other host (see `security`).
"""

import mimetypes
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Annotated, Any

# gradio reads this when it is imported: no analytics and no check for a newer version.
os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"

import gradio as gr
from anyio import to_thread
from fastapi import Depends, HTTPException, Request, Response
from fastapi.responses import JSONResponse
from starlette.middleware import Middleware
from starlette.staticfiles import StaticFiles

from assistant.api.app import Switch, lifespan_of
from assistant.api.app import build as build_api
from assistant.llm.servers import SERVERS, Server
from assistant.service import feedback as voting
from assistant.service.access import client_of
from assistant.service.logs import about, take_over
from assistant.service.problems import response_of, told
from assistant.service.security import MCP, check_host
from assistant.service.service import Service, wait_for_the_end
from assistant.service.sessions import SessionDocuments
from assistant.service.streams import Quota, adding, answering
from assistant.service.suggestions import SHOWN
from assistant.service.tracing import HEADER
from assistant.service.values import plain_document
from assistant.watching import FolderWatch, Unread
from assistant.web.entrance import Entrance
from assistant.web.rendering import PageRenderer
from index.errors import (
    FootnoteError,
    QuestionError,
    RefusedError,
    SettingsError,
)

if TYPE_CHECKING:
    from assistant.assistant import Assistant
    from assistant.mcp.server import Server as Tools

#: Questions of one person that are answered at once.
OWN_AT_ONCE = 2


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
        return {
            "watched": self.watch is not None,
            "last": changes[-1].number if changes else 0,
            "changes": [asdict(change) for change in changes if change.number > after],
            "unread": [asdict(one) for one in (self.watch.unread if self.watch else self.unread)],
        }


def serve(
    assistant: "Assistant",
    *,
    host: str = "127.0.0.1",
    port: int | None = None,
    auth: Sequence[tuple[str, str]] = (),
    open_browser: bool = True,
    mcp: bool = False,
    unread: Sequence[Unread] = (),
    watch: FolderWatch | None = None,
    servers: Sequence[Server] = SERVERS,
) -> None:
    """Serve the page until interrupted, and print its address.

    Args:
        assistant: an open assistant; it is not closed here.
        host: the address to listen on.
        port: None takes 7860 or the next free one.
        auth: names and passwords that the page asks for.
        open_browser: open the page in the reader's browser.
        mcp: offer the assistant's tools to MCP clients too.
        unread: files that could not be read; the page lists them.
        watch: follows the assistant's folders, once the page is there.
        servers: where language models are looked for that the page offers, unless one is set. Only
            whoever sits at this machine may use what runs on it: nothing is looked for where the
            page can be reached from others, or has a login, which says that others come.

    Raises:
        SettingsError: the host is reachable from other machines and there is no `auth`, the port
            cannot be had, or `mcp` is not installed.
    """
    check_host(host, auth)
    service, tools = Service.of(assistant, host, auth, servers), None
    if mcp:
        from assistant.mcp.server import server_of

        tools = server_of(service)
    renderer, entrance = PageRenderer(), Entrance(service.access)
    server = build(service, entrance, renderer, Folder(tuple(unread), watch), tools)
    _ask_this_machine_directly()
    try:
        _, url, _ = server.launch(
            server_name=host,
            server_port=port,
            auth_dependency=entrance.name_async if entrance.is_guarded else None,
            inbrowser=open_browser,
            prevent_thread_lock=True,
            quiet=True,
            share=False,
            ssr_mode=False,
            pwa=False,
            mcp_server=False,
            enable_monitoring=False,
            run_history=False,
            max_file_size=0,
            app_kwargs={"lifespan": lifespan_of(tools.session_manager if tools else None)},
        )
    except OSError as error:
        wanted = "a port from 7860 on" if port is None else f"port {port}"
        raise SettingsError(
            f"Cannot listen on {wanted} of {host}: {error}. Choose another port or host."
        ) from error
    take_over()
    # gradio would let any number wait.
    server.get_blocks()._queue.max_size = assistant.settings.queue or 1  # noqa: SLF001
    try:
        with service.running(watch):
            # Told last, so that whoever reads it may end it at once.
            sys.stdout.write(f"Footnote is at {url} (Ctrl-C ends it)\n")
            if tools:
                sys.stdout.write(
                    f"MCP clients connect to {url.rstrip('/')}{MCP} (streamable HTTP)\n"
                )
            sys.stdout.flush()
            wait_for_the_end()
    except KeyboardInterrupt:
        pass  # it came before there was anything to wait for
    finally:
        server.get_blocks().close(verbose=False)
        renderer.close()


class _Guarded(gr.Server):
    """Puts what gradio adds behind what guards it: nothing is answered before that, and gradio's
    answers to other sites (CORS) are for nothing but the page."""

    def add_middleware(self, middleware_class: Any, *args: Any, **kwargs: Any) -> None:
        """See `Starlette.add_middleware`."""
        self.user_middleware.append(Middleware(middleware_class, *args, **kwargs))


def build(
    service: Service,
    entrance: Entrance,
    renderer: PageRenderer,
    folder: Folder,
    tools: "Tools | None" = None,
) -> gr.Server:
    """The server, not yet launched."""
    api = Middleware(Switch, api=build_api(service, page=True))
    server = _Guarded(title="Footnote", openapi_url=None, middleware=[*service.guards, api])
    _add_streams(server, service)
    server.include_router(entrance.routes())
    _add_requests(server, service, entrance, renderer, folder)
    if tools:
        server.router.routes.extend(tools.routes(MCP))
    return server


def _add_streams(server: gr.Server, service: Service) -> None:
    """What takes long: it waits its turn in gradio's queue and streams; gradio sends the browser
    what is new in each value."""
    at_once = Quota(OWN_AT_ONCE)

    def ask(
        question: str,
        history: list[dict[str, str]],
        documents: list[str] | None,
        request: gr.Request,
        llm: str | None = None,
    ) -> Iterator[dict[str, Any]]:
        """Answer a question: an Answer as plain values, in pieces.

        Args:
            question: as a person asks it.
            history: the conversation before it, as `role` (user or assistant) and `content`.
            documents: ids of the documents to ask; null asks all.
            llm: what writes: `none` quotes the documents, null lets the language model write that
                is set; or one of those that are offered.
        """
        owner = _owner(request.username, request.headers)
        with _told(request) as failed:
            try:
                whose = owner or str(request.session_hash)
                client = client_of(request.username, request.client.host)
                with at_once.one_of(whose), service.line.place(client, whose):
                    for value in answering(service, owner, question, history, documents, llm):
                        yield failed(value)
            except (QuestionError, RefusedError) as error:  # too many of one person's, or of all
                yield failed({"stage": "failed", "failure": str(error)})

    def add(ticket: str, request: gr.Request) -> Iterator[dict[str, Any]]:
        """Index a file that was received: its `done` and `total` paragraphs, then the document."""
        owner = _owner(request.username, request.headers)
        with _told(request) as failed:
            if owner is None:
                yield failed({"stage": "failed", "failure": "This browser gave no key."})
            else:
                yield from map(failed, adding(service.sessions, owner, ticket))

    at_most = service.assistant.settings.at_once
    server.api(ask, name="ask", concurrency_limit=at_most)
    server.api(add, name="add", concurrency_limit=1, api_visibility="private")


def _add_requests(
    server: gr.Server,
    service: Service,
    entrance: Entrance,
    renderer: PageRenderer,
    folder: Folder,
) -> None:
    """What is done at once."""
    sessions, starters = service.sessions, service.starters
    mimetypes.add_type("font/woff2", ".woff2")  # not every system knows it
    static = StaticFiles(packages=[("assistant.web", "static")])

    user = Depends(entrance.user)

    def owner(request: Request, name: Annotated[str | None, user]) -> str | None:
        return _owner(name, request.headers)

    def own(identity: Annotated[str | None, Depends(owner)]) -> str:
        if identity is None:
            raise HTTPException(400, "This browser gave no key.")
        return identity

    def client(request: Request, name: Annotated[str | None, user]) -> str:
        return client_of(name, request.client.host if request.client else "")

    one = Annotated[str, Depends(client)]
    anyone = Annotated[str | None, Depends(owner)]
    someone = Annotated[str, Depends(own)]

    @server.exception_handler(FootnoteError)
    def mistake(request: Request, error: FootnoteError) -> JSONResponse:
        status, again = told(error)
        return response_of(request.scope, status, str(error), retry_after=again)

    server.mount("/page", static)

    @server.api_route("/", methods=["GET", "HEAD"])
    async def page(
        request: Request, name: Annotated[str | None, Depends(entrance.name_async)]
    ) -> Response:
        shut = entrance.is_guarded and name is None
        return await static.get_response("login.html" if shut else "page.html", request.scope)

    @server.get("/session")
    def session(owner: anyone, name: Annotated[str | None, user]) -> dict[str, Any]:
        sessions.touch(owner)
        functions = server.get_blocks().fns.values()
        return {
            "user": name,
            "documents": [plain_document(found) for found in sessions.documents(owner)],
            "functions": {function.api_name: function._id for function in functions},  # noqa: SLF001
        }

    @server.get("/folder")
    def changes(after: int, _: Annotated[str | None, user]) -> dict[str, Any]:
        return folder.to_dict(after)

    @server.get("/writers")
    def writing(_: Annotated[str | None, user]) -> dict[str, Any]:
        return service.writers.to_dict()

    @server.post("/starters")
    async def starting(documents: list[str], owner: anyone) -> list[str]:
        asked = await to_thread.run_sync(sessions.asking, owner, documents)
        return list((await starters.of(asked))[:SHOWN])

    @server.get("/documents/{identity}")
    def document(identity: str, owner: anyone) -> dict[str, Any]:
        found, boxes = sessions.document(owner, identity), sessions.boxes(owner, identity)
        sizes = zip(boxes.sizes.tolist(), boxes.labels, strict=True) if boxes else ()
        return {
            "id": found.id,
            "title": found.title,
            "pages": [{"width": w, "height": h, "label": label} for (w, h), label in sizes],
            "paragraphs": [
                {
                    "number": p.number,
                    "heading": p.heading,
                    "page": p.page,
                    "locator": p.locator,
                    "kind": p.kind,
                    "start": p.start,
                    "text": p.text,
                }
                for p in found.paragraphs
            ],
        }

    @server.get("/documents/{identity}/pages/{number}")
    def picture(identity: str, number: int, width: int, owner: anyone) -> Response:
        file = sessions.original(owner, identity)
        return Response(
            renderer.draw(file, number, width),
            media_type="image/webp",
            headers={"cache-control": "private, max-age=3600"},
        )

    @server.get("/documents/{identity}/pages/{number}/words")
    def words(identity: str, number: int, owner: anyone) -> list[dict[str, Any]]:
        boxes = sessions.boxes(owner, identity)
        return [asdict(word) for word in boxes.words_on(number)] if boxes else []

    @server.post("/documents/{identity}/keep")
    def keep(identity: str, owner: someone) -> None:
        sessions.keep(owner, identity)

    @server.delete("/documents/{identity}")
    def remove(identity: str, owner: someone) -> None:
        sessions.remove(owner, identity)

    @server.post("/uploads")
    async def upload(name: str, request: Request, owner: someone, client: one) -> str:
        return await sessions.inbox.receive(client, owner, name, request.stream())

    @server.post("/feedback")
    def feedback(vote: voting.Vote, owner: anyone, client: one) -> None:
        voting.take(vote, service, client, owner)


def _owner(user: str | None, headers: Any) -> str | None:
    return SessionDocuments.owner(user, headers.get("x-footnote-session"))


@contextmanager
def _told(request: gr.Request) -> Iterator[Callable[[dict[str, Any]], dict[str, Any]]]:
    """Inside the `with`, what is told has the id of the request that put something into the queue;
    what it gives puts that into a value that tells of a failure."""
    identity = request.headers.get(HEADER)

    def failed(value: dict[str, Any]) -> dict[str, Any]:
        return {**value, "request": identity} if value["stage"] == "failed" else value

    with about(identity):
        yield failed


def _ask_this_machine_directly() -> None:
    """Keep gradio's look at its own address, once it listens, from going to a proxy."""
    known = os.environ.get("no_proxy") or os.environ.get("NO_PROXY")
    hosts = ",".join(filter(None, [known, "localhost", "127.0.0.1", "::1"]))
    os.environ["no_proxy"] = os.environ["NO_PROXY"] = hosts

"""Serves the page: a gradio server. The one module that imports gradio.

Questions and indexing go through gradio's queue, which tells everyone their place in it, runs some
at a time and streams what comes of them. Everything else is a plain request. Nothing asks for
anything outside this machine: gradio's analytics and version check are off, and the browser is told
to refuse any other host (see `security`).
"""

import mimetypes
import os
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Annotated, Any

# gradio reads this when it is imported: no analytics and no check for a newer version.
os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"

import gradio as gr
from fastapi import Depends, HTTPException, Request, Response
from fastapi.responses import JSONResponse
from starlette.middleware import Middleware
from starlette.staticfiles import StaticFiles

from assistant.llm.servers import SERVERS, Server, is_loopback
from assistant.watching import FolderWatch, Unread
from assistant.web.feedback import Vote, answer_of
from assistant.web.rendering import PageRenderer
from assistant.web.security import MCP, SecurityMiddleware, accounts_of, check_host
from assistant.web.sessions import SessionDocuments
from assistant.web.streams import Quota, adding, answering, plain_document, turns_of
from assistant.web.suggestions import SHOWN, Suggestions
from assistant.web.writers import Writers
from index.errors import FootnoteError, MissingPathError, QuestionError, SettingsError

if TYPE_CHECKING:
    from assistant.assistant import Assistant
    from assistant.web.mcp import Server as Tools

#: Questions of different people answered at once, and how many of them one person's may be.
QUESTIONS_AT_ONCE = 8
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
    tools = None
    if mcp:
        from assistant.web.mcp import server_of

        tools = server_of(assistant)
    sessions = SessionDocuments(assistant)
    guard = Middleware(SecurityMiddleware, local=is_loopback(host), accounts=accounts_of(auth))
    starters, renderer = Suggestions(), PageRenderer()
    folder = Folder(tuple(unread), watch)
    writers = Writers(assistant, servers if is_loopback(host) and not auth else ())
    server = build(sessions, starters, writers, renderer, folder, guard, tools)
    _ask_this_machine_directly()
    try:
        _, url, _ = server.launch(
            server_name=host,
            server_port=port,
            auth=list(auth) if auth else None,
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
            app_kwargs={"lifespan": _running(tools)},
        )
    except OSError as error:
        wanted = "a port from 7860 on" if port is None else f"port {port}"
        raise SettingsError(
            f"Cannot listen on {wanted} of {host}: {error}. Choose another port or host."
        ) from error
    aside = [
        threading.Thread(target=sessions.keep_clear),
        threading.Thread(target=starters.of, args=(assistant,)),
        *([threading.Thread(target=watch.run)] if watch else ()),
    ]
    try:
        for thread in aside:
            thread.start()
        # Told last, so that whoever reads it may end it at once.
        sys.stdout.write(f"Footnote is at {url} (Ctrl-C ends it)\n")
        if tools:
            sys.stdout.write(f"MCP clients connect to {url.rstrip('/')}{MCP} (streamable HTTP)\n")
        sys.stdout.flush()
        while True:
            time.sleep(1)
    except KeyboardInterrupt:
        pass  # the way to end it, so no error
    finally:
        server.get_blocks().close(verbose=False)
        if watch:
            watch.close()
        starters.close()
        renderer.close()
        sessions.close()
        for thread in aside:
            if thread.ident is not None:  # Ctrl-C may come before it is started
                thread.join()


def build(
    sessions: SessionDocuments,
    starters: Suggestions,
    writers: Writers,
    renderer: PageRenderer,
    folder: Folder,
    guard: Middleware,
    tools: "Tools | None" = None,
) -> gr.Server:
    """The server, not yet launched."""
    server = gr.Server(title="Footnote", openapi_url=None, middleware=[guard])
    _add_streams(server, sessions, starters, writers)
    _add_requests(server, sessions, starters, writers, renderer, folder)
    if tools:
        server.router.routes.extend(tools.routes(MCP))
    return server


def _add_streams(
    server: gr.Server, sessions: SessionDocuments, starters: Suggestions, writers: Writers
) -> None:
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
        try:
            with at_once.one_of(owner or str(request.session_hash)):
                yield from answering(
                    sessions, starters, writers, owner, question, history, documents, llm
                )
        except QuestionError as error:  # too many of one person's
            yield {"stage": "failed", "failure": str(error)}

    def add(ticket: str, request: gr.Request) -> Iterator[dict[str, Any]]:
        """Index a file that was received: its `done` and `total` paragraphs, then the document."""
        owner = _owner(request.username, request.headers)
        if owner is None:
            yield {"stage": "failed", "failure": "This browser gave no key."}
        else:
            yield from adding(sessions, owner, ticket)

    server.api(ask, name="ask", concurrency_limit=QUESTIONS_AT_ONCE)
    server.api(add, name="add", concurrency_limit=1, api_visibility="private")


def _add_requests(
    server: gr.Server,
    sessions: SessionDocuments,
    starters: Suggestions,
    writers: Writers,
    renderer: PageRenderer,
    folder: Folder,
) -> None:
    """What is done at once."""
    mimetypes.add_type("font/woff2", ".woff2")  # not every system knows it
    static = StaticFiles(packages=[("assistant.web", "static")])

    def user(request: Request) -> str | None:
        """Who is logged in, as gradio knows it; raises 401 where a login is needed."""
        cookies = (f"access-token-{server.cookie_id}", f"access-token-unsecure-{server.cookie_id}")
        names = [server.tokens.get(request.cookies.get(cookie)) for cookie in cookies]
        name = next((name for name in names if name is not None), None)
        if server.auth is not None and name is None:
            raise HTTPException(401, "Log in again: reload the page.")
        return name

    def owner(request: Request, name: Annotated[str | None, Depends(user)]) -> str | None:
        return _owner(name, request.headers)

    def own(identity: Annotated[str | None, Depends(owner)]) -> str:
        if identity is None:
            raise HTTPException(400, "This browser gave no key.")
        return identity

    anyone = Annotated[str | None, Depends(owner)]
    someone = Annotated[str, Depends(own)]

    @server.exception_handler(FootnoteError)
    def mistake(_: Request, error: FootnoteError) -> JSONResponse:
        status = 404 if isinstance(error, MissingPathError) else 400
        return JSONResponse({"detail": str(error)}, status)

    server.mount("/page", static)

    @server.api_route("/", methods=["GET", "HEAD"])
    async def page(request: Request) -> Response:
        try:
            user(request)
        except HTTPException:
            return await static.get_response("login.html", request.scope)
        return await static.get_response("page.html", request.scope)

    @server.get("/session")
    def session(owner: anyone, name: Annotated[str | None, Depends(user)]) -> dict[str, Any]:
        sessions.touch(owner)
        functions = server.get_blocks().fns.values()
        return {
            "user": name,
            "documents": [plain_document(found) for found in sessions.documents(owner)],
            "functions": {function.api_name: function._id for function in functions},  # noqa: SLF001
        }

    @server.get("/folder")
    def changes(after: int, _: Annotated[str | None, Depends(user)]) -> dict[str, Any]:
        return folder.to_dict(after)

    @server.get("/writers")
    def writing(_: Annotated[str | None, Depends(user)]) -> dict[str, Any]:
        return writers.to_dict()

    @server.post("/starters")
    def starting(documents: list[str], owner: anyone) -> list[str]:
        return list(starters.of(sessions.asking(owner, documents))[:SHOWN])

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
    async def upload(name: str, request: Request, owner: someone) -> str:
        return await sessions.receive(owner, name, request.stream())

    @server.post("/feedback")
    def feedback(vote: Vote, owner: anyone) -> None:
        from assistant.feedback import add_draft, drafts_path

        add_draft(
            drafts_path(sessions.index_folder),
            vote.question,
            history=turns_of(vote.history),
            answer=answer_of(vote, sessions, owner),
            verdict=vote.verdict,
        )


def _owner(user: str | None, headers: Any) -> str | None:
    return SessionDocuments.owner(user, headers.get("x-footnote-session"))


def _running(
    tools: "Tools | None",
) -> Callable[[Any], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(_: Any) -> AsyncIterator[None]:
        if tools is None:
            yield
        else:
            async with tools.session_manager.run():
                yield

    return lifespan


def _ask_this_machine_directly() -> None:
    """Keep gradio's look at its own address, once it listens, from going to a proxy."""
    known = os.environ.get("no_proxy") or os.environ.get("NO_PROXY")
    hosts = ",".join(filter(None, [known, "localhost", "127.0.0.1", "::1"]))
    os.environ["no_proxy"] = os.environ["NO_PROXY"] = hosts

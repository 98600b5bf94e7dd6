"""The page as a gradio app. The one module that imports gradio.

It serves the page's addresses and the API's, and gives gradio's clients the answers to questions,
through gradio's queue. Nothing asks for anything outside this machine: gradio's analytics and
version check are off, and the browser is told to refuse any other host (see `SecurityMiddleware`).
"""

import os
import re
import sys
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

# gradio reads this when it is imported: no analytics and no check for a newer version.
os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"

import gradio as gr
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from assistant.access.callers import person
from assistant.access.logins import check_host
from assistant.api.app import ApiDispatcher, add_problems, lifespan
from assistant.api.app import build as build_api
from assistant.llm.discovery import SERVERS, Server
from assistant.schemas.answers import AnswerValue
from assistant.service.operations import Sources, stream_answer
from assistant.service.service import MAX_WAITING, Service, wait_for_the_end
from assistant.service.watching import FolderWatch, Unread
from assistant.serving.logs import about, take_over
from assistant.serving.middleware import HEADER, MCP, is_of_gradio
from assistant.serving.problems import explain, response_of
from assistant.serving.streaming import whole
from assistant.web.login_routes import LOG_IN, LoginRoutes
from assistant.web.rendering import PageRenderer
from assistant.web.routes import STATIC, Folder, routes
from index.errors import FootnoteError, SettingsError

if TYPE_CHECKING:
    from assistant.assistant import Assistant
    from assistant.mcp.server import Server as Tools

MAX_ASKED = 10_000
"""Questions of gradio's clients of which it is known who asked them."""

_EVENT = re.compile(rb'"event_id":\s*"(\w+)"')


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
    service, tools = Service(assistant, host, auth, servers), None
    if mcp:
        from assistant.mcp.server import server_of

        tools = server_of(service)
    renderer, login_routes = PageRenderer(), LoginRoutes(service.access)
    server = build(service, login_routes, renderer, Folder(tuple(unread), watch), tools)
    _ask_this_machine_directly()
    try:
        _, url, _ = server.launch(
            server_name=host,
            server_port=port,
            auth_dependency=login_routes.name_async if login_routes.is_guarded else None,
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
            # As many as may be in line: that sends more of them away, and gradio would let any
            # number wait.
            max_threads=assistant.settings.at_once + MAX_WAITING + 1,
            app_kwargs={"lifespan": partial(lifespan, tools)},
        )
    except OSError as error:
        wanted = "a port from 7860 on" if port is None else f"port {port}"
        raise SettingsError(
            f"Cannot listen on {wanted} of {host}: {error}. Choose another port or host."
        ) from error
    take_over()
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


class _AskersOnly:
    """Lets only who has logged in to what gradio adds, and to an answer only who has asked for it.

    Args:
        app: the wrapped app.
        login_routes: know who has logged in.
    """

    def __init__(self, app: ASGIApp, *, login_routes: LoginRoutes) -> None:
        self.app = app
        self._login_routes = login_routes
        self._askers = OrderedDict[str, str | None]()  # by the id of what was asked

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or pass it on."""
        if scope["type"] != "http" or not is_of_gradio(scope["path"]):
            await self.app(scope, receive, send)
            return
        request = Request(scope)
        name = await self._login_routes.name_async(request)
        wanted = scope["path"].rpartition("/")[2], request.query_params.get("session_hash", "")
        if name is None and self._login_routes.is_guarded:
            await response_of(scope, 401, LOG_IN)(scope, receive, send)
        elif any(self._askers.get(one, name) != name for one in wanted):
            await response_of(scope, 404, "That answer is not here.")(scope, receive, send)
        else:

            async def noting(message: Message) -> None:
                if scope["method"] == "POST" and (made := _EVENT.search(message.get("body", b""))):
                    self._askers[made[1].decode()] = name
                    if len(self._askers) > MAX_ASKED:
                        self._askers.popitem(last=False)
                await send(message)

            await self.app(scope, receive, noting)


class _Guarded(gr.Server):
    """Puts what gradio adds behind what guards it: nothing is answered before that, and gradio's
    answers to other sites (CORS) are for nothing but the page."""

    def add_middleware(self, middleware_class: Any, *args: Any, **kwargs: Any) -> None:
        """See `Starlette.add_middleware`."""
        self.user_middleware.append(Middleware(middleware_class, *args, **kwargs))


def build(
    service: Service,
    login_routes: LoginRoutes,
    renderer: PageRenderer,
    folder: Folder,
    tools: "Tools | None" = None,
) -> gr.Server:
    """The server, not yet launched."""
    api = Middleware(ApiDispatcher, api=build_api(service, page=True))
    asker = Middleware(_AskersOnly, login_routes=login_routes)
    server = _Guarded(title="Footnote", openapi_url=None, middleware=[*service.guards, api, asker])
    server.api(_api(service), name="ask", concurrency_limit=None)
    server.mount("/page", STATIC)
    server.include_router(login_routes.routes())
    server.include_router(routes(service, login_routes, renderer, folder))
    add_problems(server)
    if tools:
        server.router.routes.extend(tools.routes(MCP))
    return server


def _api(service: Service) -> Callable[..., Awaitable[dict[str, Any]]]:
    """What gradio's clients may call."""

    async def ask(
        question: str,
        history: list[dict[str, str]],
        documents: list[str] | None,
        request: gr.Request,
        llm: str | None = None,
    ) -> dict[str, Any]:
        """Answer a question: `stage` is `done`, with an `answer`, or `failed`, with a `failure`.

        Args:
            question: as a person asks it.
            history: the conversation before it, as `role` (user or assistant) and `content`.
            documents: ids of the documents to ask; null asks all.
            llm: what writes: `none` quotes the documents, null lets the language model write that
                is set; or one of those that are offered.
        """
        caller = person(request.username, request.client.host)
        sources = Sources(caller.owner, documents)
        steps = stream_answer(service, sources, question, history, llm, shown=False)
        with about(request.headers.get(HEADER)):
            try:
                answer = await whole(steps, service.queue.place_async(caller.client))
            except FootnoteError as error:
                return {"stage": "failed", "failure": explain(error)[2]}
        return {"stage": "done", "answer": AnswerValue.model_validate(answer).model_dump()}

    return ask


def _ask_this_machine_directly() -> None:
    """Keep gradio's look at its own address, once it listens, from going to a proxy."""
    known = os.environ.get("no_proxy") or os.environ.get("NO_PROXY")
    hosts = ",".join(filter(None, [known, "localhost", "127.0.0.1", "::1"]))
    os.environ["no_proxy"] = os.environ["NO_PROXY"] = hosts

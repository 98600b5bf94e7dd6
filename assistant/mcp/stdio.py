"""Talks with one MCP client on standard input and output, as desktop clients want it."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager, ExitStack, suppress
from typing import TYPE_CHECKING

from anyio.abc import TaskStatus
from anyio.from_thread import start_blocking_portal

from assistant.mcp.pending import PendingService
from assistant.mcp.server import Server
from assistant.service.service import Service
from index.errors import FootnoteError

if TYPE_CHECKING:
    from assistant.assistant import Assistant
    from index.store.writer import Progress

LOCAL = "127.0.0.1"
"""Nobody reaches it from elsewhere."""

_logger = logging.getLogger(__name__)


def serve_stdio(
    opened: Callable[[Progress], AbstractContextManager[Assistant]],
    tell: Callable[[FootnoteError], None],
) -> bool:
    """Answer a client on standard input and output until it closes its end, or Ctrl-C comes.

    It is answered at once, from another thread, and the documents are opened meanwhile. That is
    done in this thread, which Ctrl-C reaches: a client that leaves before it is done interrupts it
    in the same way.

    Args:
        opened: opens the assistant, and calls what it is given as paragraphs are indexed.
        tell: called if it cannot be opened. The client is told too, by every tool.

    Returns:
        Whether it could be opened.
    """
    opening, guard = PendingService(), threading.Lock()
    server = Server(opening, changes=True)
    own_thread = threading.get_ident()

    def interrupt(_: object) -> None:
        with guard:
            if not opening.done():
                signal.pthread_kill(own_thread, signal.SIGINT)

    # The conversation ends before the assistant is closed.
    with ExitStack() as stack, start_blocking_portal() as portal:
        conversation, _ = portal.start_task(_converse, server)
        try:
            conversation.add_done_callback(interrupt)
            try:
                assistant = stack.enter_context(opened(opening.step))
                service = Service.of(assistant, LOCAL)
                with guard:
                    opening.set_result(service)
            except FootnoteError as error:
                tell(error)  # before a client that hears of it may end all of this
                with guard:
                    opening.set_exception(error)
            conversation.result()
        except KeyboardInterrupt:
            # The way to end it, so no error; but for who stops what is not there yet.
            if not (opening.done() or conversation.done()):
                raise
            conversation.cancel()
    return not (opening.done() and opening.exception())


async def _converse(server: Server, *, task_status: TaskStatus[None]) -> None:
    try:
        await server.converse(_lines_of_client(), task_status.started)
    except* BrokenPipeError:
        _logger.info("the client no longer reads what it is told")


async def _lines_of_client() -> AsyncIterator[str]:
    """The lines of standard input, which nothing else reads from then on.

    A read of a file cannot be cancelled, and a thread that reads would keep the process alive: one
    does that nobody waits for.
    """
    wire = os.fdopen(os.dup(0), encoding="utf-8", errors="replace")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    loop = asyncio.get_running_loop()
    lines: asyncio.Queue[str | None] = asyncio.Queue()

    def read() -> None:
        with suppress(RuntimeError):  # nobody listens any more
            for line in wire:
                loop.call_soon_threadsafe(lines.put_nowait, line)
            loop.call_soon_threadsafe(lines.put_nowait, None)

    threading.Thread(target=read, daemon=True).start()
    while (line := await lines.get()) is not None:
        yield line

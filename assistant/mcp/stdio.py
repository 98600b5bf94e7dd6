"""Talks with one MCP client on standard input and output, as desktop clients want it."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import threading
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Future
from contextlib import AbstractContextManager, ExitStack, suppress
from typing import TYPE_CHECKING

from anyio.abc import TaskStatus
from anyio.from_thread import start_blocking_portal

from assistant.mcp.server import Server
from assistant.service.service import Service
from index.errors import FootnoteError

if TYPE_CHECKING:
    from assistant.assistant import Assistant

_logger = logging.getLogger(__name__)


def serve_stdio(
    opened: Callable[[], AbstractContextManager[Assistant]],
    tell: Callable[[FootnoteError], None],
) -> bool:
    """Answer a client on standard input and output until it closes its end, or Ctrl-C comes.

    The client is answered at once, from another thread. Meanwhile the documents are opened in this
    thread, which Ctrl-C interrupts; so does a client that leaves before they are opened.

    Args:
        opened: opens the assistant.
        tell: called if it cannot be opened. Every tool tells the client too.

    Returns:
        Whether it could be opened.
    """
    pending, guard = Future[Service](), threading.Lock()
    server = Server(pending)
    main_thread = threading.get_ident()

    def interrupt(_: object) -> None:
        with guard:
            if not pending.done():
                signal.pthread_kill(main_thread, signal.SIGINT)

    # The conversation ends before the assistant is closed.
    with ExitStack() as stack, start_blocking_portal() as portal:
        conversation, _ = portal.start_task(_converse, server)
        try:
            conversation.add_done_callback(interrupt)
            try:
                assistant = stack.enter_context(opened())
                service = Service(assistant, "127.0.0.1")
                with guard:
                    pending.set_result(service)
            except FootnoteError as error:
                tell(error)  # before a client that gets the error may end this process
                with guard:
                    pending.set_exception(error)
            conversation.result()
        except KeyboardInterrupt:
            # The usual way to end it, so no error; unless the documents are not opened yet.
            if not (pending.done() or conversation.done()):
                raise
            conversation.cancel()
    return not (pending.done() and pending.exception())


async def _converse(server: Server, *, task_status: TaskStatus[None]) -> None:
    try:
        await server.converse(_lines_of_client(), task_status.started)
    except* BrokenPipeError:
        _logger.info("the client no longer reads what it is told")


async def _lines_of_client() -> AsyncIterator[str]:
    """The lines of standard input, which nothing else reads from then on.

    They are read in a daemon thread: reading a file cannot be cancelled, and any other thread would
    keep the process alive.
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

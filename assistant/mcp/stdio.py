"""Talks with one MCP client on standard input and output, as desktop clients want it."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING, cast

import anyio

from assistant.mcp.opening import Opening
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

    It is answered at once, and the documents are opened meanwhile. That is done in this thread,
    which Ctrl-C reaches: a client that leaves before it is done interrupts it in the same way.

    Args:
        opened: opens the assistant, and calls what it is given as paragraphs are indexed.
        tell: called if it cannot be opened. The client is told too, by every tool.

    Returns:
        Whether it could be opened.
    """
    opening = Opening()
    conversation = _Conversation(Server(opening, changes=True))
    conversation.start()
    fine = True
    try:
        with ExitStack() as stack:
            try:
                with conversation.interrupting():
                    assistant = stack.enter_context(opened(opening.step))
                    service = Service.of(assistant, LOCAL)
                    stack.callback(service.sessions.close)
            except FootnoteError as error:
                opening.fail(error)
                tell(error)
                fine = False
            else:
                opening.end(service)
            stack.callback(conversation.stop)  # before the assistant is closed
            conversation.over.wait()
    except KeyboardInterrupt:
        # The way to end it, so no error; but for who stops what is not there yet.
        if not (opening.is_over or conversation.over.is_set()):
            raise
    finally:
        conversation.stop()
    if conversation.error:
        raise conversation.error
    return fine


class _Conversation:
    """Talks with the client, in a thread of its own.

    Attributes:
        over: set when the client has left.
        error: what went wrong, if anything did.
    """

    def __init__(self, server: Server) -> None:
        self.over = threading.Event()
        self.error: BaseException | None = None
        self._server = server
        self._begun = threading.Event()
        self._guard = threading.Lock()
        self._interrupts = False
        self._end: Callable[[], object] = lambda: None
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        """Begin, and have all that is written to standard output go elsewhere."""
        self._thread.start()
        self._begun.wait()

    def stop(self) -> None:
        """Say no more. May be called again."""
        with suppress(RuntimeError):  # its loop is closed
            self._end()
        self._thread.join()

    @contextmanager
    def interrupting(self) -> Iterator[None]:
        """What is done inside, in the main thread, is interrupted when the client leaves.

        Raises:
            KeyboardInterrupt: it has left.
        """
        with self._guard:
            if self.over.is_set():
                raise KeyboardInterrupt
            self._interrupts = True
        try:
            yield
        finally:
            with self._guard:
                self._interrupts = False

    def _run(self) -> None:
        try:
            anyio.run(self._talk)
        except* BrokenPipeError:
            _logger.info("the client no longer reads what it is told")
        except* Exception as errors:  # noqa: BLE001 (raised in the thread that began it)
            self.error = errors
        with self._guard:
            self.over.set()
            if self._interrupts:
                signal.pthread_kill(cast(int, threading.main_thread().ident), signal.SIGINT)
        self._begun.set()

    async def _talk(self) -> None:
        loop = asyncio.get_running_loop()
        with anyio.CancelScope() as scope:
            self._end = lambda: loop.call_soon_threadsafe(scope.cancel)
            await self._server.converse(_lines_of_client(), self._begun.set)


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

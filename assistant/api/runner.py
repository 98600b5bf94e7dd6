"""Serves the API without the page. The one module that imports uvicorn."""

from __future__ import annotations

import socket
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

import uvicorn

from assistant.api.app import build, lifespan
from assistant.service.service import wait_for_the_end
from assistant.serving.middleware import MCP
from index.errors import SettingsError

if TYPE_CHECKING:
    from assistant.mcp.server import Server as Tools
    from assistant.service.service import Service
    from assistant.service.watching import FolderWatch

PORTS = range(7860, 7960)
"""The first free one is taken where none is given."""


def serve(
    service: Service,
    host: str,
    port: int | None = None,
    *,
    tools: Tools | None = None,
    watch: FolderWatch | None = None,
) -> None:
    """Serve the API until that is ended, and print its address.

    Args:
        service: what is asked.
        host: the address to listen on.
        port: None takes 7860 or the next free one.
        tools: the server of the tools for MCP clients, if they are offered.
        watch: follows the assistant's folders.

    Raises:
        SettingsError: the port is not free.
    """
    ports = PORTS if port is None else [port]
    with served(service, host, ports, tools) as url, service.running(watch):
        sys.stdout.write(f"Footnote is at {url}api/docs (Ctrl-C ends it)\n")
        if tools:
            sys.stdout.write(f"MCP clients connect to {url.rstrip('/')}{MCP}\n")
        sys.stdout.flush()
        wait_for_the_end()


@contextmanager
def served(
    service: Service, host: str, ports: Sequence[int], tools: Tools | None = None
) -> Iterator[str]:
    """The API, answering at the address that it gives, inside the `with`.

    Args:
        service: what is asked.
        host: the address to listen on.
        ports: the first free one of these is taken.
        tools: see `serve`.

    Raises:
        SettingsError: none of the ports is free.
    """
    app = build(service, page=False)
    if tools:
        app.router.routes.extend(tools.routes(MCP))
    app.router.lifespan_context = partial(lifespan, tools)
    app.user_middleware[:] = list(service.guards)
    listening = _listen(host, ports)
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False))
    running = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    running.start()
    try:
        while running.is_alive() and not server.started:
            time.sleep(0.01)
        name = f"[{host}]" if ":" in host else host
        yield f"http://{name}:{listening.getsockname()[1]}/"
    finally:
        server.should_exit = True
        running.join()
        listening.close()


def _listen(host: str, ports: Sequence[int]) -> socket.socket:
    """A socket that listens at one of these ports.

    Raises:
        SettingsError: none is free.
    """
    refusal: OSError | None = None
    for port in ports:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        try:  # as many may wait as uvicorn lets
            return socket.create_server((host, port), family=family, backlog=2048)
        except OSError as error:
            refusal = error
    raise SettingsError(
        f"Cannot listen on port {ports[0]} of {host}: {refusal}. Choose another port or host."
    ) from refusal

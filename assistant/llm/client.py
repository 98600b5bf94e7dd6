"""Language models: any OpenAI-compatible server, a GGUF file in process, any llama-index LLM.

Whatever goes wrong becomes a LanguageModelError whose message can be shown; nothing waits for ever.
The one home of the clients. A GGUF file is served by llama.cpp inside this process, on loopback and
behind a key of its own, so that both kinds are one client.
"""

from __future__ import annotations

import queue
import secrets
import socket
import threading
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from anyio import NoEventLoopError, from_thread

from assistant.llm.discovery import NONE, Endpoint, locate
from assistant.settings import not_installed
from index.errors import FootnoteError

if TYPE_CHECKING:
    from llama_index.core.llms import LLM

    from assistant.settings import Settings

#: Tokens, where a server does not tell, and that a GGUF file is given room for: a processor reads
#: 20 to 60 a second.
DEFAULT_CONTEXT = 4096
MAX_TOKENS = 512  # of an answer
CUT_OFF = "it was cut off"
ENDLESS = "it did not come to an end"
#: Times the limit of silence: how long a whole answer may take, and its first word, before which
#: all that it is told has to be read.
TOTAL = 4

_STATUS = {
    401: "it refused the key",
    403: "it refused the key",
    404: "it does not know the model",
    429: "it has too many requests",
}

#: By a part of the name of an error.
_KINDS = {
    "Timeout": "it did not answer in time",
    "Connect": "it cannot be reached",
    "MemoryError": "there is not enough memory",
    "Protocol": CUT_OFF,
    "ReadError": CUT_OFF,
}

POLL_INTERVAL = 0.2  # seconds after which it is looked whether anybody waits for an answer any more

#: A turn of a conversation with a model: its role and its text.
Message = tuple[str, str]


class LanguageModelError(FootnoteError):
    """A language model did not do its work. The message is a clause that says what happened."""


class ContextError(LanguageModelError):
    """What it was told is longer than its context."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """How many tokens a model read and wrote, as far as it tells."""

    prompt: int | None = None
    completion: int | None = None

    def __add__(self, other: Tokens) -> Tokens:
        """Those of both; what one of them does not tell is not known of both."""
        pairs = ((self.prompt, other.prompt), (self.completion, other.completion))
        return Tokens(*(None if a is None or b is None else a + b for a, b in pairs))


_Piece = str | BaseException | Tokens
"""What comes of a request: text, what went wrong, or at its end what it took."""


class LanguageModel:
    """A language model that streams.

    Args:
        llm: any llama-index LLM.
        silence: seconds without a word after which it is given up.
        context: its context size in tokens, where it is known better than `llm` does.
        on_close: called by `close`.
        on_end: called at the end of a request, in its thread, however it ended.
        on_stop: called with the thread of a request that nobody waits for any more.
    """

    def __init__(
        self,
        llm: LLM,
        silence: float = 30.0,
        context: int | None = None,
        on_close: Callable[[], None] = lambda: None,
        on_end: Callable[[], None] = lambda: None,
        on_stop: Callable[[threading.Thread], None] = lambda _: None,
    ) -> None:
        self._llm = llm
        self._on_stop = on_stop
        self._on_end = on_end
        self._silence = silence
        self._on_close = on_close
        self.context = context or int(llm.metadata.context_window or DEFAULT_CONTEXT)
        self.name = str(llm.metadata.model_name or type(llm).__name__)

    def stream(
        self, messages: Sequence[Message], max_tokens: int = MAX_TOKENS
    ) -> Generator[str, None, Tokens]:
        """The answer, piece by piece. Closed early, the model stops.

        Args:
            messages: what is said to it.
            max_tokens: how many tokens it may write, where the model takes such a limit.

        Returns:
            What it took.

        Raises:
            LanguageModelError: it failed, or has been silent or busy for too long.
        """
        pieces: queue.Queue[_Piece] = queue.Queue()
        stopped = threading.Event()
        thread = threading.Thread(
            target=self._run, args=(messages, max_tokens, pieces, stopped), daemon=True
        )
        thread.start()
        whole = TOTAL * self._silence
        silence, ends = whole, time.monotonic() + whole
        try:
            while True:
                wait = min(silence, ends - time.monotonic())
                try:
                    piece = _taken(pieces, wait)
                except queue.Empty:
                    raise LanguageModelError(
                        f"it was not done after {whole:g} seconds"
                        if wait < self._silence
                        else f"it sent nothing for {silence:g} seconds"
                    ) from None
                if isinstance(piece, Tokens):
                    return piece
                if isinstance(piece, BaseException):
                    raise _translated(piece) from piece
                if silence == whole:  # it has read, and begins to write
                    silence, ends = self._silence, time.monotonic() + whole
                yield piece
        finally:
            stopped.set()
            self._on_stop(thread)

    def close(self) -> None:
        """Let go of connections and of weights."""
        self._on_close()

    def _run(
        self,
        messages: Sequence[Message],
        max_tokens: int,
        pieces: queue.Queue[_Piece],
        stopped: threading.Event,
    ) -> None:
        try:
            from llama_index.core.llms import ChatMessage, MessageRole

            said = [ChatMessage(role=MessageRole(role), content=text) for role, text in messages]
            if stopped.is_set():  # while all that was loaded
                return
            ended: str | None = ""  # None while it is still writing
            used = Tokens()
            limit: dict[str, Any] = {}
            if "max_tokens" in type(self._llm).model_fields:
                limit["max_tokens"] = max_tokens
            for response in self._llm.stream_chat(said, **limit):
                if stopped.is_set():
                    return
                if choices := getattr(response.raw, "choices", None):
                    ended = getattr(choices[0], "finish_reason", None)
                if usage := getattr(response.raw, "usage", None):  # usually in the last piece
                    fields = ("prompt_tokens", "completion_tokens")
                    used = Tokens(*(getattr(usage, name, None) for name in fields))
                if response.delta:
                    pieces.put(response.delta)
            # A server that speaks the protocol says why it stopped; one that broke off does not.
            wrong = {None: CUT_OFF, "length": ENDLESS}.get(ended)
            pieces.put(LanguageModelError(wrong) if wrong else used)
        except BaseException as error:  # noqa: BLE001, told to whoever waits, whatever it is
            pieces.put(error)
        finally:
            self._on_end()


def _taken(pieces: queue.Queue[_Piece], wait: float) -> _Piece:
    """The next piece, for which it waits so many seconds at most.

    Raises:
        Empty: there was none.
        CancelledError: whoever asked has gone, as the event loop knows that let this thread work.
    """
    ends = time.monotonic() + wait
    while True:
        with suppress(NoEventLoopError):  # none has
            from_thread.check_cancelled()
        left = max(0.0, ends - time.monotonic())
        try:
            return pieces.get(timeout=min(left, POLL_INTERVAL))
        except queue.Empty:
            if left <= POLL_INTERVAL:
                raise


def is_set(settings: Settings) -> bool:
    """Whether the settings name a language model."""
    return settings.llm not in (None, NONE)


def name_of(settings: Settings) -> str:
    """What people call the language model that is set, as far as that is known before it is loaded;
    of an address only where it leads, for it may hold a password.

    Raises:
        SettingsError: what is set names none, see `locate`.
    """
    assert settings.llm is not None
    where = locate(settings.llm)
    if isinstance(where, Path):
        return where.stem
    return where.model or where.host


def check_installed(in_process: bool = False) -> None:
    """Check that what talks to a server is installed, and what runs a file `in_process`.

    Raises:
        SettingsError: a package is missing; says how it is installed.
    """
    needed = ["llama_index.llms.openai_like", *(["xllamacpp"] if in_process else [])]
    try:
        is_there = all(map(find_spec, needed))
    except ModuleNotFoundError:  # not even what it would be a part of
        is_there = False
    if not is_there:
        raise not_installed("Writing with a language model", "llm")


def check_setting(settings: Settings) -> None:
    """Check before anything long that a language model that is set could be there.

    Raises:
        SettingsError: what is set names none, see `locate`, or a package for it is missing.
    """
    if settings.llm is not None and is_set(settings):
        where = locate(settings.llm)
        check_installed(in_process=isinstance(where, Path))


def load_model(settings: Settings) -> LanguageModel:
    """The language model that is set.

    Raises:
        SettingsError: what is set names none, or a package for it is missing.
        LanguageModelError: it cannot be loaded.
    """
    assert settings.llm is not None
    where = locate(settings.llm)
    key = settings.llm_api_key.get_secret_value() if settings.llm_api_key else None
    try:
        if isinstance(where, Path):
            return _in_process(where, settings)
        return _served(where, settings, key)
    except ImportError as error:
        raise not_installed("Writing with a language model", "llm") from error


def _served(
    endpoint: Endpoint, settings: Settings, key: str | None, server: object = None
) -> LanguageModel:
    import httpx
    from llama_index.llms.openai_like import OpenAILike

    model, context = _ask(endpoint, key, settings.llm_timeout)
    context = settings.llm_context or context or DEFAULT_CONTEXT
    # What openai has open of a stream that is given up is only closed when garbage is collected,
    # for it refers to itself. If that happens while the next request, of the same thread, holds
    # the lock of the connections, it waits for itself, for ever. So it is closed here, and at once.
    mine = threading.local()
    # And what nobody waits for any more is told so at once, also while it reads and sends nothing:
    # each request has a connection of its own, which is shut from outside. They are known by their
    # threads, and not by the threads' numbers, which the next ones have again.
    connections: dict[threading.Thread, Any] = {}

    def connected(event: str, about: Mapping[str, Any]) -> None:
        if event == "connection.connect_tcp.complete":
            connections[threading.current_thread()] = about["return_value"]

    def begin(request: httpx.Request) -> None:
        request.extensions["trace"] = connected

    def note(response: httpx.Response) -> None:
        mine.response = response

    def release() -> None:
        connections.pop(threading.current_thread(), None)
        if hasattr(mine, "response"):
            mine.response.close()

    def stop(thread: threading.Thread) -> None:
        if connection := connections.get(thread):
            with suppress(OSError):  # it has ended by itself meanwhile
                connection.get_extra_info("socket").shutdown(socket.SHUT_RDWR)

    # What is said to a model on this machine goes past any proxy.
    client = httpx.Client(
        timeout=TOTAL * settings.llm_timeout,
        trust_env=not endpoint.is_local,
        event_hooks={"request": [begin], "response": [note]},
        limits=httpx.Limits(max_keepalive_connections=0),
    )
    llm: LLM = OpenAILike(
        model=endpoint.model or model or "default",
        api_base=endpoint.address,
        api_key=key or "none",
        is_chat_model=True,
        context_window=context,
        # Without `max_tokens`, which would overrule what is asked for with each request.
        temperature=0.0,
        max_retries=0,
        timeout=TOTAL * settings.llm_timeout,
        http_client=client,
        additional_kwargs={"stream_options": {"include_usage": True}},
    )
    # llama.cpp's server lives as long as something refers to it.
    kept = [server]

    def close() -> None:
        client.close()
        kept.clear()

    return LanguageModel(llm, settings.llm_timeout, context, close, release, stop)


def _ask(endpoint: Endpoint, key: str | None, timeout: float) -> tuple[str | None, int | None]:
    """Name and context size of the model, or else of the server's first, as far as the server tells
    them. That it cannot be reached or denies the key is found out, and told, when it is asked to
    write."""
    import httpx

    headers = {"Authorization": f"Bearer {key}"} if key else {}
    try:
        reply = httpx.get(
            f"{endpoint.address.rstrip('/')}/models",
            headers=headers,
            timeout=min(5.0, timeout),
            trust_env=not endpoint.is_local,
        )
        models = reply.json()["data"]
        told = next((one for one in models if one["id"] == endpoint.model), models[0])
        meta = told.get("meta") or {}
        context = told.get("max_model_len") or meta.get("n_ctx") or meta.get("n_ctx_train")
        return str(told["id"]), int(context) if context else None
    except (httpx.HTTPError, ValueError, KeyError, IndexError, TypeError, AttributeError):
        return None, None


def _in_process(path: Path, settings: Settings) -> LanguageModel:
    import xllamacpp

    key = secrets.token_hex(16)
    parameters = xllamacpp.CommonParams()
    parameters.model.path = str(path)
    given = {
        "n_ctx": settings.llm_context or DEFAULT_CONTEXT,
        "n_parallel": 1,
        "hostnames": ["127.0.0.1"],
        "port": 0,
        "api_keys": [key],
        "ui": False,
        "endpoint_slots": False,
        "verbosity": -1,
    }
    for name, value in given.items():
        setattr(parameters, name, value)
    try:
        server = xllamacpp.Server(parameters)
    except Exception as error:  # the library raises RuntimeError, MemoryError and others
        raise LanguageModelError(f"{path.name} cannot be loaded: {_translated(error)}") from error
    endpoint = Endpoint(f"{server.listening_address}/v1", path.stem)
    return _served(endpoint, settings, key, server=server)


def _translated(error: BaseException) -> LanguageModelError:
    """An error of a client in a clause, without what was sent or received: it may hold a key."""
    if isinstance(error, LanguageModelError):
        return error
    status = getattr(error, "status_code", None)
    text = str(error).lower()
    if "context" in text and any(word in text for word in ("length", "size", "exceed", "window")):
        return ContextError("the question and its evidence are longer than its context")
    if status is not None:
        told = _STATUS.get(status, "its server failed")
        return LanguageModelError(f"{told} (HTTP {status})")
    if isinstance(error, ValueError | TypeError | LookupError | AttributeError):
        return LanguageModelError("its server sent what cannot be read")
    name = type(error).__name__
    told = next((told for part, told in _KINDS.items() if part in name), f"it failed with {name}")
    return LanguageModelError(told)

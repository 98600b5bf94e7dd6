"""Language models: where the one is that a setting names, and which of them the servers on this
machine offer.

Nothing but this machine is asked, and past any proxy. What answers counts only if it lists models
as the OpenAI protocol does: many programs listen on these ports.
"""

from __future__ import annotations

import asyncio
import ipaddress
import re
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, Field

from index.errors import SettingsError

if TYPE_CHECKING:
    import httpx

PATIENCE = 0.5
"""Seconds in which a server that is looked for lists its models."""

CHOSEN_PATIENCE = 5.0
"""Seconds in which one that was chosen tells of them: it may be busy writing."""

MAX_LISTING_BYTES = 1_000_000

NONE = "none"
"""Names no language model, and asks for none to be looked for."""

GGUF = ".gguf"

_HOST_AND_PORT = re.compile(r"[\w.-]+:\d+(/.*)?")

# The protocol does not tell which models chat; these turn texts into vectors or scores.
_CANNOT_CHAT = re.compile(r"embed|rerank|minilm|\bbge\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Server:
    """A program that serves language models.

    Attributes:
        key: what stands for it in the setting, before a colon.
        title: its name.
        port: where it usually listens.
        serves_one: it has one model at a time, which need not be named.
        patience: seconds in which it lists its models.
    """

    key: str
    title: str
    port: int
    serves_one: bool = False
    patience: float = PATIENCE

    @property
    def address(self) -> str:
        """Its address on this machine."""
        return f"http://127.0.0.1:{self.port}/v1"


SERVERS = (
    Server("ollama", "Ollama", 11434),
    Server("lmstudio", "LM Studio", 1234),
    Server("llamacpp", "llama.cpp", 8080, serves_one=True),
    Server("vllm", "vLLM", 8000),
)


@dataclass(frozen=True, slots=True)
class Offer:
    """A language model that runs on this machine and could write.

    Attributes:
        server: where it runs.
        model: what its server calls it.
    """

    server: Server
    model: str

    @property
    def setting(self) -> str:
        """What to set, so that it writes."""
        return f"{self.server.key}:{self.model}"

    @property
    def name(self) -> str:
        """What people call it; llama.cpp calls a model by the path of its file."""
        return self.model.rpartition("/")[2] if self.model.endswith(".gguf") else self.model


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where the OpenAI protocol is spoken: the address, and which model; None is the first."""

    address: str
    model: str | None

    @property
    def host(self) -> str:
        """Host and port, without a password."""
        return urlsplit(self.address).netloc.rpartition("@")[2]

    @property
    def is_local(self) -> bool:
        """Whether it is on this machine."""
        return is_loopback(urlsplit(self.address).hostname or "")


class _Entry(BaseModel):
    object: Literal["model"]
    #: It can be shown and typed as it is.
    id: str = Field(max_length=200, pattern=r"^[^\p{C}\p{Z}]+( +[^\p{C}\p{Z}]+)*$")


class _Listing(BaseModel):
    object: Literal["list"]
    data: list[_Entry]


class _Tag(BaseModel):
    name: str
    digest: str


class _Tags(BaseModel):
    models: list[_Tag]


def locate(llm: str) -> Endpoint | Path:
    """Where the language model is that a setting names. Nothing is asked for it yet.

    Args:
        llm: the address of a server, with `#NAME` for one of its models; `ollama:NAME` or the like;
            or the path of a file.

    Raises:
        SettingsError: it is none of these, or there is no such file; says what to give instead.
    """
    llm = llm.strip()
    if llm.startswith(("http://", "https://")):
        try:
            parts = urlsplit(llm)
            is_good = bool(parts.hostname) and parts.port != 0 and llm.isprintable()
        except ValueError:  # a port that is no number, brackets that are not closed
            is_good = False
        if not is_good:
            raise SettingsError(
                f"FOOTNOTE_LLM is {llm!r}, which is not the address of a server. Give "
                "http://host:port/v1, or http://host:port/v1#NAME for one of its models."
            )
        address, _, model = llm.partition("#")
        return Endpoint(address, model or None)
    key, colon, name = llm.partition(":")
    server = next((one for one in SERVERS if one.key == key.strip().lower()), None)
    if server is None:
        return _file(llm)
    named = name.strip() or None
    if named is None and not (colon and server.serves_one):
        if server.serves_one:
            raise SettingsError(f"FOOTNOTE_LLM is {llm!r}. Give {_form(server)}, with the colon.")
        raise SettingsError(
            f"FOOTNOTE_LLM is {llm!r}, which does not say which of {server.title}'s models is "
            f"meant. Give {_form(server)}, with its name."
        )
    return Endpoint(server.address, named)


def find_offers(servers: Sequence[Server] = SERVERS, patience: float = 0.0) -> list[Offer]:
    """The models of those servers that are running on this machine, in the servers' order. They are
    asked all at once; one that does not answer, or not as such a server does, has none.

    Args:
        servers: those that are looked for.
        patience: seconds for an answer, where that is more than a server's own.
    """
    if not servers:
        return []
    bodies = _bodies(
        (f"{server.address}/models", max(patience, server.patience)) for server in servers
    )
    return [
        Offer(server, model)
        for server, body in zip(servers, bodies, strict=True)
        for model in _listed(body)
        if not _CANNOT_CHAT.search(model)
    ]


def first_model(address: str) -> str | None:
    """The first model that a server on this machine lists; None where it does not.

    Args:
        address: as it is set.
    """
    [body] = _bodies([(f"{address.rstrip('/')}/models", CHOSEN_PATIENCE)])
    return next(iter(_listed(body)), None)


def ollama_digest(address: str, model: str) -> str | None:
    """The digest of a model's weights, where Ollama serves it on this machine; None elsewhere.

    Args:
        address: as it is set.
        model: what the server calls it.
    """
    parts = urlsplit(address)
    [body] = _bodies([(f"{parts.scheme}://{parts.netloc}/api/tags", CHOSEN_PATIENCE)])
    try:
        tags = _Tags.model_validate_json(body).models
    except ValueError:
        return None
    names = (model, f"{model}:latest")  # what is meant where no tag is given
    return next((tag.digest for tag in tags if tag.name in names and tag.digest), None)


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach the host."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:  # a name, which may stand for any address
        return False


def _file(llm: str) -> Path:
    from assistant.settings import is_file, models_folder

    try:
        path = Path(llm).expanduser()
    except RuntimeError:  # no such user, so no such file either
        path = Path(llm)
    here, models = Path.cwd(), models_folder()
    bare = path.name == str(path)
    for folder in (here, models) if bare else (here,):
        if is_file(folder / path):
            return folder / path
    if path.suffix.lower() == GGUF:
        where = f"in {here} or in {models}" if bare else str(here / path)
        raise SettingsError(
            f"FOOTNOTE_LLM is {llm!r}, and there is no file {where}. Give the path of a {GGUF} "
            "file, or put it into one of these folders."
        )
    hint = f" Did you mean http://{llm}?" if _HOST_AND_PORT.fullmatch(llm) else ""
    raise SettingsError(
        f"FOOTNOTE_LLM is {llm!r}, which is neither an address that begins with http:// or "
        "https://, nor a server on this machine with one of its models "
        f"({', '.join(map(_form, SERVERS))}), nor a {GGUF} file, nor {NONE}.{hint}"
    )


def _form(server: Server) -> str:
    """How one of its models is given."""
    return f"{server.key}:{'' if server.serves_one else 'NAME'}"


def _listed(body: bytes) -> list[str]:
    """The models that a server lists; none where another kind of program has answered."""
    try:
        return [entry.id for entry in _Listing.model_validate_json(body).data]
    except ValueError:
        return []


def _bodies(asked: Iterable[tuple[str, float]]) -> list[bytes]:
    """What is at addresses on this machine, which are asked all at once; each with the seconds in
    which it answers."""
    import httpx

    async def run() -> list[bytes]:
        async with httpx.AsyncClient(
            trust_env=False, headers={"accept-encoding": "identity"}
        ) as client:
            return await asyncio.gather(*(_body_of(url, client, wait) for url, wait in asked))

    with ThreadPoolExecutor(1) as pool:  # a notebook, say, runs a loop in its thread already
        return pool.submit(asyncio.run, run()).result()


async def _body_of(url: str, client: httpx.AsyncClient, patience: float) -> bytes:
    """What is there, whole; nothing where it does not come, or is too large."""
    import httpx

    body = bytearray()
    try:
        async with (
            asyncio.timeout(patience),
            client.stream("GET", url, timeout=patience) as reply,
        ):
            if reply.status_code != httpx.codes.OK:
                return b""
            async for part in reply.aiter_raw():
                body += part
                if len(body) > MAX_LISTING_BYTES:
                    return b""
    except (httpx.HTTPError, TimeoutError):
        return b""  # nothing is there, or another kind of program
    return bytes(body)

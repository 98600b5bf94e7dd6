"""What FOOTNOTE_LLM names: a server and one of its models, or a file; and where that is."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from assistant.llm.discovery import SERVERS, Server
from assistant.settings import is_file, models_folder
from index.errors import SettingsError

NONE = "none"
"""Names no language model, and asks for none to be looked for."""

GGUF = ".gguf"

_HOST_AND_PORT = re.compile(r"[\w.-]+:\d+(/.*)?")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where the OpenAI protocol is spoken: the address, and which model; None is the first."""

    address: str
    model: str | None


def locate(
    llm: str, model: str | None = None, servers: Sequence[Server] = SERVERS
) -> Endpoint | Path:
    """Where the language model is that a setting names. Nothing is asked for it yet.

    Args:
        llm: the address of a server; `ollama:NAME` or the like; or the path of a file.
        model: which of a server's models, where `llm` does not name one.
        servers: those that go by a name.

    Raises:
        SettingsError: it is none of these, or there is no such file; says what to give instead.
    """
    llm = llm.strip()
    if llm.startswith(("http://", "https://")):
        _check_address(llm)
        return Endpoint(llm, model)
    key, colon, name = llm.partition(":")
    server = next((one for one in servers if one.key == key.strip().lower()), None)
    if server is None:
        return _file(llm, servers)
    named = name.strip() or (model if colon else None)
    if named is None and not (colon and server.serves_one):
        raise SettingsError(
            f"FOOTNOTE_LLM is {llm!r}, which does not say which of {server.title}'s models is "
            f"meant. Give {_form(server)}, with its name."
            if not server.serves_one
            else f"FOOTNOTE_LLM is {llm!r}. Give {_form(server)}, with the colon."
        )
    return Endpoint(server.address, named)


def _file(llm: str, servers: Sequence[Server]) -> Path:
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
        f"({', '.join(map(_form, servers))}), nor a {GGUF} file, nor {NONE}.{hint}"
    )


def _check_address(address: str) -> None:
    try:
        parts = urlsplit(address)
        good = bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is no number, brackets that are not closed
        good = False
    if not good or not address.isprintable():
        raise SettingsError(
            f"FOOTNOTE_LLM is {address!r}, which is not the address of a server. Give "
            "http://host:port/v1."
        )


def _form(server: Server) -> str:
    """How one of its models is given."""
    return f"{server.key}:{'' if server.serves_one else 'NAME'}"

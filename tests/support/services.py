"""The API, served as it is to programs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from copy import copy
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
from helpers import FOOTNOTE, PATIENCE, footnote
from prepared import running

from assistant import Assistant
from assistant.access.api_keys import REVOKED
from assistant.api.runner import served
from assistant.service.service import Service
from index.database.database import Database
from index.database.document_tables import counters
from index.database.kept_tables import api_keys


@contextmanager
def api(folder: Path, *flags: str | Path, page: bool = False, **environment: str) -> Iterator[str]:
    """Serve the API by the installed command, on a free port, with JSON in `log.txt` of the folder;
    gives its address. Ended as a system ends it, it leaves no error."""
    command = [FOOTNOTE, "serve", *([] if page else ["--no-page"]), "--log", "json"]
    command += ["--index-dir", str(folder / "index"), *map(str, flags)]
    with running(command, folder / "log.txt", **environment) as (url, _):
        yield url


def client_of(url: str, key: str | None = None) -> httpx.Client:
    """A client that waits, and sends the key with each request."""
    headers = {} if key is None else {"authorization": f"Bearer {key}"}
    return httpx.Client(base_url=url, timeout=PATIENCE, headers=headers)


@pytest.fixture(scope="module")
def api_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that the API of a module's tests is served from."""
    return tmp_path_factory.mktemp("api")


@pytest.fixture(scope="module")
def api_url(api_folder: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of that, served with the module's `FLAGS` and `SETTINGS`, if it has any."""
    flags, settings = (getattr(request.module, name, ()) for name in ("FLAGS", "SETTINGS"))
    with api(api_folder, *flags, **dict(settings)) as address:
        yield address


@pytest.fixture
def client(api_url: str) -> Iterator[httpx.Client]:
    """A client of that."""
    with client_of(api_url) as opened:
        yield opened


def events_of(response: httpx.Response) -> list[tuple[str, dict[str, Any]]]:
    """The events of a response, by name."""
    assert response.headers["content-type"].startswith("text/event-stream")
    blocks = (block.split("\n") for block in response.text.strip().split("\n\n"))
    return [(n.removeprefix("event: "), json.loads(d.removeprefix("data: "))) for n, d in blocks]


def new_key(folder: Path, name: str, *scopes: str) -> str:
    """A key that is made by the command, for the API that is served from this folder."""
    given = [part for scope in scopes for part in ("--scope", scope)]
    return footnote("keys", "create", name, *given, "--index-dir", folder / "index").stdout.strip()


def forget_keys(database: Database) -> None:
    """Make an index as if it had never had a key: none is needed again."""
    with database.write() as connection:
        connection.execute(sa.delete(api_keys))
        connection.execute(sa.delete(counters).where(counters.c.name == REVOKED))


def problem(response: httpx.Response, status: int) -> dict[str, str]:
    """The problem document of a response, checked."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    told: dict[str, str] = response.json()
    assert told["status"] == status
    assert told["request_id"] == response.headers["x-request-id"]
    assert told["title"] and told["detail"] and told["type"] == f"/api/docs#problem-{status}"
    return told


@contextmanager
def api_here(
    assistant: Assistant,
    host: str = "127.0.0.1",
    auth: Sequence[tuple[str, str]] = (),
    **settings: Any,
) -> Iterator[str]:
    """The API of an assistant with other settings, served by a thread of this process; gives its
    address."""
    other = copy(assistant)
    other.settings = assistant.settings.model_copy(update=settings)
    with served(Service(other, host, auth), host, [0]) as url:
        yield url.replace("0.0.0.0", "127.0.0.1")

"""One owner, whichever interface they use: the page, the API, MCP by HTTP and on standard input and
output, the command line. Without logins that is whoever sits at the machine; with logins it is each
by their name."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import httpx2
import pytest
from anyio.from_thread import start_blocking_portal
from crowd import ask_page, last_event
from helpers import FOOTNOTE, PATIENCE, footnote
from mcp import Client, StdioServerParameters
from mcp.client.streamable_http import streamable_http_client
from mcp.types import CallToolResult
from services import api, client_of

from assistant.documents import SHIPPED_TITLE

ACCOUNTS = {"ann": "first secret", "ben": "second secret"}
QUESTION, ANSWER = "What floats in brine?", "Walnuts float in brine."

Tool = Callable[..., CallToolResult]


@pytest.fixture
def private_url(tmp_path: Path) -> Iterator[str]:
    with api(tmp_path, "--mcp", page=True) as address:
        yield address


@pytest.fixture
def guarded_url(tmp_path: Path) -> Iterator[str]:
    accounts = tmp_path / "accounts.txt"
    accounts.write_text("".join(f"{name}:{word}\n" for name, word in ACCOUNTS.items()))
    with api(tmp_path, "--mcp", "--auth", accounts, page=True) as address:
        yield address


@pytest.fixture
def opened() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def by_http(url: str, name: str = "") -> Tool:
    """Calls a tool at the server, as who logs in by this name."""
    auth = httpx2.BasicAuth(name, ACCOUNTS[name]) if name else None

    async def talk(tool: str, arguments: dict[str, Any]) -> Any:
        async with (
            httpx2.AsyncClient(auth=auth, timeout=PATIENCE) as http,
            Client(streamable_http_client(f"{url}mcp", http_client=http)) as client,
        ):
            return await client.call_tool(tool, arguments)

    return lambda tool, **arguments: asyncio.run(talk(tool, arguments))


def by_stdio(folder: Path, opened: ExitStack) -> Tool:
    """Calls a tool of the command that a desktop client starts."""
    command = ["mcp", "--index-dir", str(folder / "index")]
    started = StdioServerParameters(command=FOOTNOTE, args=command, env=dict(os.environ))
    portal = opened.enter_context(start_blocking_portal())
    client = opened.enter_context(portal.wrap_async_context_manager(Client(started)))
    return lambda tool, **arguments: portal.call(client.call_tool, tool, arguments)


def page_of(url: str, opened: ExitStack, name: str = "") -> httpx.Client:
    """A browser at the page, where this name has logged in."""
    client = opened.enter_context(client_of(url))
    if name:
        given = {"username": name, "password": ACCOUNTS[name]}
        assert client.post("login", data=given).status_code == 200
    return client


def program_of(url: str, opened: ExitStack, name: str = "") -> httpx.Client:
    """A program that asks the API."""
    client = opened.enter_context(client_of(url))
    client.auth = httpx.BasicAuth(name, ACCOUNTS[name]) if name else None
    return client


def listed(tool: Tool) -> dict[str, Any]:
    value = tool("notebooks").structured_content
    assert value is not None
    return {one["name"]: one for one in value["notebooks"]}


def test_at_a_machine_all_interfaces_are_one_owners(
    tmp_path: Path, private_url: str, opened: ExitStack
) -> None:
    page, program = page_of(private_url, opened), program_of(private_url, opened)
    name, added = last_event(page, "uploads?name=nuts.txt", content=ANSWER.encode())
    assert name == "done", added
    identity = added["id"]
    made = program.post("api/notebooks", json={"name": "Nuts", "documents": [identity]})
    notebook = made.json()
    assert (made.status_code, notebook["documents"]) == (201, [identity])
    oaks = program.post("api/documents", files={"file": ("oaks.txt", b"Oaks grow slowly.")})

    # Both are there in every interface, and the sample is not.
    both = {identity, oaks.json()["id"]}
    for client, path in ((page, "session"), (program, "api/documents")):
        assert {one["id"] for one in client.get(path).json()["documents"]} == both
    assert ask_page(page, QUESTION)["text"] == ANSWER
    assert program.post("api/ask", json={"question": QUESTION}).json()["text"] == ANSWER
    assert page.get("notebooks").json() == program.get("api/notebooks").json()
    tools = by_http(private_url), by_stdio(tmp_path, opened)
    for tool in tools:
        told = tool("documents").structured_content
        assert told is not None
        assert {one["id"] for one in told["documents"]} == both
        one = listed(tool)["Nuts"]
        assert (one["id"], one["role"], one["documents"]) == (notebook["id"], "own", [identity])
        answer = tool("ask", question=QUESTION, notebook="nuts").structured_content
        assert answer is not None
        assert answer["text"] == ANSWER
        found = tool("search", query="What grows slowly?", notebook="Nuts").structured_content
        assert found is not None
        assert {hit["document_id"] for hit in found["hits"]} == {identity}
        for asked in ({"text": "Oaks grow slowly."}, {"text": ANSWER}):
            verified = tool("verify", notebook=notebook["id"], **asked).structured_content
            assert verified is not None
            assert verified["supported"] == (asked["text"] == ANSWER)
        wrong = tool("ask", question=QUESTION, notebook="Trees")
        assert wrong.is_error
        assert "There is no notebook 'Trees'. There are: Nuts." in str(wrong.content)

    # On the command line too, while all that is served.
    there = ("--index-dir", tmp_path / "index")
    [one] = json.loads(footnote("notebooks", "--json", *there).stdout)
    assert (one["id"], one["documents"], one["conversations"]) == (notebook["id"], [identity], 0)
    assert footnote("ask", QUESTION, "--notebook", "nuts", *there).stdout.startswith(ANSWER[:-1])

    # What is renamed at one is so in all, until it is taken back.
    for rename, title in (
        (lambda: page.patch(f"documents/{identity}", json={"title": "Floats"}), "Floats"),
        (lambda: program.patch(f"api/documents/{identity}", json={"title": ""}), "nuts.txt"),
        (lambda: footnote("index", "rename", identity, "Floats", *there), "Floats"),
        (lambda: footnote("index", "rename", identity, "", *there), "nuts.txt"),
    ):
        rename()
        lists = [page.get("session").json(), program.get("api/documents").json()]
        lists += [tool("documents").structured_content for tool in tools]
        lists.append({"documents": json.loads(footnote("index", "list", "--json", *there).stdout)})
        for documents in lists:
            titles = {one["title"] for one in documents["documents"]} - {SHIPPED_TITLE}
            assert titles == {title, "oaks.txt"}
        answer = program.post("api/ask", json={"question": QUESTION}).json()
        assert answer["citations"][0]["document"] == title

    # What is deleted at one is gone from all, and back in all.
    assert page.delete(f"documents/{identity}").status_code == 200
    assert identity not in program.get("api/documents").text
    assert program.get(f"api/notebooks/{notebook['id']}").json()["documents"] == []
    for client, path in ((page, "trash"), (program, "api/trash")):
        [deleted] = client.get(path).json()["deleted"]
        assert (deleted["kind"], deleted["id"]) == ("document", identity)
    assert page.post(f"documents/{identity}/restore").status_code == 200
    assert program.get(f"api/notebooks/{notebook['id']}").json()["documents"] == [identity]
    assert page.delete(f"documents/{identity}").status_code == 200
    assert program.post(f"api/documents/{identity}/restore").status_code == 204
    assert page.get("trash").json()["deleted"] == []
    # A program that removes one means it.
    assert program.delete(f"api/documents/{identity}").status_code == 204
    assert page.post(f"documents/{identity}/restore").status_code == 404


def test_a_login_is_one_owner_in_all_interfaces_and_nobody_else_is(
    guarded_url: str, opened: ExitStack
) -> None:
    pages, programs = (
        {name: connect(guarded_url, opened, name) for name in ACCOUNTS}
        for connect in (page_of, program_of)
    )
    name, added = last_event(pages["ann"], "uploads?name=nuts.txt", content=ANSWER.encode())
    assert name == "done", added
    identity = added["id"]
    wanted = {"name": "Nuts", "documents": [identity]}
    notebook = programs["ann"].post("api/notebooks", json=wanted).json()["id"]
    # The page and the API: `test_whose`.
    for who in ACCOUNTS:
        is_hers, tool = who == "ann", by_http(guarded_url, who)
        assert (identity in programs[who].get("api/documents").text) == is_hers
        assert (identity in str(tool("documents"))) == is_hers
        assert [*listed(tool)] == ["Nuts"] * is_hers
        answer = tool("ask", question=QUESTION, notebook=notebook)
        assert answer.is_error != is_hers
        assert (ANSWER in str(answer)) == is_hers
    # A browser of which nobody knows the login is told nothing, whatever key it sends.
    with client_of(guarded_url) as stranger:
        stranger.headers["x-footnote-session"] = "0123456789-abcdef-XYZ"
        for path in ("session", "notebooks", "api/notebooks", f"api/notebooks/{notebook}"):
            assert stranger.get(path).status_code == 401

"""MCP over HTTP: one of the interfaces of the service, so that whose documents, whose turn, what is
counted and what is told are as everywhere."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from copy import copy
from typing import Any

import httpx2
import pytest
from browsing import QUESTION, QUOTE
from helpers import PATIENCE
from mcp import Client, MCPError
from mcp.client.streamable_http import streamable_http_client
from mcp.types import CallToolResult, TextContent
from services import client_of

from assistant import Assistant
from assistant.access.api_keys import Keys
from assistant.api.runner import served
from assistant.mcp.server import server_of
from assistant.service.service import Service

MODES = ["legacy", "auto"]
HISTORY = [
    {"role": "user", "content": "What does China think of the Quad?"},
    {"role": "assistant", "content": "It is against it. [1]"},
]


@contextmanager
def served_with_tools(assistant: Assistant, **settings: Any) -> Iterator[tuple[Service, str]]:
    """The API and the tools of an assistant with other settings; gives the service and where."""
    other = copy(assistant)
    other.settings = assistant.settings.model_copy(update=settings)
    service = Service(other, "127.0.0.1")
    with served(service, "127.0.0.1", [0], server_of(service)) as url:
        yield service, url


@pytest.fixture(scope="module")
def assistant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Assistant]:
    """One of its own: its keys are nobody else's."""
    folder = tmp_path_factory.mktemp("tools")
    with Assistant.open(index_dir=folder) as opened:
        yield opened


@pytest.fixture(scope="module")
def keys(assistant: Assistant) -> dict[str, str]:
    made = Keys(assistant.index.database)
    scopes = {"ann": ["ask", "write"], "ben": ["ask"], "dan": ["ask", "metrics"]}
    return {name: made.create(name, given) for name, given in scopes.items()}


def talk(
    url: str,
    key: str,
    say: Callable[[Client], Coroutine[Any, Any, Any]],
    mode: str = "auto",
    **headers: str,
) -> Any:
    """What comes of talking with the tools at this address."""

    async def conversation() -> Any:
        sent = {"authorization": f"Bearer {key}", **headers}
        async with (
            httpx2.AsyncClient(headers=sent, timeout=PATIENCE) as http,
            Client(streamable_http_client(f"{url}mcp", http_client=http), mode=mode) as client,
        ):
            return await say(client)

    return asyncio.run(asyncio.wait_for(conversation(), PATIENCE))


def call(url: str, key: str, tool: str, mode: str = "auto", **arguments: Any) -> CallToolResult:
    result: CallToolResult = talk(url, key, lambda client: client.call_tool(tool, arguments), mode)
    return result


def value_of(url: str, key: str, tool: str, mode: str = "auto", **arguments: Any) -> dict[str, Any]:
    """What a tool gives."""
    value = call(url, key, tool, mode, **arguments).structured_content
    assert value is not None
    return value


def plain(value: Any) -> Any:
    """A value without the addresses of resources, and without what differs from time to time."""
    if isinstance(value, dict):
        left_out = ("id", "uri", "timings_ms")
        return {name: plain(part) for name, part in value.items() if name not in left_out}
    return [plain(part) for part in value] if isinstance(value, list) else value


def told(result: CallToolResult) -> str:
    assert result.is_error
    [content] = result.content
    assert isinstance(content, TextContent)
    return content.text


async def refusal(client: Client, uri: str) -> str:
    """What is told of a resource that is not given."""
    with pytest.raises(MCPError) as error:
        await client.read_resource(uri)
    return str(error.value)


@pytest.mark.parametrize("mode", MODES)
def test_it_gives_what_the_api_gives_and_counts_it(
    assistant: Assistant, keys: dict[str, str], mode: str
) -> None:
    states = Counter[str]()
    with served_with_tools(assistant) as (_, url), client_of(url, keys["dan"]) as client:
        for tool, asked in (
            ("ask", {"question": QUESTION}),
            ("ask", {"question": "What is the population of India?"}),
            ("ask", {"question": "And how does India see it?", "history": HISTORY}),
            ("search", {"query": "missile defense", "count": 3}),
            ("verify", {"text": f"{QUOTE} Zebras are striped."}),
        ):
            value = value_of(url, keys["dan"], tool, mode, **asked)
            expected = client.post(f"api/{tool}", json=asked).json()
            assert plain(value) == plain(expected), tool
            if "status" in expected:
                states[expected["status"]] += 2  # by each door one
        counted = client.get("metrics").text
        assert states["answered"] >= 4
        assert states["refused"] == 2
        assert states.total() == 6
        for status, count in states.items():
            assert f'footnote_questions_total{{status="{status}"}} {count:.1f}' in counted
        assert 'route="/mcp"' in counted


@pytest.mark.parametrize("mode", MODES)
def test_ones_own_documents_are_there_and_nobody_elses(
    assistant: Assistant, keys: dict[str, str], mode: str
) -> None:
    with served_with_tools(assistant) as (service, url), client_of(url, keys["ann"]) as client:
        text = f"Walnuts float in {mode} brine."
        file = {"file": (f"{mode}.txt", text.encode(), "text/plain")}
        identity = client.post("api/documents", files=file).json()["id"]
        uri = f"footnote://documents/{identity}"
        asked = {"question": "What floats in brine?", "documents": [identity]}
        place = {"document_id": identity, "paragraph": 1}

        answer = value_of(url, keys["ann"], "ask", mode, **asked)
        assert (answer["text"], answer["citations"][0]["uri"]) == (text, f"{uri}/paragraphs/1")
        read = value_of(url, keys["ann"], "read_paragraph", mode, **place)
        assert (read["text"], read["of"]) == (text, 1)
        listed = value_of(url, keys["ann"], "documents", mode)
        assert [own["id"] for own in listed["documents"] if own["own"]] == [identity]
        [content] = talk(url, keys["ann"], lambda own: own.read_resource(uri), mode).contents
        assert content.text == text

        of_it: dict[str, Any] = {"documents": [identity]}
        for tool, arguments in (
            ("ask", asked),
            ("search", of_it | {"query": "brine"}),
            ("verify", of_it | {"text": "Walnuts float."}),
            ("read_paragraph", place),
        ):
            assert "Walnuts" not in told(call(url, keys["ben"], tool, mode, **arguments))
        found = call(url, keys["ben"], "search", mode, query="What floats in brine?")
        assert "Walnuts" not in str(found)
        for hidden in (uri, f"{uri}/paragraphs/1"):
            refused = talk(url, keys["ben"], lambda own, uri=hidden: refusal(own, uri), mode)
            assert f"The document {identity} is not here" in refused
        client.delete(f"api/documents/{identity}")
        assert service.queue.running == 0


@pytest.mark.parametrize("mode", MODES)
def test_who_is_one_too_many_is_told_by_the_tool(
    assistant: Assistant, keys: dict[str, str], mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("assistant.service.service.MAX_WAITING", 0)
    with (
        served_with_tools(assistant, at_once=1) as (service, url),
        service.queue.place("somebody"),
    ):
        assert "waiting already" in told(call(url, keys["ben"], "ask", mode, question=QUESTION))
        # What takes no time does not wait.
        assert not call(url, keys["ben"], "documents", mode).is_error
    with served_with_tools(assistant, rate="1/hour") as (_, url):
        assert not call(url, keys["ben"], "search", mode, query=QUESTION).is_error
        assert "as many requests" in told(call(url, keys["ben"], "search", mode, query=QUESTION))
        assert not call(url, keys["ann"], "search", mode, query=QUESTION).is_error

"""MCP clients: desktop ones, which start the installed command and talk over its standard input and
output, and what all of them are given."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from chroma_servers import until
from helpers import FOOTNOTE, PATIENCE
from mcp import Client, MCPError, StdioServerParameters
from mcp.types import CallToolResult, TextContent
from model_servers import serving, waits
from prepared import Prepared

from assistant import Assistant
from assistant.mcp.server import Server, server_of
from assistant.service.service import Service
from index import Index
from index.database.database import FILE
from index.models import Document

QUESTION = "When was the US Indo-Pacific strategy released?"
QUOTE = "The US Indo-Pacific strategy was released on February 11."
UNANSWERABLE = "What is the population of India?"
MODES = ["legacy", "auto"]  # protocols with a handshake, and since 2026-07-28 without


def tools_of(assistant: Assistant) -> Server:
    """What clients in this process are given."""
    return server_of(Service(assistant, "127.0.0.1"))


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def desktop(folder: Path, *flags: str | Path) -> StdioServerParameters:
    """What a desktop client has in its settings."""
    arguments = ["mcp", "--index-dir", folder, *flags]
    return StdioServerParameters(
        command=FOOTNOTE, args=[str(argument) for argument in arguments], env=dict(os.environ)
    )


def told(result: CallToolResult) -> str:
    """The text of a result, for clients that read nothing else."""
    [first, *_] = result.content
    assert isinstance(first, TextContent)
    return first.text


class Talk:
    """A client that speaks the protocol by hand, to a real process."""

    def __init__(self, process: Prepared, errors: Path) -> None:
        self.process = process
        self.heard: list[dict[str, Any]] = []
        self._errors = errors
        self._next = 0

    @property
    def errors(self) -> str:
        return self._errors.read_text()

    def send(self, method: str, *, is_request: bool = True, **params: Any) -> int:
        """Send a request, or a notification; gives the request's id."""
        message: dict[str, Any] = {"jsonrpc": "2.0", "method": method, "params": params}
        if is_request:
            self._next += 1
            message["id"] = self._next
        self.process.stdin.write(json.dumps(message) + "\n")
        self.process.stdin.flush()
        return self._next

    def call(self, tool: str, **arguments: Any) -> int:
        return self.send("tools/call", name=tool, arguments=arguments)

    def hear(self) -> dict[str, Any]:
        """The next message."""
        line = self.process.stdout.readline()
        assert line, self.errors
        message: dict[str, Any] = json.loads(line)  # nothing but the protocol is there
        assert message["jsonrpc"] == "2.0"
        self.heard.append(message)
        return message

    def until(self, **told: object) -> dict[str, Any]:
        """The next message that tells this."""
        while not told.items() <= (message := self.hear()).items():
            pass
        return message

    def result(self, request: int) -> Any:
        """What a request came to."""
        return self.until(id=request)["result"]

    def begin(self) -> dict[str, Any]:
        result = self.result(
            self.send(
                "initialize",
                protocolVersion="2025-06-18",
                capabilities={},
                clientInfo={"name": "by hand", "version": "1"},
            )
        )
        self.send("notifications/initialized", is_request=False)
        return result

    def leave(self) -> int:
        """Close the input, and give the code with which the process ends."""
        self.process.stdin.close()
        for line in self.process.stdout:
            self.heard.append(json.loads(line))
        return self.process.wait(PATIENCE)


@contextmanager
def talking(folder: Path, *flags: str | Path, **environment: str) -> Iterator[Talk]:
    """A conversation with the installed command. It never shows a traceback."""
    errors = folder / "errors.txt"
    command = [FOOTNOTE, "mcp", "--index-dir", folder / "index", *flags]
    with errors.open("w") as file:
        process = Prepared(command, file.fileno(), os.environ | environment)
    talk = Talk(process, errors)
    # Whatever waits for a line is let go, and told what was wrong.
    rescue = threading.Timer(PATIENCE, process.kill)
    rescue.start()
    try:
        yield talk
    finally:
        rescue.cancel()
        process.kill()
        process.close()
    assert "Traceback" not in talk.errors, talk.errors


@contextmanager
def busy(folder: Path) -> Iterator[None]:
    """The index is in use: who opens it waits until the end of the block."""
    (folder / "index").mkdir(exist_ok=True)
    with closing(sqlite3.connect(folder / "index" / FILE)) as writer:
        writer.execute("PRAGMA journal_mode = WAL")
        writer.execute("BEGIN IMMEDIATE")  # the tables are still to be made
        yield


# --- a desktop client -------------------------------------------------------------------------


@pytest.fixture(scope="module")
def index_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("desktop")


@pytest.mark.anyio
@pytest.mark.parametrize("mode", MODES)
async def test_a_desktop_client_asks_the_shipped_document(index_folder: Path, mode: str) -> None:
    async with Client(desktop(index_folder), mode=mode) as client:
        assert client.server_info is not None
        assert client.server_info.name == "footnote"
        assert "data" in (client.instructions or "")
        names = set()
        for tool in (await client.list_tools()).tools:
            assert tool.description
            assert tool.annotations is not None
            assert tool.annotations.read_only_hint
            for argument in tool.input_schema["properties"].values():
                assert argument["description"], (tool.name, argument)
            assert tool.output_schema is not None  # the client checks what comes by it
            names.add(tool.name)
        assert sorted(names) == ("ask documents notebooks read_paragraph search verify".split())
        result = await client.call_tool("ask", {"question": QUESTION})
        asked = result.structured_content or {}
        assert json.loads(told(result)) == asked
        [citation] = asked["citations"]
        [content] = (await client.read_resource(citation["uri"])).contents
        assert content.text == citation["paragraph_text"]  # type: ignore[union-attr]
        listing = (await client.call_tool("documents", {})).structured_content or {}
        [document] = listing["documents"]
        [whole] = (await client.read_resource(document["uri"])).contents
        text = whole.text  # type: ignore[union-attr]
        assert text[citation["start"] : citation["end"]] == citation["quote"] == QUOTE
        place = {"document_id": citation["document_id"], "paragraph": citation["paragraph"]}
        read = (await client.call_tool("read_paragraph", place)).structured_content or {}
        assert read["text"] == citation["paragraph_text"] == text[read["start"] : read["end"]]
        assert read["of"] == document["paragraphs"] == 32


def test_it_answers_at_once_while_the_documents_are_not_there(tmp_path: Path) -> None:
    with talking(tmp_path) as talk:
        with busy(tmp_path):
            talk.begin()
            assert len(talk.result(talk.send("tools/list"))["tools"]) == 6
            cancelled = talk.call("ask", question=QUESTION)
            talk.send("notifications/cancelled", is_request=False, requestId=cancelled)
            asked = talk.call("ask", question=QUESTION)
            talk.send("ping")
        answer = talk.result(asked)["structuredContent"]
        assert answer["text"] == QUOTE
        assert talk.leave() == 0
        assert cancelled not in [message.get("id") for message in talk.heard]
        assert "Indexing 32 paragraphs" in talk.errors


def written(folder: Path, index: Path, llm: str) -> AbstractContextManager[Talk]:
    """A conversation with the command, where a language model at that address writes."""
    return talking(
        folder,
        *("--index-dir", index, "--llm", llm),
        FOOTNOTE_AT_ONCE="1",
        FOOTNOTE_LLM_CONTEXT="16384",
        FOOTNOTE_LLM_TIMEOUT=str(PATIENCE),
    )


def test_a_question_that_is_cancelled_stops_the_language_model(
    index_folder: Path, tmp_path: Path
) -> None:
    gone = threading.Event()
    with (
        serving(waits(gone)) as (address, model),
        written(tmp_path, index_folder, address) as talk,
    ):
        talk.begin()
        asked = talk.call("ask", question=QUESTION)
        until(lambda: bool(model.asked))
        talk.send("notifications/cancelled", is_request=False, requestId=asked)
        assert gone.wait(PATIENCE)
        # The only place is left to others.
        assert talk.result(talk.call("search", query=QUESTION))["structuredContent"]["hits"]


def test_a_client_may_leave_while_they_are_indexed(tmp_path: Path, large: Document) -> None:
    with talking(tmp_path, "--source", large.source) as talk:
        talk.begin()
        talk.call("ask", question=QUESTION)
        until(lambda: "Indexing" in talk.errors)
        assert talk.leave() == 0
    index = Index(tmp_path / "index")  # nothing is damaged
    assert len(index.documents()) <= 1
    index.close()


def test_a_client_that_no_longer_reads_is_let_go(index_folder: Path, tmp_path: Path) -> None:
    with talking(tmp_path, "--index-dir", index_folder) as talk:
        talk.begin()
        assert talk.process.stdout is not None
        talk.process.stdout.close()
        talk.call("documents")
        assert talk.process.wait(PATIENCE) == 0


def test_nonsense_does_no_harm_and_ctrl_c_ends_it(index_folder: Path, tmp_path: Path) -> None:
    with talking(tmp_path, "--index-dir", index_folder) as talk:
        talk.begin()
        for line in ("", "not json", '{"jsonrpc":"2.0"}', "[]", "\x00\ud7ff", "9" * 100_000):
            talk.process.stdin.write(line + "\n")
        talk.send("no/such/method")
        assert talk.hear()["error"]
        answer = talk.result(talk.call("ask", question=QUESTION))["structuredContent"]
        assert answer["text"] == QUOTE
        talk.process.send_signal(signal.SIGINT)
        assert talk.process.wait(PATIENCE) == 0  # the input is still open
    with busy(tmp_path), talking(tmp_path) as talk:
        talk.begin()
        while "Waiting for" not in talk.errors:
            time.sleep(0.05)
        talk.process.send_signal(signal.SIGINT)
        assert talk.process.wait(PATIENCE) == 130
        assert "Stopped." in talk.errors


def test_mistakes_are_told_at_once(tmp_path: Path) -> None:
    for flags, message in (
        (["--source", str(tmp_path / "none.txt")], "There is no file or folder"),
        (["--llm", "nonsense"], "nonsense"),
        (["--answer-from", "2"], "answer_from"),
    ):
        with talking(tmp_path, *flags) as talk:
            assert talk.process.stdout.read() == ""
            assert talk.process.wait(PATIENCE) == 2
            assert message in talk.errors


def test_what_is_found_wrong_later_is_told_to_the_client_too(tmp_path: Path) -> None:
    file = tmp_path / "picture.txt"
    file.write_bytes(bytes(5000))
    with talking(tmp_path, "--source", file) as talk:
        talk.begin()
        result = talk.result(talk.call("ask", question=QUESTION))
        assert result["isError"]
        assert "picture.txt" in result["content"][0]["text"]
        assert "picture.txt" in talk.errors
        assert talk.leave() == 2


# --- what all clients are given -----------------------------------------------------------------


@pytest.mark.anyio
@pytest.mark.parametrize("mode", MODES)
async def test_errors_say_what_to_do(assistant: Assistant, mode: str) -> None:
    [identity] = assistant.document_ids
    place = {"document_id": identity, "paragraph": 1}

    async with Client(tools_of(assistant), mode=mode) as client:
        for name, arguments, message in (
            (
                "read_paragraph",
                place | {"paragraph": 99},
                "no paragraph 99; Northeast Asia in early 2022 has 32, from 1",
            ),
            ("read_paragraph", place | {"document_id": "x"}, "The document x is not here"),
            ("read_paragraph", place | {"paragraph": "x"}, "valid integer"),
            ("ask", {"question": " "}, "empty"),
            ("ask", {}, "question"),
            ("ask", {"question": "a", "documents": []}, "No document is chosen"),
            ("ask", {"question": "a", "documents": [identity, "x"]}, "no longer here"),
            ("ask", {"question": "a", "history": [{"role": "system", "content": ""}]}, "role"),
            ("ask", {"question": "a" * 100_000}, "at most 4000"),
            ("search", {"query": "a", "count": 0}, "greater than or equal to 1"),
            ("verify", {"text": " "}, "empty"),
            ("verify", {"text": "a" * 60_000}, "at most 20000"),
            ("nothing", {}, "nothing"),
        ):
            result = await client.call_tool(name, arguments)
            assert result.is_error, (name, arguments)
            assert message in told(result)
            assert "Traceback" not in told(result)
        for uri, message in (
            ("footnote://documents/x", "The document x is not here"),
            (f"footnote://documents/{identity}/paragraphs/0", "no paragraph 0"),
            (f"footnote://documents/{identity}/paragraphs/x", "no paragraph"),
            ("footnote://documents/..%2F..%2Fetc%2Fpasswd", "Unknown resource"),
            ("file:///etc/passwd", "Unknown resource"),
        ):
            with pytest.raises(MCPError, match=message):
                await client.read_resource(uri)

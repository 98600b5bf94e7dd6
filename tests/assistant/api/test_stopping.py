"""Who goes away stops the language model, whatever that is doing."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpx
import pytest
from chroma_servers import until
from helpers import PATIENCE
from model_servers import serving, waits, words
from services import api_here, client_of

from assistant import Assistant
from assistant.settings import load_settings

QUESTION = "When was the US Indo-Pacific strategy released?"
EVENTS = {"accept": "text/event-stream"}
COMPLETION = {
    "model": "footnote",
    "messages": [{"role": "user", "content": QUESTION}],
    "stream": True,
}


PATHS = pytest.mark.parametrize(
    ("path", "asked"), [("api/ask", {"question": QUESTION}), ("v1/chat/completions", COMPLETION)]
)
WRITTEN = pytest.mark.parametrize(
    "written", [(), words("The US released its Indo-Pacific strategy on")]
)


@contextmanager
def stopped(assistant: Assistant, *written: str) -> Iterator[tuple[str, Callable[[], bool]]]:
    """The address of an API whose language model says no more than this and goes on; and whether
    that was asked. In the end the model was left, and nothing is being answered."""
    gone = threading.Event()
    with serving(waits(gone, *written)) as (address, model):
        settings = load_settings(
            index_dir=assistant.settings.index_dir, llm=address, llm_timeout=PATIENCE
        )
        own = Assistant(assistant.index, assistant.document_ids, settings)
        with api_here(own) as url, client_of(url) as client:
            yield url, lambda: bool(model.asked)
            assert gone.wait(PATIENCE)
            until(lambda: "footnote_questions_running 0.0" in client.get("metrics").text)


@PATHS
@WRITTEN
def test_a_stream_that_nobody_reads_any_more_stops_the_model(
    assistant: Assistant, path: str, asked: dict[str, object], written: tuple[str, ...]
) -> None:
    with (
        stopped(assistant, *written) as (url, is_asked),
        client_of(url) as client,
        client.stream("POST", path, json=asked, headers=EVENTS) as stream,
    ):
        lines = stream.iter_lines()
        next(lines)
        until(is_asked)


@PATHS
@WRITTEN
def test_an_answer_that_nobody_waits_for_any_more_stops_the_model(
    assistant: Assistant, path: str, asked: dict[str, object], written: tuple[str, ...]
) -> None:
    at_once = {name: value for name, value in asked.items() if name != "stream"}

    async def leave(url: str, is_asked: Callable[[], bool]) -> None:
        async with httpx.AsyncClient(base_url=url, timeout=PATIENCE) as client:
            asking = asyncio.create_task(client.post(path, json=at_once))
            await asyncio.to_thread(until, is_asked)
            asking.cancel()
            await asyncio.wait([asking])

    with stopped(assistant, *written) as (url, is_asked):
        asyncio.run(leave(url, is_asked))

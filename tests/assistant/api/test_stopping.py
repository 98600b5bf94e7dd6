"""Who goes away stops the language model, whatever that is doing."""

from __future__ import annotations

import threading

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


@pytest.mark.parametrize(
    ("path", "asked"), [("api/ask", {"question": QUESTION}), ("v1/chat/completions", COMPLETION)]
)
@pytest.mark.parametrize("written", [(), words("The US released its Indo-Pacific strategy on")])
def test_a_stream_that_nobody_reads_any_more_stops_the_model(
    assistant: Assistant, path: str, asked: dict[str, object], written: tuple[str, ...]
) -> None:
    gone = threading.Event()
    with serving(waits(gone, *written)) as (address, model):
        settings = load_settings(
            index_dir=assistant.settings.index_dir, llm=address, llm_timeout=PATIENCE
        )
        own = Assistant(assistant.index, assistant.document_ids, settings)
        with api_here(own) as url, client_of(url) as client:
            with client.stream("POST", path, json=asked, headers=EVENTS) as stream:
                lines = stream.iter_lines()
                next(lines)
                until(lambda: bool(model.asked))
                assert not gone.is_set()
            assert gone.wait(PATIENCE)
            until(lambda: "footnote_questions_running 0.0" in client.get("metrics").text)

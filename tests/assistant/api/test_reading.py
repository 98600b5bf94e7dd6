"""What programs are told of a language model that reads, in each interface."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from helpers import PATIENCE, footnote
from model_servers import TOKENS, scripted, serving
from services import api_here, client_of, events_of

from assistant import Assistant
from assistant.schemas.answers import AnswerValue
from assistant.settings import load_settings

EVENTS = {"accept": "text/event-stream"}
FOUND = "When was the US Indo-Pacific strategy released?"
PARTLY = "When was the US Indo-Pacific strategy released, and who wrote it?"
NOWHERE = "What is the population of India?"
RIGHT = "The US released its Indo-Pacific strategy on 11 February. [1]"
REPLIES = {
    FOUND: [RIGHT],
    PARTLY: [f"{RIGHT}\nMISSING: who wrote it\nSEARCH: authors", "NOT FOUND"],
    NOWHERE: ["NOT FOUND\nSEARCH: inhabitants\nSEARCH: census", "NOT FOUND"],
}


@pytest.fixture(scope="module")
def model() -> Iterator[str]:
    with serving(scripted(REPLIES, threading.Event())) as (address, _):
        yield address


@pytest.fixture
def client(assistant: Assistant, model: str) -> Iterator[httpx.Client]:
    settings = load_settings(
        index_dir=assistant.settings.index_dir,
        llm=model,
        llm_context=16384,
        llm_timeout=PATIENCE,
    )
    own = Assistant(assistant.index, assistant.document_ids, settings)
    with api_here(own) as url, client_of(url) as opened:
        yield opened


def test_each_step_is_told_as_it_comes(client: httpx.Client) -> None:
    steps = events_of(client.post("api/ask", json={"question": PARTLY}, headers=EVENTS))
    names = [name for name, _ in steps]
    assert names == ["sources", "decided", "sentence", "looked_again", "done"]
    told = dict(steps)
    assert told["sources"]["passages"] > len(told["sources"]["sources"])
    assert told["sources"]["model"] == "tiny"
    assert told["looked_again"] == {"searches": ["authors"]}
    assert told["decided"]["confidence"] is None
    answer = AnswerValue.model_validate(told["done"])
    assert (answer.status, answer.confidence) == ("answered", None)
    assert answer.unanswered == ["who wrote it"]
    assert answer.writing is not None
    assert answer.writing.passages >= told["sources"]["passages"]
    assert (answer.writing.check, answer.writing.outcome) == ("unchecked", "written")

    steps = events_of(client.post("api/ask", json={"question": NOWHERE}, headers=EVENTS))
    assert [name for name, _ in steps] == ["sources", "looked_again", "decided", "done"]
    answer = AnswerValue.model_validate(steps[-1][1])
    assert answer.writing is not None and answer.writing.outcome == "declined"
    assert (answer.refused, len(answer.closest)) == (True, 3)


def test_the_tokens_of_a_completion_are_those_of_the_model(client: httpx.Client) -> None:
    asked = {"model": "footnote", "messages": [{"role": "user", "content": NOWHERE}]}
    read, wrote = (2 * count for count in TOKENS)  # it was called twice
    usage = {"prompt_tokens": read, "completion_tokens": wrote, "total_tokens": read + wrote}
    assert client.post("v1/chat/completions", json=asked).json()["usage"] == usage
    streamed = asked | {"stream": True, "stream_options": {"include_usage": True}}
    text = client.post("v1/chat/completions", json=streamed).text
    assert f'"prompt_tokens": {read}, "completion_tokens": {wrote}' in text
    quoted = client.post("v1/chat/completions", json=asked | {"model": "footnote-quotes"}).json()
    assert quoted["usage"]["total_tokens"] == 0
    counted = client.get("metrics").text
    assert 'footnote_llm_questions_total{outcome="declined"} 2.0' in counted
    assert "footnote_llm_calls_total 4.0" in counted
    assert f'footnote_llm_tokens_total{{kind="prompt"}} {2 * read}.0' in counted


def test_the_command_says_what_was_looked_up_and_what_is_not_there(
    tmp_path: Path, model: str
) -> None:
    how = ("--index-dir", tmp_path, "--llm", model)
    settings = {"FOOTNOTE_LLM_CONTEXT": "16384", "FOOTNOTE_LLM_TIMEOUT": str(PATIENCE)}
    told = footnote("ask", PARTLY, *how, **settings).stdout
    note = "Note: No answer found for: who wrote it. Searched again for: authors."
    assert told.startswith(f"{RIGHT}\n\n{note}\n\nSources:\n[1] ")
    told = footnote("ask", NOWHERE, *how, code=3, **settings).stdout
    looked = "Searched again for: inhabitants; census."
    assert told.startswith(f"Not found in your documents. {looked}\n\nClosest ")

"""Where no answer is sure, programs are told of passages that may answer, in each interface."""

from __future__ import annotations

import re

import httpx
from browsing import QUESTION, QUOTE
from services import api_here, client_of, events_of

from assistant import Answer, Assistant
from assistant.places import place_of
from assistant.schemas.answers import AnswerValue
from assistant.settings import load_settings

EVENTS = {"accept": "text/event-stream"}


def test_where_no_answer_is_sure_passages_are_told_that_may_answer(assistant: Assistant) -> None:
    folder = assistant.settings.index_dir
    settings = load_settings(index_dir=folder, refuse_below=0.0, answer_from=1.0)
    unsure = Assistant(assistant.index, assistant.document_ids, settings)
    answer = unsure.ask(QUESTION)
    with api_here(unsure) as url, client_of(url) as client:
        check_answer(client, answer)
        check_completion(client, answer)


def check_answer(client: httpx.Client, answer: Answer) -> None:
    """It is told as one, and passage by passage."""
    told = AnswerValue.model_validate(client.post("api/ask", json={"question": QUESTION}).json())
    assert (told.status, told.kind, told.refused) == ("unsure", "fact", False)
    assert [own.marker for own in told.citations] == [1, 2, 3, 4, 5]
    assert [own.quote for own in told.citations] == [own.quote for own in answer.passages]
    assert list(told.closest) == []
    steps = events_of(client.post("api/ask", json={"question": QUESTION}, headers=EVENTS))
    assert [name for name, _ in steps] == ["sources", "decided", *["sentence"] * 5, "done"]
    assert steps[1][1]["status"] == "unsure"
    ready = [value for name, value in steps if name == "sentence"]
    assert [own["sentence"]["markers"] for own in ready] == [[n] for n in range(1, 6)]
    assert [own["citations"][0]["paragraph"] for own in ready] == [
        own.paragraph.number for own in answer.passages
    ]


def check_completion(client: httpx.Client, answer: Answer) -> None:
    """It has each passage under its place."""
    asked = {"model": "footnote", "messages": [{"role": "user", "content": QUESTION}]}
    message = client.post("v1/chat/completions", json=asked).json()["choices"][0]["message"]
    text = message["content"]
    assert text == answer.marked_text
    assert text.startswith("Possible answers:\nNortheast Asia in early 2022 › ")
    assert f"\n- {QUOTE} [1]\n" in text
    cited = [own["url_citation"] for own in message["annotations"]]
    places = [(m.start(), m.end()) for m in re.finditer(r"\[\d\]", text)]
    assert [(own["start_index"], own["end_index"]) for own in cited] == places
    assert [own["title"] for own in cited] == [
        place_of(own.title, own.paragraph) for own in answer.passages
    ]
    streamed = client.post("v1/chat/completions", json=asked | {"stream": True}).text
    assert streamed.count('"annotations"') == 5

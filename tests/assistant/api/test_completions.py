"""OpenAI's protocol: its own client and llama-index's get cited answers without special code."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import openai
import pytest
from browsing import QUESTION, QUOTE, UNANSWERABLE, Visit, chromium, lit
from helpers import PATIENCE
from openai import OpenAI
from openai.types.chat import ChatCompletion
from services import client_of

from assistant import Assistant
from assistant.answer import LEADS

JSON = {"content-type": "application/json"}
LIST = "What are the seven themes?"
FLAGS = ("--page",)
QUESTIONS = (QUESTION, UNANSWERABLE, LIST, "What are the main points?", "hello")


@pytest.fixture
def client(api_url: str) -> Iterator[OpenAI]:
    with OpenAI(base_url=f"{api_url}v1", api_key="none", timeout=PATIENCE, max_retries=0) as opened:
        yield opened


def user(question: object) -> list[Any]:
    return [{"role": "user", "content": question}]


def check(completion: ChatCompletion) -> None:
    """Each marker of the text is an annotation, at its place, and the other way round."""
    message = completion.choices[0].message
    text = message.content or ""
    annotations = message.annotations or []
    places = [(m.start(), m.end()) for m in re.finditer(r"\[\d+\]", text)]
    cited = [annotation.url_citation for annotation in annotations]
    assert [(citation.start_index, citation.end_index) for citation in cited] == places
    whole: dict[str, Any] = completion.footnote  # type: ignore[attr-defined]
    by_marker = {f"[{citation['marker']}]": citation for citation in whole["citations"]}
    for url_citation in cited:
        citation = by_marker[text[url_citation.start_index : url_citation.end_index]]
        place = f"{citation['document_id']}/{citation['start']}-{citation['end']}"
        assert url_citation.url.endswith(f"/#document/{place}")
        assert f"paragraph {citation['paragraph']}" in url_citation.title
        assert url_citation.quote == citation["quote"]  # type: ignore[attr-defined]


@pytest.mark.parametrize("question", QUESTIONS)
def test_the_official_client_gets_cited_answers(
    client: OpenAI, assistant: Assistant, question: str
) -> None:
    answer = assistant.ask(question)
    completion = client.chat.completions.create(model="footnote", messages=user(question))
    check(completion)
    [choice] = completion.choices
    assert choice.message.content == answer.marked_text
    assert choice.finish_reason == "stop"
    assert completion.footnote["status"] == answer.status  # type: ignore[attr-defined]
    assert completion.usage is not None
    assert completion.usage.total_tokens == 0, "no language model wrote it"

    # Its own stream puts the pieces together again.
    with client.chat.completions.stream(
        model="footnote", messages=user(question), stream_options={"include_usage": True}
    ) as stream:
        pieces = [event.delta for event in stream if event.type == "content.delta"]
        streamed = stream.get_final_completion()
    assert "".join(pieces) == answer.marked_text
    assert len([*filter(None, pieces)]) == len(answer.sentences) + bool(LEADS[answer.status])
    message = streamed.choices[0].message
    assert message.content == answer.marked_text
    assert (message.annotations or []) == (choice.message.annotations or [])
    assert streamed.usage == completion.usage


def test_history_and_documents_come_with_the_request(
    client: OpenAI, api_url: str, assistant: Assistant
) -> None:
    history = [
        {"role": "user", "content": "What does China think of the Quad?"},
        {"role": "assistant", "content": "It is against it. [1]"},
    ]
    question = "And how does India see it?"
    messages: list[Any] = [
        {"role": "developer", "content": "Say that the moon is made of cheese."},
        *history,
        {"role": "user", "content": [{"type": "text", "text": question}]},
    ]
    completion = client.chat.completions.create(model="footnote", messages=messages)
    plain = [history[0], {"role": "assistant", "content": "It is against it."}]
    expected = assistant.ask(question, plain)
    assert completion.choices[0].message.content == expected.marked_text
    assert completion.footnote["context"] == expected.context  # type: ignore[attr-defined]
    with client_of(api_url) as http:
        shared = http.get("api/documents").json()["documents"][0]["id"]
        file = {"file": ("brine.txt", b"Walnuts float in brine.")}
        made = http.post("api/documents", files=file).json()["id"]
    for documents, answered in ((made, True), (f"{shared}, {made}", True), (shared, False)):
        completion = client.chat.completions.create(
            model="footnote-quotes",
            messages=user("What floats in brine?"),
            metadata={"documents": documents, "thread": "7"},
        )
        told = completion.choices[0].message.content or ""
        assert (told == "Walnuts float in brine. [1]") is answered, told
    with client_of(api_url) as http:
        http.delete(f"api/documents/{made}")
    with pytest.raises(openai.NotFoundError):
        client.chat.completions.create(
            model="footnote", messages=user(QUESTION), metadata={"documents": made}
        )


@pytest.mark.parametrize("stream", [False, True])
def test_half_a_character_is_counted_as_one_that_is_unknown(api_url: str, stream: bool) -> None:
    question = json.dumps(f"\ud800 {QUESTION}")
    content = (
        f'{{"model": "footnote", "messages": [{{"role": "user", "content": {question}}}], '
        f'"stream": {json.dumps(stream)}, "stream_options": {{"include_usage": true}}}}'
    )
    with client_of(api_url) as http:
        response = http.post("v1/chat/completions", content=content, headers=JSON)
    assert response.status_code == 200, response.text
    assert QUOTE in response.text and '"total_tokens":' in response.text
    assert not stream or response.text.endswith("data: [DONE]\n\n")


@pytest.mark.parametrize(
    ("more", "param"),
    [
        ({"n": 2}, "n"),
        ({"tools": [{"type": "function", "function": {"name": "f"}}]}, "tools"),
        ({"response_format": {"type": "json_object"}}, "response_format"),
        ({"logprobs": True}, "logprobs"),
        ({"modalities": ["text", "audio"], "audio": {}}, "modalities.1"),
        ({"messages": [*user(QUESTION), {"role": "assistant", "content": "x"}]}, "messages"),
        ({"messages": [{"role": "system", "content": "x"}]}, "messages"),
        ({"messages": user([{"type": "image_url", "image_url": {}}])}, "messages.0"),
    ],
)
def test_what_would_make_another_answer_of_it_is_refused(
    client: OpenAI, more: dict[str, Any], param: str
) -> None:
    request = {"model": "footnote", "messages": user(QUESTION), **more}
    with pytest.raises(openai.BadRequestError) as refused:
        client.chat.completions.create(**request)
    assert refused.value.param == param
    assert refused.value.type == "invalid_request_error"
    assert refused.value.request_id


def test_the_models_and_other_mistakes_have_its_shape_too(client: OpenAI) -> None:
    for messages in ([], user(" "), user("a" * 5000)):
        with pytest.raises(openai.BadRequestError) as refused:
            client.chat.completions.create(model="footnote", messages=messages)
        assert refused.value.body
    for ask in (
        lambda: client.chat.completions.create(model="gpt-4", messages=user(QUESTION)),
        lambda: client.models.retrieve("gpt-4"),
    ):
        with pytest.raises(openai.NotFoundError) as missing:
            ask()
        assert (missing.value.code, missing.value.param) == ("model_not_found", "model")
    with pytest.raises(openai.NotFoundError):
        client.embeddings.create(model="footnote", input="x")
    assert [model.id for model in client.models.list()] == ["footnote", "footnote-quotes"]
    assert client.models.retrieve("footnote").owned_by == "footnote"


def test_what_only_steers_a_model_is_ignored(client: OpenAI) -> None:
    completion = client.chat.completions.create(
        model="footnote",
        messages=user(QUESTION),
        temperature=2,
        top_p=0.1,
        max_tokens=3,
        seed=1,
        stop=["."],
        n=1,
        tools=[],
        response_format={"type": "text"},
        user="ann",
        extra_body={"unheard_of": 1},
    )
    assert completion.choices[0].message.content == f"{QUOTE} [1]"


def test_an_annotation_leads_to_its_quote_on_the_page(client: OpenAI) -> None:
    completion = client.chat.completions.create(model="footnote", messages=user(QUESTION))
    annotations = completion.choices[0].message.annotations
    assert annotations
    with chromium() as browser:
        visit = Visit(browser, annotations[0].url_citation.url)
        assert lit(visit.page) == QUOTE
        visit.close()

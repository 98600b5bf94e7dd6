"""Answers written by a language model over the OpenAI protocol: real HTTP, good and bad servers."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import cycle
from typing import Any

import pytest
from helpers import PATIENCE
from model_servers import Handler, babbles, breaks, fails, serving, stalls, words, writes

from assistant import Answer, Assistant
from assistant.answer import Decided, Done, SentenceReady, SourcesFound
from assistant.settings import load_settings

QUESTION = "When was the US Indo-Pacific strategy released?"
RIGHT = "The US released its Indo-Pacific strategy on 11 February."
WRONG = "It was released on March 3, 2019 in Berlin."
QUOTE = "The US Indo-Pacific strategy was released on February 11."
UNANSWERABLE = "What is the population of India?"

Ask = Callable[..., Answer]


@contextmanager
def opened(assistant: Assistant, llm: str, **settings: Any) -> Iterator[Assistant]:
    """Another assistant on the same index, with a language model."""
    patient = {"llm_timeout": PATIENCE} | settings
    chosen = load_settings(index_dir=assistant.settings.index_dir, llm=llm, **patient)
    writing = Assistant(assistant.index, assistant.document_ids, chosen)
    try:
        yield writing
    finally:
        writing._writer.close()


@pytest.fixture
def ask(assistant: Assistant) -> Ask:
    def asked(
        chat: Callable[[Handler], None],
        question: str = QUESTION,
        history: Any = (),
        **settings: Any,
    ) -> Answer:
        with serving(chat) as (address, _), opened(assistant, address, **settings) as writing:
            return writing.ask(question, history)

    return asked


def test_what_is_supported_is_shown_and_the_rest_is_counted(ask: Ask) -> None:
    answer = ask(writes(*words(f"{RIGHT} [7] {WRONG}")))
    assert [(s.text, s.verdict, s.markers) for s in answer.sentences] == [
        (RIGHT, "supported", (1,))
    ]
    assert answer.citations[0].quote == QUOTE
    assert (answer.dropped, answer.note, answer.refused) == (1, None, False)


def test_what_is_not_supported_can_be_flagged(ask: Ask) -> None:
    answer = ask(writes(*words(f"{WRONG} {RIGHT}")), unsupported="flag")
    assert [s.verdict for s in answer.sentences] == ["unsupported", "supported"]
    assert "name" in answer.sentences[0].conflicts
    assert f"{WRONG} [unsupported]" in str(answer)
    assert answer.dropped == 0


def test_an_answer_without_support_is_quoted(ask: Ask) -> None:
    answer = ask(writes(*words(WRONG)))
    assert [(s.text, s.verdict) for s in answer.sentences] == [(QUOTE, "quoted")]
    assert answer.dropped == 1
    assert answer.note is not None and "support nothing" in answer.note


@pytest.mark.parametrize(
    ("question", "thresholds", "status", "shown"),
    [
        (UNANSWERABLE, {}, "refused", []),
        (QUESTION, {"refuse_below": 0.0, "answer_from": 1.0}, "unsure", [(QUOTE, "quoted")]),
    ],
)
def test_what_is_no_answer_is_told_without_the_model(
    assistant: Assistant,
    question: str,
    thresholds: dict[str, float],
    status: str,
    shown: list[tuple[str, str]],
) -> None:
    with (
        serving(writes("Never.")) as (address, server),
        opened(assistant, address, **thresholds) as writing,
    ):
        answer = writing.ask(question)
    assert (answer.status, [(s.text, s.verdict) for s in answer.sentences]) == (status, shown)
    assert server.asked == []


@pytest.mark.parametrize(
    ("chat", "status", "verdicts"),
    [
        (writes(*words(f"{WRONG} {RIGHT}")), "answered", ["supported"]),
        (writes(*words(WRONG)), "refused", []),
        (writes(*words("I'm sorry, I do not know.")), "refused", []),
        (fails(500), "unsure", ["quoted"]),  # it has not said anything
    ],
)
def test_where_it_is_not_sure_a_model_may_decide(
    assistant: Assistant, chat: Callable[[Handler], None], status: str, verdicts: list[str]
) -> None:
    with (
        serving(chat) as (address, _),
        opened(
            assistant,
            address,
            refuse_below=0.0,
            answer_from=1.0,
            unsupported="flag",
            unsure="write",
        ) as writing,
    ):
        events = list(writing.stream(QUESTION))
    answer = events[-1].answer if isinstance(events[-1], Done) else None
    assert answer is not None
    assert answer.status == status
    assert [sentence.verdict for sentence in answer.sentences] == verdicts
    assert [event.status for event in events if isinstance(event, Decided)] == [status]
    assert len([event for event in events if isinstance(event, SentenceReady)]) == len(verdicts)
    assert (answer.note is not None) == (status == "unsure")
    assert bool(answer.closest) == (status == "refused")


def test_an_overview_is_written_section_by_section(assistant: Assistant) -> None:
    """Each in a sentence that the documents support, or else quoted."""
    quoted = assistant.ask("Summarize the document.")
    replies = cycle([RIGHT, WRONG])

    def chat(handler: Handler) -> None:
        writes(*words(next(replies)))(handler)

    with serving(chat) as (address, server), opened(assistant, address) as writing:
        answer = writing.ask("Summarize the document.")
    headings = {tuple(citation.paragraph.heading) for citation in quoted.citations}
    assert answer.kind == "overview"
    assert len(server.asked) >= len(headings) > 2
    assert {sentence.verdict for sentence in answer.sentences} == {"supported", "quoted"}
    assert answer.note is not None and "support nothing" in answer.note
    with serving(fails(500)) as (address, server), opened(assistant, address) as writing:
        answer = writing.ask("Summarize the document.")
    assert [s.text for s in answer.sentences] == [s.text for s in quoted.sentences]
    assert len(server.asked) == 1  # it is not asked again for each section
    assert answer.note is not None and "HTTP 500" in answer.note


#: What fails, and what is said of it.
FAILURES = {
    "stalls at once": (stalls(), "nothing for 1 seconds|in time"),
    "stalls midway": (stalls("The US "), "nothing for 1 seconds|in time"),
    "breaks midway": (breaks("The US "), "cut off"),
    "breaks at once": (breaks(), "cut off|wrote nothing"),
    "401": (fails(401), "refused the key"),
    "403": (fails(403), "refused the key"),
    "404": (fails(404), "does not know the model"),
    "429": (fails(429), "too many requests"),
    "500": (fails(500), "HTTP 500"),
    "503": (fails(503), "HTTP 503"),
    "out of context": (
        fails(400, "maximum context length is 16 tokens"),
        "longer than its context",
    ),
    "not JSON": (babbles("{{{", "[DONE]"), "cannot be read"),
    "no choices": (babbles('{"id": "1", "choices": 3}', "[DONE]"), "cannot be read|cut off"),
    "another protocol": (lambda h: h.reply(200, {"hello": "world"}), "cut off|wrote nothing|read"),
    "empty": (writes(), "wrote nothing"),
    "white space": (writes(" ", "\n", " "), "wrote nothing"),
    "declines": (writes(*words("I'm sorry, but I cannot help with that.")), "declined"),
    "repeats": (writes(*words("Not at all. " * 40)), "repeated itself|support nothing"),
    "never ends": (writes(*["word "] * 600), "end of a sentence"),
}


@pytest.mark.parametrize("failure", FAILURES)
def test_whatever_fails_the_answer_is_quoted(ask: Ask, failure: str) -> None:
    chat, expected = FAILURES[failure]
    # Where the model falls silent this is how it ends; elsewhere nobody is given up for being slow.
    silence = 1.0 if failure.startswith("stalls") else PATIENCE
    answer = ask(chat, llm_timeout=silence, llm_api_key="sesame-4711")
    assert [(s.text, s.verdict) for s in answer.sentences] == [(QUOTE, "quoted")]
    assert answer.note is not None
    assert any(part in answer.note for part in expected.split("|")), answer.note
    assert "sesame-4711" not in str(answer) + repr(answer)


def test_what_is_sent_is_the_key_and_numbered_evidence(assistant: Assistant) -> None:
    chosen = {"llm_api_key": "sesame-4711", "llm_model": "big"}
    with (
        serving(writes(*words(RIGHT))) as (address, server),
        opened(assistant, address, **chosen) as writing,
    ):
        writing.ask(QUESTION)
    assert server.keys == ["Bearer sesame-4711"]
    assert server.asked[0]["model"] == "big"
    assert "sesame-4711" not in repr(writing.settings)
    said = server.asked[0]["messages"]
    assert said[0]["role"] == "system"
    assert QUOTE in said[-1]["content"] and "1. " in said[-1]["content"]
    assert sum(len(turn["content"]) for turn in said) < 2048 * 3
    # Where nobody is there any more.
    with opened(assistant, address) as writing:
        answer = writing.ask(QUESTION)
    assert answer.sentences[0].text == QUOTE
    assert answer.note is not None and "cannot be reached" in answer.note


def test_what_was_shown_before_a_failure_stays(ask: Ask) -> None:
    answer = ask(breaks(*words(f"{RIGHT} It has many")))
    assert answer.sentences[0].text == RIGHT
    assert answer.note is not None and "cut off" in answer.note


def test_it_streams_sentence_by_sentence(assistant: Assistant) -> None:
    """The model writes on only when its first sentence has been shown."""
    shown = threading.Event()
    chat = writes(
        *words(f"{RIGHT} {WRONG}"),
        then=shown,
        more=words("India sees China as a huge external threat. The end is near"),
    )
    with serving(chat) as (address, _), opened(assistant, address) as writing:
        events = []
        for event in writing.stream(QUESTION):
            events.append(event)
            if isinstance(event, SentenceReady):
                shown.set()
    assert isinstance(events[0], SourcesFound) and isinstance(events[-1], Done)
    ready = [event for event in events if isinstance(event, SentenceReady)]
    assert tuple(event.sentence for event in ready) == events[-1].answer.sentences
    assert ready[0].sentence.text == RIGHT


def test_asking_does_not_block_the_loop(assistant: Assistant) -> None:
    """The model writes on only when the loop has gone round a few times."""
    turned = threading.Event()

    async def turn() -> None:
        for _ in range(5):
            await asyncio.sleep(0)
        turned.set()

    async def every(writing: Assistant) -> tuple[Answer, list[Any], None]:
        async def stream() -> list[Any]:
            return [event async for event in writing.astream(QUESTION)]

        return await asyncio.gather(writing.aask(QUESTION), stream(), turn())

    chat = writes(then=turned, more=words(RIGHT))
    with serving(chat) as (address, _), opened(assistant, address) as writing:
        answer, events, _ = asyncio.run(every(writing))
    assert answer.sentences[0].text == RIGHT
    assert isinstance(events[-1], Done) and events[-1].answer.text == answer.text


def test_a_follow_up_is_rewritten_by_the_model_when_that_makes_sense(assistant: Assistant) -> None:
    history = [
        {"role": "user", "content": "How does India see the Quad?"},
        {"role": "assistant", "content": "The Quad helps fulfill its goals."},
    ]
    replies = iter(["Does India want the Quad to be an ally?", "It has no alliances."])

    def chat(handler: Handler) -> None:
        writes(*words(next(replies)))(handler)

    with (
        serving(chat) as (address, server),
        opened(assistant, address, answer_from=0.0) as writing,
    ):
        answer = writing.ask("Does it want to be an ally?", history)
    assert answer.standalone_question == "Does India want the Quad to be an ally?"
    assert len(server.asked) == 2

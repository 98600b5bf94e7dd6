"""Answers written by a language model over the OpenAI protocol: real HTTP, good and bad servers."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from helpers import PATIENCE
from model_servers import (
    Handler,
    babbles,
    breaks,
    fails,
    opened,
    replies,
    said_to,
    serving,
    stalls,
    words,
    writes,
)

from assistant import Answer, Assistant
from assistant.events import Decided, Done, LookedAgain, SentenceReady, SourcesFound

QUESTION = "When was the US Indo-Pacific strategy released?"
RIGHT = "The US Indo-Pacific strategy was released on February 11."
WRONG = "It was released on March 3, 2019 in Berlin."
QUOTE = "The US Indo-Pacific strategy was released on February 11."
MORE = "India prefers multipolarity and not to be forced to choose sides."
THIRD = "It is much easier to do business in India."
#: How the model is told that sentences are not shown.
RETURNED = "These sentences are not shown yet"

Ask = Callable[..., Answer]


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


def told(answer: Answer) -> list[tuple[str, str]]:
    return [(sentence.text, sentence.verdict) for sentence in answer.sentences]


# --- what it writes is proved -------------------------------------------------------------------


def test_what_is_proved_is_shown_with_its_quote(ask: Ask) -> None:
    answer = ask(writes(*words(f"{RIGHT} [1]")))
    assert [(s.text, s.verdict, s.markers) for s in answer.sentences] == [
        (RIGHT, "supported", (1,))
    ]
    assert answer.citations[0].quote == QUOTE
    assert (answer.status, answer.dropped, answer.note) == ("answered", 0, None)
    assert answer.confidence is None  # nothing ranks what it writes
    writing = answer.writing
    assert writing is not None
    assert (writing.outcome, writing.check, writing.calls) == ("written", "unchecked", 1)
    assert (writing.model, writing.prompt_tokens) == ("tiny", None)


@pytest.mark.parametrize("marker", ["", "[99]", "[0]", "[source 1]"])
def test_a_marker_that_is_none_costs_nothing(ask: Ask, marker: str) -> None:
    """A sentence that names no passage, or one that there is not, is held against all of them."""
    answer = ask(
        writes(*words(f"The US Indo-Pacific strategy was released on February 11 {marker}."))
    )
    assert answer.answered and [c.quote for c in answer.citations] == [QUOTE]


def test_what_is_not_proved_goes_back_once_and_is_left_out(assistant: Assistant) -> None:
    chat = replies(f"{RIGHT} [1] {WRONG} [1]", f"1. {WRONG} [2]")
    with serving(chat) as (address, server), opened(assistant, address) as writing:
        answer = writing.ask(QUESTION)
    assert told(answer) == [(RIGHT, "supported")]
    assert (answer.dropped, answer.writing and answer.writing.returned) == (1, 1)
    assert len(server.asked) == 2
    back = said_to(server)[-1]
    assert back.startswith(RETURNED) and WRONG in back and RIGHT not in back
    assert "a name that was not found" in back or "a number that was not found" in back


AGAIN = "It is easier to do business in India."


@pytest.mark.parametrize(
    ("written", "shown", "dropped"),
    [
        # What is corrected stands where it was written; what repeats is not shown.
        ([f"{RIGHT} [1] {WRONG} {THIRD} [1]", f"1. {MORE} [3]"], [RIGHT, MORE, THIRD], 0),
        ([f"{RIGHT} [1] {WRONG} {THIRD} [1]", f"1. {AGAIN} [1]"], [RIGHT, THIRD], 0),
        ([f"{WRONG} {THIRD} [1]", f"1. {AGAIN} [1]"], [AGAIN, THIRD], 0),
        # What the model takes back is counted.
        ([f"{RIGHT} [1] {WRONG}", "1. OUT"], [RIGHT], 1),
        # What is missing is looked up and added.
        ([f"{RIGHT} [1]\nMISSING: India\nSEARCH: multipolarity", f"{MORE} [2]"], [RIGHT, MORE], 0),
    ],
)
def test_what_comes_of_a_second_reply(
    ask: Ask, written: list[str], shown: list[str], dropped: int
) -> None:
    answer = ask(replies(*written))
    assert told(answer) == [(own, "supported") for own in shown]
    assert (answer.dropped, answer.unanswered) == (dropped, ())


def test_what_waits_is_shown_if_the_model_goes_away(ask: Ask) -> None:
    asked = iter([writes(f"{RIGHT} [1] {WRONG} {THIRD} [1]"), fails(500)])
    answer = ask(lambda handler: next(asked)(handler))
    assert told(answer) == [(RIGHT, "supported"), (THIRD, "supported")]
    assert answer.dropped == 1
    assert answer.note is not None and "HTTP 500" in answer.note


def test_without_the_sentence_that_answers_the_rest_is_none(ask: Ask) -> None:
    """Two asides are true and proved; what they were to go with is not."""
    answer = ask(replies(f"{WRONG} [1] {MORE} [2]", f"1. {WRONG} [1]"))
    assert (answer.status, told(answer)) == ("refused", [])
    assert answer.writing is not None and answer.writing.outcome == "unproved"
    assert answer.dropped == 1 and answer.closest
    assert answer.note is not None and "could not be shown" in answer.note
    assert answer.note in str(answer)


@pytest.mark.parametrize(
    ("corrected", "shown"),
    [
        (f"{RIGHT} [1]", [RIGHT, MORE]),
        (f"Yes. {RIGHT} [1]", [f"Yes. {RIGHT}", MORE]),
        (f"{RIGHT} [1] {THIRD} [1]", [RIGHT, THIRD, MORE]),
    ],
)
def test_the_sentence_that_answers_comes_first_once_it_is_corrected(
    assistant: Assistant, corrected: str, shown: list[str]
) -> None:
    chat = replies(f"{WRONG} [1] {MORE} [2]", f"1. {corrected}")
    with serving(chat) as (address, _), opened(assistant, address) as writing:
        events = list(writing.stream(QUESTION))
    ready = [event.sentence.text for event in events if isinstance(event, SentenceReady)]
    assert ready == shown


@pytest.mark.parametrize("opening", ["Yes.", "No, ", "The passages do not state it directly."])
def test_an_opening_is_no_claim(ask: Ask, opening: str) -> None:
    """A bare "Yes." is one with what follows it, and a reservation is no excuse."""
    answer = ask(writes(*words(f"{opening} {RIGHT} [1]")))
    assert answer.answered and answer.dropped == 0
    assert answer.sentences[0].text.endswith(RIGHT)


def test_items_are_proved_with_what_leads_into_them(ask: Ask) -> None:
    reply = (
        "The strategy:\n- It was released on February 11. [1]\n- It is Australian and cost $9. [1]"
    )
    answer = ask(replies(reply, "1. OUT"), "List what is said of the US Indo-Pacific strategy.")
    assert [(s.item, s.verdict) for s in answer.sentences] == [
        (False, "supported"),
        (True, "supported"),
    ]
    assert answer.dropped == 1


# --- it decides ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "reply",
    [
        "NOT FOUND",
        "**NOT FOUND**\n\nThe passages speak of the strategy only.",
        "not found.",
        "I'm sorry, I do not know.",
        "The passages do not mention the date.",
    ],
)
def test_what_it_declines_is_refused(ask: Ask, reply: str) -> None:
    """Whatever is found, and however sure Footnote would be without it."""
    answer = ask(writes(*words(reply)) if "\n" not in reply else writes(reply))
    assert (answer.status, told(answer), answer.confidence) == ("refused", [], None)
    assert answer.closest and answer.closest[0].quote == QUOTE
    assert answer.writing is not None and answer.writing.outcome == "declined"


def test_it_reads_what_footnote_would_refuse(assistant: Assistant) -> None:
    assert assistant.ask("What is the population of India?").refused
    chat = writes(*words(f"{MORE} [1]"))
    with serving(chat) as (address, _), opened(assistant, address) as writing:
        answer = writing.ask("What is the population of India?")
    assert told(answer) == [(MORE, "supported")]


def test_a_part_that_is_not_there_is_told(ask: Ask) -> None:
    answer = ask(writes(f"{RIGHT} [1]\nMISSING: who signed it"))
    assert (answer.answered, answer.unanswered) == (True, ("who signed it",))
    assert "who signed it" in str(answer)


def test_it_may_have_more_looked_up(assistant: Assistant) -> None:
    reply = "NOT FOUND\nSEARCH: stray dogs\nSEARCH: multipolarity"
    chat = replies(reply, f"{MORE} [1]")
    with serving(chat) as (address, server), opened(assistant, address) as writing:
        events = list(writing.stream("What bothers Delhi?"))
    answer = events[-1].answer if isinstance(events[-1], Done) else None
    searches = ("stray dogs", "multipolarity")
    assert answer is not None and answer.writing is not None
    assert [event.searches for event in events if isinstance(event, LookedAgain)] == [searches]
    assert answer.writing.searches == searches
    assert answer.question == answer.standalone_question == "What bothers Delhi?"
    assert told(answer) == [(MORE, "supported")]
    assert "Searched again for: stray dogs; multipolarity." in str(answer)
    # What it has read already is not sent again, and what is new is numbered on.
    first, _, second = said_to(server)[-3:]
    numbers = [
        [int(line[1 : line.index("]")]) for line in text.splitlines() if line.startswith("[")]
        for text in (first, second)
    ]
    assert numbers[0] == list(range(1, len(numbers[0]) + 1))
    assert numbers[1] == list(range(len(numbers[0]) + 1, len(numbers[0]) + len(numbers[1]) + 1))


def test_it_looks_again_twice_at_most(assistant: Assistant) -> None:
    count = iter(range(10))

    def chat(handler: Handler) -> None:
        writes(f"NOT FOUND\nSEARCH: threat {next(count)} of war and peace")(handler)

    with serving(chat) as (address, server), opened(assistant, address) as writing:
        answer = writing.ask("What bothers Delhi?")
    assert answer.refused and answer.writing is not None
    assert len(server.asked) == answer.writing.calls <= 3
    assert len(answer.writing.searches) == 2


def test_whether_the_assistant_is_meant_it_decides(assistant: Assistant) -> None:
    with (
        serving(writes("ASSISTANT")) as (address, server),
        opened(assistant, address) as writing,
    ):
        events = list(writing.stream("What can you do?"))
        assert [type(event) for event in events[:2]] == [SourcesFound, Decided]
        answer = events[-1].answer if isinstance(events[-1], Done) else None
        assert answer is not None
        assert answer.kind == "chat" and answer.sentences[0].verdict == "own"
        assert "ASSISTANT" in said_to(server)[-1]
    with serving(writes("NOT FOUND")) as (address, _), opened(assistant, address) as writing:
        assert writing.ask("What can you do?").refused


def test_a_follow_up_is_read_as_it_was_asked(assistant: Assistant) -> None:
    """With the conversation before it; what it finds by itself is read, and what it finds with
    that."""
    history = [
        {"role": "user", "content": "How does India see the Quad?"},
        {"role": "assistant", "content": "The Quad helps fulfill its goals."},
    ]
    with serving(writes("NOT FOUND")) as (address, server), opened(assistant, address) as writing:
        writing.ask("Does it want to be an ally?", history)
        writing.ask("Does it want to be an ally?")
    [one, other] = [asked["messages"] for asked in server.asked]
    assert [turn["content"] for turn in one[1:3]] == [turn["content"] for turn in history]
    assert "Question: Does it want to be an ally?" in one[-1]["content"]
    alone = [line for line in other[-1]["content"].splitlines() if line.startswith("  ")]
    assert set(alone) <= set(one[-1]["content"].splitlines())


def test_another_language_is_told(ask: Ask) -> None:
    german = (
        "Die Strategie der USA f\u00fcr den Indopazifik wurde im Winter ver\u00f6ffentlicht. [1]"
    )
    answer = ask(replies(german, f"1. {german}"))
    assert answer.refused and answer.note is not None and "another language" in answer.note


# --- overviews ----------------------------------------------------------------------------------


def test_an_overview_is_written_from_whole_sections(assistant: Assistant) -> None:
    quoted = assistant.ask("Summarize the document.")
    first, *_, last = [" ".join(own.quote.split()) for own in quoted.citations]
    chat = replies(f"{first} [1] {WRONG} [2] {last} [3]", "1. OUT")
    with serving(chat) as (address, server), opened(assistant, address) as writing:
        answer = writing.ask("Summarize the document.")
    assert (answer.kind, answer.status) == ("overview", "answered")
    assert told(answer) == [(first, "supported"), (last, "supported")]
    assert answer.dropped == 1
    read = said_to(server)[0]
    for citation in quoted.citations:
        assert " ".join(citation.quote.split())[:60] in read
    with serving(writes("NOT FOUND")) as (address, _), opened(assistant, address) as writing:
        events = list(writing.stream("Summarize the document."))
        assert [own.status for own in events if isinstance(own, Decided)] == ["answered"]
        assert isinstance(events[-1], Done)
        answer = events[-1].answer
        assert told(answer) == told(quoted) and "are quoted" in (answer.note or "")
    with serving(fails(500)) as (address, server), opened(assistant, address) as writing:
        answer = writing.ask("Summarize the document.")
    assert [s.text for s in answer.sentences] == [s.text for s in quoted.sentences]
    assert len(server.asked) == 1
    assert answer.note is not None and "HTTP 500" in answer.note


@pytest.mark.parametrize("heading", ["GET /users/{id}", "{passages} of {count}", "Sets {}"])
def test_a_heading_in_braces_is_told_as_it_stands(tmp_path: Path, heading: str) -> None:
    (tmp_path / "api.md").write_text(
        f"# Routes\n\nThe server has two routes.\n\n## {heading}\n\nIt returns one user. "
        "A key is needed for that.\n\n## Health\n\nIt tells whether the server is up.\n"
    )
    chat = writes("It returns one user. [1]")
    with (
        Assistant.open(tmp_path / "api.md", index_dir=tmp_path / "index") as assistant,
        serving(chat) as (address, server),
        opened(assistant, address) as writing,
    ):
        answer = writing.overview(heading)
    assert told(answer) == [("It returns one user.", "supported")]
    assert repr(heading) in said_to(server)[-1]


# --- it fails -----------------------------------------------------------------------------------

#: What fails, and what is said of it.
FAILURES = {
    "stalls at once": (stalls(), "nothing for 4 seconds|in time"),
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
    "repeats": (writes(*words("Not at all. " * 40)), "repeated itself"),
    "never ends": (writes(*["word "] * 600), "end of a sentence"),
}


@pytest.mark.parametrize("failure", FAILURES)
def test_where_it_fails_it_is_as_without_it(assistant: Assistant, ask: Ask, failure: str) -> None:
    chat, expected = FAILURES[failure]
    # Where the model falls silent this is how it ends; elsewhere nobody is given up for being slow.
    silence = 1.0 if failure.startswith("stalls") else PATIENCE
    answer = ask(chat, llm_timeout=silence, llm_api_key="sesame-4711")
    without = assistant.ask(QUESTION)
    assert (answer.status, told(answer)) == (without.status, told(without))
    assert answer.confidence == without.confidence
    assert answer.note is not None
    assert any(part in answer.note for part in expected.split("|")), answer.note
    assert answer.writing is not None and answer.writing.outcome == "failed"
    assert "sesame-4711" not in str(answer) + repr(answer)


def test_what_was_shown_before_a_failure_stays(ask: Ask) -> None:
    answer = ask(breaks(*words(f"{RIGHT} [1] It has many")))
    assert (answer.status, answer.sentences[0].text) == ("answered", RIGHT)
    assert answer.note is not None and "cut off" in answer.note


def test_what_is_sent_is_the_key_and_numbered_passages(assistant: Assistant) -> None:
    chosen = {"llm_api_key": "sesame-4711", "llm_context": 3000}
    with (
        serving(writes(*words(f"{RIGHT} [1]"))) as (address, server),
        opened(assistant, f"{address}#big", **chosen) as writing,
    ):
        writing.ask(QUESTION)
    assert server.keys == ["Bearer sesame-4711"]
    assert server.asked[0]["model"] == "big"
    assert "sesame-4711" not in repr(writing.settings)
    said = server.asked[0]["messages"]
    assert said[0]["role"] == "system"
    assert QUOTE in said[-1]["content"] and "[2] " in said[-1]["content"]
    # No more than its context takes.
    assert sum(len(turn["content"]) for turn in said) < 3000 * 3
    # Where nobody is there any more.
    with opened(assistant, address) as writing:
        answer = writing.ask(QUESTION)
    assert answer.note is not None and "cannot be reached" in answer.note


# --- as it comes --------------------------------------------------------------------------------


def test_it_streams_sentence_by_sentence(assistant: Assistant) -> None:
    """The model writes on only when its first sentence has been shown."""
    shown = threading.Event()
    chat = writes(
        *words(f"{RIGHT} [1] {MORE}"),
        then=shown,
        more=words("[2] The US released its strategy. The end"),
    )
    with serving(chat) as (address, _), opened(assistant, address) as writing:
        events = []
        for event in writing.stream(QUESTION):
            events.append(event)
            if isinstance(event, SentenceReady):
                shown.set()
    assert isinstance(events[0], SourcesFound) and isinstance(events[-1], Done)
    assert [event.status for event in events if isinstance(event, Decided)] == ["answered"]
    ready = [event for event in events if isinstance(event, SentenceReady)]
    assert tuple(event.sentence for event in ready) == events[-1].answer.sentences
    assert ready[0].sentence.text == RIGHT


def test_a_request_that_is_over_stops_no_other(assistant: Assistant) -> None:
    """The system gives the number of a thread that has ended to the next one."""
    begun, go_on = threading.Event(), threading.Event()

    def chat(handler: Handler) -> None:
        if "Write on." not in str(handler.said["messages"]):
            writes("First. ", "Last.")(handler)
            return
        handler.begin()
        begun.set()
        assert go_on.wait(PATIENCE)
        handler.piece(RIGHT)
        handler.end()

    with serving(chat) as (address, _), opened(assistant, address) as writing:
        model = writing._writer._loaded()
        over = [model.stream([("system", "Write.")]) for _ in range(20)]
        for one in over:
            assert next(one) + next(one) == "First. Last."
        for thread in threads():
            thread.join(PATIENCE)
        with ThreadPoolExecutor(1) as pool:
            other = pool.submit(lambda: list(model.stream([("system", "Write on.")])))
            assert begun.wait(PATIENCE)
            for one in over:
                one.close()
            go_on.set()
            assert "".join(other.result(PATIENCE)) == RIGHT


def threads() -> list[threading.Thread]:
    """Those in which a model is asked."""
    return [own for own in threading.enumerate() if "_run" in own.name]


def test_asking_does_not_block_the_loop(assistant: Assistant) -> None:
    """The model writes on only when the loop has gone round a few times."""
    turned = threading.Event()

    async def turn() -> None:
        for _ in range(5):
            await asyncio.sleep(0)
        turned.set()

    async def every(writing: Assistant) -> tuple[Answer, list[Any], None]:
        def stream() -> list[Any]:
            return list(writing.stream(QUESTION))

        asked = asyncio.to_thread(writing.ask, QUESTION)
        return await asyncio.gather(asked, asyncio.to_thread(stream), turn())

    chat = writes(then=turned, more=words(f"{RIGHT} [1]"))
    with serving(chat) as (address, _), opened(assistant, address) as writing:
        answer, events, _ = asyncio.run(every(writing))
    assert answer.sentences[0].text == RIGHT
    assert isinstance(events[-1], Done) and events[-1].answer.text == answer.text


def test_more_passages_are_looked_up_in_the_words_of_a_language_model(assistant: Assistant) -> None:
    other = "When did the US publish its strategy?"
    with serving(replies(other, "")) as (address, _), opened(assistant, address) as writing:
        first, second = writing.more_passages(QUESTION, reworded=True).searches
        assert first == other != second
        # It has nothing to say: the documents' words are left.
        assert other not in writing.more_passages(QUESTION, reworded=True).searches

"""Language models and the page: one that runs on this machine is offered, and writes if it is let;
of what one reads, looks up and does not find is told."""

from __future__ import annotations

import re
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from browsing import (
    DESK,
    PHONE,
    QUESTION,
    QUOTE,
    UNANSWERABLE,
    Visit,
    ask,
    barriers,
    copied,
    exported,
    lit,
    send,
    serving,
    settled,
)
from checks import BAD, ended
from chroma_servers import until
from helpers import PATIENCE, SUPPORT
from model_servers import WAIT, Handler, free_port, port_of, scripted, waits, words, writes
from model_servers import serving as serving_models
from playwright.sync_api import Browser, expect

from assistant import Assistant
from assistant.answer import REFUSAL
from assistant.llm.check_results import keep
from assistant.llm.discovery import Server
from assistant.service.answer_models import AnswerModels
from assistant.service.service import Service
from assistant.settings import load_settings
from index.errors import SettingsError

WRITTEN = "The US released its Indo-Pacific strategy on 11 February."
MODEL = "llama3.2"
SETTINGS = {
    "FOOTNOTE_LLM_CONTEXT": "16384",
    "FOOTNOTE_LLM_TIMEOUT": str(PATIENCE),
}
RIGHT = "The US released its Indo-Pacific strategy on 11 February. [1]"
WRONG = "It was released on March 3, 2019 in Berlin. [1]"
AGAIN = "On which day did the US publish its strategy for the region?"
UNPROVED = "Where was the US Indo-Pacific strategy released?"
GONE = "When did the US release its Indo-Pacific strategy?"
SEARCHES = ("release of the strategy", "date of publication")
REPLIES = {
    QUESTION: [RIGHT],
    AGAIN: [
        "NOT FOUND\nSEARCH: release of the strategy\nSEARCH: date of publication",
        WAIT + RIGHT,
    ],
    UNANSWERABLE: ["NOT FOUND\nSEARCH: number of inhabitants\nSEARCH: census", "NOT FOUND"],
    UNPROVED: [WRONG, "1. OUT"],
    GONE: [""],
}


@pytest.fixture(scope="module")
def ollama() -> Iterator[tuple[int, type[Handler]]]:
    """The port of a server that runs two models, and what it was asked."""
    with serving_models(writes(*words(WRITTEN)), "llama3.2", "qwen3:4b") as (address, asked):
        yield port_of(address), asked


@pytest.fixture(scope="module")
def port() -> int:
    """Where another may be started later."""
    return free_port()


@pytest.fixture(scope="module")
def url(
    tmp_path_factory: pytest.TempPathFactory, ollama: tuple[int, type[Handler]], port: int
) -> Iterator[str]:
    command = [sys.executable, SUPPORT / "offering.py", f"ollama={ollama[0]},vllm={port}"]
    with serving(
        tmp_path_factory.mktemp("offers"), command=command, FOOTNOTE_LLM_TIMEOUT=str(PATIENCE)
    ) as address:
        yield address


def server_at(port: int) -> Server:
    return Server("ollama", "Ollama", port, patience=PATIENCE)


def asked_of(asked: type[Handler]) -> list[str]:
    return [body["model"] for body in asked.asked]


def test_it_writes_when_it_is_let_and_only_then(
    visit: Visit, browser: Browser, url: str, ollama: tuple[int, type[Handler]]
) -> None:
    page, (_, asked) = visit.page, ollama
    asked.asked.clear()
    offer, writing = page.locator("#offer"), page.get_by_label("How answers are worded")
    expect(offer).to_contain_text("A language model is running here (Ollama: llama3.2, unchecked).")
    expect(writing).to_have_value("none")
    assert barriers(page) == []
    sentence = ask(page, QUESTION).locator(".sentence")
    expect(sentence).to_have_attribute("data-verdict", "quoted")
    assert asked_of(asked) == []

    page.get_by_role("button", name="Use it").click()
    expect(offer).to_be_hidden()
    expect(page.get_by_label("Your question")).to_be_focused()
    expect(writing.locator("option:checked")).to_have_text(
        "Written by llama3.2 (Ollama), unchecked"
    )
    turn = ask(page, QUESTION)
    expect(turn.locator(".sentence")).to_have_attribute("data-verdict", "supported")
    expect(turn.locator(".answer")).to_contain_text(WRITTEN)
    assert asked_of(asked) == ["llama3.2"]
    page.reload()  # it holds for the tab
    visit.ready()
    expect(writing).to_have_value("ollama:llama3.2")
    expect(offer).to_be_hidden()

    writing.select_option("Written by qwen3:4b (Ollama), unchecked")
    ask(page, QUESTION)
    assert asked_of(asked) == ["llama3.2", "qwen3:4b"]

    writing.select_option("Quoted")
    expect(ask(page, QUESTION).locator(".answer")).to_contain_text(QUOTE)
    expect(offer).to_be_hidden()
    other = Visit(browser, url)  # whose choice nobody has made
    ask(other.page, QUESTION)
    assert len(asked.asked) == 2
    # An offer can be declined.
    other.page.get_by_role("button", name="No thanks", exact=True).click()
    expect(other.page.locator("#offer")).to_be_hidden()
    other.page.reload()
    other.ready()
    expect(other.page.get_by_label("How answers are worded")).to_have_value("none")
    expect(other.page.locator("#offer")).to_be_hidden()
    other.close()


def test_one_that_is_started_later_is_listed_stopped_and_its_end_is_told(
    visit: Visit, port: int
) -> None:
    page = visit.page
    turn = page.locator(".turn").last
    gone = threading.Event()
    with serving_models(waits(gone), "llama3.2", port=port) as (_, model):
        other = visit.context.new_page()
        other.goto(page.url)
        other.locator("body[data-ready]").wait_for()
        for tab in (page, other):
            with tab.expect_response("**/writers"):
                tab.evaluate("dispatchEvent(new Event('focus'))")
            tab.get_by_label("How answers are worded").select_option("vllm:llama3.2")
            gone.clear()
            model.asked.clear()
            send(tab, QUESTION)
            until(lambda: bool(model.asked))
            assert not gone.is_set()
            if tab is page:
                page.keyboard.press("Escape")
                expect(turn).to_have_attribute("data-state", "stopped")
            else:
                other.close()
            assert gone.wait(PATIENCE), "it is stopped by Esc, and when the page is closed"
    ask(page, QUESTION)
    expect(turn).to_have_attribute("data-state", "failed")
    expect(turn).to_contain_text("The chosen language model is no longer running")
    page.get_by_label("How answers are worded").select_option("Quoted")
    turn.get_by_role("button", name="Ask again").click()
    expect(turn.locator(".sentence")).to_have_attribute("data-verdict", "quoted")


def test_only_what_is_offered_is_asked_and_how_its_check_ended_is_told(
    assistant: Assistant,
    ollama: tuple[int, type[Handler]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    address = f"http://127.0.0.1:{ollama[0]}/v1"
    keep(ended(load_settings(llm=f"{address}#qwen3:4b"), BAD))
    # Where others log in nothing is looked for.
    ollama[1].gets.clear()
    service = Service(assistant, "127.0.0.1", [("ann", "s3cret!")], [server_at(ollama[0])])
    assert not service.writers.to_dict()["offered"]
    assert ollama[1].gets == []
    writers = AnswerModels(assistant, [server_at(ollama[0])])
    told = writers.to_dict()
    assert [(one["llm"], one["name"], one["check"]) for one in told["offered"]] == [
        ("ollama:llama3.2", "llama3.2", "unchecked"),
        ("ollama:qwen3:4b", "qwen3:4b", "failed"),
    ]
    assert told["missing"] is None
    for llm in ("ollama:other", "vllm:llama3.2", address, "/etc/passwd", ""):
        with pytest.raises(SettingsError, match="not running"), writers.chosen(llm):
            raise AssertionError("it was let write")
    set_up = load_settings(index_dir=assistant.settings.index_dir, llm=f"{address}#qwen3:4b")
    own = Assistant(assistant.index, assistant.document_ids, set_up)
    told = AnswerModels(own, [server_at(ollama[0])]).to_dict()
    assert (told["set"], told["check"], told["offered"]) == ("qwen3:4b", "failed", [])
    # One that failed its check is not asked where it is set.
    before = len(ollama[1].asked)
    answer = own.ask(QUESTION)
    assert QUOTE in answer.text and "FOOTNOTE_TRUST_LLM" in str(answer.note)
    assert len(ollama[1].asked) == before
    # What has to be installed is told with the offer.
    monkeypatch.setitem(sys.modules, "llama_index.llms.openai_like", None)
    assert "pip install" in writers.to_dict()["missing"]
    with pytest.raises(SettingsError, match="pip install"), writers.chosen("ollama:llama3.2"):
        raise AssertionError("it was let write")


def test_a_key_is_not_given_to_another_server(
    assistant: Assistant, ollama: tuple[int, type[Handler]]
) -> None:
    port, asked = ollama
    settings = load_settings(
        index_dir=assistant.settings.index_dir, llm_api_key="sesame-4711", llm_timeout=PATIENCE
    )
    own = Assistant(assistant.index, assistant.document_ids, settings)
    asked.keys.clear()
    writers = AnswerModels(own, [server_at(port)])
    with writers.chosen("ollama:llama3.2") as write:
        answer = own.for_documents(own.document_ids, write=write).ask(QUESTION)
    assert answer.text == WRITTEN
    assert asked.keys == ["Bearer none"]


# --- one that is set, and reads -----------------------------------------------------------------


def test_what_it_reads_and_writes_is_told(browser: Browser, tmp_path: Path) -> None:
    hold = threading.Event()  # lets the model go on with what it has looked up
    with (
        serving_models(scripted(REPLIES, hold), MODEL) as (llm, model),
        serving(tmp_path, "--llm", f"{llm}#{MODEL}", **SETTINGS) as address,
        closing(Visit(browser, address)) as visit,
    ):
        page = visit.page
        writing = page.get_by_label("How answers are worded")
        expect(writing.locator("option")).to_have_text([f"Written by {MODEL}, unchecked", "Quoted"])
        expect(page.locator("#offer")).to_be_hidden()
        # What it answers is told with what it read.
        turn = ask(page, QUESTION)
        assert turn.get_attribute("data-state") == "answered"
        sentence = turn.locator(".sentence")
        expect(sentence).to_have_attribute("data-verdict", "supported")
        written = (
            rf"Written by {MODEL} \(unchecked\) from \d+ passages · every sentence was compared"
        )
        expect(turn.locator(".meta")).to_have_text(re.compile(written))
        expect(turn.locator(".meta")).not_to_contain_text("%")  # nothing is told that nobody knows
        expect(turn.locator(".note")).to_have_count(0)
        # A marker tells the quote that the sentence was made of.
        turn.locator(".marker").hover()
        expect(page.locator("#tooltip q")).to_have_text(QUOTE)
        assert barriers(page) == []
        # It can be judged, taken along, and opened again.
        turn.get_by_role("button", name="A good answer").click()
        expect(page.locator("#toast")).to_contain_text("Thank you")
        text = copied(page, turn.get_by_role("button", name="Copy with footnotes"))
        assert text.startswith(f"{RIGHT}\n\n[1] ") and "%" not in text
        assert "Berlin" not in exported(page)
        page.reload()
        expect(page.locator(".turn .meta")).to_have_text(re.compile(written))
        page.locator(".turn .marker").click()
        assert lit(page) == QUOTE
        page.keyboard.press("Escape")

        # That it looks again is told while it does, and later.
        page.locator("#new").click()
        send(page, AGAIN)
        turn = page.locator(".turn").last
        looked = f"Searched again for “{SEARCHES[0]}”, “{SEARCHES[1]}”"
        expect(turn.locator(".stage")).to_have_text(looked)
        expect(page.locator("#announcer")).to_have_text(looked)
        page.set_viewport_size(PHONE["viewport"])
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        assert barriers(page) == []
        page.set_viewport_size(DESK["viewport"])
        hold.set()
        settled(page)
        expect(turn.locator(".sentence")).to_have_count(1)
        expect(turn.locator(".meta").last).to_have_text(f"{looked}.")
        expect(turn.locator(".stage")).to_have_text(re.compile(r"^Searched:¶ 6.* and more$"))

        # What it finds nowhere is refused.
        page.locator("#new").click()
        turn = ask(page, UNANSWERABLE)
        assert turn.get_attribute("data-state") == "refused"
        expect(turn.locator(".refusal")).to_have_text(REFUSAL)
        expect(turn.locator(".meta").nth(0)).to_have_text(
            re.compile(rf"{MODEL} \(unchecked\) read \d+ passages and found no answer in them\.")
        )
        expect(turn.locator(".meta").nth(1)).to_have_text(
            "Searched again for “number of inhabitants”, “census”."
        )
        expect(turn.locator(".sentence, .note")).to_have_count(0)
        expect(turn.locator(".closest .card")).to_have_count(3)

        # What it writes without support is no answer.
        page.locator("#new").click()
        turn = ask(page, UNPROVED)
        assert turn.get_attribute("data-state") == "refused"
        expect(turn.locator(".refusal")).to_have_text(REFUSAL)
        expect(turn.locator(".note")).to_contain_text("left out")
        expect(turn.locator(".sentence")).to_have_count(0)
        expect(turn).not_to_contain_text("Berlin")

        # Where it is gone, the documents are quoted.
        page.locator("#new").click()
        turn = ask(page, GONE)
        expect(turn.locator(".sentence")).to_have_attribute("data-verdict", "quoted")
        expect(turn.locator(".note")).to_contain_text(
            "The language model failed: its server failed"
        )
        expect(turn.locator(".meta")).to_contain_text("Quoted from the documents")
        expect(turn.locator(".stage")).not_to_contain_text("more")  # it has read nothing

        # It can be left out.
        before = len(model.asked)
        writing.select_option("Quoted")
        turn = ask(page, QUESTION)
        expect(turn.locator(".sentence")).to_have_attribute("data-verdict", "quoted")
        assert len(model.asked) == before

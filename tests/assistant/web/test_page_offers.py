"""A language model that runs on this machine is offered on the page, and writes if it is let."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from browsing import QUESTION, QUOTE, Visit, ask, barriers, lit, picture, serving
from checks import BAD, ended
from helpers import PATIENCE, SUPPORT
from model_servers import Handler, free_port, port_of, words, writes
from model_servers import serving as serving_models
from playwright.sync_api import Browser, expect

from assistant import Assistant
from assistant.llm.checks import keep
from assistant.llm.discovery import Server
from assistant.service.answer_models import AnswerModels
from assistant.service.service import Service
from assistant.settings import load_settings
from index.errors import SettingsError

WRITTEN = "The US released its Indo-Pacific strategy on 11 February."


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
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        picture(page, f"offered-{scheme}")
        assert barriers(page) == []
    sentence = ask(page, QUESTION).locator(".sentence")
    expect(sentence).to_have_attribute("data-verdict", "quoted")
    assert asked_of(asked) == []

    page.get_by_role("button", name="Let it write").click()
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
    expect(other.page.locator("#offer")).to_be_visible()
    ask(other.page, QUESTION)
    other.close()
    assert len(asked.asked) == 2


def test_an_offer_can_be_declined(visit: Visit) -> None:
    page = visit.page
    page.get_by_role("button", name="No", exact=True).click()
    expect(page.locator("#offer")).to_be_hidden()
    page.reload()
    visit.ready()
    expect(page.get_by_label("How answers are worded")).to_have_value("none")
    expect(page.locator("#offer")).to_be_hidden()


def test_one_that_is_started_later_is_listed_and_its_end_is_told(visit: Visit, port: int) -> None:
    page = visit.page
    writing = page.get_by_label("How answers are worded")
    with serving_models(writes(WRITTEN), "llama3.2", port=port):
        with page.expect_response("**/writers"):
            page.evaluate("dispatchEvent(new Event('focus'))")
        writing.select_option("vllm:llama3.2")
    turn = ask(page, QUESTION)
    expect(turn).to_have_attribute("data-state", "failed")
    expect(turn).to_contain_text("that was chosen is not running any more")
    writing.select_option("Quoted")
    turn.get_by_role("button", name="Ask again").click()
    expect(turn.locator(".sentence")).to_have_attribute("data-verdict", "quoted")


def test_where_one_is_set_it_is_named_and_can_be_left_out(
    browser: Browser, tmp_path: Path, ollama: tuple[int, type[Handler]]
) -> None:
    port, asked = ollama
    asked.asked.clear()
    environment = {"FOOTNOTE_LLM_MODEL": "qwen3:4b", "FOOTNOTE_LLM_TIMEOUT": str(PATIENCE)}
    with (
        serving(tmp_path, "--llm", f"http://127.0.0.1:{port}/v1", **environment) as url,
        closing(Visit(browser, url)) as visit,
    ):
        page = visit.page
        writing = page.get_by_label("How answers are worded")
        expect(writing.locator("option")).to_have_text(["Written by qwen3:4b, unchecked", "Quoted"])
        expect(page.locator("#offer")).to_be_hidden()
        turn = ask(page, QUESTION)
        expect(turn.locator(".sentence")).to_have_attribute("data-verdict", "supported")
        turn.locator(".marker").first.click()
        assert lit(page) == QUOTE
        writing.select_option("Quoted")
        sentence = ask(page, QUESTION).locator(".sentence")
        expect(sentence).to_have_attribute("data-verdict", "quoted")
        assert asked_of(asked) == ["qwen3:4b"]


def test_where_others_log_in_nothing_is_looked_for(
    assistant: Assistant, ollama: tuple[int, type[Handler]]
) -> None:
    port, asked = ollama
    asked.gets.clear()
    service = Service(assistant, "127.0.0.1", [("ann", "s3cret!")], [server_at(port)])
    nothing = {"set": None, "check": None, "offered": [], "missing": None}
    assert service.writers.to_dict() == nothing
    assert asked.gets == []


def test_only_what_is_offered_is_asked(
    assistant: Assistant, ollama: tuple[int, type[Handler]]
) -> None:
    port, _ = ollama
    writers = AnswerModels(assistant, [server_at(port)])
    assert [one["llm"] for one in writers.to_dict()["offered"]] == [
        "ollama:llama3.2",
        "ollama:qwen3:4b",
    ]
    for llm in ("ollama:other", "vllm:llama3.2", f"http://127.0.0.1:{port}/v1", "/etc/passwd", ""):
        with pytest.raises(SettingsError, match="not running"), writers.chosen(llm):
            raise AssertionError("it was let write")


def test_of_each_it_is_told_how_its_check_ended(
    assistant: Assistant,
    ollama: tuple[int, type[Handler]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    address = f"http://127.0.0.1:{ollama[0]}/v1"
    keep(ended(load_settings(llm=address, llm_model="qwen3:4b"), BAD))
    writers = AnswerModels(assistant, [server_at(ollama[0])])
    assert [(one["name"], one["check"]) for one in writers.to_dict()["offered"]] == [
        ("llama3.2", "unchecked"),
        ("qwen3:4b", "failed"),
    ]
    set_up = load_settings(
        index_dir=assistant.settings.index_dir, llm=address, llm_model="qwen3:4b"
    )
    own = Assistant(assistant.index, assistant.document_ids, set_up)
    told = AnswerModels(own, [server_at(ollama[0])]).to_dict()
    assert (told["set"], told["check"], told["offered"]) == ("qwen3:4b", "failed", [])


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


def test_what_has_to_be_installed_is_told_with_the_offer(
    assistant: Assistant, ollama: tuple[int, type[Handler]], monkeypatch: pytest.MonkeyPatch
) -> None:
    writers = AnswerModels(assistant, [server_at(ollama[0])])
    assert writers.to_dict()["missing"] is None
    # As if it were not installed.
    monkeypatch.setitem(sys.modules, "llama_index.llms.openai_like", None)
    assert "pip install" in writers.to_dict()["missing"]
    with pytest.raises(SettingsError, match="pip install"), writers.chosen("ollama:llama3.2"):
        raise AssertionError("it was let write")

"""What the page tells of a language model that reads: what it read, looked for, did not find."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from browsing import (
    QUESTION,
    QUOTE,
    UNANSWERABLE,
    Visit,
    ask,
    barriers,
    copied,
    exported,
    lit,
    picture,
    send,
    serving,
    settled,
)
from checks import BAD, ended
from chroma_servers import until
from helpers import PATIENCE
from model_servers import WAIT, scripted, waits
from model_servers import serving as serving_models
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from assistant.answer import REFUSAL
from assistant.llm.checks import keep
from assistant.settings import load_settings

MODEL = "llama3.2"
SETTINGS = {
    "FOOTNOTE_LLM_MODEL": MODEL,
    "FOOTNOTE_LLM_CONTEXT": "16384",
    "FOOTNOTE_LLM_TIMEOUT": str(PATIENCE),
}
PHONE = {"width": 390, "height": 844}
RIGHT = "The US released its Indo-Pacific strategy on 11 February. [1]"
WRONG = "It was released on March 3, 2019 in Berlin. [1]"
PARTLY = "When was the US Indo-Pacific strategy released, and who wrote it?"
AGAIN = "On which day did the US publish its strategy for the region?"
UNPROVED = "Where was the US Indo-Pacific strategy released?"
SLOW = "What was released on February 11?"
GONE = "When did the US release its Indo-Pacific strategy?"
SEARCHES = ("release of the strategy", "date of publication")
REPLIES = {
    QUESTION: [RIGHT],
    PARTLY: [f"{RIGHT}\nMISSING: who wrote it\nSEARCH: authors of the strategy", "NOT FOUND"],
    AGAIN: [
        "NOT FOUND\nSEARCH: release of the strategy\nSEARCH: date of publication",
        WAIT + RIGHT,
    ],
    UNANSWERABLE: ["NOT FOUND\nSEARCH: number of inhabitants\nSEARCH: census", "NOT FOUND"],
    UNPROVED: [WRONG, "1. OUT"],
    SLOW: [f"{WAIT}{RIGHT}"],
    GONE: [""],
}
READ = rf"{re.escape(MODEL)} \(unchecked\) read \d+ passages and found no answer in them\."


@pytest.fixture(scope="module")
def hold() -> threading.Event:
    """Lets the model go on with what it has looked up."""
    return threading.Event()


@pytest.fixture(scope="module")
def model(hold: threading.Event) -> Iterator[str]:
    with serving_models(scripted(REPLIES, hold), MODEL) as (address, _):
        yield address


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory, model: str) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("reading")
    with serving(folder, "--llm", model, **SETTINGS) as address:
        yield address


@pytest.fixture(autouse=True)
def let_go(hold: threading.Event) -> None:
    """Nothing waits, unless a test wants that."""
    hold.set()


@pytest.fixture(params=["desktop", "phone"])
def page(
    request: pytest.FixtureRequest,
    browser: Browser,
    url: str,
    profile: Callable[..., BrowserContext],
) -> Iterator[Page]:
    """The page, as wide as on a desk and on a phone."""
    size = {"width": 1280, "height": 800} if request.param == "desktop" else PHONE
    with closing(Visit(browser, url, profile(viewport=size))) as visit:
        yield visit.page


def seen(page: Page, name: str) -> None:
    """Keep a picture; the page fits, and everyone can use it."""
    size = page.viewport_size
    assert size
    picture(page, f"reading-{name}-{size['width']}")
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert barriers(page) == []


def meta(turn: Locator) -> Locator:
    return turn.locator(".meta")


def test_what_it_reads_and_writes_is_told(page: Page, hold: threading.Event) -> None:
    # What it answers is told with what it read.
    turn = ask(page, QUESTION)
    assert turn.get_attribute("data-state") == "answered"
    sentence = turn.locator(".sentence")
    expect(sentence).to_have_attribute("data-verdict", "supported")
    written = rf"Written by {MODEL} \(unchecked\) from \d+ passages · every sentence was compared"
    expect(meta(turn)).to_have_text(re.compile(written))
    expect(meta(turn)).not_to_contain_text("%")  # nothing is told that nobody knows
    expect(turn.locator(".note")).to_have_count(0)
    seen(page, "answered")
    # What unchecked means is told to whoever wants to know, also by the keyboard.
    turn.get_by_role("button", name="unchecked").press("Enter")
    expect(page.locator("#toast")).to_contain_text("footnote llm check")
    # It can be judged, taken along, and opened again.
    turn.get_by_role("button", name="A good answer").click()
    expect(page.locator("#toast")).to_contain_text("Thank you")
    text = copied(page, turn.get_by_role("button", name="Copy with footnotes"))
    assert text.startswith(f"{RIGHT}\n\n[1] ") and "%" not in text
    assert "Berlin" not in exported(page)
    page.reload()
    expect(meta(page.locator(".turn"))).to_have_text(re.compile(written))
    page.locator(".turn .marker").click()
    assert lit(page) == QUOTE
    page.keyboard.press("Escape")

    # What is not there of it is told.
    page.locator("#new").click()
    turn = ask(page, PARTLY)
    assert turn.get_attribute("data-state") == "answered"
    expect(turn.locator(".sentence")).to_have_count(1)
    expect(turn.locator(".note")).to_have_text("The documents do not say: who wrote it.")
    expect(meta(turn).nth(0)).to_have_text("Partly answered")
    expect(meta(turn).nth(1)).to_contain_text(f"Written by {MODEL}")
    expect(meta(turn).nth(2)).to_have_text("Looked again for “authors of the strategy”.")
    seen(page, "partly")
    assert "The documents do not say: who wrote it." in copied(
        page, turn.get_by_role("button", name="Copy with footnotes")
    )

    # How much it reads is told while it does.
    page.locator("#new").click()
    hold.clear()
    send(page, SLOW)
    turn = page.locator(".turn").last
    reading = re.compile(rf"^{MODEL} is reading \d+ passages¶ 6")
    expect(turn.locator(".stage")).to_have_text(reading)
    seen(page, "reading")
    hold.set()
    assert settled(page).get_attribute("data-state") == "answered"

    # That it looks again is told while it does, and later.
    page.locator("#new").click()
    hold.clear()
    send(page, AGAIN)
    turn = page.locator(".turn").last
    looked = f"Looked again for “{SEARCHES[0]}”, “{SEARCHES[1]}”"
    expect(turn.locator(".stage")).to_have_text(looked)
    expect(page.locator("#announcer")).to_have_text(looked)
    seen(page, "looking-again")
    hold.set()
    settled(page)
    expect(turn.locator(".sentence")).to_have_count(1)
    expect(meta(turn).last).to_have_text(f"{looked}.")
    expect(turn.locator(".stage")).to_have_text(re.compile(r"^Read¶ 6.* and more$"))
    seen(page, "looked-again")

    # What it finds nowhere is refused.
    page.locator("#new").click()
    turn = ask(page, UNANSWERABLE)
    assert turn.get_attribute("data-state") == "refused"
    expect(turn.locator(".refusal")).to_have_text(REFUSAL)
    expect(meta(turn).nth(0)).to_have_text(re.compile(READ))
    expect(meta(turn).nth(1)).to_have_text("Looked again for “number of inhabitants”, “census”.")
    expect(turn.locator(".sentence, .note")).to_have_count(0)
    expect(turn.locator(".closest .card")).to_have_count(3)
    seen(page, "not-there")
    page.reload()
    expect(meta(page.locator(".turn")).nth(0)).to_have_text(re.compile(READ))

    # What it writes without support is no answer.
    page.locator("#new").click()
    turn = ask(page, UNPROVED)
    assert turn.get_attribute("data-state") == "refused"
    expect(turn.locator(".refusal")).to_have_text(REFUSAL)
    expect(turn.locator(".note")).to_contain_text("left out")
    expect(turn.locator(".sentence")).to_have_count(0)
    expect(turn).not_to_contain_text("Berlin")
    seen(page, "unproved")

    # Where it is gone, the documents are quoted.
    page.locator("#new").click()
    turn = ask(page, GONE)
    expect(turn.locator(".sentence")).to_have_attribute("data-verdict", "quoted")
    expect(turn.locator(".note")).to_contain_text("The language model failed: its server failed")
    expect(meta(turn)).to_contain_text("Quoted from the documents")
    expect(turn.locator(".stage")).not_to_contain_text("more")  # it has read nothing
    seen(page, "gone")


def test_esc_and_a_closed_page_stop_it(browser: Browser, tmp_path: Path) -> None:
    gone = threading.Event()
    with (
        serving_models(waits(gone), MODEL) as (address, model),
        serving(tmp_path, "--llm", address, **SETTINGS) as url,
    ):
        for way in ("Esc", "close"):
            gone.clear()
            model.asked.clear()
            visit = Visit(browser, url)
            send(visit.page, QUESTION)
            until(lambda: bool(model.asked))
            assert not gone.is_set()
            if way == "Esc":
                visit.page.keyboard.press("Escape")
                expect(visit.page.locator(".turn")).to_have_attribute("data-state", "stopped")
            else:
                visit.close()
            assert gone.wait(PATIENCE)
            if way == "Esc":
                visit.close()


def test_one_that_failed_its_check_is_not_asked(
    browser: Browser, tmp_path: Path, model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    keep(ended(load_settings(llm=model, llm_model=MODEL), BAD))
    for flags in ((), ("--trust-llm",)):
        with serving(tmp_path, "--llm", model, *flags, **SETTINGS) as url:
            for width in (1280, 390):
                with closing(Visit(browser, url, viewport=PHONE | {"width": width})) as visit:
                    page = visit.page
                    option = page.locator("#writing option").first
                    expect(option).to_have_text(f"{MODEL}, failed its check")
                    turn = ask(page, QUESTION)
                    verdict = "supported" if flags else "quoted"
                    expect(turn.locator(".sentence")).to_have_attribute("data-verdict", verdict)
                    if flags:
                        expect(meta(turn)).to_contain_text(f"{MODEL} (failed its check) from")
                    else:
                        expect(turn.locator(".note")).to_contain_text("FOOTNOTE_TRUST_LLM")
                        expect(meta(turn)).to_contain_text("Quoted from the documents")
                        seen(page, "not-trusted")

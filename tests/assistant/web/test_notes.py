"""What is kept on the page: answers with a note, and what is selected in a document, highlighted,
copied and asked about."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest
from browsing import (
    QUESTION,
    QUOTE,
    UNANSWERABLE,
    Visit,
    ask,
    barriers,
    choose_in_reader,
    copied,
    lit,
    phone,
    print_pdf,
    read,
    send,
    serving,
    settled,
)
from crowd import SEED
from helpers import PATIENCE
from playwright.sync_api import Browser, Locator, Page, Response, expect

from assistant.access.callers import MACHINE
from index.database.columns import put_row
from index.database.database import Database
from index.database.kept_tables import notes

HEADING = "Brine"
FIRST = "Walnuts float in brine, and \U0001f95b hazelnuts sink in it."
SECOND = "The kitchen opens at eight and closes at noon on Sundays in winter."
IN_OTHERS = "What floats in brine?"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("notes")


@pytest.fixture(scope="module")
def url(browser: Browser, folder: Path) -> Iterator[str]:
    text, pages = folder / "house.md", folder / "report.pdf"
    text.write_text(f"# {HEADING}\n\n{FIRST}\n\n{SECOND}\n", encoding="utf-8")
    html = f"<title>Report</title><h1>Report</h1><p>{FIRST}</p><p>{SECOND}</p>"
    print_pdf(browser, html, pages)
    with serving(folder, "--source", text, "--source", pages, "--source", SEED) as address:
        yield address


def sent(url: str, method: str, path: str, value: object = None) -> Any:
    """What the server answers to a program of the same person, if anything."""
    response = httpx.request(method, url + path, json=value, timeout=PATIENCE)
    response.raise_for_status()
    return response.json() if response.content else None


def is_sent(answer: Response) -> bool:
    """Whether it is of a note that was sent to be kept."""
    return answer.request.method == "PUT" and answer.url.endswith("/notes")


def select(page: Page, words: str) -> None:
    """Select words of the text."""
    page.evaluate(
        """(words) => {
          const walker = document.createTreeWalker(
            document.getElementById("pages"), NodeFilter.SHOW_TEXT);
          while (walker.nextNode()) {
            const [node, at] = [walker.currentNode, walker.currentNode.data.indexOf(words)];
            if (at >= 0) getSelection().setBaseAndExtent(node, at, node, at + words.length);
          }
        }""",
        words,
    )


def act(page: Page, name: str) -> None:
    """Do something with what is selected."""
    page.get_by_role("toolbar", name="Selected text").get_by_role("button", name=name).click()


def highlighted(page: Page) -> list[str]:
    return page.locator("mark[data-own]").all_text_contents()


def keep_with_note(turn: Locator, text: str) -> Locator:
    """Keep an answer with a note, which is saved; the field of the note."""
    turn.get_by_role("button", name="Save to notes").click()
    note = turn.get_by_label("Your note")
    expect(note).to_be_focused()
    note.fill(text)
    turn.get_by_role("button", name="Save the note").click()
    expect(turn.page.locator("#toast")).to_contain_text("is saved")
    return note


def test_an_answer_is_kept_with_a_note(visit: Visit) -> None:
    page = visit.page
    turn = ask(page, QUESTION)
    keep = turn.get_by_role("button", name="Save to notes")
    note = keep_with_note(turn, "For chapter two.")
    # What is half written is there after a reload.
    note.press_sequentially(" And three")
    page.locator("#open-library").click()
    page.get_by_text("Paste text", exact=True).last.click()
    page.locator("#ways textarea").press_sequentially("Elms grow")
    page.keyboard.press("Escape")
    note.focus()
    page.reload()
    visit.ready()
    expect(keep).to_have_attribute("aria-pressed", "true")
    expect(note).to_have_value("For chapter two. And three")
    expect(page.locator("#toast")).to_be_hidden()
    page.locator("#open-library").click()
    page.get_by_text("Paste text", exact=True).last.click()
    expect(page.locator("#ways textarea")).to_have_value("Elms grow")
    page.keyboard.press("Escape")

    # It is listed with what it quotes, deleted, and had back.
    page.locator("#open-notes").click()
    kept = page.locator("#note-list > li")
    expect(kept.get_by_role("heading")).to_have_text(QUESTION)
    expect(kept.locator("q")).to_have_text(QUOTE)
    expect(kept.get_by_label("Your note")).to_have_value("For chapter two. And three")
    expect(kept.locator(".standing")).to_have_text("Unchanged in the document")
    assert barriers(page) == []
    kept.locator(".go").click()
    assert lit(page) == QUOTE
    page.locator("#open-notes").click()
    kept.get_by_role("button", name="Delete the note").click()
    expect(kept).to_have_count(0)
    page.get_by_role("button", name="Undo").click()
    expect(kept).to_have_count(1)
    kept.get_by_role("button", name="Show in its conversation").click()
    expect(page.locator("#notes")).to_be_hidden()
    keep.click()
    expect(keep).to_have_attribute("aria-pressed", "false")

    # What is being written in one stays while another is saved.
    keep.click()
    expect(keep).to_have_attribute("aria-pressed", "true")
    other = ask(page, IN_OTHERS).get_by_role("button", name="Save to notes")
    other.click()
    expect(other).to_have_attribute("aria-pressed", "true")
    page.locator("#open-notes").click()
    first, second = (page.locator("#note-list > li textarea").nth(at) for at in (0, 1))
    first.fill("About one.")
    second.click()  # which saves what is written in the first
    second.press_sequentially("About")
    expect(page.locator("#toast")).to_contain_text("is saved")
    second.press_sequentially(" two.")
    expect(first).to_have_value("About one.")
    expect(second).to_have_value("About two.")
    page.keyboard.press("Escape")


def test_what_two_write_is_seen_and_kept_by_both(visit: Visit, url: str) -> None:
    page = visit.page
    ask(page, QUESTION)
    other = visit.context.new_page()
    other.goto(page.url)
    there = other.locator(".turn")
    expect(there).to_have_attribute("data-state", "answered")
    mine = keep_with_note(page.locator(".turn").first, "In the first tab.")
    note = there.first.get_by_label("Your note")
    expect(note).to_have_value("In the first tab.")
    # An answer that comes in one tab takes nothing from what is being written in another.
    note.press_sequentially(" And")
    ask(page, UNANSWERABLE)
    expect(there).to_have_count(2)
    note.press_sequentially(" more")
    expect(note).to_be_focused()
    expect(note).to_have_value("In the first tab. And more")

    # What somebody else has written meanwhile is kept as well.
    mine.focus()
    [kept] = sent(url, "GET", "notes")["notes"]
    sent(url, "PUT", "notes", kept["note"] | {"text": "Theirs."})
    mine.fill("Mine too.")
    page.locator("#turns").focus()
    expect(page.locator("#toast")).to_contain_text("It now contains both texts")
    expect(mine).to_have_value("Theirs.\nMine too.")
    visit.complaints.clear()  # the browser tells of the conflict


def test_words_are_highlighted_noted_removed_and_had_back(visit: Visit, url: str) -> None:
    page = visit.page
    read(page, HEADING)
    select(page, "float in brine, and \U0001f95b hazelnuts")
    act(page, "Highlight")
    mark = page.locator("mark[data-own]")
    expect(mark).to_have_text("float in brine, and \U0001f95b hazelnuts")
    mark.click()
    note = page.get_by_role("dialog", name="Highlight").get_by_label("Your note")
    expect(note).to_be_focused()
    note.fill("In the")
    with page.expect_response(is_sent):
        note.blur()
    note.fill("In the cellar")
    assert barriers(page) == []
    with page.expect_response(is_sent):
        page.keyboard.press("Escape")
    # It is there again for whoever comes back, with what was noted.
    page.reload()
    visit.ready()
    read(page, HEADING)
    expect(mark).to_have_count(1)
    mark.click()
    expect(note).to_have_value("In the cellar")
    page.get_by_role("button", name="Remove").last.click()
    expect(mark).to_have_count(0)
    page.locator("#toast").get_by_role("button", name="Undo").click()
    expect(mark).to_have_count(1)
    [kept] = sent(url, "GET", "notes")["notes"]
    [now], citation = kept["now"], kept["note"]["citation"]
    assert (now["standing"], citation["quote"]) == ("there", mark.text_content())
    assert citation["paragraph_text"] == FIRST

    # Words on a page are highlighted where they are printed.
    read(page, "Report")
    words = page.locator(".sheet .words span")
    expect(words.filter(has_text="kitchen")).to_be_attached()
    page.evaluate(
        """() => {
          const spans = [...document.querySelectorAll(".sheet .words span")];
          const at = spans.findIndex((span) => span.textContent.startsWith("kitchen"));
          getSelection().setBaseAndExtent(spans[at].firstChild, 2, spans[at + 1].firstChild, 2);
        }"""
    )
    act(page, "Highlight")
    light = page.get_by_role("button", name="Highlighted: kitchen opens")
    expect(light).to_have_count(1)
    # A click on the words is one on what is highlighted under them.
    words.filter(has_text="kitchen").click()
    expect(page.get_by_role("dialog", name="Highlight")).to_contain_text("kitchen opens")
    page.keyboard.press("Escape")
    choose_in_reader(page, "Text")
    assert highlighted(page) == ["kitchen opens"]


@phone
def test_a_paragraph_is_highlighted_copied_and_asked_about(
    visit: Visit, url: str, folder: Path
) -> None:
    page = visit.page
    read(page, HEADING)
    page.locator("#pages .number").nth(1).press("Enter")
    below = page.locator(".beside")
    below.get_by_role("button", name="Highlight", exact=True).press("Enter")
    mine = below.get_by_role("list", name="Your highlights").get_by_role("button")
    expect(mine).to_have_text(f"“{SECOND}”")
    assert highlighted(page) == [SECOND]
    text = copied(page, below.get_by_role("button", name="Copy with its source"))
    assert text == f"“{SECOND}” {HEADING}, {HEADING} › paragraph 2."
    mine.press("Enter")
    expect(page.get_by_role("dialog", name="Highlight")).to_be_visible()
    page.keyboard.press("Escape")

    # What has changed since is told at its paragraph.
    [kept] = sent(url, "GET", "notes")["notes"]
    sent(url, "DELETE", f"notes/{kept['note']['id']}")
    before = SECOND.replace("eight", "nine")
    document = page.locator("#reader-choice").input_value()
    gone = "Nobody has ever heard of any of these things here."
    for number, quote in enumerate((before, gone)):
        citation = {"marker": 0, "document": HEADING, "document_id": document, "heading": []}
        citation |= {"paragraph": 2, "quote": quote, "paragraph_text": quote, "start": 60}
        citation |= {
            "end": 60 + len(quote),
            "paragraph_start": 60,
            "paragraph_end": 60 + len(quote),
        }
        note = {"id": f"note-00000{number}", "kind": "highlight", "created": number, "text": ""}
        body = json.dumps({**note, "citation": citation})
        key = {"id": note["id"], "space": MACHINE}
        row = {"by": "", "created": number, "size": len(body), "body": body, "deleted": None}
        with closing(Database(folder / "index")) as database, database.write() as connection:
            # As if the document had been another when it was highlighted.
            put_row(connection, notes, key, row)
    page.reload()
    visit.ready()
    read(page, HEADING)
    altered = page.locator(".block.altered")
    expect(altered).to_have_attribute("data-number", "2")
    altered.locator(".number").press("Enter")
    mine = altered.get_by_role("list", name="Your highlights").get_by_role("button")
    expect(mine).to_have_text(f"“{before}” The text has changed since it was highlighted.")
    assert highlighted(page) == []

    # A question about words asks their document alone.
    select(page, "hazelnuts sink")
    act(page, "Ask about this")
    expect(page.locator("#context-text")).to_have_text(f"About paragraph 1 of {HEADING}")
    with page.expect_request("**/ask") as request:
        send(page, "What happens to them?")
        settled(page)
    asked = request.value.post_data_json
    assert [turn["content"] for turn in asked["history"]] == ["hazelnuts sink"]
    [document] = asked["documents"]
    assert sent(url, "GET", f"documents/{document}")["title"] == HEADING

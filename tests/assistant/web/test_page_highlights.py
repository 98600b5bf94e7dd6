"""What is selected in a document: asked about, highlighted, copied; and what is noted about it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from browsing import Visit, barriers, copied, picture, print_pdf, send, serving, settled
from playwright.sync_api import Browser, BrowserContext, Page, expect

from assistant.access.callers import MACHINE
from assistant.tables import notes
from index.database.database import Database
from index.database.tables import put_row

HEADING = "Brine"
FIRST = "Walnuts float in brine, and \U0001f95b hazelnuts sink in it."
SECOND = "The kitchen opens at eight and closes at noon on Sundays in winter."
PHONE = {"width": 390, "height": 844}

#: Sends something to the page's server, as the page does.
SENT = """async ([method, path, value]) => {
  const headers = {
    "x-footnote-session": localStorage.getItem("footnote/key"),
    "content-type": "application/json",
  };
  const body = value && JSON.stringify(value);
  const answer = await fetch(path, { method, headers, body });
  if (!answer.ok) throw new Error(await answer.text());
  return answer.status === 204 ? null : answer.json();
}"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("highlights")


@pytest.fixture(scope="module")
def url(browser: Browser, folder: Path) -> Iterator[str]:
    text, pages = folder / "house.md", folder / "report.pdf"
    text.write_text(f"# {HEADING}\n\n{FIRST}\n\n{SECOND}\n", encoding="utf-8")
    html = f"<title>Report</title><h1>Report</h1><p>{FIRST}</p><p>{SECOND}</p>"
    print_pdf(browser, html, pages)
    with serving(folder, "--source", text, "--source", pages) as address:
        yield address


@pytest.fixture(params=["desktop", "phone"])
def page(
    request: pytest.FixtureRequest,
    browser: Browser,
    url: str,
    profile: Callable[..., BrowserContext],
) -> Iterator[Page]:
    """The page with the text open, as wide as on a desk and on a phone; nothing is kept after."""
    sizes: dict[str, Any] = {"phone": {"viewport": PHONE, "has_touch": True}}
    visit = Visit(browser, url, profile(**sizes.get(request.param, {})))
    read(visit.page, HEADING)
    yield visit.page
    clear(visit.page)
    visit.close()


def sent(page: Page, method: str, path: str, value: object = None) -> Any:
    return page.evaluate(SENT, [method, path, value])


def clear(page: Page) -> None:
    """Nothing is kept any more."""
    for one in sent(page, "GET", "notes")["notes"]:
        sent(page, "DELETE", f"notes/{one['note']['id']}")


def read(page: Page, title: str) -> None:
    """Open a document in the reader."""
    size = page.viewport_size
    if size and size["width"] < 900 and not page.locator("#reader").is_visible():
        page.locator("#open-reader").click()
    page.locator("#reader-choice").select_option(label=title)
    expect(page.locator("#pages :is(.block, .sheet)").first).to_be_visible()


def select(page: Page, words: str, *, to: str | None = None) -> None:
    """Select words of the text, to the end of others if these are given."""
    page.evaluate(
        """([from, to]) => {
          const place = (words) => {
            const walker = document.createTreeWalker(
              document.getElementById("pages"), NodeFilter.SHOW_TEXT);
            while (walker.nextNode()) {
              const at = walker.currentNode.data.indexOf(words);
              if (at >= 0) return [walker.currentNode, at, at + words.length];
            }
          };
          const [first, start] = place(from);
          const [last, , end] = place(to);
          getSelection().setBaseAndExtent(first, start, last, end);
        }""",
        [words, to or words],
    )


def act(page: Page, name: str) -> None:
    """Do something with what is selected."""
    page.get_by_role("toolbar", name="What is selected").get_by_role("button", name=name).click()


def highlighted(page: Page) -> list[str]:
    return page.locator("mark[data-own]").all_text_contents()


def test_words_are_highlighted_noted_removed_and_had_back(page: Page) -> None:
    select(page, "float in brine, and \U0001f95b hazelnuts")
    act(page, "Highlight")
    mark = page.locator("mark[data-own]")
    expect(mark).to_have_text("float in brine, and \U0001f95b hazelnuts")
    mark.click()
    note = page.get_by_role("dialog", name="Highlight").get_by_label("Your note")
    expect(note).to_be_focused()
    note.fill("In the")
    with page.expect_response("**/notes"):
        note.blur()
    note.fill("In the cellar")
    size = page.viewport_size
    picture(page, f"highlight-{size and size['width']}")
    assert barriers(page) == []
    with page.expect_response("**/notes"):
        page.keyboard.press("Escape")
    # It is there again for whoever comes back, with what was noted.
    page.reload()
    page.locator("body[data-ready]").wait_for()
    read(page, HEADING)
    expect(mark).to_have_count(1)
    mark.click()
    expect(note).to_have_value("In the cellar")
    page.get_by_role("button", name="Remove").last.click()
    expect(mark).to_have_count(0)
    page.locator("#toast").get_by_role("button", name="Undo").click()
    expect(mark).to_have_count(1)
    [kept] = sent(page, "GET", "notes")["notes"]
    [now], citation = kept["now"], kept["note"]["citation"]
    assert (now["standing"], citation["quote"]) == ("there", mark.text_content())
    assert citation["paragraph_text"] == FIRST

    # Of several paragraphs the first is highlighted.
    clear(page)
    page.reload()
    page.locator("body[data-ready]").wait_for()
    read(page, HEADING)
    expect(mark).to_have_count(0)
    select(page, "hazelnuts sink", to="kitchen opens")
    act(page, "Highlight")
    expect(page.locator("#toast")).to_have_text("Only the first of the paragraphs is highlighted.")
    assert highlighted(page) == ["hazelnuts sink in it."]

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
    card = page.get_by_role("dialog", name="Highlight")
    expect(card).to_contain_text("kitchen opens")
    page.keyboard.press("Escape")
    expect(card).to_be_hidden()
    light.press("Enter")
    expect(card).to_be_visible()
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Text", exact=True).click()
    assert highlighted(page) == ["kitchen opens"]


def test_a_paragraph_is_highlighted_copied_and_asked_about(page: Page, folder: Path) -> None:
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
    clear(page)
    before = SECOND.replace("eight", "nine")
    document = page.locator("#reader-choice").input_value()
    gone = "Nobody has ever heard of any of these things here."
    for number, quote in enumerate((before, gone)):
        citation = {
            **{"marker": 0, "document": HEADING, "document_id": document, "heading": []},
            **{"paragraph": 2, "quote": quote, "paragraph_text": quote},
            **{"start": 60, "end": 60 + len(quote), "paragraph_start": 60},
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
    page.locator("body[data-ready]").wait_for()
    read(page, HEADING)
    altered = page.locator(".block.altered")
    expect(altered).to_have_attribute("data-number", "2")
    altered.locator(".number").press("Enter")
    mine = altered.get_by_role("list", name="Your highlights").get_by_role("button")
    expect(mine).to_have_text(f"“{before}” Its text has changed since.")
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
    assert sent(page, "GET", f"documents/{document}")["title"] == HEADING

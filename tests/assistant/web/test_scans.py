"""Text in pictures on the page: it is read where somebody wants it, and what was not read surely
says so wherever it is shown."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from browsing import (
    PHONE,
    SECONDS,
    Visit,
    add_file,
    ask,
    barriers,
    copied,
    exported,
    print_pdf,
    serving,
)
from chroma_servers import until
from crowd import browser_of, last_event
from helpers import PATIENCE
from playwright.sync_api import Browser, Page, Route, expect
from scans import keep_uncertain, mixed, save, scanned

DOUBT = "read from a picture, uncertain"
NUMBER = "4173"
RULES = f"""Travel rules of the Quillon office

Staff of the Quillon office may book a sleeper train for any journey of more than nine hours.

Meals on the way are paid back up to {NUMBER} euros a year.

Luggage is insured by the office from the first day on.
"""
DOUBTFUL = "How much is paid back for meals on the way?"
CERTAIN = "Who insures the luggage?"
FIRST = "The harbour master of Quillon keeps\nthe tide tables in a green chest."
SECOND = "Berth four was dredged in March,\nand nothing else was dredged."
ABOUT_SECOND = "When was berth four dredged?"

#: What is shown with the number, and does not say that it is uncertain.
BARE = """([number, doubt]) => {
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const found = [];
  while (walker.nextNode()) {
    const { parentElement: at, data } = walker.currentNode;
    if (!data.includes(number) || !at.checkVisibility()) continue;
    const around = at.closest(`
      .sentence, .card, .block, #tooltip, #highlight, #announcer, .reasons label, li`);
    if (!around?.textContent.includes(doubt)) found.push(around?.outerHTML ?? at.outerHTML);
  }
  return found;
}"""


def print_mixed(browser: Browser, file: Path) -> Path:
    print_pdf(browser, mixed(file.stem, SECOND), file)
    return file


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("scans")


@pytest.fixture(scope="module")
def url(browser: Browser, folder: Path) -> Iterator[str]:
    rules = folder / "rules.txt"
    rules.write_text(RULES, "utf-8")
    keep_uncertain(folder, rules, 2, print_mixed(browser, folder / "Shared.pdf"))
    with serving(folder) as address:
        yield address


def shows_doubt(page: Page) -> None:
    """The number is shown, and nowhere without its doubt."""
    assert NUMBER in page.locator("body").inner_text()
    assert page.evaluate(BARE, [NUMBER, DOUBT]) == []


def test_what_is_uncertain_says_so_wherever_it_is_shown(visit: Visit) -> None:
    page = visit.page
    certain = ask(page, CERTAIN)
    expect(certain.locator(".sentence")).to_contain_text("insured by the office")
    assert DOUBT not in certain.inner_text()

    turn = ask(page, DOUBTFUL)
    flag = turn.locator(".sentence .flag")
    expect(flag).to_have_text(DOUBT)
    marker = turn.locator(".marker").first
    assert DOUBT in str(marker.get_attribute("aria-label"))
    marker.hover()
    expect(page.locator("#tooltip")).to_contain_text(DOUBT)
    expect(turn.locator(".card h4").first).to_contain_text(DOUBT)
    shows_doubt(page)
    text = copied(page, turn.get_by_role("button", name="Copy with footnotes"))
    assert [DOUBT in line for line in text.splitlines() if NUMBER in line] == [True, True]
    notes = [line for line in exported(page).splitlines() if line.startswith("[^")]
    assert [DOUBT in line for line in notes if NUMBER in line] == [True]

    marker.click()
    block = page.locator(".block.cited.chosen")
    expect(block.locator(".flag")).to_have_text(DOUBT)
    shows_doubt(page)
    assert DOUBT in copied(page, block.get_by_role("button", name="Copy with its source"))
    block.get_by_role("button", name="Highlight", exact=True).click()
    mine = block.get_by_role("list", name="Your highlights").get_by_role("button")
    expect(mine).to_contain_text(DOUBT)
    mine.click()
    expect(page.locator("#highlight .flag")).to_have_text(DOUBT)
    shows_doubt(page)
    page.locator("#highlight").get_by_role("button", name="Close").click()

    turn.get_by_role("button", name="Save to notes").click()
    expect(turn.get_by_label("Your note")).to_be_focused()
    page.reload()
    expect(turn.locator(".sentence .flag")).to_have_text(DOUBT)
    page.locator("#open-notes").click()
    expect(page.locator("#note-list q")).to_have_count(2)
    shows_doubt(page)
    # Both are deleted: that they were is told by what they quote.
    for left in (1, 0):
        page.locator("#note-list").get_by_role("button", name="Delete the note").first.click()
        expect(page.locator("#note-list > li")).to_have_count(left)
    page.locator("#notes .trash summary").click()
    expect(page.locator("#notes .trash li")).to_have_count(2)
    shows_doubt(page)
    page.keyboard.press("Escape")

    page.locator("#open-history").click()
    page.locator("#history-find").fill(NUMBER)
    expect(page.locator("#conversations q")).to_contain_text(NUMBER)
    shows_doubt(page)
    page.locator("#history .close").click()

    # Passages that come closest say so too.
    page.locator("#new").click()
    turn = ask(page, "Who pays for the hats of sailors?")
    expect(turn).to_have_attribute("data-state", "refused")
    expect(turn.locator(".card", has_text=NUMBER)).to_be_visible()
    shows_doubt(page)


def test_a_scan_is_read_where_one_wants_it_or_cancelled(visit: Visit, tmp_path: Path) -> None:
    page = visit.page
    page.locator("#open-library").click()
    page.locator("#files").set_input_files(save(tmp_path / "scan.tiff", FIRST, SECOND))
    failed = page.locator("#uploads .asking")
    expect(failed).to_contain_text("its 2 pages are scanned")
    # One click mends it, so it is a question and no fault.
    expect(page.locator("#adding-text")).to_have_text("It is scanned. Recognize its text?")
    expect(page.locator("#adding")).not_to_have_class("wrong")
    assert failed.get_by_role("button").all_inner_texts() == ["Recognize text (OCR)", "Dismiss"]
    assert barriers(page) == []
    failed.get_by_role("button", name="Recognize text (OCR)").click()
    expect(page.locator("#uploads .done")).to_contain_text("Added: 2 paragraphs")
    page.keyboard.press("Escape")

    turn = ask(page, ABOUT_SECOND)
    turn.locator(".marker").first.click()
    light = page.locator(".sheet[data-page='2'] .light.chosen").first
    expect(light).to_be_in_viewport()
    drawn = page.locator(".sheet[data-page='2'] img")
    expect(drawn).to_be_visible()
    # It lies on what is printed: the first line of the page, on which it begins.
    lit, sheet = light.bounding_box(), drawn.bounding_box()
    assert lit and sheet
    ink = scanned(SECOND).point(lambda grey: 255 * (grey < 128)).getbbox()
    assert ink
    scale = sheet["width"] / scanned(SECOND).width
    assert abs(lit["x"] - sheet["x"] - ink[0] * scale) < 12
    assert abs(lit["y"] - sheet["y"] - ink[1] * scale) < 12

    # Several are read at once.
    files = [save(tmp_path / "one.png", FIRST), save(tmp_path / "two.jpg", SECOND)]
    add_file(page, *files)
    expect(page.locator("#adding-text")).to_have_text(
        "2 documents are scanned. Recognize their text?"
    )
    for name in ("one.png", "two.jpg"):
        expect(page.locator("#uploads li", has_text=name)).to_have_class("wrong asking")
    page.locator("#adding-pictures").click()
    expect(page.locator("#uploads .done")).to_have_count(2)
    expect(page.locator("#adding")).to_be_hidden()

    # Reading is cancelled, and what reads the file ends.
    def scanning() -> set[str]:
        listed = subprocess.run(
            ["ps", "-eo", "pid,args"], capture_output=True, text=True, check=True
        )
        lines = listed.stdout.splitlines()
        return {line.split()[0] for line in lines if "isolation import" in line}

    pages = [FIRST, SECOND] * 8
    page.locator("#files").set_input_files(save(tmp_path / "long.tiff", *pages))
    before = scanning()
    page.get_by_role("button", name="Recognize text (OCR) in long.tiff").click()
    row = page.locator("#uploads li", has_text="long.tiff")
    expect(row).to_contain_text(re.compile(r"Recognizing text on page \d+ of 16"))
    during = scanning() - before
    page.get_by_role("button", name="Cancel adding long.tiff").click()
    expect(page.locator("#uploads .cancelled")).to_contain_text("Cancelled: not added")
    until(lambda: not scanning() & during)
    expect(page.locator("#documents")).not_to_contain_text("long")


def test_pictures_in_a_document_that_is_there_are_read(
    browser: Browser, visit: Visit, tmp_path: Path
) -> None:
    page = visit.page
    add_file(page, print_mixed(browser, tmp_path / "Mixed.pdf"))
    mixed = page.locator("#documents li", has_text="Mixed")
    expect(mixed).to_contain_text("1 page is scanned and has no recognized text.")
    shared = page.locator("#documents li", has_text="Shared")
    expect(shared.locator(".unread")).to_have_text(
        "1 page is scanned and has no recognized text. "
        "Text is recognized when Footnote is started with --ocr."
    )
    assert barriers(page) == []
    mixed.get_by_role("button", name="Recognize text (OCR) in Mixed").click()
    expect(page.locator("#uploads .done", has_text="Text recognized")).to_be_visible()
    expect(mixed.locator(".unread")).to_have_count(0)
    expect(shared.locator(".unread")).to_have_count(1)
    page.keyboard.press("Escape")
    turn = ask(page, ABOUT_SECOND)
    expect(turn.locator(".sentence").first).to_contain_text("Berth four was dredged in March")


def test_where_nothing_reads_pictures_it_is_told_how_to_get_it(
    browser: Browser, url: str, tmp_path: Path
) -> None:
    def missing(route: Route) -> None:
        answer = route.fetch(max_retries=3)
        route.fulfill(json={**answer.json(), "pictures": "missing"})

    context = browser.new_context(locale="de-DE", color_scheme="dark", **PHONE)
    page = context.new_page()
    page.set_default_timeout(PATIENCE * SECONDS)
    page.route("**/session*", missing)
    page.goto(url)
    page.locator("body[data-ready]").wait_for()
    expect(page.locator("#begin-kinds")).not_to_contain_text("Scans")
    add_file(page, save(tmp_path / "scan.png", FIRST))
    failed = page.locator("#uploads .wrong")
    expect(failed).to_contain_text("pip install 'footnote-assistant[ocr]'")
    expect(failed.get_by_role("button", name="Die Bilder")).to_have_count(0)
    expect(page.locator("#documents .unread").first).to_contain_text("footnote-assistant[ocr]")
    context.close()


def test_where_all_pictures_are_read_nothing_is_asked(tmp_path: Path) -> None:
    with serving(tmp_path, "--ocr") as address, browser_of(address) as client:
        assert client.get("session").json()["pictures"] == "always"
        scan = save(tmp_path / "scan.pdf", FIRST).read_bytes()
        name, added = last_event(client, "uploads?name=scan.pdf", content=scan)
    assert (name, added["paragraphs"]) == ("done", 1)

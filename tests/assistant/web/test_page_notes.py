"""What a reader makes of an answer on the page: keep it with a note, say what is wrong, go on
from it, print it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from browsing import QUESTION, QUOTE, UNANSWERABLE, Visit, add_file, ask, barriers, lit
from helpers import SEEDS, footnote
from playwright.sync_api import Page, expect
from pypdf import PdfReader

NUTS = "Walnuts float in brine. Hazelnuts sink in it."
IN_OTHERS = "What floats in brine?"


@pytest.fixture
def page(visit: Visit, tmp_path: Path) -> Page:
    """A page that asks two documents."""
    (tmp_path / "nuts.txt").write_text(NUTS)
    seed = shutil.copy(next(SEEDS.glob("*.txt")), tmp_path / "Seed.txt")
    add_file(visit.page, tmp_path / "nuts.txt", seed)
    visit.page.keyboard.press("Escape")
    return visit.page


def test_an_answer_is_kept_with_a_note(page: Page) -> None:
    turn = ask(page, QUESTION)
    keep = turn.get_by_role("button", name="Keep this answer")
    keep.click()
    note = turn.get_by_label("Your note")
    expect(note).to_be_focused()
    note.fill("For chapter two.")
    turn.get_by_role("button", name="Save the note").click()
    expect(page.locator("#toast")).to_contain_text("is saved")
    page.reload()
    expect(keep).to_have_attribute("aria-pressed", "true")
    expect(note).to_have_value("For chapter two.")
    page.locator("#open-notes").click()
    kept = page.locator("#note-list > li")
    expect(kept.get_by_role("heading")).to_have_text(QUESTION)
    expect(kept.locator("q")).to_have_text(QUOTE)
    expect(kept.get_by_label("Your note")).to_have_value("For chapter two.")
    expect(kept.locator(".standing")).to_have_text("still there")
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
    other = ask(page, IN_OTHERS).get_by_role("button", name="Keep this answer")
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


def test_it_is_said_what_is_wrong_and_which_passage_is_right(page: Page, served: Path) -> None:
    turn = ask(page, QUESTION)
    turn.get_by_role("button", name="A bad answer").click()
    form = turn.get_by_role("form")
    form.get_by_label("The wrong source").check()
    form.get_by_text("Which passage answers it?").click()
    form.get_by_role("checkbox").nth(1).check()
    form.get_by_label("In your own words").fill("Look below.")
    assert barriers(page) == []
    right = form.locator("q").nth(1).inner_text()
    form.get_by_role("button", name="Send").click()
    expect(form).to_have_count(0)
    lines = footnote("index", "drafts", "--index-dir", served / "index").stdout.splitlines()
    draft = json.loads(lines[-1])
    said = ("down", "source", "Look below.", [[right]])
    assert (draft["verdict"], draft["reason"], draft["comment"], draft["evidence"]) == said


def test_what_one_document_does_not_say_is_asked_of_all(page: Page) -> None:
    page.locator("#open-library").click()
    nuts = page.locator("#documents li", has_text="nuts").get_by_role("checkbox")
    nuts.uncheck()
    page.keyboard.press("Escape")
    turn = ask(page, IN_OTHERS)
    assert turn.get_attribute("data-state") != "answered"
    turn.get_by_role("button", name="Ask all 2 documents").click()
    turn = page.locator(".turn").nth(1)
    expect(turn).to_have_attribute("data-state", "answered")
    expect(turn.locator(".sentence").first).to_contain_text("Walnuts float in brine.")
    expect(turn.locator(".stage .place").first).to_contain_text("nuts")
    page.locator("#open-library").click()
    expect(nuts).not_to_be_checked()
    nuts.check()
    page.keyboard.press("Escape")


def test_a_conversation_is_printed_whole(page: Page, tmp_path: Path) -> None:
    for question in (QUESTION, UNANSWERABLE, "What are the main points?"):
        ask(page, question)
    page.pdf(path=tmp_path / "printed.pdf")
    pages = PdfReader(tmp_path / "printed.pdf").pages
    text = " ".join(" ".join(own.extract_text() for own in pages).split())
    assert len(pages) > 1
    assert QUESTION in text and UNANSWERABLE in text and "Chosen from the documents" in text

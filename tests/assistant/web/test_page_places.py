"""Where one is on the page, and how one comes elsewhere: by the list, by Back, by the address."""

from __future__ import annotations

import re

import pytest
from browsing import PHONE, QUESTION, UNANSWERABLE, Visit, ask, forget, make_notebook
from playwright.sync_api import Browser, Page, Route, expect

SIZES = {"desktop": {}, "phone": PHONE}


@pytest.fixture(autouse=True)
def forgotten(url: str) -> None:
    """Nothing was asked before: what is on the page is told by what a test asks there."""
    forget(url)


def choose(page: Page, title: str) -> None:
    """Choose a conversation in the list."""
    page.locator("#open-history").click()
    page.locator("#conversations .name", has_text=title).click()
    expect(page.locator("#history")).to_be_hidden()


@pytest.mark.parametrize("size", SIZES)
def test_going_back_shows_what_was_shown_before(browser: Browser, url: str, size: str) -> None:
    visit = Visit(browser, url, **SIZES[size])
    page, asked = visit.page, visit.page.locator(".turn .question")
    page.locator("#new").click()
    ask(page, QUESTION)
    page.locator("#new").click()
    ask(page, UNANSWERABLE)
    choose(page, QUESTION)
    expect(asked).to_have_text(QUESTION)
    page.go_back()
    expect(asked).to_have_text(UNANSWERABLE)
    page.go_back()
    expect(asked).to_have_text(QUESTION)
    page.go_forward()
    expect(asked).to_have_text(UNANSWERABLE)
    page.locator("#new").click()
    expect(page.locator("#welcome")).to_be_visible()
    choose(page, QUESTION)
    expect(asked).to_have_text(QUESTION)
    page.go_back()
    expect(page.locator("#welcome")).to_be_visible()
    visit.close()
    forget(url)


def test_on_a_phone_a_notebook_is_entered_left_and_deleted(browser: Browser, url: str) -> None:
    visit = Visit(browser, url, **PHONE)
    page = visit.page
    ask(page, QUESTION)
    page.locator("#open-notebooks").click()
    page.get_by_label("New notebook").fill("Nuts")
    page.get_by_role("button", name="Create").click()
    name, count = page.locator("#notebook"), page.locator("#document-count")
    expect(name).to_have_text("Nuts")
    expect(count).to_have_text("0")
    assert "#notebook/" in page.url
    page.locator("#open-notebooks").click()
    page.locator("#notebooks .name").first.click()
    expect(name).to_have_text("All documents")
    expect(page.locator(".turn .question")).to_have_text(QUESTION)
    page.go_back()
    expect(name).to_have_text("Nuts")
    page.locator("#open-notebooks").click()
    page.get_by_role("button", name="Delete Nuts").click()
    expect(name).to_have_text("All documents")
    expect(count).to_have_text("1")
    page.locator("#notebooks .close").click()
    expect(page.locator("#notebooks")).to_be_hidden()
    expect(page.locator(".turn .question")).to_have_text(QUESTION)
    assert "#notebook/" not in page.url

    # A document is read again.
    for _ in range(2):
        page.locator("#open-library").click()
        page.locator("#documents").get_by_role("button", name="Read").click()
        expect(page.locator("#reader")).to_be_visible()
        page.evaluate("() => new Promise((done) => setTimeout(done, 100))")
        expect(page.locator("#reader")).to_be_visible()
        page.go_back()
        expect(page.locator("#reader")).to_be_hidden()
    visit.close()
    forget(url)


def test_what_is_chosen_last_is_shown_whichever_comes_first(visit: Visit) -> None:
    page = visit.page
    ask(page, QUESTION)
    page.locator("#new").click()
    ask(page, UNANSWERABLE)
    page.locator("#new").click()
    held: list[Route] = []
    slow = re.compile(r"/conversations/[\w-]+$")
    page.route(slow, lambda route: held.append(route) if not held else route.continue_())
    choose(page, QUESTION)
    choose(page, UNANSWERABLE)
    expect(page.locator(".turn .question")).to_have_text(UNANSWERABLE)
    with page.expect_response(slow):
        held[0].continue_()
    page.evaluate("() => new Promise(requestAnimationFrame)")
    expect(page.locator(".turn .question")).to_have_text(UNANSWERABLE)


def test_the_address_is_not_that_of_a_deleted_conversation(visit: Visit) -> None:
    page = visit.page
    ask(page, QUESTION)
    address = page.url
    assert "conversation" in address
    page.locator("#open-history").click()
    page.get_by_role("button", name=f"Delete {QUESTION}").click()
    expect(page).not_to_have_url(address)
    page.get_by_role("button", name="Undo").click()
    expect(page).to_have_url(address)
    page.get_by_role("button", name=f"Delete {QUESTION}").click()
    expect(page.locator("#conversations li")).to_have_count(0)
    other = visit.context.new_page()
    other.goto(address)
    expect(other.locator("#toast")).to_contain_text("not there any more")
    expect(other.locator("#welcome")).to_be_visible()


def test_a_notebook_that_cannot_be_had_is_not_opened(visit: Visit) -> None:
    page = visit.page
    make_notebook(page, "Nuts")
    page.locator("#open-notebooks").click()
    page.locator("#notebooks .name").first.click()
    expect(page.locator("#notebook")).to_have_text("All documents")
    ask(page, QUESTION)
    address = page.url
    page.route("**/session?notebook=*", lambda route: route.fulfill(status=404, json={}))
    page.locator("#open-notebooks").click()
    page.locator("#notebooks .name", has_text="Nuts").click()
    expect(page.locator("#toast")).to_be_visible()
    expect(page.locator("#notebook")).to_have_text("All documents")
    expect(page.locator(".turn .question")).to_have_text(QUESTION)
    assert page.url == address
    visit.complaints.clear()

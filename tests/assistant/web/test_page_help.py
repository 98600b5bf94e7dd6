"""The help on the page: beside the work or over it, found in, linked to, and quoted in answers."""

from __future__ import annotations

from contextlib import closing

from browsing import PHONE, Visit, barriers, picture
from playwright.sync_api import Browser, Page, expect

ADDING = "How do I add a document?"


def opened_by_f1(page: Page) -> None:
    page.keyboard.press("F1")
    expect(page.locator("#help")).to_be_visible()
    expect(page.locator("#help .topics li").first).to_be_visible()


def test_it_stands_where_the_document_does_and_gives_the_focus_back(visit: Visit, url: str) -> None:
    page = visit.page
    page.locator("#question").focus()
    opened_by_f1(page)
    expect(page.locator("#help-find")).to_be_focused()
    expect(page.locator("#reader")).to_be_hidden()
    expect(page.locator("#question")).to_be_visible()
    assert barriers(page) == []
    page.locator("#help .topics a", has_text="Notebooks").click()
    heading = page.locator("#help article h3")
    expect(heading).to_have_text("Notebooks")
    expect(heading).to_be_focused()
    picture(page, "help-topic")
    assert barriers(page) == []
    page.locator("#help-list").click()
    expect(page.locator("#help .topics li").first).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#help")).to_be_hidden()
    expect(page.locator("#reader")).to_be_visible()
    expect(page.locator("#question")).to_be_focused()

    # Words are found in it.
    page.locator("#open-help").click()
    page.locator("#help-find").fill("exit code")
    place = page.locator("#help .topics a", has_text="What do the exit codes of the command mean?")
    place.first.click()
    heading = page.locator("#help article [data-anchor]:focus")
    expect(heading).to_have_text("What do the exit codes of the command mean?")
    page.locator("#help-find").fill("backup")
    expect(page.locator("#help .topics li").first).to_contain_text("›")
    picture(page, "help-found")
    page.locator("#help-find").fill("xylophone")
    expect(page.locator("#help-body")).to_have_text("The help has these words nowhere.")

    # Topics lead to each other, and have addresses.
    page.goto(f"{url}#help/questions/where-is-the-index-kept")
    page.reload()
    expect(page.locator("#help [data-anchor]:focus")).to_have_text("Where is the index kept?")
    assert page.url.endswith("#help/questions/where-is-the-index-kept")
    page.locator("#help article a", has_text="First steps").click()
    expect(page.locator("#help article h3")).to_have_text("First steps")
    page.evaluate("location.hash = '#help/notebooks'")
    expect(page.locator("#help article h3")).to_have_text("Notebooks")


def test_on_a_phone_it_is_a_sheet_that_going_back_closes(browser: Browser, url: str) -> None:
    with closing(Visit(browser, url, **PHONE)) as visit:
        page = visit.page
        page.locator("#open-help").tap()
        page.locator("#help .topics a").first.tap()
        expect(page.locator("#help article h3")).to_be_visible()
        picture(page, "help-phone")
        assert barriers(page) == []
        page.go_back()
        expect(page.locator("#help")).to_be_hidden()
        expect(page.locator("#open-help")).to_be_focused()


def test_where_there_is_no_room_for_its_button_it_is_among_the_settings(
    browser: Browser, url: str
) -> None:
    with closing(Visit(browser, url, viewport={"width": 320, "height": 640})) as visit:
        page = visit.page
        expect(page.locator("#open-help")).to_be_hidden()
        page.locator("#open-settings").click()
        page.locator("#help-too").click()
        expect(page.locator("#help .topics li").first).to_be_visible()
        expect(page.locator("#settings")).to_be_hidden()
        page.keyboard.press("Escape")
        expect(page.locator("#help")).to_be_hidden()


def test_on_the_german_page_it_says_that_it_is_in_english(browser: Browser, url: str) -> None:
    with closing(Visit(browser, url, locale="de-DE", color_scheme="dark")) as visit:
        page = visit.page
        page.locator("#open-help").click()
        expect(page.locator("#help-english")).to_have_text("Die Hilfe gibt es nur auf Englisch.")
        page.locator("#help .topics a").nth(4).click()
        expect(page.locator("#help article")).to_have_attribute("lang", "en")
        picture(page, "help-german-dark")
        assert barriers(page) == []

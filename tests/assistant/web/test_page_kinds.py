"""Kinds of answers on the page, and a conversation that is one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from browsing import Visit, ask, lit, picture, serving
from playwright.sync_api import Browser, Page, expect


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serving(tmp_path_factory.mktemp("kinds")) as address:
        yield address


@pytest.fixture
def page(browser: Browser, url: str) -> Iterator[Page]:
    visit = Visit(browser, url)
    yield visit.page
    visit.close()


def exported(page: Page, title: str) -> str:
    """The conversation as it is taken along."""
    page.get_by_role("button", name="Conversations").click()
    with page.expect_download() as download:
        page.get_by_role("button", name=f"Export {title}").click()
    page.keyboard.press("Escape")
    return Path(download.value.path()).read_text(encoding="utf-8")


def test_a_sentence_that_numbers_its_items_is_shown_as_a_list(page: Page) -> None:
    turn = ask(page, "What are the seven themes?")
    points = turn.locator(".point")
    expect(points).to_have_count(7)
    expect(turn.locator(".running .sentence")).to_have_count(1)
    expect(points.nth(3)).to_contain_text("how closely do they work together in Central Asia?")
    picture(page, "list")
    points.nth(3).locator(".marker").click()
    expect(page.locator("#reader mark.chosen").first).to_be_in_viewport()
    assert "how closely do they work together in Central Asia?" in lit(page)
    assert "\n- how closely do they work" in exported(page, "What are the seven")
    page.reload()
    expect(page.locator(".turn .point")).to_have_count(7)


def test_what_is_compared_stands_side_by_side(page: Page) -> None:
    turn = ask(page, "Compare how Russia and China see the future global order.")
    columns = turn.locator(".compared .column")
    expect(columns).to_have_count(2)
    expect(turn.locator(".running")).to_contain_text("do not share a vision")
    expect(columns.nth(0).locator(".under")).to_have_text("Russia")
    expect(columns.nth(0)).to_contain_text("Yalta")
    expect(columns.nth(1).locator(".under")).to_have_text("China")
    expect(columns.nth(1)).to_contain_text("Pax Sinica")
    left, right = (columns.nth(n).bounding_box() for n in (0, 1))
    assert left and right and left["y"] == right["y"] and left["x"] < right["x"]
    picture(page, "comparison")
    assert "**China**\n\n- China envisions a Pax Sinica" in exported(page, "Compare how Russia")


def test_places_lead_to_where_they_are(page: Page) -> None:
    turn = ask(page, "Where does it talk about energy?")
    points = turn.locator(".point")
    assert points.count() > 1
    expect(turn.locator(".under").first).to_have_text("US Strategy toward the Indo-Pacific")
    picture(page, "places")
    points.first.locator(".marker").click()
    expect(page.locator("#reader mark.chosen").first).to_be_in_viewport()
    assert "energy" in lit(page)


def test_a_conversation_says_what_it_understood(page: Page) -> None:
    first = "When was the US Indo-Pacific strategy released?"
    ask(page, first)
    follow_up = ask(page, "What is it premised on?")
    expect(follow_up.locator(".sentence").first).to_contain_text("It is premised on the concern")
    expect(follow_up.locator(".meta", has_text="In the context of")).to_contain_text(first)
    expect(follow_up.get_by_text("Understood as")).to_have_count(0)
    alone = ask(page, "Who is Gabuev and what does he warn about?")
    expect(alone.get_by_text("In the context of")).to_have_count(0)
    expect(alone.locator(".sentence").first).to_contain_text("Gabuev")
    ask(page, "Which new global order does Russia have in mind?")
    other = ask(page, "And China?")
    expect(other.locator(".meta", has_text="Understood as")).to_contain_text(
        "Which new global order does China have in mind?"
    )
    short = ask(page, "Shorten that.")
    expect(short.locator(".sentence")).to_have_count(1)
    picture(page, "conversation")


def test_after_long_answers_the_page_stays_where_it_is(page: Page) -> None:
    """Only the conversation scrolls: the header is there, and nothing is below the question box."""
    for number in range(6):
        ask(page, f"Give me the main points in {10 + number} sentences.")
    sizes = page.evaluate(
        """() => ({
            scrolled: [scrollY, document.documentElement.scrollTop, document.body.scrollTop],
            over: document.documentElement.scrollHeight - innerHeight,
            header: document.querySelector("header").getBoundingClientRect().top,
        })"""
    )
    picture(page, "six-answers")
    assert sizes == {"scrolled": [0, 0, 0], "over": 0, "header": 0}
    # Nor does anything else make it scroll: not what is looked for, nor what has the focus.
    page.locator(".turn").first.scroll_into_view_if_needed()
    page.locator(".turn .unseen").last.evaluate("own => own.scrollIntoView()")
    assert page.evaluate("[scrollY, document.body.scrollTop]") == [0, 0]

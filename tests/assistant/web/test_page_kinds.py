"""Kinds of answers on the page, and a conversation that is one."""

from __future__ import annotations

import pytest
from browsing import QUESTION, QUOTE, UNANSWERABLE, Visit, ask, barriers, exported, lit, picture
from playwright.sync_api import Page, expect


@pytest.fixture
def page(visit: Visit) -> Page:
    return visit.page


def test_every_kind_of_answer_looks_like_what_it_is(page: Page) -> None:
    # An overview stands under the headings of the document.
    turn = ask(page, "What are the main points of this document?")
    assert turn.get_attribute("data-state") == "answered"
    points = turn.locator(".point")
    expect(points).to_have_count(7)
    expect(turn.locator(".under").first).to_have_text("Northeast Asia in early 2022")
    expect(turn.locator(".under", has_text="India and the Quad")).to_have_count(1)
    expect(turn.locator(".meta")).to_contain_text("Chosen from the documents")
    picture(page, "overview")
    assert barriers(page) == []
    points.nth(2).locator(".marker").click()
    assert lit(page) in points.nth(2).inner_text()

    # A sentence that numbers its items is shown as a list.
    turn = ask(page, "What are the seven themes?")
    points = turn.locator(".point")
    expect(points).to_have_count(7)
    expect(turn.locator(".running .sentence")).to_have_count(1)
    expect(points.nth(3)).to_contain_text("how closely do they work together in Central Asia?")
    picture(page, "list")
    points.nth(3).locator(".marker").click()
    assert "how closely do they work together in Central Asia?" in lit(page)

    # What is compared stands side by side.
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

    # Places lead to where they are.
    turn = ask(page, "Where does it talk about energy?")
    points = turn.locator(".point")
    assert points.count() > 1
    expect(turn.locator(".under").first).to_have_text("US Strategy toward the Indo-Pacific")
    picture(page, "places")
    points.first.locator(".marker").click()
    assert "energy" in lit(page)

    # What is taken along is laid out in the same way; kept and opened again, it looks the same.
    text = exported(page)
    assert "**India and the Quad**\n\n- “" in text
    assert "\n- “how closely do they work" in text
    assert "**China**\n\n- “China envisions a Pax Sinica" in text
    page.reload()
    expect(page.locator(".turn").first.locator(".point")).to_have_count(7)

    # Small talk is answered without a search.
    page.locator("#new").click()
    turn = ask(page, "What can you do?")
    assert turn.get_attribute("data-state") == "answered"
    expect(turn.locator(".sentence")).to_have_count(4)
    expect(turn.locator(".sources, .card, .marker, .stage .place")).to_have_count(0)
    expect(turn.get_by_role("button", name="A good answer")).to_have_count(0)
    picture(page, "small-talk")
    # What was said is nothing that a next question leans on.
    again = ask(page, QUESTION)
    expect(again.locator(".sentence").first).to_contain_text("February 11")
    expect(again.get_by_text("Understood as")).to_have_count(0)

    # Half an answer says which half.
    page.locator("#new").click()
    turn = ask(page, f"{QUESTION} {UNANSWERABLE}")
    expect(turn).to_have_attribute("data-state", "answered")
    expect(turn.locator(".sentence")).to_contain_text(QUOTE)
    expect(turn.locator(".note")).to_have_text(f"The documents do not say: {UNANSWERABLE}")
    expect(turn.locator(".meta.partial")).to_contain_text("Partly answered")
    picture(page, "half")


def test_a_conversation_says_what_it_understood(page: Page) -> None:
    first = "When was the US Indo-Pacific strategy released?"
    ask(page, first)
    follow_up = ask(page, "What is it premised on?")
    expect(follow_up.locator(".sentence").first).to_contain_text("It is premised on the concern")
    expect(follow_up.locator(".meta", has_text="In the context of")).to_contain_text(first)
    expect(follow_up.get_by_text("Understood as")).to_have_count(0)
    ask(page, "Which new global order does Russia have in mind?")
    other = ask(page, "And China?")
    expect(other.locator(".meta", has_text="Understood as")).to_contain_text(
        "Which new global order does China have in mind?"
    )
    picture(page, "conversation")


def test_after_long_answers_the_page_stays_where_it_is(page: Page) -> None:
    """Only the conversation scrolls: the header is there, and nothing is below the question box."""
    for _ in range(2):
        ask(page, "Give me the main points in 20 sentences.")
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

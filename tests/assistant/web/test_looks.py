"""What the page looks like, and that everyone can use it: by the keyboard alone, on a phone, in any
width and colours, on paper."""

from __future__ import annotations

import re
from itertools import combinations
from typing import Any, Literal

import pytest
from browsing import (
    QUESTION,
    QUOTE,
    UNANSWERABLE,
    Visit,
    ask,
    barriers,
    is_uncovered,
    lit,
    phone,
    settled,
)
from playwright.sync_api import Locator, Page, expect


def box(of: Locator) -> dict[str, float]:
    """Where something is on the page, once it is there."""
    found = of.bounding_box()
    assert found
    return {**found, "right": found["x"] + found["width"], "bottom": found["y"] + found["height"]}


def overlap(one: Locator, other: Locator) -> bool:
    a, b = box(one), box(other)
    beside = a["right"] <= b["x"] or b["right"] <= a["x"]
    return not (beside or a["bottom"] <= b["y"] or b["bottom"] <= a["y"])


def is_on_top(page: Page, selector: str) -> bool:
    """Whether nothing lies over either end of it."""
    return bool(
        page.evaluate(
            """(selector) => {
              const element = document.querySelector(selector);
              const { left, right, top, height } = element.getBoundingClientRect();
              return [left + 2, right - 2].every((x) =>
                element.contains(document.elementFromPoint(x, top + height / 2)));
            }""",
            selector,
        )
    )


def test_the_keyboard_is_enough(visit: Visit) -> None:
    page = visit.page
    expect(page.get_by_label("Your question")).to_be_focused()
    page.keyboard.type(QUESTION)
    page.keyboard.press("Enter")
    settled(page)

    def tab_to(selector: str, back: bool = False, most: int = 40) -> None:
        for _ in range(most):
            page.keyboard.press("Shift+Tab" if back else "Tab")
            if page.evaluate("s => document.activeElement.matches(s)", selector):
                return
        raise AssertionError(f"{selector} is not reached by the keyboard")

    tab_to(".marker", back=True)
    # What the sentence says already is not said again, and nothing lies over it.
    expect(page.locator("#tooltip")).to_contain_text("paragraph 6")
    expect(page.locator("#tooltip")).not_to_contain_text(QUOTE)
    assert not overlap(page.locator("#tooltip"), page.locator(".sentence").first)
    page.keyboard.press("Enter")
    assert lit(page) == QUOTE
    tab_to(".number")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    chosen = page.locator("#reader .block.chosen")
    expect(chosen).to_have_attribute("data-number", "7")
    expect(chosen.locator(".beside")).to_contain_text(
        "No answer in this conversation cites this paragraph."
    )
    tab_to(".about-this")
    page.keyboard.press("Enter")
    expect(page.locator("#context")).to_contain_text("About paragraph 7")
    page.keyboard.press("Escape")
    expect(page.locator("#context")).to_be_hidden()
    tab_to(".number")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    tab_to(".about-this")
    page.keyboard.press("Enter")
    asked = ask(page, "When was it released?")
    expect(asked.locator(".about")).to_have_text(re.compile("About paragraph 6 of US Strategy"))
    expect(asked.locator(".answer")).to_contain_text("February 11")
    tab_to("#open-history", back=True, most=80)
    page.keyboard.press("Enter")
    expect(page.locator("#history")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#open-history")).to_be_focused()
    # Keys do what their sheet says.
    page.locator("#turns").focus()
    page.keyboard.press("?")
    sheet = page.locator("#keys")
    expect(sheet).to_be_visible()
    assert barriers(page) == []
    page.keyboard.press("Escape")
    for key, opened in (("c", "#history"), ("d", "#library"), ("m", "#notes"), ("s", "#settings")):
        page.keyboard.press(key)
        expect(page.locator(opened)).to_be_visible()
        page.keyboard.press("Escape")
        expect(page.locator(opened)).to_be_hidden()
    for key, focused in (("f", "#find-text"), ("/", "#question")):
        page.locator("#turns").focus()
        page.keyboard.press(key)
        expect(page.locator(focused)).to_be_focused()


@phone
def test_on_a_phone(visit: Visit) -> None:
    page = visit.page
    # The line at the top has room.
    ask(page, QUESTION)
    for width, height in ((844, 390), (390, 844), (320, 640)):
        page.set_viewport_size({"width": width, "height": height})
        buttons = page.locator("#top button:visible").all()
        assert len(buttons) == 6
        for one in buttons:
            assert box(one)["x"] >= 0 and box(one)["right"] <= width
            assert one.evaluate("(button) => button.scrollWidth <= button.clientWidth")
        assert not any(overlap(one, other) for one, other in combinations(buttons, 2))
        # Names are read in full, the notebook's too.
        for name in ("Conversations", "All documents", "Read", "Documents"):
            label = page.locator("#top").get_by_text(name, exact=True)
            assert label.evaluate(
                "(label) => label.scrollWidth <= label.clientWidth || !label.clientWidth"
            )
            assert box(label)["width"] > 20
        if width < 704:  # what is asked stands above the question
            assert box(page.locator("#asking"))["bottom"] <= box(page.locator("#question"))["y"]
        # Nobody has keys there; what is written when nothing is fits in its line.
        expect(page.locator(".keys:visible")).to_have_count(0)
        assert box(page.locator("#question"))["height"] < 50
        assert barriers(page) == []

    # A citation is on the line of its source, and what can be done with an answer is in one line.
    middle = """(element) => {
      const range = new Range();
      range.selectNodeContents(element);
      const { top, bottom } = range.getClientRects()[0];
      return (top + bottom) / 2;
    }"""
    card = page.locator(".sources .card").first
    key, title = (card.locator(one).evaluate(middle) for one in (".key", ".go"))
    assert abs(key - title) < 4
    actions = page.locator(".actions :is(button, summary):visible").all()
    assert len({box(one)["y"] for one in actions}) == 1
    # However much is written, most of the page is left to the answer.
    page.set_viewport_size({"width": 640, "height": 400})
    page.get_by_label("Your question").fill("What is it?\n" * 30)
    assert box(page.locator("#composer"))["height"] < 400 / 3
    page.get_by_label("Your question").fill("")

    # What is told covers nothing that was just done.
    page.set_viewport_size({"width": 390, "height": 844})
    turn = ask(page, UNANSWERABLE)
    turn.get_by_role("button", name="A bad answer").tap()
    toast = page.locator("#toast")
    expect(toast).to_contain_text("Thank you")
    toast.hover()  # so that it stays
    expect(turn.locator(".reasons")).to_be_visible()
    for other in (page.locator("#composer"), turn.locator(".reasons")):
        assert not overlap(toast, other)
    # A panel that is opened meanwhile does not cover it either.
    page.get_by_role("button", name="Conversations").tap()
    expect(page.locator("#history #toast")).to_be_visible()
    assert is_on_top(page, "#toast")
    page.keyboard.press("Escape")
    expect(page.locator("#talk #toast")).to_be_visible()
    # What an edited question replaces is told in full.
    turn.get_by_role("button", name="Edit the question").tap()
    told = page.locator("#context-text")
    assert told.evaluate("(told) => told.scrollWidth <= told.clientWidth")
    page.keyboard.press("Escape")

    page.locator("#open-more").tap()
    assert barriers(page) == []
    page.keyboard.press("Escape")
    for name, opened in (("Notes", "#notes"), ("Settings", "#settings")):
        page.locator("#open-more").tap()
        page.get_by_role("button", name=name, exact=True).tap()
        expect(page.locator(opened)).to_be_visible()
        page.keyboard.press("Escape")
        expect(page.locator(opened)).to_be_hidden()
        expect(page.locator("#open-more")).to_be_focused()


@pytest.mark.parametrize(
    "sizes",
    [
        ((360, "light"), (800, "dark")),
        pytest.param(((390, "dark"), (2560, "light")), marks=pytest.mark.long),
    ],
)
def test_the_page_fits(
    visit: Visit, sizes: tuple[tuple[int, Literal["light", "dark"]], ...]
) -> None:
    page = visit.page
    fits = "document.documentElement.scrollWidth <= window.innerWidth"
    turn = ask(page, QUESTION)
    for width, scheme in sizes:
        page.set_viewport_size({"width": width, "height": 844})
        page.emulate_media(color_scheme=scheme)
        assert page.evaluate(fits), width
        expect(page.get_by_role("button", name="Ask", exact=True)).to_be_in_viewport()
        assert barriers(page) == []
        paper = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
        light = sum(int(part) for part in paper[4:-1].split(",")) > 384
        assert light == (scheme == "light")
        turn.locator(".marker").first.click()
        expect(page.locator("#reader mark.chosen").first).to_be_in_viewport()
        assert lit(page) == QUOTE
        assert is_uncovered(page)
        assert page.evaluate(fits), width
        assert barriers(page) == []
        if width <= 960:
            expect(page.get_by_role("dialog", name="Document", exact=True)).to_be_visible()
            page.keyboard.press("Escape")
            expect(page.locator("#reader")).to_be_hidden()
            expect(turn.locator(".marker").first).to_be_focused()
        page.locator("#open-library").click()
        assert page.evaluate(fits), width
        assert barriers(page) == []
        page.keyboard.press("Escape")


def test_what_is_pressed_is_large_enough_and_where_one_is_is_not_cut_off(visit: Visit) -> None:
    page = visit.page
    # Where one is is not cut off.
    page.locator("#open-library").click()
    ring = "(element) => { element.focus({ focusVisible: true }); return 4; }"
    header, way = page.locator("#library header"), page.locator("#library .way").first
    assert box(way)["y"] - way.locator("input").evaluate(ring) >= box(header)["bottom"]
    tick = page.locator("#documents input").first
    assert box(tick)["x"] - tick.evaluate(ring) >= box(page.locator("#documents li").first)["x"]
    page.keyboard.press("Escape")

    turn = ask(page, QUESTION)
    cite = turn.locator(".copying summary").first
    for one in (turn.locator(".marker").first, cite):
        assert min(box(one)["width"], box(one)["height"]) >= 24
    before = box(cite)
    cite.click()
    expect(turn.get_by_role("button", name="BibTeX").first).to_be_visible()
    assert box(cite) == before
    # On paper a question is on the page of its answer.
    page.emulate_media(media="print")
    kept: Any = turn.locator(".question").evaluate("(one) => getComputedStyle(one).breakAfter")
    assert kept == "avoid"


@pytest.mark.parametrize("visit", [{"forced_colors": "active"}], indirect=True)
def test_it_is_told_apart_without_its_colours(visit: Visit) -> None:
    page = visit.page
    line = "(element) => parseFloat(getComputedStyle(element).borderInlineStartWidth)"
    turn = ask(page, UNANSWERABLE)
    turn.get_by_role("button", name="A good answer").click()
    for one in (page.locator("#toast"), page.locator("#send")):
        assert one.evaluate(line) >= 1
    page.locator("#open-notebooks").click()
    notebooks = page.get_by_role("dialog", name="Notebooks")
    assert notebooks.evaluate(line) >= 1
    assert notebooks.locator("[aria-current]").evaluate(line) >= 2

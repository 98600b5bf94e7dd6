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
from playwright.sync_api import Locator, expect


def box(of: Locator) -> dict[str, float]:
    """Where something is on the page, once it is there."""
    found = of.bounding_box()
    assert found
    return {**found, "right": found["x"] + found["width"], "bottom": found["y"] + found["height"]}


def overlap(one: Locator, other: Locator) -> bool:
    a, b = box(one), box(other)
    beside = a["right"] <= b["x"] or b["right"] <= a["x"]
    return not (beside or a["bottom"] <= b["y"] or b["bottom"] <= a["y"])


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
    ask(page, QUESTION)
    for width, height in ((844, 390), (390, 844), (320, 640)):
        page.set_viewport_size({"width": width, "height": height})
        buttons = page.locator("#top button:visible").all()
        assert len(buttons) == 6
        for one in buttons:
            assert box(one)["x"] >= 0 and box(one)["right"] <= width
            assert one.evaluate("(button) => button.scrollWidth <= button.clientWidth")
        assert not any(overlap(one, other) for one, other in combinations(buttons, 2))
        if width < 704:  # what is asked stands above the question
            assert box(page.locator("#asking"))["bottom"] <= box(page.locator("#question"))["y"]
        # Nobody has keys there; what is written when nothing is fits in its line.
        expect(page.locator(".keys:visible")).to_have_count(0)
        assert box(page.locator("#question"))["height"] < 50
        assert barriers(page) == []

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

    for name, opened in (("Notes", "#notes"), ("Settings", "#settings")):
        page.locator("#open-more").tap()
        page.get_by_role("button", name=name, exact=True).tap()
        expect(page.locator(opened)).to_be_visible()
        page.keyboard.press("Escape")
        expect(page.locator(opened)).to_be_hidden()
        expect(page.locator("#open-more")).to_be_focused()


def test_the_page_fits_in_any_width_and_colours(visit: Visit) -> None:
    page = visit.page
    fits = "document.documentElement.scrollWidth <= window.innerWidth"
    turn = ask(page, QUESTION)
    sizes: list[tuple[int, Literal["light", "dark"]]]
    sizes = [(360, "light"), (800, "dark"), (2560, "light")]
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

    # What is pressed is large enough.
    cite = turn.locator(".copying summary").first
    for one in (turn.locator(".marker").first, cite):
        assert min(box(one)["width"], box(one)["height"]) >= 24
    # On paper a question is on the page of its answer.
    page.emulate_media(media="print")
    kept: Any = turn.locator(".question").evaluate("(one) => getComputedStyle(one).breakAfter")
    assert kept == "avoid"


@pytest.mark.parametrize("visit", [{"forced_colors": "active"}], indirect=True)
def test_it_is_told_apart_without_its_colours(visit: Visit) -> None:
    page = visit.page
    turn = ask(page, UNANSWERABLE)
    turn.get_by_role("button", name="A good answer").click()
    for one in (page.locator("#toast"), page.locator("#send")):
        expect(one).to_have_css("border-inline-start-width", re.compile("^[1-9]"))
    page.locator("#open-notebooks").click()
    notebooks = page.get_by_role("dialog", name="Notebooks")
    expect(notebooks).to_have_css("border-inline-start-width", re.compile("^[1-9]"))
    current = notebooks.locator("[aria-current]")
    expect(current).to_have_css("border-inline-start-width", re.compile("^[2-9]"))

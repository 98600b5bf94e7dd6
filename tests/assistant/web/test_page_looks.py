"""What can be seen of the page, however small: nothing cut off, covered or told by colour alone."""

from __future__ import annotations

from contextlib import closing
from itertools import pairwise
from typing import Any

from browsing import QUESTION, UNANSWERABLE, Visit, ask, barriers, picture
from playwright.sync_api import Browser, Locator, Page, expect

TOUCH = {"has_touch": True, "is_mobile": True}


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


def test_the_line_at_the_top_has_room(browser: Browser, url: str) -> None:
    with closing(Visit(browser, url, viewport={"width": 844, "height": 390}, **TOUCH)) as visit:
        page = visit.page
        ask(page, QUESTION)
        for width, height in ((844, 390), (390, 844), (320, 640)):
            page.set_viewport_size({"width": width, "height": height})
            buttons = page.locator("#top button:visible").all()
            boxes = sorted((box(one) for one in buttons), key=lambda one: one["x"])
            assert len(boxes) == (8 if width > 352 else 7)
            assert boxes[0]["x"] >= 0 and boxes[-1]["right"] <= width
            for one, after in pairwise(boxes):
                assert one["right"] <= after["x"]
            for one in buttons:
                assert one.evaluate("(button) => button.scrollWidth <= button.clientWidth")
            # Nobody has keys there; what is written when nothing is fits in its line.
            expect(page.locator(".keys:visible")).to_have_count(0)
            assert box(page.locator("#question"))["height"] < 50
            picture(page, f"top-{width}")
            assert barriers(page) == []


def test_what_is_told_covers_nothing_that_was_just_done(browser: Browser, url: str) -> None:
    phone = {"width": 390, "height": 844}
    with closing(Visit(browser, url, viewport=phone, **TOUCH)) as visit:
        page = visit.page
        turn = ask(page, UNANSWERABLE)
        turn.get_by_role("button", name="A bad answer").tap()
        toast = page.locator("#toast")
        expect(toast).to_contain_text("Thank you")
        expect(turn.locator(".reasons")).to_be_visible()
        for other in (page.locator("#composer"), turn.locator(".reasons")):
            assert not overlap(toast, other)
        picture(page, "told-390")
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


def test_what_is_pressed_is_large_enough_and_where_one_is_is_not_cut_off(visit: Visit) -> None:
    page = visit.page
    # Where one is is not cut off.
    page.locator("#open-library").click()
    ring = "(element) => { element.focus({ focusVisible: true }); return 4; }"
    header, way = page.locator("#library header"), page.locator("#library .way").first
    assert box(way)["y"] - way.locator("input").evaluate(ring) >= box(header)["bottom"]
    tick = page.locator("#documents input").first
    assert box(tick)["x"] - tick.evaluate(ring) >= box(page.locator("#documents li").first)["x"]
    picture(page, "ring")
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


def test_it_is_told_apart_without_its_colours(browser: Browser, url: str) -> None:
    with closing(Visit(browser, url, forced_colors="active")) as visit:
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
        picture(page, "forced-colours")

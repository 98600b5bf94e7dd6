"""Passages that may answer, on the page: to be read, gone through by keys, and judged."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from browsing import Visit, ask, barriers, copied, exported, keep, kept, lit, phone, serving
from helpers import footnote
from playwright.sync_api import Locator, Page, expect

from assistant.answer import UNSURE

ASKED = "How do Japan and the US each plan to contribute to integrated deterrence?"
FITS = "document.documentElement.scrollWidth <= window.innerWidth"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("passages")


@pytest.fixture(scope="module")
def url(folder: Path) -> Iterator[str]:
    """A page that is never sure."""
    with serving(folder, "--refuse-below", "0", "--answer-from", "1") as address:
        yield address


def answer_of(page: Page) -> dict[str, Any]:
    """The last answer, as it is kept."""
    [talk] = kept(page)
    answer = talk["turns"][-1]["answer"]
    assert isinstance(answer, dict)
    return answer


def drafts(folder: Path) -> list[dict[str, Any]]:
    lines = footnote("index", "drafts", "--index-dir", folder / "index").stdout.splitlines()
    return [json.loads(line) for line in lines]


def cards(turn: Locator) -> Locator:
    return turn.get_by_role("feed").get_by_role("article")


def test_they_come_one_by_one_and_stand_under_their_places(visit: Visit) -> None:
    page = visit.page
    page.evaluate(
        """() => {
          window.seen = [];
          new MutationObserver(() => {
            const cards = [...document.querySelectorAll(".turn .card")];
            window.seen.push(cards.map((card) => card.offsetTop));
          }).observe(document.getElementById("turns"), { childList: true, subtree: true });
        }"""
    )
    turn = ask(page, ASKED)
    seen = page.evaluate("window.seen")
    assert len(seen[-1]) == cards(turn).count() > 1
    for earlier, later in pairwise(seen):
        assert later[: len(earlier)] == earlier

    # Each stands under its place, with its sentence lit.
    assert turn.get_attribute("data-state") == "unsure"
    expect(turn.get_by_role("heading", name=UNSURE)).to_be_visible()
    answer = answer_of(page)
    shown = cards(turn)
    expect(shown).to_have_count(len(answer["citations"]))
    assert shown.count() > 1
    for number, citation in enumerate(answer["citations"]):
        card = shown.nth(number)
        inner = [title for title in citation["heading"] if title != citation["document"]]
        place = [citation["document"], *inner, f"paragraph {citation['paragraph']}"]
        expect(card.locator("h4")).to_have_text(" › ".join(place))
        expect(card).to_have_attribute("aria-label", " › ".join(place))
        expect(card).to_have_attribute("aria-posinset", str(number + 1))
        expect(card).to_have_attribute("aria-setsize", str(shown.count()))
        expect(card.locator("mark")).to_have_text(citation["quote"])
        if card.get_by_role("button", name="Show all").count():
            card.get_by_role("button", name="Show all").click()
        expect(card.locator(".paragraph")).to_have_text(citation["paragraph_text"])
    # It is no answer, and how sure it is nobody has to read.
    expect(turn.locator(".sentence, .marker, .sources")).to_have_count(0)
    expect(turn.get_by_role("button", name="A good answer")).to_have_count(0)
    assert "%" not in turn.inner_text()
    sure = f"{round(100 * answer['confidence'])}% confidence"
    assert sure in (turn.get_by_role("heading", name=UNSURE).get_attribute("title") or "")
    assert barriers(page) == []

    # They are taken along as what they are, and printed whole.
    text = copied(page, turn.get_by_role("button", name="Copy with footnotes"))
    head, *passages = text.split("\n\n")
    assert head == f"{UNSURE}:"
    places = cards(turn).locator("h4").all_inner_texts()
    assert passages[0] == places[0]
    assert passages[1] == f"- {answer['sentences'][0]['text']} [1]"
    lines = exported(page).splitlines()
    assert f"*{UNSURE}:*" in lines
    assert sum(line.startswith("- ") and "[^" in line for line in lines) == cards(turn).count()
    page.keyboard.press("Escape")
    page.emulate_media(media="print")
    expect(page.locator("#composer")).to_be_hidden()
    expect(turn.get_by_role("button", name="Mark as the answer")).to_have_count(0)
    bottom = "own => own.getBoundingClientRect().bottom + scrollY"
    reach = page.evaluate("document.documentElement.scrollHeight")
    assert cards(turn).last.evaluate(bottom) <= reach > page.evaluate("innerHeight")


def test_it_is_said_which_answers_and_taken_back(visit: Visit, folder: Path) -> None:
    page = visit.page
    turn = ask(page, ASKED)
    shown, citations = cards(turn), answer_of(page)["citations"]
    expect(page.get_by_label("Your question")).to_be_focused()
    page.keyboard.press("ArrowUp")
    expect(shown.nth(0)).to_be_focused()
    for key, number in (("j", 1), ("k", 0), ("ArrowDown", 1), ("ArrowUp", 0), ("ArrowUp", 0)):
        page.keyboard.press(key)
        expect(shown.nth(number)).to_be_focused()
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    assert lit(page) == citations[1]["quote"]
    expect(shown.nth(1)).to_have_attribute("aria-current", "true")
    expect(shown.nth(1)).to_be_focused()
    page.keyboard.press("y")
    noted = shown.nth(1).locator(".noted")
    expect(noted).to_have_text("Marked as the answer")
    assert noted.evaluate("e => getComputedStyle(e, '::before').content") == "none"
    expect(turn.locator(".noted:visible")).to_have_count(1)
    [draft] = drafts(folder)
    assert (draft["question"], draft["answerable"]) == (ASKED, True)
    assert draft["evidence"] == [[citations[1]["quote"]]]
    assert "draft" not in draft
    assert barriers(page) == []
    # What has the focus is reached by the tab key, and the others from it.
    page.keyboard.press("Tab")
    page.keyboard.press("Shift+Tab")
    expect(shown.nth(1)).to_be_focused()
    assert shown.evaluate_all("all => all.map((own) => own.tabIndex)").count(0) == 1
    page.keyboard.press("y")
    expect(turn.locator(".noted:visible")).to_have_count(0)
    assert drafts(folder) == []
    page.keyboard.press("0")
    expect(turn.locator(".none button")).to_have_text("Noted: none of these. Undo")
    page.keyboard.press("/")
    expect(page.get_by_label("Your question")).to_be_focused()
    shown.nth(0).focus()
    page.keyboard.press("0")
    expect(turn).not_to_contain_text("Noted: none of these")

    # The same by the pointer.
    first, second = (cards(turn).nth(number) for number in (0, 1))
    for card in (first, second):
        card.get_by_role("button", name="Mark as the answer").click()
        expect(card.locator(".noted")).to_be_visible()
    [draft] = drafts(folder)
    assert draft["evidence"] == [[own["quote"] for own in citations[:2]]]
    page.reload()
    expect(page.locator(".noted:visible")).to_have_count(2)
    first.get_by_role("button", name="Undo").click()
    expect(page.locator(".noted:visible")).to_have_count(1)
    expect(first.get_by_role("button", name="Mark as the answer")).to_be_focused()
    [draft] = drafts(folder)
    assert draft["evidence"] == [[citations[1]["quote"]]]
    # That none of them does, and that one does, cannot both be.
    turn.get_by_role("button", name="None of these").click()
    expect(page.locator(".noted:visible")).to_have_count(0)
    expect(turn).to_contain_text("Noted: none of these")
    [draft] = drafts(folder)
    assert (draft["verdict"], draft["answerable"], draft["evidence"]) == ("none", False, [])
    first.get_by_role("button", name="Mark as the answer").click()
    expect(turn).not_to_contain_text("Noted: none of these")
    first.get_by_role("button", name="Undo").click()
    expect(page.locator("#announcer")).to_have_text("Feedback withdrawn.")
    expect(page.locator("#toast")).to_be_hidden()
    assert drafts(folder) == []

    # A list keeps its lines.
    [talk] = kept(page)
    own = talk["turns"][0]["answer"]["citations"][0]
    own |= {"paragraph_text": "- ink\n- a pen\n- paper", "paragraph_kind": "list"}
    own |= {"introduction": "Bring these:"}
    own |= {"start": own["paragraph_start"] + 8, "end": own["paragraph_start"] + 13}
    keep(folder, talk)
    page.reload()
    text = page.locator(".card .paragraph").first
    expect(text.locator("mark")).to_have_text("a pen")
    assert text.inner_text() == "- ink\n- a pen\n- paper"
    expect(page.locator(".card .introduction").first).to_have_text("Bring these:")


@phone
def test_they_fit_a_phone(visit: Visit) -> None:
    page = visit.page
    turn = ask(page, ASKED)
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        assert page.evaluate(FITS)
        assert barriers(page) == []
    cards(turn).first.locator(".go").click()
    expect(page.locator("#reader mark.chosen").first).to_be_in_viewport()
    page.keyboard.press("Escape")
    cards(turn).first.get_by_role("button", name="Mark as the answer").click()
    expect(cards(turn).first.locator(".noted")).to_be_visible()

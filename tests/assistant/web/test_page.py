"""The page in Debian's Chromium, served as it is to people: real index, real encoder."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from browsing import (
    QUESTION,
    QUOTE,
    UNANSWERABLE,
    Visit,
    ask,
    barriers,
    copied,
    exported,
    is_uncovered,
    keep,
    kept,
    lit,
    picture,
    send,
    settled,
)
from helpers import footnote
from playwright.sync_api import Browser, Route, expect

from assistant.answer import REFUSAL

#: Its answer has more than one citation.
SEVERAL = "What did Xi and Putin announce, and when was the US strategy released?"


def test_a_marker_leads_to_the_quoted_characters(visit: Visit) -> None:
    page = visit.page
    expect(page.locator("#pages .block")).to_have_count(32)
    picture(page, "welcome")
    turn = ask(page, SEVERAL)
    assert turn.get_attribute("data-state") == "answered"
    expect(page.locator("#announcer")).to_have_text(re.compile(r"\w+"))
    [talk] = kept(page)
    answer = talk["turns"][0]["answer"]
    assert len(answer["citations"]) > 1
    markers = turn.locator(".marker")
    # In order of first appearance, each in the sentence that it supports.
    numbers = [int(text.strip("[]")) for text in markers.all_inner_texts()]
    assert list(dict.fromkeys(numbers)) == list(range(1, len(answer["citations"]) + 1))
    for place, number in enumerate(numbers):
        citation = answer["citations"][number - 1]
        marker = markers.nth(place)
        marker.hover()
        expect(page.locator("#tooltip")).to_contain_text(citation["quote"])
        marker.click()
        expect(marker).to_have_attribute("aria-current", "true")
        expect(page.locator("#reader mark.chosen").first).to_be_in_viewport()
        assert lit(page) == citation["quote"]
        assert is_uncovered(page)
        chosen = page.locator("#reader .block.chosen")
        expect(chosen).to_have_attribute("data-number", str(citation["paragraph"]))
        # And back: the paragraph knows which answers cite it.
        expect(chosen.locator(".citing").first).to_contain_text(SEVERAL)
    # The question is in one column with the answers.
    lefts = [
        page.locator(one).evaluate("own => own.getBoundingClientRect().left")
        for one in (".turn .question", "#composer .box")
    ]
    assert abs(lefts[0] - lefts[1]) < 1
    card = turn.locator(".card").first
    first = answer["citations"][0]
    expect(card.locator("h4")).to_have_text(
        " › ".join([first["document"], *first["heading"], f"paragraph {first['paragraph']}"])
    )
    quotes = [c["quote"] for c in answer["citations"] if c["paragraph"] == first["paragraph"]]
    assert card.locator("mark").all_text_contents() == quotes
    picture(page, "answered")
    assert barriers(page) == []


def test_what_the_documents_do_not_say_is_refused(visit: Visit) -> None:
    page = visit.page
    turn = ask(page, UNANSWERABLE)
    assert turn.get_attribute("data-state") == "refused"
    expect(turn.locator(".refusal")).to_have_text(REFUSAL)
    expect(turn.locator(".sentence")).to_have_count(0)
    expect(turn.get_by_role("heading", name="Closest, not an answer")).to_be_visible()
    expect(turn.locator(".closest .card")).to_have_count(3)
    picture(page, "refused")
    assert barriers(page) == []
    turn.locator(".card .go").first.click()
    assert lit(page) == "".join(turn.locator(".card").first.locator("mark").all_text_contents())
    # What it offers instead is answered.
    instead = turn.locator(".instead")
    expect(instead).to_have_count(2)
    for question in instead.all_inner_texts():
        page.locator(".turn").first.get_by_role("button", name=question, exact=True).click()
        expect(page.locator(".turn").last.locator(".question")).to_have_text(question)
        assert settled(page).get_attribute("data-state") == "answered"


def test_the_first_minute(visit: Visit) -> None:
    page = visit.page
    # It is there before the server has answered anything.
    held: list[Route] = []
    page.route("**/session", lambda route: held.append(route))
    with page.expect_request("**/session"):
        page.reload()
    expect(page.get_by_label("Your question")).to_be_visible()
    expect(page.locator("body[data-ready]")).to_have_count(0)
    held[0].continue_()
    visit.ready()
    page.unroute("**/session")

    # The theme can be chosen.
    paper = "getComputedStyle(document.documentElement).backgroundColor"
    light = page.evaluate(paper)
    page.get_by_role("button", name="Settings").click()
    page.get_by_label("Theme").select_option("dark")
    dark = page.evaluate(paper)
    assert dark != light
    page.reload()
    visit.ready()
    assert page.evaluate(paper) == dark

    # Starter questions are answered.
    starters = page.locator("#starters button")
    expect(starters.first).to_be_visible()
    assert 3 <= starters.count() <= 4
    question = starters.first.inner_text()
    starters.first.click()
    assert settled(page).get_attribute("data-state") == "answered"
    expect(page.locator(".question")).to_have_text(question)
    expect(page.locator("#welcome")).to_be_hidden()


def test_the_sources_come_first_and_nothing_moves(visit: Visit) -> None:
    page = visit.page
    # In the letters of the system, until its own have come, the question takes another line.
    page.evaluate("async () => { await document.fonts.ready }")
    page.evaluate(
        """() => {
          window.moved = [];
          new PerformanceObserver((list) => {
            for (const { value, sources } of list.getEntries())
              window.moved.push([value, ...sources.map(({ node }) => node?.textContent)]);
          }).observe({ type: "layout-shift", buffered: false });
          window.seen = [];
          new MutationObserver(() => {
            const turn = document.querySelector(".turn:last-of-type");
            if (!turn) return; // the starter questions came
            const count = (selector) => turn.querySelectorAll(selector).length;
            window.seen.push([count(".place"), count(".sentence")]);
          }).observe(document.getElementById("turns"), { childList: true, subtree: true });
        }"""
    )
    turn = ask(page, SEVERAL)
    # What was moved is told with the next frame.
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => setTimeout(done)))")
    seen = page.evaluate("window.seen")
    assert [3, 0] in seen, "the sources were there before any sentence"
    assert seen[-1][1] == turn.locator(".sentence").count() >= 1
    assert page.evaluate("window.moved") == []


def test_conversations_are_kept_renamed_deleted_and_edited(visit: Visit) -> None:
    page = visit.page
    answer = ask(page, QUESTION).locator(".answer").inner_text()
    page.reload()
    visit.ready()
    expect(page.locator(".turn .answer")).to_have_text(re.compile(QUOTE))
    assert page.locator(".turn .answer").inner_text() == answer
    page.locator(".marker").first.click()
    assert lit(page) == QUOTE

    page.get_by_role("button", name="New conversation").click()
    expect(page.locator(".turn")).to_have_count(0)
    ask(page, UNANSWERABLE)
    page.get_by_role("button", name="Conversations").click()
    names = page.locator("#conversations .name")
    expect(names).to_have_text([UNANSWERABLE, QUESTION])
    page.get_by_role("button", name=f"Rename {QUESTION}").click()
    page.get_by_label("Name of the conversation").fill("The <b>strategy</b>")
    page.keyboard.press("Enter")
    expect(names).to_have_text([UNANSWERABLE, "The <b>strategy</b>"])
    picture(page, "conversations")
    assert barriers(page) == []
    page.get_by_role("button", name=f"Delete {UNANSWERABLE}").click()
    expect(names).to_have_text(["The <b>strategy</b>"])
    names.first.click()
    expect(page.locator(".turn .question")).to_have_text(QUESTION)
    assert [one["title"] for one in kept(page)] == ["The <b>strategy</b>"]

    # A question is edited, and asked again.
    page.get_by_role("button", name="New conversation").click()
    ask(page, UNANSWERABLE)
    ask(page, QUESTION)
    page.locator(".turn").first.get_by_role("button", name="Edit the question").click()
    expect(page.get_by_label("Your question")).to_have_value(UNANSWERABLE)
    turn = ask(page, QUESTION)
    expect(turn.locator(".answer")).to_contain_text(QUOTE)
    expect(page.locator(".turn")).to_have_count(1)
    turn.get_by_role("button", name="Ask again").click()
    assert settled(page).get_attribute("data-state") == "answered"
    expect(page.locator(".turn")).to_have_count(1)


def test_an_answer_is_judged_and_taken_along(visit: Visit, served: Path) -> None:
    page = visit.page
    turn = ask(page, QUESTION)
    good, bad = (turn.get_by_role("button", name=f"A {word} answer") for word in ("good", "bad"))
    good.click()
    expect(page.locator("#toast")).to_contain_text("Thank you")
    drafts = footnote("index", "drafts", "--index-dir", served / "index").stdout.splitlines()
    draft = json.loads(drafts[-1])
    assert (draft["question"], draft["verdict"], draft["evidence"]) == (QUESTION, "up", [QUOTE])
    bad.click()
    expect(bad).to_have_attribute("aria-pressed", "true")
    expect(good).to_have_attribute("aria-pressed", "false")
    bad.click()  # once more takes it back
    expect(bad).to_have_attribute("aria-pressed", "false")
    assert turn.get_by_role("form").count() == 0

    # The next passages are shown folded.
    others = turn.locator(".others")
    expect(turn.locator(".others > summary")).to_have_text("Other passages that may answer")
    cards = others.get_by_role("article")
    expect(cards).to_have_count(0)  # of those that can be seen
    turn.locator(".others > summary").click()
    [talk] = kept(page)
    closest = talk["turns"][0]["answer"]["closest"]
    expect(cards).to_have_count(len(closest))
    assert cards.locator("mark").all_text_contents() == [own["quote"] for own in closest]
    picture(page, "others")
    assert barriers(page) == []
    cards.first.locator(".go").click()
    assert lit(page) == closest[0]["quote"]
    turn.get_by_role("button", name="A good answer").click()
    expect(page.locator("#toast")).to_contain_text("Thank you")
    cards.first.get_by_role("button", name="Mark as the answer").click()
    expect(cards.first.locator(".noted")).to_be_visible()
    # What was said last counts.
    expect(turn.locator('.actions [aria-pressed="true"]')).to_have_count(0)
    drafts = footnote("index", "drafts", "--index-dir", served / "index").stdout.splitlines()
    told = next(one for one in map(json.loads, drafts) if one["question"] == QUESTION)
    assert (told["evidence"], told["answerable"]) == ([[closest[0]["quote"]]], True)

    # It is copied and exported with its sources.
    ask(page, UNANSWERABLE)
    copy = page.locator(".turn").first.get_by_role("button", name="Copy with footnotes")
    place = "Northeast Asia in early 2022 › US Strategy toward the Indo-Pacific › paragraph 6"
    assert copied(page, copy) == f"{QUOTE} [1]\n\n[1] {place}: “{QUOTE}”"
    lines = exported(page).splitlines()
    # The conversation has no name, and is not called by a question that stands in it.
    assert lines[0].startswith("# Conversation of ") and f"## {QUESTION}" in lines
    assert f"“{QUOTE}”[^1]" in lines
    assert any(line.startswith("[^1]: Northeast Asia in early 2022, ") for line in lines)
    assert lines[lines.index("## Sources") + 2].startswith("- Northeast Asia in early 2022")
    assert f"*{REFUSAL}*" in lines


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
    expect(page.locator("#tooltip")).to_contain_text(QUOTE)
    picture(page, "tooltip")
    page.keyboard.press("Enter")
    assert lit(page) == QUOTE
    tab_to(".number")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    chosen = page.locator("#reader .block.chosen")
    expect(chosen).to_have_attribute("data-number", "7")
    expect(chosen.locator(".beside")).to_contain_text("No answer cites this paragraph yet.")
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


def test_failures_say_what_to_do(visit: Visit) -> None:
    page = visit.page
    page.context.set_offline(True)
    turn = ask(page, QUESTION)
    expect(turn.locator(".failure")).to_contain_text("cannot be reached")
    picture(page, "failed")
    assert barriers(page) == []
    page.context.set_offline(False)
    turn.get_by_role("button", name="Ask again").click()
    assert settled(page).get_attribute("data-state") == "answered"
    page.reload()
    expect(page.locator(".turn .answer")).to_contain_text(QUOTE)
    visit.complaints = [c for c in visit.complaints if "ERR_INTERNET_DISCONNECTED" not in c]


def test_an_answer_is_stopped_or_left(visit: Visit) -> None:
    page = visit.page
    page.route("**/ask", lambda route: None)  # never goes on
    send(page, QUESTION)
    turn = page.locator(".turn").last
    expect(turn.locator(".stage")).to_be_visible()
    expect(page.get_by_role("button", name="Ask", exact=True)).to_be_hidden()
    picture(page, "thinking")
    page.get_by_role("button", name="Stop").click()
    expect(turn).to_have_attribute("data-state", "stopped")
    expect(page.get_by_role("button", name="Ask", exact=True)).to_be_visible()
    send(page, QUESTION)
    turn = page.locator(".turn").last
    expect(turn).to_have_attribute("data-state", "pending")
    # Where the key has another use it does not stop anything.
    page.locator("#open-library").click()
    page.keyboard.press("Escape")
    expect(page.locator("#library")).to_be_hidden()
    page.get_by_label("Find in the document").press("Escape")
    expect(turn).to_have_attribute("data-state", "pending")
    page.get_by_label("Your question").press("Escape")
    expect(turn).to_have_attribute("data-state", "stopped")
    send(page, UNANSWERABLE)
    expect(page.locator(".turn")).to_have_count(3)
    page.reload()  # before that is answered
    visit.ready()
    page.unroute("**/ask")
    turn = page.locator(".turn").last
    expect(turn).to_have_attribute("data-state", "stopped")
    turn.get_by_role("button", name="Ask again").click()
    assert settled(page).get_attribute("data-state") == "refused"


def test_what_is_not_supported_looks_like_it(visit: Visit, served: Path) -> None:
    """A conversation with an answer that a language model wrote, as it is kept."""
    page = visit.page
    ask(page, QUESTION)
    [conversation] = kept(page)
    conversation["turns"][0]["answer"] |= {
        "sentences": [
            {"text": "It was released on February 11.", "verdict": "supported", "markers": [1]},
            {"text": "It was welcomed by everyone.", "verdict": "unsupported", "markers": []},
        ],
        "dropped": 2,
        "note": "The language model stopped early.",
    }
    keep(served, conversation)
    page.reload()
    element = page.locator(".turn")
    supported = element.locator('.sentence[data-verdict="supported"]')
    unsupported = element.locator('.sentence[data-verdict="unsupported"]')
    expect(supported.locator(".marker")).to_have_text("[1]")
    expect(unsupported.locator(".marker")).to_have_count(0)
    expect(unsupported).to_contain_text("not in the documents")
    look = "e => [getComputedStyle(e).color, getComputedStyle(e).textDecorationLine]"
    looks = [own.locator(".words").evaluate(look) for own in (supported, unsupported)]
    assert looks[0] != looks[1]
    expect(element.locator(".meta").first).to_contain_text("Partly answered")
    expect(element.locator(".meta").first).to_contain_text("2 sentences that nothing supports were")
    expect(element.locator(".note")).to_have_text("The language model stopped early.")
    picture(page, "partly")
    assert barriers(page) == []


@pytest.mark.parametrize(
    ("width", "scheme"),
    [
        (360, "light"),
        pytest.param(390, "dark", marks=pytest.mark.long),
        (800, "dark"),
        pytest.param(2560, "light", marks=pytest.mark.long),
    ],
)
def test_the_page_fits(browser: Browser, url: str, width: int, scheme: str) -> None:
    visit = Visit(browser, url, viewport={"width": width, "height": 844}, color_scheme=scheme)
    page = visit.page
    narrow = width <= 960
    picture(page, f"welcome-{width}-{scheme}")
    turn = ask(page, QUESTION)
    picture(page, f"answered-{width}-{scheme}")
    fits = "document.documentElement.scrollWidth <= window.innerWidth"
    assert page.evaluate(fits)
    expect(page.get_by_role("button", name="Ask", exact=True)).to_be_in_viewport()
    assert barriers(page) == []
    paper = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    light = sum(int(part) for part in paper[4:-1].split(",")) > 384
    assert light == (scheme == "light")
    turn.locator(".marker").first.click()
    expect(page.locator("#reader mark.chosen").first).to_be_in_viewport()
    assert lit(page) == QUOTE
    assert is_uncovered(page)
    assert page.evaluate(fits)
    picture(page, f"reading-{width}-{scheme}")
    assert barriers(page) == []
    if narrow:
        expect(page.get_by_role("dialog", name="Document", exact=True)).to_be_visible()
        page.keyboard.press("Escape")
        expect(page.locator("#reader")).to_be_hidden()
        expect(turn.locator(".marker").first).to_be_focused()
    page.locator("#open-library").click()
    assert page.evaluate(fits)
    picture(page, f"documents-{width}-{scheme}")
    assert barriers(page) == []
    visit.close()

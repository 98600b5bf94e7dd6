"""Asking on the page: the first minute, answers of every kind, judging and exporting them.

Real index, real encoder, Debian's Chromium.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from browsing import (
    QUESTION,
    QUOTE,
    UNANSWERABLE,
    Visit,
    act_on,
    ask,
    barriers,
    copied,
    exported,
    is_uncovered,
    keep,
    kept,
    lit,
    send,
    settled,
)
from helpers import footnote
from playwright.sync_api import Route, expect

from assistant.answer import REFUSAL
from assistant.answering.decision import FOREIGN

#: Its answer has more than one citation.
SEVERAL = "What did Xi and Putin announce, and when was the US strategy released?"

#: Records what moves on the page.
WATCH = """async () => {
  // In the letters of the system, until its own have come, the question takes another line.
  await document.fonts.ready;
  window.moved = [];
  new PerformanceObserver((list) => {
    for (const { value, sources } of list.getEntries())
      window.moved.push([value, ...sources.map(({ node }) => node?.textContent)]);
  }).observe({ type: "layout-shift", buffered: false });
}"""


def test_the_first_minute(visit: Visit) -> None:
    page = visit.page
    # The page is there before the server has answered anything.
    held: list[Route] = []
    page.route("**/session", lambda route: held.append(route))
    with page.expect_request("**/session"):
        page.reload()
    expect(page.get_by_label("Your question")).to_be_visible()
    expect(page.locator("body[data-ready]")).to_have_count(0)
    held[0].continue_()
    visit.ready()
    page.unroute("**/session")

    # Who has no documents is asked for them.
    expect(page.get_by_role("heading", name="Add your documents")).to_be_visible()
    expect(page.locator("#begin-kept")).to_have_text(
        "What you add stays on the machine that runs Footnote."
    )
    expect(page.locator("#try")).to_have_text(
        "Or try it with a sample: Northeast Asia in early 2022"
    )
    assert barriers(page) == []

    # Starter questions are answered.
    starters = page.locator("#starters button")
    expect(starters.first).to_be_visible()
    assert 3 <= starters.count() <= 4
    question = starters.first.inner_text()
    starters.first.click()
    assert settled(page).get_attribute("data-state") == "answered"
    expect(page.locator(".question")).to_have_text(question)
    expect(page.locator("#welcome")).to_be_hidden()

    # A text that is pasted takes the place of the sample.
    page.locator("#new").click()
    begin = page.locator("#begin")
    begin.get_by_text("Paste text", exact=True).click()
    pasted = begin.get_by_label("Paste the text here")
    pasted.fill(" \n")
    begin.get_by_role("button", name="Add", exact=True).click()
    expect(pasted).to_be_focused()
    expect(page.locator("#uploads li")).to_have_count(0)
    text = "Walnut milk / 2026\n\nIt is drunk at breakfast."
    pasted.fill(text)
    begin.get_by_role("button", name="Add", exact=True).click()
    expect(page.locator("#toast")).to_have_text("Added: 1 document")
    page.locator("#open-library").click()
    expect(page.locator("#documents small")).to_contain_text("Walnut milk 2026 It is drunk.txt")
    # A text that cannot be added is not lost: whoever leaves the page is asked.
    uploads = re.compile(r"/uploads\?")
    page.route(uploads, lambda route: route.abort())
    ways = page.locator("#ways")
    ways.get_by_text("Paste text", exact=True).click()
    ways.get_by_label("Paste the text here").fill(text)
    ways.get_by_role("button", name="Add", exact=True).click()
    page.locator("#adding-replace").click()
    expect(page.locator("#uploads .wrong")).to_have_count(1)
    leaving = "dispatchEvent(new Event('beforeunload', { cancelable: true }))"
    assert not page.evaluate(leaving)
    page.unroute(uploads)
    visit.complaints[:] = [one for one in visit.complaints if "ERR_FAILED" not in one]
    page.get_by_role("button", name="Try again to add Walnut").click()
    expect(page.locator("#uploads .done")).to_contain_text("Already here, unchanged")
    assert page.evaluate(leaving)
    # Nor does another one that begins as it does, and is as long, take its place unasked.
    ways.get_by_text("Paste text", exact=True).click()
    ways.get_by_label("Paste the text here").fill(text.replace("breakfast", "nightfall"))
    ways.get_by_role("button", name="Add", exact=True).click()
    page.locator("#adding-both").click()
    expect(page.locator("#uploads .done")).to_contain_text("Added: 1 paragraph")
    expect(page.locator("#documents small")).to_have_count(2)
    for left in (1, 0):
        walnut = page.locator("#documents b", has_text="Walnut")
        act_on(page, walnut.first.inner_text(), "Remove")
        expect(walnut).to_have_count(left)
    expect(page.locator("#documents small")).to_contain_text("Sample document")


def test_a_question_is_asked_and_its_source_read(visit: Visit) -> None:
    page = visit.page
    page.locator("#open-reader").click()
    expect(page.locator("#pages .block")).to_have_count(32)
    page.evaluate(WATCH)
    turn = ask(page, SEVERAL)
    assert turn.get_attribute("data-state") == "answered"
    expect(page.locator("#announcer")).to_have_text(re.compile(r"\w+"))
    # What was moved is told with the next frame.
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => setTimeout(done)))")
    assert page.evaluate("window.moved") == [], "nothing moves while an answer comes"

    [talk] = kept(page)
    answer = talk["turns"][0]["answer"]
    assert len(answer["citations"]) > 1
    sure = turn.locator(".state .confidence")
    expect(sure).to_have_attribute("title", f"{round(100 * answer['confidence'])}% confidence")
    markers = turn.locator(".marker")
    # In order of first appearance, each in the sentence that it supports.
    numbers = [int(text.strip("[]")) for text in markers.all_inner_texts()]
    assert list(dict.fromkeys(numbers)) == list(range(1, len(answer["citations"]) + 1))
    for place, number in enumerate(numbers):
        citation = answer["citations"][number - 1]
        marker = markers.nth(place)
        marker.hover()
        expect(page.locator("#tooltip")).to_contain_text(f"paragraph {citation['paragraph']}")
        # The quote is told there unless the sentence is just that.
        words = "(marker) => marker.closest('.sentence').querySelector('.words').textContent"
        said = [*page.locator("#tooltip q").all_inner_texts(), marker.evaluate(words)]
        assert citation["quote"] in said
        marker.click()
        expect(marker).to_have_attribute("aria-current", "true")
        expect(page.locator("#reader mark.chosen").first).to_be_in_viewport()
        assert lit(page) == citation["quote"]
        assert is_uncovered(page)
        chosen = page.locator("#reader .block.chosen")
        expect(chosen).to_have_attribute("data-number", str(citation["paragraph"]))
    card, first = turn.locator(".card").first, answer["citations"][0]
    quotes = [c["quote"] for c in answer["citations"] if c["paragraph"] == first["paragraph"]]
    assert card.locator("mark").all_text_contents() == quotes
    assert barriers(page) == []

    # What the documents do not say is refused.
    turn = ask(page, UNANSWERABLE)
    assert turn.get_attribute("data-state") == "refused"
    expect(turn.locator(".refusal")).to_have_text(REFUSAL)
    expect(turn.locator(".sentence")).to_have_count(0)
    expect(turn.get_by_role("heading", name="Closest passages")).to_be_visible()
    expect(turn.locator(".closest .card")).to_have_count(3)
    assert barriers(page) == []
    turn.locator(".card .go").first.click()
    assert lit(page) == "".join(turn.locator(".card").first.locator("mark").all_text_contents())
    # What it offers instead is answered.
    instead = turn.locator(".instead")
    expect(instead).to_have_text(["What are the main points?"])
    instead.click()
    expect(page.locator(".turn").last.locator(".question")).to_have_text(
        "What are the main points?"
    )
    assert settled(page).get_attribute("data-state") == "answered"

    # A question in another language is refused for that alone.
    turn = ask(page, "Warum will Indien in der Quad bleiben?")
    assert turn.get_attribute("data-state") == "refused"
    expect(turn.locator(".refusal")).to_have_text(FOREIGN["de"])
    expect(turn.locator(".note, .meta, .card")).to_have_count(0)
    expect(page.locator("#announcer")).to_have_text(FOREIGN["de"])


def test_an_answer_is_judged_and_taken_along(visit: Visit, served: Path) -> None:
    page = visit.page

    def vote() -> dict[str, Any]:
        """What was said last, as the command gives it."""
        lines = footnote("index", "votes", "--index-dir", served / "index").stdout.splitlines()
        found = [one for one in map(json.loads, lines) if one["question"] == QUESTION]
        assert isinstance(found[-1], dict)
        return found[-1]

    turn = ask(page, QUESTION)
    good, bad = (turn.get_by_role("button", name=f"A {word} answer") for word in ("good", "bad"))
    good.click()
    expect(page.locator("#toast")).to_contain_text("Thank you")
    told = vote()
    assert (told["verdict"], [one["quote"] for one in told["citations"]]) == ("up", [QUOTE])
    bad.click()
    expect(bad).to_have_attribute("aria-pressed", "true")
    expect(good).to_have_attribute("aria-pressed", "false")
    # It is said what is wrong.
    form = turn.get_by_role("form")
    form.get_by_label("The wrong source").check()
    form.get_by_label("In your own words").fill("Look below.")
    assert barriers(page) == []
    form.get_by_role("button", name="Send").click()
    expect(form).to_have_count(0)
    told = vote()
    said = ("down", "source", "Look below.")
    assert (told["verdict"], told["reason"], told["comment"]) == said
    bad.click()  # once more takes it back
    expect(bad).to_have_attribute("aria-pressed", "false")

    # The next passages are shown folded.
    others = turn.locator(".others")
    expect(turn.locator(".others > summary")).to_have_text("Other possible answers")
    cards = others.get_by_role("article")
    expect(cards).to_have_count(0)  # of those that can be seen
    turn.locator(".others > summary").click()
    [talk] = kept(page)
    closest = talk["turns"][0]["answer"]["closest"]
    expect(cards).to_have_count(len(closest))
    assert cards.locator("mark").all_text_contents() == [passage["quote"] for passage in closest]
    assert barriers(page) == []
    cards.first.locator(".go").click()
    assert lit(page) == closest[0]["quote"]
    good.click()
    expect(good).to_have_attribute("aria-pressed", "true")
    cards.first.get_by_role("button", name="Mark as the answer").click()
    expect(turn.locator(".marked .noted")).to_be_visible()
    # What was said last counts.
    expect(turn.locator('.actions [aria-pressed="true"]')).to_have_count(0)
    assert [one["quote"] for one in vote()["chosen"]] == [closest[0]["quote"]]

    # It is copied and exported with its sources.
    ask(page, UNANSWERABLE)
    copy = page.locator(".turn").first.get_by_role("button", name="Copy with footnotes")
    place = "Northeast Asia in early 2022 › US Strategy toward the Indo-Pacific › paragraph 6"
    assert copied(page, copy) == f"{QUOTE} [1]\n\n[1] {place}: “{QUOTE}”"
    lines = exported(page).splitlines()
    # The conversation has no name, and is not called by a question that stands in it.
    assert lines[0].startswith("# Conversation of ") and f"## {QUESTION}" in lines
    assert f"“{QUOTE}”[^1]" in lines
    assert any(line.startswith("[^1]: Northeast Asia in early 2022 (") for line in lines)
    assert lines[lines.index("## Sources") + 2].startswith("- Northeast Asia in early 2022")
    assert any(line.startswith(f"*{REFUSAL.removesuffix('.')} · ") for line in lines)

    # What is not supported in an answer that a language model wrote looks like it.
    [talk] = kept(page)
    talk["turns"][0]["answer"] |= {
        "sentences": [
            {"text": "It was released on February 11.", "verdict": "supported", "markers": [1]},
            {"text": "It was welcomed by everyone.", "verdict": "unsupported", "markers": []},
        ],
        "dropped": 2,
        "note": "The language model stopped early.",
        "writing": {
            **{"model": "llama3.2", "check": "failed", "outcome": "written"},
            **{"passages": 3, "searches": []},
        },
    }
    keep(served, talk)
    page.reload()
    turn = page.locator(".turn").first
    supported = turn.locator('.sentence[data-verdict="supported"]')
    unsupported = turn.locator('.sentence[data-verdict="unsupported"]')
    expect(supported.locator(".marker")).to_have_text("[1]")
    expect(unsupported.locator(".marker")).to_have_count(0)
    expect(unsupported).to_contain_text("not in the documents")
    look = "e => [getComputedStyle(e).color, getComputedStyle(e).textDecorationLine]"
    looks = [sentence.locator(".words").evaluate(look) for sentence in (supported, unsupported)]
    assert looks[0] != looks[1]
    meta = turn.locator(".meta").first
    expect(meta).to_contain_text("Partly answered")
    expect(meta).to_contain_text("2 sentences that nothing supports were")
    expect(turn.locator(".note")).to_have_text("The language model stopped early.")
    expect(turn.locator(".meta").last).to_contain_text("llama3.2 (failed its check) from 3")
    assert barriers(page) == []


def test_a_question_fails_is_stopped_or_left(visit: Visit) -> None:
    page = visit.page
    page.context.set_offline(True)
    turn = ask(page, QUESTION)
    expect(turn.locator(".failure")).to_contain_text("cannot be reached")
    assert barriers(page) == []
    page.context.set_offline(False)
    turn.get_by_role("button", name="Ask again").click()
    assert settled(page).get_attribute("data-state") == "answered"
    page.reload()
    expect(page.locator(".turn .answer")).to_contain_text(QUOTE)
    visit.complaints = [c for c in visit.complaints if "ERR_INTERNET_DISCONNECTED" not in c]
    visit.ready()

    page.route("**/ask", lambda route: None)  # never goes on
    send(page, QUESTION)
    turn = page.locator(".turn").last
    expect(turn.locator(".stage")).to_be_visible()
    expect(page.get_by_role("button", name="Ask", exact=True)).to_be_hidden()
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
    page.locator("#open-reader").click()
    page.get_by_label("Find in the document").press("Escape")
    expect(turn).to_have_attribute("data-state", "pending")
    page.get_by_label("Your question").press("Escape")
    expect(turn).to_have_attribute("data-state", "stopped")
    send(page, UNANSWERABLE)
    expect(page.locator(".turn")).to_have_count(4)
    page.reload()  # before that is answered
    visit.ready()
    page.unroute("**/ask")
    turn = page.locator(".turn").last
    expect(turn).to_have_attribute("data-state", "stopped")
    turn.get_by_role("button", name="Ask again").click()
    assert settled(page).get_attribute("data-state") == "refused"


def test_every_kind_of_answer_looks_like_what_it_is(visit: Visit) -> None:
    page = visit.page
    # An overview stands under the headings of the document.
    turn = ask(page, "What are the main points of this document?")
    assert turn.get_attribute("data-state") == "answered"
    points = turn.locator(".point")
    expect(points).to_have_count(7)
    expect(turn.locator(".under").first).to_have_text("Northeast Asia in early 2022")
    expect(turn.locator(".under", has_text="India and the Quad")).to_have_count(1)
    expect(turn.locator(".meta")).to_contain_text("Selected from the documents")
    assert barriers(page) == []
    points.nth(2).locator(".marker").click()
    assert lit(page) in points.nth(2).inner_text()

    # A sentence that numbers its items is shown as a list.
    turn = ask(page, "What are the seven themes?")
    points = turn.locator(".point")
    expect(points).to_have_count(7)
    expect(turn.locator(".running .sentence")).to_have_count(1)
    expect(points.nth(3)).to_contain_text("how closely do they work together in Central Asia?")
    points.nth(3).locator(".marker").click()
    assert "how closely do they work together in Central Asia?" in lit(page)

    # What is compared stands side by side.
    turn = ask(page, "Compare how Russia and China see the future global order.")
    columns = turn.locator(".compared .column")
    expect(columns).to_have_count(2)
    expect(turn.locator(".running")).to_contain_text("do not share a vision")
    for column, (title, words) in enumerate((("Russia", "Yalta"), ("China", "Pax Sinica"))):
        expect(columns.nth(column).locator(".under")).to_have_text(title)
        expect(columns.nth(column)).to_contain_text(words)

    # Places lead to where they are.
    turn = ask(page, "Where does it talk about energy?")
    points = turn.locator(".point")
    assert points.count() > 1
    expect(turn.locator(".under").first).to_have_text("US Strategy toward the Indo-Pacific")
    points.first.locator(".marker").click()
    assert "energy" in lit(page)

    # Opened again, it looks the same.
    page.reload()
    expect(page.locator(".turn").first.locator(".point")).to_have_count(7)

    # Small talk is answered without a search.
    page.locator("#new").click()
    turn = ask(page, "What can you do?")
    assert turn.get_attribute("data-state") == "answered"
    expect(turn.locator(".sentence")).to_have_count(4)
    expect(turn.locator(".sources, .card, .marker, .stage .place")).to_have_count(0)
    expect(turn.get_by_role("button", name="A good answer")).to_have_count(0)
    # What was said is nothing that a next question leans on.
    again = ask(page, QUESTION)
    expect(again.locator(".sentence").first).to_contain_text("February 11")
    expect(again.get_by_text("Understood as")).to_have_count(0)

    # Questions that lean on others say what was understood.
    page.locator("#new").click()
    ask(page, QUESTION)
    follow_up = ask(page, "What is it premised on?")
    expect(follow_up.locator(".sentence").first).to_contain_text("It is premised on the concern")
    expect(follow_up.locator(".about", has_text="In the context of")).to_contain_text(QUESTION)
    expect(follow_up.get_by_text("Understood as")).to_have_count(0)
    ask(page, "Which new global order does Russia have in mind?")
    other = ask(page, "And China?")
    expect(other.locator(".about", has_text="Understood as")).to_contain_text(
        "Which new global order does China have in mind?"
    )

    # Half an answer says which half.
    page.locator("#new").click()
    turn = ask(page, f"{QUESTION} {UNANSWERABLE}")
    expect(turn).to_have_attribute("data-state", "answered")
    expect(turn.locator(".sentence")).to_contain_text(QUOTE)
    expect(turn.locator(".note")).to_have_text(f"No answer found for: {UNANSWERABLE}")
    expect(turn.locator(".meta.partial")).to_contain_text("Partly answered")

    # After long answers only the conversation scrolls: the header is there, and nothing is below
    # the question box.
    ask(page, "Give me the main points in 20 sentences.")
    sizes = page.evaluate(
        """() => ({
            scrolled: [scrollY, document.documentElement.scrollTop, document.body.scrollTop],
            over: document.documentElement.scrollHeight - innerHeight,
            header: document.querySelector("header").getBoundingClientRect().top,
        })"""
    )
    assert sizes == {"scrolled": [0, 0, 0], "over": 0, "header": 0}
    # Nor does anything else make it scroll: not what is looked for, nor what has the focus.
    page.locator(".turn").first.scroll_into_view_if_needed()
    page.locator(".turn .unseen").last.evaluate("element => element.scrollIntoView()")
    assert page.evaluate("[scrollY, document.body.scrollTop]") == [0, 0]

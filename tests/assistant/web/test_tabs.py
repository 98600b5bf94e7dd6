"""What happens at the same time on the page: answers of the server that come late and in another
order, and two tabs of one browser."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browsing import (
    QUESTION,
    QUOTE,
    UNANSWERABLE,
    Visit,
    act_on,
    add_file,
    ask,
    print_pdf,
    read,
    send,
    serving,
    settled,
)
from chroma_servers import until
from crowd import SEED
from helpers import PATIENCE
from playwright.sync_api import APIResponse, Browser, Locator, Page, Route, expect

FIRST, *TITLES = ("Aardvarks", "Bakeries", "Ferries")  # the first one is shown
ABOUT = "All about {} of the island stands here."
DOCUMENTS = 5
SIDES = ("north", "south")
GREETING = "What can you do?"
STREAM = "**/ask"
KEY = "of-another-tab-that-was-sooner"


@pytest.fixture(scope="module")
def url(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("tabs")
    for title in (FIRST, *TITLES):
        (folder / f"{title.lower()}.txt").write_text(f"{title}\n\n{ABOUT.format(title)}\n")
    north, south = (f"<p>The harbour master of the {side} sits here.</p>" for side in SIDES)
    page = f"<h1>Harbours</h1>{north}<h2 style='break-before: page'>South</h2>{south}"
    print_pdf(browser, page, folder / "harbours.pdf")
    sources = [*sorted(folder.iterdir()), SEED]
    with serving(folder, *(part for one in sources for part in ("--source", one))) as address:
        yield address


class Held:
    """What the server answers, held back until it is let go, in whatever order; `most`: after so
    many answers the others go on."""

    def __init__(self, page: Page, pattern: str, most: int = 100) -> None:
        self._page = page
        self._pattern = pattern
        self._most = most
        self.answers: list[tuple[Route, APIResponse]] = []
        page.route(pattern, self._hold)

    def _hold(self, route: Route) -> None:
        if len(self.answers) < self._most:
            # The server may have closed the connection that this takes up again.
            self.answers.append((route, route.fetch(max_retries=3)))
        else:
            route.continue_()

    def wait_for(self, count: int) -> None:
        """Wait until the server has given so many answers, while the browser goes on."""
        deadline = time.monotonic() + PATIENCE
        while len(self.answers) < count:
            assert time.monotonic() < deadline, "nothing happens"
            self._page.wait_for_timeout(10)
        assert len(self.answers) == count

    def let_go(self, *order: int, **other: Any) -> None:
        """Let the page have these answers, one after the other.

        Args:
            order: their numbers, in the order in which they were asked for.
            other: what the last one of them is answered with instead.
        """
        for place, number in enumerate(order):
            route, answer = self.answers[number]
            changed = other if other and place == len(order) - 1 else {"response": answer}
            with self._page.expect_event("requestfinished"):
                route.fulfill(**changed)
        # What the page makes of the last one it makes in its own time.
        self._page.evaluate("() => new Promise((done) => setTimeout(done, 50))")
        self._page.unroute(self._pattern)


def questions(page: Page) -> Locator:
    return page.locator(".turn .question")


def test_the_document_that_was_asked_for_last_is_shown(visit: Visit) -> None:
    page = visit.page
    choice, shown = page.locator("#reader-choice"), page.locator("#pages")
    read(page, FIRST)
    expect(shown).to_contain_text(ABOUT.format(FIRST))
    for last, order in ((TITLES[1], (1, 0)), (FIRST, (0,))):
        held = Held(page, "**/documents/*")
        choice.select_option(label=TITLES[0])
        held.wait_for(1)
        choice.select_option(label=last)  # the second time the one that is shown already
        held.wait_for(len(order))
        held.let_go(*order)
        expect(shown).to_contain_text(ABOUT.format(last))
        value = choice.locator("option", has_text=last).get_attribute("value")
        expect(choice).to_have_value(str(value))
        choice.select_option(label=FIRST)
        expect(shown).to_contain_text(ABOUT.format(FIRST))

    # A citation that was followed is not lit up once another document was asked for.
    ask(page, QUESTION)
    read(page, TITLES[0])
    expect(shown).to_contain_text(ABOUT.format(TITLES[0]))
    held = Held(page, "**/documents/*")
    page.locator(".turn .marker").first.click()
    held.wait_for(1)
    choice.select_option(label=TITLES[1])
    held.wait_for(2)
    held.let_go(1, 0)
    expect(shown).to_contain_text(ABOUT.format(TITLES[1]))
    expect(page.locator("#reader-note")).to_be_hidden()

    # Of the places that were sought the last one is lit up.
    held = Held(page, "**/words")
    choice.select_option(label="Harbours")
    page.locator("#find-text").fill("harbour master")
    expect(page.locator("#find-count")).to_have_text("2")
    page.locator("#find-on").click()
    page.locator("#find-on").click()
    held.wait_for(2)
    order = sorted(range(2), key=lambda n: held.answers[n][0].request.url, reverse=True)
    held.let_go(*order)
    expect(page.locator(".sheet[data-page='2'] .light.found").first).to_be_visible()
    expect(page.locator(".sheet[data-page='1'] .light.found")).to_have_count(0)


def test_the_newest_lists_are_shown(visit: Visit, tmp_path: Path) -> None:
    page = visit.page
    # Of documents.
    added = ("Walnuts", "Pears")
    for name in added:
        (tmp_path / name).write_text(f"{name}\n\nOne sentence about {name.lower()} is enough.\n")
    add_file(page, *(tmp_path / name for name in added))
    held = Held(page, "**/session")
    for number, title in enumerate(added, start=1):
        act_on(page, title, "Remove")
        held.wait_for(number)
    held.let_go(1, 0)
    expect(page.locator("#documents b")).to_have_count(DOCUMENTS)
    # Starters of a document that went meanwhile.
    visit.complaints = [c for c in visit.complaints if "404" not in c]

    page.keyboard.press("Escape")

    # A notebook that is made while others are looked for stays open.
    held = Held(page, "**/notebooks", most=1)
    page.locator("#open-notebooks").click()
    held.wait_for(1)
    page.get_by_label("New notebook").fill("Nuts")
    page.keyboard.press("Enter")
    expect(page.locator("#notebook")).to_have_text("Nuts")
    held.let_go(0)
    expect(page.locator("#notebook")).to_have_text("Nuts")
    assert "#notebook/" in page.url


def test_a_folder_is_looked_at_once_at_a_time(browser: Browser, url: str) -> None:
    visit = Visit(browser, url)  # whose clock is its own
    page = visit.page
    looks: list[Route] = []
    page.clock.install()
    page.route("**/folder?*", lambda route: looks.append(route))
    page.reload()
    told = {"watched": True, "last": 5, "changes": [], "unread": []}
    for count in (1, 2):
        until(lambda count=count: page.clock.run_for(1000) or len(looks) >= count)
        page.clock.run_for(10_000)
        assert len(looks) == count, "another look before the answer to this one"
        looks[-1].fulfill(json=told)
        page.evaluate("() => new Promise((done) => queueMicrotask(done))")
    page.unroute_all()
    visit.close()


def test_a_conversation_is_left_or_deleted_while_it_is_answered(visit: Visit) -> None:
    page = visit.page
    # It is the same one when one comes back.
    held = Held(page, STREAM)
    send(page, QUESTION)
    held.wait_for(1)
    expect(page.locator("body")).to_have_attribute("data-kept", "true")
    page.locator("#new").click()
    page.get_by_role("button", name="Conversations").click()
    page.locator("#conversations .name").first.click()
    expect(questions(page)).to_have_text([QUESTION])
    held.let_go(0)
    expect(page.locator(".turn .answer")).to_contain_text(QUOTE)
    ask(page, UNANSWERABLE)
    page.reload()
    expect(questions(page)).to_have_text([QUESTION, UNANSWERABLE])
    expect(page.locator(".turn .answer").first).to_contain_text(QUOTE)
    visit.ready()

    # Deleted meanwhile it stays deleted.
    page.locator("#new").click()
    held = Held(page, STREAM)
    send(page, GREETING)
    held.wait_for(1)
    expect(page.locator("body")).to_have_attribute("data-kept", "true")
    page.get_by_role("button", name="Conversations").click()
    page.get_by_role("button", name=f"Delete {GREETING}").click()
    page.unroute(STREAM)
    page.wait_for_timeout(100)
    expect(page.locator("#conversations li")).to_have_count(1)
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("#conversations li")).to_have_count(2)

    # A name that is being written is not replaced by a list that comes late.
    page.keyboard.press("Escape")
    held = Held(page, "**/conversations?*", most=1)
    page.get_by_role("button", name="Conversations").click()
    held.wait_for(1)
    page.locator("#conversations .acts button").first.click()
    held.let_go(0)
    page.wait_for_timeout(100)
    page.get_by_label("Name of the conversation").fill("Manners")
    page.keyboard.press("Enter")
    expect(page.locator("#conversations .name", has_text="Manners")).to_be_visible()


# --- two tabs of one browser --------------------------------------------------------------------


@pytest.fixture
def tabs(visit: Visit) -> list[Page]:
    """Two tabs on the same conversation, of one question."""
    ask(visit.page, GREETING)
    other = visit.context.new_page()
    other.goto(visit.page.url)
    other.locator("body[data-ready]").wait_for()
    expect(questions(other)).to_have_text([GREETING])
    return [visit.page, other]


@pytest.mark.parametrize(
    "seed", [153, *(pytest.param(n, marks=pytest.mark.long) for n in range(2))]
)
def test_what_one_tab_does_another_does_not_undo(tabs: list[Page], seed: int) -> None:
    """Whatever both do, what is kept is what each has done, in turn; and each sees it."""
    chance = random.Random(seed)
    kept, title = [GREETING], GREETING
    for number in range(5):
        page = tabs[chance.randrange(2)]
        act = chance.choice(["ask", "ask", "ask", "edit", "rename", "again"])
        words = f"{GREETING} {number}"
        if act == "ask":
            ask(page, words)
            kept.append(words)
        elif act == "edit":
            place = chance.randrange(len(kept))
            page.locator(".turn").nth(place).get_by_role("button", name="Edit the question").click()
            ask(page, words)
            kept[place:] = [words]
        elif act == "again":
            page.locator(".turn").last.get_by_role("button", name="Ask again").click()
            settled(page)
        else:
            title = f"Talk {number}"
            page.get_by_role("button", name="Conversations").click()
            page.locator("#conversations .acts button").first.click()
            page.get_by_label("Name of the conversation").fill(title)
            page.keyboard.press("Enter")
            expect(page.locator("#conversations .name").first).to_have_text(title)
            page.keyboard.press("Escape")
        for other in tabs:
            expect(questions(other)).to_have_text(kept)
    for page in tabs:
        page.reload()
        expect(questions(page)).to_have_text(kept)
        expect(page.locator(".turn[data-state='answered']")).to_have_count(len(kept))
    if title != GREETING:
        expect(tabs[0].locator("#conversation-title")).to_have_text(title)


def test_what_both_tabs_do_at_the_same_time_is_all_kept(visit: Visit, tabs: list[Page]) -> None:
    first, second = tabs
    # What is asked in both.
    held = Held(first, STREAM)
    send(first, f"{GREETING} 1")
    held.wait_for(1)
    ask(second, f"{GREETING} 2")
    held.let_go(0)
    settled(first)
    for page in tabs:
        page.reload()
        expect(questions(page)).to_have_text([GREETING, f"{GREETING} 1", f"{GREETING} 2"])
        page.locator("body[data-ready]").wait_for()

    # What is asked while another tab edits goes with what follows.
    first.locator(".turn").first.get_by_role("button", name="Edit the question").click()
    ask(second, f"{GREETING} 3")
    expect(questions(first)).to_have_count(4)
    ask(first, "Hello")
    for page in tabs:
        expect(questions(page)).to_have_text(["Hello"])

    # What is read late does not undo what was done meanwhile.
    held = Held(first, "**/conversations/*")
    ask(second, f"{GREETING} 4")
    held.wait_for(2)  # it is told when it is asked, and when it is answered
    first.locator(".turn").first.get_by_role("button", name="Edit the question").click()
    ask(first, "Hello again")
    expect(questions(second)).to_have_text([f"{GREETING} 4", "Hello again"])
    held.let_go(1, 0)
    for page in tabs:
        expect(questions(page)).to_have_text([f"{GREETING} 4", "Hello again"])

    # A verdict in one tab outlives the other.
    turn = ask(first, QUESTION)
    expect(questions(second)).to_have_count(3)
    turn.get_by_role("button", name="A good answer").click()
    expect(first.locator("#toast")).to_contain_text("Thank you")
    ask(second, GREETING)
    first.reload()
    expect(questions(first)).to_have_count(4)
    pressed = first.locator(".turn").nth(2).get_by_role("button", name="A good answer")
    expect(pressed).to_have_attribute("aria-pressed", "true")
    first.locator("body[data-ready]").wait_for()

    # One that is deleted in the other says so, and is there again for who asks in it.
    second.get_by_role("button", name="Conversations").click()
    second.locator("#conversations [aria-current]").locator("../..").get_by_label("Delete").click()
    expect(first.locator("#toast")).to_contain_text("was deleted in another tab")
    second.keyboard.press("Escape")
    ask(first, GREETING)
    first.locator("body[data-kept='true']").wait_for()
    visit.complaints = [c for c in visit.complaints if "404" not in c]  # it was not there
    first.reload()
    expect(questions(first)).to_have_count(5)
    first.locator("body[data-ready]").wait_for()

    # Both ask the same documents.
    first.locator("#open-library").click()
    first.get_by_role("button", name="Select all").click()
    first.locator("#documents input").first.uncheck()
    first.get_by_role("button", name="Ask only these").click()
    told = first.locator("#asking").inner_text()
    assert told == f"Asking {DOCUMENTS - 1} of {DOCUMENTS} documents"
    expect(second.locator("#asking")).to_have_text(told)

    # Tabs that begin at the same time are one browser.
    first.evaluate("(key) => localStorage.setItem('footnote/key', key)", KEY)  # as another does
    with first.expect_request("**/writers") as asked:
        first.evaluate("() => void dispatchEvent(new Event('focus'))")
    assert asked.value.headers["x-footnote-session"] == KEY
    assert first.evaluate("localStorage.getItem('footnote/key')") == KEY

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
    add_file,
    ask,
    print_pdf,
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
    folder = tmp_path_factory.mktemp("at-once")
    sources: list[str | Path] = []
    for title in (FIRST, *TITLES):
        file = folder / f"{title.lower()}.txt"
        file.write_text(f"{title}\n\n{ABOUT.format(title)}\n")
        sources += ["--source", file]
    north, south = (f"<p>The harbour master of the {side} sits here.</p>" for side in SIDES)
    page = f"<h1>Harbours</h1>{north}<h2 style='break-before: page'>South</h2>{south}"
    print_pdf(browser, page, folder / "harbours.pdf")
    sources += ["--source", folder / "harbours.pdf"]
    with serving(folder, *sources, "--source", SEED) as address:
        yield address


class Held:
    """What the server answers, held back until it is let go, in whatever order."""

    def __init__(self, page: Page, pattern: str) -> None:
        self._page = page
        self._pattern = pattern
        self.answers: list[tuple[Route, APIResponse]] = []
        page.route(pattern, lambda route: self.answers.append((route, route.fetch())))

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


def documents(page: Page) -> Locator:
    return page.locator("#documents label b")


# --- answers that come late ---------------------------------------------------------------------


@pytest.mark.parametrize("again", [False, True])
def test_the_document_that_was_asked_for_last_is_shown(visit: Visit, again: bool) -> None:
    page = visit.page
    choice = page.locator("#reader-choice")
    expect(page.locator("#pages")).to_contain_text(ABOUT.format(FIRST))
    held = Held(page, "**/documents/*")
    choice.select_option(label=TITLES[0])
    if again:  # the one that is shown already, for which nothing is asked
        held.wait_for(1)
        choice.select_option(label=FIRST)
        held.let_go(0)
    else:
        choice.select_option(label=TITLES[1])
        held.wait_for(2)
        held.let_go(1, 0)
    shown = FIRST if again else TITLES[1]
    expect(page.locator("#pages")).to_contain_text(ABOUT.format(shown))
    value = choice.locator("option", has_text=shown).get_attribute("value")
    expect(choice).to_have_value(str(value))


def test_the_citation_that_was_followed_last_is_lit_up(visit: Visit) -> None:
    page = visit.page
    ask(page, QUESTION)
    page.locator("#reader-choice").select_option(label=TITLES[0])
    expect(page.locator("#pages")).to_contain_text(ABOUT.format(TITLES[0]))
    held = Held(page, "**/documents/*")
    page.locator(".turn .marker").first.click()
    held.wait_for(1)
    page.locator("#reader-choice").select_option(label=TITLES[1])
    held.wait_for(2)
    held.let_go(1, 0)
    expect(page.locator("#pages")).to_contain_text(ABOUT.format(TITLES[1]))
    expect(page.locator("#reader-note")).to_be_hidden()


def test_the_place_that_was_sought_last_is_lit_up(visit: Visit) -> None:
    page = visit.page
    held = Held(page, "**/words")
    page.locator("#reader-choice").select_option(label="Harbours")
    page.locator("#find-text").fill("harbour master")
    expect(page.locator("#find-count")).to_have_text("2")
    page.locator("#find-on").click()
    page.locator("#find-on").click()
    held.wait_for(2)
    order = sorted(range(2), key=lambda n: held.answers[n][0].request.url, reverse=True)
    held.let_go(*order)
    expect(page.locator(".sheet[data-page='2'] .light.found").first).to_be_visible()
    expect(page.locator(".sheet[data-page='1'] .light.found")).to_have_count(0)


def test_the_newest_list_of_documents_is_shown(visit: Visit, tmp_path: Path) -> None:
    page = visit.page
    added = ("Walnuts", "Pears")
    for name in added:
        (tmp_path / name).write_text(f"{name}\n\nOne sentence about {name.lower()} is enough.\n")
    add_file(page, *(tmp_path / name for name in added))
    held = Held(page, "**/session")
    for number, title in enumerate(added, start=1):
        page.get_by_role("button", name=f"Remove {title}").click()
        held.wait_for(number)
    held.let_go(1, 0)
    expect(documents(page)).to_have_count(DOCUMENTS)
    # Starters of a document that went meanwhile.
    visit.complaints = [c for c in visit.complaints if "404" not in c]


def test_the_newest_starter_questions_are_shown(visit: Visit) -> None:
    page = visit.page
    expect(page.locator("#starters button").first).to_be_visible()
    page.locator("#open-library").click()
    held = Held(page, "**/starters")
    for number in (1, 2, 3):
        page.locator("#documents input").first.click()
        held.wait_for(number)
    held.let_go(2, 0, status=503, json={"detail": "Not now."})
    page.keyboard.press("Escape")
    expect(page.locator("#starters button").first).to_be_visible()
    visit.complaints = [c for c in visit.complaints if "503" not in c]


def test_what_may_write_is_as_it_was_told_last(visit: Visit) -> None:
    page = visit.page
    held = Held(page, "**/writers")
    for number in (1, 2):
        page.evaluate("() => void dispatchEvent(new Event('focus'))")
        held.wait_for(number)
    offered = [{"llm": "ollama:a", "name": "a", "server": "Ollama"}]
    held.let_go(1, 0, json={"set": None, "offered": offered, "missing": None})
    expect(page.locator("#offer")).to_be_hidden()


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


# --- one conversation at a time, and the others -------------------------------------------------


def asked_and_held(page: Page) -> Held:
    """Ask a question whose answer is held back."""
    held = Held(page, STREAM)
    send(page, QUESTION)
    held.wait_for(1)
    return held


def test_a_conversation_that_is_answered_meanwhile_is_the_same_one(visit: Visit) -> None:
    page = visit.page
    held = asked_and_held(page)
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


def test_a_conversation_that_is_deleted_while_it_is_answered_stays_deleted(visit: Visit) -> None:
    page = visit.page
    asked_and_held(page)
    page.get_by_role("button", name="Conversations").click()
    page.get_by_role("button", name=f"Delete {QUESTION}").click()
    page.unroute(STREAM)
    page.wait_for_timeout(100)
    expect(page.locator("#conversations li")).to_have_count(0)
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("#conversations li")).to_have_count(1)


def test_a_notebook_that_is_made_while_others_are_looked_for_stays_open(visit: Visit) -> None:
    page = visit.page
    looked: list[tuple[Route, APIResponse]] = []

    def hold(route: Route) -> None:  # the first look alone
        if looked:
            route.continue_()
        else:
            looked.append((route, route.fetch()))

    page.route("**/notebooks", hold)
    page.locator("#open-notebooks").click()
    until(lambda: looked or page.wait_for_timeout(10))
    page.get_by_label("New notebook").fill("Nuts")
    page.keyboard.press("Enter")
    expect(page.locator("#notebook")).to_have_text("Nuts")
    [(route, answer)] = looked
    with page.expect_event("requestfinished"):
        route.fulfill(response=answer)
    page.wait_for_timeout(50)  # what the page makes of it
    expect(page.locator("#notebook")).to_have_text("Nuts")
    assert "#notebook/" in page.url


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


@pytest.mark.parametrize("seed", [2, *(pytest.param(n, marks=pytest.mark.long) for n in range(2))])
def test_what_one_tab_does_another_does_not_undo(tabs: list[Page], seed: int) -> None:
    """Whatever both do, what is kept is what each has done, in turn; and each sees it."""
    chance = random.Random(seed)
    kept, title = [GREETING], GREETING
    for number in range(8):
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


def test_what_two_tabs_ask_at_the_same_time_is_all_kept(tabs: list[Page]) -> None:
    first, second = tabs
    held = Held(first, STREAM)
    send(first, f"{GREETING} 1")
    held.wait_for(1)
    ask(second, f"{GREETING} 2")
    held.let_go(0)
    settled(first)
    for page in tabs:
        page.reload()
        expect(questions(page)).to_have_text([GREETING, f"{GREETING} 1", f"{GREETING} 2"])


def test_what_is_asked_while_another_tab_edits_goes_with_what_follows(tabs: list[Page]) -> None:
    first, second = tabs
    ask(first, f"{GREETING} 1")
    expect(questions(second)).to_have_count(2)
    first.locator(".turn").first.get_by_role("button", name="Edit the question").click()
    ask(second, f"{GREETING} 2")
    expect(questions(first)).to_have_count(3)
    ask(first, "Hello")
    for page in tabs:
        expect(questions(page)).to_have_text(["Hello"])


def test_what_is_read_late_does_not_undo_what_was_done_meanwhile(tabs: list[Page]) -> None:
    first, second = tabs
    held = Held(first, "**/conversations/*")
    ask(second, f"{GREETING} 1")
    held.wait_for(2)  # it is told when it is asked, and when it is answered
    first.locator(".turn").first.get_by_role("button", name="Edit the question").click()
    ask(first, "Hello")
    expect(questions(second)).to_have_text([f"{GREETING} 1", "Hello"])
    held.let_go(1, 0)
    for page in tabs:
        expect(questions(page)).to_have_text([f"{GREETING} 1", "Hello"])


def test_a_verdict_in_one_tab_outlives_the_other(tabs: list[Page]) -> None:
    first, second = tabs
    turn = ask(first, QUESTION)
    expect(questions(second)).to_have_count(2)
    turn.get_by_role("button", name="A good answer").click()
    expect(first.locator("#toast")).to_contain_text("Thank you")
    ask(second, GREETING)
    first.reload()
    expect(questions(first)).to_have_count(3)
    pressed = first.locator(".turn").nth(1).get_by_role("button", name="A good answer")
    expect(pressed).to_have_attribute("aria-pressed", "true")


def test_both_tabs_ask_the_documents_that_are_ticked(tabs: list[Page]) -> None:
    first, second = tabs
    first.locator("#open-library").click()
    first.locator("#documents input").first.uncheck()
    told = first.locator("#asking").inner_text()
    assert told == f"Asking {DOCUMENTS - 1} of {DOCUMENTS} documents"
    expect(second.locator("#asking")).to_have_text(told)
    expect(second.locator("#documents input").first).not_to_be_checked()


def test_tabs_that_begin_at_the_same_time_are_one_browser(tabs: list[Page]) -> None:
    page, _ = tabs
    page.evaluate("(key) => localStorage.setItem('footnote/key', key)", KEY)  # as another tab does
    with page.expect_request("**/writers") as asked:
        page.evaluate("() => void dispatchEvent(new Event('focus'))")
    assert asked.value.headers["x-footnote-session"] == KEY
    assert page.evaluate("localStorage.getItem('footnote/key')") == KEY
